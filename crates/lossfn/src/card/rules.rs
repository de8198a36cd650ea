//! What follows from the structure of a formula, and from other lines of a card.
#![allow(
    clippy::match_same_arms,
    clippy::too_many_lines,
    reason = "rules are tables, in the order of the parts of a formula"
)]

use super::{Answer, Card, Fact, How, Property};
use crate::describe::{Description, Domain};
use crate::number::{Binary, Certain, Formula, Interval, Node, Number, Unary};

/// What of prediction and target a loss depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variable {
    /// On prediction - target alone.
    Residual,
    /// On target * prediction alone, for targets -1 and +1.
    Margin,
    /// On both in another way.
    General,
}

/// The nodes that a result depends on.
fn reached(formula: &Formula, result: usize) -> Vec<bool> {
    let mut is_reached = vec![false; result + 1];
    is_reached[result] = true;
    for at in (0..=result).rev() {
        if is_reached[at] {
            for part in parts(formula.nodes[at]) {
                is_reached[part] = true;
            }
        }
    }
    is_reached
}

fn parts(node: Node) -> Vec<usize> {
    match node {
        Node::Constant(_) | Node::Symbol(_) => vec![],
        Node::Unary(_, x) | Node::Not(x) => vec![x],
        Node::Binary(_, x, y) | Node::Compare(_, x, y) | Node::And(x, y) | Node::Or(x, y) => {
            vec![x, y]
        }
        Node::Select(x, y, z) => vec![x, y, z],
    }
}

/// What the loss depends on, by its formula.
pub(crate) fn shape(formula: &Formula, description: &Description) -> Variable {
    let result = formula.results[0];
    let is_reached = reached(formula, result);
    let is_variable = |at: usize| matches!(formula.nodes[at], Node::Symbol("p" | "y"));
    let all = |through: &dyn Fn(Node) -> bool| {
        (0..=result).filter(|&at| is_reached[at] && !is_variable(at)).all(|at| {
            let node = formula.nodes[at];
            !parts(node).into_iter().any(is_variable) || through(node)
        }) && !is_variable(result)
    };
    let different = |x: usize, y: usize| is_variable(x) && is_variable(y) && x != y;
    let is_residual =
        |node| matches!(node, Node::Binary(Binary::Subtract, x, y) if different(x, y));
    let is_margin = |node| matches!(node, Node::Binary(Binary::Multiply, x, y) if different(x, y));
    if description.prediction == Domain::Real
        && description.target == Domain::Real
        && all(&is_residual)
    {
        Variable::Residual
    } else if description.prediction == Domain::Real
        && description.target == Domain::Sign
        && all(&is_margin)
    {
        Variable::Margin
    } else {
        Variable::General
    }
}

/// Whether a loss of the residual is the same for r and -r, as far as its form tells.
pub(super) fn is_even(formula: &Formula) -> bool {
    #[derive(Clone, Copy, PartialEq)]
    enum Parity {
        Even,
        Odd,
        Neither,
    }
    use Parity::{Even, Neither, Odd};
    let mut all: Vec<Parity> = Vec::new();
    for node in &formula.nodes[..=formula.results[0]] {
        let same = |x: Parity, y: Parity| if x == y { x } else { Neither };
        let even = |places: &[usize]| {
            if places.iter().all(|&at| all[at] == Even) { Even } else { Neither }
        };
        all.push(match *node {
            Node::Constant(_) => Even,
            // With the residual for both: p - y changes its sign.
            Node::Symbol("p" | "y") => Odd,
            Node::Symbol(_) => Even,
            Node::Unary(
                Unary::Negate
                | Unary::Sign
                | Unary::Tanh
                | Unary::Atan
                | Unary::Sin
                | Unary::Erf
                | Unary::BesselRatio,
                x,
            ) => all[x],
            Node::Unary(
                Unary::Abs
                | Unary::LnCosh
                | Unary::Cos
                | Unary::Inverse1pSquare
                | Unary::ExpMinusSquare
                | Unary::NormalDensity
                | Unary::NormalCrps
                | Unary::LnBesselI0,
                x,
            ) if all[x] == Odd => Even,
            Node::Unary(_, x) => even(&[x]),
            Node::Binary(Binary::Add | Binary::Subtract, x, y) => same(all[x], all[y]),
            Node::Binary(Binary::Multiply | Binary::Divide, x, y) => match (all[x], all[y]) {
                (Neither, _) | (_, Neither) => Neither,
                (x, y) if x == y => Even,
                _ => Odd,
            },
            Node::Binary(_, x, y) | Node::Compare(_, x, y) | Node::And(x, y) | Node::Or(x, y) => {
                even(&[x, y])
            }
            Node::Not(x) => even(&[x]),
            Node::Select(condition, x, y) if all[condition] == Even => same(all[x], all[y]),
            Node::Select(..) => Neither,
        });
    }
    all[formula.results[0]] == Even
}

