//! The check, tried on losses with and without mistakes.

mod own;

use own::*;

#[test]
fn dump() {
    let all = [
        ("NaiveSoftplus", sign(NaiveSoftplus)), ("NaiveLogits", logits(NaiveLogits)), ("LogOfSigmoid", logits(LogOfSigmoid)),
        ("NaivePseudoHuber", regression(NaivePseudoHuber)), ("NaiveLogCosh", regression(NaiveLogCosh)), ("NaiveTanh", regression(NaiveTanh)),
        ("NaiveLinex", regression(NaiveLinex)), ("NaiveWelsch", regression(NaiveWelsch)), ("NaiveCauchy", regression(NaiveCauchy)),
        ("NaiveCosine", regression(NaiveCosine)), ("NaiveEntropy", probability(NaiveEntropy)), ("RootOfSquare", regression(RootOfSquare)),
        ("ClampedLogits", logits(ClampedLogits)), ("Squares", regression(Squares)), ("StableLogits", logits(StableLogits)), ("Absolute", regression(Absolute)), ("Step", regression(Step)),
        ("Dent", regression(Dent)), ("WrongSlope", regression(WrongSlope)), ("WrongSign", regression(WrongSign)), ("WrongBend", regression(WrongBend)), ("OtherSlopes", regression(OtherSlopes)),
        ("Upside", regression(Upside)), ("Swapped", sign(Swapped)), ("Shifted", regression(Shifted)), ("LogOfReal", regression(LogOfReal)), ("Nowhere", regression(Nowhere)),
        ("ZeroOverZero", regression(ZeroOverZero)), ("Pole", regression(Pole)), ("Constant", regression(Constant)), ("HiddenConstant", regression(HiddenConstant)), ("NoTarget", regression(NoTarget)), ("NoPrediction", regression(NoPrediction)), ("Unlisted", regression(Unlisted)), ("Scaled", scaled()),
    ];
    for (name, loss) in all {
        let start = std::time::Instant::now();
        let report = lossfn_check::check(&loss);
        println!("\n=== {name} {:?}  {}\n{report}", start.elapsed(), loss.formula().text(0));
    }
}

#[test]
fn timing() {
    use lossfn_check::{precise::Definition, points::{points, Precision}};
    for loss in [logits(NaiveLogits)] {
        let s = std::time::Instant::now(); let _ = loss.card(); println!("card {:?}", s.elapsed());
        let s = std::time::Instant::now(); let n = lossfn_check::stable_forms(&loss.formula(), |_| false).len(); println!("forms {n} {:?}", s.elapsed());
        for precision in [Precision::Single, Precision::Double] {
            let d = Definition::new(&loss, 1, precision);
            let ps = points(&loss, precision);
            let s = std::time::Instant::now(); for p in &ps { if p.prediction[0].abs() < 1e20 { let _ = d.results(&p.prediction, &[p.target]); }} println!("results {} {:?}", ps.len(), s.elapsed());
            let s = std::time::Instant::now(); for p in ps.iter().filter(|p| p.prediction[0].abs() < 1e6 && p.prediction[0].abs() > 1e-6).take(40) { let _ = d.truth(&p.prediction, &[p.target], 0); } println!("truths  {:?}", s.elapsed());
        }
    }
}
