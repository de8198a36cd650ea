//! What is drawn.

use crate::draw;
use crate::error::Error;
use crate::layout::{Frame, Layout};
use crate::png;

/// A chart: layers over two axes, with a title.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The title; may be empty. Long ones are broken into lines.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is drawn, from the bottom up.
    pub layers: Vec<Layer>,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// An axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What it measures; may be empty.
    pub label: String,
    /// Its ends, the lower one first; without them the data decides.
    pub range: Option<(f64, f64)>,
    /// Whether equal steps are equal factors.
    pub logarithmic: bool,
}

/// Something that is drawn. A layer without a label is not in the legend. A color is a place in a
/// palette that people with any colour vision can tell apart.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// A curve through points; one that is not finite breaks it.
    Line {
        /// Its name.
        label: String,
        /// Its points, in order.
        points: Vec<(f64, f64)>,
        /// Its color.
        color: usize,
        /// Whether it is dashed, in a pattern that belongs to the color.
        dashed: bool,
    },
    /// Single points.
    Points {
        /// Their name.
        label: String,
        /// Where they are; those that are not finite are left out.
        points: Vec<(f64, f64)>,
        /// Their color.
        color: usize,
        /// Their radius in pixels.
        radius: f64,
        /// Whether they are rings.
        hollow: bool,
    },
    /// Bars that stand on 0 (on a logarithmic axis, on its lower end).
    Bars {
        /// Their name.
        label: String,
        /// Left side, right side and height of each.
        bars: Vec<(f64, f64, f64)>,
        /// Their color.
        color: usize,
    },
    /// Cells over the whole plot area, faint: which color reigns where.
    Regions {
        /// How many across.
        columns: usize,
        /// How many down.
        rows: usize,
        /// The color of each, row after row from the top left.
        colors: Vec<Option<usize>>,
    },
    /// Straight lines from a point to another: how much each point pulls.
    Segments {
        /// Their name.
        label: String,
        /// Start and end of each; those that are not finite are left out.
        segments: Vec<((f64, f64), (f64, f64))>,
        /// Their color.
        color: usize,
    },
}

impl Layer {
    /// What the legend calls it; empty if it is not there.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::Line { label, .. }
            | Self::Points { label, .. }
            | Self::Bars { label, .. }
            | Self::Segments { label, .. } => label,
            Self::Regions { .. } => "",
        }
    }
}

/// Which background the picture is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// White.
    #[default]
    Light,
    /// Nearly black.
    Dark,
    /// What whoever looks at it prefers: one SVG with both. A PNG is light then.
    Auto,
}

impl Figure {
    /// The picture as SVG.
    ///
    /// # Errors
    /// [`Error::Size`], [`Error::Range`], [`Error::Nothing`], [`Error::Cells`].
    pub fn svg(&self, theme: Theme) -> Result<String, Error> {
        draw::side_by_side(std::slice::from_ref(self), theme)
    }

    /// The picture as PNG, with `scale` pixels for each of its size.
    ///
    /// # Errors
    /// As [`Figure::svg`], and [`Error::Scale`].
    pub fn png(&self, theme: Theme, scale: f32) -> Result<Vec<u8>, Error> {
        let theme = if theme == Theme::Auto { Theme::Light } else { theme };
        png::png(&self.svg(theme)?, self.width, self.height, scale)
    }

    /// Where the plot area is and what it shows: what is needed to lay something over it.
    ///
    /// # Errors
    /// As [`Figure::svg`].
    pub fn frame(&self) -> Result<Frame, Error> {
        Ok(Layout::new(self)?.frame)
    }
}
