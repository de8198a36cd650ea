//! `lossfn check`: what it finds, and how it ends.

use crate::common::Folder;

#[test]
fn a_sound_loss_ends_with_0() {
    let text = Folder::new().run("check squared_error").answer();
    assert!(text.starts_with("squared_error: 1 note; "), "{text}");
    assert!(text.contains("note     unbounded influence: "), "{text}");
    // The card follows.
    assert!(text.contains("\ncard     convex                yes"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn json_has_the_same() {
    let json = Folder::new().run("check absolute_error --format json").json();
    assert_eq!((json["sound"].as_bool(), json["errors"].as_u64()), (Some(true), Some(0)));
    let findings = json["findings"].as_array().expect("findings");
    let kink = findings.iter().find(|finding| finding["kind"] == "kink").expect("at 0");
    assert_eq!(kink["severity"], "note");
    let evidence = kink["evidence"].as_array().expect("evidence");
    assert!(evidence.len() >= 2, "{kink}");
    for point in evidence {
        let (p, y) = (point["prediction"][0].as_f64(), point["target"][0].as_f64());
        let due = (p.expect("a number") - y.expect("a number")).abs();
        assert_eq!(point["found"].as_f64(), Some(due));
    }
    assert_eq!(json["card"]["convex"]["answer"], "yes");
}

#[test]
fn errors_end_with_1_and_say_how_to_mend_them() {
    let run = Folder::new().run("check 'formula: ln(1 + exp(-p * y)); y in {-1, 1}'");
    assert_eq!(run.code, 1, "{}", run.err);
    for due in [
        "error    overflow: the loss",
        "f64: loss inf, truth 7.09875e2",
        "instead: softplus(-p * y); y in {-1, 1}",
    ] {
        assert!(run.out.contains(due), "{due}: {}", run.out);
    }
    let mended = Folder::new().run("check 'formula: softplus(-p * y); y in {-1, 1}'").answer();
    assert!(!mended.contains("error"), "{mended}");
    let run = Folder::new().run("check 'formula: (p - y)^2 + where(p > y, 0, 1)' --format json");
    let json: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
    assert!(
        json["findings"].as_array().expect("some").iter().any(|f| f["kind"] == "jump"),
        "{json}"
    );
}

#[test]
fn what_is_no_loss_ends_with_2() {
    let refusal = Folder::new().run("check hubber").refusal();
    assert!(refusal.contains("did you mean huber?"), "{refusal}");
    let refusal = Folder::new().run("check 'formula: abs(p - y'").refusal();
    assert!(refusal.contains("cannot read the formula"), "{refusal}");
}
