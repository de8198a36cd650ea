//! Parameters chosen from data: against numbers of the literature, definitions, and other libraries.

use lossfn::choose::{
    Basis, Chooser, LossRequest, MAD_TO_SIGMA, Method, Quantile, efficiency, tuning_constant,
};
use lossfn::{CATALOG, Description, Error, Loss, Number, Parameter, Pointwise, Range, Role, Task};
use lossfn_testkit::points::Rng;
use proptest::prelude::*;

/// A loss with one scale, for constants of the literature that the catalog need not have.
macro_rules! own {
    ($name:ident, |$u:ident| $formula:expr) => {
        struct $name(f64);

        impl Pointwise for $name {
            #[inline(always)]
            fn loss<N: Number>(&self, prediction: N, target: N) -> N {
                let $u = (prediction - target) / N::parameter("scale", self.0);
                $formula
            }
        }

        impl $name {
            fn with(scale: f64) -> Result<Loss, Error> {
                const PARAMETER: Parameter = Parameter {
                    name: "scale",
                    default: 1.0,
                    range: Range::POSITIVE,
                    role: Role::Scale,
                    meaning: "the scale",
                };
                static DESCRIPTION: Description = Description {
                    task: Task::Regression,
                    parameters: &[PARAMETER],
                    ..Description::own(stringify!($name), "A loss.")
                };
                Ok(Loss::pointwise(&DESCRIPTION, &[scale], Self(scale)))
            }
        }
    };
}

own!(Biweight, |u| {
    let rest = N::constant(1.0) - u.square();
    let inside = N::constant(1.0) - rest * rest.square();
    N::select(u.abs().at_most(N::constant(1.0)), inside, N::constant(1.0))
});
own!(Cauchy, |u| u.square().ln1p());
own!(Welsch, |u| -(-u.square()).expm1());
own!(Fair, |u| u.abs() - u.abs().ln1p());
own!(Tilted, |u| N::select(u.at_most(N::constant(0.0)), u.square(), u.square() * 2.0));

#[test]
fn the_constants_of_the_literature() {
    let huber = |delta: f64| format!("huber({delta:e})").parse();
    let smooth = |beta: f64| format!("smooth_l1({beta:e})").parse();
    let constant = |with: &dyn Fn(f64) -> Result<Loss, Error>, efficiency| {
        tuning_constant(with, efficiency).unwrap().unwrap()
    };
    // Huber (1964), Holland and Welsch (1977), Rey (1983); more digits from statsmodels' and R's
    // documentation.
    for (with, due) in [
        (&huber as &dyn Fn(f64) -> Result<Loss, Error>, 1.345),
        (&smooth, 1.345),
        (&Biweight::with, 4.685),
        (&Cauchy::with, 2.385),
        (&Welsch::with, 2.985),
        (&Fair::with, 1.400),
    ] {
        let found = constant(with, 0.95);
        assert!((found - due).abs() < 6e-4, "{found} instead of {due}");
        assert!((efficiency(&with(found).unwrap()).unwrap() - 0.95).abs() < 1e-10);
    }
    // Maronna, Martin and Yohai (2019), Robust Statistics, table 2.4: biweight.
    for (efficiency, due) in [(0.80, 3.137), (0.85, 3.44), (0.90, 3.88), (0.95, 4.68)] {
        let found = constant(&Biweight::with, efficiency);
        assert!((found - due).abs() < 0.011, "{found} instead of {due}");
    }
    // The catalog's own, whatever the factor of their scale; those without a source by SciPy's
    // quad and brentq.
    for (text, due) in [
        ("tukey_biweight(scale=S)", 4.685),
        ("cauchy(scale=S)", 2.385),
        ("geman_mcclure(scale=S)", 3.787),
        ("barron(alpha=0,scale=S)", 2.385 / 2f64.sqrt()),
        ("barron(alpha=1,scale=S)", 1.2871),
        ("pseudo_huber(delta=S)", 1.2871),
        ("welsch(scale=S)", 2.985),
    ] {
        let found = constant(&|scale| text.replace('S', &format!("{scale:e}")).parse(), 0.95);
        assert!((found / due - 1.0).abs() < 5e-4, "{text}: {found} instead of {due}");
    }
    // In closed form: the absolute error has 2 / pi, squares all.
    let of = |text: &str| efficiency(&text.parse().unwrap()).unwrap();
    assert!((of("absolute_error") - 2.0 / std::f64::consts::PI).abs() < 1e-9);
    assert!((of("squared_error") - 1.0).abs() < 1e-12);
    assert!((of("huber(1e-6)") - 2.0 / std::f64::consts::PI).abs() < 1e-5);
    assert_eq!(efficiency(&"expectile(level=0.9)".parse().unwrap()), None);
    assert_eq!(efficiency(&"hinge".parse().unwrap()), None);
}

