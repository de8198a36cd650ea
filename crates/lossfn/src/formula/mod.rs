//! Formulas as text, as LaTeX, as `MathML` and as code.

mod emit;
mod latex;
mod math;
mod mathml;
mod notation;
mod parse;
mod print;
mod typed;
mod typeset;

pub use emit::Language;
pub(crate) use latex::Latex;
pub(crate) use mathml::{MathMl, element as mathml_element};
pub(crate) use notation::notation;
pub(crate) use typed::Typed;
pub(crate) use typeset::Markup;

/// How tightly an operator binds; a weaker one inside a stronger one is put in parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Choice,
    Or,
    And,
    Compare,
    Sum,
    Product,
    Sign,
    Power,
    Atom,
}

/// A part of a formula in some language, and how tightly it binds.
struct Written {
    text: String,
    binding: Binding,
}

impl Written {
    fn new(text: impl Into<String>, binding: Binding) -> Self {
        Self { text: text.into(), binding }
    }

    /// In parentheses if it binds weaker than its surroundings.
    fn within(self, surroundings: Binding, parentheses: fn(&str) -> String) -> String {
        if self.binding < surroundings { parentheses(&self.text) } else { self.text }
    }

    /// In parentheses unless it binds stronger than its surroundings.
    fn above(self, surroundings: Binding, parentheses: fn(&str) -> String) -> String {
        let weak = self.binding <= surroundings && self.binding != Binding::Atom;
        if weak { parentheses(&self.text) } else { self.text }
    }
}
