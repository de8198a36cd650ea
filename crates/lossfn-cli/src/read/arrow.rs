//! From Arrow arrays to numbers, lists and keys: what Parquet and Arrow IPC have in common.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, ByteArrayType, Date32Type, Date64Type, Decimal32Type, Decimal64Type,
    Decimal128Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, GenericByteArray, GenericListArray, OffsetSizeTrait, PrimitiveArray,
    RecordBatch,
};
use arrow_buffer::{NullBuffer, ToByteSlice};
use arrow_schema::{DataType, SchemaRef, TimeUnit};

use super::keys::Interner;
use super::{
    Batch, Column, ColumnType, Numbers, ReadAs, ReadError, Request, Stop, Values, batch_rows,
    file_error, list_as_number,
};

/// The columns of an Arrow schema.
pub(super) fn columns(schema: &SchemaRef) -> Vec<Column> {
    let fields = schema.fields().iter();
    fields
        .map(|field| Column { name: field.name().clone(), kind: kind(field.data_type()) })
        .collect()
}

/// What a column of a type holds.
fn kind(data_type: &DataType) -> ColumnType {
    match data_type {
        DataType::Boolean => ColumnType::Boolean,
        number if is_number(number) => ColumnType::Number,
        DataType::Dictionary(_, values) => kind(values),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)
            if matches!(kind(item.data_type()), ColumnType::Number | ColumnType::Boolean) =>
        {
            ColumnType::List
        }
        text if is_text(text) => ColumnType::Text,
        _ => ColumnType::Other,
    }
}

/// Whether values of a type are numbers.
fn is_number(data_type: &DataType) -> bool {
    use DataType::{Decimal32, Decimal64, Decimal128, Null};
    data_type.is_integer()
        || data_type.is_floating()
        || matches!(data_type, Decimal32(..) | Decimal64(..) | Decimal128(..) | Null)
}

/// Whether values of a type are text, or bytes that old writers meant as text.
pub(super) fn is_text(data_type: &DataType) -> bool {
    use DataType::{Binary, BinaryView, LargeBinary, LargeUtf8, Utf8, Utf8View};
    matches!(data_type, Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView)
}

/// The requested columns of a file whose batches come as Arrow arrays.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    path: PathBuf,
    /// The columns of the file to decode, in its order, each once.
    pub(super) projection: Vec<usize>,
    columns: Vec<Selected>,
}

/// A requested column.
#[derive(Clone, Debug)]
struct Selected {
    name: String,
    /// Position among the decoded columns.
    at: usize,
    read_as: ReadAs,
}

impl Selection {
    /// Checks that the columns can be read as requested, as far as their types tell.
    pub(super) fn new(
        path: &Path,
        schema: &SchemaRef,
        requests: &[Request],
    ) -> Result<Self, ReadError> {
        let projection: BTreeSet<usize> = requests.iter().map(|request| request.column).collect();
        let projection: Vec<usize> = projection.into_iter().collect();
        let select = |request: &Request| {
            let field = schema.field(request.column);
            let name = field.name().clone();
            let data_type = field.data_type();
            let complain = |due: &str| {
                let holds = match kind(data_type) {
                    ColumnType::Text => "text".to_owned(),
                    ColumnType::Number => "single numbers".to_owned(),
                    _ => data_type.to_string(),
                };
                let message = format!("column `{name}` holds {holds} where {due} are due");
                Err(file_error(path, message))
            };
            match (request.read_as, kind(data_type)) {
                (ReadAs::Key, ColumnType::List) => return complain("keys to group by"),
                (ReadAs::Key, ColumnType::Other) if !is_date(data_type) => {
                    return complain("keys to group by");
                }
                (ReadAs::Number, ColumnType::Text | ColumnType::Other) => {
                    return complain("numbers");
                }
                (ReadAs::List, ColumnType::Text | ColumnType::Other) => {
                    return complain("lists of numbers");
                }
                _ => {}
            }
            let at = projection.binary_search(&request.column).unwrap_or_default();
            Ok(Selected { name, at, read_as: request.read_as })
        };
        let columns = requests.iter().map(select).collect::<Result<_, _>>()?;
        Ok(Self { path: path.to_path_buf(), projection, columns })
    }

    /// Whether a column of the file is to be read as keys.
    pub(super) fn has_key(&self, column: usize) -> bool {
        self.columns.iter().any(|selected| {
            selected.read_as == ReadAs::Key && self.projection[selected.at] == column
        })
    }
}

/// Turns decoded Arrow batches into ours, one after the other. A clone shares the names of the
/// dictionaries, which suits batches that share their dictionaries.
#[derive(Clone, Debug)]
pub(super) struct Converter {
    selection: Selection,
    states: Vec<State>,
    /// Rows so far.
    row: u64,
}

