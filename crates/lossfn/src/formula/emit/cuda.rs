//! CUDA C++: what C has, in f32, and a kernel.

use super::super::Binding;
use super::c::{RESERVED, number};
use super::writer::{Choice, Definition, Dialect};
use super::{Language, Parts};
use std::fmt::Write;

pub(super) static CUDA: Dialect = Dialect {
    language: Language::Cuda,
    functions: &[
        ("abs", "fabsf"),
        ("sqrt", "sqrtf"),
        ("exp", "expf"),
        ("expm1", "expm1f"),
        ("ln", "logf"),
        ("ln1p", "log1pf"),
        ("tanh", "tanhf"),
        ("sin", "sinf"),
        ("cos", "cosf"),
        ("atan", "atanf"),
        ("power", "powf"),
        ("erf", "erff"),
        ("normal_cdf", "normcdff"),
        ("ln_gamma", "lgammaf"),
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
    number: |value| number(value, "f"),
    function: Some(Definition {
        comment: "//",
        argument: "float {n}",
        parameter: "float {n}",
        open: "__device__ inline float {n}({a}) {",
        open_helper: "__device__ inline float {n}({a}) {",
        number: "    const float {n} = {t};",
        condition: "    const bool {n} = {t};",
        result: "    return {t};",
        close: "}\n",
        prepare: "",
    }),
    file,
};

fn file(parts: &Parts) -> String {
    let mut arguments: Vec<String> =
        parts.inputs.iter().map(|(column, _)| format!("const float *{column}")).collect();
    let (mut loads, mut call) = (String::new(), Vec::new());
    for (column, name) in &parts.inputs {
        let _ = writeln!(loads, "        const float {name}_i = {column}[i];");
        call.push(format!("{name}_i"));
    }
    call.extend(parts.parameters.iter().map(|(name, _)| name.clone()));
    let call = call.join(", ");
    let mut stores = String::new();
    for result in parts.results.iter().filter(|result| result.order < 2) {
        arguments.push(format!("float *{}", result.column));
        let _ = writeln!(stores, "        {}[i] = {}({call});", result.column, result.function);
    }
    arguments.push("size_t n".into());
    arguments.extend(parts.parameters.iter().map(|(name, _)| format!("float {name}")));
    let values: Vec<String> =
        parts.parameters.iter().map(|(name, value)| format!("{name} = {value:?}")).collect();
    let mut about = parts.comment("//");
    if !values.is_empty() {
        let _ = writeln!(about, "// The parameters: {}.", values.join(", "));
    }
    format!(
        "{about}\n{}\n// The loss and its gradient, for n examples on any grid.\n\
         extern \"C\" __global__ void {}_kernel(\n    {}\n) {{\n    \
         const size_t step = size_t(gridDim.x) * blockDim.x;\n    \
         for (size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step) {{\n\
         {loads}{stores}    }}\n}}\n",
        parts.functions.join("\n"),
        parts.name,
        arguments.join(",\n    "),
    )
}
