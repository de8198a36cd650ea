//! Formulas as text.

mod print;
