//! Arrow IPC: files, with random access to their batches, and streams.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::{Buffer, MutableBuffer};
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::{Block, Message, MessageHeader, MetadataVersion, root_as_footer, root_as_message};
use arrow_schema::{ArrowError, DataType, SchemaRef};

use super::arrow::{Converter, Selection, columns};
use super::{
    Batch, Column, Part, Parts, ReadError, Request, Source, Stop, check_unique, guarded, open_file,
};

/// What one buffer of a message may claim to grow by when decompressed. Zstandard's best is
/// some 30 thousand; more is a damaged length, for which no memory must be asked.
const MOST_GROWTH: i64 = 1 << 15;

/// An error in what a file says.
fn invalid(message: impl Into<String>) -> ArrowError {
    ArrowError::ParseError(message.into())
}

/// [`guarded`] for the errors of Arrow, whose own prefix says nothing to a reader of ours.
fn decoded<T>(path: &Path, decode: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, ReadError> {
    guarded(path, || {
        decode().map_err(|error| match error {
            ArrowError::ParseError(message) => message,
            other => other.to_string(),
        })
    })
}

/// A message of the format: a header and its body.
struct Frame {
    /// Where it is, and how long its two halves are.
    block: Block,
    bytes: Buffer,
}

impl Frame {
    /// Reads the message of a block of a file of `size` bytes.
    fn read(file: &mut File, size: u64, block: Block) -> Result<Self, ArrowError> {
        let bytes = Self::read_bytes(file, size, &block, block.bodyLength())?;
        Ok(Self { block, bytes })
    }

    /// Reads the header of a block's message and so many bytes of its body.
    fn read_bytes(
        file: &mut File,
        size: u64,
        block: &Block,
        body: i64,
    ) -> Result<Buffer, ArrowError> {
        let start = u64::try_from(block.offset()).ok();
        let head = u64::try_from(block.metaDataLength()).ok().filter(|&head| head >= 8);
        let length =
            head.zip(u64::try_from(body).ok()).and_then(|(head, body)| head.checked_add(body));
        let inside = |(start, length): &(u64, u64)| {
            start.checked_add(*length).is_some_and(|end| end <= size)
        };
        let Some((start, length)) = start.zip(length).filter(inside) else {
            return Err(invalid("a record batch lies outside of the file"));
        };
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = MutableBuffer::from_len_zeroed(length as usize);
        file.read_exact(bytes.as_slice_mut())?;
        Ok(bytes.into())
    }

    /// The header.
    fn message(bytes: &[u8]) -> Result<Message<'_>, ArrowError> {
        let skip = if bytes.starts_with(&[0xff; 4]) { 8 } else { 4 };
        let message = bytes.get(skip..).unwrap_or_default();
        root_as_message(message).map_err(|error| invalid(error.to_string()))
    }

    /// Checks the sizes that compressed buffers claim: arrow-ipc asks for that memory as it is.
    fn check(&self) -> Result<(), ArrowError> {
        let message = Self::message(&self.bytes)?;
        let batch = message
            .header_as_record_batch()
            .or_else(|| message.header_as_dictionary_batch().and_then(|batch| batch.data()));
        let Some(batch) = batch.filter(|batch| batch.compression().is_some()) else {
            return Ok(());
        };
        let body = self.bytes.get(self.block.metaDataLength() as usize..).unwrap_or_default();
        for buffer in batch.buffers().into_iter().flatten() {
            let start = buffer.offset() as usize;
            let bytes =
                start.checked_add(buffer.length() as usize).and_then(|end| body.get(start..end));
            let Some(claim) = bytes.and_then(|bytes| bytes.first_chunk()) else { continue };
            let claim = i64::from_le_bytes(*claim);
            if claim / MOST_GROWTH > buffer.length() {
                return Err(invalid("a compressed buffer has an impossible size"));
            }
        }
        Ok(())
    }
}

/// The decoder of a file or stream.
struct Decoder(FileDecoder);

impl Decoder {
    fn new(schema: &SchemaRef, version: MetadataVersion, selection: &Selection) -> Self {
        let decoder = FileDecoder::new(Arc::clone(schema), version);
        Self(decoder.with_projection(selection.projection.clone()))
    }

    /// Takes in a dictionary.
    fn dictionary(&mut self, frame: &Frame) -> Result<(), ArrowError> {
        frame.check()?;
        self.0.read_dictionary(&frame.block, &frame.bytes)
    }

