//! A formula set as mathematics is: what goes above and below strokes, in which order, in parentheses or
//! not. How a language writes that is its [`Markup`].

use super::math::{Math, Product, Relation};
use super::{Binding, Written};
use crate::number::Formula;
use std::marker::PhantomData;

/// The functions whose powers are written as in sin² x.
const POWERS_AT_NAME: [&str; 5] = ["ln", "tanh", "cosh", "sin", "cos"];

const GREEK: [(&str, char); 23] = [
    ("alpha", 'α'),
    ("beta", 'β'),
    ("gamma", 'γ'),
    ("delta", 'δ'),
    ("epsilon", 'ε'),
    ("zeta", 'ζ'),
    ("eta", 'η'),
    ("theta", 'θ'),
    ("iota", 'ι'),
    ("kappa", 'κ'),
    ("lambda", 'λ'),
    ("mu", 'μ'),
    ("nu", 'ν'),
    ("xi", 'ξ'),
    ("pi", 'π'),
    ("rho", 'ρ'),
    ("sigma", 'σ'),
    ("tau", 'τ'),
    ("upsilon", 'υ'),
    ("phi", 'φ'),
    ("chi", 'χ'),
    ("psi", 'ψ'),
    ("omega", 'ω'),
];

/// A language in which mathematics is set: how it writes what is made of parts that it has written.
pub(crate) trait Markup: Copy {
    /// A number without a sign.
    fn digits(digits: &str) -> String;
    /// A name, `inf` or `NaN`.
    fn name(name: &str) -> String;
    /// A function by its name in text.
    fn function(name: &str) -> String;
    /// What is between two sides.
    fn infix(operator: Infix) -> &'static str;
    /// A sign in front.
    fn minus() -> &'static str;
    /// The negation of a condition.
    fn not(condition: &str) -> String;
    fn parentheses(inside: &str) -> String;
    fn absolute(inside: &str) -> String;
    fn root(inside: &str) -> String;
    fn subscript(base: &str, index: &str) -> String;
    fn superscript(base: &str, exponent: &str) -> String;
    fn fraction(top: &str, bottom: &str) -> String;
    /// A fraction of two numbers, no higher than a line.
    fn small_fraction(top: &str, bottom: &str) -> String;
    /// A fraction with a stroke, within a line.
    fn stroke(top: &str, bottom: &str) -> String;
    /// What keeps two factors apart.
    fn times(left: &str, right: &str) -> &'static str;
    /// A function of what needs no parentheses.
    fn applied(function: &str, argument: &str) -> String;
    fn call(function: &str, arguments: &[String]) -> String;
    /// A sum or the like over a range.
    fn over(operator: &str, range: Option<&str>) -> String;
    /// Values with their conditions.
    fn cases(rows: &[(String, String)], otherwise: &str) -> String;
    /// The derivative of a ratio of two functions.
    fn derivative_of_ratio(top: &str, bottom: &str) -> String;
    /// Words between formulas.
    fn prose(words: &str) -> String;
    /// Whether a part is higher than a line.
    fn is_tall(text: &str) -> bool;
}

/// What is between two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Infix {
    Plus,
    Minus,
    Times,
    Relation(Relation),
}

impl Formula {
    /// One of the results.
    pub(crate) fn typeset<M: Markup>(&self, result: usize) -> String {
        write::<M>(&Math::of(self, self.results[result]))
    }
}

/// The text of a tree.
pub(super) fn write<M: Markup>(math: &Math) -> String {
    Place::<M>::new(false).inside(math)
}

/// Whether a name is that of one letter, Latin or Greek.
pub(super) fn is_letter(name: &str) -> bool {
    greek(name).is_some() || name.len() == 1 && name.as_bytes()[0].is_ascii_alphabetic()
}

/// The Greek letter of this name.
pub(super) fn greek(name: &str) -> Option<char> {
    GREEK.iter().find(|(known, _)| *known == name).map(|&(_, letter)| letter)
}

/// What comes behind a part with nothing between that would tell where the part ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Before {
    Nothing,
    Term,
    Factor,
}

/// Where a part is written.
#[derive(Clone, Copy)]
struct Place<M> {
    /// In a subscript or superscript, where fractions are written with a stroke.
    script: bool,
    before: Before,
    markup: PhantomData<M>,
}

