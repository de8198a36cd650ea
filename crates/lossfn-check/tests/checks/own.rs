//! Losses as people write them, with and without mistakes.

use lossfn::number::{Composite, Partials};
use lossfn::{
    Component, Description, Domain, Joint, Loss, Number, Parameter, Pointwise, Range, Role, Task,
};

macro_rules! own {
    ($name:ident, $p:ident, $y:ident, $formula:expr) => {
        pub struct $name;

        impl Pointwise for $name {
            #[inline(always)]
            fn loss<N: Number>(&self, $p: N, $y: N) -> N {
                $formula
            }
        }
    };
}

fn one<N: Number>() -> N {
    N::constant(1.0)
}

// Textbook forms.
own!(NaiveSoftplus, p, y, ((-(p * y)).exp() + 1.0).ln());
own!(NaiveLogits, p, y, {
    let q = one::<N>() / ((-p).exp() + 1.0);
    -(y * q.ln() + (one::<N>() - y) * (one::<N>() - q).ln())
});
own!(
    LogOfSigmoid,
    p,
    y,
    -(y * p.sigmoid().ln() + (one::<N>() - y) * (one::<N>() - p.sigmoid()).ln())
);
own!(NaivePseudoHuber, p, y, ((p - y).square() + 1.0).sqrt() - 1.0);
own!(NaiveLogCosh, p, y, (((p - y).exp() + (-(p - y)).exp()) / 2.0).ln());
own!(NaiveTanh, p, y, {
    let r = p - y;
    let t = (r.exp() - (-r).exp()) / (r.exp() + (-r).exp());
    t.square()
});
own!(NaiveLinex, p, y, (p - y).exp() - 1.0 - (p - y));
own!(NaiveWelsch, p, y, one::<N>() - (-((p - y).square() * 0.5)).exp());
own!(NaiveCauchy, p, y, ((p - y).square() + 1.0).ln());
own!(NaiveCosine, p, y, one::<N>() - (p - y).cos());
own!(NaiveEntropy, p, y, -(y * p.ln() + (one::<N>() - y) * (one::<N>() - p).ln()));
own!(RootOfSquare, p, y, (p - y).square().sqrt());
own!(ClampedLogits, p, y, p.positive_part() - p * y + ((-p.abs()).exp() + 1.0).ln());
// Sound ones.
own!(Squares, p, y, (p - y).square());
own!(StableLogits, p, y, y * (-p).softplus() + (one::<N>() - y) * p.softplus());
own!(Absolute, p, y, (p - y).abs());
own!(Step, p, y, N::select((p - y).abs().at_most(one()), N::constant(0.0), one()));
own!(Dent, p, y, (p - y).square() / ((p - y).square() + 1.0));
// Mistakes.
own!(WrongSlope, p, y, {
    let r = p - y;
    N::with_derivatives(r, r.square(), r, N::constant(2.0))
});
own!(WrongSign, p, y, {
    let r = p - y;
    N::with_derivatives(r, r.square() * 0.5, -r, one())
});
own!(WrongBend, p, y, {
    let r = p - y;
    N::with_derivatives(r, r.square() * 0.5, r, one::<N>() * 3.0)
});
own!(OtherSlopes, p, y, N::rewritten((p - y).square(), (p - y).abs()));
own!(Upside, p, y, -(p - y).square());
own!(Swapped, p, y, (p * y).softplus());
own!(Shifted, p, y, (p - y - 1.0).square());
own!(LogOfReal, p, y, (p - y).ln().square());
own!(Nowhere, p, y, (-((p - y).square()) - 1.0).sqrt());
own!(ZeroOverZero, p, y, (p - y).square() * (p - y) / (p - y));
own!(Pole, p, y, one::<N>() / (p - y).abs());
own!(Constant, _p, _y, N::constant(3.0));
own!(HiddenConstant, p, y, p * 0.0 * y + 3.0);
own!(NoTarget, p, _y, p.square());
own!(NoPrediction, _p, y, y.square());

/// A loss whose formula has a parameter that its description does not list.
pub struct Unlisted;

impl Pointwise for Unlisted {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        (prediction - target).square() * N::parameter("weight", 2.0)
    }
}

