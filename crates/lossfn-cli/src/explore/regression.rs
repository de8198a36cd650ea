//! The room for regression: points, and what is fitted to them under each loss.

use super::canvas::Canvas;
use super::fit::data::{PLANE, RegressionSample, check_points};
use super::fit::model::{Kind, Model, Units};
use super::fit::train::{Fit, Link, Objective, Targets, Training, train};
use super::fit::{check_work, each, figure};
use super::server::Work;
use crate::error::CliError;
use lossfn::{Cost, Domain, Form, Loss};
use lossfn_plot::Layer;
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// As many points make a curve.
const CURVE: usize = 161;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegressionRequest {
    losses: Vec<String>,
    /// The points, x and y of each; without them those of the sample.
    points: Option<Vec<[f64; 2]>>,
    sample: RegressionSample,
    model: Kind,
    steps: usize,
    /// Where points and fits go.
    plane: Canvas,
    /// Where goes how much each point pulls.
    pulls: Canvas,
    /// Where the path of the cost goes.
    path: Canvas,
}

#[derive(Serialize)]
pub struct RegressionAnswer {
    points: Vec<[f64; 2]>,
    fits: Vec<FitAnswer>,
    plane: Value,
    pulls: Value,
    path: Value,
}

/// What became of one loss: an error, or the rest.
#[derive(Default, Serialize)]
struct FitAnswer {
    error: Option<String>,
    loss: String,
    cost: f64,
    /// y at x = 0 and what a unit of x adds, of a line.
    line: Option<[f64; 2]>,
    /// The share of all pull that each point has: above 0 it pulls up.
    pulls: Vec<f64>,
}

/// Fits points under each loss.
pub fn regression(request: RegressionRequest, _: &Work) -> Result<RegressionAnswer, CliError> {
    let RegressionRequest { losses, points, sample, model, steps, plane, pulls, path } = request;
    let points = match points {
        Some(points) => Ok(points),
        None => sample.points(),
    };
    let points = points.and_then(|points| {
        check_points(&points)?;
        check_work(losses.len(), points.len(), steps, model)?;
        Ok(points)
    });
    let points = points.map_err(CliError::message)?;
    let fits = each(&losses, |loss| fit(loss, &points, model, steps));

    let at: Vec<[f64; 2]> =
        (0..CURVE).map(|at| [PLANE * at as f64 / (CURVE - 1) as f64, 0.0]).collect();
    let (mut curves, mut pins, mut paths) = (Vec::new(), Vec::new(), Vec::new());
    let mut answers = Vec::new();
    let gap = 0.09;
    let first = -0.5 * gap * (losses.len() - 1) as f64;
    for (color, (text, fitted)) in losses.iter().zip(&fits).enumerate() {
        let fitted = match fitted {
            Ok(fitted) => fitted,
            Err(error) => {
                let error = Some(error.clone());
                answers.push(FitAnswer { error, loss: text.clone(), ..FitAnswer::default() });
                continue;
            }
        };
        let curve = at.iter().map(|point| point[0]).zip(fitted.predicted(&at));
        curves.push(Layer::Line {
            label: String::new(),
            points: curve.collect(),
            color,
            dashed: color > 0,
        });
        let pulls = fitted.fit.pulls();
        let ends = points.iter().zip(&pulls);
        let ends = ends.map(|(point, pull)| (point[0] + first + gap * color as f64, 100.0 * pull));
        let ends: Vec<(f64, f64)> = ends.collect();
        let segments = ends.iter().map(|&(x, pull)| ((x, 0.0), (x, pull))).collect();
        pins.push(Layer::Segments { label: String::new(), segments, color });
        pins.push(Layer::Points {
            label: String::new(),
            points: ends,
            color,
            radius: 2.2,
            hollow: false,
        });
        paths.push(Layer::Line {
            label: String::new(),
            // What is not above 0 has no place on a logarithmic axis.
            points: fitted.fit.relative_path().map(|(at, share)| (at, share.max(1e-9))).collect(),
            color,
            dashed: color > 0,
        });
        let is_line = model == Kind::Line && fitted.link == Link::Identity && !fitted.is_logarithm;
        let line = is_line.then(|| {
            let at = fitted.predicted(&[[0.0; 2], [1.0, 0.0]]);
            [at[0], at[1] - at[0]]
        });
        let loss = text.clone();
        answers.push(FitAnswer { error: None, loss, cost: fitted.fit.cost, line, pulls });
    }
    let whole = Some((0.0, PLANE));
    let most = answers.iter().flat_map(|fit| &fit.pulls).fold(0.0f64, |most, p| most.max(p.abs()));
    let most = (100.0 * most * 1.15).max(1.0);
    let pull = Some((-most, most));
    let steps = Some((0.0, steps as f64));
    let mut way = figure([("steps", steps), ("share of the cost", Some((1e-4, 1.5)))], paths);
    way.y.logarithmic = true;
    Ok(RegressionAnswer {
        plane: plane.draw(figure([("x", whole), ("y", whole)], curves))?,
        pulls: pulls.draw(figure([("x", whole), ("pull, %", pull)], pins))?,
        path: path.draw(way)?,
        points,
        fits: answers,
    })
}

