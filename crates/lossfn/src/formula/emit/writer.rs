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
    /// The same for an argument with a sign, for which less can go wrong.
    pub safe: &'static [(&'static str, Sign, &'static str)],
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
    pub fn keeps_nan(&self, formula: &Formula, signs: &[Sign], at: usize) -> bool {
        let pattern = call(self, formula, signs, at).and_then(|call| call.pattern);
        let is_choice = matches!(formula.nodes[at], Node::Select(..));
        let has_cases = is_choice || pattern.is_some_and(|pattern| pattern.contains("CASE"));
        !(self.choice == Choice::Case && has_cases)
    }
}

/// On which side of 0 a number surely is, unless it is NaN.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Positive,
    NonNegative,
    NonPositive,
    Any,
}

impl Sign {
    /// Whether a number with this sign has the other, too.
    fn is(self, other: Self) -> bool {
        self == other || other == Self::Any || (self, other) == (Self::Positive, Self::NonNegative)
    }
}

pub(super) fn signs(formula: &Formula) -> Vec<Sign> {
    use Sign::{Any, NonNegative, NonPositive, Positive};
    let mut signs: Vec<Sign> = Vec::with_capacity(formula.nodes.len());
    for node in &formula.nodes {
        let is = |at: usize, sign| signs[at].is(sign);
        let both = |x, y, sign| is(x, sign) && is(y, sign);
        let sign = match *node {
            Node::Constant(bits) => match f64::from_bits(bits) {
                value if value > 0.0 => Positive,
                value if value < 0.0 => NonPositive,
                _ => NonNegative,
            },
            Node::Unary(Unary::Negate, x) if is(x, NonNegative) => NonPositive,
            Node::Unary(Unary::Abs | Unary::Exp | Unary::Sigmoid | Unary::Softplus, _) => {
                NonNegative
            }
            Node::Unary(Unary::Sqrt, x) => signs[x],
            Node::Binary(Binary::Add, x, y) if both(x, y, NonNegative) => {
                if is(x, Positive) || is(y, Positive) { Positive } else { NonNegative }
            }
            // Products of positive numbers may be too small to be told from 0.
            Node::Binary(Binary::Multiply, x, y) if x == y => NonNegative,
            Node::Binary(Binary::Multiply | Binary::Divide, x, y) => {
                if both(x, y, NonNegative) {
                    NonNegative
                } else if is(x, NonPositive) && is(y, NonNegative) {
                    NonPositive
                } else {
                    Any
                }
            }
            Node::Binary(Binary::Max, x, y) if is(x, Positive) || is(y, Positive) => Positive,
            Node::Binary(Binary::Max, x, y) if is(x, NonNegative) || is(y, NonNegative) => {
                NonNegative
            }
            Node::Select(_, x, y) => [Positive, NonNegative, NonPositive]
                .into_iter()
                .find(|&sign| both(x, y, sign))
                .unwrap_or(Any),
            _ => Any,
        };
        signs.push(sign);
    }
    signs
}

/// A node that is written as a call, in one way or another.
struct Call {
    name: &'static str,
    operands: Vec<usize>,
    /// How the language writes it, unless the function has to be defined.
    pattern: Option<&'static str>,
}

