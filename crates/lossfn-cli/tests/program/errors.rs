//! Bad input: exit code 2, no answer, nothing written, and a message that says where and what to do.

use crate::common::{Folder, npy, npz, parquet, table};
use arrow_array::{ArrayRef, Float64Array, StringArray};
use parquet::basic::Compression;
use std::fmt::Write;
use std::sync::Arc;

/// The text files of the folder that the cases below read.
const TEXTS: [(&str, &str); 25] = [
    ("good.csv", "y,p,w,m,g\n1,0.5,1,1,a\n0,0.25,2,0,b\n1,0.75,0.5,1,a\n"),
    ("text.csv", "y,p\n1,0.5\n0,high\n1,oops\n"),
    ("classes.csv", "y,s0,s1,s2\n0,1,2,3\n2,1,2,3\n3,1,2,3\n4,1,2,3\n"),
    ("fraction.csv", "y,s0,s1,s2\n0,1,2,3\n1.5,1,2,3\n"),
    ("below.csv", "y,s0,s1,s2\n0,1,2,3\n-1,1,2,3\n"),
    ("short.csv", "y,p\n1,0.5\n1\n"),
    ("long.csv", "y,p\n1,0.5\n1,0.5,2\n"),
    ("gap_p.csv", "y,p,w\n1,0.5,1\n1,,1\n1,,1\n"),
    ("gap_y.csv", "y,p,w\n1,0.5,1\nNA,1,1\n"),
    ("gap_w.csv", "y,p,w\n1,0.5,1\n1,1,nan\n"),
    ("empty.csv", ""),
    ("header.csv", "y,p\n"),
    ("twice.csv", "y,y,p\n1,1,0.5\n"),
    ("garbage.parquet", "this is no Parquet at all"),
    ("probability.csv", "y,p\n1,0.5\n0,1.5\n1,-2\n"),
    ("probabilities.csv", "y,a,b\n1,0.5,0.5\n0,0.5,-0.5\n0,1,0\n"),
    ("two.csv", "y,p\n1,0.5\n2,0.5\n2,0.5\n"),
    ("mixed.csv", "y,p\n1,0.5\n0,0.5\n1,0.5\n-1,0.5\n"),
    ("soft.csv", "y,p\n-1,0.5\n0.5,0.5\n"),
    ("negative.csv", "y,p,w\n1,0.5,1\n0,0.5,-2\n1,0.5,-1\n"),
    ("endless.csv", "y,p,w\n1,0.5,inf\n"),
    ("masked.csv", "y,p,m\n1,0.5,0\n0,0.5,0\n"),
    ("weightless.csv", "y,p,w\n1,0.5,0\n0,0.5,0\n"),
    ("distribution.csv", "a,b,c,d,e\n0.5,0.5,1,2,3\n"),
    ("lists.csv", "y,p\n0,\"[1,2]\"\n0,\"[1,2,3]\"\n"),
];

fn folder() -> Folder {
    let folder = Folder::new();
    for (name, text) in TEXTS {
        folder.write(name, text);
    }
    let column = |values: &[f64]| Arc::new(Float64Array::from(values.to_vec())) as ArrayRef;
    let plain = table([("y", column(&[1.0; 100])), ("p", column(&[0.5; 100]))]);
    let bytes = parquet(&plain, 50, Compression::SNAPPY);
    folder.write("good.parquet", &bytes);
    folder.write("cut.parquet", &bytes[..bytes.len() / 2]);
    // Sound to the last byte but for a page in the middle.
    let mut damaged = bytes.clone();
    damaged[4..60].fill(0xee);
    folder.write("damaged.parquet", &damaged);
    let text = Arc::new(StringArray::from(vec!["high"; 3])) as ArrayRef;
    let text = table([("y", column(&[1.0; 3])), ("p", text)]);
    folder.write("text.parquet", parquet(&text, 10, Compression::SNAPPY));
    let p = (0..100).map(|row| if row == 70 { None } else { Some(0.5) });
    let p = Arc::new(p.collect::<Float64Array>()) as ArrayRef;
    let gap = table([("y", column(&[1.0; 100])), ("p", p)]);
    folder.write("gap.parquet", parquet(&gap, 30, Compression::SNAPPY));
    folder.write("y.npy", npy("(3,)", &[0.0; 3]));
    folder.write("p.npy", npy("(4,)", &[0.0; 4]));
    folder.write("cut.npy", &npy("(4,)", &[0.0; 4])[..140]);
    folder
        .write("uneven.npz", npz(&[("y", npy("(3,)", &[0.0; 3])), ("p", npy("(4,)", &[0.0; 4]))]));
    std::fs::create_dir(folder.path("folder")).expect("made");
    folder
}

