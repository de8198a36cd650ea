//! The instance of [`Number`] that records what is done to it: the formula itself.

use super::{Composite, Isa, Mask, Number, Real};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// A loop for the compiler to widen: `to` becomes an expression of the lanes of other blocks. A closure
/// might be left out of the loop.
macro_rules! for_each {
    ($T:ident, $I:ident, $to:ident, [$($block:ident),+], $result:expr) => {
        for at in 0..$to.len() {
            $to[at] = {
                $(let $block = $crate::number::Lane::<$T, $I>::new($block[at]);)+
                let result: $crate::number::Lane<$T, $I> = $result;
                result.0
            };
        }
    };
}
pub(crate) use for_each;

macro_rules! unary_functions {
    ($($variant:ident $method:ident $name:literal $doc:literal)*) => {
        /// A function of one number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Unary {
            /// -x.
            Negate,
            /// The sum over the classes of a row.
            Total,
            $(#[doc = $doc] $variant,)*
        }

        impl Unary {
            /// Those with a name by which text can call them.
            pub(crate) const NAMED: &[Self] = &[$(Self::$variant),*];

            /// The name of the function in text.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    Self::Negate => "-",
                    Self::Total => "sum",
                    $(Self::$variant => $name,)*
                }
            }

            /// Whether the value there is one that f64 has.
            fn is_exact_at(self, x: f64) -> bool {
                let value: f64 = self.apply(x);
                matches!(self, Self::Negate | Self::Abs | Self::Sign)
                    || self == Self::Sqrt && value * value == x
                    || (x == 0.0 || x == 1.0) && (value == 0.0 || value == 1.0)
            }

            /// The function of each number of a block.
            #[inline(always)]
            pub(crate) fn each<T: Real, I: Isa>(self, x: &[T], to: &mut [T]) {
                match self {
                    Self::Negate => for_each!(T, I, to, [x], -x),
                    Self::Total => to.copy_from_slice(x),
                    $(Self::$variant => for_each!(T, I, to, [x], x.$method()),)*
                }
            }

            /// The function of a number.
            pub fn apply<N: Number>(self, x: N) -> N {
                match self {
                    Self::Negate => -x,
                    Self::Total => N::total([x]),
                    $(Self::$variant => x.$method(),)*
                }
            }
        }

        macro_rules! record_unary_functions {
            () => {
                $(fn $method(self) -> Self { self.unary(Unary::$variant) })*
            };
        }
    };
}

unary_functions! {
    Abs abs "abs" "|x|"
    Sign sign "sign" "-1, 0 or 1"
    Sqrt sqrt "sqrt" "√x"
    Exp exp "exp" "e^x"
    Expm1 expm1 "expm1" "e^x - 1"
    Ln ln "ln" "ln x"
    Ln1p ln1p "ln1p" "ln(1 + x)"
    Tanh tanh "tanh" "tanh x"
    Sigmoid sigmoid "sigmoid" "1 / (1 + e^-x)"
    Softplus softplus "softplus" "ln(1 + e^x)"
    LnCosh ln_cosh "ln_cosh" "ln(cosh x)"
    Sin sin "sin" "sin x"
    Cos cos "cos" "cos x"
    Atan atan "atan" "arctan x"
    Inverse1pSquare inverse1p_square "inverse1p_square" "1 / (1 + x²)"
    Erf erf "erf" "The error function."
    ExpMinusSquare exp_minus_square "exp_minus_square" "e^(-x²)"
    NormalDensity normal_density "normal_density" "The density φ(x) of the normal distribution."
    NormalCdf normal_cdf "normal_cdf" "The distribution function Φ(x) of the normal distribution."
    NormalCrps normal_crps "normal_crps" "x (2 Φ(x) - 1) + 2 φ(x) - 1/√π"
    LnGamma ln_gamma "ln_gamma" "ln Γ(x)"
    Digamma digamma "digamma" "(ln Γ)'(x)"
    Trigamma trigamma "trigamma" "(ln Γ)''(x)"
    LnBesselI0 ln_bessel_i0 "ln_bessel_i0" "ln I₀(x)"
    BesselRatio bessel_ratio "bessel_ratio" "I₁(x) / I₀(x)"
    BesselRatioSlope bessel_ratio_slope "bessel_ratio_slope" "(I₁/I₀)'(x)"
}

