//! The command line.

use clap::{Arg, ArgMatches, Args as ClapArgs, FromArgMatches, Parser, Subcommand, ValueEnum};
use lossfn::choose::LossRequest;
use lossfn::{Answer, Denominator, Language, Loss, NothingValid, Property, Reduction, Task};
use std::net::IpAddr;
use std::ops::Range;
use std::path::PathBuf;

/// Loss functions of deep learning: what real predictions cost, by group, and which rows cost most.
#[derive(Debug, Parser)]
#[command(name = "lossfn", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "\
Examples:
  lossfn eval predictions.csv --target y --prediction p
  lossfn list --task binary
  lossfn describe huber
  lossfn check huber
  lossfn plot huber squared_error absolute_error -o losses.svg

`lossfn help COMMAND` says more.")]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// What predictions cost: read from files, by any losses, by group
    Eval(Box<EvalArgs>),
    /// Which losses suit predictions and their targets, and why
    Advise(AdviseArgs),
    /// Join saved states of parts into the result for the whole
    Merge(MergeArgs),
    /// All losses, or those with certain properties
    List(Box<ListArgs>),
    /// One loss: formula, gradient, parameters, card of properties, limits, reference
    Describe(DescribeArgs),
    /// What is wrong with a loss: gradients, lost digits, overflow, kinks, with evidence
    Check(CheckArgs),
    /// One loss as code, in SQL, C, CUDA and other languages
    Emit(EmitArgs),
    /// A page in the browser on which losses are looked at and tried, served by this program alone
    Explore(ExploreArgs),
    /// A picture of losses, or of their gradients
    Plot(Box<PlotArgs>),
    /// Completions for a shell, to be put where that shell looks for them
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// The manual page, for `man -l -`
    Man {
        /// The command that the page is for; without it the program's own
        command: Option<String>,
    },
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Files: CSV and TSV (also from standard input, as -), Parquet, Arrow IPC (Feather), NPZ, and NPY, \
where all .npy files given together are the columns of one table, named by file. Which it is, is \
told from the name, else from the first bytes.

A scale, such as the delta of huber, can be chosen from the residuals of all rows that count:
  huber(delta=auto)                          95 % as good as squares if residuals are normal: a
                                             constant times sigma, by the median absolute deviation
  huber(delta=auto:mad(efficiency=0.85))     the same for another efficiency
  huber(delta=auto:quantile(level=0.9))      that quantile of the absolute residuals
  huber(delta=auto:likelihood)               the most likely one
The answer says which number it is and why. The file is read several times then, and standard \
input kept in a temporary file.

Rows are counted from 1; the header is not counted. In JSON, numbers that are infinite or not a \
number are the texts \"inf\", \"-inf\" and \"nan\".

Examples:
  lossfn eval predictions.csv --target y --prediction p
      picks the losses that suit the target
  lossfn eval 'run/*.parquet' --target y --prediction p \\
      --loss huber --loss 'quantile(level=0.9)' --by country,device --weights w
      costs by group, weighted
  lossfn eval digits.csv --target y --prediction 'score_*' --loss softmax_cross_entropy --worst 10
      class scores in several columns; the ten most costly rows
  zcat big.csv.gz | lossfn eval - --target y --prediction p --loss squared_error --format json
      CSV from standard input
  lossfn eval big.parquet --target y --prediction p --loss huber \\
      --row-groups 0..8 --save-state part0.json
      part of a file; `lossfn merge part*.json` joins the parts")]
pub struct EvalArgs {
    #[command(flatten)]
    pub table: TableArgs,

    /// A loss, such as huber, 'quantile(level=0.9)' or 'huber(delta=auto)'; may be given several
    /// times. Without it the losses that suit the target are picked
    #[arg(long = "loss", value_name = "LOSS")]
    pub losses: Vec<LossRequest>,

    /// Column of example weights
    #[arg(long, value_name = "COLUMN")]
    pub weights: Option<String>,

    /// Columns to group by
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub by: Vec<String>,

    /// How losses become one number; none gives the loss of each row, as CSV
    #[arg(long, default_value = "mean")]
    pub reduction: Reduction,

    /// What the mean divides by: weights (the sum of the weights), valid (rows that count), examples
    /// (all rows), or a number
    #[arg(long, default_value = "weights")]
    pub denominator: Denominator,

