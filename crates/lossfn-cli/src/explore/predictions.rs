//! The room of one's own predictions: what `lossfn eval` and `lossfn advise` say of a table.

use super::canvas::Canvas;
use super::server::Work;
use crate::advise::{Kind, Look, advise_on, quantile, sorted};
use crate::args::{EvalArgs, Format, OutputArgs, ReadingArgs, TableArgs};
use crate::commands::eval::{Asked, tables};
use crate::error::CliError;
use crate::eval::Question;
use crate::read::{Column, ColumnType};
use crate::report::result_value;
use lossfn::choose::LossRequest;
use lossfn::number::Number;
use lossfn::{Denominator, NothingValid, Reduction};
use lossfn_plot::{Axis, Figure, Layer};
use serde::Deserialize;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::path::PathBuf;

/// Losses that are evaluated together, at most.
const LOSSES: usize = 20;
/// Columns that one groups by, at most.
const KEYS: usize = 4;
/// Groups that are shown, at most.
const GROUPS: usize = 1000;
/// Rows that cost most, at most.
const WORST: usize = 100;

/// A table, in one file or in several NPY files, and how it is read.
#[derive(Deserialize)]
pub struct Table {
    files: Vec<String>,
    #[serde(default)]
    target: String,
    #[serde(default)]
    prediction: String,
    mask: Option<String>,
    #[serde(default)]
    skip_nan: bool,
}

impl Table {
    fn args(self, work: &Work) -> Result<(TableArgs, ReadingArgs), CliError> {
        let Self { files, target, prediction, mask, skip_nan } = self;
        let path = |id: &String| work.shared.files.path(id);
        let files: Vec<PathBuf> = files.iter().map(path).collect::<Result<_, _>>()?;
        if files.is_empty() {
            return Err(CliError::message("choose a file"));
        }
        let table = TableArgs { files, target, prediction };
        let reading = ReadingArgs {
            mask,
            skip_nan,
            row_groups: None,
            delimiter: None,
            no_header: false,
            threads: None,
        };
        Ok((table, reading))
    }
}

/// An answer, or an error, without the folders of uploaded files.
fn plain(work: &Work, answer: Result<Value, CliError>) -> Result<Value, CliError> {
    let files = &work.shared.files;
    match answer {
        Ok(value) => serde_json::from_str(&files.plain(&value.to_string()))
            .map_err(|error| CliError::message(error.to_string())),
        Err(error) => Err(CliError::message(files.plain(&error.to_string()))),
    }
}

/// The columns of a table, and which of them may be target and prediction.
pub fn columns(table: Table, work: &Work) -> Result<Value, CliError> {
    let found = || {
        let (table, reading) = table.args(work)?;
        let (_, tables, _) = tables(&table, &reading, false)?;
        let [(_, source)] = tables.sources.as_slice() else {
            return Err(CliError::message(
                "these files are several tables: choose one file, or .npy files alone, which are the \
                 columns of one table",
            ));
        };
        let columns = source.columns();
        let kind = |kind| match kind {
            ColumnType::Number => "number",
            ColumnType::Boolean => "boolean",
            ColumnType::Text => "text",
            ColumnType::List => "list",
            ColumnType::Other => "other",
        };
        let column = |column: &Column| json!({"name": column.name, "kind": kind(column.kind)});
        let (target, prediction) = guess(columns);
        Ok(json!({
            "columns": columns.iter().map(column).collect::<Vec<_>>(),
            "patterns": patterns(columns),
            "target": target, "prediction": prediction,
        }))
    };
    plain(work, found())
}

/// Columns that are numbered, as patterns: `score_*`.
fn patterns(columns: &[Column]) -> Vec<String> {
    let mut patterns: Vec<(String, usize)> = Vec::new();
    for Column { name, .. } in columns {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        if stem.len() == name.len() || stem.is_empty() || stem.contains(['*', '?', '[', ',']) {
            continue;
        }
        let pattern = format!("{stem}*");
        match patterns.iter_mut().find(|(known, _)| *known == pattern) {
            Some((_, count)) => *count += 1,
            None => patterns.push((pattern, 1)),
        }
    }
    patterns.into_iter().filter(|&(_, count)| count > 1).map(|(pattern, _)| pattern).collect()
}

