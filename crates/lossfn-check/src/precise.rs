//! Formulas evaluated with many digits, and their derivatives by differences over tiny steps.
//!
//! Nothing here knows a derivative rule or a trick against rounding: functions are what their
//! definitions say, in enough digits that it does not matter. So a derivative found here cannot
//! share a mistake with the library's.

use crate::points::Precision;
use crate::special;
use dashu_float::round::mode::HalfEven;
use dashu_float::{DBig, FBig};
use lossfn::number::{Binary, Comparison, Expr, Node, Unary};
use lossfn::{Description, Domain, Formula, Loss};
use std::str::FromStr;

/// A binary floating-point number of many digits.
pub type Big = FBig<HalfEven, 2>;

/// Arguments of exp beyond 2^40 count as infinite: no f64 result depends on the difference.
const EXP_LIMIT: f64 = 1_099_511_627_776.0;
/// The step of the differences, as a power of two, relative to the smallest of the inputs.
const STEP: isize = -120;

/// A number of many digits, or what arithmetic gives where there is none.
#[derive(Clone, Debug)]
pub enum Precise {
    /// A number.
    Finite(Big),
    /// Infinity, of this sign.
    Infinite {
        /// Whether it is minus infinity.
        negative: bool,
    },
    /// Not a number.
    Nan,
}

use Precise::{Finite, Infinite, Nan};

impl Precise {
    /// Exactly this number, to be computed with in so many bits.
    ///
    /// # Panics
    /// Never: every finite f64 has a counterpart.
    #[must_use]
    pub fn new(x: f64, bits: usize) -> Self {
        if x.is_nan() {
            return Nan;
        }
        if x.is_infinite() {
            return Infinite { negative: x < 0.0 };
        }
        // One zero: formulas do not tell -0 from 0.
        let exact = Big::try_from(x + 0.0).expect("a finite number");
        Finite(exact.with_precision(bits).value())
    }

    /// A decimal number of any length, or `inf`, `-inf` or `nan`.
    ///
    /// # Panics
    /// If the text is none of these.
    #[must_use]
    pub fn parse(text: &str, bits: usize) -> Self {
        let special: f64 = text.parse().expect("a number");
        // Text beyond the range of f64 is read as infinite or 0 there, but not here.
        if special.is_nan() || text.contains("inf") {
            return Self::new(special, bits);
        }
        let decimal = DBig::from_str(text).expect("a decimal number");
        let binary = decimal.with_base_and_precision::<2>(bits).value();
        Finite(binary.with_rounding())
    }

    /// The number in so many decimal digits, as [`Self::parse`] reads it.
    #[must_use]
    pub fn text(&self, digits: usize) -> String {
        match self {
            Finite(x) if *x == Big::ZERO => "0".to_owned(),
            Finite(x) => {
                let decimal = x.clone().with_base_and_precision::<10>(digits).value();
                format!("{decimal:e}")
            }
            other => other.to_f64().to_string().to_lowercase(),
        }
    }

