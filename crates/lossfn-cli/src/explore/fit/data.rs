//! Points to fit: given, or sampled by a seed alone.

use serde::Deserialize;
use std::f64::consts::{PI, TAU};

/// Both coordinates of a point lie from 0 to this.
pub const PLANE: f64 = 10.0;
/// As many points may be fitted.
pub const MOST_POINTS: usize = 400;
/// Points lie on a grid of this step, so that an address can say where they are.
const GRID: f64 = 0.01;

/// Numbers that look random and depend on the seed alone (`SplitMix64`).
pub struct Random(pub u64);

impl Random {
    /// Evenly from 0 to below 1.
    pub fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ x >> 31) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From the normal distribution with mean 0 and standard deviation 1 (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (TAU * self.unit()).cos()
    }
}

/// What a sample for regression lies about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    Line,
    Curve,
}

/// A sample for regression. The same seed gives the same pattern at any noise.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegressionSample {
    pub seed: u64,
    pub trend: Trend,
    /// Points about the trend.
    pub count: usize,
    /// Their standard deviation from it.
    pub noise: f64,
    /// Points far below or above it, which come last.
    pub outliers: usize,
}

impl RegressionSample {
    pub fn points(&self) -> Result<Vec<[f64; 2]>, String> {
        within("points", self.count as f64, 0.0, MOST_POINTS as f64)?;
        within("outliers", self.outliers as f64, 0.0, 40.0)?;
        within("noise", self.noise, 0.0, PLANE)?;
        let trend = |x: f64| match self.trend {
            Trend::Line => 2.0 + 0.6 * x,
            Trend::Curve => 5.0 + 2.6 * (0.75 * x - 0.5).sin(),
        };
        let mut random = Random(self.seed);
        let count = self.count as f64;
        let usual = (0..self.count).map(|at| {
            let x = 0.4 + (PLANE - 0.8) * (at as f64 + random.unit()) / count;
            [x, trend(x) + self.noise * random.normal()]
        });
        let mut points: Vec<_> = usual.collect();
        // They gather on one side, where they can turn a line.
        let mut random = Random(!self.seed);
        points.extend((0..self.outliers).map(|_| {
            let x = 7.2 + 2.4 * random.unit();
            let far = 4.0 + 1.5 * random.unit();
            [x, if trend(x) > far { trend(x) - far } else { trend(x) + far }]
        }));
        Ok(points.into_iter().map(|point| point.map(on_grid)).collect())
    }
}

/// How the classes of a sample lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Round clouds.
    Blobs,
    /// Arcs that reach into one another.
    Moons,
}

/// A sample for classification. Noise of the labels leaves the points where they are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassSample {
    pub seed: u64,
    pub layout: Layout,
    /// 2 or 3.
    pub classes: usize,
    pub count: usize,
    /// The standard deviation of the points of a class.
    pub spread: f64,
    /// How much smaller each class is than the one before it: 0 for equal sizes, 0.9 for a tenth.
    pub imbalance: f64,
    /// The share of points whose label is that of another class.
    pub label_noise: f64,
}

impl ClassSample {
    /// The points and their classes.
    pub fn points(&self) -> Result<(Vec<[f64; 2]>, Vec<usize>), String> {
        within("classes", self.classes as f64, 2.0, 3.0)?;
        within("points", self.count as f64, 0.0, MOST_POINTS as f64)?;
        within("spread", self.spread, 0.0, PLANE)?;
        within("imbalance", self.imbalance, 0.0, 0.99)?;
        within("label noise", self.label_noise, 0.0, 1.0)?;
        let sizes: Vec<f64> =
            (0..self.classes).map(|class| (1.0 - self.imbalance).powi(class as i32)).collect();
        let total: f64 = sizes.iter().sum();
        let mut random = Random(self.seed);
        let (mut points, mut labels) = (Vec::new(), Vec::new());
        for at in 0..self.count {
            // Classes take turns by their size, so that every number of points has all of them.
            let place = (at as f64 + 0.5) / self.count as f64 * total;
            let mut below = 0.0;
            let class = sizes.iter().take_while(|&&size| {
                below += size;
                below <= place
            });
            let class = class.count().min(self.classes - 1);
            let [x, y] = self.centre(class, random.unit());
            let point = [x + self.spread * random.normal(), y + self.spread * random.normal()];
            points.push(point.map(on_grid));
            let (is_noise, other) = (random.unit() < self.label_noise, random.unit());
            let step = 1 + (other * (self.classes - 1) as f64) as usize;
            labels.push(if is_noise { (class + step) % self.classes } else { class });
        }
        Ok((points, labels))
    }

