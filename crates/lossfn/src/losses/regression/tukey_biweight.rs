use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// A bounded loss that is exactly flat beyond `scale`: outliers are left out.
    TukeyBiweight: "tukey_biweight" {
        aliases: ["biweight", "bisquare", "tukey_biweight_loss", "TukeyBiweight", "TukeyLoss"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {
            scale = 4.685 in POSITIVE scale: "the absolute residual from which on nothing pulls, in the unit of the target; 4.685 standard deviations are 95 % efficient for normal errors",
        },
        optimum: "0 at prediction = target, with slope 0 and second derivative 1. The largest loss is scale^2 / 6.",
        limits: "Twice differentiable everywhere and not convex: the second derivative is negative between scale / sqrt(5) and scale. Constant beyond.",
        peers: "Ceres' TukeyLoss and statsmodels' TukeyBiweight agree; Ceres' is twice this, as a function of the squared residual.",
        reference: "Beaton and Tukey (1974), The Fitting of Power Series, doi:10.1080/00401706.1974.10489171.",
        curvature: Weight,
        usual: false,
    }
}

impl Pointwise for TukeyBiweight {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let scale = N::parameter("scale", self.scale);
        let one = N::constant(1.0);
        let r = prediction - target;
        // 1 - x² as a product, which is exact near the end of the bell.
        let rest = (scale - r.abs()) / scale * (r.abs() / scale + 1.0);
        let is_outside = scale.at_most(r.abs());
        let x = r.in_units(scale);
        let q = x.number.square();
        // 1 - (1 - q)³: the first form keeps the digits near 0, the second those of slopes.
        let rest = if N::IS_FORMULA { one - q } else { N::rewritten(rest, one - q) };
        let inside = one - rest * rest.square();
        let inside =
            if N::IS_FORMULA { inside } else { N::rewritten(q * (q * (q - 3.0) + 3.0), inside) };
        // This way round NaN stays.
        x.in_their_squares(N::select(is_outside, one, inside) / 6.0)
    }
}
