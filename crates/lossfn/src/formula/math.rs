//! A formula as a tree in the form in which mathematics is written: sums and products of many terms,
//! numbers and signs in front, fractions. What stands for a definition is that definition.

use crate::number::{Binary, Comparison, Formula, Node, Unary};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Math {
    Number(f64),
    Name(String),
    Subscript(Box<Math>, Box<Math>),
    Sum(Vec<Math>),
    Product(Product),
    Power(Box<Math>, Box<Math>),
    Call(String, Vec<Math>),
    /// The sum or the largest of something over an index.
    Over(String, Option<Box<Math>>, Box<Math>),
    Relation(Relation, Box<Math>, Box<Math>),
    Not(Box<Math>),
    /// Values with their conditions, and the value where none of them holds.
    Cases(Vec<(Math, Math)>, Box<Math>),
}

/// `top / bottom` times powers with integer exponents.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Product {
    pub top: f64,
    pub bottom: f64,
    pub factors: Vec<(Math, i32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Or,
    And,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
    NotEqual,
    In,
    NotIn,
    SuchThat,
}

impl Relation {
    /// The same with the sides exchanged.
    fn flipped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::AtMost => Self::AtLeast,
            Self::Greater => Self::Less,
            Self::AtLeast => Self::AtMost,
            same => same,
        }
    }

    fn opposite(self) -> Option<Self> {
        Some(match self {
            Self::Less => Self::AtLeast,
            Self::AtMost => Self::Greater,
            Self::Greater => Self::AtMost,
            Self::AtLeast => Self::Less,
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::In => Self::NotIn,
            Self::NotIn => Self::In,
            Self::Or | Self::And | Self::SuchThat => return None,
        })
    }
}

fn is_small_integer(value: f64) -> bool {
    value.fract() == 0.0 && value.abs() <= 64.0
}

impl Math {
    /// The tree of a node of a formula.
    pub fn of(formula: &Formula, at: usize) -> Self {
        let of = |at| Self::of(formula, at);
        match formula.nodes[at] {
            Node::Constant(bits) => Self::Number(f64::from_bits(bits)),
            Node::Symbol(name) => Self::symbol(name),
            Node::Unary(Unary::Negate, x) => of(x).negated(),
            Node::Unary(function, x) => Self::call(function.name(), vec![of(x)]),
            Node::Binary(function, x, y) => {
                let (left, right) = (of(x), of(y));
                match function {
                    Binary::Add => Self::sum([left, right]),
                    Binary::Subtract => Self::sum([left, right.negated()]),
                    Binary::Multiply if x == y => left.power(Self::Number(2.0)),
                    Binary::Multiply => left.times(right),
                    Binary::Divide => left.over(right),
                    Binary::Max => Self::call("max", vec![left, right]),
                    Binary::Min => Self::call("min", vec![left, right]),
                    Binary::Xlogy => Self::call("xlogy", vec![left, right]),
                    Binary::Xlog1py => Self::call("xlog1py", vec![left, right]),
                    Binary::Power => left.power(right),
                }
            }
            Node::Compare(comparison, x, y) => {
                let relation = match comparison {
                    Comparison::Less => Relation::Less,
                    Comparison::AtMost => Relation::AtMost,
                    Comparison::Equal => Relation::Equal,
                };
                Self::compared(relation, of(x), of(y))
            }
            Node::And(a, b) => of(a).related(Relation::And, of(b)),
            Node::Or(a, b) => of(a).related(Relation::Or, of(b)),
            Node::Not(a) => match of(a) {
                Self::Relation(relation, x, y) if relation.opposite().is_some() => {
                    Self::Relation(relation.opposite().unwrap_or(relation), x, y)
                }
                condition => Self::Not(Box::new(condition)),
            },
            Node::Select(condition, a, b) => Self::call("where", vec![of(condition), of(a), of(b)]),
        }
    }

    /// A name, whose end is a subscript if it begins with one letter: `p_c`, `gamma_pos`.
    pub fn symbol(name: &str) -> Self {
        let named = |name: &str| Self::Name(name.to_owned());
        match name.split_once('_') {
            Some((base, end)) if super::typeset::is_letter(base) && !end.is_empty() => {
                named(base).subscript(named(end))
            }
            _ => named(name),
        }
    }

    pub fn subscript(self, index: Self) -> Self {
        Self::Subscript(Box::new(self), Box::new(index))
    }

    pub fn related(self, relation: Relation, other: Self) -> Self {
        Self::Relation(relation, Box::new(self), Box::new(other))
    }