/// How a part of a formula bends as a function of the prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bend {
    Constant,
    Linear,
    Convex,
    Concave,
    Unknown,
}

impl Bend {
    fn flipped(self) -> Self {
        match self {
            Self::Convex => Self::Concave,
            Self::Concave => Self::Convex,
            other => other,
        }
    }

    fn is_convex(self) -> bool {
        matches!(self, Self::Constant | Self::Linear | Self::Convex)
    }

    fn is_linear(self) -> bool {
        matches!(self, Self::Constant | Self::Linear)
    }

    fn sum(self, other: Self) -> Self {
        match (self, other) {
            (Self::Constant, other) | (other, Self::Constant) => other,
            (Self::Linear, other) | (other, Self::Linear) => other,
            (a, b) if a == b => a,
            _ => Self::Unknown,
        }
    }

    fn scaled(self, factor: Interval) -> Self {
        if factor.low() >= 0.0 || self == Self::Constant {
            self
        } else if factor.high() <= 0.0 {
            self.flipped()
        } else if self == Self::Linear {
            self
        } else {
            Self::Unknown
        }
    }

    /// Convex if a convex function that grows is applied to it.
    fn through_growing_convex(self) -> Self {
        match self {
            Self::Constant => Self::Constant,
            Self::Linear | Self::Convex => Self::Convex,
            _ => Self::Unknown,
        }
    }

    fn through_growing_concave(self) -> Self {
        self.flipped().through_growing_convex().flipped()
    }

    /// The same for a convex function that grows on both sides of 0.
    fn through_even_convex(self, range: Interval) -> Self {
        match self {
            Self::Constant => Self::Constant,
            Self::Linear => Self::Convex,
            Self::Convex if range.low() >= 0.0 => Self::Convex,
            Self::Concave if range.high() <= 0.0 => Self::Convex,
            _ => Self::Unknown,
        }
    }
}

fn interval_of(domain: Domain) -> Interval {
    match domain {
        Domain::Real | Domain::LogProbability => Interval::ANY,
        Domain::Unit | Domain::OpenUnit => Interval::new(0.0, 1.0),
        Domain::Sign => Interval::new(-1.0, 1.0),
        Domain::NonNegative | Domain::Positive => Interval::new(0.0, f64::INFINITY),
    }
}