    /// Decodes a record batch.
    fn batch(&self, frame: &Frame) -> Result<RecordBatch, ArrowError> {
        frame.check()?;
        let batch = self.0.read_record_batch(&frame.block, &frame.bytes)?;
        batch.ok_or_else(|| invalid("a record batch is empty"))
    }
}

/// An Arrow file: its footer tells where the batches are.
pub(super) struct ArrowFile {
    path: PathBuf,
    columns: Vec<Column>,
    bytes: u64,
    schema: SchemaRef,
    version: MetadataVersion,
    dictionaries: Vec<Block>,
    batches: Vec<Block>,
}

impl ArrowFile {
    /// Reads the footer.
    pub(super) fn open(path: &Path) -> Result<Self, ReadError> {
        let mut file = open_file(path)?;
        let source = decoded(path, || {
            let bytes = file.metadata()?.len();
            let mut tail = [0; 10];
            let cut_off = || invalid("the file is cut off or not Arrow IPC");
            let behind = bytes.checked_sub(tail.len() as u64).ok_or_else(cut_off)?;
            file.seek(SeekFrom::Start(behind))?;
            file.read_exact(&mut tail)?;
            let length = read_footer_length(tail).map_err(|_| cut_off())?;
            let start = behind.checked_sub(length as u64).ok_or_else(cut_off)?;
            file.seek(SeekFrom::Start(start))?;
            let mut footer = vec![0; length];
            file.read_exact(&mut footer)?;
            let footer = root_as_footer(&footer).map_err(|error| invalid(error.to_string()))?;
            let schema = footer.schema().ok_or_else(|| invalid("the footer has no schema"))?;
            if !schema.endianness().equals_to_target_endianness() {
                return Err(invalid("the file is of a machine with another byte order"));
            }
            let schema = Arc::new(try_fb_to_schema(schema)?);
            Ok(Self {
                path: path.to_path_buf(),
                columns: columns(&schema),
                bytes,
                schema,
                version: footer.version(),
                dictionaries: footer.dictionaries().into_iter().flatten().copied().collect(),
                batches: footer.recordBatches().into_iter().flatten().copied().collect(),
            })
        })?;
        check_unique(path, &source.columns)?;
        Ok(source)
    }

    /// A decoder that knows the dictionaries, where one is needed.
    fn decoder(&self, file: &mut File, selection: &Selection) -> Result<Decoder, ReadError> {
        let mut decoder = Decoder::new(&self.schema, self.version, selection);
        let is_encoded = |&column: &usize| match self.schema.field(column).data_type() {
            DataType::Dictionary(..) => true,
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                matches!(item.data_type(), DataType::Dictionary(..))
            }
            _ => false,
        };
        if selection.projection.iter().any(is_encoded) {
            for &block in &self.dictionaries {
                decoded(&self.path, || decoder.dictionary(&Frame::read(file, self.bytes, block)?))?;
            }
        }
        Ok(decoder)
    }

    /// The number of rows of a batch, from its header alone.
    fn rows(&self, file: &mut File, block: &Block) -> Result<u64, ReadError> {
        decoded(&self.path, || {
            let bytes = Frame::read_bytes(file, self.bytes, block, 0)?;
            let message = Frame::message(&bytes)?;
            let batch = message.header_as_record_batch();
            let batch = batch.ok_or_else(|| invalid("a record batch is missing"))?;
            u64::try_from(batch.length()).map_err(|_| invalid("a record batch has no length"))
        })
    }
}

impl Source for ArrowFile {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn bytes(&self) -> Option<u64> {
        Some(self.bytes)
    }

    fn row_groups(&self) -> Option<usize> {
        Some(self.batches.len())
    }

