//! What the literature says of the classical losses.

use crate::own;
use Property::{
    Bounded, Calibrated, Clippable, Convex, Differentiable, Lipschitz, Proper, Redescending,
    Robust, Smooth, StrictlyConvex, StrictlyProper, StronglyConvex, Symmetric, TwiceDifferentiable,
};
use lossfn::{Answer, Loss, Property};
use lossfn_testkit::none_wrong;

/// A loss, what it has, what it has not, numbers, and what it elicits.
struct Truth {
    loss: &'static str,
    yes: &'static [Property],
    no: &'static [Property],
    numbers: &'static [(Property, f64)],
    elicits: &'static str,
}

// Sources: Huber and Ronchetti (2009), Robust Statistics, chapters 3 and 4 (influence); Steinwart and
// Christmann (2008), Support Vector Machines, chapters 2 and 3 (Lipschitz, clippable); Bartlett, Jordan
// and McAuliffe (2006), doi:10.1198/016214505000000907 (calibration); Reid and Williamson (2010), JMLR
// 11 (proper losses); Gneiting (2011), doi:10.1198/jasa.2011.r10138 (functionals); Masnadi-Shirazi and
// Vasconcelos (2008), NIPS 21 (Savage); Ghosh, Kumar and Sastry (2017), AAAI (symmetric sums).
const TRUTHS: &[Truth] = &[
    Truth {
        loss: "squared_error",
        yes: &[
            Convex,
            StrictlyConvex,
            StronglyConvex,
            Smooth,
            TwiceDifferentiable,
            Symmetric,
            Clippable,
        ],
        no: &[Lipschitz, Bounded, Robust, Redescending],
        numbers: &[(StronglyConvex, 2.0), (Smooth, 2.0)],
        elicits: "the mean",
    },
    Truth {
        loss: "absolute_error",
        yes: &[Convex, Lipschitz, Symmetric, Clippable, Robust],
        no: &[StrictlyConvex, StronglyConvex, Smooth, Differentiable, Bounded, Redescending],
        numbers: &[(Lipschitz, 1.0)],
        elicits: "the median",
    },
    Truth {
        loss: "huber(delta=2.5)",
        yes: &[Convex, Lipschitz, Smooth, Differentiable, Symmetric, Clippable, Robust],
        no: &[StrictlyConvex, StronglyConvex, TwiceDifferentiable, Bounded, Redescending],
        numbers: &[(Lipschitz, 2.5), (Smooth, 1.0)],
        elicits: "",
    },
    Truth {
        loss: "smooth_l1(beta=0.5)",
        yes: &[Convex, Lipschitz, Smooth, Differentiable, Symmetric],
        no: &[StrictlyConvex, TwiceDifferentiable],
        numbers: &[(Lipschitz, 1.0), (Smooth, 2.0)],
        elicits: "",
    },
    Truth {
        loss: "log_cosh",
        yes: &[Convex, StrictlyConvex, Lipschitz, Smooth, TwiceDifferentiable, Symmetric, Robust],
        no: &[StronglyConvex, Bounded, Redescending],
        numbers: &[(Lipschitz, 1.0), (Smooth, 1.0)],
        elicits: "",
    },
    Truth {
        loss: "quantile(level=0.9)",
        yes: &[Convex, Lipschitz, Clippable, Robust],
        no: &[StrictlyConvex, Differentiable, Symmetric, Bounded, Redescending],
        numbers: &[(Lipschitz, 0.9)],
        elicits: "the quantile at level",
    },
    Truth {
        loss: "expectile(level=0.9)",
        yes: &[Convex, StrictlyConvex, StronglyConvex, Smooth, Differentiable, Clippable],
        no: &[TwiceDifferentiable, Lipschitz, Symmetric, Robust],
        numbers: &[(StronglyConvex, 0.2), (Smooth, 1.8)],
        elicits: "the expectile at level",
    },
    Truth {
        loss: "zero_one",
        yes: &[Bounded, Clippable, Robust, Calibrated, Symmetric],
        no: &[Convex, StrictlyConvex, Lipschitz, Smooth, Differentiable],
        numbers: &[(Bounded, 1.0)],
        elicits: "the more probable class, by its side",
    },
    Truth {
        loss: "perceptron",
        yes: &[Convex, Lipschitz, Clippable, Robust],
        no: &[StrictlyConvex, Differentiable, Bounded, Calibrated],
        numbers: &[(Lipschitz, 1.0)],
        elicits: "",
    },
    Truth {
        loss: "hinge",
        yes: &[Convex, Lipschitz, Clippable, Robust, Calibrated],
        no: &[StrictlyConvex, StronglyConvex, Smooth, Differentiable, Bounded, Redescending],
        numbers: &[(Lipschitz, 1.0)],
        elicits: "the more probable class, as -1 or 1",
    },
    Truth {
        loss: "squared_hinge",
        yes: &[Convex, Smooth, Differentiable, Clippable, Calibrated],
        no: &[StrictlyConvex, Lipschitz, TwiceDifferentiable, Robust],
        numbers: &[(Smooth, 2.0)],
        elicits: "twice the probability of the class 1, less 1",
    },
    Truth {
        loss: "logistic",
        yes: &[
            Convex,
            StrictlyConvex,
            Lipschitz,
            Smooth,
            TwiceDifferentiable,
            Robust,
            Proper,
            StrictlyProper,
            Calibrated,
        ],
        no: &[StronglyConvex, Bounded, Clippable, Redescending, Symmetric],
        numbers: &[(Lipschitz, 1.0), (Smooth, 0.25)],
        elicits: "the log-odds of the class 1",
    },
    Truth {
        loss: "exponential",
        yes: &[Convex, StrictlyConvex, TwiceDifferentiable, Proper, StrictlyProper, Calibrated],
        no: &[StronglyConvex, Lipschitz, Smooth, Bounded, Clippable, Robust],
        numbers: &[],
        elicits: "half the log-odds of the class 1",
    },
    Truth {
        loss: "binary_cross_entropy",
        yes: &[
            Convex,
            StrictlyConvex,
            StronglyConvex,
            Clippable,
            Proper,
            StrictlyProper,
            Calibrated,
        ],
        no: &[Lipschitz, Smooth, Bounded, Robust],
        numbers: &[(StronglyConvex, 1.0)],
        elicits: "the probability of the class 1",
    },
    Truth {
        loss: "binary_cross_entropy_with_logits",
        yes: &[
            Convex,
            StrictlyConvex,
            Lipschitz,
            Smooth,
            TwiceDifferentiable,
            StrictlyProper,
            Calibrated,
        ],
        no: &[StronglyConvex, Bounded, Clippable],
        numbers: &[(Lipschitz, 1.0), (Smooth, 0.25)],
        elicits: "the log-odds of the class 1",
    },
    Truth {
        loss: "categorical_cross_entropy",
        yes: &[Convex, Proper, StrictlyProper, TwiceDifferentiable],
        no: &[StrictlyConvex, StronglyConvex, Lipschitz, Smooth, Bounded],
        numbers: &[],
        elicits: "the probabilities of the classes",
    },
    Truth {
        loss: "softmax_cross_entropy",
        yes: &[
            Convex,
            Lipschitz,
            Smooth,
            TwiceDifferentiable,
            Robust,
            Proper,
            StrictlyProper,
            Calibrated,
        ],
        no: &[StrictlyConvex, StronglyConvex, Bounded],
        numbers: &[(Lipschitz, std::f64::consts::SQRT_2), (Smooth, 0.5)],
        elicits: "the logarithms of the probabilities, up to a constant",
    },
    Truth {
        loss: "own_cauchy",
        yes: &[Lipschitz, Smooth, TwiceDifferentiable, Symmetric, Clippable, Robust, Redescending],
        no: &[Convex, Bounded],
        numbers: &[(Lipschitz, 1.0), (Smooth, 2.0)],
        elicits: "",
    },
    Truth {
        loss: "own_welsch",
        yes: &[Lipschitz, Smooth, Bounded, Symmetric, Robust, Redescending, TwiceDifferentiable],
        no: &[Convex],
        // e^-1/2 at residual 1.
        numbers: &[(Lipschitz, 0.606_531), (Smooth, 1.0), (Bounded, 1.0)],
        elicits: "",
    },
    Truth {
        loss: "own_tukey",
        yes: &[Lipschitz, Smooth, Bounded, Robust, Redescending, TwiceDifferentiable],
        no: &[Convex],
        // 16 / (25 sqrt 5) at residual 1 / sqrt 5.
        numbers: &[(Lipschitz, 0.286_217), (Smooth, 1.0), (Bounded, 0.166_667)],
        elicits: "",
    },
    Truth {
        loss: "own_geman",
        yes: &[Lipschitz, Smooth, Bounded, Symmetric, Robust, Redescending],
        no: &[Convex],
        // 3 sqrt 3 / 8 at residual 1 / sqrt 3.
        numbers: &[(Lipschitz, 0.649_519), (Smooth, 2.0), (Bounded, 1.0)],
        elicits: "",
    },
    Truth {
        loss: "own_pseudo_huber",
        yes: &[Convex, StrictlyConvex, Lipschitz, Smooth, Symmetric, Robust],
        no: &[StronglyConvex, Bounded, Redescending],
        numbers: &[(Lipschitz, 1.0), (Smooth, 1.0)],
        elicits: "",
    },
    Truth {
        loss: "own_quartic",
        yes: &[Convex, StrictlyConvex, TwiceDifferentiable, Symmetric],
        no: &[StronglyConvex, Lipschitz, Smooth, Robust],
        numbers: &[],
        elicits: "",
    },
    Truth {
        loss: "own_epsilon",
        yes: &[Convex, Lipschitz, Symmetric, Clippable, Robust],
        no: &[StrictlyConvex, Differentiable],
        numbers: &[(Lipschitz, 1.0)],
        elicits: "",
    },
    Truth {
        loss: "own_linex",
        yes: &[Convex, StrictlyConvex, TwiceDifferentiable, Clippable],
        no: &[StronglyConvex, Lipschitz, Smooth, Symmetric, Robust, Redescending],
        numbers: &[],
        elicits: "",
    },
    Truth {
        loss: "own_root",
        yes: &[Symmetric, Clippable],
        no: &[Convex, Lipschitz, Smooth, Differentiable, Bounded],
        numbers: &[],
        elicits: "",
    },
    Truth {
        loss: "own_power",
        yes: &[Convex, StrictlyConvex, Differentiable, Symmetric],
        no: &[StronglyConvex, Lipschitz, Smooth, TwiceDifferentiable, Robust],
        numbers: &[],
        elicits: "",
    },
    Truth {
        loss: "own_savage",
        yes: &[Lipschitz, Smooth, Bounded, Robust, Redescending, Calibrated],
        no: &[Convex, Clippable],
        // (2/3)^2 (1/3) * 2 at sigmoid(-m) = 2/3.
        numbers: &[(Lipschitz, 0.296_296), (Bounded, 1.0)],
        elicits: "the log-odds of the class 1",
    },
    Truth {
        loss: "own_sigmoid",
        yes: &[Lipschitz, Smooth, Bounded, Symmetric, Robust, Redescending, Calibrated],
        no: &[Convex, Clippable],
        numbers: &[(Lipschitz, 0.25), (Bounded, 1.0)],
        elicits: "the more probable class, by its side",
    },
    Truth {
        loss: "own_poisson",
        yes: &[Convex, TwiceDifferentiable],
        no: &[StrictlyConvex, StronglyConvex, Lipschitz, Smooth, Bounded, Robust, Redescending],
        numbers: &[],
        elicits: "the mean",
    },
    Truth {
        loss: "own_poisson_log",
        yes: &[Convex, StrictlyConvex, TwiceDifferentiable],
        no: &[StronglyConvex, Lipschitz, Smooth, Bounded, Robust, Clippable],
        numbers: &[],
        elicits: "the logarithm of the mean",
    },
    Truth {
        loss: "own_squared_log",
        yes: &[Symmetric, Clippable, TwiceDifferentiable],
        // Its slope at 0 grows with the target.
        no: &[Convex, Lipschitz, Bounded],
        numbers: &[],
        elicits: "the geometric mean of 1 + target, less 1",
    },
    Truth {
        loss: "own_brier",
        yes: &[StronglyConvex, Lipschitz, Smooth, Bounded, Proper, StrictlyProper, Calibrated],
        no: &[],
        numbers: &[(StronglyConvex, 2.0), (Lipschitz, 2.0), (Smooth, 2.0), (Bounded, 1.0)],
        elicits: "the probability of the class 1",
    },
    Truth {
        loss: "own_absolute_probability",
        yes: &[Convex, Lipschitz, Bounded, Calibrated],
        no: &[StrictlyConvex, Differentiable, Proper, StrictlyProper],
        numbers: &[(Lipschitz, 1.0), (Bounded, 1.0)],
        elicits: "the more probable class, as 0 or 1",
    },
    Truth {
        loss: "own_percent",
        yes: &[Convex, Clippable],
        // It is steeper the smaller the target.
        no: &[StrictlyConvex, Differentiable, Lipschitz, Bounded],
        numbers: &[],
        elicits: "",
    },
];

