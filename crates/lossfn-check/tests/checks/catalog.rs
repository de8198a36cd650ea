//! The catalog is sound: what the check finds there is what the losses are.

use lossfn_check::{FindingKind, Severity, check};
use lossfn_testkit::{catalog, none_wrong};
use rayon::prelude::*;

#[test]
fn built_in_losses_have_no_errors() {
    let entries: Vec<_> = catalog().collect();
    let wrong: Vec<String> = entries
        .par_iter()
        .flat_map_iter(|entry| {
            let report = check(&entry.with_defaults());
            println!("{report}");
            let numeric = [FindingKind::LostDigits, FindingKind::Overflow];
            let is_wrong = move |finding: &&lossfn_check::Finding| {
                finding.severity == Severity::Error
                    || finding.severity == Severity::Warning && numeric.contains(&finding.kind)
            };
            let loss = report.loss.clone();
            let wrong: Vec<String> = report
                .findings
                .iter()
                .filter(is_wrong)
                .map(|finding| format!("{loss}: {finding}"))
                .collect();
            wrong
        })
        .collect();
    none_wrong(&wrong);
}
