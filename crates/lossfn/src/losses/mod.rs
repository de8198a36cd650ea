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
//TMP        pointwise smooth_l1::SmoothL1,
//TMP        pointwise log_cosh::LogCosh,
        pointwise quantile::Quantile,
//TMP        pointwise expectile::Expectile,
//TMP        pointwise half_squared_error::HalfSquaredError,
//TMP        pointwise pseudo_huber::PseudoHuber,
//TMP        pointwise epsilon_insensitive::EpsilonInsensitive,
//TMP        pointwise squared_epsilon_insensitive::SquaredEpsilonInsensitive,
//TMP        pointwise power_error::PowerError,
//TMP        pointwise cauchy::Cauchy,
//TMP        pointwise geman_mcclure::GemanMcclure,
//TMP        pointwise welsch::Welsch,
//TMP        pointwise tukey_biweight::TukeyBiweight,
//TMP        pointwise barron::Barron,
//TMP        pointwise linex::Linex,
//TMP        pointwise absolute_percentage_error::AbsolutePercentageError,
//TMP        pointwise symmetric_absolute_percentage_error::SymmetricAbsolutePercentageError,
//TMP        pointwise relative_squared_error::RelativeSquaredError,
//TMP        pointwise squared_log_error::SquaredLogError,
    }
    margin {
        pointwise zero_one::ZeroOne,
        pointwise perceptron::Perceptron,
        pointwise hinge::Hinge,
        pointwise squared_hinge::SquaredHinge,
        pointwise smoothed_hinge::SmoothedHinge,
        pointwise modified_huber::ModifiedHuber,
        pointwise logistic::Logistic,
        pointwise exponential::Exponential,
        pointwise sigmoid_margin::SigmoidMargin,
        pointwise savage::Savage,
        pointwise distance_weighted::DistanceWeighted,
    }
    binary {
        pointwise binary_cross_entropy::BinaryCrossEntropy,
        pointwise binary_cross_entropy_with_logits::BinaryCrossEntropyWithLogits,
        pointwise brier::Brier,
        pointwise sigmoid_focal::SigmoidFocal,
        pointwise asymmetric::Asymmetric,
        pointwise varifocal::Varifocal,
        pointwise quality_focal::QualityFocal,
        pointwise poly1_binary::Poly1Binary,
    }
    multiclass {
        class_axis categorical_cross_entropy::CategoricalCrossEntropy,
        class_axis softmax_cross_entropy::SoftmaxCrossEntropy,
    }
}