    /// A comparison as people put it: a - b < 0 is a < b, and what is compared comes first.
    fn compared(relation: Relation, left: Self, right: Self) -> Self {
        let zero = Self::Number(0.0);
        let (left, right, relation) = match (left.difference(), right.difference()) {
            (Some((a, b)), _) if right == zero => (a, b, relation),
            (_, Some((a, b))) if left == zero => (a, b, relation.flipped()),
            _ => (left, right, relation),
        };
        let constant = matches!(left, Self::Number(_));
        let bare = matches!(left, Self::Name(_)) && !matches!(right, Self::Name(_));
        if (constant || bare) && !matches!(right, Self::Number(_)) {
            right.related(relation.flipped(), left)
        } else {
            left.related(relation, right)
        }
    }

    /// `a` and `b` where this is a - b.
    fn difference(&self) -> Option<(Self, Self)> {
        let Self::Sum(terms) = self else { return None };
        match &terms[..] {
            [a, b] if !a.is_negative() && b.is_negative() => Some((a.clone(), b.clone().negated())),
            [a, b] if a.is_negative() && !b.is_negative() => Some((b.clone(), a.clone().negated())),
            _ => None,
        }
    }

    pub fn is_negative(&self) -> bool {
        match self {
            Self::Number(value) => *value < 0.0,
            Self::Product(product) => product.top < 0.0,
            _ => false,
        }
    }

    pub fn negated(self) -> Self {
        match self {
            Self::Number(value) => Self::Number(-value),
            Self::Sum(terms) => Self::Sum(terms.into_iter().map(Self::negated).collect()),
            other => Self::Number(-1.0).times(other),
        }
    }

    pub fn sum(terms: impl IntoIterator<Item = Self>) -> Self {
        let mut all: Vec<Self> = Vec::new();
        for term in terms {
            let flat = if let Self::Sum(inner) = term { inner } else { vec![term] };
            for term in flat {
                // The first number takes the others, as long as nothing is rounded.
                let earlier = all.iter_mut().find_map(|earlier| match earlier {
                    Self::Number(value) => Some(value),
                    _ => None,
                });
                match (&term, earlier) {
                    (Self::Number(b), Some(a)) if (*a + b) - *a == *b && (*a + b) - b == *a => {
                        *a += b;
                    }
                    _ => all.push(term),
                }
            }
        }
        if all.len() > 1 {
            all.retain(|term| *term != Self::Number(0.0));
        }
        match all.len() {
            0 => Self::Number(0.0),
            1 => all.remove(0),
            _ => Self::Sum(all),
        }
    }

    pub fn times(self, other: Self) -> Self {
        Product::of([(self, 1), (other, 1)])
    }

    pub fn over(self, other: Self) -> Self {
        Product::of([(self, 1), (other, -1)])
    }

    pub fn power(self, exponent: Self) -> Self {
        if let Self::Number(n) = exponent
            && is_small_integer(n)
            && n != 0.0
        {
            return Product::of([(self, n as i32)]);
        }
        Self::Power(Box::new(self), Box::new(exponent))
    }

    /// A function by its name in text.
    pub fn call(name: &str, mut arguments: Vec<Self>) -> Self {
        let call = |name: &str, x: Self| Self::call(name, vec![x]);
        let number = Self::Number;
        if arguments.len() == 1
            && let Some(x) = arguments.pop()
        {
            return match name {
                "sum" => x.total(),
                "expm1" => Self::sum([call("exp", x), number(-1.0)]),
                "ln1p" => call("ln", Self::sum([number(1.0), x])),
                "inverse1p_square" => {
                    number(1.0).over(Self::sum([number(1.0), x.power(number(2.0))]))
                }
                "exp_minus_square" => call("exp", x.power(number(2.0)).negated()),
                "normal_crps" => {
                    let cdf = number(2.0).times(call("normal_cdf", x.clone()));
                    Self::sum([
                        x.clone().times(Self::sum([cdf, number(-1.0)])),
                        number(2.0).times(call("normal_density", x)),
                        number(-1.0).over(call("sqrt", Self::symbol("pi"))),
                    ])
                }
                "ln_cosh" => call("ln", call("cosh", x)),
                "ln_gamma" => call("ln", call("gamma_function", x)),
                "ln_bessel_i0" => call("ln", call("bessel_i0", x)),
                "bessel_ratio" => call("bessel_i1", x.clone()).over(call("bessel_i0", x)),
                _ => Self::Call(name.to_owned(), vec![x]),
            };
        }
        match (name, &mut arguments[..]) {
            ("where", [condition, chosen, otherwise]) => {
                let mut rows = vec![(chosen.clone(), condition.clone())];
                let otherwise = match otherwise {
                    Self::Cases(further, otherwise) => {
                        rows.append(further);
                        otherwise.clone()
                    }
                    other => Box::new(other.clone()),
                };
                Self::Cases(rows, otherwise)
            }
            ("xlogy", [x, y]) => x.clone().times(call("ln", y.clone())),
            ("xlog1py", [x, y]) => x.clone().times(call("ln1p", y.clone())),
            ("max" | "min", [_, _]) => {
                let flat = |x| match x {
                    Self::Call(inner, arguments) if inner == name => arguments,
                    other => vec![other],
                };
                let mut arguments: Vec<Self> = arguments.into_iter().flat_map(flat).collect();
                arguments.sort_by_key(|x| *x != number(0.0));
                Self::Call(name.to_owned(), arguments)
            }
            _ => Self::Call(name.to_owned(), arguments),
        }
    }

