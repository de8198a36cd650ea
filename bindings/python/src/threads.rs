//! Work without the interpreter's lock, on threads that exist.

use pyo3::prelude::*;
use rayon::ThreadPool;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// Whether this process is the child of a fork: then the threads that its parent had are not here, and
/// work that is given to them never ends.
static FORKED: AtomicBool = AtomicBool::new(false);
/// The threads of such a child, once it needs them.
static OWN: AtomicPtr<ThreadPool> = AtomicPtr::new(ptr::null_mut());

/// To be called in the child after a fork.
#[pyfunction]
pub fn after_fork_in_child() {
    FORKED.store(true, Ordering::Relaxed);
    // Those of the parent, if it was a child itself. They cannot be joined, so they are left alone.
    OWN.store(ptr::null_mut(), Ordering::Relaxed);
}

/// Does something without holding the interpreter.
pub fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> T {
    py.detach(|| match own_threads() {
        Some(threads) => threads.install(work),
        None => work(),
    })
}

fn own_threads() -> Option<&'static ThreadPool> {
    if !FORKED.load(Ordering::Relaxed) {
        return None;
    }
    let known = OWN.load(Ordering::Acquire);
    if known.is_null() {
        // Without threads of its own the child had better do the work on this one than not at all.
        let made = Box::into_raw(Box::new(rayon::ThreadPoolBuilder::new().build().ok()?));
        let _ = OWN.compare_exchange(known, made, Ordering::AcqRel, Ordering::Acquire);
    }
    // SAFETY: null, or a pool that is never freed. One that lost the race is kept, idle.
    unsafe { OWN.load(Ordering::Acquire).as_ref() }
}
