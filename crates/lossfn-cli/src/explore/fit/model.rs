//! What is fitted: a network of layers, which without hidden ones is a line or linear scores.

use super::data::Random;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use serde::Deserialize;

/// Which model is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A line, or scores that are linear.
    Line,
    /// One hidden layer.
    Network,
    /// Two hidden layers.
    Deep,
}

impl Kind {
    /// A network that has not been trained; always the same one.
    pub fn start(self, inputs: usize, outputs: usize) -> Network {
        const UNITS: usize = 16;
        let mut sizes = vec![inputs];
        sizes.extend([UNITS, UNITS].into_iter().take(self as usize));
        sizes.push(outputs);
        Network::new(&sizes, &mut Random(11))
    }

    /// The length of the first step of training that suits it.
    pub fn rate(self) -> f64 {
        if self == Self::Line { 0.1 } else { 0.04 }
    }
}

/// A fully connected network, with tanh between its layers.
#[derive(Clone, Debug)]
pub struct Network {
    /// The numbers of inputs, of units in each hidden layer, of outputs.
    sizes: Vec<usize>,
    /// Layer by layer: weights by input and output, then biases.
    parameters: Vec<f64>,
}

impl Network {
    /// Starts from random weights. With hidden layers the outputs start small.
    pub fn new(sizes: &[usize], random: &mut Random) -> Self {
        let mut parameters = Vec::new();
        for (at, size) in sizes.windows(2).enumerate() {
            let is_output = at + 2 == sizes.len();
            let gain = if is_output { 0.1 } else { 1.5 };
            let scale = gain / (size[0] as f64).sqrt();
            parameters.extend((0..size[0] * size[1]).map(|_| scale * random.normal()));
            // Units bend at different places.
            let bias = if is_output { 0.0 } else { 1.0 };
            parameters.extend((0..size[1]).map(|_| bias * random.normal()));
        }
        Self { sizes: sizes.to_vec(), parameters }
    }

    pub fn parameters(&self) -> &[f64] {
        &self.parameters
    }

    pub fn parameters_mut(&mut self) -> &mut [f64] {
        &mut self.parameters
    }

    /// Weights and biases of each layer.
    fn layers(&self) -> Vec<(ArrayView2<'_, f64>, ArrayView1<'_, f64>)> {
        let mut rest = ArrayView1::from(&self.parameters);
        let cut = |size: &[usize]| {
            let (weights, behind) = rest.split_at(Axis(0), size[0] * size[1]);
            let (biases, behind) = behind.split_at(Axis(0), size[1]);
            rest = behind;
            (weights.into_shape_with_order((size[0], size[1])).expect("cut to size"), biases)
        };
        self.sizes.windows(2).map(cut).collect()
    }

    /// What each layer gives for a batch of inputs, the inputs first; the outputs are last.
    fn activations(&self, inputs: &Array2<f64>) -> Vec<Array2<f64>> {
        let mut all = vec![inputs.clone()];
        for (at, (weights, biases)) in self.layers().into_iter().enumerate() {
            let mut values = all[at].dot(&weights) + biases;
            if at + 2 < self.sizes.len() {
                values.mapv_inplace(f64::tanh);
            }
            all.push(values);
        }
        all
    }

    /// A row of outputs for each row of inputs.
    pub fn outputs(&self, inputs: &Array2<f64>) -> Array2<f64> {
        self.activations(inputs).pop().expect("there are inputs")
    }

    /// The outputs, and the gradient by the parameters of a cost that is given, with its gradient
    /// by the outputs, by `cost`.
    pub fn value_and_gradient<E>(
        &self,
        inputs: &Array2<f64>,
        cost: impl FnOnce(&Array2<f64>) -> Result<(f64, Array2<f64>), E>,
    ) -> Result<(f64, Array1<f64>), E> {
        let activations = self.activations(inputs);
        let (value, mut slope) = cost(&activations[self.sizes.len() - 1])?;
        let mut gradient = Array1::zeros(self.parameters.len());
        let mut end = gradient.len();
        for (at, (weights, biases)) in self.layers().into_iter().enumerate().rev() {
            let start = end - biases.len();
            gradient.slice_axis_mut(Axis(0), (start..end).into()).assign(&slope.sum_axis(Axis(0)));
            end = start - weights.len();
            let by_weights = activations[at].t().dot(&slope);
            gradient.slice_axis_mut(Axis(0), (end..start).into()).assign(&by_weights.flatten());
            if at > 0 {
                slope = slope.dot(&weights.t());
                // The slope of tanh, by what it gives.
                slope.zip_mut_with(&activations[at], |slope, t| *slope *= 1.0 - t * t);
            }
        }
        Ok((value, gradient))
    }
}

