//! All formats and all forms of a question.

use crate::common::{
    Folder, Random, arrow_file, arrow_stream, npy, npz, number, only_cost, parquet, table,
};
use arrow_array::types::{Float64Type, Int8Type, Int32Type};
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, FixedSizeListArray, Float32Array, Float64Array,
    Int32Array, ListArray, RecordBatch, StringArray,
};
use lossfn::{Cost, Loss};
use parquet::basic::{Compression, ZstdLevel};
use serde_json::{Value, json};
use std::fmt::Write;
use std::sync::Arc;

const ROWS: usize = 500;

/// One row of the table that all formats hold.
struct Row {
    y: f64,
    p: f64,
    w: f64,
    m: bool,
    g: &'static str,
    k: i32,
}

fn rows() -> Vec<Row> {
    let mut random = Random(5);
    let names = ["a,b", "say \"hi\"", "north", ""];
    let mut row = || Row {
        y: random.below(2) as f64,
        // A few values, so that there are ties among the most costly rows.
        p: (random.below(20) as f64 + 0.1) / 20.3,
        w: random.below(4) as f64 * 0.3,
        m: random.below(5) > 0,
        g: names[random.below(4)],
        k: random.below(12) as i32 - 3,
    };
    (0..ROWS).map(|_| row()).collect()
}

/// The rows as text; `quote` gives a field its quotes.
fn text(rows: &[Row], separator: char, end: &str, quote: impl Fn(&str) -> String) -> String {
    let line = |fields: [String; 6]| {
        let fields = fields.map(|field| quote(&field));
        fields.join(&separator.to_string()) + end
    };
    let header = line(["y", "p", "w", "m", "g", "k"].map(str::to_owned));
    let body = rows.iter().map(|row| {
        line([
            row.y.to_string(),
            row.p.to_string(),
            row.w.to_string(),
            row.m.to_string(),
            row.g.to_owned(),
            row.k.to_string(),
        ])
    });
    header + &body.collect::<String>()
}

fn where_needed(field: &str) -> String {
    if field.contains([',', '"', ';']) { always(field) } else { field.to_owned() }
}

fn always(field: &str) -> String {
    format!("\"{}\"", field.replace('"', "\"\""))
}

fn floats(rows: &[Row], of: impl Fn(&Row) -> f64) -> Vec<f64> {
    rows.iter().map(of).collect()
}

/// The rows as a table; `g` plain or as a dictionary.
fn columns(rows: &[Row], dictionary: bool) -> RecordBatch {
    let numbers = |of: fn(&Row) -> f64| Arc::new(Float64Array::from(floats(rows, of))) as ArrayRef;
    let g = || rows.iter().map(|row| row.g);
    let g: ArrayRef = if dictionary {
        Arc::new(g().collect::<DictionaryArray<Int8Type>>())
    } else {
        Arc::new(StringArray::from_iter_values(g()))
    };
    let m: BooleanArray = rows.iter().map(|row| Some(row.m)).collect();
    let k: Int32Array = rows.iter().map(|row| row.k).collect();
    table([
        ("y", numbers(|row| row.y)),
        ("p", numbers(|row| row.p)),
        ("w", numbers(|row| row.w)),
        ("m", Arc::new(m)),
        ("g", g),
        ("k", Arc::new(k)),
    ])
}

/// The answer without what names the file and its columns.
fn essence(mut answer: Value) -> Value {
    let object = answer.as_object_mut().expect("an answer");
    for name in ["target", "prediction", "weights", "mask"] {
        object.remove(name);
    }
    for rows in object.get_mut("worst").and_then(Value::as_object_mut).expect("rows").values_mut() {
        for row in rows.as_array_mut().expect("rows") {
            row.as_object_mut().expect("a row").remove("file");
        }
    }
    answer
}

const LOSSES: &str = "--loss binary_cross_entropy --loss hinge --loss 'quantile(level=0.3)' \
    --worst 7 --format json";

