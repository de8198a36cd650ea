//! Formulas as statements and expressions of any language that a table describes.

use super::super::{Binding, Written};
use super::{portable, tidy};
use crate::number::{Binary, Comparison, Formula, Node, Unary};
use std::collections::{BTreeSet, HashMap};

/// How a language writes formulas: its table. In patterns `{n}` is a name and `{t}` what it is.
pub(super) struct Dialect {
    pub language: super::Language,
    /// Its functions: a name that is called, or a pattern around `{x}` and `{y}`. What is not here is
    /// taken from `helpers` or, at last, from the definitions for all languages.
    pub functions: &'static [(&'static str, &'static str)],
    /// Functions that the language defines best in its own words.
    pub helpers: &'static [(&'static str, &'static str)],
    /// Names that have a meaning of their own.
    pub reserved: &'static [&'static str],
    pub and: &'static str,
    pub or: &'static str,
    pub not: &'static str,
    pub equal: &'static str,
    /// The weakest binding that the sides of `and` and `or` may have without parentheses.
    pub sides: Binding,
    pub choice: Choice,
    /// A square and other powers, where they are an operator.
    pub power: Option<&'static str>,
    pub number: fn(f64) -> String,
    /// How a function is defined, unless none can be.
    pub function: Option<Definition>,
    /// The whole text, from its parts.
    pub file: fn(&super::Parts) -> String,
}

/// How a language defines a function.
#[derive(Clone, Copy)]
pub(super) struct Definition {
    pub comment: &'static str,
    pub argument: &'static str,
    /// An argument that is a parameter, with its value `{v}`; empty where parameters are global.
    pub parameter: &'static str,
    pub open: &'static str,
    /// The same for a function that the loss only uses.
    pub open_helper: &'static str,
    pub number: &'static str,
    pub condition: &'static str,
    pub result: &'static str,
    pub close: &'static str,
    /// What is done first with a parameter that a function is called on.
    pub prepare: &'static str,
}

/// How a language picks one of two values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// `condition ? x : y`
    Ternary,
    /// A pattern around `{c}`, `{x}` and `{y}`, and one for values that do not depend on the data, which
    /// has `{p}` for a number that does.
    Call(&'static str, &'static str),
    /// `CASE WHEN condition THEN x ELSE y END`, where a comparison with NULL is not true.
    Case,
}

/// The name of the function that a node calls, if it does.
pub(super) fn function_of(node: &Node) -> Option<&'static str> {
    Some(match *node {
        Node::Unary(Unary::Negate, _) => return None,
        Node::Unary(function, _) => function.name(),
        Node::Binary(Binary::Max, ..) => "max",
        Node::Binary(Binary::Min, ..) => "min",
        Node::Binary(Binary::Xlogy, ..) => "xlogy",
        Node::Binary(Binary::Xlog1py, ..) => "xlog1py",
        Node::Binary(Binary::Power, ..) => "power",
        _ => return None,
    })
}

impl Dialect {
    pub fn named(&self, name: &str) -> Option<&'static str> {
        let tables = self.functions.iter();
        tables.clone().find(|(known, _)| *known == name).map(|(_, pattern)| *pattern)
    }

    pub fn helper(&self, name: &str) -> Option<&'static str> {
        self.helpers.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// Whether the language has a function in any way.
    pub fn has(&self, name: &str) -> bool {
        let portable = || {
            portable::definition(name).is_some_and(|definition| {
                definition.nodes.iter().filter_map(function_of).all(|name| self.has(name))
            })
        };
        self.named(name).is_some() || self.helper(name).is_some() || portable()
    }

    /// Whether a node is NaN where an operand is that is not a condition.
    pub fn keeps_nan(&self, formula: &Formula, at: usize) -> bool {
        let node = &formula.nodes[at];
        let pattern = call(self, formula, at).and_then(|(name, _)| self.named(name));
        !(self.choice == Choice::Case
            && (matches!(node, Node::Select(..)) || pattern.is_some_and(|p| p.contains("CASE"))))
    }
}

