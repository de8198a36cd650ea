//! What the tests of lossfn share: golden values, and what `lossfn-check` judges losses with: points
//! to try, and formulas evaluated with many digits.

#![forbid(unsafe_code)]

pub mod golden;
pub mod outcome;

pub use lossfn_check::judge::{ulps_f32, ulps_f64};
pub use lossfn_check::{judge, points, precise};

use lossfn::{CATALOG, Entry};
use std::path::PathBuf;

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Fails with everything that is wrong, if anything is.
///
/// # Panics
/// If `wrong` is not empty.
pub fn none_wrong(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The environment variable that names the losses to be tested, as `huber,hinge`, while one is at work
/// on these; without it all are.
const SELECTION: &str = "LOSSFN_TEST_LOSSES";

/// Whether only some of the losses are tested.
#[must_use]
pub fn is_part_of_catalog() -> bool {
    std::env::var_os(SELECTION).is_some()
}

/// The losses that are tested.
pub fn catalog() -> impl Iterator<Item = &'static Entry> {
    let named = std::env::var(SELECTION).ok();
    CATALOG.iter().filter(move |entry| {
        let is_named = |named: &String| named.split(',').any(|id| id == entry.description.id);
        named.as_ref().is_none_or(is_named)
    })
}