#[test]
fn one_table_costs_the_same_in_all_formats() {
    let rows = rows();
    let folder = Folder::new();
    let (plain, dictionary) = (columns(&rows, false), columns(&rows, true));
    let zstd = Compression::ZSTD(ZstdLevel::default());
    folder.write("plain.csv", text(&rows, ',', "\n", where_needed));
    folder.write("quoted.csv", text(&rows, ',', "\n", always));
    folder.write("windows.csv", text(&rows, ',', "\r\n", where_needed));
    folder.write("marked.csv", format!("\u{feff}{}", text(&rows, ',', "\r\n", where_needed)));
    folder.write("open.csv", text(&rows, ',', "\n", where_needed).trim_end());
    folder.write("tabs.tsv", text(&rows, '\t', "\n", where_needed));
    folder.write("semicolons.csv", text(&rows, ';', "\n", where_needed));
    folder.write("no_suffix", text(&rows, ',', "\n", where_needed));
    folder.write("plain.parquet", parquet(&plain, 1000, Compression::UNCOMPRESSED));
    folder.write("groups.parquet", parquet(&plain, 77, Compression::SNAPPY));
    folder.write("dictionary.parquet", parquet(&dictionary, 77, zstd));
    folder.write("plain.arrow", arrow_file(&plain, 77));
    folder.write("dictionary.feather", arrow_file(&dictionary, 1000));
    folder.write("stream.arrows", arrow_stream(&plain, 77));
    folder.write("dictionary.arrows", arrow_stream(&dictionary, 1000));
    let whole = text(&rows, ',', "\n", where_needed);
    let (_, body) = whole.split_once('\n').expect("a header");
    folder.write("no_header.csv", body);

    for by in ["", "--by g", "--by k", "--by m", "--by g,k,m"] {
        // In small groups it may be that no row counts.
        let question =
            format!("{by} --target y --prediction p --weights w {LOSSES} --nothing-valid nan");
        let masked = if by.contains('m') { "" } else { "--mask m" };
        let expected = essence(folder.run(&format!("eval plain.csv {question} {masked}")).json());
        assert_eq!(expected["rows"], ROWS);
        for file in folder.names() {
            if ["no_header.csv", "plain.csv"].contains(&file.as_str()) {
                continue;
            }
            let flag = if file == "semicolons.csv" { "--delimiter ;" } else { "" };
            let found = folder.run(&format!("eval {file} {flag} {question} {masked}")).json();
            assert_eq!(essence(found), expected, "{file} {by}");
        }
        let stdin = folder.run_on(whole.as_str(), &format!("eval - {question} {masked}")).json();
        assert_eq!(essence(stdin), expected, "standard input {by}");
        if by.is_empty() {
            let found = folder
                .run(&format!(
                    "eval no_header.csv --no-header --target 1 --prediction 2 --weights 3 \
                     --mask 4 {LOSSES}"
                ))
                .json();
            assert_eq!(essence(found), expected);
        }
    }
}

