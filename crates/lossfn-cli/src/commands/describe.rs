//! `lossfn describe`.

use super::Answer;
use crate::args::{DescribeArgs, TextFormat};
use crate::report::json_text;
use lossfn::{Card, Fact, How, Loss, Term};
use serde_json::{Value, json};

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
        "link": d.link, "card": card_json(&loss.card_over_parameters()), "parameters": parameters, "optimum": d.optimum, "limits": d.limits,
        "peers": d.peers, "reference": d.reference,
    }))
}

/// A card, by property.
pub fn card_json(card: &Card) -> Value {
    let fact = |fact: &Fact| {
        let how = match &fact.how {
            How::Rule(text) | How::Cited(text) => json!({"kind": fact.how.name(), "text": text}),
            How::Proved { range } => json!({"kind": "proved", "range": range}),
            How::Sampled { points } => json!({"kind": "sampled", "points": points}),
            How::Refuted | How::Open => json!({"kind": fact.how.name()}),
        };
        let witness = fact.witness.as_ref().map(|witness| {
            let term = |term: &Term| {
                json!({
                    "factor": term.factor, "prediction": term.prediction, "target": term.target,
                })
            };
            json!({
                "text": witness.text, "constant": witness.constant, "strict": witness.is_strict,
                "terms": witness.terms.iter().map(term).collect::<Vec<_>>(),
            })
        });
        json!({
            "answer": fact.answer.name(), "number": fact.number, "detail": fact.detail, "how": how,
            "witness": witness, "depends": fact.depends,
        })
    };
    let facts = card.facts().iter().map(|line| (line.property.id().to_owned(), fact(line)));
    Value::Object(facts.collect())
}

/// Headings on the left, text on the right.
fn text(loss: &Loss) -> String {
    const HEADINGS: usize = 12;
    const PROPERTIES: usize = 22;
    let mut out = format!("{loss}\n");
    let mut before = "";
    for section in loss.sections() {
        let heading = match section.heading {
            "summary" | "symbols" => "",
            same if same == before => "",
            other => other,
        };
        if section.heading != before && matches!(section.heading, "loss" | "prediction" | "card") {
            out.push('\n');
        }
        // A line of the card has a heading of its own.
        let (property, text) = match section.text.split_once(": ") {
            Some((property, text)) if section.heading == "card" => (property, text),
            _ => ("", section.text.as_str()),
        };
        let inner = if property.is_empty() { 0 } else { PROPERTIES };
        for (n, line) in wrap(text, 98 - HEADINGS - inner).into_iter().enumerate() {
            let (left, property) = if n == 0 { (heading, property) } else { ("", "") };
            out.push_str(format!("{left:HEADINGS$}{property:inner$}{line}").trim_end());
            out.push('\n');
        }
        before = section.heading;
    }
    out
}

/// Breaks text at spaces into lines of at most `width` characters.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
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
