//! Reading tables of predictions, whatever the format, in batches of bounded size.
//!
//! A [`Source`] is one opened table. It knows its columns and hands out [`Part`]s: pieces that can
//! be decoded independently, on any thread. Decoding a part yields [`Batch`]es of the columns that
//! were asked for, as numbers or as group keys.

mod arrow;
mod csv;
mod ipc;
mod keys;
mod npy;
mod numbers;
mod parquet;
#[cfg(test)]
mod tests;

pub use numbers::Numbers;

use arrow_buffer::ScalarBuffer;
use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Once;

/// The number of rows that a batch has at most. Batches of wide lists have fewer.
pub const BATCH_ROWS: usize = 8192;

/// The number of values in a row, times the rows of a batch, stays about below this: they fit into the
/// cache, and scoring them is no work that the library would spread over threads of its own.
const BATCH_VALUES: usize = 1 << 16;

/// What a column holds, as far as can be told without reading the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// Integers or floating-point numbers.
    Number,
    /// True and false.
    Boolean,
    /// Text, or text that may turn out to be numbers (CSV).
    Text,
    /// One list of numbers in each row.
    List,
    /// None of these: a date (which can still be a key to group by), a struct, a matrix...
    Other,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, unique in the table.
    pub name: String,
    /// What it holds.
    pub kind: ColumnType,
}

/// How a column is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadAs {
    /// One number in each row: `Values::Numbers`, in single precision where the column has no more. Missing values become NaN; true and false 1 and 0.
    Number,
    /// One list of numbers in each row, all of the same length: `Values::Lists`. A column of single
    /// numbers is read as lists of length 1. The length is checked within a part; that the parts
    /// agree is for the caller to check.
    List,
    /// A key to group by: `Values::Keys`.
    Key,
}

/// A column to read: its position in [`Source::columns`], and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Position in the source's columns.
    pub column: usize,
    /// How to read it.
    pub read_as: ReadAs,
}

/// The decoded rows of one requested column.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// One number per row.
    Numbers(Numbers),
    /// `width` numbers per row, row after row.
    Lists {
        /// Length of each list; 0 where every list is missing and no row before tells the length.
        width: usize,
        /// The numbers, `rows * width` of them. A missing list is all NaN.
        values: Numbers,
    },
    /// One key per row: positions in `names`. A dictionary column keeps its own dictionary.
    Keys {
        /// For each row its position in `names`.
        codes: ScalarBuffer<u32>,
        /// The keys as text; a missing value is the empty text. Names may repeat or stay unused.
        names: std::sync::Arc<Vec<String>>,
    },
}

/// Some rows of a table: the requested columns, in the order they were requested.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Number of rows.
    pub rows: usize,
    /// One entry per request.
    pub columns: Vec<Values>,
}

/// Why a table could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file as a whole is at fault (missing, truncated, of an unknown format, empty...).
    #[error("{}: {message}", table_name(path))]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and how to mend it.
        message: String,
    },
    /// One value is at fault.
    #[error("row {row} of the part, column {column}: {message}")]
    Value {
        /// Row, counted from 0 within the part.
        row: u64,
        /// Name of the column.
        column: String,
        /// What is wrong with the value.
        message: String,
    },
    /// One record is at fault as a whole (for instance it has too few fields).
    #[error("row {row} of the part: {message}")]
    Record {
        /// Row, counted from 0 within the part.
        row: u64,
        /// What is wrong with the record.
        message: String,
    },
    /// The consumer of the batches stopped the reading.
    #[error("stopped")]
    Stopped,
}

/// What a consumer of batches answers: `Err(Stop)` ends the reading.
pub struct Stop;

/// A piece of a table that can be decoded on any thread, independently of the other pieces.
pub trait Part: Send {
    /// The row of the file that this part begins with, counted from 0, where that is known before
    /// the earlier parts are decoded (not in CSV).
    fn first_row(&self) -> Option<u64>;

    /// Bytes of the file that this part stands for: progress.
    fn bytes(&self) -> u64;

    /// Decodes the part, batch by batch. Returns the number of rows.
    ///
    /// # Errors
    /// What [`ReadError`] lists; after an error the batches seen so far are not to be used.
    fn read(
        self: Box<Self>,
        consume: &mut dyn FnMut(Batch) -> Result<(), Stop>,
    ) -> Result<u64, ReadError>;
}

/// The parts of a source, in the order of the file.
pub type Parts<'a> = Box<dyn Iterator<Item = Result<Box<dyn Part>, ReadError>> + Send + 'a>;

/// One opened table.
pub trait Source: Send {
    /// The columns, in the order of the file.
    fn columns(&self) -> &[Column];

    /// Size of the file in bytes, where known: progress.
    fn bytes(&self) -> Option<u64>;

    /// Number of row groups (Parquet) or record batches (Arrow file) that
    /// [`Source::parts`] can be restricted to; `None` where the format has none.
    fn row_groups(&self) -> Option<usize> {
        None
    }