/// A function of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    /// x + y
    Add,
    /// x - y
    Subtract,
    /// x y
    Multiply,
    /// x / y
    Divide,
    /// The larger.
    Max,
    /// The smaller.
    Min,
    /// x ln(y), 0 where x is 0.
    Xlogy,
    /// x ln(1 + y), 0 where x is 0.
    Xlog1py,
    /// x^y for x >= 0 and a y that does not depend on the data.
    Power,
}

impl Binary {
    /// The function of two numbers.
    pub fn apply<N: Number>(self, x: N, y: N) -> N {
        match self {
            Self::Add => x + y,
            Self::Subtract => x - y,
            Self::Multiply => x * y,
            Self::Divide => x / y,
            Self::Max => x.max(y),
            Self::Min => x.min(y),
            Self::Xlogy => x.xlogy(y),
            Self::Xlog1py => x.xlog1py(y),
            // Beyond constants only a general power is left.
            Self::Power => y.xlogy(x).exp(),
        }
    }
}

/// A comparison of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// x < y
    Less,
    /// x <= y
    AtMost,
    /// x == y
    Equal,
}

impl Comparison {
    /// The comparison of two numbers.
    pub fn apply<N: Number>(self, x: N, y: N) -> N::Mask {
        match self {
            Self::Less => x.less_than(y),
            Self::AtMost => x.at_most(y),
            Self::Equal => x.equals(y),
        }
    }
}

/// A node of a [`Formula`]; the numbers are positions of earlier nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A constant, as the bits of an f64.
    Constant(u64),
    /// A variable or a parameter.
    Symbol(&'static str),
    /// A function of one node.
    Unary(Unary, usize),
    /// A function of two nodes.
    Binary(Binary, usize, usize),
    /// A comparison of two nodes.
    Compare(Comparison, usize, usize),
    /// Both conditions.
    And(usize, usize),
    /// Either condition.
    Or(usize, usize),
    /// Not the condition.
    Not(usize),
    /// The second node where the first, a condition, holds, else the third.
    Select(usize, usize, usize),
}

impl Node {
    /// The positions of the nodes that this one uses.
    #[must_use]
    pub fn operands(&self) -> Vec<usize> {
        match *self {
            Self::Constant(_) | Self::Symbol(_) => vec![],
            Self::Unary(_, x) | Self::Not(x) => vec![x],
            Self::Binary(_, x, y) | Self::Compare(_, x, y) | Self::And(x, y) | Self::Or(x, y) => {
                vec![x, y]
            }
            Self::Select(x, y, z) => vec![x, y, z],
        }
    }
}

#[derive(Default)]
struct Graph {
    nodes: Vec<Node>,
    places: HashMap<Node, usize>,
    parameters: Vec<(&'static str, f64)>,
}

thread_local! {
    static GRAPH: RefCell<Graph> = RefCell::default();
}

/// An expression: a number that remembers where it comes from.
///
/// Equal expressions are shared and constants fold. An `Expr` belongs to the [`Formula::trace`] that
/// it was made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expr(usize);

/// A comparison of expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition(usize);

/// A traced formula: nodes in an order in which each comes after those that it uses.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The positions of the results.
    pub results: Vec<usize>,
    /// The symbols that are parameters, with their values; `pi` is one.
    pub parameters: Vec<(&'static str, f64)>,
}

impl Formula {
    /// Records what a function does with expressions.
    ///
    /// The results share their nodes. Traces nest: an inner one has a graph of its own.
    pub fn trace<R: IntoIterator<Item = Expr>>(function: impl FnOnce() -> R) -> Self {
        let outer = GRAPH.take();
        let results = function().into_iter().map(|expr| expr.0).collect();
        let graph = GRAPH.replace(outer);
        Self { nodes: graph.nodes, results, parameters: graph.parameters }
    }