#[test]
fn an_efficiency_that_a_loss_cannot_have_is_refused() {
    let huber = |delta: f64| format!("huber({delta:e})").parse();
    let reason = tuning_constant(huber, 0.5).unwrap().unwrap_err();
    assert_eq!(
        reason,
        "the efficiency is between 0.637 and 1.000 for all scales, and 0.5 is asked for"
    );
    let reason = tuning_constant(Tilted::with, 0.95).unwrap().unwrap_err();
    assert!(reason.contains("not as large on both sides of 0"), "{reason}");
}

/// The definition, written down.
fn quantile(numbers: &[(f64, f64)], level: f64) -> f64 {
    let mut sorted: Vec<_> = numbers.iter().copied().filter(|&(_, weight)| weight > 0.0).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = sorted.iter().map(|(_, weight)| weight).sum();
    let mut reached = 0.0;
    for (at, &(x, weight)) in sorted.iter().enumerate() {
        reached += weight;
        if reached == level * total && at + 1 < sorted.len() {
            return f64::midpoint(x, sorted[at + 1].0);
        }
        if reached >= level * total {
            return x;
        }
    }
    sorted.last().map_or(f64::NAN, |last| last.0)
}

fn in_passes(numbers: &[(f64, f64)], level: f64, parts: usize) -> (f64, usize) {
    let (mut quantile, mut passes) = (Quantile::new(level), 0);
    while quantile.value().is_none() {
        let mut whole = quantile.tally();
        for part in numbers.chunks(numbers.len().div_ceil(parts).max(1)) {
            let mut tally = quantile.tally();
            for &(x, weight) in part {
                tally.add(x, weight);
            }
            whole.merge(tally);
        }
        quantile.settle(whole);
        passes += 1;
    }
    (quantile.value().unwrap(), passes)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_quantile_is_that_of_the_definition(
        // Whole weights, so that plain sums are exact.
        numbers in prop::collection::vec((-4i32..4, 0u8..4), 1..40),
        level in prop::sample::select(vec![0.1, 0.25, 0.5, 0.75, 0.9]), parts in 1usize..4,
    ) {
        let numbers: Vec<(f64, f64)> =
            numbers.iter().map(|&(x, w)| (f64::from(x) / 3.0, f64::from(w))).collect();
        let (found, passes) = in_passes(&numbers, level, parts);
        let due = quantile(&numbers, level);
        prop_assert!(found == due || found.is_nan() && due.is_nan(), "{} {}", found, due);
        prop_assert_eq!(passes, 1);
    }

    #[test]
    fn every_text_of_a_request_is_read_back(
        efficiency in 0.01..0.99f64, at in 0..5usize,
    ) {
        let text = [
            "huber(delta=auto)".to_owned(),
            format!("huber(delta=auto:mad(efficiency={efficiency}))"),
            format!("smooth_l1(beta=auto:quantile(level={efficiency}))"),
            "huber(delta=auto:likelihood)".to_owned(),
            "huber(delta=2.0)".to_owned(),
        ][at].clone();
        let request: LossRequest = text.parse().unwrap();
        prop_assert_eq!(request.to_string(), text);
        prop_assert_eq!(request.needs_data(), at < 4);
    }
}

