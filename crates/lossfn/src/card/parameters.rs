//! How a card changes with the parameters of its loss.

use super::{Answer, Card, Property, short};
use crate::describe::{Kind, Range};
use crate::loss::Loss;
use rayon::prelude::*;

/// Values to try for a parameter: its ends, what is beside them, and some in between.
fn values_in(range: &Range) -> Vec<f64> {
    let mut values = match range.kind {
        Kind::Switch => vec![0.0, 1.0],
        Kind::Whole => (0..4).map(f64::from).map(|n| range.low.max(0.0) + n).collect(),
        Kind::Number => vec![
            range.low, range.high, -2.0, -0.5, 0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0, 1.5, 2.0, 3.0,
        ],
    };
    values.retain(|value| value.is_finite() && range.contains(*value));
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

/// A function of a parameter, as text and as it is.
type Form = (&'static str, fn(f64) -> f64);

/// What a constant may be of a parameter.
const FORMS: [Form; 11] = [
    ("max(1, {})", |v| v.max(1.0)),
    ("max(1, {}) / 4", |v| v.max(1.0) / 4.0),
    ("{}", |v| v),
    ("1 / {}", |v| 1.0 / v),
    ("2 {}", |v| 2.0 * v),
    ("{} / 2", |v| v / 2.0),
    ("{}²", |v| v * v),
    ("1 / {}²", |v| 1.0 / (v * v)),
    ("max({}, 1 - {})", |v| v.max(1.0 - v)),
    ("2 max({}, 1 - {})", |v| 2.0 * v.max(1.0 - v)),
    ("2 min({}, 1 - {})", |v| 2.0 * v.min(1.0 - v)),
];

/// The card of a loss with what other values of its parameters change.
pub(super) fn card(loss: &Loss) -> Card {
    let mut card = loss.card();
    let description = loss.description();
    let Ok(entry) = crate::catalog::find(loss.id()) else { return card };
    // A loss of one's own may have the same name.
    if entry.description != description {
        return card;
    }
    let mut notes: Vec<(Property, String)> = Vec::new();
    for (place, parameter) in description.parameters.iter().enumerate() {
        let others: Vec<(f64, Card)> = values_in(&parameter.range)
            .into_par_iter()
            .filter_map(|value| {
                let mut values = loss.parameters().to_vec();
                values[place] = value;
                Some((value, entry.build(&values).ok()?.card()))
            })
            .collect();
        let name = parameter.name;
        let write = |value: f64| match parameter.range.kind {
            Kind::Switch => parameter.range.write(value),
            _ => short(value),
        };
        for fact in card.facts() {
            let places = |answer| -> Vec<f64> {
                let is_so = |(_, card): &&(f64, Card)| card.answer(fact.property) == answer;
                others.iter().filter(is_so).map(|(v, _)| *v).collect()
            };
            let listed = |values: &[f64]| {
                values.iter().map(|value| write(*value)).collect::<Vec<_>>().join(", ")
            };
            let same = places(fact.answer);
            let mut parts = Vec::new();
            for answer in [Answer::Yes, Answer::No, Answer::Unknown] {
                let places = places(answer);
                if answer == fact.answer || places.is_empty() {
                    continue;
                }
                parts.push(if places.len() > same.len() && !same.is_empty() {
                    format!("{} at {} alone, else {answer}", fact.answer, listed(&same))
                } else {
                    format!("{answer} at {}", listed(&places))
                });
            }
            if !parts.is_empty() {
                let (first, last) = (&others[0].0, &others[others.len() - 1].0);
                let (parts, count) = (parts.join("; "), others.len());
                let text = format!(
                    "depends on {name}: {parts} (of {count} values from {} to {})",
                    write(*first),
                    write(*last)
                );
                notes.push((fact.property, text));
            }
            let numbers: Vec<(f64, f64)> = others
                .iter()
                .filter_map(|(v, card)| {
                    let other = card.get(fact.property)?;
                    (other.answer == fact.answer).then_some((*v, other.number?))
                })
                .collect();
            let differs = numbers.windows(2).any(|pair| {
                (pair[0].1 - pair[1].1).abs() > 1e-6 * pair[0].1.abs().max(pair[1].1.abs())
            });
            if fact.number.is_some() && differs {
                let fits = |form: &&Form| {
                    numbers.iter().all(|(v, number)| {
                        let due = form.1(*v);
                        (due - number).abs() <= 1e-5 * due.abs().max(1e-9)
                    })
                };
                let text = match FORMS.iter().find(fits) {
                    Some((form, _)) => format!("the number is {}", form.replace("{}", name)),
                    None => format!("the number changes with {name}"),
                };
                notes.push((fact.property, text));
            }
        }
    }
    for fact in &mut card.facts {
        let texts: Vec<&str> = notes
            .iter()
            .filter(|(property, _)| *property == fact.property)
            .map(|(_, text)| text.as_str())
            .collect();
        if !texts.is_empty() {
            fact.depends = Some(texts.join("; "));
        }
    }
    card
}