    /// The value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<f64> {
        self.parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// The values in f64 of all nodes that do not depend on the data; conditions have none.
    pub(crate) fn known(&self) -> Vec<Option<f64>> {
        let mut known: Vec<Option<f64>> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let value = match *node {
                Node::Constant(bits) => Some(f64::from_bits(bits)),
                Node::Symbol(name) => self.parameter(name),
                Node::Unary(function, x) => known[x].map(|x| function.apply(x)),
                Node::Binary(Binary::Power, x, y) => {
                    known[x].zip(known[y]).map(|(x, y): (f64, f64)| x.powf(y))
                }
                Node::Binary(function, x, y) => {
                    known[x].zip(known[y]).map(|(x, y)| function.apply(x, y))
                }
                _ => None,
            };
            known.push(value);
        }
        known
    }

    /// Evaluates the formula over any instance of [`Number`], with a value for each symbol that is not
    /// a parameter.
    ///
    /// # Errors
    /// The name of a symbol that `symbol` has no value for.
    pub fn evaluate<N: Number>(
        &self,
        symbol: impl Fn(&'static str) -> Option<N>,
    ) -> Result<Vec<N>, &'static str> {
        enum Slot<N: Number> {
            Number(N),
            Mask(N::Mask),
        }
        let known = self.known();
        let mut slots: Vec<Slot<N>> = Vec::with_capacity(self.nodes.len());
        let number = |slots: &[Slot<N>], at: usize| match slots[at] {
            Slot::Number(number) => number,
            Slot::Mask(mask) => N::select(mask, N::constant(1.0), N::constant(0.0)),
        };
        let mask = |slots: &[Slot<N>], at: usize| match slots[at] {
            Slot::Number(number) => !number.equals(N::constant(0.0)),
            Slot::Mask(mask) => mask,
        };
        for (at, node) in self.nodes.iter().enumerate() {
            let number = |at| number(&slots, at);
            let mask = |at| mask(&slots, at);
            let slot = match *node {
                Node::Constant(bits) => Slot::Number(N::constant(f64::from_bits(bits))),
                Node::Symbol(name) => Slot::Number(match self.parameter(name) {
                    Some(value) => N::parameter(name, value),
                    None => symbol(name).ok_or(name)?,
                }),
                Node::Unary(function, x) => {
                    let apply = || function.apply(number(x));
                    Slot::Number(known[at].map_or_else(apply, |value| N::derived(value, apply)))
                }
                Node::Binary(function, x, y) => {
                    let apply = || match (function, known[y]) {
                        (Binary::Power, Some(exponent)) => self.power(x, exponent, y, number),
                        _ => function.apply(number(x), number(y)),
                    };
                    Slot::Number(known[at].map_or_else(apply, |value| N::derived(value, apply)))
                }
                Node::Compare(comparison, x, y) => {
                    Slot::Mask(comparison.apply(number(x), number(y)))
                }
                Node::And(a, b) => Slot::Mask(mask(a) & mask(b)),
                Node::Or(a, b) => Slot::Mask(mask(a) | mask(b)),
                Node::Not(a) => Slot::Mask(!mask(a)),
                Node::Select(condition, a, b) => {
                    Slot::Number(N::select(mask(condition), number(a), number(b)))
                }
            };
            slots.push(slot);
        }
        Ok(self.results.iter().map(|&at| number(&slots, at)).collect())
    }