    /// What a mean without any valid row is
    #[arg(long, value_name = "WHAT", default_value = "error")]
    pub nothing_valid: NothingValid,

    /// A weight for each class, for losses over classes
    #[arg(long, value_name = "W,W,...", value_delimiter = ',')]
    pub class_weights: Option<Vec<f64>>,

    /// Leave out rows with this label, for losses over classes
    #[arg(long, value_name = "LABEL", allow_hyphen_values = true)]
    pub ignored_class: Option<i64>,

    /// Show the K rows that cost most. With --format csv only these are printed
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub worst: usize,

    /// Write the state of the cost to this file, for `lossfn merge`. A part in which no row counts is
    /// no error then: another part may have some
    #[arg(long, value_name = "FILE")]
    pub save_state: Option<PathBuf>,

    #[command(flatten)]
    pub output: OutputArgs,

    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// What is read.
#[derive(Debug, ClapArgs)]
pub struct TableArgs {
    /// Files or patterns such as 'run/*.parquet'; - is CSV from standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Column of the true values. Labels of classes count from 0; for binary losses 0 and 1 or -1
    /// and +1. Several columns (as for --prediction) or a list column are a distribution
    #[arg(long, value_name = "COLUMN")]
    pub target: String,

    /// Column of the predictions. Class scores: several columns, as 'score_*' or a,b,c, or one
    /// column of lists. Columns of a pattern are ordered by the number in their name
    #[arg(long, value_name = "COLUMN")]
    pub prediction: String,
}

/// How it is read.
#[derive(Debug, ClapArgs)]
pub struct ReadingArgs {
    /// Column that says which rows count: those where it is true or not 0
    #[arg(long, value_name = "COLUMN")]
    pub mask: Option<String>,

    /// Skip rows in which the prediction, target or weight is missing or not a number, and count them
    #[arg(long)]
    pub skip_nan: bool,

    /// Only these row groups (Parquet) or record batches (Arrow file), from 0: 3 or 0..8
    #[arg(long, value_name = "RANGE", value_parser = parse_range)]
    pub row_groups: Option<Range<usize>>,

    /// Field separator of text files; by default a tab for .tsv, else a comma
    #[arg(long, value_name = "CHARACTER", value_parser = parse_delimiter)]
    pub delimiter: Option<u8>,

    /// Text files have no header; the columns are named 1, 2, ...
    #[arg(long)]
    pub no_header: bool,

    /// Threads; by default one for each processor
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
What is looked for depends on the target and the prediction: numbers (bias, outliers, tails, skew, \
uneven spread), counts (dispersion, zeros), two classes or several, with probabilities or raw scores \
(balance, confidence, labels that may be wrong). Every sentence rests on a number beside it; \
docs/ADVICE.md says how it is computed and where the threshold comes from. Of more than \
262144 rows, as many drawn at random, always the same ones, are looked at.

Examples:
  lossfn advise predictions.csv --target y --prediction p
  lossfn advise digits.csv --target y --prediction 'score_*' --format json")]
pub struct AdviseArgs {
    #[command(flatten)]
    pub table: TableArgs,

    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub format: TextFormat,

    #[command(flatten)]
    pub reading: ReadingArgs,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Example:
  lossfn eval a.parquet --target y --prediction p --loss huber --save-state a.json
  lossfn eval b.parquet --target y --prediction p --loss huber --save-state b.json
  lossfn merge a.json b.json

The result is to the bit that of one run over a.parquet and b.parquet.")]
pub struct MergeArgs {
    /// Files written by --save-state, or patterns such as 'part*.json'
    #[arg(required = true, value_name = "STATE")]
    pub states: Vec<PathBuf>,

    /// Write the joined state to this file
    #[arg(long, value_name = "FILE")]
    pub save_state: Option<PathBuf>,

    /// Join states even if they have read the same rows of the same file
    #[arg(long)]
    pub allow_repeats: bool,

    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Properties are those of the losses at their default parameters, as `lossfn describe` shows them; where \
one does not apply to a loss, neither yes nor no lists it.

Examples:
  lossfn list --task regression --convex --robust
  lossfn list --task binary --calibrated --convex=no")]
pub struct ListArgs {
    /// Only losses for this task
    #[arg(long)]
    pub task: Option<Task>,

