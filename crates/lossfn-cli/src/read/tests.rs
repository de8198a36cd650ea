//! What all formats must do, and what the formats' own tests share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Float64Array, Int8Array, ListArray, RecordBatch};

use super::*;

/// All rows of some columns: what the batches hold, put together, with keys as their names.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Whole {
    Numbers(Vec<f64>),
    Lists(usize, Vec<f64>),
    Keys(Vec<String>),
}

/// Numbers to compare with; NaN is not equal to itself, so that it is shown as text.
pub(super) fn shown(columns: &[Whole]) -> String {
    format!("{columns:#?}")
}

/// Reads parts to their end.
pub(super) fn gather(parts: Parts<'_>, requests: usize) -> Result<Vec<Whole>, ReadError> {
    let mut whole: Vec<Option<Whole>> = vec![None; requests];
    let mut rows = 0;
    for part in parts {
        let part = part?;
        assert!(part.first_row().is_none_or(|first| first == rows), "first rows are right");
        let mut seen = 0;
        let found = part.read(&mut |batch| {
            assert!(batch.rows > 0 && batch.rows <= BATCH_ROWS);
            assert_eq!(batch.columns.len(), requests);
            seen += batch.rows as u64;
            for (column, whole) in batch.columns.into_iter().zip(&mut whole) {
                match (column, whole.take()) {
                    (Values::Numbers(new), old) => {
                        assert_eq!(new.len(), batch.rows);
                        let mut all = match old {
                            Some(Whole::Numbers(old)) => old,
                            None => Vec::new(),
                            Some(_) => panic!("the kinds of values change"),
                        };
                        all.extend(new.to_f64().iter());
                        *whole = Some(Whole::Numbers(all));
                    }
                    (Values::Lists { width, values }, old) => {
                        assert_eq!(values.len(), batch.rows * width);
                        let (known, mut all) = match old {
                            Some(Whole::Lists(known, old)) => (known, old),
                            None => (width, Vec::new()),
                            Some(_) => panic!("the kinds of values change"),
                        };
                        all.extend(values.to_f64().iter());
                        if width == 0 {
                            all.extend(vec![f64::NAN; batch.rows * known]);
                        }
                        *whole = Some(Whole::Lists(known, all));
                    }
                    (Values::Keys { codes, names }, old) => {
                        assert_eq!(codes.len(), batch.rows);
                        let mut all = match old {
                            Some(Whole::Keys(old)) => old,
                            None => Vec::new(),
                            Some(_) => panic!("the kinds of values change"),
                        };
                        all.extend(codes.iter().map(|&code| names[code as usize].clone()));
                        *whole = Some(Whole::Keys(all));
                    }
                }
            }
            Ok(())
        })?;
        assert_eq!(found, seen);
        rows += found;
    }
    Ok(whole.into_iter().map(|whole| whole.unwrap_or(Whole::Numbers(Vec::new()))).collect())
}

/// Requests by name.
pub(super) fn requests(source: &dyn Source, names: &[(&str, ReadAs)]) -> Vec<Request> {
    let find = |name| source.columns().iter().position(|column| column.name == name);
    let request = |&(name, read_as)| Request { column: find(name).expect("a column"), read_as };
    names.iter().map(request).collect()
}

/// Opens files that are one table.
pub(super) fn open_one(paths: &[PathBuf]) -> Result<Box<dyn Source>, ReadError> {
    let mut tables = open(paths, TextOptions::default())?;
    assert_eq!(tables.len(), 1);
    Ok(tables.remove(0).1)
}

/// Reads columns of a file.
pub(super) fn read(path: &Path, names: &[(&str, ReadAs)]) -> Result<Vec<Whole>, ReadError> {
    let source = open_one(&[path.to_path_buf()])?;
    let requests = requests(&*source, names);
    gather(source.parts(&requests, None)?, requests.len())
}

/// A file of some name and content, in a directory of its own.
pub(super) fn file(name: &str, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join(name);
    std::fs::write(&path, content).expect("a file");
    (directory, path)
}

