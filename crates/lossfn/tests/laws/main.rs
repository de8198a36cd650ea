//! Laws that hold for every loss of the catalog: a new loss is held to them without a line here.

mod catalog;
mod classes;
mod costs;
mod kernels;

use lossfn::{InstructionSet, Loss};
use lossfn_testkit::catalog;
use lossfn_testkit::points::settings;

/// The instruction sets of this machine.
fn available() -> impl Iterator<Item = InstructionSet> {
    InstructionSet::ALL.into_iter().filter(|set| set.is_available())
}

/// Every loss with several values for its parameters: the pointwise ones, or those over classes.
fn losses(has_class_axis: bool) -> Vec<Loss> {
    let all = catalog().flat_map(settings);
    all.filter(|loss| loss.has_class_axis() == has_class_axis).collect()
}

/// Panics with everything that is wrong.
fn none_wrong(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Panics if a law has hardly been tried.
fn enough(checked: usize, least: usize) {
    assert!(checked > least || lossfn_testkit::is_part_of_catalog(), "only {checked} checked");
}