    /// The parts that hold the requested columns, restricted to a range of row groups if given.
    ///
    /// # Errors
    /// `ReadError::File` where the requested columns cannot be read in the requested way.
    fn parts(
        &self,
        requests: &[Request],
        row_groups: Option<std::ops::Range<usize>>,
    ) -> Result<Parts<'_>, ReadError>;
}

/// How to read text tables.
#[derive(Clone, Copy, Debug, Default)]
pub struct TextOptions {
    /// Field separator; by default a tab for `.tsv` and `.tab`, else a comma.
    pub delimiter: Option<u8>,
    /// The first row is data; the columns are named `1`, `2`, ...
    pub no_header: bool,
    /// Streams are to be read several times: they are written to temporary files.
    pub keep_streams: bool,
}

/// Opened tables, each with the path that names it.
pub type Tables = Vec<(PathBuf, Box<dyn Source>)>;

/// Opens tables. `-` is CSV from standard input. All `.npy` paths given together are one table whose
/// columns are the arrays, named by file stem; every other path is a table of its own.
///
/// # Errors
/// `ReadError::File` for a path that cannot be opened or is not what its name says.
pub fn open(paths: &[PathBuf], text: TextOptions) -> Result<Tables, ReadError> {
    let mut tables = Tables::new();
    let mut arrays: Vec<PathBuf> = Vec::new();
    let mut place_of_arrays = 0;
    for path in paths {
        let source: Box<dyn Source> = match Format::of(path)? {
            Format::Text => Box::new(csv::Csv::open(path, text)?),
            Format::Parquet => Box::new(parquet::Parquet::open(path)?),
            Format::ArrowFile => Box::new(ipc::ArrowFile::open(path)?),
            Format::ArrowStream => Box::new(ipc::ArrowStream::open(path)?),
            Format::Npz => Box::new(npy::Table::open_npz(path)?),
            Format::Npy => {
                if arrays.is_empty() {
                    place_of_arrays = tables.len();
                }
                arrays.push(path.clone());
                continue;
            }
        };
        tables.push((path.clone(), source));
    }
    if let Some(first) = arrays.first() {
        let source = npy::Table::open_npy(&arrays)?;
        tables.insert(place_of_arrays, (first.clone(), Box::new(source)));
    }
    Ok(tables)
}

/// The formats that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Text,
    Parquet,
    ArrowFile,
    ArrowStream,
    Npy,
    Npz,
}

/// The first bytes of the formats.
const SIGNATURES: [(&[u8], Format); 6] = [
    (b"PAR1", Format::Parquet),
    (b"ARROW1", Format::ArrowFile),
    (b"\xff\xff\xff\xff", Format::ArrowStream),
    (b"\x93NUMPY", Format::Npy),
    (b"PK\x03\x04", Format::Npz),
    (b"PK\x05\x06", Format::Npz),
];

/// The first bytes of what people take for a table, and what they can do about it.
const STRANGERS: [(&[u8], &str); 9] = [
    (b"\x1f\x8b", "is compressed by gzip: for CSV, run `gzip -dc FILE | lossfn eval - ...`"),
    (
        b"\x28\xb5\x2f\xfd",
        "is compressed by zstd: for CSV, run `zstd -dc FILE | lossfn eval - ...`",
    ),
    (b"\xfd7zXZ", "is compressed by xz: for CSV, run `xz -dc FILE | lossfn eval - ...`"),
    (b"FEA1", "is Feather version 1: write it anew as version 2 (pyarrow.feather.write_feather)"),
    (b"\x89HDF", "is HDF5: write its columns as Parquet, CSV or NPZ"),
    (b"\x80\x04\x95", "is a Python pickle: write the table as Parquet, CSV or NPZ"),
    (b"\x80\x05\x95", "is a Python pickle: write the table as Parquet, CSV or NPZ"),
    (b"\xff\xfe", "is UTF-16 text: save it as UTF-8"),
    (b"\xfe\xff", "is UTF-16 text: save it as UTF-8"),
];

