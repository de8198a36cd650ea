//! The ceiling of a kernel: the same bytes read and written, with no arithmetic.

use rayon::prelude::*;

/// The memory that a kernel reads and writes.
pub struct Streams {
    prediction: Vec<f32>,
    target: Vec<f32>,
    results: Vec<Vec<f32>>,
}

impl Streams {
    /// Predictions, targets, and as many results as predictions: derivatives up to an order.
    pub fn new(predictions: usize, targets: usize, order: usize) -> Self {
        let filled = |n: usize| (0..n).map(|at| at as f32).collect();
        Self {
            prediction: filled(predictions),
            target: filled(targets),
            results: vec![filled(predictions); order],
        }
    }

    /// Reads and writes everything once, by as many threads as there are if it is much.
    /// `streaming` stores go past the cache.
    pub fn pass(&mut self, streaming: bool) {
        const MUCH: usize = 1 << 18;
        let n = self.prediction.len();
        let threads = if n < MUCH { 1 } else { rayon::current_num_threads() };
        let run = n.div_ceil(threads);
        let targets = self.target.len();
        // Targets of rows are read on the side; those of single predictions are written with them.
        let per_row = targets < n;
        let part = |at: usize, results: &mut Vec<&mut [f32]>| {
            let from = at * run;
            let prediction = &self.prediction[from..(from + run).min(n)];
            let share = from * targets / n..(from + prediction.len()) * targets / n;
            let target = &self.target[share];
            let (target, mix) = if per_row { (prediction, read(target)) } else { (target, 0) };
            // By blocks, so that a second result does not read everything from memory again.
            for start in (0..prediction.len()).step_by(lossfn::BLOCK) {
                let block = start..(start + lossfn::BLOCK).min(prediction.len());
                let (a, b) = (&prediction[block.clone()], &target[block.clone()]);
                for to in results.iter_mut() {
                    copy(a, b, mix, &mut to[block.clone()], streaming);
                }
            }
        };
        let mut parts: Vec<Vec<&mut [f32]>> = (0..threads).map(|_| Vec::new()).collect();
        for result in &mut self.results {
            parts.iter_mut().zip(result.chunks_mut(run)).for_each(|(part, run)| part.push(run));
        }
        if threads == 1 {
            part(0, &mut parts[0]);
        } else {
            parts.par_iter_mut().enumerate().for_each(|(at, results)| part(at, results));
        }
    }
}

/// All bits of some numbers, mixed.
fn read(numbers: &[f32]) -> u32 {
    numbers.iter().fold(0, |mix, x| mix ^ x.to_bits())
}

fn copy(a: &[f32], b: &[f32], mix: u32, to: &mut [f32], streaming: bool) {
    #[cfg(target_arch = "x86_64")]
    {
        if streaming && is_x86_feature_detected!("avx") {
            // SAFETY: the processor has these instructions.
            return unsafe { copy_past_cache(a, b, mix, to) };
        }
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has these instructions.
            return unsafe { copy_avx512(a, b, mix, to) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has these instructions.
            return unsafe { copy_avx2(a, b, mix, to) };
        }
    }
    copy_plainly(a, b, mix, to);
}

#[inline(always)]
fn copy_plainly(a: &[f32], b: &[f32], mix: u32, to: &mut [f32]) {
    for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
        *to = f32::from_bits(a.to_bits() ^ b.to_bits() ^ mix);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn copy_avx512(a: &[f32], b: &[f32], mix: u32, to: &mut [f32]) {
    copy_plainly(a, b, mix, to);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn copy_avx2(a: &[f32], b: &[f32], mix: u32, to: &mut [f32]) {
    copy_plainly(a, b, mix, to);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx")]
fn copy_past_cache(a: &[f32], b: &[f32], mix: u32, to: &mut [f32]) {
    use std::arch::x86_64::{
        __m256, _mm_sfence, _mm256_loadu_ps, _mm256_set1_ps, _mm256_stream_ps, _mm256_xor_ps,
    };
    const LANES: usize = 8;
    // SAFETY: any bits are numbers.
    let (head, body, tail) = unsafe { to.align_to_mut::<__m256>() };
    let from = head.len();
    copy_plainly(&a[..from], &b[..from], mix, head);
    let mixed = _mm256_set1_ps(f32::from_bits(mix));
    for (at, to) in body.iter_mut().enumerate() {
        let at = from + at * LANES;
        let (a, b) = (a[at..at + LANES].as_ptr(), b[at..at + LANES].as_ptr());
        // SAFETY: both have so many numbers, and `to` is aligned.
        unsafe {
            let x = _mm256_xor_ps(_mm256_loadu_ps(a), _mm256_loadu_ps(b));
            _mm256_stream_ps(std::ptr::from_mut(to).cast(), _mm256_xor_ps(x, mixed));
        }
    }
    let rest = from + body.len() * LANES;
    copy_plainly(&a[rest..], &b[rest..], mix, tail);
    _mm_sfence();
}