    /// The nearest f64.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        match self {
            Finite(x) => x.to_f64().value(),
            Infinite { negative: true } => f64::NEG_INFINITY,
            Infinite { negative: false } => f64::INFINITY,
            Nan => f64::NAN,
        }
    }

    /// The nearest f32, rounded once.
    #[must_use]
    pub fn to_f32(&self) -> f32 {
        match self {
            Finite(x) => x.to_f32().value(),
            other => other.to_f64() as f32,
        }
    }

    /// -1, 0 or 1; NaN has no sign.
    fn sign(&self) -> Option<i8> {
        match self {
            Finite(x) => Some(i8::from(*x > Big::ZERO) - i8::from(*x < Big::ZERO)),
            Infinite { negative } => Some(if *negative { -1 } else { 1 }),
            Nan => None,
        }
    }

    fn is_zero(&self) -> bool {
        self.sign() == Some(0)
    }

    /// Whether this is the smaller of the two.
    #[must_use]
    pub fn is_less_than(&self, other: &Self) -> bool {
        match (self, other) {
            (Finite(a), Finite(b)) => a < b,
            (Nan, _) | (_, Nan) => false,
            (Infinite { negative: a }, Infinite { negative: b }) => *a && !*b,
            (Infinite { negative }, Finite(_)) => *negative,
            (Finite(_), Infinite { negative }) => !*negative,
        }
    }

    fn is_equal_to(&self, other: &Self) -> bool {
        match (self, other) {
            (Nan, _) | (_, Nan) => false,
            _ => !self.is_less_than(other) && !other.is_less_than(self),
        }
    }

    /// Sum.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        match (self, other) {
            (Finite(a), Finite(b)) => Finite(a + b),
            (Nan, _) | (_, Nan) => Nan,
            (Infinite { negative: a }, Infinite { negative: b }) if a != b => Nan,
            (Infinite { .. }, _) => self.clone(),
            (_, Infinite { .. }) => other.clone(),
        }
    }

    /// Difference.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.plus(&other.negated())
    }

    /// -x.
    #[must_use]
    pub fn negated(&self) -> Self {
        match self {
            Finite(x) => Finite(-x),
            Infinite { negative } => Infinite { negative: !negative },
            Nan => Nan,
        }
    }

    /// Product.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        match (self, other) {
            (Finite(a), Finite(b)) => Finite(a * b),
            _ => match (self.sign(), other.sign()) {
                (Some(a), Some(b)) if a * b != 0 => Infinite { negative: a * b < 0 },
                _ => Nan,
            },
        }
    }

    /// Quotient.
    #[must_use]
    pub fn over(&self, other: &Self) -> Self {
        match (self, other) {
            (Finite(a), Finite(b)) if !other.is_zero() => Finite(a / b),
            (Finite(_), Finite(_)) => match self.sign() {
                Some(0) | None => Nan,
                Some(sign) => Infinite { negative: sign < 0 },
            },
            (Finite(a), Infinite { .. }) => Self::new(0.0, a.precision()),
            (Infinite { negative }, Finite(_)) => {
                Infinite { negative: *negative != (other.sign() == Some(-1)) }
            }
            _ => Nan,
        }
    }

    /// |x|.
    #[must_use]
    pub fn magnitude(&self) -> Self {
        if self.sign() == Some(-1) { self.negated() } else { self.clone() }
    }

    /// Times 2^n.
    #[must_use]
    pub fn times_power_of_two(&self, n: isize) -> Self {
        match self {
            Finite(x) => Finite(x.clone() << n),
            other => other.clone(),
        }
    }

    /// A function of the finite numbers, with its limits at the ends.
    fn at_ends(
        &self,
        bits: usize,
        inside: impl Fn(&Big) -> Big,
        end: impl Fn(&Self) -> f64,
    ) -> Self {
        match self {
            Finite(x) => Finite(inside(x)),
            Infinite { .. } => Self::new(end(self), bits),
            Nan => Nan,
        }
    }

    fn exp(&self, bits: usize) -> Self {
        let limit = Self::new(EXP_LIMIT, bits);
        match self {
            Nan => Nan,
            _ if limit.is_less_than(self) => Infinite { negative: false },
            _ if self.is_less_than(&limit.negated()) => Self::new(0.0, bits),
            // e^0 comes without a precision.
            Finite(x) => Finite(x.exp().with_precision(bits).value()),
            Infinite { .. } => unreachable!("beyond the limit"),
        }
    }

    fn expm1(&self, bits: usize) -> Self {
        match self.exp(bits) {
            Finite(_) => match self {
                Finite(x) if self.magnitude().is_less_than(&Self::new(1.0, bits)) => {
                    Finite(x.exp_m1())
                }
                _ => self.exp(bits).minus(&Self::new(1.0, bits)),
            },
            other => other,
        }
    }

    fn ln(&self) -> Self {
        match (self, self.sign()) {
            (_, Some(0)) => Infinite { negative: true },
            (Finite(x), Some(1)) => Finite(x.ln()),
            (Infinite { .. }, Some(1)) => self.clone(),
            _ => Nan,
        }
    }

    fn is_whole_below(&self, limit: f64) -> bool {
        let narrow = self.to_f64();
        let exact = matches!(self, Finite(x) if Big::try_from(narrow).is_ok_and(|y| y == *x));
        exact && narrow.fract() == 0.0 && narrow.abs() < limit
    }

    /// x^y for x >= 0.
    fn power(&self, y: &Self, bits: usize) -> Self {
        match (self.sign(), y.sign()) {
            (None | Some(-1), _) | (_, None) => Nan,
            (_, Some(0)) => Self::new(1.0, bits),
            (Some(0), Some(sign)) if sign > 0 => self.clone(),
            (Some(0), _) => Infinite { negative: false },
            _ if y.is_whole_below(64.0) => {
                let n = y.magnitude().to_f64() as usize;
                let product = (0..n).fold(Self::new(1.0, bits), |product, _| product.times(self));
                if y.sign() == Some(-1) { Self::new(1.0, bits).over(&product) } else { product }
            }
            _ => y.times(&self.ln()).exp(bits),
        }
    }

    /// ln(1 + x), which is more than ln of a rounded sum.
    fn ln1p(&self, bits: usize) -> Self {
        let one = Self::new(1.0, bits);
        match self {
            Finite(x) if self.magnitude().is_less_than(&one) => Finite(x.ln_1p()),
            _ => self.plus(&one).ln(),
        }
    }
}