impl<M: Markup> Place<M> {
    fn new(script: bool) -> Self {
        Self { script, before: Before::Nothing, markup: PhantomData }
    }

    fn alone(self) -> Self {
        Self { before: Before::Nothing, ..self }
    }

    fn before(self, before: Before) -> Self {
        Self { before, ..self }
    }

    fn script() -> Self {
        Self::new(true)
    }

    /// In a place where it has an end of its own.
    fn inside(self, math: &Math) -> String {
        self.alone().write(math).text
    }

    fn write(self, math: &Math) -> Written {
        match math {
            Math::Number(value) => self.number(*value),
            Math::Name(name) => Written::new(M::name(name), Binding::Atom),
            Math::Subscript(base, index) => {
                let base = self.alone().write(base).above(Binding::Power, M::parentheses);
                let index = Self::script().inside(index);
                Written::new(M::subscript(&base, &index), Binding::Atom)
            }
            Math::Sum(terms) => self.sum(terms),
            Math::Product(product) => self.product(product),
            Math::Power(base, exponent) => self.power(base, exponent),
            Math::Call(function, arguments) => self.call(function, arguments),
            Math::Over(operator, range, body) => self.over(operator, range.as_deref(), body),
            Math::Relation(relation, x, y) => {
                let binding = match relation {
                    Relation::Or | Relation::SuchThat => Binding::Or,
                    Relation::And => Binding::And,
                    _ => Binding::Compare,
                };
                let operator = M::infix(Infix::Relation(*relation));
                let left = self.before(Before::Term).write(x).within(binding, M::parentheses);
                let right = self.write(y).within(binding, M::parentheses);
                Written::new(format!("{left}{operator}{right}"), binding)
            }
            Math::Not(condition) => {
                let condition = self.alone().write(condition).above(Binding::Sign, M::parentheses);
                Written::new(M::not(&condition), Binding::Sign)
            }
            Math::Cases(rows, otherwise) => {
                let place = Self::new(false);
                let row = |(value, condition): &(Math, Math)| {
                    (place.inside(value), place.inside(condition))
                };
                let rows: Vec<(String, String)> = rows.iter().map(row).collect();
                let text = M::cases(&rows, &place.inside(otherwise));
                self.open(text, Before::Nothing)
            }
        }
    }

    /// What has no end of its own, in parentheses if more follows than it may have behind it.
    fn open(self, text: String, allowed: Before) -> Written {
        if self.before > allowed {
            Written::new(M::parentheses(&text), Binding::Atom)
        } else {
            Written::new(text, Binding::Product)
        }
    }

    fn number(self, value: f64) -> Written {
        let size = value.abs();
        let (text, binding) = if value.is_nan() {
            (M::name("NaN"), Binding::Atom)
        } else if value.is_infinite() {
            (M::name("inf"), Binding::Atom)
        } else if size * 8.0 % 1.0 == 0.0 && size % 1.0 != 0.0 && size <= 8.0 {
            let mut bottom = 2.0;
            while size * bottom % 1.0 != 0.0 {
                bottom *= 2.0;
            }
            (self.small_fraction(size * bottom, bottom), Binding::Product)
        } else if size != 0.0 && !(1e-4..1e7).contains(&size) {
            let text = format!("{size:e}");
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let exponent = Self::script().number(exponent.parse().unwrap_or(0.0)).text;
            let power = M::superscript(&M::digits("10"), &exponent);
            if digits == "1" {
                (power, Binding::Power)
            } else {
                let times = M::infix(Infix::Times);
                (format!("{}{times}{power}", M::digits(digits)), Binding::Product)
            }
        } else {
            (M::digits(&format!("{size}")), Binding::Atom)
        };
        if value < 0.0 {
            Written::new(format!("{}{text}", M::minus()), Binding::Sign)
        } else {
            Written::new(text, binding)
        }
    }

    fn small_fraction(self, top: f64, bottom: f64) -> String {
        let [top, bottom] = [top, bottom].map(|number| self.number(number).text);
        if self.script { M::stroke(&top, &bottom) } else { M::small_fraction(&top, &bottom) }
    }

