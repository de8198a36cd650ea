//! Colors, for both backgrounds.

use crate::figure::Theme;
use plotters::style::RGBColor;

/// Something that has a color.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Paper,
    Text,
    Faint,
    Grid,
    Zero,
    /// Of a layer.
    Series(usize),
}

/// A color on white and on black. On white all differ, so that a style sheet can tell them apart.
type Pair = (RGBColor, RGBColor);

const fn pair(light: u32, dark: u32) -> Pair {
    const fn color(rgb: u32) -> RGBColor {
        RGBColor((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8)
    }
    (color(light), color(dark))
}

const PAPER: Pair = pair(0xff_ff_ff, 0x0d_11_17);
const TEXT: Pair = pair(0x1f_23_28, 0xe6_ed_f3);
const FAINT: Pair = pair(0x59_63_6e, 0x9d_a7_b3);
const GRID: Pair = pair(0xe7_ea_ee, 0x22_28_30);
const ZERO: Pair = pair(0xb4_bb_c4, 0x4a_53_5e);

/// Okabe and Ito's colors, which people with any colour vision can tell apart; on black lighter ones.
const SERIES: [Pair; 7] = [
    pair(0x00_72_b2, 0x4f_b3_f0),
    pair(0xd5_5e_00, 0xff_8a_3d),
    pair(0x00_9e_73, 0x2c_c7_9b),
    pair(0xcc_79_a7, 0xe6_9a_c6),
    pair(0xe6_9f_00, 0xf2_bd_42),
    pair(0x56_b4_e9, 0x9a_d8_ff),
    pair(0x6e_6e_6e, 0xb8_b8_b8),
];

/// Dashes of each color, in pixels: so they can be told apart without it.
const DASHES: [&[f64]; 7] = [
    &[7.0, 4.0],
    &[9.0, 3.5],
    &[4.5, 3.0],
    &[10.0, 3.0, 2.5, 3.0],
    &[2.0, 2.5],
    &[12.0, 3.0, 2.5, 3.0, 2.5, 3.0],
    &[14.0, 5.0],
];

impl Ink {
    fn pair(self) -> Pair {
        match self {
            Self::Paper => PAPER,
            Self::Text => TEXT,
            Self::Faint => FAINT,
            Self::Grid => GRID,
            Self::Zero => ZERO,
            Self::Series(place) => SERIES[place % SERIES.len()],
        }
    }

    pub fn color(self, theme: Theme) -> RGBColor {
        let (light, dark) = self.pair();
        if theme == Theme::Dark { dark } else { light }
    }
}

/// The dashes of a color, in pixels.
pub(crate) fn dashes(color: usize) -> &'static [f64] {
    DASHES[color % DASHES.len()]
}

/// A style sheet that puts the dark colors in place of the light ones where dark is preferred.
pub(crate) fn style_sheet(svg: &str) -> String {
    let hex = |color: RGBColor| format!("#{:02X}{:02X}{:02X}", color.0, color.1, color.2);
    let mut rules = String::new();
    for (light, dark) in [PAPER, TEXT, FAINT, GRID, ZERO].into_iter().chain(SERIES) {
        let (light, dark) = (hex(light), hex(dark));
        for attribute in ["fill", "stroke"] {
            let selector = format!("{attribute}=\"{light}\"");
            if svg.contains(&selector) {
                rules.push_str(&format!("[{selector}]{{{attribute}:{dark}}}"));
            }
        }
    }
    format!("<style>@media (prefers-color-scheme:dark){{{rules}}}</style>\n")
}
