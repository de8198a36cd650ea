//! Fuzzing of the parser of loss names, the same on every run: texts of the catalog, broken in many
//! ways, give a loss or a message, and a loss is written as it is read. `fuzz/` does the same with
//! a fuzzer that looks for new paths.

use lossfn::{CATALOG, Loss};
use lossfn_testkit::points::{Rng, settings};

/// What the parser owes for any text.
fn check(text: &str) -> bool {
    match text.parse::<Loss>() {
        Ok(loss) => {
            let written = loss.to_string();
            let back: Loss = written.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert!(back == loss, "{text:?} became {written}");
            assert_eq!(back.to_string(), written, "{text:?}");
            let ranges = loss.description().parameters.iter().zip(loss.parameters());
            for (parameter, value) in ranges {
                assert!(parameter.range.contains(*value), "{text:?}: {} = {value}", parameter.name);
            }
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty(), "{text:?}");
            false
        }
    }
}

/// Texts of all losses, with several settings and under all names.
fn texts() -> Vec<String> {
    let mut texts = Vec::new();
    for entry in CATALOG {
        texts.extend(settings(entry).iter().map(Loss::to_string));
        texts.extend(entry.description.aliases.iter().map(|&name| name.to_owned()));
    }
    texts
}

/// Pieces that have a meaning to the parser, or to the parser of numbers.
const PIECES: [&str; 36] = [
    "(", ")", "=", ",", " ", "\t", "\n", "\u{a0}", "\0", "_", "-", "+", ".", "e", "E", "0", "1",
    "9", "true", "false", "True", "nan", "NaN", "inf", "-inf", "infinity", "1e400", "-1e400",
    "1e-400", "-0", "0x1p3", "1_000", "٣", "é", "🦀", "()",
];

fn broken(text: &str, other: &str, rng: &mut Rng) -> String {
    let mut all: Vec<char> = text.chars().collect();
    for _ in 0..=rng.below(4) {
        let at = rng.below(all.len() + 1);
        let end = (at + rng.below(6)).min(all.len());
        let piece: Vec<char> = PIECES[rng.below(PIECES.len())].chars().collect();
        match rng.below(7) {
            0 => drop(all.drain(at..end)),
            1 => drop(all.splice(at..at, piece)),
            2 => drop(all.splice(at..end, piece)),
            3 => {
                let again = all[at..end].to_vec();
                drop(all.splice(end..end, again));
            }
            4 if end > at + 1 => all.swap(at, end - 1),
            5 => {
                all.truncate(at);
                let chars: Vec<char> = other.chars().collect();
                all.extend(&chars[rng.below(chars.len() + 1)..]);
            }
            _ => {
                // Another digit, or another letter's case.
                if let Some(c) = all.get_mut(at) {
                    *c = if c.is_ascii_digit() {
                        char::from(b'0' + rng.below(10) as u8)
                    } else if c.is_ascii_lowercase() {
                        c.to_ascii_uppercase()
                    } else {
                        c.to_ascii_lowercase()
                    };
                }
            }
        }
    }
    all.into_iter().collect()
}

#[test]
fn broken_names_give_a_loss_or_a_message() {
    let texts = texts();
    assert!(texts.iter().all(|text| check(text)));
    let mut rng = Rng::named("broken names");
    let mut read = 0;
    for _ in 0..20_000 {
        let (text, other) = (&texts[rng.below(texts.len())], &texts[rng.below(texts.len())]);
        read += u32::from(check(&broken(text, other, &mut rng)));
    }
    // Neither all broken nor all whole: both ways are tried.
    assert!((200..19_000).contains(&read), "{read} of 20000 are losses");
}

/// What fuzzing found or might have: kept as plain cases. Whether each is a loss is stated.
#[test]
fn cases_worth_keeping() {
    let long = "x".repeat(100_000);
    let many = format!("huber({})", "1,".repeat(50_000));
    let nested = format!("huber{}", "(".repeat(10_000));
    let digits = format!("huber(0.{}1)", "0".repeat(300));
    let wide = "é".repeat(40);
    for (text, is_loss) in [
        ("", false),
        ("(", false),
        (")", false),
        ("()", false),
        ("=", false),
        ("\0", false),
        ("huber(", false),
        ("huber)", false),
        ("huber())", false),
        ("huber(()", false),
        ("huber(=)", false),
        ("huber(delta=)", false),
        ("huber(=1)", false),
        ("huber(delta==1)", false),
        ("huber(delta=1=1)", false),
        ("huber(,)", false),
        ("huber(1 2)", false),
        ("huber(0x10)", false),
        ("huber(1_0)", false),
        ("huber(٣)", false),
        ("huber(1e400)", false),
        ("huber(-0)", false),
        ("huber(1e-400)", false),
        ("huber(+1)", true),
        ("huber(.5)", true),
        ("huber(5.)", true),
        ("huber(5e-324)", true),
        ("huber(1.7976931348623157e308)", true),
        ("huber(\u{a0}1\u{3000})", true),
        ("quantile(-0)", true),
        ("quantile(1e-400)", true),
        ("sigmoid_focal(balanced=True)", true),
        ("sigmoid_focal(balanced=1)", true),
        ("sigmoid_focal(balanced=-0)", true),
        ("sigmoid_focal(balanced=0.5)", false),
        ("sigmoid_focal(balanced=TRUE)", false),
        ("sigmoid_focal(gamma=true)", false),
        (&long, false),
        (&many, false),
        (&nested, false),
        (&digits, true),
        (&wide, false),
    ] {
        let shown: String = text.chars().take(60).collect();
        assert_eq!(check(text), is_loss, "{shown:?}");
    }
}
