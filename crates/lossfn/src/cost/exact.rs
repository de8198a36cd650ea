//! A sum without rounding.

use crate::class_axis::Double;
use crate::kernel::InstructionSet;
use crate::kernel::isa::{self, Work};
use crate::number::{Isa, Real};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bits of one limb; the rest of an i64 is room for carries.
const LIMB: usize = 32;
/// The exponent of the lowest bit of any f64.
const LOWEST: i32 = -1074;
/// 2^1000.
const LARGE: f64 = f64::from_bits((1000 + 1023) << 52);
/// Additions after which carries must be settled at the latest.
const ROOM: u32 = 1 << 29;

/// Numbers that [`ExactSum::extend`] works on at a time.
pub(super) const BLOCK: usize = 4096;
/// Sums that are independent of each other, so that the compiler can use vectors.
pub(super) const LANES: usize = 16;
/// Bits kept by one cut. BLOCK = 2^12 numbers of so many bits and a sign sum up within the 53 bits of an
/// f64.
const KEPT_BITS: i32 = 40;

/// The exact sum of any number of f64: it does not depend on the order of additions, nor on how
/// they are spread over threads, files or machines, and is rounded once, when it is asked for.
///
/// The sum is an integer multiple of 2^-1074, kept in limbs of 32 bits over the range of exponents
/// that has been met (after Kulisch; see Neal (2015), Fast Exact Summation Using Small and Large
/// Superaccumulators, arXiv:1505.05571).
///
/// ```
/// use lossfn::ExactSum;
///
/// let mut sum = ExactSum::default();
/// sum.extend(&[1e100, 1.0, -1e100]);
/// assert_eq!(sum.value(), 1.0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ExactSum {
    /// The sum as two numbers, the second below the last place of the first, as long as that is enough: few
    /// numbers then need no limbs.
    pair: (f64, f64),
    /// The limb number of `limbs[0]`.
    first: usize,
    limbs: Vec<i64>,
    /// Additions since the carries were settled.
    unsettled: u32,
    /// The plain sum of infinities and NaN: infinite or NaN once there was one.
    special: f64,
}

impl ExactSum {
    /// Adds a number.
    #[inline]
    pub fn add(&mut self, x: f64) {
        if self.limbs.is_empty() {
            let Double { mut high, mut low } = Double::sum(self.pair.0, x);
            let mut rest = 0.0;
            if self.pair.1 != 0.0 {
                Double { high: low, low: rest } = Double::sum(self.pair.1, low);
                Double { high, low } = Double::sum(high, low);
            }
            // Far from what overflows. NaN is not.
            if rest == 0.0 && high.abs() < LARGE && x.abs() < LARGE {
                // Adding 0 makes 0 of -0.
                self.pair = (high + 0.0, low);
                return;
            }
        }
        self.spill();
        self.add_to_limbs(x);
    }

    /// Brings the pair to the limbs.
    fn spill(&mut self) {
        let (high, low) = std::mem::take(&mut self.pair);
        if high != 0.0 {
            self.add_to_limbs(high);
            self.add_to_limbs(low);
        }
    }

    fn add_to_limbs(&mut self, x: f64) {
        let bits = x.to_bits();
        let exponent = (bits >> 52 & 0x7ff) as usize;
        if exponent == 0x7ff {
            self.special += x;
            return;
        }
        let fraction = bits & ((1 << 52) - 1);
        let (mantissa, shift) =
            if exponent == 0 { (fraction, 0) } else { (fraction | 1 << 52, exponent - 1) };
        if mantissa == 0 {
            return;
        }
        let (limb, within) = (shift / LIMB, shift % LIMB);
        self.make_room(limb);
        let at = limb - self.first;
        let wide = u128::from(mantissa) << within;
        let part = |n: usize| (wide >> (n * LIMB)) as u32;
        let limbs = &mut self.limbs[at..at + 3];
        if x < 0.0 {
            for (n, limb) in limbs.iter_mut().enumerate() {
                *limb -= i64::from(part(n));
            }
        } else {
            for (n, limb) in limbs.iter_mut().enumerate() {
                *limb += i64::from(part(n));
            }
        }
        self.unsettled += 1;
        if self.unsettled >= ROOM {
            self.settle();
        }
    }

