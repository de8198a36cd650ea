//! Losses as curves.

use crate::error::Error;
use crate::example::{Example, Row};
use crate::figure::{Axis, Figure, Layer};
use crate::sample::{places, sample};
use crate::scale::{Scale, ten};
use lossfn::{Domain, Form, Kind, Loss, Parameter, Role, RowForm, Task, Variable};

/// What of a loss is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The loss itself.
    #[default]
    Loss,
    /// Its derivative by the prediction.
    Gradient,
    /// Its second derivative by the prediction.
    Second,
}

/// What it is drawn over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// Prediction - target.
    Residual,
    /// Target * prediction, with target -1 or +1.
    Margin,
    /// The prediction.
    Prediction,
    /// The prediction of a loss of probabilities.
    Probability,
}

/// Losses, to be drawn in one figure.
///
/// Those of the residual are drawn over it, those of the margin over that, other losses of one number
/// over the prediction for a target or several, losses of binary scores or probabilities for both
/// classes. Losses of several predicted numbers are drawn over the first of them; those of class scores
/// over one score, and of class probabilities over one of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    /// The losses.
    pub losses: Vec<Loss>,
    /// What of them.
    pub order: Order,
    /// Over what; without it over what suits them.
    pub against: Option<Against>,
    /// The target, where the loss depends on more than residual or margin; without it some that suit.
    pub target: Option<f64>,
    /// The ends of the horizontal axis.
    pub range: Option<(f64, f64)>,
    /// The title; without it one is made.
    pub title: Option<String>,
    /// Pixels across and down; without them 640 x 400.
    pub size: Option<(u32, u32)>,
}

/// The quantity along the horizontal axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    Residual,
    Number,
    LogMean,
    Margin,
    Score,
    Probability,
    Distance,
    Component,
    ClassScore,
    ClassProbability,
    ClassLogProbability,
    Thresholds,
}

impl Over {
    /// What suits a loss.
    fn of(loss: &Loss) -> Self {
        let d = loss.description();
        match (loss.form(), loss.variable()) {
            (Form::Joint, _) => Self::Component,
            (Form::ClassAxis, _) if d.row_form == RowForm::ScoreAndThresholds => Self::Thresholds,
            (Form::ClassAxis, _) => match d.prediction {
                Domain::Unit | Domain::OpenUnit => Self::ClassProbability,
                Domain::LogProbability => Self::ClassLogProbability,
                _ => Self::ClassScore,
            },
            (_, Variable::Residual) => Self::Residual,
            (_, Variable::Margin) => Self::Margin,
            _ if d.task == Task::Binary => match d.prediction {
                Domain::Unit | Domain::OpenUnit => Self::Probability,
                Domain::Real => Self::Score,
                _ => Self::Distance,
            },
            _ if d.task == Task::Counts && d.prediction == Domain::Real => Self::LogMean,
            _ => Self::Number,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Residual => "the residual",
            Self::Number => "the prediction",
            Self::LogMean => "the logarithm of the predicted mean",
            Self::Margin => "the margin",
            Self::Score => "the score of the class 1",
            Self::Probability => "the probability of the class 1",
            Self::Distance => "the predicted distance",
            Self::Component => "the first of several predicted numbers",
            Self::ClassScore => "the score of one of several classes",
            Self::ClassProbability => "the probability of one of several classes",
            Self::ClassLogProbability => "the log-probability of one of several classes",
            Self::Thresholds => "a score between thresholds",
        }
    }

    /// Whether what suits one can be drawn over the other.
    fn is_like(self, other: Self) -> bool {
        let numbers = [Self::Residual, Self::Number];
        let scores = [Self::Margin, Self::Score];
        self == other
            || numbers.contains(&self) && numbers.contains(&other)
            || scores.contains(&self) && scores.contains(&other)
    }

    fn is_class(self) -> bool {
        use Over::{ClassLogProbability, ClassProbability, ClassScore, Thresholds};
        matches!(self, ClassScore | ClassProbability | ClassLogProbability | Thresholds)
    }
}

/// A curve that is to be drawn.
struct Curve {
    loss: Loss,
    example: Example,
    /// Which loss, where there are several.
    name: String,
    /// Which case of it, where there are several.
    case: String,
}

impl Curves {
    /// Losses over what suits them.
    #[must_use]
    pub fn new(losses: Vec<Loss>) -> Self {
        Self { losses, ..Self::default() }
    }

