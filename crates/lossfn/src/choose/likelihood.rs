//! Parameters by maximum likelihood.
//!
//! A loss is the negative logarithm of a density, up to constants: exp(-loss / dispersion) over its
//! integral. A loss with a unit (huber's is that of the target squared) needs the dispersion, which
//! is estimated along with its parameters; a loss without a unit, that does not change if
//! residuals and scale change by the same factor, is taken as it is (Barron (2019),
//! arXiv:1701.03077). The integral is numerical, so that any loss will do.

use super::{losses_of, quadrature};
use crate::error::Error;
use crate::loss::Loss;

/// Points along each parameter of the grid from which the search begins.
const STEPS: usize = 9;

/// Residuals with their weights, and the total weight.
pub(super) struct Data<'a> {
    pub residuals: &'a [f64],
    pub weights: &'a [f64],
    /// A number of the size of most residuals.
    pub size: f64,
}

/// An open parameter.
#[derive(Clone, Copy, Debug)]
pub(super) enum Open {
    /// A positive number, in the unit of the residuals.
    Scale,
    /// Any number in this interval.
    Shape { low: f64, high: f64 },
}

/// What was found.
pub(super) struct Fit {
    pub values: Vec<f64>,
    /// For each parameter, whether the likelihood still grows at the end of what was searched.
    pub at_end: Vec<Option<End>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Low,
    High,
}

/// The values of the open parameters with the largest likelihood; `with` makes the loss. `None` if
/// the loss is that of no distribution.
pub(super) fn fit(
    data: &Data<'_>,
    open: &[Open],
    with: impl Fn(&[f64]) -> Result<Loss, Error>,
) -> Result<Option<Fit>, Error> {
    let largest = data.residuals.iter().fold(0.0f64, |most, r| most.max(r.abs()));
    // A scale is looked for as a logarithm: from where hardly any residual is below it to where none
    // is above it.
    let bounds: Vec<(f64, f64)> = open
        .iter()
        .map(|open| match *open {
            Open::Scale => ((data.size * 1e-3).ln(), largest.max(data.size).ln()),
            Open::Shape { low, high } => (low, high),
        })
        .collect();
    let values = |at: &[f64]| -> Vec<f64> {
        let value =
            |(open, &x): (&Open, &f64)| if matches!(open, Open::Scale) { x.exp() } else { x };
        open.iter().zip(at).map(value).collect()
    };
    let mut refused = None;
    let mut cost = |at: &[f64]| match with(&values(at)) {
        Ok(loss) => negative_log_likelihood(data, &loss, &values(at), open),
        Err(error) => {
            refused = Some(error);
            f64::INFINITY
        }
    };
    // The best of a grid, then downhill.
    let count = STEPS.pow(open.len() as u32);
    let point = |mut n: usize| -> Vec<f64> {
        let along = |&(low, high): &(f64, f64)| {
            let step = n % STEPS;
            n /= STEPS;
            low + (high - low) * step as f64 / (STEPS - 1) as f64
        };
        bounds.iter().map(along).collect()
    };
    let (mut best, mut lowest) = (Vec::new(), f64::INFINITY);
    for n in 0..count {
        let at = point(n);
        let found = cost(&at);
        if found < lowest {
            (best, lowest) = (at, found);
        }
    }
    if best.is_empty() {
        return refused.map_or(Ok(None), Err);
    }
    let steps: Vec<f64> =
        bounds.iter().map(|(low, high)| (high - low) / (STEPS - 1) as f64).collect();
    let clamped = |at: &[f64]| -> Vec<f64> {
        at.iter().zip(&bounds).map(|(&x, &(low, high))| x.clamp(low, high)).collect()
    };
    let best = downhill(&best, &steps, |at| cost(&clamped(at)));
    let best = clamped(&best);
    let at_end = best
        .iter()
        .zip(&bounds)
        .map(|(&x, &(low, high))| {
            let near = 1e-3 * (high - low);
            if x <= low + near {
                Some(End::Low)
            } else if x >= high - near {
                Some(End::High)
            } else {
                None
            }
        })
        .collect();
    Ok(Some(Fit { values: values(&best), at_end }))
}

/// The mean negative logarithm of the density; infinite if there is none.
fn negative_log_likelihood(data: &Data<'_>, loss: &Loss, values: &[f64], open: &[Open]) -> f64 {
    let scale = open.iter().zip(values).find(|(open, _)| matches!(open, Open::Scale));
    let scale = scale.map_or(data.size, |(_, &value)| value);
    let Some(losses) = losses_of(loss, data.residuals) else { return f64::INFINITY };
    let total: f64 = data.weights.iter().sum();
    let sum: f64 = losses.iter().zip(data.weights).map(|(loss, weight)| loss * weight).sum();
    let mean = sum / total;
    let nodes = quadrature::nodes(scale, -40, 200);
    let residuals: Vec<f64> = nodes.iter().flat_map(|&(x, _)| [x, -x]).collect();
    let Some(along) = losses_of(loss, &residuals) else { return f64::INFINITY };
    let (Some(least), true) = (along.iter().copied().reduce(f64::min), mean.is_finite()) else {
        return f64::INFINITY;
    };
    let given = |ln_dispersion: f64| {
        let dispersion = ln_dispersion.exp();
        match integral(&nodes, &along, least, dispersion) {
            Some(integral) => (mean - least) / dispersion + integral.ln(),
            None => f64::INFINITY,
        }
    };
    if has_no_unit(loss, scale) {
        return given(0.0);
    }
    // Around the dispersion at which the mean loss is about that of a normal distribution.
    let around = (2.0 * (mean - least)).max(f64::MIN_POSITIVE).ln();
    golden(around - 12.0, around + 6.0, given)
}

