//! Values that are known from elsewhere.

use crate::common::{Folder, Run, number, only_cost, project};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::LN_2;
use std::fmt::Write;
use std::fs;

/// Loss, CSV file, columns of the prediction, and the mean that is known.
const KNOWN: [(&str, &str, &str, f64); 9] = [
    ("huber(1)", "y,p\n1,0\n1,1\n0,0\n0,1\n1,1\n", "p", 0.2),
    (
        "categorical_cross_entropy",
        "y0,y1,p0,p1\n0,1,.1,.9\n1,0,.9,.1\n",
        "p0,p1",
        0.105_360_515_657_826_28,
    ),
    ("binary_cross_entropy", "y,p\n0,0.5\n", "p", LN_2),
    (
        "binary_cross_entropy",
        "y,p\n0,.2\n1,.8\n1,.8\n1,.8\n1,.8\n1,.8\n1,.8\n1,.8\n1,.8\n1,.8\n",
        "p",
        0.223_143_551_314_209_7,
    ),
    ("binary_cross_entropy", "y,p\n0,.4\n1,.6\n", "p", 0.510_825_623_765_990_7),
    ("gaussian_nll", "y,m,v\n0,1,1\n1,1,1\n", "m,v", 0.25),
    ("gaussian_nll_log_variance", "y,m,s\n0,2,0\n", "m,s", 2.0),
    ("multi_quantile(0.25,0.75)", "y,low,high\n1,0,3\n", "low,high", 0.375),
    // ln(1 + e^-22 + e^-34 + e^-39)
    ("softmax_cross_entropy", "y,a,b,c,d\n0,44,10,22,5\n", "a,b,c,d", 2.789_485_347_046_420_7e-10),
];

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-12 * expected.abs()
}

#[test]
fn the_field_knows_these_values() {
    for (loss, csv, prediction, expected) in KNOWN {
        let folder = Folder::with("t.csv", csv);
        let target = if csv.starts_with("y0") { "y0,y1" } else { "y" };
        let answer = folder
            .run(&format!(
                "eval t.csv --target {target} --prediction {prediction} --loss {loss} --format json"
            ))
            .json();
        let found = only_cost(&answer);
        assert!(close(found, expected), "{loss}: {found} is not {expected}");
    }
}

#[test]
fn softmax_does_not_overflow() {
    let most = f64::from(f32::MAX);
    let rows: [([f64; 4], usize, f64); 5] = [
        ([44.0, 10.0, 22.0, 5.0], 1, 34.0),
        ([most, 0.0, 0.0, 0.0], 0, 0.0),
        ([most, 0.0, 0.0, 0.0], 1, most),
        ([most, -most, 0.0, 0.0], 1, 2.0 * most),
        ([-most, -most, -most, -most], 2, 4f64.ln()),
    ];
    for (scores, label, expected) in rows {
        let [a, b, c, d] = scores;
        let folder = Folder::with("t.csv", format!("y,a,b,c,d\n{label},{a},{b},{c},{d}\n"));
        let answer = folder
            .run("eval t.csv --target y --prediction a,b,c,d --loss softmax_cross_entropy --format json")
            .json();
        // The smaller scores add less than 1e-9 to the first.
        let found = only_cost(&answer);
        assert!((found - expected).abs() <= 1e-9 * expected.max(1.0), "{scores:?}: {found}");
    }
}

/// One cost as the reference has it: all that belongs in one run, the loss, and the costs by group.
type Reference = BTreeMap<[String; 5], Vec<(String, BTreeMap<String, f64>)>>;

/// What an independent program says of the examples: `xtask/examples/reference_costs.py`.
fn reference() -> (usize, Reference) {
    let text = fs::read_to_string(project("testdata/reference/examples.json")).expect("readable");
    let entries: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    let mut runs = Reference::new();
    for entry in &entries {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        let by = entry["by"][0].as_str().unwrap_or_default().to_owned();
        let costs = match entry["groups"].as_object() {
            Some(groups) => groups.iter().map(|(key, cost)| (key.clone(), number(cost))).collect(),
            None => BTreeMap::from([(String::new(), number(&entry["value"]))]),
        };
        let run = [text("file"), text("prediction"), text("weights"), by, text("reduction")];
        runs.entry(run).or_default().push((text("loss"), costs));
    }
    (entries.len(), runs)
}

/// Runs all losses of one entry of the reference on a file.
fn run(file: &str, key: &[String; 5], losses: &[(String, BTreeMap<String, f64>)]) -> Run {
    let [_, prediction, weights, by, reduction] = key;
    let mut line = format!(
        "eval '{}' --target y --prediction {prediction} --reduction {reduction} --format json",
        project("examples/data").join(file).display()
    );
    for (flag, value) in [("weights", weights), ("by", by)] {
        if !value.is_empty() {
            write!(line, " --{flag} {value}").expect("written");
        }
    }
    for (loss, _) in losses {
        write!(line, " --loss '{loss}'").expect("written");
    }
    Folder::new().run(&line)
}

#[test]
fn costs_of_the_examples_are_those_of_numpy() {
    let (entries, runs) = reference();
    assert_eq!(entries, 456);
    let mut compared = 0;
    for (key, losses) in &runs {
        let answer = run(&key[0], key, losses).json();
        let mut found: Vec<BTreeMap<String, f64>> = vec![BTreeMap::new(); losses.len()];
        // Group by group, each with all losses in the order in which they were named.
        for (at, cost) in answer["costs"].as_array().expect("costs").iter().enumerate() {
            let group = cost["group"][&key[3]].as_str().unwrap_or_default();
            found[at % losses.len()].insert(group.to_owned(), number(&cost["cost"]));
        }
        for ((loss, expected), found) in losses.iter().zip(&found) {
            assert!(expected.keys().eq(found.keys()), "{key:?} {loss}: other groups");
            for (group, expected) in expected {
                let found = found[group];
                assert!(close(found, *expected), "{key:?} {loss} {group}: {found}, not {expected}");
            }
            compared += 1;
        }
    }
    assert_eq!(compared, entries);
}

#[test]
fn the_examples_cost_the_same_to_the_bit_in_all_formats() {
    let (_, runs) = reference();
    let mut formats = BTreeSet::new();
    for (key, losses) in &runs {
        let csv = run(&key[0], key, losses).json();
        let parquet = key[0].replace(".csv", ".parquet");
        assert_eq!(csv, run(&parquet, key, losses).json(), "{parquet} {key:?}");
        formats.insert(parquet);
        // The archive has the labels, and the scores as one array.
        if key[0] == "digits.csv" && key[1] == "score_*" && key[3] != "half" {
            let mut key = key.clone();
            key[1] = "scores".into();
            for file in ["digits.npz", "digits.parquet"] {
                let mut found = run(file, &key, losses).json();
                found["prediction"] = "score_*".into();
                assert_eq!(csv, found, "{file} {key:?}");
                formats.insert(format!("{file} scores"));
            }
        }
    }
    assert_eq!(formats.len(), 5, "{formats:?}");
}
