//! Parameters of losses chosen from data, by stated principles.
//!
//! A parameter that the catalog marks as a scale of the residuals, such as huber's `delta`, can be
//! left open: `huber(delta=auto)` is a [`LossRequest`], and residuals make a [`Loss`] of it, with the
//! reasons in words. A parameter that says what is wanted, such as the level of a quantile, cannot.
//!
//! Residuals that do not fit in memory are read in passes by a [`Chooser`].

mod efficiency;
mod likelihood;
mod quadrature;
mod request;
mod sample;
mod select;

pub use efficiency::{efficiency, tuning_constant};
pub use request::{LossRequest, Method, Setting};
pub use sample::Sample;
pub use select::{Quantile, Tally};

use crate::describe::{Domain, Parameter, Role};
use crate::error::Error;
use crate::kernel::{BLOCK, InstructionSet, Outputs};
use crate::loss::Loss;
use likelihood::{Data, End, Open};
use std::fmt;

/// What the median absolute deviation of a normal distribution is multiplied with to give its
/// standard deviation: 1 / `quantile_normal(3/4)`.
pub const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;

/// Residuals that a likelihood is computed over at most.
const LIKELIHOOD_SAMPLE: usize = 1 << 18;

/// A loss whose parameters were chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The loss.
    pub loss: Loss,
    /// What was chosen.
    pub choices: Vec<Choice>,
}

/// A parameter that was chosen. Its text says what it is and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The parameter.
    pub parameter: &'static str,
    /// The number.
    pub value: f64,
    /// Where the number comes from.
    pub basis: Basis,
    /// The number of residuals that it comes from; those of weight 0 do not count.
    pub residuals: u64,
}

/// Where a chosen number comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Basis {
    /// [`Method::Mad`]: the number is `constant` times `sigma`.
    Mad {
        /// The asymptotic relative efficiency where residuals are normal.
        efficiency: f64,
        /// The scale at which the loss has this efficiency for standard deviation 1.
        constant: f64,
        /// The robust estimate of the standard deviation.
        sigma: f64,
    },
    /// [`Method::Quantile`].
    Quantile {
        /// The level.
        level: f64,
    },
    /// [`Method::Likelihood`].
    Likelihood {
        /// The number of residuals that were drawn at random for it, if not all were used.
        sampled: Option<u64>,
        /// What to know of the number, if it lies at the end of what was searched.
        caution: Option<&'static str>,
    },
}

impl Choice {
    /// Why the number is what it is, in words.
    #[must_use]
    pub fn reason(&self) -> String {
        let residuals = self.residuals;
        match &self.basis {
            Basis::Mad { efficiency, constant, sigma } => format!(
                "{} sigma, sigma = {} by the MAD of {residuals} residuals; {} % efficient at the \
                 normal",
                brief(*constant),
                brief(*sigma),
                brief(efficiency * 100.0),
            ),
            Basis::Quantile { level } => format!(
                "the quantile of level {level} of the absolute values of {residuals} residuals"
            ),
            Basis::Likelihood { sampled, caution } => {
                let of = match sampled {
                    Some(sampled) => format!("{sampled} of {residuals} residuals, drawn at random"),
                    None => format!("{residuals} residuals"),
                };
                let caution = caution.map_or(String::new(), |caution| format!("; {caution}"));
                format!("by maximum likelihood of {of}{caution}")
            }
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}: {}", self.parameter, brief(self.value), self.reason())
    }
}

/// The nearest number with four significant digits: what a chosen number is worth.
fn rounded(x: f64) -> f64 {
    format!("{x:.3e}").parse().unwrap_or(x)
}

fn brief(x: f64) -> String {
    let x = rounded(x);
    if x != 0.0 && !(1e-4..1e7).contains(&x.abs()) { format!("{x:e}") } else { x.to_string() }
}

