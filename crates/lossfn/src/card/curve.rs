//! A pointwise loss as a function of one number, with everything else fixed: its formula, evaluated
//! over intervals in such a way that the sides of its kinks are told apart.

use crate::number::{Binary, Certain, Formula, Interval, Jet, Node, Number, Unary};

/// A number of which it is known where it lies.
trait Seen: Number<Mask = Certain> {
    fn range(&self) -> Interval;
    /// The square, which knows that its factors are one and the same.
    fn squared(self) -> Self;
}

impl Seen for Interval {
    fn range(&self) -> Interval {
        *self
    }
    fn squared(self) -> Self {
        self.square()
    }
}

impl<N: Seen> Seen for Jet<N> {
    fn range(&self) -> Interval {
        self.value.range()
    }
    fn squared(self) -> Self {
        let twice = self.value * 2.0;
        let bend = self.first.map(|first| first.squared() * 2.0);
        let rest = self.second.map(|second| second * twice);
        Self {
            value: self.value.squared(),
            first: self.first.map(|first| first * twice),
            second: match (bend, rest) {
                (Some(a), Some(b)) => Some(a + b),
                (some, None) | (None, some) => some,
            },
        }
    }
}

/// Which way a node went that has two: the sign of what is compared. `None` is not visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// x >= 0, the comparison holds, the first is the larger.
    First,
    /// The opposite.
    Second,
    /// It differs within the interval.
    Both,
}

/// The ways that all nodes went.
pub(super) type Ways = Vec<Option<Way>>;

/// Value, first and second derivative, and the third where it was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub orders: [Interval; 3],
    pub third: Interval,
}

/// The formula with numbers for all symbols but one.
pub(super) struct Curve {
    nodes: Vec<Node>,
    result: usize,
    /// What the symbols stand for; `None` is the variable.
    symbols: Vec<Option<f64>>,
}

#[derive(Clone, Copy)]
enum Slot<N> {
    Number(N),
    Truth(Option<bool>),
}

struct Evaluation<'a, N> {
    curve: &'a Curve,
    x: N,
    forced: Option<&'a Ways>,
    ways: Ways,
    undecided: Option<usize>,
    known: Vec<Option<Slot<N>>>,
}

