//! Losses as code.

use crate::common::Folder;
use std::fs;

#[test]
fn a_loss_is_written_in_a_language() {
    let text = Folder::new().run("emit 'huber(delta=1.5)'").answer();
    assert!(text.starts_with("loss = where(abs(p - y) <= delta"), "{text}");
    let numpy = Folder::new().run("emit 'huber(delta=1.5)' --to numpy").answer();
    assert!(numpy.contains("def huber_gradient(p, y, delta=1.5):"), "{numpy}");
    // A name of another library will do.
    let sql = Folder::new().run("emit 'pinball(0.9)' --to sql").answer();
    assert!(sql.contains("FROM predictions") && sql.contains("quantile(level=0.9)"), "{sql}");
    let latex = Folder::new().run("emit hinge --to latex").answer();
    assert!(latex.contains(r"\max(0, 1 - y p)"), "{latex}");
}

#[test]
fn the_code_can_go_to_a_file() {
    let folder = Folder::new();
    let answer = folder.run("emit gaussian_nll --to c -o loss.c").answer();
    assert_eq!(answer, "");
    let code = fs::read_to_string(folder.path("loss.c")).expect("written");
    assert_eq!(code, folder.run("emit gaussian_nll --to c").answer());
    let refusal = folder.run("emit gaussian_nll --to c -o no/such/folder.c").refusal();
    assert!(refusal.contains("cannot write no/such/folder.c"), "{refusal}");
}

#[test]
fn what_cannot_be_written_is_refused() {
    let folder = Folder::new();
    let refusal = folder.run("emit softmax_cross_entropy --to sql -o loss.sql").refusal();
    assert!(refusal.contains("a row of classes; text and latex have it"), "{refusal}");
    assert!(folder.names().is_empty());
    let refusal = folder.run("emit huber --to cobol").refusal();
    assert!(refusal.contains("text, latex, sql"), "{refusal}");
}