/// Target and prediction by their usual names; else the first columns.
fn guess(columns: &[Column]) -> (Option<String>, Option<String>) {
    let may_be = |column: &&Column| column.kind != ColumnType::Other;
    let names: Vec<&str> =
        columns.iter().filter(may_be).map(|column| column.name.as_str()).collect();
    let find = |wanted: &[&str], but: Option<&str>| {
        let is = |name: &&&str, wanted: &str| Some(**name) != but && name.to_lowercase() == wanted;
        wanted.iter().find_map(|wanted| names.iter().find(|name| is(name, wanted)))
    };
    let target = find(
        &[
            "y", "target", "y_true", "true", "label", "labels", "truth", "actual", "observed",
            "class",
        ],
        None,
    );
    let target = target.or(names.first()).map(|name| (*name).to_owned());
    let but = target.as_deref();
    let usual = [
        "p",
        "prediction",
        "predictions",
        "pred",
        "y_pred",
        "y_hat",
        "yhat",
        "predicted",
        "forecast",
        "score",
        "scores",
        "logit",
        "logits",
        "probability",
        "prob",
        "y_score",
        "y_prob",
    ];
    let prediction = find(&usual, but)
        .map(|name| (*name).to_owned())
        .or_else(|| patterns(columns).into_iter().next())
        .or_else(|| names.iter().find(|name| Some(**name) != but).map(|name| (*name).to_owned()));
    (target, prediction)
}

#[derive(Deserialize)]
pub struct Costs {
    #[serde(flatten)]
    table: Table,
    #[serde(default)]
    losses: Vec<String>,
    weights: Option<String>,
    #[serde(default)]
    by: Vec<String>,
    #[serde(default)]
    worst: usize,
}

/// What the predictions cost: the answer of `lossfn eval --format json`, and which losses were picked if
/// none is named.
pub fn costs(asked: Costs, work: &Work) -> Result<Value, CliError> {
    let most = |what: &str, count: usize, most: usize| {
        if count <= most {
            return Ok(());
        }
        Err(CliError::message(format!("{count} {what} are too many: {most} are the most")))
    };
    most("losses", asked.losses.len(), LOSSES)?;
    most("columns to group by", asked.by.len(), KEYS)?;
    most("rows", asked.worst, WORST)?;
    let request = |text: &String| -> Result<LossRequest, CliError> {
        most("characters of a loss", text.chars().count(), super::about::LOSS_CHARACTERS)?;
        Ok(text.parse()?)
    };
    let (table, reading) = asked.table.args(work)?;
    let args = EvalArgs {
        table,
        losses: asked.losses.iter().map(request).collect::<Result<_, _>>()?,
        weights: asked.weights,
        by: asked.by,
        reduction: Reduction::Mean,
        denominator: Denominator::default(),
        nothing_valid: NothingValid::default(),
        class_weights: None,
        ignored_class: None,
        worst: asked.worst,
        save_state: None,
        output: OutputArgs { format: Format::Json },
        reading,
    };
    let picked = RefCell::new(None);
    let answer = || {
        let state = Asked::new(&args, Some(work.over()))?
            .state(&args, |why| *picked.borrow_mut() = Some(why.to_owned()))?;
        most("groups", state.groups.len(), GROUPS)?;
        let mut answer = result_value(&state)?;
        answer["losses"] = json!(state.question.losses);
        Ok(answer)
    };
    let mut answer = plain(work, answer())?;
    answer["picked"] = json!(*picked.borrow());
    Ok(answer)
}

#[derive(Deserialize)]
pub struct Asking {
    #[serde(flatten)]
    table: Table,
    canvas: Canvas,
}

