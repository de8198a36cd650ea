//! Where everything goes.

use crate::error::Error;
use crate::figure::{Figure, Layer};
use crate::scale::Scale;
use crate::text;

/// Sizes of text in pixels.
pub(crate) const TITLE: f64 = 16.0;
pub(crate) const LABEL: f64 = 13.0;
pub(crate) const TICK: f64 = 12.0;

/// How long the sample of a line beside its name is, and the gap between the two.
pub(crate) const SAMPLE: f64 = 24.0;
pub(crate) const GAP: f64 = 6.0;
const LINE: f64 = 19.0;
const EDGE: f64 = 14.0;
/// How much room text is given beyond its width: another font may be wider.
const SLACK: f64 = 1.06;

/// The plot area in pixels, from the top left of the picture, and the numbers at its edges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Its left side.
    pub left: f64,
    /// Its top.
    pub top: f64,
    /// Its right side.
    pub right: f64,
    /// Its bottom.
    pub bottom: f64,
    /// The numbers at its left and right.
    pub x: (f64, f64),
    /// The numbers at its bottom and top.
    pub y: (f64, f64),
    /// Whether the horizontal axis is logarithmic.
    pub x_logarithmic: bool,
    /// Whether the vertical axis is.
    pub y_logarithmic: bool,
}

impl Frame {
    fn scales(&self) -> (Scale, Scale) {
        let scale = |(low, high): (f64, f64), logarithmic| Scale { low, high, logarithmic };
        (scale(self.x, self.x_logarithmic), scale(self.y, self.y_logarithmic))
    }

    /// The pixel at which a point is drawn; it may be outside the picture, and NaN where a logarithm is.
    #[must_use]
    pub fn pixel(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (across, up) = self.scales();
        (
            self.left + (self.right - self.left) * across.fraction(x),
            self.bottom + (self.top - self.bottom) * up.fraction(y),
        )
    }

    /// The point that is drawn at a pixel.
    #[must_use]
    pub fn point(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (across, up) = self.scales();
        (
            across.number((x - self.left) / (self.right - self.left)),
            up.number((y - self.bottom) / (self.top - self.bottom)),
        )
    }

    /// The part of a straight line between pixels that is in the plot area.
    pub(crate) fn clip(
        &self,
        from: (f64, f64),
        to: (f64, f64),
    ) -> Option<((f64, f64), (f64, f64))> {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let (mut start, mut end) = (0.0f64, 1.0f64);
        for (step, room) in [
            (-dx, from.0 - self.left),
            (dx, self.right - from.0),
            (-dy, from.1 - self.top),
            (dy, self.bottom - from.1),
        ] {
            if step == 0.0 {
                if room < 0.0 {
                    return None;
                }
            } else if step < 0.0 {
                start = start.max(room / step);
            } else {
                end = end.min(room / step);
            }
        }
        let at = |t: f64| (from.0 + dx * t, from.1 + dy * t);
        let ends =
            (if start > 0.0 { at(start) } else { from }, if end < 1.0 { at(end) } else { to });
        (start <= end).then_some(ends)
    }
}

/// A name beside a sample of what it names.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Which layer.
    pub layer: usize,
    /// The left end of the sample.
    pub x: f64,
    /// Its middle.
    pub y: f64,
    pub text: String,
}

/// Where everything goes, in pixels.
pub(crate) struct Layout {
    pub frame: Frame,
    pub x_ticks: Vec<(f64, String)>,
    pub y_ticks: Vec<(f64, String)>,
    /// Lines of the title and their middles.
    pub title: Vec<(f64, String)>,
    pub legend: Vec<Entry>,
}

impl Layout {
    pub fn new(figure: &Figure) -> Result<Self, Error> {
        let (width, height) = (figure.width, figure.height);
        let fail = |reason| Err(Error::Size { width, height, reason });
        if width > 10_000 || height > 10_000 {
            return fail("is too large: 10000 are the most to a side");
        }
        for layer in &figure.layers {
            if let Layer::Regions { columns, rows, colors } = layer {
                if columns.checked_mul(*rows) != Some(colors.len()) {
                    let (columns, rows, found) = (*columns, *rows, colors.len());
                    return Err(Error::Cells { columns, rows, found });
                }
            }
        }
        let x = Scale::new(&figure.x, "x", figure.layers.iter().flat_map(xs), air(figure).0)?;
        let y = Scale::new(&figure.y, "y", figure.layers.iter().flat_map(ys), air(figure).1)?;
        let (width, height) = (f64::from(width), f64::from(height));
        let room = (width - 2.0 * EDGE) / SLACK;
        let lines = text::lines(&figure.title, TITLE, room);
        let mut top = EDGE;
        let title = lines.into_iter().map(|line| {
            top += 21.0;
            (top - 12.0, line)
        });
        let title: Vec<(f64, String)> = title.collect();
        let below_title = if title.is_empty() { top } else { top + 5.0 };
        let bottom = height - EDGE - 18.0 - if figure.x.label.is_empty() { 0.0 } else { 20.0 };
        let y_wanted = (((bottom - below_title) / 44.0).round()).max(2.0) as usize;
        let y_ticks = y.ticks(y_wanted);
        let widest = |ticks: &[(f64, String)]| {
            ticks.iter().map(|(_, text)| text::width(text, TICK)).fold(0.0, f64::max)
        };
        let left = EDGE
            + widest(&y_ticks) * SLACK
            + 8.0
            + if figure.y.label.is_empty() { 0.0 } else { LABEL + 9.0 };
        let mut frame = Frame {
            left,
            top: below_title,
            right: width - EDGE - 8.0,
            bottom,
            x: (x.low, x.high),
            y: (y.low, y.high),
            x_logarithmic: x.logarithmic,
            y_logarithmic: y.logarithmic,
        };
        let legend = match beside_ends(figure, &frame, width) {
            Some((right, legend)) => {
                frame.right = right;
                legend
            }
            None => above(figure, &mut frame),
        };
        if frame.right - frame.left < 60.0 || frame.bottom - frame.top < 40.0 {
            return fail("leaves no room for the plot between its labels: make it larger");
        }
        let x_wanted = (((frame.right - frame.left) / 76.0).round()).max(2.0) as usize;
        let mut x_ticks = x.ticks(x_wanted);
        // Wide numbers need more room.
        let most = ((frame.right - frame.left) / (widest(&x_ticks) * SLACK + 14.0)).floor();
        if x_ticks.len() as f64 > most {
            x_ticks = x.ticks((most as usize).max(1));
        }
        Ok(Self { frame, x_ticks, y_ticks, title, legend })
    }
}

