//! Arbitrary text as a migration: replay must not panic, and must end. `script/fuzz` runs it.

#![no_main]

use bowline_catalog::replay::replay;
use bowline_migrations::SqlFile;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let up = SqlFile {
        path: "up.sql".into(),
        text: text.to_owned(),
    };
    for refusal in &replay([&up]).refusals {
        // The lines of a refusal that the command prints exist, for any text.
        std::hint::black_box((&refusal.source[refusal.first_line()], refusal.to_string()));
    }
});