fn unary(function: Unary, x: &Precise, bits: usize) -> Precise {
    let one = Precise::new(1.0, bits);
    match function {
        Unary::Negate => x.negated(),
        // A row of one class; of more, the sum is written out.
        Unary::Total => x.clone(),
        Unary::Abs => x.magnitude(),
        Unary::Sign => x.sign().map_or(Nan, |sign| Precise::new(f64::from(sign), bits)),
        Unary::Sqrt => match (x, x.sign()) {
            (Finite(root), Some(0 | 1)) => Finite(root.sqrt()),
            (Infinite { negative: false }, _) => x.clone(),
            _ => Nan,
        },
        Unary::Exp => x.exp(bits),
        Unary::Expm1 => x.expm1(bits),
        Unary::Ln => x.ln(),
        Unary::Ln1p => x.ln1p(bits),
        Unary::Tanh => {
            // (e^2x - 1) / (e^2x + 1); with the sign put aside nothing overflows.
            let m = x.magnitude().times_power_of_two(1).negated().expm1(bits);
            let tanh = m.negated().over(&m.plus(&one).plus(&one));
            if x.sign() == Some(-1) { tanh.negated() } else { tanh }
        }
        Unary::Sigmoid => one.over(&x.negated().exp(bits).plus(&one)),
        Unary::Softplus => match x.exp(bits) {
            // e^x is beyond all bounds, and 1 beside it nothing.
            Infinite { .. } => x.clone(),
            e => e.ln1p(bits),
        },
        Unary::LnCosh => {
            // cosh x = 1 + 2 sinh²(x/2), so that small x keep their digits; for large ones
            // (e^x + e^-x) / 2 is e^x / 2 up to a factor 1 + e^-2x.
            let x = x.magnitude();
            if x.is_less_than(&one) {
                let m = x.times_power_of_two(-1).expm1(bits);
                let twice_sinh = m.plus(&m.over(&m.plus(&one)));
                twice_sinh.times(&twice_sinh).times_power_of_two(-1).ln1p(bits)
            } else {
                let ln2 = one.plus(&one).ln();
                let tail = x.times_power_of_two(1).negated().exp(bits).ln1p(bits);
                x.minus(&ln2).plus(&tail)
            }
        }
        Unary::Sin | Unary::Cos => match x {
            Finite(x) if function == Unary::Sin => Finite(special::sin(x, bits)),
            Finite(x) => Finite(special::cos(x, bits)),
            _ => Nan,
        },
        Unary::Atan => x.at_ends(bits, |x| special::atan(x, bits), |end| end.to_f64().atan()),
        Unary::Inverse1pSquare => one.over(&x.times(x).plus(&one)),
        Unary::ExpMinusSquare => x.times(x).negated().exp(bits),
        Unary::NormalDensity => x.at_ends(bits, |x| special::normal_density(x, bits), |_| 0.0),
        Unary::NormalCdf => x.at_ends(bits, |x| special::normal_cdf(x, bits), above),
        Unary::Erf => x.at_ends(bits, |x| special::erf(x, bits), |end| 2.0 * above(end) - 1.0),
        Unary::NormalCrps => x.at_ends(bits, |x| special::normal_crps(x, bits), |_| f64::INFINITY),
        Unary::LnGamma | Unary::Digamma | Unary::Trigamma => {
            let order = match function {
                Unary::LnGamma => 0,
                Unary::Digamma => 1,
                _ => 2,
            };
            let at_0 = if order == 1 { f64::NEG_INFINITY } else { f64::INFINITY };
            match x.sign() {
                Some(0) => Precise::new(at_0, bits),
                Some(1) => {
                    let end = if order == 2 { 0.0 } else { f64::INFINITY };
                    x.at_ends(bits, |x| special::ln_gamma(order, x, bits), |_| end)
                }
                _ => Nan,
            }
        }
        Unary::LnBesselI0 => {
            x.at_ends(bits, |x| special::ln_bessel_i0(0, x, bits), |_| f64::INFINITY)
        }
        Unary::BesselRatio => {
            let end = |end: &Precise| 2.0 * above(end) - 1.0;
            x.at_ends(bits, |x| special::ln_bessel_i0(1, x, bits), end)
        }
        Unary::BesselRatioSlope => x.at_ends(bits, |x| special::ln_bessel_i0(2, x, bits), |_| 0.0),
    }
}

/// 0 at minus infinity, 1 at infinity.
fn above(end: &Precise) -> f64 {
    if end.sign() == Some(1) { 1.0 } else { 0.0 }
}

fn binary(function: Binary, x: &Precise, y: &Precise, bits: usize) -> Precise {
    let pick = |first: bool| if first { x.clone() } else { y.clone() };
    match function {
        Binary::Add => x.plus(y),
        Binary::Subtract => x.minus(y),
        Binary::Multiply => x.times(y),
        Binary::Divide => x.over(y),
        Binary::Max | Binary::Min if matches!((x, y), (Nan, _) | (_, Nan)) => Nan,
        Binary::Max => pick(y.is_less_than(x)),
        Binary::Min => pick(x.is_less_than(y)),
        Binary::Xlogy | Binary::Xlog1py if x.is_zero() => Precise::new(0.0, bits),
        Binary::Xlogy => x.times(&y.ln()),
        Binary::Xlog1py => x.times(&y.ln1p(bits)),
        Binary::Power => x.power(y, bits),
    }
}

