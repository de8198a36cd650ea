use crate::number::{Composite, Number, Partials};
use crate::{Joint, loss};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, PI};

/// 1 / sqrt(pi).
const INVERSE_SQRT_PI: f64 = FRAC_2_SQRT_PI / 2.0;

loss! {
    /// The continuous ranked probability score of a normal distribution whose mean and standard deviation are predicted: an absolute error that rewards a right spread.
    CrpsGaussian: "crps_gaussian" {
        aliases: ["crps_normal", "crps_norm"],
        task: Distribution,
        prediction: Real "the mean and the standard deviation of the target's normal distribution",
        components: {
            mean: Real "the predicted mean, in the unit of the target",
            standard_deviation: Positive "the predicted standard deviation, in the unit of the target",
        },
        target: Real,
        parameters: {},
        optimum: "For one target tends to 0 as the standard deviation does at mean = target. At mean = target it is 0.23 times the standard deviation; with the right distribution it is standard_deviation / sqrt(pi) on average. Nothing is dropped.",
        limits: "Smooth and in the unit of the target. The slope by the mean is between -1 and 1, and that by the standard deviation between -0.57 and 0.24: no prediction pulls hard, however overconfident. For a standard deviation to 0 it tends to the absolute error.",
        peers: "The same as the definition by an integral over the squared difference of the distribution functions. crps_gaussian of properscoring, crps_normal of scoringrules in Python and crps_norm of scoringRules in R agree.",
        reference: "Gneiting and Raftery (2007), Strictly Proper Scoring Rules, Prediction, and Estimation, doi:10.1198/016214506000001437.",
        usual: false,
    }
}

impl Joint<2> for CrpsGaussian {
    #[inline(always)]
    fn loss<N: Number>(&self, [mean, standard_deviation]: [N; 2], target: N) -> N {
        (mean - target).composite(standard_deviation, ScaledScore)
    }
}

/// s times the score of the standard normal distribution at x / s.
#[derive(Clone, Copy)]
struct ScaledScore;

impl Composite for ScaledScore {
    #[inline(always)]
    fn definition<N: Number>(self, x: N, s: N) -> N {
        s * (x / s).normal_crps()
    }
    #[inline(always)]
    fn value<N: Number>(self, x: N, s: N) -> N {
        let z = x / s;
        // There the density is 0, and a little farther the ratio is infinite.
        let is_far = N::constant(64.0).less_than(z.abs());
        N::select(is_far, x.abs() - s * INVERSE_SQRT_PI, s * z.normal_crps())
    }
    #[inline(always)]
    fn partials<N: Number>(self, x: N, s: N) -> Partials<N> {
        let z = x / s;
        let twice = z.normal_density() * 2.0;
        let inverse = N::constant(1.0) / N::parameter("pi", PI).sqrt();
        Partials {
            x: z.composite(z, SpreadOfSign),
            y: twice - N::derived(INVERSE_SQRT_PI, || inverse),
            xx: twice / s,
            xy: -(z * twice / s),
            yy: z.composite(z, SquareTimesDensity) * 2.0 / s,
        }
    }
}

/// 2 Φ(z) - 1, exact for small z.
#[derive(Clone, Copy)]
struct SpreadOfSign;

impl Composite for SpreadOfSign {
    #[inline(always)]
    fn definition<N: Number>(self, z: N, _: N) -> N {
        z.normal_cdf() * 2.0 - 1.0
    }
    #[inline(always)]
    fn value<N: Number>(self, z: N, _: N) -> N {
        (z * FRAC_1_SQRT_2).erf()
    }
    #[inline(always)]
    fn partials<N: Number>(self, z: N, _: N) -> Partials<N> {
        let (zero, twice) = (N::constant(0.0), z.normal_density() * 2.0);
        Partials { x: twice, y: zero, xx: -(z * twice), xy: zero, yy: zero }
    }
}

/// z² φ(z): 0 where the density is 0, though z² be infinite.
#[derive(Clone, Copy)]
struct SquareTimesDensity;

impl Composite for SquareTimesDensity {
    #[inline(always)]
    fn definition<N: Number>(self, z: N, _: N) -> N {
        z.square() * z.normal_density()
    }
    #[inline(always)]
    fn value<N: Number>(self, z: N, _: N) -> N {
        let density = z.normal_density();
        N::select(density.equals(N::constant(0.0)), density, z * density * z)
    }
    #[inline(always)]
    fn partials<N: Number>(self, z: N, _: N) -> Partials<N> {
        let (zero, density) = (N::constant(0.0), z.normal_density());
        let square = z.square();
        Partials {
            x: (N::constant(2.0) - square) * z * density,
            y: zero,
            xx: (square * square - square * 5.0 + 2.0) * density,
            xy: zero,
            yy: zero,
        }
    }
}
