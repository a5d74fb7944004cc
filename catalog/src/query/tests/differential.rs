//! Random queries: the checker agrees with a server, or it refuses.

use std::cell::RefCell;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::choices::Choices;
use super::counts::Counts;
use super::query_names::{QueryNames, built_in, labels, relations};
use super::rows;
use super::schema::schema;
use super::schema_run::Trial;
use super::server::Server;
use crate::Catalog;
use crate::query::{Checker, Fault, Query};
use crate::testing::replayed;

/// The number of queries that are checked with one schema.
const PER_SCHEMA: usize = 25;

/// Returns a number from an environment variable.
pub(super) fn number(variable: &str, otherwise: u32) -> u32 {
    let given = std::env::var(variable).ok();
    given
        .and_then(|given| given.parse().ok())
        .unwrap_or(otherwise)
}

/// Checks random queries. `checker` creates the checker of a schema from its catalog.
pub(super) fn compare<'c, C>(
    name: &str,
    seed: u32,
    queries: usize,
    most: usize,
    checker: impl Fn(Catalog, &Server) -> C,
) -> Counts
where
    C: Fn(&str, &[bool]) -> Result<Query, Fault> + 'c,
{
    let mut runner = TestRunner::new(Config {
        cases: u32::try_from(queries.div_ceil(PER_SCHEMA)).expect("a small number"),
        failure_persistence: None,
        // A failing query is shortened by simpler choices.
        max_shrink_iters: 0,
        rng_seed: RngSeed::Fixed(seed.into()),
        ..Config::default()
    });
    let mut server = Server::start(name);
    server.rows("SET client_min_messages = error");
    server.rows("SET statement_timeout = '1s'");
    let (functions, operators) = built_in(&mut server);
    let server = RefCell::new(server);
    let counts = RefCell::new(Counts::default());
    let list = |length| prop::collection::vec(any::<u16>(), length);
    let cases = (
        list(400),
        list(300),
        prop::collection::vec(list(200), PER_SCHEMA),
    );
    let outcome = runner.run(&cases, |(of_schema, of_rows, queries)| {
        let (mut server, mut counts) = (server.borrow_mut(), counts.borrow_mut());
        let schema = schema(&mut Choices::new(&of_schema), server.version);
        server.create(&schema.sql);
        let statements = schema.sql + &schema.late;
        let catalog = replayed(&statements);
        let world = QueryNames {
            relations: relations(&catalog),
            functions: functions.clone(),
            operators: operators.clone(),
            version: server.version,
        };
        let labels = labels(&catalog);
        let is_empty = of_rows[0] % 5 == 0;
        if !is_empty {
            let choices = &mut Choices::new(&of_rows);
            rows::insert(&mut server, &world.relations, &labels, choices);
        }
        server.rows(&schema.late);
        let check = checker(catalog.clone(), &server);
        let mut trial = Trial {
            server: &mut server,
            world: &world,
            catalog: &catalog,
            check: &check,
            labels: &labels,
            rows: &of_rows,
        };
        for choices in queries {
            counts.add(&mut trial, &statements, &choices);
        }
        match counts.failures.len() < most {
            true => Ok(()),
            false => Err(TestCaseError::fail("enough")),
        }
    });
    let counts = counts.take();
    if counts.failures.is_empty() {
        outcome.expect("nothing else fails");
    }
    counts
}

#[test]
fn random_queries_are_typed_as_a_server_types_them() {
    let queries = number("BOWLINE_QUERIES", 250) as usize;
    let most = number("BOWLINE_FAILURES", 1) as usize;
    let seed = number("BOWLINE_SEED", 7);
    let checker = |catalog: Catalog, server: &Server| {
        let version = Some(server.version);
        move |sql: &str, nullable: &[bool]| {
            Checker::new(&catalog)
                .for_version(version)
                .check_with(sql, nullable)
        }
    };
    let counts = compare("differential", seed, queries, most, checker);
    counts.print();
    let mut failures: Vec<_> = counts.failures.values().collect();
    failures.sort_by_key(|(_, report)| report.len());
    let failures: Vec<String> = failures
        .iter()
        .map(|(count, report)| format!("{count} times {report}"))
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(counts.valid * 2 > counts.queries, "most queries are valid");
}

/// Returns the files of SQL in a folder, in their order, except those that revert migrations.
fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("a file").path());
    let mut paths: Vec<_> = paths
        .filter(|path| !path.to_string_lossy().ends_with("down.sql"))
        .collect();
    paths.sort();
    let texts = paths.iter().map(std::fs::read_to_string);
    texts.collect::<Result<_, _>>().expect("texts")
}

/// The folder is one that `script/query-corpus` made.
#[test]
fn queries_of_a_project_are_typed_as_a_server_types_them() {
    let Some(folder) = std::env::var_os("BOWLINE_CORPUS") else {
        return;
    };
    let folder = Path::new(&folder);
    let mut server = Server::start("project");
    server.create("");
    let migrations = files(&folder.join("migrations"));
    for text in &migrations {
        server.rows(text);
    }
    server.learn_types();
    let catalog = replayed(&migrations.join("\n;\n"));
    let relations = relations(&catalog);
    let labels = labels(&catalog);
    let of_rows: Vec<u16> = (0..4000).map(|n| (n * n * 31 + n * 7) as u16).collect();
    server.rows("SET statement_timeout = '1s'");
    // Rows are inserted after the rows to which they refer.
    let choices = &mut Choices::new(&of_rows);
    for _ in 0..4 {
        rows::insert(&mut server, &relations, &labels, choices);
    }
    let (functions, operators) = (Vec::new(), Vec::new());
    let world = QueryNames {
        relations,
        functions,
        operators,
        version: server.version,
    };
    let check = |sql: &str, nullable: &[bool]| Checker::new(&catalog).check_with(sql, nullable);
    let mut trial = Trial {
        server: &mut server,
        world: &world,
        catalog: &catalog,
        check: &check,
        labels: &labels,
        rows: &of_rows,
    };
    let mut counts = Counts::default();
    for text in files(&folder.join("queries")) {
        let sql = text.trim().trim_end_matches(';');
        let verdict = trial.try_sql(sql);
        if let Some(failure) = counts.count(&mut trial, sql, verdict) {
            let report = format!("{}: {sql}\n{}\n", failure.class, failure.words);
            counts.fail(&failure, &report);
        }
    }
    counts.print();
    let failures: Vec<_> = counts
        .failures
        .values()
        .map(|(_, report)| report.as_str())
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
