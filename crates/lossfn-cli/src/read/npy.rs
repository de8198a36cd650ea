//! Arrays of `NumPy`: `.npy` files, and `.npz` archives of them.
//!
//! An array is read by one or more *lanes*, each a reader of consecutive items: one lane where the
//! rows lie one after the other, one lane for each column where the columns do (Fortran order).
//! One thread at a time reads the raw bytes of some rows from all lanes; turning the bytes into
//! numbers is done on any thread.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::CrcReader;
use flate2::bufread::DeflateDecoder;
use half::f16;
use zip::{CompressionMethod, ZipArchive};

use super::keys::Interner;
use super::{
    Batch, CUT_OFF, Column, ColumnType, Numbers, Part, Parts, ReadAs, ReadError, Request, Source,
    Stop, Values, batch_rows, check_unique, file_error, guarded, list_as_number, open_file,
};

/// Raw bytes that a part has about.
const PART_BYTES: u64 = 4 << 20;

/// The most columns that a compressed array in Fortran order may have: each is decompressed on its
/// own, from the beginning of the array on.
const MOST_INFLATED_LANES: usize = 256;

/// The longest header of an array; `NumPy` itself refuses those above 10,000 bytes.
const LONGEST_HEADER: usize = 1 << 16;

/// A table whose columns are arrays.
pub(super) struct Table {
    /// The archive, or the first file.
    path: PathBuf,
    columns: Vec<Column>,
    arrays: Vec<Array>,
    bytes: u64,
}

/// Where an array is, and what it is like.
struct Array {
    path: PathBuf,
    place: Place,
    header: Header,
}

/// Where in a file an array (with its header) is.
#[derive(Clone, Debug)]
struct Place {
    /// First byte in the file.
    start: u64,
    /// Bytes in the file.
    stored: u64,
    /// Bytes of the array.
    size: u64,
    /// The checksum of the array, if it is compressed.
    deflated: Option<u32>,
}

/// What the header of an array says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Header {
    /// Bytes of the header.
    length: u64,
    /// The type as `NumPy` writes it, such as `<f8`.
    descr: String,
    /// What the type means, if it can be read.
    item: Option<Item>,
    /// Whether the columns lie one after the other.
    fortran: bool,
    shape: Vec<u64>,
}

/// The type of an array's items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Item {
    kind: Kind,
    /// Bytes of an item.
    size: usize,
    big_endian: bool,
}

/// The types that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Float,
    Signed,
    Unsigned,
    Boolean,
    /// Bytes, padded with zeros.
    Bytes,
    /// Characters of four bytes each, padded with zeros.
    Characters,
}

impl Table {
    /// Opens `.npy` files that are the columns of one table.
    pub(super) fn open_npy(paths: &[PathBuf]) -> Result<Self, ReadError> {
        let mut columns = Vec::new();
        let mut arrays: Vec<Array> = Vec::new();
        for path in paths {
            let file = open_file(path)?;
            let size = file.metadata().map_or(0, |meta| meta.len());
            let place = Place { start: 0, stored: size, size, deflated: None };
            let array = Array::open(path, place, &Arc::new(Mutex::new(file)))
                .map_err(|message| file_error(path, message))?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            columns.push(Column { name, kind: array.header.kind() });
            arrays.push(array);
        }
        let path = paths.first().cloned().unwrap_or_default();
        let bytes = arrays.iter().map(|array| array.place.stored).sum();
        let table = Self { path, columns, arrays, bytes };
        check_unique(&table.path, &table.columns)?;
        table.rows(0..table.arrays.len())?;
        Ok(table)
    }

    /// Opens an archive. Its arrays may differ in length until they are asked for together.
    pub(super) fn open_npz(path: &Path) -> Result<Self, ReadError> {
        let file = open_file(path)?;
        let bytes = file.metadata().map_or(0, |meta| meta.len());
        let places = guarded(path, || archive_places(file))?;
        let file = Arc::new(Mutex::new(open_file(path)?));
        let mut columns = Vec::new();
        let mut arrays = Vec::new();
        for (name, place) in places {
            let array = Array::open(path, place, &file)
                .map_err(|message| file_error(path, format!("array `{name}` {message}")))?;
            columns.push(Column { name, kind: array.header.kind() });
            arrays.push(array);
        }
        check_unique(path, &columns)?;
        Ok(Self { path: path.to_path_buf(), columns, arrays, bytes })
    }

