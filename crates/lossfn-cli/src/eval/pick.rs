//! The losses that suit the data, when none is named.

use crate::eval::rows::{Rows, Wide};
use lossfn::{CATALOG, Domain, Loss, Task};

/// What was picked, and why.
pub struct Picked {
    pub losses: Vec<Loss>,
    pub why: String,
}

/// Picks losses by a look at the first rows.
pub fn pick(rows: &Rows<'_>) -> Picked {
    let wide = rows.wide();
    let seen = wide.valid().count();
    let unit = |x: &f64| (0.0..=1.0).contains(x);
    let all_unit = wide.valid().all(|(prediction, _)| prediction.iter().all(unit));
    let (task, domain, why) = if rows.width() > 1 {
        let sums_to_one = |p: &[f64]| (p.iter().sum::<f64>() - 1.0).abs() < 1e-3;
        if all_unit && wide.valid().all(|(prediction, _)| sums_to_one(prediction)) {
            (Task::Multiclass, Domain::Unit, "the predictions are probabilities of classes")
        } else {
            (Task::Multiclass, Domain::Real, "the predictions are raw scores of classes")
        }
    } else if seen > 0 && two_classes(&wide) {
        if all_unit {
            (
                Task::Binary,
                Domain::Unit,
                "the target has two classes and the predictions are probabilities",
            )
        } else {
            (
                Task::Binary,
                Domain::Real,
                "the target has two classes and the predictions are raw scores",
            )
        }
    } else if seen == 0 {
        (Task::Regression, Domain::Real, "of which none counts, nothing is known")
    } else {
        (Task::Regression, Domain::Real, "the target is a number")
    };
    let suits = |entry: &&lossfn::Entry| {
        let description = entry.description;
        description.usual && description.task == task && description.prediction == domain
    };
    let losses: Vec<Loss> =
        CATALOG.iter().filter(suits).map(lossfn::Entry::with_defaults).collect();
    let names: Vec<String> = losses.iter().map(Loss::to_string).collect();
    let why =
        format!("no --loss was named; by the first {seen} rows {why}, so: {}", names.join(", "));
    Picked { losses, why }
}

/// Whether the target is 0 and 1, or -1 and +1.
fn two_classes(rows: &Wide<'_>) -> bool {
    let among = |allowed: [f64; 2]| {
        rows.valid().all(|(_, target)| target.iter().all(|y| allowed.contains(y)))
    };
    among([0.0, 1.0]) || among([-1.0, 1.0])
}