    /// Terms with a plus come before those with a minus only where the first one would be negative;
    /// cases come last.
    fn sum(self, terms: &[Math]) -> Written {
        let (mut ordered, cases): (Vec<&Math>, Vec<&Math>) =
            terms.iter().partition(|term| !ends_in_cases(term));
        ordered.extend(cases);
        let positive = ordered.iter().position(|x| !x.is_negative() && !ends_in_cases(x));
        if let Some(at) = positive
            && ordered[0].is_negative()
        {
            let term = ordered.remove(at);
            ordered.insert(0, term);
        }
        let mut text = String::new();
        for (at, term) in ordered.iter().enumerate() {
            let before = if at + 1 == ordered.len() { self.before } else { Before::Term };
            let negated;
            let (sign, term) = if term.is_negative() {
                negated = (*term).clone().negated();
                (if at == 0 { M::minus() } else { M::infix(Infix::Minus) }, &negated)
            } else {
                (if at == 0 { "" } else { M::infix(Infix::Plus) }, *term)
            };
            text += sign;
            text += &self.before(before).write(term).within(Binding::Product, M::parentheses);
        }
        Written::new(text, Binding::Sum)
    }

    fn product(self, product: &Product) -> Written {
        let (sign, top) =
            if product.top < 0.0 { (M::minus(), -product.top) } else { ("", product.top) };
        let mut above: Vec<(&Math, i32)> = Vec::new();
        let mut below: Vec<(&Math, i32)> = Vec::new();
        for (factor, exponent) in &product.factors {
            if *exponent > 0 {
                above.push((factor, *exponent));
            } else {
                below.push((factor, exponent.saturating_neg()));
            }
        }
        above.sort_by_key(|(factor, _)| rank(factor));
        below.sort_by_key(|(factor, _)| rank(factor));
        let written = if below.is_empty() && !(self.script && product.bottom != 1.0) {
            let coefficient = if product.bottom != 1.0 {
                let fraction = self.small_fraction(top, product.bottom);
                Some(Written::new(fraction, Binding::Product))
            } else if top != 1.0 || above.is_empty() {
                Some(self.number(top))
            } else {
                None
            };
            self.factors(coefficient, &above)
        } else {
            let coefficient =
                |number: f64, empty| (number != 1.0 || empty).then(|| self.number(number));
            let behind = if self.script {
                above.len()
            } else {
                above.iter().position(|(factor, _)| is_block(factor)).unwrap_or(above.len())
            };
            let (above, blocks) = above.split_at(behind);
            let (top, bottom) =
                (coefficient(top, above.is_empty()), coefficient(product.bottom, false));
            if self.script {
                let above = self
                    .before(Before::Factor)
                    .factors(top, above)
                    .within(Binding::Product, M::parentheses);
                let below =
                    self.alone().factors(bottom, &below).above(Binding::Product, M::parentheses);
                Written::new(M::stroke(&above, &below), Binding::Product)
            } else {
                let above = self.alone().factors(top, above).text;
                let below = self.alone().factors(bottom, &below).text;
                let fraction = Written::new(M::fraction(&above, &below), Binding::Product);
                self.factors(Some(fraction), blocks)
            }
        };
        if sign.is_empty() {
            written
        } else {
            let text = written.within(Binding::Product, M::parentheses);
            Written::new(format!("{sign}{text}"), Binding::Sign)
        }
    }

    /// Factors side by side.
    fn factors(self, coefficient: Option<Written>, factors: &[(&Math, i32)]) -> Written {
        let power = |place: Self, (factor, exponent): (&Math, i32)| match exponent {
            1 => place.write(factor),
            _ => place.power(factor, &Math::Number(f64::from(exponent))),
        };
        if let (None, [only]) = (&coefficient, factors) {
            return power(self, *only);
        }
        let mut text = match coefficient {
            Some(alone) if factors.is_empty() => return alone,
            Some(coefficient) => coefficient.text,
            None => String::new(),
        };
        let mut last = text.clone();
        for (at, factor) in factors.iter().enumerate() {
            let is_enclosed = matches!(factor, (Math::Sum(_), _));
            let before = match at + 1 == factors.len() {
                _ if is_enclosed => Before::Nothing,
                true => self.before,
                false => Before::Factor,
            };
            let next = power(self.before(before), *factor).within(Binding::Product, M::parentheses);
            if !text.is_empty() {
                text += M::times(&last, &next);
            }
            text += &next;
            last = next;
        }
        Written::new(text, Binding::Product)
    }

