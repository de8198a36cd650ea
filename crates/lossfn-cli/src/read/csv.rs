//! Text with separated values, from a file or a stream.
//!
//! One thread at a time reads a block of raw bytes and cuts it where a record ends; the blocks are
//! decoded on any thread.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use csv::{ByteRecord, ReaderBuilder};
use memchr::{memchr, memchr_iter, memchr3_iter, memrchr2};

use super::keys::Interner;
use super::{
    BATCH_ROWS, Batch, Column, ColumnType, EMPTY, Part, Parts, ReadAs, ReadError, Request, Source,
    Stop, TextOptions, Values, check_unique, file_error, io_error, open_file,
};

/// Bytes that are read at once.
const BLOCK: usize = 4 << 20;

/// The longest record. Without a limit, a quote that is never closed would draw the whole file
/// into memory.
const LONGEST_RECORD: usize = 64 << 20;

/// A text table.
pub(super) struct Csv {
    path: PathBuf,
    columns: Vec<Column>,
    delimiter: u8,
    /// Where the rows begin: after a byte order mark and the header.
    start: usize,
    input: Input,
}

/// Where the bytes come from.
enum Input {
    /// A file can be read again and again.
    File { bytes: u64 },
    /// So can a stream that was written to a temporary file.
    Spooled { file: tempfile::NamedTempFile, bytes: u64 },
    /// A stream is read once; only its first block is kept, so that a caller can look at the first
    /// rows and then begin anew.
    Stream(Stream),
}

/// A stream and its first block.
struct Stream {
    head: Vec<u8>,
    /// There is nothing behind `head`.
    ended: bool,
    /// Something behind `head` was read.
    moved_on: AtomicBool,
    rest: Mutex<Box<dyn Read + Send>>,
}

impl Csv {
    /// Reads the header.
    pub(super) fn open(path: &Path, options: TextOptions) -> Result<Self, ReadError> {
        if path.as_os_str() == "-" {
            return Self::from_stream(path, options, Box::new(std::io::stdin()));
        }
        let mut file = open_file(path)?;
        let meta = file.metadata().map_err(|error| io_error(path, &error))?;
        if !meta.is_file() {
            return Self::from_stream(path, options, Box::new(file));
        }
        let (head, ended) = read_head(path, &mut file)?;
        Self::new(path, options, &head, ended, Input::File { bytes: meta.len() })
    }

    /// Reads the header of a stream.
    fn from_stream(
        path: &Path,
        options: TextOptions,
        mut rest: Box<dyn Read + Send>,
    ) -> Result<Self, ReadError> {
        if options.keep_streams {
            return Self::from_spooled(path, options, &mut rest);
        }
        let (head, ended) = read_head(path, &mut rest)?;
        let copy = head.clone();
        let moved_on = AtomicBool::new(false);
        let stream = Stream { head, ended, moved_on, rest: Mutex::new(rest) };
        Self::new(path, options, &copy, ended, Input::Stream(stream))
    }

    /// Writes a stream to a temporary file and reads the header.
    fn from_spooled(
        path: &Path,
        options: TextOptions,
        rest: &mut dyn Read,
    ) -> Result<Self, ReadError> {
        let fail = |error: std::io::Error| {
            file_error(path, format!("cannot be kept in a temporary file: {error}"))
        };
        let mut file = tempfile::NamedTempFile::new().map_err(fail)?;
        let bytes = std::io::copy(rest, &mut file).map_err(fail)?;
        let (head, ended) = read_head(path, &mut file.reopen().map_err(fail)?)?;
        Self::new(path, options, &head, ended, Input::Spooled { file, bytes })
    }

