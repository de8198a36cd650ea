//! Chores of the project: `cargo xtask docs` writes the page of each loss and the pictures,
//! `cargo xtask docs --check` fails if one is not what it would write.
#![forbid(unsafe_code)]

mod pictures;

use lossfn::{CATALOG, Entry, InstructionSet, Task};
use lossfn_testkit::judge::ceiling;
use lossfn_testkit::outcome::for_each_outcome;
use lossfn_testkit::points::Precision;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args.as_slice() {
        ["docs"] => pages().and_then(|pages| write_pages(&pages)),
        ["docs", "--check"] => pages().and_then(|pages| check_pages(&pages)),
        _ => Err("usage: cargo xtask docs [--check]".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// The folders in which every file is written here.
const FOLDERS: [&str; 3] = ["losses", "losses/images", "pictures"];

/// All pages and pictures by their path in docs.
fn pages() -> Result<BTreeMap<String, String>, String> {
    let page = |entry: &Entry| (format!("losses/{}.md", entry.description.id), loss_page(entry));
    let mut pages: BTreeMap<String, String> = CATALOG.par_iter().map(page).collect();
    pages.insert("losses/README.md".into(), index_page());
    pages.insert("losses/accuracy.md".into(), accuracy_page());
    let image = |entry: &Entry| {
        let path = format!("losses/images/{}.svg", entry.description.id);
        pictures::of_loss(entry).map(|svg| (path, svg))
    };
    pages.extend(CATALOG.par_iter().map(image).collect::<Result<Vec<_>, String>>()?);
    pages.extend(pictures::classics()?);
    Ok(pages)
}

const NOTE: &str = "<!-- Written by `cargo xtask docs` from the catalog; do not edit. -->\n\n";

fn index_page() -> String {
    let mut text = format!(
        "{NOTE}# All losses\n\n[How exact they are](accuracy.md), [pictures](../PICTURES.md)\n"
    );
    for task in Task::ALL.into_iter().filter(|&task| lossfn::for_task(task).next().is_some()) {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n## {}\n\n| loss | |\n|---|---|\n", capitalised(task.name()));
        for entry in lossfn::for_task(task) {
            let (id, loss) = (entry.description.id, entry.with_defaults());
            let _ = writeln!(text, "| [`{loss}`]({id}.md) | {} |", entry.description.summary);
        }
    }
    text
}

/// How far the kernels are from the golden values, at most: by the baseline instruction set, which
/// gives the same on every machine.
fn accuracy_page() -> String {
    let mut text = format!(
        "{NOTE}# How exact the losses are\n\nThe largest distance from values that are known to 40 \
         digits (`testdata/golden`), in units of the last place, on the baseline instruction set. The \
         others are held to the same ceilings by the tests: {} for a loss and its gradient, {} for the \
         second derivative. Where terms cancel, as in a log-likelihood that passes through 0 or softmax \
         minus a soft target, and for subnormal numbers the terms are what is held to the ceiling; such \
         results are counted on the right.\n\n\
         | loss | f32: value | gradient | second | f64: value | gradient | second | results | cancelling |\n\
         |---|---|---|---|---|---|---|---|---|\n",
        ceiling(0),
        ceiling(2)
    );
    let rows: Vec<String> = CATALOG.par_iter().map(accuracy_row).collect();
    text.extend(rows);
    text
}

fn accuracy_row(entry: &Entry) -> String {
    let id = entry.description.id;
    let (mut results, mut cancelling) = (0, 0);
    let mut row = format!("| [{id}]({id}.md) |");
    for precision in [Precision::Single, Precision::Double] {
        let mut worst = [0; 3];
        for_each_outcome(id, InstructionSet::Portable, precision, |outcome| {
            results += 1;
            if outcome.is_excused() {
                cancelling += 1;
            } else {
                let worst = &mut worst[outcome.order()];
                *worst = outcome.distance.max(*worst);
            }
        });
        for worst in worst {
            // Writing to a String cannot fail.
            let _ = write!(row, " {worst} |");
        }
    }
    let _ = writeln!(row, " {results} | {cancelling} |");
    row
}

fn loss_page(entry: &Entry) -> String {
    let mut text = format!("{NOTE}# {}\n", entry.description.id);
    let mut before = "";
    for section in entry.with_defaults().sections() {
        let _ = match section.heading {
            "summary" => {
                let id = entry.description.id;
                write!(
                    text,
                    "\n{}\n\n![Loss and gradient of {id}](images/{id}.svg)\n",
                    section.text
                )
            }
            "symbols" => write!(text, "\n{}\n", section.text),
            same if same == before && same != "card" => write!(text, "\n{}\n", section.text),
            heading if section.is_code => {
                write!(text, "\n**{}**\n\n```text\n{}\n```\n", capitalised(heading), section.text)
            }
            "card" => {
                let (property, fact) = section.text.split_once(": ").unwrap_or_default();
                let head = "\n**Card**\n\n| property | answer, and how it is known |\n|---|---|\n";
                let head = if before == "card" { "" } else { head };
                writeln!(text, "{head}| {property} | {} |", fact.replace('|', "\\|"))
            }
            heading => write!(text, "\n**{}**: {}\n", capitalised(heading), section.text),
        };
        before = section.heading;
    }
    text
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    first.chain(letters).collect()
}

fn write_pages(pages: &BTreeMap<String, String>) -> Result<(), String> {
    let folder = folder();
    let fail = |error: io::Error| format!("{}: {error}", folder.display());
    for inner in FOLDERS {
        fs::create_dir_all(folder.join(inner)).map_err(fail)?;
    }
    for stale in files(&folder).map_err(fail)?.iter().filter(|name| !pages.contains_key(*name)) {
        fs::remove_file(folder.join(stale)).map_err(fail)?;
    }
    for (name, text) in pages {
        fs::write(folder.join(name), text).map_err(fail)?;
    }
    Ok(())
}

fn check_pages(pages: &BTreeMap<String, String>) -> Result<(), String> {
    let folder = folder();
    let found = files(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let differs = |(name, text): &(&String, &String)| {
        fs::read_to_string(folder.join(name.as_str())).ok().as_ref() != Some(*text)
    };
    let mut wrong: Vec<&String> = pages.iter().filter(differs).map(|(name, _)| name).collect();
    wrong.extend(found.iter().filter(|name| !pages.contains_key(*name)));
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!("these files of docs are not up to date, run `cargo xtask docs`: {wrong:?}"))
}

/// The files of the folders that are written here.
fn files(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for inner in FOLDERS {
        for entry in fs::read_dir(folder.join(inner))? {
            let entry = entry?;
            if !entry.file_type()?.is_dir() {
                names.push(format!("{inner}/{}", entry.file_name().to_string_lossy()));
            }
        }
    }
    Ok(names)
}
