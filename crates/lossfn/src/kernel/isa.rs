//! The choice of the instruction set: once, at run time.

use crate::number::{Fused, Isa, Unfused};
use std::sync::OnceLock;

/// The instruction sets that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum InstructionSet {
    /// What every processor of the architecture has. NEON on 64-bit ARM.
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 (F, VL, DQ, BW).
    Avx512,
}

impl InstructionSet {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// The name in the environment variable `LOSSFN_INSTRUCTION_SET`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Whether this processor has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        static AVAILABLE: OnceLock<[bool; 3]> = OnceLock::new();
        AVAILABLE.get_or_init(|| InstructionSet::ALL.map(Self::is_found))[self as usize]
    }

    fn is_found(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                Self::Avx2.is_found()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
            }
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    /// The one in use: the widest that this processor has, unless `LOSSFN_INSTRUCTION_SET` names
    /// another that it has too.
    #[must_use]
    pub fn in_use() -> Self {
        static IN_USE: OnceLock<InstructionSet> = OnceLock::new();
        *IN_USE.get_or_init(|| {
            let wanted = std::env::var("LOSSFN_INSTRUCTION_SET").ok();
            let available = || Self::ALL.into_iter().filter(|set| set.is_available());
            available()
                .find(|set| Some(set.name()) == wanted.as_deref())
                .or_else(|| available().next_back())
                .unwrap_or(Self::Portable)
        })
    }
}

/// Work to be compiled once for each instruction set. `run` must be `#[inline(always)]`.
pub(crate) trait Work {
    fn run<I: Isa>(self);
}

/// Does the work with one instruction set, falling back to the portable one where it is missing.
pub(crate) fn run<W: Work>(set: InstructionSet, work: W) {
    match set {
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 if set.is_available() => {
            // SAFETY: the processor has these instructions, as just checked.
            #[allow(unsafe_code, reason = "the one place where instruction sets are entered")]
            unsafe {
                avx512(work);
            }
        }
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 if set.is_available() => {
            // SAFETY: the processor has these instructions, as just checked.
            #[allow(unsafe_code, reason = "the one place where instruction sets are entered")]
            unsafe {
                avx2(work);
            }
        }
        _ => portable(work),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
fn avx512<W: Work>(work: W) {
    work.run::<Fused>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<W: Work>(work: W) {
    work.run::<Fused>();
}

#[cfg(target_arch = "aarch64")]
fn portable<W: Work>(work: W) {
    work.run::<Fused>();
}

#[cfg(not(target_arch = "aarch64"))]
fn portable<W: Work>(work: W) {
    work.run::<Unfused>();
}
