//! Everything that can go wrong.

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A library call was refused.
    #[error(transparent)]
    Loss(#[from] lossfn::Error),
    /// The picture has too little room, or is too large.
    #[error("a picture of {width} x {height} pixels {reason}")]
    Size {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A PNG of so many pixels cannot be made.
    #[error("{scale} is no scale for a PNG of {width} x {height}: {reason}")]
    Scale {
        /// The scale.
        scale: f32,
        /// Pixels across at scale 1.
        width: u32,
        /// Pixels down at scale 1.
        height: u32,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A range that cannot be an axis.
    #[error("the range {low}..{high} of the {axis} axis {reason}")]
    Range {
        /// "x" or "y".
        axis: &'static str,
        /// The lower end.
        low: f64,
        /// The upper end.
        high: f64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is nothing from which an axis could take its range.
    #[error("nothing to draw: no {what} for the {axis} axis; give it a range")]
    Nothing {
        /// "x" or "y".
        axis: &'static str,
        /// What is missing.
        what: &'static str,
    },
    /// The cells of regions are not as many as columns times rows.
    #[error("regions of {columns} columns and {rows} rows need {} cells, and there are {found}", columns.saturating_mul(*rows))]
    Cells {
        /// Columns.
        columns: usize,
        /// Rows.
        rows: usize,
        /// Cells.
        found: usize,
    },
    /// Losses that cannot be drawn over the same variable, or not over this one.
    #[error("{0}")]
    Curves(String),
    /// The picture could not be drawn; this is a fault of this crate.
    #[error("the picture could not be drawn: {0}")]
    Draw(String),
}
