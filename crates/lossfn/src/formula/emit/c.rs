//! C99, and what CUDA shares with it.

use super::super::Binding;
use super::writer::{Choice, Definition, Dialect};
use super::{Language, Parts};

pub(super) static C: Dialect = Dialect {
    language: Language::C,
    functions: &[
        ("abs", "fabs"),
        ("sqrt", "sqrt"),
        ("exp", "exp"),
        ("expm1", "expm1"),
        ("ln", "log"),
        ("ln1p", "log1p"),
        ("tanh", "tanh"),
        ("sin", "sin"),
        ("cos", "cos"),
        ("atan", "atan"),
        ("power", "pow"),
        ("erf", "erf"),
        ("normal_cdf", "0.5 * erfc({x} * -0.7071067811865476)"),
        ("ln_gamma", "lgamma"),
        ("is_nan", "isnan"),
    ],
    safe: &[],
    helpers: &[],
    reserved: RESERVED,
    and: " && ",
    or: " || ",
    not: "!",
    equal: " == ",
    sides: Binding::Or,
    choice: Choice::Ternary,
    power: None,
    number: |value| number(value, ""),
    function: Some(Definition {
        comment: "//",
        argument: "double {n}",
        parameter: "double {n}",
        open: "double {n}({a}) {",
        open_helper: "static inline double {n}({a}) {",
        number: "    const double {n} = {t};",
        condition: "    const bool {n} = {t};",
        result: "    return {t};",
        close: "}\n",
        prepare: "",
    }),
    file,
};

/// Words of C and C++, and names of their libraries that a loss, a parameter or a part may have too.
pub(super) const RESERVED: &[&str] = &[
    "auto",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "const",
    "continue",
    "default",
    "delete",
    "do",
    "double",
    "else",
    "enum",
    "explicit",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "namespace",
    "new",
    "operator",
    "private",
    "protected",
    "public",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "switch",
    "template",
    "this",
    "throw",
    "true",
    "try",
    "typedef",
    "typename",
    "union",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "while",
    "gamma",
    "index",
    "abs",
    "max",
    "min",
    "exp",
    "log",
    "pow",
    "sin",
    "cos",
    "tan",
    "erf",
];

pub(super) fn number(value: f64, suffix: &str) -> String {
    if value.is_nan() {
        "NAN".into()
    } else if value.is_infinite() {
        if value < 0.0 { "-INFINITY".into() } else { "INFINITY".into() }
    } else {
        format!("{value:?}{suffix}")
    }
}

fn file(parts: &Parts) -> String {
    let values: Vec<String> =
        parts.parameters.iter().map(|(name, value)| format!("{name} = {value:?}")).collect();
    let mut text = parts.comment("//");
    if !values.is_empty() {
        text += &format!("// The parameters: {}.\n", values.join(", "));
    }
    text += "\n#include <math.h>\n";
    if parts.uses("const bool") {
        text += "#include <stdbool.h>\n";
    }
    text + "\n" + &parts.functions.join("\n")
}