/// The message of an error.
pub(super) fn message<T>(result: Result<T, ReadError>) -> String {
    result.err().map(|error| error.to_string()).expect("an error")
}

/// Some rows for the formats of Arrow: numbers with a missing one, lists, keys of a dictionary
/// with a missing one, small integers.
pub(super) fn arrow_rows() -> RecordBatch {
    let numbers = Float64Array::from(vec![Some(0.5), None, Some(-2.0), Some(3.0), Some(4.0)]);
    let lists = ListArray::from_iter_primitive::<arrow_array::types::Float32Type, _, _>(
        (0..5i16).map(|i| (i != 1).then(|| [i, i + 1, i + 2].map(|v| Some(f32::from(v))))),
    );
    let keys: DictionaryArray<Int32Type> =
        [Some("a"), Some("b"), None, Some("a"), Some("")].into_iter().collect();
    let labels = Int8Array::from(vec![0, 1, 0, -1, 1]);
    RecordBatch::try_from_iter_with_nullable([
        ("p", Arc::new(numbers) as ArrayRef, true),
        ("scores", Arc::new(lists) as ArrayRef, true),
        ("group", Arc::new(keys) as ArrayRef, true),
        ("y", Arc::new(labels) as ArrayRef, false),
    ])
    .expect("a batch")
}

/// What to ask [`arrow_rows`] for.
pub(super) const ARROW_REQUESTS: [(&str, ReadAs); 6] = [
    ("y", ReadAs::Number),
    ("group", ReadAs::Key),
    ("scores", ReadAs::List),
    ("p", ReadAs::Number),
    ("y", ReadAs::Key),
    ("p", ReadAs::List),
];

/// What [`arrow_rows`] gives.
pub(super) fn arrow_answer() -> String {
    let nan = f64::NAN;
    let p = vec![0.5, nan, -2.0, 3.0, 4.0];
    let text = |keys: &[&str]| keys.iter().map(|&key| key.to_owned()).collect();
    let lists = [[0.0, 1.0, 2.0], [nan; 3], [2.0, 3.0, 4.0], [3.0, 4.0, 5.0], [4.0, 5.0, 6.0]];
    shown(&[
        Whole::Numbers(vec![0.0, 1.0, 0.0, -1.0, 1.0]),
        Whole::Keys(text(&["a", "b", "", "a", ""])),
        Whole::Lists(3, lists.concat()),
        Whole::Numbers(p.clone()),
        Whole::Keys(text(&["0", "1", "0", "-1", "1"])),
        Whole::Lists(1, p),
    ])
}

/// Every way to read every column; answers do not matter, only that there are answers.
fn read_everything(paths: &[PathBuf]) -> Result<(), ReadError> {
    for (_, source) in open(paths, TextOptions::default())? {
        for read_as in [ReadAs::Number, ReadAs::List, ReadAs::Key] {
            for column in 0..source.columns().len() {
                for part in source.parts(&[Request { column, read_as }], None).into_iter().flatten()
                {
                    let Ok(part) = part else { break };
                    let _ = part.read(&mut |_| Ok(()));
                }
            }
        }
    }
    Ok(())
}

/// A small sequence of random numbers (xorshift).
pub(super) fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Writes a file anew. Some file systems write one that is only cut and filled again to disk at once.
fn replace(path: &Path, content: &[u8]) {
    std::fs::remove_file(path).expect("a file");
    std::fs::write(path, content).expect("a file");
}

/// Small files of all formats.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let table = "y,p,group\n1,0.5,a\n0,\"0.25\",\"b\nb\"\r\n,nan,\"c\"\"\"\n";
    let mut samples = vec![("t.csv", table.as_bytes().to_vec())];
    samples.push(("t.parquet", parquet::tests::written(&[arrow_rows()], 2)));
    for compression in ipc::tests::COMPRESSIONS {
        samples.push(("t.arrow", ipc::tests::file(&[arrow_rows()], compression)));
        samples.push(("t.arrows", ipc::tests::stream(&[arrow_rows()], compression)));
    }
    let array = npy::tests::array("<f4", false, "(2, 3)", &[7; 24]);
    samples.push(("t.npz", npy::tests::archive(&[("a", &array), ("b", &array)], true)));
    samples.push(("t.npz", npy::tests::archive(&[("a", &array), ("b", &array)], false)));
    samples.push(("t.npy", array));
    samples
}