    /// A power, whose exponent is known.
    fn power<N: Number>(
        &self,
        base: usize,
        exponent: f64,
        symbolic: usize,
        number: impl Fn(usize) -> N,
    ) -> N {
        match self.nodes[base] {
            Node::Unary(Unary::Abs, x) if exponent >= 1.0 => {
                number(x).abs_power(exponent, || number(symbolic))
            }
            _ => number(base).power(exponent, || number(symbolic)),
        }
    }
}

fn record(node: Node) -> usize {
    GRAPH.with_borrow_mut(|graph| {
        let next = graph.nodes.len();
        let place = *graph.places.entry(node).or_insert(next);
        if place == next {
            graph.nodes.push(node);
        }
        place
    })
}

impl Expr {
    /// A variable.
    #[must_use]
    pub fn symbol(name: &'static str) -> Self {
        Self(record(Node::Symbol(name)))
    }

    fn node(self) -> Node {
        GRAPH.with_borrow(|graph| graph.nodes[self.0])
    }

    pub(crate) fn as_constant(self) -> Option<f64> {
        match self.node() {
            Node::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// `x` where this is -x.
    fn negated(self) -> Option<Self> {
        match self.node() {
            Node::Unary(Unary::Negate, x) => Some(Self(x)),
            _ => None,
        }
    }

    /// This as constant * expression, if it is written so.
    fn with_factor(self) -> Option<(f64, Self)> {
        match self.node() {
            Node::Binary(Binary::Multiply, c, x) => Some((Self(c).as_constant()?, Self(x))),
            _ => None,
        }
    }

    fn unary(self, function: Unary) -> Self {
        // Only what is exact: a formula is not to have rounded numbers in it.
        if let Some(x) = self.as_constant()
            && function != Unary::Total
            && function.is_exact_at(x)
        {
            return Self::constant(function.apply(x));
        }
        Self(record(Node::Unary(function, self.0)))
    }

    fn binary(self, function: Binary, other: Self) -> Self {
        if let (Some(x), Some(y)) = (self.as_constant(), other.as_constant()) {
            return Self::constant(function.apply(x, y));
        }
        Self(record(Node::Binary(function, self.0, other.0)))
    }
}

/// The simplifications are those that hold for every number, so that a traced gradient reads as a
/// person would write it: 1 x = x, x + 0 = x, x + x = 2 x, a (b x) = (ab) x, signs moved outwards.
impl Add for Expr {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        if self.as_constant() == Some(0.0) {
            return other;
        }
        if other.as_constant() == Some(0.0) {
            return self;
        }
        if self == other {
            return self * 2.0;
        }
        match (self.negated(), other.negated()) {
            (_, Some(y)) => self - y,
            (Some(x), None) => other - x,
            (None, None) => self.binary(Binary::Add, other),
        }
    }
}

impl Sub for Expr {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        if other.as_constant() == Some(0.0) {
            return self;
        }
        if self.as_constant() == Some(0.0) {
            return -other;
        }
        match (self.negated(), other.negated()) {
            (_, Some(y)) => self + y,
            (Some(x), None) => -(x + other),
            (None, None) => self.binary(Binary::Subtract, other),
        }
    }
}

impl Mul for Expr {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        if let Some(x) = self.negated() {
            return -(x * other);
        }
        if let Some(y) = other.negated() {
            return -(self * y);
        }
        if let Some(factor) = other.as_constant() {
            return self * factor;
        }
        if let Some(factor) = self.as_constant() {
            return other * factor;
        }
        if let Some((factor, x)) = self.with_factor() {
            return (x * other) * factor;
        }
        if let Some((factor, y)) = other.with_factor() {
            return (self * y) * factor;
        }
        self.binary(Binary::Multiply, other)
    }
}

impl Div for Expr {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        if let Some(x) = self.negated() {
            return -(x / other);
        }
        if let Some(y) = other.negated() {
            return -(self / y);
        }
        if let Some(divisor) = other.as_constant() {
            return self / divisor;
        }
        self.binary(Binary::Divide, other)
    }
}