    /// The number of rows that arrays have, which must be the same.
    fn rows(&self, columns: impl IntoIterator<Item = usize>) -> Result<u64, ReadError> {
        let mut columns = columns.into_iter();
        let Some(first) = columns.next() else { return Ok(0) };
        let rows = self.arrays[first].header.rows();
        for other in columns {
            let found = self.arrays[other].header.rows();
            if found != rows {
                let (first, other) = (&self.columns[first].name, &self.columns[other].name);
                let message = format!(
                    "arrays of one table must be equally long, but `{first}` has {rows} rows and \
                     `{other}` has {found}"
                );
                return Err(file_error(&self.path, message));
            }
        }
        Ok(rows)
    }

    /// Checks that an array can be read as requested.
    fn check(&self, request: &Request) -> Result<Item, ReadError> {
        let name = &self.columns[request.column].name;
        let header = &self.arrays[request.column].header;
        let due = match (request.read_as, header.kind()) {
            (ReadAs::Number, ColumnType::List) => return Err(list_as_number(&self.path, name)),
            (ReadAs::Number, ColumnType::Text | ColumnType::Other) => "numbers",
            (ReadAs::List, ColumnType::Text | ColumnType::Other) => "lists of numbers",
            (ReadAs::Key, ColumnType::List | ColumnType::Other) => "keys to group by",
            _ => "",
        };
        let place = &self.arrays[request.column].place;
        if place.deflated.is_some() && header.fortran && header.width() > MOST_INFLATED_LANES {
            let message = format!(
                "array `{name}` is compressed and has more than {MOST_INFLATED_LANES} columns in \
                 Fortran order: write it in C order (numpy.ascontiguousarray)"
            );
            return Err(file_error(&self.path, message));
        }
        match header.item {
            Some(item) if due.is_empty() => Ok(item),
            _ => {
                let Header { descr, shape, .. } = header;
                let why = if descr.contains('O') { " (Python objects)" } else { "" };
                let message = format!(
                    "array `{name}` has type {descr}{why} and shape {shape:?}, where {due} are due"
                );
                Err(file_error(&self.path, message))
            }
        }
    }
}

impl Source for Table {
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
        let rows = self.rows(requests.iter().map(|request| request.column))?;
        let mut files: Vec<(&Path, Arc<Mutex<File>>)> = Vec::new();
        let mut plan = Vec::new();
        let mut lanes = Vec::new();
        for request in requests {
            let item = self.check(request)?;
            let array = &self.arrays[request.column];
            let opened = files.iter().find(|(path, _)| *path == array.path);
            let file = if let Some((_, file)) = opened {
                Arc::clone(file)
            } else {
                let file = Arc::new(Mutex::new(open_file(&array.path)?));
                files.push((&array.path, Arc::clone(&file)));
                file
            };
            if rows == 0 {
                return Ok(Box::new(std::iter::empty()));
            }
            let width = array.header.width();
            let each = if array.header.fortran { width } else { 1 };
            for lane in 0..each {
                let skip = array.header.length + lane as u64 * rows * item.size as u64;
                lanes.push(Lane {
                    reader: array.place.reader(&file, skip),
                    path: &array.path,
                    row_bytes: (item.size * width / each) as u64,
                });
            }
            plan.push(Planned { read_as: request.read_as, item, width, lanes: each });
        }
        let row_bytes: u64 = lanes.iter().map(|lane| lane.row_bytes).sum();
        Ok(Box::new(RowRanges {
            table: self,
            plan: plan.into(),
            lanes,
            rows,
            part_rows: (PART_BYTES / row_bytes.max(1)).max(1),
            next: 0,
        }))
    }
}