/// A fit, and what makes numbers in the unit of the targets of its scores.
struct Fitted {
    fit: Fit,
    link: Link,
    /// Whether the loss is of the logarithm of the mean.
    is_logarithm: bool,
}

impl Fitted {
    /// The predicted number at each point.
    fn predicted(&self, points: &[[f64; 2]]) -> Vec<f64> {
        let predictions = self.link.predictions(&self.fit.model.scores(points));
        let shown = |p: f64| if self.is_logarithm { p.exp() } else { p };
        predictions.into_iter().map(shown).collect()
    }
}

/// Fits a model of y by x.
fn fit(loss: &Loss, points: &[[f64; 2]], kind: Kind, steps: usize) -> Result<Fitted, String> {
    let description = loss.description();
    let is_for_numbers = loss.form() == Form::Pointwise
        && !matches!(description.target, Domain::Sign | Domain::Unit);
    if !is_for_numbers {
        return Err(format!(
            "{} does not compare one predicted number with one target number: choose a loss of the \
             tasks regression or counts, or write a formula",
            loss.id()
        ));
    }
    let link = match description.prediction {
        Domain::NonNegative | Domain::Positive => Link::Softplus,
        _ => Link::Identity,
    };
    let is_logarithm = description.link.is_some_and(|link| link.starts_with("exp(prediction)"));
    let targets: Vec<f64> = points.iter().map(|point| point[1]).collect();
    let mut outputs = Units::about_median(&targets);
    if is_logarithm {
        outputs = Units { centre: outputs.centre.max(0.1).ln(), spread: 1.0 };
    }
    let inputs = [Units::of(points.iter().map(|point| point[0])), Units::NONE];
    let model = Model::new(kind.start(1, 1), inputs, outputs);
    let targets = Array2::from_shape_vec((points.len(), 1), targets).expect("one for each");
    let objective =
        Objective { cost: Cost::new(loss.clone()), link, targets: Targets::Values(targets) };
    let fit = train(model, points, &objective, Training { steps, rate: kind.rate() })?;
    Ok(Fitted { fit, link, is_logarithm })
}

#[cfg(test)]
mod tests {
    use super::super::fit::data::Trend;
    use super::*;
    use lossfn::{CATALOG, Task};

    fn sample(noise: f64, outliers: usize) -> Vec<[f64; 2]> {
        let trend = Trend::Line;
        RegressionSample { seed: 5, trend, count: 40, noise, outliers }.points().unwrap()
    }

    fn line(loss: &str, points: &[[f64; 2]]) -> Fitted {
        fit(&loss.parse().unwrap(), points, Kind::Line, 1000).unwrap()
    }

    /// Intercept and slope.
    fn coefficients(fitted: &Fitted) -> [f64; 2] {
        let at = fitted.predicted(&[[0.0, 0.0], [1.0, 0.0]]);
        [at[0], at[1] - at[0]]
    }

    fn cost(loss: &str, points: &[[f64; 2]], [a, b]: [f64; 2]) -> f64 {
        let (prediction, target): (Vec<f64>, Vec<f64>) =
            points.iter().map(|[x, y]| (a + b * x, *y)).unzip();
        Cost::new(loss.parse::<Loss>().unwrap()).value(&prediction, &target).unwrap()
    }

    #[test]
    fn every_loss_of_numbers_comes_to_a_minimum() {
        let points = sample(0.6, 2);
        let mut seen = 0;
        for entry in CATALOG {
            let task = entry.description.task;
            if !matches!(task, Task::Regression | Task::Counts) {
                continue;
            }
            seen += 1;
            let loss = entry.with_defaults();
            let fitted = fit(&loss, &points, Kind::Line, 1000).unwrap();
            let (start, end) = (fitted.fit.path[0].1, fitted.fit.cost);
            assert!(end < start, "{loss}: from {start} to {end}");
            let y = Array2::from_shape_fn((points.len(), 1), |(at, _)| points[at][1]);
            let targets = Targets::Values(y);
            let objective = Objective { cost: Cost::new(loss.clone()), link: fitted.link, targets };
            for h in [0.001, 0.01, 0.1] {
                for [by_weight, by_bias] in [
                    [1.0, 0.0],
                    [-1.0, 0.0],
                    [0.0, 1.0],
                    [0.0, -1.0],
                    [1.0, 1.0],
                    [-1.0, 1.0],
                    [1.0, -1.0],
                    [-1.0, -1.0],
                ] {
                    let mut near = fitted.fit.model.clone();
                    near.network.parameters_mut()[0] += h * by_weight;
                    near.network.parameters_mut()[1] += h * by_bias;
                    let there = objective.evaluate(&near.scores(&points)).unwrap().0;
                    let lower = (end - there) / (start - end);
                    assert!(lower < 1e-4, "{loss}: lower by {lower} at {h} {by_weight} {by_bias}");
                }
            }
        }
        assert!(seen > 30, "{seen}");
    }

