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
    #[serde(flatten)]
    view: View,
}

#[derive(Clone, Copy, Deserialize)]
struct View {
    /// The ends of the horizontal axis.
    range: Option<(f64, f64)>,
    target: Option<f64>,
}

#[derive(Clone, Copy, Deserialize)]
struct Picture {
    /// Of the loss: itself, its gradient, its second derivative.
    order: u8,
    canvas: Canvas,
}

/// The pictures. A loss that is wrong is left out, and what is wrong with it said beside the others.
pub fn curves(
    Question { losses: texts, pictures, view }: Question,
    _: &Work,
) -> Result<Value, CliError> {
    if texts.len() > LOSSES {
        return Err(CliError::message(format!("no more than {LOSSES} losses are drawn together")));
    }
    let mut errors: Vec<Option<String>> = vec![None; texts.len()];
    // Each with its place among those that were asked for: its color.
    let mut losses: Vec<(usize, Loss)> = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        match loss(text) {
            Ok(loss) => losses.push((at, loss)),
            Err(error) => errors[at] = Some(error.to_string()),
        }
    }
    let drawn = match draw(&losses, &pictures, view) {
        Err(error) => {
            // Is it one of them, or all together?
            losses.retain(|(at, loss)| match figure(view, vec![loss.clone()], 0, (640, 400)) {
                Ok(_) => true,
                Err(error) => {
                    errors[*at] = Some(error.to_string());
                    false
                }
            });
            if errors.iter().all(Option::is_none) {
                return Err(error);
            }
            draw(&losses, &pictures, view)?
        }
        Ok(drawn) => drawn,
    };
    let losses: Vec<String> = losses.iter().map(|(_, loss)| loss.to_string()).collect();
    Ok(json!({"losses": losses, "errors": errors, "pictures": drawn}))
}

/// The pictures of losses; none without any.
fn draw(
    losses: &[(usize, Loss)],
    pictures: &[Picture],
    view: View,
) -> Result<Vec<Value>, CliError> {
    let draw = |&Picture { order, canvas }: &Picture| {
        let all = losses.iter().map(|(_, loss)| loss.clone()).collect();
        let mut figure = figure(view, all, order, (canvas.width, canvas.height))?;
        // Where each loss has one curve.
        if figure.layers.len() == losses.len() {
            for (layer, (place, _)) in figure.layers.iter_mut().zip(losses) {
                if let Layer::Line { color, dashed, .. } = layer {
                    (*color, *dashed) = (*place, *place > 0);
                }
            }
        }
        canvas.draw(figure)
    };
    if losses.is_empty() {
        return Ok(Vec::new());
    }
    pictures.iter().take(3).map(draw).collect()
}

/// Losses, or their derivatives, in one figure.
fn figure(view: View, losses: Vec<Loss>, order: u8, size: (u32, u32)) -> Result<Figure, CliError> {
    let order = match order {
        0 => Order::Loss,
        1 => Order::Gradient,
        2 => Order::Second,
        other => return Err(CliError::message(format!("there is no derivative {other}"))),
    };
    let curves = Curves {
        order,
        target: view.target,
        range: view.range,
        title: Some(String::new()),
        size: Some(size),
        ..Curves::new(losses)
    };
    curves.figure().map_err(|error| CliError::message(error.to_string()))
}
