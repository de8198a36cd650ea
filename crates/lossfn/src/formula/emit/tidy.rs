//! Formulas as they are computed: constants folded, differences that lose digits in a better form,
//! NaN kept.

use super::portable;
use super::writer::{self, Dialect};
use crate::number::{Binary, Comparison, Condition, Expr, Formula, Node, Number, Unary};

/// A formula, and what each of its nodes becomes in another.
struct Rewriting<'a> {
    formula: &'a Formula,
    uses: Vec<usize>,
    /// What depends on parameters alone.
    fixed: Vec<bool>,
    slots: Vec<Slot>,
}

#[derive(Clone, Copy)]
enum Slot {
    Number(Expr),
    Condition(Condition),
}

/// The formula with another node wherever the rule gives one; `result` sees each result at last.
fn rewrite(
    formula: &Formula,
    data: &[&str],
    rule: impl Fn(&Rewriting, usize) -> Option<Slot>,
    result: impl Fn(&Rewriting, usize) -> Expr,
) -> Formula {
    Formula::trace(|| {
        let uses = uses(formula, &formula.results);
        let fixed = depends_only(formula, |name| !data.contains(&name));
        let mut rewriting = Rewriting { formula, uses, fixed, slots: Vec::new() };
        for at in 0..formula.nodes.len() {
            let slot = rule(&rewriting, at).unwrap_or_else(|| rewriting.same(at));
            rewriting.slots.push(slot);
        }
        formula.results.iter().map(|&at| result(&rewriting, at)).collect::<Vec<_>>()
    })
}

/// How often each node is used by nodes that a result needs, and by results.
pub(super) fn uses(formula: &Formula, results: &[usize]) -> Vec<usize> {
    let mut uses = vec![0; formula.nodes.len()];
    for &at in results {
        uses[at] += 1;
    }
    for at in (0..uses.len()).rev().filter(|&at| at < formula.nodes.len()) {
        if uses[at] > 0 {
            for operand in formula.nodes[at].operands() {
                uses[operand] += 1;
            }
        }
    }
    uses
}

