//! How wide text is, by the font that PNGs are drawn with.

use skrifa::prelude::{FontRef, LocationRef, MetadataProvider, Size};

/// The font's bytes. It is under the Apache licence 2.0.
pub(crate) const FONT: &[u8] = ttf_noto_sans::REGULAR;
/// Its name.
pub(crate) const FAMILY: &str = "Noto Sans";

/// The width of a line of text in pixels. An SVG may be shown with another font; this one is wider than
/// most.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    // The font is read at every call: a chart has a few dozen labels.
    let Ok(font) = FontRef::new(FONT) else { return text.chars().count() as f64 * size * 0.6 };
    let (glyphs, characters) =
        (font.glyph_metrics(Size::new(1000.0), LocationRef::default()), font.charmap());
    let advance = |letter: char| {
        let advance = characters.map(letter).and_then(|glyph| glyphs.advance_width(glyph));
        f64::from(advance.unwrap_or(600.0))
    };
    text.chars().map(advance).sum::<f64>() * size / 1000.0
}

/// The text, or as much of its beginning as fits, with an ellipsis.
pub(crate) fn fitted(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut letters: Vec<char> = text.chars().collect();
    loop {
        letters.pop();
        let shortened: String = letters.iter().chain(&['…']).collect();
        if letters.is_empty() || width(&shortened, size) <= room {
            return shortened;
        }
    }
}

/// The text broken into at most two lines at spaces.
pub(crate) fn lines(text: &str, size: f64, room: f64) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    if width(text, size) <= room {
        return vec![text.to_owned()];
    }
    let places = text.match_indices(' ').map(|(at, _)| at);
    let fits = |&at: &usize| width(&text[..at], size) <= room;
    match places.take_while(fits).last() {
        Some(at) => vec![text[..at].to_owned(), fitted(&text[at + 1..], size, room)],
        None => vec![fitted(text, size, room)],
    }
}