/// Single precision is computed as such, and it does not matter how the rows are spread over files,
/// row groups, batches, dictionaries and threads.
#[test]
fn single_precision_costs_what_the_library_says() {
    const MANY: usize = 40_000;
    let mut random = Random(7);
    let mut draw = |missing: usize| match random.below(50) {
        at if at < missing => None,
        1 => Some(1e-30),
        2 => Some(-3e18),
        _ => Some((random.unit() * 4.0 - 2.0) as f32),
    };
    let y: Vec<_> = (0..MANY).map(|_| draw(0)).collect();
    let p: Vec<_> = (0..MANY).map(|_| draw(1)).collect();
    let group = |row: usize| ["a", "b", "", "long name"].get(row % 7).copied();
    let part = |rows: std::ops::Range<usize>| {
        let column = |x: &[Option<f32>]| -> ArrayRef {
            Arc::new(x[rows.clone()].iter().copied().collect::<Float32Array>())
        };
        // A missing key is the empty text.
        let keys: DictionaryArray<Int32Type> = rows.clone().map(group).collect();
        table([("y", column(&y)), ("p", column(&p)), ("g", Arc::new(keys))])
    };
    let folder = Folder::new();
    let whole = part(0..MANY);
    folder.write("whole.parquet", parquet(&whole, MANY, Compression::UNCOMPRESSED));
    folder.write("groups.parquet", parquet(&whole, 7_001, Compression::SNAPPY));
    folder.write("whole.arrow", arrow_file(&whole, MANY));
    folder.write("groups.arrow", arrow_file(&whole, 7_001));
    folder.write("stream.arrows", arrow_stream(&whole, 333));
    folder.write("1.parquet", parquet(&part(0..12_345), 5_000, Compression::SNAPPY));
    folder.write("2.arrow", arrow_file(&part(12_345..MANY), 5_000));

    let cost = Cost::new("huber(delta=1.5)".parse::<Loss>().expect("a loss"));
    let expected = |of: Option<&str>| {
        let rows = (0..MANY).filter(|&row| p[row].is_some());
        let rows = rows.filter(|&row| of.is_none_or(|of| group(row).unwrap_or("") == of));
        let (p, y): (Vec<_>, Vec<_>) =
            rows.map(|row| (p[row].unwrap_or(0.0), y[row].unwrap_or(0.0))).unzip();
        cost.value(&p, &y).expect("a cost").to_bits()
    };
    for files in ["whole.parquet", "groups.parquet", "whole.arrow", "groups.arrow", "stream.arrows"]
        .into_iter()
        .chain(["1.parquet 2.arrow", "2.arrow 1.parquet"])
    {
        for threads in [1, 3] {
            let question = format!(
                "eval {files} --threads {threads} --target y --prediction p --skip-nan \
                 --loss 'huber(delta=1.5)' --format json"
            );
            let found = only_cost(&folder.run(&question).json());
            assert_eq!(found.to_bits(), expected(None), "{files}");
            let found = folder.run(&format!("{question} --by g")).json();
            let costs = found["costs"].as_array().expect("costs");
            assert_eq!(costs.len(), 4);
            for cost in costs {
                let group = cost["group"]["g"].as_str().expect("a key");
                assert_eq!(
                    number(&cost["cost"]).to_bits(),
                    expected(Some(group)),
                    "{files} {group}"
                );
            }
        }
    }
}

#[test]
fn arrays_are_a_table() {
    let rows = rows();
    let folder = Folder::with("t.csv", text(&rows, ',', "\n", where_needed));
    let shape = format!("({ROWS},)");
    let arrays = [
        ("y", npy(&shape, &floats(&rows, |row| row.y))),
        ("p", npy(&shape, &floats(&rows, |row| row.p))),
        ("w", npy(&shape, &floats(&rows, |row| row.w))),
        ("m", npy(&shape, &floats(&rows, |row| f64::from(u8::from(row.m))))),
        ("k", npy(&shape, &floats(&rows, |row| f64::from(row.k)))),
    ];
    for (name, bytes) in &arrays {
        folder.write(&format!("{name}.npy"), bytes);
    }
    folder.write("t.npz", npz(&arrays));
    for by in ["", "--by k"] {
        let question = format!("{by} --target y --prediction p --weights w --mask m {LOSSES}");
        let expected = essence(folder.run(&format!("eval t.csv {question}")).json());
        for files in ["t.npz", "'*.npy'", "w.npy y.npy k.npy p.npy m.npy"] {
            let found = folder.run(&format!("eval {files} {question}")).json();
            assert_eq!(essence(found), expected, "{files} {by}");
        }
    }
}

/// Scores of three classes, labels, and soft targets.
fn classes() -> (Vec<[f64; 3]>, Vec<usize>, Vec<[f64; 3]>) {
    let mut random = Random(6);
    let mut triple = || [0; 3].map(|_| random.unit() * 8.0 - 4.0);
    let scores: Vec<[f64; 3]> = (0..100).map(|_| triple()).collect();
    let shares = |x: [f64; 3]| {
        let halves = x.map(|x| (x + 4.0).round());
        let total: f64 = halves.iter().sum();
        if total == 0.0 { [1.0, 0.0, 0.0] } else { halves.map(|x| x / total) }
    };
    let soft = (0..100).map(|_| shares(triple())).collect();
    let labels = (0..100).map(|_| random.below(3)).collect();
    (scores, labels, soft)
}

