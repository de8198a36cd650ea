//! What the program says of its losses and of itself.

use crate::common::Folder;
use serde_json::Value;

fn all_losses() -> Vec<Value> {
    let answer = Folder::new().run("list --format json").json();
    answer.as_array().expect("a list").clone()
}

#[test]
fn every_listed_loss_can_be_described() {
    let losses = all_losses();
    assert!(losses.len() >= 16, "{}", losses.len());
    for loss in losses {
        let (id, summary) = (loss["id"].as_str().expect("an id"), loss["summary"].as_str());
        let text = Folder::new().run(&format!("describe {id}")).answer();
        assert!(text.starts_with(loss["loss"].as_str().expect("a loss")), "{text}");
        for due in ["loss", "gradient", "prediction", "target", "optimum", "limits", "reference"] {
            let is_heading = |line: &str| line.starts_with(due);
            assert!(text.lines().any(is_heading), "{id} has no {due}: {text}");
        }
        let json = Folder::new().run(&format!("describe {id} --format json")).json();
        assert_eq!((json["id"].as_str(), json["summary"].as_str()), (Some(id), summary));
        for due in ["formula", "prediction", "target", "parameters", "optimum", "reference"] {
            assert!(!json[due].is_null(), "{id} has no {due}");
        }
        for alias in json["aliases"].as_array().expect("aliases") {
            let alias = alias.as_str().expect("a name");
            let same = Folder::new().run(&format!("describe '{alias}' --format json")).json();
            assert_eq!(same["id"], json["id"], "{alias}");
        }
    }
}

#[test]
fn losses_are_listed_by_task() {
    let all = all_losses();
    let mut found = 0;
    let mut tasks: Vec<&str> = all.iter().filter_map(|loss| loss["task"].as_str()).collect();
    tasks.sort_unstable();
    tasks.dedup();
    for task in tasks {
        let listed = Folder::new().run(&format!("list --task {task} --format json")).json();
        let expected: Vec<_> = all.iter().filter(|loss| loss["task"] == task).cloned().collect();
        assert_eq!(listed, Value::from(expected.clone()));
        found += expected.len();
        let table = Folder::new().run(&format!("list --task {task}")).answer();
        let csv = Folder::new().run(&format!("list --task {task} --format csv")).answer();
        assert_eq!(csv.lines().count(), 1 + expected.len());
        for loss in &expected {
            let id = loss["id"].as_str().expect("an id");
            assert!(table.contains(id) && csv.contains(id), "{id}");
        }
    }
    assert_eq!(found, all.len());
    let refusal = Folder::new().run("list --task other").refusal();
    assert!(
        refusal.contains("it is regression, counts, distribution, binary or multiclass"),
        "{refusal}"
    );
}

/// What a list shows for the flags, as ids.
fn listed(flags: &str) -> Vec<String> {
    let answer = Folder::new().run(&format!("list {flags} --format csv")).answer();
    let lines = answer.lines().skip(1);
    lines
        .map(|line| line.split(['(', ',', '"']).find(|id| !id.is_empty()).expect("an id").into())
        .collect()
}

#[test]
fn losses_are_listed_by_properties() {
    let convex = listed("--convex");
    assert!(convex.contains(&"hinge".into()) && !convex.contains(&"zero_one".into()), "{convex:?}");
    let bent = listed("--task binary --convex=no --calibrated");
    assert!(bent.contains(&"zero_one".into()) && !bent.contains(&"hinge".into()), "{bent:?}");
    let robust = listed("--task regression --robust --differentiable");
    assert!(robust.contains(&"huber".into()) && !robust.contains(&"absolute_error".into()));
    // Each card in the list is what the filters go by.
    let losses = all_losses();
    for (flag, id) in
        [("strictly-convex", "strictly_convex"), ("lipschitz", "lipschitz"), ("proper", "proper")]
    {
        for answer in ["yes", "no", "unknown"] {
            let has = |loss: &&Value| loss["card"][id]["answer"] == answer;
            let due = losses
                .iter()
                .filter(has)
                .map(|loss| loss["id"].as_str().expect("an id").to_owned());
            assert_eq!(
                listed(&format!("--{flag}={answer}")),
                due.collect::<Vec<_>>(),
                "{flag} {answer}"
            );
        }
    }
    let refusal = Folder::new().run("list --convex=perhaps").refusal();
    assert!(refusal.contains("perhaps"), "{refusal}");
    let text = Folder::new().run("list --help").answer();
    assert!(text.contains("--redescending") && text.contains("--convex=no"), "{text}");
}

#[test]
fn cards_are_described() {
    let text = Folder::new().run("describe huber").answer();
    let line = |property: &str| {
        let found = text
            .lines()
            .find(|line| line.trim_start_matches("card").trim_start().starts_with(property));
        found.unwrap_or_else(|| panic!("no {property} in {text}")).to_owned()
    };
    assert!(
        line("convex").contains("yes; proved by interval arithmetic for all residuals"),
        "{text}"
    );
    assert!(line("Lipschitz").contains("yes, 1;"), "{text}");
    assert!(line("strictly convex").contains("no: a straight line"), "{text}");
    // Lines are wrapped where they are long.
    let flowing = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flowing.contains("the number is delta"), "{text}");
    let json = Folder::new().run("describe 'huber(delta=3)' --format json").json();
    let card = &json["card"];
    assert_eq!(
        (card["lipschitz"]["answer"].as_str(), card["lipschitz"]["number"].as_f64()),
        (Some("yes"), Some(3.0))
    );
    assert_eq!(card["convex"]["how"]["kind"], "proved");
    assert!(card["bounded"]["witness"]["terms"].as_array().expect("terms").len() == 2, "{card}");
}

#[test]
fn parameters_in_the_name_are_in_the_description() {
    let json = Folder::new().run("describe 'pinball(0.9)' --format json").json();
    assert_eq!(json["loss"], "quantile(level=0.9)");
    let refusal = Folder::new().run("describe hubber").refusal();
    assert!(refusal.contains("did you mean huber?"), "{refusal}");
}

#[test]
fn completions_name_the_commands_and_flags() {
    for shell in ["bash", "zsh", "fish"] {
        let text = Folder::new().run(&format!("completions {shell}")).answer();
        for due in ["eval", "advise", "merge", "describe", "save-state", "skip-nan", "row-groups"] {
            assert!(text.contains(due), "{shell} has no {due}");
        }
    }
}

#[test]
fn manual_pages_are_roff() {
    for (command, due) in [
        ("", "Loss functions"),
        ("eval", "row\\-groups"),
        ("advise", "dispersion"),
        ("merge", "allow\\-repeats"),
        ("list", "task"),
        ("describe", "format"),
        ("completions", "shell"),
        ("man", "command"),
    ] {
        let page = Folder::new().run(&format!("man {command}")).answer();
        assert!(page.starts_with(".ie") || page.starts_with(".TH"), "{command}: {page}");
        assert!(page.contains(".TH lossfn") && page.contains(".SH NAME"), "{command}: {page}");
        assert!(page.to_lowercase().contains(&due.to_lowercase()), "{command}: {page}");
    }
    let refusal = Folder::new().run("man other").refusal();
    assert!(refusal.contains("there are eval, advise, merge, list"), "{refusal}");
}
