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

/// Losses that do not yet keep the ceilings everywhere, and where they do not. What is off is printed
/// and not forgotten; all other laws hold for them, too.
const OPEN: &[(&str, &str)] = &[
    ("periodic", "residuals of millions of turns, whose product with the frequency is rounded"),
    ("poisson", "rates and targets about the largest number"),
    ("poisson_log_link", "targets about the largest number"),
    ("tweedie", "means and targets about the largest and smallest numbers, powers far beyond 3"),
    ("tweedie_log_link", "targets about the largest number, powers far beyond 3"),
    ("negative_binomial", "means and targets about the largest number"),
    ("negative_binomial_log_link", "scores and targets about the largest number"),
    ("inverse_gaussian_log_link", "targets about the largest number"),
    ("quality_focal", "second derivatives beside their zeros"),
    ("jensen_shannon", "limits at probability 0, which no quotient shows"),
    ("beta_nll", "shapes about the smallest numbers"),
    ("von_mises_nll", "angles of many turns in f32"),
    ("student_t_nll", "degrees of freedom below 1"),
];

/// Panics with everything that is wrong.
fn none_wrong(wrong: &[String]) {
    let is_open = |line: &&String| {
        let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.any(|word| OPEN.iter().any(|(id, _)| *id == word))
    };
    let (open, wrong): (Vec<&String>, Vec<&String>) = wrong.iter().partition(is_open);
    for line in &open {
        println!("open: {line}");
    }
    let lines: Vec<&str> = wrong.iter().map(|line| line.as_str()).collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), lines.join("\n"));
}

/// Panics if a law has hardly been tried.
fn enough(checked: usize, least: usize) {
    assert!(checked > least || lossfn_testkit::is_part_of_catalog(), "only {checked} checked");
}
