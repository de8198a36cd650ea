//! A formula as `MathML`, with no more than `MathML` Core has; so browsers show it without any help.

use super::math::Relation;
use super::typeset::{Infix, Markup, greek, is_letter};
use crate::number::Formula;

/// The functions that have a sign of their own, by their names in text.
const FUNCTIONS: [(&str, &str); 11] = [
    ("atan", "arctan"),
    ("sign", "sgn"),
    ("sum", "∑"),
    ("sigmoid", "σ"),
    ("normal_density", "φ"),
    ("normal_cdf", "Φ"),
    ("gamma_function", "Γ"),
    ("digamma", "ψ"),
    ("trigamma", "ψ′"),
    ("bessel_i0", "I"),
    ("bessel_i1", "I"),
];

impl Formula {
    /// One of the results as `MathML`: an element `math` for HTML or XML.
    ///
    /// It is set as [`latex`](Self::latex) sets it.
    ///
    /// ```
    /// use lossfn::Loss;
    ///
    /// let loss: Loss = "squared_error".parse()?;
    /// let mathml = loss.formula().mathml(1);
    /// assert!(mathml.starts_with("<math ") && mathml.contains("<mi>y</mi>"));
    /// # Ok::<(), lossfn::Error>(())
    /// ```
    ///
    /// # Panics
    /// If there are not so many results.
    #[must_use]
    pub fn mathml(&self, result: usize) -> String {
        element(&self.typeset::<MathMl>(result))
    }
}

