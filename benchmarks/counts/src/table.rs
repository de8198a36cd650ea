//! The table of counts that is kept, and how counts differ from it.

use crate::callgrind::Counts;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

/// A count may rise by this part before it is an error.
const TOLERANCE: f64 = 0.05;

/// The counts that are kept, and the compiler that they belong to.
pub struct Table {
    pub compiler: String,
    pub counts: Counts,
}

/// What differs from the table, in words.
#[derive(Default)]
pub struct Differences {
    /// More instructions, or cases without a count.
    pub worse: Vec<String>,
    /// Fewer instructions, or cases that have no count any more.
    pub better: Vec<String>,
}

const NOTE: &str =
    "# Instructions per element, or per call; written by `cargo counts --bless`.\n# ";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("counts.csv")
}

impl Table {
    pub fn read() -> Result<Self, String> {
        let name = path();
        let wrong = |what: String| format!("{}: {what}", name.display());
        let text = fs::read_to_string(&name).map_err(|error| wrong(error.to_string()))?;
        Self::parse(&text).map_err(wrong)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix(NOTE).ok_or("it begins with something else")?;
        let mut lines = text.lines();
        let compiler = lines.next().unwrap_or_default().to_owned();
        let columns: Vec<&str> = lines.next().unwrap_or_default().split(',').skip(1).collect();
        let mut counts = Counts::new();
        for line in lines {
            let mut cells = line.split(',');
            let row = cells.next().unwrap_or_default();
            for (column, cell) in columns.iter().zip(cells).filter(|(_, cell)| !cell.is_empty()) {
                let count = cell.parse().map_err(|_| format!("{row}: not a number: {cell}"))?;
                counts.insert((row.to_owned(), (*column).to_owned()), count);
            }
        }
        Ok(Self { compiler, counts })
    }

    /// Writes the table, with rows and columns in this order.
    pub fn write(&self, rows: &[String], columns: &[String]) -> Result<(), String> {
        let name = path();
        fs::write(&name, self.text(rows, columns))
            .map_err(|error| format!("{}: {error}", name.display()))
    }

    fn text(&self, rows: &[String], columns: &[String]) -> String {
        let mut text = format!("{NOTE}{}\nloss,{}\n", self.compiler, columns.join(","));
        for row in rows {
            text.push_str(row);
            for column in columns {
                let count = self.counts.get(&(row.clone(), column.clone()));
                // Writing to a String cannot fail.
                let _ = write!(text, ",{}", count.map_or_else(String::new, |&count| shown(count)));
            }
            text.push('\n');
        }
        text
    }

    /// How counts of the same machine differ.
    pub fn differences(&self, counts: &Counts) -> Differences {
        let mut differences = Differences::default();
        for ((row, column), &count) in counts {
            let Some(&kept) = self.counts.get(&(row.clone(), column.clone())) else {
                differences.worse.push(format!("{row}, {column}: {} is not kept", shown(count)));
                continue;
            };
            let change = count / kept - 1.0;
            let line = || {
                let (kept, count) = (shown(kept), shown(count));
                format!("{row}, {column}: {kept} -> {count} ({:+.0} %)", change * 100.0)
            };
            if change > TOLERANCE {
                differences.worse.push(line());
            } else if change < -TOLERANCE {
                differences.better.push(line());
            }
        }
        let gone = self.counts.keys().filter(|key| !counts.contains_key(*key));
        differences
            .better
            .extend(gone.map(|(row, column)| format!("{row}, {column}: has no count any more")));
        differences
    }
}

/// A count to three digits.
pub fn shown(count: f64) -> String {
    let digits = if count < 10.0 { 2 } else { usize::from(count < 100.0) };
    format!("{count:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &[(&str, f64)]) -> Counts {
        of.iter().map(|&(row, count)| ((row.to_owned(), "a".to_owned()), count)).collect()
    }

    #[test]
    fn a_table_is_read_as_it_is_written() {
        let counts = counts(&[("x", 1.25), ("y: more", 123.0)]);
        let table = Table { compiler: "rustc 1".into(), counts };
        let text = table.text(&["x".into(), "y: more".into()], &["a".into(), "b".into()]);
        assert!(text.ends_with("rustc 1\nloss,a,b\nx,1.25,\ny: more,123,\n"), "{text}");
        let read = Table::parse(&text).unwrap();
        assert_eq!((read.compiler, read.counts), (table.compiler, table.counts));
    }

    #[test]
    fn a_rise_is_told_from_a_fall_and_both_from_noise() {
        let kept = counts(&[("same", 1.0), ("risen", 100.0), ("fallen", 100.0), ("gone", 1.0)]);
        let table = Table { compiler: String::new(), counts: kept };
        let now = counts(&[("same", 1.04), ("risen", 106.0), ("fallen", 94.0), ("new", 1.0)]);
        let Differences { worse, better } = table.differences(&now);
        assert_eq!(worse, ["new, a: 1.00 is not kept", "risen, a: 100 -> 106 (+6 %)"]);
        assert_eq!(better, ["fallen, a: 100 -> 94.0 (-6 %)", "gone, a: has no count any more"]);
    }
}