    #[test]
    fn squared_error_gives_least_squares() {
        let points = sample(1.0, 4);
        let n = points.len() as f64;
        let sum = |f: fn(&[f64; 2]) -> f64| points.iter().map(f).sum::<f64>();
        let (x, y) = (sum(|p| p[0]) / n, sum(|p| p[1]) / n);
        let b = (sum(|p| p[0] * p[1]) / n - x * y) / (sum(|p| p[0] * p[0]) / n - x * x);
        let expected = [y - b * x, b];
        let found = coefficients(&line("squared_error", &points));
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    /// A line of least absolute error can go through two of the points.
    #[test]
    fn absolute_error_is_no_more_than_that_of_the_best_line_through_two_points() {
        let points = sample(1.0, 4);
        let mut best = f64::INFINITY;
        for (at, [x, y]) in points.iter().enumerate() {
            for [u, v] in &points[..at] {
                let b = (y - v) / (x - u);
                let candidate: f64 = points.iter().map(|p| (y + b * (p[0] - x) - p[1]).abs()).sum();
                best = best.min(candidate / points.len() as f64);
            }
        }
        let found = cost("absolute_error", &points, coefficients(&line("absolute_error", &points)));
        assert!(found >= best * (1.0 - 1e-12) && found < best * 1.0002, "{found} {best}");
    }

    #[test]
    fn a_quantile_leaves_its_share_below() {
        let points = sample(1.0, 0);
        for level in [0.1, 0.5, 0.9] {
            let fitted = line(&format!("quantile(level={level})"), &points);
            let predicted = fitted.predicted(&points);
            let below = points.iter().zip(&predicted).filter(|(point, p)| point[1] < **p).count();
            // Two points lie on the best line.
            let expected = level * points.len() as f64;
            assert!((below as f64 - expected).abs() <= 2.0, "{level}: {below}");
        }
    }

    #[test]
    fn an_outlier_moves_squares_most_and_redescending_losses_not_at_all() {
        let mut points = sample(0.4, 1);
        let moved = |points: &mut Vec<[f64; 2]>, loss: &str| {
            let last = points.len() - 1;
            points[last][1] = 3.0;
            let before = line(loss, points).predicted(&[[10.0, 0.0]])[0];
            points[last][1] = 0.0;
            before - line(loss, points).predicted(&[[10.0, 0.0]])[0]
        };
        let squared = moved(&mut points, "squared_error");
        let huber = moved(&mut points, "huber(delta=1.0)");
        let absolute = moved(&mut points, "absolute_error");
        let tukey = moved(&mut points, "tukey_biweight(scale=2.0)");
        assert!(squared > 0.2, "{squared}");
        assert!(huber.abs() < 0.02 && absolute.abs() < 0.02, "{huber} {absolute}");
        assert!(tukey.abs() < 1e-4, "{tukey}");
    }

    #[test]
    fn a_network_bends_where_a_line_cannot() {
        let trend = Trend::Curve;
        let sample = RegressionSample { seed: 2, trend, count: 60, noise: 0.3, outliers: 0 };
        let points = sample.points().unwrap();
        let loss = "squared_error".parse().unwrap();
        let cost = |kind| fit(&loss, &points, kind, 500).unwrap().fit.cost;
        let straight = cost(Kind::Line);
        for kind in [Kind::Network, Kind::Deep] {
            assert!(cost(kind) < 0.12, "{kind:?}: {} of {straight}", cost(kind));
        }
        assert!(straight > 1.0);
    }

    #[test]
    fn losses_of_the_logarithm_are_fitted_to_the_mean() {
        let points = sample(0.3, 0);
        let fitted = line("poisson_log_link", &points);
        let [first, last] = [0, points.len() - 1].map(|at| [points[at]; 1]);
        for point in [first, last] {
            // The exponential of a line is not quite a line.
            assert!((fitted.predicted(&point)[0] - point[0][1]).abs() < 1.6);
        }
    }

    #[test]
    fn what_cannot_be_fitted_says_so() {
        let points = sample(0.3, 0);
        let refused = |loss: &str, points: &[[f64; 2]]| {
            fit(&loss.parse().unwrap(), points, Kind::Line, 100).err().unwrap()
        };
        assert!(refused("hinge", &points).contains("choose a loss of the tasks regression"));
        assert!(refused("gaussian_nll", &points).contains("one predicted number"));
        let zero = [[1.0, 0.0], [2.0, 5.0]];
        let error = refused("absolute_percentage_error", &zero);
        assert!(error.contains("after 0 steps") && error.contains("Move the points"), "{error}");
    }
}
