//! The database that is measured.

/// The connection string, and the amount of data.
#[derive(Debug, Clone)]
pub struct Target {
    /// The URL of the database, with the folder of the Unix socket or the address of a proxy as
    /// host.
    pub url: String,
    /// The number of rows in `users`, whose keys are 1, 2, 3 and so on.
    pub users: i64,
    /// pgbench's scale: branches, a tenth of the tellers, 1/100,000 of the accounts.
    pub scale: i32,
}

/// Pseudo-random numbers, the same in each run (Knuth's linear congruential generator).
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// Returns the sequence with this number. Concurrent callers use different ones.
    pub fn series(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Returns the next number in 1 to `last`.
    pub fn up_to(&mut self, last: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let random = i64::try_from(self.0 >> 33).unwrap_or(0);
        random % last + 1
    }
}

/// The values of one transaction of pgbench's default script (PostgreSQL manual, pgbench,
/// "tpcb-like").
#[derive(Debug, Clone, Copy)]
pub struct Tpcb {
    pub aid: i32,
    pub tid: i32,
    pub bid: i32,
    pub delta: i32,
}

impl Tpcb {
    pub fn next(numbers: &mut Numbers, scale: i32) -> Self {
        let mut up_to = |last: i32| numbers.up_to(i64::from(last)) as i32;
        Self {
            aid: up_to(scale * 100_000),
            tid: up_to(scale * 10),
            bid: up_to(scale),
            delta: up_to(10_001) - 5_001,
        }
    }
}