impl<N: Seen> Evaluation<'_, N> {
    fn slot(&mut self, at: usize) -> Slot<N> {
        if let Some(slot) = self.known[at] {
            return slot;
        }
        let slot = self.compute(at);
        self.known[at] = Some(slot);
        slot
    }

    fn number(&mut self, at: usize) -> N {
        match self.slot(at) {
            Slot::Number(x) => x,
            Slot::Truth(Some(truth)) => N::constant(f64::from(u8::from(truth))),
            Slot::Truth(None) => N::select(Certain(None), N::constant(0.0), N::constant(1.0)),
        }
    }

    fn truth(&mut self, at: usize) -> Option<bool> {
        match self.slot(at) {
            Slot::Truth(truth) => truth,
            Slot::Number(x) => x.equals(N::constant(0.0)).0.map(|zero| !zero),
        }
    }

    /// Which way the node goes, given which it goes by itself.
    fn way(&mut self, at: usize, first: Option<bool>) -> Way {
        let forced = self.forced.and_then(|ways| ways[at]);
        let own = match first {
            Some(true) => Way::First,
            Some(false) => Way::Second,
            None => Way::Both,
        };
        let way = forced.unwrap_or(own);
        if way == Way::Both && self.undecided.is_none() {
            self.undecided = Some(at);
        }
        self.ways[at] = Some(way);
        way
    }

    /// The value of a part that does not depend on the variable.
    fn exponent(&mut self, at: usize) -> Option<f64> {
        self.number(at).range().point()
    }

    fn compute(&mut self, at: usize) -> Slot<N> {
        Slot::Number(match self.curve.nodes[at] {
            Node::Constant(bits) => N::constant(f64::from_bits(bits)),
            Node::Symbol(_) => self.curve.symbols[at].map_or(self.x, N::constant),
            Node::Unary(function @ (Unary::Abs | Unary::Sign), x) => {
                let x = self.number(x);
                let zero = N::constant(0.0);
                // A value that is 0 throughout is as good on either side.
                let is_zero = x.range().point() == Some(0.0) && self.forced.is_none();
                let positive = if is_zero { Some(true) } else { zero.at_most(x).0 };
                let way = self.way(at, positive);
                match (way, function) {
                    (Way::Both, _) => function.apply(x),
                    (_, Unary::Sign) if is_zero => zero,
                    (Way::First, Unary::Abs) => x,
                    (Way::Second, Unary::Abs) => -x,
                    (Way::First, _) => N::constant(1.0),
                    (Way::Second, _) => N::constant(-1.0),
                }
            }
            Node::Unary(function, x) => function.apply(self.number(x)),
            Node::Binary(function @ (Binary::Max | Binary::Min), x, y) => {
                let (x, y) = (self.number(x), self.number(y));
                let larger = y.at_most(x).0;
                match (self.way(at, larger), function) {
                    (Way::Both, _) => function.apply(x, y),
                    (Way::First, Binary::Max) | (Way::Second, Binary::Min) => x,
                    _ => y,
                }
            }
            Node::Binary(Binary::Multiply, x, y) if x == y => self.number(x).squared(),
            // exp(y ln x) would know nothing at x = 0.
            Node::Binary(Binary::Power, x, y) if self.exponent(y).is_some() => {
                let exponent = self.exponent(y).unwrap_or(1.0);
                self.number(x).power(exponent, || N::constant(exponent))
            }
            Node::Binary(function, x, y) => {
                let (x, y) = (self.number(x), self.number(y));
                function.apply(x, y)
            }
            Node::Compare(comparison, x, y) => {
                let (x, y) = (self.number(x), self.number(y));
                let way = self.way(at, comparison.apply(x, y).0);
                return Slot::Truth(match way {
                    Way::First => Some(true),
                    Way::Second => Some(false),
                    Way::Both => None,
                });
            }
            Node::And(a, b) => {
                let (a, b) = (self.truth(a), self.truth(b));
                return Slot::Truth((Certain(a) & Certain(b)).0);
            }
            Node::Or(a, b) => {
                let (a, b) = (self.truth(a), self.truth(b));
                return Slot::Truth((Certain(a) | Certain(b)).0);
            }
            Node::Not(a) => return Slot::Truth(self.truth(a).map(|truth| !truth)),
            Node::Select(condition, a, b) => match self.truth(condition) {
                // The side that is not taken may be anything, kinks included.
                Some(true) => self.number(a),
                Some(false) => self.number(b),
                None => {
                    let (a, b) = (self.number(a), self.number(b));
                    N::select(Certain(None), a, b)
                }
            },
        })
    }
}

/// What is known of the curve over an interval.
pub(super) struct Seeing {
    pub bounds: Bounds,
    pub ways: Ways,
    /// The first node that goes both ways.
    pub undecided: Option<usize>,
}

impl Curve {
    /// The first result of a formula, with a number for each symbol that is not the variable.
    pub fn new(formula: &Formula, symbol: impl Fn(&str) -> Option<f64>) -> Self {
        let nodes = formula.nodes[..=formula.results[0]].to_vec();
        let value = |node: &Node| match node {
            Node::Symbol(name) => symbol(name),
            _ => None,
        };
        let symbols = nodes.iter().map(value).collect();
        Self { nodes, result: formula.results[0], symbols }
    }

    fn evaluate<N: Seen>(&self, x: N, forced: Option<&Ways>) -> (N, Ways, Option<usize>) {
        let count = self.nodes.len();
        let (ways, known) = (vec![None; count], vec![None; count]);
        let mut evaluation = Evaluation { curve: self, x, forced, ways, undecided: None, known };
        let value = evaluation.number(self.result);
        (value, evaluation.ways, evaluation.undecided)
    }