impl Fitted {
    /// The same with the chosen numbers rounded to four significant digits, so that they can be read
    /// and typed. (Whole residuals or many of them tell no more.)
    #[must_use]
    pub fn rounded(&self) -> Self {
        let mut fitted = self.clone();
        let mut values = self.loss.parameters().to_vec();
        let parameters = self.loss.description().parameters;
        for choice in &mut fitted.choices {
            let place = parameters.iter().position(|p| p.name == choice.parameter);
            if let Some(place) =
                place.filter(|&at| parameters[at].range.contains(rounded(values[at])))
            {
                choice.value = rounded(choice.value);
                values[place] = choice.value;
            }
        }
        let loss = crate::find(self.loss.id()).and_then(|entry| entry.build(&values));
        Self { loss: loss.unwrap_or_else(|_| self.loss.clone()), ..fitted }
    }
}

impl Loss {
    /// The loss with its scale chosen from residuals and everything else as it is.
    ///
    /// ```
    /// use lossfn::{Loss, choose::Method};
    ///
    /// let huber: Loss = "huber".parse()?;
    /// let fitted = huber.fitted_to(&[0.1, -0.2, 0.3, -0.4, 90.0], Method::QUANTILE)?;
    /// assert_eq!(fitted.loss.to_string(), "huber(delta=90.0)");
    /// # Ok::<(), lossfn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::CannotChoose`] if the loss has no scale, or none can be chosen from these residuals.
    pub fn fitted_to(&self, residuals: &[f64], method: Method) -> Result<Fitted, Error> {
        let scale = self.description().parameters.iter().find(|p| p.role == Role::Scale);
        let scale = scale.ok_or_else(|| Error::CannotChoose {
            loss: self.id(),
            parameter: "a scale",
            reason: "the loss has none".into(),
        })?;
        LossRequest::new(self, scale.name, Some(method))?.fit(residuals)
    }
}

impl LossRequest {
    /// The loss with what is open chosen from residuals (prediction minus target).
    ///
    /// # Errors
    /// [`Error::CannotChoose`] if these residuals do not tell.
    pub fn fit(&self, residuals: &[f64]) -> Result<Fitted, Error> {
        self.fit_weighted(residuals, None)
    }

    /// The same where residuals have weights: a weight of 2 is the same as having the residual twice.
    ///
    /// # Errors
    /// [`Error::CannotChoose`] if these residuals do not tell, [`Error::ShapeMismatch`] and
    /// [`Error::InvalidWeight`] for the weights.
    pub fn fit_weighted(
        &self,
        residuals: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<Fitted, Error> {
        if let Some(weights) = weights {
            if weights.len() != residuals.len() {
                return Err(Error::ShapeMismatch {
                    what: "the weights",
                    found: vec![weights.len()],
                    with: "the residuals",
                    expected: vec![residuals.len()],
                });
            }
            let wrong = |weight: &f64| !(*weight >= 0.0 && weight.is_finite());
            if let Some(position) = weights.iter().position(wrong) {
                let value = weights[position];
                return Err(Error::InvalidWeight { what: "weight", value, position });
            }
        }
        let mut chooser = Chooser::new(std::slice::from_ref(self))?;
        while let Some(mut pass) = chooser.pass() {
            for (at, &residual) in residuals.iter().enumerate() {
                pass.add(at as u64, residual, weights.map_or(1.0, |weights| weights[at]));
            }
            chooser.take(pass);
        }
        chooser.fitted().map(|mut all| all.swap_remove(0))
    }
}

/// What a quantile is of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Of {
    Residual,
    Size,
    /// The distance from the median.
    Deviation,
}

/// Chooses the open parameters of losses from residuals that are read in passes, in any order and on
/// any threads; memory is bounded, and the result depends on neither order nor threads. Medians and
/// quantiles are exact; a likelihood is that of at most 262144 residuals, drawn at random but always the same.
///
/// ```
/// use lossfn::choose::Chooser;
///
/// let mut chooser = Chooser::new(&["huber(delta=auto)".parse()?])?;
/// while let Some(mut pass) = chooser.pass() {
///     // Parts of a pass, `chooser.pass()` each, may be filled elsewhere and merged.
///     for (position, residual) in [0.5, -1.0, 1.5, -2.0].into_iter().enumerate() {
///         pass.add(position as u64, residual, 1.0);
///     }
///     chooser.take(pass);
/// }
/// println!("{}", chooser.fitted()?[0].choices[0]);
/// # Ok::<(), lossfn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Chooser {
    requests: Vec<Plan>,
    quantiles: Vec<(Of, f64, Quantile)>,
    sample: Option<Vec<(f64, f64)>>,
    count: Option<u64>,
}

