use super::multi_quantile::pinball;
use crate::number::Number;
use crate::{Ensemble, loss};

loss! {
    /// The continuous ranked probability score of a set of predicted quantiles: twice their mean pinball loss at the levels (k + 1/2) / K.
    CrpsQuantiles: "crps_quantiles" {
        aliases: ["crps_quantile"],
        task: Distribution,
        prediction: Real "the predicted quantiles at the levels (k + 1/2) / K, in the unit of the target",
        target: Real,
        parameters: {},
        optimum: "0 where every predicted quantile is the target, at a kink. Over many targets the best constants are their quantiles. For one prediction it is the absolute error.",
        limits: "The slope by a quantile is 2 / K times -level below the target and 1 - level above, and 0 at the kink. The second derivative is 0 everywhere but at the kinks. For many quantiles it tends to the score of the distribution that they belong to.",
        peers: "crps_quantile of scoringrules, which is told the levels. multi_quantile with low = 1 / (2 K) and high = 1 - low, times 2. For quantiles in ascending order it is the score of the distribution that has each with probability 1 / K.",
        reference: "Gneiting and Raftery (2007), Strictly Proper Scoring Rules, Prediction, and Estimation, doi:10.1198/016214506000001437; as a mean of pinball losses: Laio and Tamea (2007), doi:10.5194/hess-11-1267-2007.",
        usual: false,
    }
}

impl Ensemble for CrpsQuantiles {
    #[inline(always)]
    fn part<N: Number>(&self, prediction: N, target: N, place: usize, count: usize) -> N {
        let (k, all) = (place as f64, count as f64);
        let level = || (N::parameter("k", k) + 0.5) / N::parameter("K", all);
        let levels = ((k + 0.5) / all, (all - k - 0.5) / all);
        pinball(prediction, target, levels, count, level) * 2.0
    }
}
