//! WGSL: f32 alone, few functions, and parameters that are set when the pipeline is made.

use super::super::Binding;
use super::writer::{Choice, Definition, Dialect};
use super::{Language, Parts};
use std::fmt::Write;

pub(super) static WGSL: Dialect = Dialect {
    language: Language::Wgsl,
    functions: &[
        ("abs", "abs"),
        ("sqrt", "sqrt"),
        ("exp", "exp"),
        ("ln", "log"),
        ("sin", "sin"),
        ("cos", "cos"),
        ("atan", "atan"),
        ("power", "pow"),
        ("is_nan", "({x} != {x})"),
    ],
    safe: &[],
    helpers: &[],
    reserved: &[
        "array",
        "atomic",
        "bool",
        "break",
        "case",
        "const",
        "continue",
        "default",
        "discard",
        "else",
        "enable",
        "f16",
        "f32",
        "false",
        "fn",
        "for",
        "function",
        "i32",
        "if",
        "let",
        "loop",
        "override",
        "private",
        "return",
        "storage",
        "struct",
        "switch",
        "true",
        "u32",
        "uniform",
        "var",
        "while",
        "workgroup",
        "active",
        "as",
        "auto",
        "class",
        "common",
        "delete",
        "do",
        "enum",
        "export",
        "extern",
        "external",
        "filter",
        "final",
        "from",
        "get",
        "goto",
        "highp",
        "impl",
        "import",
        "inline",
        "interface",
        "layout",
        "lowp",
        "macro",
        "match",
        "mediump",
        "meta",
        "mod",
        "module",
        "move",
        "mut",
        "namespace",
        "new",
        "nil",
        "null",
        "of",
        "operator",
        "package",
        "pass",
        "patch",
        "precise",
        "precision",
        "private",
        "protected",
        "public",
        "ref",
        "regardless",
        "resource",
        "restrict",
        "self",
        "set",
        "shared",
        "smooth",
        "static",
        "std",
        "super",
        "target",
        "template",
        "this",
        "throw",
        "trait",
        "try",
        "type",
        "union",
        "unless",
        "using",
        "virtual",
        "volatile",
        "where",
        "with",
        "yield",
        "main",
        "i",
        "id",
        "abs",
        "max",
        "min",
        "sign",
        "exp",
        "log",
        "pow",
        "sin",
        "cos",
        "tan",
        "atan",
        "tanh",
        "sqrt",
        "step",
        "mix",
        "length",
        "distance",
        "select",
    ],
    and: " && ",
    or: " || ",
    not: "!",
    equal: " == ",
    // && and || are not mixed without parentheses.
    sides: Binding::Compare,
    choice: Choice::Call("select({y}, {x}, {c})", "select({y}, {x}, {c})"),
    power: None,
    number: |value| {
        // Larger numbers, infinity among them, cannot be written in f32.
        let limit = f64::from(f32::MAX);
        format!("{:?}f", (value.clamp(-limit, limit) as f32))
    },
    function: Some(Definition {
        comment: "//",
        argument: "{n}: f32",
        parameter: "",
        open: "fn {n}({a}) -> f32 {",
        open_helper: "fn {n}({a}) -> f32 {",
        number: "    let {n} = {t};",
        condition: "    let {n} = {t};",
        result: "    return {t};",
        close: "}\n",
        prepare: "",
    }),
    file,
};

fn file(parts: &Parts) -> String {
    let mut text = parts.comment("//");
    text += "// A shader may take NaN for a number that cannot occur: there, NaN is not sure to stay NaN.\n\n";
    for (name, value) in &parts.parameters {
        let _ = writeln!(text, "override {name}: f32 = {};", (WGSL.number)(*value));
    }
    if !parts.parameters.is_empty() {
        text.push('\n');
    }
    let mut bindings = String::new();
    let mut call = Vec::new();
    for (place, (column, _)) in parts.inputs.iter().enumerate() {
        let _ = writeln!(
            bindings,
            "@group(0) @binding({place}) var<storage, read> {column}_of: array<f32>;"
        );
        call.push(format!("{column}_of[i]"));
    }
    let call = call.join(", ");
    let mut stores = String::new();
    let results = parts.results.iter().filter(|result| result.order < 2);
    for (place, result) in results.enumerate() {
        let (place, column) = (place + parts.inputs.len(), &result.column);
        let _ = writeln!(
            bindings,
            "@group(0) @binding({place}) var<storage, read_write> {column}_of: array<f32>;"
        );
        let _ = writeln!(stores, "    {column}_of[i] = {}({call});", result.function);
    }
    text + &parts.functions.join("\n")
        + "\n"
        + &bindings
        + "\n// The loss and its gradient, for each example.\n\
           @compute @workgroup_size(64)\n\
           fn main(@builtin(global_invocation_id) id: vec3<u32>) {\n    let i = id.x;\n    \
           if (i >= arrayLength(&loss_of)) {\n        return;\n    }\n"
        + &stores
        + "}\n"
}
