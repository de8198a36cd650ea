//! The room of curves: losses and their derivatives as pictures.

use super::about::loss;
use super::canvas::Canvas;
use super::server::Work;
use crate::error::CliError;
use lossfn::Loss;
use lossfn_plot::{Curves, Order};
use serde::Deserialize;
use serde_json::{Value, json};

/// Losses that are drawn together at most.
const LOSSES: usize = 12;

#[derive(Deserialize)]
pub struct Question {
    losses: Vec<String>,
    /// Of the loss, its gradient and its second derivative those that are to be drawn.
    orders: Vec<u8>,
    /// The ends of the horizontal axis.
    range: Option<(f64, f64)>,
    target: Option<f64>,
    canvas: Canvas,
}

/// The pictures.
pub fn curves(question: Question, _: &Work) -> Result<Value, CliError> {
    if question.losses.len() > LOSSES {
        return Err(CliError::message(format!("no more than {LOSSES} losses are drawn together")));
    }
    let losses: Vec<Loss> =
        question.losses.iter().map(|text| loss(text)).collect::<Result<_, _>>()?;
    let draw = |order: &u8| {
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
            ..Curves::new(losses.clone())
        };
        let figure = curves.figure().map_err(|error| CliError::message(error.to_string()))?;
        question.canvas.draw(figure)
    };
    let pictures: Vec<Value> =
        question.orders.iter().take(3).map(draw).collect::<Result<_, _>>()?;
    Ok(json!({
        "losses": losses.iter().map(Loss::to_string).collect::<Vec<_>>(), "pictures": pictures,
    }))
}
