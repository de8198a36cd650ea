//! Results as text: tables for people, JSON and CSV for programs.

use crate::args::Format;
use crate::error::CliError;
use crate::eval::engine::FoundRow;
use crate::eval::state::State;
use crate::eval::totals::CostlyRow;
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};
use lossfn::Denominator;
use serde::Serialize;
use serde_json::{Value, json};
use std::io::IsTerminal;

/// JSON with an end of line.
pub fn json_text(value: &impl Serialize) -> String {
    // Values made here have text keys and no numbers that JSON lacks.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// One line of CSV.
pub fn csv_line(fields: &[String]) -> String {
    let quote = |field: &String| {
        if field.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field.clone()
        }
    };
    fields.iter().map(quote).collect::<Vec<_>>().join(",") + "\n"
}

/// CSV with a header.
pub fn csv_text(header: &[String], rows: &[Vec<String>]) -> String {
    std::iter::once(header.to_vec()).chain(rows.iter().cloned()).map(|row| csv_line(&row)).collect()
}

/// A table for people; `right` are the columns of numbers.
pub fn table_text(header: &[String], rows: &[Vec<String>], right: &[usize]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    if !std::io::stdout().is_terminal() {
        // There is no window whose width could be asked.
        table.set_width(110);
    }
    let cell = |(column, text): (usize, &String)| {
        let cell = Cell::new(text);
        if right.contains(&column) { cell.set_alignment(CellAlignment::Right) } else { cell }
    };
    let bold = |cell: Cell| cell.add_attribute(Attribute::Bold);
    table.set_header(header.iter().enumerate().map(cell).map(bold));
    for row in rows {
        table.add_row(row.iter().enumerate().map(cell));
    }
    table.to_string() + "\n"
}

/// A number as a person reads it: seven significant digits.
fn brief(x: f64) -> String {
    let size = x.abs();
    if !x.is_finite() || x.fract() == 0.0 && size < 1e10 {
        return format!("{x}");
    }
    if !(1e-5..1e10).contains(&size) {
        return format!("{x:.6e}");
    }
    let decimals = (6 - size.log10().floor() as i32).max(0) as usize;
    format!("{x:.decimals$}")
}

/// A number in JSON; infinities and NaN as text.
fn json_number(x: f64) -> Value {
    if x.is_finite() { json!(x) } else { json!(number::text(x)) }
}

/// The answer of `eval` and `merge`.
pub fn result_text(state: &State, format: Format) -> Result<String, CliError> {
    let question = &state.question;
    let costs = question.costs()?;
    // Every mean is taken before anything is written: one may be an error.
    let mut entries = Vec::new();
    for group in &state.groups {
        for (at, cost) in costs.iter().enumerate() {
            let of_state = &group.states[at];
            let value = cost.value_of_state(of_state).map_err(|error| {
                let key = group.key.join(", ");
                let of = if key.is_empty() { String::new() } else { format!(" of group {key}") };
                CliError::message(format!(
                    "the mean of {}{of}: {error} (--nothing-valid nan or zero)",
                    question.losses[at]
                ))
            })?;
            entries.push((group, at, value, of_state));
        }
    }
    if entries.is_empty() {
        return Err(CliError::message("there are no rows"));
    }
    let reduction = serde_json::to_value(question.reduction).unwrap_or_default();
    let reduction = reduction.as_str().unwrap_or_default();
    Ok(match format {
        Format::Json => {
            let costs: Vec<Value> = entries
                .iter()
                .map(|(group, at, value, of_state)| {
                    let key: serde_json::Map<_, _> =
                        question.by.iter().cloned().zip(group.key.iter().map(|k| json!(k))).collect();
                    json!({
                        "group": key, "loss": question.losses[*at], "cost": json_number(*value),
                        "sum": json_number(of_state.sum()), "weights": json_number(of_state.weights()),
                        "valid": of_state.valid(), "examples": of_state.examples(),
                    })
                })
                .collect();
            let worst: serde_json::Map<_, _> = question
                .losses
                .iter()
                .zip(&state.worst)
                .map(|(loss, rows)| {
                    let row = |row: &CostlyRow<FoundRow>| {
                        let mut value = json!(row);
                        value["file"] = json!(row.place.0);
                        value["row"] = json!(row.place.1);
                        if let Some(object) = value.as_object_mut() {
                            object.remove("place");
                        }
                        value
                    };
                    (loss.clone(), rows.iter().map(row).collect())
                })
                .collect();
            let mut answer = json!({
                "rows": state.rows, "skipped": state.skipped, "target": question.target,
                "prediction": question.prediction, "weights": question.weights,
                "mask": question.mask, "by": question.by, "reduction": reduction,
                "denominator": question.denominator.to_string(), "costs": costs,
            });
            if question.worst > 0 {
                answer["worst"] = Value::Object(worst);
            }
            json_text(&answer)
        }
        Format::Csv if question.worst > 0 => {
            let (header, rows) = worst_rows(state, false, |x| format!("{x:?}"));
            csv_text(&header, &rows)
        }
        Format::Csv => {
            let mut header = question.by.clone();
            header
                .extend(["loss", "cost", "sum", "weights", "valid", "examples"].map(String::from));
            let rows: Vec<Vec<String>> = entries
                .iter()
                .map(|(group, at, value, of_state)| {
                    let mut row = group.key.clone();
                    row.push(question.losses[*at].clone());
                    row.extend(
                        [*value, of_state.sum(), of_state.weights()].map(|x| format!("{x:?}")),
                    );
                    row.extend([of_state.valid(), of_state.examples()].map(|n| n.to_string()));
                    row
                })
                .collect();
            csv_text(&header, &rows)
        }
        Format::Table => {
            let mut text = heading(state, reduction);
            let (header, rows, right) = if question.by.is_empty() {
                let rows = entries
                    .iter()
                    .map(|(_, at, value, _)| vec![question.losses[*at].clone(), brief(*value)]);
                (vec!["loss".to_owned(), reduction.to_owned()], rows.collect::<Vec<_>>(), vec![1])
            } else {
                let mut header = question.by.clone();
                let first_number = header.len();
                header.push("rows".into());
                header.extend(question.losses.iter().cloned());
                let rows = entries
                    .chunks(costs.len())
                    .map(|of_group| {
                        let (group, _, _, of_state) = &of_group[0];
                        let mut row = group.key.clone();
                        row.push(of_state.valid().to_string());
                        row.extend(of_group.iter().map(|(_, _, value, _)| brief(*value)));
                        row
                    })
                    .collect();
                let right = (first_number..header.len()).collect();
                (header, rows, right)
            };
            text += &table_text(&header, &rows, &right);
            if question.worst > 0 {
                text += "\nThe most costly rows\n";
                let (header, rows) = worst_rows(state, true, brief);
                let right: Vec<usize> = (2..header.len()).collect();
                text += &table_text(&header, &rows, &right);
            }
            text
        }
    })
}

