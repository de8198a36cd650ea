//! A random sample of things that are met in any order.

/// At most so many of the things that are met, each as likely as any other. Which they are is decided
/// by their positions alone: not by threads or the order in which they come, and in every run
/// the same.
#[derive(Clone, Debug)]
pub struct Sample<T> {
    keep: usize,
    seen: u64,
    /// With their numbers; those with the lowest numbers stay.
    things: Vec<(u64, T)>,
    /// Whatever has this number or a higher one need not be looked at.
    limit: Option<u64>,
}

impl<T> Sample<T> {
    /// A sample of so many things at most.
    #[must_use]
    pub fn new(keep: usize) -> Self {
        Self { keep, seen: 0, things: Vec::new(), limit: None }
    }

    /// The number of things that were met.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Adds a thing. No two may have the same position.
    #[inline]
    pub fn add(&mut self, position: u64, thing: T) {
        self.seen += 1;
        let number = scatter(position);
        if self.limit.is_none_or(|limit| number < limit) {
            self.things.push((number, thing));
            // Selecting seldom, and many at a time, costs less than keeping order.
            if self.things.len() >= self.keep + (self.keep / 4).max(1024) {
                self.cut();
            }
        }
    }

    /// Adds what another sample, of the same size, has met.
    pub fn merge(&mut self, other: Self) {
        self.seen += other.seen;
        self.things.extend(other.things);
        self.cut();
    }

    fn cut(&mut self) {
        if self.things.len() > self.keep {
            self.things.select_nth_unstable_by_key(self.keep, |&(number, _)| number);
            self.limit = Some(self.things[self.keep].0);
            self.things.truncate(self.keep);
        }
    }

    /// The sample, in an order that is always the same.
    #[must_use]
    pub fn into_things(mut self) -> Vec<T> {
        self.cut();
        self.things.sort_unstable_by_key(|&(number, _)| number);
        self.things.into_iter().map(|(_, thing)| thing).collect()
    }
}

/// A number that looks random, another one for each position (the finaliser of `SplitMix64`).
fn scatter(position: u64) -> u64 {
    let x = position.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_depends_on_positions_alone() {
        let all: Vec<u64> = (0..100_000).collect();
        let mut one = Sample::new(500);
        all.iter().rev().for_each(|&x| one.add(x, x));
        let mut parts = Sample::new(500);
        for part in all.chunks(7001) {
            let mut some = Sample::new(500);
            for &x in part {
                some.add(x, x);
            }
            parts.merge(some);
        }
        assert_eq!((one.seen(), parts.seen()), (100_000, 100_000));
        let sample = one.into_things();
        assert_eq!(sample, parts.into_things());
        assert_eq!(sample.len(), 500);
        // Each tenth of the positions has about a tenth of the sample.
        for tenth in 0..10 {
            let count = sample.iter().filter(|&&x| x / 10_000 == tenth).count();
            assert!((25..=80).contains(&count), "{tenth}: {count}");
        }
    }

    #[test]
    fn few_things_are_all_there() {
        let mut sample = Sample::new(500);
        (0..500).for_each(|x| sample.add(x, x));
        let mut things = sample.into_things();
        things.sort_unstable();
        assert_eq!(things, (0..500).collect::<Vec<_>>());
    }
}
