//! Training: gradient descent on a cost of the library, over all points at every step.

use super::data::within;
use super::model::Model;
use lossfn::{Cost, Examples, Results};
use ndarray::{Array1, Array2, Axis};
use std::f64::consts::PI;

/// As many steps may be taken.
pub const MOST_STEPS: usize = 5000;
/// As many points of the path are kept.
const PATH: usize = 120;

/// What turns the scores of a model into the predictions of a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The scores themselves.
    Identity,
    /// ln(1 + exp(4 score)) / 4: the score where it is well above 0, and never below 0.
    Softplus,
    /// The probability of the class.
    Sigmoid,
    /// The probabilities of the classes of a row.
    Softmax,
    /// Their logarithms.
    LogSoftmax,
}

/// How sharply [`Link::Softplus`] bends.
const SHARPNESS: f64 = 4.0;

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn softmax(scores: &Array2<f64>) -> Array2<f64> {
    let mut all = scores.clone();
    for mut row in all.rows_mut() {
        let largest = row.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        row.mapv_inplace(|score| (score - largest).exp());
        let total = row.sum();
        row /= total;
    }
    all
}

impl Link {
    pub fn predictions(self, scores: &Array2<f64>) -> Array2<f64> {
        match self {
            Self::Identity => scores.clone(),
            Self::Softplus => scores.mapv(|score| {
                let x = SHARPNESS * score;
                (x.max(0.0) + (-x.abs()).exp().ln_1p()) / SHARPNESS
            }),
            // Beyond, 1 - probability would be 0.
            Self::Sigmoid => scores.mapv(|score| sigmoid(score.clamp(-36.0, 36.0))),
            Self::Softmax => softmax(scores),
            Self::LogSoftmax => {
                let mut all = scores.clone();
                for mut row in all.rows_mut() {
                    let largest = row.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
                    let total: f64 = row.iter().map(|score| (score - largest).exp()).sum();
                    row -= largest + total.ln();
                }
                all
            }
        }
    }

    /// Turns the gradient by the predictions into that by the scores.
    fn pull_back(
        self,
        scores: &Array2<f64>,
        predictions: &Array2<f64>,
        gradient: Array2<f64>,
    ) -> Array2<f64> {
        let total = |rows: &Array2<f64>| rows.sum_axis(Axis(1)).insert_axis(Axis(1));
        match self {
            Self::Identity => gradient,
            Self::Softplus => gradient * scores.mapv(|score| sigmoid(SHARPNESS * score)),
            Self::Sigmoid => gradient * predictions.mapv(|p| p * (1.0 - p)),
            Self::Softmax => {
                let weighted = gradient * predictions;
                &weighted - &(predictions * &total(&weighted))
            }
            Self::LogSoftmax => {
                let sums = total(&gradient);
                gradient - predictions.mapv(f64::exp) * sums
            }
        }
    }
}

/// The targets of all points.
#[derive(Clone, Debug)]
pub enum Targets {
    /// A number for each score.
    Values(Array2<f64>),
    /// A class for each row of scores.
    Labels(Vec<i64>),
}

/// A cost as a function of scores.
pub struct Objective {
    pub cost: Cost,
    pub link: Link,
    pub targets: Targets,
}

impl Objective {
    /// The cost, and its gradient by the scores.
    pub fn evaluate(&self, scores: &Array2<f64>) -> Result<(f64, Array2<f64>), String> {
        let predictions = self.link.predictions(scores);
        let mut gradient = Array2::zeros(predictions.dim());
        let examples = match &self.targets {
            Targets::Values(values) => Examples::new(&predictions, values),
            Targets::Labels(labels) => Examples::new(&predictions, labels),
        };
        let results = Results::default().gradient(&mut gradient);
        let state = self.cost.compute(&examples, results).map_err(|error| error.to_string())?;
        let value = self.cost.value_of_state(&state).map_err(|error| error.to_string())?;
        Ok((value, self.link.pull_back(scores, &predictions, gradient)))
    }
}

/// How a model is trained.
#[derive(Clone, Copy, Debug)]
pub struct Training {
    pub steps: usize,
    /// The length of the first step, in units of the network's parameters. It falls to 0 by half a
    /// cosine.
    pub rate: f64,
}

