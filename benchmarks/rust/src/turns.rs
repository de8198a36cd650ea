//! Contests: calls that take turns, so that whatever else the machine does hits them alike.

use serde_json::{Value, json};
use std::time::{Duration, Instant};

type Call<'a> = Box<dyn FnMut() + 'a>;

/// Work that several contestants do.
pub struct Contest<'a> {
    part: &'static str,
    work: String,
    elements: usize,
    contestants: Vec<(&'static str, Call<'a>)>,
}

/// Short calls are repeated until a turn takes this long.
const TURN: Duration = Duration::from_micros(100);
/// Before a turn of short calls there is one that does not count: it brings the data into the cache.
const SHORT: Duration = Duration::from_millis(5);
const TURNS: std::ops::RangeInclusive<usize> = 5..=201;

impl<'a> Contest<'a> {
    pub fn new(part: &'static str, work: impl Into<String>, elements: usize) -> Self {
        Self { part, work: work.into(), elements, contestants: Vec::new() }
    }

    pub fn with(mut self, name: &'static str, call: impl FnMut() + 'a) -> Self {
        self.contestants.push((name, Box::new(call)));
        self
    }

    /// Lets them take turns for about this time, and prints a line of JSON: the nanoseconds of a call in
    /// each turn.
    pub fn run(self, time: Duration) {
        let Self { part, work, elements, mut contestants } = self;
        let once = |call: &mut Call<'a>| {
            let start = Instant::now();
            call();
            start.elapsed().max(Duration::from_nanos(1))
        };
        // The second call: the first may set things up.
        let takes: Vec<Duration> = contestants
            .iter_mut()
            .map(|(_, call)| {
                call();
                once(call)
            })
            .collect();
        let calls: Vec<u32> =
            takes.iter().map(|&takes| (TURN.as_nanos() / takes.as_nanos()) as u32 + 1).collect();
        let round: Duration = takes.iter().zip(&calls).map(|(&takes, &calls)| takes * calls).sum();
        let turns = (time.as_nanos() / round.as_nanos()) as usize;
        let mut times: Vec<Vec<f64>> = vec![Vec::new(); contestants.len()];
        for _ in 0..turns.clamp(*TURNS.start(), *TURNS.end()) {
            for (at, (_, call)) in contestants.iter_mut().enumerate() {
                if takes[at] < SHORT {
                    call();
                }
                let start = Instant::now();
                for _ in 0..calls[at] {
                    call();
                }
                times[at].push(start.elapsed().as_nanos() as f64 / f64::from(calls[at]));
            }
        }
        let names = contestants.iter().map(|(name, _)| (*name).to_owned());
        let times: serde_json::Map<String, Value> =
            names.zip(times).map(|(name, times)| (name, json!(times))).collect();
        let threads = rayon::current_num_threads();
        println!(
            "{}",
            json!({"part": part, "work": work, "elements": elements, "threads": threads, "times": times})
        );
    }
}
