//! What holds for every card.

use crate::cards;
use lossfn::{
    Answer, Card, Description, Domain, Fact, How, Known, Loss, Property, Source, Witness,
};
use lossfn_testkit::none_wrong;
use lossfn_testkit::points::{Precision, Rng};
use lossfn_testkit::precise::{Definition, Precise};
use rayon::prelude::*;

fn is(card: &Card, property: Property, answer: Answer) -> bool {
    card.get(property).is_some_and(|fact| fact.answer == answer)
}

/// Answers imply each other: the first yes makes the second yes.
#[test]
fn entries_imply_each_other() {
    use Property::{
        Bounded, Calibrated, Convex, Differentiable, Lipschitz, Proper, Redescending, Robust,
        Smooth, StrictlyConvex, StrictlyProper, StronglyConvex, TwiceDifferentiable,
    };
    let implications = [
        (StronglyConvex, StrictlyConvex),
        (StrictlyConvex, Convex),
        (Smooth, Differentiable),
        (TwiceDifferentiable, Differentiable),
        (StrictlyProper, Proper),
        (StrictlyProper, Calibrated),
        (Lipschitz, Robust),
        (Bounded, Robust),
    ];
    let exclusions = [(Redescending, Convex), (StronglyConvex, Redescending)];
    let (yes, no) = (Answer::Yes, Answer::No);
    let mut wrong = Vec::new();
    for (loss, card) in cards() {
        for (strong, weak) in implications {
            if is(&card, strong, yes) && is(&card, weak, no) {
                wrong.push(format!("{loss} is {strong}, but not {weak}"));
            }
        }
        let is_line = loss.description().prediction == Domain::Real && !loss.has_class_axis();
        let is_constant = card.get(Bounded).and_then(|fact| fact.number) == Some(0.0);
        if is_line && !is_constant {
            for (one, other) in exclusions {
                if is(&card, one, yes) && is(&card, other, yes) {
                    wrong.push(format!("{loss} is {one} and {other}"));
                }
            }
            // On the whole line nothing but a constant is both.
            if is(&card, Bounded, yes) && is(&card, Convex, yes) {
                wrong.push(format!("{loss} is bounded and convex"));
            }
            if is(&card, StronglyConvex, yes) && is(&card, Lipschitz, yes) {
                wrong.push(format!("{loss} is strongly convex and Lipschitz"));
            }
        }
        let number = |property| card.get(property).and_then(|fact: &Fact| fact.number);
        if let (Some(modulus), Some(constant)) = (number(StronglyConvex), number(Smooth))
            && modulus > constant * (1.0 + 1e-3)
        {
            wrong.push(format!("{loss}: modulus {modulus}, smoothness {constant}"));
        }
    }
    none_wrong(&wrong);
}

/// The weighted sum of losses that a witness is about, with many digits.
fn sum(loss: &Loss, witness: &Witness) -> (Precise, Precise) {
    let classes = witness.terms.first().map_or(1, |term| term.prediction.len());
    let definition = Definition::new(loss, classes, Precision::Double);
    let bits = 2048;
    let mut sum = Precise::new(witness.constant, bits);
    let mut size = sum.magnitude();
    for term in &witness.terms {
        let value = definition.result(0, &term.prediction, &term.target, 0);
        let part = Precise::new(term.factor, bits).times(&value);
        size = size.plus(&part.magnitude());
        sum = sum.plus(&part);
    }
    (sum, size)
}

/// Every no has a witness, or follows from another no that has; and the witness holds by the
/// definition, with many digits.
#[test]
fn every_no_has_a_witness_that_holds() {
    let zero = Precise::new(0.0, 64);
    let cards = cards();
    let checked: Vec<Result<usize, String>> = cards
        .par_iter()
        .map(|(loss, card)| {
            let mut checked = 0;
            for fact in card.facts().iter().filter(|fact| fact.answer == Answer::No) {
                let Some(witness) = &fact.witness else {
                    if matches!(fact.how, How::Cited(_) | How::Rule(_)) {
                        continue;
                    }
                    return Err(format!("{loss}: {} is no without a witness", fact.property));
                };
                let (sum, size) = sum(loss, witness);
                let holds = if witness.is_strict {
                    zero.is_less_than(&sum)
                } else {
                    // Of two sums that are equal, digits beyond the hundredth may differ.
                    let slack = size.times_power_of_two(-100);
                    !sum.plus(&slack).is_less_than(&zero) && !sum.to_f64().is_nan()
                };
                if !holds {
                    return Err(format!(
                        "{loss}: the witness against {} does not hold: {:e} of {:e}: {fact}\n{witness:?}",
                        fact.property,
                        sum.to_f64(),
                        size.to_f64()
                    ));
                }
                checked += 1;
            }
            Ok(checked)
        })
        .collect();
    let wrong: Vec<String> = checked.iter().filter_map(|result| result.clone().err()).collect();
    none_wrong(&wrong);
    let checked: usize = checked.into_iter().filter_map(Result::ok).sum();
    assert!(checked > 100, "only {checked}");
}

