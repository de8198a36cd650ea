//! `lossfn plot`.

use crate::common::Folder;
use std::fs;

/// Width and height, from the header of a PNG.
fn png_size(bytes: &[u8]) -> (u32, u32) {
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[test]
fn without_a_file_svg_is_printed() {
    let folder = Folder::new();
    let svg = folder.run("plot huber squared_error absolute_error").answer();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    for label in ["huber(delta=1)", "squared_error", "absolute_error", "residual"] {
        assert!(svg.contains(label), "{label}");
    }
    assert!(svg.contains("prefers-color-scheme:dark"));
    assert_eq!(folder.run("plot huber squared_error absolute_error -o -").answer(), svg);
    assert!(folder.names().is_empty());
}

#[test]
fn the_name_of_the_file_says_what_is_written() {
    let folder = Folder::new();
    assert_eq!(folder.run("plot hinge logistic -o margin.svg --theme dark").answer(), "");
    let svg = fs::read_to_string(folder.path("margin.svg")).unwrap();
    assert_eq!(svg, folder.run("plot hinge logistic --theme dark").answer());
    assert!(svg.contains("#0D1117") && !svg.contains("<style>"));
    assert_eq!(folder.run("plot hinge --size 320x240 -o margin.PNG").answer(), "");
    assert_eq!(png_size(&fs::read(folder.path("margin.PNG")).unwrap()), (640, 480));
    let refusal = folder.run("plot hinge -o margin.pdf").refusal();
    assert!(refusal.contains("margin.pdf") && refusal.contains(".svg or .png"), "{refusal}");
    assert_eq!(folder.names(), ["margin.PNG", "margin.svg"]);
}

#[test]
fn one_loss_for_several_parameters() {
    let folder = Folder::new();
    let svg = folder.run("plot huber --vary delta=0.5,1,2 --gradient").answer();
    for label in ["delta = 0.5", "delta = 1", "delta = 2", "Gradient of huber"] {
        assert!(svg.contains(label), "{label}");
    }
    let named = "plot huber(delta=0.5) huber(delta=1) huber(delta=2) --gradient";
    assert_eq!(folder.run(named).answer(), svg);
    let refusal = folder.run("plot huber --vary beta=1").refusal();
    assert!(refusal.contains("no parameter \"beta\""), "{refusal}");
    let refusal = folder.run("plot huber --vary delta=1,x").refusal();
    assert!(refusal.contains("\"x\" is no value of delta"), "{refusal}");
    let refusal = folder.run("plot huber --vary delta=-1").refusal();
    assert!(refusal.contains("outside its range"), "{refusal}");
    assert_eq!(folder.run("plot huber --vary delta").code, 2);
}

#[test]
fn axis_target_and_title_are_as_asked() {
    let folder = Folder::new();
    let line = "plot poisson --target 3 --range 0..10 --title 'A count of 3' --second";
    let svg = folder.run(line).answer();
    for words in ["A count of 3", "prediction (target 3)", "second derivative"] {
        assert!(svg.contains(words), "{words}");
    }
    let svg = folder.run("plot huber --against prediction --target 5 --range -2..12").answer();
    assert!(svg.contains("prediction (target 5)") && svg.contains(">\n12\n<"), "{svg}");
    let svg = folder.run("plot hinge binary_cross_entropy_with_logits --against margin").answer();
    assert!(svg.contains("margin: target"), "{svg}");
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let folder = Folder::new();
    for (line, words) in [
        ("plot huber softmax_cross_entropy -o a.svg", "no axis in common"),
        ("plot huber --against margin -o a.svg", "cannot be drawn over the margin"),
        ("plot huber --range 2..1 -o a.svg", "lower end first"),
        ("plot huber --range 0..nan -o a.svg", "1e300"),
        ("plot huber --size 20x20 -o a.png", "20 x 20 pixels"),
        ("plot huber --size 9000x9000 -o a.png", "16384"),
        ("plot poisson --target -1 -o a.svg", "0 or more"),
        ("plot huber -o missing/a.svg", "missing/a.svg"),
        ("plot hubert -o a.svg", "did you mean huber"),
        ("plot", "LOSS"),
        ("plot huber --gradient --second", "--second"),
        ("plot huber --range 3 -o a.svg", "-2..2"),
        ("plot huber --size 640 -o a.svg", "640x400"),
    ] {
        let refusal = folder.run(line).refusal();
        assert!(refusal.contains(words), "{line}: {refusal}");
    }
    assert!(folder.names().is_empty());
}