    /// Bounds of value and derivatives over an interval. Where ways are forced, nodes go these even
    /// if the interval says otherwise: so a side of a kink is looked at in the kink itself.
    pub fn see(&self, x: Interval, forced: Option<&Ways>) -> Seeing {
        let (jet, ways, undecided) = self.evaluate(Jet::variable(x), forced);
        let orders = [jet.value, jet.gradient(), jet.curvature()];
        Seeing { bounds: Bounds { orders, third: Interval::ANY }, ways, undecided }
    }

    /// The same with the third derivative, which narrows the second.
    pub fn see_closely(&self, x: Interval) -> Seeing {
        let variable = Jet {
            value: Jet::variable(x),
            first: Some(Jet::fixed(Interval::constant(1.0))),
            second: None,
        };
        let (jet, ways, undecided) = self.evaluate(variable, None);
        let second = jet.curvature();
        let orders = [jet.value.value, jet.gradient().value, second.value];
        Seeing { bounds: Bounds { orders, third: second.gradient() }, ways, undecided }
    }

    /// How what a node compares stands at a number: its sign tells the way.
    pub fn balance(&self, at: usize, x: f64) -> f64 {
        let (a, b) = match self.nodes[at] {
            Node::Unary(_, x) => (x, None),
            Node::Binary(_, x, y) | Node::Compare(_, x, y) => (x, Some(y)),
            _ => return f64::NAN,
        };
        let mut known: Vec<f64> = Vec::with_capacity(a.max(b.unwrap_or(0)) + 1);
        for (place, node) in self.nodes[..=a.max(b.unwrap_or(0))].iter().enumerate() {
            let value = match *node {
                Node::Constant(bits) => f64::from_bits(bits),
                Node::Symbol(_) => self.symbols[place].unwrap_or(x),
                Node::Unary(function, x) => function.apply(known[x]),
                Node::Binary(function, x, y) => function.apply(known[x], known[y]),
                Node::Compare(comparison, x, y) => {
                    f64::from(u8::from(comparison.apply(known[x], known[y])))
                }
                Node::And(a, b) => known[a] * known[b],
                Node::Or(a, b) => known[a].max(known[b]),
                Node::Not(a) => 1.0 - known[a],
                Node::Select(condition, a, b) => {
                    if known[condition] == 0.0 {
                        known[b]
                    } else {
                        known[a]
                    }
                }
            };
            known.push(value);
        }
        known[a] - b.map_or(0.0, |b| known[b])
    }
}

/// A part of the line, over which the curve has no kink; or, if `is_kink`, one so short that the kinks
/// in it are as good as one.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub low: f64,
    pub high: f64,
    pub bounds: Bounds,
    ways: Ways,
    pub is_kink: bool,
}

/// A point where the formula changes, with what the curve is on both sides.
#[derive(Clone, Debug)]
pub(super) struct Seam {
    pub at: f64,
    pub left: [Interval; 3],
    pub right: [Interval; 3],
}

/// How two sides of a seam compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    None,
    Up,
    Down,
    Unknown,
}

impl Seam {
    /// Whether the value (0) or a derivative jumps. What agrees to nine digits counts as equal.
    pub fn step(&self, order: usize) -> Step {
        let (left, right) = (self.left[order], self.right[order]);
        let finite = |side: Interval| side.low().is_finite() && side.high().is_finite();
        if !finite(left) || !finite(right) {
            return Step::Unknown;
        }
        let slack = 1e-9 * left.magnitude().max(right.magnitude());
        if right.low() > left.high() + slack {
            Step::Up
        } else if right.high() < left.low() - slack {
            Step::Down
        } else if left.hull(right).high() - left.hull(right).low()
            <= 2.0 * slack + f64::MIN_POSITIVE
        {
            Step::None
        } else {
            Step::Unknown
        }
    }
}