#[test]
fn class_scores_and_distributions_come_as_columns_or_lists() {
    let (scores, labels, soft) = classes();
    let mut csv = "y,s_0,s_1,s_2,t_0,t_1,t_2,listed,soft\n".to_owned();
    for ((s, y), t) in scores.iter().zip(&labels).zip(&soft) {
        let ([a, b, c], [d, e, f]) = (s, t);
        writeln!(csv, "{y},{a},{b},{c},{d},{e},{f},\"[{a}, {b}, {c}]\",{d};{e};{f}")
            .expect("a string takes all");
    }
    // Columns in another order, which the numbers in their names mend.
    let mut turned = "s_2,t_1,y,s_0,t_2,s_1,t_0\n".to_owned();
    for ((s, y), t) in scores.iter().zip(&labels).zip(&soft) {
        writeln!(turned, "{},{},{y},{},{},{},{}", s[2], t[1], s[0], t[2], s[1], t[0])
            .expect("a string takes all");
    }
    let list = |rows: &[[f64; 3]]| {
        let rows = rows.iter().map(|row| Some(row.map(Some)));
        Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(rows)) as ArrayRef
    };
    let fixed = |rows: &[[f64; 3]]| {
        let rows = rows.iter().map(|row| Some(row.map(Some)));
        Arc::new(FixedSizeListArray::from_iter_primitive::<Float64Type, _, _>(rows, 3)) as ArrayRef
    };
    let y = || Arc::new(Int32Array::from_iter_values(labels.iter().map(|&y| y as i32))) as ArrayRef;
    let lists = table([("y", y()), ("listed", list(&scores)), ("soft", fixed(&soft))]);
    let fixed = table([("y", y()), ("listed", fixed(&scores)), ("soft", list(&soft))]);
    let folder = Folder::with("t.csv", csv);
    folder.write("turned.csv", turned);
    folder.write("list.parquet", parquet(&lists, 33, Compression::SNAPPY));
    folder.write("fixed.parquet", parquet(&fixed, 1000, Compression::SNAPPY));
    folder.write("list.arrow", arrow_file(&lists, 40));
    folder.write("fixed.arrows", arrow_stream(&fixed, 40));
    let numbers: Vec<f64> = labels.iter().map(|&y| y as f64).collect();
    let arrays = [
        ("y", npy("(100,)", &numbers)),
        ("listed", npy("(100, 3)", scores.as_flattened())),
        ("soft", npy("(100, 3)", soft.as_flattened())),
    ];
    folder.write("t.npz", npz(&arrays));

    for (target, as_columns, as_list) in [("label", "y", "y"), ("soft", "t_*", "soft")] {
        let question = |target: &str, prediction: &str| {
            format!(
                "--target {target} --prediction {prediction} --worst 5 --format json \
                 --loss softmax_cross_entropy --loss 'softmax_cross_entropy(0.2)'"
            )
        };
        let columns = question(as_columns, "s_*");
        let expected = essence(folder.run(&format!("eval t.csv {columns}")).json());
        let turned = folder.run(&format!("eval turned.csv {columns}")).json();
        assert_eq!(essence(turned), expected, "turned {target}");
        let named = question(&as_columns.replace("t_*", "t_0,t_1,t_2"), "s_0,s_1,s_2");
        let named = folder.run(&format!("eval turned.csv {named}")).json();
        assert_eq!(essence(named), expected, "named {target}");
        for file in
            ["t.csv", "list.parquet", "fixed.parquet", "list.arrow", "fixed.arrows", "t.npz"]
        {
            let line = format!("eval {file} {}", question(as_list, "listed"));
            assert_eq!(essence(folder.run(&line).json()), expected, "{file} {target}");
        }
    }
}