    fn parts(
        &self,
        requests: &[Request],
        row_groups: Option<Range<usize>>,
    ) -> Result<Parts<'_>, ReadError> {
        let selection = Selection::new(&self.path, &self.schema, requests)?;
        let mut file = open_file(&self.path)?;
        let decoder = Arc::new(self.decoder(&mut file, &selection)?);
        let converter = Converter::new(selection);
        let range = row_groups.unwrap_or(0..self.batches.len());
        let end = range.end.min(self.batches.len());
        let mut first_row = 0;
        for block in &self.batches[..range.start.min(end)] {
            first_row = self.rows(&mut file, block)?.saturating_add(first_row);
        }
        let blocks = &self.batches[range.start.min(end)..end];
        Ok(Box::new(blocks.iter().map(move |&block| {
            let first = first_row;
            first_row = self.rows(&mut file, &block)?.saturating_add(first);
            Ok(Box::new(FileBatch {
                path: self.path.clone(),
                size: self.bytes,
                decoder: Arc::clone(&decoder),
                converter: converter.clone(),
                block,
                first_row: first,
            }) as Box<dyn Part>)
        })))
    }
}

/// A record batch of a file.
struct FileBatch {
    path: PathBuf,
    /// Bytes of the file.
    size: u64,
    decoder: Arc<Decoder>,
    converter: Converter,
    block: Block,
    first_row: u64,
}

impl Part for FileBatch {
    fn first_row(&self) -> Option<u64> {
        Some(self.first_row)
    }

    fn bytes(&self) -> u64 {
        i64::from(self.block.metaDataLength()).saturating_add(self.block.bodyLength()).max(0) as u64
    }

    fn read(
        mut self: Box<Self>,
        consume: &mut dyn FnMut(Batch) -> Result<(), Stop>,
    ) -> Result<u64, ReadError> {
        let mut file = open_file(&self.path)?;
        let batch = decoded(&self.path, || {
            self.decoder.batch(&Frame::read(&mut file, self.size, self.block)?)
        })?;
        self.converter.convert(&batch, consume)?;
        Ok(self.converter.rows())
    }
}

/// An Arrow stream: messages one after the other.
pub(super) struct ArrowStream {
    path: PathBuf,
    columns: Vec<Column>,
    bytes: u64,
    schema: SchemaRef,
    version: MetadataVersion,
}

impl ArrowStream {
    /// Reads the schema.
    pub(super) fn open(path: &Path) -> Result<Self, ReadError> {
        let mut messages = Messages::open(path)?;
        let source = decoded(path, || {
            let frame = messages.next()?.ok_or_else(|| invalid("the stream is empty"))?;
            let message = Frame::message(&frame.bytes)?;
            let schema = message
                .header_as_schema()
                .ok_or_else(|| invalid("the stream does not begin with a schema"))?;
            if !schema.endianness().equals_to_target_endianness() {
                return Err(invalid("the stream is of a machine with another byte order"));
            }
            let schema = Arc::new(try_fb_to_schema(schema)?);
            Ok(Self {
                path: path.to_path_buf(),
                columns: columns(&schema),
                bytes: messages.size,
                schema,
                version: message.version(),
            })
        })?;
        check_unique(path, &source.columns)?;
        Ok(source)
    }
}

impl Source for ArrowStream {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn bytes(&self) -> Option<u64> {
        Some(self.bytes)
    }

    fn parts(
        &self,
        requests: &[Request],
        _row_groups: Option<Range<usize>>,
    ) -> Result<Parts<'_>, ReadError> {
        let selection = Selection::new(&self.path, &self.schema, requests)?;
        let mut messages = Messages::open(&self.path)?;
        decoded(&self.path, || messages.next())?;
        Ok(Box::new(StreamBatches {
            decoder: Decoder::new(&self.schema, self.version, &selection),
            path: &self.path,
            messages,
            converter: Converter::new(selection),
            first_row: 0,
            done: false,
        }))
    }
}

/// The messages of a stream.
struct Messages {
    reader: BufReader<File>,
    /// Bytes of the file.
    size: u64,
    /// Bytes read so far.
    at: u64,
}

impl Messages {
    fn open(path: &Path) -> Result<Self, ReadError> {
        let file = open_file(path)?;
        let size = file.metadata().map_or(0, |meta| meta.len());
        Ok(Self { reader: BufReader::new(file), size, at: 0 })
    }