/// A curve over its domain, cut at its kinks.
pub(super) struct Pieces<'a> {
    pub curve: &'a Curve,
    pub all: Vec<Piece>,
    /// How often the curve was looked at.
    looks: usize,
}

/// How often a curve is looked at, at most.
const LOOKS: usize = 3000;
/// What stands in for an infinite end where a number is needed.
const FAR: f64 = 1e300;

/// A number between two, in the middle of their logarithms if they are far from each other.
pub(super) fn between(low: f64, high: f64) -> f64 {
    let (a, b) = (low.max(-FAR), high.min(FAR));
    if a > 0.0 && b > 16.0 * a {
        a.sqrt() * b.sqrt()
    } else if b < 0.0 && a < 16.0 * b {
        -((-a).sqrt() * (-b).sqrt())
    } else {
        a + (b - a) * 0.5
    }
}

impl<'a> Pieces<'a> {
    /// Cuts the line between these ends at these points and at the kinks of the curve.
    pub fn new(curve: &'a Curve, cuts: &[f64]) -> Self {
        let mut whole = Self { curve, all: Vec::new(), looks: 0 };
        for ends in cuts.windows(2) {
            let mut found = whole.cut(ends[0], ends[1]);
            whole.all.append(&mut found);
        }
        whole
    }

    /// The pieces between two points, in order.
    fn cut(&mut self, low: f64, high: f64) -> Vec<Piece> {
        let mut waiting = vec![(low, high)];
        let mut pieces: Vec<Piece> = Vec::new();
        while let Some((low, high)) = waiting.pop() {
            self.looks += 1;
            let seeing = self.curve.see(Interval::new(low, high), None);
            let piece = |is_kink| Piece {
                low,
                high,
                bounds: seeing.bounds,
                ways: seeing.ways.clone(),
                is_kink,
            };
            let Some(node) = seeing.undecided else {
                let mut piece = piece(false);
                self.narrow(&mut piece);
                pieces.push(piece);
                continue;
            };
            let is_short = high - low <= 1e-13 * low.abs().max(high.abs()).max(1e-10);
            if is_short || self.looks > LOOKS {
                match pieces.last_mut() {
                    Some(last) if last.is_kink => last.high = high,
                    _ => pieces.push(piece(true)),
                }
                continue;
            }
            let mut points = vec![low, high];
            match self.turn(node, low, high) {
                Some((a, b)) => points.extend([a, b]),
                None => points.push(between(low, high)),
            }
            points.sort_by(f64::total_cmp);
            points.dedup();
            waiting.extend(points.windows(2).rev().map(|ends| (ends[0], ends[1])));
        }
        pieces
    }

    /// The number at which what a node compares changes its sign, or the two neighbours between which
    /// it does; `None` if it does not, or only at an end.
    fn turn(&self, node: usize, low: f64, high: f64) -> Option<(f64, f64)> {
        let (mut a, mut b) = (low.max(-FAR), high.min(FAR));
        let at = |x| self.curve.balance(node, x);
        let (at_a, at_b) = (at(a), at(b));
        if !(at_a * at_b).is_sign_negative() || at_a == 0.0 || at_b == 0.0 {
            return None;
        }
        loop {
            let middle = between(a, b);
            if middle <= a || middle >= b {
                break;
            }
            let value = at(middle);
            if value == 0.0 {
                return Some((middle, middle));
            }
            if value.is_nan() {
                return None;
            }
            if (value < 0.0) == (at_a < 0.0) {
                a = middle;
            } else {
                b = middle;
            }
        }
        Some((a, b))
    }

