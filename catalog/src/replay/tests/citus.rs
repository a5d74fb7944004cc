//! The functions of Citus: what replay makes of them, and what a real cluster does.
//!
//! The cases are one list. Replay's results are snapshots. Where `BOWLINE_CITUS_URL` names a
//! database of a cluster, the same list runs there, and both must agree on each case.

use bowline::{Config, Session};
use diesel::connection::SimpleConnection as _;

use super::*;
use crate::alter::alter_script;
use crate::compare::{Aspect, Difference, compare};
use crate::testing::{introspect, rolled_back};

/// Statements that Citus accepts.
const ACCEPTED: &str = include_str!("citus/accepted.sql");

/// Statements of which Citus refuses the last.
const REFUSED: &str = include_str!("citus/refused.sql");

/// Returns the cases of a file: each is a line.
fn cases(file: &str) -> impl Iterator<Item = &str> {
    let lines = file.lines();
    lines.filter(|line| !line.is_empty() && !line.starts_with("--"))
}

/// Returns how the tables are distributed, one on a line.
fn distributions(catalog: &Catalog) -> String {
    let mut groups: Vec<u32> = Vec::new();
    let mut out = String::new();
    for relation in catalog.relations.values() {
        let Some(distribution) = &relation.distribution else {
            continue;
        };
        write!(out, "    {} {}", relation.name.sql(), distribution.words()).expect("a string");
        if let Some(shards) = distribution.shards {
            write!(out, ", {shards} shards").expect("a string");
        }
        if let Some(group) = distribution.group {
            let number = groups.iter().position(|other| *other == group);
            let number = number.unwrap_or_else(|| {
                groups.push(group);
                groups.len() - 1
            });
            write!(out, ", group {number}").expect("a string");
        }
        out.push('\n');
    }
    out
}

#[test]
fn distributed_tables_stand_in_the_catalog() {
    let mut out = String::new();
    for case in cases(ACCEPTED) {
        let replayed = replay(&[migration(case)]);
        let refusals: Vec<_> = replayed.refusals.iter().map(ToString::to_string).collect();
        assert!(refusals.is_empty(), "{case}\n{}", refusals.join("\n"));
        writeln!(out, "{case}\n{}", distributions(&replayed.catalog)).expect("a string");
    }
    insta::assert_snapshot!(out);
}

#[test]
fn a_group_that_the_server_decides_is_asked_for() {
    let unclear =
        "CREATE TABLE p(j int); SELECT create_distributed_table('p', 'j', shard_count => 4);
        CREATE TABLE q(j int); SELECT create_distributed_table('q', 'j')";
    let refusals = replay(&[migration(unclear)]).refusals;
    let [only] = refusals.as_slice() else {
        panic!("one refusal: {refusals:?}");
    };
    assert_eq!(
        (only.why.as_str(), only.hint.as_str()),
        (
            "whether this table is co-located with p depends on citus.shard_count of the server",
            "write colocate_with => 'p' or colocate_with => 'none'"
        )
    );
}

#[test]
fn what_citus_refuses_is_refused_in_its_words() {
    let mut out = String::new();
    for case in cases(REFUSED) {
        let replayed = replay(&[migration(case)]);
        let refusals: Vec<_> = replayed
            .refusals
            .iter()
            .map(|refusal| &refusal.why)
            .collect();
        let [why] = refusals.as_slice() else {
            panic!("one refusal of {case}: {refusals:?}");
        };
        writeln!(out, "{case}\n    {why}\n").expect("a string");
    }
    insta::assert_snapshot!(out);
}

/// Returns a session of the cluster's coordinator, if there is a cluster.
fn cluster() -> Option<Session> {
    let url = std::env::var("BOWLINE_CITUS_URL").ok()?;
    let config = Config::from_url(&url).expect("a URL");
    Some(Session::connect(&config).expect("a connection"))
}

/// Runs a case on the cluster, and returns the catalog that it made, or the error.
fn on_the_cluster(session: &mut Session, case: &str) -> Result<Catalog, String> {
    let done = rolled_back(session, |session| {
        let sequential = "SET LOCAL citus.multi_shard_modify_mode TO 'sequential'";
        session.batch_execute(sequential).expect("a setting");
        // Citus sends the text of DDL on to the workers, and that has to be one statement.
        for statement in bowline_sql::statements(case) {
            if let Err(error) = session.batch_execute(statement.text()) {
                return Ok(Err(error.to_string()));
            }
        }
        Ok(Ok(introspect(session).expect("the catalog")))
    });
    match done {
        Ok(done) => done,
        Err(error) => Err(error.to_string()),
    }
}

/// Returns how the distribution of two catalogs differs, in words.
fn distribution_differs(replayed: &Catalog, found: &Catalog) -> Vec<String> {
    let is_of_citus = |found: &Difference| {
        let aspect = found.how.aspect();
        aspect.is_some_and(|it| matches!(it, Aspect::Distribution | Aspect::Colocation))
    };
    let differences = compare(replayed, found).into_iter().filter(is_of_citus);
    differences
        .map(|difference| difference.sentence("replay", "Citus"))
        .collect()
}

#[test]
fn a_cluster_distributes_as_replay_says() {
    let Some(mut session) = cluster() else {
        return;
    };
    let mut wrong = Vec::new();
    for case in cases(ACCEPTED) {
        let replayed = replay(&[migration(case)]).catalog;
        match on_the_cluster(&mut session, case) {
            Err(error) => wrong.push(format!("{case}\n    refused: {error}")),
            Ok(found) => {
                let words = distribution_differs(&replayed, &found);
                wrong.extend(
                    words
                        .into_iter()
                        .map(|words| format!("{case}\n    {words}")),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_script_of_a_catalog_distributes_its_tables() {
    let Some(mut session) = cluster() else {
        return;
    };
    let mut wrong = Vec::new();
    for case in cases(ACCEPTED).filter(|case| !case.starts_with("SET citus.")) {
        let replayed = replay(&[migration(case)]).catalog;
        let empty = Catalog::default();
        let script = alter_script(&replayed, &empty, &compare(&replayed, &empty));
        match on_the_cluster(&mut session, &script) {
            Err(error) => wrong.push(format!("{case}\n{script}\n    refused: {error}")),
            Ok(found) => {
                let words = distribution_differs(&replayed, &found);
                wrong.extend(
                    words
                        .into_iter()
                        .map(|words| format!("{script}\n    {words}")),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_cluster_refuses_what_replay_refuses() {
    let Some(mut session) = cluster() else {
        return;
    };
    let taken: Vec<&str> = cases(REFUSED)
        .filter(|case| on_the_cluster(&mut session, case).is_ok())
        .collect();
    assert!(taken.is_empty(), "Citus takes:\n{}", taken.join("\n"));
}