    fn centre(&self, class: usize, along: f64) -> [f64; 2] {
        match self.layout {
            Layout::Blobs => [[3.3, 3.4], [6.9, 5.2], [3.6, 7.6]][class],
            Layout::Moons => {
                let ([x, y], turn) =
                    [([3.9, 3.4], 0.0), ([6.1, 4.4], PI), ([5.0, 7.4], 0.0)][class];
                let radius = if class == 2 { 1.2 } else { 2.4 };
                let angle = turn + PI * along;
                [x + radius * angle.cos(), y + radius * angle.sin()]
            }
        }
    }
}

fn on_grid(x: f64) -> f64 {
    let place = (x.clamp(0.0, PLANE) / GRID).round();
    // Divided, 3 / 100 is the number that "0.03" is read as.
    place / (1.0 / GRID)
}

/// Refuses a number outside its range.
pub fn within(what: &str, value: f64, low: f64, high: f64) -> Result<(), String> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(format!("{what}: {value} is not from {low} to {high}"))
}

/// Refuses points that cannot be fitted.
pub fn check_points(points: &[[f64; 2]]) -> Result<(), String> {
    if points.len() > MOST_POINTS {
        return Err(format!("{} points are more than {MOST_POINTS}: take some away", points.len()));
    }
    for (at, point) in points.iter().enumerate() {
        for (name, &value) in ["x", "y"].iter().zip(point) {
            within(&format!("point {}, {name}", at + 1), value, 0.0, PLANE)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regression() -> RegressionSample {
        RegressionSample { seed: 1, trend: Trend::Line, count: 200, noise: 0.5, outliers: 3 }
    }

    fn classes() -> ClassSample {
        ClassSample {
            seed: 1,
            layout: Layout::Blobs,
            classes: 3,
            count: 300,
            spread: 0.8,
            imbalance: 0.5,
            label_noise: 0.0,
        }
    }

    #[test]
    fn normal_numbers_have_their_moments() {
        let mut random = Random(7);
        let sample: Vec<f64> = (0..100_000).map(|_| random.normal()).collect();
        let moment = |power| sample.iter().map(|x| x.powi(power)).sum::<f64>() / 1e5;
        // Standard errors are 0.003, 0.0045 and 0.03.
        assert!(moment(1).abs() < 0.015 && (moment(2) - 1.0).abs() < 0.02);
        assert!((moment(4) - 3.0).abs() < 0.15);
    }

    #[test]
    fn a_sample_is_about_its_trend_and_says_which_points_are_outliers() {
        let points = regression().points().unwrap();
        let residuals: Vec<f64> = points.iter().map(|[x, y]| y - (2.0 + 0.6 * x)).collect();
        let deviation = (residuals[..200].iter().map(|r| r * r).sum::<f64>() / 200.0).sqrt();
        assert!((deviation - 0.5).abs() < 0.1, "{deviation}");
        assert!(residuals[200..].iter().all(|r| r.abs() > 3.9));
        assert_eq!(points, regression().points().unwrap());
        assert_ne!(points, RegressionSample { seed: 2, ..regression() }.points().unwrap());
        // More noise moves the same points further.
        let louder = RegressionSample { noise: 1.0, ..regression() }.points().unwrap();
        for (quiet, loud) in points.iter().zip(&louder).take(200) {
            let trend = 2.0 + 0.6 * quiet[0];
            assert!((loud[1] - trend - 2.0 * (quiet[1] - trend)).abs() < 0.03);
        }
    }

    #[test]
    fn classes_have_their_sizes_and_labels_their_noise() {
        let (points, labels) = classes().points().unwrap();
        let sizes =
            |labels: &[usize]| [0, 1, 2].map(|c| labels.iter().filter(|&&l| l == c).count());
        // 1 : 1/2 : 1/4
        let found = sizes(&labels);
        assert!(found.iter().zip([171, 86, 43]).all(|(&a, b)| a.abs_diff(b) <= 1), "{found:?}");
        let noisy = ClassSample { label_noise: 0.2, ..classes() };
        let (same, noisy_labels) = noisy.points().unwrap();
        assert_eq!(points, same);
        let wrong = labels.iter().zip(&noisy_labels).filter(|(a, b)| a != b).count();
        // 60 of 300, with a standard deviation of 7.
        assert!((39..=81).contains(&wrong), "{wrong}");
    }

    #[test]
    fn what_is_outside_is_refused() {
        let refused = RegressionSample { noise: f64::NAN, ..regression() }.points().unwrap_err();
        assert_eq!(refused, "noise: NaN is not from 0 to 10");
        let refused = ClassSample { classes: 4, ..classes() }.points().unwrap_err();
        assert_eq!(refused, "classes: 4 is not from 2 to 3");
        let refused = check_points(&[[0.0, 1.0], [0.0, 11.0]]).unwrap_err();
        assert_eq!(refused, "point 2, y: 11 is not from 0 to 10");
        assert!(check_points(&[[5.0; 2]; MOST_POINTS + 1]).unwrap_err().contains("take some away"));
    }
}
