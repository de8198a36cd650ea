//! Many f32 on their way into an exact sum.

use super::exact::{ExactSum, power_of_two};
use crate::class_axis::fold;
use crate::kernel::InstructionSet;
use crate::kernel::isa::{self, Work};
use crate::number::Isa;

/// Sums that are independent of each other, so that the compiler can use vectors; so many that the loop over
/// them stays a loop, since of straight code it makes vectors by luck only.
const LANES: usize = 64;
/// Numbers that are added up before a lane takes them, where that is exact.
const AT_ONCE: usize = 1 << AT_ONCE_BITS;
const AT_ONCE_BITS: i32 = 3;
/// Numbers that are added before the lanes are emptied: 2^13.
const ROOM: usize = 1 << ROOM_BITS;
const ROOM_BITS: i32 = 13;
/// How much larger than the largest number met so far later ones may be, in powers of two.
const HEADROOM: i32 = 2;
const INFINITY: u32 = f32::INFINITY.to_bits();

/// Adds up f32 exactly, in one pass.
///
/// Each lane has two f64. The first begins at 1.5 * 2^k and stays within [2^k, 2^(k+1)), so that it always
/// has the same last place, and adding a number to it rounds that number to a multiple of it. What the
/// rounding took away is exact (Dekker (1971), A Floating-Point Technique for Extending the Available
/// Precision, doi:10.1007/BF01397083) and is added to the second, which is exact as long as the smallest
/// number is not too far below the largest: that is measured first, and where it is not so, the numbers
/// take the general way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bulk {
    lanes: Option<Lanes>,
    /// What the first lanes began at.
    bias: f64,
    /// The magnitudes, as bits, that may be added: from the first on, below the second.
    from: u32,
    below: u32,
    /// How many may still be added.
    room: usize,
}

/// Aligned, or each vector would lie in two lines of the cache.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Lanes {
    high: [f64; LANES],
    low: [f64; LANES],
}

impl Bulk {
    /// Adds numbers, which reach `sum` at the latest with [`Bulk::flush`].
    pub fn add(&mut self, numbers: &[f32], sum: &mut ExactSum) {
        for numbers in numbers.chunks(ROOM) {
            let (mut largest, mut smallest) = (0, 0);
            let set = InstructionSet::in_use();
            isa::run(set, Measure { numbers, largest: &mut largest, smallest: &mut smallest });
            if largest == 0 {
                continue;
            }
            // How far apart the first bit of the largest is from the last of the smallest.
            let bits = exponent(largest) - exponent(smallest) + 24;
            if numbers.len() <= LANES && self.lanes.is_none() {
                if largest < INFINITY && bits + LANES.ilog2() as i32 <= 53 {
                    let mut total = 0.0;
                    isa::run(set, Few { numbers, total: &mut total });
                    sum.add(total);
                } else {
                    sum.absorb_from(numbers);
                }
                continue;
            }
            let fits = largest < self.below && smallest >= self.from && numbers.len() <= self.room;
            if !fits {
                self.flush(sum);
                if !self.begin(largest, smallest) {
                    sum.absorb_from(numbers);
                    continue;
                }
            }
            self.room -= numbers.len();
            if let Some(lanes) = &mut self.lanes {
                let alike = bits + AT_ONCE_BITS <= 53;
                isa::run(set, Add { numbers, alike, lanes });
            }
        }
    }

    /// Brings what was added to `sum`.
    pub fn flush(&mut self, sum: &mut ExactSum) {
        if let Some(lanes) = &mut self.lanes {
            let (mut high, mut low) = (0.0, 0.0);
            let work = Empty { lanes, bias: self.bias, high: &mut high, low: &mut low };
            isa::run(InstructionSet::in_use(), work);
            sum.add(high);
            sum.add(low);
        }
        self.lanes = None;
        (self.below, self.room) = (0, 0);
    }

    /// Makes ready for numbers whose magnitudes are like these; `false` if they are too far apart, or
    /// not finite.
    fn begin(&mut self, largest: u32, smallest: u32) -> bool {
        let highest = exponent(largest) + HEADROOM;
        // All numbers together are below 2^(highest + 1 + ROOM_BITS), half of which 1.5 * 2^k has room for.
        let k = highest + 2 + ROOM_BITS;
        // What is taken away is at most 2^(k - 53) of each, and all of it has to have 53 bits down to the
        // last of the smallest number, 23 below its first.
        let lowest = k - 53 + ROOM_BITS + 23 - 53;
        if largest >= INFINITY || exponent(smallest) < lowest {
            return false;
        }
        self.bias = 1.5 * power_of_two(k);
        self.lanes = Some(Lanes { high: [self.bias; LANES], low: [0.0; LANES] });
        self.room = ROOM;
        // Subnormal numbers have the exponent of the smallest normal ones.
        self.from = if lowest <= -126 { 1 } else { ((lowest + 127) as u32) << 23 };
        self.below = if highest >= 127 { INFINITY } else { ((highest + 1 + 127) as u32) << 23 };
        true
    }
}

#[inline(always)]
fn add(x: f64, high: &mut f64, low: &mut f64) {
    let sum = *high + x;
    *low += x - (sum - *high);
    *high = sum;
}

