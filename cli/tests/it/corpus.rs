//! Generated code compiles, and each of its functions can succeed. Code is generated for every
//! folder of `tests/corpus` and compiled in one crate, and each function is called on a server.
//!
//! A case is a folder of migrations, with a `diesel.toml` and a `bowline.toml` where it needs them.

use std::fs;
use std::path::{Path, PathBuf};

use bowline::Session;
use bowline::testing::LocalServer;
use diesel::connection::SimpleConnection as _;

use bowline_cli::smoke::{self, Subject};

use crate::scratch::{Scratch, checkout};
use crate::{Project, bowline};

/// SQLSTATEs that depend on the data, and that generated values may cause: foreign keys, unique
/// keys, checks, exclusions.
const OF_THE_DATA: [&str; 4] = ["23503", "23505", "23514", "23P01"];

const WITHOUT_FOREIGN_KEYS: &str = "DO $$
    DECLARE key record;
    BEGIN
        FOR key IN SELECT conrelid::regclass AS of, conname FROM pg_constraint
            WHERE contype = 'f' AND conparentid = 0 LOOP
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', key.of, key.conname);
        END LOOP;
    END $$";

/// SQL types of fields that hold them as text.
const AS_TEXT: [(&str, &str); 3] = [("cells", "integer[]"), ("empty", ""), ("real_at", "point")];

/// Connects to the database of a case.
const CONNECTED: &str = r#"
fn connected(case: &str) -> bowline::Session {
    let url = std::env::var(format!("URL_{case}")).expect("a URL");
    let config = bowline::Config::from_url(&url).expect("it can be read");
    bowline::Session::connect(&config).expect("a connection")
}
"#;

/// Returns SQL that creates types with the names of the extension's, whose values are bytes.
fn vectors() -> String {
    let types = ["vector", "halfvec", "sparsevec"].map(|name| {
        format!(
            "CREATE TYPE {name};
            CREATE FUNCTION {name}_in(cstring) RETURNS {name} AS 'byteain' LANGUAGE internal STRICT;
            CREATE FUNCTION {name}_out({name}) RETURNS cstring AS 'byteaout' LANGUAGE internal STRICT;
            CREATE FUNCTION {name}_recv(internal) RETURNS {name} AS 'bytearecv' LANGUAGE internal STRICT;
            CREATE FUNCTION {name}_send({name}) RETURNS bytea AS 'byteasend' LANGUAGE internal STRICT;
            CREATE TYPE {name} (INPUT = {name}_in, OUTPUT = {name}_out, RECEIVE = {name}_recv, SEND = {name}_send);"
        )
    });
    types.concat()
}

/// A case of the corpus.
struct Case {
    name: String,
    folder: PathBuf,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut cases: Vec<Case> = fs::read_dir(folder)
        .expect("the corpus")
        .map(|entry| entry.expect("a folder").path())
        .map(|folder| Case {
            name: folder
                .file_name()
                .and_then(|name| name.to_str())
                .expect("a name")
                .to_owned(),
            folder,
        })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

impl Case {
    fn up_sql(&self) -> String {
        let path = format!("migrations/1_{}/up.sql", self.name);
        fs::read_to_string(self.folder.join(path)).expect("a migration")
    }

