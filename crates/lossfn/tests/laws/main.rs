//! Laws that hold for every loss of the catalog: a new loss is held to them without a line here.

mod catalog;
mod classes;
mod costs;
mod kernels;

use lossfn::{Form, InstructionSet, Loss};
use lossfn_testkit::catalog;
use lossfn_testkit::points::settings;

/// The instruction sets of this machine.
fn available() -> impl Iterator<Item = InstructionSet> {
    InstructionSet::ALL.into_iter().filter(|set| set.is_available())
}

/// Every loss of a form with several values for its parameters.
fn losses(form: Form) -> Vec<Loss> {
    catalog().flat_map(settings).filter(|loss| loss.form() == form).collect()
}

/// Panics if a law has hardly been tried.
fn enough(checked: usize, least: usize) {
    assert!(checked > least || lossfn_testkit::is_part_of_catalog(), "only {checked} checked");
}