    /// The next message; nothing at the end of the stream, or of the file at such a place.
    fn next(&mut self) -> Result<Option<Frame>, ArrowError> {
        if self.at == self.size {
            return Ok(None);
        }
        let cut_off = || invalid("the stream is cut off");
        let mut start = vec![0; 4];
        self.reader.read_exact(&mut start).map_err(|_| cut_off())?;
        if start == [0xff; 4] {
            start.resize(8, 0);
            self.reader.read_exact(&mut start[4..]).map_err(|_| cut_off())?;
        }
        let header = start.last_chunk().map_or(0, |length| i32::from_le_bytes(*length));
        if header == 0 {
            return Ok(None);
        }
        let left = self.size.saturating_sub(self.at + start.len() as u64);
        let header = u64::try_from(header).ok().filter(|&header| header <= left);
        let header = header.ok_or_else(cut_off)?;
        let meta = start.len() + header as usize;
        start.resize(meta, 0);
        let skip = meta - header as usize;
        self.reader.read_exact(&mut start[skip..])?;
        let body = Frame::message(&start)?.bodyLength();
        let body_bytes = u64::try_from(body).ok().filter(|&body| body <= left - header);
        let total = meta + body_bytes.ok_or_else(cut_off)? as usize;
        let mut bytes = MutableBuffer::from_len_zeroed(total);
        bytes.as_slice_mut()[..meta].copy_from_slice(&start);
        self.reader.read_exact(&mut bytes.as_slice_mut()[meta..])?;
        let block = Block::new(self.at as i64, meta as i32, body);
        self.at += total as u64;
        Ok(Some(Frame { block, bytes: bytes.into() }))
    }
}

/// The record batches of a stream. They are decoded one after the other, since each may depend on
/// dictionaries before it.
struct StreamBatches<'a> {
    path: &'a Path,
    messages: Messages,
    decoder: Decoder,
    converter: Converter,
    first_row: u64,
    done: bool,
}

impl StreamBatches<'_> {
    /// The next record batch, and the bytes read for it.
    fn batch(&mut self) -> Result<Option<(RecordBatch, u64)>, ArrowError> {
        let start = self.messages.at;
        while let Some(frame) = self.messages.next()? {
            match Frame::message(&frame.bytes)?.header_type() {
                MessageHeader::DictionaryBatch => self.decoder.dictionary(&frame)?,
                MessageHeader::RecordBatch => {
                    return Ok(Some((self.decoder.batch(&frame)?, self.messages.at - start)));
                }
                other => return Err(invalid(format!("the stream has an unexpected {other:?}"))),
            }
        }
        Ok(None)
    }
}

impl Iterator for StreamBatches<'_> {
    type Item = Result<Box<dyn Part>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = decoded(self.path, || self.batch()).transpose();
        self.done = !matches!(next, Some(Ok(_)));
        Some(next?.map(|(batch, bytes)| {
            let first_row = self.first_row;
            self.first_row += batch.num_rows() as u64;
            let converter = self.converter.clone();
            Box::new(StreamBatch { converter, batch, first_row, bytes }) as Box<dyn Part>
        }))
    }
}

/// A decoded record batch of a stream.
struct StreamBatch {
    converter: Converter,
    batch: RecordBatch,
    first_row: u64,
    bytes: u64,
}

impl Part for StreamBatch {
    fn first_row(&self) -> Option<u64> {
        Some(self.first_row)
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read(
        mut self: Box<Self>,
        consume: &mut dyn FnMut(Batch) -> Result<(), Stop>,
    ) -> Result<u64, ReadError> {
        self.converter.convert(&self.batch, consume)?;
        Ok(self.converter.rows())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use arrow_array::{ArrayRef, Int32Array, StringViewArray};
    use arrow_ipc::CompressionType;
    use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};

    use super::super::tests::{
        ARROW_REQUESTS, Whole, arrow_answer, arrow_rows, file as file_of, gather, message, read,
        requests, shown,
    };
    use super::super::{BATCH_ROWS, ReadAs};
    use super::*;

    pub(in super::super) const COMPRESSIONS: [Option<CompressionType>; 3] =
        [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)];

    fn options(compression: Option<CompressionType>) -> IpcWriteOptions {
        IpcWriteOptions::default().try_with_compression(compression).expect("options")
    }

    /// An Arrow file of batches.
    pub(in super::super) fn file(
        batches: &[RecordBatch],
        compression: Option<CompressionType>,
    ) -> Vec<u8> {
        let mut bytes = Vec::new();
        let schema = batches[0].schema();
        let mut writer =
            FileWriter::try_new_with_options(&mut bytes, &schema, options(compression))
                .expect("a writer");
        for batch in batches {
            writer.write(batch).expect("written");
        }
        writer.finish().expect("written");
        drop(writer);
        bytes
    }