    /// Takes the columns from the first bytes.
    fn new(
        path: &Path,
        options: TextOptions,
        head: &[u8],
        ended: bool,
        input: Input,
    ) -> Result<Self, ReadError> {
        let tabbed = path
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("tsv") || end.eq_ignore_ascii_case("tab"));
        let delimiter = options.delimiter.unwrap_or(if tabbed { b'\t' } else { b',' });
        let mark = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let text = &head[mark..];
        if !ended && last_record_end(text, delimiter).is_none() {
            let message = format!("the first record is longer than {BLOCK} bytes: not a table?");
            return Err(file_error(path, message));
        }
        let mut reader = records(text, delimiter);
        let mut first = ByteRecord::new();
        if !reader.read_byte_record(&mut first).unwrap_or(false) {
            return Err(file_error(path, EMPTY));
        }
        let names = first.iter().enumerate().map(|(i, name)| {
            let name = String::from_utf8_lossy(name.trim_ascii()).into_owned();
            if options.no_header || name.is_empty() { (i + 1).to_string() } else { name }
        });
        let columns: Vec<Column> =
            names.map(|name| Column { name, kind: ColumnType::Text }).collect();
        check_unique(path, &columns)?;
        let header = if options.no_header { 0 } else { reader.position().byte() as usize };
        let path = path.to_path_buf();
        Ok(Self { path, columns, delimiter, start: mark + header, input })
    }

    /// The parts, read in blocks of a given size, which longer records may exceed up to a limit.
    fn blocks(
        &self,
        requests: &[Request],
        size: usize,
        longest: usize,
    ) -> Result<Blocks<'_>, ReadError> {
        let reader: Box<dyn Read + Send + '_> = match &self.input {
            Input::File { .. } | Input::Spooled { .. } => {
                let mut file = match &self.input {
                    Input::Spooled { file, .. } => {
                        file.reopen().map_err(|error| io_error(&self.path, &error))?
                    }
                    _ => open_file(&self.path)?,
                };
                file.seek(SeekFrom::Start(self.start as u64))
                    .map_err(|error| io_error(&self.path, &error))?;
                Box::new(file)
            }
            Input::Stream(stream) => {
                if stream.moved_on.load(Ordering::Relaxed) {
                    let message = "is a stream and can be read only once: save it as a file";
                    return Err(file_error(&self.path, message));
                }
                Box::new(Replay { stream, at: self.start })
            }
        };
        let columns = requests.iter().map(|request| {
            let name = self.columns[request.column].name.clone();
            ColumnPlan { name, column: request.column, read_as: request.read_as }
        });
        Ok(Blocks {
            path: &self.path,
            reader,
            plan: Arc::new(Plan {
                columns: columns.collect(),
                fields: self.columns.len(),
                delimiter: self.delimiter,
            }),
            carry: Vec::new(),
            size,
            longest,
            // The first block ends where a stream's kept head does.
            next: size.saturating_sub(self.start).max(1),
            consumed: self.start as u64,
            done: false,
        })
    }
}

impl Source for Csv {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn bytes(&self) -> Option<u64> {
        match &self.input {
            Input::File { bytes } | Input::Spooled { bytes, .. } => Some(*bytes),
            Input::Stream(stream) => stream.ended.then_some(stream.head.len() as u64),
        }
    }

    fn parts(
        &self,
        requests: &[Request],
        _row_groups: Option<std::ops::Range<usize>>,
    ) -> Result<Parts<'_>, ReadError> {
        Ok(Box::new(self.blocks(requests, BLOCK, LONGEST_RECORD)?))
    }
}

/// The first block of an input, and whether it is all of it.
fn read_head(path: &Path, reader: &mut dyn Read) -> Result<(Vec<u8>, bool), ReadError> {
    let mut head = Vec::new();
    reader.take(BLOCK as u64).read_to_end(&mut head).map_err(|error| io_error(path, &error))?;
    let ended = head.len() < BLOCK;
    Ok((head, ended))
}

/// Reads a stream from the beginning of its kept head on.
struct Replay<'a> {
    stream: &'a Stream,
    at: usize,
}