/// Whether the first result is convex in the prediction by the rules for sums, maxima and
/// compositions, for all targets. Works on rows too: `p_c` stands for the scores of all classes.
pub(super) fn is_convex(formula: &Formula, description: &Description, parameters: &[f64]) -> bool {
    let count = formula.results[0] + 1;
    let mut bends: Vec<Bend> = Vec::with_capacity(count);
    let mut ranges: Vec<Interval> = Vec::with_capacity(count);
    // Whether a part is a sum of squares of linear parts, whose root is a length.
    let mut is_squares: Vec<bool> = Vec::with_capacity(count);
    // Whether the logarithm of a part is convex.
    let mut is_log_convex: Vec<bool> = Vec::with_capacity(count);
    for node in &formula.nodes[..count] {
        let constant = |places: &[usize]| {
            if places.iter().all(|&at| bends[at] == Bend::Constant) {
                Bend::Constant
            } else {
                Bend::Unknown
            }
        };
        let (bend, range) = match *node {
            Node::Constant(bits) => (Bend::Constant, Interval::constant(f64::from_bits(bits))),
            Node::Symbol("p" | "p_c") => (Bend::Linear, interval_of(description.prediction)),
            Node::Symbol("y" | "y_c") => (Bend::Constant, interval_of(description.target)),
            Node::Symbol(name) => {
                let place = description.parameters.iter().position(|known| known.name == name);
                let value = place.and_then(|place| parameters.get(place));
                let range = value.map_or(Interval::ANY, |value| Interval::constant(*value));
                (Bend::Constant, range)
            }
            Node::Unary(Unary::Total, x) => {
                let low = if ranges[x].low() >= 0.0 { ranges[x].low() } else { f64::NEG_INFINITY };
                let high = if ranges[x].high() <= 0.0 { ranges[x].high() } else { f64::INFINITY };
                (bends[x], Interval::new(low, high))
            }
            Node::Unary(function, x) => {
                let bend = match function {
                    Unary::Negate => bends[x].flipped(),
                    Unary::Exp | Unary::Expm1 | Unary::Softplus => {
                        bends[x].through_growing_convex()
                    }
                    Unary::Ln if is_log_convex[x] => Bend::Convex,
                    Unary::Sqrt if is_squares[x] => Bend::Convex,
                    Unary::Ln | Unary::Ln1p | Unary::Sqrt => bends[x].through_growing_concave(),
                    Unary::Abs | Unary::LnCosh | Unary::NormalCrps | Unary::LnBesselI0 => {
                        bends[x].through_even_convex(ranges[x])
                    }
                    _ => constant(&[x]),
                };
                (bend, function.apply(ranges[x]))
            }
            Node::Binary(function, x, y) => {
                let bend = match function {
                    Binary::Add => bends[x].sum(bends[y]),
                    Binary::Subtract => bends[x].sum(bends[y].flipped()),
                    Binary::Multiply if x == y => bends[x].through_even_convex(ranges[x]),
                    Binary::Multiply if bends[x] == Bend::Constant => bends[y].scaled(ranges[x]),
                    Binary::Multiply if bends[y] == Bend::Constant => bends[x].scaled(ranges[y]),
                    Binary::Divide if bends[y] == Bend::Constant => {
                        bends[x].scaled(Interval::constant(1.0) / ranges[y])
                    }
                    Binary::Max if constant(&[x, y]) == Bend::Unknown => {
                        match (bends[x].is_convex(), bends[y].is_convex()) {
                            (true, true) => Bend::Convex,
                            _ => Bend::Unknown,
                        }
                    }
                    Binary::Min if constant(&[x, y]) == Bend::Unknown => {
                        match (bends[x].flipped().is_convex(), bends[y].flipped().is_convex()) {
                            (true, true) => Bend::Concave,
                            _ => Bend::Unknown,
                        }
                    }
                    Binary::Power
                        if bends[y] == Bend::Constant
                            && ranges[y].low() >= 1.0
                            && ranges[x].low() >= 0.0
                            && bends[x].is_convex() =>
                    {
                        constant(&[x, y]).sum(Bend::Convex)
                    }
                    Binary::Xlogy | Binary::Xlog1py if bends[x] == Bend::Constant => {
                        bends[y].through_growing_concave().scaled(ranges[x])
                    }
                    Binary::Xlogy | Binary::Xlog1py
                        if bends[y] == Bend::Constant && bends[x].is_linear() =>
                    {
                        bends[x]
                    }
                    _ => constant(&[x, y]),
                };
                let range = if function == Binary::Multiply && x == y {
                    ranges[x].square()
                } else {
                    function.apply(ranges[x], ranges[y])
                };
                (bend, range)
            }
            Node::Compare(_, x, y) | Node::And(x, y) | Node::Or(x, y) => {
                (constant(&[x, y]), Interval::new(0.0, 1.0))
            }
            Node::Not(x) => (constant(&[x]), Interval::new(0.0, 1.0)),
            Node::Select(condition, x, y) => {
                let bend = if bends[condition] == Bend::Constant {
                    bends[x].sum(bends[y])
                } else {
                    Bend::Unknown
                };
                (bend, Interval::select(Certain(None), ranges[x], ranges[y]))
            }
        };
        is_squares.push(match *node {
            Node::Binary(Binary::Multiply, x, y) if x == y => bends[x].is_linear(),
            Node::Binary(Binary::Multiply, x, y) => {
                let scales = |at: usize| bends[at] == Bend::Constant && ranges[at].low() >= 0.0;
                scales(x) && is_squares[y] || scales(y) && is_squares[x]
            }
            Node::Binary(Binary::Add, x, y) => is_squares[x] && is_squares[y],
            Node::Unary(Unary::Total, x) => is_squares[x],
            _ => bend == Bend::Constant && range.low() >= 0.0,
        });
        is_log_convex.push(match *node {
            Node::Unary(Unary::Exp, x) => bends[x].is_convex(),
            Node::Unary(Unary::Total, x) => is_log_convex[x],
            Node::Binary(Binary::Add | Binary::Multiply, x, y) => {
                is_log_convex[x] && is_log_convex[y]
            }
            _ => bend == Bend::Constant && range.low() > 0.0,
        });
        bends.push(bend);
        ranges.push(range);
    }
    bends[count - 1].is_convex()
}

