//! Losses as code: value, gradient and second derivative in another language.
//!
//! One writer for all languages (`writer.rs`), and a table of operators for each of them.

mod c;
mod cuda;
mod jax;
mod numpy;
mod portable;
mod python;
mod sql;
mod tidy;
mod torch;
mod triton;
mod wgsl;
mod writer;

use super::{Latex, notation};
use crate::catalog::find;
use crate::error::Error;
use crate::loss::{Form, Loss};
use crate::number::{Formula, Node};
use std::collections::{BTreeSet, HashMap};
use std::f64::consts::PI;
use std::fmt::{self, Write};
use std::str::FromStr;
use writer::{Body, Definition, Dialect, fill};

/// A language that a loss can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// Mathematics as plain text.
    Text,
    /// LaTeX, for math mode.
    Latex,
    /// SQL that runs unchanged on `DuckDB`, `PostgreSQL` and `SQLite`.
    Sql,
    /// C99, in f64.
    C,
    /// CUDA C++, in f32: device functions and a kernel.
    Cuda,
    /// WGSL, in f32: functions and a compute shader.
    Wgsl,
    /// Python with `NumPy`.
    Numpy,
    /// Python with `PyTorch`.
    Torch,
    /// Python with JAX.
    Jax,
    /// Python with Triton: functions and a kernel.
    Triton,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 10] = [
        Self::Text,
        Self::Latex,
        Self::Sql,
        Self::C,
        Self::Cuda,
        Self::Wgsl,
        Self::Numpy,
        Self::Torch,
        Self::Jax,
        Self::Triton,
    ];

    /// The name in text.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Latex => "latex",
            Self::Sql => "sql",
            Self::C => "c",
            Self::Cuda => "cuda",
            Self::Wgsl => "wgsl",
            Self::Numpy => "numpy",
            Self::Torch => "torch",
            Self::Jax => "jax",
            Self::Triton => "triton",
        }
    }

    /// The table of a programming language.
    fn dialect(self) -> Option<&'static Dialect> {
        Some(match self {
            Self::Text | Self::Latex => return None,
            Self::Sql => &sql::SQL,
            Self::C => &c::C,
            Self::Cuda => &cuda::CUDA,
            Self::Wgsl => &wgsl::WGSL,
            Self::Numpy => &numpy::NUMPY,
            Self::Torch => &torch::TORCH,
            Self::Jax => &jax::JAX,
            Self::Triton => &triton::TRITON,
        })
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Language {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|language| language.name() == text).ok_or_else(|| {
            let choices = "text, latex, sql, c, cuda, wgsl, numpy, torch, jax or triton";
            Error::UnknownChoice { what: "language", found: text.to_owned(), choices }
        })
    }
}

/// What the text of a language is put together from.
struct Parts<'a> {
    /// The loss with its parameters and what it is, and what to know of it, in lines.
    about: Vec<String>,
    /// The name of the function that is the loss.
    name: String,
    /// What a table has for each example, and its name in the formula: the prediction, or each of its
    /// components, and the target.
    inputs: Vec<(String, String)>,
    parameters: Vec<(String, f64)>,
    results: Vec<Output>,
    /// The definitions of functions, one after another.
    functions: Vec<String>,
    /// All results in one, for a language that has no functions.
    body: Option<&'a Body>,
}

/// One of the results.
struct Output {
    /// The order of the derivative.
    order: usize,
    /// What it is called in a table: loss, gradient, `gradient_mean`.
    column: String,
    /// The function that computes it.
    function: String,
}

impl Parts<'_> {
    /// The lines about the loss as comments.
    fn comment(&self, mark: &str) -> String {
        self.about
            .iter()
            .map(|line| format!("{mark} {line}").trim_end().to_owned() + "\n")
            .collect()
    }

    fn uses(&self, name: &str) -> bool {
        self.functions.iter().any(|text| text.contains(name))
    }
}

impl Loss {
    /// The loss, its gradient and its second derivative as code in a language.
    ///
    /// Parts that are used more than once have names, NaN stays NaN, and functions that the language
    /// lacks are defined in a stable way.
    ///
    /// ```
    /// use lossfn::{Language, Loss};
    ///
    /// let code = "huber(delta=1.5)".parse::<Loss>()?.emit(Language::Numpy)?;
    /// assert!(code.contains("def huber(p, y, delta=1.5):"));
    /// # Ok::<(), lossfn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::CannotEmit`] for a loss of any number of classes or predictions, but in text and LaTeX,
    /// and for one with a function that the language does not have.
    pub fn emit(&self, language: Language) -> Result<String, Error> {
        match language.dialect() {
            Some(dialect) => code(self, dialect),
            None if language == Language::Latex => Ok(latex(self)),
            None => Ok(text(self)),
        }
    }
}

