//! Python with JAX.

use super::super::Binding;
use super::python::{DEFINITION, RESERVED, bessel, module, number};
use super::writer::{Choice, Dialect};
use super::{Language, Parts};

pub(super) static JAX: Dialect = Dialect {
    language: Language::Jax,
    functions: &[
        ("abs", "jnp.abs"),
        ("sign", "jnp.sign"),
        ("sqrt", "jnp.sqrt"),
        ("exp", "jnp.exp"),
        ("expm1", "jnp.expm1"),
        ("ln", "jnp.log"),
        ("ln1p", "jnp.log1p"),
        ("tanh", "jnp.tanh"),
        ("sigmoid", "jax.nn.sigmoid"),
        ("softplus", "jax.nn.softplus"),
        ("sin", "jnp.sin"),
        ("cos", "jnp.cos"),
        ("atan", "jnp.arctan"),
        ("max", "jnp.maximum"),
        ("min", "jnp.minimum"),
        ("positive_part", "jax.nn.relu"),
        ("xlogy", "jax.scipy.special.xlogy"),
        ("xlog1py", "jax.scipy.special.xlog1py"),
        ("erf", "jax.scipy.special.erf"),
        ("normal_cdf", "jax.scipy.special.ndtr"),
        ("ln_gamma", "jax.scipy.special.gammaln"),
        ("digamma", "jax.scipy.special.digamma"),
        ("trigamma", "jax.scipy.special.polygamma(1, {x})"),
        ("is_nan", "jnp.isnan"),
    ],
    safe: &[],
    helpers: bessel!(
        "jnp.abs",
        "jnp.log",
        "jnp.where",
        "jax.scipy.special.i0e",
        "jax.scipy.special.i1e"
    ),
    reserved: RESERVED,
    and: " & ",
    or: " | ",
    not: "~",
    equal: " == ",
    sides: Binding::Sum,
    choice: Choice::Call("jnp.where({c}, {x}, {y})", "jnp.where({c}, {x}, {y})"),
    power: Some("**"),
    number,
    function: Some(DEFINITION),
    file: |parts: &Parts| {
        module(parts, &[("jax.", "import jax"), ("jnp.", "import jax.numpy as jnp")])
    },
};
