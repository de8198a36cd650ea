//! Losses that are given as text.

use lossfn::{Answer, CATALOG, Cost, Domain, Error, Form, InstructionSet, Loss, Outputs, Property};
use proptest::prelude::*;
use std::fmt::Write;

fn typed(text: &str) -> Loss {
    Loss::typed(text).unwrap_or_else(|error| panic!("{error}"))
}

fn value(text: &str, prediction: f64, target: f64) -> f64 {
    typed(text).pointwise_kernels().unwrap().reference(prediction, target).value
}

/// Reason and column, counted from 1.
fn refused(text: &str) -> (String, usize) {
    match Loss::typed(text) {
        Err(Error::Formula { at, reason, .. }) => (reason, at + 1),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn operators_and_precedence() {
    // By the rules of arithmetic, at p = 2, y = 3.
    for (text, expected) in [
        ("p + y * 4", 14.0),
        ("(p + y) * 4", 20.0),
        ("p - y - 4", -5.0),
        ("p / y / 4", 2.0 / 3.0 / 4.0),
        ("-p^2", -4.0),
        ("(-p)^2", 4.0),
        ("(-p)^3", -8.0),
        ("p^-2", 0.25),
        ("p^y^0", 2.0),
        ("2^3^2 * p", 1024.0),
        ("p**2 + +y", 7.0),
        ("2 * -p", -4.0),
        ("p - -y", 5.0),
        ("e^p", 2f64.exp()),
        ("p * pi", 2.0 * std::f64::consts::PI),
        (".5 * p + 1e-1 + 2.e0", 3.1),
        ("where(p < y, 1, 2) + 0 * p", 1.0),
        ("where(p >= y, 1, 2) + 0 * p", 2.0),
        ("where(p > y or p == 2, 1, 2)", 1.0),
        ("where(not p < y and y != 3, 1, 2)", 2.0),
        ("where(p < y && y <= 3 || p < 0, 1, 2)", 1.0),
        ("(p < y) * 5", 5.0),
        ("max(p, y, 7, 1)", 7.0),
        ("min(p, y, 7, 1)", 1.0),
        ("clip(p, 2.5, 9)", 2.5),
        ("p \u{b7} y \u{2212} 1", 5.0),
        ("where(p \u{2264} 2, 1, 0)", 1.0),
        ("log(p)", 2f64.ln()),
        ("log2(p)", 1.0),
        ("log10(p * 50)", 2.0),
        ("power(p, y)", 8.0),
        ("p^y", 8.0),
        ("square(p) + relu(-p)", 4.0),
        ("ln_sigmoid(p)", -(1.0 + (-2f64).exp()).ln()),
        ("prediction - target", -1.0),
        ("a * p; a = 1 / 4", 0.5),
        ("b; b = a + p; a = y^2", 11.0),
        ("a = 2; a * p; ", 4.0),
        ("where(near, 1, 2); near = abs(p - y) <= 1", 1.0),
    ] {
        let found = value(text, 2.0, 3.0);
        assert!((found - expected).abs() <= 4e-15 * expected.abs(), "{text}: {found}, {expected}");
    }
}

#[test]
fn derivatives_follow() {
    // Derivatives by hand at p = 2, y = 3.
    for (text, gradient, second) in [
        ("(p - y)^3", 3.0, -6.0),
        ("abs(p - y)^a; a = 1.5", -1.5, 0.75),
        (
            "softplus(-y * p)",
            -3.0 / (1.0 + 6f64.exp()),
            9.0 * 6f64.exp() / (1.0 + 6f64.exp()).powi(2),
        ),
        ("p^p", 4.0 * (1.0 + 2f64.ln()), 4.0 * ((1.0 + 2f64.ln()).powi(2) + 0.5)),
        ("where(p < y, p^2, 7)", 4.0, 2.0),
        ("where(p < 1, nan, y * p)", 3.0, 0.0),
        ("1 / p", -0.25, 0.25),
    ] {
        let jet = typed(text).pointwise_kernels().unwrap().reference(2.0, 3.0);
        let (found, expected) = ([jet.gradient(), jet.curvature()], [gradient, second]);
        for (found, expected) in found.into_iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 1e-14 * expected.abs(),
                "{text}: {found}, {expected}"
            );
        }
    }
}

