//! Pictures: of each loss for its page, and the classics of the field as a page of their own.

use crate::NOTE;
use lossfn::{Entry, Loss};
use lossfn_plot::{Curves, Error, Order, Theme, side_by_side};
use std::fmt::Write;

/// Loss and gradient beside each other.
pub fn of_loss(entry: &Entry) -> Result<String, String> {
    let figure = |order: Order, title: Option<&str>| {
        let title = title.map(str::to_owned);
        let size = Some((420, 320));
        Curves { order, title, size, ..Curves::new(vec![entry.with_defaults()]) }.figure()
    };
    let both = || -> Result<String, Error> {
        let figures = [figure(Order::Loss, None)?, figure(Order::Gradient, Some("Gradient"))?];
        side_by_side(&figures, Theme::Auto)
    };
    both().map_err(|error| format!("{}: {error}", entry.description.id))
}

/// A picture of the page of classics, as a command of the program.
struct Classic {
    file: &'static str,
    heading: &'static str,
    words: &'static str,
    losses: &'static [&'static str],
    /// A parameter and its values, for the one loss.
    vary: Option<(&'static str, &'static [&'static str])>,
    order: Order,
    range: Option<(f64, f64)>,
    title: &'static str,
}

/// One that is extended by struct update.
const PLAIN: Classic = Classic {
    file: "",
    heading: "",
    words: "",
    losses: &[],
    vary: None,
    order: Order::Loss,
    range: None,
    title: "",
};

const ROBUST: &[&str] =
    &["half_squared_error", "huber", "cauchy(scale=1.5)", "welsch(scale=2)", "tukey_biweight"];

const CLASSICS: &[Classic] = &[
    Classic {
        file: "huber",
        heading: "Squares, absolute values, and Huber between them",
        words: "Near the target Huber's loss is half the square, far from it a straight line: an outlier \
                costs in proportion to its distance, not to the square of it.",
        losses: &["half_squared_error", "huber", "absolute_error"],
        title: "Squares near the target, straight lines far from it",
        ..PLAIN
    },
    Classic {
        file: "huber_gradient",
        words: "The same as forces: that of squares grows without bound, that of absolute values is the \
                same everywhere and jumps at the target, Huber's has neither fault.",
        losses: &["half_squared_error", "huber", "absolute_error"],
        order: Order::Gradient,
        title: "How hard a residual pulls",
        ..PLAIN
    },
    Classic {
        file: "quantile",
        heading: "Quantiles",
        words: "The slopes on both sides decide which quantile of the target costs least: where being too \
                low costs nine times as much as being too high, nine of ten targets end up below.",
        losses: &["quantile"],
        vary: Some(("level", &["0.1", "0.5", "0.9"])),
        title: "The quantile loss for three levels",
        ..PLAIN
    },
    Classic {
        file: "robust",
        heading: "Robust losses and their influence",
        words: "Bounded losses give up on what is far away.",
        losses: ROBUST,
        title: "From squares to losses that are bounded",
        range: Some((-6.0, 6.0)),
        ..PLAIN
    },
    Classic {
        file: "robust_gradient",
        words: "Their gradients show it: the influence of a residual grows, stays, or falls back to \
                nothing.",
        losses: ROBUST,
        order: Order::Gradient,
        title: "Influence: the gradient over the residual",
        range: Some((-6.0, 6.0)),
        ..PLAIN
    },
    Classic {
        file: "barron",
        words: "Barron's loss has most of them as values of one parameter.",
        losses: &["barron"],
        vary: Some(("alpha", &["2", "1", "0", "-2", "-inf"])),
        title: "One loss from squares to Welsch",
        range: Some((-6.0, 6.0)),
        ..PLAIN
    },
    Classic {
        file: "cross_entropy",
        heading: "Cross-entropy of a positive and of a negative case",
        words: "The price of a probability is its logarithm: without bound for what was held impossible \
                and yet happened.",
        losses: &["binary_cross_entropy"],
        title: "What a predicted probability costs",
        ..PLAIN
    },
    Classic {
        file: "margin",
        heading: "Stand-ins for the zero-one loss",
        words: "Whether a class is right is a step, which no slope leads down. Each of these lies above it \
                (the logistic loss does, divided by ln 2), and has a slope where a class is wrong.",
        losses: &[
            "zero_one",
            "hinge",
            "squared_hinge",
            "logistic",
            "exponential",
            "modified_huber",
        ],
        title: "Losses of the margin",
        range: Some((-2.0, 2.0)),
        ..PLAIN
    },
    Classic {
        file: "focal",
        heading: "Focal loss",
        words: "The larger gamma, the less a class counts that is predicted well already.",
        losses: &["softmax_focal"],
        vary: Some(("gamma", &["0", "0.5", "1", "2", "5"])),
        title: "Cross-entropy, and what focus takes from it",
        ..PLAIN
    },
    Classic {
        file: "poisson",
        heading: "Counts",
        words: "The Poisson loss is lowest where the predicted rate is the count, and steeper below than \
                above.",
        losses: &["poisson"],
        title: "What a predicted rate costs for three counts",
        ..PLAIN
    },
    Classic {
        file: "own_loss",
        heading: "A loss of one's own",
        words: "That of [the tour](OWN_LOSS.md): Huber's, but six times as dear on one side.",
        losses: &[
            "formula: w * where(abs(r) <= d, r^2 / 2, d * (abs(r) - d / 2)); r = p - y; w = where(r < 0, missed, \
             1); d = 50; missed = 6",
            "half_squared_error",
            "huber(delta=50)",
        ],
        range: Some((-100.0, 100.0)),
        title: "A miss costs six times as much as too much care",
        ..PLAIN
    },
];

impl Classic {
    fn svg(&self) -> Result<String, String> {
        let texts: Vec<String> = match (self.vary, self.losses) {
            (Some((name, values)), [loss]) => {
                values.iter().map(|value| format!("{loss}({name}={value})")).collect()
            }
            _ => self.losses.iter().map(|&loss| loss.to_owned()).collect(),
        };
        let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", self.file);
        let losses = texts.iter().map(|text| text.parse::<Loss>());
        let losses = losses.collect::<Result<Vec<_>, _>>().map_err(|error| fail(&error))?;
        let curves = Curves {
            order: self.order,
            range: self.range,
            title: Some(self.title.to_owned()),
            ..Curves::new(losses)
        };
        curves.figure().and_then(|figure| figure.svg(Theme::Auto)).map_err(|error| fail(&error))
    }

    /// The command of the program that draws the same.
    fn command(&self) -> String {
        let quoted = |loss: &&str| {
            if loss.contains(['(', ' ']) { format!("'{loss}'") } else { (*loss).to_owned() }
        };
        let losses: Vec<String> = self.losses.iter().map(quoted).collect();
        let mut command = format!("lossfn plot {}", losses.join(" "));
        // Writing to a String cannot fail.
        if let Some((name, values)) = self.vary {
            let _ = write!(command, " --vary {name}={}", values.join(","));
        }
        if self.order == Order::Gradient {
            command.push_str(" --gradient");
        }
        if let Some((low, high)) = self.range {
            let _ = write!(command, " --range {low}..{high}");
        }
        let _ = write!(command, " --title '{}' -o {}.svg", self.title, self.file);
        command
    }
}

/// The page of classics and its pictures, by path.
pub fn classics() -> Result<Vec<(String, String)>, String> {
    let mut files = Vec::new();
    let mut page = format!(
        "{NOTE}# Pictures\n\nThe classics of the field, each with the command that draws it. The page of \
         [each loss](losses/README.md) has its own.\n"
    );
    for classic in CLASSICS {
        if !classic.heading.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(page, "\n## {}\n", classic.heading);
        }
        let (title, file) = (classic.title, classic.file);
        let _ = write!(
            page,
            "\n{}\n\n![{title}](pictures/{file}.svg)\n\n```sh\n{}\n```\n",
            classic.words,
            classic.command()
        );
        files.push((format!("pictures/{file}.svg"), classic.svg()?));
    }
    files.push(("PICTURES.md".into(), page));
    Ok(files)
}