    /// The sum over the index that the terms have; sums within get another index.
    fn total(mut self) -> Self {
        let Some(index) = self.index() else { return self.over_index("sum", None) };
        self.rename_bound(&index);
        self.over_index("sum", Some(Self::Name(index)))
    }

    /// The sum over classes where c is a class that is not summed over.
    pub fn summed(mut self) -> Self {
        let index = Self::Name("j".to_owned());
        if let Self::Name(_) = self {
            self = self.subscript(index.clone());
        } else {
            self.rename("c", "j");
        }
        self.over_index("sum", Some(index))
    }

    /// The sum or the like over an index; signs go outside.
    pub fn over_index(self, operator: &str, index: Option<Self>) -> Self {
        if operator == "sum" && self.is_negative() {
            return self.negated().over_index(operator, index).negated();
        }
        Self::Over(operator.to_owned(), index.map(Box::new), Box::new(self))
    }

    fn parts_mut(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Number(_) | Self::Name(_) => vec![],
            Self::Not(x) => vec![x],
            Self::Subscript(x, y) | Self::Power(x, y) | Self::Relation(_, x, y) => vec![x, y],
            Self::Sum(all) | Self::Call(_, all) => all.iter_mut().collect(),
            Self::Product(product) => product.factors.iter_mut().map(|(x, _)| x).collect(),
            Self::Over(_, range, body) => {
                range.iter_mut().chain([body]).map(AsMut::as_mut).collect()
            }
            Self::Cases(rows, otherwise) => {
                let rows = rows.iter_mut().flat_map(|(value, condition)| [value, condition]);
                rows.chain([&mut **otherwise]).collect()
            }
        }
    }

    /// The first subscript of one letter.
    fn index(&mut self) -> Option<String> {
        if let Self::Subscript(_, index) = self
            && let Self::Name(index) = &**index
            && index.len() == 1
        {
            return Some(index.clone());
        }
        self.parts_mut().into_iter().find_map(Self::index)
    }

    fn has_name(&mut self, name: &str) -> bool {
        matches!(self, Self::Name(own) if own == name)
            || self.parts_mut().into_iter().any(|part| part.has_name(name))
    }

    fn rename(&mut self, from: &str, to: &str) {
        if let Self::Name(name) = self
            && name == from
        {
            to.clone_into(name);
        }
        self.parts_mut().into_iter().for_each(|part| part.rename(from, to));
    }

    fn rename_bound(&mut self, index: &str) {
        if matches!(self, Self::Over(_, Some(range), _) if **range == Self::Name(index.to_owned()))
            && let Some(free) = ["j", "i", "l", "n"].into_iter().find(|free| !self.has_name(free))
        {
            self.rename(index, free);
        }
        self.parts_mut().into_iter().for_each(|part| part.rename_bound(index));
    }
}

impl Product {
    fn of(factors: impl IntoIterator<Item = (Math, i32)>) -> Math {
        let mut product = Self { top: 1.0, bottom: 1.0, factors: Vec::new() };
        for (factor, exponent) in factors {
            product.multiply(factor, exponent);
        }
        product.finish()
    }

