//! Figures as SVG.

use crate::error::Error;
use crate::figure::{Figure, Layer, Theme};
use crate::layout::{Frame, GAP, LABEL, Layout, SAMPLE, TICK, TITLE};
use crate::palette::{Ink, dashes, style_sheet};
use crate::text::FAMILY;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::prelude::SVGBackend;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, IntoFont, RGBColor, ShapeStyle, TextStyle};
use std::fmt::Write;
use std::io;

/// Places have whole numbers in plotters, so they are counted in tenths of a pixel.
const TENTHS: f64 = 10.0;
/// How wide curves are.
const STROKE: f64 = 2.2;

type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<io::Error>>;

/// Figures beside each other, as one SVG. They should be equally high.
///
/// # Errors
/// As [`Figure::svg`].
pub fn side_by_side(figures: &[Figure], theme: Theme) -> Result<String, Error> {
    let width: u32 = figures.iter().map(|figure| figure.width).fold(0, u32::saturating_add);
    let height = figures.iter().map(|figure| figure.height).max().unwrap_or(0);
    let mut body = canvas(|canvas| canvas.fill(&Ink::Paper.color(theme)), (width, height))?;
    let mut left = 0;
    for figure in figures {
        let inside = draw(figure, theme)?;
        if left == 0 {
            body.push_str(&inside);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(
                body,
                "<g transform=\"translate({} 0)\">\n{inside}</g>\n",
                tenths(f64::from(left))
            );
        }
        left += figure.width;
    }
    let style = if theme == Theme::Auto { style_sheet(&body) } else { String::new() };
    let titles: Vec<&str> = figures.iter().map(|figure| figure.title.as_str()).collect();
    let description: Vec<String> = figures.iter().map(description).collect();
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {} {}\" role=\"img\" font-family=\"{FAMILY},Helvetica,Arial,sans-serif\">\n\
         <title>{}</title>\n<desc>{}</desc>\n{style}{body}</svg>\n",
        u64::from(width) * 10,
        u64::from(height) * 10,
        escaped(&titles.join("; ")),
        escaped(&description.join(" ")),
    ))
}

/// The chart in words.
fn description(figure: &Figure) -> String {
    let named: Vec<&str> =
        figure.layers.iter().map(Layer::label).filter(|label| !label.is_empty()).collect();
    let axis = |name: &str, fallback: &str| {
        if name.is_empty() { fallback.to_owned() } else { name.to_owned() }
    };
    let of = if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) };
    format!("{} over {}{of}.", axis(&figure.y.label, "y"), axis(&figure.x.label, "x"))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A place in tenths of a pixel. What lies on the border between two is rounded up, even if the last
/// bits of a computation, which differ between machines, are a little below it.
fn tenths(pixels: f64) -> i32 {
    (pixels * TENTHS + 0.5 + 1e-6).floor() as i32
}

fn place((x, y): (f64, f64)) -> (i32, i32) {
    (tenths(x), tenths(y))
}

/// What is drawn on a canvas, without the `svg` element around it.
fn canvas(
    draw: impl FnOnce(&Canvas) -> Drawn,
    (width, height): (u32, u32),
) -> Result<String, Error> {
    let mut text = String::new();
    {
        let size = (width * TENTHS as u32, height * TENTHS as u32);
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        let broken = |error: DrawingAreaErrorKind<io::Error>| Error::Draw(error.to_string());
        draw(&area).and_then(|()| area.present()).map_err(broken)?;
    }
    let start = text.find('\n').map_or(0, |at| at + 1);
    let end = text.rfind("</svg>").unwrap_or(text.len());
    // What is the same everywhere is said once, outside.
    let body = text[start..end].replace(" opacity=\"1\"", "");
    Ok(without(&without(&body, "font-family"), "font-size").replace(">\n<text", "><text"))
}