/// The arrays of an archive: their names and places.
fn archive_places(file: File) -> Result<Vec<(String, Place)>, String> {
    let mut archive = ZipArchive::new(io::BufReader::new(file))
        .map_err(|error| format!("the archive is cut off or not NPZ: {error}"))?;
    let mut places = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|error| error.to_string())?;
        let name = entry.name().map_err(|error| error.to_string())?;
        let Some(name) = name.strip_suffix(".npy").map(str::to_owned) else { continue };
        let deflated = match entry.compression() {
            CompressionMethod::Stored => None,
            CompressionMethod::Deflated => Some(entry.crc32()),
            other => {
                return Err(format!(
                    "array `{name}` is compressed by {other}: write the archive by numpy.savez or \
                     numpy.savez_compressed"
                ));
            }
        };
        if entry.encrypted() {
            return Err(format!("array `{name}` is encrypted"));
        }
        let start = entry.data_start().ok_or("the archive is cut off")?;
        let (stored, size) = (entry.compressed_size(), entry.size());
        places.push((name, Place { start, stored, size, deflated }));
    }
    Ok(places)
}

impl Place {
    /// A reader of the array's bytes from some place on.
    fn reader(&self, file: &Arc<Mutex<File>>, skip: u64) -> Box<dyn Read + Send> {
        let end = self.start.saturating_add(self.stored);
        let section = |at| Section { file: Arc::clone(file), at, end };
        match self.deflated {
            None => Box::new(section(self.start.saturating_add(skip).min(end))),
            Some(checksum) => Box::new(Inflated {
                reader: CrcReader::new(DeflateDecoder::new(io::BufReader::with_capacity(
                    1 << 16,
                    section(self.start),
                ))),
                skip,
                left: self.size,
                checksum,
            }),
        }
    }
}

/// A section of a file that others read at the same time.
struct Section {
    file: Arc<Mutex<File>>,
    at: u64,
    end: u64,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = (self.end.saturating_sub(self.at)).min(buffer.len() as u64);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.at))?;
        let count = file.read(&mut buffer[..wanted as usize])?;
        self.at += count as u64;
        Ok(count)
    }
}

/// A compressed array from some place on. Reading to its end checks the checksum.
struct Inflated<R: io::BufRead> {
    reader: CrcReader<DeflateDecoder<R>>,
    /// Bytes to pass over first.
    skip: u64,
    /// Bytes to come, with those to pass over.
    left: u64,
    checksum: u32,
}

impl<R: io::BufRead> Read for Inflated<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.skip > 0 {
            let mut passed = [0; 1 << 12];
            let wanted = self.skip.min(passed.len() as u64) as usize;
            let count = self.reader.read(&mut passed[..wanted])?;
            if count == 0 {
                return Ok(0);
            }
            self.skip -= count as u64;
            self.left = self.left.saturating_sub(count as u64);
        }
        let count = self.reader.read(buffer)?;
        self.left = self.left.saturating_sub(count as u64);
        if self.left == 0 && count > 0 && self.reader.crc().sum() != self.checksum {
            return Err(io::Error::other("the checksum of the array does not match"));
        }
        Ok(count)
    }
}

impl Array {
    /// Reads the header and checks that the rows it tells of can be there.
    fn open(path: &Path, place: Place, file: &Arc<Mutex<File>>) -> Result<Self, String> {
        let header = Header::read(&mut place.reader(file, 0))?;
        if let Some(item) = header.item {
            let bytes = header
                .shape
                .iter()
                .try_fold(item.size as u64, |bytes, &length| bytes.checked_mul(length))
                .and_then(|bytes| bytes.checked_add(header.length));
            if bytes.is_none_or(|bytes| bytes > place.size) {
                let Header { descr, shape, .. } = &header;
                return Err(format!(
                    "is cut off: {} bytes cannot hold an array of type {descr} and shape \
                     {shape:?}; {CUT_OFF}",
                    place.size
                ));
            }
        }
        Ok(Self { path: path.to_path_buf(), place, header })
    }
}

