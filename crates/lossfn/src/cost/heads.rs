//! Several heads: the weighted total of several costs.

use super::{Cost, Examples};
use crate::error::Error;

/// What a head's cost is multiplied by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HeadWeight {
    /// A fixed number.
    Fixed(f64),
    /// Learned with the model: the head adds `e^-s cost + s/2`, with `s` the logarithm of its
    /// variance, so that noisy heads weigh less and none can be weighed away (Kendall, Gal and
    /// Cipolla (2018), arXiv:1705.07115). The cost should be a negative log-likelihood, such as
    /// half the squared error or a cross-entropy.
    Learned {
        /// `s`, the logarithm of the variance.
        log_variance: f64,
    },
}

impl HeadWeight {
    /// The factor of the cost.
    #[must_use]
    pub fn factor(self) -> f64 {
        match self {
            Self::Fixed(factor) => factor,
            Self::Learned { log_variance } => (-log_variance).exp(),
        }
    }

    /// What is added to the weighted cost.
    #[must_use]
    pub fn penalty(self) -> f64 {
        match self {
            Self::Fixed(_) => 0.0,
            Self::Learned { log_variance } => log_variance / 2.0,
        }
    }
}

/// One head of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Its name.
    pub name: String,
    /// Its cost.
    pub cost: Cost,
    /// What its cost is multiplied by.
    pub weight: HeadWeight,
}

/// The heads of a model: a weighted total of costs, with the share of each.
///
/// ```
/// use lossfn::{Cost, Examples, HeadWeight, Heads, losses};
///
/// let heads = Heads::new()
///     .head("age", Cost::new(losses::regression::SquaredError::default()), HeadWeight::Fixed(0.1))
///     .head("sex", Cost::new(losses::margin::Hinge::default()), HeadWeight::Fixed(1.0));
/// let value = heads.value(&[
///     Examples::new(&[30.0, 42.0], &[32.0, 40.0]),
///     Examples::new(&[0.5, -2.0], &[1.0, -1.0]),
/// ])?;
/// assert_eq!(value.total, 0.1 * 4.0 + 0.25);
/// assert_eq!(value.heads[1].share, 0.25);
/// # Ok::<(), lossfn::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heads {
    heads: Vec<Head>,
}

/// The total over the heads, and what each has to do with it.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadsValue {
    /// The sum of the shares.
    pub total: f64,
    /// One entry per head.
    pub heads: Vec<HeadShare>,
}

/// What a head has to do with the total.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadShare {
    /// The name of the head.
    pub name: String,
    /// Its own cost.
    pub cost: f64,
    /// What it adds to the total: factor times cost, plus the penalty of a learned weight.
    pub share: f64,
    /// The derivative of the total by the logarithm of the variance, if the weight is learned.
    pub log_variance_gradient: Option<f64>,
}

impl Heads {
    /// No heads yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a head.
    #[must_use]
    pub fn head(mut self, name: impl Into<String>, cost: Cost, weight: HeadWeight) -> Self {
        self.heads.push(Head { name: name.into(), cost, weight });
        self
    }

    /// The heads.
    #[must_use]
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// The total of the costs of examples, one set for each head in order.
    ///
    /// For the gradient by a head's prediction take its cost's gradient times
    /// [`HeadWeight::factor`].
    ///
    /// # Errors
    /// [`Error::Heads`] for another number of sets than heads, and whatever a head's cost gives.
    pub fn value(&self, examples: &[Examples<'_>]) -> Result<HeadsValue, Error> {
        let (given, heads) = (examples.len(), self.heads.len());
        if given != heads {
            return Err(Error::Heads(format!("{given} sets of examples for {heads} heads")));
        }
        let heads = self
            .heads
            .iter()
            .zip(examples)
            .map(|(head, examples)| {
                let cost = head.cost.value_of(examples)?;
                let factor = head.weight.factor();
                // As everywhere, weight 0 silences even an infinite cost.
                let weighted = if factor == 0.0 { 0.0 } else { factor * cost };
                let learned = matches!(head.weight, HeadWeight::Learned { .. });
                Ok(HeadShare {
                    name: head.name.clone(),
                    cost,
                    share: weighted + head.weight.penalty(),
                    log_variance_gradient: learned.then_some(0.5 - weighted),
                })
            })
            .collect::<Result<Vec<_>, Error>>()?;
        Ok(HeadsValue { total: heads.iter().map(|head| head.share).sum(), heads })
    }
}