    fn multiply(&mut self, factor: Math, exponent: i32) {
        match factor {
            Math::Number(value) if exponent.abs() == 1 => self.scale(value, exponent),
            Math::Product(product) if exponent.abs() == 1 => {
                self.scale(product.top, exponent);
                self.scale(product.bottom, -exponent);
                for (factor, inner) in product.factors {
                    self.multiply(factor, inner.saturating_mul(exponent));
                }
            }
            // (1 / x)^2 is 1 / x^2.
            Math::Product(product)
                if product.top == 1.0
                    && product.bottom == 1.0
                    && product.factors.len() == 1
                    && product.factors[0].1.abs() == 1 =>
            {
                for (factor, inner) in product.factors {
                    self.multiply(factor, inner.saturating_mul(exponent));
                }
            }
            Math::Power(base, inner)
                if matches!(*inner, Math::Number(n) if is_small_integer(n))
                    && exponent.abs() <= 64 =>
            {
                let Math::Number(inner) = *inner else { return };
                self.factor(*base, inner as i32 * exponent);
            }
            other => self.factor(other, exponent),
        }
    }

    fn factor(&mut self, base: Math, exponent: i32) {
        // The root is of what is not negative.
        if let Math::Call(function, arguments) = &base
            && function == "sqrt"
            && let [x] = &arguments[..]
        {
            let earlier = self.factors.iter().position(|(other, _)| *other == base);
            let total = earlier.map_or(0, |at| self.factors[at].1).saturating_add(exponent);
            if total % 2 == 0 {
                let x = x.clone();
                if let Some(at) = earlier {
                    self.factors.remove(at);
                }
                if total != 0 {
                    self.multiply(x, total / 2);
                }
                return;
            }
        }
        match self.factors.iter().position(|(other, _)| *other == base) {
            Some(at) => {
                self.factors[at].1 = self.factors[at].1.saturating_add(exponent);
                if self.factors[at].1 == 0 {
                    self.factors.remove(at);
                }
            }
            None => self.factors.push((base, exponent)),
        }
    }

    /// Multiplies by a number or divides by it, if that is exact; else it stays a factor.
    fn scale(&mut self, value: f64, exponent: i32) {
        let eighths = value * 8.0;
        let (mut top, mut bottom): (f64, f64) =
            if value.fract() != 0.0 && eighths.fract() == 0.0 && eighths.abs() <= 64.0 {
                (eighths, 8.0)
            } else {
                (value, 1.0)
            };
        if exponent < 0 {
            (top, bottom) = (bottom.copysign(top), top.abs());
        }
        let exact = |a: f64, b: f64| (a * b).is_finite() && a.mul_add(b, -(a * b)) == 0.0;
        let whole = bottom.fract() == 0.0 && bottom > 0.0 && bottom < 1e15;
        if whole && exact(self.top, top) && exact(self.bottom, bottom) {
            self.top *= top;
            self.bottom *= bottom;
            let mut divisor = (self.top.abs(), self.bottom);
            while self.top.fract() == 0.0 && divisor.1 != 0.0 {
                divisor = (divisor.1, divisor.0 % divisor.1);
            }
            if self.top.fract() == 0.0 && self.top != 0.0 {
                self.top /= divisor.0;
                self.bottom /= divisor.0;
            }
        } else {
            self.top = self.top.copysign(self.top.signum() * value.signum());
            self.factor(Math::Number(value.abs()), exponent);
        }
    }