/// The symbols of the classes of a row: prediction and target.
const ROW: [(&str, &str); 6] =
    [("p0", "y0"), ("p1", "y1"), ("p2", "y2"), ("p3", "y3"), ("p4", "y4"), ("p5", "y5")];

/// The formula of a loss with its parameters, to be evaluated with many digits.
#[derive(Clone, Debug)]
pub struct Definition {
    formula: Formula,
    parameters: Vec<(&'static str, f64)>,
    description: &'static Description,
    /// Whether the prediction and the target are in it as their difference alone.
    of_residual: bool,
    /// Which nodes have a value for each number of a row of any length.
    in_row: Vec<bool>,
    /// Whether anything is squared.
    squares: bool,
    /// Whether it is over a row of a single class.
    is_single: bool,
    /// Bits that exponentials need beside the number that they are added to, at most.
    tail: usize,
}

/// A number that is known to lie between two, which are the same to f64 but at a kink.
#[derive(Clone, Debug)]
pub struct Span {
    /// The lower end.
    pub low: Precise,
    /// The upper end.
    pub high: Precise,
}

/// What a loss is at a point.
#[derive(Clone, Debug)]
pub struct Truth {
    /// The loss.
    pub value: Span,
    /// Its slope.
    pub gradient: Span,
    /// Its second derivative.
    pub second: Span,
}

impl Span {
    /// The smallest span that has all these numbers; NaN if one is.
    #[must_use]
    pub fn of(numbers: impl IntoIterator<Item = Precise>) -> Self {
        let spans = numbers.into_iter().map(|x| Self { low: x.clone(), high: x });
        spans.reduce(Self::joined).unwrap_or(Self { low: Nan, high: Nan })
    }

    /// The smallest span that has both.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        let pick = |a: Precise, b: Precise, lower: bool| match (&a, &b) {
            (Nan, _) | (_, Nan) => Nan,
            _ if a.is_less_than(&b) == lower => a,
            _ => b,
        };
        Self { low: pick(self.low, other.low, true), high: pick(self.high, other.high, false) }
    }

    /// The largest magnitude of its numbers.
    #[must_use]
    pub fn magnitude(&self) -> Precise {
        let (low, high) = (self.low.magnitude(), self.high.magnitude());
        if low.is_less_than(&high) { high } else { low }
    }

    /// Whether no number is known.
    #[must_use]
    pub fn is_nan(&self) -> bool {
        matches!((&self.low, &self.high), (Nan, _) | (_, Nan))
    }
}

impl Truth {
    /// The loss (0), its slope (1) or second derivative (2).
    #[must_use]
    pub fn order(&self, order: usize) -> &Span {
        [&self.value, &self.gradient, &self.second][order]
    }

    /// What has both.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        Self {
            value: self.value.joined(other.value),
            gradient: self.gradient.joined(other.gradient),
            second: self.second.joined(other.second),
        }
    }
}

#[derive(Clone)]
enum Slot {
    Number(Precise),
    Truth(bool),
}

/// One evaluation: values are computed where they are needed, and once.
struct Evaluation<'a> {
    definition: &'a Definition,
    prediction: &'a [Precise],
    target: &'a [Precise],
    bits: usize,
    /// For each node and class.
    known: Vec<Option<Slot>>,
}