fn call(dialect: &Dialect, formula: &Formula, signs: &[Sign], at: usize) -> Option<Call> {
    let is_zero = |at: usize| formula.nodes[at] == Node::Constant(0);
    let node = &formula.nodes[at];
    let (name, operands) = match *node {
        Node::Binary(Binary::Divide, x, y) if dialect.named("divide").is_some() => {
            if signs[y].is(Sign::Positive) || matches!(formula.nodes[y], Node::Constant(_)) {
                return None;
            }
            ("divide", vec![x, y])
        }
        Node::Binary(Binary::Max, x, y) if is_zero(y) => ("positive_part", vec![x]),
        Node::Binary(Binary::Max, x, y) if is_zero(x) => ("positive_part", vec![y]),
        Node::Binary(Binary::Power, ..) if dialect.power.is_some() => return None,
        Node::Not(a) => match formula.nodes[a] {
            Node::Compare(Comparison::Equal, x, y) if x == y => ("is_nan", vec![x]),
            _ => return None,
        },
        _ => (function_of(node)?, node.operands()),
    };
    let safe = dialect.safe.iter().find(|(known, sign, _)| {
        let decisive = operands.get(usize::from(name == "power"));
        *known == name && decisive.is_some_and(|&at| signs[at].is(*sign))
    });
    let pattern = safe.map(|(.., pattern)| *pattern).or_else(|| dialect.named(name));
    Some(Call { name, operands, pattern })
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

/// Parts that are longer get names, from the first of these on which no line is longer than that.
const WIDTHS: [usize; 4] = [84, 60, 44, 32];
const LINE: usize = 96;

/// Writes the results of a formula. `names` are those of its symbols, `data` those that are no parameters,
/// `taken` others that mean something.
pub(super) fn body(
    dialect: &Dialect,
    formula: &Formula,
    names: &HashMap<String, String>,
    data: &[String],
    taken: &[String],
) -> Body {
    let of_width = |width| body_of_width(dialect, formula, names, data, taken, width);
    let longest = |body: &Body| {
        let texts = body.lets.iter().map(|part| &part.text).chain(&body.results);
        texts.map(String::len).max().unwrap_or(0)
    };
    let mut best = of_width(WIDTHS[0]);
    for width in &WIDTHS[1..] {
        if longest(&best) > LINE {
            let narrow = of_width(*width);
            if longest(&narrow) < longest(&best) {
                best = narrow;
            }
        }
    }
    best
}

fn body_of_width(
    dialect: &Dialect,
    formula: &Formula,
    names: &HashMap<String, String>,
    data: &[String],
    taken: &[String],
    width: usize,
) -> Body {
    let is_data = |name: &str| names.get(name).is_some_and(|name| data.contains(name));
    let mut writer = Writer {
        dialect,
        formula,
        uses: tidy::uses(formula, &formula.results),
        fixed: tidy::depends_only(formula, |name| !is_data(name)),
        signs: signs(formula),
        names,
        data: data.first().map_or("", String::as_str),
        taken: names.values().chain(taken).cloned().collect(),
        named: HashMap::new(),
        width,
        body: Body { lets: Vec::new(), results: Vec::new(), functions: BTreeSet::new() },
    };
    // A pattern may write an operand more than once.
    for (at, node) in formula.nodes.iter().enumerate() {
        if writer.uses[at] == 0 {
            continue;
        }
        if let Some(call) = call(dialect, formula, &writer.signs, at) {
            for (operand, mark) in call.operands.iter().zip(["{x}", "{y}"]) {
                let marks = call.pattern.map_or(1, |p| p.matches(mark).count().max(1));
                writer.uses[*operand] += marks - 1;
            }
        }
        if let Node::Binary(Binary::Multiply, x, y) = node
            && x == y
            && dialect.power.is_some()
        {
            writer.uses[*x] -= 1;
        }
    }
    for &at in &formula.results {
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
    width: usize,
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
        let is_long = written.text.len() > self.width && !is_whole;
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
            Node::Not(_)
                if matches!(
                    call(self.dialect, self.formula, &self.signs, at),
                    Some(Call { name: "is_nan", .. })
                ) =>
            {
                "missing".to_owned()
            }
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
            Node::Binary(Binary::Add, x, y) => format!("{}_plus_{}", symbol(x)?, symbol(y)?),
            _ => return None,
        })
    }

    fn expression(&mut self, at: usize) -> Written {
        if let Some(call) = call(self.dialect, self.formula, &self.signs, at) {
            return self.call(call);
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
                Binary::Add => match self.formula.nodes[y] {
                    Node::Constant(bits) if f64::from_bits(bits) < 0.0 => {
                        let left = self.operand(x).within(Binding::Sum, parentheses);
                        let right = (self.dialect.number)(-f64::from_bits(bits));
                        Written::new(format!("{left} - {right}"), Binding::Sum)
                    }
                    _ => self.infix(x, " + ", y, Binding::Sum),
                },
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
        let right = if right.binding == Binding::Sign {
            parentheses(&right.text)
        } else {
            right.above(binding, parentheses)
        };
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

    fn call(&mut self, Call { name, operands, pattern }: Call) -> Written {
        let operands: Vec<Written> = operands.iter().map(|&at| self.operand(at)).collect();
        let Some(pattern) = pattern else {
            self.body.functions.insert(name);
            let arguments: Vec<String> = operands.into_iter().map(|x| x.text).collect();
            let text = format!("{}({})", helper_name(self.dialect, name), arguments.join(", "));
            return Written::new(text, Binding::Atom);
        };
        if !pattern.contains('{') {
            let arguments: Vec<String> = operands.into_iter().map(|x| x.text).collect();
            return Written::new(format!("{pattern}({})", arguments.join(", ")), Binding::Atom);
        }
        let marks = ["x", "y"].into_iter().zip(["{x}", "{y}"]);
        let values: Vec<(&str, String)> = marks
            .zip(operands)
            .map(|((name, mark), operand)| {
                let mut around = pattern
                    .match_indices(mark)
                    .map(|(at, _)| (&pattern[..at], &pattern[at + mark.len()..]));
                let is_argument = around.clone().all(|(before, after)| {
                    (before.ends_with('(') || before.ends_with(", "))
                        && after.starts_with([')', ','])
                });
                let surroundings = if is_argument {
                    Binding::Choice
                } else if around.any(|(before, _)| before.ends_with('-')) {
                    Binding::Atom
                } else {
                    Binding::Sign
                };
                (name, operand.within(surroundings, parentheses))
            })
            .collect();
        let values: Vec<(&str, &str)> =
            values.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let binding =
            if name == "is_nan" && pattern.contains(" OR ") { Binding::Or } else { Binding::Atom };
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
    if dialect.reserved.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

/// Names that the text around formulas has.
const OWN: &[&str] = &[
    "loss",
    "gradient",
    "second",
    "prediction",
    "target",
    "predictions",
    "given",
    "infinity",
    "i",
    "n",
    "id",
    "mask",
    "step",
    "main",
    "x",
];

/// The name, with an underscore behind it if it means something in the language or here.
pub(super) fn free(dialect: &Dialect, name: &str) -> String {
    let is_taken = dialect.reserved.contains(&name)
        || OWN.contains(&name)
        || portable::definition(name).is_some()
        || dialect.helper(name).is_some();
    if is_taken { format!("{name}_") } else { name.to_owned() }
}

fn parentheses(text: &str) -> String {
    format!("({text})")
}