/// A request with its methods settled.
#[derive(Clone, Debug)]
struct Plan {
    request: LossRequest,
    methods: Vec<Option<Method>>,
}

/// A pass over the residuals, or one thread's part of it.
#[derive(Clone, Debug)]
pub struct Pass {
    median: f64,
    count: u64,
    tallies: Vec<Option<(Of, Tally)>>,
    sample: Option<Sample<(f64, f64)>>,
}

impl Pass {
    /// Adds a residual with its position, which no other has, and its weight: a finite number, 0 or
    /// more. A NaN is left out.
    #[inline]
    pub fn add(&mut self, position: u64, residual: f64, weight: f64) {
        if weight == 0.0 || residual.is_nan() {
            return;
        }
        self.count += 1;
        for (of, tally) in self.tallies.iter_mut().flatten() {
            let x = match of {
                Of::Residual => residual,
                Of::Size => residual.abs(),
                Of::Deviation => (residual - self.median).abs(),
            };
            // An infinite residual has no distance from an infinite median.
            tally.add(if x.is_nan() { f64::INFINITY } else { x }, weight);
        }
        if let Some(sample) = &mut self.sample {
            sample.add(position, (residual, weight));
        }
    }

    /// Adds another part of the same pass.
    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        for (own, other) in self.tallies.iter_mut().zip(other.tallies) {
            if let (Some((_, own)), Some((_, other))) = (own, other) {
                own.merge(other);
            }
        }
        if let (Some(own), Some(other)) = (&mut self.sample, other.sample) {
            own.merge(other);
        }
    }
}

impl Chooser {
    /// For these losses.
    ///
    /// # Errors
    /// [`Error::CannotChoose`] where a method does not suit a parameter.
    pub fn new(requests: &[LossRequest]) -> Result<Self, Error> {
        let mut quantiles: Vec<(Of, f64, Quantile)> = Vec::new();
        let mut want = |of: Of, level: f64| {
            if !quantiles.iter().any(|(o, l, _)| *o == of && *l == level) {
                quantiles.push((of, level, Quantile::new(level)));
            }
        };
        let mut plans = Vec::new();
        let mut wants_sample = false;
        for request in requests {
            let methods = methods(request)?;
            for method in methods.iter().flatten() {
                match *method {
                    Method::Quantile { level } => want(Of::Size, level),
                    Method::Mad { .. } | Method::Likelihood => {
                        want(Of::Residual, 0.5);
                        want(Of::Deviation, 0.5);
                    }
                }
                wants_sample |= *method == Method::Likelihood;
            }
            plans.push(Plan { request: request.clone(), methods });
        }
        let sample = if wants_sample { None } else { Some(Vec::new()) };
        Ok(Self { requests: plans, quantiles, sample, count: None })
    }

    fn quantile(&self, wanted: Of, level: f64) -> Option<f64> {
        let found = self.quantiles.iter().find(|(of, l, _)| *of == wanted && *l == level);
        found.and_then(|(_, _, quantile)| quantile.value())
    }

    /// What the next pass over all residuals is to be counted with; `None` if no pass is needed any
    /// more.
    #[must_use]
    pub fn pass(&self) -> Option<Pass> {
        let median = self.quantile(Of::Residual, 0.5);
        let open = |(of, _, quantile): &(Of, f64, Quantile)| {
            let is_open = quantile.value().is_none() && (*of != Of::Deviation || median.is_some());
            is_open.then(|| (*of, quantile.tally()))
        };
        let tallies: Vec<_> = self.quantiles.iter().map(open).collect();
        if tallies.iter().all(Option::is_none) && self.sample.is_some() {
            return None;
        }
        let sample = self.sample.is_none().then(|| Sample::new(LIKELIHOOD_SAMPLE));
        Some(Pass { median: median.unwrap_or(0.0), count: 0, tallies, sample })
    }