/// delta² (√(1 + (r/delta)²) - 1).
pub struct Scaled;

impl Pointwise for Scaled {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let delta = N::parameter("delta", 2.5);
        delta.square() * ((((prediction - target) / delta).square() + 1.0).sqrt() - 1.0)
    }
}

const REGRESSION: Description = Description::own("own", "A loss of the tests.");
const SIGN: Description = Description { task: Task::Binary, target: Domain::Sign, ..REGRESSION };
const LOGITS: Description = Description { task: Task::Binary, target: Domain::Unit, ..REGRESSION };
const PROBABILITY: Description = Description { prediction: Domain::Unit, ..LOGITS };

pub fn regression(loss: impl Pointwise) -> Loss {
    static DESCRIPTION: Description = REGRESSION;
    Loss::pointwise(&DESCRIPTION, &[], loss)
}

/// The target is -1 or +1.
pub fn sign(loss: impl Pointwise) -> Loss {
    static DESCRIPTION: Description = SIGN;
    Loss::pointwise(&DESCRIPTION, &[], loss)
}

/// The target is 0 or 1, the prediction a score.
pub fn logits(loss: impl Pointwise) -> Loss {
    static DESCRIPTION: Description = LOGITS;
    Loss::pointwise(&DESCRIPTION, &[], loss)
}

/// The target is 0 or 1, the prediction a probability.
pub fn probability(loss: impl Pointwise) -> Loss {
    static DESCRIPTION: Description = PROBABILITY;
    Loss::pointwise(&DESCRIPTION, &[], loss)
}

/// With a parameter delta.
pub fn scaled() -> Loss {
    static DELTA: [Parameter; 1] = [Parameter {
        name: "delta",
        default: 2.5,
        range: Range::POSITIVE,
        role: Role::Setting,
        meaning: "where it turns linear",
    }];
    static DESCRIPTION: Description = Description { parameters: &DELTA, ..REGRESSION };
    Loss::pointwise(&DESCRIPTION, &[2.5], Scaled)
}

/// |r| as a composite whose better form is another function.
pub struct WrongComposite;

/// r² / 2 as a composite of r and 1, with a wrong partial derivative.
pub struct WrongPartials;

#[derive(Clone, Copy)]
struct TwiceTheProduct;

impl Composite for TwiceTheProduct {
    fn definition<N: Number>(self, x: N, y: N) -> N {
        x * x * y
    }
    fn value<N: Number>(self, x: N, y: N) -> N {
        x * x * y * 2.0
    }
    fn partials<N: Number>(self, x: N, y: N) -> Partials<N> {
        Partials { x: x * y * 2.0, y: x * x, xx: y * 2.0, xy: x * 2.0, yy: N::constant(0.0) }
    }
}

#[derive(Clone, Copy)]
struct WrongPartial;

impl Composite for WrongPartial {
    fn definition<N: Number>(self, x: N, y: N) -> N {
        x * x * y / 2.0
    }
    fn partials<N: Number>(self, x: N, y: N) -> Partials<N> {
        Partials { x: x * y * 1.5, y: x * x / 2.0, xx: y, xy: x, yy: N::constant(0.0) }
    }
}

impl Pointwise for WrongComposite {
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        (prediction - target).composite(one(), TwiceTheProduct)
    }
}

impl Pointwise for WrongPartials {
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        (prediction - target).composite(one(), WrongPartial)
    }
}

/// Squares over a scale, plus the scale, whose slope by the scale is wrong.
pub struct WrongJoint;

impl Joint<2> for WrongJoint {
    fn loss<N: Number>(&self, [mean, scale]: [N; 2], target: N) -> N {
        let wrong = N::with_derivatives(scale, scale.square(), scale, N::constant(2.0));
        (mean - target).square() + wrong
    }
}

pub fn joint(loss: impl Joint<2>) -> Loss {
    static DESCRIPTION: Description = Description {
        task: Task::Distribution,
        components: &[
            Component { name: "mean", domain: Domain::Real, meaning: "the mean" },
            Component { name: "scale", domain: Domain::Positive, meaning: "the scale" },
        ],
        ..REGRESSION
    };
    Loss::joint(&DESCRIPTION, &[], loss).expect("two components")
}
