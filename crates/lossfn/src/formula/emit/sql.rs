//! SQL: one query, without functions of its own. What may raise an error in some database, as the
//! logarithm of 0 and numbers that are too large or too small do, is left out by a condition. Since
//! `PostgreSQL` raises one for products below 1e-308, exponentials below e^-200 and powers below e^-400 are
//! 0.

use super::super::Binding;
use super::writer::{Choice, Dialect, Sign};
use super::{Language, Parts};
use std::fmt::Write;

pub(super) static SQL: Dialect = Dialect {
    language: Language::Sql,
    functions: &[
        ("abs", "abs"),
        ("sign", "CASE WHEN {x} > 0.0 THEN 1.0 WHEN {x} < 0.0 THEN -1.0 ELSE 0.0 END"),
        ("sqrt", "CASE WHEN {x} >= 0.0 THEN sqrt({x}) END"),
        (
            "exp",
            "CASE WHEN {x} < -200.0 THEN 0.0 WHEN {x} > 709.78 THEN infinity ELSE exp({x}) END",
        ),
        (
            "expm1",
            "CASE WHEN abs({x}) < 1.0 THEN 2.0 * tanh({x} / 2.0) / (1.0 - tanh({x} / 2.0)) \
             WHEN {x} < -200.0 THEN -1.0 WHEN {x} > 709.78 THEN infinity ELSE exp({x}) - 1.0 END",
        ),
        ("ln", "CASE WHEN {x} > 0.0 THEN ln({x}) WHEN {x} = 0.0 THEN -infinity END"),
        (
            "ln1p",
            "CASE WHEN 1.0 + {x} = 1.0 THEN {x} WHEN {x} > 1e15 THEN ln({x}) \
             WHEN {x} > -1.0 THEN ln(1.0 + {x}) * ({x} / ((1.0 + {x}) - 1.0)) \
             WHEN {x} = -1.0 THEN -infinity END",
        ),
        ("tanh", "tanh"),
        ("sin", "sin"),
        ("cos", "cos"),
        ("atan", "atan"),
        ("max", "CASE WHEN {x} < {y} THEN {y} ELSE {x} END"),
        ("min", "CASE WHEN {y} < {x} THEN {y} ELSE {x} END"),
        ("positive_part", "CASE WHEN {x} > 0.0 THEN {x} ELSE 0.0 END"),
        (
            "xlogy",
            "CASE WHEN {x} = 0.0 THEN 0.0 WHEN {y} > 0.0 THEN {x} * ln({y}) \
             WHEN {y} = 0.0 THEN -{x} * infinity END",
        ),
        (
            "divide",
            "CASE WHEN {y} <> 0.0 THEN {x} / {y} WHEN {x} > 0.0 THEN infinity \
             WHEN {x} < 0.0 THEN -infinity END",
        ),
        (
            "power",
            "CASE WHEN {x} > 0.0 THEN CASE WHEN {y} * ln({x}) < -400.0 THEN 0.0 \
             WHEN {y} * ln({x}) > 709.78 THEN infinity ELSE power({x}, {y}) END \
             WHEN {x} = 0.0 THEN CASE WHEN {y} < 0.0 THEN infinity WHEN {y} = 0.0 THEN 1.0 \
             ELSE 0.0 END END",
        ),
        ("is_nan", "{x} IS NULL OR {x} = 'NaN'"),
    ],
    safe: &[
        ("sqrt", Sign::NonNegative, "sqrt"),
        ("ln", Sign::Positive, "ln"),
        // By the sign of the exponent.
        (
            "power",
            Sign::Positive,
            "CASE WHEN {x} > 0.0 THEN CASE WHEN {y} * ln({x}) < -400.0 THEN 0.0 \
             WHEN {y} * ln({x}) > 709.78 THEN infinity ELSE power({x}, {y}) END \
             WHEN {x} = 0.0 THEN 0.0 END",
        ),
        (
            "power",
            Sign::NonPositive,
            "CASE WHEN {x} > 0.0 THEN CASE WHEN {y} * ln({x}) < -400.0 THEN 0.0 \
             WHEN {y} * ln({x}) > 709.78 THEN infinity ELSE power({x}, {y}) END \
             WHEN {x} = 0.0 THEN infinity END",
        ),
        ("divide", Sign::Positive, "CASE WHEN {y} <> 0.0 THEN {x} / {y} ELSE infinity END"),
        ("exp", Sign::NonPositive, "CASE WHEN {x} < -200.0 THEN 0.0 ELSE exp({x}) END"),
        (
            "ln1p",
            Sign::NonNegative,
            "CASE WHEN 1.0 + {x} = 1.0 THEN {x} WHEN {x} > 1e15 THEN ln({x}) \
             ELSE ln(1.0 + {x}) * ({x} / ((1.0 + {x}) - 1.0)) END",
        ),
    ],
    helpers: &[],
    reserved: &[
        "all", "and", "any", "array", "as", "between", "by", "case", "cast", "check", "column",
        "cross", "default", "desc", "distinct", "do", "else", "end", "false", "for", "from",
        "full", "group", "having", "in", "index", "inner", "is", "join", "left", "like", "limit",
        "not", "null", "offset", "on", "or", "order", "right", "rows", "select", "table", "then",
        "to", "true", "union", "user", "using", "when", "where", "window", "with",
    ],
    and: " AND ",
    or: " OR ",
    not: "NOT ",
    equal: " = ",
    sides: Binding::Or,
    choice: Choice::Case,
    power: None,
    number: |value| {
        if value.is_nan() {
            "NULL".into()
        } else if value.is_infinite() {
            if value < 0.0 { "-infinity".into() } else { "infinity".into() }
        } else {
            format!("{value:?}")
        }
    },
    function: None,
    file,
};

