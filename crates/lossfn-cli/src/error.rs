//! Everything that ends the program with exit code 2.

use crate::read::ReadError;
use std::io;

/// Why the program cannot answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// The library refused something.
    #[error(transparent)]
    Loss(#[from] lossfn::Error),
    /// A table as a whole cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A row of a table is at fault.
    #[error("{file}: row {row}{}: {message}", column.as_ref().map_or(String::new(), |column| format!(", column {column}")))]
    Row {
        /// The file.
        file: String,
        /// The row, counted from 1 without the header.
        row: u64,
        /// The column, if it is one.
        column: Option<String>,
        /// What is wrong and how to mend it.
        message: String,
    },
    /// Anything else, said in full.
    #[error("{0}")]
    Message(String),
    /// The answer or a file cannot be written.
    #[error("cannot write {what}: {source}")]
    Write {
        /// What.
        what: String,
        /// Why.
        source: io::Error,
    },
}

impl CliError {
    /// A message.
    pub fn message(text: impl Into<String>) -> Self {
        Self::Message(text.into())
    }

    /// Whether whoever read standard output went away: `lossfn ... | head`.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Write { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}