impl Evaluation<'_> {
    fn slot(&mut self, at: usize, class: usize) -> Slot {
        // What does not differ between the classes is kept for the first of them.
        let class = if self.definition.in_row[at] { class } else { 0 };
        let place = at * self.prediction.len() + class;
        if let Some(slot) = &self.known[place] {
            return slot.clone();
        }
        let slot = self.compute(at, class);
        self.known[place] = Some(slot.clone());
        slot
    }

    fn number(&mut self, at: usize, class: usize) -> Precise {
        match self.slot(at, class) {
            Slot::Number(x) => x,
            Slot::Truth(truth) => Precise::new(f64::from(u8::from(truth)), self.bits),
        }
    }

    fn truth(&mut self, at: usize, class: usize) -> bool {
        match self.slot(at, class) {
            Slot::Number(x) => !x.is_zero(),
            Slot::Truth(truth) => truth,
        }
    }

    fn compute(&mut self, at: usize, class: usize) -> Slot {
        let bits = self.bits;
        match self.definition.formula.nodes[at] {
            Node::Constant(x) => Slot::Number(Precise::new(f64::from_bits(x), bits)),
            Node::Symbol(name) => Slot::Number(match name {
                name if self.definition.parameters.iter().any(|(known, _)| *known == name) => {
                    Precise::new(self.definition.parameter(name), bits)
                }
                "p" | "p_k" => self.prediction[class].clone(),
                "y" => self.target[0].clone(),
                "k" => Precise::new(class as f64, bits),
                "pi" => Finite(special::pi(bits)),
                "K" => Precise::new(self.prediction.len() as f64, bits),
                name => match ROW.iter().position(|(p, y)| *p == name || *y == name) {
                    Some(class) if ROW[class].0 == name => self.prediction[class].clone(),
                    Some(class) => self.target[class].clone(),
                    None => match self.definition.component(name) {
                        Some(place) => self.prediction[place].clone(),
                        None => Precise::new(self.definition.parameter(name), bits),
                    },
                },
            }),
            // Of a row that has a symbol for each number the terms are written out.
            Node::Unary(Unary::Total, x) if self.definition.in_row[x] => {
                let mut total = Precise::new(0.0, bits);
                for class in 0..self.prediction.len() {
                    total = total.plus(&self.number(x, class));
                }
                Slot::Number(total)
            }
            Node::Unary(Unary::Total, x) => self.slot(x, class),
            Node::Unary(function, x) => Slot::Number(unary(function, &self.number(x, class), bits)),
            Node::Binary(function, x, y) => {
                let (x, y) = (self.number(x, class), self.number(y, class));
                Slot::Number(binary(function, &x, &y, bits))
            }
            Node::Compare(comparison, x, y) => {
                let (x, y) = (self.number(x, class), self.number(y, class));
                Slot::Truth(match comparison {
                    Comparison::Less => x.is_less_than(&y),
                    Comparison::AtMost => x.is_less_than(&y) || x.is_equal_to(&y),
                    Comparison::Equal => x.is_equal_to(&y),
                })
            }
            Node::And(a, b) => Slot::Truth(self.truth(a, class) && self.truth(b, class)),
            Node::Or(a, b) => Slot::Truth(self.truth(a, class) || self.truth(b, class)),
            Node::Not(a) => Slot::Truth(!self.truth(a, class)),
            Node::Select(condition, a, b) => {
                let chosen = if self.truth(condition, class) { a } else { b };
                self.slot(chosen, class)
            }
        }
    }
}

impl Evaluation<'_> {
    /// The sum of the magnitudes of the terms that a number is made of, multiplied out. Where terms
    /// cancel, what is left cannot have more digits than they have. A difference of two inputs is no
    /// such sum: it is rounded once.
    fn terms(&mut self, at: usize, class: usize) -> Precise {
        let nodes = &self.definition.formula.nodes;
        let is_input = |at: usize| matches!(nodes[at], Node::Symbol(_) | Node::Constant(_));
        match nodes[at] {
            Node::Unary(Unary::Negate, x) => self.terms(x, class),
            // Of a row that has a symbol for each number the terms are written out.
            Node::Unary(Unary::Total, x) if self.definition.in_row[x] => {
                let classes = 0..self.prediction.len();
                let zero = Precise::new(0.0, self.bits);
                classes.fold(zero, |total, class| total.plus(&self.terms(x, class)))
            }
            Node::Binary(Binary::Add | Binary::Subtract, x, y) if !(is_input(x) && is_input(y)) => {
                self.terms(x, class).plus(&self.terms(y, class))
            }
            Node::Binary(Binary::Multiply, x, y) => {
                self.terms(x, class).times(&self.terms(y, class))
            }
            Node::Binary(Binary::Divide, x, y) => {
                self.terms(x, class).over(&self.number(y, class).magnitude())
            }
            Node::Select(condition, a, b) => {
                let chosen = if self.truth(condition, class) { a } else { b };
                self.terms(chosen, class)
            }
            _ => self.number(at, class).magnitude(),
        }
    }
}

impl Definition {
    /// The definition of a loss over rows of so many classes, 1 for a pointwise loss, for results of
    /// this precision.
    ///
    /// # Panics
    /// If there are more classes than symbols.
    #[must_use]
    pub fn new(loss: &Loss, classes: usize, precision: Precision) -> Self {
        let description = loss.description();
        let is_single = loss.has_class_axis() && classes == 1;
        let formula = loss.class_kernels().map_or_else(
            || loss.formula(),
            |kernels| {
                Formula::trace(|| {
                    let row = &ROW[..classes];
                    let prediction: Vec<_> = row.iter().map(|(p, _)| Expr::symbol(p)).collect();
                    let target: Vec<_> = row.iter().map(|(_, y)| Expr::symbol(y)).collect();
                    [kernels.expression(&prediction, &target)]
                })
            },
        );
        Self::with(formula, description, is_single, precision)
    }

    /// The same question about another formula of the same symbols.
    #[must_use]
    pub fn with_formula(&self, formula: Formula) -> Self {
        Self::with(formula, self.description, false, Precision::Double)
    }

