//! Quantiles of more numbers than fit in memory: exact, in a few passes.

use crate::cost::ExactSum;

/// Numbers that are kept as they are; of more than these, only counts.
const KEEP: usize = 1 << 20;
/// Bits that a pass over the numbers settles, once there are too many to keep.
const BITS: u32 = 16;

/// The quantile of numbers that are met in any order, in one pass or several: the smallest number at
/// or below which there is at least the share `level` of the weight; where it is the share to the
/// bit, the middle between that number and the next, as is usual for a median.
///
/// It is exact, and does not depend on how the numbers are spread over threads. Up to about a million
/// numbers take one pass; more are first counted by their leading bits, and the next pass looks only
/// at those that begin with the bits of the quantile. At most four passes are needed.
///
/// ```
/// use lossfn::choose::Quantile;
///
/// let mut median = Quantile::new(0.5);
/// while median.value().is_none() {
///     let mut tally = median.tally();
///     for x in [3.0, 1.0, 4.0, 1.5] {
///         tally.add(x, 1.0);
///     }
///     median.settle(tally);
/// }
/// assert_eq!(median.value(), Some(2.25));
/// ```
#[derive(Clone, Debug)]
pub struct Quantile {
    level: f64,
    /// The weight of all numbers, once it is known.
    total: Option<f64>,
    /// The weight of the numbers that are smaller than those still looked at.
    below: ExactSum,
    /// The leading bits of the numbers still looked at, and how many bits are known.
    prefix: u64,
    known: u32,
    value: Option<f64>,
}

/// What a pass, or one thread's part of it, has met.
#[derive(Clone, Debug)]
pub struct Tally {
    prefix: u64,
    known: u32,
    kept: Vec<(u64, f64)>,
    /// By the next bits, once there are too many numbers to keep.
    buckets: Vec<Option<Box<Bucket>>>,
}

#[derive(Clone, Debug)]
struct Bucket {
    weight: ExactSum,
    lowest: u64,
    highest: u64,
}

impl Bucket {
    fn merge(&mut self, other: &Self) {
        self.weight.merge(&other.weight);
        self.lowest = self.lowest.min(other.lowest);
        self.highest = self.highest.max(other.highest);
    }
}

/// Bits that are in the order of the numbers.
fn key(x: f64) -> u64 {
    // One zero.
    let bits = (x + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn number(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

impl Quantile {
    /// The quantile of a level between 0 and 1.
    #[must_use]
    pub fn new(level: f64) -> Self {
        let below = ExactSum::default();
        Self { level, total: None, below, prefix: 0, known: 0, value: None }
    }

    /// The quantile, if it is known by now. It is NaN if no number has any weight.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.value
    }

    /// What another pass over all numbers is to be counted with.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let (prefix, known) = (self.prefix, self.known);
        Tally { prefix, known, kept: Vec::new(), buckets: Vec::new() }
    }

    /// Takes in a pass over all numbers.
    pub fn settle(&mut self, tally: Tally) {
        let Tally { mut kept, buckets, .. } = tally;
        if !buckets.is_empty() {
            return self.narrow(buckets);
        }
        kept.sort_unstable_by_key(|&(key, _)| key);
        let total = self.total.unwrap_or_else(|| {
            let mut total = self.below.clone();
            for &(_, weight) in &kept {
                total.add(weight);
            }
            total.value()
        });
        let wanted = self.level * total;
        let mut before = self.below.clone();
        let mut found = f64::NAN;
        for (at, &(key, weight)) in kept.iter().enumerate() {
            before.add(weight);
            let reached = before.value();
            found = number(key);
            if reached >= wanted {
                let next = kept.get(at + 1).filter(|_| reached == wanted);
                found = next.map_or(found, |&(next, _)| middle(found, number(next)));
                break;
            }
        }
        self.value = Some(found);
    }

    /// Finds the bucket with the quantile.
    fn narrow(&mut self, buckets: Vec<Option<Box<Bucket>>>) {
        let total = self.total.unwrap_or_else(|| {
            let mut total = ExactSum::default();
            buckets.iter().flatten().for_each(|bucket| total.merge(&bucket.weight));
            total.value()
        });
        self.total = Some(total);
        let wanted = self.level * total;
        let numbered = buckets.into_iter().enumerate();
        let mut met = numbered.filter_map(|(at, bucket)| Some((at, bucket?))).peekable();
        while let Some((at, bucket)) = met.next() {
            let mut reached = self.below.clone();
            reached.merge(&bucket.weight);
            let weight = reached.value();
            if weight < wanted && met.peek().is_some() {
                self.below = reached;
                continue;
            }
            if weight == wanted {
                // The number is the last of its bucket, and the next one the first of another.
                let found = number(bucket.highest);
                let next = met.peek().map(|(_, next)| number(next.lowest));
                self.value = Some(next.map_or(found, |next| middle(found, next)));
            } else if bucket.lowest == bucket.highest {
                self.value = Some(number(bucket.lowest));
            }
            self.prefix = self.prefix << BITS | at as u64;
            self.known += BITS;
            return;
        }
    }
}

/// The middle between two numbers that follow each other, without overflow.
fn middle(a: f64, b: f64) -> f64 {
    if a == b { a } else { a * 0.5 + b * 0.5 }
}

impl Tally {
    /// Adds a number that is not NaN, with a weight of 0 or more.
    #[inline]
    pub fn add(&mut self, x: f64, weight: f64) {
        let key = key(x);
        if weight == 0.0 || self.known > 0 && key >> (64 - self.known) != self.prefix {
            return;
        }
        if self.buckets.is_empty() {
            self.kept.push((key, weight));
            if self.kept.len() > KEEP {
                self.count();
            }
        } else {
            self.drop_in(key, weight);
        }
    }

    /// Adds what another thread has met in the same pass.
    pub fn merge(&mut self, mut other: Self) {
        if self.buckets.is_empty() && other.buckets.is_empty() {
            self.kept.append(&mut other.kept);
            if self.kept.len() > KEEP {
                self.count();
            }
            return;
        }
        self.count();
        other.count();
        for (own, other) in self.buckets.iter_mut().zip(other.buckets) {
            match (own, other) {
                (Some(own), Some(other)) => own.merge(&other),
                (own, other) => *own = own.take().or(other),
            }
        }
    }

    /// Goes over from numbers to counts.
    fn count(&mut self) {
        if self.buckets.is_empty() {
            self.buckets.resize(1 << BITS, None);
            for (key, weight) in std::mem::take(&mut self.kept) {
                self.drop_in(key, weight);
            }
        }
    }

    fn drop_in(&mut self, key: u64, weight: f64) {
        let at = (key >> (64 - self.known - BITS)) as usize & ((1 << BITS) - 1);
        let empty = || Box::new(Bucket { weight: ExactSum::default(), lowest: key, highest: key });
        let bucket = self.buckets[at].get_or_insert_with(empty);
        bucket.weight.add(weight);
        bucket.lowest = bucket.lowest.min(key);
        bucket.highest = bucket.highest.max(key);
    }
}