#[test]
fn errors_point_at_the_place() {
    for (text, column, part) in [
        ("", 1, "there is no loss"),
        ("d = 1", 6, "there is no loss"),
        ("(p - y", 7, "closing parenthesis"),
        ("p - ", 5, "something is missing"),
        ("p * * y", 5, "before \"*\""),
        ("2p", 2, "an operator is missing"),
        ("p y", 3, "an operator is missing"),
        ("p $ y", 3, "not part of a formula"),
        ("|p - y|", 1, "write abs(...)"),
        ("p < 0 ? p : y", 7, "where(condition, a, b)"),
        ("p = 2", 1, "p has a meaning already"),
        ("(p - y)^2; (p = 3)", 12, "there is a loss already"),
        ("r^2", 1, "r = p - y"),
        ("abs(q - y)", 5, "q is not known"),
        ("abs(p - targt)", 9, "did you mean target?"),
        ("hubber(p)", 1, "there is no function hubber"),
        ("softplu(p)", 1, "did you mean softplus?"),
        ("exp(p, y)", 1, "exp takes 1 argument, and there are 2"),
        ("where(p, 1, 2)", 7, "a condition is needed"),
        ("where(p < 1, 1)", 1, "where takes 3 arguments"),
        ("0 < p < 1", 7, "two comparisons"),
        ("p * d; d = d + 1", 12, "d is defined by itself"),
        ("p * a; a = b; b = 2 * a", 23, "a is defined by itself"),
        ("p * d; d = 1; d = 2", 15, "d is defined twice"),
        ("p - y; d = 1", 8, "d is not used"),
        ("p * d; d = 1 / 0", 14, "no finite number"),
        ("y^2", 2, "does not depend on the prediction"),
        ("p; p in [0, 2]", 9, "is no domain: it is one of"),
        ("p; q in [0, 1]", 4, "only for the prediction"),
        ("p * d; d = auto", 12, "auto is for losses of the catalog"),
        ("exp * p", 1, "exp is a function"),
        ("if(p < 0, p, y)", 1, "where(condition, a, b)"),
        ("\u{e4}", 1, "not part of a formula"),
        ("1.2.3 * p", 4, "an operator is missing"),
        ("p[0]", 2, "was not expected"),
        ("[p]", 1, "round parentheses only"),
        ("p, y", 2, "was not expected"),
    ] {
        let (reason, found) = refused(text);
        assert!(reason.contains(part), "{text}: {reason}");
        assert_eq!(found, column, "{text}: {reason}");
    }
    let shown = Loss::typed("(p - y)^2 +\n weight * q").unwrap_err().to_string();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[1], "  (p - y)^2 +  weight * q");
    assert_eq!(lines[2].find('^'), Some(2 + 13), "{shown}");
    let far = format!("{}q", "p + ".repeat(150));
    let shown = Loss::typed(&far).unwrap_err().to_string();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[1].chars().nth(lines[2].find('^').unwrap()), Some('q'), "{shown}");
    assert!(lines[1..].iter().all(|line| line.len() < 120), "{shown}");
}

#[test]
fn hostile_text_is_refused() {
    let deep = format!("{}p{}", "(".repeat(100_000), ")".repeat(100_000));
    let nested = |n: usize| format!("{}p{}", "(".repeat(n), ")".repeat(n));
    let mut doubling = String::from("a0");
    for at in 0..60 {
        let _ = write!(doubling, "; a{at} = a{} * a{}", at + 1, at + 1);
    }
    doubling += "; a60 = p";
    let mut chain = String::from("a0");
    for at in 0..300 {
        let _ = write!(chain, "; a{at} = sin(a{})", at + 1);
    }
    chain += "; a300 = p";
    for text in [
        deep,
        nested(2_000),
        format!("{}p", "-".repeat(5_000)),
        format!("{}p", "not ".repeat(2_000)),
        format!("{}p", "p^".repeat(3_000)),
        format!("p{}", " + p".repeat(2_000)),
        format!("{}p{}", "exp(".repeat(1_500), ")".repeat(1_500)),
        doubling,
        chain,
        format!("p * {}", "9".repeat(20_000)),
        format!("p * {}", "a".repeat(41)),
        format!("p{}", " * sin(p) * exp(p)".repeat(90)),
    ] {
        assert!(matches!(Loss::typed(&text), Err(Error::Formula { .. })), "{}", &text[..40]);
    }
    // And what a person may well write is not.
    typed(&nested(60));
    typed(&format!("p{}", " + sin(p * y)".repeat(60)));
}

