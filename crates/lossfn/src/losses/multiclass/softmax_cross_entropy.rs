use crate::class_axis::{
    ACROSS, Across, ClassAxis, ClassBlock, ClassRow, ClassTargets, Hessian, RowGradients, SHORT,
    maximum,
};
use crate::kernel::ClassOutputs;
use crate::loss;
use crate::number::{Isa, Lane, Number, Real, Wide};
use crate::softmax::{self, OfProbability, Scores};

loss! {
    /// The negative log-likelihood of a class under the probabilities softmax(prediction).
    SoftmaxCrossEntropy: "softmax_cross_entropy" {
        aliases: ["cross_entropy", "CrossEntropyLoss", "softmax_cross_entropy_with_integer_labels", "half_multinomial_loss", "HalfMultinomialLoss", "safe_softmax_cross_entropy", "multiclass_logistic_loss"],
        task: Multiclass,
        prediction: Real "a raw score of each class: the logarithm of its probability up to a constant",
        target: NonNegative,
        link: "softmax(prediction) are the probabilities of the classes; with a soft cap or a temperature softmax of the capped scores, divided by it.",
        parameters: {
            label_smoothing = 0.0 in BELOW_ONE: "the share of the target that is spread evenly over all classes",
            temperature = 1.0 in POSITIVE: "what the scores are divided by",
            z_loss = 0.0 in NON_NEGATIVE: "what the square of the normaliser's logarithm, ln(sum(exp(score))), is multiplied by before it is added",
            soft_cap = 0.0 in NON_NEGATIVE: "the magnitude below which scores are kept, as soft_cap * tanh(prediction / soft_cap) before the temperature; 0 keeps them as they are",
        },
        optimum: "For a class index tends to 0 as that class's score outgrows the others; for a distribution lowest where softmax(prediction) equals it, with its entropy. ln(number of classes) for equal scores. Natural logarithm. With a z-loss or a soft cap the least loss is above that.",
        limits: "Smooth everywhere and exact in the tails: a loss of 1e-18 is that, not 0. No scores up to the largest finite f32 overflow. A score of minus infinity excludes a class; with a target above 0 that class costs infinity. A soft cap makes it the score -soft_cap.",
        peers: "PyTorch's cross_entropy and Optax agree but for tiny losses, and the gradient by the true class, which they round to 0. With class weights and label smoothing PyTorch's mean divides by the weights of the true classes, as the denominator 'weights' does here; for distributions PyTorch's divides by the number of examples, as 'valid' does. T5X multiplies the z-loss of an example by its weight, as here. Gemma 2 caps its final scores before anything else is done with them, as here.",
        reference: "Bridle (1990), Probabilistic Interpretation of Feedforward Classification Network Outputs, doi:10.1007/978-3-642-76153-9_28; label smoothing: Szegedy et al. (2016), arXiv:1512.00567; temperature: Hinton et al. (2015), arXiv:1503.02531; z-loss: Chowdhery et al. (2022), PaLM, arXiv:2204.02311; soft cap: Gemma Team (2024), Gemma 2, arXiv:2408.00118.",
        row_gradient: "sum(y) * softmax(p)_c - y_c, with y_c the smoothed and weighted target; with scores s_c other than p_c this times the slope of s_c; with a z-loss sum(y) * softmax(s)_c is multiplied by 1 + 2 * z_loss * ln(sum(exp(s_c)))",
        known: {
            lipschitz: yes(std::f64::consts::SQRT_2) when temperature == 1, z_loss == 0, soft_cap == 0 "because the gradient is a distribution less the target, for targets that add up to 1",
            smooth: yes(0.5) when temperature == 1, z_loss == 0, soft_cap == 0 "Böhning (1992), Multinomial logistic regression algorithm, doi:10.1007/BF00048682",
            elicits: yes = "the logarithms of the probabilities, up to a constant" when temperature == 1, z_loss == 0, soft_cap == 0 "because the expected loss is the cross-entropy of the true probabilities",
        },
        usual: true,
    }
}

impl SoftmaxCrossEntropy {
    #[inline(always)]
    fn is_plain(&self) -> bool {
        self.temperature == 1.0 && self.z_loss == 0.0 && self.soft_cap == 0.0
    }
}

impl OfProbability for SoftmaxCrossEntropy {
    #[inline(always)]
    fn scores(&self) -> Scores {
        Scores { temperature: self.temperature, soft_cap: self.soft_cap }
    }

    #[inline(always)]
    fn z_loss(&self) -> f64 {
        self.z_loss
    }

