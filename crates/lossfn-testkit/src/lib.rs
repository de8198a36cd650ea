//! What the tests of lossfn share: golden values, distances in units of the last place, points to
//! try, and formulas evaluated with many digits.

#![forbid(unsafe_code)]

pub mod golden;
pub mod judge;
pub mod outcome;
pub mod points;
pub mod precise;
mod special;

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

/// How many representable numbers lie between two f64; NaN is at distance 0 from NaN alone.
#[must_use]
pub fn ulps_f64(a: f64, b: f64) -> u64 {
    if a.is_nan() || b.is_nan() {
        return if a.is_nan() && b.is_nan() { 0 } else { u64::MAX };
    }
    let place = |x: f64| {
        let bits = x.to_bits() as i64;
        if bits < 0 { i64::MIN.wrapping_sub(bits) } else { bits }
    };
    place(a).abs_diff(place(b))
}

/// How many representable numbers lie between two f32; NaN is at distance 0 from NaN alone.
#[must_use]
pub fn ulps_f32(a: f32, b: f32) -> u64 {
    if a.is_nan() || b.is_nan() {
        return if a.is_nan() && b.is_nan() { 0 } else { u64::MAX };
    }
    let place = |x: f32| {
        let bits = x.to_bits() as i32;
        if bits < 0 { i32::MIN.wrapping_sub(bits) } else { bits }
    };
    u64::from(place(a).abs_diff(place(b)))
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