/// What the predictions look like: a picture, and the answer of `lossfn advise --format json`.
pub fn advice(Asking { table, canvas }: Asking, work: &Work) -> Result<Value, CliError> {
    let answer = || {
        let (table, reading) = table.args(work)?;
        let question = Question::of_rows(&table, &reading);
        let (_, mut tables, threads) = tables(&table, &reading, false)?;
        tables.unwatched = Some(work.over());
        let look = Look::at(&tables, &question, threads)?;
        let (what, note, figure) = picture(&look);
        let mut picture = canvas.draw(figure)?;
        picture["what"] = json!(what);
        picture["note"] = json!(note);
        // Few rows have a picture all the same.
        let advice = match advise_on(look, &question) {
            Ok(advice) => json!({"advice": advice.value()}),
            Err(error) => json!({"error": error.to_string()}),
        };
        Ok(json!({"picture": picture, "advice": advice}))
    };
    plain(work, answer())
}

/// What it shows, what to know of it, and the picture that suits the data.
fn picture(look: &Look) -> (&'static str, String, Figure) {
    let rows = |kept: usize| format!("{kept} rows");
    match look.kind() {
        Kind::Numbers | Kind::Counts => {
            let residuals = sorted(look.clone().pairs().into_iter().map(|(y, p)| p - y));
            let (figure, outside) = histogram(&residuals);
            let beyond =
                if outside > 0 { format!("; {outside} lie outside") } else { String::new() };
            ("Residuals", format!("{}{beyond}", rows(residuals.len())), figure)
        }
        kind @ (Kind::TwoProbabilities | Kind::TwoScores) => {
            let probability = |p: f64| if kind == Kind::TwoScores { Number::sigmoid(p) } else { p };
            let pairs = look.clone().pairs().into_iter();
            let judged: Vec<(f64, bool)> = pairs.map(|(y, p)| (probability(p), y == 1.0)).collect();
            ("Calibration", rows(judged.len()), reliability(&judged, "share of the upper class"))
        }
        kind => {
            let reading =
                if kind == Kind::Scores { &look.as_scores } else { &look.as_probabilities };
            let judged = reading.rows.clone().into_things().into_iter();
            let judged: Vec<(f64, bool)> =
                judged.map(|row| (row.confidence, row.correct)).collect();
            ("Calibration", rows(judged.len()), reliability(&judged, "share that is right"))
        }
    }
}

/// How many residuals there are of each size, and how many lie outside the picture: at most two in a
/// hundred, so that one that is far off does not hide the others.
fn histogram(residuals: &[f64]) -> (Figure, usize) {
    let (low, high) = match residuals {
        [] => (0.0, 0.0),
        _ => (quantile(residuals, 0.01), quantile(residuals, 0.99)),
    };
    let (low, high) = if low < high { (low, high) } else { (low - 0.5, low + 0.5) };
    let count = (residuals.len() as f64).sqrt().clamp(8.0, 60.0) as usize;
    let width = (high - low) / count as f64;
    let mut heights = vec![0.0; count];
    let mut outside = 0;
    for residual in residuals {
        if (low..=high).contains(residual) {
            heights[(((residual - low) / width) as usize).min(count - 1)] += 1.0;
        } else {
            outside += 1;
        }
    }
    let left = |at: usize| low + width * at as f64;
    let bars = heights.into_iter().enumerate().map(|(at, height)| (left(at), left(at + 1), height));
    let bars = Layer::Bars { label: String::new(), bars: bars.collect(), color: 0 };
    let figure = Figure {
        title: String::new(),
        x: Axis { label: "residual: prediction - target".into(), ..Axis::default() },
        y: Axis { label: "rows".into(), ..Axis::default() },
        layers: vec![bars],
        width: 0,
        height: 0,
    };
    (figure, outside)
}

