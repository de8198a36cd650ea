//! Finds what is wrong with a loss function that one writes oneself, and what is worth knowing about it:
//! wrong and undefined gradients, values that overflow or lose their digits, kinks, negative values, no
//! minimum at the target, non-convexity, unbounded influence; each with its evidence, and with a stable
//! formula where one is known.
//!
//! - [`check`] looks at a loss with a formula, which it evaluates with many digits ([`precise`]).
//! - [`assert_sound`] is that as a test.
//! - [`check_function`] looks at any function of prediction and target, by differences.
#![forbid(unsafe_code)]

mod check;
mod facts;
mod function;
pub mod judge;
pub mod points;
pub mod precise;
mod report;
mod rows;
mod shape;
mod special;
mod stable;

pub use check::{assert_sound, check};
pub use function::{Domains, check_function};
pub use report::{Evidence, Finding, FindingKind, Quantity, Report, Severity};
pub use stable::stable_forms;
