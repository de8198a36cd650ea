use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The distance of a pair that is alike, and how far that of an unlike pair falls short of a margin.
    HingeEmbedding: "hinge_embedding" {
        aliases: ["hinge_embedding_loss", "HingeEmbeddingLoss"],
        task: Binary,
        prediction: NonNegative "the distance between the two things of a pair",
        target: Sign,
        parameters: {
            margin = 1.0 in NON_NEGATIVE: "the distance from which on an unlike pair costs nothing, in the unit of the prediction",
        },
        optimum: "0 at distance 0 for a pair that is alike (target +1), and from the margin on for one that is not (target -1).",
        limits: "For a pair that is alike the slope is 1, also at distance 0. For an unlike one it is -1 below the margin and 0 from there on, the kink included.",
        peers: "PyTorch's HingeEmbeddingLoss agrees; it takes negative predictions as well, which have a negative loss.",
        reference: "Hadsell, Chopra and LeCun (2006), Dimensionality Reduction by Learning an Invariant Mapping, doi:10.1109/CVPR.2006.100, whose contrastive loss squares both parts.",
        curvature: One,
        usual: false,
    }
}

impl Pointwise for HingeEmbedding {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let short = (N::parameter("margin", self.margin) - prediction).positive_part();
        // Times the target, which is 1, so that NaN stays.
        N::select(target.less_than(N::constant(0.0)), short, target * prediction)
    }
}
