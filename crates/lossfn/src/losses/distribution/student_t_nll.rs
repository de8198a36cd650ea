use crate::number::{Composite, Number, Partials};
use crate::{Joint, loss};
use std::f64::consts::PI;

loss! {
    /// The negative log-likelihood of a Student t distribution whose location and scale are predicted: a normal distribution with heavy tails.
    StudentTNll: "student_t_nll" {
        aliases: [],
        task: Distribution,
        prediction: Real "the location and the scale of the target's Student t distribution",
        components: {
            location: Real "the predicted centre, in the unit of the target",
            scale: Positive "the predicted scale, in the unit of the target",
        },
        target: Real,
        parameters: {
            degrees_of_freedom = 4.0 in POSITIVE: "how light the tails are: 1 is the Cauchy distribution, infinity the normal",
        },
        prepared: { ln_normaliser = ln_normaliser(degrees_of_freedom) },
        optimum: "For one target there is no least value: at location = target it falls without bound as the scale tends to 0. Nothing is dropped.",
        limits: "Smooth. Not convex: the slope by the location is largest at |residual| = scale * sqrt(degrees_of_freedom), and tends to 0 far out, so that outliers hardly pull. The scale is taken as it is, however small. The standard deviation is scale * sqrt(degrees_of_freedom / (degrees_of_freedom - 2)) where there is one.",
        peers: "torch.distributions.StudentT(df, loc, scale) and scipy.stats.t give the same as minus the logarithm of the density.",
        reference: "Lange, Little and Taylor (1989), Robust Statistical Modeling Using the t Distribution, doi:10.1080/01621459.1989.10478852.",
        usual: false,
    }
}

impl Joint<2> for StudentTNll {
    #[inline(always)]
    fn loss<N: Number>(&self, [location, scale]: [N; 2], target: N) -> N {
        let nu = || N::parameter("degrees_of_freedom", self.degrees_of_freedom);
        let normaliser = || {
            let half = nu() / 2.0;
            half.ln_gamma() - (half + 0.5).ln_gamma() + (nu() * N::parameter("pi", PI)).ln() / 2.0
        };
        (location - target).composite(scale, LnPlusTail(self.degrees_of_freedom))
            + N::derived(self.ln_normaliser, normaliser)
    }
}

/// ln(Γ(ν/2) √(νπ) / Γ((ν+1)/2)).
fn ln_normaliser(nu: f64) -> f64 {
    // ln Γ(x) - ln Γ(x + 1/2) by its series for large x, and for small x from x + 1, x + 2, ...
    let (mut x, mut difference) = (nu / 2.0, 0.5 * (nu * PI).ln());
    while x < 16.0 {
        difference += (0.5 / x).ln_1p();
        x += 1.0;
    }
    let coefficients = [
        1.0 / 8.0,
        -1.0 / 192.0,
        1.0 / 640.0,
        -17.0 / 14_336.0,
        31.0 / 18_432.0,
        -691.0 / 180_224.0,
    ];
    let square = 1.0 / (x * x);
    let series = coefficients.iter().rev().fold(0.0, |sum, c| sum * square + c) / x;
    difference + series - 0.5 * x.ln()
}

/// ln s + (ν + 1) / 2 ln(1 + (x / s)² / ν).
#[derive(Clone, Copy)]
struct LnPlusTail(f64);

impl LnPlusTail {
    #[inline(always)]
    fn nu<N: Number>(self) -> N {
        N::parameter("degrees_of_freedom", self.0)
    }
    #[inline(always)]
    fn nu_plus_1<N: Number>(self) -> N {
        N::derived(self.0 + 1.0, || self.nu::<N>() + 1.0)
    }
    #[inline(always)]
    fn root<N: Number>(self) -> N {
        N::derived(self.0.sqrt(), || self.nu::<N>().sqrt())
    }
}

impl Composite for LnPlusTail {
    #[inline(always)]
    fn definition<N: Number>(self, x: N, s: N) -> N {
        let nu: N = self.nu();
        s.ln() + (nu + 1.0) / 2.0 * ((x / s).square() / nu).ln1p()
    }
    #[inline(always)]
    fn value<N: Number>(self, x: N, s: N) -> N {
        let half = N::derived(f64::midpoint(self.0, 1.0), || (self.nu::<N>() + 1.0) / 2.0);
        let ln_root = N::derived(0.5 * self.0.ln(), || self.nu::<N>().ln() / 2.0);
        let u = x / s / self.root::<N>();
        let ln = s.ln();
        // Where the ratio is beyond the largest number, its logarithm is not.
        let far = (x.abs().ln() - ln - ln_root) * 2.0;
        let is_far = N::constant(f64::INFINITY).equals(u.abs());
        ln + half * N::select(is_far, far, u.ln1p_square())
    }
    #[inline(always)]
    fn partials<N: Number>(self, x: N, s: N) -> Partials<N> {
        let one = N::constant(1.0);
        let (more, root): (N, N) = (self.nu_plus_1(), self.root());
        if N::IS_FORMULA {
            let (of_x, of_s) = (x.square(), self.nu::<N>() * s.square());
            let sum = of_x + of_s;
            return Partials {
                x: more * x / sum,
                y: (one - more * of_x / sum) / s,
                xx: more * (of_s - of_x) / sum.square(),
                xy: -(more * 2.0 * self.nu::<N>() * s * x / sum.square()),
                yy: (more * of_x * (of_s * 3.0 + of_x) / sum.square() - 1.0) / s.square(),
            };
        }
        let unit = s * root;
        // x / unit or its inverse, whichever is below 1.
        let is_far = unit.less_than(x.abs());
        let small = N::select(is_far, unit / x, x / unit);
        let long = N::select(is_far, x, unit);
        let share = one / (small.square() + 1.0);
        let square = small.square();
        let bend = (one - small) * (small + 1.0) * share * share;
        let pull = N::select(is_far, share, square * share);
        let spread = N::select(is_far, square * 3.0 + 1.0, square * (square + 3.0)) * share * share;
        Partials {
            x: more * N::select(is_far, share, small * share) / long,
            y: (one - more * pull) / s,
            xx: more * N::select(is_far, -bend, bend) / long / long,
            xy: -(more * 2.0 * root * small * share * share / long / long),
            yy: (more * spread - 1.0) / s / s,
        }
    }
}
