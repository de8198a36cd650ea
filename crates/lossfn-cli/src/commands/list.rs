//! `lossfn list`.

use super::Answer;
use super::describe::card_json;
use crate::args::{Format, ListArgs};
use crate::report::{csv_text, json_text, table_text};
use lossfn::{CATALOG, Card, Loss};
use serde_json::json;

/// Lists the losses of the catalog.
pub fn run(args: &ListArgs) -> Answer {
    let wanted = |task| args.task.is_none_or(|wanted| wanted == task);
    let entries = CATALOG.iter().filter(|entry| wanted(entry.description.task));
    let mut losses: Vec<(Loss, Option<Card>)> =
        entries.map(|entry| (entry.with_defaults(), None)).collect();
    let properties = &args.properties.0;
    // Cards take time; they are made only where they are looked at.
    if !properties.is_empty() || args.output.format == Format::Json {
        let all: Vec<Loss> = losses.iter().map(|(loss, _)| loss.clone()).collect();
        for ((_, slot), card) in losses.iter_mut().zip(Card::of_all(&all)) {
            *slot = Some(card);
        }
        losses.retain(|(_, card)| {
            let has = |&(property, answer)| {
                card.as_ref().and_then(|card| card.get(property)).map(|fact| fact.answer)
                    == Some(answer)
            };
            properties.iter().all(has)
        });
    }
    if args.output.format == Format::Json {
        let value = |(loss, card): &(Loss, Option<Card>)| {
            let d = loss.description();
            json!({
                "id": d.id, "loss": loss.to_string(), "task": d.task.name(), "summary": d.summary,
                "aliases": d.aliases, "card": card.as_ref().map(card_json),
            })
        };
        return Answer::Text(json_text(&losses.iter().map(value).collect::<Vec<_>>()));
    }
    let header = ["loss", "task", "summary"].map(String::from);
    let row = |(loss, _): &(Loss, Option<Card>)| {
        let d = loss.description();
        vec![loss.to_string(), d.task.to_string(), d.summary.to_owned()]
    };
    let rows: Vec<Vec<String>> = losses.iter().map(row).collect();
    Answer::Text(match args.output.format {
        Format::Csv => csv_text(&header, &rows),
        _ => table_text(&header, &rows, &[]),
    })
}
