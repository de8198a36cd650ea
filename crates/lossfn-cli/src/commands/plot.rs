//! `lossfn plot`.

use super::Answer;
use crate::args::{AgainstArg, PlotArgs, ThemeArg};
use crate::error::CliError;
use crate::eval::state::write_whole;
use lossfn::{Loss, find};
use lossfn_plot::{Against, Curves, Order, Theme};
use std::path::Path;

/// How many pixels of a PNG a pixel of the picture has to a side: text stays sharp on fine screens.
const PNG_SCALE: f32 = 2.0;

/// Draws losses.
pub fn run(args: &PlotArgs) -> Result<Answer, CliError> {
    let fail = |error: lossfn_plot::Error| CliError::message(error.to_string());
    let curves = Curves {
        losses: match &args.vary {
            Some((name, values)) => varied(&args.losses, name, values)?,
            None => args.losses.clone(),
        },
        order: match (args.gradient, args.second) {
            (true, _) => Order::Gradient,
            (_, true) => Order::Second,
            _ => Order::Loss,
        },
        against: args.against.map(|against| match against {
            AgainstArg::Residual => Against::Residual,
            AgainstArg::Margin => Against::Margin,
            AgainstArg::Prediction => Against::Prediction,
            AgainstArg::Probability => Against::Probability,
        }),
        target: args.target,
        range: args.range,
        title: args.title.clone(),
        size: Some(args.size),
    };
    let theme = match args.theme {
        ThemeArg::Light => Theme::Light,
        ThemeArg::Dark => Theme::Dark,
        ThemeArg::Auto => Theme::Auto,
    };
    let output = args.output.as_deref().filter(|path| *path != Path::new("-"));
    let Some(path) = output else {
        let figure = curves.figure().map_err(fail)?;
        return Ok(Answer::Text(figure.svg(theme).map_err(fail)?));
    };
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let bytes = match ending.to_ascii_lowercase().as_str() {
        "svg" => curves.figure().and_then(|figure| figure.svg(theme)).map(String::into_bytes),
        "png" => curves.figure().and_then(|figure| figure.png(theme, PNG_SCALE)),
        _ => {
            return Err(CliError::message(format!(
                "{}: a picture is written as .svg or .png; name the file so",
                path.display()
            )));
        }
    };
    write_whole(path, &bytes.map_err(fail)?)?;
    Ok(Answer::Text(String::new()))
}

/// Each loss with each of the values for a parameter.
fn varied(losses: &[Loss], name: &str, values: &[String]) -> Result<Vec<Loss>, CliError> {
    let mut all = Vec::new();
    for loss in losses {
        let entry = find(loss.id()).map_err(|_| {
            CliError::message(format!(
                "{loss} is not in the catalog: name it once for each value instead of --vary"
            ))
        })?;
        let parameters = entry.description.parameters;
        let place = parameters.iter().position(|parameter| parameter.name == name);
        let place = place.ok_or_else(|| lossfn::Error::UnknownParameter {
            loss: loss.id(),
            parameter: name.to_owned(),
            parameters: parameters.iter().map(|parameter| parameter.name).collect(),
        })?;
        for value in values {
            let number = parameters[place].range.read(value).ok_or_else(|| {
                CliError::message(format!("{value:?} is no value of {name}: give a number"))
            })?;
            let mut changed = loss.parameters().to_vec();
            changed[place] = number;
            all.push(entry.build(&changed)?);
        }
    }
    Ok(all)
}