#[test]
fn quantiles_of_more_numbers_than_are_kept_are_exact() {
    let mut rng = Rng::named("quantiles");
    let spread: Vec<(f64, f64)> = (0..1_300_000)
        .map(|_| {
            let x = f64::from(rng.between(-1.0, 1.0) as f32);
            (x * x * x * 1e3, if rng.unit() < 0.5 { 1.0 } else { 0.25 })
        })
        .collect();
    // All within a hair of each other, many of them the same.
    let dense: Vec<(f64, f64)> =
        (0..1_300_000).map(|_| (1.0 + (rng.unit() * 4096.0).floor() * f64::EPSILON, 1.0)).collect();
    let two: Vec<(f64, f64)> = (0..1_200_000).map(|n| (f64::from(n % 2) - 0.5, 1.0)).collect();
    for (numbers, most) in [(&spread, 2), (&dense, 4), (&two, 2)] {
        for level in [0.001, 0.5, 0.9] {
            let (one, passes) = in_passes(numbers, level, 1);
            let (many, _) = in_passes(numbers, level, 7);
            assert_eq!(one, quantile(numbers, level), "level {level}");
            assert_eq!(one, many);
            assert!(passes <= most, "{passes} passes");
        }
    }
}

/// Numbers of a distribution with this quantile function, evenly by probability.
fn spread_out(count: usize, of: impl Fn(f64) -> f64) -> Vec<f64> {
    (0..count).map(|n| of((n as f64 + 0.5) / count as f64)).collect()
}

fn laplace(level: f64) -> f64 {
    if level < 0.5 { (2.0 * level).ln() } else { -(2.0 - 2.0 * level).ln() }
}

/// Numbers of the normal distribution, evenly by probability: along its density.
fn normal(count: usize) -> Vec<f64> {
    let (step, mut reached, mut numbers) = (1e-4, 0.0, Vec::new());
    for n in -90_000..90_000 {
        let x = (f64::from(n) + 0.5) * step;
        reached += (-0.5 * x * x).exp() * step / (2.0 * std::f64::consts::PI).sqrt();
        while numbers.len() < count && (numbers.len() as f64 + 0.5) / (count as f64) < reached {
            numbers.push(x);
        }
    }
    numbers
}

fn fit(text: &str, residuals: &[f64]) -> Result<lossfn::choose::Fitted, Error> {
    text.parse::<LossRequest>()?.fit(residuals)
}

#[test]
fn scales_by_the_mad_and_by_quantiles() {
    let residuals = [0.3, -1.0, 2.5, -0.1, 0.0, 7.0, -3.0];
    // The median is 0, the absolute deviations 0, 0.1, 0.3, 1, 2.5, 3, 7.
    let fitted = fit("huber(delta=auto)", &residuals).unwrap();
    let Basis::Mad { efficiency, constant, sigma } = fitted.choices[0].basis else { panic!() };
    assert_eq!((efficiency, sigma), (0.95, MAD_TO_SIGMA));
    assert!((constant - 1.344_998).abs() < 1e-5, "{constant}");
    assert_eq!(fitted.loss.parameters(), &[constant * sigma]);
    assert_eq!(fitted.choices[0].value, constant * sigma);
    let by_default = fit("huber(delta=auto:mad)", &residuals).unwrap();
    assert_eq!(by_default, fitted);
    let less = fit("huber(delta=auto(efficiency=0.8))", &residuals).unwrap();
    assert!(less.loss.parameters()[0] < fitted.loss.parameters()[0]);
    // sorted(|r|) is 0, 0.1, 0.3, 1, 2.5, 3, 7: numpy.quantile(..., method="averaged_inverted_cdf").
    for (level, due) in [(0.9, 7.0), (0.5, 1.0), (0.8, 3.0)] {
        let text = format!("smooth_l1(beta=auto:quantile({level}))");
        assert_eq!(fit(&text, &residuals).unwrap().loss.parameters(), &[due]);
    }
    let by_loss = "huber".parse::<Loss>().unwrap().fitted_to(&residuals, Method::MAD).unwrap();
    assert_eq!(by_loss, fitted);
}

