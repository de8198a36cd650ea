//! The notation in which descriptions say what a formula of one row cannot: that of formulas as text
//! with `sum_c(x)`, `max_{j != c}(x)` and subscripts, and words between formulas.

use super::math::{Math, Relation};
use super::typeset::{Markup, is_letter, write};

/// Formulas with words between them. What cannot be read as a formula is words.
pub(crate) fn notation<M: Markup>(text: &str) -> String {
    let prose = |words: &str| if words.trim().is_empty() { String::new() } else { M::prose(words) };
    let tokens = tokens(text);
    let mut result = String::new();
    let (mut at, mut words) = (0, 0);
    while at < tokens.len() {
        let mut parser = Parser { tokens: &tokens, at };
        match if parser.begins() { parser.relation() } else { None } {
            Some(math) => {
                result += &prose(&text[words..tokens[at].start]);
                result += &write::<M>(&math);
                at = parser.at;
                words = tokens[at - 1].end();
            }
            None => at += 1,
        }
    }
    result += &prose(&text[words..]);
    result
}

#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    start: usize,
}

impl Token<'_> {
    fn end(&self) -> usize {
        self.start + self.text.len()
    }

    fn is_name(&self) -> bool {
        self.text.starts_with(|c: char| c.is_ascii_alphabetic()) && !self.text.contains('-')
    }

    fn is_number(&self) -> bool {
        self.text.starts_with(|c: char| c.is_ascii_digit())
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(c) = text[start..].chars().next() {
        let rest = &text[start..];
        let run = |belongs: fn(char) -> bool| rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let length = if c.is_ascii_alphabetic() {
            // An underscore belongs to a name if a name or number follows; so does a hyphen.
            let name = &rest[..run(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')];
            name.trim_end_matches(['_', '-']).len()
        } else if c.is_ascii_digit() {
            rest[..run(|c| c.is_ascii_digit() || c == '.')].trim_end_matches('.').len()
        } else if ["!=", "==", "<=", ">="].iter().any(|operator| rest.starts_with(operator)) {
            2
        } else {
            c.len_utf8()
        };
        if !c.is_whitespace() {
            tokens.push(Token { text: &rest[..length], start });
        }
        start += length;
    }
    tokens
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", |token| token.text)
    }

    fn take(&mut self, text: &str) -> bool {
        let taken = self.peek() == text;
        self.at += usize::from(taken);
        taken
    }

    fn expect(&mut self, text: &str) -> Option<()> {
        self.take(text).then_some(())
    }

    /// Whether the next token touches the last one.
    fn touches(&self) -> bool {
        let ends = |last: &Token| self.tokens.get(self.at).is_some_and(|t| t.start == last.end());
        self.at > 0 && self.tokens.get(self.at - 1).is_some_and(ends)
    }

    /// Whether a formula may begin here: a word does so only if an operator follows.
    fn begins(&self) -> bool {
        let Some(token) = self.tokens.get(self.at) else { return false };
        if !token.is_name() {
            return token.is_number() || ["(", "-", "|"].contains(&token.text);
        }
        let next = self.tokens.get(self.at + 1);
        let operators = ["+", "-", "*", "/", "^", "=", "==", "!=", "<", "<=", ">", ">="];
        next.is_some_and(|next| {
            operators.contains(&next.text)
                || ["(", "_"].contains(&next.text) && next.start == token.end()
        }) || token.text.contains('_')
            || token.text != "a" && is_letter(token.text)
    }

    fn relation(&mut self) -> Option<Math> {
        let mut left = self.sum()?;
        loop {
            let relation = match self.peek() {
                "=" | "==" => Relation::Equal,
                "!=" => Relation::NotEqual,
                "<" => Relation::Less,
                "<=" => Relation::AtMost,
                ">" => Relation::Greater,
                ">=" => Relation::AtLeast,
                _ => return Some(left),
            };
            self.at += 1;
            left = left.related(relation, self.sum()?);
        }
    }

    /// What an index goes over: `j != c`, `j not in set`, `j: p_j > t`.
    fn range(&mut self) -> Option<Math> {
        let left = self.relation()?;
        let relation = if self.take("in") {
            Relation::In
        } else if self.take("not") {
            self.expect("in")?;
            Relation::NotIn
        } else if self.take(":") {
            Relation::SuchThat
        } else {
            return Some(left);
        };
        Some(left.related(relation, self.relation()?))
    }

    fn sum(&mut self) -> Option<Math> {
        let mut terms = vec![self.product()?];
        loop {
            if self.take("+") {
                terms.push(self.product()?);
            } else if self.take("-") {
                terms.push(self.product()?.negated());
            } else {
                return Some(Math::sum(terms));
            }
        }
    }

    fn product(&mut self) -> Option<Math> {
        let mut left = self.signed()?;
        loop {
            if self.take("*") {
                left = left.times(self.signed()?);
            } else if self.take("/") {
                left = left.over(self.signed()?);
            } else {
                return Some(left);
            }
        }
    }

    fn signed(&mut self) -> Option<Math> {
        if self.take("-") { Some(self.signed()?.negated()) } else { self.power() }
    }

    fn power(&mut self) -> Option<Math> {
        let mut base = self.atom()?;
        while self.peek() == "_" && self.touches() {
            self.at += 1;
            base = base.subscript(self.subscript()?);
        }
        if self.take("^") { Some(base.power(self.signed()?)) } else { Some(base) }
    }

    fn subscript(&mut self) -> Option<Math> {
        let (open, close) = match self.peek() {
            "{" => ("{", "}"),
            "(" => ("(", ")"),
            _ => return self.atom(),
        };
        self.expect(open)?;
        let range = self.range()?;
        self.expect(close)?;
        Some(range)
    }

    fn atom(&mut self) -> Option<Math> {
        let token = *self.tokens.get(self.at)?;
        self.at += 1;
        if token.text == "(" {
            let inside = self.relation()?;
            self.expect(")")?;
            return Some(inside);
        }
        if token.text == "|" {
            let inside = self.sum()?;
            self.expect("|")?;
            return Some(Math::call("abs", vec![inside]));
        }
        if token.is_number() {
            return token.text.parse().ok().map(Math::Number);
        }
        if !token.is_name() {
            return None;
        }
        let operator = token.text.split('_').next().unwrap_or_default();
        let is_operator = ["sum", "max", "min"].contains(&operator);
        if is_operator && self.peek() == "_" && self.touches() {
            self.at += 1;
            let range = self.subscript()?;
            return Some(self.parentheses()?.over_index(operator, Some(range)));
        }
        if self.peek() != "(" || !self.touches() {
            return Some(Math::symbol(token.text));
        }
        if is_operator && let Some((_, index)) = token.text.split_once('_') {
            let range = Math::symbol(index);
            return Some(self.parentheses()?.over_index(operator, Some(range)));
        }
        self.at += 1;
        let mut arguments = vec![self.relation()?];
        while self.take(",") {
            arguments.push(self.relation()?);
        }
        self.expect(")")?;
        if token.text == "sum" && arguments.len() == 1 {
            return arguments.pop().map(Math::summed);
        }
        Some(Math::call(token.text, arguments))
    }

    fn parentheses(&mut self) -> Option<Math> {
        self.expect("(")?;
        let inside = self.relation()?;
        self.expect(")")?;
        Some(inside)
    }
}