/// How much of its span an axis is to extend beyond its data: nothing where a line ends.
fn air(figure: &Figure) -> (f64, f64) {
    let mut lines = figure.layers.iter().filter(|layer| !matches!(layer, Layer::Regions { .. }));
    let only_lines = lines.all(|layer| matches!(layer, Layer::Line { .. }));
    (if only_lines { 0.0 } else { 0.04 }, 0.04)
}

fn xs(layer: &Layer) -> Vec<f64> {
    match layer {
        Layer::Line { points, .. } | Layer::Points { points, .. } => {
            finite(points).map(|p| p.0).collect()
        }
        Layer::Bars { bars, .. } => bars.iter().flat_map(|bar| [bar.0, bar.1]).collect(),
        Layer::Segments { segments, .. } => segments.iter().flat_map(|(a, b)| [a.0, b.0]).collect(),
        Layer::Regions { .. } => Vec::new(),
    }
}

fn ys(layer: &Layer) -> Vec<f64> {
    match layer {
        Layer::Line { points, .. } | Layer::Points { points, .. } => {
            finite(points).map(|p| p.1).collect()
        }
        Layer::Bars { bars, .. } => {
            bars.iter().map(|bar| bar.2).chain((!bars.is_empty()).then_some(0.0)).collect()
        }
        Layer::Segments { segments, .. } => segments.iter().flat_map(|(a, b)| [a.1, b.1]).collect(),
        Layer::Regions { .. } => Vec::new(),
    }
}

fn finite(points: &[(f64, f64)]) -> impl Iterator<Item = &(f64, f64)> {
    points.iter().filter(|point| point.0.is_finite() && point.1.is_finite())
}

/// The layers that have a name.
fn named(figure: &Figure) -> impl Iterator<Item = (usize, &Layer)> {
    figure.layers.iter().enumerate().filter(|(_, layer)| !layer.label().is_empty())
}

/// Names at the right, each beside the end of its curve, if all curves end there and far enough from
/// each other. With them goes the right side of the plot area.
fn beside_ends(figure: &Figure, frame: &Frame, width: f64) -> Option<(f64, Vec<Entry>)> {
    let mut widest = 0.0f64;
    let mut entries = Vec::new();
    for (layer, line) in named(figure) {
        let Layer::Line { label, points, .. } = line else { return None };
        let (x, y) = frame.pixel(*points.last()?);
        if (x - frame.right).abs() > 0.5 || !(frame.top..=frame.bottom).contains(&y) {
            return None;
        }
        widest = widest.max(text::width(label, LABEL) * SLACK);
        entries.push(Entry { layer, x: 0.0, y, text: label.clone() });
    }
    let right = width - EDGE - widest - SAMPLE - GAP - 6.0;
    if entries.is_empty() || widest > width / 4.0 {
        return None;
    }
    let wanted: Vec<f64> = entries.iter().map(|entry| entry.y).collect();
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]));
    // Down, then back up from the bottom.
    let mut least = frame.top - LINE / 2.0;
    for &at in &order {
        entries[at].y = entries[at].y.max(least);
        least = entries[at].y + LINE;
    }
    let mut most = frame.bottom;
    for &at in order.iter().rev() {
        entries[at].y = entries[at].y.min(most);
        most = entries[at].y - LINE;
    }
    for (entry, wanted) in entries.iter_mut().zip(wanted) {
        if (entry.y - wanted).abs() > LINE {
            return None;
        }
        entry.x = right + 6.0;
    }
    Some((right, entries))
}

/// Names in rows above the plot area, which makes room for them.
fn above(figure: &Figure, frame: &mut Frame) -> Vec<Entry> {
    let mut entries = Vec::new();
    let (mut x, mut y) = (frame.left, frame.top + LINE / 2.0);
    for (layer, named) in named(figure) {
        let room = frame.right - frame.left - SAMPLE - GAP;
        let text = text::fitted(named.label(), LABEL, room / SLACK);
        let width = SAMPLE + GAP + text::width(&text, LABEL) * SLACK;
        if x > frame.left && x + width > frame.right {
            (x, y) = (frame.left, y + LINE);
        }
        entries.push(Entry { layer, x, y, text });
        x += width + 18.0;
    }
    if !entries.is_empty() {
        frame.top = y + LINE / 2.0 + 8.0;
    }
    entries
}
