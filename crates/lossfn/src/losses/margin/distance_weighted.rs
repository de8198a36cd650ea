use crate::number::{Lane, Number, Unfused};
use crate::{Pointwise, loss};

loss! {
    /// The loss of distance-weighted discrimination: straight for small margins, then falling as a power of the margin.
    DistanceWeighted: "distance_weighted" {
        aliases: ["dwd", "DWD", "dwd_loss"],
        task: Binary,
        prediction: Real "a raw score: positive for the class +1",
        target: Sign,
        parameters: {
            q = 1.0 in POSITIVE: "the power of the margin's inverse: 1 is the original loss, large ones come near to hinge",
        },
        optimum: "Tends to 0 as the margin tends to infinity, as a power of it; every example keeps some weight.",
        limits: "1 - margin up to margin q / (q + 1), from there q^q / (q + 1)^(q + 1) / margin^q. Once differentiable everywhere; at the border the second derivative is 0.",
        peers: "The R package kerndwd has this loss with the same q. Tends to hinge as q tends to infinity.",
        reference: "Marron, Todd and Ahn (2007), Distance-Weighted Discrimination, doi:10.1198/016214507000001120; with q: Wang and Zou (2018), Another Look at Distance-Weighted Discrimination, doi:10.1111/rssb.12244.",
        usual: false,
    }
}

impl Pointwise for DistanceWeighted {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let q = || N::parameter("q", self.q);
        let next = || q() + 1.0;
        let border = N::derived(self.q / (self.q + 1.0), || q() / next());
        let factor =
            N::derived(factor(self.q), || q().power(self.q, q) / next().power(self.q + 1.0, next));
        let margin = target * prediction;
        let far = factor * margin.power(-self.q, || -q());
        N::select(margin.at_most(border), N::constant(1.0) - margin, far)
    }
}

/// q^q / (q + 1)^(q + 1), without powers that overflow.
#[inline(always)]
fn factor(q: f64) -> f64 {
    let exponent = Lane::<f64, Unfused>::new(1.0 / q).ln1p() * -q;
    // The inverse of a subnormal q is infinite.
    let power = if q < f64::MIN_POSITIVE { 1.0 } else { exponent.exp().0 };
    power / (q + 1.0)
}
