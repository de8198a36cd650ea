//! Runs this program under callgrind, which counts the instructions of each case.

use crate::cases;
use lossfn::InstructionSet;
use std::collections::BTreeMap;
use std::process::Command;
use std::{env, fs, hint, process};

/// The argument with which the program runs the cases.
pub const RUN: &str = "run-cases";

/// Instructions per element, by row and column.
pub type Counts = BTreeMap<(String, String), f64>;

/// Does the work of every case, twice: what is done at first use alone does not count.
pub fn run_cases() {
    for mut case in cases::all() {
        (case.work)();
        mark();
        (case.work)();
        mark();
    }
}

/// When this is called, callgrind writes down what it has counted since the last time.
#[inline(never)]
fn mark() {
    hint::black_box(());
}

/// The counts of all cases by an instruction set. Callgrind knows no AVX-512.
pub fn count(set: InstructionSet) -> Result<Counts, String> {
    let folder = env::temp_dir().join(format!("lossfn-counts-{}", process::id()));
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let totals = run(set, &folder.join("count"));
    let removed = fs::remove_dir_all(&folder);
    let totals = totals?;
    removed.map_err(|error| format!("{}: {error}", folder.display()))?;
    let cases: Vec<_> = cases::all().collect();
    if totals.len() != cases.len() {
        return Err(format!("callgrind counted {} cases of {}", totals.len(), cases.len()));
    }
    let per_element = |(case, total): (cases::Case, u64)| {
        let column = format!("{} {}", set.name(), case.column);
        ((case.row, column), total as f64 / case.elements as f64)
    };
    Ok(cases.into_iter().zip(totals).map(per_element).collect())
}

/// The instructions of each case, in order.
fn run(set: InstructionSet, file: &std::path::Path) -> Result<Vec<u64>, String> {
    let this = env::current_exe().map_err(|error| format!("where this program is: {error}"))?;
    let status = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind", "--dump-before=*lossfn_counts*mark*"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(this)
        .arg(RUN)
        .env("LOSSFN_INSTRUCTION_SET", set.name())
        .env("RAYON_NUM_THREADS", "1")
        .status()
        .map_err(|error| format!("valgrind: {error} (is it installed?)"))?;
    if !status.success() {
        return Err(format!("valgrind: {status}"));
    }
    // Files are numbered from 1; those with even numbers are of what is between two marks of a case.
    let mut totals = Vec::new();
    for part in (2..).step_by(2) {
        let name = format!("{}.{part}", file.display());
        let Ok(text) = fs::read_to_string(&name) else { break };
        let total = text.lines().find_map(|line| line.strip_prefix("summary: ")?.parse().ok());
        totals.push(total.ok_or_else(|| format!("{name}: no summary"))?);
    }
    Ok(totals)
}
