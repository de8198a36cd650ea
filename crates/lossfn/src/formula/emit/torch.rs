//! Python with `PyTorch`.

use super::super::Binding;
use super::python::{DEFINITION, RESERVED, bessel, module, number};
use super::writer::{Choice, Definition, Dialect};
use super::{Language, Parts};

pub(super) static TORCH: Dialect = Dialect {
    language: Language::Torch,
    functions: &[
        ("abs", "torch.abs"),
        ("sqrt", "torch.sqrt"),
        ("exp", "torch.exp"),
        ("expm1", "torch.expm1"),
        ("ln", "torch.log"),
        ("ln1p", "torch.log1p"),
        ("tanh", "torch.tanh"),
        ("sigmoid", "torch.sigmoid"),
        ("sin", "torch.sin"),
        ("cos", "torch.cos"),
        ("atan", "torch.atan"),
        ("max", "torch.clamp({x}, min={y})"),
        ("min", "torch.clamp({x}, max={y})"),
        ("positive_part", "torch.relu"),
        ("xlogy", "torch.special.xlogy"),
        ("xlog1py", "torch.special.xlog1py"),
        ("erf", "torch.special.erf"),
        ("normal_cdf", "torch.special.ndtr"),
        ("ln_gamma", "torch.special.gammaln"),
        ("digamma", "torch.special.digamma"),
        ("trigamma", "torch.special.polygamma(1, {x})"),
        ("is_nan", "torch.isnan"),
    ],
    safe: &[],
    helpers: HELPERS,
    reserved: RESERVED,
    and: " & ",
    or: " | ",
    not: "~",
    equal: " == ",
    sides: Binding::Sum,
    choice: Choice::Call(
        "torch.where({c}, {x}, {y})",
        "torch.where({c}, torch.full_like({p}, {x}), {y})",
    ),
    power: Some("**"),
    number,
    function: Some(Definition {
        prepare: "    {n} = torch.as_tensor({n}, dtype={p}.dtype, device={p}.device)",
        ..DEFINITION
    }),
    file: |parts: &Parts| module(parts, &[("torch.", "import torch")]),
};

const HELPERS: &[(&str, &str)] = &[
    // torch.sign loses NaN.
    ("sign", "def sign(x):\n    return torch.where(torch.isnan(x), x, torch.sign(x))\n"),
    // torch's own softplus is linear from 20 on; automatic derivatives of this one are right at 0 too.
    ("softplus", "def softplus(x):\n    return -torch.nn.functional.logsigmoid(-x)\n"),
    BESSEL[0],
    BESSEL[1],
    BESSEL[2],
];
const BESSEL: &[(&str, &str); 3] =
    bessel!("torch.abs", "torch.log", "torch.where", "torch.special.i0e", "torch.special.i1e");