fn file(parts: &Parts) -> String {
    let Some(body) = parts.body else { return String::new() };
    let columns: Vec<&str> = parts.inputs.iter().map(|(column, _)| column.as_str()).collect();
    let mut text = parts.comment("--");
    let _ = writeln!(
        text,
        "-- For each row of a table predictions({}); its other columns can be selected too.\n\
         -- NULL and NaN stay what they are; what has no value is NULL.",
        columns.join(", ")
    );
    let mut given: Vec<String> = parts
        .inputs
        .iter()
        .map(|(column, name)| format!("CAST({column} AS DOUBLE PRECISION) AS {name}"))
        .collect();
    let texts = body.lets.iter().map(|part| &part.text).chain(&body.results);
    if texts.into_iter().any(|text| text.contains("infinity")) {
        // SQLite reads no text as infinity, and PostgreSQL no number.
        let infinity = "CAST('Infinity' AS DOUBLE PRECISION)";
        given.push(format!("CASE WHEN {infinity} > 0 THEN {infinity} ELSE 9e999 END AS infinity"));
    }
    let mut steps = vec![("given".to_owned(), "predictions".to_owned(), given)];
    let depth = body.lets.iter().map(|part| part.depth + 1).max().unwrap_or(0);
    for level in 0..depth {
        let parts = body.lets.iter().filter(|part| part.depth == level);
        let parts = parts.map(|part| format!("{} AS {}", part.text, part.name)).collect();
        let before = steps.last().map(|(name, ..)| name.clone()).unwrap_or_default();
        steps.push((format!("step{}", level + 1), before, parts));
    }
    let queries: Vec<String> = steps
        .iter()
        .map(|(name, from, parts)| {
            format!(
                "{name} AS (\n    SELECT *,\n        {}\n    FROM {from}\n)",
                parts.join(",\n        ")
            )
        })
        .collect();
    let last = steps.last().map(|(name, ..)| name.as_str()).unwrap_or_default();
    let results = parts.results.iter().zip(&body.results);
    let results: Vec<String> = columns
        .iter()
        .map(|column| (*column).to_owned())
        .chain(results.map(|(output, text)| format!("{text} AS {}", output.column)))
        .collect();
    let _ = writeln!(
        text,
        "WITH {}\nSELECT\n    {}\nFROM {last};",
        queries.join(", "),
        results.join(",\n    ")
    );
    text
}
