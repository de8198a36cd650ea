//! `lossfn eval --loss 'huber(delta=auto)'`.

use crate::common::{Folder, Random, npy, npz, only_cost, parquet, project, table};
use arrow_array::{ArrayRef, Float64Array};
use parquet::basic::Compression;
use std::fmt::Write;
use std::sync::Arc;

const SMALL: &str = "y,p,w,m\n0,1,1,1\n0,-2,2,1\n0,0.5,1,1\n0,-0.25,1,1\n0,40,1,1\n0,1e9,1,0\n";
const QUESTION: &str = "--target y --prediction p --mask m";

#[test]
fn the_answer_says_what_was_chosen_and_why() {
    let folder = Folder::with("t.csv", SMALL);
    let table = folder.run(&format!("eval t.csv {QUESTION} --loss 'huber(delta=auto)'")).answer();
    // The median is 0.5, its distances 0, 0.5, 0.75, 2.5 and 39.5: sigma = 1.4826 * 0.75.
    let due = "\nChosen from the data\ndelta of huber = 1.496: 1.345 sigma, sigma = 1.112 by the MAD \
               of 5 residuals; 95 % efficient at the normal\n";
    assert!(table.ends_with(due) && table.contains("huber(delta=1.496)"), "{table}");
    let json =
        folder.run(&format!("eval t.csv {QUESTION} --loss 'huber(auto)' --format json")).json();
    let chosen = &json["chosen"][0];
    assert_eq!(chosen["asked"], "huber(delta=auto)");
    assert_eq!((&chosen["loss"], &chosen["value"]), (&"huber(delta=1.496)".into(), &1.496.into()));
    assert_eq!((&chosen["residuals"], &chosen["method"]), (&5.into(), &"mad".into()));
    let number = |name: &str| chosen["statistics"][name].as_f64().expect("a number");
    assert!((number("sigma") - 1.482_602_218_505_602 * 0.75).abs() < 1e-15);
    assert!((number("constant") - 1.345).abs() < 1e-4 && number("efficiency") == 0.95);
    // The number gives the same cost when it is typed.
    let typed = format!("eval t.csv {QUESTION} --loss 'huber(delta=1.496)' --format json");
    let typed = folder.run(&typed).json();
    assert_eq!(json["costs"], typed["costs"]);
    assert!(typed.get("chosen").is_none());
    // CSV has no place for it; it goes to standard error.
    for form in ["--format csv", "--reduction none"] {
        let run = folder.run(&format!("eval t.csv {QUESTION} --loss 'huber(auto)' {form}"));
        assert!(run.err.contains("lossfn: delta of huber = 1.496: 1.345 sigma"), "{}", run.err);
        assert!(run.answer().contains("huber(delta=1.496)"));
    }
}

#[test]
fn every_method_chooses() {
    let folder = Folder::with("t.csv", SMALL);
    for (loss, due, reason) in [
        ("huber(auto:quantile(0.8))", "huber(delta=21.0)", "the quantile of level 0.8 of"),
        ("huber(delta=auto:quantile)", "huber(delta=40.0)", "the quantile of level 0.9 of"),
        ("huber(delta=auto(efficiency=0.8))", "huber(delta=0.5887)", "80 % efficient"),
        ("smooth_l1(beta=auto)", "smooth_l1(beta=1.496)", "1.345 sigma"),
        ("huber(delta=auto:likelihood)", "huber(delta=", "by maximum likelihood of 5 residuals"),
    ] {
        let json =
            folder.run(&format!("eval t.csv {QUESTION} --loss '{loss}' --format json")).json();
        let chosen = &json["chosen"][0];
        let said = chosen["reason"].as_str().expect("a reason");
        let found = chosen["loss"].as_str().expect("a loss");
        assert!(found.starts_with(due) && said.contains(reason), "{found} {said}");
    }
    // A weight of 2 is the same as having the row twice.
    folder.write("twice.csv", format!("{SMALL}0,-2,1,1\n"));
    let chosen = |line: &str| {
        folder.run(&format!("eval {line} {QUESTION} --loss 'huber(auto)' --format json")).json()
            ["chosen"][0]["value"].clone()
    };
    assert_eq!(chosen("t.csv --weights w"), chosen("twice.csv"));
}

#[test]
fn a_choice_is_the_same_in_every_format_and_from_standard_input() {
    let mut random = Random(5);
    let mut text = "y,p\n".to_owned();
    let (mut y, mut p) = (Vec::new(), Vec::new());
    for _ in 0..30_000 {
        y.push((random.unit() * 1000.0).floor() / 8.0);
        p.push(y[y.len() - 1] + (random.unit() - 0.4) / (random.unit() + 0.01));
        writeln!(text, "{},{}", y[y.len() - 1], p[p.len() - 1]).expect("a string takes all");
    }
    let folder = Folder::with("t.csv", &text);
    let array = |values: &[f64]| Arc::new(Float64Array::from(values.to_vec())) as ArrayRef;
    let both = table([("y", array(&y)), ("p", array(&p))]);
    folder.write("t.parquet", parquet(&both, 1000, Compression::SNAPPY));
    folder.write("t.npz", npz(&[("y", npy("(30000,)", &y)), ("p", npy("(30000,)", &p))]));
    let losses =
        "--loss 'huber(auto)' --loss 'huber(auto:quantile)' --loss 'huber(auto:likelihood)'";
    let question = format!("--target y --prediction p {losses} --format json");
    let due = folder.run(&format!("eval t.csv {question}")).answer();
    for file in ["t.parquet", "t.npz", "t.csv --threads 1"] {
        assert_eq!(folder.run(&format!("eval {file} {question}")).answer(), due, "{file}");
    }
    assert_eq!(folder.run_on(text, &format!("eval - {question}")).answer(), due);
}

