//! x
#![forbid(unsafe_code)]

pub mod judge;
pub mod points;
pub mod precise;
mod special;