    /// Adds many numbers, faster than one by one.
    ///
    /// Their upper bits, counted from the largest of them, are cut off by adding and subtracting a
    /// large power of two; so cut, a block sums up in f64 without rounding. Then the same for what
    /// remains, until nothing does. Two cuts are made in one pass over the data, which is all for most.
    pub fn extend(&mut self, numbers: &[f64]) {
        self.absorb_from(numbers);
    }

    /// Adds many numbers like [`ExactSum::extend`], in their own memory, which holds something else
    /// afterwards.
    pub(super) fn absorb(&mut self, numbers: &mut [f64]) {
        // Few are added sooner one by one.
        if numbers.len() <= 2 * LANES {
            return numbers.iter().for_each(|&x| self.add(x));
        }
        for block in numbers.chunks_mut(BLOCK) {
            let largest = largest(block);
            self.absorb_block(block, largest);
        }
    }

    /// Adds many numbers of any type.
    pub(super) fn absorb_from<T: Real>(&mut self, numbers: &[T]) {
        const RUN: usize = 512;
        // Few are added sooner one by one.
        if numbers.len() <= 2 * LANES {
            return numbers.iter().for_each(|x| self.add(x.to_f64()));
        }
        let mut memory = [0.0; RUN];
        for numbers in numbers.chunks(RUN) {
            let (mut largest, block) = (0.0, &mut memory[..numbers.len()]);
            let widen = Widen { numbers, to: block, largest: &mut largest };
            isa::run(InstructionSet::in_use(), widen);
            self.absorb_block(block, largest);
        }
    }

    /// Adds at most [`BLOCK`] numbers of which the largest magnitude is known.
    fn absorb_block(&mut self, block: &mut [f64], mut largest: f64) {
        while largest != 0.0 {
            let Some(cuts) = cuts(largest) else {
                return block.iter().for_each(|&x| self.add(x));
            };
            let mut sums = [0.0; 2];
            let round = Round { rest: block, cuts, sums: &mut sums, largest: &mut largest };
            isa::run(InstructionSet::in_use(), round);
            for sum in sums {
                self.add(sum);
            }
        }
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &Self) {
        self.special += other.special;
        self.add(other.pair.0);
        self.add(other.pair.1);
        if other.limbs.is_empty() {
            return;
        }
        self.spill();
        self.settle();
        for (n, &limb) in other.limbs.iter().enumerate() {
            // A limb may hold more than its bits; it is a signed number like any other.
            let (limb, negative) = (limb.unsigned_abs(), limb < 0);
            for (part, offset) in [(limb & 0xffff_ffff, 0), (limb >> LIMB, 1)] {
                if part != 0 {
                    self.make_room(other.first + n + offset);
                    let at = other.first + n + offset - self.first;
                    self.limbs[at] += if negative { -(part as i64) } else { part as i64 };
                }
            }
        }
        self.settle();
    }

    /// The sum, rounded to the nearest f64.
    #[must_use]
    pub fn value(&self) -> f64 {
        if let Some(special) = self.special() {
            return special;
        }
        if self.limbs.is_empty() {
            return self.pair.0;
        }
        let mut settled = self.clone();
        settled.settle();
        settled.rounded()
    }

    /// The sum as f64s of falling size whose exact sum it is: the first is the sum rounded, the
    /// second what rounding lost, rounded, and so on.
    #[must_use]
    pub fn expansion(&self) -> Vec<f64> {
        if let Some(special) = self.special() {
            return vec![special];
        }
        let mut rest = self.clone();
        rest.spill();
        let mut terms = Vec::new();
        loop {
            rest.settle();
            // A sum beyond the largest f64 takes several terms.
            let term = rest.rounded().clamp(-f64::MAX, f64::MAX);
            if term == 0.0 {
                return terms;
            }
            terms.push(term);
            rest.add_to_limbs(-term);
        }
    }

    /// The sum, if it is an infinity or NaN: one NaN, whatever its bits.
    fn special(&self) -> Option<f64> {
        (self.special != 0.0).then(|| if self.special.is_nan() { f64::NAN } else { self.special })
    }

    /// Makes `limb` and the two above it exist.
    #[inline]
    fn make_room(&mut self, limb: usize) {
        if self.limbs.is_empty() {
            self.first = limb;
        }
        if limb < self.first {
            let missing = self.first - limb;
            self.limbs.splice(0..0, std::iter::repeat_n(0, missing));
            self.first = limb;
        }
        // One more than an addition needs: where settled carries go.
        let needed = limb - self.first + 4;
        if self.limbs.len() < needed {
            self.limbs.resize(needed, 0);
        }
    }

