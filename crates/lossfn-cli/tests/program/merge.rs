//! Parts merge into the whole, to the bit.

use crate::common::{Folder, Random, parquet, table};
use arrow_array::types::Int8Type;
use arrow_array::{ArrayRef, DictionaryArray, Float64Array, RecordBatch};
use parquet::basic::Compression;
use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::sync::Arc;

const QUESTION: &str = "--target y --prediction p --weights w --by g --loss huber \
    --loss squared_error --loss 'quantile(level=0.9)' --worst 4";

/// Rows whose losses span a wide range, are often equal, and now and then infinite.
fn rows(count: usize) -> RecordBatch {
    let mut random = Random(1);
    let mut column = |make: &mut dyn FnMut(&mut Random) -> f64| {
        Arc::new((0..count).map(|_| Some(make(&mut random))).collect::<Float64Array>()) as ArrayRef
    };
    let y = column(&mut |random| random.below(3) as f64 * 0.1);
    let p = column(&mut |random| match random.below(40) {
        0 => f64::INFINITY,
        1 => 1e150 * random.unit(),
        2 => 1e-150 * random.unit(),
        3..20 => random.below(4) as f64 * 0.1,
        _ => random.unit(),
    });
    let w = column(&mut |random| random.below(3) as f64 * 0.7);
    let names = ["north", "10", "9", "a, b"];
    let g: DictionaryArray<Int8Type> =
        (0..count).map(|_| (random.below(9) > 0).then_some(names[random.below(4)])).collect();
    table([("y", y), ("p", p), ("w", w), ("g", Arc::new(g) as ArrayRef)])
}

#[test]
fn any_split_gives_what_one_run_gives() {
    let (rows, mut random) = (rows(999), Random(2));
    for round in 0..6 {
        let folder = Folder::new();
        // Cuts at random; files of uneven length, each in row groups.
        let mut cuts: Vec<usize> = (0..round).map(|_| random.below(1000)).collect();
        cuts.extend([0, 999]);
        cuts.sort_unstable();
        cuts.dedup();
        let mut parts = Vec::new();
        for (at, cut) in cuts.windows(2).enumerate() {
            let part = rows.slice(cut[0], cut[1] - cut[0]);
            folder.write(&format!("{at}.parquet"), parquet(&part, 70, Compression::SNAPPY));
            let groups = part.num_rows().div_ceil(70);
            let middle = random.below(groups);
            let ranges = [0..middle, middle..groups].into_iter().filter(|range| !range.is_empty());
            parts.extend(ranges.map(|range| (at, range)));
        }
        let files: Vec<String> = (0..cuts.len() - 1).map(|at| format!("{at}.parquet")).collect();
        for format in ["json", "csv", "table"] {
            let whole = |files: &[String], threads: usize| {
                let files = files.join(" ");
                folder
                    .run(&format!("eval {files} {QUESTION} --format {format} --threads {threads}"))
                    .answer()
            };
            let once = whole(&files, 1);
            assert_eq!(once, whole(&files, 2));
            assert_eq!(once, whole(&files, 5));
            let reversed: Vec<String> = files.iter().rev().cloned().collect();
            assert_eq!(once, whole(&reversed, 2), "files in another order");
            random.shuffle(&mut parts);
            let mut states = Vec::new();
            for (number, (file, range)) in parts.iter().enumerate() {
                let threads = [1, 2, 5][number % 3];
                folder
                    .run(&format!(
                        "eval {file}.parquet {QUESTION} --row-groups {}..{} --threads {threads} \
                         --save-state {number}.json",
                        range.start, range.end
                    ))
                    .answer();
                states.push(format!("{number}.json"));
            }
            random.shuffle(&mut states);
            let merged =
                folder.run(&format!("merge {} --format {format}", states.join(" "))).answer();
            assert_eq!(once, merged, "round {round}, parts {parts:?}");
            // Merging in two steps is merging.
            let (first, rest) = states.split_at(states.len() / 2 + 1);
            folder.run(&format!("merge {} --save-state half.json", first.join(" "))).answer();
            let merged = folder
                .run(&format!("merge {} half.json --format {format}", rest.join(" ")))
                .answer();
            assert_eq!(once, merged, "round {round}, parts {parts:?}");
        }
    }
}

