//! Random numbers, for pauses and keys; nothing secret hangs on them.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// 64 random bits.
pub(crate) fn bits() -> u64 {
    // The keys of a new `RandomState` differ each time, and so does the hash of nothing under them.
    RandomState::new().build_hasher().finish()
}

/// A number from 0 up to 1.
pub(crate) fn fraction() -> f64 {
    (bits() >> 11) as f64 / (1_u64 << 53) as f64
}