/// Random examples try to refute what is said to be so.
#[test]
fn what_is_said_stands_up_to_random_examples() {
    let mut wrong = Vec::new();
    for (loss, card) in cards() {
        let Some(kernels) = loss.pointwise_kernels() else { continue };
        let d = loss.description();
        let mut rng = Rng::named(&loss.to_string());
        let number = |property| {
            let fact = card.get(property).filter(|fact| fact.answer == Answer::Yes)?;
            Some(fact.number.unwrap_or(f64::INFINITY))
        };
        for n in 0..400 {
            let y = rng.inside(d.target);
            let draw = |rng: &mut Rng| {
                let x = if n % 2 == 0 { rng.inside(d.prediction) } else { rng.spread() };
                if d.prediction.contains(x) { x } else { rng.inside(d.prediction) }
            };
            let (a, b) = (draw(&mut rng), draw(&mut rng));
            let share = rng.unit();
            let middle = a + (b - a) * share;
            let [fa, fb, fm] = [a, b, middle].map(|x| kernels.reference(x, y));
            if [fa.value, fb.value, fm.value]
                .iter()
                .any(|value| !value.is_finite() || value.abs() > 1e30)
            {
                continue;
            }
            let size = fa.value.abs() + fb.value.abs() + fm.value.abs();
            let slack = 1e-9 * size.max(1e-12);
            let chord = (1.0 - share) * fa.value + share * fb.value;
            let way = b - a;
            let mut check = |property: Property, holds: bool| {
                if !holds {
                    wrong.push(format!("{loss} is not {property} at {a}, {b} with target {y}"));
                }
            };
            if is(&card, Property::Convex, Answer::Yes) {
                check(Property::Convex, fm.value <= chord + slack);
            }
            if let Some(modulus) = number(Property::StronglyConvex).filter(|m| m.is_finite()) {
                let due = 0.5 * modulus * share * (1.0 - share) * way * way * (1.0 - 1e-3);
                check(Property::StronglyConvex, fm.value <= chord - due + slack);
            }
            if let Some(constant) = number(Property::Lipschitz) {
                let most = constant * (1.0 + 1e-3) * way.abs() + slack;
                check(Property::Lipschitz, (fa.value - fb.value).abs() <= most);
            }
            if let Some(constant) = number(Property::Smooth) {
                let slack = 1e-9 * (fa.gradient().abs() + fb.gradient().abs()).max(1e-12);
                let most = constant * (1.0 + 1e-3) * way.abs() + slack;
                check(Property::Smooth, (fa.gradient() - fb.gradient()).abs() <= most);
            }
            if let Some(range) = number(Property::Bounded) {
                let most = range * (1.0 + 1e-3) + slack;
                check(Property::Bounded, (fa.value - fb.value).abs() <= most);
            }
        }
    }
    none_wrong(&wrong[..wrong.len().min(20)]);
    assert!(wrong.is_empty());
}

/// What is declared with a loss is not refuted by its formula.
#[test]
fn declared_facts_are_not_contradicted() {
    let wrong: Vec<String> =
        crate::losses().par_iter().flat_map_iter(Loss::contradictions).collect();
    none_wrong(&wrong);
}

#[test]
fn a_false_declaration_is_caught() {
    static DESCRIPTION: Description = Description {
        known: &[
            Known {
                property: Property::Convex,
                answer: Answer::No,
                number: None,
                detail: None,
                conditions: &[],
                source: Source::of("because someone said so"),
            },
            Known {
                property: Property::Smooth,
                answer: Answer::Yes,
                number: Some(3.0),
                detail: None,
                conditions: &[],
                source: Source::of("Nobody (2000)."),
            },
        ],
        ..Description::own("own", "The square of the residual.")
    };
    struct Square;
    impl lossfn::Pointwise for Square {
        fn loss<N: lossfn::Number>(&self, prediction: N, target: N) -> N {
            (prediction - target).square()
        }
    }
    let loss = Loss::pointwise(&DESCRIPTION, &[], Square);
    assert_eq!(loss.contradictions().len(), 2, "{:?}", loss.contradictions());
    // What is proved stands.
    assert_eq!(loss.card().answer(Property::Convex), Answer::Yes);
    assert_eq!(loss.card().get(Property::Smooth).unwrap().number, Some(2.0));
}

/// Cards are the same on every run, and quick.
#[test]
fn cards_are_made_once_and_for_all() {
    for (loss, card) in cards().iter().take(40) {
        assert_eq!(card, &loss.card(), "{loss}");
        let mut seen: Vec<Property> = card.facts().iter().map(|fact| fact.property).collect();
        assert!(seen.is_sorted(), "{loss}");
        seen.dedup();
        assert_eq!(seen.len(), card.facts().len(), "{loss}");
        for fact in card.facts() {
            assert!(!fact.to_string().contains("NaN"), "{loss}: {fact}");
        }
    }
}