/// The elements without one of their attributes.
fn without(svg: &str, attribute: &str) -> String {
    let start = format!(" {attribute}=\"");
    let mut parts = svg.split(&start);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.split_once('"').map_or("", |(_, rest)| rest));
    }
    text
}

/// Text around a point, of the size that the group around it says.
fn text(
    canvas: &Canvas,
    words: &str,
    at: (f64, f64),
    color: RGBColor,
    across: HPos,
    turned: bool,
) -> Drawn {
    let style = TextStyle::from(FAMILY.into_font()).color(&color);
    let style = style.pos(Pos::new(across, VPos::Center));
    let turn = if turned { FontTransform::Rotate270 } else { FontTransform::None };
    canvas.draw(&Text::new(words, place(at), style.transform(turn)))
}

fn line(canvas: &Canvas, points: &[(f64, f64)], color: RGBColor, width: f64) -> Drawn {
    let points: Vec<(i32, i32)> = points.iter().map(|&point| place(point)).collect();
    canvas.draw(&PathElement::new(points, stroke(color, width)))
}

fn stroke(color: RGBColor, width: f64) -> ShapeStyle {
    ShapeStyle { color: color.to_rgba(), filled: false, stroke_width: tenths(width) as u32 }
}

/// A figure without the `svg` element around it.
fn draw(figure: &Figure, theme: Theme) -> Result<String, Error> {
    let layout = Layout::new(figure)?;
    let frame = &layout.frame;
    let size = (figure.width, figure.height);
    let ink = |ink: Ink| ink.color(theme);
    let mut svg = String::new();
    let mut group = |attributes: &str, body: &str| {
        if !body.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(svg, "<g {attributes}>\n{body}</g>\n");
        }
    };
    for layer in figure.layers.iter().filter(|layer| matches!(layer, Layer::Regions { .. })) {
        group(
            "shape-rendering=\"crispEdges\"",
            &canvas(|canvas| regions(canvas, layer, frame, theme), size)?,
        );
    }
    let grid = |canvas: &Canvas| {
        // The lines at 0 are drawn last, over the others.
        for zero in [false, true] {
            let color = ink(if zero { Ink::Zero } else { Ink::Grid });
            for (x, _) in layout.x_ticks.iter().filter(|(x, _)| (*x == 0.0) == zero) {
                let across = frame.pixel((*x, frame.y.0)).0;
                line(canvas, &[(across, frame.top), (across, frame.bottom)], color, 1.0)?;
            }
            for (y, _) in layout.y_ticks.iter().filter(|(y, _)| (*y == 0.0) == zero) {
                let down = frame.pixel((frame.x.0, *y)).1;
                line(canvas, &[(frame.left, down), (frame.right, down)], color, 1.0)?;
            }
        }
        Ok(())
    };
    group("class=\"grid\"", &canvas(grid, size)?);
    for (at, layer) in figure.layers.iter().enumerate() {
        if !matches!(layer, Layer::Regions { .. }) {
            let body = canvas(|canvas| draw_layer(canvas, layer, frame, theme), size)?;
            group(&format!("class=\"layer-{at}\"{}", dash(layer)), &body);
        }
    }
    let ticks = |canvas: &Canvas| {
        for (x, words) in &layout.x_ticks {
            let at = (frame.pixel((*x, frame.y.0)).0, frame.bottom + 12.0);
            text(canvas, words, at, ink(Ink::Faint), HPos::Center, false)?;
        }
        for (y, words) in &layout.y_ticks {
            let at = (frame.left - 8.0, frame.pixel((frame.x.0, *y)).1);
            text(canvas, words, at, ink(Ink::Faint), HPos::Right, false)?;
        }
        Ok(())
    };
    group(&format!("font-size=\"{}\"", tenths(TICK)), &canvas(ticks, size)?);
    let samples = layout.legend.iter().map(|entry| {
        let layer = &figure.layers[entry.layer];
        let body = canvas(|canvas| sample(canvas, layer, (entry.x, entry.y), theme), size)?;
        Ok((dash(layer), body))
    });
    for (dash, body) in samples.collect::<Result<Vec<_>, Error>>()? {
        group(&format!("class=\"sample\"{dash}"), &body);
    }
    let labels = |canvas: &Canvas| {
        for entry in &layout.legend {
            let at = (entry.x + SAMPLE + GAP, entry.y);
            text(canvas, &entry.text, at, ink(Ink::Text), HPos::Left, false)?;
        }
        let middle = ((frame.left + frame.right) / 2.0, (frame.top + frame.bottom) / 2.0);
        if !figure.x.label.is_empty() {
            let at = (middle.0, frame.bottom + 33.0);
            text(canvas, &figure.x.label, at, ink(Ink::Text), HPos::Center, false)?;
        }
        if !figure.y.label.is_empty() {
            text(canvas, &figure.y.label, (18.0, middle.1), ink(Ink::Text), HPos::Center, true)?;
        }
        Ok(())
    };
    group(&format!("font-size=\"{}\"", tenths(LABEL)), &canvas(labels, size)?);
    let title = |canvas: &Canvas| {
        for (y, words) in &layout.title {
            text(canvas, words, (frame.left, *y), ink(Ink::Text), HPos::Left, false)?;
        }
        Ok(())
    };
    group(&format!("font-size=\"{}\"", tenths(TITLE)), &canvas(title, size)?);
    Ok(svg)
}