/// What the program is asked, after `eval` and before `--save-state`, and what it must say;
/// `...` is anything.
const CASES: &[(&str, &str)] = &[
    (
        "good.csv --target z --prediction p --loss huber",
        "lossfn: good.csv: there is no column \"z\"; there are: y, p, w, m, g",
    ),
    (
        "good.csv --target y --prediction 'q_*' --loss softmax_cross_entropy",
        "lossfn: good.csv: there is no column \"q_*\"; there are: y, p, w, m, g",
    ),
    (
        "good.csv --target y --prediction p,q --loss softmax_cross_entropy",
        "lossfn: good.csv: there is no column \"q\"; there are: y, p, w, m, g",
    ),
    (
        "good.csv --target y --prediction p --loss huber --weights q",
        "lossfn: good.csv: there is no column \"q\"; there are: y, p, w, m, g",
    ),
    (
        "good.csv --target y --prediction p --loss huber --mask q",
        "lossfn: good.csv: there is no column \"q\"; there are: y, p, w, m, g",
    ),
    (
        "good.csv --target y --prediction p --loss huber --by g,q",
        "lossfn: good.csv: there is no column \"q\"; there are: y, p, w, m, g",
    ),
    (
        "good.parquet --target y --prediction q --loss huber",
        "lossfn: good.parquet: there is no column \"q\"; there are: y, p",
    ),
    (
        "uneven.npz --target y --prediction q --loss huber",
        "lossfn: uneven.npz: there is no column \"q\"; there are: y, p",
    ),
    (
        "twice.csv --target y --prediction p --loss huber",
        "lossfn: twice.csv: has two columns named `y`: rename one of them",
    ),
    (
        "text.csv --target y --prediction p --loss huber",
        "lossfn: text.csv: row 2, column p: `high` is not a number",
    ),
    (
        "text.csv --target y --prediction p",
        "lossfn: text.csv: row 2, column p: `high` is not a number",
    ),
    (
        "text.csv --target y --prediction p --loss softmax_cross_entropy",
        "lossfn: text.csv: row 2, column p: `high` is not a number",
    ),
    (
        "text.parquet --target y --prediction p --loss huber",
        "lossfn: text.parquet: column `p` holds text where numbers are due",
    ),
    (
        "good.csv --target g --prediction p --loss huber",
        "lossfn: good.csv: row 1, column g: `a` is not a number",
    ),
    (
        "good.csv --target y --prediction p --loss huber --weights g",
        "lossfn: good.csv: row 1, column g: `a` is not a number",
    ),
    (
        "good.csv --target y --prediction p --loss huber --mask g",
        "lossfn: good.csv: row 1, column g: `a` is not a number",
    ),
    (
        "lists.csv --target y --prediction p --loss huber",
        "lossfn: lists.csv: row 1, column p: `[1,2]` is not a number but a list: use it as class \
         scores, with a --loss for classes",
    ),
    (
        "lists.csv --target y --prediction p --loss softmax_cross_entropy",
        "lossfn: lists.csv: row 2, column p: the list has 3 numbers where the rows before it \
         have 2",
    ),
    (
        "classes.csv --target y --prediction s* --loss softmax_cross_entropy",
        "lossfn: classes.csv: row 3, column y: label 3 is not one of the 3 classes, which are 0 \
         to 2",
    ),
    (
        "fraction.csv --target y --prediction s* --loss softmax_cross_entropy",
        "lossfn: fraction.csv: row 2, column y: label 1.5 is not one of the 3 classes, which are \
         0 to 2",
    ),
    (
        "below.csv --target y --prediction s* --loss categorical_cross_entropy",
        "lossfn: below.csv: row 2, column y: label -1 is not one of the 3 classes, which are 0 \
         to 2",
    ),
    (
        "short.csv --target y --prediction p --loss huber",
        "lossfn: short.csv: row 2: has 1 field where 2 are due, as in the first row of the file",
    ),
    (
        "long.csv --target y --prediction p --loss huber",
        "lossfn: long.csv: row 2: has 3 fields where 2 are due, as in the first row of the file",
    ),
    (
        "y.npy p.npy --target y --prediction p --loss huber",
        "lossfn: y.npy: arrays of one table must be equally long, but `y` has 3 rows and `p` has 4",
    ),
    (
        "uneven.npz --target y --prediction p --loss huber",
        "lossfn: uneven.npz: arrays of one table must be equally long, but `p` has 4 rows and \
         `y` has 3",
    ),
    (
        "gap_p.csv --target y --prediction p --loss huber",
        "lossfn: gap_p.csv: row 2, column p: the number is missing or not a number (NaN); mend \
         the row, or use --skip-nan to leave such rows out and count them",
    ),
    (
        "gap_y.csv --target y --prediction p --loss huber",
        "lossfn: gap_y.csv: row 2, column y: the number is missing or not a number (NaN); mend \
         the row, or use --skip-nan to leave such rows out and count them",
    ),
    (
        "gap_w.csv --target y --prediction p --loss huber --weights w",
        "lossfn: gap_w.csv: row 2, column w: the number is missing or not a number (NaN); mend \
         the row, or use --skip-nan to leave such rows out and count them",
    ),
    (
        "gap_w.csv --target y --prediction p --loss huber --mask w",
        "lossfn: gap_w.csv: row 2, column w: the number is missing or not a number (NaN); mend \
         the row, or use --skip-nan to leave such rows out and count them",
    ),
    (
        "gap.parquet --target y --prediction p --loss huber",
        "lossfn: gap.parquet: row 71, column p: the number is missing or not a number (NaN); \
         mend the row, or use --skip-nan to leave such rows out and count them",
    ),
    (
        "empty.csv --target y --prediction p --loss huber",
        "lossfn: empty.csv: is empty: a table has at least a row of column names",
    ),
    (
        "header.csv --target y --prediction p --loss huber",
        "lossfn: header.csv: there are no rows to evaluate",
    ),
    ("header.csv --target y --prediction p", "lossfn: header.csv: there are no rows to evaluate"),
    (
        "header.csv header.csv --target y --prediction p --loss huber",
        "lossfn: header.csv and the other files: there are no rows to evaluate",
    ),
    (
        "header.csv --target y --prediction p --loss huber --reduction none",
        "lossfn: header.csv: there are no rows to evaluate",
    ),
    (
        "missing.csv --target y --prediction p --loss huber",
        "lossfn: missing.csv: there is no such file",
    ),
    (
        "folder --target y --prediction p --loss huber",
        "lossfn: folder: is a directory: name the files in it, such as 'DIRECTORY/*.parquet'",
    ),
    (
        "'nothing*.csv' --target y --prediction p --loss huber",
        "lossfn: no file matches \"nothing*.csv\"",
    ),
    (
        "cut.parquet --target y --prediction p --loss huber",
        "lossfn: cut.parquet: the file is cut off or not Parquet: ...; write it anew or fetch it \
         again",
    ),
    (
        "damaged.parquet --target y --prediction p --loss huber",
        "lossfn: damaged.parquet: ...; write it anew or fetch it again",
    ),
    (
        "garbage.parquet --target y --prediction p --loss huber",
        "lossfn: garbage.parquet: the file is cut off or not Parquet: ...; write it anew or \
         fetch it again",
    ),
    (
        "cut.npy --target cut --prediction cut --loss huber",
        "lossfn: cut.npy: is cut off: 140 bytes cannot hold an array of type <f8 and shape [4]; write it anew or fetch it again",
    ),
    (
        "good.csv --target y --prediction p --loss hubber",
        "error: invalid value 'hubber' for '--loss <LOSS>': there is no loss \"hubber\"; did you mean huber?",
    ),
    (
        "good.csv --target y --prediction p --loss 'cross entropy'",
        "error: invalid value 'cross entropy' for '--loss <LOSS>': cannot read \"cross entropy\" as a loss: a loss's name has letters, digits and _ only (an example: huber(delta=1.5))",
    ),
    (
        "good.csv --target y --prediction p --loss 'huber(delta=-1)'",
        "error: invalid value 'huber(delta=-1)' for '--loss <LOSS>': huber: delta = -1 is outside its range (0, inf)",
    ),
    (
        "good.csv --target y --prediction p --loss 'quantile(level=1.5)'",
        "error: invalid value 'quantile(level=1.5)' for '--loss <LOSS>': quantile: level = 1.5 is outside its range [0, 1]",
    ),
    (
        "good.csv --target y --prediction p --loss 'huber(beta=1)'",
        "error: invalid value 'huber(beta=1)' for '--loss <LOSS>': huber has no parameter \"beta\"; its only parameter is delta",
    ),
    (
        "good.csv --target y --prediction p --loss 'huber(1,2)'",
        "error: invalid value 'huber(1,2)' for '--loss <LOSS>': cannot read \"huber(1,2)\" as a loss: huber has 1 parameter, not more (an example: huber(delta=1.5))",
    ),
    (
        "good.csv --target y --prediction p --loss 'huber(x'",
        "error: invalid value 'huber(x' for '--loss <LOSS>': cannot read \"huber(x\" as a loss: the closing parenthesis is missing (an example: huber(delta=1.5))",
    ),
    (
        "good.csv --target y --prediction p --loss 'huber(x)'",
        "error: invalid value 'huber(x)' for '--loss <LOSS>': cannot read \"huber(x)\" as a loss: \"x\" is not a number (an example: huber(delta=1.5))",
    ),
    (
        "probability.csv --target y --prediction p --loss binary_cross_entropy",
        "lossfn: probability.csv: row 2, column p: prediction 1.5: binary_cross_entropy takes 0 to 1; for raw scores there are other losses (`lossfn list`)",
    ),
    (
        "probabilities.csv --target y --prediction a,b --loss categorical_cross_entropy",
        "lossfn: probabilities.csv: row 2, column b: prediction -0.5: categorical_cross_entropy takes 0 to 1; for raw scores there are other losses (`lossfn list`)",
    ),
    (
        "two.csv --target y --prediction p --loss hinge",
        "lossfn: two.csv: row 2, column y: target 2: hinge takes -1 or +1 (or 0 and 1)",
    ),
    (
        "two.csv --target y --prediction p --loss binary_cross_entropy",
        "lossfn: two.csv: row 2, column y: target 2: binary_cross_entropy takes 0 to 1",
    ),
    (
        "mixed.csv --target y --prediction p --loss hinge",
        "lossfn: mixed.csv: row 4, column y: the target is -1 here and 0 in row 2 of mixed.csv: two classes are written 0 and 1, or -1 and +1",
    ),
    (
        "mixed.csv --target y --prediction p --loss binary_cross_entropy",
        "lossfn: mixed.csv: row 4, column y: the target is -1 here and 0 in row 2 of mixed.csv: two classes are written 0 and 1, or -1 and +1",
    ),
    (
        "mixed.csv --target y --prediction p --loss binary_cross_entropy --reduction none",
        "lossfn: mixed.csv: row 4, column y: the target is -1 here and 0 in row 2 of mixed.csv: two classes are written 0 and 1, or -1 and +1",
    ),
    (
        "soft.csv --target y --prediction p --loss binary_cross_entropy",
        "lossfn: soft.csv: row 2, column y: the target is a probability here and -1 in row 1 of soft.csv: two classes are written 0 and 1, or -1 and +1",
    ),
    (
        "negative.csv --target y --prediction p --loss huber --weights w",
        "lossfn: negative.csv: row 2, column w: weight -2 must be a finite number, 0 or more",
    ),
    (
        "endless.csv --target y --prediction p --loss huber --weights w",
        "lossfn: endless.csv: row 1, column w: weight inf must be a finite number, 0 or more",
    ),
    (
        "masked.csv --target y --prediction p --loss huber --mask m",
        "lossfn: the mean of huber(delta=1.0): no row is left to average, all are masked, skipped, ignored or of weight 0; --nothing-valid nan or zero gives a result all the same",
    ),
    (
        "weightless.csv --target y --prediction p --loss huber --weights w",
        "lossfn: the mean of huber(delta=1.0): no row is left to average, all are masked, skipped, ignored or of weight 0; --nothing-valid nan or zero gives a result all the same",
    ),
    (
        "good.csv --target y --prediction p --loss huber --mask m --by g",
        "lossfn: the mean of huber(delta=1.0) of group b: no row is left to average, all are masked, skipped, ignored or of weight 0; --nothing-valid nan or zero gives a result all the same",
    ),
    (
        "good.csv --target y --prediction p --loss softmax_cross_entropy",
        "lossfn: good.csv: softmax_cross_entropy(label_smoothing=0.0,temperature=1.0,z_loss=0.0,soft_cap=0.0) needs a score for each class, and column p has one number per row; name several columns (--prediction 'score_*') or a column of lists",
    ),
    (
        "classes.csv --target y --prediction s* --loss huber",
        "lossfn: classes.csv: huber(delta=1.0) compares one prediction with one target, and there are 3 and 1 numbers per row; name one column each",
    ),
    (
        "distribution.csv --target a,b --prediction c,d,e --loss softmax_cross_entropy",
        "lossfn: distribution.csv: the target has 2 numbers per row and the prediction 3; as a distribution it has one for each class, as a label it is one column",
    ),
    (
        "distribution.csv --target a,b --prediction c --loss huber",
        "lossfn: distribution.csv: huber(delta=1.0) compares one prediction with one target, and there are 1 and 2 numbers per row; name one column each",
    ),
    (
        "classes.csv --target y --prediction s* --loss softmax_cross_entropy --class-weights 1,2",
        "lossfn: classes.csv: --class-weights has 2 weights where there are 3 classes",
    ),
    (
        "classes.csv --target y --prediction s* --loss softmax_cross_entropy --class-weights 1,-2,3",
        "lossfn: class weight -2 at position 1 must be a finite number, 0 or more",
    ),
    (
        "good.csv --target y --prediction p --loss huber --class-weights 1,2",
        "lossfn: huber cannot have class weights: its examples are single predictions, not rows of class scores",
    ),
    (
        "good.csv --target y --prediction p --loss huber --ignored-class 1",
        "lossfn: huber cannot have an ignored class: its examples are single predictions, not rows of class scores",
    ),
    (
        "good.csv --target y --prediction p --loss huber --row-groups 0",
        "lossfn: good.csv: --row-groups is for Parquet and Arrow files",
    ),
    (
        "good.parquet --target y --prediction p --loss huber --row-groups 1..3",
        "lossfn: good.parquet: --row-groups 1..3 is out of range: the row groups are 0..2",
    ),
    (
        "good.parquet --target y --prediction p --loss huber --row-groups 2..1",
        "error: invalid value '2..1' for '--row-groups <RANGE>': the range is empty",
    ),
    (
        "good.parquet --target y --prediction p --loss huber --row-groups x",
        "error: invalid value 'x' for '--row-groups <RANGE>': it is a number or a range, such as 3 or 0..8",
    ),
    (
        "good.csv --target y --prediction p --loss huber --reduction none --by g",
        "lossfn: --by does not go with --reduction none",
    ),
    (
        "good.csv --target y --prediction p --reduction none",
        "lossfn: --reduction none needs a --loss",
    ),
    (
        "good.csv --target y --prediction p --loss huber --denominator 0",
        "error: invalid value '0' for '--denominator <DENOMINATOR>': \"0\" is no denominator: it is weights, valid, examples or a number above 0",
    ),
    (
        "good.csv --target y --prediction p --loss huber --delimiter ab",
        "error: invalid value 'ab' for '--delimiter <CHARACTER>': it is one character, such as ; or \\t",
    ),
];