/// A network between units of data and numbers about 1, so that one length of step suits all data.
#[derive(Clone, Debug)]
pub struct Model {
    pub network: Network,
    inputs: [Units; 2],
    outputs: Units,
}

/// value = centre + spread * number
#[derive(Clone, Copy, Debug)]
pub struct Units {
    pub centre: f64,
    pub spread: f64,
}

impl Units {
    pub const NONE: Self = Self { centre: 0.0, spread: 1.0 };

    /// Mean and standard deviation.
    pub fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let count = values.clone().count().max(1) as f64;
        let centre = values.clone().sum::<f64>() / count;
        let spread = (values.map(|x| (x - centre).powi(2)).sum::<f64>() / count).sqrt();
        Self { centre, spread: if spread > 1e-6 { spread } else { 1.0 } }
    }

    /// The median, and the standard deviation.
    pub fn about_median(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let centre = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
        Self { centre, ..Self::of(values.iter().copied()) }
    }
}

impl Model {
    /// `inputs` of the two coordinates, of which a network of one input takes the first.
    pub fn new(network: Network, inputs: [Units; 2], outputs: Units) -> Self {
        Self { network, inputs, outputs }
    }

    /// The inputs of the network, a row for each point.
    pub fn rows(&self, points: &[[f64; 2]]) -> Array2<f64> {
        let width = self.network.sizes[0];
        Array2::from_shape_fn((points.len(), width), |(at, axis)| {
            (points[at][axis] - self.inputs[axis].centre) / self.inputs[axis].spread
        })
    }

    /// A row of scores for each point.
    pub fn scores(&self, points: &[[f64; 2]]) -> Array2<f64> {
        self.to_scores(&self.network.outputs(&self.rows(points)))
    }

    pub fn to_scores(&self, outputs: &Array2<f64>) -> Array2<f64> {
        outputs * self.outputs.spread + self.outputs.centre
    }

    /// The derivative of a score by an output.
    pub fn slope(&self) -> f64 {
        self.outputs.spread
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_is_what_differences_say() {
        for sizes in [&[2, 1][..], &[1, 5, 1], &[2, 4, 3, 2]] {
            let mut random = Random(3);
            let mut network = Network::new(sizes, &mut random);
            let inputs = Array2::from_shape_simple_fn((6, sizes[0]), || random.normal());
            // A cost that is not the same for all outputs.
            let cost = |outputs: &Array2<f64>| {
                let weights =
                    Array2::from_shape_fn(outputs.dim(), |(a, b)| 1.0 + (a + 2 * b) as f64);
                let value = (&weights * &outputs.mapv(f64::sin)).sum();
                Ok::<_, ()>((value, weights * outputs.mapv(f64::cos)))
            };
            let (_, gradient) = network.value_and_gradient(&inputs, cost).unwrap();
            for at in 0..gradient.len() {
                let mut at_distance = |distance: f64| {
                    network.parameters_mut()[at] += distance;
                    let value = cost(&network.outputs(&inputs)).unwrap().0;
                    network.parameters_mut()[at] -= distance;
                    value
                };
                let difference = (at_distance(1e-5) - at_distance(-1e-5)) / 2e-5;
                let error = (gradient[at] - difference).abs();
                assert!(error < 1e-7 * (1.0 + difference.abs()), "{sizes:?} {at}: {error}");
            }
        }
    }

    #[test]
    fn without_hidden_layers_it_is_a_line() {
        let network = Network::new(&[1, 1], &mut Random(1));
        let units = Units { centre: 5.0, spread: 2.0 };
        let model = Model::new(network, [units, Units::NONE], Units { centre: 3.0, spread: 0.5 });
        let scores = model.scores(&[[0.0, 0.0], [5.0, 9.0], [10.0, 0.0]]);
        assert_eq!(scores[[1, 0]], 3.0, "in the middle of the inputs, in that of the outputs");
        assert!((scores[[0, 0]] + scores[[2, 0]] - 2.0 * scores[[1, 0]]).abs() < 1e-12);
        assert_ne!(scores[[0, 0]], scores[[2, 0]]);
    }
}