/// The attribute that dashes the lines of a layer.
fn dash(layer: &Layer) -> String {
    match layer {
        Layer::Line { color, dashed, .. } => {
            let mut text = String::from(" stroke-linejoin=\"round\"");
            if *dashed {
                let lengths: Vec<String> =
                    dashes(*color).iter().map(|length| tenths(*length).to_string()).collect();
                let _ = write!(text, " stroke-dasharray=\"{}\"", lengths.join(" "));
            }
            text
        }
        _ => String::new(),
    }
}

fn draw_layer(canvas: &Canvas, layer: &Layer, frame: &Frame, theme: Theme) -> Drawn {
    match layer {
        Layer::Line { points, color, .. } => {
            for piece in pieces(points, frame) {
                line(canvas, &piece, Ink::Series(*color).color(theme), STROKE)?;
            }
        }
        Layer::Points { points, color, radius, hollow, .. } => {
            for &point in points {
                let (x, y) = frame.pixel(point);
                if (frame.left..=frame.right).contains(&x)
                    && (frame.top..=frame.bottom).contains(&y)
                {
                    dot(canvas, (x, y), *radius, *hollow, Ink::Series(*color).color(theme))?;
                }
            }
        }
        Layer::Bars { bars, color, .. } => {
            let floor = if frame.y_logarithmic { frame.y.0 } else { 0.0 };
            for &(low, high, height) in bars {
                let (a, b) = (frame.pixel((low, floor)), frame.pixel((high, height)));
                bar(canvas, a, b, frame, Ink::Series(*color).color(theme))?;
            }
        }
        Layer::Segments { segments, color, .. } => {
            for &(from, to) in segments {
                let (from, to) = (frame.pixel(from), frame.pixel(to));
                let is_finite = [from.0, from.1, to.0, to.1].iter().all(|x| x.is_finite());
                if let Some((from, to)) = is_finite.then(|| frame.clip(from, to)).flatten() {
                    line(canvas, &[from, to], Ink::Series(*color).color(theme), 1.4)?;
                }
            }
        }
        Layer::Regions { .. } => {}
    }
    Ok(())
}

/// The pieces of a curve that are in the plot area, in pixels.
fn pieces(points: &[(f64, f64)], frame: &Frame) -> Vec<Vec<(f64, f64)>> {
    let mut pieces: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut last: Option<(f64, f64)> = None;
    for &point in points {
        let here = frame.pixel(point);
        if !(here.0.is_finite() && here.1.is_finite()) {
            last = None;
            continue;
        }
        if let Some((from, to)) = last.and_then(|last| frame.clip(last, here)) {
            match pieces.last_mut() {
                Some(piece) if piece.last() == Some(&from) => piece.push(to),
                _ => pieces.push(vec![from, to]),
            }
        }
        last = Some(here);
    }
    pieces
}