    /// Carries upwards until each limb but the last is within 0 and 2^32; the last has the sign.
    fn settle(&mut self) {
        self.unsettled = 0;
        let mut carry = 0;
        let Some((last, limbs)) = self.limbs.split_last_mut() else { return };
        for limb in limbs {
            let sum = *limb + carry;
            *limb = sum & 0xffff_ffff;
            carry = sum >> LIMB;
        }
        *last += carry;
        // The top limb must keep room for the next carries.
        if last.unsigned_abs() >> (LIMB - 1) != 0 {
            let sum = *last;
            *last = sum & 0xffff_ffff;
            self.limbs.push(sum >> LIMB);
        }
    }

    /// The settled sum, rounded to nearest, ties to even.
    fn rounded(&self) -> f64 {
        let negative = self.limbs.last().is_some_and(|&top| top < 0);
        // The magnitude, limb by limb.
        let mut limbs = self.limbs.clone();
        if negative {
            let mut carry = 0;
            for limb in &mut limbs {
                let sum = carry - *limb;
                *limb = sum & 0xffff_ffff;
                carry = sum >> LIMB;
            }
        }
        let Some(top) = limbs.iter().rposition(|&limb| limb != 0) else { return 0.0 };
        // The top 64 to 96 bits, and whether anything is below them.
        let limb = |n: usize| if n <= top { limbs[top - n] as u128 } else { 0 };
        let window = limb(0) << 64 | limb(1) << 32 | limb(2);
        let below = limbs[..top.saturating_sub(2)].iter().any(|&limb| limb != 0);
        let lowest = ((self.first + top) * LIMB) as i32 - 64 + LOWEST;
        let magnitude = round_bits(window, below, lowest);
        if negative { -magnitude } else { magnitude }
    }
}

/// `window` * 2^`lowest`, plus something smaller if `below`, rounded to the nearest f64.
fn round_bits(window: u128, below: bool, lowest: i32) -> f64 {
    let length = 128 - window.leading_zeros() as i32;
    // Bits to drop: those beyond 53, or below the lowest bit that an f64 can have.
    let drop = (length - 53).max(LOWEST - lowest).max(0);
    let kept = (window >> drop) as u64;
    let dropped = window & ((1u128 << drop) - 1);
    let half = if drop == 0 { 0 } else { 1u128 << (drop - 1) };
    let up = drop > 0 && (dropped > half || dropped == half && (below || kept & 1 == 1));
    let mantissa = kept + u64::from(up);
    let exponent = lowest + drop;
    // Both factors and all steps but the last are exact.
    let (first, second) = (exponent.clamp(-1022, 900), exponent - exponent.clamp(-1022, 900));
    mantissa as f64 * power_of_two(first) * power_of_two(second)
}

/// 2^n for n from -1022 to 1023.
pub(super) fn power_of_two(n: i32) -> f64 {
    f64::from_bits(((n + 1023) as u64) << 52)
}

/// The exponent of a normal number.
fn exponent(x: f64) -> i32 {
    (x.to_bits() >> 52 & 0x7ff) as i32 - 1023
}

/// The largest magnitude; NaN if any number is not finite.
pub(super) fn largest(numbers: &[f64]) -> f64 {
    let mut largest = 0.0;
    isa::run(InstructionSet::in_use(), Measure { numbers, largest: &mut largest });
    largest
}

/// What to add and subtract in order to cut off the upper bits of numbers up to a magnitude, twice;
/// `None` where they cannot be cut. Cut, [`BLOCK`] of them sum up without rounding.
pub(super) fn cuts(largest: f64) -> Option<[f64; 2]> {
    let exponent = exponent(largest);
    // Near the ends of the range the power of two, or a cut, cannot be represented; and infinities
    // and NaN have no bits to cut.
    (-900..=900).contains(&exponent).then(|| {
        let first = 1.5 * power_of_two(exponent + 1 + 52 - KEPT_BITS);
        [first, first * power_of_two(-KEPT_BITS)]
    })
}

/// The largest magnitude so far, in lanes. Infinities and NaN are kept apart, so that each step is a
/// maximum and nothing else.
struct Largest {
    lanes: [f64; LANES],
    special: [f64; LANES],
}

impl Largest {
    #[inline(always)]
    fn new() -> Self {
        Self { lanes: [0.0; LANES], special: [0.0; LANES] }
    }

