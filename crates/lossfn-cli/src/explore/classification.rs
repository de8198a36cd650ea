//! The room for classification: points of classes, and what parts them under each loss.

use super::canvas::Canvas;
use super::fit::data::{ClassSample, PLANE};
use super::fit::model::{Kind, Model, Units};
use super::fit::train::{Fit, Link, Objective, Targets, Training, train};
use super::fit::{check_work, each, figure};
use super::server::Work;
use crate::error::CliError;
use lossfn::{Cost, Domain, Form, Loss, RowForm};
use lossfn_plot::Layer;
use ndarray::{Array2, ArrayView1};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Cells of the plane, across and down.
const CELLS: usize = 140;
/// As many groups of bars of margins, about.
const BARS: f64 = 14.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassificationRequest {
    losses: Vec<String>,
    sample: ClassSample,
    model: Kind,
    steps: usize,
    /// Where points and borders of each loss go.
    plane: Canvas,
    /// Where the margins of each loss go.
    margins: Canvas,
}

#[derive(Serialize)]
pub struct ClassificationAnswer {
    /// The number of points with the label of each class.
    sizes: Vec<usize>,
    fits: Vec<FitAnswer>,
}

/// What became of one loss: an error, or the rest.
#[derive(Default, Serialize)]
struct FitAnswer {
    loss: String,
    error: Option<String>,
    cost: f64,
    /// Whether no slope led anywhere, at the start or in the end.
    is_flat: bool,
    /// Of the points with the label of each class, how many are taken for it.
    right: Vec<usize>,
    plane: Option<Value>,
    margins: Option<Value>,
}

/// Parts classes under each loss.
pub fn classification(
    request: ClassificationRequest,
    _: &Work,
) -> Result<ClassificationAnswer, CliError> {
    let ClassificationRequest { losses, sample, model, steps, plane, margins } = request;
    let (points, labels) = sample.points().map_err(CliError::message)?;
    check_work(losses.len(), points.len(), steps, model).map_err(CliError::message)?;
    let sizes = count(sample.classes, labels.iter().copied());
    let fits = each(&losses, |loss| {
        let fit = fit(loss, &points, &labels, sample.classes, model, steps)?;
        let scores = fit.model.scores(&points);
        let decided: Vec<usize> = scores.rows().into_iter().map(|row| decision(&row)).collect();
        let both = labels.iter().zip(&decided);
        let right = both.filter(|(label, decided)| label == decided).map(|(&label, _)| label);
        let draw = |canvas: Canvas, axes, layers| {
            canvas.draw(figure(axes, layers)).map(Some).map_err(|error| error.to_string())
        };
        let whole = Some((0.0, PLANE));
        let shown = plane_layers(&fit, &points, &labels, &decided);
        let rows = scores.rows().into_iter().zip(&labels);
        let (bars, range) = margin_layers(
            &rows.map(|(row, &label)| (label, margin(&row, label))).collect::<Vec<_>>(),
            sample.classes,
        );
        Ok(FitAnswer {
            cost: fit.cost,
            is_flat: fit.gradient.iter().all(|&slope| slope == 0.0) && fit.path[0].1 == fit.cost,
            right: count(sample.classes, right),
            plane: draw(plane, [("", whole), ("", whole)], shown)?,
            margins: draw(margins, [("margin", Some(range)), ("points", None)], bars)?,
            ..FitAnswer::default()
        })
    });
    let answer = |(loss, fit): (String, Result<FitAnswer, String>)| match fit {
        Ok(fit) => FitAnswer { loss, ..fit },
        Err(error) => FitAnswer { loss, error: Some(error), ..FitAnswer::default() },
    };
    Ok(ClassificationAnswer { sizes, fits: losses.into_iter().zip(fits).map(answer).collect() })
}

/// How often each class is there.
fn count(classes: usize, labels: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut counts = vec![0; classes];
    for label in labels {
        counts[label] += 1;
    }
    counts
}

/// Which class reigns where, and the points: discs if they are taken for what they are, else rings.
fn plane_layers(fit: &Fit, points: &[[f64; 2]], labels: &[usize], decided: &[usize]) -> Vec<Layer> {
    let middle = |at: usize| PLANE * (at as f64 + 0.5) / CELLS as f64;
    let cells = (0..CELLS * CELLS).map(|at| [middle(at % CELLS), PLANE - middle(at / CELLS)]);
    let scores = fit.model.scores(&cells.collect::<Vec<_>>());
    let colors = scores.rows().into_iter().map(|row| Some(decision(&row))).collect();
    let mut layers = vec![Layer::Regions { columns: CELLS, rows: CELLS, colors }];
    for color in 0..3 {
        for hollow in [false, true] {
            let here = (0..points.len())
                .filter(|&at| labels[at] == color && (decided[at] != color) == hollow)
                .map(|at| (points[at][0], points[at][1]));
            let (label, radius) = (String::new(), 3.6);
            layers.push(Layer::Points { label, points: here.collect(), color, radius, hollow });
        }
    }
    layers
}