/// What is remembered of a column from batch to batch.
#[derive(Clone, Debug, Default)]
struct State {
    width: Option<usize>,
    keys: Interner,
    dictionary: Arc<Mutex<Option<Dictionary>>>,
}

/// The values of a dictionary, and what they are called. The name of a missing value comes last.
#[derive(Debug)]
struct Dictionary {
    values: ArrayRef,
    names: Arc<Vec<String>>,
}

impl Converter {
    pub(super) fn new(selection: Selection) -> Self {
        let states = selection.columns.iter().map(|_| State::default()).collect();
        Self { selection, states, row: 0 }
    }

    /// The rows converted so far.
    pub(super) fn rows(&self) -> u64 {
        self.row
    }

    /// Converts a decoded batch of the selected columns, in pieces of bounded size.
    pub(super) fn convert(
        &mut self,
        batch: &RecordBatch,
        consume: &mut dyn FnMut(Batch) -> Result<(), Stop>,
    ) -> Result<(), ReadError> {
        let total = batch.num_rows();
        let values = self.selection.columns.iter().map(|column| {
            let array = batch.column(column.at);
            array.as_list_opt::<i32>().map_or(0, |list| list.values().len())
                + array.as_list_opt::<i64>().map_or(0, |list| list.values().len())
                + array.as_fixed_size_list_opt().map_or(0, |list| list.values().len())
        });
        let step = batch_rows(values.sum::<usize>().div_ceil(total.max(1)));
        let mut done = 0;
        while done < total {
            let rows = step.min(total - done);
            let piece = batch.slice(done, rows);
            let mut columns = Vec::with_capacity(self.states.len());
            for (column, state) in self.selection.columns.iter().zip(&mut self.states) {
                let array = piece.column(column.at);
                let complain = |(row, message)| ReadError::Value {
                    row: self.row + row as u64,
                    column: column.name.clone(),
                    message,
                };
                columns.push(match column.read_as {
                    ReadAs::Key => state.keys(array),
                    ReadAs::List => {
                        let (width, values) = lists(array, &mut state.width).map_err(complain)?;
                        Values::Lists { width, values }
                    }
                    ReadAs::Number => match lists(array, &mut state.width).map_err(complain)? {
                        (1, values) => Values::Numbers(values),
                        (0, _) => Values::Numbers(Numbers::missing(rows)),
                        _ => return Err(list_as_number(&self.selection.path, &column.name)),
                    },
                });
            }
            consume(Batch { rows, columns }).map_err(|Stop| ReadError::Stopped)?;
            self.row += rows as u64;
            done += rows;
        }
        Ok(())
    }
}

/// The numbers of a column that was checked to hold numbers; NaN where they are missing.
fn numbers(array: &dyn Array) -> Numbers {
    fn converted<T: ArrowPrimitiveType, F>(
        array: &dyn Array,
        convert: impl Fn(T::Native) -> F,
    ) -> Numbers
    where
        Vec<F>: Into<Numbers>,
    {
        let values = array.as_primitive::<T>().values().iter();
        values.map(|&value| convert(value)).collect::<Vec<F>>().into()
    }
    let all = match array.data_type() {
        // Read where they lie.
        DataType::Float32 => Numbers::F32(array.as_primitive::<Float32Type>().values().clone()),
        DataType::Float64 => Numbers::F64(array.as_primitive::<Float64Type>().values().clone()),
        DataType::Float16 => converted::<Float16Type, _>(array, f32::from),
        DataType::Int8 => converted::<Int8Type, _>(array, f64::from),
        DataType::Int16 => converted::<Int16Type, _>(array, f64::from),
        DataType::Int32 => converted::<Int32Type, _>(array, f64::from),
        DataType::Int64 => converted::<Int64Type, _>(array, |value| value as f64),
        DataType::UInt8 => converted::<UInt8Type, _>(array, f64::from),
        DataType::UInt16 => converted::<UInt16Type, _>(array, f64::from),
        DataType::UInt32 => converted::<UInt32Type, _>(array, f64::from),
        DataType::UInt64 => converted::<UInt64Type, _>(array, |value| value as f64),
        &DataType::Decimal32(_, scale) => {
            let one = 10f64.powi(scale.into());
            converted::<Decimal32Type, _>(array, |value| f64::from(value) / one)
        }
        &DataType::Decimal64(_, scale) => {
            let one = 10f64.powi(scale.into());
            converted::<Decimal64Type, _>(array, |value| value as f64 / one)
        }
        &DataType::Decimal128(_, scale) => {
            let one = 10f64.powi(scale.into());
            converted::<Decimal128Type, _>(array, |value| value as f64 / one)
        }
        DataType::Boolean => {
            let values = array.as_boolean().values().iter();
            values.map(|value| f64::from(u8::from(value))).collect::<Vec<_>>().into()
        }
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let values = numbers(dictionary.values());
            if values.len() == 0 {
                return Numbers::missing(array.len());
            }
            values.rows(1, dictionary.normalized_keys().into_iter().map(Some))
        }
        _ => return Numbers::missing(array.len()),
    };
    blanked(array.nulls(), 1, all)
}