fn dot(canvas: &Canvas, at: (f64, f64), radius: f64, hollow: bool, color: RGBColor) -> Drawn {
    // Rings are as wide as discs.
    let (radius, style) =
        if hollow { (radius - 0.75, stroke(color, 1.5)) } else { (radius, color.filled()) };
    canvas.draw(&Circle::new(place(at), tenths(radius.clamp(0.5, 1e4)), style))
}

fn bar(canvas: &Canvas, a: (f64, f64), b: (f64, f64), frame: &Frame, color: RGBColor) -> Drawn {
    if ![a.0, a.1, b.0, b.1].iter().all(|x| x.is_finite()) {
        return Ok(());
    }
    let inside =
        |x: f64, y: f64| (x.clamp(frame.left, frame.right), y.clamp(frame.top, frame.bottom));
    let (low, high) =
        (place(inside(a.0.min(b.0), a.1.min(b.1))), place(inside(a.0.max(b.0), a.1.max(b.1))));
    // A hair between neighbours.
    let gap = if high.0 - low.0 > 40 { 5 } else { 0 };
    if high.0 == low.0 || high.1 == low.1 {
        return Ok(());
    }
    canvas.draw(&Rectangle::new(
        [(low.0 + gap, low.1), (high.0 - gap, high.1)],
        color.mix(0.75).filled(),
    ))
}

/// Cells of one color beside each other are drawn as one.
fn regions(canvas: &Canvas, layer: &Layer, frame: &Frame, theme: Theme) -> Drawn {
    let Layer::Regions { columns, rows, colors } = layer else { return Ok(()) };
    let across =
        |column: usize| frame.left + (frame.right - frame.left) * column as f64 / *columns as f64;
    let down = |row: usize| frame.top + (frame.bottom - frame.top) * row as f64 / *rows as f64;
    for (row, cells) in colors.chunks((*columns).max(1)).enumerate() {
        let mut start = 0;
        for run in cells.chunk_by(|a, b| a == b) {
            if let Some(color) = run[0] {
                let corners = [
                    place((across(start), down(row))),
                    place((across(start + run.len()), down(row + 1))),
                ];
                let color = Ink::Series(color).color(theme).mix(0.16);
                canvas.draw(&Rectangle::new(corners, color.filled()))?;
            }
            start += run.len();
        }
    }
    Ok(())
}

/// What a layer looks like, in the legend.
fn sample(canvas: &Canvas, layer: &Layer, (x, y): (f64, f64), theme: Theme) -> Drawn {
    match layer {
        Layer::Line { color, .. } => {
            let color = Ink::Series(*color).color(theme);
            line(canvas, &[(x, y), (x + SAMPLE, y)], color, STROKE)
        }
        Layer::Points { color, radius, hollow, .. } => {
            let color = Ink::Series(*color).color(theme);
            dot(canvas, (x + SAMPLE / 2.0, y), radius.clamp(3.0, 6.0), *hollow, color)
        }
        Layer::Bars { color, .. } => {
            let corners = [place((x + 4.0, y - 5.0)), place((x + SAMPLE - 4.0, y + 5.0))];
            let color = Ink::Series(*color).color(theme).mix(0.75);
            canvas.draw(&Rectangle::new(corners, color.filled()))
        }
        Layer::Segments { color, .. } => {
            let color = Ink::Series(*color).color(theme);
            line(canvas, &[(x + SAMPLE / 2.0, y - 6.0), (x + SAMPLE / 2.0, y + 6.0)], color, 1.4)
        }
        Layer::Regions { .. } => Ok(()),
    }
}