    /// A formula of `p` and `y` alone.
    #[must_use]
    pub fn of(formula: &Formula) -> Self {
        static ANY: Description = Description::own("formula", "A formula.");
        Self::with(formula.clone(), &ANY, false, Precision::Double)
    }

    fn with(
        formula: Formula,
        description: &'static Description,
        is_single: bool,
        precision: Precision,
    ) -> Self {
        // π is computed in as many digits as are needed.
        let parameters = formula.parameters.iter().copied().filter(|(name, _)| *name != "pi");
        let parameters: Vec<_> = parameters.collect();
        let mut in_row: Vec<bool> = Vec::new();
        let mut transcendental = false;
        for node in &formula.nodes {
            let any = |places: &[usize]| places.iter().any(|&at| in_row[at]);
            let of_class = match *node {
                Node::Constant(_) | Node::Unary(Unary::Total, _) => false,
                Node::Symbol(name) => ["p_k", "k"].contains(&name),
                Node::Unary(function, x) => {
                    let rational = matches!(function, Unary::Negate | Unary::Abs | Unary::Sign);
                    transcendental |= !rational;
                    any(&[x])
                }
                Node::Binary(function, x, y) => {
                    let rational = matches!(
                        function,
                        Binary::Add
                            | Binary::Subtract
                            | Binary::Multiply
                            | Binary::Divide
                            | Binary::Max
                            | Binary::Min
                    );
                    transcendental |= !rational;
                    any(&[x, y])
                }
                Node::Compare(_, x, y) | Node::And(x, y) | Node::Or(x, y) => any(&[x, y]),
                Node::Not(x) => any(&[x]),
                Node::Select(x, y, z) => any(&[x, y, z]),
            };
            in_row.push(of_class);
        }
        // Below the smallest number of the precision it does not matter what they are.
        let tail = if transcendental { 100 - exponent(precision.smallest()) } else { 0 };
        let tail = tail as usize;
        let is_residual = |node: &Node| {
            let is = |at: usize, name| formula.nodes[at] == Node::Symbol(name);
            matches!(*node, Node::Binary(Binary::Subtract, x, y) if is(x, "p") && is(y, "y"))
        };
        let uses_input = |node: &Node| {
            let is_input =
                |at: &usize| matches!(formula.nodes[*at], Node::Symbol("p" | "y" | "p_c" | "y_c"));
            node.operands().iter().any(is_input)
        };
        let of_residual = formula.nodes.iter().all(|node| is_residual(node) || !uses_input(node));
        let is_square =
            |node: &Node| matches!(node, Node::Binary(Binary::Multiply, x, y) if x == y);
        let squares = formula.nodes.iter().any(is_square);
        Self { formula, parameters, description, of_residual, in_row, squares, is_single, tail }
    }

    /// The place of a component in the prediction.
    fn component(&self, name: &str) -> Option<usize> {
        self.description.components.iter().position(|component| component.name == name)
    }

    fn parameter(&self, name: &str) -> f64 {
        let found = self.parameters.iter().find(|(known, _)| *known == name);
        found.unwrap_or_else(|| panic!("the formula has a symbol {name} without a value")).1
    }

    /// Whether the loss depends on the residual, prediction - target, alone.
    #[must_use]
    pub fn is_of_residual(&self) -> bool {
        self.of_residual
    }

    /// Whether whole turns of an angle make no difference to the loss.
    #[must_use]
    pub fn is_of_angle(&self) -> bool {
        let is_wave = |node: &Node| matches!(node, Node::Unary(Unary::Sin | Unary::Cos, _));
        self.formula.nodes.iter().any(is_wave)
    }

    /// The loss (order 0), or what the library derived from it: the gradient (1) and second derivative
    /// (2) by one of the predicted numbers, but not for losses over a class axis.
    #[must_use]
    pub fn result(&self, order: usize, prediction: &[f64], target: &[f64], by: usize) -> Precise {
        let result = self.place(order, by);
        self.exactly(prediction, target, |evaluation| evaluation.number(result, by))
    }

    /// The sum of the magnitudes of the terms that such a result is made of.
    #[must_use]
    pub fn terms(&self, order: usize, prediction: &[f64], target: &[f64], by: usize) -> Precise {
        let result = self.place(order, by);
        self.exactly(prediction, target, |evaluation| evaluation.terms(result, by))
    }

    /// The loss, and by each of the predicted numbers what the library derived from it: the gradient and
    /// the second derivative, if the formula has them; in as many digits as it takes to tell whether
    /// arithmetic in f64 is right for inputs from 1e-20 to 1e20, far fewer than differences take.
    #[must_use]
    pub fn results(&self, prediction: &[f64], target: &[f64]) -> [Vec<Precise>; 3] {
        const BITS: usize = 400;
        let reach: f64 = self.inputs(prediction, target).map(f64::abs).sum();
        let bits = BITS + self.tail.min((6.0 * reach) as usize);
        let exact = |row: &[f64]| row.iter().map(|&x| Precise::new(x, bits)).collect::<Vec<_>>();
        let (prediction, target) = (exact(prediction), exact(target));
        let mut evaluation = self.evaluation(&prediction, &target, bits);
        [0, 1, 2].map(|order| {
            let width = match order {
                0 => 1,
                _ if self.formula.results.len() == 1 => 0,
                _ => prediction.len(),
            };
            (0..width).map(|by| evaluation.number(self.place(order, by), by)).collect()
        })
    }

