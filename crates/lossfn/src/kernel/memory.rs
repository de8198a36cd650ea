//! What the processor is told about memory. Elsewhere than on x86-64 it is not told anything.

use crate::number::Real;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m128i, _MM_HINT_T0, _mm_loadu_si128, _mm_prefetch, _mm_sfence, _mm_stream_si128,
};

/// Bytes of results from which they are written past the caches: more than a core has for itself, so that they
/// would push out everything else and be gone when they are read.
pub(crate) const LARGE: usize = 1 << 23;

/// This memory is needed soon.
#[inline]
pub(crate) fn prefetch<T>(memory: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for line in memory.chunks((64 / size_of::<T>()).max(1)) {
        // SAFETY: a hint, which reads nothing.
        #[allow(unsafe_code, reason = "an instruction of the processor")]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast());
        }
    }
}

/// Copies numbers to memory past the caches, which would be read first otherwise. Before another thread reads
/// them, [`settle`] is due.
///
/// # Panics
/// If lengths differ.
#[inline]
pub(crate) fn copy_past_caches<T: Real>(from: &[T], to: &mut [T]) {
    assert_eq!(from.len(), to.len(), "as many as there is room for");
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: numbers are as good as their bits.
        #[allow(unsafe_code, reason = "whole vectors of numbers")]
        let (before, vectors, after) = unsafe { to.align_to_mut::<__m128i>() };
        let each = size_of::<__m128i>() / size_of::<T>();
        let (first, rest) = from.split_at(before.len());
        let (within, last) = rest.split_at(vectors.len() * each);
        before.copy_from_slice(first);
        for (to, from) in vectors.iter_mut().zip(within.chunks_exact(each)) {
            // SAFETY: both are of 16 bytes, and `to` is aligned.
            #[allow(unsafe_code, reason = "an instruction of the processor")]
            unsafe {
                _mm_stream_si128(to, _mm_loadu_si128(from.as_ptr().cast()));
            }
        }
        after.copy_from_slice(last);
    }
    #[cfg(not(target_arch = "x86_64"))]
    to.copy_from_slice(from);
}

/// What was copied past the caches is there for all threads afterwards.
pub(crate) fn settle() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: it waits, and does nothing else.
    #[allow(unsafe_code, reason = "an instruction of the processor")]
    unsafe {
        _mm_sfence();
    }
}

#[cfg(test)]
mod tests {
    use super::{copy_past_caches, settle};

    #[test]
    fn every_number_arrives_wherever_it_lies() {
        let from: Vec<f32> = (0..100).map(|at| at as f32).collect();
        for start in 0..9 {
            for length in 0..60 {
                let mut to = vec![-1.0; 100];
                copy_past_caches(&from[..length], &mut to[start..start + length]);
                settle();
                let mut expected = vec![-1.0; 100];
                expected[start..start + length].copy_from_slice(&from[..length]);
                assert_eq!(to, expected);
            }
        }
    }
}