/// Whether the loss is smooth in the prediction because all its parts are, where the domain does not end.
pub(super) fn is_smooth(formula: &Formula, description: &Description) -> bool {
    let count = formula.results[0] + 1;
    let is_reached = reached(formula, count - 1);
    let mut depends: Vec<bool> = Vec::with_capacity(count);
    // Whether a part is above 0 inside the domain.
    let mut is_positive: Vec<bool> = Vec::with_capacity(count);
    let mut is_smooth = true;
    let has_sign = description.prediction != Domain::Real;
    for (at, &node) in formula.nodes[..count].iter().enumerate() {
        let of_prediction = parts(node).into_iter().any(|part| depends[part]);
        let is_fine = match node {
            Node::Constant(_) | Node::Symbol(_) => true,
            Node::Unary(
                Unary::Negate
                | Unary::Total
                | Unary::Exp
                | Unary::Expm1
                | Unary::Tanh
                | Unary::Sigmoid
                | Unary::Softplus
                | Unary::LnCosh
                | Unary::Sin
                | Unary::Cos
                | Unary::Atan
                | Unary::Inverse1pSquare
                | Unary::Erf
                | Unary::ExpMinusSquare
                | Unary::NormalDensity
                | Unary::NormalCdf
                | Unary::NormalCrps
                | Unary::LnBesselI0,
                _,
            )
            | Node::Binary(Binary::Add | Binary::Subtract | Binary::Multiply, ..) => true,
            Node::Unary(Unary::Ln | Unary::Sqrt, x) => is_positive[x],
            Node::Binary(Binary::Divide, _, y) => is_positive[y] || !depends[y],
            Node::Binary(Binary::Xlogy, x, y) => !depends[x] && is_positive[y],
            Node::Select(condition, ..) => !depends[condition],
            _ => false,
        };
        is_smooth &= is_fine || !is_reached[at] || !of_prediction;
        depends.push(of_prediction || matches!(node, Node::Symbol("p" | "p_c")));
        is_positive.push(match node {
            Node::Constant(bits) => f64::from_bits(bits) > 0.0,
            Node::Symbol("p" | "p_c") => has_sign,
            Node::Unary(Unary::Exp | Unary::Sigmoid | Unary::Softplus, _) => true,
            Node::Unary(Unary::Total | Unary::Sqrt, x) => is_positive[x],
            Node::Binary(Binary::Add | Binary::Multiply | Binary::Divide, x, y) => {
                is_positive[x] && is_positive[y]
            }
            _ => false,
        });
    }
    is_smooth
}

/// Adds what follows from other lines, where nothing better is known.
pub(super) fn complete(card: &mut Card) {
    use Property::{
        Bounded, Calibrated, Convex, Differentiable, Lipschitz, Proper, Robust, Smooth,
        StrictlyConvex, StrictlyProper, StronglyConvex, TwiceDifferentiable,
    };
    let implications = [
        (StronglyConvex, StrictlyConvex),
        (StrictlyConvex, Convex),
        (TwiceDifferentiable, Differentiable),
        (Smooth, Differentiable),
        (StrictlyProper, Proper),
        (StrictlyProper, Calibrated),
        (Lipschitz, Robust),
        (Bounded, Robust),
    ];
    let is_open =
        |card: &Card, property| card.get(property).is_none_or(|fact| matches!(fact.how, How::Open));
    for (strong, weak) in implications {
        if card.answer(strong) == Answer::Yes && is_open(card, weak) {
            card.put(Fact::rule(weak, format!("it is {strong}")));
        }
    }
    for (strong, weak) in implications.into_iter().rev() {
        // Fading influence and being bounded are two ways of being robust.
        if weak == Robust || weak == Calibrated || !is_open(card, strong) {
            continue;
        }
        let Some(fact) = card.get(weak) else { continue };
        if fact.answer == Answer::No {
            let detail = format!("it is not {weak}");
            let (witness, how) = (fact.witness.clone(), How::Rule(detail));
            let how = if witness.is_some() { How::Refuted } else { how };
            let detail = fact.detail.clone();
            card.put(Fact { detail, witness, ..Fact::new(strong, Answer::No, how) });
        }
    }
}

/// An influence is bounded if the slope is, or the loss itself.
pub(super) fn robust(card: &Card) -> Fact {
    let property = Property::Robust;
    if card.answer(Property::Lipschitz) == Answer::Yes {
        return Fact::rule(property, "it is Lipschitz");
    }
    if card.answer(Property::Bounded) == Answer::Yes {
        return Fact::rule(property, "it is bounded");
    }
    match (card.get(Property::Lipschitz), card.answer(Property::Bounded)) {
        (Some(Fact { witness: Some(witness), .. }), Answer::No) => {
            Fact::no(property, witness.clone())
        }
        _ => Fact::unknown(property),
    }
}