#[test]
fn cards_agree_with_the_literature() {
    let own = own::losses();
    let mut wrong = Vec::new();
    for truth in TRUTHS {
        let found = own.iter().find(|loss| loss.id() == truth.loss).cloned();
        let loss: Loss = found.unwrap_or_else(|| truth.loss.parse().expect("a loss"));
        let card = loss.card();
        for (answer, properties) in [(Answer::Yes, truth.yes), (Answer::No, truth.no)] {
            for &property in properties {
                if card.get(property).map(|fact| fact.answer) != Some(answer) {
                    let said = card.get(property).map(ToString::to_string);
                    wrong.push(format!(
                        "{loss} is not said to be {property}: {answer}, but {said:?}"
                    ));
                }
            }
        }
        for &(property, number) in truth.numbers {
            let found = card.get(property).and_then(|fact| fact.number);
            if found.is_none_or(|found| (found - number).abs() > 2e-5 * number) {
                wrong.push(format!("{loss}: {property} {number}, but {found:?}"));
            }
        }
        let elicits = card.get(Property::Elicits).map_or("", |fact| fact.detail.as_str());
        if elicits != truth.elicits {
            wrong.push(format!("{loss} elicits {:?}, but {elicits:?}", truth.elicits));
        }
    }
    none_wrong(&wrong);
}

#[test]
fn how_it_is_known_is_said() {
    let said = |loss: &str, property| {
        let loss: Loss = loss.parse().expect("a loss");
        loss.card().get(property).expect("it applies").to_string()
    };
    assert_eq!(said("huber", Lipschitz), "yes, 1; proved by interval arithmetic for all residuals");
    assert_eq!(
        said("hinge", Convex),
        "yes; by rule: sums, maxima and compositions of convex parts"
    );
    assert!(said("huber", TwiceDifferentiable).contains("residual -1 (-delta), 1 (delta)"));
    assert!(said("logistic", Proper).contains("not refuted at"));
    let card = "quantile".parse::<Loss>().expect("a loss").card_over_parameters();
    let lipschitz = card.get(Lipschitz).and_then(|fact| fact.depends.clone());
    assert_eq!(lipschitz.as_deref(), Some("the number is max(level, 1 - level)"));
    let symmetric = card.get(Symmetric).and_then(|fact| fact.depends.clone()).unwrap_or_default();
    assert!(symmetric.contains("depends on level: yes at 0.5 alone, else no"), "{symmetric}");
}
