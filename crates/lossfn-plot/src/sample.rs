//! Few points of a curve that show it as it is: closer where it bends, and a gap where it jumps.

use crate::scale::Scale;

/// How far a curve may be from its points' straight lines, in pixels.
const CLOSE: f64 = 0.12;
/// How far points may be from the straight lines of those that are kept.
const FLAT: f64 = 0.08;
/// Into how many parts the axis is cut at first. What is narrower than one may be missed.
const PARTS: usize = 96;
/// How often a part is halved at most: what still differs then, jumps.
const DEPTH: u32 = 34;

struct Sampler<'a> {
    curve: &'a dyn Fn(f64) -> f64,
    x: Scale,
    y: Scale,
    size: (f64, f64),
    points: Vec<(f64, f64)>,
}

/// Points of a curve over an axis, for a plot area of this size in pixels. Where it jumps there is a
/// point without a height between the two sides.
pub(crate) fn sample(
    curve: &dyn Fn(f64) -> f64,
    x: Scale,
    y: Scale,
    size: (f64, f64),
) -> Vec<(f64, f64)> {
    let mut sampler = Sampler { curve, x, y, size, points: Vec::new() };
    let ends = places(x, PARTS);
    let mut before = (ends[0], curve(ends[0]));
    sampler.points.push(before);
    for &end in &ends[1..] {
        let here = (end, curve(end));
        sampler.refine(before, here, DEPTH);
        before = here;
    }
    sampler.kept()
}

/// Places that cut an axis into equal parts, its ends included.
pub(crate) fn places(x: Scale, parts: usize) -> Vec<f64> {
    let place = |at: usize| match at {
        0 => x.low,
        at if at == parts => x.high,
        at => x.number(at as f64 / parts as f64),
    };
    (0..=parts).map(place).collect()
}

impl Sampler<'_> {
    /// In pixels; what is far outside is nearer.
    fn pixel(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let down = self.y.fraction(y).clamp(-1e3, 1e3);
        (self.x.fraction(x) * self.size.0, down * self.size.1)
    }

    /// -1 below the plot area, 1 above, 0 in it; 2 where there is no height.
    fn side(&self, y: f64) -> i8 {
        if y.is_nan() {
            return 2;
        }
        i8::from(y > self.y.high) - i8::from(y < self.y.low)
    }

    /// Adds the points after the first, up to the second.
    fn refine(&mut self, from: (f64, f64), to: (f64, f64), depth: u32) {
        let between = |t: f64| from.0 + (to.0 - from.0) * t;
        let middle = between(0.5);
        let is_narrow = depth == 0 || middle <= from.0 || middle >= to.0;
        if is_narrow {
            let is_joined = match (from.1.is_finite(), to.1.is_finite()) {
                (true, true) => (self.pixel(from).1 - self.pixel(to).1).abs() < 1.0,
                _ => false,
            };
            if !is_joined {
                self.points.push((middle, f64::NAN));
            }
            self.points.push(to);
            return;
        }
        let inner = [0.5, 0.29, 0.73].map(|t| (between(t), (self.curve)(between(t))));
        let side = self.side(from.1);
        let is_unseen = side != 0
            && self.side(to.1) == side
            && inner.iter().all(|point| self.side(point.1) == side);
        if is_unseen || self.is_straight(from, to, &inner) {
            self.points.push(to);
            return;
        }
        self.refine(from, inner[0], depth - 1);
        self.refine(inner[0], to, depth - 1);
    }

    fn is_straight(&self, from: (f64, f64), to: (f64, f64), inner: &[(f64, f64)]) -> bool {
        if !(from.1.is_finite() && to.1.is_finite()) {
            return false;
        }
        let (from, to) = (self.pixel(from), self.pixel(to));
        // A jump is steep however closely one looks; a slope is not.
        let is_gentle = to.0 - from.0 > 0.5 || (to.1 - from.1).abs() < 1.0;
        is_gentle
            && inner
                .iter()
                .all(|&point| point.1.is_finite() && distance(self.pixel(point), from, to) < CLOSE)
    }

    /// The points without those that are on a line with others or are not seen.
    fn kept(&self) -> Vec<(f64, f64)> {
        let mut kept: Vec<(f64, f64)> = Vec::new();
        let is_broken = |point: &(f64, f64)| !point.1.is_finite();
        for piece in self.points.split(is_broken).filter(|piece| !piece.is_empty()) {
            if !kept.is_empty() {
                kept.push((piece[0].0, f64::NAN));
            }
            let seen: Vec<(f64, f64)> = (0..piece.len())
                .filter(|&at| {
                    let near = &piece[at.saturating_sub(1)..piece.len().min(at + 2)];
                    let side = self.side(piece[at].1);
                    side == 0 || near.iter().any(|point| self.side(point.1) != side)
                })
                .map(|at| piece[at])
                .collect();
            self.thin(&seen, &mut kept);
        }
        kept
    }

    /// Ramer, Douglas and Peucker's: the ends, and between them the farthest point if it is far.
    fn thin(&self, points: &[(f64, f64)], kept: &mut Vec<(f64, f64)>) {
        let [first, .., last] = points else {
            kept.extend(points);
            return;
        };
        let mut stack = vec![(0, points.len() - 1)];
        let mut is_kept = vec![false; points.len()];
        is_kept[0] = true;
        is_kept[points.len() - 1] = true;
        debug_assert!(first.0 <= last.0, "points are in order");
        while let Some((start, end)) = stack.pop() {
            let (from, to) = (self.pixel(points[start]), self.pixel(points[end]));
            let far = (start + 1..end)
                .map(|at| (at, distance(self.pixel(points[at]), from, to)))
                .max_by(|a, b| a.1.total_cmp(&b.1));
            if let Some((at, _)) = far.filter(|(_, distance)| *distance > FLAT) {
                is_kept[at] = true;
                stack.push((start, at));
                stack.push((at, end));
            }
        }
        kept.extend(points.iter().zip(is_kept).filter(|(_, kept)| *kept).map(|(point, _)| *point));
    }
}

/// How far a point is from a line.
fn distance(point: (f64, f64), from: (f64, f64), to: (f64, f64)) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = (dx * dx + dy * dy).sqrt();
    if length == 0.0 {
        return 0.0;
    }
    ((point.0 - from.0) * dy - (point.1 - from.1) * dx).abs() / length
}
