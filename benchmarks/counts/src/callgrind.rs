//! Runs this program under callgrind, which counts the instructions of each case.

use crate::cases;
use lossfn::InstructionSet;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::{env, fs, hint};

/// The argument with which the program runs the cases; behind it is how many are left out.
pub const RUN: &str = "run-cases";

/// Instructions per element, by row and column.
pub type Counts = BTreeMap<(String, String), f64>;

/// Does the work of each case, twice: what is done at first use alone does not count.
pub fn run_cases(without: usize) {
    for mut case in cases::all().skip(without) {
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

/// The counts of all cases by an instruction set. Callgrind knows no AVX-512, and has not every
/// instruction of AVX2: a case that needs one that it lacks has no count.
pub fn count(set: InstructionSet) -> Result<Counts, String> {
    let folder = env::temp_dir().join(format!("lossfn-counts-{}", process::id()));
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let cases: Vec<_> = cases::all().collect();
    let mut totals = Vec::new();
    while totals.len() < cases.len() {
        let (counted, finished) = run(set, &folder, totals.len())?;
        totals.extend(counted.into_iter().map(Some));
        if !finished {
            totals.push(None);
        } else if totals.len() < cases.len() {
            return Err(format!("callgrind counted {} cases of {}", totals.len(), cases.len()));
        }
    }
    fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let per_element = |(case, total): (cases::Case, Option<u64>)| {
        let column = format!("{} {}", set.name(), case.column);
        total.map(|total| ((case.row, column), total as f64 / case.elements as f64))
    };
    Ok(cases.into_iter().zip(totals).filter_map(per_element).collect())
}

/// The instructions of the cases behind the first so many, in order, and whether all were run.
fn run(set: InstructionSet, folder: &Path, without: usize) -> Result<(Vec<u64>, bool), String> {
    let this = env::current_exe().map_err(|error| format!("where this program is: {error}"))?;
    let file = folder.join(format!("from-{without}"));
    let log = folder.join("log");
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--dump-before=*lossfn_counts*mark*"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(format!("--log-file={}", log.display()))
        .arg(this)
        .args([RUN, &without.to_string()])
        .env("LOSSFN_INSTRUCTION_SET", set.name())
        .env("RAYON_NUM_THREADS", "1")
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("valgrind: {error} (is it installed?)"))?;
    // An instruction that valgrind lacks ends the program by a signal.
    if status.code().is_some_and(|code| code != 0) {
        let log = fs::read_to_string(&log).unwrap_or_default();
        return Err(format!("valgrind: {status}\n{log}"));
    }
    // Files are numbered from 1; those with even numbers are of what is between two marks of a case.
    let mut totals = Vec::new();
    for part in (2..).step_by(2) {
        let name = format!("{}.{part}", file.display());
        let Ok(text) = fs::read_to_string(&name) else { break };
        let total = text.lines().find_map(|line| line.strip_prefix("summary: ")?.parse().ok());
        totals.push(total.ok_or_else(|| format!("{name}: no summary"))?);
    }
    Ok((totals, status.success()))
}