    #[inline(always)]
    fn terms<W: Wide>(&self, p: W, _q: W, surprise: W) -> [W; 4] {
        [surprise, W::new(-1.0), W::new(0.0), p]
    }
}

impl ClassAxis for SoftmaxCrossEntropy {
    fn smoothing(&self) -> Option<f64> {
        Some(self.label_smoothing)
    }

    fn hessian(&self) -> Hessian {
        Hessian::Full
    }

    #[inline(always)]
    fn hessian_row<T: Real, I: Isa>(&self, row: &ClassRow<'_, T>, vector: &[T], product: &mut [T]) {
        softmax::hessian_row::<T, I, Self>(self, row, vector, product);
    }

    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N {
        let scores = self.scores();
        let log_normaliser = scores.log_normaliser(prediction);
        let terms = prediction.iter().zip(target).map(|(&p, &y)| {
            let surprise = log_normaliser - scores.score(p);
            if self.z_loss == 0.0 {
                return y * surprise;
            }
            y * (surprise + N::parameter("z_loss", self.z_loss) * log_normaliser.square())
        });
        N::total(terms)
    }

    #[inline(always)]
    fn short_rows<T: Real, I: Isa>(
        &self,
        block: &ClassBlock<'_, T>,
        to: &mut ClassOutputs<'_, T>,
    ) -> bool {
        let labels = match block.targets {
            ClassTargets::Labels(labels)
                if self.is_plain() && block.class_weights.is_none() && block.classes <= SHORT =>
            {
                labels
            }
            _ => return false,
        };
        let mut memory = [Across::new(), Across::new()];
        for (at, labels) in labels.chunks(ACROSS).enumerate() {
            let rows = at * ACROSS..at * ACROSS + labels.len();
            let numbers = rows.start * block.classes..rows.end * block.classes;
            let part = |all: &'_ [T]| if all.is_empty() { 0..0 } else { numbers.clone() };
            let (in_gradient, in_second) = (part(to.gradient), part(to.second));
            let mut to = ClassOutputs {
                value: &mut to.value[rows],
                gradient: &mut to.gradient[in_gradient],
                second: &mut to.second[in_second],
            };
            across::<T, I>(&block.prediction[numbers], labels, block, &mut memory, &mut to);
        }
        true
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        if !self.is_plain() {
            return softmax::row::<T, I, Self>(self, row, gradients);
        }
        // The gradient takes the place of the exponentials.
        let has_gradient = gradients.gradient.is_some();
        let exponentials = gradients.gradient.as_deref_mut().unwrap_or_else(|| {
            scratch.resize(row.prediction.len(), T::default());
            scratch
        });
        let (highest, top) = maximum(row.prediction);
        // The largest exponential is exactly 1. Leaving it out of the sum keeps the digits of a
        // normaliser that is barely above 1: ln(1 + rest) instead of ln(sum).
        let rest = row.exp_shifted::<I>(highest, top, exponentials);
        exponentials[top] = T::from_f64(1.0);
        let log_normaliser = rest.ln_1p();

        let highest = highest.to_f64();
        let (mut value, total) = row.mean_of(|x| highest - x);
        value += total * log_normaliser;
        let at_top = row.share(top);

        let normaliser = 1.0 + rest;
        if let Some(second) = gradients.second.as_deref_mut() {
            let (scale, inverse) = (T::from_f64(total), T::from_f64(1.0 / normaliser));
            for (second, &e) in second.iter_mut().zip(&*exponentials) {
                let p = e * inverse;
                *second = scale * p * (T::from_f64(1.0) - p);
            }
            second[top] = T::from_f64(total / normaliser * (rest / normaliser));
        }
        if has_gradient {
            let scale = T::from_f64(total / normaliser);
            for x in &mut *exponentials {
                *x = *x * scale;
            }
            // For the top class total * p - y, without the cancellation near p = 1.
            let top_gradient = if at_top == 0.0 {
                total / normaliser
            } else {
                (total - at_top) - total * (rest / normaliser)
            };
            row.subtract_shares(exponentials);
            exponentials[top] = T::from_f64(top_gradient);
        }
        if value.is_nan() {
            return gradients.nan();
        }
        value
    }
}

