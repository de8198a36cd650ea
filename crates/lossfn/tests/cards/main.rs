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