#[test]
fn bad_input_is_refused_with_a_message_that_helps() {
    let folder = folder();
    let before = folder.names();
    for (line, message) in CASES {
        for threads in [1, 4] {
            // A state is of a part, and not of single rows: there are other rules for it.
            let no_state = ["--reduction none", "masked.csv", "weightless.csv", "--mask m"];
            let without = no_state.iter().any(|flags| line.contains(flags));
            let save = if without { "" } else { "--save-state s.json" };
            let refusal = folder.run(&format!("eval {line} --threads {threads} {save}")).refusal();
            // After a wrong argument comes a hint at --help.
            let said = refusal.split("\n\nFor more").next().unwrap_or_default().trim_end();
            // What a format's own library says is not ours to fix.
            if let Some((start, end)) = message.split_once("...") {
                assert!(said.starts_with(start) && said.ends_with(end), "{line}: {said}");
            } else {
                assert_eq!(said, *message, "{line}");
            }
        }
    }
    assert_eq!(folder.names(), before, "something was written");
}

#[test]
fn rows_without_a_number_can_be_skipped_and_are_counted() {
    let text = "y,p,w,g\n1,0.5,1,a\n1,,1,a\nNA,0.5,1,b\n0,1,nan,b\n0,0.25,1,b\n";
    let folder = Folder::with("t.csv", text);
    folder.write("clean.csv", "y,p,w,g\n1,0.5,1,a\n0,0.25,1,b\n");
    let question = "--target y --prediction p --weights w --loss huber --by g --format json";
    let found = folder.run(&format!("eval t.csv {question} --skip-nan")).json();
    let clean = folder.run(&format!("eval clean.csv {question}")).json();
    assert_eq!((&found["rows"], &found["skipped"]), (&5.into(), &3.into()));
    for group in 0..2 {
        let (found, clean) = (&found["costs"][group], &clean["costs"][group]);
        assert_eq!(found["cost"], clean["cost"]);
        assert_eq!((&found["valid"], &clean["valid"]), (&1.into(), &1.into()));
    }
    assert_eq!(found["costs"][0]["examples"], 2);
    assert_eq!(found["costs"][1]["examples"], 3);
    let table = "eval t.csv --target y --prediction p --weights w --loss huber --skip-nan";
    let table = folder.run(table).answer();
    assert!(table.contains("3 rows skipped: a number is missing"), "{table}");
}