impl Rewriting<'_> {
    fn number(&self, at: usize) -> Expr {
        match self.slots[at] {
            Slot::Number(expr) => expr,
            Slot::Condition(condition) => {
                Expr::select(condition, Expr::constant(1.0), Expr::constant(0.0))
            }
        }
    }

    fn condition(&self, at: usize) -> Condition {
        match self.slots[at] {
            Slot::Number(expr) => !expr.equals(Expr::constant(0.0)),
            Slot::Condition(condition) => condition,
        }
    }

    fn same(&self, at: usize) -> Slot {
        let number = |at| self.number(at);
        let condition = |at| self.condition(at);
        match self.formula.nodes[at] {
            Node::Constant(bits) => Slot::Number(Expr::constant(f64::from_bits(bits))),
            Node::Symbol(name) => Slot::Number(Expr::symbol(name)),
            Node::Unary(function, x) => Slot::Number(function.apply(number(x))),
            Node::Binary(Binary::Power, x, y) => {
                // The exponent is looked at if it is a constant alone.
                Slot::Number(number(x).power(f64::NAN, || number(y)))
            }
            Node::Binary(function, x, y) => Slot::Number(function.apply(number(x), number(y))),
            Node::Compare(comparison, x, y) => {
                Slot::Condition(comparison.apply(number(x), number(y)))
            }
            Node::And(a, b) => Slot::Condition(condition(a) & condition(b)),
            Node::Or(a, b) => Slot::Condition(condition(a) | condition(b)),
            Node::Not(a) => Slot::Condition(!condition(a)),
            Node::Select(c, a, b) => Slot::Number(Expr::select(condition(c), number(a), number(b))),
        }
    }

    fn node(&self, at: usize) -> Node {
        self.formula.nodes[at]
    }

    fn is(&self, at: usize, constant: f64) -> bool {
        self.node(at) == Node::Constant(constant.to_bits())
    }

    /// What 1 is added to.
    fn one_less(&self, at: usize) -> Option<usize> {
        match self.node(at) {
            Node::Binary(Binary::Add, x, one) if self.is(one, 1.0) => Some(x),
            Node::Binary(Binary::Add, one, x) if self.is(one, 1.0) => Some(x),
            _ => None,
        }
    }

    /// What is taken from 1.
    fn rest_to_one(&self, at: usize) -> Option<usize> {
        match self.node(at) {
            Node::Binary(Binary::Subtract, one, x) if self.is(one, 1.0) => Some(x),
            _ => None,
        }
    }

    /// A form that keeps its digits where terms nearly cancel, and that people read more easily.
    fn better(&self, at: usize) -> Option<Slot> {
        let number = |at| self.number(at);
        Some(Slot::Number(match self.node(at) {
            Node::Binary(Binary::Subtract, x, one) if self.is(one, 1.0) => match self.node(x) {
                Node::Unary(Unary::Exp, x) => number(x).expm1(),
                Node::Unary(Unary::Sqrt, x) => {
                    let x = number(self.one_less(x)?);
                    x / ((x + 1.0).sqrt() + 1.0)
                }
                Node::Binary(Binary::Power, base, exponent) => {
                    (number(exponent) * number(self.one_less(base)?).ln1p()).expm1()
                }
                _ => return None,
            },
            // e^x - 1 - x
            Node::Binary(Binary::Subtract, growth, x) if self.is_growth(growth, x) => {
                let x = number(x);
                let one = Expr::constant(1.0);
                let series = (3..=11).rev().fold(one, |sum, k| sum * x / f64::from(k) + 1.0);
                let near = x.abs().less_than(Expr::constant(0.25));
                Expr::select(near, x.square() * series / 2.0, x.expm1() - x)
            }
            // 1 - (1 - x)³
            Node::Binary(Binary::Subtract, one, cube) if self.is(one, 1.0) => {
                let Node::Binary(Binary::Multiply, a, b) = self.node(cube) else { return None };
                let is_square = |at, x| self.node(at) == Node::Binary(Binary::Multiply, x, x);
                let side = if is_square(b, a) { a } else { b };
                if !is_square(a, b) && !is_square(b, a) {
                    return None;
                }
                let x = number(self.rest_to_one(side)?);
                x * (x * (x - 3.0) + 3.0)
            }
            Node::Unary(Unary::Abs, x) => match self.node(x) {
                Node::Unary(Unary::Negate, x) => number(x).abs(),
                _ => return None,
            },
            Node::Binary(Binary::Multiply, x, y) => return self.product(x, y).map(Slot::Number),
            Node::Compare(comparison, x, y) => {
                let difference = |at| match self.node(at) {
                    Node::Binary(Binary::Subtract, a, b) => Some((a, b)),
                    _ => None,
                };
                // Infinity less infinity is not 0.
                if comparison == Comparison::Equal {
                    return None;
                }
                let negated = |at| match self.node(at) {
                    Node::Unary(Unary::Negate, x) => Some(x),
                    _ => None,
                };
                let zero = || Expr::constant(0.0);
                match (negated(x), negated(y)) {
                    (Some(x), _) if self.is(y, 0.0) => {
                        return Some(Slot::Condition(comparison.apply(zero(), number(x))));
                    }
                    (_, Some(y)) if self.is(x, 0.0) => {
                        return Some(Slot::Condition(comparison.apply(number(y), zero())));
                    }
                    _ => {}
                }
                let (a, b) = match (difference(x), difference(y)) {
                    (Some((a, b)), _) if self.is(y, 0.0) => (a, b),
                    (_, Some((a, b))) if self.is(x, 0.0) => (b, a),
                    _ => return None,
                };
                return Some(Slot::Condition(comparison.apply(number(a), number(b))));
            }
            _ => return None,
        }))
    }

    fn is_growth(&self, at: usize, x: usize) -> bool {
        matches!(self.node(at), Node::Binary(Binary::Subtract, e, one)
            if self.is(one, 1.0) && self.node(e) == Node::Unary(Unary::Exp, x))
    }

    fn product(&self, x: usize, y: usize) -> Option<Expr> {
        let constant = |at| match self.node(at) {
            Node::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        };
        let once = |at: usize| self.uses[at] == 1;
        // x (1 / y)
        for (x, y) in [(x, y), (y, x)] {
            if let Node::Binary(Binary::Divide, one, bottom) = self.node(y)
                && self.is(one, 1.0)
                && (once(y) || matches!(self.node(bottom), Node::Symbol(_)) && self.fixed[bottom])
            {
                return Some(self.number(x) / self.number(bottom));
            }
        }
        // c (d x / y)
        if let (Some(factor), Node::Binary(Binary::Divide, top, bottom)) =
            (constant(x), self.node(y))
            && let Node::Binary(Binary::Multiply, inner, rest) = self.node(top)
            && let Some(inner) = constant(inner)
            && once(y)
        {
            return Some(self.number(rest) * (factor * inner) / self.number(bottom));
        }
        // c where(condition, a, b) with constants
        for (x, y) in [(x, y), (y, x)] {
            if let Node::Select(condition, a, b) = self.node(x)
                && let (Some(a), Some(b)) = (constant(a), constant(b))
                && once(x)
                && matches!(self.node(y), Node::Constant(_) | Node::Symbol(_))
                && self.fixed[y]
            {
                let factor = self.number(y);
                let scaled = |c: f64| if c == 0.0 { Expr::constant(0.0) } else { factor * c };
                return Some(Expr::select(self.condition(condition), scaled(a), scaled(b)));
            }
        }
        None
    }
}