/// What was read, in a line or two.
fn heading(state: &State, reduction: &str) -> String {
    let question = &state.question;
    let mut text = format!(
        "{} rows, target {}, prediction {}",
        state.rows, question.target, question.prediction
    );
    if let Some(weights) = &question.weights {
        text += &format!(", weights {weights}");
    }
    if let Some(mask) = &question.mask {
        text += &format!(", mask {mask}");
    }
    if reduction == "mean" && question.denominator != Denominator::Weights {
        text += &format!(", mean over {}", question.denominator);
    }
    text += "\n";
    if state.skipped > 0 {
        text += &format!("{} rows skipped: a number is missing\n", state.skipped);
    }
    text
}

/// The most costly rows of each loss, as a table.
fn worst_rows(
    state: &State,
    brief_lists: bool,
    number: impl Fn(f64) -> String,
) -> (Vec<String>, Vec<Vec<String>>) {
    let header = ["loss", "file", "row", "cost", "prediction", "target"].map(String::from);
    let list = |numbers: &[f64]| match numbers {
        [one] => number(*one),
        many => format!("[{}]", many.iter().map(|&x| number(x)).collect::<Vec<_>>().join(" ")),
    };
    // Of many class scores people want the highest, and that of the true class.
    let prediction = |row: &CostlyRow<FoundRow>| {
        let of = |class: usize| format!("{class}: {}", number(row.prediction[class]));
        let highest = (0..row.prediction.len())
            .max_by(|&a, &b| row.prediction[a].total_cmp(&row.prediction[b]));
        match (highest, row.target.as_slice()) {
            (Some(top), &[label]) if brief_lists && row.prediction.len() > 1 => {
                match label as usize {
                    own if own == top || own >= row.prediction.len() => of(top),
                    own => format!("{}\n{}", of(top), of(own)),
                }
            }
            _ => list(&row.prediction),
        }
    };
    let rows = state
        .question
        .losses
        .iter()
        .zip(&state.worst)
        .flat_map(|(loss, rows)| rows.iter().map(move |row| (loss, row)))
        .map(|(loss, row)| {
            let (file, place) = &row.place;
            vec![
                loss.clone(),
                file.clone(),
                place.to_string(),
                number(row.loss),
                prediction(row),
                list(&row.target),
            ]
        })
        .collect();
    (header.to_vec(), rows)
}

/// Numbers in files of JSON: infinities and NaN, which JSON lacks, as text.
pub mod number {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
    }

    /// inf, -inf or nan.
    pub fn text(x: f64) -> String {
        x.to_string().to_lowercase()
    }

    pub fn serialize<S: Serializer>(x: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if x.is_finite() { x.serialize(serializer) } else { text(*x).serialize(serializer) }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Number(x) => Ok(x),
            Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

/// The same for lists.
pub mod numbers {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Number(#[serde(with = "super::number")] f64);

    pub fn serialize<S: Serializer>(list: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(list.iter().map(|&x| Number(x)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let list = Vec::<Number>::deserialize(deserializer)?;
        Ok(list.into_iter().map(|Number(x)| x).collect())
    }
}