fn text(loss: &Loss) -> String {
    let mut text = String::new();
    for section in loss.formulas() {
        for line in section.text.lines() {
            // Writing to a text does not fail.
            let _ = match line.strip_prefix("by ").and_then(|line| line.split_once(": ")) {
                Some((by, line)) => writeln!(text, "{} by {by} = {line}", section.heading),
                None => writeln!(text, "{} = {line}", section.heading),
            };
        }
    }
    text
}

fn latex(loss: &Loss) -> String {
    let mut text = format!("L = {}\n", loss.latex());
    for (order, power) in [(1, ""), (2, "^2")] {
        for (component, line) in loss.latex_derivatives(order) {
            let by = match component {
                Some(name) => notation::<Latex>(name),
                None if loss.has_class_axis() => "p_c".to_owned(),
                None => "p".to_owned(),
            };
            let _ = writeln!(text, r"\frac{{\partial{power} L}}{{\partial {by}{power}}} = {line}");
        }
    }
    text
}

fn code(loss: &Loss, dialect: &'static Dialect) -> Result<String, Error> {
    let refused = |reason: String| Error::CannotEmit {
        loss: loss.id(),
        language: dialect.language.name(),
        reason,
    };
    let components = loss.description().component_names();
    let data: Vec<&str> = match loss.form() {
        Form::Pointwise => vec!["p", "y"],
        Form::Joint if !components.is_empty() => components.iter().copied().chain(["y"]).collect(),
        Form::Joint => {
            return Err(refused(
                "it takes any number of predictions; text and latex have it".into(),
            ));
        }
        Form::ClassAxis => {
            return Err(refused(
                "it is a loss over a row of classes; text and latex have it".into(),
            ));
        }
    };
    let formula = loss.formula();
    let parameters = loss.named_parameters();
    let known = |name: &str| match parameters.iter().find(|(known, _)| *known == name) {
        Some((_, value)) if dialect.function.is_none() => Some(*value),
        _ => (name == "pi").then_some(PI),
    };
    // A function has one result: what is shared is shared within it.
    let tidied = |results: &[usize]| {
        let formula = Formula { results: results.to_vec(), ..formula.clone() };
        tidy::tidied(&formula, &data, dialect, known)
    };
    let formulas: Vec<Formula> = match dialect.function {
        Some(_) => formula.results.iter().map(|&result| tidied(&[result])).collect(),
        None => vec![tidied(&formula.results)],
    };
    if let Some(function) = formulas.iter().find_map(|formula| lacking(formula, dialect)) {
        let has = |language: &Language| language.dialect().is_some_and(|d| d.has(function));
        let others: Vec<_> = Language::ALL.iter().filter(|l| has(l)).map(|l| l.name()).collect();
        return Err(refused(format!(
            "the function {function} is not there; {} have it, and text and latex",
            others.join(", ")
        )));
    }

    let has = |name: &str| formula.nodes.iter().any(|node| is_symbol(node, name));
    let used = parameters.iter().copied().filter(|(name, _)| has(name)).collect();
    let name = match writer::free(dialect, loss.id()) {
        free if free == loss.id() => free,
        _ => format!("{}_loss", loss.id()),
    };
    let results = outputs(&name, &components);
    let scope = Scope::new(dialect, &data, used, &results, &components);
    let (mut functions, mut body) = (Vec::new(), None);
    match &dialect.function {
        Some(definition) => functions = scope.functions(definition, &formulas, &results),
        None => body = formulas.first().map(|formula| scope.body(formula)),
    }
    let inputs = data.iter().zip(&scope.data).map(|(name, own)| {
        let column = match *name {
            "p" => "prediction",
            "y" => "target",
            other => other,
        };
        (column.to_owned(), own.clone())
    });
    let parameters = scope.used.iter().map(|(name, value)| (scope.names[*name].clone(), *value));
    let parts = Parts {
        about: about(loss, &scope.used),
        name,
        inputs: inputs.collect(),
        parameters: parameters.collect(),
        results,
        functions,
        body: body.as_ref(),
    };
    Ok((dialect.file)(&parts))
}

fn is_symbol(node: &Node, name: &str) -> bool {
    matches!(node, Node::Symbol(symbol) if *symbol == name)
}

