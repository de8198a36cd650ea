//! Text to formula: `where(abs(p - y) <= d, (p - y)^2 / 2, d * (abs(p - y) - d / 2)); d = 1.5`.
//!
//! Text may come from anyone: its length, its depth, and the size of what follows from it are limited.

use super::Binding;
use crate::describe::Domain;
use crate::error::Error;
use crate::number::{Condition, Expr, Formula, Node, Number, Unary};
use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Mutex;

/// The largest number of characters of a text.
const LENGTH: usize = 10_000;
/// The largest number of parts within parts.
const DEPTH: usize = 200;
/// The largest whole exponent that is multiplied out.
const LARGEST_POWER: f64 = 64.0;
/// The longest name, and the largest number of names that are ever made: they are kept.
const NAME: usize = 40;
const NAMES: usize = 20_000;

/// What a text says.
pub(crate) struct Parsed {
    /// The loss, as the only result.
    pub formula: Formula,
    /// The numbers that a prediction may be.
    pub prediction: Domain,
    /// The numbers that a target may be.
    pub target: Domain,
}

/// Why a text cannot be read, and at which character.
struct Fault {
    at: usize,
    reason: String,
}

type Read<T> = Result<T, Fault>;

fn fault<T>(at: usize, reason: impl Into<String>) -> Read<T> {
    Err(Fault { at, reason: reason.into() })
}

/// Reads the text of a loss.
pub(crate) fn parse(text: &str) -> Result<Parsed, Error> {
    read(text).map_err(|Fault { at, reason }| Error::Formula { text: text.to_owned(), at, reason })
}

fn read(text: &str) -> Read<Parsed> {
    if text.chars().count() > LENGTH {
        return fault(0, format!("it is longer than {LENGTH} characters"));
    }
    let mut reader = Reader { tokens: tokens(text)?, next: 0, depth: 0 };
    let program = reader.program()?;
    let names =
        Names { program: &program, made: RefCell::new(vec![Made::Not; program.definitions.len()]) };
    let mut outcome = Ok(());
    let formula = Formula::trace(|| match names.number(&program.loss, 0) {
        Ok(loss) => Some(loss),
        Err(fault) => {
            outcome = Err(fault);
            None
        }
    });
    outcome?;
    let made = names.made.into_inner();
    if let Some(unused) = made.iter().position(|made| matches!(made, Made::Not)) {
        let Definition { name, at, .. } = &program.definitions[unused];
        return fault(*at, format!("{name} is not used by the loss: use it or leave it out"));
    }
    if !formula.nodes.contains(&Node::Symbol("p")) {
        return fault(program.loss.at, "it does not depend on the prediction, p");
    }
    Ok(Parsed { formula, prediction: program.prediction, target: program.target })
}

/// A name of the text, kept for good. There are only so many.
fn keep(name: &str, at: usize) -> Read<&'static str> {
    static KEPT: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    // Nothing panics while it holds the lock.
    let mut kept = KEPT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let kept = kept.get_or_insert_default();
    if let Some(known) = kept.get(name) {
        return Ok(known);
    }
    if kept.len() >= NAMES {
        return fault(at, "this process has seen too many different names; take one used before");
    }
    let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
    kept.insert(name);
    Ok(name)
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Name(String),
    Sign(&'static str),
    End,
}

/// Longer ones first.
const SIGNS: [&str; 29] = [
    "**", "<=", ">=", "==", "!=", "&&", "||", "\u{2264}", "\u{2265}", "\u{2260}", "\u{b7}",
    "\u{d7}", "\u{2212}", "+", "-", "*", "/", "^", "(", ")", "[", "]", "{", "}", ",", ";", "<",
    ">", "=",
];