    /// Takes in a whole pass.
    pub fn take(&mut self, pass: Pass) {
        for ((_, _, quantile), tally) in self.quantiles.iter_mut().zip(pass.tallies) {
            if let Some((_, tally)) = tally {
                quantile.settle(tally);
            }
        }
        if let Some(sample) = pass.sample {
            self.sample = Some(sample.into_things());
        }
        self.count = Some(pass.count);
    }

    /// The losses, in the order of the requests; those without anything open as they are.
    ///
    /// # Errors
    /// [`Error::CannotChoose`] if these residuals do not tell.
    pub fn fitted(&self) -> Result<Vec<Fitted>, Error> {
        self.requests.iter().map(|plan| self.fit(plan)).collect()
    }

    fn fit(&self, plan: &Plan) -> Result<Fitted, Error> {
        let Plan { request, methods } = plan;
        if !request.needs_data() {
            return Ok(Fitted { loss: request.loss()?, choices: Vec::new() });
        }
        let description = request.description();
        let residuals = self.count.unwrap_or(0);
        let places: Vec<usize> = (0..methods.len()).filter(|&at| methods[at].is_some()).collect();
        let names = places.iter().map(|&at| description.parameters[at].name);
        let cannot = |reason: String| Error::CannotChoose {
            loss: description.id,
            parameter: names.clone().next().unwrap_or_default(),
            reason,
        };
        if residuals == 0 {
            return Err(cannot("there are no residuals".into()));
        }
        let start: Vec<f64> = request.with_defaults()?.parameters().to_vec();
        let with = |values: &[f64]| {
            let mut all = start.clone();
            places.iter().zip(values).for_each(|(&at, &value)| all[at] = value);
            request.build(&all)
        };
        let sigma = || {
            let sigma = MAD_TO_SIGMA * self.quantile(Of::Deviation, 0.5).unwrap_or(f64::NAN);
            if sigma == 0.0 {
                return Err(cannot(
                    "the median absolute deviation is 0, as half of the residuals or more are the \
                     same; use auto:quantile with a higher level, or give a number"
                        .into(),
                ));
            }
            if !sigma.is_finite() {
                return Err(cannot("half of the residuals or more are infinite".into()));
            }
            Ok(sigma)
        };
        let (values, bases) = match methods[places[0]] {
            Some(Method::Mad { efficiency }) => {
                let sigma = sigma()?;
                let constant = tuning_constant(|scale| with(&[scale]), efficiency)?;
                let constant = constant.map_err(cannot)?;
                let basis = Basis::Mad { efficiency, constant, sigma };
                (vec![constant * sigma], vec![basis])
            }
            Some(Method::Quantile { level }) => {
                let value = self.quantile(Of::Size, level).unwrap_or(f64::NAN);
                if !(value > 0.0 && value.is_finite()) {
                    let reason = format!(
                        "the quantile of level {level} of the absolute residuals is {value}; choose \
                         another level, as auto:quantile(level=0.95), or give a number"
                    );
                    return Err(cannot(reason));
                }
                (vec![value], vec![Basis::Quantile { level }])
            }
            _ => self.likelihood(description.parameters, &places, sigma()?, with, &cannot)?,
        };
        let choices = places.iter().zip(&values).zip(bases);
        let choices = choices.map(|((&at, &value), basis)| Choice {
            parameter: description.parameters[at].name,
            value,
            basis,
            residuals,
        });
        Ok(Fitted { loss: with(&values)?, choices: choices.collect() })
    }