/// The element for HTML or XML.
pub(crate) fn element(inside: &str) -> String {
    const SPACE: &str = "http://www.w3.org/1998/Math/MathML";
    format!(r#"<math xmlns="{SPACE}" display="block"><mrow>{inside}</mrow></math>"#)
}

/// What is inside an element `math`.
#[derive(Clone, Copy)]
pub(crate) struct MathMl;

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Parts as one, where an element takes so many.
fn row(inside: &str) -> String {
    format!("<mrow>{inside}</mrow>")
}

/// Between signs that are as high as what they enclose, if that is higher than a line.
fn enclosed(open: &str, inside: &str, close: &str) -> String {
    let stretchy = MathMl::is_tall(inside);
    let sign = |sign: &str, form| format!(r#"<mo stretchy="{stretchy}" form="{form}">{sign}</mo>"#);
    format!("<mrow>{}{inside}{}</mrow>", sign(open, "prefix"), sign(close, "postfix"))
}

impl Markup for MathMl {
    fn digits(digits: &str) -> String {
        format!("<mn>{digits}</mn>")
    }

    fn name(name: &str) -> String {
        if name == "inf" {
            "<mi>∞</mi>".to_owned()
        } else if let Some(letter) = greek(name) {
            format!("<mi>{letter}</mi>")
        } else if !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit()) {
            Self::digits(name)
        } else {
            format!("<mi>{}</mi>", escaped(name))
        }
    }

    fn function(name: &str) -> String {
        let sign = FUNCTIONS.iter().find(|(known, _)| *known == name).map_or(name, |known| known.1);
        match name {
            "sum" => "<mo>∑</mo>".to_owned(),
            "bessel_i0" => Self::subscript("<mi>I</mi>", "<mn>0</mn>"),
            "bessel_i1" => Self::subscript("<mi>I</mi>", "<mn>1</mn>"),
            _ if is_letter(name) => Self::name(name),
            _ => format!(r#"<mi mathvariant="normal">{}</mi>"#, escaped(sign)),
        }
    }

    fn infix(operator: Infix) -> &'static str {
        match operator {
            Infix::Plus => "<mo>+</mo>",
            Infix::Minus => "<mo>−</mo>",
            Infix::Times => "<mo>⋅</mo>",
            Infix::Relation(relation) => match relation {
                Relation::Or => "<mtext>\u{a0}or\u{a0}</mtext>",
                Relation::And => "<mtext>\u{a0}and\u{a0}</mtext>",
                Relation::Less => "<mo>&lt;</mo>",
                Relation::AtMost => "<mo>≤</mo>",
                Relation::Greater => "<mo>&gt;</mo>",
                Relation::AtLeast => "<mo>≥</mo>",
                Relation::Equal => "<mo>=</mo>",
                Relation::NotEqual => "<mo>≠</mo>",
                Relation::In => "<mo>∈</mo>",
                Relation::NotIn => "<mo>∉</mo>",
                Relation::SuchThat => "<mo>:</mo>",
            },
        }
    }

    fn minus() -> &'static str {
        r#"<mo form="prefix">−</mo>"#
    }

    fn not(condition: &str) -> String {
        format!("<mo>¬</mo>{condition}")
    }

    fn parentheses(inside: &str) -> String {
        enclosed("(", inside, ")")
    }

    fn absolute(inside: &str) -> String {
        enclosed("|", inside, "|")
    }

    fn root(inside: &str) -> String {
        format!("<msqrt>{inside}</msqrt>")
    }

    fn subscript(base: &str, index: &str) -> String {
        format!("<msub>{}{}</msub>", row(base), row(index))
    }

    fn superscript(base: &str, exponent: &str) -> String {
        format!("<msup>{}{}</msup>", row(base), row(exponent))
    }

    fn fraction(top: &str, bottom: &str) -> String {
        format!("<mfrac>{}{}</mfrac>", row(top), row(bottom))
    }

    fn small_fraction(top: &str, bottom: &str) -> String {
        format!(r#"<mfrac displaystyle="false">{}{}</mfrac>"#, row(top), row(bottom))
    }

    fn stroke(top: &str, bottom: &str) -> String {
        format!("{top}<mo>/</mo>{bottom}")
    }

    fn times(left: &str, right: &str) -> &'static str {
        // What would run together with the next is kept apart.
        let is_word = |text: &str| {
            let inside = text.split("</mi>").next().unwrap_or_default();
            inside.rsplit('>').next().is_some_and(|name| name.chars().count() > 1)
        };
        let last = left.rfind("<mi").filter(|_| left.ends_with("</mi>")).map(|at| &left[at..]);
        if right.starts_with("<mn") {
            Self::infix(Infix::Times)
        } else if right.starts_with("<mi") && is_word(right) || last.is_some_and(is_word) {
            r#"<mspace width="0.17em"></mspace>"#
        } else {
            "<mo>\u{2062}</mo>"
        }
    }

    fn applied(function: &str, argument: &str) -> String {
        format!(r#"{function}<mspace width="0.17em"></mspace>{argument}"#)
    }

    fn call(function: &str, arguments: &[String]) -> String {
        let arguments = arguments.join(r#"<mo separator="true">,</mo>"#);
        format!("{function}<mo>\u{2061}</mo>{}", Self::parentheses(&arguments))
    }

    fn over(operator: &str, range: Option<&str>) -> String {
        let Some(range) = range else { return operator.to_owned() };
        format!("<munder>{}{}</munder>", row(operator), row(range))
    }

    fn cases(rows: &[(String, String)], otherwise: &str) -> String {
        let line =
            |value: &str, when: &str| format!("<mtr><mtd>{value}</mtd><mtd>{when}</mtd></mtr>");
        let row = |(value, condition): &(String, String)| {
            line(value, &format!("<mtext>if\u{a0}</mtext>{condition}"))
        };
        let mut lines: String = rows.iter().map(row).collect();
        lines += &line(otherwise, "<mtext>otherwise</mtext>");
        let open = r#"<mo stretchy="true" form="prefix">{</mo>"#;
        format!(r#"<mrow>{open}<mtable columnalign="left">{lines}</mtable></mrow>"#)
    }

    fn derivative_of_ratio(top: &str, bottom: &str) -> String {
        Self::superscript(&Self::parentheses(&Self::small_fraction(top, bottom)), "<mo>′</mo>")
    }

    fn prose(words: &str) -> String {
        // Spaces at the ends would not be shown.
        let words = words.replace(' ', "\u{a0}");
        format!("<mtext>{}</mtext>", escaped(&words))
    }

    fn is_tall(text: &str) -> bool {
        ["<mfrac>", "<mtable", "<munder"].iter().any(|tall| text.contains(tall))
    }
}