/// Signs that mean the same as others.
fn plain(sign: &'static str) -> &'static str {
    match sign {
        "**" => "^",
        "&&" => "and",
        "||" => "or",
        "\u{2264}" => "<=",
        "\u{2265}" => ">=",
        "\u{2260}" => "!=",
        "\u{b7}" | "\u{d7}" => "*",
        "\u{2212}" => "-",
        same => same,
    }
}

/// The tokens of a text, with the character at which each begins.
fn tokens(text: &str) -> Read<Vec<(Token, usize)>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut at = 0;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_whitespace() {
            first.len_utf8()
        } else if first.is_ascii_digit() || first == '.' {
            let length = number_length(rest);
            let Ok(number) = rest[..length].parse() else {
                return fault(at, format!("{:?} is not a number", &rest[..length]));
            };
            tokens.push((Token::Number(number), at));
            length
        } else if first.is_ascii_alphabetic() || first == '_' {
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            let name = &rest[..length];
            if length > NAME {
                return fault(at, format!("a name has no more than {NAME} letters"));
            }
            tokens.push((Token::Name(name.to_owned()), at));
            length
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push((Token::Sign(plain(sign)), at));
            sign.len()
        } else {
            let advice = match first {
                '|' => "; write abs(...)",
                '!' => "; write not",
                '&' => "; write and",
                '?' | ':' => "; write where(condition, a, b)",
                _ => "",
            };
            return fault(at, format!("{first:?} is not part of a formula{advice}"));
        };
        at += rest[..length].chars().count();
        rest = &rest[length..];
    }
    tokens.push((Token::End, at));
    Ok(tokens)
}

/// How long the number is that a text begins with.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let count = bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        from + count
    };
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    end
}

/// A part of the text, and the character at which it is to be blamed.
struct Tree {
    at: usize,
    kind: Kind,
}

