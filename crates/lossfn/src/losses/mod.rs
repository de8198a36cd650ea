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
        pointwise half_squared_error::HalfSquaredError,
        pointwise pseudo_huber::PseudoHuber,
        pointwise epsilon_insensitive::EpsilonInsensitive,
        pointwise squared_epsilon_insensitive::SquaredEpsilonInsensitive,
        pointwise power_error::PowerError,
        pointwise cauchy::Cauchy,
        pointwise geman_mcclure::GemanMcclure,
        pointwise welsch::Welsch,
        pointwise tukey_biweight::TukeyBiweight,
        pointwise barron::Barron,
        pointwise linex::Linex,
        pointwise absolute_percentage_error::AbsolutePercentageError,
        pointwise symmetric_absolute_percentage_error::SymmetricAbsolutePercentageError,
        pointwise relative_squared_error::RelativeSquaredError,
        pointwise squared_log_error::SquaredLogError,
    }
    distribution {
        joint gaussian_nll::GaussianNll,
        joint gaussian_nll_log_variance::GaussianNllLogVariance,
        joint laplace_nll::LaplaceNll,
        joint student_t_nll::StudentTNll,
        joint log_normal_nll::LogNormalNll,
        joint beta_nll::BetaNll,
        joint von_mises_nll::VonMisesNll,
        joint crps_gaussian::CrpsGaussian,
        ensemble multi_quantile::MultiQuantile,
        ensemble crps_quantiles::CrpsQuantiles,
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
}