/// Adds up the lanes. That is exact, in any order: they are multiples of one power of two, and stay below 2^53 of
/// it.
struct Empty<'a> {
    lanes: &'a mut Lanes,
    bias: f64,
    high: &'a mut f64,
    low: &'a mut f64,
}

impl Work for Empty<'_> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Lanes { high, low } = self.lanes;
        for high in &mut *high {
            *high -= self.bias;
        }
        *self.high = total(high);
        *self.low = total(low);
    }
}

/// Adds up at most [`LANES`] numbers whose sum, in any order, is exact.
struct Few<'a> {
    numbers: &'a [f32],
    total: &'a mut f64,
}

impl Work for Few<'_> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        let mut lanes = [0.0; LANES];
        for (lane, &x) in lanes.iter_mut().zip(self.numbers) {
            *lane = f64::from(x);
        }
        *self.total = total(&mut lanes);
    }
}

#[inline(always)]
fn total(lanes: &mut [f64; LANES]) -> f64 {
    fold(lanes, |a, b| a + b)
}

/// The exponent of an f32 of this magnitude.
fn exponent(magnitude: u32) -> i32 {
    ((magnitude >> 23) as i32).max(1) - 127
}

/// The largest magnitude, and the smallest but for 0, as bits; NaN is larger than infinity.
struct Measure<'a> {
    numbers: &'a [f32],
    largest: &'a mut u32,
    smallest: &'a mut u32,
}

impl Work for Measure<'_> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        let (mut largest, mut smallest) = (0, u32::MAX);
        for x in self.numbers {
            let magnitude = x.to_bits() & !(1 << 31);
            largest = largest.max(magnitude);
            // 0 wraps around to the largest number.
            smallest = smallest.min(magnitude.wrapping_sub(1));
        }
        *self.largest = largest;
        *self.smallest = smallest.wrapping_add(1);
    }
}

struct Add<'a> {
    numbers: &'a [f32],
    /// Whether some may be added up before.
    alike: bool,
    lanes: &'a mut Lanes,
}

impl Work for Add<'_> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Lanes { high, low } = self.lanes;
        let (chunks, rest) = self.numbers.as_chunks::<{ LANES * AT_ONCE }>();
        for chunk in chunks {
            if self.alike {
                for lane in 0..LANES {
                    let mut sum = 0.0;
                    for at in 0..AT_ONCE {
                        sum += f64::from(chunk[at * LANES + lane]);
                    }
                    add(sum, &mut high[lane], &mut low[lane]);
                }
            } else {
                for lane in 0..LANES {
                    let (mut to_high, mut to_low) = (high[lane], low[lane]);
                    for at in 0..AT_ONCE {
                        add(f64::from(chunk[at * LANES + lane]), &mut to_high, &mut to_low);
                    }
                    (high[lane], low[lane]) = (to_high, to_low);
                }
            }
        }
        for run in rest.chunks(LANES) {
            for ((high, low), &x) in high.iter_mut().zip(&mut *low).zip(run) {
                add(f64::from(x), high, low);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bulk, ROOM};
    use crate::ExactSum;
    use proptest::prelude::*;

    /// The sum in bulk of runs of these lengths, and that one by one.
    fn both(numbers: &[f32], run: usize) -> (ExactSum, ExactSum) {
        let (mut bulk, mut sum, mut plain) =
            (Bulk::default(), ExactSum::default(), ExactSum::default());
        for run in numbers.chunks(run) {
            bulk.add(run, &mut sum);
        }
        bulk.flush(&mut sum);
        for &x in numbers {
            plain.add(f64::from(x));
        }
        (sum, plain)
    }

    proptest! {
        #[test]
        fn any_numbers(
            bits in prop::collection::vec(any::<u32>(), 0..300), run in 1usize..100,
        ) {
            let numbers: Vec<f32> = bits.into_iter().map(f32::from_bits).collect();
            let (bulk, plain) = both(&numbers, run);
            prop_assert_eq!(bulk, plain);
        }

        #[test]
        fn numbers_of_some_spread(
            numbers in prop::collection::vec((-1f32..1.0, 0i32..80), 1..3000),
            spread in 1i32..80, center in -100i32..60, run in 1usize..700,
        ) {
            let scaled = |(x, n): (f32, i32)| (f64::from(x) * f64::from(center + n % spread).exp2()) as f32;
            let numbers: Vec<f32> = numbers.into_iter().map(scaled).collect();
            let (bulk, plain) = both(&numbers, run);
            prop_assert_eq!(bulk, plain);
        }
    }

    #[test]
    fn as_many_and_as_far_apart_as_there_is_room_for() {
        // All of the largest and of the smallest that share the lanes, with all their bits.
        let (large, full) = (f32::from_bits(0x4000_0000 - 1), 1.0 + f32::EPSILON);
        for spread in 45..60 {
            for signs in [1.0, -1.0] {
                let small = full * (-spread as f32).exp2();
                let mut numbers = vec![large; 3 * ROOM];
                for x in numbers.iter_mut().skip(1).step_by(2) {
                    *x = signs * small;
                }
                numbers[ROOM + 1] = large * 4.0;
                let (bulk, plain) = both(&numbers, 512);
                assert_eq!(bulk, plain, "{spread} {signs}");
            }
        }
    }
}