/// For predictions of about the same probability, how often it is so: with 95 % intervals by Wilson
/// (1927), doi:10.1080/01621459.1927.10502953.
fn reliability(judged: &[(f64, bool)], label: &str) -> Figure {
    const BINS: usize = 10;
    let mut bins = [(0.0, 0.0, 0.0); BINS];
    for &(probability, is_so) in judged {
        let (count, sum, hits) = &mut bins[((probability * BINS as f64) as usize).min(BINS - 1)];
        *count += 1.0;
        *sum += probability;
        *hits += f64::from(is_so);
    }
    let (mut points, mut segments) = (Vec::new(), Vec::new());
    for (count, sum, hits) in bins.into_iter().filter(|(count, ..)| *count > 0.0) {
        let (x, share) = (sum / count, hits / count);
        let z = 1.96f64;
        let middle = (share + z * z / (2.0 * count)) / (1.0 + z * z / count);
        let half = z / (1.0 + z * z / count)
            * (share * (1.0 - share) / count + z * z / (4.0 * count * count)).sqrt();
        points.push((x, share));
        segments.push(((x, middle - half), (x, middle + half)));
    }
    let ideal = vec![(0.0, 0.0), (1.0, 1.0)];
    let axis =
        |label: &str| Axis { label: label.into(), range: Some((0.0, 1.0)), ..Axis::default() };
    Figure {
        title: String::new(),
        x: axis("predicted probability"),
        y: axis(label),
        layers: vec![
            Layer::Line { label: "ideal".into(), points: ideal, color: 6, dashed: true },
            Layer::Segments { label: String::new(), segments, color: 0 },
            Layer::Points {
                label: "predictions".into(),
                points,
                color: 0,
                radius: 4.0,
                hollow: false,
            },
        ],
        width: 0,
        height: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(names: &[&str]) -> (String, String) {
        let column = |name: &&str| Column { name: (*name).into(), kind: ColumnType::Text };
        let columns: Vec<Column> = names.iter().map(column).collect();
        let (target, prediction) = guess(&columns);
        (target.unwrap_or_default(), prediction.unwrap_or_default())
    }

    #[test]
    fn columns_are_guessed() {
        let pair = |target: &str, prediction: &str| (target.to_owned(), prediction.to_owned());
        assert_eq!(guessed(&["id", "Y", "p"]), pair("Y", "p"));
        assert_eq!(guessed(&["y", "ridge", "boosting"]), pair("y", "ridge"));
        assert_eq!(guessed(&["label", "score_0", "score_1", "x"]), pair("label", "score_*"));
        assert_eq!(guessed(&["probability", "y"]), pair("y", "probability"));
        assert_eq!(guessed(&["one"]), pair("one", ""));
        assert_eq!(guessed(&[]), pair("", ""));
    }

    #[test]
    fn every_residual_is_counted_once() {
        let residuals = sorted((0..1000).map(|n| f64::from(n % 37) - 10.0).chain([1e9, -1e9]));
        let (figure, outside) = histogram(&residuals);
        let [Layer::Bars { bars, .. }] = figure.layers.as_slice() else { panic!("bars") };
        let inside: f64 = bars.iter().map(|bar| bar.2).sum();
        assert_eq!(inside as usize + outside, residuals.len());
        assert!(outside <= residuals.len() / 50 + 2, "{outside}");
        // All the same is a picture too.
        assert_eq!(histogram(&[3.0; 5]).1, 0);
    }

    #[test]
    fn calibration_is_that_of_bins() {
        let judged: Vec<(f64, bool)> =
            (0..1000).map(|n| (0.25, n % 4 == 0)).chain((0..10).map(|_| (1.0, true))).collect();
        let figure = reliability(&judged, "share");
        let [_, Layer::Segments { segments, .. }, Layer::Points { points, .. }] =
            figure.layers.as_slice()
        else {
            panic!("layers")
        };
        assert_eq!(points, &[(0.25, 0.25), (1.0, 1.0)]);
        // The interval of 250 of 1000, and of 10 of 10, by scipy.stats.binomtest.
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-4, "{a} {b}");
        close(segments[0].0.1, 0.224_15);
        close(segments[0].1.1, 0.277_76);
        close(segments[1].0.1, 0.722_46);
        close(segments[1].1.1, 1.0);
    }
}