    fn likelihood(
        &self,
        parameters: &[Parameter],
        places: &[usize],
        sigma: f64,
        with: impl Fn(&[f64]) -> Result<Loss, Error>,
        cannot: &dyn Fn(String) -> Error,
    ) -> Result<(Vec<f64>, Vec<Basis>), Error> {
        let sample = self.sample.as_deref().unwrap_or_default();
        let median = self.quantile(Of::Residual, 0.5).unwrap_or(0.0);
        let residuals: Vec<f64> = sample.iter().map(|(r, _)| r - median).collect();
        if residuals.iter().any(|r| !r.is_finite()) {
            return Err(cannot("a residual is infinite, and has no likelihood".into()));
        }
        let weights: Vec<f64> = sample.iter().map(|&(_, weight)| weight).collect();
        let open: Vec<Open> = places
            .iter()
            .map(|&at| match parameters[at].role {
                Role::Shape => {
                    let range = parameters[at].range;
                    Open::Shape { low: range.low.max(-8.0), high: range.high.min(8.0) }
                }
                _ => Open::Scale,
            })
            .collect();
        let data = Data { residuals: &residuals, weights: &weights, size: sigma };
        let fit = likelihood::fit(&data, &open, with)?.ok_or_else(|| {
            cannot(
                "the loss grows too slowly with the residual to be the logarithm of a \
                 distribution, so there is no likelihood; use auto:mad or auto:quantile"
                    .into(),
            )
        })?;
        let all = self.count.unwrap_or(0);
        let sampled = Some(residuals.len() as u64).filter(|&sampled| sampled < all);
        let caution = |(open, end): (&Open, &Option<End>)| match (open, end) {
            (Open::Scale, Some(End::High)) => {
                Some("it is as large as any residual: the limit for large scales fits as well")
            }
            (Open::Scale, Some(End::Low)) => Some(
                "it is smaller than nearly all residuals: the limit for small scales fits as well",
            ),
            (Open::Shape { .. }, Some(_)) => Some("it is at the end of what was searched"),
            (_, None) => None,
        };
        let cautions = open.iter().zip(&fit.at_end).map(caution);
        let bases = cautions.map(|caution| Basis::Likelihood { sampled, caution }).collect();
        Ok((fit.values, bases))
    }
}

/// The method for each open parameter of a request.
fn methods(request: &LossRequest) -> Result<Vec<Option<Method>>, Error> {
    let description = request.description();
    let parameters = description.parameters;
    let role = |at: usize| parameters[at].role;
    let open: Vec<usize> = (0..parameters.len())
        .filter(|&at| matches!(request.settings[at], Setting::Auto(_)))
        .collect();
    let together = open.len() > 1 || open.iter().any(|&at| role(at) == Role::Shape);
    let mut methods = vec![None; parameters.len()];
    for &at in &open {
        let usual = if together { Method::Likelihood } else { Method::MAD };
        let method = match request.settings[at] {
            Setting::Auto(method) => method.unwrap_or(usual),
            Setting::Number(_) => continue,
        };
        if together && method != Method::Likelihood {
            return Err(Error::CannotChoose {
                loss: description.id,
                parameter: parameters[at].name,
                reason: if role(at) == Role::Shape {
                    "it is no scale, and can be chosen by auto:likelihood alone".into()
                } else {
                    "several parameters can be chosen together by auto:likelihood alone; give a \
                     number for the other"
                        .into()
                },
            });
        }
        methods[at] = Some(method);
    }
    if !open.is_empty() && losses_of(&request.with_defaults()?, &[]).is_none() {
        return Err(Error::CannotChoose {
            loss: description.id,
            parameter: parameters[open[0]].name,
            reason: "the loss is not one of a residual".into(),
        });
    }
    Ok(methods)
}

/// The losses of residuals; `None` for losses of something else.
fn losses_of(loss: &Loss, residuals: &[f64]) -> Option<Vec<f64>> {
    run(loss, residuals, false)
}

/// Their slopes.
fn slopes_of(loss: &Loss, residuals: &[f64]) -> Option<Vec<f64>> {
    run(loss, residuals, true)
}

fn run(loss: &Loss, residuals: &[f64], slopes: bool) -> Option<Vec<f64>> {
    static ZERO: [f64; BLOCK] = [0.0; BLOCK];
    let description = loss.description();
    if [description.prediction, description.target] != [Domain::Real; 2] {
        return None;
    }
    let kernels = loss.pointwise_kernels()?;
    let mut values = vec![0.0; residuals.len()];
    let mut gradients = vec![0.0; if slopes { residuals.len() } else { 0 }];
    let mut gradient_blocks = gradients.chunks_mut(BLOCK);
    for (residuals, value) in residuals.chunks(BLOCK).zip(values.chunks_mut(BLOCK)) {
        let gradient = gradient_blocks.next().unwrap_or_default();
        let to = Outputs::new(value, gradient, &mut []);
        kernels.run_f64(InstructionSet::in_use(), residuals, &ZERO[..residuals.len()], to);
    }
    Some(if slopes { gradients } else { values })
}
