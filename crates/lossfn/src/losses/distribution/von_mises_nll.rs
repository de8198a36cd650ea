use crate::number::{Composite, Jet, Number, Partials};
use crate::{Joint, loss};
use std::f64::consts::PI;

/// ln(2 pi).
const LN_TAU: f64 = 1.837_877_066_409_345_3;

loss! {
    /// The negative log-likelihood of a von Mises distribution, the normal distribution of angles, whose mean and concentration are predicted.
    VonMisesNll: "von_mises_nll" {
        aliases: [],
        task: Distribution,
        prediction: Real "the mean angle and the concentration of the target's von Mises distribution",
        components: {
            mean: Real "the predicted mean angle, in radians",
            concentration: Positive "the predicted concentration: for large ones the inverse of the variance, in 1 / radians^2",
        },
        target: Real,
        parameters: {},
        optimum: "For one target there is no least value: at mean = target it falls without bound as the concentration grows. Over many targets the best constants are their mean direction and the concentration at which I1 / I0 is their mean resultant length. Nothing is dropped: at concentration 0 it is ln(2 pi).",
        limits: "Smooth, and periodic in the mean and the target with period 2 pi: whole turns make no difference, however many. Convex in the concentration; in the mean it is concave where the angle is off by more than a right angle, and its slope is 0 where it is off by half a turn.",
        peers: "torch.distributions.VonMises and scipy.stats.vonmises give the same as minus the logarithm of the density. PyTorch's has about seven digits, also in f64.",
        reference: "Mardia and Jupp (2000), Directional Statistics, doi:10.1002/9780470316979.",
        usual: false,
    }
}

/// As k (1 - cos x) + ln(2 pi I0(k) e^-k), which does not cancel where k is large.
impl Joint<2> for VonMisesNll {
    #[inline(always)]
    fn loss<N: Number>(&self, [mean, concentration]: [N; 2], target: N) -> N {
        let half = mean.composite(target, SineOfHalf);
        let zero = N::constant(0.0);
        let ln_tau = N::derived(LN_TAU, || (N::parameter("pi", PI) * 2.0).ln());
        let ln_normaliser = concentration.composite(zero, LnScaledBessel) + ln_tau;
        concentration * (half.square() * 2.0) + ln_normaliser
    }
}

/// sin((x - y) / 2), without the rounding of the difference: of far angles that would be whole turns.
#[derive(Clone, Copy)]
struct SineOfHalf;

/// The same for the cosine.
#[derive(Clone, Copy)]
struct CosineOfHalf;

/// (x - y) / 2, and by how much that is rounded.
#[inline(always)]
fn half_difference<N: Number>(x: N, y: N) -> (N, N) {
    let (x, y) = (x * 0.5, y * 0.5);
    let difference = x - y;
    let minus_y = difference - x;
    (difference, (x - (difference - minus_y)) - (y + minus_y))
}

impl Composite for SineOfHalf {
    #[inline(always)]
    fn definition<N: Number>(self, x: N, y: N) -> N {
        ((x - y) / 2.0).sin()
    }
    #[inline(always)]
    fn value<N: Number>(self, x: N, y: N) -> N {
        let (half, rest) = half_difference(x, y);
        half.sin() * rest.cos() + half.cos() * rest.sin()
    }
    #[inline(always)]
    fn partials<N: Number>(self, x: N, y: N) -> Partials<N> {
        let slope = x.composite(y, CosineOfHalf) * 0.5;
        let bend = x.composite(y, SineOfHalf) * 0.25;
        Partials { x: slope, y: -slope, xx: -bend, xy: bend, yy: -bend }
    }
}