    /// The curves as a figure.
    ///
    /// # Errors
    /// [`Error::Curves`] if there is no loss, if they cannot be drawn together, or not over what is asked
    /// for or for that target; [`Error::Range`].
    pub fn figure(&self) -> Result<Figure, Error> {
        let over = self.over()?;
        let targets = self.targets(over)?;
        let axis = Axis {
            range: Some(self.range.unwrap_or(self.usual_range(over, &targets))),
            ..Axis::default()
        };
        let x = Scale::new(&axis, "x", std::iter::empty(), 0.0)?;
        let curves = self.curves(over, &targets);
        let value = |curve: &Curve, x: f64| curve.example.value(&curve.loss, self.order, x);
        let coarse = |curve: &Curve| places(x, 400).into_iter().map(|x| value(curve, x)).collect();
        let coarse: Vec<Vec<f64>> = curves.iter().map(coarse).collect();
        let (low, high) = seen(&coarse, self.order).ok_or_else(|| {
            Error::Curves(format!("between {} and {} nothing is finite", x.low, x.high))
        })?;
        let y = Scale { low, high, logarithmic: false };
        let (width, height) = self.size.unwrap_or((640, 400));
        let area = (f64::from(width.max(1)), f64::from(height.max(1)));
        let is_alone = curves.len() == 1;
        let layer = |(color, curve): (usize, &Curve)| {
            let both = [curve.name.as_str(), curve.case.as_str()];
            let words: Vec<&str> = both.into_iter().filter(|part| !part.is_empty()).collect();
            Layer::Line {
                label: if is_alone { String::new() } else { words.join(", ") },
                points: sample(&|x| value(curve, x), x, y, area),
                color,
                dashed: color > 0,
            }
        };
        Ok(Figure {
            title: self.title.clone().unwrap_or_else(|| self.usual_title()),
            x: Axis { label: self.x_label(over, &targets), ..axis },
            y: Axis { label: self.y_label(over), range: Some((low, high)), logarithmic: false },
            layers: curves.iter().enumerate().map(layer).collect(),
            width,
            height,
        })
    }

    /// What all can be drawn over.
    fn over(&self) -> Result<Over, Error> {
        let [first, rest @ ..] = self.losses.as_slice() else {
            return Err(Error::Curves("there is no loss to draw: name one".into()));
        };
        let suits = Over::of(first);
        for loss in rest {
            let other = Over::of(loss);
            if !suits.is_like(other) {
                return Err(Error::Curves(format!(
                    "{} and {} have no axis in common: {} is drawn over {}, {} over {}; draw them apart",
                    first.id(),
                    loss.id(),
                    first.id(),
                    suits.name(),
                    loss.id(),
                    other.name()
                )));
            }
        }
        let numbers =
            |loss: &Loss| (loss.description().component_names(), loss.description().target);
        let other = rest.iter().find(|loss| numbers(loss) != numbers(first));
        if let Some(loss) = other.filter(|_| suits == Over::Component) {
            return Err(Error::Curves(format!(
                "{} and {} do not predict the same numbers: draw them apart",
                first.id(),
                loss.id()
            )));
        }
        let all = |over| self.losses.iter().all(|loss| Over::of(loss) == over);
        let mixed = match suits {
            Over::Residual | Over::Number if !all(suits) => Over::Number,
            Over::Margin | Over::Score if !all(suits) => Over::Margin,
            _ => suits,
        };
        let asked = match self.against {
            None => return Ok(mixed),
            Some(Against::Residual) => Over::Residual,
            Some(Against::Margin) => Over::Margin,
            Some(Against::Probability) if suits == Over::ClassProbability => suits,
            Some(Against::Probability) => Over::Probability,
            Some(Against::Prediction) => match suits {
                Over::Residual => Over::Number,
                Over::Margin => Over::Score,
                other => other,
            },
        };
        if suits.is_like(asked) {
            return Ok(asked);
        }
        Err(Error::Curves(format!(
            "{} cannot be drawn over {}: it is a loss of {}",
            first.id(),
            asked.name(),
            suits.name()
        )))
    }