impl Read for Replay<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let kept = &self.stream.head[self.at.min(self.stream.head.len())..];
        if kept.is_empty() && !self.stream.ended {
            self.stream.moved_on.store(true, Ordering::Relaxed);
            return self.stream.rest.lock().unwrap_or_else(PoisonError::into_inner).read(buffer);
        }
        let count = kept.len().min(buffer.len());
        buffer[..count].copy_from_slice(&kept[..count]);
        self.at += count;
        Ok(count)
    }
}

/// What all blocks of a table have in common.
struct Plan {
    columns: Vec<ColumnPlan>,
    /// Fields of each record.
    fields: usize,
    delimiter: u8,
}

/// A column to read.
struct ColumnPlan {
    name: String,
    column: usize,
    read_as: ReadAs,
}

/// Cuts a text into blocks of whole records.
struct Blocks<'a> {
    path: &'a Path,
    reader: Box<dyn Read + Send + 'a>,
    plan: Arc<Plan>,
    /// What was read but comes after the last cut: the beginning of a record.
    carry: Vec<u8>,
    /// Bytes to read for a block.
    size: usize,
    /// Bytes that a record may have.
    longest: usize,
    /// Bytes to read for the next block.
    next: usize,
    /// Bytes of the file before `carry`.
    consumed: u64,
    done: bool,
}

impl Blocks<'_> {
    /// The next block, or nothing at the end.
    fn block(&mut self) -> Result<Option<Vec<u8>>, ReadError> {
        let mut bytes = Vec::with_capacity(self.carry.len() + self.next);
        bytes.append(&mut self.carry);
        let mut wanted = std::mem::replace(&mut self.next, self.size);
        loop {
            let read = (&mut self.reader)
                .take(wanted as u64)
                .read_to_end(&mut bytes)
                .map_err(|error| io_error(self.path, &error))?;
            if read < wanted {
                self.done = true;
                return Ok((!bytes.is_empty()).then_some(bytes));
            }
            if let Some(end) = last_record_end(&bytes, self.plan.delimiter) {
                self.carry.extend_from_slice(&bytes[end..]);
                bytes.truncate(end);
                return Ok(Some(bytes));
            }
            if bytes.len() >= self.longest {
                let message = format!(
                    "the record that begins at byte {} is longer than {} bytes: is a quote not \
                     closed, or is this not a table?",
                    self.consumed, self.longest
                );
                return Err(file_error(self.path, message));
            }
            wanted = bytes.len().min(self.longest - bytes.len());
        }
    }
}

impl Iterator for Blocks<'_> {
    type Item = Result<Box<dyn Part>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let block = self.block().transpose()?;
        self.done |= block.is_err();
        Some(block.map(|bytes| {
            self.consumed += bytes.len() as u64;
            Box::new(Block { plan: Arc::clone(&self.plan), bytes }) as Box<dyn Part>
        }))
    }
}

/// Where the last whole record of a text ends that begins with a record. As in the `csv` crate, a
/// quote opens at the beginning of a field only, and two quotes within quotes stand for one.
fn last_record_end(text: &[u8], delimiter: u8) -> Option<usize> {
    let opens = |at: usize| {
        at.checked_sub(1).is_none_or(|before| {
            let before = text[before];
            before == delimiter || before == b'\n' || before == b'\r'
        })
    };
    let mut end = None;
    let mut plain = 0;
    loop {
        let open = memchr_iter(b'"', &text[plain..]).map(|i| plain + i).find(|&at| opens(at));
        // A line end of two bytes may be cut in the middle: the blank line left over is skipped.
        let unquoted = &text[plain..open.unwrap_or(text.len())];
        if let Some(i) = memrchr2(b'\n', b'\r', unquoted) {
            end = Some(plain + i + 1);
        }
        let Some(open) = open else { return end };
        let mut at = open + 1;
        plain = loop {
            let Some(quote) = memchr(b'"', &text[at..]).map(|i| at + i) else { return end };
            if text.get(quote + 1) != Some(&b'"') {
                break quote + 1;
            }
            at = quote + 2;
        };
    }
}