#[test]
fn weights_are_repetitions() {
    let (residuals, weights) = ([1.0, -4.0, 0.5, 30.0], [2.0, 1.0, 3.0, 0.0]);
    let repeated = [1.0, 1.0, -4.0, 0.5, 0.5, 0.5];
    for method in ["auto", "auto:quantile", "auto:likelihood"] {
        let request: LossRequest = format!("huber(delta={method})").parse().unwrap();
        let weighted = request.fit_weighted(&residuals, Some(&weights)).unwrap().loss;
        let plain = request.fit(&repeated).unwrap().loss;
        let (a, b) = (weighted.parameters()[0], plain.parameters()[0]);
        assert!((a / b - 1.0).abs() < 1e-6, "{method}: {a} {b}");
    }
    let request: LossRequest = "huber(delta=auto)".parse().unwrap();
    let error = request.fit_weighted(&residuals, Some(&weights[..3])).unwrap_err();
    assert!(matches!(error, Error::ShapeMismatch { .. }), "{error}");
    let error = request.fit_weighted(&residuals, Some(&[1.0, 1.0, -1.0, 1.0])).unwrap_err();
    assert!(matches!(error, Error::InvalidWeight { position: 2, .. }), "{error}");
}

#[test]
fn the_likelihood_tells_normal_from_laplace() {
    // Huber's density with known parameters: normal up to delta, exponential beyond.
    let delta: f64 = 1.2;
    let density = |r: f64| {
        let huber = if r < delta { 0.5 * r * r } else { delta * (r - 0.5 * delta) };
        (-huber).exp()
    };
    let step = 1e-3;
    let total: f64 = (0..40_000).map(|n| density((f64::from(n) + 0.5) * step) * step).sum();
    let (mut residuals, mut reached, count) = (Vec::new(), 0.0, 20_000);
    for n in 0..40_000 {
        let r = (f64::from(n) + 0.5) * step;
        reached += density(r) * step / total * f64::from(count / 2);
        while (residuals.len() as f64) < reached - 0.5 {
            residuals.push(r);
        }
    }
    let mirrored: Vec<f64> = residuals.iter().map(|r| -r).collect();
    residuals.extend(mirrored);
    for unit in [1.0, 1e-3, 1e6] {
        let scaled: Vec<f64> = residuals.iter().map(|r| r * unit).collect();
        let fitted = fit("huber(delta=auto:likelihood)", &scaled).unwrap();
        let found = fitted.loss.parameters()[0] / unit;
        assert!((found / delta - 1.0).abs() < 0.02, "{found}");
        let smooth = fit("smooth_l1(beta=auto:likelihood)", &scaled).unwrap();
        assert!((smooth.loss.parameters()[0] / unit / found - 1.0).abs() < 1e-3);
    }
    let fitted = fit("huber(delta=auto:likelihood)", &normal(4000)).unwrap();
    let Basis::Likelihood { sampled: None, caution } = fitted.choices[0].basis else { panic!() };
    assert!(fitted.loss.parameters()[0] > 2.0, "{:?} {caution:?}", fitted.loss);
    let fitted = fit("huber(delta=auto:likelihood)", &spread_out(4000, laplace)).unwrap();
    assert!(fitted.loss.parameters()[0] < 0.2, "{:?}", fitted.loss);
}

