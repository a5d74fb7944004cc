//! The programs in `examples/` that start their own server; each checks its own results.

#[path = "../../../examples/copy.rs"]
mod copy;
#[path = "../../../examples/cursor.rs"]
mod cursor;
#[path = "../../../examples/listen.rs"]
mod listen;
#[path = "../../../examples/migrate_at_start.rs"]
mod migrate_at_start;
#[path = "../../../examples/pgbouncer.rs"]
mod pgbouncer;
#[path = "../../../examples/retry.rs"]
mod retry;

type Main = fn() -> Result<(), Box<dyn std::error::Error>>;

#[test]
fn every_example_runs() {
    let examples: [(&str, Main); 6] = [
        ("copy", copy::main),
        ("cursor", cursor::main),
        ("listen", listen::main),
        ("migrate_at_start", migrate_at_start::main),
        ("pgbouncer", pgbouncer::main),
        ("retry", retry::main),
    ];
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples"));
    let mut programs: Vec<String> = folder
        .expect("the folder of the examples")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
        // axum has a separate test; `script/demo` runs bank.
        .filter(|name| !["axum", "bank"].contains(&name.as_str()))
        .collect();
    programs.sort();
    assert_eq!(programs, examples.map(|(name, _)| name));
    for (name, main) in examples {
        main().unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