/// The records of a text, one after the other, whatever their number of fields.
enum Records<'a> {
    /// As long as quotes stand around whole fields that have nothing special in them, a record is a line, and its
    /// fields lie between the delimiters.
    Plain {
        text: &'a [u8],
        delimiter: u8,
        /// Where fields end: delimiters and line ends.
        ends: memchr::Memchr3<'a>,
        /// Where the next field begins.
        start: usize,
        fields: Vec<&'a [u8]>,
    },
    Quoted(Box<csv::Reader<&'a [u8]>>, ByteRecord),
}

impl<'a> Records<'a> {
    fn new(text: &'a [u8], delimiter: u8) -> Self {
        let ends = memchr3_iter(delimiter, b'\n', b'\r', text);
        Self::Plain { text, delimiter, ends, start: 0, fields: Vec::new() }
    }

    /// Goes on to the next record; false if there is none.
    fn next(&mut self) -> Result<bool, csv::Error> {
        match self {
            Self::Quoted(reader, record) => reader.read_byte_record(record),
            Self::Plain { text, delimiter, ends, start, fields } => {
                fields.clear();
                let first = *start;
                loop {
                    let end = ends.next().unwrap_or(text.len());
                    let is_last = text.get(end).is_none_or(|byte| matches!(byte, b'\n' | b'\r'));
                    // A line without a byte is no record, nor is what comes after the last line end.
                    if !is_last || end > *start || !fields.is_empty() {
                        let Some(field) = unquoted(&text[*start..end]) else {
                            let reader = Box::new(records(&text[first..], *delimiter));
                            *self = Self::Quoted(reader, ByteRecord::new());
                            return self.next();
                        };
                        fields.push(field);
                    }
                    *start = (end + 1).min(text.len());
                    if is_last && !fields.is_empty() {
                        return Ok(true);
                    }
                    if end == text.len() {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// The number of fields of the record.
    fn len(&self) -> usize {
        match self {
            Self::Plain { fields, .. } => fields.len(),
            Self::Quoted(_, record) => record.len(),
        }
    }

    /// A field of the record.
    fn field(&self, at: usize) -> &[u8] {
        match self {
            Self::Plain { fields, .. } => fields[at],
            Self::Quoted(_, record) => &record[at],
        }
    }
}

/// What lies between two ends of fields, without the quotes around it; `None` if it has others, so that it may
/// not be a field.
fn unquoted(text: &[u8]) -> Option<&[u8]> {
    let Some(inner) = text.strip_prefix(b"\"") else { return Some(text) };
    inner.strip_suffix(b"\"").filter(|field| !field.contains(&b'"'))
}

/// The records of a text as the `csv` crate takes them apart.
fn records(text: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .buffer_capacity(1 << 15)
        .from_reader(text)
}

/// Whole records of a text.
struct Block {
    plan: Arc<Plan>,
    bytes: Vec<u8>,
}

impl Part for Block {
    fn first_row(&self) -> Option<u64> {
        None
    }

    fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read(
        self: Box<Self>,
        consume: &mut dyn FnMut(Batch) -> Result<(), Stop>,
    ) -> Result<u64, ReadError> {
        let plan = &*self.plan;
        let mut records = Records::new(&self.bytes, plan.delimiter);
        let mut columns: Vec<Building> =
            plan.columns.iter().map(|column| Building::new(column.read_as)).collect();
        let mut row = 0;
        let mut emit = |columns: &mut [Building], rows: usize| {
            let columns = columns.iter_mut().map(Building::take).collect();
            consume(Batch { rows, columns }).map_err(|Stop| ReadError::Stopped)
        };
        loop {
            let more = records
                .next()
                .map_err(|error| ReadError::Record { row, message: error.to_string() })?;
            if !more {
                break;
            }
            if records.len() != plan.fields {
                let message = format!(
                    "has {} field{} where {} are due, as in the first row of the file",
                    records.len(),
                    if records.len() == 1 { "" } else { "s" },
                    plan.fields
                );
                return Err(ReadError::Record { row, message });
            }
            for (building, column) in columns.iter_mut().zip(&plan.columns) {
                building.push(records.field(column.column)).map_err(|message| {
                    ReadError::Value { row, column: column.name.clone(), message }
                })?;
            }
            row += 1;
            if row % BATCH_ROWS as u64 == 0 {
                emit(&mut columns, BATCH_ROWS)?;
            }
        }
        let rest = row as usize % BATCH_ROWS;
        if rest > 0 {
            emit(&mut columns, rest)?;
        }
        Ok(row)
    }
}

/// A column of a batch in the making.
enum Building {
    Numbers(Vec<f64>),
    /// `missing` counts the missing lists before the first that tells the width.
    Lists {
        width: usize,
        values: Vec<f64>,
        missing: usize,
    },
    Keys {
        codes: Vec<u32>,
        keys: Interner,
    },
}

impl Building {
    fn new(read_as: ReadAs) -> Self {
        match read_as {
            ReadAs::Number => Self::Numbers(Vec::new()),
            ReadAs::List => Self::Lists { width: 0, values: Vec::new(), missing: 0 },
            ReadAs::Key => Self::Keys { codes: Vec::new(), keys: Interner::default() },
        }
    }

    /// Adds the value of a row.
    fn push(&mut self, field: &[u8]) -> Result<(), String> {
        match self {
            Self::Numbers(values) => values.push(number(field)?),
            Self::Lists { width, values, missing } => {
                let before = values.len();
                list(field, values)?;
                let found = values.len() - before;
                if *width == 0 && found > 0 {
                    *width = found;
                    let blank = std::iter::repeat_n(f64::NAN, std::mem::take(missing) * found);
                    values.splice(0..0, blank);
                } else if found == 0 {
                    values.resize(before + *width, f64::NAN);
                    *missing += usize::from(*width == 0);
                } else if found != *width {
                    return Err(format!(
                        "the list has {found} numbers where the rows before it have {width}"
                    ));
                }
            }
            Self::Keys { codes, keys } => {
                codes.push(keys.code(field, || String::from_utf8_lossy(field).into_owned()));
            }
        }
        Ok(())
    }

    /// The values so far; the next batch is likely as long.
    fn take(&mut self) -> Values {
        fn renew<T>(values: &mut Vec<T>) -> Vec<T> {
            let room = Vec::with_capacity(values.len());
            std::mem::replace(values, room)
        }
        match self {
            Self::Numbers(values) => Values::Numbers(renew(values).into()),
            Self::Lists { width, values, missing } => {
                *missing = 0;
                Values::Lists { width: *width, values: renew(values).into() }
            }
            Self::Keys { codes, keys } => {
                Values::Keys { codes: renew(codes).into(), names: keys.names() }
            }
        }
    }
}

/// A number, or what stands for a missing one or for true and false.
fn number(field: &[u8]) -> Result<f64, String> {
    let trimmed = field.trim_ascii();
    if let Some(value) = short_decimal(trimmed) {
        return Ok(value);
    }
    if let Some(value) = std::str::from_utf8(trimmed).ok().and_then(|text| text.parse().ok()) {
        return Ok(value);
    }
    if is_missing(trimmed) {
        return Ok(f64::NAN);
    }
    if trimmed.eq_ignore_ascii_case(b"true") {
        return Ok(1.0);
    }
    if trimmed.eq_ignore_ascii_case(b"false") {
        return Ok(0.0);
    }
    let shown: String = String::from_utf8_lossy(trimmed).chars().take(40).collect();
    let cut = if shown.len() < trimmed.len() { "..." } else { "" };
    let shown = shown.replace(['\n', '\r'], "⏎");
    let hint = if trimmed.starts_with(b"[") {
        " but a list: use it as class scores, with a --loss for classes"
    } else {
        ""
    };
    Err(format!("`{shown}{cut}` is not a number{hint}"))
}

/// The value of a decimal number so short that one division gives it exactly rounded: its digits
/// and the power of ten are both exact. Most numbers in tables are such, and this takes a fraction
/// of the time of the general way.
fn short_decimal(text: &[u8]) -> Option<f64> {
    const LONGEST: usize = 16;
    const POWERS: [f64; LONGEST] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1.0, digits),
        digits => (1.0, digits),
    };
    if digits.len() > LONGEST {
        return None;
    }
    let mut whole: u64 = 0;
    let mut point = None;
    for (at, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => whole = 10 * whole + u64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(at + 1),
            _ => return None,
        }
    }
    let has_digits = digits.len() > usize::from(point.is_some());
    let decimals = point.map_or(0, |point| digits.len() - point);
    (has_digits && whole < 1 << 53).then(|| sign * (whole as f64 / POWERS[decimals]))
}

/// Whether a trimmed field stands for a missing value.
fn is_missing(field: &[u8]) -> bool {
    let words = ["na", "n/a", "<na>", "null", "none"];
    field.is_empty() || words.iter().any(|word| field.eq_ignore_ascii_case(word.as_bytes()))
}

/// Appends the numbers of a list such as `[0.1, 0.2]`, `0.1;0.2` or `[0.1 0.2]`; none where the list
/// is missing.
fn list(field: &[u8], values: &mut Vec<f64>) -> Result<(), String> {
    let field = field.trim_ascii();
    let inner = match field {
        [b'[', inner @ .., b']'] | [b'(', inner @ .., b')'] => inner.trim_ascii(),
        [b'[' | b'(', ..] => return Err("a list begins and does not end".to_owned()),
        plain => plain,
    };
    if is_missing(inner) {
        return Ok(());
    }
    if let Some(&separator) = inner.iter().find(|byte| matches!(byte, b',' | b';')) {
        for item in inner.split(|&byte| byte == separator) {
            values.push(number(item)?);
        }
    } else {
        for item in inner.split(u8::is_ascii_whitespace).filter(|item| !item.is_empty()) {
            values.push(number(item)?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{
        Whole, file, gather, message, open_one, random, read, requests, shown,
    };
    use super::*;

    /// Reads columns in blocks of a size.
    fn read_in_blocks(
        path: &Path,
        names: &[(&str, ReadAs)],
        size: usize,
        longest: usize,
    ) -> Result<Vec<Whole>, ReadError> {
        let csv = Csv::open(path, TextOptions::default())?;
        let requests = requests(&csv, names);
        gather(Box::new(csv.blocks(&requests, size, longest)?), requests.len())
    }

    fn keys(keys: &[&str]) -> Whole {
        Whole::Keys(keys.iter().map(|&key| key.to_owned()).collect())
    }

    #[test]
    fn blocks_of_any_size_give_the_same() {
        let text = "\u{feff}name, p ,y\r\n\"a,\n\"\"b\"\"\",1,0\r\n\r\nc\"d,2,1\n\"\",3,\"0\"\r\"e\"\"\n\"\"\",4e0,1";
        let (_directory, path) = file("t.csv", text.as_bytes());
        let names = [("name", ReadAs::Key), ("p", ReadAs::Number), ("y", ReadAs::Number)];
        let expected = vec![
            keys(&["a,\n\"b\"", "c\"d", "", "e\"\n\""]),
            Whole::Numbers(vec![1.0, 2.0, 3.0, 4.0]),
            Whole::Numbers(vec![0.0, 1.0, 0.0, 1.0]),
        ];
        for size in 1..=text.len() + 1 {
            let answer = read_in_blocks(&path, &names, size, LONGEST_RECORD).ok();
            assert_eq!(answer, Some(expected.clone()), "{size}");
        }
    }

    #[test]
    fn records_are_cut_where_the_csv_crate_ends_them() {
        let mut state = 77;
        for _ in 0..20_000 {
            let length = random(&mut state) % 24;
            let text: Vec<u8> =
                (0..length).map(|_| b"\"\",,\n\rab"[random(&mut state) as usize % 8]).collect();
            let all = |text: &[u8]| -> Vec<ByteRecord> {
                records(text, b',').byte_records().map(Result::unwrap).collect()
            };
            if let Some(end) = last_record_end(&text, b',') {
                let mut pieces = all(&text[..end]);
                pieces.extend(all(&text[end..]));
                assert_eq!(pieces, all(&text), "{:?}", String::from_utf8_lossy(&text));
            }
        }
    }

    #[test]
    fn records_are_those_of_the_csv_crate() {
        let mut state = 78;
        for _ in 0..20_000 {
            let length = random(&mut state) % 24;
            let text: Vec<u8> =
                (0..length).map(|_| b"\"\",,\n\rab"[random(&mut state) as usize % 8]).collect();
            let mut plain = Records::new(&text, b',');
            let mut found = Vec::new();
            while plain.next().unwrap() {
                found.push((0..plain.len()).map(|at| plain.field(at)).collect::<ByteRecord>());
            }
            let expected: Vec<ByteRecord> =
                records(&text, b',').byte_records().map(Result::unwrap).collect();
            assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn numbers_may_be_written_in_many_ways() {
        for (text, value) in [
            ("1", 1.0),
            (" -2.5e3 ", -2500.0),
            ("+.5", 0.5),
            ("inf", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("true", 1.0),
            ("False", 0.0),
        ] {
            assert_eq!(number(text.as_bytes()), Ok(value), "{text}");
        }
        for missing in ["", "  ", "NA", "N/A", "NaN", "nan", "null", "None", "<NA>"] {
            assert!(number(missing.as_bytes()).is_ok_and(f64::is_nan), "{missing}");
        }
        for text in ["x", "1,5", "0x10", "1 2", "[0.5]", "\u{e9}"] {
            assert!(number(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn short_decimals_are_what_the_standard_library_says() {
        let mut state = 5;
        for _ in 0..100_000 {
            let length = random(&mut state) as usize % 19;
            let text: String = (0..length)
                .map(|_| char::from(b"0123456789012345678.-"[random(&mut state) as usize % 21]))
                .collect();
            if let Some(value) = short_decimal(text.as_bytes()) {
                let expected: f64 = text.parse().expect("a number");
                assert_eq!(value.to_bits(), expected.to_bits(), "{text}");
            }
        }
        for text in ["", "-", ".", "-.", "1e5", "9007199254740993", "1.2.3"] {
            assert_eq!(short_decimal(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn lists_may_be_written_in_many_ways() {
        let text = "p\n\"[0.1, 0.2, 3]\"\n0.1;0.2;3\n[0.1  0.2 3]\n\"(0.1,0.2,\n 3)\"\n";
        let (_directory, path) = file("t.csv", text.as_bytes());
        let answer = read(&path, &[("p", ReadAs::List)]).ok();
        assert_eq!(answer, Some(vec![Whole::Lists(3, [0.1, 0.2, 3.0].repeat(4))]));
        let (_directory, path) = file("t.csv", b"p\n[1 2]\n[1 2 3]\n");
        assert_eq!(
            message(read(&path, &[("p", ReadAs::List)])),
            "row 1 of the part, column p: the list has 3 numbers where the rows before it have 2"
        );
        let (_directory, path) = file("t.csv", b"p,y\n,\nNA,\n[1 2],\n[],\n");
        let answer = read(&path, &[("p", ReadAs::List)]).expect("rows");
        let mut values = vec![f64::NAN; 8];
        values[4..6].copy_from_slice(&[1.0, 2.0]);
        assert_eq!(shown(&answer), shown(&[Whole::Lists(2, values)]));
    }

    #[test]
    fn errors_name_what_is_wrong() {
        let (_directory, path) = file("t.csv", b"y,p\n1,0.5\n0,high\n");
        assert_eq!(
            message(read(&path, &[("p", ReadAs::Number)])),
            "row 1 of the part, column p: `high` is not a number"
        );
        let (_directory, path) = file("t.csv", b"y,p\n1,0.5\n0\n");
        assert!(message(read(&path, &[("p", ReadAs::Number)])).contains("has 1 field where 2"));
        let (_directory, path) = file("t.csv", b"y,p,y\n1,0.5,1\n");
        assert!(message(open_one(&[path])).contains("two columns named `y`"));
        let (_directory, path) = file("t.csv", b"\n\n");
        assert!(message(open_one(&[path])).contains("is empty"));
        let (_directory, path) = file("t.csv", b"y\n\"1\n2\n3\n4\n5\n6\n7\n8\n");
        let answer = read_in_blocks(&path, &[("y", ReadAs::Number)], 4, 8);
        assert!(message(answer).contains("begins at byte 2 is longer than 8 bytes: is a quote"));
    }

    #[test]
    fn a_header_alone_is_a_table_without_rows() {
        for text in ["y,p", "y,p\n", "y,p\r\n"] {
            let (_directory, path) = file("t.csv", text.as_bytes());
            let answer = read(&path, &[("p", ReadAs::Number)]).ok();
            assert_eq!(answer, Some(vec![Whole::Numbers(vec![])]), "{text:?}");
        }
    }

    #[test]
    fn options_and_names_choose_the_separator_and_the_header() {
        let (_directory, path) = file("t.TSV", b"y\tp\n1\t\"0,5\"\n");
        let answer = read(&path, &[("y", ReadAs::Number), ("p", ReadAs::Key)]).ok();
        assert_eq!(answer, Some(vec![Whole::Numbers(vec![1.0]), keys(&["0,5"])]));
        let (_directory, path) = file("t.csv", b"1;2\n3;4\n");
        let options =
            TextOptions { delimiter: Some(b';'), no_header: true, ..TextOptions::default() };
        let csv = Csv::open(&path, options).expect("a table");
        let requests = requests(&csv, &[("2", ReadAs::Number)]);
        let answer = csv.parts(&requests, None).and_then(|parts| gather(parts, 1)).ok();
        assert_eq!(answer, Some(vec![Whole::Numbers(vec![2.0, 4.0])]));
    }

    #[test]
    fn the_head_of_a_stream_can_be_looked_at_first() {
        for rows in [2, 2_000_000] {
            let text: String = std::iter::once("y\n").chain((0..rows).map(|_| "1.5\n")).collect();
            let stream = Box::new(std::io::Cursor::new(text.into_bytes()));
            let csv = Csv::from_stream(Path::new("-"), TextOptions::default(), stream);
            let csv = csv.expect("a table");
            let requests = [Request { column: 0, read_as: ReadAs::Number }];
            let first = csv.parts(&requests, None).ok().and_then(|mut parts| parts.next());
            assert!(first.is_some_and(|part| part.is_ok()));
            let answer = csv.parts(&requests, None).and_then(|parts| gather(parts, 1)).ok();
            assert_eq!(answer, Some(vec![Whole::Numbers(vec![1.5; rows])]));
            let again = csv.parts(&requests, None);
            assert_eq!(again.is_ok(), rows == 2, "only what was kept can be read again");
        }
    }

    #[test]
    fn long_tables_come_in_batches() {
        let rows = 2 * BATCH_ROWS + 5;
        let text: String = std::iter::once("y,g\n".to_owned())
            .chain((0..rows).map(|i| format!("{i},{}\n", i % 3)))
            .collect();
        let (_directory, path) = file("t.csv", text.as_bytes());
        let answer = read(&path, &[("y", ReadAs::Number), ("g", ReadAs::Key)]).expect("rows");
        let expected = [
            Whole::Numbers((0..rows).map(|i| i as f64).collect()),
            Whole::Keys((0..rows).map(|i| (i % 3).to_string()).collect()),
        ];
        assert_eq!(shown(&answer), shown(&expected));
    }
}