#[test]
fn nothing_valid_is_what_the_caller_chose() {
    let folder = folder();
    for (choice, cost) in [("nan", "\"nan\""), ("zero", "0.0")] {
        for line in ["masked.csv --mask m", "weightless.csv --weights w"] {
            let answer = folder
                .run(&format!(
                    "eval {line} --target y --prediction p --loss huber --format json \
                     --nothing-valid {choice}"
                ))
                .json();
            assert_eq!(answer["costs"][0]["cost"].to_string(), cost, "{line}");
        }
    }
    // A sum over nothing is 0 without being told.
    let line = "eval masked.csv --mask m --target y --prediction p --loss huber --reduction sum";
    let answer = folder.run(&format!("{line} --format json")).json();
    assert_eq!(answer["costs"][0]["cost"].to_string(), "0.0");
}

/// Rows of a table that takes many parts, in CSV and in Parquet. In two places, far apart, `bad` is
/// in place of the prediction or target.
fn large(column: &str, bad: &str, at: [usize; 2]) -> Folder {
    let rows = 400_000;
    let value = |row: usize, name: &str, good: &str| {
        let is_bad = name == column && at.contains(&row);
        if is_bad { bad.to_owned() } else { good.to_owned() }
    };
    let mut text = "y,p,padding\n".to_owned();
    for row in 1..=rows {
        let padding = "padding,\nof uneven length"[..row % 20].to_owned();
        let (y, p) = (value(row, "y", "1"), value(row, "p", "0.5"));
        writeln!(text, "{y},{p},\"{padding}\"").expect("a string takes all");
    }
    let folder = Folder::with("t.csv", text);
    if let Ok(bad) = bad.parse::<f64>() {
        let array = |name: &str, good: f64| {
            let value = |row: usize| if name == column && at.contains(&row) { bad } else { good };
            Arc::new((1..=rows).map(|row| Some(value(row))).collect::<Float64Array>()) as ArrayRef
        };
        let table = table([("y", array("y", 1.0)), ("p", array("p", 0.5))]);
        folder.write("t.parquet", parquet(&table, 30_000, Compression::SNAPPY));
    }
    folder
}

