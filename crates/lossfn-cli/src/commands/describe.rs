//! `lossfn describe`.

use super::Answer;
use crate::args::{DescribeArgs, TextFormat};
use crate::report::json_text;
use lossfn::Loss;
use serde_json::json;

/// Describes one loss.
pub fn run(args: &DescribeArgs) -> Answer {
    Answer::Text(match args.format {
        TextFormat::Text => text(&args.loss),
        TextFormat::Json => json(&args.loss),
    })
}

fn json(loss: &Loss) -> String {
    let d = loss.description();
    let sections = loss.sections();
    let formula = |heading| {
        sections.iter().find(|section| section.heading == heading).map(|section| &section.text)
    };
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
    let component = |c: &lossfn::Component| json!({"name": c.name, "domain": c.domain.to_string(), "meaning": c.meaning});
    let components: Vec<_> = d.components.iter().map(component).collect();
    json_text(&json!({
        "id": d.id, "loss": loss.to_string(), "aliases": d.aliases, "task": d.task.name(),
        "summary": d.summary,
        "formula": {
            "loss": formula("loss"), "gradient": formula("gradient"), "second": formula("second"),
        },
        "prediction": {
            "meaning": d.prediction_meaning,
            "domain": d.components.is_empty().then(|| d.prediction.to_string()),
            "components": components,
        },
        "target": {"domain": d.target.to_string()},
        "link": d.link, "parameters": parameters, "optimum": d.optimum, "limits": d.limits,
        "peers": d.peers, "reference": d.reference,
    }))
}

/// Headings on the left, text on the right.
fn text(loss: &Loss) -> String {
    const HEADINGS: usize = 12;
    let mut out = format!("{loss}\n");
    let mut before = "";
    for section in loss.sections() {
        let heading = match section.heading {
            "summary" | "symbols" => "",
            same if same == before => "",
            other => other,
        };
        if matches!(section.heading, "loss" | "prediction") {
            out.push('\n');
        }
        before = section.heading;
        let lines = section.text.lines().flat_map(|line| wrap(line, 98 - HEADINGS));
        for (n, line) in lines.enumerate() {
            let left = if n == 0 { heading } else { "" };
            out.push_str(format!("{left:HEADINGS$}{line}").trim_end());
            out.push('\n');
        }
    }
    out
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
