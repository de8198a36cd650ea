//! Losses as `MathML`: what well-known ones look like, and what all of them keep to.

use lossfn::{CATALOG, Loss};

/// Elements of `MathML` Core, with the number of children that they take.
const ELEMENTS: [(&str, Option<usize>); 15] = [
    ("math", None),
    ("mrow", None),
    ("mi", None),
    ("mn", None),
    ("mo", None),
    ("mtext", None),
    ("mspace", Some(0)),
    ("msqrt", None),
    ("msub", Some(2)),
    ("msup", Some(2)),
    ("munder", Some(2)),
    ("mfrac", Some(2)),
    ("mtable", None),
    ("mtr", Some(2)),
    ("mtd", None),
];

/// The text without elements; panics where elements are not closed in order, unknown, or have another
/// number of children.
fn text(what: &str, mathml: &str) -> String {
    let mut open: Vec<(String, usize)> = Vec::new();
    let mut text = String::new();
    let mut rest = mathml;
    while !rest.is_empty() {
        let at = rest.find('<').unwrap_or(rest.len());
        let (words, markup) = rest.split_at(at);
        if !words.is_empty() {
            let inside = open.last().map_or("", |(name, _)| name);
            assert!(["mi", "mn", "mo", "mtext"].contains(&inside), "{what}: {words:?} in {mathml}");
            let plain = words.replace("&lt;", "").replace("&gt;", "").replace("&amp;", "");
            assert!(!plain.contains(['&', '>']), "{what}: {words}");
            text += &words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        }
        let Some(end) = markup.find('>') else { break };
        let tag = &markup[1..end];
        rest = &markup[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let (opened, children) = open.pop().expect("an open element");
            assert_eq!(opened, name, "{what}: {mathml}");
            let known = ELEMENTS.iter().find(|(known, _)| *known == name);
            let (_, count) = known.unwrap_or_else(|| panic!("{what}: {name}"));
            assert!(count.is_none_or(|count| count == children), "{what}: {name} in {mathml}");
        } else {
            if let Some((_, children)) = open.last_mut() {
                *children += 1;
            }
            open.push((tag.split(' ').next().unwrap_or_default().to_owned(), 0));
        }
    }
    assert!(open.is_empty(), "{what}: {mathml}");
    text
}

#[test]
fn well_known_losses() {
    // Invisible signs: times and function application.
    for (name, expected) in [
        ("hinge", "max\u{2061}(0,1−y\u{2062}p)"),
        ("binary_cross_entropy", "−y\u{2062}lnp−(1−y)\u{2062}ln\u{2061}(1−p)"),
        ("half_squared_error", "12\u{2062}(p−y)2"),
        ("softmax_cross_entropy", "∑c\u{2062}yc(ln∑jepj−pc)"),
        ("huber", "{12\u{2062}(p−y)2if\u{a0}|p−y|≤δδ\u{2062}(|p−y|−12\u{2062}δ)otherwise"),
    ] {
        let loss: Loss = name.parse().unwrap();
        let found = text(name, &loss.mathml());
        let plain = |text: &str| text.replace('\u{2062}', "");
        assert_eq!(plain(&found), plain(expected), "{name}");
    }
    let squared: Loss = "half_squared_error".parse().unwrap();
    assert_eq!(
        squared.mathml_derivatives(1)[0].1,
        "<math xmlns=\"http://www.w3.org/1998/Math/MathML\" display=\"block\"><mrow><mi>p</mi>\
         <mo>−</mo><mi>y</mi></mrow></math>"
    );
}

#[test]
fn every_loss_is_sound_mathml() {
    for entry in CATALOG {
        let loss = entry.with_defaults();
        assert!(!text(loss.id(), &loss.mathml()).trim().is_empty());
        for order in 1..=2 {
            let (mathml, latex) = (loss.mathml_derivatives(order), loss.latex_derivatives(order));
            assert_eq!(mathml.len(), latex.len(), "{loss}");
            for ((component, mathml), (of_latex, _)) in mathml.iter().zip(&latex) {
                assert_eq!(component, of_latex);
                text(&format!("{loss}, order {order}, {component:?}"), mathml);
            }
        }
    }
}