/// For each node whether it depends on none but these symbols.
pub(super) fn depends_only(formula: &Formula, symbols: impl Fn(&str) -> bool) -> Vec<bool> {
    let mut only: Vec<bool> = Vec::with_capacity(formula.nodes.len());
    for node in &formula.nodes {
        only.push(match node {
            Node::Symbol(name) => symbols(name),
            node => node.operands().into_iter().all(|operand| only[operand]),
        });
    }
    only
}

/// Which data each node surely is NaN for, if that is.
fn carried(formula: &Formula, data: &[&str], dialect: &Dialect) -> Vec<Vec<bool>> {
    let signs = writer::signs(formula);
    let mut carried: Vec<Vec<bool>> = Vec::with_capacity(formula.nodes.len());
    for (at, node) in formula.nodes.iter().enumerate() {
        let of = |at: usize| carried[at].iter().copied();
        let now = match *node {
            Node::Symbol(name) => data.iter().map(|symbol| *symbol == &*name).collect(),
            Node::Unary(_, x) if dialect.keeps_nan(formula, &signs, at) => of(x).collect(),
            Node::Binary(_, x, y) if dialect.keeps_nan(formula, &signs, at) => {
                of(x).zip(of(y)).map(|(x, y)| x | y).collect()
            }
            Node::Select(_, x, y) if dialect.keeps_nan(formula, &signs, at) => {
                of(x).zip(of(y)).map(|(x, y)| x & y).collect()
            }
            _ => vec![false; data.len()],
        };
        carried.push(now);
    }
    carried
}

/// The formula as a language computes it. `known` has the values of symbols that are written as
/// numbers.
pub(super) fn tidied(
    formula: &Formula,
    data: &[&str],
    dialect: &Dialect,
    known: impl Fn(&str) -> Option<f64>,
) -> Formula {
    let fixed = depends_only(formula, |name| known(name).is_some());
    let everything = Formula { nodes: formula.nodes.clone(), results: (0..fixed.len()).collect() };
    // What is not fixed is not looked at.
    let value = |name: &str| Some(known(name).unwrap_or(f64::NAN));
    let values: Vec<f64> = everything.evaluate(|name| value(&name)).unwrap_or_default();
    let folded = |rewriting: &Rewriting, at: usize| {
        let is_number = !matches!(
            rewriting.node(at),
            Node::Compare(..) | Node::And(..) | Node::Or(..) | Node::Not(..)
        );
        let constant = || Slot::Number(Expr::constant(values[at]));
        (fixed[at] && is_number).then(constant)
    };
    let same = |rewriting: &Rewriting, at: usize| rewriting.number(at);
    let mut formula = rewrite(formula, data, folded, same);
    formula = rewrite(&formula, data, |rewriting, at| rewriting.better(at), same);
    while dialect.function.is_none() && formula.nodes.iter().any(|node| lacking(dialect, node)) {
        formula = rewrite(&formula, data, |rewriting, at| inlined(rewriting, at, dialect), same);
        formula = rewrite(&formula, data, |rewriting, at| rewriting.better(at), same);
    }
    let carried = carried(&formula, data, dialect);
    rewrite(
        &formula,
        data,
        |_, _| None,
        |rewriting, at| {
            let lost = data.iter().zip(&carried[at]).filter(|(_, carried)| !**carried);
            let lost: Vec<Expr> = lost.filter_map(|(name, _)| symbol(&formula, name)).collect();
            let result = rewriting.number(at);
            let found = match lost[..] {
                [] => return result,
                // The residual, which there may be.
                [p, y] if data.len() == 2 && data[0] == "p" => p - y,
                _ => lost.into_iter().reduce(|sum, symbol| sum + symbol).unwrap_or(result),
            };
            Expr::select(!found.equals(found), found, result)
        },
    )
}

fn symbol(formula: &Formula, name: &str) -> Option<Expr> {
    formula.nodes.iter().find_map(|node| match *node {
        Node::Symbol(symbol) if &*symbol == name => Some(Expr::symbol(symbol)),
        _ => None,
    })
}

fn lacking(dialect: &Dialect, node: &Node) -> bool {
    writer::function_of(node)
        .is_some_and(|name| dialect.named(name).is_none() && portable::definition(name).is_some())
}

fn inlined(rewriting: &Rewriting, at: usize, dialect: &Dialect) -> Option<Slot> {
    let node = rewriting.node(at);
    if !lacking(dialect, &node) {
        return None;
    }
    let definition = portable::definition(writer::function_of(&node)?)?;
    let operands = node.operands();
    let argument = |name: &str| operands.get(usize::from(name == "y"));
    let values =
        definition.evaluate(|name| argument(&name).map(|&at| rewriting.number(at))).ok()?;
    values.first().copied().map(Slot::Number)
}