/// The names in the code of a loss.
struct Scope<'a> {
    dialect: &'static Dialect,
    /// Parameters that are in the formula, with their values.
    used: Vec<(&'a str, f64)>,
    /// The symbols of the formula as the language has them.
    names: HashMap<String, String>,
    /// Those that are no parameters.
    data: Vec<String>,
    /// What else means something.
    taken: Vec<String>,
}

impl<'a> Scope<'a> {
    fn new(
        dialect: &'static Dialect,
        data: &[&str],
        used: Vec<(&'a str, f64)>,
        results: &[Output],
        components: &[&str],
    ) -> Self {
        let mut names: HashMap<String, String> = HashMap::new();
        for name in data.iter().chain(used.iter().map(|(name, _)| name)) {
            // A column of the table has its name already.
            let is_column = dialect.function.is_none() && components.contains(name);
            let free = writer::free(dialect, name);
            names.insert((*name).to_owned(), if is_column { format!("p_{free}") } else { free });
        }
        let data = data.iter().map(|name| names[*name].clone()).collect();
        let outputs = results.iter().flat_map(|output| [&output.function, &output.column]);
        let components = components.iter().map(|name| (*name).to_owned());
        let taken = outputs.cloned().chain(components).collect();
        Self { dialect, used, names, data, taken }
    }

    fn body(&self, formula: &Formula) -> Body {
        writer::body(self.dialect, formula, &self.names, &self.data, &self.taken)
    }

    /// The functions of all results, after those that they need.
    fn functions(
        &self,
        definition: &Definition,
        formulas: &[Formula],
        results: &[Output],
    ) -> Vec<String> {
        let bodies: Vec<Body> = formulas.iter().map(|formula| self.body(formula)).collect();
        let (mut done, mut functions) = (BTreeSet::new(), Vec::new());
        for name in bodies.iter().flat_map(|body| &body.functions).collect::<BTreeSet<_>>() {
            define(self.dialect, definition, name, &mut done, &mut functions);
        }
        for ((output, formula), body) in results.iter().zip(formulas).zip(&bodies) {
            functions.push(self.function(definition, output, formula, body));
        }
        functions
    }

    /// The text of the function for one result.
    fn function(
        &self,
        definition: &Definition,
        output: &Output,
        formula: &Formula,
        body: &Body,
    ) -> String {
        let data = self.data.iter().map(|name| fill(definition.argument, &[("n", name)]));
        let parameters = self.used.iter().map(|(name, value)| {
            let value = (self.dialect.number)(*value);
            fill(definition.parameter, &[("n", &self.names[*name]), ("v", &value)])
        });
        let arguments = data.chain(parameters).filter(|argument| !argument.is_empty());
        let arguments = arguments.collect::<Vec<_>>().join(", ");
        let what = match output.column.split_once('_') {
            None if output.order == 0 => "The loss.".to_owned(),
            None if output.order == 1 => "Its derivative by p.".to_owned(),
            None => "Its second derivative by p.".to_owned(),
            Some((_, by)) if output.order == 1 => format!("Its derivative by {by}."),
            Some((_, by)) => format!("Its second derivative by {by}."),
        };
        let open = fill(definition.open, &[("n", &output.function), ("a", &arguments)]);
        let mut text = format!("{} {what}\n{open}\n", definition.comment);
        if !definition.prepare.is_empty() {
            for name in self.called(formula) {
                text += &fill(definition.prepare, &[("n", name), ("p", &self.data[0])]);
                text.push('\n');
            }
        }
        text + &inside(definition, body)
    }

    /// The parameters that a function is called on.
    fn called(&self, formula: &Formula) -> Vec<&str> {
        let is_parameter = |name: &str| self.used.iter().any(|(used, _)| *used == name);
        let fixed = tidy::depends_only(formula, is_parameter);
        let uses = tidy::uses(formula, &formula.results);
        let mut below = vec![false; formula.nodes.len()];
        for at in (0..formula.nodes.len()).rev().filter(|&at| uses[at] > 0 && fixed[at]) {
            let node = &formula.nodes[at];
            if below[at] || writer::function_of(node).is_some() {
                node.operands().into_iter().for_each(|operand| below[operand] = true);
            }
        }
        let called = |name: &str| {
            formula.nodes.iter().zip(&below).any(|(node, below)| *below && is_symbol(node, name))
        };
        let names = self.used.iter().map(|(name, _)| *name).filter(|name| called(name));
        names.map(|name| self.names[name].as_str()).collect()
    }
}

/// A function that a result needs, and that the language does not have.
fn lacking(formula: &Formula, dialect: &Dialect) -> Option<&'static str> {
    let uses = tidy::uses(formula, &formula.results);
    let live = formula.nodes.iter().zip(uses).filter(|(_, uses)| *uses > 0);
    let has = |name: &&str| dialect.has(name) || *name == "power" && dialect.power.is_some();
    live.filter_map(|(node, _)| writer::function_of(node)).find(|name| !has(name))
}