    #[command(flatten)]
    pub properties: PropertyArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Properties that losses must have, or must not: a flag for each.
#[derive(Debug, Default)]
pub struct PropertyArgs(pub Vec<(Property, Answer)>);

impl PropertyArgs {
    fn all() -> impl Iterator<Item = Property> {
        Property::ALL.iter().copied().filter(|property| property.is_question())
    }
}

impl clap::Args for PropertyArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.args(Self::all().map(|property| {
            Arg::new(property.id())
                .long(property.id().replace('_', "-"))
                .value_name("ANSWER")
                .value_parser(["yes", "no", "unknown"])
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("yes")
                .hide_possible_values(true)
                .help(property.meaning().trim_end_matches('.'))
                .help_heading("Properties: --convex lists what is convex, --convex=no what is not")
        }))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for PropertyArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut wanted = Self::default();
        wanted.update_from_arg_matches(matches)?;
        Ok(wanted)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for property in Self::all() {
            if let Some(answer) = matches.get_one::<String>(property.id()) {
                self.0.push((property, Answer::named(answer)));
            }
        }
        Ok(())
    }
}

#[derive(Debug, ClapArgs)]
pub struct DescribeArgs {
    /// A loss, by name or by the name that another library has for it
    pub loss: Loss,

    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub format: TextFormat,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Losses and gradients, as computed in f32 and f64, are compared with the formula evaluated with many \
digits, at points where things go wrong if they do. An error is to be mended, a warning can hurt at \
points that are rare or by little, a note is worth knowing. Where a form of the formula is known that \
does not have the fault, and is better at these points, it stands under \"instead\". What is found is \
true; that nothing is found is no proof. The card of the loss follows.

Exit code: 0 without errors, 1 with some, 2 if the question cannot be answered.

Examples:
  lossfn check huber
  lossfn check 'formula: ln(1 + exp(-p * y)); y in {-1, 1}'
      exp overflows: softplus(-p * y) does not
  lossfn check 'formula: sqrt((p - y)^2 + d^2) - d; d = 1.5' --format json")]
pub struct CheckArgs {
    /// A loss: by name, by the name that another library has for it, or its formula
    pub loss: Loss,

    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub format: TextFormat,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
The code has the loss, its gradient and its second derivative. Parameters are arguments with their \
values as defaults where the language has those; in SQL they are numbers, and the query reads a table \
predictions(prediction, target). CUDA and WGSL compute in f32 and have a kernel over many examples, and \
so has Triton; C and SQL compute in f64. NumPy needs SciPy for special functions such as those of \
beta_nll.

Examples:
  lossfn emit 'huber(delta=1.5)' --to sql | duckdb predictions.db
  lossfn emit binary_cross_entropy_with_logits --to c -o bce.c
  lossfn emit 'quantile(level=0.9)' --to jax")]
pub struct EmitArgs {
    /// A loss, by name or by the name that another library has for it, of which there is one
    /// prediction, or several with names
    pub loss: Loss,

    /// The language: text, latex, sql, c, cuda, wgsl, numpy, torch, jax or triton
    #[arg(long, value_name = "LANGUAGE", default_value = "text")]
    pub to: Language,

    /// Write the code to this file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
The page needs no Internet; nothing leaves this machine. Ctrl-C ends it. All that one has set is in the \
address of the page, so a view can be kept as a bookmark if --port is always the same.

Examples:
  lossfn explore
  lossfn explore --port 8000 --no-browser")]
pub struct ExploreArgs {
    /// The port; 0 is any that is free
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub port: u16,

    /// Only print the address
    #[arg(long)]
    pub no_browser: bool,

    /// The address to listen at. Any but that of this machine lets others in, who are not asked for a
    /// password
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub address: IpAddr,