/// What [`ClassAxis::row`] does, for some short rows at once. Each loop over them is of one type of number, so that
/// vectors are full.
#[inline(always)]
fn across<T: Real, I: Isa>(
    rows: &[T],
    labels: &[Option<usize>],
    block: &ClassBlock<'_, T>,
    [scores, exponentials]: &mut [Across<T>; 2],
    to: &mut ClassOutputs<'_, T>,
) {
    let (classes, smoothing) = (block.classes, block.smoothing);
    let (own, spread) = (1.0 - smoothing, smoothing / classes as f64);
    scores.read(rows, classes);
    let mut highest = [T::from_f64(f64::NEG_INFINITY); ACROSS];
    let mut top = [T::default(); ACROSS];
    for class in 0..classes {
        let number = T::from_f64(class as f64);
        for at in 0..ACROSS {
            let x = scores.0[class][at];
            top[at] = if x > highest[at] { number } else { top[at] };
            highest[at] = if x > highest[at] { x } else { highest[at] };
        }
    }
    for (to, numbers) in exponentials.0.iter_mut().zip(&scores.0).take(classes) {
        for ((to, &x), &highest) in to.iter_mut().zip(numbers).zip(&highest) {
            *to = Lane::<T, I>::new(x - highest).exp_of_negative().0;
        }
    }
    let mut rest = [0.0; ACROSS];
    for class in 0..classes {
        let number = T::from_f64(class as f64);
        let mut without_top = [T::default(); ACROSS];
        for at in 0..ACROSS {
            let e = exponentials.0[class][at];
            without_top[at] = if top[at] == number { T::default() } else { e };
        }
        for at in 0..ACROSS {
            rest[at] += without_top[at].to_f64();
        }
    }
    // How far the scores of a row are below the highest, all together.
    let mut below = [0.0; ACROSS];
    if smoothing != 0.0 {
        for numbers in &scores.0[..classes] {
            for at in 0..ACROSS {
                below[at] += highest[at].to_f64() - numbers[at].to_f64();
            }
        }
    }
    let (mut log_normaliser, mut inverse) = ([0.0; ACROSS], [0.0; ACROSS]);
    let mut scale = [T::default(); ACROSS];
    for at in 0..ACROSS {
        log_normaliser[at] = Number::ln1p(Lane::<f64, I>::new(rest[at])).0;
        inverse[at] = 1.0 / (1.0 + rest[at]);
        scale[at] = T::from_f64(inverse[at]);
    }

    // No class is below 0.
    let mut true_class = [T::from_f64(-1.0); ACROSS];
    for (at, (value, label)) in to.value.iter_mut().zip(labels).enumerate() {
        *value = 0.0;
        if let Some(label) = *label {
            true_class[at] = T::from_f64(label as f64);
            let surprise = highest[at].to_f64() - scores.0[label][at].to_f64();
            let part =
                if smoothing == 0.0 { surprise } else { surprise * own + below[at] * spread };
            *value = part + log_normaliser[at];
        }
    }
    if !to.second.is_empty() {
        // The scores are not needed any more.
        let mut of_top = [T::default(); ACROSS];
        for at in 0..ACROSS {
            of_top[at] = T::from_f64(inverse[at] * (rest[at] * inverse[at]));
        }
        for class in 0..classes {
            let number = T::from_f64(class as f64);
            for at in 0..ACROSS {
                let p = exponentials.0[class][at] * scale[at];
                let second = p * (T::from_f64(1.0) - p);
                scores.0[class][at] = if top[at] == number { of_top[at] } else { second };
            }
        }
        scores.write(to.second, classes);
    }
    if !to.gradient.is_empty() {
        // For the top class without the cancellation near p = 1.
        let mut of_top = [T::default(); ACROSS];
        for at in 0..ACROSS {
            let share = if true_class[at] == top[at] { own } else { 0.0 } + spread;
            let past = rest[at] * inverse[at];
            of_top[at] = T::from_f64(if share == 0.0 { inverse[at] } else { (1.0 - share) - past });
        }
        let spread = T::from_f64(spread);
        let own_high = T::from_f64(own);
        let own_low = T::from_f64(own - own_high.to_f64());
        for class in 0..classes {
            let number = T::from_f64(class as f64);
            for at in 0..ACROSS {
                let x = exponentials.0[class][at] * scale[at] - spread;
                let x = if true_class[at] == number { (x - own_high) - own_low } else { x };
                exponentials.0[class][at] = if top[at] == number { of_top[at] } else { x };
            }
        }
        exponentials.write(to.gradient, classes);
    }
    for (at, _) in labels.iter().enumerate().filter(|(_, label)| label.is_none()) {
        for part in [&mut *to.gradient, &mut *to.second] {
            if !part.is_empty() {
                part[at * classes..(at + 1) * classes].fill(T::default());
            }
        }
    }
}