#[test]
fn the_first_of_two_faults_is_reported_on_any_number_of_threads() {
    let at = [211_111, 388_888];
    for (column, bad, loss, message) in [
        ("p", "high", "huber", "`high` is not a number"),
        (
            "p",
            "nan",
            "huber",
            "the number is missing or not a number (NaN); mend the row, or use --skip-nan to \
             leave such rows out and count them",
        ),
        ("y", "2", "hinge", "target 2: hinge takes -1 or +1 (or 0 and 1)"),
        (
            "p",
            "1.5",
            "binary_cross_entropy",
            "prediction 1.5: binary_cross_entropy takes 0 to 1; for raw scores there are other \
             losses (`lossfn list`)",
        ),
    ] {
        let folder = large(column, bad, at);
        for file in ["t.csv", "t.parquet"] {
            if !folder.path(file).exists() {
                continue;
            }
            for reduction in ["mean", "none"] {
                for threads in [1, 4] {
                    let refusal = folder
                        .run(&format!(
                            "eval {file} --target y --prediction p --loss {loss} \
                             --threads {threads} --reduction {reduction}"
                        ))
                        .refusal();
                    let due =
                        format!("lossfn: {file}: row {}, column {column}: {message}\n", at[0]);
                    assert_eq!(refusal, due);
                }
            }
        }
    }
}

