//! Losses that are not in the catalog: cards come from formulas.

use lossfn::{Description, Domain, Loss, Number, Pointwise, Task};

macro_rules! own {
    ($name:ident, $p:ident, $y:ident, $formula:expr) => {
        struct $name;

        impl Pointwise for $name {
            #[inline(always)]
            fn loss<N: Number>(&self, $p: N, $y: N) -> N {
                $formula
            }
        }
    };
}

own!(OwnCauchy, p, y, (p - y).square().ln1p());
own!(OwnWelsch, p, y, -(-((p - y).square() * 0.5)).expm1());
own!(OwnTukey, p, y, {
    let r = p - y;
    let one = N::constant(1.0);
    let inner = one - r.square();
    let cube = inner.square() * inner;
    N::select(r.abs().at_most(one), (one - cube) / 6.0, N::constant(1.0 / 6.0) + r * 0.0)
});
own!(OwnGeman, p, y, {
    let square = (p - y).square();
    square / (square + 1.0)
});
own!(OwnPseudoHuber, p, y, ((p - y).square() + 1.0).sqrt() - 1.0);
own!(OwnQuartic, p, y, (p - y).square().square());
own!(OwnEpsilon, p, y, ((p - y).abs() - 0.25).positive_part());
own!(OwnLinex, p, y, (p - y).expm1() - (p - y));
own!(OwnRoot, p, y, (p - y).abs().sqrt());
own!(OwnPower, p, y, (p - y).abs() * (p - y).abs().sqrt());
own!(OwnSavage, p, y, (-(p * y)).sigmoid().square());
own!(OwnSigmoid, p, y, (-(p * y)).sigmoid());
own!(OwnPoisson, p, y, p - y.xlogy(p));
own!(OwnPoissonLog, p, y, p.exp() - y * p);
own!(OwnSquaredLog, p, y, (p.ln1p() - y.ln1p()).square());
own!(OwnBrier, p, y, (p - y).square());
own!(OwnPercent, p, y, (p - y).abs() / y.abs());
own!(OwnAbsoluteProbability, p, y, (p - y).abs());

const REGRESSION: Description = Description::own("", "A loss of the tests.");
const MARGIN: Description = Description { task: Task::Binary, target: Domain::Sign, ..REGRESSION };
const COUNTS: Description =
    Description { task: Task::Counts, target: Domain::NonNegative, ..REGRESSION };

macro_rules! all {
    ($($id:literal $loss:ident $base:ident $(prediction: $prediction:ident)? $(target: $target:ident)? $(task: $task:ident)?,)*) => {
        /// All of them.
        pub fn losses() -> Vec<Loss> {
            vec![$({
                static DESCRIPTION: Description = Description {
                    id: $id,
                    $(prediction: Domain::$prediction,)?
                    $(target: Domain::$target,)?
                    $(task: Task::$task,)?
                    ..$base
                };
                Loss::pointwise(&DESCRIPTION, &[], $loss)
            }),*]
        }
    };
}

all! {
    "own_cauchy" OwnCauchy REGRESSION,
    "own_welsch" OwnWelsch REGRESSION,
    "own_tukey" OwnTukey REGRESSION,
    "own_geman" OwnGeman REGRESSION,
    "own_pseudo_huber" OwnPseudoHuber REGRESSION,
    "own_quartic" OwnQuartic REGRESSION,
    "own_epsilon" OwnEpsilon REGRESSION,
    "own_linex" OwnLinex REGRESSION,
    "own_root" OwnRoot REGRESSION,
    "own_power" OwnPower REGRESSION,
    "own_savage" OwnSavage MARGIN,
    "own_sigmoid" OwnSigmoid MARGIN,
    "own_poisson" OwnPoisson COUNTS prediction: Positive,
    "own_poisson_log" OwnPoissonLog COUNTS,
    "own_squared_log" OwnSquaredLog COUNTS prediction: NonNegative,
    "own_brier" OwnBrier MARGIN prediction: Unit target: Unit,
    "own_absolute_probability" OwnAbsoluteProbability MARGIN prediction: Unit target: Unit,
    "own_percent" OwnPercent REGRESSION target: Positive,
}