#[test]
fn states_hold_the_number_and_parts_must_agree_on_it() {
    let folder = Folder::with("a.csv", "y,p\n0,1\n0,-2\n0,4\n");
    folder.write("b.csv", "y,p\n0,1\n0,-3\n0,9\n");
    let save = |file: &str, loss: &str, to: &str| {
        let question = format!("--target y --prediction p --loss '{loss}' --save-state {to}");
        folder.run(&format!("eval {file} {question}")).answer()
    };
    save("a.csv", "huber(delta=auto)", "a.json");
    save("b.csv", "huber(delta=auto)", "b.json");
    let refusal = folder.run("merge a.json b.json").refusal();
    let due = "its --loss is huber(delta=7.976), and that of the states before it \
               huber(delta=5.982); what auto chooses from one part is not what it chooses from \
               another: let it choose once, from all of the data or one part, and give that number \
               for each part\n";
    assert!(refusal.ends_with(due), "{refusal}");
    save("b.csv", "huber(delta=5.982)", "b.json");
    let merged = folder.run("merge a.json b.json").answer();
    assert!(merged.contains("delta of huber = 5.982: 1.345 sigma, sigma = 4.448 by the MAD of 3"));
    let whole = folder
        .run("eval a.csv b.csv --target y --prediction p --loss 'huber(delta=5.982)' --format json")
        .json();
    let merged = folder.run("merge a.json b.json --format json").json();
    assert_eq!(only_cost(&merged), only_cost(&whole));
    assert_eq!(merged["chosen"].as_array().map(Vec::len), Some(1));
}

#[test]
fn what_cannot_be_chosen_is_refused() {
    let folder = Folder::with("t.csv", SMALL);
    folder.write("same.csv", "y,p\n0,1\n0,1\n0,1\n0,5\n");
    folder.write("classes.csv", "y,a,b\n0,1,2\n1,2,1\n");
    folder.write("weights.csv", "y,p,w\n0,1,1\n0,2,-1\n");
    folder.write("text.csv", "y,p\n0,1\n0,high\n");
    for (line, message) in [
        (
            "t.csv --prediction p --loss 'quantile(level=auto)'",
            "quantile: level cannot be chosen: it says what is wanted, which no data can tell; give \
             a number (auto is for ",
        ),
        ("t.csv --prediction p --loss 'huber(auto:mode)'", "\"auto:mode\" is not understood"),
        ("t.csv --prediction p --loss 'huber(auto(efficiency=0.5))'", "between 0.637 and 1.000"),
        (
            "same.csv --prediction p --loss 'huber(auto)'",
            "lossfn: huber: delta cannot be chosen: the median absolute deviation is 0, as half of \
             the residuals or more are the same; use auto:quantile with a higher level, or give a \
             number\n",
        ),
        (
            "classes.csv --prediction a,b --loss 'huber(auto)'",
            "lossfn: classes.csv: huber(delta=1.0) compares one prediction with one target",
        ),
        (
            "weights.csv --prediction p --weights w --loss 'huber(auto)'",
            "lossfn: weights.csv: row 2, column w: weight -1 must be a finite number, 0 or more\n",
        ),
        (
            "text.csv --prediction p --loss 'huber(auto)'",
            "lossfn: text.csv: row 2, column p: `high` is not a number\n",
        ),
        (
            "t.csv --prediction p --loss 'huber(auto)' --mask y",
            "lossfn: huber: delta cannot be chosen: there are no residuals\n",
        ),
    ] {
        let refusal = folder.run(&format!("eval {line} --target y --save-state s.json")).refusal();
        assert!(refusal.contains(message), "{line}: {refusal}");
    }
    let refusal = folder.run("describe 'huber(delta=auto)'").refusal();
    assert!(refusal.contains("is to be chosen from data: give it to `lossfn eval`"), "{refusal}");
    assert!(!folder.path("s.json").exists());
}

#[test]
fn the_example_is_what_numpy_says() {
    // numpy: r = ridge - y; 1.345 * 1.482602218505602 * median(abs(r - median(r))) = 78.4844...
    let file = project("examples/data/diabetes.csv");
    let line = format!(
        "eval '{}' --target y --prediction ridge --loss 'huber(auto)' --format json",
        file.display()
    );
    assert_eq!(Folder::new().run(&line).json()["chosen"][0]["value"], 78.48);
}