#[test]
fn several_files_and_patterns_are_one_table() {
    let rows = rows();
    let folder = Folder::with("whole.csv", text(&rows, ',', "\n", where_needed));
    std::fs::create_dir(folder.path("run")).expect("made");
    folder.write("run/1.csv", text(&rows[..200], ',', "\n", where_needed));
    folder.write("run/2.parquet", parquet(&columns(&rows[200..201], true), 9, Compression::SNAPPY));
    folder.write("run/3.csv", text(&[], ',', "\n", where_needed));
    folder.write("run/4.arrow", arrow_file(&columns(&rows[201..], false), 100));
    let question = "--target y --prediction p --weights w --by g --reduction sum --format json \
                    --loss logistic";
    let expected = folder.run(&format!("eval whole.csv {question}")).json();
    for files in ["'run/*'", "run/1.csv 'run/[2-4].*'", "run/4.arrow run/2.parquet run/1.csv"] {
        let found = folder.run(&format!("eval {files} {question}")).json();
        assert_eq!(found, expected, "{files}");
    }
    // A file whose name has the signs of a pattern is that file.
    folder.write("a[1].csv", "y,p\n1,0.5\n");
    let found =
        folder.run("eval 'a[1].csv' --target y --prediction p --loss huber --format json").json();
    assert_eq!(found["rows"], 1);
}

/// Five rows whose absolute errors are 1, 2, 3, 4, 5.
const FIVE: &str = "y,p,w,m,g\n0,1,1,1,a\n0,-2,2,1,b\n0,3,0,1,a\n1,5,0.5,0,b\n0,5,1,1,b\n";

#[test]
fn reductions_denominators_weights_and_masks_are_what_they_say() {
    let folder = Folder::with("t.csv", FIVE);
    for (flags, expected) in [
        ("", 15.0 / 5.0),
        ("--reduction sum", 15.0),
        ("--weights w", 12.0 / 4.5),
        ("--mask m", 11.0 / 4.0),
        ("--weights w --mask m", 10.0 / 4.0),
        ("--weights w --mask m --reduction sum", 10.0),
        ("--weights w --mask m --denominator weights", 10.0 / 4.0),
        ("--weights w --mask m --denominator valid", 10.0 / 4.0),
        ("--weights w --denominator valid", 12.0 / 5.0),
        ("--weights w --mask m --denominator examples", 10.0 / 5.0),
        ("--weights w --mask m --denominator 8", 10.0 / 8.0),
        ("--weights w --mask m --denominator 0.5", 10.0 / 0.5),
    ] {
        let line = format!(
            "eval t.csv --target y --prediction p --loss absolute_error --format json {flags}"
        );
        assert_eq!(only_cost(&folder.run(&line).json()), expected, "{flags}");
    }
}

#[test]
fn class_weights_and_an_ignored_class_are_heeded() {
    // Each row costs ln 2.
    let folder = Folder::with("t.csv", "y,a,b\n0,1,1\n1,2,2\n1,3,3\n-1,4,4\n");
    let ln_2 = 2f64.ln();
    for (flags, expected) in [
        ("--ignored-class -1", ln_2),
        ("--ignored-class -1 --reduction sum", 3.0 * ln_2),
        ("--ignored-class -1 --class-weights 1,3 --reduction sum", 7.0 * ln_2),
        ("--ignored-class -1 --class-weights 1,3", ln_2),
        ("--ignored-class -1 --denominator examples", 3.0 * ln_2 / 4.0),
    ] {
        let line = format!(
            "eval t.csv --target y --prediction a,b --loss softmax_cross_entropy --format json \
             {flags}"
        );
        let found = only_cost(&folder.run(&line).json());
        assert!((found - expected).abs() < 1e-15 * expected, "{flags}: {found}");
    }
}