#[test]
fn the_likelihood_finds_the_parameters_of_known_distributions() {
    let one =
        |text: &str, residuals: &[f64]| fit(text, residuals).unwrap().loss.parameters().to_vec();
    // Student's t with 2 degrees of freedom, whose quantiles are known: its density is that of
    // cauchy with scale sqrt(2).
    let t2 = spread_out(20_001, |q| {
        let a = 4.0 * q * (1.0 - q);
        2.0 * (q - 0.5) * (2.0 / a).sqrt()
    });
    let found = one("cauchy(scale=auto:likelihood)", &t2);
    assert!((found[0] / 2f64.sqrt() - 1.0).abs() < 0.01, "{found:?}");
    // Barron's family: alpha = 2 is the normal, with scale its standard deviation.
    let found = one(
        "barron(alpha=auto,scale=auto)",
        &normal(20_001).iter().map(|x| 3.0 * x).collect::<Vec<_>>(),
    );
    assert!((found[0] - 2.0).abs() < 0.02 && (found[1] / 3.0 - 1.0).abs() < 0.02, "{found:?}");
    // And alpha = 0 a Cauchy distribution of scale sqrt(2).
    let cauchy = |q: f64| 2f64.sqrt() * (std::f64::consts::PI * (q - 0.5)).tan();
    let found = one("barron(alpha=auto,scale=auto)", &spread_out(20_001, cauchy));
    assert!(found[0].abs() < 0.05 && (found[1] - 1.0).abs() < 0.05, "{found:?}");
    let found = one("barron(alpha=0,scale=auto:likelihood)", &spread_out(20_001, cauchy));
    assert!((found[1] - 1.0).abs() < 0.01, "{found:?}");
    // The loss's own constant is the integral that is taken here.
    let own = one("barron(alpha=auto,scale=auto,normalised=true)", &t2);
    let found = one("barron(alpha=auto,scale=auto)", &t2);
    assert!(
        own.iter().zip(&found).take(2).all(|(a, b)| (a / b - 1.0).abs() < 1e-3),
        "{own:?} {found:?}"
    );
    // A bounded loss is the logarithm of no distribution.
    for text in ["welsch", "tukey_biweight", "geman_mcclure"] {
        let error = fit(&format!("{text}(scale=auto:likelihood)"), &t2).unwrap_err().to_string();
        assert!(error.contains("grows too slowly"), "{error}");
    }
}

