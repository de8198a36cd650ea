//! `lossfn describe`.

use super::Answer;
use crate::args::{DescribeArgs, TextFormat};
use crate::error::CliError;
use crate::report::json_text;
use lossfn::Loss;
use serde_json::json;
use std::fmt::Write;

/// Describes one loss.
pub fn run(args: &DescribeArgs) -> Result<Answer, CliError> {
    Ok(Answer::Text(match args.format {
        TextFormat::Text => text(&args.loss),
        TextFormat::Json => json(&args.loss),
    }))
}

/// Loss, gradient and second derivative as text, as far as they are known.
fn formulas(loss: &Loss) -> (String, Option<String>, Option<String>) {
    let formula = loss.formula();
    if loss.has_class_axis() {
        (formula.text(0), loss.description().row_gradient.map(str::to_owned), None)
    } else {
        (formula.text(0), Some(formula.text(1)), Some(formula.text(2)))
    }
}

fn json(loss: &Loss) -> String {
    let d = loss.description();
    let (value, gradient, second) = formulas(loss);
    let parameters: Vec<_> = d
        .parameters
        .iter()
        .map(|p| {
            json!({
                "name": p.name, "default": p.default, "range": p.range.to_string(),
                "meaning": p.meaning,
            })
        })
        .collect();
    json_text(&json!({
        "id": d.id, "loss": loss.to_string(), "aliases": d.aliases, "task": d.task.name(),
        "summary": d.summary,
        "formula": {"loss": value, "gradient": gradient, "second": second},
        "prediction": {"meaning": d.prediction_meaning, "domain": d.prediction.to_string()},
        "target": {"domain": d.target.to_string()},
        "link": d.link, "parameters": parameters, "optimum": d.optimum, "limits": d.limits,
        "peers": d.peers, "reference": d.reference,
    }))
}

fn text(loss: &Loss) -> String {
    let d = loss.description();
    let (value, gradient, second) = formulas(loss);
    let mut out = String::new();
    let mut section = |name: &str, text: &str| {
        let indent = " ".repeat(12);
        let mut lines = wrap(text, 86).into_iter();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{name:<12}{}", lines.next().unwrap_or_default());
        for line in lines {
            let _ = writeln!(out, "{indent}{line}");
        }
    };
    section(&loss.to_string(), "");
    section("", d.summary);
    section("", "");
    section("loss", &value);
    if let Some(gradient) = gradient {
        section("gradient", &gradient);
    }
    if let Some(second) = second {
        section("second", &second);
    }
    section("", "p is the prediction, y the target.");
    section("", "");
    section("prediction", &format!("{}: {}", d.prediction, d.prediction_meaning));
    let classes = if loss.has_class_axis() { "a class label, or for each class " } else { "" };
    section("target", &format!("{classes}{}", d.target));
    if let Some(link) = d.link {
        section("link", link);
    }
    for (n, p) in d.parameters.iter().enumerate() {
        let name = if n == 0 { "parameters" } else { "" };
        section(name, &format!("{} = {:?} in {}: {}", p.name, p.default, p.range, p.meaning));
    }
    section("optimum", d.optimum);
    section("limits", d.limits);
    section("peers", d.peers);
    section("reference", d.reference);
    section("also named", &d.aliases.join(", "));
    out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n"
}

/// Breaks text at spaces into lines of at most `width` characters.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always one");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