/// With NaN where rows of some width are missing.
fn blanked(nulls: Option<&NullBuffer>, width: usize, numbers: Numbers) -> Numbers {
    match nulls.filter(|nulls| nulls.null_count() > 0) {
        None => numbers,
        Some(nulls) => {
            let row = |(row, valid): (usize, bool)| valid.then_some(row * width);
            numbers.rows(width, nulls.iter().enumerate().map(row))
        }
    }
}

/// The numbers of lists that all have one width, and that width; single numbers are lists of
/// width 1. `known` is the width where earlier rows have told it; the width is 0 while only missing
/// lists were met. An error comes with its row.
fn lists(
    array: &dyn Array,
    known: &mut Option<usize>,
) -> Result<(usize, Numbers), (usize, String)> {
    match array.data_type() {
        DataType::List(_) => lists_by_offset(array.as_list::<i32>(), known),
        DataType::LargeList(_) => lists_by_offset(array.as_list::<i64>(), known),
        DataType::FixedSizeList(..) => {
            let array = array.as_fixed_size_list();
            let width = array.value_length() as usize;
            let first = if array.is_empty() { 0 } else { array.value_offset_at(0) };
            let values = numbers(&array.values().slice(first, array.len() * width));
            Ok((width, blanked(array.nulls(), width, values)))
        }
        _ => Ok((1, numbers(array))),
    }
}

/// [`lists`] for lists that could have different lengths.
fn lists_by_offset<O: OffsetSizeTrait>(
    array: &GenericListArray<O>,
    known: &mut Option<usize>,
) -> Result<(usize, Numbers), (usize, String)> {
    let ends = array.value_offsets();
    let (first, last) = (ends[0].as_usize(), ends[array.len()].as_usize());
    let values = numbers(&array.values().slice(first, last - first));
    let lengths = || ends.windows(2).map(|ends| ends[1].as_usize() - ends[0].as_usize());
    let missing = array.nulls().filter(|nulls| nulls.null_count() > 0);
    let is_valid = |row: usize| missing.is_none_or(|nulls| nulls.is_valid(row));
    let first_length =
        || lengths().enumerate().find(|&(row, _)| is_valid(row)).map(|(_, length)| length);
    *known = known.or_else(first_length);
    let Some(width) = *known else { return Ok((0, Numbers::missing(0))) };
    let wrong = lengths().enumerate().find(|&(row, length)| length != width && is_valid(row));
    if let Some((row, length)) = wrong {
        let message = format!("the list has {length} numbers where other rows have {width}");
        return Err((row, message));
    }
    let Some(missing) = missing else { return Ok((width, values)) };
    // A missing list has room among the values or not, as its writer liked.
    let begin = |(ends, valid): (&[O], bool)| valid.then(|| ends[0].as_usize() - first);
    Ok((width, values.rows(width, ends.windows(2).zip(missing).map(begin))))
}

impl State {
    /// The keys of a column.
    fn keys(&mut self, array: &ArrayRef) -> Values {
        if let Some(dictionary) = array.as_any_dictionary_opt() {
            let names = self.dictionary_names(dictionary.values());
            let missing = names.len() as u32 - 1;
            let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
            if let (None, Some(keys)) = (nulls, dictionary.keys().as_primitive_opt::<Int32Type>()) {
                // A key that is not missing is not negative.
                let codes = keys.values().inner().clone().into();
                return Values::Keys { codes, names };
            }
            let mut codes: Vec<u32> = if missing == 0 {
                vec![missing; array.len()]
            } else {
                dictionary.normalized_keys().into_iter().map(|key| key as u32).collect()
            };
            if let Some(nulls) = nulls {
                for (code, valid) in codes.iter_mut().zip(nulls) {
                    *code = if valid { *code } else { missing };
                }
            }
            return Values::Keys { codes: codes.into(), names };
        }
        let codes = codes(array, &mut self.keys).into();
        Values::Keys { codes, names: self.keys.names() }
    }