impl Header {
    /// Reads the header from the beginning of an array.
    fn read(reader: &mut dyn Read) -> Result<Self, String> {
        let mut bytes = |count: usize| {
            let mut bytes = vec![0; count];
            reader
                .read_exact(&mut bytes)
                .map_err(|_| format!("is cut off within its header; {CUT_OFF}"))?;
            Ok::<_, String>(bytes)
        };
        let start = bytes(8)?;
        if !start.starts_with(b"\x93NUMPY") {
            return Err(format!("is not an array of NumPy; {CUT_OFF}"));
        }
        let length_bytes = if start[6] == 1 { 2 } else { 4 };
        let mut length = bytes(length_bytes)?;
        length.resize(8, 0);
        let length = length.first_chunk().map_or(0, |length| u64::from_le_bytes(*length)) as usize;
        if length > LONGEST_HEADER {
            return Err(format!("has a header of {length} bytes: it is damaged; {CUT_OFF}"));
        }
        let text = String::from_utf8_lossy(&bytes(length)?).into_owned();
        let total = 8 + length_bytes + length;
        Self::parse(&text, total as u64)
            .ok_or_else(|| format!("has a header that is damaged: {}; {CUT_OFF}", text.trim_end()))
    }

    /// Takes the header apart, a Python dictionary such as
    /// `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }`.
    fn parse(text: &str, length: u64) -> Option<Self> {
        let after = |key: &str| Some(text.split_once(key)?.1.trim_start());
        let descr = after("'descr':")?;
        let descr = match descr.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'')?.0,
            None => descr.split_once(", 'fortran_order'").map_or(descr, |(list, _)| list),
        };
        let order = after("'fortran_order':")?;
        let shape = after("'shape':")?.strip_prefix('(')?.split_once(')')?.0;
        let shape = shape
            .split(',')
            .map(|length| length.trim().trim_end_matches('L'))
            .filter(|length| !length.is_empty())
            .map(|length| length.parse().ok())
            .collect::<Option<Vec<u64>>>()?;
        let fortran = match order {
            order if order.starts_with("True") => shape.len() > 1,
            order if order.starts_with("False") => false,
            _ => return None,
        };
        Some(Self { length, descr: descr.to_owned(), item: Item::parse(descr), fortran, shape })
    }

    /// The rows; a single value is one row.
    fn rows(&self) -> u64 {
        self.shape.first().copied().unwrap_or(1)
    }

    /// The items of a row.
    fn width(&self) -> usize {
        self.shape.get(1).map_or(1, |&width| width as usize)
    }

    /// What a column of such an array holds.
    fn kind(&self) -> ColumnType {
        let Some(item) = self.item else { return ColumnType::Other };
        match (item.kind, self.shape.as_slice()) {
            (_, [] | [_] | [_, 1]) => match item.kind {
                Kind::Boolean => ColumnType::Boolean,
                Kind::Bytes | Kind::Characters => ColumnType::Text,
                _ => ColumnType::Number,
            },
            (Kind::Bytes | Kind::Characters, _) | (_, [_, 0]) => ColumnType::Other,
            (_, [_, _]) => ColumnType::List,
            _ => ColumnType::Other,
        }
    }
}

impl Item {
    /// Takes a type apart, such as `<f8`: byte order, kind, bytes (or characters).
    fn parse(descr: &str) -> Option<Self> {
        let (order, rest) = descr.split_at_checked(1)?;
        let (kind, size) = rest.split_at_checked(1)?;
        let size: usize = size.parse().ok().filter(|size| (1..=1 << 20).contains(size))?;
        let big_endian = match order {
            "<" | "|" => false,
            ">" => true,
            "=" => cfg!(target_endian = "big"),
            _ => return None,
        };
        let (kind, size) = match (kind, size) {
            ("f", 2 | 4 | 8) => (Kind::Float, size),
            ("i", 1 | 2 | 4 | 8) => (Kind::Signed, size),
            ("u", 1 | 2 | 4 | 8) => (Kind::Unsigned, size),
            ("b", 1) => (Kind::Boolean, size),
            ("S", _) => (Kind::Bytes, size),
            ("U", _) => (Kind::Characters, 4 * size),
            _ => return None,
        };
        Some(Self { kind, size, big_endian })
    }

    /// Turns items into the little-endian order.
    fn to_little_endian(self, bytes: &mut [u8]) {
        let unit = match self.kind {
            Kind::Bytes => 1,
            Kind::Characters => 4,
            _ => self.size,
        };
        if self.big_endian && unit > 1 {
            bytes.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
        }
    }

