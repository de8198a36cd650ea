//! What there is to say about losses: the catalog, and all about one of them.

use super::server::{Refusal, Work};
use crate::commands::describe::card_json;
use crate::error::CliError;
use axum::Json;
use lossfn::{CATALOG, Form, Kind, Loss, Parameter};
use serde::Deserialize;
use serde_json::{Value, json};

/// Characters that a loss may have in text: one may be a formula.
const LOSS_CHARACTERS: usize = 2000;

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
pub fn about(about: About, _: &Work) -> Result<Value, CliError> {
    let loss = loss(&about.loss)?;
    let d = loss.description();
    Ok(json!({
        "loss": loss.to_string(), "id": d.id, "task": d.task.name(), "form": form(loss.form()),
        "summary": d.summary, "card": card_json(&loss.card()),
    }))
}