fn outputs(name: &str, components: &[&str]) -> Vec<Output> {
    let mut outputs = vec![Output { order: 0, column: "loss".into(), function: name.to_owned() }];
    for (order, what) in [(1, "gradient"), (2, "second")] {
        let alone = [""];
        for component in if components.is_empty() { &alone[..] } else { components } {
            let separator = if component.is_empty() { "" } else { "_" };
            let column = format!("{what}{separator}{component}");
            outputs.push(Output { order, function: format!("{name}_{column}"), column });
        }
    }
    outputs
}

/// What to know of the code.
fn about(loss: &Loss, used: &[(&str, f64)]) -> Vec<String> {
    let mut about = vec![loss.to_string(), loss.description().summary.to_owned()];
    about.retain(|line| !line.is_empty());
    let components = loss.description().component_names();
    about.push(if components.is_empty() {
        "p is the prediction, y the target.".to_owned()
    } else {
        format!("{} are predicted, y is the target.", components.join(", "))
    });
    let is_used = |name: &str| used.iter().any(|(used, _)| *used == name);
    let parameters = loss.description().parameters.iter().zip(loss.parameters());
    let fixed = parameters.filter(|(parameter, _)| !is_used(parameter.name));
    let written = fixed.map(|(p, value)| format!("{} = {}", p.name, p.range.write(*value)));
    let fixed: Vec<String> = written.collect();
    if !fixed.is_empty() {
        about.push(format!("Written for {}.", fixed.join(", ")));
    }
    let others = other_forms(loss, used);
    if !others.is_empty() {
        about.push(format!("The formula is another one where {}.", others.join(" or ")));
    }
    about
}

/// Values of parameters for which the formula is not the same with another number in it.
fn other_forms(loss: &Loss, used: &[(&str, f64)]) -> Vec<String> {
    let Ok(entry) = find(loss.id()) else { return Vec::new() };
    let formula = loss.formula();
    let mut others = Vec::new();
    for (place, parameter) in loss.description().parameters.iter().enumerate() {
        if !used.iter().any(|(name, _)| *name == parameter.name) {
            continue;
        }
        let mut special = Vec::new();
        for value in [f64::NEG_INFINITY, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0, f64::INFINITY] {
            let mut values = loss.parameters().to_vec();
            values[place] = value;
            if entry.build(&values).is_ok_and(|other| other.formula().nodes != formula.nodes) {
                special.push(value.to_string());
            }
        }
        if !special.is_empty() {
            others.push(format!("{} = {}", parameter.name, special.join(", ")));
        }
    }
    others
}

fn inside(definition: &Definition, body: &Body) -> String {
    let mut text = String::new();
    for part in &body.lets {
        let pattern = if part.is_condition { definition.condition } else { definition.number };
        text += &fill(pattern, &[("n", &part.name), ("t", &part.text)]);
        text.push('\n');
    }
    let result = body.results.first().map_or("", String::as_str);
    text + &fill(definition.result, &[("t", result)]) + "\n" + definition.close
}

/// Adds the definition of a function that the language lacks, after those that it needs itself.
fn define(
    dialect: &Dialect,
    definition: &Definition,
    name: &'static str,
    done: &mut BTreeSet<&'static str>,
    functions: &mut Vec<String>,
) {
    if !done.insert(name) {
        return;
    }
    if let Some(text) = dialect.helper(name) {
        functions.push(text.to_owned());
        return;
    }
    let Some(formula) = portable::definition(name) else { return };
    let arguments: Vec<String> = ["x", "y"]
        .into_iter()
        .filter(|symbol| formula.nodes.iter().any(|node| is_symbol(node, symbol)))
        .map(str::to_owned)
        .collect();
    let names = arguments.iter().map(|name| (name.clone(), name.clone())).collect();
    let body = writer::body(dialect, &formula, &names, &arguments, &[]);
    for name in &body.functions {
        define(dialect, definition, name, done, functions);
    }
    let list: Vec<String> =
        arguments.iter().map(|name| fill(definition.argument, &[("n", name)])).collect();
    let name = writer::helper_name(dialect, name);
    let open = fill(definition.open_helper, &[("n", &name), ("a", &list.join(", "))]);
    functions.push(format!("{open}\n{}", inside(definition, &body)));
}
