//! Loss functions of deep learning: exact, stable, with gradient and curvature, at memory speed.
//!
//! - A **loss** is the error of one example; a **cost** is the weighted total over many.
//! - Arguments are always in the order **prediction, target**.
//!
//! ```
//! use lossfn::{Cost, losses::regression::Huber};
//!
//! let cost = Cost::new(Huber::new(1.0)?);
//! let value = cost.value(&[0.0, 1.0, 0.0, 1.0, 1.0], &[1.0, 1.0, 0.0, 0.0, 1.0])?;
//! assert_eq!(value, 0.2);
//! # Ok::<(), lossfn::Error>(())
//! ```
//!
//! A loss is one formula over an abstract [`Number`]; its gradient, second derivative, vector
//! kernels and text are derived from it. [`CATALOG`] is the only list of all losses, and
//! `"huber(delta=1.5)".parse::<Loss>()` finds one by name.
#![deny(unsafe_code)]

mod array;
mod card;
mod catalog;
pub mod choose;
mod class_axis;
mod cost;
mod describe;
mod error;
mod formula;
mod kernel;
mod loss;
pub mod losses;
pub mod number;
mod product;
mod softmax;

pub use array::{Array, ArrayMut};
pub use card::{Answer, Card, Fact, How, Property, Term, Variable, Witness};
pub use catalog::{CATALOG, Entry, find, for_task};
pub use class_axis::{ClassAxis, ClassBlock, ClassRow, ClassTargets, Hessian, RowGradients};
pub use cost::{
    Cost, CostState, Denominator, ExactSum, Examples, Head, HeadShare, HeadWeight, Heads,
    HeadsValue, LinearCost, LinearResults, NothingValid, Reduction, Results, Scored,
};
pub use describe::{
    Component, Curvature, Described, Description, Domain, Kind, Known, Parameter, Range, Role,
    RowForm, Source, Task,
};
pub use error::Error;
pub use formula::Language;
pub use kernel::{
    BLOCK, ClassKernels, ClassOutputs, InstructionSet, JointKernels, Outputs, PointwiseKernels,
};
pub use loss::{Ensemble, Form, Joint, Loss, Pointwise, Section};
pub use number::{Formula, Number};

/// The examples of README.md are tested.
#[cfg(doctest)]
mod readme {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
}
