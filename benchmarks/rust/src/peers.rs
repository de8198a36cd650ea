//! Beside burn, candle and a plain loop over `ndarray` arrays: value and gradient by each one's autodiff.

use crate::turns::Contest;
use crate::{SHAPES, SIZES, SOFTMAX};
use burn::nn::loss::{
    BinaryCrossEntropyLossConfig, CrossEntropyLossConfig, HuberLossConfig, MseLoss, Reduction,
};
use burn::tensor::{Device as BurnDevice, Int, Tensor as BurnTensor, TensorData};
use candle_core::{Device, Tensor, Var};
use lossfn::{Cost, Examples};
use lossfn_check::points::Rng;
use lossfn_counts::loss;
use ndarray::{Array1, ArrayView2, ArrayViewMut2, Axis, Zip};
use std::hint::black_box;
use std::time::Duration;

/// A value and the gradient's first elements, by which contestants are seen to do the same.
type Answer = (f32, Vec<f32>);

pub fn contests(time: Duration) {
    for id in ["squared_error", "absolute_error", "huber", "binary_cross_entropy_with_logits"] {
        for n in SIZES {
            pointwise(id, n, time);
        }
    }
    for (rows, classes) in SHAPES {
        softmax(rows, classes, time);
    }
}

const SEEN: usize = 100;

fn agree(what: &str, ours: &Answer, theirs: &Answer) {
    let near = |a: f32, b: f32, scale: f32| (a - b).abs() <= 1e-3 * scale;
    let largest = ours.1.iter().fold(0.0f32, |most, g| most.max(g.abs()));
    let gradients = ours.1.iter().zip(&theirs.1);
    let same = near(ours.0, theirs.0, ours.0.abs())
        && ours.1.len() == theirs.1.len()
        && gradients.into_iter().all(|(&a, &b)| near(a, b, largest));
    assert!(same, "{what} computes something else: {theirs:?}, not {ours:?}");
}

fn pointwise(id: &str, n: usize, time: Duration) {
    let is_binary = id.starts_with("binary");
    let mut rng = Rng::named(id);
    let p: Vec<f32> = (0..n).map(|_| rng.between(-4.0, 4.0) as f32).collect();
    let target = |rng: &mut Rng| {
        if is_binary { rng.below(2) as f32 } else { rng.between(-4.0, 4.0) as f32 }
    };
    let y: Vec<f32> = (0..n).map(|_| target(&mut rng)).collect();

    let cost = Cost::new(loss(id));
    let mut gradient = vec![0f32; n];
    let ours = |gradient: &mut Vec<f32>| {
        cost.value_and_gradient(&p, &y, gradient).expect("numbers that it takes") as f32
    };
    let answer = (ours(&mut gradient), gradient[..SEEN].to_vec());
    let mut burn = by_burn(id, &p, &y);
    agree("burn", &answer, &burn(true));
    let mut candle = by_candle(id, &p, &y).expect("candle can be set up");
    agree("candle", &answer, &candle(true));
    let mut plain = by_loop(id, &p, &y);
    agree("the loop", &answer, &plain(true));
    Contest::new("peers", id, n)
        .with("lossfn", || {
            black_box(ours(&mut gradient));
        })
        .with("burn", || {
            black_box(burn(false));
        })
        .with("candle", || {
            black_box(candle(false));
        })
        .with("ndarray", || {
            black_box(plain(false));
        })
        .run(time);
}

/// What is called returns the beginning of the gradient if it is to be seen.
fn by_burn(id: &str, p: &[f32], y: &[f32]) -> impl FnMut(bool) -> Answer {
    let device = BurnDevice::flex().autodiff();
    let tensor = |numbers: &[f32]| {
        BurnTensor::<1>::from_data(TensorData::new(numbers.to_vec(), [numbers.len()]), &device)
    };
    let (p, y) = (tensor(p).require_grad(), tensor(y));
    let classes: BurnTensor<1, Int> = y.clone().int();
    let binary = BinaryCrossEntropyLossConfig::new().with_logits(true).init(&device);
    let huber = HuberLossConfig::new(1.0).init();
    let id = id.to_owned();
    move |seen| {
        let loss = match id.as_str() {
            "squared_error" => MseLoss::new().forward(p.clone(), y.clone(), Reduction::Mean),
            "absolute_error" => (p.clone() - y.clone()).abs().mean(),
            "huber" => huber.forward(p.clone(), y.clone(), Reduction::Mean),
            _ => binary.forward(p.clone(), classes.clone()),
        };
        let gradient = p.grad_remove(&mut loss.backward()).expect("it is a leaf");
        burn_answer(loss, gradient, seen)
    }
}

fn burn_answer<const D: usize>(loss: BurnTensor<1>, gradient: BurnTensor<D>, seen: bool) -> Answer {
    let value = loss.into_scalar::<f32>();
    let gradient = black_box(gradient);
    let start = if seen {
        gradient.into_data().try_to_vec::<f32>().expect("it is f32")[..SEEN].to_vec()
    } else {
        Vec::new()
    };
    (value, start)
}

fn by_candle(
    id: &str,
    p: &[f32],
    y: &[f32],
) -> candle_core::Result<impl FnMut(bool) -> Answer + use<>> {
    let p = Var::from_slice(p, p.len(), &Device::Cpu)?;
    let y = Tensor::from_slice(y, y.len(), &Device::Cpu)?;
    let id = id.to_owned();
    Ok(move |seen| {
        let p: &Tensor = &p;
        let answer = || {
            let loss = match id.as_str() {
                "squared_error" => candle_nn::loss::mse(p, &y)?,
                "absolute_error" => (p - &y)?.abs()?.mean_all()?,
                "huber" => candle_nn::loss::huber(p, &y, 1.0)?,
                _ => candle_nn::loss::binary_cross_entropy_with_logit(p, &y)?,
            };
            candle_answer(&loss, p, seen)
        };
        answer().expect("candle computes it")
    })
}