    /// The numbers that little-endian items are.
    fn numbers(self, bytes: &[u8]) -> Numbers {
        fn each<const N: usize, T>(bytes: &[u8], convert: impl Fn([u8; N]) -> T) -> Numbers
        where
            Vec<T>: Into<Numbers>,
        {
            bytes.as_chunks().0.iter().map(|&item| convert(item)).collect::<Vec<T>>().into()
        }
        match (self.kind, self.size) {
            (Kind::Float, 2) => each(bytes, |item| f32::from(f16::from_le_bytes(item))),
            (Kind::Float, 4) => each(bytes, f32::from_le_bytes),
            (Kind::Float, _) => each(bytes, f64::from_le_bytes),
            (Kind::Signed, 1) => each(bytes, |item| f64::from(i8::from_le_bytes(item))),
            (Kind::Signed, 2) => each(bytes, |item| f64::from(i16::from_le_bytes(item))),
            (Kind::Signed, 4) => each(bytes, |item| f64::from(i32::from_le_bytes(item))),
            (Kind::Signed, _) => each(bytes, |item| i64::from_le_bytes(item) as f64),
            (Kind::Unsigned, 1) => each(bytes, |item| f64::from(u8::from_le_bytes(item))),
            (Kind::Unsigned, 2) => each(bytes, |item| f64::from(u16::from_le_bytes(item))),
            (Kind::Unsigned, 4) => each(bytes, |item| f64::from(u32::from_le_bytes(item))),
            (Kind::Unsigned, _) => each(bytes, |item| u64::from_le_bytes(item) as f64),
            (Kind::Boolean, _) => each(bytes, |[item]| f64::from(u8::from(item != 0))),
            (Kind::Bytes | Kind::Characters, _) => Numbers::missing(bytes.len() / self.size),
        }
    }

    /// What a little-endian item is called as a key.
    fn name(self, item: &[u8]) -> String {
        let mut long = [0; 8];
        let sign = if item.last().is_some_and(|&byte| byte > 0x7f) { 0xff } else { 0 };
        match self.kind {
            Kind::Float => self.numbers(item).at(0).to_string(),
            Kind::Signed => {
                long.fill(sign);
                long[..self.size].copy_from_slice(item);
                i64::from_le_bytes(long).to_string()
            }
            Kind::Unsigned => {
                long[..self.size].copy_from_slice(item);
                u64::from_le_bytes(long).to_string()
            }
            Kind::Boolean => (item != [0]).to_string(),
            Kind::Bytes => String::from_utf8_lossy(item).trim_end_matches('\0').to_owned(),
            Kind::Characters => {
                let codes = item.as_chunks().0.iter().map(|&code| u32::from_le_bytes(code));
                let known = codes.map(|code| char::from_u32(code).unwrap_or('\u{fffd}'));
                known.collect::<String>().trim_end_matches('\0').to_owned()
            }
        }
    }
}

/// A reader of consecutive items.
struct Lane<'a> {
    reader: Box<dyn Read + Send>,
    path: &'a Path,
    /// Bytes of a row.
    row_bytes: u64,
}

/// A column to read.
#[derive(Clone, Copy, Debug)]
struct Planned {
    read_as: ReadAs,
    item: Item,
    width: usize,
    lanes: usize,
}

/// Reads the raw bytes of the rows, range by range.
struct RowRanges<'a> {
    table: &'a Table,
    plan: Arc<[Planned]>,
    lanes: Vec<Lane<'a>>,
    rows: u64,
    part_rows: u64,
    next: u64,
}

