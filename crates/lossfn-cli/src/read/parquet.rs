//! Parquet, by row groups.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_schema::{DataType, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Compression;
use parquet::file::metadata::{PageIndexPolicy, RowGroupMetaData};

use super::arrow::{Converter, Selection, columns, is_text};
use super::{
    Batch, CUT_OFF, Column, Part, Parts, ReadError, Request, Source, Stop, batch_rows,
    check_unique, file_error, guarded, open_file,
};

/// The number of rows that a part has at most, unless its row group is so large that
/// [`MOST_PARTS`] comes first.
const PART_ROWS: usize = 1 << 20;

/// The same for the number of values: rows of lists are large.
const PART_VALUES: usize = 1 << 25;

/// The number of parts that a row group is cut into at most: each has to skip what comes before it.
const MOST_PARTS: usize = 24;

/// A Parquet file.
pub(super) struct Parquet {
    path: PathBuf,
    columns: Vec<Column>,
    bytes: u64,
    metadata: ArrowReaderMetadata,
}

impl Parquet {
    /// Reads the footer.
    pub(super) fn open(path: &Path) -> Result<Self, ReadError> {
        let file = open_file(path)?;
        let load = |indexes| {
            let options = ArrowReaderOptions::new().with_offset_index_policy(indexes);
            let load = || ArrowReaderMetadata::load(&file, options);
            guarded(path, load).map_err(|error| match error {
                ReadError::File { path, message } => ReadError::File {
                    path,
                    message: format!("the file is cut off or not Parquet: {message}"),
                },
                other => other,
            })
        };
        let mut metadata = load(PageIndexPolicy::Skip)?;
        // Parts of a row group find their rows faster by an index of the pages.
        let groups = metadata.metadata().row_groups();
        let all = ProjectionMask::all();
        if groups.iter().any(|group| rows(group) > PART_ROWS || values(group, &all) > PART_VALUES) {
            metadata = load(PageIndexPolicy::Optional)?;
        }
        let columns = columns(metadata.schema());
        check_unique(path, &columns)?;
        let bytes = file.metadata().map_or(0, |meta| meta.len());
        Ok(Self { path: path.to_path_buf(), columns, bytes, metadata })
    }

    /// The metadata, with keys to be decoded as dictionaries: then the reader hands out the codes
    /// in the file as they are.
    fn with_dictionaries(&self, selection: &Selection) -> ArrowReaderMetadata {
        let schema = self.metadata.schema();
        let fields = schema.fields().iter().enumerate().map(|(column, field)| {
            let data_type = match field.data_type() {
                DataType::Dictionary(_, values) => values,
                other => other,
            };
            let is_bytes = matches!(
                data_type,
                DataType::Binary | DataType::LargeBinary | DataType::BinaryView
            );
            let data_type = if is_text(data_type) && selection.has_key(column) {
                let values = if is_bytes { DataType::Binary } else { DataType::Utf8 };
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(values))
            } else {
                data_type.clone()
            };
            field.as_ref().clone().with_data_type(data_type)
        });
        let hint = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let options = ArrowReaderOptions::new().with_schema(hint);
        let metadata = Arc::clone(self.metadata.metadata());
        // Where the reader refuses, its own types do as well, only slower.
        ArrowReaderMetadata::try_new(metadata, options).unwrap_or_else(|_| self.metadata.clone())
    }

    /// Refuses the compressions that are not built in.
    fn check_compression(
        &self,
        group: &RowGroupMetaData,
        mask: &ProjectionMask,
    ) -> Result<(), ReadError> {
        for (leaf, chunk) in group.columns().iter().enumerate() {
            let compression = chunk.compression();
            let is_strange = matches!(compression, Compression::BROTLI(_) | Compression::LZO);
            if is_strange && mask.leaf_included(leaf) {
                let message = format!(
                    "column `{}` is compressed by {compression}, which is not read here: write \
                     the file with zstd or snappy",
                    chunk.column_path().string()
                );
                return Err(file_error(&self.path, message));
            }
        }
        Ok(())
    }
}

impl Source for Parquet {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn bytes(&self) -> Option<u64> {
        Some(self.bytes)
    }

    fn row_groups(&self) -> Option<usize> {
        Some(self.metadata.metadata().num_row_groups())
    }