/// The integral of exp(-(loss - least) / dispersion) over all residuals, if it is finite.
fn integral(nodes: &[(f64, f64)], along: &[f64], least: f64, dispersion: f64) -> Option<f64> {
    let density = |loss: f64| (-(loss - least) / dispersion).exp();
    let pairs = along.as_chunks::<2>().0;
    let mut sum = 0.0;
    for (&(_, weight), losses) in nodes.iter().zip(pairs) {
        sum += weight * (density(losses[0]) + density(losses[1]));
    }
    // Beyond the last node, a tail that falls like a power of the residual; it must fall faster than
    // 1 / residual.
    let (end, before) = (nodes.len() - 1, nodes.len() - 17);
    let farther = (nodes[end].0 / nodes[before].0).ln();
    for side in [0, 1] {
        let (outer, inner) = (pairs[end][side], pairs[before][side]);
        if outer == f64::INFINITY {
            continue;
        }
        // Of residual times density; by the losses, as the density may be 0 in f64.
        let slope = (outer - inner) / dispersion / farther - 1.0;
        if slope.is_nan() || slope < 0.01 {
            return None;
        }
        sum += nodes[end].0 * density(outer) / slope;
    }
    (sum.is_finite() && sum > 0.0).then_some(sum)
}

/// Whether a loss is the same if residual and scale are twice as large.
fn has_no_unit(loss: &Loss, scale: f64) -> bool {
    let parameters = loss.description().parameters;
    let mut doubled = loss.parameters().to_vec();
    let mut has_scale = false;
    for (value, parameter) in doubled.iter_mut().zip(parameters) {
        if parameter.role == crate::Role::Scale {
            *value *= 2.0;
            has_scale = true;
        }
    }
    let Ok(entry) = crate::find(loss.id()) else { return false };
    let Ok(wider) = entry.build(&doubled) else { return false };
    let own = losses_of(loss, &[0.0, scale]);
    let other = losses_of(&wider, &[0.0, 2.0 * scale]);
    let (Some(own), Some(other)) = (own, other) else { return false };
    // As a difference, in which normalising constants cancel.
    let (own, other) = (own[1] - own[0], other[1] - other[0]);
    has_scale && (own - other).abs() <= 1e-9 * own.abs()
}

/// The least value of a function with one valley.
fn golden(mut low: f64, mut high: f64, mut f: impl FnMut(f64) -> f64) -> f64 {
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    let (mut a, mut b) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut at_a, mut at_b) = (f(a), f(b));
    for _ in 0..48 {
        // Infinite where there is no density: at large dispersions.
        if at_a <= at_b || at_b == f64::INFINITY {
            (high, b, at_b) = (b, a, at_a);
            a = high - ratio * (high - low);
            at_a = f(a);
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = low + ratio * (high - low);
            at_b = f(b);
        }
    }
    at_a.min(at_b)
}

/// The simplex method of Nelder and Mead (1965), doi:10.1093/comjnl/7.4.308.
fn downhill(start: &[f64], steps: &[f64], mut f: impl FnMut(&[f64]) -> f64) -> Vec<f64> {
    let n = start.len();
    let mut corners: Vec<(f64, Vec<f64>)> = Vec::with_capacity(n + 1);
    for corner in 0..=n {
        let mut at = start.to_vec();
        if let Some(x) = corner.checked_sub(1).map(|axis| &mut at[axis]) {
            *x += 0.5 * steps[corner - 1];
        }
        corners.push((f(&at), at));
    }
    for _ in 0..60 * n {
        corners.sort_by(|a, b| a.0.total_cmp(&b.0));
        let spread = (0..n).map(|axis| {
            (corners[0].1[axis] - corners[n].1[axis]).abs() / steps[axis].max(f64::MIN_POSITIVE)
        });
        if spread.fold(0.0, f64::max) < 1e-6 {
            break;
        }
        let middle: Vec<f64> = (0..n)
            .map(|axis| corners[..n].iter().map(|(_, at)| at[axis]).sum::<f64>() / n as f64)
            .collect();
        let mut try_at = |times: f64| {
            let worst = &corners[n].1;
            let at: Vec<f64> = middle.iter().zip(worst).map(|(m, w)| m + times * (w - m)).collect();
            (f(&at), at)
        };
        let reflected = try_at(-1.0);
        if reflected.0 < corners[0].0 {
            let further = try_at(-2.0);
            corners[n] = if further.0 < reflected.0 { further } else { reflected };
        } else if reflected.0 < corners[n - 1].0 {
            corners[n] = reflected;
        } else {
            let nearer = try_at(if reflected.0 < corners[n].0 { -0.5 } else { 0.5 });
            if nearer.0 < corners[n].0.min(reflected.0) {
                corners[n] = nearer;
            } else {
                let best = corners[0].1.clone();
                for corner in &mut corners[1..] {
                    for (x, best) in corner.1.iter_mut().zip(&best) {
                        *x = (*x + best) * 0.5;
                    }
                    corner.0 = f(&corner.1);
                }
            }
        }
    }
    corners.sort_by(|a, b| a.0.total_cmp(&b.0));
    corners.swap_remove(0).1
}
