//! From numbers to places along an axis, and the numbers that are written there.

use crate::error::Error;
use crate::figure::Axis;

/// An axis with its ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    pub low: f64,
    pub high: f64,
    pub logarithmic: bool,
}

/// Numbers beyond are not drawn to scale.
const LARGEST: f64 = 1e300;
/// How much wider than its numbers an axis must be, relatively: below, they could not be told apart.
const NARROWEST: f64 = 1e-9;

impl Scale {
    /// The scale of an axis, which shows all of `data` if it has no range of its own, with some `air`
    /// around them.
    pub fn new(
        axis: &Axis,
        name: &'static str,
        data: impl Iterator<Item = f64>,
        air: f64,
    ) -> Result<Self, Error> {
        let logarithmic = axis.logarithmic;
        if let Some((low, high)) = axis.range {
            let fail = |reason| Err(Error::Range { axis: name, low, high, reason });
            return if !(low.abs() <= LARGEST && high.abs() <= LARGEST) {
                fail("must be of numbers up to 1e300")
            } else if low >= high {
                fail("has its lower end first, and another number at its upper end")
            } else if logarithmic && low <= 0.0 {
                fail("of a logarithmic axis must be above 0")
            } else if high - low < NARROWEST * low.abs().max(high.abs()) || high - low < 1e-300 {
                fail("is so narrow that its numbers could not be told apart")
            } else {
                Ok(Self { low, high, logarithmic })
            };
        }
        let least = if logarithmic { 1e-300 } else { -LARGEST };
        let seen = data.filter(|x| (least..=LARGEST).contains(x));
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for x in seen {
            (low, high) = (low.min(x), high.max(x));
        }
        if low > high {
            let what = if logarithmic { "finite number above 0" } else { "finite number" };
            return Err(Error::Nothing { axis: name, what });
        }
        if logarithmic {
            let factor = if high / low < 1.0 + 1e-6 { 2.0 } else { (high / low).powf(air) };
            return Ok(Self { low: low / factor, high: high * factor, logarithmic });
        }
        let span = high - low;
        let magnitude = low.abs().max(high.abs());
        let add = if span > 10.0 * NARROWEST * magnitude && span > 1e-290 {
            span * air
        } else if magnitude > 1e-290 {
            magnitude / 2.0
        } else {
            0.5
        };
        Ok(Self { low: low - add, high: high + add, logarithmic })
    }

    /// How far along the axis a number is: 0 at its lower end, 1 at its upper.
    pub fn fraction(&self, x: f64) -> f64 {
        if self.logarithmic {
            (x.ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
        } else {
            (x - self.low) / (self.high - self.low)
        }
    }

    /// The number there.
    pub fn number(&self, fraction: f64) -> f64 {
        if self.logarithmic {
            let (low, high) = (self.low.ln(), self.high.ln());
            (low + (high - low) * fraction).exp()
        } else {
            self.low + (self.high - self.low) * fraction
        }
    }

    /// Numbers to be written along the axis, about so many, with their text.
    pub fn ticks(&self, wanted: usize) -> Vec<(f64, String)> {
        if self.logarithmic && self.high / self.low >= 10.0 {
            self.powers(wanted)
        } else {
            self.steps(wanted)
        }
    }

    fn steps(&self, wanted: usize) -> Vec<(f64, String)> {
        // What is a hair's breadth off counts as equal, lest the last bit decide.
        const HAIR: f64 = 1e-9;
        let least = (self.high - self.low) / wanted.max(1) as f64;
        let mut power = least.log10().floor() as i32 - 1;
        let step = loop {
            let candidates = [1.0, 2.0, 5.0].map(|digit| (digit, digit * ten(power)));
            match candidates.into_iter().find(|(_, step)| *step >= least * (1.0 - HAIR)) {
                Some((digit, _)) => break digit,
                None => power += 1,
            }
        };
        let times = step * ten(power);
        let (first, last) = ((self.low / times - HAIR).ceil(), (self.high / times + HAIR).floor());
        let count = (last - first) as usize + 1;
        let most = self.low.abs().max(self.high.abs());
        let numbers = (0..count.min(100)).map(|at| (first + at as f64) * times);
        numbers.map(|x| (x, write(x, power, most))).collect()
    }

    fn powers(&self, wanted: usize) -> Vec<(f64, String)> {
        let place = |x: f64| x.log10();
        let (first, last) = ((place(self.low) - 1e-9).ceil(), (place(self.high) + 1e-9).floor());
        let powers = (last - first).max(0.0) as usize + 1;
        let digits: &[f64] = if powers * 3 <= wanted { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let stride = powers.div_ceil(wanted.max(1)).max(1);
        let mut all = Vec::new();
        let inside = |x: f64| (-1e-9..=1.0 + 1e-9).contains(&self.fraction(x));
        for power in (first as i32 - 1..=last as i32).filter(|power| *power % stride as i32 == 0) {
            for x in digits.iter().map(|digit| digit * ten(power)).filter(|x| inside(*x)) {
                all.push((x, write(x, power, if power.abs() > 4 { f64::INFINITY } else { 1.0 })));
            }
        }
        all
    }
}

fn ten(power: i32) -> f64 {
    // Parsing gives the nearest number, on every machine.
    format!("1e{power}").parse().unwrap_or(f64::NAN)
}

/// A multiple of 10^power, among numbers up to `most`.
fn write(x: f64, power: i32, most: f64) -> String {
    if x == 0.0 {
        return "0".into();
    }
    let text = if most >= 1e6 || power < -5 {
        let digits = (x.abs().log10() + 1e-9).floor() as i32 - power;
        format!("{x:.*e}", digits.max(0) as usize)
    } else {
        format!("{x:.*}", (-power).max(0) as usize)
    };
    text.replace('-', "\u{2212}")
}
