//! What is counted: the kernels of every loss of the catalog, and some ways through what is around them.

use half::f16;
use lossfn::{CATALOG, Cost, find};
use lossfn_counts::{Batch, Wanted, loss};

/// Something to be counted.
pub struct Case {
    /// The row of the table: a loss, or a loss and what is special about the case.
    pub row: String,
    /// The column of the table.
    pub column: &'static str,
    /// What the count is divided by: the elements, or 1 for a call.
    pub elements: usize,
    pub work: Box<dyn FnMut()>,
}

/// The elements of a case: one block, so that no threads are at work.
const ELEMENTS: usize = lossfn::BLOCK;
/// The classes, or predicted numbers, of an example.
const ROW: usize = 10;

/// The columns of the table.
pub const COLUMNS: [&str; 4] = ["f32 value", GRADIENT, "f32 second", "f64 gradient"];
pub const GRADIENT: &str = "f32 gradient";

/// All cases, in the order of the table.
pub fn all() -> impl Iterator<Item = Case> {
    let columns = |id: &'static str| (0..COLUMNS.len()).map(move |column| kernel(id, column));
    CATALOG.iter().map(|entry| entry.description.id).flat_map(columns).chain(others())
}

fn kernel(id: &'static str, column: usize) -> Case {
    let (batch, loss) = (batch(id, ELEMENTS, ROW), loss(id));
    let elements = batch.elements();
    let work: Box<dyn FnMut()> = match column {
        0 => Box::new(batch.kernel::<f32>(loss, Wanted::Value)),
        1 => Box::new(batch.kernel::<f32>(loss, Wanted::Gradient)),
        2 => Box::new(batch.kernel::<f32>(loss, Wanted::Second)),
        _ => Box::new(batch.kernel::<f64>(loss, Wanted::Gradient)),
    };
    Case { row: id.to_owned(), column: COLUMNS[column], elements, work }
}

/// The cost and its gradient, with other shapes, types and settings.
fn others() -> impl Iterator<Item = Case> {
    let softmax = "softmax_cross_entropy";
    let all = Cost::new(loss("softmax_cross_entropy(label_smoothing=0.1)")).ignored_class(3);
    let all = all.expect("a loss over classes may ignore one");
    let plain = |id: &str| Cost::new(loss(id));
    let huber = || batch("huber", ELEMENTS, 1);
    let rows = |classes| batch(softmax, ELEMENTS, classes);
    let single = |batch: Batch, cost: Cost| -> (usize, Box<dyn FnMut()>) {
        (batch.elements(), Box::new(batch.cost(cost, Wanted::Gradient, |x| x as f32)))
    };
    let half = huber().cost(plain("huber"), Wanted::Gradient, f16::from_f64);
    let few = single(batch("huber", 32, 1), plain("huber"));
    let cases = [
        ("huber: cost and gradient", single(huber(), plain("huber"))),
        ("huber: cost and gradient; weights", single(huber().with_weights(), plain("huber"))),
        ("huber: cost and gradient; f16", (ELEMENTS, Box::new(half) as _)),
        ("huber: cost and gradient; a call on 32 elements", (1, few.1)),
        ("softmax_cross_entropy: cost and gradient", single(rows(ROW), plain(softmax))),
        ("softmax_cross_entropy: cost and gradient; 2 classes", single(rows(2), plain(softmax))),
        (
            "softmax_cross_entropy: cost and gradient; 1000 classes",
            single(rows(1000), plain(softmax)),
        ),
        (
            "softmax_cross_entropy: cost and gradient; weights and smoothing and an ignored class",
            single(rows(ROW).with_weights(), all),
        ),
    ];
    cases.into_iter().map(|(row, (elements, work))| Case {
        row: row.to_owned(),
        column: GRADIENT,
        elements,
        work,
    })
}

fn batch(id: &str, elements: usize, row: usize) -> Batch {
    Batch::new(find(id).expect("a loss of the catalog"), elements, row)
}
