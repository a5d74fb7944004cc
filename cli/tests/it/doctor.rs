//! The output of `bowline doctor`: with a server that has TLS and passwords, one without them, a
//! stopped one, and with a wrong password.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use bowline::Session;
use bowline::testing::{LocalServer, Shutdown};
use diesel::connection::SimpleConnection as _;
use regex::Regex;
use testkit::tls::{PASSWORD, free_port, tls_server};

use crate::Project;

/// Returns a project with generated code.
fn project() -> Project {
    let project = Project::new(&[(
        "migrations/1_things/up.sql",
        "CREATE TABLE things (id bigint PRIMARY KEY, name text NOT NULL);",
    )]);
    assert!(project.run(&["generate"]).status.success());
    project
}

/// Returns the output with these variables, with placeholders for texts that differ from run to
/// run.
fn printed(project: &Project, variables: &[(&str, &str)], varies: &[(&str, &str)]) -> String {
    let usual = usual(project);
    let variables: Vec<_> = usual
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .chain(variables.iter().copied())
        .collect();
    let mut printed = project.printed(&["doctor"], &variables);
    for (text, shown) in varies {
        printed = printed.replace(text, shown);
    }
    for (pattern, shown) in [
        (
            r"bowline \S+, libpq 18\.\S+, OpenSSL [^\n]+",
            "bowline [version], libpq [version], OpenSSL [version]",
        ),
        (
            r"PostgreSQL \d+\.\d+ for throwaway servers, in \S+",
            "PostgreSQL [version] for throwaway servers, in [folder]",
        ),
        (r"PostgreSQL \d+\.\d+", "PostgreSQL [version]"),
        (r"\d+(\.\d+)?(ms|µs|ns|s)\b", "[time]"),
        (r"\d+ in use", "[some] in use"),
    ] {
        printed = Regex::new(pattern)
            .expect("a pattern")
            .replace_all(&printed, shown)
            .into_owned();
    }
    printed
}

/// Returns the usual variables: the project's folder as the home, and the paths of programs that
/// the tests have.
fn usual(project: &Project) -> Vec<(&'static str, String)> {
    let of_ours = |name| std::env::var(name).ok().map(|value| (name, value));
    let home = project.path("").display().to_string();
    let programs = ["PATH", "BOWLINE_PG_BIN"].into_iter();
    [("HOME", home)]
        .into_iter()
        .chain(programs.filter_map(of_ours))
        .collect()
}

#[test]
fn a_server_with_tls_and_passwords_is_described() {
    let (project, server) = (project(), tls_server());
    let mut administrator = server.administrator();
    administrator
        .batch_execute(&format!(
            "CREATE ROLE doris LOGIN PASSWORD '{PASSWORD}'; ALTER ROLE doris SET statement_timeout = '5s';
             ALTER ROLE doris SET idle_in_transaction_session_timeout = '1min'"
        ))
        .expect("a role");
    let (port, folder) = (
        server.port().to_string(),
        server.folder().display().to_string(),
    );
    let url = format!(
        "postgres://doris:{}@localhost:{port}/postgres?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert={}",
        PASSWORD.replace(' ', "%20"),
        server.authority.root().display()
    );
    let printed = printed(
        &project,
        &[("DATABASE_URL", &url)],
        &[(&port, "[port]"), (&folder, "[folder]")],
    );
    assert!(!printed.contains(PASSWORD));
    insta::assert_snapshot!("tls_and_scram", printed);
}

#[test]
fn no_tls_is_described_and_no_server_is_a_problem() {
    let project = project();
    let port = free_port().to_string();
    let settings = [("listen_addresses", "127.0.0.1"), ("port", port.as_str())];
    let server = LocalServer::private(&settings).expect("a server");
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    let varies = [(port.as_str(), "[port]")];
    let variables = [("DATABASE_URL", url.as_str())];
    let run = project.run(&["migrate", "run", "--database-url", &url]);
    assert!(run.status.success());
    insta::assert_snapshot!("without_tls", printed(&project, &variables, &varies));
    let without_it = Project::new(&[("migrations/2_more/up.sql", "CREATE TABLE more (id int);")]);
    let ahead = printed(&without_it, &variables, &varies);
    assert!(
        ahead.contains("migrations have run that are not in the folder: 1"),
        "{ahead}"
    );
    // Dropping the server would not wait until it has stopped.
    server.shut_down(Shutdown::Fast).expect("it stops");
    insta::assert_snapshot!("stopped", printed(&project, &variables, &varies));
}

