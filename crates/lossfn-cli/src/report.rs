//! Results as text: tables for people, JSON and CSV for programs.

use crate::args::Format;
use crate::error::CliError;
use crate::eval::engine::FoundRow;
use crate::eval::state::State;
use crate::eval::totals::{CostlyRow, Group};
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};
use lossfn::{CostState, Denominator, Error, Reduction};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::io::IsTerminal;

/// JSON with an end of line.
pub fn json_text(value: &impl Serialize) -> String {
    // Values made here have text keys and no numbers that JSON lacks.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// CSV with a header.
pub fn csv_text(header: &[String], rows: &[Vec<String>]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in std::iter::once(header).chain(rows.iter().map(Vec::as_slice)) {
        // Nothing can go wrong in memory, with rows as long as the header.
        let _ = writer.write_record(row);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// A table for people; `right` are the columns of numbers.
pub fn table_text(header: &[String], rows: &[Vec<String>], right: &[usize]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    // Where there is no window, or one without a width.
    let is_narrow = table.width().is_none_or(|width| width < 40);
    if !std::io::stdout().is_terminal() || is_narrow {
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
pub fn brief(x: f64) -> String {
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
pub fn json_number(x: f64) -> Value {
    if x.is_finite() { json!(x) } else { json!(number::text(x)) }
}

/// One number of the answer, with what it is made of.
struct Entry<'a> {
    group: &'a Group,
    loss: &'a str,
    cost: f64,
    state: &'a CostState,
}

/// The answer of `eval` and `merge`. Of a `part`, it is no error that nothing is valid: it may be in
/// another part.
pub fn result_text(state: &State, format: Format, part: bool) -> Result<String, CliError> {
    let entries = entries(state, part)?;
    Ok(match format {
        Format::Json => json_text(&result_json(state, &entries)),
        Format::Csv => result_csv(state, &entries),
        Format::Table => result_table(state, &entries),
    })
}

/// The answer of `eval` in JSON.
pub fn result_value(state: &State) -> Result<Value, CliError> {
    Ok(result_json(state, &entries(state, false)?))
}

/// The numbers of the answer.
fn entries(state: &State, part: bool) -> Result<Vec<Entry<'_>>, CliError> {
    let question = &state.question;
    let costs = question.costs()?;
    // Every mean is taken before anything is written: one may be an error.
    let mut entries = Vec::new();
    for group in &state.groups {
        for ((cost, loss), state) in costs.iter().zip(&question.losses).zip(&group.states) {
            let value = match cost.value_of_state(state) {
                Err(Error::NothingValid) if part => Ok(f64::NAN),
                value => value,
            };
            let value = value.map_err(|error| {
                let key = group.key.join(", ");
                let of = if key.is_empty() { String::new() } else { format!(" of group {key}") };
                let reason = match error {
                    Error::NothingValid => "no row is left to average, all are masked, skipped, \
                                            ignored or of weight 0; --nothing-valid nan or zero \
                                            gives a result all the same"
                        .into(),
                    other => other.to_string(),
                };
                CliError::message(format!("the mean of {loss}{of}: {reason}"))
            })?;
            entries.push(Entry { group, loss, cost: value, state });
        }
    }
    if entries.is_empty() {
        return Err(CliError::message("there are no rows"));
    }
    Ok(entries)
}

fn reduction(state: &State) -> &'static str {
    if state.question.reduction == Reduction::Sum { "sum" } else { "mean" }
}

fn result_json(state: &State, entries: &[Entry<'_>]) -> Value {
    let question = &state.question;
    let cost = |entry: &Entry<'_>| {
        let key = question.by.iter().cloned().zip(entry.group.key.iter().map(|key| json!(key)));
        json!({
            "group": key.collect::<Map<_, _>>(), "loss": entry.loss,
            "cost": json_number(entry.cost), "sum": json_number(entry.state.sum()),
            "weights": json_number(entry.state.weights()),
            "valid": entry.state.valid(), "examples": entry.state.examples(),
        })
    };
    let mut answer = json!({
        "rows": state.rows, "skipped": state.skipped, "target": question.target,
        "prediction": question.prediction, "weights": question.weights,
        "mask": question.mask, "by": question.by, "reduction": reduction(state),
        "denominator": question.denominator.to_string(),
        "costs": entries.iter().map(cost).collect::<Vec<_>>(),
    });
    if !state.chosen.is_empty() {
        answer["chosen"] = json!(state.chosen);
    }
    if question.worst > 0 {
        let row = |row: &CostlyRow<FoundRow>| {
            let list =
                |numbers: &[f64]| numbers.iter().map(|&x| json_number(x)).collect::<Vec<_>>();
            json!({
                "file": row.place.0, "row": row.place.1, "loss": json_number(row.loss),
                "prediction": list(&row.prediction), "target": list(&row.target),
            })
        };
        let losses = question.losses.iter().cloned();
        let rows = state.worst.iter().map(|rows| rows.iter().map(row).collect());
        answer["worst"] = Value::Object(losses.zip(rows).collect());
    }
    answer
}

fn result_csv(state: &State, entries: &[Entry<'_>]) -> String {
    if state.question.worst > 0 {
        let (header, rows) = worst_rows(state, false, |x| format!("{x:?}"));
        return csv_text(&header, &rows);
    }
    let mut header = state.question.by.clone();
    header.extend(["loss", "cost", "sum", "weights", "valid", "examples"].map(String::from));
    let row = |Entry { group, loss, cost, state }: &Entry<'_>| {
        let mut row = group.key.clone();
        row.push((*loss).to_owned());
        row.extend([*cost, state.sum(), state.weights()].map(|x| format!("{x:?}")));
        row.extend([state.valid(), state.examples()].map(|n| n.to_string()));
        row
    };
    csv_text(&header, &entries.iter().map(row).collect::<Vec<_>>())
}

fn result_table(state: &State, entries: &[Entry<'_>]) -> String {
    let question = &state.question;
    let mut text = heading(state);
    if question.by.is_empty() {
        let header = ["loss", reduction(state)].map(String::from);
        let row = |entry: &Entry<'_>| vec![entry.loss.to_owned(), brief(entry.cost)];
        text += &table_text(&header, &entries.iter().map(row).collect::<Vec<_>>(), &[1]);
    } else {
        let mut header = question.by.clone();
        header.push("rows".into());
        header.extend(question.losses.iter().cloned());
        let row = |of_group: &[Entry<'_>]| {
            let mut row = of_group[0].group.key.clone();
            row.push(of_group[0].state.valid().to_string());
            row.extend(of_group.iter().map(|entry| brief(entry.cost)));
            row
        };
        let rows: Vec<Vec<String>> = entries.chunks(question.losses.len()).map(row).collect();
        let right: Vec<usize> = (question.by.len()..header.len()).collect();
        text += &table_text(&header, &rows, &right);
    }
    if !state.chosen.is_empty() {
        text += "\nChosen from the data\n";
        for chosen in &state.chosen {
            let _ = writeln!(text, "{chosen}");
        }
    }
    if question.worst > 0 {
        text += "\nThe most costly rows\n";
        let (header, rows) = worst_rows(state, true, brief);
        let right: Vec<usize> = (2..header.len()).collect();
        text += &table_text(&header, &rows, &right);
    }
    text
}

/// What was read, in a line or two.
fn heading(state: &State) -> String {
    let question = &state.question;
    let mut parts = vec![
        format!("{} rows", state.rows),
        format!("target {}", question.target),
        format!("prediction {}", question.prediction),
    ];
    parts.extend(question.weights.iter().map(|name| format!("weights {name}")));
    parts.extend(question.mask.iter().map(|name| format!("mask {name}")));
    if question.reduction == Reduction::Mean && question.denominator != Denominator::Weights {
        parts.push(format!("mean over {}", question.denominator));
    }
    let mut text = parts.join(", ") + "\n";
    if state.skipped > 0 {
        text += &state.skipped.to_string();
        text += " rows skipped: a number is missing\n";
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

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
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
