//! What there is to say about losses: the catalog, and all about one of them.

use super::server::{Refusal, Work};
use crate::error::CliError;
use axum::Json;
use lossfn::{CATALOG, Fact, Form, Kind, Language, Loss, Parameter};
use serde::Deserialize;
use serde_json::{Value, json};

/// Characters that a loss may have in text: one may be a formula.
pub const LOSS_CHARACTERS: usize = 2000;

/// A loss from its text.
pub fn loss(text: &str) -> Result<Loss, CliError> {
    if text.chars().count() > LOSS_CHARACTERS {
        return Err(CliError::message(format!(
            "the loss has more than {LOSS_CHARACTERS} characters"
        )));
    }
    Ok(text.parse()?)
}

fn form(form: Form) -> &'static str {
    match form {
        Form::Pointwise => "pointwise",
        Form::ClassAxis => "class_axis",
        Form::Joint => "joint",
    }
}

fn parameter(parameter: &Parameter) -> Value {
    let range = parameter.range;
    let kind = match range.kind {
        Kind::Number => "number",
        Kind::Whole => "whole",
        Kind::Switch => "switch",
    };
    // Ends at infinity are null.
    json!({
        "name": parameter.name, "default": parameter.default, "meaning": parameter.meaning,
        "range": {
            "low": range.low, "low_included": range.low_included,
            "high": range.high, "high_included": range.high_included,
            "kind": kind, "text": range.to_string(),
        },
    })
}

/// All losses.
pub async fn catalog() -> Result<Json<Value>, Refusal> {
    let entry = |entry: &lossfn::Entry| {
        let d = entry.description;
        json!({
            "id": d.id, "task": d.task.name(), "form": form(entry.with_defaults().form()),
            "summary": d.summary, "aliases": d.aliases,
            "parameters": d.parameters.iter().map(parameter).collect::<Vec<_>>(),
        })
    };
    Ok(Json(CATALOG.iter().map(entry).collect()))
}

#[derive(Deserialize)]
pub struct About {
    loss: String,
}

/// All about one loss.
pub fn about(About { loss: text }: About, _: &Work) -> Result<Value, CliError> {
    let loss = loss(&text)?;
    let d = loss.description();
    let derivatives = |order| {
        let by = |(component, mathml)| json!({"by": component, "mathml": mathml});
        loss.mathml_derivatives(order).into_iter().map(by).collect::<Vec<_>>()
    };
    let fact = |fact: &Fact| {
        let witness = fact.witness.as_ref();
        json!({
            "id": fact.property.id(), "property": fact.property.title(),
            "meaning": fact.property.meaning(), "answer": fact.answer.name(),
            "text": fact.to_string(), "how": fact.how.name(),
            "witness": witness.map(|witness| &witness.text),
        })
    };
    // What is shown in other places is no section: formulas, parameters, the card.
    let elsewhere = ["summary", "loss", "gradient", "second", "parameter", "card"];
    let sections = loss.sections().into_iter();
    let sections = sections.filter(|section| !elsewhere.contains(&section.heading));
    Ok(json!({
        "loss": loss.to_string(), "id": d.id, "task": d.task.name(), "form": form(loss.form()),
        "summary": d.summary,
        "formulas": {
            "loss": loss.mathml(), "gradient": derivatives(1), "second": derivatives(2),
        },
        "card": loss.card().facts().iter().map(fact).collect::<Vec<_>>(),
        "sections": sections.map(|section| {
            json!({"heading": section.heading, "text": section.text})
        }).collect::<Vec<_>>(),
        "languages": Language::ALL.map(Language::name),
    }))
}

#[derive(Deserialize)]
pub struct Code {
    loss: String,
    language: String,
}

/// A loss in a language.
pub fn code(Code { loss: text, language }: Code, _: &Work) -> Result<Value, CliError> {
    let language: Language = language.parse()?;
    Ok(json!({"code": loss(&text)?.emit(language)?}))
}