    /// The names of a dictionary's values, made once for each dictionary.
    fn dictionary_names(&self, values: &ArrayRef) -> Arc<Vec<String>> {
        let mut last = self.dictionary.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(last) if last.values.to_data().ptr_eq(&values.to_data()) => {
                Arc::clone(&last.names)
            }
            _ => {
                let mut interner = Interner::default();
                let codes = codes(values, &mut interner);
                let unique = interner.names();
                let all = codes.into_iter().map(|code| unique[code as usize].clone());
                let names: Arc<Vec<String>> = Arc::new(all.chain([String::new()]).collect());
                *last = Some(Dictionary { values: Arc::clone(values), names: Arc::clone(&names) });
                names
            }
        }
    }
}

/// The codes of keys that come row by row.
fn codes(array: &dyn Array, keys: &mut Interner) -> Vec<u32> {
    fn each<'a>(rows: impl Iterator<Item = Option<&'a [u8]>>, keys: &mut Interner) -> Vec<u32> {
        let code = |key: Option<&[u8]>| {
            let key = key.unwrap_or_default();
            keys.code(key, || String::from_utf8_lossy(key).into_owned())
        };
        rows.map(code).collect()
    }
    fn bytes<T: ByteArrayType>(array: &GenericByteArray<T>, keys: &mut Interner) -> Vec<u32> {
        each(array.iter().map(|row| row.map(AsRef::as_ref)), keys)
    }
    fn primitive<T: ArrowPrimitiveType>(
        array: &dyn Array,
        keys: &mut Interner,
        name: impl Fn(&PrimitiveArray<T>, usize) -> String,
    ) -> Vec<u32> {
        let array = array.as_primitive::<T>();
        let code = |row: usize| {
            if array.is_null(row) {
                return keys.code(b"", String::new);
            }
            keys.code(array.value(row).to_byte_slice(), || name(array, row))
        };
        (0..array.len()).map(code).collect()
    }
    macro_rules! show {
        ($kind:ty) => {
            primitive::<$kind>(array, keys, |array, row| array.value(row).to_string())
        };
    }
    macro_rules! show_time {
        ($kind:ty, $value:ident) => {
            primitive::<$kind>(array, keys, |array, row| {
                array.$value(row).map_or_else(|| "out of range".into(), |time| time.to_string())
            })
        };
    }
    match array.data_type() {
        DataType::Utf8 => bytes(array.as_string::<i32>(), keys),
        DataType::LargeUtf8 => bytes(array.as_string::<i64>(), keys),
        DataType::Binary => bytes(array.as_binary::<i32>(), keys),
        DataType::LargeBinary => bytes(array.as_binary::<i64>(), keys),
        DataType::Utf8View => {
            each(array.as_string_view().iter().map(|row| row.map(str::as_bytes)), keys)
        }
        DataType::BinaryView => each(array.as_binary_view().iter(), keys),
        DataType::Boolean => {
            let name = |value: bool| if value { "true" } else { "false" }.as_bytes();
            each(array.as_boolean().iter().map(|row| row.map(name)), keys)
        }
        DataType::Int8 => show!(Int8Type),
        DataType::Int16 => show!(Int16Type),
        DataType::Int32 => show!(Int32Type),
        DataType::Int64 => show!(Int64Type),
        DataType::UInt8 => show!(UInt8Type),
        DataType::UInt16 => show!(UInt16Type),
        DataType::UInt32 => show!(UInt32Type),
        DataType::UInt64 => show!(UInt64Type),
        DataType::Float16 => show!(Float16Type),
        DataType::Float32 => show!(Float32Type),
        DataType::Float64 => show!(Float64Type),
        DataType::Decimal32(..) => {
            primitive::<Decimal32Type>(array, keys, PrimitiveArray::value_as_string)
        }
        DataType::Decimal64(..) => {
            primitive::<Decimal64Type>(array, keys, PrimitiveArray::value_as_string)
        }
        DataType::Decimal128(..) => {
            primitive::<Decimal128Type>(array, keys, PrimitiveArray::value_as_string)
        }
        DataType::Date32 => show_time!(Date32Type, value_as_date),
        DataType::Date64 => show_time!(Date64Type, value_as_date),
        DataType::Timestamp(TimeUnit::Second, _) => {
            show_time!(TimestampSecondType, value_as_datetime)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            show_time!(TimestampMillisecondType, value_as_datetime)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            show_time!(TimestampMicrosecondType, value_as_datetime)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            show_time!(TimestampNanosecondType, value_as_datetime)
        }
        _ => vec![keys.code(b"", String::new); array.len()],
    }
}

/// Whether values of a type are dates or times of a calendar, which can be keys.
fn is_date(data_type: &DataType) -> bool {
    match data_type {
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => true,
        DataType::Dictionary(_, values) => is_date(values),
        _ => false,
    }
}
