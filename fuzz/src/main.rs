//! Arbitrary text as a migration: replay neither panics nor goes on for ever. `script/fuzz` runs it.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| bowline_cli::replay_text(text));