impl Neg for Expr {
    type Output = Self;
    fn neg(self) -> Self {
        if let Some(x) = self.negated() {
            return x;
        }
        if let Some((factor, x)) = self.with_factor() {
            return x * -factor;
        }
        match self.node() {
            Node::Binary(Binary::Subtract, x, y) => Self(y) - Self(x),
            _ => self.unary(Unary::Negate),
        }
    }
}

impl Add<f64> for Expr {
    type Output = Self;
    fn add(self, other: f64) -> Self {
        self + Self::constant(other)
    }
}

impl Sub<f64> for Expr {
    type Output = Self;
    fn sub(self, other: f64) -> Self {
        if other < 0.0 { self + -other } else { self - Self::constant(other) }
    }
}

impl Mul<f64> for Expr {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        if factor == 1.0 {
            return self;
        }
        if factor == -1.0 {
            return -self;
        }
        if let Some(x) = self.negated() {
            return x * -factor;
        }
        if let Some((inner, x)) = self.with_factor() {
            return x * (inner * factor);
        }
        Self::constant(factor).binary(Binary::Multiply, self)
    }
}

impl Div<f64> for Expr {
    type Output = Self;
    fn div(self, divisor: f64) -> Self {
        if divisor == 1.0 {
            return self;
        }
        self.binary(Binary::Divide, Self::constant(divisor))
    }
}

impl BitAnd for Condition {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(record(Node::And(self.0, other.0)))
    }
}

impl BitOr for Condition {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(record(Node::Or(self.0, other.0)))
    }
}

impl Not for Condition {
    type Output = Self;
    fn not(self) -> Self {
        Self(record(Node::Not(self.0)))
    }
}

impl Mask for Condition {}

impl Number for Expr {
    type Mask = Condition;
    const IS_FORMULA: bool = true;

