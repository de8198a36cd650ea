//! `lossfn list`.

use super::Answer;
use crate::args::{Format, ListArgs};
use crate::report::{csv_text, json_text, table_text};
use lossfn::CATALOG;
use serde_json::json;

/// Lists the losses of the catalog.
pub fn run(args: &ListArgs) -> Answer {
    let wanted = |task| args.task.is_none_or(|wanted| wanted == task);
    let entries = CATALOG.iter().filter(|entry| wanted(entry.description.task));
    let losses = entries.map(|entry| (entry.with_defaults(), entry.description));
    if args.output.format == Format::Json {
        let value = |(loss, d): (lossfn::Loss, &lossfn::Description)| {
            json!({
                "id": d.id, "loss": loss.to_string(), "task": d.task.name(), "summary": d.summary,
                "aliases": d.aliases,
            })
        };
        return Answer::Text(json_text(&losses.map(value).collect::<Vec<_>>()));
    }
    let header = ["loss", "task", "summary"].map(String::from);
    let rows: Vec<Vec<String>> = losses
        .map(|(loss, d)| vec![loss.to_string(), d.task.to_string(), d.summary.to_owned()])
        .collect();
    Answer::Text(match args.output.format {
        Format::Csv => csv_text(&header, &rows),
        _ => table_text(&header, &rows, &[]),
    })
}
