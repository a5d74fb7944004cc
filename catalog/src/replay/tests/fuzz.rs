//! Replay of arbitrary text neither panics nor loops without end.

use std::time::{Duration, Instant};

use super::super::syntax::parse::is_certainly_parsed;
use super::super::*;
use super::migration;
use super::statements::corpus;

/// Random numbers from a seed (xorshift), so that a failure can be reproduced.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (below.max(1) as u64)).expect("less than a usize")
    }
}

/// Returns the SQL of the sample bank, and every statement of the random histories.
pub(super) fn seeds() -> Vec<String> {
    let files = crate::testing::bank()
        .into_iter()
        .map(|migration| migration.up.text);
    files.chain(corpus()).collect()
}

/// Cuts, repeats, swaps and mixes pieces of text, at any character.
fn mutate(random: &mut Random, seeds: &[String]) -> String {
    let mut text: Vec<char> = seeds[random.next(seeds.len())].chars().collect();
    for _ in 0..=random.next(6) {
        let (a, b) = (random.next(text.len() + 1), random.next(text.len() + 1));
        let (start, end) = (a.min(b), a.max(b));
        match random.next(6) {
            0 => drop(text.drain(start..end.min(start + 12))),
            1 => {
                let piece: Vec<char> = text[start..end.min(start + 40)].to_vec();
                let at = random.next(text.len() + 1);
                text.splice(at..at, piece);
            }
            2 => {
                let other: Vec<char> = seeds[random.next(seeds.len())].chars().collect();
                let from = random.next(other.len() + 1);
                text.splice(start..start, other[from..].iter().copied().take(60));
            }
            3 => {
                const STRANGE: [&str; 14] = [
                    "'",
                    "\"",
                    "$$",
                    "(",
                    ")",
                    ";",
                    "é",
                    "\0",
                    "--",
                    "/*",
                    "::",
                    "[",
                    ".",
                    "\u{1F980}",
                ];
                text.splice(start..start, STRANGE[random.next(STRANGE.len())].chars());
            }
            4 => text.truncate(end),
            _ if start < text.len() && b < text.len() => text.swap(start, b),
            _ => {}
        }
    }
    text.into_iter().take(20_000).collect()
}

#[test]
fn arbitrary_text_neither_panics_nor_loops() {
    let seeds = seeds();
    let start = Instant::now();
    let longest = std::env::var("BOWLINE_FUZZ_SECONDS")
        .ok()
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(6);
    let mut random = Random(0x5eed_b0e1_1e5e_ed01);
    let mut last = String::new();
    while start.elapsed() < Duration::from_secs(longest) {
        let one = Instant::now();
        let text = mutate(&mut random, &seeds);
        let errors = squawk_syntax::SourceFile::parse(&text).errors();
        assert!(
            errors.is_empty() || !is_certainly_parsed(&text),
            "this has errors that the quick check misses:\n{text}"
        );
        // Earlier statements create objects that the mutated text can use.
        let whole = format!("{last}\n{text}");
        let outcome = std::panic::catch_unwind(|| replay(&[migration(&whole), migration(&text)]));
        assert!(outcome.is_ok(), "this panics:\n{whole}");
        let replayed = outcome.expect("it did not panic");
        for refusal in &replayed.refusals {
            // A refusal can be displayed for any text.
            let source = refusal.source.get(refusal.span.clone());
            assert!(source.is_some() && refusal.line() > 0);
        }
        assert!(
            one.elapsed() < Duration::from_secs(10),
            "this takes long:\n{whole}"
        );
        last = text;
    }
}

#[test]
fn replay_of_deep_nesting_ends() {
    for depth in [100, 2_000] {
        let text = format!(
            "CREATE VIEW v AS SELECT {}1{}",
            "(".repeat(depth),
            ")".repeat(depth)
        );
        let folded = format!(
            "CREATE TABLE t (a int CHECK ({}a{}));",
            "(".repeat(depth),
            ")".repeat(depth)
        );
        drop(replay(&[migration(&text), migration(&folded)]));
    }
}

/// The fuzzer found a loop that parsed a long query in each iteration.
#[test]
fn an_endless_loop_is_refused_soon() {
    let query = format!("SELECT {} FROM t INTO n;", vec!["a + b"; 400].join(" + "));
    let started = Instant::now();
    let replayed = replay(&[migration(&format!(
        "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 2);
         DO $$ DECLARE n int; BEGIN LOOP {query} EXECUTE 'CREATE TABLE IF NOT EXISTS u ()'; END LOOP; END $$;"
    ))]);
    assert_eq!(replayed.refusals.len(), 1);
    assert!(started.elapsed() < Duration::from_secs(40));
}

/// PostgreSQL refuses these drops and these renames. Replay goes on after a refusal.
#[test]
fn a_view_over_a_type_that_consists_of_itself_ends() {
    for definition in [
        "CREATE TYPE m AS ENUM ('a'); CREATE TYPE r AS RANGE (subtype = m); DROP TYPE m; ALTER TYPE r RENAME TO m",
        "CREATE DOMAIN m AS int; CREATE DOMAIN r AS m; DROP DOMAIN m; ALTER DOMAIN r RENAME TO m",
    ] {
        let text = format!(
            "{definition};\nCREATE TABLE t (a m, b m[]); CREATE VIEW v AS SELECT a, b FROM t;"
        );
        let replayed = replay(&[migration(&text)]);
        let catalog = &replayed.catalog;
        assert_eq!(catalog.relations.len(), 2, "{:?}", replayed.refusals);
        assert!(replayed.refusals[0].why.contains("depends on"));
    }
}
