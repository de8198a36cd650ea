//! The catalog itself: names, descriptions, files, golden rows.

use lossfn::{CATALOG, Entry, InstructionSet, Loss, find};
use lossfn_testkit::catalog;
use lossfn_testkit::golden::{Row, Target, golden};
use lossfn_testkit::points::{Precision, settings};
use lossfn_testkit::precise::{Definition, Precise};
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap};

fn is_snake_case(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(plain)
        && !name.ends_with('_')
        && !name.contains("__")
}

#[test]
fn names_follow_the_rule_and_are_unique() {
    assert!(is_snake_case("smooth_l1") && !is_snake_case("Huber") && !is_snake_case("a__b"));
    let mut owner = HashMap::new();
    for entry in CATALOG {
        let id = entry.description.id;
        assert!(is_snake_case(id), "{id} is not snake_case");
        assert!(is_snake_case(entry.family), "{id}: family {}", entry.family);
        for &name in [id].iter().chain(entry.description.aliases) {
            if let Some(other) = owner.insert(name, id) {
                panic!("{name} is a name of {other} and of {id}");
            }
            let named = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            assert!(named, "{id}: {name:?} cannot be parsed");
            assert_eq!(find(name).unwrap().description.id, id, "{name} finds another loss");
        }
        let parameters: BTreeSet<_> =
            entry.description.parameters.iter().map(|parameter| parameter.name).collect();
        assert!(parameters.iter().all(|name| is_snake_case(name)), "{id}: {parameters:?}");
        assert_eq!(parameters.len(), entry.description.parameters.len(), "{id}: {parameters:?}");
    }
}

#[test]
fn every_source_file_is_in_the_catalog_under_its_name() {
    let folder = lossfn_testkit::root().join("crates/lossfn/src/losses");
    let mut files = BTreeSet::new();
    for family in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
        if !family.file_type().unwrap().is_dir() {
            continue;
        }
        for file in std::fs::read_dir(family.path()).unwrap().map(Result::unwrap) {
            let name = file.file_name().into_string().unwrap();
            let stem =
                name.strip_suffix(".rs").unwrap_or_else(|| panic!("{name} is no source file"));
            files.insert((family.file_name().into_string().unwrap(), stem.to_owned()));
        }
    }
    let listed: BTreeSet<(String, String)> = CATALOG
        .iter()
        .map(|entry| (entry.family.to_owned(), entry.description.id.to_owned()))
        .collect();
    assert_eq!(files, listed);
}

#[test]
fn descriptions_are_complete() {
    for entry in CATALOG {
        let description = entry.description;
        let id = description.id;
        for (what, text) in [
            ("summary", description.summary),
            ("prediction", description.prediction_meaning),
            ("optimum", description.optimum),
            ("limits", description.limits),
            ("peers", description.peers),
            ("reference", description.reference),
        ] {
            assert!(text.trim() == text && text.len() > 10, "{id}: {what} is {text:?}");
            let is_sentence = what != "prediction";
            assert_eq!(text.ends_with('.'), is_sentence, "{id}: the end of {what}: {text:?}");
        }
        let loss = entry.with_defaults();
        assert_eq!(description.row_gradient.is_some(), loss.has_class_axis(), "{id}: row_gradient");
        if let Some(link) = description.link {
            assert!(link.ends_with('.'), "{id}: {link:?}");
        }
        let number = loss.joint_kernels().and_then(lossfn::JointKernels::components);
        assert_eq!(number.unwrap_or(0), description.components.len(), "{id}: components");
        for component in description.components {
            let name = component.name;
            assert!(is_snake_case(name) && !["p", "y", "k"].contains(&name), "{id}: {name}");
            assert!(description.parameters.iter().all(|other| other.name != name), "{id}: {name}");
            assert!(component.meaning.len() > 10, "{id}: the meaning of {name}");
        }
        for parameter in description.parameters {
            let name = parameter.name;
            assert!(parameter.range.contains(parameter.default), "{id}: the default of {name}");
            assert!(parameter.meaning.len() > 10, "{id}: the meaning of {name}");
            assert!(!parameter.range.contains(f64::NAN), "{id}: {name} may be NaN");
        }
    }
}

