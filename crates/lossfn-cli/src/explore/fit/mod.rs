//! Models that are fitted to points under any loss.

pub mod data;
pub mod model;
pub mod train;

use super::about;
use data::MOST_POINTS;
use lossfn_plot::{Axis, Figure, Layer};
use model::Kind;
use std::thread;
use train::MOST_STEPS;

/// As many losses are compared.
pub const MOST_LOSSES: usize = 6;
/// As many times all parameters may be moved by all points: some seconds.
const MOST_WORK: usize = 400_000_000;

/// Does the same for several losses, side by side. A loss that cannot be fitted does not keep the
/// others from it.
pub fn each<T: Send>(
    losses: &[String],
    fit: impl Fn(&lossfn::Loss) -> Result<T, String> + Sync,
) -> Vec<Result<T, String>> {
    let one = |text: &String| fit(&about::loss(text).map_err(|error| error.to_string())?);
    thread::scope(|scope| {
        let started: Vec<_> = losses.iter().map(|text| scope.spawn(|| one(text))).collect();
        let failed = |_| Err("its fit came to no end; please report it".to_owned());
        started.into_iter().map(|thread| thread.join().unwrap_or_else(failed)).collect()
    })
}

/// A figure of no size yet; an axis without a range takes that of the data.
pub fn figure(
    [(x, x_range), (y, y_range)]: [(&str, Option<(f64, f64)>); 2],
    layers: Vec<Layer>,
) -> Figure {
    let axis = |label: &str, range| Axis { label: label.to_owned(), range, logarithmic: false };
    let (x, y) = (axis(x, x_range), axis(y, y_range));
    Figure { title: String::new(), x, y, layers, width: 0, height: 0 }
}

/// Refuses what would take too long.
pub fn check_work(losses: usize, points: usize, steps: usize, kind: Kind) -> Result<(), String> {
    data::within("losses", losses as f64, 1.0, MOST_LOSSES as f64)?;
    data::within("points", points as f64, 2.0, MOST_POINTS as f64)?;
    data::within("steps", steps as f64, 1.0, MOST_STEPS as f64)?;
    let work = losses * points * steps * kind.start(2, 3).parameters().len();
    if work > MOST_WORK {
        let share = MOST_WORK as f64 / work as f64;
        return Err(format!(
            "this would take long: take fewer steps, at most {}, or fewer points, losses or layers",
            (steps as f64 * share) as usize
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_that_is_wrong_leaves_the_others() {
        let losses = ["huber", "hubr", "huber(delta=-1)", "hinge"].map(str::to_owned);
        let found = each(&losses, |loss| match loss.id() {
            "huber" => Ok(loss.to_string()),
            id => Err(format!("no {id}")),
        });
        assert_eq!(found[0].as_deref(), Ok("huber(delta=1.0)"));
        assert!(found[1].as_ref().unwrap_err().contains("huber"), "a name like it");
        assert!(found[2].as_ref().unwrap_err().contains("delta"));
        assert_eq!(found[3], Err("no hinge".to_owned()));
    }

    #[test]
    fn what_takes_long_is_refused_with_what_would_not() {
        let refused = check_work(6, 400, 5000, Kind::Deep).unwrap_err();
        let steps: usize = refused
            .split(|c: char| !c.is_ascii_digit())
            .find(|digits| !digits.is_empty())
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(check_work(6, 400, steps, Kind::Deep), Ok(()));
        assert!(check_work(6, 400, steps + 2, Kind::Deep).is_err());
        assert!(check_work(0, 10, 10, Kind::Line).unwrap_err().contains("losses: 0"));
        assert!(check_work(1, 1, 10, Kind::Line).unwrap_err().contains("points: 1"));
        assert!(check_work(1, 10, 0, Kind::Line).unwrap_err().contains("steps: 0"));
    }
}
