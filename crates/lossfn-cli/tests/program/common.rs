//! Running the program in a folder of its own, and writing the files that it reads.

use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use assert_cmd::cargo::cargo_bin_cmd;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

/// What a run of the program gave.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    /// The answer of a run that must have gone well.
    #[track_caller]
    pub fn answer(self) -> String {
        assert_eq!(self.code, 0, "{}", self.err);
        self.out
    }

    #[track_caller]
    pub fn json(self) -> Value {
        let text = self.answer();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The message of a run that must have been refused, without a trace of an answer.
    #[track_caller]
    pub fn refusal(self) -> String {
        assert_eq!((self.code, self.out.as_str()), (2, ""), "{}", self.err);
        self.err
    }
}

/// A folder in which the program runs: messages name its files without any path.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub fn with(name: &str, content: impl AsRef<[u8]>) -> Self {
        let folder = Self::new();
        folder.write(name, content);
        folder
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("written");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The names of all files, in order.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Runs the program with arguments split at spaces; `'...'` keeps spaces.
    pub fn run(&self, line: &str) -> Run {
        self.run_on("", line)
    }

    /// The same with some standard input.
    pub fn run_on(&self, input: impl Into<Vec<u8>>, line: &str) -> Run {
        let output = cargo_bin_cmd!("lossfn")
            .current_dir(self.0.path())
            .args(words(line))
            .write_stdin(input)
            .output()
            .expect("the program runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        let code = output.status.code().expect("an exit code");
        Run { code, out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Splits a command line as a shell does, as far as it is needed here.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, piece) in line.split('\'').enumerate() {
        if at % 2 == 1 {
            words.push(piece.to_owned());
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// A file of the project.
pub fn project(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the project").join(path)
}

/// A number of the answer, where infinities and NaN are texts.
#[track_caller]
pub fn number(value: &Value) -> f64 {
    match value {
        Value::String(text) => text.parse().expect("a number"),
        value => value.as_f64().unwrap_or_else(|| panic!("{value} is no number")),
    }
}

/// The cost that an answer with one group has for its only loss.
#[track_caller]
pub fn only_cost(answer: &Value) -> f64 {
    let costs = answer["costs"].as_array().expect("costs");
    assert_eq!(costs.len(), 1);
    number(&costs[0]["cost"])
}

/// Numbers that look random and are the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Between 0 and 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// A table of named columns.
pub fn table<const N: usize>(columns: [(&str, ArrayRef); N]) -> RecordBatch {
    let nullable = columns.map(|(name, array)| (name, array, true));
    RecordBatch::try_from_iter_with_nullable(nullable).expect("a table")
}

/// A table as Parquet, in row groups of so many rows.
pub fn parquet(table: &RecordBatch, rows: usize, compression: Compression) -> Vec<u8> {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(rows))
        .set_compression(compression)
        .build();
    let mut bytes = Vec::new();
    let mut writer =
        ArrowWriter::try_new(&mut bytes, table.schema(), Some(properties)).expect("a writer");
    writer.write(table).expect("written");
    writer.close().expect("written");
    bytes
}

/// A table as an Arrow file, in record batches of so many rows.
pub fn arrow_file(table: &RecordBatch, rows: usize) -> Vec<u8> {
    let mut writer = FileWriter::try_new(Vec::new(), &table.schema()).expect("a writer");
    for batch in slices(table, rows) {
        writer.write(&batch).expect("written");
    }
    writer.into_inner().expect("written")
}

/// A table as an Arrow stream.
pub fn arrow_stream(table: &RecordBatch, rows: usize) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &table.schema()).expect("a writer");
    for batch in slices(table, rows) {
        writer.write(&batch).expect("written");
    }
    writer.into_inner().expect("written")
}

fn slices(table: &RecordBatch, rows: usize) -> impl Iterator<Item = RecordBatch> {
    let starts = (0..table.num_rows()).step_by(rows);
    starts.map(move |start| table.slice(start, rows.min(table.num_rows() - start)))
}

/// An array of f64 as `NumPy` saves it.
pub fn npy(shape: &str, values: &[f64]) -> Vec<u8> {
    let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend_from_slice(format!("{header:<117}\n").as_bytes());
    bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

/// Arrays as `NumPy` saves them together.
pub fn npz(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        writer.start_file(format!("{name}.npy"), SimpleFileOptions::default()).expect("an entry");
        writer.write_all(bytes).expect("written");
    }
    writer.finish().expect("written").into_inner()
}