#[test]
fn a_part_may_have_nothing_valid_but_the_whole_may_not() {
    let folder = Folder::with("a.csv", "y,p,m,g\n0,1,0,x\n0,2,0,y\n");
    folder.write("b.csv", "y,p,m,g\n0,3,1,x\n0,4,0,y\n");
    folder.write("c.csv", "y,p,m,g\n0,5,1,y\n");
    for (flag, missing) in [("", "the mean of huber(delta=1.0): "), ("--by g", "of group x: ")] {
        let question = format!("{flag} --target y --prediction p --mask m --loss huber");
        for file in ["a", "b", "c"] {
            let line = format!("eval {file}.csv {question} --save-state {file}.json");
            let answer = folder.run(&(line + " --format csv")).answer();
            assert_eq!(answer.contains("NaN"), file == "a" || file == "b" && !flag.is_empty());
        }
        let once = folder.run(&format!("eval a.csv b.csv c.csv {question}")).answer();
        assert_eq!(once, folder.run("merge c.json a.json b.json").answer());
        for line in [format!("eval a.csv {question}"), "merge a.json".to_owned()] {
            let refusal = folder.run(&line).refusal();
            assert!(refusal.contains(missing) && refusal.contains("no row is left"), "{refusal}");
        }
        folder.run("merge a.json b.json --save-state ab.json").answer();
        assert_eq!(once, folder.run("merge ab.json c.json").answer());
    }
}

#[test]
fn text_files_merge_too() {
    let folder = Folder::new();
    let mut random = Random(3);
    let mut all = Vec::new();
    for file in ["b.csv", "a.csv"] {
        let mut text = "y,p\n".to_owned();
        for _ in 0..50 {
            writeln!(text, "{},{}", random.below(2), random.unit()).expect("a string takes all");
        }
        folder.write(file, text);
        let question = "--target y --prediction p --worst 3";
        folder.run(&format!("eval {file} {question} --save-state {file}.json")).answer();
        all.push(file);
    }
    let once = folder.run("eval b.csv a.csv --target y --prediction p --worst 3").answer();
    assert_eq!(once, folder.run("merge *.json").answer());
    assert_eq!(once, folder.run("merge '*.json'").answer());
}

#[test]
fn a_state_is_small_whatever_the_data() {
    let rows = 20_000;
    let mut random = Random(4);
    let mut wild = "y,p,w\n".to_owned();
    for _ in 0..rows {
        // Every exponent there is.
        let p = 10f64.powi(random.below(306) as i32 - 153);
        writeln!(wild, "{},{p:e},{}", random.unit(), 10f64.powi(random.below(40) as i32 - 20))
            .expect("a string takes all");
    }
    let folder = Folder::with("wild.csv", wild);
    folder.write("plain.csv", "y,p,w\n1,0.5,1\n");
    for file in ["wild", "plain"] {
        folder
            .run(&format!(
                "eval {file}.csv --target y --prediction p --weights w --loss squared_error \
                 --save-state {file}.json"
            ))
            .answer();
        let size = fs::metadata(folder.path(&format!("{file}.json"))).expect("a state").len();
        assert!(size < 2048, "the state of {file} has {size} bytes");
    }
}