#[test]
fn several_parameters_are_chosen_together_or_not_at_all() {
    for (text, reason) in [
        ("barron(alpha=auto:mad,scale=1)", "it is no scale, and can be chosen by auto:likelihood"),
        ("barron(alpha=auto,scale=auto:mad)", "together by auto:likelihood alone"),
    ] {
        let error = fit(text, &[1.0, 2.0, 3.0]).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn passes_in_parts_give_what_one_gives() {
    let mut rng = Rng::named("parts");
    let residuals: Vec<f64> =
        (0..5000).map(|_| laplace(rng.unit().clamp(1e-9, 1.0 - 1e-9))).collect();
    let texts = [
        "huber(delta=auto)",
        "huber(delta=auto:quantile)",
        "smooth_l1(beta=auto:likelihood)",
        "huber",
    ];
    let requests: Vec<LossRequest> = texts.iter().map(|text| text.parse().unwrap()).collect();
    let mut chooser = Chooser::new(&requests).unwrap();
    let mut passes = 0;
    while let Some(mut whole) = chooser.pass() {
        for (part, numbers) in residuals.chunks(777).enumerate().collect::<Vec<_>>().iter().rev() {
            let mut pass = chooser.pass().unwrap();
            for (at, &residual) in numbers.iter().enumerate() {
                pass.add((part * 777 + at) as u64, residual, 1.0);
            }
            whole.merge(pass);
        }
        chooser.take(whole);
        passes += 1;
    }
    // The median, then the deviations from it.
    assert_eq!(passes, 2);
    for (text, fitted) in texts.iter().zip(chooser.fitted().unwrap()) {
        assert_eq!(fitted, fit(text, &residuals).unwrap());
    }
}

#[test]
fn what_cannot_be_chosen_is_said() {
    for (text, message) in [
        ("huber(delta=auto:mode)", "\"auto:mode\" is not understood: it is auto, auto:mad"),
        ("huber(delta=auto(0.9))", "\"auto(0.9)\" is not understood"),
        ("huber(delta=auto:mad(level=0.9))", "is not understood"),
        ("huber(delta=auto(efficiency=2))", "2 is not between 0 and 1"),
        ("huber(delta=auto,delta=1)", "delta is given twice"),
        ("quantile(level=auto)", "quantile: level cannot be chosen: it says what is wanted"),
        ("hinge(auto)", "hinge has 0 parameters"),
    ] {
        let error = text.parse::<LossRequest>().unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
    let error = "huber(delta=auto)".parse::<Loss>().unwrap_err().to_string();
    assert_eq!(
        error,
        "huber(delta=auto) is to be chosen from data: give it to `lossfn eval`, or in the library \
         to a LossRequest with residuals; or give a number"
    );
    let no = |text: &str, residuals: &[f64], reason: &str| {
        let error = fit(text, residuals).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    };
    no("huber(delta=auto)", &[], "there are no residuals");
    no("huber(delta=auto)", &[f64::NAN], "there are no residuals");
    no("huber(delta=auto)", &[1.0, 1.0, 1.0, 5.0], "the median absolute deviation is 0");
    no("huber(delta=auto:quantile)", &[0.0; 5], "is 0; choose another level");
    no("huber(delta=auto)", &[f64::INFINITY; 5], "half of the residuals or more are infinite");
    no("huber(delta=auto:likelihood)", &[1.0, 2.0, 3.0, f64::INFINITY], "a residual is infinite");
    no("huber(delta=auto(efficiency=0.1))", &[1.0, 2.0, 3.0], "between 0.637 and 1.000");
    let loss: Loss = "squared_error".parse().unwrap();
    let error = loss.fitted_to(&[1.0], Method::MAD).unwrap_err().to_string();
    assert_eq!(error, "squared_error: a scale cannot be chosen: the loss has none");
}

/// Everything that is marked as a scale is one: residuals and scale twice as large give losses that
/// differ by one factor, or by one constant.
#[test]
fn what_is_marked_as_a_scale_is_one() {
    let mut checked = 0;
    for entry in CATALOG {
        let parameters = entry.description.parameters;
        if parameters.iter().all(|parameter| parameter.role != Role::Scale) {
            continue;
        }
        let loss = entry.with_defaults();
        let scaled: Vec<f64> = loss
            .parameters()
            .iter()
            .zip(parameters)
            .map(|(&value, p)| if p.role == Role::Scale { 2.0 * value } else { value })
            .collect();
        let wider = entry.build(&scaled).unwrap();
        let of = |loss: &Loss, p: f64, y: f64| {
            loss.pointwise_kernels().expect("a pointwise loss").reference(p, y).value
        };
        let pairs: Vec<(f64, f64)> = [0.0, 0.25, -0.7, 1.0, 3.0, -10.0]
            .iter()
            .map(|&r| {
                let y = 5.0;
                (of(&loss, y + r, y), of(&wider, 2.0 * (y + r), 2.0 * y))
            })
            .collect();
        let same = |values: &[f64]| {
            let finite: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
            finite.iter().all(|x| (x - finite[0]).abs() <= 1e-9 * finite[0].abs().max(1e-3))
        };
        let ratios: Vec<f64> = pairs.iter().map(|(a, b)| b / a).collect();
        let differences: Vec<f64> = pairs.iter().map(|(a, b)| b - a).collect();
        assert!(same(&ratios) || same(&differences), "{loss}: {pairs:?}");
        checked += 1;
    }
    assert!(checked >= 2);
}