    #[inline(always)]
    fn see(&mut self, lane: usize, x: f64) {
        let (known, x) = (self.lanes[lane], x.abs());
        self.lanes[lane] = if x > known { x } else { known };
        // NaN for what is not finite.
        self.special[lane] += x * 0.0;
    }

    /// The largest; NaN if any number is not finite.
    #[inline(always)]
    fn all(self) -> f64 {
        let special: f64 = self.special.into_iter().sum();
        self.lanes.into_iter().fold(0.0, |a, b| if b > a { b } else { a }) + special
    }
}

/// Finds the largest magnitude.
struct Measure<'a> {
    numbers: &'a [f64],
    largest: &'a mut f64,
}

impl Work for Measure<'_> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        let mut largest = Largest::new();
        let (chunks, tail) = self.numbers.as_chunks::<LANES>();
        for chunk in chunks {
            for (n, &x) in chunk.iter().enumerate() {
                largest.see(n, x);
            }
        }
        for (n, &x) in tail.iter().enumerate() {
            largest.see(n, x);
        }
        *self.largest = largest.all();
    }
}

/// Makes f64 of numbers and finds the largest magnitude.
struct Widen<'a, T> {
    numbers: &'a [T],
    to: &'a mut [f64],
    largest: &'a mut f64,
}

impl<T: Real> Work for Widen<'_, T> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        let mut largest = Largest::new();
        let (chunks, tail) = self.numbers.as_chunks::<LANES>();
        let (to, to_tail) = self.to.as_chunks_mut::<LANES>();
        for (chunk, to) in chunks.iter().zip(to) {
            // Whole vectors: stores in between would keep the compiler from them.
            let mut wide = [0.0; LANES];
            for (wide, x) in wide.iter_mut().zip(chunk) {
                *wide = x.to_f64();
            }
            for (n, &x) in wide.iter().enumerate() {
                largest.see(n, x);
            }
            *to = wide;
        }
        for (n, (x, to)) in tail.iter().zip(to_tail).enumerate() {
            *to = x.to_f64();
            largest.see(n, *to);
        }
        *self.largest = largest.all();
    }
}

/// One round of [`ExactSum::extend`]: cuts the upper bits off twice, sums them up, and finds the largest
/// magnitude of what remains.
struct Round<'a> {
    rest: &'a mut [f64],
    cuts: [f64; 2],
    sums: &'a mut [f64; 2],
    largest: &'a mut f64,
}

impl Work for Round<'_> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        let [first, second] = self.cuts;
        let (mut high, mut low, mut largest) = ([0.0; LANES], [0.0; LANES], Largest::new());
        let (chunks, tail) = self.rest.as_chunks_mut::<LANES>();
        for chunk in chunks {
            for n in 0..LANES {
                let upper = (chunk[n] + first) - first;
                let rest = chunk[n] - upper;
                let lower = (rest + second) - second;
                high[n] += upper;
                low[n] += lower;
                chunk[n] = rest - lower;
                largest.see(n, chunk[n]);
            }
        }
        for (n, x) in tail.iter_mut().enumerate() {
            let upper = (*x + first) - first;
            let rest = *x - upper;
            let lower = (rest + second) - second;
            high[n] += upper;
            low[n] += lower;
            *x = rest - lower;
            largest.see(n, *x);
        }
        // Exact, in any order.
        *self.sums = [high.into_iter().sum(), low.into_iter().sum()];
        *self.largest = largest.all();
    }
}

/// Equal sums, whatever the way they came about.
impl PartialEq for ExactSum {
    fn eq(&self, other: &Self) -> bool {
        let key = |sum: &Self| sum.expansion().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        key(self) == key(other)
    }
}

