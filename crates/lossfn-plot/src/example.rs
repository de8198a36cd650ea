//! An example of a loss of which one number is left open: the place along the axis.

use crate::curves::Order;
use lossfn::{
    ClassBlock, ClassOutputs, ClassTargets, InstructionSet, JointKernels, Loss, Outputs,
    PointwiseKernels,
};

/// Pictures are the same on every machine: no wider set is used.
const SET: InstructionSet = InstructionSet::Portable;

/// How the number along the axis becomes an example.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Example {
    /// The prediction is it times the sign, plus the shift.
    Single { sign: f64, shift: f64, target: f64 },
    /// The one of several predicted numbers at this place.
    Several { numbers: Vec<f64>, open: usize, target: f64 },
    /// The first number of a row, whose target is a share of each class.
    Row { form: Row, target: Vec<f64> },
}

/// What the other numbers of a row are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Row {
    /// These, but for the first.
    Given(Vec<f64>),
    /// Probabilities of so many classes; those of the others are alike.
    Probabilities(usize),
    /// Their logarithms.
    LogProbabilities(usize),
}

impl Row {
    /// The row; none where there are no such probabilities.
    fn with_first(&self, x: f64) -> Option<Vec<f64>> {
        let mut row = match *self {
            Self::Given(ref row) => row.clone(),
            Self::Probabilities(classes) if (0.0..=1.0).contains(&x) => {
                vec![(1.0 - x) / (classes - 1) as f64; classes]
            }
            Self::LogProbabilities(classes) if x <= 0.0 => {
                vec![(-x.exp_m1() / (classes - 1) as f64).ln(); classes]
            }
            _ => return None,
        };
        row[0] = x;
        Some(row)
    }
}

impl Example {
    /// The loss of the example, or a derivative by the number along the axis; NaN where the loss is not
    /// defined.
    pub fn value(&self, loss: &Loss, order: Order, x: f64) -> f64 {
        let domain = |place: usize| loss.description().prediction_domain(place);
        match self {
            Self::Single { sign, shift, target } => {
                let prediction = sign * x + shift;
                match loss.pointwise_kernels() {
                    Some(kernels) if domain(0).contains(prediction) => {
                        let scale = if order == Order::Gradient { *sign } else { 1.0 };
                        scale * single(kernels, order, prediction, *target)
                    }
                    _ => f64::NAN,
                }
            }
            Self::Several { numbers, open, target } => match loss.joint_kernels() {
                Some(kernels) if domain(*open).contains(x) => {
                    let mut numbers = numbers.clone();
                    numbers[*open] = x;
                    several(kernels, order, &numbers, *open, *target)
                }
                _ => f64::NAN,
            },
            Self::Row { form, target } => {
                form.with_first(x).map_or(f64::NAN, |row| of_row(loss, order, &row, target))
            }
        }
    }
}

fn picked(order: Order, value: f64, gradient: f64, second: f64) -> f64 {
    match order {
        Order::Loss => value,
        Order::Gradient => gradient,
        Order::Second => second,
    }
}

fn single(kernels: &dyn PointwiseKernels, order: Order, prediction: f64, target: f64) -> f64 {
    let (mut value, mut gradient, mut second) = ([0.0], [0.0], [0.0]);
    let to = Outputs::new(&mut value, &mut gradient, &mut second);
    kernels.run_f64(SET, &[prediction], &[target], to);
    picked(order, value[0], gradient[0], second[0])
}

fn several(
    kernels: &dyn JointKernels,
    order: Order,
    numbers: &[f64],
    open: usize,
    target: f64,
) -> f64 {
    let mut value = [0.0];
    let (mut gradient, mut second) = (vec![0.0; numbers.len()], vec![0.0; numbers.len()]);
    let to = Outputs::new(&mut value, &mut gradient, &mut second);
    kernels.run_f64(SET, numbers, &[target], to);
    picked(order, value[0], gradient[open], second[open])
}

fn of_row(loss: &Loss, order: Order, row: &[f64], target: &[f64]) -> f64 {
    let Some(kernels) = loss.class_kernels() else { return f64::NAN };
    let block = ClassBlock {
        classes: row.len(),
        prediction: row,
        targets: ClassTargets::Distributions(target),
        class_weights: None,
        smoothing: kernels.smoothing().unwrap_or(0.0),
    };
    let mut value = [0.0];
    let (mut gradient, mut second) = (vec![0.0; row.len()], vec![0.0; row.len()]);
    let to = ClassOutputs { value: &mut value, gradient: &mut gradient, second: &mut second };
    kernels.run_f64(SET, &block, to);
    picked(order, value[0], gradient[0], second[0])
}