    /// The targets that curves are drawn for; none where the axis holds the target, or it is a class.
    fn targets(&self, over: Over) -> Result<Vec<f64>, Error> {
        if let Some(target) = self.target {
            if over.is_class() || over == Over::Margin {
                return Err(Error::Curves(format!(
                    "over {} no target can be given: {}",
                    over.name(),
                    if over == Over::Margin {
                        "the margin holds it"
                    } else {
                        "it is one of the classes"
                    },
                )));
            }
            for loss in &self.losses {
                let domain = loss.description().target;
                if !target.is_finite() || !domain.contains(target) {
                    return Err(Error::Curves(format!(
                        "{target} is no target of {}: it is {domain}",
                        loss.id()
                    )));
                }
            }
            return Ok(vec![target]);
        }
        let d = self.losses[0].description();
        let is_alone = self.losses.len() == 1;
        let all_residual = self.losses.iter().all(|loss| Over::of(loss) == Over::Residual);
        Ok(match over {
            Over::Residual | Over::Number if all_residual => vec![0.0],
            Over::Number | Over::LogMean if is_alone => vec![1.0, 2.0, 4.0],
            Over::Residual | Over::Number | Over::LogMean => vec![2.0],
            Over::Score | Over::Probability | Over::Distance => vec![1.0, 0.0],
            Over::Component => vec![match d.target {
                Domain::Positive | Domain::NonNegative => 1.0,
                Domain::Unit | Domain::OpenUnit => 0.5,
                _ => 0.0,
            }],
            _ => Vec::new(),
        })
    }

    fn usual_range(&self, over: Over, targets: &[f64]) -> (f64, f64) {
        let width = self.width();
        let (low, high) = ends(targets);
        let size = if high.abs().max(low.abs()) == 0.0 { 1.0 } else { high.abs().max(low.abs()) };
        let domain = self.losses[0].description().prediction_domain(0);
        match over {
            Over::Residual => (-width, width),
            Over::Number if self.losses.iter().any(|loss| Over::of(loss) == Over::Residual) => {
                (low - width, high + width)
            }
            Over::Number if domain == Domain::Real => (low - 1.25 * size, high + size),
            Over::Number => (0.0, 2.5 * size),
            Over::LogMean => {
                // Halves are the same on every machine, logarithms are not.
                let middle = |x: f64| if x > 0.0 { (2.0 * x.ln()).round() / 2.0 } else { -1.0 };
                (middle(low) - 2.0, middle(high) + 1.5)
            }
            Over::Margin => (-3.0, 3.0),
            Over::Probability | Over::ClassProbability => (0.0, 1.0),
            Over::Distance => (0.0, 3.0),
            Over::Component => match domain {
                Domain::Real if self.losses[0].description().components.is_empty() => {
                    (low - 3.0, high + 3.0)
                }
                Domain::Real => (-4.0, 4.0),
                Domain::Unit | Domain::OpenUnit => (0.0, 1.0),
                _ => (0.0, 4.0),
            },
            Over::Score | Over::ClassScore | Over::Thresholds => (-5.0, 5.0),
            Over::ClassLogProbability => (-5.0, 0.0),
        }
    }