    /// The node of a result.
    fn place(&self, order: usize, by: usize) -> usize {
        let components = self.description.components.len();
        let which = match order {
            0 => 0,
            _ if components == 0 => order,
            _ => 1 + (order - 1) * components + by,
        };
        self.formula.results[which]
    }

    fn exactly(
        &self,
        prediction: &[f64],
        target: &[f64],
        evaluate: impl FnOnce(&mut Evaluation<'_>) -> Precise,
    ) -> Precise {
        let bits = self.bits(prediction, target);
        let exact = |row: &[f64]| row.iter().map(|&x| Precise::new(x, bits)).collect::<Vec<_>>();
        evaluate(&mut self.evaluation(&exact(prediction), &exact(target), bits))
    }

    fn evaluation<'a>(
        &'a self,
        prediction: &'a [Precise],
        target: &'a [Precise],
        bits: usize,
    ) -> Evaluation<'a> {
        let known = vec![None; self.formula.nodes.len() * prediction.len()];
        Evaluation { definition: self, prediction, target, bits, known }
    }

    /// The loss.
    fn evaluate(&self, prediction: &[Precise], target: &[Precise], bits: usize) -> Precise {
        self.evaluation(prediction, target, bits).number(self.formula.results[0], 0)
    }

    fn inputs<'a>(
        &'a self,
        prediction: &'a [f64],
        target: &'a [f64],
    ) -> impl Iterator<Item = f64> + 'a {
        let parameters = self.parameters.iter().map(|(_, value)| *value);
        prediction.iter().chain(target).copied().chain(parameters).filter(|x| *x != 0.0)
    }

    /// The step of the differences, as a power of two: far below the distance of any two inputs.
    fn step(&self, prediction: &[f64], target: &[f64]) -> isize {
        STEP + self.inputs(prediction, target).map(exponent).fold(0, isize::min)
    }

    /// So many bits that second differences keep about a hundred of them.
    fn bits(&self, prediction: &[f64], target: &[f64]) -> usize {
        let largest = self.inputs(prediction, target).map(exponent).fold(0, isize::max);
        let span = largest - self.step(prediction, target);
        // Far out, exponentials are tiny beside the number that they are added to.
        let reach: f64 = self.inputs(prediction, target).map(f64::abs).sum();
        // And farther where a small parameter divides.
        let smallest = self.parameters.iter().map(|(_, value)| value.abs());
        let reach = smallest.filter(|x| *x > 0.0).fold(reach, |reach, x| reach.max(reach / x));
        // Over a single class everything cancels, and what is left must be nothing.
        // The exponential of a square is tiny sooner.
        let tail = if self.is_single || self.squares {
            self.tail
        } else {
            self.tail.min((6.0 * reach) as usize)
        };
        // Beside 0 a second derivative may be as small as the input.
        let small = STEP - self.step(prediction, target);
        256 + (2 * span + small) as usize + tail
    }

    /// The matrix of second derivatives of a smooth loss times a vector.
    #[must_use]
    pub fn product(&self, prediction: &[f64], target: &[f64], vector: &[f64]) -> Vec<Precise> {
        let bits = self.bits(prediction, target);
        let exact = |row: &[f64]| row.iter().map(|&x| Precise::new(x, bits)).collect::<Vec<_>>();
        let (at, target_exact, vector) = (exact(prediction), exact(target), exact(vector));
        let step = self.step(prediction, target);
        let h = Precise::new(1.0, bits).times_power_of_two(step);
        let value = |by: usize, along: f64, across: f64| {
            let along = h.times(&Precise::new(along, bits));
            let shifted = at.iter().zip(&vector).map(|(p, v)| p.plus(&along.times(v)));
            let mut shifted: Vec<_> = shifted.collect();
            shifted[by] = shifted[by].plus(&h.times(&Precise::new(across, bits)));
            self.evaluate(&shifted, &target_exact, bits)
        };
        let mixed = |by| {
            let ahead = value(by, 1.0, 1.0).minus(&value(by, 1.0, -1.0));
            let behind = value(by, -1.0, 1.0).minus(&value(by, -1.0, -1.0));
            ahead.minus(&behind).times_power_of_two(-2 * step - 2)
        };
        (0..at.len()).map(mixed).collect()
    }

    /// The loss and its derivatives by one of the predictions, the only one of a pointwise loss.
    ///
    /// A derivative lies between its quotients on the left and on the right: those of a curve agree
    /// to the last digit, and where they do not there is a kink.
    #[must_use]
    pub fn truth(&self, prediction: &[f64], target: &[f64], by: usize) -> Truth {
        self.truth_by_steps(prediction, target, by, 0)
    }

    /// Whether a derivative (order 1 or 2) is infinite or 0 as `found` is, though no quotient says
    /// so: whether quotients grow beyond all bounds, or vanish, as their step shrinks.
    #[must_use]
    pub fn tends_to(
        &self,
        found: f64,
        order: usize,
        prediction: &[f64],
        target: &[f64],
        by: usize,
    ) -> bool {
        if found != 0.0 && !found.is_infinite() {
            return false;
        }
        let coarse = self.truth_by_steps(prediction, target, by, 0);
        let fine = self.truth_by_steps(prediction, target, by, STEP);
        let (coarse, fine) = (coarse.order(order), fine.order(order));
        // Even a logarithm doubles.
        let grows = |a: &Span, b: &Span| {
            let more = a.magnitude().plus(&a.magnitude().times_power_of_two(-1));
            more.is_less_than(&b.magnitude())
        };
        let same_sign = fine.low.to_f64().signum() == found.signum();
        if found == 0.0 { grows(fine, coarse) } else { grows(coarse, fine) && same_sign }
    }

    fn truth_by_steps(&self, prediction: &[f64], target: &[f64], by: usize, finer: isize) -> Truth {
        // More than a second quotient loses, so that rounding vanishes with the step, too.
        let bits = self.bits(prediction, target) + 3 * finer.unsigned_abs();
        let exact = |row: &[f64]| row.iter().map(|&x| Precise::new(x, bits)).collect::<Vec<_>>();
        let (at, target_exact) = (exact(prediction), exact(target));
        let value = self.evaluate(&at, &target_exact, bits);
        let (can_fall, can_rise) = match self.description.prediction_domain(by) {
            Domain::Unit | Domain::OpenUnit => (prediction[by] > 0.0, prediction[by] < 1.0),
            Domain::NonNegative | Domain::Positive => (prediction[by] > 0.0, true),
            Domain::Real | Domain::Sign | Domain::LogProbability => (true, true),
        };
        let step = self.step(prediction, target) + finer;
        let h = Precise::new(1.0, bits).times_power_of_two(step);
        let moved = |steps: f64| {
            let mut moved = at.clone();
            moved[by] = at[by].plus(&h.times(&Precise::new(steps, bits)));
            self.evaluate(&moved, &target_exact, bits)
        };
        let slope = |a: &Precise, b: &Precise| b.minus(a).times_power_of_two(-step);
        let bend = |a: &Precise, b: &Precise, c: &Precise| {
            a.minus(b).minus(&b.minus(c)).times_power_of_two(-2 * step)
        };
        // Beside a jump the quotients over the jump are beyond all bounds; the slope is that beside it.
        let is_jump = |at: &Precise, near: &Precise, far: &Precise| {
            near.is_equal_to(far) && !at.is_equal_to(near)
        };
        let flat = || (vec![Precise::new(0.0, bits)], vec![Precise::new(0.0, bits)]);
        // What a derivative is beyond the last two quotients; it lies between that and the last.
        let beyond = |last: &Precise, before: &Precise| match last.plus(&last.minus(before)) {
            Nan => last.clone(),
            beyond => beyond,
        };
        let is_end = !(can_fall && can_rise);
        let side = |h: f64| {
            let (near, far) = (moved(h), moved(2.0 * h));
            if is_jump(&value, &near, &far) {
                return flat();
            }
            let slope = |from: &Precise, to: &Precise| {
                if h < 0.0 { slope(to, from) } else { slope(from, to) }
            };
            let (first, second) = (slope(&value, &near), bend(&value, &near, &far));
            let (mut slopes, mut bends) = (vec![first.clone()], vec![second.clone()]);
            if is_end {
                slopes.push(beyond(&first, &slope(&near, &far)));
                // The first is centred on the step beside the point, the next on that after it.
                let back = beyond(&second, &bend(&near, &far, &moved(3.0 * h)));
                bends.push(beyond(&back, &second));
            }
            (slopes, bends)
        };
        let left = can_fall.then(|| side(-1.0));
        let right = can_rise.then(|| side(1.0));
        let (slopes, bends): (Vec<_>, Vec<_>) = left.into_iter().chain(right).unzip();
        let (slopes, bends) = (slopes.concat(), bends.concat());
        Truth { gradient: Span::of(slopes), second: Span::of(bends), value: Span::of([value]) }
    }
}

/// The exponent of a finite number that is not 0.
fn exponent(x: f64) -> isize {
    let x = x.abs();
    let normal = |x: f64| (x.to_bits() >> 52) as isize - 1023;
    if x < f64::MIN_POSITIVE { normal(x * 2f64.powi(64)) - 64 } else { normal(x) }
}
