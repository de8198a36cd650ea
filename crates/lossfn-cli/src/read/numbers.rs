//! Numbers in the precision that their column has.

use arrow_buffer::ScalarBuffer;
use std::borrow::Cow;

/// Numbers that lie one after the other, in memory that clones share.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// Of a column of single or half precision.
    F32(ScalarBuffer<f32>),
    /// Of any other.
    F64(ScalarBuffer<f64>),
}

/// The same for both types.
macro_rules! each {
    ($numbers:expr, $values:ident => $result:expr) => {
        match $numbers {
            Numbers::F32($values) => $result,
            Numbers::F64($values) => $result,
        }
    };
}

impl Numbers {
    /// So many that are all missing.
    pub fn missing(count: usize) -> Self {
        vec![f64::NAN; count].into()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        each!(self, values => values.len())
    }

    /// The number at a place.
    pub fn at(&self, place: usize) -> f64 {
        match self {
            Self::F32(values) => values[place].into(),
            Self::F64(values) => values[place],
        }
    }

    /// All of them as f64.
    pub fn to_f64(&self) -> Cow<'_, [f64]> {
        match self {
            Self::F32(values) => values.iter().copied().map(f64::from).collect(),
            Self::F64(values) => Cow::Borrowed(values),
        }
    }

    /// Whether any is NaN.
    pub fn has_nan(&self) -> bool {
        each!(self, values => any(values, |x| x.is_nan()))
    }

    /// Whether something holds for any of them.
    pub fn any(&self, holds: impl Fn(f64) -> bool) -> bool {
        match self {
            Self::F32(values) => any(values, |&x| holds(x.into())),
            Self::F64(values) => any(values, |&x| holds(x)),
        }
    }

    /// With one value in place of another.
    #[must_use]
    pub fn replaced(&self, from: f64, to: f64) -> Self {
        match self {
            Self::F32(values) => {
                let replace = |&x: &f32| if f64::from(x) == from { to as f32 } else { x };
                values.iter().map(replace).collect::<Vec<_>>().into()
            }
            Self::F64(values) => {
                let replace = |&x: &f64| if x == from { to } else { x };
                values.iter().map(replace).collect::<Vec<_>>().into()
            }
        }
    }

    /// Rows of so many numbers, each from the place where it begins; NaN where a row is missing.
    #[must_use]
    pub fn rows(&self, width: usize, begins: impl Iterator<Item = Option<usize>>) -> Self {
        fn gather<T: Copy>(
            values: &[T],
            missing: T,
            width: usize,
            begins: impl Iterator<Item = Option<usize>>,
        ) -> Vec<T> {
            let mut rows = Vec::with_capacity(width * begins.size_hint().0);
            for begin in begins {
                match begin {
                    Some(begin) => rows.extend_from_slice(&values[begin..begin + width]),
                    None => rows.resize(rows.len() + width, missing),
                }
            }
            rows
        }
        match self {
            Self::F32(values) => gather(values, f32::NAN, width, begins).into(),
            Self::F64(values) => gather(values, f64::NAN, width, begins).into(),
        }
    }

    /// Equally long columns as rows: the first number of each, then the second, and so on.
    pub fn side_by_side(columns: &[Self]) -> Self {
        fn weave<T: Copy>(columns: &[&[T]]) -> Vec<T> {
            let rows = columns.first().map_or(0, |column| column.len());
            let row = |row: usize| columns.iter().map(move |column| column[row]);
            (0..rows).flat_map(row).collect()
        }
        let single = |column: &Self| match column {
            Self::F32(values) => Some(values.clone()),
            Self::F64(_) => None,
        };
        if let Some(columns) = columns.iter().map(single).collect::<Option<Vec<_>>>() {
            return weave(&columns.iter().map(|column| &**column).collect::<Vec<_>>()).into();
        }
        let columns: Vec<Cow<'_, [f64]>> = columns.iter().map(Self::to_f64).collect();
        weave(&columns.iter().map(|column| &**column).collect::<Vec<_>>()).into()
    }
}

/// Whether something holds for any value. Within a block it is asked of all: without an early exit the
/// compiler uses vectors.
fn any<T>(values: &[T], holds: impl Fn(&T) -> bool) -> bool {
    values.chunks(1024).any(|block| block.iter().fold(false, |found, x| found | holds(x)))
}

impl From<Vec<f32>> for Numbers {
    fn from(values: Vec<f32>) -> Self {
        Self::F32(values.into())
    }
}

impl From<Vec<f64>> for Numbers {
    fn from(values: Vec<f64>) -> Self {
        Self::F64(values.into())
    }
}