#[test]
fn classes_written_in_two_ways_are_found_however_far_apart() {
    let folder = large("y", "-1", [300_000, 300_001]);
    // A 0 in the first row of all: with it neither -1 nor 1 is at fault alone.
    folder.write("zero.csv", "y,p\n0,0.5\n");
    for loss in ["hinge", "binary_cross_entropy"] {
        for file in ["t.csv", "t.parquet"] {
            for threads in [1, 4] {
                let refusal = folder
                    .run(&format!(
                        "eval zero.csv {file} --target y --prediction p --loss {loss} \
                         --threads {threads}"
                    ))
                    .refusal();
                let due = format!(
                    "lossfn: {file}: row 300000, column y: the target is -1 here and 0 in row 1 \
                     of zero.csv: two classes are written 0 and 1, or -1 and +1\n"
                );
                assert_eq!(refusal, due);
            }
        }
    }
}

#[test]
fn lists_of_other_lengths_are_found_in_other_files() {
    let folder = Folder::with("a.csv", "y,p\n0,[1 2]\n1,[1 2]\n");
    folder.write("b.csv", "y,p\n0,[1 2]\n");
    folder.write("c.csv", "y,p\n0,\n0,[1 2 3]\n");
    folder.write("d.csv", "y,p\n0,[1 2 3 4]\n");
    for threads in [1, 4] {
        let refusal = folder
            .run(&format!(
                "eval a.csv b.csv c.csv d.csv --target y --prediction p \
                 --loss softmax_cross_entropy --skip-nan --threads {threads}"
            ))
            .refusal();
        let due = "lossfn: c.csv: row 2, column p: there are 3 predicted numbers here and 2 in \
                   row 1 of a.csv\n";
        assert_eq!(refusal, due);
    }
}

