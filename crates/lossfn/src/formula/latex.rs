//! A formula as LaTeX, with no more than the package amsmath has; so `MathJax` and `KaTeX` show it.

use super::math::{Math, Product, Relation};
use super::{Binding, Written};
use crate::number::Formula;

/// The functions that have a sign of their own in LaTeX, by their names in text.
const FUNCTIONS: [(&str, &str); 18] = [
    ("ln", r"\ln"),
    ("tanh", r"\tanh"),
    ("cosh", r"\cosh"),
    ("sin", r"\sin"),
    ("cos", r"\cos"),
    ("atan", r"\arctan"),
    ("max", r"\max"),
    ("min", r"\min"),
    ("sum", r"\sum"),
    ("sign", r"\operatorname{sgn}"),
    ("sigmoid", r"\sigma"),
    ("normal_density", r"\varphi"),
    ("normal_cdf", r"\Phi"),
    ("gamma_function", r"\Gamma"),
    ("digamma", r"\psi"),
    ("trigamma", r"\psi'"),
    ("bessel_i0", "I_0"),
    ("bessel_i1", "I_1"),
];

/// The functions whose powers are written as in sin² x.
const POWERS_AT_NAME: [&str; 5] = ["ln", "tanh", "cosh", "sin", "cos"];

const GREEK: [&str; 23] = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
    "lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi",
    "omega",
];

impl Formula {
    /// One of the results as LaTeX, for math mode. It needs the package amsmath, or what `MathJax` and
    /// `KaTeX` have of it.
    ///
    /// It is the formula of [`text`](Self::text) as people write it: with fractions, cases and the
    /// usual signs of functions, factors in the usual order, and what cancels left out.
    ///
    /// ```
    /// use lossfn::Loss;
    ///
    /// let loss: Loss = "half_squared_error".parse()?;
    /// assert_eq!(loss.formula().latex(0), r"\tfrac{1}{2} (p - y)^2");
    /// # Ok::<(), lossfn::Error>(())
    /// ```
    ///
    /// # Panics
    /// If there are not so many results.
    #[must_use]
    pub fn latex(&self, result: usize) -> String {
        write(&Math::of(self, self.results[result]))
    }
}

/// The LaTeX of a tree.
pub(super) fn write(math: &Math) -> String {
    Place { script: false, before: Before::Nothing }.write(math).text
}

/// Whether a name is that of one letter, Latin or Greek.
pub(super) fn is_letter(name: &str) -> bool {
    GREEK.contains(&name) || name.len() == 1 && name.as_bytes()[0].is_ascii_alphabetic()
}

/// Text with the characters that TeX has a use for escaped.
pub(super) fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        '_' | '#' | '%' | '&' | '$' | '{' | '}' => format!(r"\{c}"),
        '\\' => r"\backslash ".to_owned(),
        '^' => r"\hat{}".to_owned(),
        '~' => r"\sim ".to_owned(),
        _ => c.to_string(),
    };
    text.chars().map(escape).collect()
}

fn name(name: &str) -> String {
    if name == "inf" {
        r"\infty".to_owned()
    } else if GREEK.contains(&name) {
        format!(r"\{name}")
    } else if is_letter(name) || !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit()) {
        name.to_owned()
    } else {
        format!(r"\mathrm{{{}}}", escaped(name).replace(' ', r"\ "))
    }
}

fn parentheses(text: &str) -> String {
    if is_tall(text) { format!(r"\left({text}\right)") } else { format!("({text})") }
}

/// Whether a text is higher than a line.
fn is_tall(text: &str) -> bool {
    [r"\frac{", r"\begin{", r"\sum", r"\max_"].iter().any(|tall| text.contains(tall))
}