#[test]
fn losses_of_rows_are_csv() {
    let folder = Folder::with("t.csv", FIVE);
    let question = "--target y --prediction p --reduction none --loss absolute_error";
    let found = folder
        .run(&format!("eval t.csv {question} --loss squared_error --weights w --mask m"))
        .answer();
    assert_eq!(
        found,
        "row,absolute_error,squared_error\n1,1.0,1.0\n2,4.0,8.0\n3,0.0,0.0\n4,,\n5,5.0,25.0\n"
    );
    // A row that counts and whose loss is not a number is not left blank.
    folder.write("u.csv", "y,p\ninf,inf\n,1\n0,inf\n");
    let found = folder.run(&format!("eval t.csv u.csv {question} --skip-nan")).answer();
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!(lines[0], "file,row,absolute_error");
    assert_eq!(lines[5..], ["t.csv,5,5.0", "u.csv,1,NaN", "u.csv,2,", "u.csv,3,inf"]);
    // Row numbers are those of the file, also in a range of row groups.
    let p = Arc::new((0..10).map(|row| Some(f64::from(row))).collect::<Float64Array>());
    let zeros = Arc::new(Float64Array::from(vec![0.0; 10]));
    let file = parquet(&table([("y", zeros), ("p", p)]), 3, Compression::SNAPPY);
    folder.write("t.parquet", file);
    let found = folder.run(&format!("eval t.parquet {question} --row-groups 2..4")).answer();
    assert_eq!(found, "row,absolute_error\n7,6.0\n8,7.0\n9,8.0\n10,9.0\n");
}

/// File, row and loss of the most costly rows.
fn worst(answer: &Value, loss: &str) -> Vec<(String, u64, f64)> {
    let rows = answer["worst"][loss].as_array().expect("rows");
    let row = |row: &Value| {
        let file = row["file"].as_str().expect("a file").to_owned();
        (file, row["row"].as_u64().expect("a row"), number(&row["loss"]))
    };
    rows.iter().map(row).collect()
}

#[test]
fn the_most_costly_rows_are_found_whatever_the_parts() {
    // Rows of equal cost in every part of the files, and one larger in the middle.
    let count = 150_000;
    let p = |row: usize| match row {
        120_000 => 9.0,
        row if row % 1000 == 999 => 5.0,
        _ => 1.0,
    };
    let mut csv = "y,p,g\n".to_owned();
    for row in 1..=count {
        writeln!(csv, "0,{},{}", p(row), ["a", "b"][row % 2]).expect("a string takes all");
    }
    let column = (1..=count).map(|row| Some(p(row))).collect::<Float64Array>();
    let zeros = Arc::new(Float64Array::from(vec![0.0; count]));
    let g = Arc::new(StringArray::from_iter_values((1..=count).map(|row| ["a", "b"][row % 2])));
    let table = table([("y", zeros), ("p", Arc::new(column)), ("g", g)]);
    let folder = Folder::with("t.csv", csv);
    folder.write("t.parquet", parquet(&table, 20_000, Compression::SNAPPY));
    folder.write("t.arrow", arrow_file(&table, 7000));
    // The name that comes first in the alphabet is given last.
    folder.write("a.csv", "y,p,g\n0,1,a\n0,5,b\n0,5,c\n");
    for file in ["t.csv", "t.parquet", "t.arrow"] {
        for (threads, by) in [(1, ""), (4, ""), (4, "--by g")] {
            let answer = folder
                .run(&format!(
                    "eval {file} a.csv --target y --prediction p --loss absolute_error \
                     --worst 6 --format json --threads {threads} {by}"
                ))
                .json();
            let expected = [
                (file, 120_000, 9.0),
                ("a.csv", 2, 5.0),
                ("a.csv", 3, 5.0),
                (file, 999, 5.0),
                (file, 1999, 5.0),
                (file, 2999, 5.0),
            ]
            .map(|(file, row, loss)| (file.to_owned(), row, loss));
            assert_eq!(worst(&answer, "absolute_error"), expected, "{file} {threads} {by}");
        }
        if file != "t.csv" {
            let answer = folder
                .run(&format!(
                    "eval {file} --target y --prediction p --loss absolute_error --worst 1 \
                     --row-groups 5..7 --format json"
                ))
                .json();
            let row = if file == "t.parquet" { 120_000 } else { 35_999 };
            let loss = p(row as usize);
            assert_eq!(worst(&answer, "absolute_error"), [(file.to_owned(), row, loss)]);
        }
    }
}

