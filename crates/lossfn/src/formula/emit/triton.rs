//! Python with Triton: functions for its compiler, and a kernel.

use super::super::Binding;
use super::python::{DEFINITION, RESERVED, module, number};
use super::writer::{Choice, Definition, Dialect};
use super::{Language, Parts};
use std::fmt::Write;

pub(super) static TRITON: Dialect = Dialect {
    language: Language::Triton,
    functions: &[
        ("abs", "tl.abs"),
        ("sqrt", "tl.sqrt"),
        ("exp", "tl.exp"),
        ("expm1", "libdevice.expm1"),
        ("ln", "tl.log"),
        ("ln1p", "libdevice.log1p"),
        ("tanh", "libdevice.tanh"),
        ("sin", "tl.sin"),
        ("cos", "tl.cos"),
        ("atan", "libdevice.atan"),
        ("max", "tl.maximum({x}, {y}, propagate_nan=tl.PropagateNan.ALL)"),
        ("min", "tl.minimum({x}, {y}, propagate_nan=tl.PropagateNan.ALL)"),
        ("power", "libdevice.pow"),
        ("erf", "libdevice.erf"),
        ("normal_cdf", "libdevice.normcdf"),
        ("ln_gamma", "libdevice.lgamma"),
        ("is_nan", "({x} != {x})"),
    ],
    safe: &[],
    helpers: &[],
    reserved: RESERVED,
    and: " & ",
    or: " | ",
    not: "~",
    equal: " == ",
    sides: Binding::Sum,
    choice: Choice::Call("tl.where({c}, {x}, {y})", "tl.where({c}, {x}, {y})"),
    power: None,
    number,
    function: Some(Definition {
        parameter: "{n}",
        open: "@triton.jit\ndef {n}({a}):",
        open_helper: "@triton.jit\ndef {n}({a}):",
        ..DEFINITION
    }),
    file,
};

fn file(parts: &Parts) -> String {
    let imports = [
        ("triton.", "import triton\nimport triton.language as tl"),
        ("libdevice.", "from triton.language.extra import libdevice"),
    ];
    let (mut arguments, mut inside, mut call) = (Vec::new(), String::new(), Vec::new());
    for (column, name) in &parts.inputs {
        arguments.push(format!("{column}_pointer"));
        let _ = writeln!(inside, "    {name} = tl.load({column}_pointer + i, mask=mask)");
        call.push(name.clone());
    }
    call.extend(parts.parameters.iter().map(|(name, _)| name.clone()));
    let call = call.join(", ");
    for result in parts.results.iter().filter(|result| result.order < 2) {
        let column = &result.column;
        arguments.push(format!("{column}_pointer"));
        let function = &result.function;
        let _ =
            writeln!(inside, "    tl.store({column}_pointer + i, {function}({call}), mask=mask)");
    }
    arguments.push("n".into());
    arguments
        .extend(parts.parameters.iter().map(|(name, value)| format!("{name}={}", number(*value))));
    arguments.push("BLOCK: tl.constexpr = 1024".into());
    let name = &parts.name;
    module(parts, &imports)
        + &format!(
            "\n\n# The loss and its gradient of n examples, for a grid of triton.cdiv(n, BLOCK) programs.\n\
             @triton.jit\ndef {name}_kernel({}):\n    \
             i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)\n    mask = i < n\n{inside}",
            arguments.join(", ")
        )
}