#[test]
fn every_setting_is_read_back_from_its_text() {
    for loss in catalog().flat_map(settings) {
        let back: Loss = loss.to_string().parse().unwrap();
        assert_eq!(back, loss);
        assert_eq!(back.to_string(), loss.to_string());
    }
}

/// Golden values come from elsewhere than the definitions: where the two agree far beyond f64, the
/// formulas say what the papers say, and the differences that the laws rest on are right.
#[test]
fn definitions_agree_with_golden_values() {
    let agreed = |entry: &Entry| {
        let mut checked = 0;
        let id = entry.description.id;
        let golden = golden(id);
        assert!(!golden.row.is_empty(), "{id} has no golden rows");
        let short = golden.row.iter().filter(|row| row.prediction.as_slice().len() < 4);
        // With many digits a row takes its time.
        let rows: Vec<&Row> = short.collect();
        let rows = rows.iter().copied().step_by(rows.len().div_ceil(30).max(1));
        let by_each = |row: &Row| 0..row.gradient.as_slice().len();
        for (row, by) in rows.flat_map(|row| by_each(row).map(move |by| (row, by))) {
            let prediction = row.prediction.as_slice();
            if prediction.iter().any(|p| p.abs() > 1e3) {
                continue;
            }
            let loss: Loss = row.loss(id).parse().unwrap();
            let classes = prediction.len();
            let mut target = match &row.target {
                Target::Number(y) => vec![*y],
                Target::Label(label) if !loss.has_class_axis() => vec![*label as f64],
                Target::Label(label) => {
                    (0..classes).map(|class| f64::from(u8::from(class == *label))).collect()
                }
                Target::Distribution(y) => y.clone(),
            };
            if let Some(kernels) = loss.class_kernels() {
                // What smoothing makes of the target is rounded here, as it is not in the rows.
                if kernels.smoothing().is_some_and(|smoothing| smoothing != 0.0) {
                    continue;
                }
                target.resize(classes, 0.0);
            }
            let definition = Definition::new(&loss, classes, Precision::Double);
            let truth = definition.truth(prediction, &target, by);
            let (gradient, second) = (row.gradient.as_slice(), row.second.as_slice());
            let expected = [&row.value, &gradient[by], &second[by]];
            for (order, text) in expected.into_iter().enumerate() {
                let (span, expected) = (truth.order(order), Precise::parse(text, 512));
                if span.is_nan() {
                    continue;
                }
                let beyond = |x: f64| x == 0.0 || x.is_infinite();
                let agrees = if beyond(expected.to_f64()) {
                    let narrow = expected.to_f64();
                    let tends =
                        order > 0 && definition.tends_to(narrow, order, prediction, &target, by);
                    // At the end of a domain a quotient is off by its step.
                    let (low, high) = (span.low.to_f64() - 1e-30, span.high.to_f64() + 1e-30);
                    tends || low <= narrow && narrow <= high
                } else {
                    // The rows have 40 digits, and what is computed once has those of f64.
                    let digits = if entry.description.prepared.is_empty() { -100 } else { -50 };
                    let noise = Precise::new(1.0, 64).times_power_of_two(-400);
                    let slack = span.magnitude().times_power_of_two(digits).plus(&noise);
                    !expected.is_less_than(&span.low.minus(&slack))
                        && !span.high.plus(&slack).is_less_than(&expected)
                };
                assert!(
                    agrees,
                    "{loss}, order {order} by {by} at {prediction:?}, {target:?}: {text}, not {} to {}",
                    span.low.to_f64(),
                    span.high.to_f64()
                );
                checked += 1;
            }
        }
        checked
    };
    let entries: Vec<_> = catalog().collect();
    let checked: usize = entries.into_par_iter().map(agreed).sum();
    crate::enough(checked, 500);
}

#[test]
fn kernels_are_counted() {
    // What the compiler has to make: losses times f32 and f64, orders 0 to 2, and instruction sets.
    let instances = CATALOG.len() * 2 * 3 * InstructionSet::ALL.len();
    println!("{} losses, {instances} kernel instances", CATALOG.len());
    assert!(instances < 5000, "the compile-time budget is exceeded");
}