/// What a subscript or superscript takes.
fn argument(text: &str) -> String {
    if text.len() == 1 { text.to_owned() } else { format!("{{{text}}}") }
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
struct Place {
    /// In a subscript or superscript, where fractions are written with a stroke.
    script: bool,
    before: Before,
}

impl Place {
    fn alone(self) -> Self {
        Self { before: Before::Nothing, ..self }
    }

    fn before(self, before: Before) -> Self {
        Self { before, ..self }
    }

    fn script() -> Self {
        Self { script: true, before: Before::Nothing }
    }

    /// In a place where it has an end of its own.
    fn inside(self, math: &Math) -> String {
        self.alone().write(math).text
    }

    fn write(self, math: &Math) -> Written {
        match math {
            Math::Number(value) => self.number(*value),
            Math::Name(text) => Written::new(name(text), Binding::Atom),
            Math::Subscript(base, index) => {
                let base = self.alone().write(base).above(Binding::Power, parentheses);
                let index = argument(&Self::script().inside(index));
                Written::new(format!("{base}_{index}"), Binding::Atom)
            }
            Math::Sum(terms) => self.sum(terms),
            Math::Product(product) => self.product(product),
            Math::Power(base, exponent) => self.power(base, exponent),
            Math::Call(function, arguments) => self.call(function, arguments),
            Math::Over(operator, range, body) => self.over(operator, range.as_deref(), body),
            Math::Relation(relation, x, y) => {
                let (operator, binding) = match relation {
                    Relation::Or => (r"\text{ or }", Binding::Or),
                    Relation::And => (r"\text{ and }", Binding::And),
                    Relation::Less => (" < ", Binding::Compare),
                    Relation::AtMost => (r" \le ", Binding::Compare),
                    Relation::Greater => (" > ", Binding::Compare),
                    Relation::AtLeast => (r" \ge ", Binding::Compare),
                    Relation::Equal => (" = ", Binding::Compare),
                    Relation::NotEqual => (r" \ne ", Binding::Compare),
                    Relation::In => (r" \in ", Binding::Compare),
                    Relation::NotIn => (r" \notin ", Binding::Compare),
                    Relation::SuchThat => (" : ", Binding::Or),
                };
                let left = self.before(Before::Term).write(x).within(binding, parentheses);
                let right = self.write(y).within(binding, parentheses);
                Written::new(format!("{left}{operator}{right}"), binding)
            }
            Math::Not(condition) => {
                let condition = self.alone().write(condition).above(Binding::Sign, parentheses);
                Written::new(format!(r"\lnot {condition}"), Binding::Sign)
            }
            Math::Cases(rows, otherwise) => {
                let place = Self { script: false, before: Before::Nothing };
                let mut lines: Vec<String> = Vec::new();
                for (value, condition) in rows {
                    let (value, condition) = (place.inside(value), place.inside(condition));
                    lines.push(format!(r"{value} & \text{{if }} {condition}"));
                }
                lines.push(format!(r"{} & \text{{otherwise}}", place.inside(otherwise)));
                let text = format!(r"\begin{{cases}} {} \end{{cases}}", lines.join(r" \\ "));
                self.open(text, Before::Nothing)
            }
        }
    }

    /// What has no end of its own, in parentheses if more follows than it may have behind it.
    fn open(self, text: String, allowed: Before) -> Written {
        if self.before > allowed {
            Written::new(parentheses(&text), Binding::Atom)
        } else {
            Written::new(text, Binding::Product)
        }
    }

    fn number(self, value: f64) -> Written {
        let size = value.abs();
        let (text, binding) = if value.is_nan() {
            (r"\mathrm{NaN}".to_owned(), Binding::Atom)
        } else if value.is_infinite() {
            (r"\infty".to_owned(), Binding::Atom)
        } else if size * 8.0 % 1.0 == 0.0 && size % 1.0 != 0.0 && size <= 8.0 {
            let mut bottom = 2.0;
            while size * bottom % 1.0 != 0.0 {
                bottom *= 2.0;
            }
            (self.small_fraction(size * bottom, bottom), Binding::Product)
        } else if size != 0.0 && !(1e-4..1e7).contains(&size) {
            let text = format!("{size:e}");
            match text.split_once('e') {
                Some(("1", exponent)) => (format!("10^{}", argument(exponent)), Binding::Power),
                Some((digits, exponent)) => {
                    (format!(r"{digits} \cdot 10^{}", argument(exponent)), Binding::Product)
                }
                None => (text, Binding::Atom),
            }
        } else {
            (format!("{size}"), Binding::Atom)
        };
        if value < 0.0 {
            Written::new(format!("-{text}"), Binding::Sign)
        } else {
            Written::new(text, binding)
        }
    }

    fn small_fraction(self, top: f64, bottom: f64) -> String {
        let [top, bottom] = [top, bottom].map(|number| self.number(number).text);
        if self.script {
            format!("{top}/{bottom}")
        } else {
            format!(r"\tfrac{{{top}}}{{{bottom}}}")
        }
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
                (if at == 0 { "-" } else { " - " }, &negated)
            } else {
                (if at == 0 { "" } else { " + " }, *term)
            };
            text += sign;
            text += &self.before(before).write(term).within(Binding::Product, parentheses);
        }
        Written::new(text, Binding::Sum)
    }

    fn product(self, product: &Product) -> Written {
        let (sign, top) = if product.top < 0.0 { ("-", -product.top) } else { ("", product.top) };
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
                Some(self.small_fraction(top, product.bottom))
            } else if top != 1.0 || above.is_empty() {
                Some(self.number(top).text)
            } else {
                None
            };
            self.factors(coefficient, &above)
        } else {
            let coefficient =
                |number: f64, empty| (number != 1.0 || empty).then(|| self.number(number).text);
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
                    .within(Binding::Product, parentheses);
                let below =
                    self.alone().factors(bottom, &below).above(Binding::Product, parentheses);
                Written::new(format!("{above}/{below}"), Binding::Product)
            } else {
                let above = self.alone().factors(top, above).text;
                let below = self.alone().factors(bottom, &below).text;
                let fraction = format!(r"\frac{{{above}}}{{{below}}}");
                self.factors(Some(fraction), blocks)
            }
        };
        if sign.is_empty() {
            written
        } else {
            let text = written.within(Binding::Product, parentheses);
            Written::new(format!("{sign}{text}"), Binding::Sign)
        }
    }

    /// Factors side by side.
    fn factors(self, coefficient: Option<String>, factors: &[(&Math, i32)]) -> Written {
        let power = |place: Self, (factor, exponent): (&Math, i32)| match exponent {
            1 => place.write(factor),
            _ => place.power(factor, &Math::Number(f64::from(exponent))),
        };
        if let (None, [only]) = (&coefficient, factors) {
            return power(self, *only);
        }
        let mut text = coefficient.unwrap_or_default();
        let mut last = text.clone();
        for (at, factor) in factors.iter().enumerate() {
            let is_enclosed = matches!(factor, (Math::Sum(_), _));
            let before = match at + 1 == factors.len() {
                _ if is_enclosed => Before::Nothing,
                true => self.before,
                false => Before::Factor,
            };
            let next = power(self.before(before), *factor).within(Binding::Product, parentheses);
            if !text.is_empty() {
                text += separator(&last, &next);
            }
            text += &next;
            last = next;
        }
        let is_number = text.bytes().all(|b| b.is_ascii_digit());
        Written::new(text, if is_number { Binding::Atom } else { Binding::Product })
    }

    fn power(self, base: &Math, exponent: &Math) -> Written {
        let script = argument(&Self::script().inside(exponent));
        if let (Math::Call(function, arguments), Math::Number(n)) = (base, exponent)
            && let [x] = &arguments[..]
            && POWERS_AT_NAME.contains(&&**function)
            && *n > 1.0
        {
            let command = format!("{}^{script}", command(function));
            let text = format!("{command}{}", parentheses(&self.inside(x)));
            return Written::new(text, Binding::Power);
        }
        let base =
            self.alone().before(Before::Factor).write(base).above(Binding::Power, parentheses);
        Written::new(format!("{base}^{script}"), Binding::Power)
    }

    fn call(self, function: &str, arguments: &[Math]) -> Written {
        match (function, arguments) {
            ("abs", [x]) => {
                Written::new(format!(r"\left|{}\right|", self.inside(x)), Binding::Atom)
            }
            ("sqrt", [x]) => Written::new(format!(r"\sqrt{{{}}}", self.inside(x)), Binding::Atom),
            ("exp", [x]) => {
                let text = self.inside(x);
                if is_tall(&text) || self.script {
                    return Written::new(format!(r"\exp{}", parentheses(&text)), Binding::Atom);
                }
                let script = argument(&Self::script().inside(x));
                Written::new(format!("e^{script}"), Binding::Power)
            }
            ("ln", [x]) if self.before < Before::Factor && is_bare(x) => {
                Written::new(format!(r"\ln {}", self.write(x).text), Binding::Product)
            }
            ("bessel_ratio_slope", [x]) => {
                let x = parentheses(&self.inside(x));
                Written::new(format!(r"\left(\tfrac{{I_1}}{{I_0}}\right)'{x}"), Binding::Atom)
            }
            _ => {
                let arguments: Vec<String> = arguments.iter().map(|x| self.inside(x)).collect();
                let arguments = parentheses(&arguments.join(", "));
                Written::new(format!("{}{arguments}", command(function)), Binding::Atom)
            }
        }
    }

    fn over(self, operator: &str, range: Option<&Math>, body: &Math) -> Written {
        let mut text = command(operator);
        if let Some(range) = range {
            text += "_";
            text += &argument(&Self::script().inside(range));
        }
        if operator == "sum" {
            let body = self.before(self.before.min(Before::Term)).write(body);
            let text = format!("{text} {}", body.within(Binding::Product, parentheses));
            self.open(text, Before::Term)
        } else {
            Written::new(format!("{text} {}", parentheses(&self.inside(body))), Binding::Atom)
        }
    }
}

fn command(function: &str) -> String {
    match FUNCTIONS.iter().find(|(name, _)| *name == function) {
        Some((_, command)) => (*command).to_owned(),
        None if is_letter(function) => name(function),
        None => format!(r"\operatorname{{{}}}", escaped(function)),
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

/// What keeps two factors apart.
fn separator(left: &str, right: &str) -> &'static str {
    let first = right.trim_start_matches('\\').split(|c: char| !c.is_ascii_alphabetic()).next();
    let is_apart = first.is_some_and(|first| is_letter(first) || first == "sqrt")
        || right.starts_with(['(', '|'])
        || right.starts_with(r"\left");
    if right.starts_with(|c: char| c.is_ascii_digit()) || right.starts_with(r"\infty") {
        r" \cdot "
    } else if right.starts_with(r"\mathrm") || left.starts_with(r"\mathrm") && is_apart {
        r" \, "
    } else {
        " "
    }
}
