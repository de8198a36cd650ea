//! How fast the library is, from Rust: beside its ceiling, beside itself, beside other libraries.
//! `benchmarks/performance.py` runs it; each line of output is a contest.

mod ceiling;
#[cfg(feature = "peers")]
mod peers;
mod turns;

use ceiling::Streams;
use lossfn::{Cost, Form, Loss, find};
use lossfn_counts::{Batch, Wanted, loss};
use rayon::ThreadPoolBuilder;
use std::process::ExitCode;
use std::time::Duration;
use turns::Contest;

/// The losses of the tables of `docs/performance.md`.
const LOSSES: [&str; 12] = [
    "squared_error",
    "absolute_error",
    "huber",
    "quantile",
    "binary_cross_entropy_with_logits",
    "logistic",
    "log_cosh",
    "poisson",
    "poisson_log_link",
    "sigmoid_focal",
    "gaussian_nll",
    "student_t_nll",
];
const SIZES: [usize; 4] = [1 << 12, 1 << 16, 1 << 20, 1 << 24];
const SOFTMAX: &str = "softmax_cross_entropy";
const SHAPES: [(usize, usize); 3] = [(100_000, 10), (1024, 1000), (512, 32_000)];
/// Results as large as this may be too large for the caches.
const LARGE: usize = 1 << 20;

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let quick = args.iter().position(|arg| arg == "--quick").map(|at| args.remove(at)).is_some();
    let time = Duration::from_millis(if quick { 50 } else { 400 });
    for part in &args {
        match part.as_str() {
            "ceiling" => beside_ceiling(time),
            "options" => options(time),
            "orders" => orders(time),
            "threads" => threads(time),
            "call" => call(time),
            #[cfg(feature = "peers")]
            "peers" => peers::contests(time),
            other => {
                eprintln!("speed: there is no part {other}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Everything that is measured of a loss: examples of each size, or of each shape.
fn works() -> impl Iterator<Item = Work> {
    let pointwise = LOSSES.into_iter().flat_map(|id| SIZES.map(|examples| (id, examples, 1)));
    let rows = SHAPES.into_iter().map(|(rows, classes)| (SOFTMAX, rows, classes));
    pointwise.chain(rows).map(|(id, examples, row)| {
        let form = loss(id).form();
        let row = if form == Form::Joint { loss(id).description().components.len() } else { row };
        Work { id, examples, row }
    })
}

/// A loss and examples.
#[derive(Clone, Copy)]
struct Work {
    id: &'static str,
    examples: usize,
    row: usize,
}

impl Work {
    fn name(self) -> String {
        if self.id == SOFTMAX {
            format!("{SOFTMAX} {}x{}", self.examples, self.row)
        } else {
            self.id.to_owned()
        }
    }

    /// The elements that times are divided by: examples, or scores.
    fn elements(self) -> usize {
        if self.id == SOFTMAX { self.examples * self.row } else { self.examples }
    }

    fn batch(self) -> Batch {
        let entry = find(self.id).expect("a loss of the catalog");
        Batch::new(entry, self.examples * self.row, self.row)
    }

    fn ours(self, wanted: Wanted) -> impl FnMut() {
        self.batch().cost(Cost::new(loss(self.id)), wanted, |x| x as f32)
    }
}

fn beside_ceiling(time: Duration) {
    for work in works() {
        let streams = || Streams::new(work.examples * work.row, work.examples, 1);
        let (mut through_cache, mut past_cache) = (streams(), streams());
        let mut contest = Contest::new("ceiling", work.name(), work.elements())
            .with("lossfn", work.ours(Wanted::Gradient))
            .with("ceiling", move || through_cache.pass(false));
        if work.elements() >= LARGE {
            contest = contest.with("ceiling, streaming", move || past_cache.pass(true));
        }
        contest.run(time);
    }
}

/// Weights, smoothing and an ignored class together, beside none of them.
fn options(time: Duration) {
    for work in works().filter(|work| work.id == SOFTMAX) {
        let smoothed: Loss = loss("softmax_cross_entropy(label_smoothing=0.1)");
        let cost =
            Cost::new(smoothed).ignored_class(3).expect("a loss over classes may ignore one");
        Contest::new("options", work.name(), work.elements())
            .with("plain", work.ours(Wanted::Gradient))
            .with(
                "weights, smoothing, ignored",
                work.batch().with_weights().cost(cost, Wanted::Gradient, |x| x as f32),
            )
            .run(time);
    }
}

/// The second derivative too, beside value and gradient.
fn orders(time: Duration) {
    for work in works().filter(|work| work.elements() != 1 << 24) {
        Contest::new("orders", work.name(), work.elements())
            .with("gradient", work.ours(Wanted::Gradient))
            .with("gradient and second", work.ours(Wanted::Second))
            .run(time);
    }
}

/// All threads beside one.
fn threads(time: Duration) {
    let pool = |threads| {
        ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started")
    };
    let (one, all) = (pool(1), pool(rayon::current_num_threads()));
    for work in works().filter(|work| work.elements() >= LARGE) {
        let (mut alone, mut together) = (work.ours(Wanted::Gradient), work.ours(Wanted::Gradient));
        Contest::new("threads", work.name(), work.elements())
            .with("one", || one.install(&mut alone))
            .with("all", || all.install(&mut together))
            .run(time);
    }
}

/// One call on few elements.
fn call(time: Duration) {
    for id in LOSSES.into_iter().chain([SOFTMAX]) {
        let row = if id == SOFTMAX { 4 } else { 1 };
        let work = Work { id, examples: 32 / row, row };
        let work = if loss(id).form() == Form::Joint {
            Work { examples: 16, row: 2, ..work }
        } else {
            work
        };
        Contest::new("call", id, 32).with("lossfn", work.ours(Wanted::Gradient)).run(time);
    }
}