    /// How far residuals go on either side: so far that what a scale does is seen.
    fn width(&self) -> f64 {
        let scales = self.losses.iter().flat_map(|loss| {
            let parameters = loss.description().parameters.iter().zip(loss.parameters());
            parameters.filter(|(p, value)| p.role == Role::Scale && **value > 0.0).map(|p| *p.1)
        });
        let largest = scales.fold(0.0, f64::max);
        if largest == 0.0 {
            return 3.0;
        }
        let wanted = if largest <= 1.0 { 3.0 * largest } else { f64::max(3.0, 1.6 * largest) };
        let digits = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0];
        let round = (-300..300).flat_map(|power| digits.map(|digit| digit * ten(power)));
        let mut enough = round.filter(|width| *width >= wanted * (1.0 - 1e-9));
        enough.next().unwrap_or(wanted)
    }

    fn curves(&self, over: Over, targets: &[f64]) -> Vec<Curve> {
        let mut curves = Vec::new();
        for (loss, name) in self.losses.iter().zip(self.names()) {
            for (example, case) in self.cases(loss, over, targets) {
                curves.push(Curve { loss: loss.clone(), example, name: name.clone(), case });
            }
        }
        curves
    }

    /// The examples of a loss that become curves, each with what is special about it.
    fn cases(&self, loss: &Loss, over: Over, targets: &[f64]) -> Vec<(Example, String)> {
        let single = |target: f64| Example::Single { sign: 1.0, shift: 0.0, target };
        let plain = |example: Example| vec![(example, String::new())];
        let negative = if loss.description().target == Domain::Sign { -1.0 } else { 0.0 };
        match over {
            Over::Residual if Over::of(loss) == Over::Residual => plain(single(0.0)),
            Over::Residual => {
                plain(Example::Single { sign: 1.0, shift: targets[0], target: targets[0] })
            }
            Over::Margin => {
                let positive = single(1.0);
                let negative = Example::Single { sign: -1.0, shift: 0.0, target: negative };
                let differs = |x: f64| {
                    let of = |example: &Example| example.value(loss, Order::Loss, x);
                    (of(&positive) - of(&negative)).abs() > 1e-9 * of(&positive).abs()
                };
                if (-8..=8).any(|x| differs(f64::from(x) / 4.0)) {
                    vec![(positive, "positive".into()), (negative, "negative".into())]
                } else {
                    plain(positive)
                }
            }
            Over::Component => components(loss, targets[0]),
            Over::ClassScore | Over::ClassProbability | Over::ClassLogProbability => {
                rows(loss, over, classes(&self.losses), self.losses.len() == 1)
            }
            Over::Thresholds => {
                let form = Row::Given(vec![0.0, -2.0, 0.0, 2.0]);
                let case = |label| {
                    let target = shares(4, label, 1.0);
                    (Example::Row { form: form.clone(), target }, format!("class {label}"))
                };
                (0..4).map(case).collect()
            }
            Over::Number | Over::LogMean | Over::Score | Over::Probability | Over::Distance => {
                let is_class = !matches!(over, Over::Number | Over::LogMean);
                let case = |&target: &f64| {
                    let is_negative = is_class && self.target.is_none() && target == 0.0;
                    let target = if is_negative { negative } else { target };
                    let case = format!("target {}", number(target));
                    (single(target), if targets.len() > 1 { case } else { String::new() })
                };
                targets.iter().map(case).collect()
            }
        }
    }

    /// What tells the losses apart; empty if there is only one.
    fn names(&self) -> Vec<String> {
        if self.losses.len() == 1 {
            return vec![String::new()];
        }
        let first = &self.losses[0];
        let parameters = first.description().parameters;
        let differs = |at: usize| {
            self.losses.iter().any(|loss| loss.parameters().get(at) != first.parameters().get(at))
        };
        let different: Vec<usize> = (0..parameters.len()).filter(|&at| differs(at)).collect();
        if different.is_empty() || !self.is_family() {
            return self.losses.iter().map(name).collect();
        }
        let value = |loss: &Loss, at: usize| {
            let written = parameters[at].range.write(loss.parameters()[at]);
            format!("{} = {}", parameters[at].name, short(&written).replace('-', "\u{2212}"))
        };
        let names = self
            .losses
            .iter()
            .map(|loss| different.iter().map(|&at| value(loss, at)).collect::<Vec<_>>().join(", "));
        names.collect()
    }

    /// Whether they are one loss with different parameters.
    fn is_family(&self) -> bool {
        let first = &self.losses[0];
        !first.description().parameters.is_empty()
            && self.losses.iter().all(|loss| loss.id() == first.id())
    }

    fn usual_title(&self) -> String {
        let what = match self.order {
            Order::Loss => "",
            Order::Gradient => "Gradient of ",
            Order::Second => "Second derivative of ",
        };
        match self.losses.as_slice() {
            [one] => format!("{what}{}", name(one)),
            [first, ..] if self.is_family() => format!("{what}{}", first.id()),
            _ => String::new(),
        }
    }

    fn x_label(&self, over: Over, targets: &[f64]) -> String {
        let at = match targets {
            [target]
                if !self.losses.iter().all(|loss| Over::of(loss) == Over::Residual)
                    || over != Over::Residual =>
            {
                format!(" (target {})", number(*target))
            }
            _ => String::new(),
        };
        let classes = classes(&self.losses);
        let whose = if self.losses.len() == 1 { "a class" } else { "the true class" };
        match over {
            Over::Residual => format!("residual: prediction \u{2212} target{at}"),
            Over::Number => format!("prediction{at}"),
            Over::LogMean => format!("logarithm of the predicted mean{at}"),
            Over::Margin => "margin: target \u{d7} prediction".into(),
            Over::Score => format!("score of the class 1{at}"),
            Over::Probability => format!("probability of the class 1{at}"),
            Over::Distance => format!("predicted distance{at}"),
            Over::Component => match self.losses[0].description().components.first() {
                Some(component) => format!("{}{at}", spaced(component.name)),
                None => format!("predicted quantile; the others are the target{at}"),
            },
            Over::ClassScore => {
                format!("score of {whose}; that of the {} others is 0", classes - 1)
            }
            Over::ClassProbability => {
                format!("probability of {whose}; the {} others are alike", classes - 1)
            }
            Over::ClassLogProbability => {
                format!("log-probability of {whose}; the {} others are alike", classes - 1)
            }
            Over::Thresholds => "score; thresholds \u{2212}2, 0 and 2".into(),
        }
    }

    fn y_label(&self, over: Over) -> String {
        let by = match (over, self.losses[0].description().components.first()) {
            (Over::Component, Some(component)) => format!(" by {}", spaced(component.name)),
            (Over::Margin, _) => " by the margin".into(),
            // The others move along the axis, but not in the derivative.
            (Over::ClassProbability | Over::ClassLogProbability, _) => " by it alone".into(),
            _ => String::new(),
        };
        match self.order {
            Order::Loss => "loss".into(),
            Order::Gradient => format!("gradient{by}"),
            Order::Second => format!("second derivative{by}"),
        }
    }
}