#[test]
fn weights_make_rows_costly_and_a_mask_hides_them() {
    let folder = Folder::with("t.csv", FIVE);
    // More rows than there are.
    let line = "eval t.csv --target y --prediction p --weights w --mask m --format json \
                --loss absolute_error --worst 18446744073709551615";
    let answer = folder.run(line).json();
    let rows: Vec<(u64, f64)> =
        worst(&answer, "absolute_error").into_iter().map(|(_, row, loss)| (row, loss)).collect();
    assert_eq!(rows, [(5, 5.0), (2, 4.0), (1, 1.0), (3, 0.0)]);
    assert_eq!(answer["worst"]["absolute_error"][0]["prediction"], json!([5.0]));
    assert_eq!(answer["worst"]["absolute_error"][0]["target"], json!([0.0]));
}

#[test]
fn groups_are_ordered_and_kept_apart() {
    let text = "y,p,g,h\n0,1,10,x\n0,2,9,x\n0,3,,x\n0,4,b,x\n0,5,a,x\n0,6,9,y\n0,7,-1,x\n";
    let folder = Folder::with("t.csv", text);
    let line = "eval t.csv --target y --prediction p --loss absolute_error --format json --by";
    let groups = |by: &str| -> Vec<(Value, f64)> {
        let answer = folder.run(&format!("{line} {by}")).json();
        let costs = answer["costs"].as_array().expect("costs").clone();
        costs.iter().map(|cost| (cost["group"].clone(), number(&cost["cost"]))).collect()
    };
    let one = |g: &str, cost: f64| (json!({"g": g}), cost);
    // Numbers by size, then texts.
    let expected =
        [one("-1", 7.0), one("9", 4.0), one("10", 1.0), one("", 3.0), one("a", 5.0), one("b", 4.0)];
    assert_eq!(groups("g"), expected);
    let both = groups("h,g");
    assert_eq!(both.len(), 7);
    assert_eq!(both[6], (json!({"h": "y", "g": "9"}), 6.0));
    // Any column is a key, also one that plays another role.
    assert_eq!(groups("p").len(), 7);
}

#[test]
fn numbers_that_json_lacks_are_texts() {
    let folder = Folder::with("t.csv", "y,p\n0,inf\n0,-inf\n0,1\n");
    let line = "eval t.csv --target y --prediction p --loss squared_error --loss hinge --worst 3";
    let answer = folder.run(&format!("{line} --format json")).json();
    assert_eq!(answer["costs"][0]["cost"], "inf");
    assert_eq!(answer["costs"][0]["sum"], "inf");
    let rows = &answer["worst"]["squared_error"];
    assert_eq!(rows[0]["prediction"], json!(["inf"]));
    assert_eq!(rows[1]["prediction"], json!(["-inf"]));
    assert_eq!(rows[1]["loss"], "inf");
}

/// The records of CSV, header first.
fn records(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let fields = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
    reader.records().map(|record| fields(record.expect("CSV"))).collect()
}

