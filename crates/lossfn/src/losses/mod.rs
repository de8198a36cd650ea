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
        pointwise arctan::Arctan,
        pointwise periodic::Periodic,
    }
    counts {
        pointwise poisson::Poisson,
        pointwise poisson_log_link::PoissonLogLink,
        pointwise gamma::Gamma,
        pointwise gamma_log_link::GammaLogLink,
        pointwise tweedie::Tweedie,
        pointwise tweedie_log_link::TweedieLogLink,
        pointwise negative_binomial::NegativeBinomial,
        pointwise negative_binomial_log_link::NegativeBinomialLogLink,
        pointwise inverse_gaussian::InverseGaussian,
        pointwise inverse_gaussian_log_link::InverseGaussianLogLink,
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
        pointwise smoothed_hinge::SmoothedHinge,
        pointwise modified_huber::ModifiedHuber,
        pointwise logistic::Logistic,
        pointwise exponential::Exponential,
        pointwise sigmoid_margin::SigmoidMargin,
        pointwise savage::Savage,
        pointwise tangent::Tangent,
        pointwise distance_weighted::DistanceWeighted,
        pointwise hinge_embedding::HingeEmbedding,
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
        class_axis negative_log_likelihood::NegativeLogLikelihood,
        class_axis softmax_focal::SoftmaxFocal,
        class_axis poly1_cross_entropy::Poly1CrossEntropy,
        class_axis generalized_cross_entropy::GeneralizedCrossEntropy,
        class_axis symmetric_cross_entropy::SymmetricCrossEntropy,
        class_axis kullback_leibler::KullbackLeibler,
        class_axis reverse_kullback_leibler::ReverseKullbackLeibler,
        class_axis jensen_shannon::JensenShannon,
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
