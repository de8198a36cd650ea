//! Losses as curves.

use crate::error::Error;
use crate::figure::{Axis, Figure, Layer};
use lossfn::Loss;

/// What of a loss is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The loss itself.
    #[default]
    Loss,
    /// Its derivative by the prediction.
    Gradient,
    /// Its second derivative by the prediction.
    Second,
}

/// What it is drawn over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// Prediction - target.
    Residual,
    /// Target * prediction, with target -1 or +1.
    Margin,
    /// The prediction.
    Prediction,
    /// The prediction of a loss of probabilities.
    Probability,
}

/// Losses, to be drawn in one figure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    /// The losses.
    pub losses: Vec<Loss>,
    /// What of them.
    pub order: Order,
    /// Over what; without it over what suits them.
    pub against: Option<Against>,
    /// The target, where the loss depends on more than residual or margin; without it some that suit.
    pub target: Option<f64>,
    /// The ends of the horizontal axis.
    pub range: Option<(f64, f64)>,
    /// The title; without it one is made.
    pub title: Option<String>,
    /// Pixels across and down; without them 640 x 400.
    pub size: Option<(u32, u32)>,
}

impl Curves {
    /// Losses over what suits them.
    #[must_use]
    pub fn new(losses: Vec<Loss>) -> Self {
        Self { losses, ..Self::default() }
    }

    /// The curves as a figure.
    ///
    /// # Errors
    /// [`Error::Curves`] if the losses cannot be drawn together, or not over what is asked for;
    /// [`Error::Range`].
    pub fn figure(&self) -> Result<Figure, Error> {
        let (low, high) = self.range.unwrap_or((-3.0, 3.0));
        let (width, height) = self.size.unwrap_or((640, 400));
        let mut layers = Vec::new();
        for (color, loss) in self.losses.iter().enumerate() {
            let Some(kernels) = loss.pointwise_kernels() else {
                return Err(Error::Curves(format!("{loss} cannot be drawn")));
            };
            let points = (0..=240).map(|step| {
                let x = low + (high - low) * f64::from(step) / 240.0;
                let jet = kernels.reference(x, self.target.unwrap_or(0.0));
                let y = match self.order {
                    Order::Loss => jet.value,
                    Order::Gradient => jet.first.unwrap_or(0.0),
                    Order::Second => jet.second.unwrap_or(0.0),
                };
                (x, y)
            });
            layers.push(Layer::Line {
                label: loss.to_string(),
                points: points.collect(),
                color,
                dashed: color > 0,
            });
        }
        Ok(Figure {
            title: self.title.clone().unwrap_or_default(),
            x: Axis { label: "residual".into(), range: self.range, logarithmic: false },
            y: Axis { label: "loss".into(), ..Axis::default() },
            layers,
            width,
            height,
        })
    }
}
