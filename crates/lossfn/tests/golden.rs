//! Every loss against golden values, in both precisions, on every instruction set of this machine.

use lossfn::InstructionSet;
use lossfn_testkit::outcome::for_each_outcome;
use lossfn_testkit::points::Precision;
use lossfn_testkit::{catalog, none_wrong};
use rayon::prelude::*;

#[test]
fn every_loss_matches_its_golden_values() {
    let sets: Vec<_> = InstructionSet::ALL.into_iter().filter(|set| set.is_available()).collect();
    let entries: Vec<_> = catalog().collect();
    let results: Vec<(usize, Vec<String>)> = entries
        .par_iter()
        .flat_map(|entry| sets.par_iter().map(move |&set| (entry.description.id, set)))
        .map(|(id, set)| {
            let (mut checked, mut wrong) = (0, Vec::new());
            for precision in [Precision::Double, Precision::Single] {
                for_each_outcome(id, set, precision, |outcome| {
                    checked += 1;
                    if outcome.is_wrong() {
                        wrong.push(format!(
                            "{} {precision:?} {}, {} at prediction {:?}, target {:?}: {:e}, not {} \
                             ({} ulp)",
                            set.name(),
                            outcome.loss,
                            outcome.what,
                            outcome.row.prediction.as_slice(),
                            outcome.row.target,
                            outcome.found,
                            outcome.expected,
                            outcome.distance
                        ));
                    }
                });
            }
            (checked, wrong)
        })
        .collect();
    let checked: usize = results.iter().map(|(checked, _)| checked).sum();
    let wrong: Vec<String> = results.into_iter().flat_map(|(_, wrong)| wrong).collect();
    println!("{checked} results checked");
    assert!(checked > 10_000 || lossfn_testkit::is_part_of_catalog(), "only {checked} results");
    none_wrong(&wrong);
}