    /// Narrows the bounds of a piece by those of the next derivative.
    fn narrow(&mut self, piece: &mut Piece) {
        if !piece.low.is_finite() || !piece.high.is_finite() {
            return;
        }
        let middle = between(piece.low, piece.high);
        if !(piece.low..=piece.high).contains(&middle) {
            return;
        }
        self.looks += 1;
        let point = Interval::constant(middle);
        let at = self.curve.see(point, Some(&piece.ways)).bounds.orders;
        let way = Interval::new(piece.low, piece.high) - point;
        let Bounds { orders, third } = &mut piece.bounds;
        orders[2] = orders[2].both(at[2] + *third * way);
        orders[1] = orders[1].both(at[1] + orders[2] * way);
        orders[0] = orders[0].both(at[0] + orders[1] * way);
    }

    /// Looks closer at the pieces that something is not known of, until it is or it is enough.
    pub fn refine(&mut self, looks: usize, is_due: impl Fn(&Piece) -> bool) {
        // What is near comes first: far out there may be no end of it.
        for limit in [16.0, 1e3, 1e8] {
            self.refine_within(limit, looks / 3, &is_due);
        }
    }

    fn refine_within(&mut self, limit: f64, looks: usize, is_due: impl Fn(&Piece) -> bool) {
        let most = self.looks + looks;
        let is_near = |piece: &Piece| {
            piece.low.abs().max(piece.high.abs()) <= limit && piece.high - piece.low > 1e-7
        };
        for _ in 0..40 {
            let mut pieces = Vec::with_capacity(self.all.len());
            let mut is_done = true;
            for piece in std::mem::take(&mut self.all) {
                let middle = between(piece.low, piece.high);
                let can = middle > piece.low && middle < piece.high && !piece.is_kink;
                if !can || self.looks > most || !is_near(&piece) || !is_due(&piece) {
                    pieces.push(piece);
                    continue;
                }
                is_done = false;
                for (low, high) in [(piece.low, middle), (middle, piece.high)] {
                    self.looks += 2;
                    let x = Interval::new(low, high);
                    let mut bounds = self.curve.see_closely(x).bounds;
                    for (narrow, wide) in bounds.orders.iter_mut().zip(piece.bounds.orders) {
                        *narrow = narrow.both(wide);
                    }
                    let mut half = Piece { low, high, bounds, ..piece.clone() };
                    self.narrow(&mut half);
                    pieces.push(half);
                }
            }
            self.all = pieces;
            if is_done {
                break;
            }
        }
    }

    /// The points where the formula changes.
    pub fn seams(&self) -> Vec<Seam> {
        let mut seams = Vec::new();
        let smooth: Vec<usize> = (0..self.all.len()).filter(|&at| !self.all[at].is_kink).collect();
        for pair in smooth.windows(2) {
            let (left, right) = (&self.all[pair[0]], &self.all[pair[1]]);
            if pair[1] == pair[0] + 1 && left.ways == right.ways {
                continue;
            }
            let at = Interval::new(left.high, right.low);
            let side = |ways| self.curve.see(at, Some(ways)).bounds.orders;
            let seam = Seam {
                at: between(left.high, right.low),
                left: side(&left.ways),
                right: side(&right.ways),
            };
            seams.push(seam);
        }
        seams
    }

    /// Runs of pieces over which the formula is the same.
    pub fn runs(&self) -> Vec<std::ops::Range<usize>> {
        let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
        let mut before: Option<usize> = None;
        for (at, piece) in self.all.iter().enumerate().filter(|(_, piece)| !piece.is_kink) {
            match (before, runs.last_mut()) {
                (Some(before), Some(run))
                    if before + 1 == at && self.all[before].ways == piece.ways =>
                {
                    run.end = at + 1;
                }
                _ => runs.push(at..at + 1),
            }
            before = Some(at);
        }
        runs
    }

    /// Whether some kinks were not told apart.
    pub fn is_unclear(&self) -> bool {
        let wide = |piece: &Piece| {
            piece.is_kink
                && piece.high - piece.low > 1e-6 * piece.low.abs().max(piece.high.abs()).max(1e-6)
        };
        self.all.iter().any(wide)
    }
}