enum Kind {
    Number(f64),
    Name(String),
    Call(String, Vec<Tree>),
    Prefix(&'static str, Box<Tree>),
    Infix(&'static str, Box<Tree>, Box<Tree>),
}

/// `name = tree`.
struct Definition {
    name: String,
    at: usize,
    tree: Tree,
}

struct Program {
    loss: Tree,
    definitions: Vec<Definition>,
    prediction: Domain,
    target: Domain,
}

struct Reader {
    tokens: Vec<(Token, usize)>,
    next: usize,
    depth: usize,
}

impl Reader {
    fn token(&self) -> &Token {
        &self.tokens[self.next].0
    }

    fn at(&self) -> usize {
        self.tokens[self.next].1
    }

    /// The operator that comes next, if it is a sign or a word.
    fn operator(&self) -> &str {
        match self.token() {
            Token::Sign(sign) => sign,
            Token::Name(name) => name,
            _ => "",
        }
    }

    fn advance(&mut self) {
        self.next = (self.next + 1).min(self.tokens.len() - 1);
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = self.operator() == sign;
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, sign: &str, what: &str) -> Read<()> {
        if self.take(sign) { Ok(()) } else { fault(self.at(), format!("{what} is missing here")) }
    }

    fn program(&mut self) -> Read<Program> {
        let (mut prediction, mut target) = (Domain::Real, Domain::Real);
        let mut loss = None;
        let mut definitions: Vec<Definition> = Vec::new();
        while *self.token() != Token::End {
            if self.take(";") {
                continue;
            }
            let at = self.at();
            let name = match self.token() {
                Token::Name(name) => Some(name.clone()),
                _ => None,
            };
            let after = self.tokens.get(self.next + 1).map(|(token, _)| token);
            match (name, after) {
                (Some(name), Some(Token::Sign("="))) => {
                    if let Some(reason) = is_taken(&name) {
                        return fault(at, reason);
                    }
                    if definitions.iter().any(|known| known.name == name) {
                        return fault(at, format!("{name} is defined twice"));
                    }
                    self.next += 2;
                    definitions.push(Definition { name, at, tree: self.tree(Binding::Or)? });
                }
                (Some(name), Some(Token::Name(word))) if word == "in" => {
                    self.next += 2;
                    let domain = self.domain()?;
                    match &*name {
                        "p" | "prediction" => prediction = domain,
                        "y" | "target" => target = domain,
                        _ => {
                            return fault(
                                at,
                                "only for the prediction, p, and the target, y, it is said what they may be",
                            );
                        }
                    }
                }
                _ if loss.is_none() => loss = Some(self.tree(Binding::Or)?),
                _ => {
                    return fault(
                        at,
                        "there is a loss already; what comes behind it is `name = value`",
                    );
                }
            }
            if *self.token() != Token::End && !self.take(";") {
                return fault(self.at(), self.unexpected());
            }
        }
        let Some(loss) = loss else {
            return fault(self.at(), "there is no loss; an example: (p - y)^2");
        };
        Ok(Program { loss, definitions, prediction, target })
    }

    /// Why what comes next cannot be there.
    fn unexpected(&self) -> String {
        match self.token() {
            Token::End => "something is missing here".into(),
            Token::Sign("=") => "a comparison is written ==".into(),
            Token::Sign(sign) => format!("{sign:?} was not expected here"),
            Token::Name(_) | Token::Number(_) => {
                "an operator is missing here; a product is written a * b".into()
            }
        }
    }

    fn domain(&mut self) -> Read<Domain> {
        let at = self.at();
        let mut text = String::new();
        loop {
            match self.token() {
                Token::Sign(";") | Token::End => break,
                Token::Sign(sign) => text += sign,
                Token::Name(name) => text += name,
                Token::Number(number) => text += &number.to_string(),
            }
            self.advance();
        }
        text.parse().or_else(|error: Error| fault(at, error.to_string()))
    }

    /// A part whose operators bind at least so tightly.
    fn tree(&mut self, binding: Binding) -> Read<Tree> {
        self.depth += 1;
        if self.depth > DEPTH {
            return too_deep(self.at());
        }
        let mut left = self.prefix()?;
        loop {
            // What is on the right binds more tightly, but for powers: x^y^z is x^(y^z).
            let (operator, level, within) = match self.operator() {
                "or" => ("or", Binding::Or, Binding::And),
                "and" => ("and", Binding::And, Binding::Compare),
                "<" => ("<", Binding::Compare, Binding::Sum),
                "<=" => ("<=", Binding::Compare, Binding::Sum),
                ">" => (">", Binding::Compare, Binding::Sum),
                ">=" => (">=", Binding::Compare, Binding::Sum),
                "==" => ("==", Binding::Compare, Binding::Sum),
                "!=" => ("!=", Binding::Compare, Binding::Sum),
                "+" => ("+", Binding::Sum, Binding::Product),
                "-" => ("-", Binding::Sum, Binding::Product),
                "*" => ("*", Binding::Product, Binding::Sign),
                "/" => ("/", Binding::Product, Binding::Sign),
                "^" => ("^", Binding::Power, Binding::Sign),
                _ => break,
            };
            if level < binding {
                break;
            }
            let at = self.at();
            let is_comparison = |tree: &Tree| {
                matches!(tree.kind, Kind::Infix("<" | "<=" | ">" | ">=" | "==" | "!=", ..))
            };
            if level == Binding::Compare && is_comparison(&left) {
                return fault(at, "two comparisons are joined by and: a < b and b < c");
            }
            self.advance();
            let right = self.tree(within)?;
            left = Tree { at, kind: Kind::Infix(operator, Box::new(left), Box::new(right)) };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn prefix(&mut self) -> Read<Tree> {
        let (operator, within) = match self.operator() {
            "-" => ("-", Binding::Sign),
            "+" => ("+", Binding::Sign),
            "not" => ("not", Binding::Compare),
            _ => return self.atom(),
        };
        let at = self.at();
        self.advance();
        Ok(Tree { at, kind: Kind::Prefix(operator, Box::new(self.tree(within)?)) })
    }

    fn atom(&mut self) -> Read<Tree> {
        let at = self.at();
        match self.token().clone() {
            Token::Number(number) => {
                self.advance();
                Ok(Tree { at, kind: Kind::Number(number) })
            }
            Token::Sign("(") => {
                self.advance();
                // In parentheses comparisons may be compared.
                let inner = self.tree(Binding::Or)?;
                self.expect(")", "a closing parenthesis")?;
                Ok(inner)
            }
            Token::Name(name) if matches!(&*name, "and" | "or" | "in") => {
                fault(at, format!("something is missing before {name:?}"))
            }
            Token::Name(name) => {
                self.advance();
                if !self.take("(") {
                    return Ok(Tree { at, kind: Kind::Name(name) });
                }
                let mut arguments = Vec::new();
                while !self.take(")") {
                    if !arguments.is_empty() {
                        self.expect(",", "a comma or a closing parenthesis")?;
                    }
                    arguments.push(self.tree(Binding::Or)?);
                }
                Ok(Tree { at, kind: Kind::Call(name, arguments) })
            }
            Token::End => fault(at, "something is missing here"),
            Token::Sign("[" | "]" | "{" | "}") => fault(at, "a formula has round parentheses only"),
            Token::Sign(sign) => fault(at, format!("something is missing before {sign:?}")),
        }
    }
}

fn too_deep<T>(at: usize) -> Read<T> {
    fault(at, format!("more than {DEPTH} parts are within one another; name some of them"))
}

/// What a part of the text stands for.
#[derive(Clone, Copy)]
enum Meaning {
    Number(Expr),
    Condition(Condition),
}

/// What a definition stands for.
#[derive(Clone, Copy)]
enum Made {
    Not,
    InTheMaking,
    Meaning(Meaning),
}

/// The names of a program, and what they were found to stand for.
struct Names<'a> {
    program: &'a Program,
    made: RefCell<Vec<Made>>,
}

impl Names<'_> {
    fn number(&self, tree: &Tree, depth: usize) -> Read<Expr> {
        Ok(match self.meaning(tree, depth)? {
            Meaning::Number(number) => number,
            Meaning::Condition(condition) => {
                Expr::select(condition, Expr::constant(1.0), Expr::constant(0.0))
            }
        })
    }

    fn condition(&self, tree: &Tree, depth: usize) -> Read<Condition> {
        match self.meaning(tree, depth)? {
            Meaning::Condition(condition) => Ok(condition),
            Meaning::Number(_) => fault(tree.at, "a condition is needed here, such as p < y"),
        }
    }

    fn meaning(&self, tree: &Tree, depth: usize) -> Read<Meaning> {
        if depth > DEPTH {
            return too_deep(tree.at);
        }
        let number = |tree: &Tree| self.number(tree, depth + 1);
        let condition = |tree: &Tree| self.condition(tree, depth + 1);
        Ok(match &tree.kind {
            Kind::Number(value) => Meaning::Number(Expr::constant(*value)),
            Kind::Name(name) => self.name(name, tree.at, depth)?,
            Kind::Call(name, arguments) => self.call(name, arguments, tree.at, depth)?,
            Kind::Prefix("not", inner) => Meaning::Condition(!condition(inner)?),
            Kind::Prefix("-", inner) => Meaning::Number(-number(inner)?),
            Kind::Prefix(_, inner) => Meaning::Number(number(inner)?),
            Kind::Infix("and", a, b) => Meaning::Condition(condition(a)? & condition(b)?),
            Kind::Infix("or", a, b) => Meaning::Condition(condition(a)? | condition(b)?),
            Kind::Infix("^", base, exponent) => {
                let exponent = number(exponent)?;
                Meaning::Number(match &base.kind {
                    Kind::Name(name) if name == "e" => exponent.exp(),
                    _ => power(number(base)?, exponent),
                })
            }
            Kind::Infix(operator, a, b) => {
                let (a, b) = (number(a)?, number(b)?);
                match *operator {
                    "<" => Meaning::Condition(a.less_than(b)),
                    "<=" => Meaning::Condition(a.at_most(b)),
                    ">" => Meaning::Condition(b.less_than(a)),
                    ">=" => Meaning::Condition(b.at_most(a)),
                    "==" => Meaning::Condition(a.equals(b)),
                    "!=" => Meaning::Condition(!a.equals(b)),
                    "+" => Meaning::Number(a + b),
                    "-" => Meaning::Number(a - b),
                    "*" => Meaning::Number(a * b),
                    _ => Meaning::Number(a / b),
                }
            }
        })
    }

    fn name(&self, name: &str, at: usize, depth: usize) -> Read<Meaning> {
        match name {
            "p" | "prediction" => return Ok(Meaning::Number(Expr::symbol("p"))),
            "y" | "target" => return Ok(Meaning::Number(Expr::symbol("y"))),
            _ => {}
        }
        if let Some((name, value)) = CONSTANTS.iter().find(|(known, _)| *known == name) {
            return Ok(Meaning::Number(match *name {
                "pi" => Expr::parameter("pi", *value),
                _ => Expr::constant(*value),
            }));
        }
        let defined = self.program.definitions.iter().position(|known| known.name == name);
        let Some(place) = defined else { return fault(at, self.unknown(name)) };
        let made = self.made.borrow()[place];
        match made {
            Made::Meaning(meaning) => return Ok(meaning),
            Made::InTheMaking => return fault(at, format!("{name} is defined by itself")),
            Made::Not => self.made.borrow_mut()[place] = Made::InTheMaking,
        }
        let tree = &self.program.definitions[place].tree;
        let meaning = match self.constant(tree, depth)? {
            Some(value) if value.is_finite() => {
                Meaning::Number(Expr::parameter(keep(name, at)?, value))
            }
            Some(value) => return fault(tree.at, format!("{name} is {value}, no finite number")),
            None => self.meaning(tree, depth + 1)?,
        };
        self.made.borrow_mut()[place] = Made::Meaning(meaning);
        Ok(meaning)
    }

    /// The value of a part that names nothing but constants: that of a parameter.
    fn constant(&self, tree: &Tree, depth: usize) -> Read<Option<f64>> {
        if !is_constant(tree, depth) {
            return Ok(None);
        }
        let mut outcome = Ok(());
        let formula = Formula::trace(|| self.number(tree, depth + 1).map_err(|f| outcome = Err(f)));
        outcome?;
        let value = formula.results.first().and_then(|&at| formula.known()[at]);
        value.map_or_else(
            || fault(tree.at, "a parameter is a number, without conditions"),
            |x| Ok(Some(x)),
        )
    }

    fn unknown(&self, name: &str) -> String {
        match name {
            "r" | "residual" => return format!("{name} is not known; define it: {name} = p - y"),
            "m" | "margin" => return format!("{name} is not known; define it: {name} = y * p"),
            "auto" => return "auto is for losses of the catalog; give a number".into(),
            _ if function_arity(name).is_some() => {
                return format!("{name} is a function: write {name}(...)");
            }
            _ => {}
        }
        let defined = self.program.definitions.iter().map(|known| &*known.name);
        let names = ["p", "y", "prediction", "target"].into_iter().chain(defined);
        let names = names.chain(CONSTANTS.iter().map(|(known, _)| *known));
        match nearest(name, names) {
            Some(near) => format!("{name} is not known; did you mean {near}?"),
            None => format!(
                "{name} is not known; p is the prediction, y the target; a parameter gets its value \
                 behind the loss: ...; {name} = 1.5"
            ),
        }
    }

    fn call(&self, name: &str, arguments: &[Tree], at: usize, depth: usize) -> Read<Meaning> {
        let Some((least, most)) = function_arity(name) else {
            return fault(at, unknown_function(name));
        };
        let found = arguments.len();
        if found < least || found > most {
            let wanted = match (least, most) {
                (1, 1) => "1 argument".to_owned(),
                (least, most) if least == most => format!("{least} arguments"),
                (least, _) => format!("at least {least} arguments"),
            };
            return fault(at, format!("{name} takes {wanted}, and there are {found}"));
        }
        if let ("where", [condition, chosen, otherwise]) = (name, arguments) {
            let condition = self.condition(condition, depth + 1)?;
            let chosen = self.number(chosen, depth + 1)?;
            let otherwise = self.number(otherwise, depth + 1)?;
            return Ok(Meaning::Number(Expr::select(condition, chosen, otherwise)));
        }
        let numbers = arguments.iter().map(|tree| self.number(tree, depth + 1));
        let numbers: Vec<Expr> = numbers.collect::<Read<_>>()?;
        let chain = |function: fn(Expr, Expr) -> Expr| numbers.iter().copied().reduce(function);
        Ok(Meaning::Number(match (name, &numbers[..]) {
            ("max", _) => chain(Expr::max).unwrap_or(numbers[0]),
            ("min", _) => chain(Expr::min).unwrap_or(numbers[0]),
            ("xlogy", &[x, y]) => x.xlogy(y),
            ("xlog1py", &[x, y]) => x.xlog1py(y),
            ("power" | "pow", &[x, y]) => power(x, y),
            ("clip", &[x, low, high]) => x.max(low).min(high),
            ("square", &[x]) => x.square(),
            ("relu", &[x]) => x.positive_part(),
            ("ln_sigmoid", &[x]) => -(-x).softplus(),
            ("log2", &[x]) => x.ln() / Expr::constant(2.0).ln(),
            ("log10", &[x]) => x.ln() / Expr::constant(10.0).ln(),
            (_, &[x]) => match unary(name) {
                Some(function) => function.apply(x),
                None => return fault(at, unknown_function(name)),
            },
            _ => return fault(at, unknown_function(name)),
        }))
    }
}

const CONSTANTS: [(&str, f64); 5] = [
    ("pi", std::f64::consts::PI),
    ("tau", std::f64::consts::TAU),
    ("e", std::f64::consts::E),
    ("inf", f64::INFINITY),
    ("nan", f64::NAN),
];

/// Functions that are not those of [`Unary`], with the least and the largest number of arguments.
const FUNCTIONS: [(&str, usize, usize); 13] = [
    ("where", 3, 3),
    ("max", 1, usize::MAX),
    ("min", 1, usize::MAX),
    ("xlogy", 2, 2),
    ("xlog1py", 2, 2),
    ("power", 2, 2),
    ("pow", 2, 2),
    ("clip", 3, 3),
    ("square", 1, 1),
    ("relu", 1, 1),
    ("ln_sigmoid", 1, 1),
    ("log2", 1, 1),
    ("log10", 1, 1),
];

/// Other names of functions of one number.
const ALIASES: [(&str, &str); 8] = [
    ("log", "ln"),
    ("log1p", "ln1p"),
    ("logistic", "sigmoid"),
    ("expit", "sigmoid"),
    ("arctan", "atan"),
    ("lgamma", "ln_gamma"),
    ("logcosh", "ln_cosh"),
    ("log_cosh", "ln_cosh"),
];

fn unary(name: &str) -> Option<Unary> {
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name);
    Unary::NAMED.iter().copied().find(|function| function.name() == name)
}

fn function_arity(name: &str) -> Option<(usize, usize)> {
    let own = FUNCTIONS.iter().find(|(known, ..)| *known == name);
    own.map(|&(_, least, most)| (least, most)).or_else(|| unary(name).map(|_| (1, 1)))
}

fn unknown_function(name: &str) -> String {
    let known = FUNCTIONS.iter().map(|(known, ..)| *known);
    let known = known.chain(Unary::NAMED.iter().map(|function| function.name()));
    match nearest(name, known.chain(ALIASES.iter().map(|(alias, _)| *alias))) {
        Some(near) => format!("there is no function {name}; did you mean {near}?"),
        None if name == "if" => "a choice is written where(condition, a, b)".into(),
        None => format!("there is no function {name}; a product is written {name} * (...)"),
    }
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |known: &&str| strsim::damerau_levenshtein(&name.to_lowercase(), known);
    // Of a short name nearly every other is near.
    let allowed = (name.chars().count()).saturating_sub(1).min(2);
    known.min_by_key(distance).filter(|near| distance(near) <= allowed)
}

/// Why a name cannot be defined, if it cannot.
fn is_taken(name: &str) -> Option<String> {
    let is_input = matches!(name, "p" | "y" | "prediction" | "target");
    let is_word = matches!(name, "and" | "or" | "not" | "in" | "formula");
    let is_constant = CONSTANTS.iter().any(|(known, _)| *known == name);
    // What has the name of a function is told from it by the parenthesis that does not follow.
    (is_input || is_word || is_constant)
        .then(|| format!("{name} has a meaning already; take another name"))
}

/// Whether nothing is named but constants.
fn is_constant(tree: &Tree, depth: usize) -> bool {
    let all = |trees: &[&Tree]| trees.iter().all(|tree| is_constant(tree, depth + 1));
    depth <= DEPTH
        && match &tree.kind {
            Kind::Number(_) => true,
            Kind::Name(name) => CONSTANTS.iter().any(|(known, _)| known == name),
            Kind::Call(_, arguments) => arguments.iter().all(|tree| is_constant(tree, depth + 1)),
            Kind::Prefix(_, inner) => all(&[inner]),
            Kind::Infix(_, a, b) => all(&[a, b]),
        }
}

/// A power: whole exponents are multiplied out, so that the base may be negative.
fn power(base: Expr, exponent: Expr) -> Expr {
    match exponent.as_constant() {
        Some(n) if n.fract() == 0.0 && n.abs() <= LARGEST_POWER && base.as_constant().is_none() => {
            let whole = whole_power(base, n.abs() as u32);
            if n < 0.0 { Expr::constant(1.0) / whole } else { whole }
        }
        known => base.power(known.unwrap_or(f64::NAN), || exponent),
    }
}

/// By squaring.
fn whole_power(base: Expr, exponent: u32) -> Expr {
    match exponent {
        0 => Expr::constant(1.0),
        1 => base,
        even if even % 2 == 0 => whole_power(base, even / 2).square(),
        odd => whole_power(base, odd - 1) * base,
    }
}
