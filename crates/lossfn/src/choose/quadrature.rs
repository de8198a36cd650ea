//! Integrals over the residuals of a loss: half a line, in panels that double in width.

use std::f64::consts::PI;

/// Nodes of a panel.
const NODES: usize = 16;

/// A point and its share of the integral.
pub(super) type Node = (f64, f64);

/// Nodes and weights for an integral from 0 to `scale` times two to the power `high`: panels from one power
/// of two times the scale to the next, so that a kink at the scale is between two panels.
pub(super) fn nodes(scale: f64, low: i32, high: i32) -> Vec<Node> {
    let panel = legendre();
    let mut nodes = Vec::with_capacity((high - low + 1) as usize * NODES);
    let mut start = 0.0;
    for power in low..=high {
        let end = scale * f64::from(power).exp2();
        let (middle, half) = ((start + end) * 0.5, (end - start) * 0.5);
        nodes.extend(panel.iter().map(|&(x, weight)| (middle + half * x, half * weight)));
        start = end;
    }
    nodes
}

/// Gauss and Legendre's rule on -1 to 1: the roots of the polynomial by Newton's method.
fn legendre() -> [Node; NODES] {
    let n = NODES as f64;
    std::array::from_fn(|i| {
        let mut x = (PI * (i as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..50 {
            let (mut last, mut value) = (1.0, x);
            for k in 2..=NODES {
                let k = k as f64;
                (last, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * last) / k);
            }
            slope = n * (last - x * value) / (1.0 - x * x);
            let step = value / slope;
            x -= step;
            if step.abs() < 1e-16 {
                break;
            }
        }
        (x, 2.0 / ((1.0 - x * x) * slope * slope))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_normal_distribution() {
        for scale in [0.01, 1.0, 1.345, 50.0] {
            let density = |x: f64| (-0.5 * x * x).exp() * (2.0 / PI).sqrt();
            let total: f64 = nodes(scale, -20, 20).iter().map(|&(x, w)| w * density(x)).sum();
            assert!((total - 1.0).abs() < 1e-13, "{scale}: {total}");
        }
    }
}