#[test]
fn an_ordinary_role_sees_all_sessions_and_its_limits() {
    let project = project();
    let port = free_port().to_string();
    let settings = [("listen_addresses", "127.0.0.1"), ("port", port.as_str())];
    let _server = LocalServer::private(&settings).expect("a server");
    let url = |role: &str| format!("postgres://{role}@127.0.0.1:{port}/postgres");
    let run = project.run(&["migrate", "run", "--database-url", &url("postgres")]);
    assert!(run.status.success());
    let config = bowline::Config::from_url(&url("postgres")).expect("a URL");
    let mut other = bowline::Session::connect(&config).expect("a session");
    other
        .batch_execute("CREATE ROLE app LOGIN")
        .expect("a role");
    let printed = project.printed(&["doctor", "--database-url", &url("app")], &[]);
    assert!(
        !printed.contains(" 0 in use"),
        "there is a session of another role: {printed}"
    );
    assert!(
        printed.contains(
            "  warning  cannot read which migrations have run: permission denied for table __diesel_schema_migrations\n           \
             hint: as the owner of the table: GRANT SELECT ON __diesel_schema_migrations TO app\n"
        ),
        "{printed}"
    );
}

/// By default a pooler refuses start-up options, or takes them from version 1.20 on.
#[test]
fn a_pooler_is_named_with_what_to_do() {
    let project = project();
    let server = LocalServer::start().expect("a server");
    for more in ["", "ignore_startup_parameters = options\n"] {
        let bouncer = testkit::PgBouncer::with(&server, more);
        let printed = printed(&project, &[("DATABASE_URL", &bouncer.url())], &[]);
        assert!(
            printed.contains("goes through a pooler: the server process"),
            "{printed}"
        );
        assert!(printed.contains("Config::pooler(true)"), "{printed}");
        assert!(
            printed.contains("run migrations on a direct connection"),
            "{printed}"
        );
    }
}

#[test]
fn a_role_that_bypasses_policies_is_a_warning() {
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let mut admin = Session::connect(&server.config("postgres")).expect("a connection");
    admin
        .batch_execute(
            "CREATE ROLE owner LOGIN; CREATE ROLE clerk LOGIN; CREATE ROLE auditor LOGIN BYPASSRLS;
             CREATE TABLE orders (id int); ALTER TABLE orders OWNER TO owner;
             CREATE TABLE payments (id int); ALTER TABLE payments OWNER TO owner;
             ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
             ALTER TABLE payments ENABLE ROW LEVEL SECURITY;
             ALTER TABLE payments FORCE ROW LEVEL SECURITY;",
        )
        .expect("a schema");
    let project = project();
    let found = |role: &str| {
        let url = server
            .url("postgres")
            .replace("//postgres@", &format!("//{role}@"));
        let printed = project.printed(&["doctor"], &[("DATABASE_URL", &url)]);
        assert!(printed.contains(&format!("{role} ")), "{printed}");
        let line = printed
            .lines()
            .find(|line| line.contains(" sees all rows of "));
        line.map(|line| {
            line.trim()
                .split(", because")
                .next()
                .unwrap_or_default()
                .to_owned()
        })
    };
    assert_eq!(found("clerk"), None);
    let warning = |role: &str, tables: &str| {
        Some(format!(
            "warning  {role} sees all rows of {tables} with row level security"
        ))
    };
    assert_eq!(found("owner"), warning("owner", "1 table"));
    assert_eq!(found("auditor"), warning("auditor", "2 tables"));
    assert_eq!(found("postgres"), warning("postgres", "2 tables"));
}

#[test]
fn a_wrong_password_is_a_problem_and_is_not_shown() {
    let (project, server) = (project(), tls_server());
    let port = server.port().to_string();
    project.write(
        ".env",
        &format!(
            "DATABASE_URL=postgres://ann:s3cret$word@localhost:{port}/postgres?hostaddr=127.0.0.1\n"
        ),
    );
    let printed = printed(&project, &[], &[(&port, "[port]")]);
    assert!(!printed.contains("s3cret"));
    insta::assert_snapshot!("wrong_password", printed);
}

