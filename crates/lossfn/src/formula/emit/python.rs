//! What the languages in Python share.

use super::Parts;
use super::writer::Definition;

pub(super) const DEFINITION: Definition = Definition {
    comment: "#",
    argument: "{n}",
    parameter: "{n}={v}",
    open: "def {n}({a}):",
    open_helper: "def {n}({a}):",
    number: "    {n} = {t}",
    condition: "    {n} = {t}",
    result: "    return {t}",
    close: "",
    prepare: "",
};

pub(super) const RESERVED: &[&str] = &[
    "False",
    "None",
    "True",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield",
    "abs",
    "max",
    "min",
    "pow",
    "float",
    "np",
    "jnp",
    "jax",
    "torch",
    "tl",
    "triton",
    "libdevice",
    "special",
];

pub(super) fn number(value: f64) -> String {
    if value.is_finite() { format!("{value:?}") } else { format!("float(\"{value}\")") }
}

/// The text of a module with these imports: what it is used as, and how it is imported.
pub(super) fn module(parts: &Parts, imports: &[(&str, &str)]) -> String {
    let imports = imports.iter().filter(|(name, _)| parts.uses(name));
    let imports: String = imports.map(|(_, import)| format!("{import}\n")).collect();
    let separator = if imports.is_empty() { "" } else { "\n\n" };
    format!("{}\n{imports}{separator}{}", parts.comment("#"), parts.functions.join("\n\n"))
}

/// Functions of scaled Bessel functions, in the words of a library.
macro_rules! bessel {
    ($abs:literal, $ln:literal, $choose:literal, $i0e:literal, $i1e:literal) => {
        &[
            ("ln_bessel_i0", concat!(
                "def ln_bessel_i0(x):\n    return ", $ln, "(", $i0e, "(x)) + ", $abs, "(x)\n",
            )),
            ("bessel_ratio", concat!(
                "def bessel_ratio(x):\n    return ", $i1e, "(x) / ", $i0e, "(x)\n",
            )),
            // Of nearly equal numbers nothing is left; beyond, the first terms of its series.
            ("bessel_ratio_slope", concat!(
                "def bessel_ratio_slope(x):\n",
                "    ratio = ", $i1e, "(x) / ", $i0e, "(x)\n",
                "    near = 1.0 - ratio / x - ratio**2\n",
                "    u = 1.0 / x\n",
                "    far = u**2 * (0.5 + u * (0.25 + u * (0.375 + u * (0.78125 + u * 2.03125))))\n",
                "    return ", $choose, "(x < 200.0, near, far)\n",
            )),
        ]
    };
}
pub(super) use bessel;