fn candle_answer(loss: &Tensor, p: &Tensor, seen: bool) -> candle_core::Result<Answer> {
    let gradients = loss.backward()?;
    let gradient = black_box(gradients.get(p).expect("it is a variable"));
    let start =
        if seen { gradient.flatten_all()?.narrow(0, 0, SEEN)?.to_vec1()? } else { Vec::new() };
    Ok((loss.to_scalar()?, start))
}

fn by_loop(id: &str, p: &[f32], y: &[f32]) -> Box<dyn FnMut(bool) -> Answer> {
    match id {
        "squared_error" => looped(p, y, |p, y| ((p - y) * (p - y), 2.0 * (p - y))),
        "absolute_error" => looped(p, y, |p, y| ((p - y).abs(), sign(p - y))),
        "huber" => looped(p, y, |p, y| {
            let r = p - y;
            if r.abs() <= 1.0 { (0.5 * r * r, r) } else { (r.abs() - 0.5, sign(r)) }
        }),
        _ => looped(p, y, |p, y| {
            let e = (-p.abs()).exp();
            let sigmoid = if p < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) };
            (p.max(0.0) - p * y + e.ln_1p(), sigmoid - y)
        }),
    }
}

fn sign(x: f32) -> f32 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

fn looped(
    p: &[f32],
    y: &[f32],
    of: impl Fn(f32, f32) -> (f32, f32) + 'static,
) -> Box<dyn FnMut(bool) -> Answer> {
    let (p, y) = (Array1::from(p.to_vec()), Array1::from(y.to_vec()));
    let mut gradient = Array1::<f32>::zeros(p.len());
    Box::new(move |seen| {
        let (mut sum, scale) = (0f64, 1.0 / p.len() as f32);
        Zip::from(&mut gradient).and(&p).and(&y).for_each(|g, &p, &y| {
            let (value, slope) = of(p, y);
            sum += f64::from(value);
            *g = slope * scale;
        });
        let start = if seen { gradient.iter().take(SEEN).copied().collect() } else { Vec::new() };
        ((sum / p.len() as f64) as f32, start)
    })
}

fn softmax(rows: usize, classes: usize, time: Duration) {
    let mut rng = Rng::named(SOFTMAX);
    let scores: Vec<f32> = (0..rows * classes).map(|_| rng.between(-4.0, 4.0) as f32).collect();
    let labels: Vec<i64> = (0..rows).map(|_| rng.below(classes) as i64).collect();

    let cost = Cost::new(loss(SOFTMAX));
    let mut gradient = vec![0f32; rows * classes];
    let view = ArrayView2::from_shape((rows, classes), &scores).expect("the shape fits");
    let ours = |gradient: &mut [f32]| {
        let to = ArrayViewMut2::from_shape((rows, classes), gradient).expect("the shape fits");
        cost.value_and_gradient_of(&Examples::new(view, &labels), to).expect("scores") as f32
    };
    let answer = (ours(&mut gradient), gradient[..SEEN].to_vec());

    let device = BurnDevice::flex().autodiff();
    let data = TensorData::new(scores.clone(), [rows, classes]);
    let p = BurnTensor::<2>::from_data(data, &device).require_grad();
    let classes_of = TensorData::new(labels.clone(), [rows]);
    let y = BurnTensor::<1, Int>::from_data(classes_of, &device);
    let burn_loss = CrossEntropyLossConfig::new().init(&device);
    let burn = |seen| {
        let loss = burn_loss.forward(p.clone(), y.clone());
        let gradient = p.grad_remove(&mut loss.backward()).expect("it is a leaf");
        burn_answer(loss, gradient, seen)
    };
    agree("burn", &answer, &burn(true));

    let scores_of = Var::from_slice(&scores, (rows, classes), &Device::Cpu).expect("it fits");
    let labels_of: Vec<u32> = labels.iter().map(|&label| label as u32).collect();
    let labels_of = Tensor::from_slice(&labels_of, rows, &Device::Cpu).expect("it fits");
    let candle = |seen| {
        let answer = || {
            let loss = candle_nn::loss::cross_entropy(&scores_of, &labels_of)?;
            candle_answer(&loss, &scores_of, seen)
        };
        answer().expect("candle computes it")
    };
    agree("candle", &answer, &candle(true));

    let mut by_row = ndarray::Array2::<f32>::zeros((rows, classes));
    let mut plain = |seen| {
        let (mut sum, scale) = (0f64, 1.0 / rows as f32);
        for ((mut to, row), &label) in
            by_row.axis_iter_mut(Axis(0)).zip(view.axis_iter(Axis(0))).zip(&labels)
        {
            let most = row.fold(f32::NEG_INFINITY, |most, &x| most.max(x));
            to.zip_mut_with(&row, |to, &x| *to = (x - most).exp());
            let total = to.sum();
            sum += f64::from(total.ln() + most - row[label as usize]);
            to.mapv_inplace(|e| e / total * scale);
            to[label as usize] -= scale;
        }
        let start = if seen { by_row.iter().take(SEEN).copied().collect() } else { Vec::new() };
        ((sum / rows as f64) as f32, start)
    };
    agree("the loop", &answer, &plain(true));

    Contest::new("peers", format!("{SOFTMAX} {rows}x{classes}"), rows * classes)
        .with("lossfn", || {
            black_box(ours(&mut gradient));
        })
        .with("burn", || {
            black_box(burn(false));
        })
        .with("candle", || {
            black_box(candle(false));
        })
        .with("ndarray", || {
            black_box(plain(false));
        })
        .run(time);
}