#[test]
fn infinite_and_undefined_losses_survive_in_states() {
    for (p, cost) in [("inf", "inf"), ("1e200", "inf"), ("-inf", "inf")] {
        let folder = Folder::with("a.csv", format!("y,p\n0,{p}\n0,1\n"));
        folder.write("b.csv", "y,p\n0,2\n");
        let question = "--target y --prediction p --loss squared_error --worst 1 --format json";
        for file in ["a", "b"] {
            folder.run(&format!("eval {file}.csv {question} --save-state {file}.json")).answer();
        }
        let once = folder.run(&format!("eval a.csv b.csv {question}")).json();
        assert_eq!(once["costs"][0]["cost"], cost);
        assert_eq!(once["worst"]["squared_error"][0]["row"], 1);
        assert_eq!(once, folder.run("merge b.json a.json --format json").json());
    }
    // The distance of two infinities is not a number (here one whose sign is set), and comes before
    // all others.
    let folder = Folder::with("a.csv", "y,p\n0,inf\ninf,inf\n0,1\n");
    folder.write("b.csv", "y,p\n0,2\n");
    let question = "--target y --prediction p --loss squared_error --worst 2 --format json";
    for file in ["a", "b"] {
        folder.run(&format!("eval {file}.csv {question} --save-state {file}.json")).answer();
    }
    let merged = folder.run("merge b.json a.json --format json").json();
    assert_eq!(merged["costs"][0]["cost"], "nan");
    let worst: Vec<&Value> =
        (0..2).map(|at| &merged["worst"]["squared_error"][at]["row"]).collect();
    assert_eq!(worst, [2, 1]);
    assert_eq!(merged, folder.run(&format!("eval a.csv b.csv {question}")).json());
}

#[test]
fn merged_states_are_of_one_cost() {
    let folder = Folder::with("t.csv", "y,p,q,g\n1,0.5,1,a\n0,1,1,b\n");
    folder.write("u.csv", "y,p,q,g\n1,0.25,1,a\n");
    let base = "--target y --prediction p --loss huber";
    folder.run(&format!("eval t.csv {base} --save-state t.json")).answer();
    for (other, difference) in [
        (
            "--target y --prediction p --loss absolute_error",
            "its --loss is absolute_error, and that of the states before it huber(delta=1.0)",
        ),
        (
            "--target y --prediction p --loss huber(delta=2)",
            "its --loss is huber(delta=2.0), and that of the states before it huber(delta=1.0)",
        ),
        (
            "--target y --prediction p --loss huber --loss absolute_error",
            "its --loss is huber(delta=1.0), absolute_error, and that of the states before it \
             huber(delta=1.0)",
        ),
        (
            "--target y --prediction q --loss huber",
            "its --prediction is q, and that of the states before it p",
        ),
        (
            "--target q --prediction p --loss huber",
            "its --target is q, and that of the states before it y",
        ),
        (
            "--target y --prediction p --loss huber --weights q",
            "its --weights is q, and that of the states before it not given",
        ),
        (
            "--target y --prediction p --loss huber --by g",
            "its --by is g, and that of the states before it not given",
        ),
        (
            "--target y --prediction p --loss huber --denominator examples",
            "its --denominator is examples, and that of the states before it weights",
        ),
        (
            "--target y --prediction p --loss huber --reduction sum",
            "its --reduction is sum, and that of the states before it mean",
        ),
        (
            "--target y --prediction p --loss huber --worst 3",
            "its --worst is 3, and that of the states before it 0",
        ),
    ] {
        folder.run(&format!("eval u.csv {other} --save-state u.json")).answer();
        let refusal = folder.run("merge t.json u.json --save-state whole.json").refusal();
        let due = "lossfn: u.json: this state is of another cost and cannot be joined";
        assert_eq!(refusal, format!("{due}: {difference}\n"));
    }
    assert_eq!(folder.names(), ["t.csv", "t.json", "u.csv", "u.json"]);
}