#[test]
fn text_parses_back() {
    for text in [
        "where(abs(p - y) <= d, (p - y)^2 / 2, d * (abs(p - y) - d / 2)); d = 1.5",
        "-(y * ln(p)) - (1 - y) * ln1p(-p); p in [0, 1]; y in [0, 1]",
        "max(0, 1 - y * p); y in {-1, 1}",
        "abs(p - y)^a * b; a = 1.25; b = -1e-300",
        "e^(p - y) * 1e300 + pi * tau * p",
        "where(not (p < y or p == 2 and y < 0), p^3, p^-2)",
    ] {
        let loss = typed(text);
        let again: Loss = loss.to_string().parse().unwrap();
        assert_eq!(again, loss, "{text}");
        assert_eq!(again.to_string(), loss.to_string());
        for result in 0..3 {
            assert_eq!(again.formula().text(result), loss.formula().text(result), "{text}");
        }
    }
    assert_eq!(typed("p * a * b; a = 1; b = 2").named_parameters(), [("a", 1.0), ("b", 2.0)]);
    assert_ne!(typed("p * a; a = 1"), typed("p * a; a = 2"));
    assert_ne!(typed("p * 2"), typed("p * 3"));
}

#[test]
fn parameters_can_be_changed() {
    let loss = typed("abs(p - y)^a; a = 2");
    let changed = loss.with_parameter("a", 3.0).unwrap();
    assert_eq!(changed, typed("abs(p - y)^a; a = 3"));
    assert_eq!(Cost::new(changed).value(&[3.0], &[1.0]).unwrap(), 8.0);
    assert!(matches!(loss.with_parameter("b", 1.0), Err(Error::UnknownParameter { .. })));
    assert!(matches!(loss.with_parameter("a", f64::NAN), Err(Error::Formula { .. })));
    let huber: Loss = "huber".parse().unwrap();
    assert_eq!(huber.with_parameter("delta", 2.0).unwrap(), "huber(delta=2)".parse().unwrap());
    assert!(matches!(huber.with_parameter("delta", -2.0), Err(Error::ParameterOutOfRange { .. })));
}

#[test]
fn domains_are_kept_to() {
    let loss = typed("-ln(p) * y; p in (0, 1); y in [0, inf)");
    assert_eq!(loss.description().prediction, Domain::OpenUnit);
    assert_eq!(loss.description().target, Domain::NonNegative);
    let cost = Cost::new(loss);
    assert!(matches!(cost.value(&[1.0], &[1.0]), Err(Error::OutsideDomain { .. })));
    assert!(matches!(cost.value(&[0.5], &[-1.0]), Err(Error::OutsideDomain { .. })));
    assert!(cost.value(&[0.5], &[1.0]).is_ok());
}

/// The text of a loss of the catalog, as a person would copy it from its page.
fn text_of(loss: &Loss) -> String {
    let mut text = loss.formula().text(0);
    for (name, value) in loss.named_parameters() {
        if loss.formula().nodes.contains(&lossfn::number::Node::Symbol(name)) {
            let _ = write!(text, "; {name} = {value:?}");
        }
    }
    text
}

fn places(domain: Domain) -> &'static [f64] {
    match domain {
        Domain::Real | Domain::LogProbability => &[-2.75, -0.5, 0.0, 0.625, 1.0, 3.125],
        Domain::Unit | Domain::OpenUnit => &[0.125, 0.4375, 0.75],
        Domain::Sign => &[-1.0, 1.0],
        Domain::NonNegative | Domain::Positive => &[0.25, 1.0, 2.875],
    }
}

