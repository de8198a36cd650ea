//! Python with `NumPy`, and SciPy for special functions alone.

use super::super::Binding;
use super::python::{DEFINITION, RESERVED, bessel, module, number};
use super::writer::{Choice, Definition, Dialect};
use super::{Language, Parts};

pub(super) static NUMPY: Dialect = Dialect {
    language: Language::Numpy,
    functions: &[
        ("abs", "np.abs"),
        ("sign", "np.sign"),
        ("sqrt", "np.sqrt"),
        ("exp", "np.exp"),
        ("expm1", "np.expm1"),
        ("ln", "np.log"),
        ("ln1p", "np.log1p"),
        ("tanh", "np.tanh"),
        ("softplus", "np.logaddexp(0.0, {x})"),
        ("sin", "np.sin"),
        ("cos", "np.cos"),
        ("atan", "np.arctan"),
        ("max", "np.maximum"),
        ("min", "np.minimum"),
        ("positive_part", "np.maximum({x}, 0.0)"),
        ("erf", "special.erf"),
        ("normal_cdf", "special.ndtr"),
        ("ln_gamma", "special.gammaln"),
        ("digamma", "special.digamma"),
        ("trigamma", "special.polygamma(1, {x})"),
        ("is_nan", "np.isnan"),
    ],
    safe: &[],
    helpers: bessel!("np.abs", "np.log", "np.where", "special.i0e", "special.i1e"),
    reserved: RESERVED,
    and: " & ",
    or: " | ",
    not: "~",
    equal: " == ",
    sides: Binding::Sum,
    choice: Choice::Call("np.where({c}, {x}, {y})", "np.where({c}, {x}, {y})"),
    power: Some("**"),
    number,
    // Both values of a choice are computed, and the one that is not taken may be anything.
    function: Some(Definition {
        open: "@np.errstate(all=\"ignore\")\ndef {n}({a}):",
        ..DEFINITION
    }),
    file: |parts: &Parts| {
        module(parts, &[("np.", "import numpy as np"), ("special.", "from scipy import special")])
    },
};
