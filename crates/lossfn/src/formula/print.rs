//! A formula as plain text that reads as mathematics: `where(abs(p - y) <= delta, ...)`.

use super::{Binding, Written};
use crate::number::{Binary, Comparison, Formula, Node, Unary};
use std::fmt;

impl Formula {
    /// The text of one of the results.
    ///
    /// # Panics
    /// If there are not so many results.
    #[must_use]
    pub fn text(&self, result: usize) -> String {
        self.print(self.results[result]).text
    }

    fn print(&self, at: usize) -> Written {
        let infix = |x, operator: &str, y, binding, tight| {
            let left = self.within(x, binding);
            let right = if tight { self.above(y, binding) } else { self.within(y, binding) };
            Written::new(format!("{left}{operator}{right}"), binding)
        };
        match self.nodes[at] {
            Node::Constant(bits) => {
                let value = f64::from_bits(bits);
                let binding = if value < 0.0 { Binding::Sign } else { Binding::Atom };
                Written::new(format!("{value}"), binding)
            }
            Node::Symbol(name) => Written::new(name, Binding::Atom),
            Node::Unary(Unary::Negate, x) => {
                Written::new(format!("-{}", self.within(x, Binding::Product)), Binding::Sign)
            }
            Node::Unary(function, x) => self.call(function.name(), &[x]),
            Node::Binary(function, x, y) => match function {
                Binary::Add => infix(x, " + ", y, Binding::Sum, false),
                Binary::Subtract => infix(x, " - ", y, Binding::Sum, true),
                Binary::Multiply if x == y => {
                    Written::new(format!("{}^2", self.above(x, Binding::Power)), Binding::Power)
                }
                Binary::Multiply => infix(x, " * ", y, Binding::Product, false),
                Binary::Divide => infix(x, " / ", y, Binding::Product, true),
                Binary::Max => self.call("max", &[x, y]),
                Binary::Min => self.call("min", &[x, y]),
                Binary::Xlogy => self.call("xlogy", &[x, y]),
                Binary::Xlog1py => self.call("xlog1py", &[x, y]),
                Binary::Power => {
                    let (base, exponent) =
                        (self.above(x, Binding::Power), self.above(y, Binding::Power));
                    Written::new(format!("{base}^{exponent}"), Binding::Power)
                }
            },
            Node::Compare(comparison, x, y) => {
                let operator = match comparison {
                    Comparison::Less => " < ",
                    Comparison::AtMost => " <= ",
                    Comparison::Equal => " == ",
                };
                infix(x, operator, y, Binding::Compare, true)
            }
            Node::And(a, b) => infix(a, " and ", b, Binding::And, false),
            Node::Or(a, b) => infix(a, " or ", b, Binding::Or, false),
            Node::Not(a) => {
                Written::new(format!("not {}", self.above(a, Binding::Sign)), Binding::Sign)
            }
            Node::Select(condition, a, b) => self.call("where", &[condition, a, b]),
        }
    }

    fn call(&self, function: &str, arguments: &[usize]) -> Written {
        let arguments: Vec<String> = arguments.iter().map(|&at| self.print(at).text).collect();
        Written::new(format!("{function}({})", arguments.join(", ")), Binding::Atom)
    }

    fn within(&self, at: usize, surroundings: Binding) -> String {
        self.print(at).within(surroundings, parentheses)
    }

    fn above(&self, at: usize, surroundings: Binding) -> String {
        self.print(at).above(surroundings, parentheses)
    }
}

fn parentheses(text: &str) -> String {
    format!("({text})")
}

/// The first result, as text.
impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(0))
    }
}
