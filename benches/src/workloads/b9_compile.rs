//! B9: the compile time of generated code, compared with diesel's `table!` alone.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use super::Part;
use crate::package::{Package, REPOSITORY, succeed};
use crate::server::Server;
use crate::table::Table;

pub const PART: Part = Part {
    name: "B9",
    title: "`cargo check` of a package of tables with eight columns each",
    measure,
};

/// The settings file of the command.
const SETTINGS: &str = "[print_schema]\nfile = \"src/db/schema.rs\"\n";

/// diesel's `allow_tables_to_appear_in_same_query!` of 200 tables recurses deeper than the compiler
/// allows by itself.
const LIMIT: &str = "#![recursion_limit = \"512\"]\n";

fn measure(_: &Server) -> Result<String, Box<dyn Error>> {
    let mut table = Table::new(&[
        "tables",
        "`table!` alone: CPU s",
        "generated: CPU s",
        "ratio",
        "after one table's file changed: `table!`, generated",
        "ratio",
    ]);
    for tables in [12, 50, 200] {
        let generated = generate(tables)?;
        let bare = bare(tables, &generated)?;
        let (bare, generated) = (
            checks(&bare, "src/schema.rs")?,
            checks(&generated, "src/db/t0.rs")?,
        );
        eprintln!("B9: {tables} tables: bare {bare:.1?} s, generated {generated:.1?} s");
        table.row([
            tables.to_string(),
            format!("{:.1}", bare.0),
            format!("{:.1}", generated.0),
            format!("{:.1}", generated.0 / bare.0),
            format!("{:.1}, {:.1}", bare.1, generated.1),
            format!("{:.1}", generated.1 / bare.1),
        ]);
    }
    let mut text = String::new();
    let what = "User and system time of cargo and rustc, the dependencies built; the better of two runs. \
        The first figures are without incremental compilation, those after a change with it.";
    write!(text, "{what}\n\n{table}\n")?;
    Ok(text)
}

/// Writes a package with migrations, and generates its code by the command.
fn generate(tables: usize) -> Result<Package, Box<dyn Error>> {
    let package = Package::write(&format!("generated-{tables}"), &dependencies())?;
    package.file("diesel.toml", SETTINGS)?;
    package.file(
        "build.rs",
        "fn main() { println!(\"cargo::rerun-if-changed=migrations\"); }\n",
    )?;
    package.file("src/lib.rs", &format!("{LIMIT}pub mod db;\n"))?;
    let mut migration = String::new();
    for number in 0..tables {
        write!(
            migration,
            "CREATE TABLE t{number} (\n    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n    \
             parent_id bigint NOT NULL REFERENCES t{},\n    name text NOT NULL UNIQUE,\n    \
             email text NOT NULL,\n    amount bigint NOT NULL DEFAULT 0,\n    \
             is_active boolean NOT NULL DEFAULT true,\n    \
             created_at timestamp with time zone NOT NULL DEFAULT now(),\n    note text\n);\n\
             CREATE INDEX ON t{number} (parent_id);\n",
            number / 2
        )?;
    }
    package.file("migrations/2026-01-01-000000_tables/up.sql", &migration)?;
    package.file("migrations/2026-01-01-000000_tables/down.sql", "SELECT 1;")?;
    let command = env::var_os("BENCH_COMMAND").ok_or("BENCH_COMMAND does not name bowline")?;
    succeed(
        Command::new(command)
            .arg("generate")
            .current_dir(&package.folder),
    )?;
    Ok(package)
}

/// Writes a package with the same `schema.rs` and nothing else.
fn bare(tables: usize, generated: &Package) -> Result<Package, Box<dyn Error>> {
    let package = Package::write(&format!("bare-{tables}"), &dependencies())?;
    let schema = fs::read_to_string(generated.folder.join("src/db/schema.rs"))?;
    package.file("src/schema.rs", &schema)?;
    package.file("src/lib.rs", &format!("{LIMIT}pub mod schema;\n"))?;
    Ok(package)
}

fn dependencies() -> String {
    format!(
        "bowline = {{ path = \"{REPOSITORY}\" }}\n\
         chrono = {{ version = \"0.4.45\", default-features = false, features = [\"clock\", \"serde\"] }}\n\
         diesel = {{ version = \"2.3.14\", default-features = false, \
         features = [\"postgres_backend\", \"chrono\", \"32-column-tables\"] }}\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\n"
    )
}

/// Returns the CPU seconds of a whole check, and of one after this file has changed.
fn checks(package: &Package, file: &str) -> Result<(f64, f64), Box<dyn Error>> {
    let check = |is_incremental: &str| {
        let before = children_cpu()?;
        succeed(
            package
                .cargo(&["check", "--quiet"])
                .env("CARGO_INCREMENTAL", is_incremental),
        )?;
        Ok::<_, Box<dyn Error>>(children_cpu()? - before)
    };
    let change = |file: &str| {
        let path = package.folder.join(file);
        let text = fs::read_to_string(&path)?;
        fs::write(path, format!("// Changed.\n{text}"))
    };
    let (mut whole, mut changed) = (f64::INFINITY, f64::INFINITY);
    check("0")?;
    for _ in 0..2 {
        change("src/lib.rs")?;
        whole = whole.min(check("0")?);
    }
    check("1")?;
    for _ in 0..2 {
        change(file)?;
        changed = changed.min(check("1")?);
    }
    Ok((whole, changed))
}

/// Returns the CPU seconds of all children that have ended (proc(5), `cutime` and `cstime` in
/// hundredths).
fn children_cpu() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = behind_name.split_whitespace().collect();
    let ticks = |index: usize| {
        fields
            .get(index)
            .and_then(|field| field.parse::<f64>().ok())
    };
    let (user, system) = ticks(13).zip(ticks(14)).ok_or("proc/self/stat is short")?;
    Ok((user + system) / 100.0)
}
