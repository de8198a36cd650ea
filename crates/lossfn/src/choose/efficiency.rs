//! How much a loss gives away where residuals are normal, and the constant at which it is so much.

use super::{quadrature, slopes_of};
use crate::error::Error;
use crate::loss::Loss;

/// The asymptotic relative efficiency of a loss where residuals are normal with standard deviation 1:
/// the variance of a mean over that of the location with the least total loss. 1 is that of the
/// squared error, 2/pi that of the absolute error; 0.95 means that it takes 1/0.95 times as many
/// examples for the same precision.
///
/// It is E[r psi(r)]^2 / E[psi(r)^2] with psi the loss's gradient (Huber (1964), doi:10.1214/aoms/1177703732; E[psi'] = E[r psi] at the
/// normal), by numerical integration. `None` if the loss is not one of a residual whose gradient is as
/// large on both sides of 0.
///
/// ```
/// use lossfn::{Loss, choose::efficiency};
///
/// let huber: Loss = "huber(delta=1.345)".parse()?;
/// assert!((efficiency(&huber).unwrap() - 0.95).abs() < 1e-4);
/// # Ok::<(), lossfn::Error>(())
/// ```
#[must_use]
pub fn efficiency(loss: &Loss) -> Option<f64> {
    let scales = loss.description().parameters.iter().zip(loss.parameters());
    let scale =
        scales.filter(|(p, _)| p.role == crate::Role::Scale).map(|(_, &value)| value).next();
    let scale = scale.filter(|&scale| scale > 0.0).unwrap_or(1.0);
    // Up to 40 standard deviations, beyond which f64 has no numbers for the density.
    let high = (40.0 / scale).log2().ceil() as i32;
    let nodes = quadrature::nodes(scale, high.min(0) - 24, high);
    let residuals: Vec<f64> = nodes.iter().flat_map(|&(x, _)| [x, -x]).collect();
    let psi = slopes_of(loss, &residuals)?;
    let (mut slope, mut square) = (0.0, 0.0);
    for (&(x, weight), psi) in nodes.iter().zip(psi.as_chunks::<2>().0) {
        let [plus, minus] = *psi;
        if (plus + minus).abs() > 1e-9 * plus.abs() {
            return None;
        }
        let share = weight * (-0.5 * x * x).exp();
        slope += share * x * plus;
        square += share * plus * plus;
    }
    // Both are halves, and the density's factor is left out.
    let factor = (2.0 / std::f64::consts::PI).sqrt();
    let efficiency = factor * slope * slope / square;
    efficiency.is_finite().then_some(efficiency)
}

/// The scale at which a loss has a given [`efficiency`] where residuals are normal with standard
/// deviation 1: 1.345 for huber's delta and 0.95. `with` makes the loss of a scale.
///
/// # Errors
/// What `with` returns; or, as text, what efficiencies the loss can have.
pub fn tuning_constant(
    with: impl Fn(f64) -> Result<Loss, Error>,
    wanted: f64,
) -> Result<Result<f64, String>, Error> {
    // Scales from where a loss is nearly constant or linear to where it is nearly square.
    const LOW: f64 = 1e-3;
    const HIGH: f64 = 1e3;
    let (mut low, mut high) = (LOW, HIGH);
    let (Some(least), Some(most)) = (efficiency(&with(low)?), efficiency(&with(high)?)) else {
        let reason = "its gradient is not as large on both sides of 0, so the efficiency has no \
                      meaning; use auto:quantile or give a number";
        return Ok(Err(reason.into()));
    };
    if !(least < wanted && wanted < most) {
        return Ok(Err(format!(
            "the efficiency is between {least:.3} and {most:.3} for all scales, and {wanted} is \
             asked for"
        )));
    }
    while high / low > 1.0 + 1e-13 {
        let middle = (low * high).sqrt();
        if middle <= low || middle >= high {
            break;
        }
        match efficiency(&with(middle)?) {
            Some(found) if found < wanted => low = middle,
            _ => high = middle,
        }
    }
    Ok(Ok(high))
}
