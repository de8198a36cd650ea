//! Where a picture is to be drawn, and the picture as the page takes it.

use crate::error::CliError;
use lossfn_plot::{Figure, Theme};
use serde::Deserialize;
use serde_json::{Value, json};

/// What the page has room for.
#[derive(Clone, Copy, Deserialize)]
pub struct Canvas {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    #[serde(default)]
    pub theme: Ground,
}

/// What is behind the picture.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ground {
    #[default]
    Light,
    Dark,
}

impl Canvas {
    /// The figure in this size: its SVG, and the plot area in pixels and in units of the data.
    pub fn draw(self, mut figure: Figure) -> Result<Value, CliError> {
        const MOST: u32 = 4000;
        if self.width > MOST || self.height > MOST {
            let Self { width, height, .. } = self;
            return Err(CliError::message(format!(
                "a picture of {width} x {height} pixels is too large: {MOST} are the most to a side"
            )));
        }
        (figure.width, figure.height) = (self.width, self.height);
        let theme = match self.theme {
            Ground::Light => Theme::Light,
            Ground::Dark => Theme::Dark,
        };
        let message = |error: lossfn_plot::Error| CliError::message(error.to_string());
        let frame = figure.frame().map_err(message)?;
        Ok(json!({
            "svg": figure.svg(theme).map_err(message)?,
            "frame": {
                "left": frame.left, "top": frame.top,
                "width": frame.right - frame.left, "height": frame.bottom - frame.top,
                "x": frame.x, "y": frame.y,
            },
        }))
    }
}