#[test]
fn standard_input_is_named_in_messages() {
    let question = "--target y --prediction p --loss huber";
    let folder = Folder::new();
    for (input, message) in [
        ("y,p\n1,high\n", "standard input: row 1, column p: `high` is not a number"),
        ("y,q\n1,0\n", "standard input: there is no column \"p\"; there are: y, q"),
        ("y,p\n", "standard input: there are no rows to evaluate"),
    ] {
        let refusal = folder.run_on(input, &format!("eval - {question}")).refusal();
        assert_eq!(refusal, format!("lossfn: {message}\n"));
    }
}

#[test]
fn several_predicted_numbers_are_checked_one_by_one() {
    let folder = Folder::with("t.csv", "y,m,v,w\n0,1,1,1\n0,1,-2,1\n");
    let eval = |loss: &str, columns: &str| {
        folder.run(&format!("eval t.csv --loss {loss} --target y --prediction {columns}")).refusal()
    };
    let error = eval("gaussian_nll", "m,v");
    assert!(error.contains("row 2, column v: variance -2: gaussian_nll takes above 0"), "{error}");
    let error = eval("gaussian_nll", "m");
    assert!(error.contains("takes 2 predicted numbers per row (mean, variance), and there are 1"));
    let error = eval("gaussian_nll", "m,v,w");
    assert!(error.contains("takes 2 predicted numbers per row (mean, variance), and there are 3"));
}