impl RowRanges<'_> {
    /// The raw bytes of the next rows, lane by lane.
    fn part(&mut self) -> Result<RowRange, ReadError> {
        let rows = self.part_rows.min(self.rows - self.next);
        let mut lanes = Vec::with_capacity(self.lanes.len());
        for lane in &mut self.lanes {
            let wanted = lane.row_bytes * rows;
            let mut bytes = Vec::with_capacity(wanted as usize);
            let read = (&mut lane.reader).take(wanted).read_to_end(&mut bytes);
            let problem = match read {
                Ok(count) if count as u64 == wanted => None,
                Ok(_) => Some("the array is cut off".to_owned()),
                Err(error) => Some(error.to_string()),
            };
            if let Some(problem) = problem {
                return Err(file_error(lane.path, format!("{problem}; {CUT_OFF}")));
            }
            lanes.push(bytes);
        }
        let first_row = self.next;
        self.next += rows;
        let share = |row: u64| {
            u128::from(self.table.bytes) * u128::from(row) / u128::from(self.rows.max(1))
        };
        let bytes = (share(self.next) - share(first_row)) as u64;
        Ok(RowRange { plan: Arc::clone(&self.plan), lanes, first_row, rows: rows as usize, bytes })
    }
}

impl Iterator for RowRanges<'_> {
    type Item = Result<Box<dyn Part>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.rows {
            return None;
        }
        let part = self.part();
        if part.is_err() {
            self.next = self.rows;
        }
        Some(part.map(|part| Box::new(part) as Box<dyn Part>))
    }
}

/// The raw bytes of some rows.
struct RowRange {
    plan: Arc<[Planned]>,
    lanes: Vec<Vec<u8>>,
    first_row: u64,
    rows: usize,
    bytes: u64,
}

impl Part for RowRange {
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
        let plan = Arc::clone(&self.plan);
        let step = batch_rows(plan.iter().map(|column| column.width).sum());
        let mut keys: Vec<Interner> = plan.iter().map(|_| Interner::default()).collect();
        let mut lanes = self.lanes.iter_mut();
        for column in plan.iter() {
            for lane in lanes.by_ref().take(column.lanes) {
                column.item.to_little_endian(lane);
            }
        }
        let mut done = 0;
        while done < self.rows {
            let rows = step.min(self.rows - done);
            let mut lanes = self.lanes.iter();
            let columns = plan.iter().zip(&mut keys).map(|(column, keys)| {
                let row_bytes = column.item.size * column.width / column.lanes;
                let range = done * row_bytes..(done + rows) * row_bytes;
                let lanes: Vec<&[u8]> =
                    lanes.by_ref().take(column.lanes).map(|lane| &lane[range.clone()]).collect();
                column.values(&lanes, keys)
            });
            let columns = columns.collect();
            consume(Batch { rows, columns }).map_err(|Stop| ReadError::Stopped)?;
            done += rows;
        }
        Ok(self.rows as u64)
    }
}