impl Composite for CosineOfHalf {
    #[inline(always)]
    fn definition<N: Number>(self, x: N, y: N) -> N {
        ((x - y) / 2.0).cos()
    }
    #[inline(always)]
    fn value<N: Number>(self, x: N, y: N) -> N {
        let (half, rest) = half_difference(x, y);
        half.cos() * rest.cos() - half.sin() * rest.sin()
    }
    #[inline(always)]
    fn partials<N: Number>(self, x: N, y: N) -> Partials<N> {
        let slope = x.composite(y, SineOfHalf) * -0.5;
        let bend = x.composite(y, CosineOfHalf) * 0.25;
        Partials { x: slope, y: -slope, xx: -bend, xy: bend, yy: -bend }
    }
}

/// ln(I0(k) e^-k).
#[derive(Clone, Copy)]
struct LnScaledBessel;

impl Composite for LnScaledBessel {
    #[inline(always)]
    fn definition<N: Number>(self, k: N, _: N) -> N {
        k.ln_bessel_i0() - k
    }
    #[inline(always)]
    fn value<N: Number>(self, k: N, _: N) -> N {
        let inverse = N::constant(1.0) / k;
        let far = inverse * series(inverse, &LN_FAR) - (k.ln() + LN_TAU) * 0.5;
        N::select(N::constant(FAR).less_than(k), far, k.ln_bessel_i0() - k)
    }
    #[inline(always)]
    fn partials<N: Number>(self, k: N, _: N) -> Partials<N> {
        let zero = N::constant(0.0);
        let slope = -k.composite(zero, RestOfRatio);
        Partials { x: slope, y: zero, xx: k.bessel_ratio_slope(), xy: zero, yy: zero }
    }
}

/// 1 - I1(k) / I0(k).
#[derive(Clone, Copy)]
struct RestOfRatio;

impl Composite for RestOfRatio {
    #[inline(always)]
    fn definition<N: Number>(self, k: N, _: N) -> N {
        N::constant(1.0) - k.bessel_ratio()
    }
    #[inline(always)]
    fn value<N: Number>(self, k: N, _: N) -> N {
        let inverse = N::constant(1.0) / k;
        let far = inverse * series(inverse, &RATIO_FAR);
        let near = N::constant(1.0) - k.bessel_ratio();
        N::select(N::constant(FAR).less_than(k), far, near)
    }
    #[inline(always)]
    fn partials<N: Number>(self, k: N, _: N) -> Partials<N> {
        let zero = N::constant(0.0);
        let jet = Jet::variable(k).bessel_ratio_slope();
        Partials { x: -k.bessel_ratio_slope(), y: zero, xx: -jet.gradient(), xy: zero, yy: zero }
    }
}

/// From here on the asymptotic series have all digits.
const FAR: f64 = 64.0;

/// ln(I0(k) e^-k sqrt(2 pi k)) in powers of 1 / k, without the first factor 1 / k.
const LN_FAR: [f64; 10] = [
    0.125,
    0.0625,
    0.065_104_166_666_666_67,
    0.101_562_5,
    0.209_570_312_5,
    0.536_458_333_333_333_4,
    1.638_065_883_091_517_8,
    5.809_814_453_125,
    23.475_127_749_972_874,
    106.467_822_265_625,
];

/// 1 - I1(k) / I0(k) in powers of 1 / k, without the first factor 1 / k.
const RATIO_FAR: [f64; 12] = [
    0.5,
    0.125,
    0.125,
    0.195_312_5,
    0.406_25,
    1.047_851_562_5,
    3.218_75,
    11.466_461_181_640_625,
    46.478_515_625,
    211.276_149_749_755_86,
    1_064.678_222_656_25,
    5_892.045_714_616_776,
];

/// The sum of powers of x with these coefficients, by Horner's rule.
#[inline(always)]
fn series<N: Number, const LENGTH: usize>(x: N, coefficients: &[f64; LENGTH]) -> N {
    let mut sum = N::constant(coefficients[LENGTH - 1]);
    for &coefficient in coefficients[..LENGTH - 1].iter().rev() {
        sum = sum * x + coefficient;
    }
    sum
}
