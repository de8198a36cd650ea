//! Losses as text: whatever is typed gives a loss or a message, never a panic.

use lossfn::choose::LossRequest;
use lossfn::{CATALOG, Error, Loss};
use lossfn_testkit::points::{Rng, values_in};
use proptest::prelude::*;

/// Text that looks like a loss in parts.
fn nearly_a_loss() -> impl Strategy<Value = String> {
    let names = CATALOG.iter().flat_map(|entry| {
        let parameters = entry.description.parameters.iter().map(|parameter| parameter.name);
        [entry.description.id].into_iter().chain(parameters)
    });
    let mut parts: Vec<String> = names.map(str::to_owned).collect();
    for part in ["(", ")", "=", ",", " ", "1", "-1", "0.5", "1e999", "nan", "inf", "é", "\0", "()"]
    {
        parts.push(part.to_owned());
    }
    for part in ["auto", ":", "mad", "quantile", "likelihood", "efficiency", "level"] {
        parts.push(part.to_owned());
    }
    prop::collection::vec(prop::sample::select(parts), 0..8).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_gives_a_loss_or_a_message(text in any::<String>()) {
        match text.parse::<Loss>() {
            Ok(loss) => prop_assert_eq!(loss.to_string().parse::<Loss>(), Ok(loss)),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn text_in_the_likeness_of_a_loss_gives_one_or_a_message(text in nearly_a_loss()) {
        match text.parse::<Loss>() {
            Ok(loss) => prop_assert_eq!(loss.to_string().parse::<Loss>(), Ok(loss)),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
        match text.parse::<LossRequest>() {
            Ok(request) => {
                let again: LossRequest = request.to_string().parse().unwrap();
                prop_assert_eq!(again.to_string(), request.to_string());
                prop_assert_eq!(request.needs_data(), request.loss().is_err());
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    /// Names and aliases, values by place or by name, and blanks in all places where they may be.
    #[test]
    fn every_way_of_writing_a_loss_is_read(
        entry in 0..CATALOG.len(), alias in any::<prop::sample::Index>(), seed in any::<u64>(),
        by_name in any::<bool>(), blank in prop::sample::select(vec!["", " ", "\t ", "\n"]),
    ) {
        let (entry, description) = (&CATALOG[entry], CATALOG[entry].description);
        let names: Vec<&str> =
            std::iter::once(description.id).chain(description.aliases.iter().copied()).collect();
        let name = names[alias.index(names.len())];
        let mut rng = Rng::named(&seed.to_string());
        let values: Vec<f64> = description
            .parameters
            .iter()
            .map(|parameter| {
                let values = values_in(&parameter.range, &mut rng);
                values[rng.below(values.len())]
            })
            .collect();
        let mut arguments: Vec<String> = description
            .parameters
            .iter()
            .zip(&values)
            .map(|(parameter, value)| {
                let name = if by_name { parameter.name } else { "" };
                let equals = if by_name { "=" } else { "" };
                format!("{blank}{name}{blank}{equals}{blank}{value:?}{blank}")
            })
            .collect();
        if by_name {
            rng.shuffle(&mut arguments);
        }
        let text = format!("{blank}{name}{blank}({}){blank}", arguments.join(","));
        let loss: Loss = text.parse().unwrap();
        prop_assert_eq!(&loss, &entry.build(&values).unwrap());
        prop_assert_eq!(&loss.to_string().parse::<Loss>().unwrap(), &loss);
    }

    /// To the last bit.
    #[test]
    fn a_parameter_is_read_back_as_it_was(bits in any::<u64>()) {
        let delta = f64::from_bits(bits & !(1 << 63));
        prop_assume!(delta.is_finite() && delta > 0.0);
        let loss: Loss = format!("huber({delta:e})").parse().unwrap();
        prop_assert_eq!(loss.parameters(), &[delta]);
        let back: Loss = loss.to_string().parse().unwrap();
        prop_assert_eq!(back.parameters()[0].to_bits(), delta.to_bits());
    }

    /// One letter too many, too few or wrong still finds the loss that was meant, or another whose
    /// name is as near.
    #[test]
    fn a_slip_is_understood(
        entry in 0..CATALOG.len(), at in any::<prop::sample::Index>(), kind in 0..3,
        letter in proptest::char::range('a', 'z'),
    ) {
        let mut name: Vec<char> = CATALOG[entry].description.id.chars().collect();
        let at = at.index(name.len());
        match kind {
            0 => { name.remove(at); }
            1 => name.insert(at, letter),
            _ => name[at] = letter,
        }
        let name: String = name.into_iter().collect();
        match name.parse::<Loss>() {
            // The slip may have made another name.
            Ok(_) => {}
            Err(Error::UnknownLoss { suggestion: Some(near), .. }) => {
                prop_assert!(strsim::damerau_levenshtein(&name, &near.to_lowercase()) <= 1);
            }
            Err(error) => prop_assert!(false, "{}: {}", name, error),
        }
    }
}

#[test]
fn messages_say_what_is_wrong() {
    for (text, reason) in [
        ("", "a loss's name has letters, digits and _ only"),
        ("hu ber", "a loss's name has letters, digits and _ only"),
        ("huber(1", "the closing parenthesis is missing"),
        ("huber(one)", "\"one\" is not a number"),
        ("huber(1,)", "huber has 1 parameter, not more"),
        ("hinge(1)", "hinge has 0 parameters, not more"),
        ("huber(1,delta=2)", "delta is given twice"),
    ] {
        let message =
            format!("cannot read {text:?} as a loss: {reason} (an example: huber(delta=1.5))");
        assert_eq!(text.parse::<Loss>().unwrap_err().to_string(), message);
    }
    for (text, message) in [
        ("huber(beta=1)", "huber has no parameter \"beta\"; its only parameter is delta"),
        ("hinge(delta=1)", "hinge has no parameter \"delta\"; it has none"),
        ("huber(0)", "huber: delta = 0 is outside its range (0, inf)"),
        ("huber(inf)", "huber: delta = inf is outside its range (0, inf)"),
        ("huber(nan)", "huber: delta = NaN is outside its range (0, inf)"),
        ("quantile(level=1.5)", "quantile: level = 1.5 is outside its range [0, 1]"),
        ("quantil", "there is no loss \"quantil\"; did you mean quantile?"),
        (
            "no_such_loss_at_all",
            "there is no loss \"no_such_loss_at_all\"; `lossfn list` names all",
        ),
    ] {
        assert_eq!(text.parse::<Loss>().unwrap_err().to_string(), message);
    }
}

#[test]
fn names_alone_and_empty_parentheses_mean_the_defaults() {
    for entry in CATALOG {
        let id = entry.description.id;
        for text in [id.to_owned(), format!("{id}()"), format!(" {id} ( ) ")] {
            assert_eq!(text.parse::<Loss>().unwrap(), entry.with_defaults());
        }
    }
}