#[test]
fn the_csv_answer_says_what_the_json_answer_says() {
    let rows = rows();
    let folder = Folder::with("t,1.csv", text(&rows, ',', "\n", where_needed));
    let line = "eval t,1.csv --target y --prediction p --by g,k --loss huber \
                --loss 'quantile(level=0.25)'";
    let json = folder.run(&format!("{line} --format json")).json();
    let csv = records(&folder.run(&format!("{line} --format csv")).answer());
    assert_eq!(csv[0], ["g", "k", "loss", "cost", "sum", "weights", "valid", "examples"]);
    let costs = json["costs"].as_array().expect("costs");
    assert_eq!(csv.len(), 1 + costs.len());
    for (record, cost) in csv[1..].iter().zip(costs) {
        assert_eq!(record[0], cost["group"]["g"].as_str().expect("text"));
        assert_eq!(record[1], cost["group"]["k"].as_str().expect("text"));
        assert_eq!(record[2], cost["loss"].as_str().expect("text"));
        for (at, name) in ["cost", "sum", "weights", "valid", "examples"].iter().enumerate() {
            assert_eq!(record[3 + at].parse::<f64>().ok(), Some(number(&cost[name])), "{name}");
        }
    }
    let json = folder.run(&format!("{line} --worst 3 --format json")).json();
    let csv = records(&folder.run(&format!("{line} --worst 3 --format csv")).answer());
    assert_eq!(csv[0], ["loss", "file", "row", "cost", "prediction", "target"]);
    assert_eq!(csv.len(), 1 + 2 * 3);
    for (at, record) in csv[1..].iter().enumerate() {
        let row = &json["worst"][&record[0]][at % 3];
        assert_eq!(record[1], "t,1.csv");
        assert_eq!(record[2], row["row"].to_string());
        assert_eq!(record[3].parse::<f64>().ok(), Some(number(&row["loss"])));
        assert_eq!(record[4].parse::<f64>().ok(), Some(number(&row["prediction"][0])));
        assert_eq!(record[5].parse::<f64>().ok(), Some(number(&row["target"][0])));
    }
}

#[test]
fn the_table_for_people_has_groups_and_worst_rows() {
    let folder = Folder::with("t.csv", FIVE);
    let text = folder
        .run("eval t.csv --target y --prediction p --by g --loss absolute_error --worst 1")
        .answer();
    assert!(text.starts_with("5 rows, target y, prediction p\n"), "{text}");
    let row = |text: &str, start: &str| {
        let line = text.lines().find(|line| line.contains(start)).map(str::to_owned);
        let line = line.unwrap_or_else(|| panic!("no {start} in {text}"));
        line.split(['│', ' ']).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
    };
    let cells: Vec<String> = row(&text, "│ a ");
    assert_eq!(cells, ["a", "2", "2"]);
    let cells: Vec<String> = row(&text, "│ b ");
    assert_eq!(cells, ["b", "3", "3.666667"]);
    let cells: Vec<String> = row(&text, "t.csv");
    assert_eq!(cells, ["absolute_error", "t.csv", "5", "5", "5", "0"]);
}

#[test]
fn losses_that_suit_the_target_are_picked_and_named() {
    for (csv, prediction, picked, why) in [
        ("y,p\n0.5,1\n3,2\n", "p", "squared_error", "the target is a number"),
        ("y,p\n0,0.5\n1,0.25\n", "p", "binary_cross_entropy", "the predictions are probabilities"),
        ("y,p\n-1,-2.5\n1,0.25\n", "p", "binary_cross_entropy_with_logits", "are raw scores"),
        ("y,a,b\n0,4,-1\n1,0,2\n", "a,b", "softmax_cross_entropy", "raw scores of classes"),
        ("y,a,b\n0,1,0\n1,.5,.5\n", "a,b", "categorical_cross_entropy", "probabilities of classes"),
    ] {
        let folder = Folder::with("t.csv", csv);
        // The first table has no row to tell by.
        folder.write("0.csv", csv.lines().next().expect("a header"));
        let line = format!("eval 0.csv t.csv --target y --prediction {prediction} --format json");
        let run = folder.run(&line);
        assert!(run.err.contains(why) && run.err.contains(picked), "{}", run.err);
        let answer = run.json();
        let costs = answer["costs"].as_array().expect("costs").clone();
        let losses: Vec<&str> =
            costs.iter().map(|cost| cost["loss"].as_str().expect("a loss")).collect();
        assert!(losses.iter().any(|loss| loss.starts_with(picked)), "{losses:?}");
        // Named, they cost the same.
        let named = format!("{line} --loss '{}'", losses.join("' --loss '"));
        assert_eq!(folder.run(&named).json(), answer);
    }
}
