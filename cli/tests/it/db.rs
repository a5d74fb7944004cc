//! `bowline db`, on a server.

use bowline::testing::LocalServer;
use bowline::{Session, StatementDsl as _, sql_query};

use crate::Project;
use crate::terminal::Terminal;

fn server() -> LocalServer {
    LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"))
}

fn has(server: &LocalServer, database: &str) -> bool {
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let query = sql_query("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind::<diesel::sql_types::Text, _>(database);
    session.run(query.affected()).expect("an answer") == 1
}

/// Returns output with a placeholder for the server's folder.
fn printed(project: &Project, server: &LocalServer, arguments: &[&str], database: &str) -> String {
    let url = server.url(database);
    let printed = project.printed(arguments, &[("DATABASE_URL", &url)]);
    printed.replace(&server.socket_folder().display().to_string(), "[server]")
}

#[test]
fn a_database_is_created_once_and_dropped_once() {
    let (project, server) = (Project::new(&[]), server());
    insta::assert_snapshot!(printed(&project, &server, &["db", "create"], "My-app"), @r"
    created the database My-app on [server]:5432
    exit 0
    ");
    assert!(has(&server, "My-app"));
    insta::assert_snapshot!(printed(&project, &server, &["db", "create"], "My-app"), @r"
    note: the database My-app already exists on [server]:5432
    exit 0
    ");
    insta::assert_snapshot!(printed(&project, &server, &["db", "drop"], "My-app"), @r"
    error: did not drop the database My-app on [server]:5432: there is no terminal to ask for confirmation
    hint: pass --yes to do it without confirmation
    exit 1
    ");
    assert!(has(&server, "My-app"));
    insta::assert_snapshot!(printed(&project, &server, &["db", "drop", "--yes"], "My-app"), @r"
    dropped the database My-app on [server]:5432
    exit 0
    ");
    assert!(!has(&server, "My-app"));
    insta::assert_snapshot!(printed(&project, &server, &["db", "drop", "--yes"], "My-app"), @r"
    note: the database My-app does not exist on [server]:5432
    exit 0
    ");
}

#[test]
fn other_sessions_are_ended_only_with_force() {
    let (project, server) = (Project::new(&[]), server());
    printed(&project, &server, &["db", "create"], "app");
    let mut other = Session::connect(&server.config("app")).expect("a connection");
    insta::assert_snapshot!(printed(&project, &server, &["db", "drop", "--yes"], "app"), @r#"
    error: failed to drop the database app on [server]:5432: database "app" is being accessed by other users
    hint: pg_stat_activity lists the connected sessions; --force ends them
    exit 1
    "#);
    assert!(other.run(sql_query("SELECT 1").affected()).is_ok());
    assert!(
        printed(
            &project,
            &server,
            &["db", "drop", "--yes", "--force"],
            "app"
        )
        .ends_with("exit 0")
    );
    assert!(other.run(sql_query("SELECT 1").affected()).is_err());
    assert!(!has(&server, "app"));
}

#[test]
fn a_template_is_not_dropped() {
    let (project, server) = (Project::new(&[]), server());
    insta::assert_snapshot!(printed(&project, &server, &["db", "drop", "--yes"], "template1"), @r"
    error: failed to drop the database template1 on [server]:5432: cannot drop a template database
    exit 1
    ");
}

#[test]
fn a_reset_leaves_only_the_migrations() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE a (id int PRIMARY KEY);",
    )]);
    let server = server();
    let is_there = |table: &str| {
        let mut session = Session::connect(&server.config("app")).expect("a connection");
        let query = format!("SELECT 1 WHERE to_regclass('{table}') IS NOT NULL");
        session.run(sql_query(query).affected()).expect("an answer") == 1
    };
    assert!(
        printed(&project, &server, &["db", "reset", "--yes"], "app").ends_with("exit 0"),
        "none is there yet"
    );
    Session::connect(&server.config("app"))
        .and_then(|mut session| session.run(sql_query("CREATE TABLE by_hand (id int)").affected()))
        .expect("a table");
    assert!(is_there("a") && is_there("by_hand"));
    let reset = printed(&project, &server, &["db", "reset", "--yes"], "app");
    let times = regex::Regex::new(r"\([^)]*s\)").expect("an expression");
    insta::assert_snapshot!(times.replace_all(&reset, "[time]"), @r"
    dropped the database app on [server]:5432
    created the database app on [server]:5432
    ran 1_a [time]
    1 migration, 1 run now
    exit 0
    ");
    assert!(is_there("a") && !is_there("by_hand"));
}

#[test]
fn an_invalid_folder_destroys_nothing() {
    let project = Project::new(&[("migrations/1_a/down.sql", "")]);
    let server = server();
    printed(&project, &server, &["db", "create"], "app");
    insta::assert_snapshot!(printed(&project, &server, &["db", "reset", "--yes"], "app"), @r"
    error: [project]/migrations/1_a has no up.sql
    hint: write it, or remove the folder
    exit 1
    ");
    assert!(has(&server, "app"));
}

#[test]
fn the_maintenance_database_itself_is_created() {
    let (project, server) = (Project::new(&[]), server());
    let there = printed(&project, &server, &["db", "create"], "postgres");
    assert!(there.contains("already exists"), "{there}");
    let mut session = Session::connect(&server.config("template1")).expect("a connection");
    session
        .run(sql_query("DROP DATABASE postgres").affected())
        .expect("it is dropped");
    drop(session);
    assert!(
        printed(&project, &server, &["db", "create"], "app").ends_with("exit 0"),
        "template1 serves as well"
    );
}

#[test]
fn a_terminal_is_asked_and_no_drops_nothing() {
    let (project, server) = (Project::new(&[]), server());
    printed(&project, &server, &["db", "create"], "app");
    let url = server.url("app");
    let drop = |answer: &[u8]| {
        let mut terminal =
            Terminal::run(&project.path(""), &["db", "drop", "--database-url", &url]);
        let question = terminal.wait_for("[y/N]");
        assert!(question.contains("drop the database app on "), "{question}");
        terminal.press(answer);
        terminal.end().code()
    };
    assert_eq!(drop(b"\n"), Some(1));
    assert_eq!(drop(b"no\n"), Some(1));
    assert!(has(&server, "app"));
    assert_eq!(drop(b"y\n"), Some(0));
    assert!(!has(&server, "app"));
}

#[test]
fn a_database_that_is_not_named_is_not_dropped() {
    let (project, server) = (Project::new(&[]), server());
    let urls = [
        "host=/nowhere user=postgres",
        "host=/nowhere user=postgres dbname=''",
        "postgres:///?host=/nowhere&user=postgres",
        "postgres://postgres@/?host=/nowhere&dbname=",
    ];
    for url in urls.map(str::to_owned).into_iter().chain([server.url("")]) {
        for command in ["drop", "reset"] {
            let printed = project.printed(&["db", command, "--yes", "--database-url", &url], &[]);
            assert_eq!(
                printed,
                "error: the URL names no database, so nothing is dropped\n\
                 hint: name it at the end of the URL: postgres://user@host:5432/database\nexit 1"
            );
        }
    }
    let by_variables = [("PGHOST", "/nowhere"), ("PGUSER", "postgres")];
    let printed = project.printed(&["db", "drop", "--yes"], &by_variables);
    assert!(printed.contains("names no database"), "{printed}");
    assert!(has(&server, "postgres"));
}