/// The most characters of a formula in a legend.
const LONGEST_LABEL: usize = 40;

fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

/// The least and the largest.
fn ends(numbers: &[f64]) -> (f64, f64) {
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low > high { (0.0, 0.0) } else { (low, high) }
}

/// The loss with its parameters, but for those that change nothing.
fn name(loss: &Loss) -> String {
    // A formula itself, but for one too long for a legend: its parameters alone.
    if let Some(text) = loss.typed_text() {
        if text.chars().count() <= LONGEST_LABEL {
            return text;
        }
        let named = loss.named_parameters().into_iter();
        let named: Vec<String> =
            named.map(|(name, value)| format!("{name}={}", short(&value.to_string()))).collect();
        let shown = format!("formula({})", named.join(", "));
        return if named.is_empty() || shown.chars().count() > LONGEST_LABEL {
            loss.id().to_owned()
        } else {
            shown
        };
    }
    let parameters = loss.description().parameters;
    if parameters.is_empty() {
        return loss.to_string();
    }
    let is_telling = |p: &Parameter| p.default != 0.0;
    let are_few = parameters.iter().filter(|p| is_telling(p)).count() <= 2;
    let all = parameters.iter().zip(loss.parameters());
    let shown = all.filter(|(p, value)| **value != p.default || are_few && is_telling(p));
    let shown = shown.map(|(p, value)| format!("{}={}", p.name, short(&p.range.write(*value))));
    let shown: Vec<String> = shown.collect();
    if shown.is_empty() {
        loss.id().to_owned()
    } else {
        format!("{}({})", loss.id(), shown.join(", "))
    }
}

/// A number as short as it can be written.
fn short(written: &str) -> &str {
    written.strip_suffix(".0").unwrap_or(written)
}

fn number(x: f64) -> String {
    format!("{x}").replace('-', "\u{2212}")
}

/// Cases of a loss of a row: the open number is that of the true class, or of another one.
fn rows(loss: &Loss, over: Over, classes: usize, is_alone: bool) -> Vec<(Example, String)> {
    let form = match over {
        Over::ClassScore => Row::Given(vec![0.0; classes]),
        Over::ClassProbability => Row::Probabilities(classes),
        _ => Row::LogProbabilities(classes),
    };
    let of =
        |class, share| Example::Row { form: form.clone(), target: shares(classes, class, share) };
    // Where every class must be possible, none is certain.
    let inside = if over == Over::ClassProbability { 0.5 } else { -1.0 };
    if !of(0, 1.0).value(loss, Order::Loss, inside).is_finite() {
        let cases = [(0, "where the target is 0.8"), (1, "where it is low")];
        return cases.map(|(class, case)| (of(class, 0.8), case.into())).into();
    }
    if !is_alone {
        return vec![(of(0, 1.0), String::new())];
    }
    let cases = [(0, "of the true class"), (1, "of another class")];
    cases.map(|(class, case)| (of(class, 1.0), case.into())).into()
}