    /// An Arrow stream of batches.
    pub(in super::super) fn stream(
        batches: &[RecordBatch],
        compression: Option<CompressionType>,
    ) -> Vec<u8> {
        let mut bytes = Vec::new();
        let schema = batches[0].schema();
        let mut writer =
            StreamWriter::try_new_with_options(&mut bytes, &schema, options(compression))
                .expect("a writer");
        for batch in batches {
            writer.write(batch).expect("written");
        }
        writer.finish().expect("written");
        drop(writer);
        bytes
    }

    /// A batch of numbers from `first` on, with text keys.
    fn numbered(first: usize, rows: usize) -> RecordBatch {
        let range = first..first + rows;
        let numbers: Int32Array = range.clone().map(|i| i as i32).collect();
        let keys: StringViewArray = range.map(|i| Some(format!("key {}", i % 3))).collect();
        RecordBatch::try_from_iter([
            ("n", Arc::new(numbers) as ArrayRef),
            ("k", Arc::new(keys) as ArrayRef),
        ])
        .expect("a batch")
    }

    #[test]
    fn files_and_streams_are_read_compressed_or_not() {
        for compression in COMPRESSIONS {
            for content in
                [file(&[arrow_rows()], compression), stream(&[arrow_rows()], compression)]
            {
                let (_directory, path) = file_of("t.feather", &content);
                let answer = read(&path, &ARROW_REQUESTS).expect("rows");
                assert_eq!(shown(&answer), arrow_answer());
            }
        }
    }

    #[test]
    fn several_batches_are_several_parts() {
        let rows = BATCH_ROWS + 7;
        let batches = [numbered(0, 3), numbered(3, rows), numbered(3 + rows, 5)];
        let expected = [
            Whole::Numbers((0..rows + 8).map(|i| i as f64).collect()),
            Whole::Keys((0..rows + 8).map(|i| format!("key {}", i % 3)).collect()),
        ];
        let names = [("n", ReadAs::Number), ("k", ReadAs::Key)];
        for content in [file(&batches, None), stream(&batches, None)] {
            let (_directory, path) = file_of("t.arrow", &content);
            assert_eq!(shown(&read(&path, &names).expect("rows")), shown(&expected));
        }
        let (_directory, path) = file_of("t.arrow", &file(&batches, None));
        let table = ArrowFile::open(&path).expect("a table");
        assert_eq!(table.row_groups(), Some(3));
        let requests = requests(&table, &[("n", ReadAs::Number)]);
        let last: Vec<_> = table.parts(&requests, Some(2..3)).expect("parts").flatten().collect();
        assert_eq!(last[0].first_row(), Some(3 + rows as u64));
    }

    #[test]
    fn a_stream_may_end_without_its_mark_but_not_within_a_message() {
        let batches = [numbered(0, 3), numbered(3, 3)];
        let content = stream(&batches, None);
        let (_directory, path) = file_of("t.arrows", &content[..content.len() - 8]);
        let names = [("n", ReadAs::Number)];
        let expected = [Whole::Numbers((0..6).map(f64::from).collect())];
        assert_eq!(read(&path, &names).ok(), Some(expected.to_vec()));
        let (_directory, path) = file_of("t.arrows", &content[..content.len() - 16]);
        assert!(message(read(&path, &names)).contains("cut off"));
        let table = ArrowStream::open(&path).expect("the schema is whole");
        let requests = requests(&table, &names);
        assert!(gather(table.parts(&requests, None).expect("parts"), 1).is_err());
    }

    #[test]
    fn an_impossible_size_is_refused_before_memory_is_asked_for() {
        let rows = RecordBatch::try_from_iter([(
            "n",
            Arc::new(Int32Array::from(vec![7; 4096])) as ArrayRef,
        )])
        .expect("a batch");
        let content = file(&[rows], Some(CompressionType::ZSTD));
        let size = (4096u64 * 4).to_le_bytes();
        let at = (0..content.len()).step_by(8).find(|&at| content[at..].starts_with(&size));
        let at = at.expect("the size");
        let mut damaged = content.clone();
        damaged[at + 5] = 0x7f;
        let (_directory, path) = file_of("t.arrow", &damaged);
        assert!(message(read(&path, &[("n", ReadAs::Number)])).contains("impossible size"));
    }
}
