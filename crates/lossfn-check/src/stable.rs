//! Stable forms of formulas: one table of what is written by the textbook and loses digits or
//! overflows, each beside the same function in a form that does not.

use lossfn::Formula;
use lossfn::number::{Binary, Expr, Node, Number, Unary};
use std::collections::{HashMap, HashSet};

/// A form to be replaced, and what takes its place. `a` is anything that depends on the data, `b`
/// anything but a number.
type Rule = fn(Expr, Expr) -> [Expr; 2];

fn one() -> Expr {
    Expr::constant(1.0)
}

/// The first rule that applies anywhere is applied first.
const RULES: &[Rule] = &[
    |a, _| [a.exp().ln(), a],
    |a, _| [(a * a).sqrt(), a.abs()],
    // The logistic function and what is made of it.
    |a, _| [((a.exp() + (-a).exp()) / 2.0).ln(), a.ln_cosh()],
    |a, _| [((a.exp() + (-a).exp()) * 0.5).ln(), a.ln_cosh()],
    |a, _| [(a.exp() + 1.0).ln(), a.softplus()],
    |a, _| [a.exp().ln1p(), a.softplus()],
    |a, _| [one() / (a.exp() + 1.0), (-a).sigmoid()],
    |a, _| [a.exp() / (a.exp() + 1.0), a.sigmoid()],
    |a, _| [one() - a.sigmoid(), (-a).sigmoid()],
    |a, _| [a.sigmoid().ln(), -(-a).softplus()],
    |a, b| [a.exp() / (a.exp() + b.exp()), (a - b).sigmoid()],
    |a, b| [(a.exp() + b.exp()).ln(), b + (a - b).softplus()],
    |a, _| [a.softplus() - a, (-a).softplus()],
    |a, _| [(-a.abs()).softplus() + a.positive_part(), a.softplus()],
    |a, _| [(-a.abs()).softplus() - a.min(Expr::constant(0.0)), (-a).softplus()],
    // Hyperbolic functions.
    |a, _| [(a.exp() - (-a).exp()) / (a.exp() + (-a).exp()), a.tanh()],
    |a, _| [((a * 2.0).exp() - 1.0) / ((a * 2.0).exp() + 1.0), a.tanh()],
    |a, _| [one() - a.tanh(), (-(a * 2.0)).sigmoid() * 2.0],
    |a, _| [a.tanh() + 1.0, (a * 2.0).sigmoid() * 2.0],
    // Differences of nearly equal numbers.
    |a, _| [a.exp() - 1.0, a.expm1()],
    |a, _| [(a + 1.0).ln(), a.ln1p()],
    |a, _| [(one() - a).ln(), (-a).ln1p()],
    |a, _| [one() - a.cos(), (a / 2.0).sin().square() * 2.0],
    |a, _| [(a + 1.0).sqrt() - 1.0, a / ((a + 1.0).sqrt() + 1.0)],
    |a, _| [one() - (one() - a).sqrt(), a / ((one() - a).sqrt() + 1.0)],
    |a, b| [(a * a + b).sqrt() - b.sqrt(), a * a / ((a * a + b).sqrt() + b.sqrt())],
    |a, b| [(a * a + b * b).sqrt() - b, a * a / ((a * a + b * b).sqrt() + b)],
    // 0 ln 0.
    |a, b| [a * (one() - b).ln(), a.xlog1py(-b)],
    |a, b| [a * b.ln(), a.xlogy(b)],
    |a, b| [a * b.ln1p(), a.xlog1py(b)],
];

/// More than any formula needs.
const MOST_STEPS: usize = 64;

/// The nodes that stand for `a` and `b`.
type Bindings = [Option<usize>; 2];

/// A rule as a graph: the form and its replacement.
struct Pattern {
    formula: Formula,
}

impl Pattern {
    fn new(rule: Rule) -> Self {
        let formula = Formula::trace(|| rule(Expr::symbol("a"), Expr::symbol("b")));
        Self { formula }
    }

    fn node(&self, at: usize) -> Node {
        self.formula.nodes[at]
    }

    /// Which of `a` and `b` a node is.
    fn wildcard(&self, at: usize) -> Option<usize> {
        match self.node(at) {
            Node::Symbol(name) => ["a", "b"].iter().position(|known| *known == name),
            _ => None,
        }
    }
}

/// Nodes, each of which is there once.
struct Graph<'a> {
    nodes: Vec<Node>,
    places: HashMap<Node, usize>,
    /// The symbols that are parameters, with their values.
    parameters: &'a [(&'static str, f64)],
}

