//! SVG to PNG.

use crate::error::Error;
use crate::text::{FAMILY, FONT};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

/// Pixels to a side at most: a picture of that size takes a gigabyte.
const LARGEST: f32 = 16_384.0;

pub(crate) fn png(svg: &str, width: u32, height: u32, scale: f32) -> Result<Vec<u8>, Error> {
    let fail = |reason| Error::Scale { scale, width, height, reason };
    if !(scale.is_finite() && scale > 0.0) {
        return Err(fail("it is a number above 0"));
    }
    let side = |pixels: u32| (pixels as f32 * scale).round();
    if side(width) > LARGEST || side(height) > LARGEST {
        return Err(fail("a side may have 16384 pixels"));
    }
    let mut pixels = Pixmap::new(side(width) as u32, side(height) as u32)
        .ok_or_else(|| fail("no pixel would be left"))?;
    let mut options = Options { font_family: FAMILY.to_owned(), ..Options::default() };
    let fonts = options.fontdb_mut();
    fonts.load_font_data(FONT.to_vec());
    fonts.set_sans_serif_family(FAMILY);
    let broken = |error: &dyn std::fmt::Display| Error::Draw(error.to_string());
    let tree = Tree::from_str(svg, &options).map_err(|error| broken(&error))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| broken(&error))
}