/// The function and the operands of a node that is written as a call, in one way or another.
fn call(dialect: &Dialect, formula: &Formula, at: usize) -> Option<(&'static str, Vec<usize>)> {
    let is_constant = |at: usize| matches!(formula.nodes[at], Node::Constant(_));
    let is_zero = |at: usize| formula.nodes[at] == Node::Constant(0);
    let node = &formula.nodes[at];
    let special = match *node {
        Node::Binary(Binary::Multiply, x, y) if x == y => ("square", vec![x]),
        Node::Binary(Binary::Divide, x, y) if !is_constant(y) => ("divide", vec![x, y]),
        Node::Binary(Binary::Max, x, y) if is_zero(y) => ("positive_part", vec![x]),
        Node::Binary(Binary::Max, x, y) if is_zero(x) => ("positive_part", vec![y]),
        Node::Not(a) => match formula.nodes[a] {
            Node::Compare(Comparison::Equal, x, y) if x == y => return Some(("is_nan", vec![x])),
            _ => return None,
        },
        _ => ("", vec![]),
    };
    if dialect.named(special.0).is_some() || special.0 == "positive_part" {
        return Some(special);
    }
    if let (Some(_), Node::Binary(Binary::Power, ..)) = (dialect.power, node) {
        return None;
    }
    Some((function_of(node)?, node.operands()))
}

/// A named part of a formula.
pub(super) struct Let {
    pub name: String,
    pub text: String,
    pub is_condition: bool,
    /// How many other parts stand one upon another below it.
    pub depth: usize,
}

/// A formula as named parts and results that use them.
pub(super) struct Body {
    pub lets: Vec<Let>,
    pub results: Vec<String>,
    /// The functions that are called and have to be defined.
    pub functions: BTreeSet<&'static str>,
}

/// Longer expressions are divided into named parts.
const WIDTH: usize = 84;

/// Writes results of a formula. `names` are those of its symbols, `data` those that are no parameters,
/// `taken` others that mean something.
pub(super) fn body(
    dialect: &Dialect,
    formula: &Formula,
    results: &[usize],
    names: &HashMap<String, String>,
    data: &[String],
    taken: impl IntoIterator<Item = String>,
) -> Body {
    let is_data = |name: &str| names.get(name).is_some_and(|name| data.contains(name));
    let mut writer = Writer {
        dialect,
        formula,
        uses: tidy::uses(formula, results),
        fixed: tidy::depends_only(formula, |name| !is_data(name)),
        signs: signs(formula),
        names,
        data: data.first().map_or("", String::as_str),
        taken: names.values().cloned().chain(taken).collect(),
        named: HashMap::new(),
        body: Body { lets: Vec::new(), results: Vec::new(), functions: BTreeSet::new() },
    };
    // A pattern may write an operand more than once.
    for (at, node) in formula.nodes.iter().enumerate() {
        if writer.uses[at] == 0 {
            continue;
        }
        if let Some((name, operands)) = call(dialect, formula, at) {
            for (operand, mark) in operands.iter().zip(["{x}", "{y}"]) {
                let marks = dialect.named(name).map_or(1, |p| p.matches(mark).count().max(1));
                writer.uses[*operand] += marks - 1;
            }
            if name == "is_nan" {
                writer.uses[operands[0]] += 1;
            }
        }
        if let Node::Binary(Binary::Multiply, x, y) = node
            && x == y
            && dialect.power.is_some()
        {
            writer.uses[*x] -= 1;
        }
    }
    for &at in results {
        let text = writer.operand_or_whole(at, true).text;
        writer.body.results.push(text);
    }
    writer.body
}

struct Writer<'a> {
    dialect: &'a Dialect,
    formula: &'a Formula,
    uses: Vec<usize>,
    /// What does not depend on the data.
    fixed: Vec<bool>,
    signs: Vec<Sign>,
    data: &'a str,
    names: &'a HashMap<String, String>,
    taken: BTreeSet<String>,
    named: HashMap<usize, usize>,
    body: Body,
}