/// A target of which this share is in one class, and the rest spread over the others.
fn shares(classes: usize, class: usize, share: f64) -> Vec<f64> {
    let mut target = vec![(1.0 - share) / (classes - 1) as f64; classes];
    target[class] = share;
    target
}

/// So many classes that a count among the parameters leaves some out.
fn classes(losses: &[Loss]) -> usize {
    let of = |loss: &Loss| -> usize {
        let counts = loss.description().parameters.iter().zip(loss.parameters());
        let counts =
            counts.filter(|(p, _)| p.range.kind == Kind::Whole && p.range.high.is_infinite());
        counts.map(|(_, value)| value.min(100.0) as usize + 1).max().unwrap_or(0)
    };
    losses.iter().map(of).fold(3, usize::max)
}

/// Cases of a loss of several predicted numbers: the first is open, the second takes some values.
fn components(loss: &Loss, target: f64) -> Vec<(Example, String)> {
    let components = loss.description().components;
    if components.is_empty() {
        // Where one of them is the target, its part of the loss is 0.
        let levels = ["lowest", "middle", "highest"];
        let cases = levels.iter().enumerate().map(|(open, level)| {
            let example = Example::Several { numbers: vec![target; 3], open, target };
            (example, format!("{level} of 3"))
        });
        return cases.collect();
    }
    let usual = |domain: Domain| match domain {
        Domain::Unit | Domain::OpenUnit => [0.5, 0.25, 0.75],
        Domain::Positive | Domain::NonNegative => [1.0, 0.5, 2.0],
        _ => [0.0, -1.0, 1.0],
    };
    let numbers: Vec<f64> = components.iter().map(|component| usual(component.domain)[0]).collect();
    let Some(second) = components.get(1) else {
        return vec![(Example::Several { numbers, open: 0, target }, String::new())];
    };
    let mut values = usual(second.domain);
    values.sort_by(f64::total_cmp);
    let case = |value: f64| {
        let mut numbers = numbers.clone();
        numbers[1] = value;
        let label = format!("{} {}", spaced(second.name), number(value));
        (Example::Several { numbers, open: 0, target }, label)
    };
    values.map(case).into()
}

/// The part of the vertical axis that is shown: 0 and all of the curves, unless few values are far from
/// most.
fn seen(curves: &[Vec<f64>], order: Order) -> Option<(f64, f64)> {
    let defined =
        |curve: &Vec<f64>| -> Vec<f64> { curve.iter().copied().filter(|y| !y.is_nan()).collect() };
    let curves: Vec<Vec<f64>> = curves.iter().map(defined).collect();
    if !curves.iter().flatten().any(|y| y.is_finite()) {
        return None;
    }
    let flipped: Vec<Vec<f64>> =
        curves.iter().map(|curve| curve.iter().map(|y| -y).collect()).collect();
    // Where a loss is lowest is what one looks for.
    let (low, high) =
        (-top(&flipped, if order == Order::Loss { 20.0 } else { 2.0 }), top(&curves, 2.0));
    let span = high - low;
    if span < 1e-290 {
        return Some((-1.0, 1.0));
    }
    let air = |end: f64| if end == 0.0 { 0.03 } else { 0.06 };
    Some((low - span * air(low), high + span * air(high)))
}

/// Up to where curves are shown: all of them, unless they go so many times beyond where the middle one of
/// them is most of the time.
fn top(curves: &[Vec<f64>], times: f64) -> f64 {
    let mut usual = Vec::new();
    for curve in curves {
        let mut finite: Vec<f64> = curve.iter().copied().filter(|y| y.abs() < 1e300).collect();
        finite.sort_by(f64::total_cmp);
        let often = finite.len().saturating_sub(1) * 93 / 100;
        usual.extend(finite.get(often).map(|y| y.max(0.0)));
    }
    usual.sort_by(f64::total_cmp);
    let most = curves.iter().flatten().copied().fold(0.0, f64::max);
    let above = usual[usual.len() / 2..].iter().find(|usual| **usual > 0.0);
    match above.map(|usual| 1.5 * usual) {
        Some(enough) if most > times * enough => enough,
        _ if most < 1e300 => most,
        _ => 1.0,
    }
}