/// As the list of [`ExactSum::expansion`], with infinities and NaN as text.
impl Serialize for ExactSum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.special() {
            None => self.expansion().serialize(serializer),
            Some(special) => special.to_string().serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ExactSum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Terms(Vec<f64>),
            Special(String),
        }
        let mut sum = Self::default();
        match Written::deserialize(deserializer)? {
            Written::Terms(terms) => terms.iter().for_each(|&term| sum.add(term)),
            Written::Special(text) => {
                sum.special = text.parse().map_err(serde::de::Error::custom)?;
                if sum.special.is_finite() {
                    let reason = format!("{text:?} should be a list of numbers, inf, -inf or NaN");
                    return Err(serde::de::Error::custom(reason));
                }
            }
        }
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::ExactSum;
    use proptest::prelude::*;

    fn sum(numbers: &[f64]) -> ExactSum {
        let mut sum = ExactSum::default();
        for &x in numbers {
            sum.add(x);
        }
        sum
    }

    /// Half of all bit patterns, so that every exponent occurs.
    fn finite() -> impl Strategy<Value = f64> {
        any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |x| x.is_finite())
    }

    proptest! {
        #[test]
        fn one_number_is_itself(x in finite()) {
            prop_assert_eq!(sum(&[x]).value(), x);
        }

        #[test]
        fn two_numbers_round_once(x in finite(), y in finite()) {
            prop_assert_eq!(sum(&[x, y]).value(), x + y);
        }

        #[test]
        fn order_bulk_and_merging_make_no_difference(
            mut numbers in prop::collection::vec(finite(), 0..300), cut in 0usize..300,
        ) {
            let one_by_one = sum(&numbers);
            numbers.reverse();
            let mut bulk = ExactSum::default();
            bulk.extend(&numbers);
            prop_assert_eq!(&bulk, &one_by_one);
            let (left, right) = numbers.split_at(cut.min(numbers.len()));
            let mut merged = sum(left);
            merged.merge(&sum(right));
            prop_assert_eq!(&merged, &one_by_one);
            let text = serde_json::to_string(&merged).unwrap();
            prop_assert_eq!(&serde_json::from_str::<ExactSum>(&text).unwrap(), &one_by_one);
        }

        #[test]
        fn bulk_cuts_without_loss(
            numbers in prop::collection::vec((-1e3..1e3f64, -60i32..60), 65..3000),
        ) {
            let numbers: Vec<f64> = numbers.iter().map(|&(x, n)| x * f64::from(n).exp2()).collect();
            let mut bulk = ExactSum::default();
            bulk.extend(&numbers);
            prop_assert_eq!(bulk, sum(&numbers));
        }

        #[test]
        fn what_is_added_and_taken_away_leaves_nothing(
            numbers in prop::collection::vec(finite(), 0..100),
        ) {
            let mut all = sum(&numbers);
            for x in &numbers {
                all.add(-x);
            }
            prop_assert_eq!(all.expansion(), Vec::<f64>::new());
        }
    }

    #[test]
    fn a_million_tenths_are_the_exact_sum_rounded() {
        // 0.1 is 3602879701896397 / 2^55; a million of it, rounded once.
        let mut bulk = ExactSum::default();
        bulk.extend(&vec![0.1; 1_000_000]);
        assert_eq!(bulk.value(), 100_000.0);
        assert_eq!(bulk.expansion()[1], 5.551_115_123_125_783e-12);
    }

    #[test]
    fn infinities_and_nan_stay_what_they_are() {
        let infinite = sum(&[1.0, f64::INFINITY, -3.0]);
        assert_eq!(infinite.value(), f64::INFINITY);
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).value().is_nan());
        assert!(sum(&[f64::NAN, 1.0]).value().is_nan());
        let text = serde_json::to_string(&infinite).unwrap();
        assert_eq!(serde_json::from_str::<ExactSum>(&text).unwrap(), infinite);
        for (special, expected) in [(f64::INFINITY, f64::INFINITY), (f64::NAN, f64::NAN)] {
            let mut bulk = ExactSum::default();
            let mut numbers = vec![1.5; 5000];
            numbers[4700] = special;
            bulk.extend(&numbers);
            assert_eq!(bulk.value().to_bits(), expected.to_bits());
        }
        // Among zeros and alone too, in bulk of any size.
        for count in [65, 100, 4096, 5000] {
            for fill in [0.0, f64::NAN] {
                let mut numbers = vec![fill; count];
                numbers[count / 2] = f64::NAN;
                let mut bulk = ExactSum::default();
                bulk.extend(&numbers);
                assert!(bulk.value().is_nan(), "{count} {fill}");
                assert_eq!(bulk, sum(&[f64::INFINITY, f64::NEG_INFINITY]));
            }
        }
        assert!(serde_json::from_str::<ExactSum>("\"1.5\"").is_err());
    }

    #[test]
    fn beyond_the_largest_number_is_infinite_and_comes_back() {
        let mut large = sum(&[f64::MAX, f64::MAX]);
        assert_eq!(large.value(), f64::INFINITY);
        large.add(-f64::MAX);
        assert_eq!(large.value(), f64::MAX);
    }
}
