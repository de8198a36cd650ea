//! Examples for any loss of the catalog, for programs that measure how fast it is.

use lossfn::number::Real;
use lossfn::{
    Array, ArrayMut, ClassBlock, ClassKernels, ClassOutputs, ClassTargets, Cost, Entry, Examples,
    Form, InstructionSet, Loss, Outputs, Results, RowForm,
};
use lossfn_check::points::Rng;
use ndarray::ArrayD;
use std::hint::black_box;

/// The results that are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// The cost, or in a kernel the losses.
    Value,
    /// The gradient too.
    Gradient,
    /// The second derivative too.
    Second,
}

/// Random examples of a loss, in its domains. They are the same on every run.
pub struct Batch {
    /// The predictions: one axis, or rows.
    prediction: ArrayD<f64>,
    /// Numbers, or the labels of classes.
    target: ArrayD<f64>,
    has_labels: bool,
    weights: Option<ArrayD<f64>>,
}

impl Batch {
    /// About so many elements; `row` of them make an example, if the loss leaves that open.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn new(entry: &Entry, elements: usize, row: usize) -> Self {
        let description = entry.description;
        let form = entry.with_defaults().form();
        let row = match form {
            Form::Pointwise => 1,
            Form::Joint if !description.components.is_empty() => description.components.len(),
            Form::Joint | Form::ClassAxis => row,
        };
        let examples = elements / row;
        let mut rng = Rng::named(description.id);
        let mut prediction: Vec<f64> = (0..examples * row)
            .map(|at| rng.inside(description.prediction_domain(at % row)))
            .collect();
        if description.row_form == RowForm::ScoreAndThresholds {
            prediction.chunks_mut(row).for_each(|row| row[1..].sort_by(f64::total_cmp));
        }
        let has_labels = form == Form::ClassAxis;
        let target = (0..examples)
            .map(
                |_| if has_labels { rng.below(row) as f64 } else { rng.inside(description.target) },
            )
            .collect();
        let shape = if form == Form::Pointwise { vec![examples] } else { vec![examples, row] };
        let array = |shape: &[usize], numbers| {
            ArrayD::from_shape_vec(shape, numbers).expect("as many numbers as the shape has")
        };
        Self {
            prediction: array(&shape, prediction),
            target: array(&[examples], target),
            has_labels,
            weights: None,
        }
    }

    /// The same examples with weights.
    #[must_use]
    pub fn with_weights(self) -> Self {
        let mut rng = Rng::named("weights");
        let weights = self.target.mapv(|_| rng.between(0.5, 1.5));
        Self { weights: Some(weights), ..self }
    }

    /// The number of predicted numbers.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.prediction.len()
    }

    /// What computes the cost of the examples into memory of its own; `number` makes the type that the
    /// numbers have.
    ///
    /// # Panics
    /// What it returns panics if the cost refuses the examples.
    pub fn cost<T: Copy + 'static>(
        self,
        cost: Cost,
        wanted: Wanted,
        number: fn(f64) -> T,
    ) -> impl FnMut()
    where
        for<'a> Array<'a>: From<&'a ArrayD<T>>,
        for<'a> ArrayMut<'a>: From<&'a mut ArrayD<T>>,
    {
        let prediction = self.prediction.mapv(number);
        let numbers = self.target.mapv(number);
        let labels = self.has_labels.then(|| self.target.mapv(|label| label as i64));
        let weights = self.weights.map(|weights| weights.mapv(number));
        let (mut gradient, mut second) = (prediction.clone(), prediction.clone());
        move || {
            let target: Array<'_> = match &labels {
                Some(labels) => labels.view().into(),
                None => (&numbers).into(),
            };
            let mut examples = Examples::new(&prediction, target);
            if let Some(weights) = &weights {
                examples = examples.weights(weights);
            }
            let mut results = Results::default();
            if wanted >= Wanted::Gradient {
                results = results.gradient(&mut gradient);
            }
            if wanted >= Wanted::Second {
                results = results.second(&mut second);
            }
            let state = cost.compute(&examples, results).expect("the examples are in its domains");
            black_box(state);
        }
    }

    /// What runs the kernel of a loss over the examples, in the instruction set in use.
    pub fn kernel<T: KernelType>(self, loss: Loss, wanted: Wanted) -> impl FnMut() {
        let prediction: Vec<T> = self.prediction.iter().map(|&x| T::from_f64(x)).collect();
        let target: Vec<T> = self.target.iter().map(|&x| T::from_f64(x)).collect();
        let labels: Vec<_> = self.target.iter().map(|&label| Some(label as usize)).collect();
        let has = |least| if wanted >= least { prediction.len() } else { 0 };
        let mut gradient = vec![T::from_f64(0.0); has(Wanted::Gradient)];
        let mut second = vec![T::from_f64(0.0); has(Wanted::Second)];
        let mut values = vec![T::from_f64(0.0); target.len()];
        let mut row_values = vec![0.0; target.len()];
        move || {
            if let Some(kernels) = loss.class_kernels() {
                let block = ClassBlock {
                    classes: prediction.len() / labels.len(),
                    prediction: &prediction,
                    targets: ClassTargets::Labels(&labels),
                    class_weights: None,
                    smoothing: kernels.smoothing().unwrap_or_default(),
                };
                let (gradient, second) = (&mut gradient, &mut second);
                T::rows(kernels, &block, ClassOutputs { value: &mut row_values, gradient, second });
            } else {
                let (gradient, second) = (&mut gradient, &mut second);
                let to = Outputs::new(&mut values, gradient, second);
                T::numbers(&loss, &prediction, &target, to);
            }
            black_box((&values, &row_values, &gradient, &second));
        }
    }
}

/// The types that kernels compute in.
pub trait KernelType: Real {
    /// Runs a kernel over class rows.
    fn rows(kernels: &dyn ClassKernels, block: &ClassBlock<Self>, to: ClassOutputs<Self>);
    /// Runs the kernel of a loss of one or several predicted numbers.
    fn numbers(loss: &Loss, prediction: &[Self], target: &[Self], to: Outputs<Self>);
}

macro_rules! kernel_type {
    ($type:ident, $run:ident) => {
        impl KernelType for $type {
            fn rows(kernels: &dyn ClassKernels, block: &ClassBlock<Self>, to: ClassOutputs<Self>) {
                kernels.$run(InstructionSet::in_use(), block, to);
            }
            fn numbers(loss: &Loss, prediction: &[Self], target: &[Self], to: Outputs<Self>) {
                let set = InstructionSet::in_use();
                if let Some(kernels) = loss.pointwise_kernels() {
                    kernels.$run(set, prediction, target, to);
                } else if let Some(kernels) = loss.joint_kernels() {
                    kernels.$run(set, prediction, target, to);
                }
            }
        }
    };
}
kernel_type!(f32, run_f32);
kernel_type!(f64, run_f64);

/// A loss of the catalog by its name.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn loss(name: &str) -> Loss {
    name.parse().expect("a loss of the catalog")
}