    /// How much may be uploaded, such as 500M or 2G; older files make room for new ones
    #[arg(long, value_name = "SIZE", default_value = "2G", value_parser = parse_bytes)]
    pub max_upload: u64,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Losses that are drawn together need an axis in common: losses of the residual, or of the margin and of \
binary scores. Where a loss depends on more than that, it is drawn for some targets, or for both classes; \
losses of class scores over one score, and those of several predicted numbers over the first. A curve \
that jumps has a gap there.

Examples:
  lossfn plot huber squared_error absolute_error -o losses.svg
  lossfn plot huber --vary delta=0.5,1,2 --gradient -o influence.png
  lossfn plot zero_one hinge logistic exponential --range -2..2 --theme dark -o margin.png
  lossfn plot binary_cross_entropy > cross_entropy.svg
  lossfn plot poisson --target 3 --range 0..10 --title 'A count of 3' -o poisson.svg")]
pub struct PlotArgs {
    /// Losses, such as huber or 'quantile(level=0.9)'
    #[arg(required = true, value_name = "LOSS")]
    pub losses: Vec<Loss>,

    /// The file: .svg or .png. Without it, or as -, SVG is printed
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Draw each loss for several values of a parameter
    #[arg(long, value_name = "NAME=V,V,...", value_parser = parse_vary)]
    pub vary: Option<(String, Vec<String>)>,

    /// Draw the derivatives by the prediction
    #[arg(long, conflicts_with = "second")]
    pub gradient: bool,

    /// Draw the second derivatives by the prediction
    #[arg(long)]
    pub second: bool,

    /// What to draw over; by default what suits the losses
    #[arg(long, value_enum)]
    pub against: Option<AgainstArg>,

    /// The target, where a loss depends on more than residual or margin
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    pub target: Option<f64>,

    /// The ends of the horizontal axis
    #[arg(long, value_name = "A..B", allow_hyphen_values = true, value_parser = parse_ends)]
    pub range: Option<(f64, f64)>,

    /// Pixels across and down; a PNG has twice as many
    #[arg(long, value_name = "WxH", default_value = "640x400", value_parser = parse_size)]
    pub size: (u32, u32),

    /// The background; auto is what the viewer prefers, and light in a PNG
    #[arg(long, value_enum, default_value_t)]
    pub theme: ThemeArg,

    /// The title
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AgainstArg {
    /// Prediction - target
    Residual,
    /// Target * prediction
    Margin,
    /// The prediction, or the score
    Prediction,
    /// The predicted probability
    Probability,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ThemeArg {
    Light,
    Dark,
    #[default]
    Auto,
}

#[derive(Debug, ClapArgs)]
pub struct OutputArgs {
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TextFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

fn parse_range(text: &str) -> Result<Range<usize>, String> {
    let number = |text: &str| {
        let number = text.trim().parse::<usize>();
        number.map_err(|_| "it is a number or a range, such as 3 or 0..8".to_owned())
    };
    let range = match text.split_once("..") {
        Some((start, end)) => number(start)?..number(end)?,
        None => number(text)?..number(text)?.saturating_add(1),
    };
    if range.is_empty() { Err("the range is empty".into()) } else { Ok(range) }
}

fn parse_vary(text: &str) -> Result<(String, Vec<String>), String> {
    let parts = text.split_once('=').map(|(name, values)| (name.trim(), values.trim()));
    match parts.filter(|(name, values)| !name.is_empty() && !values.is_empty()) {
        Some((name, values)) => {
            Ok((name.to_owned(), values.split(',').map(|value| value.trim().to_owned()).collect()))
        }
        None => Err("it is a parameter and its values, such as delta=0.5,1,2".into()),
    }
}

fn parse_ends(text: &str) -> Result<(f64, f64), String> {
    let ends = text.split_once("..").map(|(low, high)| (low.trim().parse(), high.trim().parse()));
    match ends {
        Some((Ok(low), Ok(high))) => Ok((low, high)),
        _ => Err("it is two numbers, such as -2..2".into()),
    }
}

fn parse_size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once('x').map(|(width, height)| (width.parse(), height.parse()));
    match sides {
        Some((Ok(width), Ok(height))) => Ok((width, height)),
        _ => Err("it is two whole numbers, such as 640x400".into()),
    }
}

fn parse_delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [one] if *one != b'"' && *one != b'\n' && *one != b'\r' => Ok(*one),
        b"\\t" => Ok(b'\t'),
        _ => Err("it is one character, such as ; or \\t".into()),
    }
}

fn parse_bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 1 << 10),
        Some((at, 'm' | 'M')) => (&text[..at], 1 << 20),
        Some((at, 'g' | 'G')) => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    bytes.ok_or_else(|| "it is a number of bytes, or of K, M or G of them, such as 500M".into())
}
