//! A formula as LaTeX, with no more than the package amsmath has; so `MathJax` and `KaTeX` show it.

use super::math::Relation;
use super::typeset::{Infix, Markup, greek, is_letter};
use crate::number::Formula;

/// The functions that have a sign of their own in LaTeX, by their names in text.
const FUNCTIONS: [(&str, &str); 19] = [
    ("exp", r"\exp"),
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
        self.typeset::<Latex>(result)
    }
}

/// LaTeX, for math mode.
#[derive(Clone, Copy)]
pub(crate) struct Latex;

/// Text with the characters that TeX has a use for escaped.
fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        '_' | '#' | '%' | '&' | '$' | '{' | '}' => format!(r"\{c}"),
        '\\' => r"\backslash ".to_owned(),
        '^' => r"\hat{}".to_owned(),
        '~' => r"\sim ".to_owned(),
        _ => c.to_string(),
    };
    text.chars().map(escape).collect()
}

/// What a subscript or superscript takes.
fn argument(text: &str) -> String {
    if text.len() == 1 { text.to_owned() } else { format!("{{{text}}}") }
}

impl Markup for Latex {
    fn digits(digits: &str) -> String {
        digits.to_owned()
    }

    fn name(name: &str) -> String {
        if name == "inf" {
            r"\infty".to_owned()
        } else if greek(name).is_some() {
            format!(r"\{name}")
        } else if is_letter(name) || !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit()) {
            name.to_owned()
        } else {
            format!(r"\mathrm{{{}}}", escaped(name).replace(' ', r"\ "))
        }
    }

    fn function(function: &str) -> String {
        match FUNCTIONS.iter().find(|(name, _)| *name == function) {
            Some((_, command)) => (*command).to_owned(),
            None if is_letter(function) => Self::name(function),
            None => format!(r"\operatorname{{{}}}", escaped(function)),
        }
    }

    fn infix(operator: Infix) -> &'static str {
        match operator {
            Infix::Plus => " + ",
            Infix::Minus => " - ",
            Infix::Times => r" \cdot ",
            Infix::Relation(relation) => match relation {
                Relation::Or => r"\text{ or }",
                Relation::And => r"\text{ and }",
                Relation::Less => " < ",
                Relation::AtMost => r" \le ",
                Relation::Greater => " > ",
                Relation::AtLeast => r" \ge ",
                Relation::Equal => " = ",
                Relation::NotEqual => r" \ne ",
                Relation::In => r" \in ",
                Relation::NotIn => r" \notin ",
                Relation::SuchThat => " : ",
            },
        }
    }

    fn minus() -> &'static str {
        "-"
    }

    fn not(condition: &str) -> String {
        format!(r"\lnot {condition}")
    }

    fn parentheses(inside: &str) -> String {
        if Self::is_tall(inside) {
            format!(r"\left({inside}\right)")
        } else {
            format!("({inside})")
        }
    }

    fn absolute(inside: &str) -> String {
        format!(r"\left|{inside}\right|")
    }

    fn root(inside: &str) -> String {
        format!(r"\sqrt{{{inside}}}")
    }

    fn subscript(base: &str, index: &str) -> String {
        format!("{base}_{}", argument(index))
    }

    fn superscript(base: &str, exponent: &str) -> String {
        format!("{base}^{}", argument(exponent))
    }

    fn fraction(top: &str, bottom: &str) -> String {
        format!(r"\frac{{{top}}}{{{bottom}}}")
    }

    fn small_fraction(top: &str, bottom: &str) -> String {
        format!(r"\tfrac{{{top}}}{{{bottom}}}")
    }

    fn stroke(top: &str, bottom: &str) -> String {
        format!("{top}/{bottom}")
    }

    fn times(left: &str, right: &str) -> &'static str {
        let first = right.trim_start_matches('\\').split(|c: char| !c.is_ascii_alphabetic()).next();
        let is_apart = first.is_some_and(|first| is_letter(first) || first == "sqrt")
            || right.starts_with(['(', '|'])
            || right.starts_with(r"\left");
        if right.starts_with(|c: char| c.is_ascii_digit()) || right.starts_with(r"\infty") {
            Self::infix(Infix::Times)
        } else if right.starts_with(r"\mathrm") || left.starts_with(r"\mathrm") && is_apart {
            r" \, "
        } else {
            " "
        }
    }

    fn applied(function: &str, argument: &str) -> String {
        format!("{function} {argument}")
    }

    fn call(function: &str, arguments: &[String]) -> String {
        format!("{function}{}", Self::parentheses(&arguments.join(", ")))
    }

    fn over(operator: &str, range: Option<&str>) -> String {
        range.map_or_else(|| operator.to_owned(), |range| Self::subscript(operator, range))
    }

    fn cases(rows: &[(String, String)], otherwise: &str) -> String {
        let mut lines: Vec<String> = Vec::new();
        for (value, condition) in rows {
            lines.push(format!(r"{value} & \text{{if }} {condition}"));
        }
        lines.push(format!(r"{otherwise} & \text{{otherwise}}"));
        format!(r"\begin{{cases}} {} \end{{cases}}", lines.join(r" \\ "))
    }

    fn derivative_of_ratio(top: &str, bottom: &str) -> String {
        format!(r"\left({}\right)'", Self::small_fraction(top, bottom))
    }

    fn prose(words: &str) -> String {
        match words.strip_prefix(", with") {
            Some(rest) => format!(r",\quad \text{{with{}}}", escaped(rest)),
            None => format!(r"\text{{{}}}", escaped(words)),
        }
    }

    fn is_tall(text: &str) -> bool {
        [r"\frac{", r"\begin{", r"\sum", r"\max_"].iter().any(|tall| text.contains(tall))
    }
}
