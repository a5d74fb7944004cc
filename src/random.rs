//! Random numbers, for pauses and keys; they are not meant for secrets.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// Returns 64 random bits.
pub(crate) fn bits() -> u64 {
    // The keys of a new `RandomState` differ each time, and so does its hash of no data.
    RandomState::new().build_hasher().finish()
}

/// Returns a random number from 0 (inclusive) to 1 (exclusive).
pub(crate) fn fraction() -> f64 {
    (bits() >> 11) as f64 / (1_u64 << 53) as f64
}