    fn parts(
        &self,
        requests: &[Request],
        row_groups: Option<Range<usize>>,
    ) -> Result<Parts<'_>, ReadError> {
        let selection = Selection::new(&self.path, self.metadata.schema(), requests)?;
        let metadata = guarded(&self.path, || {
            Ok::<_, std::convert::Infallible>(self.with_dictionaries(&selection))
        })?;
        let groups = metadata.metadata().row_groups();
        let range = row_groups.unwrap_or(0..groups.len());
        let mask = selection_mask(&metadata, &selection);
        let mut parts = Vec::new();
        let mut first_row: usize = 0;
        for (index, group) in groups.iter().enumerate() {
            let total = rows(group);
            if range.contains(&index) {
                self.check_compression(group, &mask)?;
                let values = values(group, &mask);
                let parts_due = total.div_ceil(PART_ROWS).max(values.div_ceil(PART_VALUES));
                let count = parts_due.min(MOST_PARTS).min(total);
                let listed = (values / total.max(1)).saturating_sub(selection.projection.len());
                let bytes = u64::try_from(group.compressed_size()).unwrap_or(0);
                let cut = |part: usize| (total as u128 * part as u128 / count as u128) as usize;
                parts.extend((0..count).map(|part| Slice {
                    selection: selection.clone(),
                    path: self.path.clone(),
                    metadata: metadata.clone(),
                    row_group: index,
                    rows: cut(part)..cut(part + 1),
                    batch_rows: batch_rows(listed),
                    first_row: first_row as u64,
                    bytes: bytes / count as u64,
                }));
            }
            first_row = total.saturating_add(first_row);
        }
        Ok(Box::new(parts.into_iter().map(|part| Ok(Box::new(part) as Box<dyn Part>))))
    }
}

/// The columns to decode, as the reader wants them told.
fn selection_mask(metadata: &ArrowReaderMetadata, selection: &Selection) -> ProjectionMask {
    ProjectionMask::roots(metadata.parquet_schema(), selection.projection.iter().copied())
}

/// Rows of a row group.
fn rows(group: &RowGroupMetaData) -> usize {
    usize::try_from(group.num_rows()).unwrap_or(0)
}

/// Values in some columns of a row group; a list has many.
fn values(group: &RowGroupMetaData, mask: &ProjectionMask) -> usize {
    let chunks = group.columns().iter().enumerate();
    let values = chunks
        .filter(|(leaf, _)| mask.leaf_included(*leaf))
        .map(|(_, chunk)| usize::try_from(chunk.num_values()).unwrap_or(0));
    values.fold(0, usize::saturating_add)
}

/// Consecutive rows of a row group.
struct Slice {
    selection: Selection,
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    row_group: usize,
    /// Rows within the row group.
    rows: Range<usize>,
    /// The row of the file that the row group begins with.
    first_row: u64,
    /// Rows to decode at once.
    batch_rows: usize,
    bytes: u64,
}

impl Part for Slice {
    fn first_row(&self) -> Option<u64> {
        Some(self.first_row.saturating_add(self.rows.start as u64))
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read(
        self: Box<Self>,
        consume: &mut dyn FnMut(Batch) -> Result<(), Stop>,
    ) -> Result<u64, ReadError> {
        let file: File = open_file(&self.path)?;
        let mask = selection_mask(&self.metadata, &self.selection);
        let mut reader = guarded(&self.path, || {
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
                .with_row_groups(vec![self.row_group])
                .with_batch_size(self.batch_rows)
                .with_projection(mask)
                .with_offset(self.rows.start)
                .with_limit(self.rows.len())
                .build()
        })?;
        let mut converter = Converter::new(self.selection);
        while let Some(batch) = guarded(&self.path, || reader.next().transpose())? {
            converter.convert(&batch, consume)?;
        }
        let (due, found) = (self.rows.len() as u64, converter.rows());
        if found != due {
            let group = self.row_group;
            let message =
                format!("row group {group} has {found} rows where {due} are due; {CUT_OFF}");
            return Err(file_error(&self.path, message));
        }
        Ok(found)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use arrow_array::types::Int8Type;
    use arrow_array::{
        ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray,
        FixedSizeListArray, Float16Array, Float32Array, Int64Array, LargeListArray, RecordBatch,
        StringArray, StringViewArray, StructArray, UInt8Array, UInt64Array,
    };
    use half::f16;
    use parquet::arrow::ArrowWriter;
    use parquet::basic::Compression;
    use parquet::file::properties::WriterProperties;

    use super::super::tests::{
        ARROW_REQUESTS, Whole, arrow_answer, arrow_rows, file, gather, message, read, requests,
        shown,
    };
    use super::super::{ReadAs, Values};
    use super::*;

    /// A Parquet file of batches, in row groups of so many rows.
    pub(in super::super) fn written(batches: &[RecordBatch], group: usize) -> Vec<u8> {
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(group))
            .set_compression(Compression::SNAPPY)
            .build();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batches[0].schema(), Some(properties))
            .expect("a writer");
        for batch in batches {
            writer.write(batch).expect("written");
        }
        writer.close().expect("written");
        bytes
    }