    fn finish(mut self) -> Math {
        // -(x - 1) y is (1 - x) y.
        if self.top < 0.0
            && let Some(difference) = self.factors.iter_mut().find_map(|(factor, exponent)| {
                let less_number = matches!(factor.difference(), Some((_, Math::Number(_))));
                (*exponent == 1 && less_number).then_some(factor)
            })
        {
            *difference = difference.clone().negated();
            self.top = -self.top;
        }
        let value = self.top / self.bottom;
        if self.factors.is_empty() && value * self.bottom == self.top && value * 8.0 % 1.0 == 0.0 {
            return Math::Number(value);
        }
        if self.top == 1.0 && self.bottom == 1.0 && self.factors.len() == 1 {
            let (base, exponent) = self.factors.remove(0);
            return match exponent {
                1 => base,
                2.. => Math::Power(Box::new(base), Box::new(Math::Number(f64::from(exponent)))),
                _ => Math::Product(Self { factors: vec![(base, exponent)], ..self }),
            };
        }
        Math::Product(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CATALOG;
    use crate::number::Number;

    /// The value of a tree; a row has one class.
    fn value(math: &Math, symbol: &dyn Fn(&str) -> f64) -> f64 {
        let of = |x: &Math| value(x, symbol);
        match math {
            Math::Number(number) => *number,
            Math::Name(name) => symbol(name),
            Math::Subscript(base, index) => match (&**base, &**index) {
                (Math::Name(base), Math::Name(index)) if index.len() > 1 => {
                    symbol(&format!("{base}_{index}"))
                }
                _ => of(base),
            },
            Math::Sum(terms) => terms.iter().map(of).sum(),
            Math::Product(product) => {
                // 0 ln 0 is 0.
                if product.factors.iter().any(|(x, exponent)| *exponent > 0 && of(x) == 0.0) {
                    return 0.0;
                }
                let power = |(x, exponent): &(Math, i32)| of(x).powi(*exponent);
                product.top / product.bottom * product.factors.iter().map(power).product::<f64>()
            }
            Math::Power(base, exponent) => of(base).powf(of(exponent)),
            Math::Call(name, arguments) => {
                let x: Vec<f64> = arguments.iter().map(of).collect();
                match &**name {
                    "max" => x.into_iter().reduce(f64::max).unwrap(),
                    "min" => x.into_iter().reduce(f64::min).unwrap(),
                    "abs" => Number::abs(x[0]),
                    "sign" => Number::sign(x[0]),
                    "sqrt" => x[0].sqrt(),
                    "exp" => x[0].exp(),
                    "ln" => x[0].ln(),
                    "tanh" => x[0].tanh(),
                    "cosh" => x[0].cosh(),
                    "sin" => x[0].sin(),
                    "cos" => x[0].cos(),
                    "atan" => x[0].atan(),
                    "sigmoid" => x[0].sigmoid(),
                    "softplus" => x[0].softplus(),
                    "erf" => Number::erf(x[0]),
                    "normal_density" => x[0].normal_density(),
                    "normal_cdf" => x[0].normal_cdf(),
                    "gamma_function" => Number::ln_gamma(x[0]).exp(),
                    "digamma" => x[0].digamma(),
                    "trigamma" => x[0].trigamma(),
                    "bessel_i0" => x[0].ln_bessel_i0().exp(),
                    "bessel_i1" => x[0].bessel_ratio() * x[0].ln_bessel_i0().exp(),
                    "bessel_ratio_slope" => x[0].bessel_ratio_slope(),
                    other => panic!("what is {other}?"),
                }
            }
            Math::Over(_, _, body) => of(body),
            Math::Relation(relation, x, y) => {
                let (x, y) = (of(x), of(y));
                f64::from(match relation {
                    Relation::Or => x + y > 0.0,
                    Relation::And => x * y > 0.0,
                    Relation::Less => x < y,
                    Relation::AtMost => x <= y,
                    Relation::Greater => x > y,
                    Relation::AtLeast => x >= y,
                    Relation::Equal => x == y,
                    Relation::NotEqual => x != y,
                    Relation::In | Relation::NotIn | Relation::SuchThat => panic!("{math:?}"),
                })
            }
            Math::Not(x) => 1.0 - of(x),
            Math::Cases(rows, otherwise) => {
                let row = rows.iter().find(|(_, condition)| of(condition) == 1.0);
                of(row.map_or(otherwise, |(value, _)| value))
            }
        }
    }

    #[test]
    fn a_tree_has_the_value_of_its_formula() {
        let mut checked = 0;
        for entry in CATALOG {
            let mut formula = entry.with_defaults().formula();
            if entry.description.row_loss.is_some() {
                continue;
            }
            for (p, y) in
                [(0.3, 0.75), (0.8, 1.0), (0.6, 0.0), (2.5, 3.25), (-1.25, 1.0), (1.5, -1.0)]
            {
                let symbol = |name: &str| match name {
                    "p" | "p_c" | "p_k" => p,
                    "y" | "y_c" => y,
                    "pi" => std::f64::consts::PI,
                    "k" => 0.0,
                    // Some number, another for each name.
                    _ => 0.5 + name.bytes().map(f64::from).sum::<f64>() % 97.0 / 60.0,
                };
                for (name, value) in &mut formula.parameters {
                    *value = symbol(name);
                }
                let values = formula.evaluate(|name| Some(symbol(name))).unwrap();
                for (result, expected) in values.into_iter().enumerate() {
                    let tree = Math::of(&formula, formula.results[result]);
                    let found = value(&tree, &symbol);
                    let close = (found - expected).abs() <= 1e-9 * (1.0 + expected.abs());
                    if expected.is_finite() {
                        let id = entry.description.id;
                        assert!(
                            close,
                            "{id} {result}: {found}, not {expected} at {p} {y}: {tree:?}"
                        );
                        checked += 1;
                    }
                }
            }
        }
        assert!(checked > 1000, "{checked}");
    }
}
