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
    function: Some(Definition {
        open: "{q}def {n}({a}):",
        open_helper: "{q}def {n}({a}):",
        ..DEFINITION
    }),
    file,
};

/// Both values of a choice are computed, and what the one that is not taken is nobody needs to hear.
fn file(parts: &Parts) -> String {
    let imports = [("np.", "import numpy as np"), ("special.", "from scipy import special")];
    let text = module(parts, &imports);
    let mut functions = text.split("{q}");
    let head = functions.next().unwrap_or_default().to_owned();
    functions.fold(head, |text, function| {
        let risks = [" / ", "**", "np.log", "np.exp", "special."];
        let other = function.replace("**2", "");
        let is_risky = other.contains("np.where") && risks.iter().any(|risk| other.contains(risk));
        text + if is_risky { "@np.errstate(all=\"ignore\")\n" } else { "" } + function
    })
}