#[test]
fn no_damage_makes_a_reader_panic() {
    let mut state = 0x9e37_79b9_7f4a_7c15;
    for (name, content) in samples() {
        let (_directory, path) = file(name, &content);
        read_everything(std::slice::from_ref(&path)).expect("the sample is sound");
        for length in 0..content.len() {
            replace(&path, &content[..length]);
            let _ = read_everything(std::slice::from_ref(&path));
        }
        for _ in 0..300 {
            let mut damaged = content.clone();
            for _ in 0..=random(&mut state) % 3 {
                let at = (random(&mut state) % damaged.len() as u64) as usize;
                damaged[at] = match random(&mut state) % 3 {
                    0 => damaged[at] ^ (1 << (random(&mut state) % 8)),
                    1 => [0, 0x7f, 0x80, 0xff][(random(&mut state) % 4) as usize],
                    _ => random(&mut state) as u8,
                };
            }
            replace(&path, &damaged);
            let _ = read_everything(std::slice::from_ref(&path));
        }
    }
}

#[test]
fn formats_are_told_from_names_and_contents() {
    for (name, content) in samples() {
        let bare = if name == "t.npz" || name == "t.npy" { "t.dat" } else { "t" };
        let (_directory, path) = file(bare, &content);
        read_everything(&[path]).expect("told from its content");
    }
    let (_directory, path) = file("t.csv", &parquet::tests::written(&[arrow_rows()], 9));
    assert!(message(open_one(&[path])).ends_with("is named as CSV but holds Parquet: rename it"));
    let (_directory, path) = file("t.csv.gz", b"\x1f\x8b\x08\0\0\0\0\0");
    assert!(message(open_one(&[path])).contains("gzip -dc"));
    let (_directory, path) = file("t.bin", b"\0\x01\x02\x03");
    assert!(message(open_one(&[path])).contains("unknown format"));
    let (_directory, path) = file("t.csv", b"PAR1,y\n1,2\n");
    assert_eq!(
        read(&path, &[("PAR1", ReadAs::Number)]).ok(),
        Some(vec![Whole::Numbers(vec![1.0])])
    );
}

#[test]
fn what_cannot_be_opened_is_said() {
    let directory = tempfile::tempdir().expect("a directory");
    let missing = directory.path().join("missing.csv");
    assert!(message(open_one(&[missing])).ends_with("missing.csv: there is no such file"));
    let path = directory.path().to_path_buf();
    assert!(message(open_one(&[path])).contains("is a directory"));
    for name in ["t.csv", "t.parquet", "t.arrow", "t.npy", "t.npz", "t"] {
        let (_directory, path) = file(name, b"");
        assert!(message(open_one(&[path])).contains("is empty"), "{name}");
    }
}

#[test]
fn truncated_files_are_said_to_be() {
    for (name, content) in samples().into_iter().skip(1) {
        let (_directory, path) = file(name, &content[..content.len() - 8]);
        let source = open_one(std::slice::from_ref(&path));
        let result = source.and_then(|source| {
            let requests = [Request { column: 0, read_as: ReadAs::List }];
            gather(source.parts(&requests, None)?, 1)
        });
        // A stream has its end mark there, and a stored array is read up to its last byte.
        if !matches!(name, "t.arrows") {
            let message = message(result);
            assert!(message.contains("write it anew or fetch it again"), "{name}: {message}");
        }
    }
}

#[test]
fn a_panic_is_an_error_of_the_file() {
    let path = Path::new("t.parquet");
    let result: Result<(), ReadError> =
        guarded(path, || -> Result<(), ReadError> { panic!("on purpose") });
    assert!(message(result).contains("the file is damaged"));
}