/// Groups of bars of margins, in each a bar for each class, and the range of the margins.
fn margin_layers(margins: &[(usize, f64)], classes: usize) -> (Vec<Layer>, (f64, f64)) {
    let all = || margins.iter().map(|(_, margin)| *margin);
    let (low, high) = (all().fold(-0.5, f64::min), all().fold(0.5, f64::max));
    // No group has margins of both signs.
    let width = (high - low) / BARS;
    let (first, last) = ((low / width).floor() as i64, (high / width).floor() as i64);
    let mut heights = vec![vec![0.0; (last - first + 1) as usize]; classes];
    for &(label, margin) in margins {
        heights[label][((margin / width).floor() as i64 - first) as usize] += 1.0;
    }
    let bar = 0.9 * width / classes as f64;
    let layer = |(color, heights): (usize, Vec<f64>)| {
        let bars = heights.into_iter().enumerate().map(|(at, height)| {
            let left = (first + at as i64) as f64 * width + 0.05 * width + bar * color as f64;
            (left, left + bar, height)
        });
        Layer::Bars { label: String::new(), bars: bars.collect(), color }
    };
    let layers = heights.into_iter().enumerate().map(layer).collect();
    (layers, (first as f64 * width, (last + 1) as f64 * width))
}

/// Fits scores of the classes by both coordinates. A loss of two classes has one score, that of the
/// class 1; with three classes a score for each, which parts it from the others.
fn fit(
    loss: &Loss,
    points: &[[f64; 2]],
    labels: &[usize],
    classes: usize,
    kind: Kind,
    steps: usize,
) -> Result<Fit, String> {
    let description = loss.description();
    let is_row = loss.form() == Form::ClassAxis;
    let link = match (loss.form(), description.prediction, description.target) {
        (Form::ClassAxis, ..) if description.row_form != RowForm::Classes => None,
        (Form::ClassAxis, Domain::Real, _) => Some(Link::Identity),
        (Form::ClassAxis, Domain::Unit, _) => Some(Link::Softmax),
        (Form::ClassAxis, Domain::LogProbability, _) => Some(Link::LogSoftmax),
        (Form::Pointwise, Domain::Real, Domain::Sign | Domain::Unit | Domain::Real) => {
            Some(Link::Identity)
        }
        (Form::Pointwise, Domain::Unit | Domain::OpenUnit, Domain::Unit) => Some(Link::Sigmoid),
        _ => None,
    };
    let link = link.ok_or_else(|| {
        format!(
            "{} does not compare scores or probabilities with a class: choose a loss of the tasks \
             binary or multiclass",
            loss.id()
        )
    })?;
    let scores = if classes == 2 && !is_row { 1 } else { classes };
    let targets = if is_row {
        Targets::Labels(labels.iter().map(|&label| label as i64).collect())
    } else {
        let other = if description.target == Domain::Unit { 0.0 } else { -1.0 };
        Targets::Values(Array2::from_shape_fn((points.len(), scores), |(at, class)| {
            let class = if scores == 1 { 1 } else { class };
            if labels[at] == class { 1.0 } else { other }
        }))
    };
    let units = |axis: usize| Units::of(points.iter().map(move |point| point[axis]));
    let model = Model::new(kind.start(2, scores), [units(0), units(1)], Units::NONE);
    let objective = Objective { cost: Cost::new(loss.clone()), link, targets };
    train(model, points, &objective, Training { steps, rate: kind.rate() })
}

/// The class of a row of scores.
fn decision(scores: &ArrayView1<'_, f64>) -> usize {
    if scores.len() == 1 {
        return usize::from(scores[0] > 0.0);
    }
    let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    best.map_or(0, |(class, _)| class)
}

