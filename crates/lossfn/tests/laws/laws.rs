//! Laws that hold for every loss of the catalog: a new loss is held to them without a line here.

use lossfn::{CATALOG, InstructionSet, Loss, Outputs};
use lossfn_testkit::judge::{Judge, Verdict};
use lossfn_testkit::points::{Precision, points, settings};
use lossfn_testkit::precise::Truth;
use rayon::prelude::*;

fn available() -> impl Iterator<Item = InstructionSet> {
    InstructionSet::ALL.into_iter().filter(|set| set.is_available())
}

/// Value, gradient and second derivative of many examples, widened to f64.
fn kernel(
    loss: &Loss,
    set: InstructionSet,
    points: &[(f64, f64)],
    precision: Precision,
) -> [Vec<f64>; 3] {
    let kernels = loss.pointwise_kernels().expect("a pointwise loss");
    macro_rules! run {
        ($float:ident, $run:ident) => {{
            let prediction: Vec<$float> = points.iter().map(|point| point.0 as $float).collect();
            let target: Vec<$float> = points.iter().map(|point| point.1 as $float).collect();
            let mut results = [(); 3].map(|()| vec![0.0; points.len()]);
            let [value, gradient, second] = &mut results;
            kernels.$run(set, &prediction, &target, Outputs { value, gradient, second });
            results.map(|result| result.into_iter().map(f64::from).collect())
        }};
    }
    match precision {
        Precision::Single => run!(f32, run_f32),
        Precision::Double => run!(f64, run_f64),
    }
}

#[test]
fn kernels_agree_with_differences_of_the_definition() {
    let losses: Vec<Loss> =
        CATALOG.iter().flat_map(settings).filter(|loss| !loss.has_class_axis()).collect();
    let wrong: Vec<String> = losses
        .par_iter()
        .flat_map(|loss| [(loss, Precision::Single), (loss, Precision::Double)])
        .flat_map_iter(|(loss, precision)| {
            let start = std::time::Instant::now();
            let points = points(loss, precision);
            let mut judge = Judge::new(loss, precision);
            let truths: Vec<Truth> = points.iter().map(|&(p, y)| judge.truth(p, y)).collect();
            let mut wrong = Vec::new();
            let (mut worst, mut nearby) = ([0; 3], 0);
            for set in available() {
                let results = kernel(loss, set, &points, precision);
                for (order, results) in results.iter().enumerate() {
                    for ((&found, &point), truth) in results.iter().zip(&points).zip(&truths) {
                        match judge.verdict(order, found, point, truth) {
                            Verdict::Exact(off) => worst[order] = worst[order].max(off),
                            Verdict::Nearby => nearby += 1,
                            Verdict::Underflow | Verdict::Overflow => {}
                            Verdict::Wrong(off) => wrong.push(format!(
                                "{} {precision:?} {loss} order {order} at {point:?}: {found:e}, \
                                 not {:e} to {:e} ({off} ulp)",
                                set.name(),
                                truth.order(order).low.to_f64(),
                                truth.order(order).high.to_f64()
                            )),
                        }
                    }
                }
            }
            println!(
                "{loss} {precision:?}: {} points, {worst:?} ulp, {nearby} nearby {:?}",
                points.len(),
                start.elapsed()
            );
            wrong
        })
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