    fn constant(value: f64) -> Self {
        // One zero: formulas do not tell -0 from 0.
        Self(record(Node::Constant((value + 0.0).to_bits())))
    }
    fn parameter(name: &'static str, value: f64) -> Self {
        GRAPH.with_borrow_mut(|graph| {
            if graph.parameters.iter().all(|(known, _)| *known != name) {
                graph.parameters.push((name, value));
            }
        });
        Self::symbol(name)
    }
    fn derived(_value: f64, symbolic: impl FnOnce() -> Self) -> Self {
        symbolic()
    }
    fn less_than(self, other: Self) -> Condition {
        Condition(record(Node::Compare(Comparison::Less, self.0, other.0)))
    }
    fn at_most(self, other: Self) -> Condition {
        Condition(record(Node::Compare(Comparison::AtMost, self.0, other.0)))
    }
    fn equals(self, other: Self) -> Condition {
        Condition(record(Node::Compare(Comparison::Equal, self.0, other.0)))
    }
    fn select(mask: Condition, chosen: Self, otherwise: Self) -> Self {
        if chosen == otherwise {
            return chosen;
        }
        Self(record(Node::Select(mask.0, chosen.0, otherwise.0)))
    }
    fn max(self, other: Self) -> Self {
        self.binary(Binary::Max, other)
    }
    fn min(self, other: Self) -> Self {
        self.binary(Binary::Min, other)
    }
    fn xlogy(self, y: Self) -> Self {
        self.binary(Binary::Xlogy, y)
    }
    fn xlog1py(self, y: Self) -> Self {
        self.binary(Binary::Xlog1py, y)
    }
    // What has a better form is shown as it is defined.
    fn times_exp(self, y: Self) -> Self {
        self * y.exp()
    }
    fn half_square_times_exp(self, y: Self) -> Self {
        self.square() * y.exp() / 2.0
    }
    fn composite<C: Composite>(self, y: Self, composite: C) -> Self {
        composite.definition(self, y)
    }
    fn total(terms: impl IntoIterator<Item = Self>) -> Self {
        let mut terms = terms.into_iter();
        let first = terms.next().unwrap_or_else(|| Self::constant(0.0));
        let rest = terms.reduce(|sum, term| sum + term);
        match (first, rest) {
            // The row has a symbol for each class.
            (first, Some(rest)) => first + rest,
            (zero, None) if zero.as_constant() == Some(0.0) => zero,
            // A symbolic row has one term, which stands for every class.
            (term, None) => term.unary(Unary::Total),
        }
    }
    fn power(self, exponent: f64, symbolic: impl Fn() -> Self) -> Self {
        match symbolic() {
            one if one.as_constant() == Some(1.0) => self,
            zero if zero.as_constant() == Some(0.0) => Self::constant(1.0),
            _ if self.as_constant().is_some() && symbolic().as_constant().is_some() => {
                Self::constant(self.as_constant().unwrap_or_default().powf(exponent))
            }
            symbolic => Self(record(Node::Binary(Binary::Power, self.0, symbolic.0))),
        }
    }
    fn abs_power(self, exponent: f64, symbolic: impl Fn() -> Self) -> Self {
        self.abs().power(exponent, symbolic)
    }
    fn with_derivatives(_x: Self, value: Self, _slope: Self, _bend: Self) -> Self {
        value
    }
    fn rewritten(value: Self, _slopes: Self) -> Self {
        value
    }
    // Composites are written out: a formula is what a loss is, not how it is computed.
    fn exp_scaled(self, _factor: f64, symbolic: impl Fn() -> Self) -> Self {
        (symbolic() * self).exp()
    }
    fn power1p_square(self, exponent: f64, offset: f64, symbolic: impl Fn() -> Self) -> Self {
        (self.square() + 1.0).power(exponent + offset, || symbolic() + offset)
    }
    fn power1p_square_m1(self, exponent: f64, symbolic: impl Fn() -> Self) -> Self {
        self.power1p_square(exponent, 0.0, symbolic) - 1.0
    }
    fn ln1p_square(self) -> Self {
        self.square().ln1p()
    }
    fn sqrt1p_square_m1(self) -> Self {
        (self.square() + 1.0).sqrt() - 1.0
    }
    fn square_share(self) -> Self {
        self.square() / (self.square() + 1.0)
    }
    fn atan_square(self) -> Self {
        self.square().atan()
    }
    fn exp_square(self, factor: f64) -> Self {
        (self.square() * factor).exp()
    }
    fn expm1_square(self, factor: f64) -> Self {
        self.exp_square(factor) - 1.0
    }
    fn expm1_minus(self) -> Self {
        self.exp() - 1.0 - self
    }
    record_unary_functions! {}
    fn sigmoid_power(self, exponent: f64, symbolic: impl Fn() -> Self) -> Self {
        self.sigmoid().power(exponent, symbolic)
    }
    fn sigmoid_balance(self, _factor: f64, symbolic: impl Fn() -> Self) -> Self {
        symbolic() * (-self).sigmoid() - self.sigmoid()
    }
    fn focal(self, gamma: f64, symbolic: impl Fn() -> Self) -> Self {
        self.sigmoid_power(gamma, symbolic) * self.softplus()
    }
    fn poly1(self, _epsilon: f64, symbolic: impl Fn() -> Self) -> Self {
        self.softplus() + symbolic() * self.sigmoid()
    }
    fn sigmoid_gap(self, y: Self, _exact: Option<f64>) -> Self {
        self.sigmoid() - y
    }
    fn sigmoid_gap_power(
        self,
        y: Self,
        _exact: Option<f64>,
        exponent: f64,
        symbolic: impl Fn() -> Self,
    ) -> Self {
        (self.sigmoid() - y).abs().power(exponent, symbolic)
    }
    fn tangent_angle(self) -> Self {
        self.atan() * 2.0 - 1.0
    }
    fn until_decayed(self) -> Self {
        self
    }
}
