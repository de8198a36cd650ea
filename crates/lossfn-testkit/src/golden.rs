//! Golden values: `testdata/golden/<loss>.toml`, computed by `xtask/golden/golden.py` from each
//! loss's definition with many digits.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The golden values of one loss.
#[derive(Debug, Deserialize)]
pub struct Golden {
    /// Where they come from.
    pub source: String,
    /// The rows.
    pub row: Vec<Row>,
}

/// One example with its exact loss and derivatives, as decimal text.
#[derive(Debug, Deserialize)]
pub struct Row {
    /// The parameters of the loss.
    #[serde(default)]
    pub parameters: BTreeMap<String, f64>,
    /// The prediction.
    pub prediction: Numbers<f64>,
    /// The target.
    pub target: Target,
    /// The loss.
    pub value: String,
    /// Its derivative by the prediction.
    pub gradient: Numbers<String>,
    /// Its second derivative by the prediction.
    pub second: Numbers<String>,
}

/// One, or one for each class.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Numbers<T> {
    /// Of a pointwise loss.
    One(T),
    /// Of a loss over a class axis.
    Row(Vec<T>),
}

impl<T> Numbers<T> {
    /// As a slice.
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Row(row) => row,
        }
    }
}

/// A target.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Target {
    /// The index of a class.
    Label(usize),
    /// The target of a pointwise loss.
    Number(f64),
    /// A distribution over the classes.
    Distribution(Vec<f64>),
}

impl Row {
    /// The loss in text, such as `huber(delta=1.5)`.
    #[must_use]
    pub fn loss(&self, id: &str) -> String {
        let parameters: Vec<String> =
            self.parameters.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        format!("{id}({})", parameters.join(","))
    }

    /// Whether all inputs are f32 numbers, and the parameters within the range of f32.
    #[must_use]
    pub fn fits_f32(&self) -> bool {
        let fits = |x: &f64| f64::from(*x as f32) == *x;
        let target_fits = match &self.target {
            Target::Label(_) => true,
            Target::Number(y) => fits(y),
            Target::Distribution(y) => y.iter().all(fits),
        };
        let in_range = |x: &f64| {
            let range = f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX);
            *x == 0.0 || range.contains(&x.abs())
        };
        target_fits
            && self.parameters.values().all(in_range)
            && self.prediction.as_slice().iter().all(fits)
    }
}

/// The golden values of a loss.
///
/// # Panics
/// If there are none, or they cannot be read: then the test that wants them fails.
#[must_use]
pub fn golden(id: &str) -> Golden {
    let path = crate::root().join(format!("testdata/golden/{id}.toml"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{id} has no golden values, {}: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