/// Whether the operands may change places.
fn commutes(function: Binary) -> bool {
    matches!(function, Binary::Add | Binary::Multiply | Binary::Max | Binary::Min)
}

impl<'a> Graph<'a> {
    fn new(parameters: &'a [(&'static str, f64)]) -> Self {
        Self { nodes: Vec::new(), places: HashMap::new(), parameters }
    }

    /// The place of a node; signs are moved outwards as far as that keeps formulas readable.
    fn put(&mut self, node: Node) -> usize {
        let negated = |at: usize| match self.nodes[at] {
            Node::Unary(Unary::Negate, x) => Some(x),
            _ => None,
        };
        let simple = match node {
            Node::Unary(Unary::Negate, x) => match self.nodes[x] {
                Node::Unary(Unary::Negate, inner) => return inner,
                Node::Binary(Binary::Subtract, a, b) => Node::Binary(Binary::Subtract, b, a),
                Node::Constant(bits) => Node::Constant((-f64::from_bits(bits) + 0.0).to_bits()),
                _ => node,
            },
            Node::Binary(Binary::Add, a, b) => match (negated(a), negated(b)) {
                (_, Some(b)) => return self.put(Node::Binary(Binary::Subtract, a, b)),
                (Some(a), None) => return self.put(Node::Binary(Binary::Subtract, b, a)),
                _ => node,
            },
            Node::Binary(Binary::Subtract, a, b) => match negated(b) {
                Some(b) => return self.put(Node::Binary(Binary::Add, a, b)),
                None => node,
            },
            Node::Binary(function @ (Binary::Multiply | Binary::Divide), a, b) => {
                match (negated(a), negated(b)) {
                    (Some(a), Some(b)) => return self.put(Node::Binary(function, a, b)),
                    (Some(x), None) => {
                        let product = self.put(Node::Binary(function, x, b));
                        return self.put(Node::Unary(Unary::Negate, product));
                    }
                    (None, Some(x)) => {
                        let product = self.put(Node::Binary(function, a, x));
                        return self.put(Node::Unary(Unary::Negate, product));
                    }
                    (None, None) => node,
                }
            }
            Node::Binary(function @ (Binary::Xlogy | Binary::Xlog1py), a, b) => match negated(a) {
                Some(a) => {
                    let product = self.put(Node::Binary(function, a, b));
                    return self.put(Node::Unary(Unary::Negate, product));
                }
                None => node,
            },
            _ => node,
        };
        self.intern(simple)
    }

    fn intern(&mut self, node: Node) -> usize {
        let next = self.nodes.len();
        let place = *self.places.entry(node).or_insert(next);
        if place == next {
            self.nodes.push(node);
        }
        place
    }

    /// A node with its operands elsewhere.
    fn moved(&mut self, node: Node, to: &impl Fn(usize) -> usize) -> usize {
        let moved = match node {
            Node::Constant(_) | Node::Symbol(_) => node,
            Node::Unary(function, x) => Node::Unary(function, to(x)),
            Node::Binary(function, x, y) => Node::Binary(function, to(x), to(y)),
            Node::Compare(comparison, x, y) => Node::Compare(comparison, to(x), to(y)),
            Node::And(x, y) => Node::And(to(x), to(y)),
            Node::Or(x, y) => Node::Or(to(x), to(y)),
            Node::Not(x) => Node::Not(to(x)),
            Node::Select(x, y, z) => Node::Select(to(x), to(y), to(z)),
        };
        self.put(moved)
    }

    /// Whether a node may stand for `a` (0) or `b` (1).
    fn may_be(&self, wildcard: usize, at: usize) -> bool {
        match self.nodes[at] {
            Node::Constant(_) => false,
            _ if wildcard == 1 => true,
            Node::Symbol(name) => self.parameters.iter().all(|(known, _)| *known != name),
            node => node.operands().into_iter().any(|operand| self.may_be(0, operand)),
        }
    }

    /// Whether one node is the other with its sign changed, as formulas are simplified.
    fn is_negation(&self, a: usize, b: usize) -> bool {
        match (self.nodes[a], self.nodes[b]) {
            (Node::Unary(Unary::Negate, x), _) if x == b => true,
            (_, Node::Unary(Unary::Negate, x)) if x == a => true,
            (Node::Binary(Binary::Subtract, p, q), Node::Binary(Binary::Subtract, r, s)) => {
                (p, q) == (s, r)
            }
            (Node::Binary(Binary::Multiply, c, x), Node::Binary(Binary::Multiply, d, y)) => {
                match (self.nodes[c], self.nodes[d]) {
                    (Node::Constant(c), Node::Constant(d)) => {
                        x == y && f64::from_bits(c) == -f64::from_bits(d)
                    }
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// All the ways in which the form at `place` of a pattern is the node at `at`.
    fn matches(&self, pattern: &Pattern, place: usize, at: usize, with: Bindings) -> Vec<Bindings> {
        if let Some(wildcard) = pattern.wildcard(place) {
            return match with[wildcard] {
                Some(bound) if bound == at => vec![with],
                None if self.may_be(wildcard, at) => {
                    let mut with = with;
                    with[wildcard] = Some(at);
                    vec![with]
                }
                _ => Vec::new(),
            };
        }
        match (pattern.node(place), self.nodes[at]) {
            (Node::Constant(a), Node::Constant(b)) if a == b => vec![with],
            (Node::Unary(f, x), Node::Unary(g, y)) if f == g => self.matches(pattern, x, y, with),
            (Node::Unary(Unary::Negate, x), _) => match pattern.wildcard(x).map(|w| with[w]) {
                Some(Some(bound)) if self.is_negation(bound, at) => vec![with],
                _ => Vec::new(),
            },
            (Node::Binary(f, a, b), Node::Binary(g, x, y)) if f == g => {
                let both = |x: usize, y: usize| -> Vec<Bindings> {
                    let first = self.matches(pattern, a, x, with);
                    first.into_iter().flat_map(|with| self.matches(pattern, b, y, with)).collect()
                };
                let mut ways = both(x, y);
                if commutes(f) && x != y {
                    ways.extend(both(y, x));
                }
                ways
            }
            _ => Vec::new(),
        }
    }

    /// The terms of a sum in their order: whether each is taken away, and the term; of a negative
    /// number, that without its sign.
    fn terms(&mut self, at: usize, is_taken: bool, terms: &mut Vec<(bool, usize)>) {
        match self.nodes[at] {
            Node::Binary(Binary::Add, a, b) => {
                self.terms(a, is_taken, terms);
                self.terms(b, is_taken, terms);
            }
            Node::Binary(Binary::Subtract, a, b) => {
                self.terms(a, is_taken, terms);
                self.terms(b, !is_taken, terms);
            }
            Node::Unary(Unary::Negate, x) => self.terms(x, !is_taken, terms),
            Node::Constant(bits) if f64::from_bits(bits) < 0.0 => {
                let positive = self.intern(Node::Constant((-f64::from_bits(bits)).to_bits()));
                terms.push((!is_taken, positive));
            }
            _ => terms.push((is_taken, at)),
        }
    }

    /// A sum in which the next terms of a list are in the places of its own, `None` for one that is
    /// left out. What is not touched stays as it was grouped.
    fn with_terms(
        &mut self,
        at: usize,
        terms: &mut impl Iterator<Item = Option<usize>>,
    ) -> Option<usize> {
        match self.nodes[at] {
            Node::Binary(function @ (Binary::Add | Binary::Subtract), a, b) => {
                let (a, b) = (self.with_terms(a, terms), self.with_terms(b, terms));
                match (a, b) {
                    (Some(a), Some(b)) => Some(self.put(Node::Binary(function, a, b))),
                    (None, Some(b)) if function == Binary::Subtract => {
                        Some(self.put(Node::Unary(Unary::Negate, b)))
                    }
                    (a, b) => a.or(b),
                }
            }
            Node::Unary(Unary::Negate, x) => {
                let x = self.with_terms(x, terms)?;
                Some(self.put(Node::Unary(Unary::Negate, x)))
            }
            Node::Constant(bits) if f64::from_bits(bits) < 0.0 => {
                let x = terms.next()??;
                Some(self.put(Node::Unary(Unary::Negate, x)))
            }
            _ => terms.next()?,
        }
    }

    /// A pattern's node with what `a` and `b` stand for.
    fn filled(&mut self, pattern: &Pattern, place: usize, with: Bindings) -> Option<usize> {
        if let Some(wildcard) = pattern.wildcard(place) {
            return with[wildcard];
        }
        let node = pattern.node(place);
        let mut operands = HashMap::new();
        for operand in node.operands() {
            operands.insert(operand, self.filled(pattern, operand, with)?);
        }
        Some(self.moved(node, &|at| operands[&at]))
    }

    /// What takes the place of a node by a rule.
    fn replaced(&mut self, pattern: &Pattern, at: usize) -> Option<usize> {
        let [form, replacement] = [pattern.formula.results[0], pattern.formula.results[1]];
        if let Some(&with) = self.matches(pattern, form, at, [None; 2]).first() {
            return self.filled(pattern, replacement, with);
        }
        // Two terms of a longer sum, in any order, both with their sign or both with the other.
        let is_sum = |node| matches!(node, Node::Binary(Binary::Add | Binary::Subtract, ..));
        let Node::Binary(function @ (Binary::Add | Binary::Subtract), a, b) = pattern.node(form)
        else {
            return None;
        };
        if !is_sum(self.nodes[at]) {
            return None;
        }
        let mut terms = Vec::new();
        self.terms(at, false, &mut terms);
        for (i, &(is_first_taken, first)) in terms.iter().enumerate() {
            for with in self.matches(pattern, a, first, [None; 2]) {
                for (j, &(is_taken, second)) in terms.iter().enumerate() {
                    let is_alike = (is_first_taken == is_taken) == (function == Binary::Add);
                    if i == j || !is_alike {
                        continue;
                    }
                    let Some(&with) = self.matches(pattern, b, second, with).first() else {
                        continue;
                    };
                    let new = self.filled(pattern, replacement, with)?;
                    let mut places = (0..terms.len()).map(|place| match place {
                        place if place == i => Some(new),
                        place if place == j => None,
                        place => Some(terms[place].1),
                    });
                    return self.with_terms(at, &mut places);
                }
            }
        }
        None
    }

    /// The nodes that a node is made of, itself included, the outermost first.
    fn parts(&self, root: usize) -> Vec<usize> {
        let (mut seen, mut order, mut due) = (HashSet::new(), Vec::new(), vec![root]);
        while let Some(at) = due.pop() {
            if seen.insert(at) {
                order.push(at);
                due.extend(self.nodes[at].operands());
            }
        }
        order
    }

    /// A node in which one of its parts is another.
    fn with(
        &mut self,
        root: usize,
        part: usize,
        new: usize,
        known: &mut HashMap<usize, usize>,
    ) -> usize {
        if root == part {
            return new;
        }
        if let Some(&place) = known.get(&root) {
            return place;
        }
        let node = self.nodes[root];
        let operands: HashMap<usize, usize> = node
            .operands()
            .into_iter()
            .map(|operand| (operand, self.with(operand, part, new, known)))
            .collect();
        let place = self.moved(node, &|at| operands[&at]);
        known.insert(root, place);
        place
    }

    /// The formula of one of its nodes.
    fn formula(&self, root: usize) -> Formula {
        // Operands come before what is made of them.
        let mut parts = self.parts(root);
        parts.sort_unstable();
        let mut places = HashMap::new();
        let mut fresh = Graph::new(self.parameters);
        for at in parts {
            let place = fresh.moved(self.nodes[at], &|x| places[&x]);
            places.insert(at, place);
        }
        Formula {
            nodes: fresh.nodes,
            results: vec![places[&root]],
            parameters: self.parameters.to_vec(),
        }
    }
}

/// The forms that the first result of a formula takes as one rule after the other is applied to it;
/// none if none applies. Whether one is better is for the caller to see, and whether it is the same
/// function for all data: sums and products are taken apart as for real numbers.
#[must_use]
pub fn stable_forms(formula: &Formula) -> Vec<Formula> {
    let patterns: Vec<Pattern> = RULES.iter().copied().map(Pattern::new).collect();
    let mut graph = Graph::new(&formula.parameters);
    let mut places: Vec<usize> = Vec::new();
    for node in &formula.nodes {
        let place = graph.moved(*node, &|at| places[at]);
        places.push(place);
    }
    let Some(&result) = formula.results.first() else { return Vec::new() };
    let mut root = places[result];
    let (mut seen, mut forms) = (HashSet::from([root]), Vec::new());
    for _ in 0..MOST_STEPS {
        let parts = graph.parts(root);
        let step = patterns.iter().find_map(|pattern| {
            parts.iter().find_map(|&at| {
                let new = graph.replaced(pattern, at)?;
                let next = graph.with(root, at, new, &mut HashMap::new());
                (!seen.contains(&next)).then_some(next)
            })
        });
        let Some(next) = step else { break };
        seen.insert(next);
        root = next;
        forms.push(graph.formula(root));
    }
    forms
}