    fn column(name: &str, array: impl arrow_array::Array + 'static) -> RecordBatch {
        let array = Arc::new(array) as ArrayRef;
        RecordBatch::try_from_iter_with_nullable([(name, array, true)]).expect("a batch")
    }

    /// Reads a column that is written alone.
    fn round(
        array: impl arrow_array::Array + 'static,
        read_as: ReadAs,
    ) -> Result<Whole, ReadError> {
        let (_directory, path) = file("t.parquet", &written(&[column("c", array)], 1000));
        Ok(read(&path, &[("c", read_as)])?.remove(0))
    }

    #[test]
    fn columns_are_read_in_the_order_and_way_requested() {
        for group in [1, 2, 3, 100] {
            let (_directory, path) = file("t.parquet", &written(&[arrow_rows()], group));
            let answer = read(&path, &ARROW_REQUESTS).expect("rows");
            assert_eq!(shown(&answer), arrow_answer());
        }
    }

    #[test]
    fn numbers_of_all_types_are_read() {
        let one = || vec![Some(1), None, Some(3)];
        let expected = shown(&[Whole::Numbers(vec![1.0, f64::NAN, 3.0])]);
        let check = |array: ArrayRef| {
            let answer = round(array, ReadAs::Number).expect("numbers");
            assert_eq!(shown(&[answer]), expected);
        };
        check(Arc::new(Int64Array::from(
            one().into_iter().map(|v| v.map(i64::from)).collect::<Vec<_>>(),
        )));
        check(Arc::new(
            one().into_iter().map(|v: Option<i32>| v.map(|v| v as u8)).collect::<UInt8Array>(),
        ));
        check(Arc::new(
            one().into_iter().map(|v: Option<i32>| v.map(|v| v as u64)).collect::<UInt64Array>(),
        ));
        check(Arc::new(
            one().into_iter().map(|v: Option<i32>| v.map(|v| v as f32)).collect::<Float32Array>(),
        ));
        check(Arc::new(
            one()
                .into_iter()
                .map(|v: Option<i32>| v.map(|v| f16::from_f64(v.into())))
                .collect::<Float16Array>(),
        ));
        let decimals = Decimal128Array::from(vec![Some(100), None, Some(300)]);
        check(Arc::new(decimals.with_precision_and_scale(20, 2).expect("decimals")));
        let dictionary = DictionaryArray::<Int8Type>::new(
            vec![Some(1), None, Some(0)].into(),
            Arc::new(Int64Array::from(vec![3, 1])),
        );
        check(Arc::new(dictionary));
        let booleans = BooleanArray::from(vec![Some(true), None, Some(false)]);
        let answer = round(booleans, ReadAs::Number).expect("numbers");
        assert_eq!(shown(&[answer]), shown(&[Whole::Numbers(vec![1.0, f64::NAN, 0.0])]));
    }

    #[test]
    fn keys_of_all_types_are_read() {
        let check = |array: ArrayRef, expected: [&str; 3]| {
            let answer = round(array, ReadAs::Key).ok();
            assert_eq!(answer, Some(Whole::Keys(expected.map(str::to_owned).to_vec())));
        };
        let text = vec![Some("x"), None, Some("yy")];
        check(Arc::new(StringArray::from(text.clone())), ["x", "", "yy"]);
        check(Arc::new(StringViewArray::from(text.clone())), ["x", "", "yy"]);
        check(
            Arc::new(BinaryArray::from_opt_vec(vec![Some(b"x"), None, Some(b"y")])),
            ["x", "", "y"],
        );
        check(Arc::new(text.into_iter().collect::<DictionaryArray<Int8Type>>()), ["x", "", "yy"]);
        check(Arc::new(Int64Array::from(vec![Some(-1), None, Some(1)])), ["-1", "", "1"]);
        check(
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
            ["true", "", "false"],
        );
        check(
            Arc::new(Date32Array::from(vec![Some(0), None, Some(366)])),
            ["1970-01-01", "", "1971-01-02"],
        );
        check(Arc::new(StringArray::from(vec![None::<&str>; 3])), ["", "", ""]);
    }