/// How far the score of its class is ahead of the best other; of a single score, target * score.
fn margin(scores: &ArrayView1<'_, f64>, label: usize) -> f64 {
    if scores.len() == 1 {
        return if label == 1 { scores[0] } else { -scores[0] };
    }
    let others = scores.iter().enumerate().filter(|(class, _)| *class != label);
    scores[label] - others.map(|(_, &score)| score).fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use super::super::fit::data::Layout;
    use super::*;
    use lossfn::{CATALOG, Task};

    fn sample(layout: Layout, classes: usize, spread: f64) -> (Vec<[f64; 2]>, Vec<usize>) {
        let (imbalance, label_noise) = (0.0, 0.0);
        let count = 120;
        let sample =
            ClassSample { seed: 4, layout, classes, count, spread, imbalance, label_noise };
        sample.points().unwrap()
    }

    fn right(fit: &Fit, points: &[[f64; 2]], labels: &[usize]) -> f64 {
        let scores = fit.model.scores(points);
        let right = scores.rows().into_iter().zip(labels).filter(|(row, label)| {
            assert_eq!(decision(row) == **label, margin(row, **label) > 0.0);
            decision(row) == **label
        });
        right.count() as f64 / points.len() as f64
    }

    /// Losses that have no slope, or are not of scores or probabilities of one class, or infinite for it.
    const CANNOT: [&str; 6] = [
        "zero_one",
        "multiclass_zero_one",
        "top_k_error",
        "cumulative_link",
        "hinge_embedding",
        "reverse_kullback_leibler",
    ];

    #[test]
    fn every_loss_of_classes_parts_clouds_that_lie_apart() {
        for classes in [2, 3] {
            let (points, labels) = sample(Layout::Blobs, classes, 0.5);
            let mut seen = 0;
            for entry in CATALOG {
                let description = entry.description;
                if !matches!(description.task, Task::Binary | Task::Multiclass)
                    || CANNOT.contains(&description.id)
                {
                    continue;
                }
                seen += 1;
                let loss = entry.with_defaults();
                let fit = fit(&loss, &points, &labels, classes, Kind::Line, 200).unwrap();
                let right = right(&fit, &points, &labels);
                assert!(right > 0.9, "{loss}, {classes} classes: {right}");
            }
            assert!(seen > 30, "{seen}");
        }
    }

    #[test]
    fn logistic_comes_to_where_newton_does() {
        let (points, labels) = sample(Layout::Blobs, 2, 1.8);
        // Newton's method on the sum of ln(1 + exp(-m)); what it solves has three unknowns.
        let determinant = |[a, b, c]: [[f64; 3]; 3]| {
            let minor = |i: usize, j: usize| b[i] * c[j] - b[j] * c[i];
            a[0] * minor(1, 2) - a[1] * minor(0, 2) + a[2] * minor(0, 1)
        };
        let mut w = [0.0f64; 3];
        for _ in 0..30 {
            let (mut slope, mut matrix) = ([0.0; 3], [[0.0; 3]; 3]);
            for (point, &label) in points.iter().zip(&labels) {
                let x = [1.0, point[0], point[1]];
                let score: f64 = w.iter().zip(x).map(|(w, x)| w * x).sum();
                let p = 1.0 / (1.0 + (-score).exp());
                for (i, row) in matrix.iter_mut().enumerate() {
                    slope[i] += (p - label as f64) * x[i];
                    for (cell, x_j) in row.iter_mut().zip(x) {
                        *cell += p * (1.0 - p) * x[i] * x_j;
                    }
                }
            }
            for (i, w) in w.iter_mut().enumerate() {
                let mut replaced = matrix;
                for (row, slope) in replaced.iter_mut().zip(slope) {
                    row[i] = slope;
                }
                *w -= determinant(replaced) / determinant(matrix);
            }
        }
        for loss in ["logistic", "binary_cross_entropy_with_logits", "binary_cross_entropy"] {
            let fit = fit(&loss.parse().unwrap(), &points, &labels, 2, Kind::Line, 3000).unwrap();
            let places = [[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]];
            let found = fit.model.scores(&places);
            for (at, [x, y]) in places.into_iter().enumerate() {
                let expected = w[0] + w[1] * x + w[2] * y;
                let found = found[[at, 0]];
                assert!((found - expected).abs() < 1e-3, "{loss}: {found} {expected}");
            }
        }
    }

    #[test]
    fn a_network_parts_moons_that_a_line_cannot() {
        let (points, labels) = sample(Layout::Moons, 2, 0.3);
        let loss = "logistic".parse().unwrap();
        let share =
            |kind| right(&fit(&loss, &points, &labels, 2, kind, 500).unwrap(), &points, &labels);
        assert!(share(Kind::Line) < 0.95);
        assert!(share(Kind::Network) > 0.98 && share(Kind::Deep) > 0.98);
    }

    #[test]
    fn a_regression_loss_can_part_classes_too() {
        let (points, labels) = sample(Layout::Blobs, 2, 0.5);
        let fit = fit(&"squared_error".parse().unwrap(), &points, &labels, 2, Kind::Line, 300);
        assert!(right(&fit.unwrap(), &points, &labels) > 0.97);
    }

    #[test]
    fn what_cannot_be_fitted_says_so() {
        let (points, labels) = sample(Layout::Blobs, 2, 0.5);
        for loss in ["cumulative_link", "hinge_embedding", "poisson", "gaussian_nll"] {
            let error = fit(&loss.parse().unwrap(), &points, &labels, 2, Kind::Line, 10).err();
            assert!(error.unwrap().contains("binary or multiclass"));
        }
        // The prediction has more classes than the target, which it must not.
        let loss = "reverse_kullback_leibler".parse().unwrap();
        let error = fit(&loss, &points, &labels, 2, Kind::Line, 10).err().unwrap();
        assert!(error.contains("after 0 steps it is inf"), "{error}");
    }
}