    fn power(self, base: &Math, exponent: &Math) -> Written {
        let script = Self::script().inside(exponent);
        if let (Math::Call(function, arguments), Math::Number(n)) = (base, exponent)
            && let [x] = &arguments[..]
            && POWERS_AT_NAME.contains(&&**function)
            && *n > 1.0
        {
            let function = M::superscript(&M::function(function), &script);
            return Written::new(M::call(&function, &[self.inside(x)]), Binding::Power);
        }
        let base =
            self.alone().before(Before::Factor).write(base).above(Binding::Power, M::parentheses);
        Written::new(M::superscript(&base, &script), Binding::Power)
    }

    fn call(self, function: &str, arguments: &[Math]) -> Written {
        match (function, arguments) {
            ("abs", [x]) => Written::new(M::absolute(&self.inside(x)), Binding::Atom),
            ("sqrt", [x]) => Written::new(M::root(&self.inside(x)), Binding::Atom),
            ("exp", [x]) => {
                let text = self.inside(x);
                if M::is_tall(&text) || self.script {
                    return Written::new(M::call(&M::function("exp"), &[text]), Binding::Atom);
                }
                let script = Self::script().inside(x);
                Written::new(M::superscript(&M::name("e"), &script), Binding::Power)
            }
            ("ln", [x]) if self.before < Before::Factor && is_bare(x) => {
                let text = M::applied(&M::function("ln"), &self.write(x).text);
                Written::new(text, Binding::Product)
            }
            ("bessel_ratio_slope", [x]) => {
                let slope =
                    M::derivative_of_ratio(&M::function("bessel_i1"), &M::function("bessel_i0"));
                Written::new(M::call(&slope, &[self.inside(x)]), Binding::Atom)
            }
            _ => {
                let arguments: Vec<String> = arguments.iter().map(|x| self.inside(x)).collect();
                Written::new(M::call(&M::function(function), &arguments), Binding::Atom)
            }
        }
    }

    fn over(self, operator: &str, range: Option<&Math>, body: &Math) -> Written {
        let range = range.map(|range| Self::script().inside(range));
        let text = M::over(&M::function(operator), range.as_deref());
        if operator == "sum" {
            let body = self.before(self.before.min(Before::Term)).write(body);
            let text = M::applied(&text, &body.within(Binding::Product, M::parentheses));
            self.open(text, Before::Term)
        } else {
            let body = M::parentheses(&self.inside(body));
            Written::new(M::applied(&text, &body), Binding::Atom)
        }
    }
}

/// The order of factors.
fn rank(factor: &Math) -> u8 {
    match factor {
        Math::Number(_) => 0,
        Math::Name(_) | Math::Subscript(..) => 1,
        Math::Power(base, _) => rank(base).max(1),
        Math::Call(function, _) if function == "sqrt" || function == "abs" => 2,
        Math::Call(function, arguments) if function == "ln" && arguments.iter().any(is_bare) => 5,
        Math::Call(..) => 4,
        Math::Over(operator, ..) if operator == "sum" => 6,
        Math::Cases(..) => 7,
        _ => 3,
    }
}

/// Whether a factor goes behind a fraction.
fn is_block(factor: &Math) -> bool {
    rank(factor) >= 6
}

fn ends_in_cases(math: &Math) -> bool {
    match math {
        Math::Cases(..) => true,
        Math::Product(product) => {
            product.factors.iter().any(|(x, exponent)| *exponent == 1 && ends_in_cases(x))
        }
        Math::Over(operator, _, body) => operator == "sum" && ends_in_cases(body),
        _ => false,
    }
}

/// Whether the logarithm of it needs no parentheses.
fn is_bare(math: &Math) -> bool {
    match math {
        Math::Name(_) | Math::Subscript(..) => true,
        Math::Over(operator, ..) => operator == "sum",
        Math::Call(function, _) => function != "exp" && function != "ln",
        _ => false,
    }
}
