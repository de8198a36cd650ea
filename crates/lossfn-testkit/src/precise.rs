//! Formulas evaluated with many digits.
