//! Cards: what is said of losses is true, hangs together, and is the same as in the literature.

mod own;

use lossfn_testkit::catalog;

#[test]
fn show() {
    for entry in catalog() {
        let loss = entry.with_defaults();
        let start = std::time::Instant::now();
        let card = loss.card();
        println!("\n{loss}  {:?}", start.elapsed());
        for fact in card.facts() {
            println!("  {:22} {fact}", fact.property.title());
        }
    }
    for loss in own::losses() {
        let start = std::time::Instant::now();
        let card = loss.card();
        println!("\n{loss}  {:?}", start.elapsed());
        for fact in card.facts() {
            println!("  {:22} {fact}", fact.property.title());
        }
    }
}