impl Format {
    /// Tells the format from the extension, then from the first bytes; where both speak, they
    /// must agree. Something other than a regular file (standard input, a pipe) is text, as it
    /// cannot be read twice or backwards.
    fn of(path: &Path) -> Result<Self, ReadError> {
        let named = Self::by_name(path);
        if path.as_os_str() == "-" {
            return Ok(Self::Text);
        }
        // Asked of the path: opening a pipe and closing it again would end its writer.
        let meta = std::fs::metadata(path).map_err(|error| io_error(path, &error))?;
        if meta.is_dir() {
            let message = "is a directory: name the files in it, such as 'DIRECTORY/*.parquet'";
            return Err(file_error(path, message));
        }
        if !meta.is_file() {
            return match named {
                None | Some(Self::Text) => Ok(Self::Text),
                Some(other) => {
                    let other = other.name();
                    Err(file_error(path, format!("is a pipe; {other} is read from files only")))
                }
            };
        }
        let mut start = Vec::new();
        let read = open_file(path)?.take(512).read_to_end(&mut start);
        read.map_err(|error| io_error(path, &error))?;
        if start.is_empty() {
            return Err(file_error(path, EMPTY));
        }
        let is_text = !start.iter().any(|&byte| byte < b'\t');
        if is_text && matches!(named, Some(Self::Text)) && start.is_ascii() {
            return Ok(Self::Text);
        }
        if let Some((_, message)) = STRANGERS.iter().find(|(bytes, _)| start.starts_with(bytes)) {
            return Err(file_error(path, *message));
        }
        let content = SIGNATURES
            .iter()
            .find(|(bytes, _)| start.starts_with(bytes))
            .map(|&(_, format)| format);
        match (named, content) {
            (Some(named), Some(content)) if named.name() != content.name() => Err(file_error(
                path,
                format!("is named as {} but holds {}: rename it", named.name(), content.name()),
            )),
            (_, Some(content)) => Ok(content),
            (Some(Self::Text) | None, None) if is_text => Ok(Self::Text),
            (Some(Self::Text), None) => Err(file_error(path, "is not text: it has binary bytes")),
            (Some(named), None) => Ok(named),
            (None, None) => Err(file_error(
                path,
                "is of an unknown format: CSV, TSV, Parquet, Arrow IPC, NPY and NPZ can be read",
            )),
        }
    }

    /// Tells the format from the extension.
    fn by_name(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" | "tsv" | "tab" | "txt" => Some(Self::Text),
            "parquet" | "pq" => Some(Self::Parquet),
            "arrow" | "feather" | "ipc" => Some(Self::ArrowFile),
            "arrows" => Some(Self::ArrowStream),
            "npy" => Some(Self::Npy),
            "npz" => Some(Self::Npz),
            _ => None,
        }
    }

    /// What people call the format. The two of Arrow go by the same extensions.
    fn name(self) -> &'static str {
        match self {
            Self::Text => "CSV",
            Self::Parquet => "Parquet",
            Self::ArrowFile | Self::ArrowStream => "Arrow IPC",
            Self::Npy => "NPY",
            Self::Npz => "NPZ",
        }
    }
}

/// What to say of a file without a byte in it.
const EMPTY: &str = "is empty: a table has at least a row of column names";

/// What to add where a file does not hold what its format promises.
const CUT_OFF: &str = "write it anew or fetch it again";

/// An error that is about a file as a whole.
fn file_error(path: &Path, message: impl Into<String>) -> ReadError {
    ReadError::File { path: path.to_path_buf(), message: message.into() }
}

/// Opens a file for reading.
fn open_file(path: &Path) -> Result<File, ReadError> {
    File::open(path).map_err(|error| io_error(path, &error))
}

/// What the operating system says of a file.
fn io_error(path: &Path, error: &io::Error) -> ReadError {
    match error.kind() {
        io::ErrorKind::NotFound => file_error(path, "there is no such file"),
        io::ErrorKind::PermissionDenied => file_error(path, "may not be read (permissions)"),
        _ => file_error(path, error.to_string()),
    }
}

/// Names must be unique, or a request for one would be a guess.
fn check_unique(path: &Path, columns: &[Column]) -> Result<(), ReadError> {
    let mut seen = std::collections::HashSet::new();
    match columns.iter().find(|column| !seen.insert(column.name.as_str())) {
        None => Ok(()),
        Some(Column { name, .. }) => {
            Err(file_error(path, format!("has two columns named `{name}`: rename one of them")))
        }
    }
}

/// Rows of a batch whose rows have this many values.
fn batch_rows(values: usize) -> usize {
    (BATCH_VALUES / values.max(1)).clamp(1, BATCH_ROWS)
}

/// What a person calls a table.
pub fn table_name(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".into() } else { path.display().to_string() }
}

/// The error for lists that were asked for as numbers.
fn list_as_number(path: &Path, column: &str) -> ReadError {
    let message = format!(
        "column `{column}` holds lists where single numbers are due: use it as class scores \
         (--prediction {column} with a loss for classes)"
    );
    file_error(path, message)
}

/// Runs the code of a format's crate on bytes that may be damaged: where it panics, that is an
/// error of the file, and nothing of it is printed.
fn guarded<T, E: std::fmt::Display>(
    path: &Path,
    decode: impl FnOnce() -> Result<T, E>,
) -> Result<T, ReadError> {
    thread_local!(static INSIDE: Cell<bool> = const { Cell::new(false) });
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !INSIDE.get() {
                loud(info);
            }
        }));
    });
    let before = INSIDE.replace(true);
    let result = catch_unwind(AssertUnwindSafe(decode));
    INSIDE.set(before);
    let message = match result {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the file is damaged".to_owned(),
    };
    Err(file_error(path, format!("{}; {CUT_OFF}", message.trim_end_matches('.'))))
}