#[test]
fn the_same_rows_are_not_counted_twice() {
    let folder = Folder::with("t.csv", "y,p\n1,0.5\n0,1\n");
    let ten = table([
        ("y", Arc::new(Float64Array::from(vec![1.0; 10])) as ArrayRef),
        ("p", Arc::new(Float64Array::from(vec![0.5; 10])) as ArrayRef),
    ]);
    folder.write("t.parquet", parquet(&ten, 2, Compression::UNCOMPRESSED));
    let question = "--target y --prediction p --loss huber";
    for (parts, files) in [
        ("0..3", "t.parquet"),
        ("2..4", "t.parquet"),
        ("3..5", "t.parquet"),
        ("", "t.parquet"),
        ("", "t.csv"),
    ] {
        let groups = if parts.is_empty() { String::new() } else { format!("--row-groups {parts}") };
        let name = format!("{files}{}.json", parts.replace("..", "-"));
        folder.run(&format!("eval {files} {question} {groups} --save-state {name}")).answer();
    }
    for (states, twice) in [
        ("t.csv.json t.csv.json", true),
        ("t.parquet0-3.json t.parquet2-4.json", true),
        ("t.parquet2-4.json t.parquet0-3.json", true),
        ("t.parquet.json t.parquet0-3.json", true),
        ("t.parquet0-3.json t.parquet3-5.json", false),
        ("t.parquet.json t.csv.json", false),
        ("--allow-repeats t.csv.json t.csv.json", false),
    ] {
        let run = folder.run(&format!("merge {states}"));
        if twice {
            let refusal = run.refusal();
            assert!(refusal.contains("would count twice"), "{states}: {refusal}");
            assert!(refusal.contains("--allow-repeats"), "{states}: {refusal}");
        } else {
            run.answer();
        }
    }
}

#[test]
fn what_is_no_state_is_refused() {
    let folder = Folder::with("t.csv", "y,p\n1,0.5\n0,1\n");
    folder.run("eval t.csv --target y --prediction p --loss huber --save-state good.json").answer();
    let good = fs::read_to_string(folder.path("good.json")).expect("a state");
    let cases = [
        ("hello", "this is not a state written by --save-state: expected value"),
        ("{\"a\": 1}", "this is not a state written by --save-state"),
        (&good[..good.len() / 2], "this is not a state written by --save-state: EOF"),
        (&good.replace("\"version\":1", "\"version\":7"), "the state has version 7, and this"),
        (&good.replace("\"rows\":2", "\"rows\":-2"), "the state is damaged"),
        (&good.replace("\"rows\":2", "\"rows\":3"), "the state is damaged"),
        (&good.replace("\"valid\":2", "\"valid\":18446744073709551615"), "the state is damaged"),
        (&good.replace("\"key\":[]", "\"key\":[\"a\"]"), "the state is damaged"),
        (&good.replace("\"groups\":", "\"groups_\":"), "the state is damaged: missing field"),
        (
            &good.replace("huber(delta=1.0)", "hubber"),
            "the state is damaged: there is no loss \"hubber\"",
        ),
        (&good.replace("\"worst\":[[]]", "\"worst\":[]"), "the state is damaged"),
    ];
    for (content, message) in cases {
        assert_ne!(content, good);
        folder.write("bad.json", content);
        for line in ["merge bad.json", "merge bad.json good.json", "merge good.json bad.json"] {
            let refusal = folder.run(&format!("{line} --save-state whole.json")).refusal();
            assert!(
                refusal.contains("bad.json: ") && refusal.contains(message),
                "{line} of {content}: {refusal}"
            );
        }
    }
    for (line, message) in [
        ("merge none.json", "lossfn: none.json: there is no such file\n"),
        ("merge 'none*.json'", "lossfn: no file matches \"none*.json\"\n"),
    ] {
        assert_eq!(folder.run(line).refusal(), message);
    }
    assert_eq!(folder.names(), ["bad.json", "good.json", "t.csv"]);
}

#[test]
fn a_state_replaces_the_one_before_it_or_nothing() {
    let folder = Folder::with("t.csv", "y,p\n1,0.5\n0,1\n");
    folder.write("state.json", "what was there before");
    folder.write("bad.csv", "y,p\n1,0.5\n0,x\n");
    let question = "--target y --prediction p --loss huber --save-state";
    folder.run(&format!("eval bad.csv {question} state.json")).refusal();
    let before = fs::read_to_string(folder.path("state.json")).expect("readable");
    assert_eq!(before, "what was there before");
    folder.run(&format!("eval t.csv {question} state.json")).answer();
    folder.run("merge state.json").answer();
    let refusal = folder.run(&format!("eval t.csv {question} nowhere/state.json")).refusal();
    assert!(refusal.starts_with("lossfn: cannot write nowhere/state.json: "), "{refusal}");
    assert_eq!(folder.names(), ["bad.csv", "state.json", "t.csv"]);
}