    /// Generates into a separate folder, and copies the code into the crate.
    fn generate(&self, corpus: &Scratch) {
        let read = |file: &str| fs::read_to_string(self.folder.join(file)).ok();
        let package = "[package]\nname = \"case\"\nversion = \"0.1.0\"\n";
        let project = Project::new(&[("Cargo.toml", package)]);
        for file in ["diesel.toml", "bowline.toml"] {
            if let Some(text) = read(file) {
                project.write(file, &text);
            }
        }
        project.write(
            &format!("migrations/1_{}/up.sql", self.name),
            &self.up_sql(),
        );
        let output = bowline(&project.path(""), &["generate", "--offline"], &[]);
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {printed}", self.name);
        for entry in fs::read_dir(project.path("src/db")).expect("files") {
            let path = entry.expect("a file").path();
            let text = fs::read_to_string(&path).expect("a file");
            // It names the folder of migrations relative to the package, which is another one here.
            let migrations = self.folder.join("migrations");
            let text = text.replace(
                "folder = \"migrations\"",
                &format!("folder = {:?}", migrations.display().to_string()),
            );
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .expect("a name");
            corpus.write(&format!("src/{}/db/{name}", self.name), &text);
        }
    }
}

/// Creates a crate of all cases.
fn crate_of(cases: &[Case], edition: &str) -> Scratch {
    let corpus = Scratch::new(&format!("corpus_{edition}"));
    let bowline = checkout().display();
    corpus.write(
        "Cargo.toml",
        &format!(
            "[package]\nname = \"corpus_{edition}\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n\n\
             [dependencies]\n\
             bowline = {{ path = \"{bowline}\", features = [\"jiff\", \"network-address\", \"numeric\", \"pgvector\", \"rust-decimal\", \"uuid\"] }}\n\
             chrono = {{ version = \"0.4\", features = [\"serde\"] }}\n\
             diesel = {{ version = \"2.3.14\", default-features = false, features = [\"postgres_backend\", \"chrono\", \"serde_json\", \"time\"] }}\n\
             libc = \"0.2\"\n\
             serde = {{ version = \"1\", features = [\"derive\"] }}\n\
             serde_json = \"1\"\n\
             time = {{ version = \"0.3\", features = [\"serde-human-readable\"] }}\n\n\
             [profile.dev]\ndebug = false\nincremental = false\n"
        ),
    );
    for case in cases {
        case.generate(&corpus);
    }
    let modules: String = cases
        .iter()
        .map(|case| format!("mod {};\n", case.name))
        .collect();
    let calls: String = cases
        .iter()
        .map(|case| {
            let name = &case.name;
            format!("    {name}::smoke::run(&mut reported, &mut connected(\"{name}\"));\n")
        })
        .collect();
    for case in cases {
        let db = corpus.path(&format!("src/{}/db", case.name));
        corpus.write(
            &format!("src/{}.rs", case.name),
            "pub(crate) mod db;\npub(crate) mod smoke;\n",
        );
        let program = smoke::program(&Subject {
            label: &format!("{}::", case.name),
            module: "super::db",
            folder: &db,
            texts: AS_TEXT
                .map(|(field, of)| (field.to_owned(), of.to_owned()))
                .into(),
        });
        let program = program.expect("the code");
        assert!(program.left_out.is_empty(), "{:?}", program.left_out);
        corpus.write(
            &format!("src/{}/smoke.rs", case.name),
            &format!(
                "use super::db;\n\n{}",
                program.source.replace("super::db", "db")
            ),
        );
    }
    // Builds that deny warnings have to pass.
    corpus.write(
        "src/main.rs",
        &format!(
            "#![deny(warnings)]\n\n{modules}\n{}\n{CONNECTED}\nfn main() {{\n    let mut reported = Report::default();\n{calls}    reported.print();\n}}\n",
            smoke::REPORT
        ),
    );
    corpus
}

#[test]
fn generated_code_compiles_and_every_function_can_succeed() {
    let cases = cases();
    let corpus = crate_of(&cases, "2024");
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let mut admin = Session::connect(&server.config("postgres")).expect("a connection");
    for case in &cases {
        let create = format!("CREATE DATABASE {}", case.name);
        admin.batch_execute(&create).expect("a database");
        let mut session = Session::connect(&server.config(&case.name)).expect("a connection");
        // The extension may not be at hand. Its types are those whose values are the bytes sent.
        let up_sql = case
            .up_sql()
            .replace("CREATE EXTENSION vector;", &vectors());
        session
            .batch_execute(&up_sql)
            .unwrap_or_else(|error| panic!("{}: {error}", case.name));
        // Generated values refer to no rows.
        session
            .batch_execute(WITHOUT_FOREIGN_KEYS)
            .expect("they are gone");
    }
    let built = corpus.cargo(&["build"], &[]);
    assert!(built.ends_with("exit 0"), "{built}");
    let urls: Vec<(String, String)> = cases
        .iter()
        .map(|case| (format!("URL_{}", case.name), server.url(&case.name)))
        .collect();
    let urls: Vec<(&str, &str)> = urls
        .iter()
        .map(|(name, url)| (name.as_str(), url.as_str()))
        .collect();
    let printed = corpus.cargo(&["run"], &urls);
    let printed = printed.strip_suffix("exit 0").expect(&printed);
    let refused: Vec<&str> = printed
        .lines()
        .filter(|line| {
            let code = line.split(' ').nth(1).unwrap_or_default();
            line.starts_with("failed ") && !OF_THE_DATA.contains(&code)
        })
        .collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    // With one `bool` as the key, a function that inserts two more rows never succeeds.
    let never: Vec<&str> = printed
        .lines()
        .filter(|line| line.starts_with("never ") && !line.contains(": 23505 "))
        .collect();
    assert!(never.is_empty(), "{}", never.join("\n"));
    let count = printed
        .lines()
        .filter_map(|line| line.strip_prefix("calls "));
    let count: usize = count
        .filter_map(|number| number.parse::<usize>().ok())
        .sum();
    assert!(count > 1000, "{count} calls");
}

#[test]
fn generated_code_compiles_in_the_edition_of_2021() {
    let corpus = crate_of(&cases(), "2021");
    let checked = corpus.cargo(&["check"], &[]);
    assert!(checked.ends_with("exit 0"), "{checked}");
}