    #[test]
    fn lists_of_all_types_are_read() {
        let rows = || [Some([1, 2]), None, Some([3, 4])].map(|row| row.map(|row| row.map(Some)));
        let expected = shown(&[Whole::Lists(2, vec![1.0, 2.0, f64::NAN, f64::NAN, 3.0, 4.0])]);
        let large =
            LargeListArray::from_iter_primitive::<arrow_array::types::Int32Type, _, _>(rows());
        assert_eq!(shown(&[round(large, ReadAs::List).expect("lists")]), expected);
        let fixed = FixedSizeListArray::from_iter_primitive::<arrow_array::types::Int32Type, _, _>(
            rows(),
            2,
        );
        assert_eq!(shown(&[round(fixed.clone(), ReadAs::List).expect("lists")]), expected);
        assert!(message(round(fixed, ReadAs::Number)).contains("use it as class scores"));
        let ragged = LargeListArray::from_iter_primitive::<arrow_array::types::Int32Type, _, _>([
            Some(vec![Some(1), Some(2)]),
            Some(vec![Some(1)]),
        ]);
        assert_eq!(
            message(round(ragged, ReadAs::List)),
            "row 1 of the part, column c: the list has 1 numbers where other rows have 2"
        );
        let single = LargeListArray::from_iter_primitive::<arrow_array::types::Int32Type, _, _>([
            Some(vec![Some(1)]),
            Some(vec![Some(7)]),
        ]);
        assert_eq!(round(single, ReadAs::Number).ok(), Some(Whole::Numbers(vec![1.0, 7.0])));
    }

    #[test]
    fn what_is_neither_is_refused_by_name() {
        assert!(
            message(round(StringArray::from(vec!["0.5"]), ReadAs::Number))
                .contains("column `c` holds text where numbers are due")
        );
        let inner = Arc::new(Int64Array::from(vec![1])) as ArrayRef;
        let structs = StructArray::try_from(vec![("a", inner)]).expect("a struct");
        assert!(message(round(structs, ReadAs::Key)).contains("where keys to group by are due"));
    }

    #[test]
    fn the_codes_of_a_dictionary_are_those_of_the_file() {
        // Each name occurs late in its row group, so that codes given out in the order of rows of
        // a later batch would differ.
        let rows = 3 * super::super::BATCH_ROWS;
        let names: Vec<String> = (0..rows).map(|i| format!("group {}", i % 7)).collect();
        let (_directory, path) =
            file("t.parquet", &written(&[column("c", StringArray::from(names))], rows));
        let table = Parquet::open(&path).expect("a table");
        let requests = requests(&table, &[("c", ReadAs::Key)]);
        let mut dictionaries: Vec<Arc<Vec<String>>> = Vec::new();
        for part in table.parts(&requests, None).expect("parts") {
            let read = part.expect("a part").read(&mut |batch| {
                if let Values::Keys { names, .. } = &batch.columns[0] {
                    dictionaries.push(Arc::clone(names));
                }
                Ok(())
            });
            assert_eq!(read.ok(), Some(rows as u64));
        }
        assert_eq!(dictionaries.len(), 3);
        assert_eq!(dictionaries[0].len(), 8, "seven names and the missing one");
        assert!(dictionaries.iter().all(|names| Arc::ptr_eq(names, &dictionaries[0])));
    }

    #[test]
    fn large_row_groups_are_cut_and_ranges_keep_row_numbers() {
        let rows = PART_ROWS + 3;
        let values = || (0..rows).map(|i| i as f32);
        let table = column("c", values().collect::<Float32Array>());
        let (_directory, path) = file("t.parquet", &written(&[table.clone(), table], rows));
        let table = Parquet::open(&path).expect("a table");
        assert_eq!(table.row_groups(), Some(2));
        let requests = requests(&table, &[("c", ReadAs::Number)]);
        let parts: Vec<_> = table.parts(&requests, None).expect("parts").flatten().collect();
        let firsts: Vec<_> = parts.iter().map(|part| part.first_row()).collect();
        let (rows, half) = (rows as u64, rows as u64 / 2);
        assert_eq!(firsts, [0, half, rows, rows + half].map(Some));
        let all = gather(Box::new(parts.into_iter().map(Ok)), 1).expect("rows");
        let once: Vec<f64> = values().map(f64::from).collect();
        assert!(all == [Whole::Numbers([once.clone(), once].concat())]);
        let second = table.parts(&requests, Some(1..2)).expect("parts");
        let firsts: Vec<_> = second.flatten().map(|part| part.first_row()).collect();
        assert_eq!(firsts, [rows, rows + half].map(Some));
    }
}