/// A trained model.
pub struct Fit {
    pub model: Model,
    /// The cost in the end.
    pub cost: f64,
    /// Steps taken and the cost there: the first, the last, and some in between.
    pub path: Vec<(usize, f64)>,
    /// The gradient of the cost by the scores of each point.
    pub gradient: Array2<f64>,
}

impl Fit {
    /// The share of all pull that each point has, by its own score: above 0 it pulls that up.
    pub fn pulls(&self) -> Vec<f64> {
        let total: f64 = self.gradient.iter().map(|slope| slope.abs()).sum();
        let own = |slope: f64| if total > 0.0 { -slope / total } else { 0.0 };
        self.gradient.column(0).iter().map(|&slope| own(slope)).collect()
    }

    /// The path with the cost as a share of the way from the first to the last: from 1 to 0, or less
    /// than 0 where it was lower on the way.
    pub fn relative_path(&self) -> impl Iterator<Item = (f64, f64)> {
        let way = self.path[0].1 - self.cost;
        let share = move |cost: f64| if way == 0.0 { 0.0 } else { (cost - self.cost) / way };
        self.path.iter().map(move |&(step, cost)| (step as f64, share(cost)))
    }
}

/// What Adam keeps of its means of slopes and of their squares at each step. The memory of squares is
/// shorter than is usual: slopes that were huge at the start are forgotten.
const KEEP: [f64; 2] = [0.9, 0.99];

/// Trains by Adam on all points at once. It depends on its arguments alone.
///
/// Kingma and Ba (2015), arXiv:1412.6980.
pub fn train(
    mut model: Model,
    points: &[[f64; 2]],
    objective: &Objective,
    Training { steps, rate }: Training,
) -> Result<Fit, String> {
    within("steps", steps as f64, 1.0, MOST_STEPS as f64)?;
    let inputs = model.rows(points);
    let count = model.network.parameters().len();
    let (mut mean, mut square) = (vec![0.0; count], vec![0.0; count]);
    let mut path = Vec::new();
    for step in 0..steps {
        let (cost, _, gradient) = slope_at(&model, &inputs, objective, step)?;
        // As many are kept for any number of steps.
        if step == 0 || step * PATH / steps != (step - 1) * PATH / steps {
            path.push((step, cost));
        }
        let length = rate * 0.5 * (1.0 + (PI * step as f64 / steps as f64).cos());
        let unbiased = KEEP.map(|keep| 1.0 - keep.powi(step as i32 + 1));
        for (at, &slope) in gradient.iter().enumerate() {
            mean[at] += (1.0 - KEEP[0]) * (slope - mean[at]);
            square[at] += (1.0 - KEEP[1]) * (slope * slope - square[at]);
            let step = mean[at] / unbiased[0] / ((square[at] / unbiased[1]).sqrt() + 1e-12);
            model.network.parameters_mut()[at] -= length * step;
        }
    }
    let (cost, gradient, _) = slope_at(&model, &inputs, objective, steps)?;
    path.push((steps, cost));
    Ok(Fit { model, cost, path, gradient })
}

/// The cost of a model, and its gradient by the scores and by the parameters.
fn slope_at(
    model: &Model,
    inputs: &Array2<f64>,
    objective: &Objective,
    step: usize,
) -> Result<(f64, Array2<f64>, Array1<f64>), String> {
    let mut by_scores = Array2::default((0, 0));
    let (cost, gradient) = model.network.value_and_gradient(inputs, |outputs| {
        let (cost, slope) = objective.evaluate(&model.to_scores(outputs))?;
        by_scores = slope;
        Ok::<_, String>((cost, &by_scores * model.slope()))
    })?;
    if cost.is_finite() && gradient.iter().all(|slope| slope.is_finite()) {
        return Ok((cost, by_scores, gradient));
    }
    let what =
        if cost.is_finite() { "its slope is infinite".into() } else { format!("it is {cost}") };
    Err(format!(
        "the cost cannot be followed: after {step} steps {what}. Move the points that cost most, or \
         change the loss's parameters"
    ))
}