#[test]
fn unsafe_password_files_and_hidden_variables_are_warned() {
    let project = project();
    project.write(".pgpass", "*:*:*:ann:s3cret\n");
    fs::set_permissions(project.path(".pgpass"), fs::Permissions::from_mode(0o644)).expect("ours");
    project.write(".env", "PGUSER=bob\nPGHOST=127.0.0.1\n");
    let printed = printed(&project, &[("PGUSER", "ann"), ("PGPORT", "1")], &[]);
    let settings = printed.split("settings\n").nth(1).expect("settings");
    let settings = settings.split("server\n").next().expect("settings");
    insta::assert_snapshot!(settings, @r"
    ok       PGPORT, PGUSER in the environment
    ok       PGHOST in [project]/.env
    warning  PGUSER in [project]/.env has no effect: the environment sets it too
             hint: unset PGUSER
    ok       host 127.0.0.1, port 1, user ann, dbname ann, sslmode prefer
    warning  libpq ignores [project]/.pgpass, since other users can read it
             hint: chmod 0600 [project]/.pgpass
    ");
}

#[test]
fn json_has_the_same_findings() {
    let project = project();
    let output = project.run(&[
        "doctor",
        "--json",
        "--database-url",
        "postgres://127.0.0.1:1/x",
    ]);
    assert_eq!(output.status.code(), Some(1));
    let findings: Vec<serde_json::Value> =
        serde_json::from_slice(&output.stdout).expect("an array");
    let last = findings.last().expect("findings");
    assert_eq!(
        (&last["area"], &last["level"]),
        (&"server".into(), &"problem".into())
    );
    let message = last["found"].as_str().expect("a text");
    assert!(message.ends_with("Connection refused"), "{message}");
    assert!(
        last["remedies"]
            .as_array()
            .is_some_and(|remedies| !remedies.is_empty())
    );
}

#[test]
fn missing_openssl_headers_are_a_warning() {
    let nowhere = [("PKG_CONFIG_LIBDIR", "/nowhere"), ("PKG_CONFIG_PATH", "")];
    let printed = printed(&project(), &nowhere, &[]);
    let lines = printed
        .lines()
        .skip_while(|line| !line.contains("OpenSSL's headers"));
    let lines: Vec<_> = lines.take(2).collect();
    // On macOS they are found without pkg-config.
    if cfg!(target_os = "linux") {
        insta::assert_snapshot!(lines.join("\n"), @r"
        warning  OpenSSL's headers are not found (pkg-config --exists openssl), so cargo build would stop at openssl-sys
                 hint: install them (Debian: apt-get install libssl-dev pkg-config; Fedora: dnf install openssl-devel pkgconf; macOS: brew install openssl)
        ");
    }
}

/// Makes a program of these lines of shell.
fn program(project: &Project, path: &str, lines: &str) {
    project.write(path, &format!("#!/bin/sh\n{lines}\n"));
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(project.path(path), executable).expect("ours");
}

#[test]
fn a_compiler_that_cannot_link_is_a_warning() {
    let project = project();
    program(
        &project,
        "bin/cc",
        "echo '/usr/bin/ld: cannot find Scrt1.o: No such file or directory' >&2; exit 1",
    );
    let path = std::env::var("PATH").expect("a PATH");
    let path = format!("{}:{path}", project.path("bin").display());
    let printed = printed(&project, &[("PATH", &path)], &[]);
    let lines = printed
        .lines()
        .skip_while(|line| !line.contains("C compiler"))
        .take(2);
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
    warning  the C compiler (cc) does not link, so cargo build would stop: /usr/bin/ld: cannot find Scrt1.o: No such file or directory
             hint: install one with the C library's files (Debian: apt-get install gcc libc6-dev; Fedora: dnf install gcc; macOS: xcode-select --install)
    ");
}

#[test]
fn an_old_server_program_is_a_warning() {
    let project = project();
    program(
        &project,
        "old/postgres",
        "echo 'postgres (PostgreSQL) 14.23'",
    );
    program(&project, "old/initdb", "exit 1");
    let old = project.path("old").display().to_string();
    let printed = project.printed(&["doctor"], &[("BOWLINE_PG_BIN", &old)]);
    let lines = printed
        .lines()
        .skip_while(|line| !line.contains("throwaway servers"))
        .take(2);
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
    warning  PostgreSQL 14.23 for throwaway servers, in [project]/old, is older than the versions that Bowline is tested with
             hint: install PostgreSQL 15 or later
    ");
}

#[test]
fn stale_code_is_a_warning_with_its_files() {
    let project = project();
    project.write(
        "migrations/2_more/up.sql",
        "CREATE TABLE more (id int PRIMARY KEY);",
    );
    let printed = printed(&project, &[], &[]);
    let stale = printed
        .lines()
        .find(|line| line.contains("generated code"))
        .expect("a line");
    insta::assert_snapshot!(stale, @"  warning  the generated code does not match the migrations: src/db/mod.rs, src/db/more.rs, src/db/schema.rs");
}
