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
fn what_is_no_loss_ends_with_2() {
    let refusal = Folder::new().run("check hubber").refusal();
    assert!(refusal.contains("did you mean huber?"), "{refusal}");
}
