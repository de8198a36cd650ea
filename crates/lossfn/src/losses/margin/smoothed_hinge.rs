use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The hinge with its kink at margin 1 rounded off by a parabola of a given width.
    SmoothedHinge: "smoothed_hinge" {
        aliases: ["smooth_hinge", "SmoothHinge", "smooth_hinge_loss"],
        task: Binary,
        prediction: Real "a raw score: positive for the class +1",
        target: Sign,
        parameters: {
            width = 1.0 in POSITIVE: "how far the parabola reaches below margin 1, in units of the margin",
        },
        optimum: "0 wherever target * prediction >= 1.",
        limits: "Once differentiable everywhere: the slope by the margin is 0 from margin 1 on, -1 below margin 1 - width and straight in between, where the second derivative is 1 / width; at margin 1 - width itself it is 0. Tends to hinge as the width tends to 0, and differs from it by width / 2 at most.",
        peers: "Width 1 is Rennie's smooth hinge. Width 2 is Optax's sparsemax_loss for binary labels (which takes labels 0 and 1), and a quarter of modified_huber. Width gamma is the smoothed hinge of stochastic dual coordinate ascent.",
        reference: "Rennie and Srebro (2005), Loss Functions for Preference Levels: Regression with Discrete Ordered Labels; with a width: Shalev-Shwartz and Zhang (2013), Stochastic Dual Coordinate Ascent Methods, arXiv:1209.1873.",
        usual: false,
    }
}

impl Pointwise for SmoothedHinge {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let (width, one) = (|| N::parameter("width", self.width), N::constant(1.0));
        let margin = target * prediction;
        let short = (one - margin).positive_part();
        // No margin is so near to 1, and in f32 the width may round to 0.
        if self.width < 1e-30 {
            return short;
        }
        // Not short < width: that would round small margins away.
        let border = N::derived(1.0 - self.width, || one - width());
        let round = short.square() / (width() * 2.0);
        N::select(border.less_than(margin), round, short - width() * 0.5)
    }
}
