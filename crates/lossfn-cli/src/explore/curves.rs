//! The room of curves: losses and their derivatives as pictures.

use super::about::loss;
use super::canvas::Canvas;
use super::server::Work;
use crate::error::CliError;
use lossfn::Loss;
use lossfn_plot::{Curves, Figure, Layer, Order};
use serde::Deserialize;
use serde_json::{Value, json};

/// Losses that are drawn together at most.
const LOSSES: usize = 7;

#[derive(Deserialize)]
pub struct Question {
    losses: Vec<String>,
    pictures: Vec<Picture>,
    /// The ends of the horizontal axis.
    range: Option<(f64, f64)>,
    target: Option<f64>,
}

#[derive(Deserialize)]
struct Picture {
    /// Of the loss: itself, its gradient, its second derivative.
    order: u8,
    canvas: Canvas,
}

/// The pictures. A loss that is wrong is left out, and what is wrong with it said beside the others.
pub fn curves(question: Question, _: &Work) -> Result<Value, CliError> {
    if question.losses.len() > LOSSES {
        return Err(CliError::message(format!("no more than {LOSSES} losses are drawn together")));
    }
    let mut errors: Vec<Option<String>> = vec![None; question.losses.len()];
    let mut losses: Vec<Loss> = Vec::new();
    // The place of each among those that were asked for: its color.
    let mut places: Vec<usize> = Vec::new();
    for (at, text) in question.losses.iter().enumerate() {
        match loss(text).and_then(|loss| figure(&question, vec![loss.clone()], 0).map(|_| loss)) {
            Ok(loss) => {
                losses.push(loss);
                places.push(at);
            }
            Err(error) => errors[at] = Some(error.to_string()),
        }
    }
    let draw = |picture: &Picture| {
        let mut figure = figure(&question, losses.clone(), picture.order)?;
        for layer in &mut figure.layers {
            if let Layer::Line { color, .. } = layer {
                *color = places.get(*color).copied().unwrap_or(*color);
            }
        }
        picture.canvas.draw(figure)
    };
    let pictures: Vec<Value> = match losses.as_slice() {
        [] => Vec::new(),
        _ => question.pictures.iter().take(3).map(draw).collect::<Result<_, _>>()?,
    };
    let losses: Vec<String> = losses.iter().map(Loss::to_string).collect();
    Ok(json!({"losses": losses, "errors": errors, "pictures": pictures}))
}

/// Losses, or their derivatives, in one figure.
fn figure(question: &Question, losses: Vec<Loss>, order: u8) -> Result<Figure, CliError> {
    let order = match order {
        0 => Order::Loss,
        1 => Order::Gradient,
        2 => Order::Second,
        other => return Err(CliError::message(format!("there is no derivative {other}"))),
    };
    let curves = Curves {
        order,
        target: question.target,
        range: question.range,
        title: Some(String::new()),
        ..Curves::new(losses)
    };
    curves.figure().map_err(|error| CliError::message(error.to_string()))
}