impl Writer<'_> {
    fn operand(&mut self, at: usize) -> Written {
        self.operand_or_whole(at, false)
    }

    fn operand_or_whole(&mut self, at: usize, is_whole: bool) -> Written {
        if let Some(&named) = self.named.get(&at) {
            return Written::new(self.body.lets[named].name.clone(), Binding::Atom);
        }
        let written = self.expression(at);
        let is_simple = match self.formula.nodes[at] {
            Node::Constant(_) | Node::Symbol(_) => true,
            Node::Unary(Unary::Negate, x) => self.is_short(x),
            Node::Compare(_, x, y) => self.is_short(x) && self.is_short(y),
            _ => false,
        };
        let is_shared = self.uses[at] > 1;
        let is_long = written.text.len() > WIDTH && !is_whole;
        if is_simple || !is_shared && !is_long {
            return written;
        }
        let is_condition = self.is_condition(at);
        let name = self.fresh(at, is_condition);
        let words = written.text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let words: BTreeSet<&str> = words.collect();
        let below = self.body.lets.iter().filter(|part| words.contains(part.name.as_str()));
        let depth = below.map(|part| part.depth + 1).max().unwrap_or(0);
        self.named.insert(at, self.body.lets.len());
        let text = written.text;
        self.body.lets.push(Let { name: name.clone(), text, is_condition, depth });
        Written::new(name, Binding::Atom)
    }

    fn is_short(&self, at: usize) -> bool {
        matches!(self.formula.nodes[at], Node::Constant(_) | Node::Symbol(_))
            || self.named.contains_key(&at)
    }

    fn is_condition(&self, at: usize) -> bool {
        let node = &self.formula.nodes[at];
        matches!(node, Node::Compare(..) | Node::And(..) | Node::Or(..) | Node::Not(..))
    }

    /// A name that says what a part is, as far as it is short.
    fn fresh(&mut self, at: usize, is_condition: bool) -> String {
        let said = self.saying(at, 2).filter(|name| name.len() <= 24);
        let stem = said.clone().unwrap_or_else(|| if is_condition { "c" } else { "t" }.to_owned());
        let mut name = if said.is_some() { stem.clone() } else { format!("{stem}1") };
        let mut count = 1;
        while self.taken.contains(&name) || self.dialect.reserved.contains(&name.as_str()) {
            count += 1;
            name = format!("{stem}{count}");
        }
        self.taken.insert(name.clone());
        name
    }

    fn saying(&self, at: usize, levels: usize) -> Option<String> {
        if let Some(&named) = self.named.get(&at) {
            return Some(self.body.lets[named].name.clone());
        }
        let symbol = |at: usize| match self.formula.nodes[at] {
            Node::Symbol(name) => self.names.get(&*name).map(String::as_str),
            _ => None,
        };
        let say = |at| levels.checked_sub(1).and_then(|levels| self.saying(at, levels));
        Some(match self.formula.nodes[at] {
            Node::Symbol(_) => symbol(at)?.to_owned(),
            Node::Not(_) if call(self.dialect, self.formula, at).is_some() => "missing".to_owned(),
            Node::Unary(Unary::Negate, x) => format!("minus_{}", say(x)?),
            Node::Unary(function, x) => format!("{}_{}", function.name(), say(x)?),
            Node::Binary(Binary::Subtract, x, y)
                if symbol(y) == Some("y") && symbol(x).is_some() =>
            {
                "r".to_owned()
            }
            Node::Binary(Binary::Multiply, x, y)
                if [symbol(x), symbol(y)] == [Some("y"), Some("p")] =>
            {
                "m".to_owned()
            }
            Node::Binary(Binary::Multiply, x, y) if x == y => format!("{}_squared", say(x)?),
            Node::Binary(Binary::Subtract, one, x)
                if self.formula.nodes[one] == Node::Constant(1.0_f64.to_bits()) =>
            {
                format!("one_minus_{}", say(x)?)
            }
            Node::Binary(Binary::Divide, x, y) => format!("{}_per_{}", say(x)?, say(y)?),
            _ => return None,
        })
    }

    fn expression(&mut self, at: usize) -> Written {
        if let Some((name, operands)) = call(self.dialect, self.formula, at) {
            return self.call(name, &operands);
        }
        match self.formula.nodes[at] {
            Node::Constant(bits) => {
                let value = f64::from_bits(bits);
                let binding = if value < 0.0 { Binding::Sign } else { Binding::Atom };
                Written::new((self.dialect.number)(value), binding)
            }
            Node::Symbol(name) => {
                let name = self.names.get(&*name).cloned().unwrap_or_else(|| name.to_string());
                Written::new(name, Binding::Atom)
            }
            Node::Unary(_, x) => {
                let x = self.operand(x).within(Binding::Product, parentheses);
                let x = if x.starts_with('-') { parentheses(&x) } else { x };
                Written::new(format!("-{x}"), Binding::Sign)
            }
            Node::Binary(function, x, y) => match function {
                Binary::Add => self.infix(x, " + ", y, Binding::Sum),
                Binary::Subtract => self.infix(x, " - ", y, Binding::Sum),
                Binary::Multiply if x == y && self.dialect.power.is_some() => {
                    let base = self.operand(x).above(Binding::Power, parentheses);
                    let operator = self.dialect.power.unwrap_or_default();
                    Written::new(format!("{base}{operator}2"), Binding::Power)
                }
                Binary::Multiply => self.infix(x, " * ", y, Binding::Product),
                Binary::Divide => self.infix(x, " / ", y, Binding::Product),
                _ => {
                    let base = self.operand(x).above(Binding::Power, parentheses);
                    let exponent = self.operand(y).above(Binding::Power, parentheses);
                    let operator = self.dialect.power.unwrap_or_default();
                    Written::new(format!("{base}{operator}{exponent}"), Binding::Power)
                }
            },
            Node::Compare(comparison, x, y) => self.comparison(comparison, x, y),
            Node::And(a, b) => self.sides(a, self.dialect.and, b, Binding::And),
            Node::Or(a, b) => self.sides(a, self.dialect.or, b, Binding::Or),
            Node::Not(a) => {
                let a = self.operand(a).within(Binding::Atom, parentheses);
                Written::new(format!("{}{a}", self.dialect.not), Binding::Sign)
            }
            Node::Select(condition, a, b) => self.choice(condition, a, b),
        }
    }

    /// Operators of one strength go from left to right, and order matters to rounded numbers.
    fn infix(&mut self, x: usize, operator: &str, y: usize, binding: Binding) -> Written {
        let left = self.operand(x).within(binding, parentheses);
        let right = self.operand(y);
        let right = if right.binding == Binding::Sign { parentheses(&right.text) } else { right.above(binding, parentheses) };
        Written::new(format!("{left}{operator}{right}"), binding)
    }

    /// What is compared comes first, a number last.
    fn comparison(&mut self, comparison: Comparison, x: usize, y: usize) -> Written {
        let is_constant = matches!(self.formula.nodes[x], Node::Constant(_));
        let (x, y) = if is_constant { (y, x) } else { (x, y) };
        let operator = match (comparison, is_constant) {
            (Comparison::Less, false) => " < ",
            (Comparison::Less, true) => " > ",
            (Comparison::AtMost, false) => " <= ",
            (Comparison::AtMost, true) => " >= ",
            (Comparison::Equal, _) => self.dialect.equal,
        };
        let left = self.operand(x).above(Binding::Compare, parentheses);
        let right = self.operand(y).above(Binding::Compare, parentheses);
        Written::new(format!("{left}{operator}{right}"), Binding::Compare)
    }

    fn sides(&mut self, a: usize, operator: &str, b: usize, binding: Binding) -> Written {
        let weakest = self.dialect.sides.max(binding);
        let left = self.operand(a).within(weakest, parentheses);
        let right = self.operand(b).within(weakest, parentheses);
        Written::new(format!("{left}{operator}{right}"), binding)
    }

    fn choice(&mut self, condition: usize, x: usize, y: usize) -> Written {
        let (condition, a, b) = (self.operand(condition), self.operand(x), self.operand(y));
        match self.dialect.choice {
            Choice::Ternary => {
                let condition = condition.above(Binding::Choice, parentheses);
                let a = a.above(Binding::Choice, parentheses);
                Written::new(format!("{condition} ? {a} : {}", b.text), Binding::Choice)
            }
            Choice::Call(pattern, of_constants) => {
                let pattern = if self.fixed[x] && self.fixed[y] { of_constants } else { pattern };
                let (condition, a, b) = (&*condition.text, &*a.text, &*b.text);
                let values = [("c", condition), ("x", a), ("y", b), ("p", self.data)];
                Written::new(fill(pattern, &values), Binding::Atom)
            }
            Choice::Case => {
                let first = format!("CASE WHEN {} THEN {}", condition.text, a.text);
                // What is otherwise may be further cases of the same.
                let text = match b.text.strip_prefix("CASE") {
                    Some(more) if b.binding == Binding::Atom => format!("{first}{more}"),
                    _ => format!("{first} ELSE {} END", b.text),
                };
                Written::new(text, Binding::Atom)
            }
        }
    }

    fn call(&mut self, name: &'static str, operands: &[usize]) -> Written {
        let bounds: Vec<Sign> = operands.iter().map(|&at| self.signs[at]).collect();
        let operands: Vec<Written> = operands.iter().map(|&at| self.operand(at)).collect();
        let Some(pattern) = self.dialect.unguarded(name, &bounds).or(self.dialect.named(name)) else {
            self.body.functions.insert(name);
            let arguments: Vec<String> = operands.into_iter().map(|x| x.text).collect();
            let text = format!("{}({})", helper_name(self.dialect, name), arguments.join(", "));
            return Written::new(text, Binding::Atom);
        };
        if !pattern.contains('{') {
            let arguments: Vec<String> = operands.into_iter().map(|x| x.text).collect();
            return Written::new(format!("{pattern}({})", arguments.join(", ")), Binding::Atom);
        }
        let values: Vec<(&str, String)> = ["x", "y"].into_iter().zip(operands.into_iter().enumerate().map(|(place, operand)| {
            let mark = ["{x}", "{y}"][place.min(1)];
            let is_argument = pattern.match_indices(mark).all(|(at, _)| {
                let (before, after) = (&pattern[..at], &pattern[at + mark.len()..]);
                before.ends_with(['(', ' ']) && !before.ends_with("- ") && after.starts_with([')', ','])
                    && (before.ends_with('(') || before.ends_with(", "))
            });
            let surroundings = if is_argument { Binding::Choice } else { Binding::Atom };
            operand.within(surroundings, parentheses)
        })).collect();
        let values: Vec<(&str, &str)> = values.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let binding = if name == "is_nan" && pattern.contains(" OR ") { Binding::Or } else { Binding::Atom };
        Written::new(fill(pattern, &values), binding)
    }
}

/// A pattern with values for its names.
pub(super) fn fill(pattern: &str, values: &[(&str, &str)]) -> String {
    let (mut text, mut rest) = (String::new(), pattern);
    while let Some((before, after)) = rest.split_once('{') {
        text += before;
        let value = after.split_once('}').and_then(|(name, after)| {
            values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value, after))
        });
        match value {
            Some((value, after)) => {
                text += value;
                rest = after;
            }
            None => {
                text.push('{');
                rest = after;
            }
        }
    }
    text + rest
}

/// What a function that has to be defined is called.
pub(super) fn helper_name(dialect: &Dialect, name: &str) -> String {
    let name = match name {
        "max" => "maximum",
        "min" => "minimum",
        other => other,
    };
    free(dialect, name)
}

/// The name, with an underscore behind it if it means something in the language.
pub(super) fn free(dialect: &Dialect, name: &str) -> String {
    let is_reserved = dialect.reserved.contains(&name);
    if is_reserved { format!("{name}_") } else { name.to_owned() }
}

fn parentheses(text: &str) -> String {
    format!("({text})")
}
