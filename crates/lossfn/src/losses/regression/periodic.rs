use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// One minus the cosine of the residual: for angles and times of day, where a whole turn is no error.
    Periodic: "periodic" {
        aliases: ["PeriodicLoss", "cosine_of_difference", "circular_loss"],
        task: Regression,
        prediction: Real "the predicted angle, in the unit of the target",
        target: Real,
        parameters: {
            frequency = 1.0 in POSITIVE: "radians in a unit of the target: 1 for radians, 0.017453292519943295 (pi / 180) for degrees, 0.26179938779914946 (pi / 12) for hours",
        },
        optimum: "0 at prediction = target and at whole turns from it, with slope 0; 2 half a turn away.",
        limits: "Smooth everywhere, not convex, and exact for small residuals. The whole turns of residuals that are far beyond a turn are left out exactly, of the residual as it is in floating point.",
        peers: "LossFunctions.jl has it as PeriodicLoss. The negative log-likelihood of a von Mises distribution is this times its concentration, plus a constant.",
        reference: "Mardia and Jupp (1999), Directional Statistics, doi:10.1002/9780470316979.",
        known: {
            minimiser: yes(0.0) = "residual 0 and whole turns from it" "because the cosine is 1 there and nowhere else",
        },
        usual: false,
    }
}

impl Pointwise for Periodic {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let angle = (prediction - target) * N::parameter("frequency", self.frequency);
        let angle = if N::IS_FORMULA {
            angle
        } else {
            // An angle beyond all numbers counts as whole turns.
            let is_infinite = angle.abs().equals(N::constant(f64::INFINITY));
            N::select(is_infinite, N::constant(0.0), angle)
        };
        let sine = (angle * 0.5).sin();
        N::rewritten(sine * sine * 2.0, N::constant(1.0) - angle.cos())
    }
}