#[test]
fn the_text_of_every_pointwise_loss_is_that_loss() {
    let mut wrong = Vec::new();
    let pointwise = CATALOG.iter().filter(|entry| entry.with_defaults().form() == Form::Pointwise);
    for entry in pointwise {
        let loss = entry.with_defaults();
        let text = text_of(&loss);
        let copy = match Loss::typed(&text) {
            Ok(copy) => copy,
            Err(error) => {
                wrong.push(format!("{}: {error}", loss.id()));
                continue;
            }
        };
        let (ours, theirs) = (loss.pointwise_kernels().unwrap(), copy.pointwise_kernels().unwrap());
        for &prediction in places(loss.description().prediction) {
            for &target in places(loss.description().target) {
                // A kink, where either slope is right.
                if loss.id() == "symmetric_absolute_percentage_error" && prediction == 0.0 {
                    continue;
                }
                let (a, b) =
                    (ours.reference(prediction, target), theirs.reference(prediction, target));
                let pairs = [
                    (a.value, b.value),
                    (a.gradient(), b.gradient()),
                    (a.curvature(), b.curvature()),
                ];
                for (order, (a, b)) in pairs.into_iter().enumerate() {
                    // The definition, which the text is, has fewer digits than the composites.
                    let is_same = a == b
                        || (a - b).abs() <= 1e-13 * (1.0 + a.abs())
                        || a.is_nan() && b.is_nan();
                    if !is_same {
                        wrong.push(format!(
                            "{}: order {order} at {prediction}, {target}: {a}, {b} by {text}",
                            loss.id()
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn blocks_are_the_reference() {
    let texts = [
        "where(abs(p - y) <= d, (p - y)^2 / 2, d * (abs(p - y) - d / 2)); d = 1.5",
        "softplus(p) - p * y",
        "abs(p - y)^a * b + pi; a = 1.25; b = 2",
        "max(0, 1 - y * p)^2 + min(p, y, 0.5)",
        "where(not (p < y or p == 2 and y < 0), p^3, where(p < -1, xlogy(abs(y), p + 9), tanh(p)))",
        "p",
        "3 * p + ln_cosh(y)",
        "where(p < y, nan, p)",
    ];
    let prediction: Vec<f64> = (0..1000).map(|i| f64::from(i * 37 % 101) / 16.0 - 3.0).collect();
    let target: Vec<f64> = (0..1000).map(|i| f64::from(i * 53 % 89) / 16.0 - 2.5).collect();
    for text in texts {
        let loss = typed(text);
        let kernels = loss.pointwise_kernels().unwrap();
        for set in InstructionSet::ALL {
            for length in [0, 1, 127, 128, 129, 1000] {
                for order in 0..3 {
                    let mut results = vec![vec![0.0; length]; 3];
                    let [value, gradient, second] = &mut results[..] else { unreachable!() };
                    let to = Outputs::new(
                        value,
                        if order > 0 { gradient } else { &mut [] },
                        if order > 1 { second } else { &mut [] },
                    );
                    kernels.run_f64(set, &prediction[..length], &target[..length], to);
                    let single: Vec<f32> = prediction[..length].iter().map(|&x| x as f32).collect();
                    let mut value = vec![0.0; length];
                    let other: Vec<f32> = target[..length].iter().map(|&x| x as f32).collect();
                    let to = Outputs::new(&mut value, &mut [], &mut []);
                    kernels.run_f32(set, &single, &other, to);
                    for at in 0..length {
                        let jet = kernels.reference(prediction[at], target[at]);
                        let mut expected = [jet.value, jet.gradient(), jet.curvature()];
                        if jet.value.is_nan() {
                            expected = [f64::NAN; 3];
                        }
                        for (found, expected) in results.iter().zip(expected).take(order + 1) {
                            assert_near(found[at], expected, 1e-13, text);
                        }
                        assert_near(f64::from(value[at]), expected[0], 1e-5, text);
                    }
                }
            }
        }
    }
}

fn assert_near(found: f64, expected: f64, tolerance: f64, text: &str) {
    let is_near =
        found == expected || (found - expected).abs() <= tolerance * (1.0 + expected.abs());
    assert!(is_near || found.is_nan() && expected.is_nan(), "{text}: {found}, {expected}");
}

#[test]
fn a_formula_has_all_that_a_loss_has() {
    let loss = typed("where(abs(p - y) <= d, (p - y)^2 / 2, d * (abs(p - y) - d / 2)); d = 1.5");
    let huber: Loss = "huber(delta=1.5)".parse().unwrap();
    for fact in huber.card().facts() {
        let ours = loss.card();
        let found = ours.get(fact.property).unwrap();
        assert_eq!((found.answer, found.number), (fact.answer, fact.number), "{}", fact.property);
    }
    let latex = r"\begin{cases} \tfrac{1}{2} (p - y)^2 & \text{if } \left|p - y\right| \le d \\ d (\left|p - y\right| - \tfrac{1}{2} d) & \text{otherwise} \end{cases}";
    assert_eq!(loss.latex(), latex);
    let (prediction, target) = ([0.5, 3.0, -7.0], [0.0, 0.0, 0.0]);
    let costs = [loss, huber].map(|loss| Cost::new(loss).value(&prediction, &target).unwrap());
    assert_eq!(costs[0], costs[1]);
}

proptest! {
    /// Any sequence of tokens is read or refused, and what is read parses back.
    #[test]
    fn any_text_is_read_or_refused(parts in prop::collection::vec(prop::sample::select(vec![
        "p", "y", "d", "1", "2.5", "1e9", "+", "-", "*", "/", "^", "(", ")", ",", ";", "=", "<", "<=", "==",
        "and", "or", "not", "where(", "abs(", "max(", "exp(", "d = 2", "in", "[0, 1]", " ", "ln(", "pi", "e",
        "inf", "nan", "xlogy(", "sigmoid(", "\u{2264}", "\u{1f600}", "0", "power(",
    ]), 0..24)) {
        let text: String = parts.concat();
        if let Ok(loss) = Loss::typed(&text) {
            let again: Loss = loss.to_string().parse().unwrap();
            prop_assert_eq!(again.to_string(), loss.to_string());
            let jet = loss.pointwise_kernels().unwrap().reference(0.5, 0.25);
            let same = again.pointwise_kernels().unwrap().reference(0.5, 0.25);
            prop_assert!(jet.value == same.value || jet.value.is_nan() && same.value.is_nan());
        }
    }

    /// So is any damaged formula.
    #[test]
    fn damaged_text_is_read_or_refused(at in 0..80usize, with in any::<char>(), gone in 0..3usize) {
        let text = "where(abs(p - y) <= d, (p - y)^2 / 2, d * (abs(p - y) - d / 2)); d = 1.5; p in [0, 1]";
        let mut characters: Vec<char> = text.chars().collect();
        let end = (at + gone).min(characters.len());
        characters.splice(at..end, [with]);
        if let Err(error) = Loss::typed(&characters.into_iter().collect::<String>()) {
            prop_assert!(error.to_string().contains('^'));
        }
    }
}

#[test]
fn rounding_is_no_bend() {
    // Convex as mathematics; computed so, they lose their digits and with them every smooth chord.
    for text in ["ln(1 + exp(-p * y)); y in {-1, 1}", "ln(1 + exp(p)) - p * y; y in [0, 1]"] {
        let card = typed(text).card();
        let convex = card.get(Property::Convex).unwrap();
        assert_ne!(convex.answer, Answer::No, "{text}: {convex}");
    }
    // What is bent is still seen.
    assert_eq!(typed("ln(1 + (p - y)^2)").card().answer(Property::Convex), Answer::No);
    assert_eq!(
        typed("where(p * y > 0, 0, 1); y in {-1, 1}").card().answer(Property::Convex),
        Answer::No
    );
}
