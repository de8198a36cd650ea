//! Formulas that are not compiled in: steps over blocks of numbers, each a loop that is.
//!
//! A step does one thing to as many numbers as stay in the first-level cache together with all that
//! is kept between steps, so what the steps themselves cost is shared by many examples.

use super::isa::{self, Work};
use super::{InstructionSet, Outputs, finished};
use crate::number::{
    Binary, Comparison, Formula, Isa, Lane, Node, Number, Real, Unary, for_each, pick,
};

/// The numbers that a step is done to, in bytes.
const BYTES: usize = 1024;

/// The steps that compute some results of a formula of `p` and `y`.
pub(crate) struct Tape {
    steps: Vec<Step>,
    /// Registers that hold the same number for all examples, behind those of `p` and `y`.
    constants: Vec<f64>,
    registers: usize,
    results: Vec<usize>,
}

/// One thing that is done to registers: first the one that is written.
#[derive(Clone, Copy, Debug)]
enum Step {
    Unary(Unary, usize, usize),
    Binary(Binary, usize, usize, usize),
    Power(usize, usize, f64),
    /// 1 where it holds, else 0.
    Compare(Comparison, usize, usize, usize),
    And(usize, usize, usize),
    Or(usize, usize, usize),
    Not(usize, usize),
    Select(usize, usize, usize, usize),
}

/// The registers of the inputs.
const PREDICTION: usize = 0;
const TARGET: usize = 1;
const INPUTS: usize = 2;

impl Tape {
    /// The steps to the first results of a formula: as many as derivatives are wanted, and one.
    pub fn new(formula: &Formula, order: usize) -> Self {
        let results = &formula.results[..=order];
        let known = formula.known();
        // What a node reads, if what is known beforehand is not computed.
        let reads = |at: usize| match formula.nodes[at] {
            _ if known[at].is_some() => Vec::new(),
            Node::Binary(Binary::Power, x, y) if known[y].is_some() => vec![x],
            node => node.operands(),
        };
        let count = formula.nodes.len();
        let mut last_use = vec![None; count];
        for &at in results {
            last_use[at] = Some(count);
        }
        for at in (0..count).rev().filter(|&at| known[at].is_none()) {
            if last_use[at].is_some() {
                for read in reads(at) {
                    last_use[read] = last_use[read].max(Some(at));
                }
            }
        }
        let mut tape = Self { steps: vec![], constants: vec![], registers: 0, results: vec![] };
        let mut places = vec![0; count];
        for at in (0..count).filter(|&at| last_use[at].is_some()) {
            if let Some(value) = known[at] {
                places[at] = INPUTS + tape.constants.len();
                tape.constants.push(value);
            }
        }
        tape.registers = INPUTS + tape.constants.len();
        let mut free: Vec<usize> = Vec::new();
        for at in (0..count).filter(|&at| last_use[at].is_some() && known[at].is_none()) {
            if let Node::Symbol(name) = formula.nodes[at] {
                places[at] = if name == "p" { PREDICTION } else { TARGET };
                continue;
            }
            // A register that is read is not written in the same step.
            let to = free.pop().unwrap_or_else(|| {
                tape.registers += 1;
                tape.registers - 1
            });
            places[at] = to;
            let place = |at: usize| places[at];
            tape.steps.push(match formula.nodes[at] {
                Node::Binary(Binary::Power, x, y) if let Some(exponent) = known[y] => {
                    Step::Power(to, place(x), exponent)
                }
                Node::Unary(function, x) => Step::Unary(function, to, place(x)),
                Node::Binary(function, x, y) => Step::Binary(function, to, place(x), place(y)),
                Node::Compare(comparison, x, y) => {
                    Step::Compare(comparison, to, place(x), place(y))
                }
                Node::And(x, y) => Step::And(to, place(x), place(y)),
                Node::Or(x, y) => Step::Or(to, place(x), place(y)),
                Node::Not(x) => Step::Not(to, place(x)),
                Node::Select(condition, a, b) => {
                    Step::Select(to, place(condition), place(a), place(b))
                }
                Node::Constant(_) | Node::Symbol(_) => unreachable!("they are known"),
            });
            let mut read = reads(at);
            read.sort_unstable();
            read.dedup();
            let is_done = |&read: &usize| last_use[read] == Some(at) && known[read].is_none();
            let is_input = |read: usize| matches!(formula.nodes[read], Node::Symbol(_));
            free.extend(
                read.iter().filter(|read| is_done(read) && !is_input(**read)).map(|&r| places[r]),
            );
        }
        tape.results = results.iter().map(|&at| places[at]).collect();
        tape
    }

    /// Computes a block.
    pub fn run<T: Real>(
        &self,
        set: InstructionSet,
        prediction: &[T],
        target: &[T],
        to: Outputs<T>,
    ) {
        isa::run(set, Block { tape: self, prediction, target, to });
    }
}

struct Block<'a, T> {
    tape: &'a Tape,
    prediction: &'a [T],
    target: &'a [T],
    to: Outputs<'a, T>,
}

