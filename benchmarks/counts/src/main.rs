//! Instructions per element of every loss, counted by callgrind: what timings on a busy machine cannot
//! tell. `cargo counts` prints how they differ from the table that is kept, `cargo counts --check` fails
//! if one has risen by more than 5 %, and `cargo counts --bless` writes the table anew.
#![forbid(unsafe_code)]

mod callgrind;
mod cases;
mod table;

use callgrind::Counts;
use lossfn::InstructionSet;
use std::env;
use std::process::{Command, ExitCode};
use table::{Table, shown};

/// Gradients in f32 by AVX2 that take more instructions an element than this are listed: vector code takes
/// fewer, but for special functions, and a kernel falls out of it unnoticed.
const MANY: f64 = 40.0;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args.as_slice() {
        [callgrind::RUN, without] => match without.parse() {
            Ok(without) => {
                callgrind::run_cases(without);
                Ok(())
            }
            Err(error) => Err(format!("{without}: {error}")),
        },
        [] => counts().and_then(|counts| compare(&counts, false)),
        ["--check"] => counts().and_then(|counts| compare(&counts, true)),
        ["--bless"] => counts().and_then(bless),
        _ => Err("usage: cargo counts [--check | --bless]".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("counts: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The instruction sets that callgrind knows.
const SETS: [InstructionSet; 2] = [InstructionSet::Avx2, InstructionSet::Portable];

fn counts() -> Result<Counts, String> {
    if let Some(set) = SETS.into_iter().find(|set| !set.is_available()) {
        return Err(format!("the table has counts of {}, which this machine lacks", set.name()));
    }
    let mut counts = Counts::new();
    for set in SETS {
        counts.extend(callgrind::count(set)?);
    }
    let gradient = format!("{} {}", InstructionSet::Avx2.name(), cases::GRADIENT);
    let is_kernel = |row: &str| !row.contains(':');
    let many: Vec<String> = counts
        .iter()
        .filter(|((row, column), count)| *column == gradient && is_kernel(row) && **count > MANY)
        .map(|((row, _), count)| format!("{row}: {}", shown(*count)))
        .collect();
    list(&format!("{gradient}, more than {MANY} instructions an element"), &many);
    Ok(counts)
}

fn list(heading: &str, lines: &[String]) {
    if !lines.is_empty() {
        println!("{heading}:\n  {}", lines.join("\n  "));
    }
}

fn compare(counts: &Counts, must_hold: bool) -> Result<(), String> {
    let (table, compiler) = (Table::read()?, compiler()?);
    let differences = table.differences(counts);
    list("fewer instructions than the table has", &differences.better);
    if differences.worse.is_empty() {
        println!("{} counts, none more than 5 % above the table", counts.len());
        return Ok(());
    }
    list("more instructions than the table has", &differences.worse);
    if compiler != table.compiler {
        println!("not compared further: the table is of {}, this is {compiler}", table.compiler);
        return Ok(());
    }
    if !must_hold {
        return Ok(());
    }
    let what = "instruction counts have risen by more than 5 %, or are new";
    Err(format!("{what} (see above); if that is meant, `cargo counts --bless` keeps them"))
}

fn bless(counts: Counts) -> Result<(), String> {
    let mut rows: Vec<String> = cases::all().map(|case| case.row).collect();
    rows.dedup();
    let column = |set: InstructionSet| cases::COLUMNS.map(|name| format!("{} {name}", set.name()));
    let columns: Vec<String> = SETS.into_iter().flat_map(column).collect();
    let table = Table { compiler: compiler()?, counts };
    table.write(&rows, &columns)
}

/// The compiler's version: counts depend on it.
fn compiler() -> Result<String, String> {
    let fail = |error| format!("rustc --version: {error}");
    let output = Command::new("rustc").arg("--version").output().map_err(fail)?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
