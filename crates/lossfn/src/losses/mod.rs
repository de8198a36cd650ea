//! The catalog: the only list of all losses.
//!
//! A line here is all it takes for a loss to be compiled, found by name, documented, tested by the
//! laws and offered by every front end. The line names the file and the struct in it.

use crate::catalog::catalog;

catalog! {
    regression {
        pointwise squared_error::SquaredError,
        pointwise absolute_error::AbsoluteError,
        pointwise huber::Huber,
        pointwise smooth_l1::SmoothL1,
        pointwise log_cosh::LogCosh,
        pointwise quantile::Quantile,
        pointwise expectile::Expectile,
    }
    margin {
        pointwise zero_one::ZeroOne,
        pointwise perceptron::Perceptron,
        pointwise hinge::Hinge,
        pointwise squared_hinge::SquaredHinge,
        pointwise logistic::Logistic,
        pointwise exponential::Exponential,
    }
    binary {
        pointwise binary_cross_entropy::BinaryCrossEntropy,
        pointwise binary_cross_entropy_with_logits::BinaryCrossEntropyWithLogits,
    }
    multiclass {
        class_axis categorical_cross_entropy::CategoricalCrossEntropy,
        class_axis softmax_cross_entropy::SoftmaxCrossEntropy,
    }
    multiclass_margin {
        class_axis multiclass_zero_one::MulticlassZeroOne,
        class_axis top_k_error::TopKError,
        class_axis multiclass_perceptron::MulticlassPerceptron,
        class_axis crammer_singer_hinge::CrammerSingerHinge,
        class_axis weston_watkins_hinge::WestonWatkinsHinge,
        class_axis multi_margin::MultiMargin,
        class_axis multilabel_margin::MultilabelMargin,
        class_axis multilabel_soft_margin::MultilabelSoftMargin,
        class_axis sparsemax::Sparsemax,
        class_axis fenchel_young::FenchelYoung,
        class_axis multiclass_brier::MulticlassBrier,
        class_axis spherical::Spherical,
        class_axis ranked_probability_score::RankedProbabilityScore,
        class_axis cumulative_link::CumulativeLink,
    }
}