impl<T: Real> Work for Block<'_, T> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { tape, prediction, target, to } = self;
        let (count, scale) = (to.value.len(), to.scale);
        assert!(prediction.len() == count && target.len() == count, "blocks of equal length");
        let width = (BYTES / size_of::<T>()).min(count);
        let mut registers = Registers {
            prediction,
            target,
            numbers: vec![T::default(); (tape.registers - INPUTS) * width],
            width,
            length: width,
        };
        for (place, &constant) in tape.constants.iter().enumerate() {
            registers.numbers[place * width..][..width].fill(T::from_f64(constant));
        }
        let mut start = 0;
        while start < count {
            let end = (start + width).min(count);
            registers.prediction = &prediction[start..end];
            registers.target = &target[start..end];
            registers.length = end - start;
            for &step in &tape.steps {
                registers.step::<I>(step);
            }
            let (_, from) = registers.split(tape.registers);
            let value = from(tape.results[0]);
            to.value[start..end].copy_from_slice(value);
            if let Some(&place) = tape.results.get(1) {
                let to = &mut to.gradient[start..end];
                finish::<T, I>(to, from(place), value, scale);
            }
            if let Some(&place) = tape.results.get(2) {
                let to = &mut to.second[start..end];
                finish::<T, I>(to, from(place), value, scale);
            }
            start = end;
        }
    }
}

/// Derivatives as they are handed out.
#[inline(always)]
fn finish<T: Real, I: Isa>(to: &mut [T], derivative: &[T], value: &[T], scale: T) {
    for at in 0..to.len() {
        to[at] = finished(Lane::<T, I>::new(derivative[at]), Lane::new(value[at]), scale);
    }
}

/// What is kept between steps.
struct Registers<'a, T> {
    prediction: &'a [T],
    target: &'a [T],
    /// All registers but those of the inputs, one after the other.
    numbers: Vec<T>,
    /// The length of a register, and how much of it is in use.
    width: usize,
    length: usize,
}

impl<'a, T: Real> Registers<'a, T> {
    /// A register to write to, and all others to read from.
    #[inline(always)]
    fn split<'s>(
        &'s mut self,
        to: usize,
    ) -> (&'s mut [T], impl Fn(usize) -> &'s [T] + use<'s, 'a, T>) {
        let (width, length) = (self.width, self.length);
        let (before, rest) = self.numbers.split_at_mut((to - INPUTS) * width);
        let (written, after) = rest.split_at_mut(width.min(rest.len()));
        let (before, after): (&[T], &[T]) = (before, after);
        let (prediction, target) = (self.prediction, self.target);
        let written = if written.is_empty() { written } else { &mut written[..length] };
        let from = move |at: usize| match at {
            PREDICTION => prediction,
            TARGET => target,
            at if at < to => &before[(at - INPUTS) * width..][..length],
            at => &after[(at - to - 1) * width..][..length],
        };
        (written, from)
    }

    #[inline(always)]
    fn step<I: Isa>(&mut self, step: Step) {
        match step {
            Step::Unary(function, to, x) => {
                let (to, from) = self.split(to);
                function.each::<T, I>(from(x), to);
            }
            Step::Power(to, x, exponent) => {
                let (to, from) = self.split(to);
                let x = from(x);
                for_each!(T, I, to, [x], x.power(exponent, || x));
            }
            Step::Binary(function, to, x, y) => {
                let (to, from) = self.split(to);
                let (x, y) = (from(x), from(y));
                match function {
                    Binary::Add => for_each!(T, I, to, [x, y], x + y),
                    Binary::Subtract => for_each!(T, I, to, [x, y], x - y),
                    Binary::Multiply => for_each!(T, I, to, [x, y], x * y),
                    Binary::Divide => for_each!(T, I, to, [x, y], x / y),
                    Binary::Max => for_each!(T, I, to, [x, y], x.max(y)),
                    Binary::Min => for_each!(T, I, to, [x, y], x.min(y)),
                    Binary::Xlogy => for_each!(T, I, to, [x, y], x.xlogy(y)),
                    Binary::Xlog1py => for_each!(T, I, to, [x, y], x.xlog1py(y)),
                    Binary::Power => {
                        for_each!(T, I, to, [x, y], Binary::Power.apply(x, y));
                    }
                }
            }
            Step::Compare(comparison, to, x, y) => {
                let (to, from) = self.split(to);
                let (x, y) = (from(x), from(y));
                match comparison {
                    Comparison::Less => for_each!(T, I, to, [x, y], truth(x.less_than(y))),
                    Comparison::AtMost => for_each!(T, I, to, [x, y], truth(x.at_most(y))),
                    Comparison::Equal => for_each!(T, I, to, [x, y], truth(x.equals(y))),
                }
            }
            Step::And(to, x, y) => {
                let (to, from) = self.split(to);
                let (x, y) = (from(x), from(y));
                for_each!(T, I, to, [x, y], truth(holds(x) & holds(y)));
            }
            Step::Or(to, x, y) => {
                let (to, from) = self.split(to);
                let (x, y) = (from(x), from(y));
                for_each!(T, I, to, [x, y], truth(holds(x) | holds(y)));
            }
            Step::Not(to, x) => {
                let (to, from) = self.split(to);
                let x = from(x);
                for_each!(T, I, to, [x], truth(!holds(x)));
            }
            Step::Select(to, condition, a, b) => {
                let (to, from) = self.split(to);
                let (condition, a, b) = (from(condition), from(a), from(b));
                for_each!(T, I, to, [condition, a, b], pick(holds(condition), a, b));
            }
        }
    }
}

/// Whether a number stands for a condition that holds.
#[inline(always)]
fn holds<T: Real, I: Isa>(x: Lane<T, I>) -> bool {
    x.0 != T::default()
}

#[inline(always)]
fn truth<T: Real, I: Isa>(holds: bool) -> Lane<T, I> {
    Lane::select(holds, Lane::constant(1.0), Lane::constant(0.0))
}