impl Planned {
    /// The values of some rows, given by their lanes.
    fn values(&self, lanes: &[&[u8]], keys: &mut Interner) -> Values {
        let Self { item, width, .. } = *self;
        if self.read_as == ReadAs::Key {
            let items = lanes.iter().flat_map(|lane| lane.chunks_exact(item.size));
            let codes: Vec<u32> =
                items.map(|bytes| keys.code(bytes, || item.name(bytes))).collect();
            return Values::Keys { codes: codes.into(), names: keys.names() };
        }
        let values = match lanes {
            [lane] => item.numbers(lane),
            lanes => {
                let lanes: Vec<Numbers> = lanes.iter().map(|lane| item.numbers(lane)).collect();
                Numbers::side_by_side(&lanes)
            }
        };
        match self.read_as {
            ReadAs::Number => Values::Numbers(values),
            _ => Values::Lists { width, values },
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::super::tests::{Whole, file, gather, message, open_one, read, requests, shown};
    use super::*;

    /// An array as `NumPy` writes it.
    pub(in super::super) fn array(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
        let order = if fortran { "True" } else { "False" };
        let header =
            format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
        let header = format!("{header:<117}\n");
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(data);
        bytes
    }

    /// An archive of arrays.
    pub(in super::super) fn archive(arrays: &[(&str, &[u8])], compressed: bool) -> Vec<u8> {
        let method =
            if compressed { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        let options = SimpleFileOptions::default().compression_method(method);
        let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in arrays {
            writer.start_file(format!("{name}.npy"), options).expect("an entry");
            writer.write_all(bytes).expect("written");
        }
        writer.finish().expect("written").into_inner()
    }

    fn f64s(values: impl IntoIterator<Item = f64>) -> Vec<u8> {
        values.into_iter().flat_map(f64::to_le_bytes).collect()
    }

    /// Reads an array that is a table alone.
    fn round(descr: &str, shape: &str, data: &[u8], read_as: ReadAs) -> Result<Whole, ReadError> {
        let (_directory, path) = file("c.npy", &array(descr, false, shape, data));
        Ok(read(&path, &[("c", read_as)])?.remove(0))
    }

    #[test]
    fn numbers_of_all_types_and_byte_orders_are_read() {
        macro_rules! check {
            ($kind:ty, $name:literal, $values:expr) => {{
                let values: [$kind; 3] = $values;
                let little: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                let big: Vec<u8> = values.iter().flat_map(|v| v.to_be_bytes()).collect();
                let expected =
                    Whole::Numbers(values.iter().map(|v| v.to_string().parse().unwrap()).collect());
                for (order, bytes) in [("<", little), (">", big)] {
                    let descr = format!("{order}{}", $name);
                    let answer = round(&descr, "(3,)", &bytes, ReadAs::Number);
                    assert_eq!(answer.ok(), Some(expected.clone()), "{descr}");
                }
            }};
        }
        check!(f64, "f8", [0.5, -1e300, 3.0]);
        check!(f32, "f4", [0.5, -2.25, 3.0]);
        check!(f16, "f2", [0.5, -2.25, 3.0].map(f16::from_f32));
        check!(i8, "i1", [0, -128, 127]);
        check!(i16, "i2", [0, -32768, 32767]);
        check!(i32, "i4", [0, i32::MIN, i32::MAX]);
        check!(i64, "i8", [0, -5, 1 << 52]);
        check!(u8, "u1", [0, 255, 7]);
        check!(u16, "u2", [0, 65535, 7]);
        check!(u32, "u4", [0, u32::MAX, 7]);
        check!(u64, "u8", [0, 1 << 53, 7]);
        let answer = round("|b1", "(3,)", &[1, 0, 2], ReadAs::Number).ok();
        assert_eq!(answer, Some(Whole::Numbers(vec![1.0, 0.0, 1.0])));
        let answer = round("<f8", "(2, 1)", &f64s([1.0, 2.0]), ReadAs::Number).ok();
        assert_eq!(answer, Some(Whole::Numbers(vec![1.0, 2.0])));
    }

    #[test]
    fn keys_of_all_types_are_read() {
        let check = |descr: &str, data: &[u8], expected: [&str; 2]| {
            let answer = round(descr, "(2,)", data, ReadAs::Key).ok();
            assert_eq!(answer, Some(Whole::Keys(expected.map(str::to_owned).to_vec())), "{descr}");
        };
        check("|S3", b"ab\0xyz", ["ab", "xyz"]);
        check("<U2", &[0xe9, 0, 0, 0, 0, 0, 0, 0, 98, 0, 0, 0, 99, 0, 0, 0], ["\u{e9}", "bc"]);
        check(">U2", &[0, 0, 0, 0xe9, 0, 0, 0, 0, 0, 0, 0, 98, 0, 0, 0, 99], ["\u{e9}", "bc"]);
        check(">i2", &[0xff, 0xfe, 0, 7], ["-2", "7"]);
        check(
            "<u8",
            &[[0xff; 8], [1, 0, 0, 0, 0, 0, 0, 0]].concat(),
            ["18446744073709551615", "1"],
        );
        check("|b1", &[0, 1], ["false", "true"]);
        check("<f8", &f64s([0.5, 2.0]), ["0.5", "2"]);
    }

    #[test]
    fn both_orders_of_a_matrix_give_the_same_rows() {
        // Enough rows for several parts.
        let (rows, width) = (200_000, 3);
        let value = |row: usize, column: usize| (10 * row + column) as f64;
        let by_rows = f64s((0..rows * width).map(|i| value(i / width, i % width)));
        let by_columns = f64s((0..rows * width).map(|i| value(i % rows, i / rows)));
        let shape = format!("({rows}, {width})");
        let c = array("<f8", false, &shape, &by_rows);
        let fortran = array("<f8", true, &shape, &by_columns);
        let expected =
            Whole::Lists(width, (0..rows * width).map(|i| value(i / width, i % width)).collect());
        for bytes in [&c, &fortran] {
            let (_directory, path) = file("c.npy", bytes);
            assert!(read(&path, &[("c", ReadAs::List)]).ok() == Some(vec![expected.clone()]));
        }
        for compressed in [true, false] {
            let bytes = archive(&[("c", &c), ("f", &fortran)], compressed);
            let (_directory, path) = file("t.npz", &bytes);
            let answer = read(&path, &[("f", ReadAs::List), ("c", ReadAs::List)]).ok();
            assert!(answer == Some(vec![expected.clone(), expected.clone()]));
        }
    }

    #[test]
    fn arrays_together_are_a_table() {
        let (_first, y) = file("y.npy", &array("<f8", false, "(2,)", &f64s([1.0, 0.0])));
        let (_second, p) = file("p.npy", &array("<f4", false, "(2, 2)", &[0; 16]));
        let source = open_one(&[y.clone(), p]).expect("a table");
        let requests = requests(&*source, &[("p", ReadAs::List), ("y", ReadAs::Number)]);
        let answer = source.parts(&requests, None).and_then(|parts| gather(parts, 2)).ok();
        let expected = vec![Whole::Lists(2, vec![0.0; 4]), Whole::Numbers(vec![1.0, 0.0])];
        assert_eq!(answer, Some(expected));
        let (_third, z) = file("z.npy", &array("<f8", false, "(3,)", &f64s([1.0; 3])));
        assert!(message(open_one(&[y, z])).contains("`y` has 2 rows and `z` has 3"));
    }

    #[test]
    fn arrays_of_an_archive_may_differ_in_length_until_asked_for_together() {
        let (short, long) = (
            array("<f8", false, "(1,)", &f64s([1.0])),
            array("<f8", false, "(2,)", &f64s([1.0, 2.0])),
        );
        let bytes = archive(&[("short", &short), ("long", &long)], true);
        let (_directory, path) = file("t.npz", &bytes);
        let both = [("short", ReadAs::Number), ("long", ReadAs::Number)];
        let answer = read(&path, &both[1..]).expect("rows");
        assert_eq!(shown(&answer), shown(&[Whole::Numbers(vec![1.0, 2.0])]));
        assert!(message(read(&path, &both)).contains("`short` has 1 rows and `long` has 2"));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let cut = round("<f8", "(3,)", &[0; 23], ReadAs::Number);
        assert!(message(cut).contains("is cut off"));
        let huge = "(99999999999, 99999999999)";
        assert!(message(round("<f8", huge, &[0; 24], ReadAs::List)).contains("is cut off"));
        let objects = round("|O", "(1,)", &[0; 8], ReadAs::Number);
        assert!(message(objects).contains("type |O (Python objects)"));
        let deep = round("<f8", "(1, 1, 1)", &[0; 8], ReadAs::List);
        assert!(message(deep).contains("shape [1, 1, 1], where lists of numbers are due"));
        let matrix = round("<f8", "(1, 2)", &[0; 16], ReadAs::Number);
        assert!(message(matrix).contains("use it as class scores"));
        let (_directory, path) = file("c.npy", b"\x93NUMPY\x01\x00\x05\x00{...}");
        assert!(message(open_one(&[path])).contains("header that is damaged"));
    }

    #[test]
    fn the_checksum_of_a_compressed_array_is_checked() {
        let data: Vec<f64> = (0..1000).map(|i| f64::from(i) * 0.1).collect();
        let bytes = archive(&[("a", &array("<f8", false, "(1000,)", &f64s(data)))], true);
        let wrong: Vec<u8> = {
            // The checksum in the directory of the archive.
            let at = bytes.windows(4).position(|window| window == b"PK\x01\x02").expect("an entry");
            let mut bytes = bytes.clone();
            bytes[at + 16] ^= 1;
            bytes
        };
        let (_directory, path) = file("t.npz", &wrong);
        assert!(message(read(&path, &[("a", ReadAs::Number)])).contains("checksum"));
    }
}
