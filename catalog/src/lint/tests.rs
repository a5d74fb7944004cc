//! The rules: the examples of the guide, and comments that hide findings.

mod citus;
mod foreign_keys;
mod forms;
mod statistics;

use std::collections::BTreeSet;
use std::path::Path;

use bowline_migrations::SqlFile;

use super::{Finding, Input, Linted, Options, Rule, lint};
use crate::Catalog;
use crate::compare::compare;
use crate::replay::replay;

/// A migration of an example.
struct Example {
    up: SqlFile,
    in_transaction: bool,
}

/// A rule's section of the guide. The examples of a rule that needs more than the migrations are
/// tried by the tests of the command.
struct Section {
    rule: Rule,
    found: Vec<Example>,
    silent: Vec<Example>,
}

fn migration(number: usize, text: &str, in_transaction: bool) -> Example {
    Example {
        up: SqlFile {
            path: format!("{number}_a/up.sql").into(),
            text: text.to_owned(),
        },
        in_transaction,
    }
}

/// Splits an example into migrations.
fn examples(text: &str) -> Vec<Example> {
    let parts = text.split("-- next migration\n").enumerate();
    parts
        .map(
            |(number, text)| match text.strip_prefix("-- without a transaction\n") {
                Some(text) => migration(number + 2, text, false),
                None => migration(number + 2, text, true),
            },
        )
        .collect()
}

/// Returns the first migration of the guide's page, and its sections.
fn guide() -> (Example, Vec<Section>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/lint.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let blocks = |text: &str| -> Vec<String> {
        text.split("```sql\n")
            .skip(1)
            .map(|block| block.split("```").next().expect("an end").to_owned())
            .collect()
    };
    let mut parts = page.split("\n### ");
    let base = blocks(parts.next().expect("a beginning")).remove(0);
    let sections = parts.map(|part| {
        let (name, text) = part.split_once('\n').expect("a text");
        let [found, silent] = blocks(text).try_into().expect("two examples");
        Section {
            rule: Rule::of_name(name).unwrap_or_else(|| panic!("{name}")),
            found: examples(&found),
            silent: examples(&silent),
        }
    });
    (migration(1, &base, true), sections.collect())
}

/// Lints an example after the first migration, with all rules.
fn linted(base: &Example, example: &[Example], postgres: Option<u32>) -> Linted {
    let inputs: Vec<Input<'_>> = std::iter::once(base)
        .chain(example)
        .map(|migration| Input {
            up: &migration.up,
            in_transaction: migration.in_transaction,
        })
        .collect();
    let options = Options {
        postgres,
        included: Rule::all().filter(|rule| rule.is_opt_in()).collect(),
        excluded: BTreeSet::new(),
    };
    let mut linted = lint(&inputs, &options);
    linted.findings.retain(|finding| finding.file > 0);
    linted
}

fn rules(findings: &[Finding]) -> Vec<Rule> {
    findings.iter().map(|finding| finding.rule).collect()
}

#[test]
fn each_rule_has_a_section_in_order() {
    let (_, sections) = guide();
    let named: Vec<Rule> = sections.iter().map(|section| section.rule).collect();
    assert_eq!(named, Rule::all().collect::<Vec<_>>());
}

#[test]
fn the_examples_of_the_guide_have_their_finding() {
    let (base, sections) = guide();
    for Section { rule, found, .. } in sections {
        let linted = linted(&base, &found, None);
        let found = rules(&linted.findings);
        assert!(
            found.contains(&rule) != rule.needs_more(),
            "{rule}: {found:?}"
        );
        // Rules of taste may have something to say about the same lines.
        let others = found
            .iter()
            .filter(|other| **other != rule && !other.is_opt_in());
        let others: Vec<_> = others.collect();
        assert!(others.is_empty(), "{rule}: {others:?}");
    }
}

#[test]
fn the_twins_of_the_guide_are_silent() {
    let (base, sections) = guide();
    for Section { rule, silent, .. } in sections {
        let linted = linted(&base, &silent, None);
        let found = rules(&linted.findings);
        let found: Vec<_> = found
            .iter()
            .filter(|other| **other == rule || !other.is_opt_in())
            .collect();
        assert!(found.is_empty(), "{rule}: {:?}", linted.findings);
    }
}

fn catalog(base: &Example, rest: &[Example]) -> Catalog {
    let files = std::iter::once(base).chain(rest).map(|found| &found.up);
    let replayed = replay(files);
    assert_eq!(replayed.refusals, []);
    replayed.catalog
}

#[test]
fn the_safe_form_ends_at_the_same_schema() {
    // Their safe form has a part in another language, or a new column, which is the last one.
    let other_end = [
        Rule::ChangingColumnType,
        Rule::RenamingColumn,
        Rule::AddingRequiredField,
    ];
    let mut compared = 0;
    let (base, sections) = guide();
    for postgres in [None, Some(18)] {
        for Section { rule, found, .. } in &sections {
            let rule = *rule;
            if rule.needs_more() {
                continue;
            }
            let linted = linted(&base, found, postgres);
            let finding = linted.findings.iter().find(|finding| finding.rule == rule);
            let steps = &finding.expect("a finding").steps;
            if steps.is_empty() || found.len() > 1 {
                continue;
            }
            let steps: Vec<Example> = steps
                .iter()
                .enumerate()
                .map(|(number, step)| migration(number + 2, &step.sql, step.in_transaction))
                .collect();
            let safe = super::tests::linted(&base, &steps, postgres);
            let allowed = [
                Rule::BanDropColumn,
                Rule::BanDropTable,
                Rule::BanDropNotNull,
                Rule::RenamingTable,
                Rule::RenamingColumn,
            ];
            let worse: Vec<_> = safe
                .findings
                .iter()
                .filter(|finding| !allowed.contains(&finding.rule) && !finding.rule.is_opt_in())
                .collect();
            assert!(worse.is_empty(), "{rule}: {worse:?}");
            let is_refused_by_postgresql = [
                Rule::EnumValueUsedInTransaction,
                Rule::RedundantIndex,
                Rule::ForeignKeyWithoutIndex,
            ];
            if other_end.contains(&rule) || is_refused_by_postgresql.contains(&rule) {
                continue;
            }
            let (expected, safe) = (catalog(&base, found), catalog(&base, &steps));
            let differences = compare(&expected, &safe);
            let sentences: Vec<_> = differences
                .iter()
                .map(|difference| difference.sentence("the statement", "the safe form"))
                .collect();
            assert!(sentences.is_empty(), "{rule}: {sentences:?}");
            compared += 1;
        }
    }
    assert!(compared >= 20, "{compared}");
}

/// Lints one migration after the guide's first one, without the rules of taste.
fn of(text: &str) -> Vec<Rule> {
    let (base, _) = guide();
    let mut found = rules(&linted(&base, &[migration(2, text, true)], None).findings);
    found.retain(|rule| !rule.is_opt_in());
    found
}

#[test]
fn comments_hide_findings() {
    let drop = "ALTER TABLE accounts DROP COLUMN note;";
    assert_eq!(of(drop), [Rule::BanDropColumn]);
    for comment in [
        "-- squawk-ignore ban-drop-column",
        "-- squawk-ignore ban-drop-table, ban-drop-column -- no program reads it",
        "/* squawk-ignore ban-drop-column */",
        "-- squawk-ignore-file ban-drop-column\n",
        "-- squawk-ignore-file",
    ] {
        assert_eq!(of(&format!("{comment}\n{drop}")), [], "{comment}");
    }
    assert_eq!(of(&format!("{drop} -- squawk-ignore ban-drop-column")), []);
    // Without a rule, and with others, it hides nothing.
    for comment in ["-- squawk-ignore", "-- squawk-ignore ban-drop-table"] {
        let found = of(&format!("{comment}\n{drop}"));
        assert_eq!(
            found,
            [Rule::UnusedIgnore, Rule::BanDropColumn],
            "{comment}"
        );
    }
    // squawk's other rules are no mistakes.
    assert_eq!(of("-- squawk-ignore prefer-robust-stmts\nSELECT 1;"), []);
}

#[test]
fn tables_of_the_same_migration_are_free() {
    let statements = "
        ALTER TABLE t ADD COLUMN b uuid NOT NULL DEFAULT gen_random_uuid();
        ALTER TABLE t ADD COLUMN c text NOT NULL;
        ALTER TABLE t ALTER COLUMN a SET NOT NULL, ADD UNIQUE (a), ADD CHECK (a > 0);
        ALTER TABLE t RENAME COLUMN a TO d;
        ALTER TABLE t ALTER COLUMN d TYPE numeric;
        CREATE INDEX t_c ON t (c);
        DROP INDEX t_c;
        ALTER TABLE t DROP COLUMN c;
        DROP TABLE t;";
    assert_eq!(of(&format!("CREATE TABLE t (a bigint);{statements}")), []);
    let (base, _) = guide();
    let two = [
        migration(2, "CREATE TABLE t (a bigint);", true),
        migration(3, statements, true),
    ];
    let found = rules(&linted(&base, &two, None).findings);
    assert!(found.len() >= 10, "{found:?}");
}

#[test]
fn a_renamed_table_is_not_new() {
    assert_eq!(
        of("ALTER TABLE people RENAME TO persons; CREATE INDEX ON persons (mail);"),
        [Rule::RenamingTable, Rule::RequireConcurrentIndexCreation]
    );
}

#[test]
fn a_table_that_replaces_a_dropped_one_is_new() {
    assert_eq!(
        of(
            "DROP TABLE people; CREATE TABLE people AS SELECT 1 AS id; ALTER TABLE people ADD PRIMARY KEY (id);"
        ),
        [Rule::BanDropTable]
    );
    assert_eq!(of("DROP INDEX IF EXISTS nothing;"), []);
}

#[test]
fn a_change_to_timestamptz_in_utc_keeps_the_rows() {
    let (base, _) = guide();
    let first = "CREATE TABLE t (a timestamp, b timestamp, c timestamp CHECK (c > '2000-01-01'));
        CREATE INDEX ON t (b);";
    let of = |text: &str| {
        let two = [migration(2, first, true), migration(3, text, true)];
        let mut found = linted(&base, &two, None).findings;
        found.retain(|finding| finding.file == 2 && finding.rule == Rule::ChangingColumnType);
        found.len()
    };
    let change = "ALTER TABLE t ALTER a TYPE timestamptz USING a;";
    for zone in [
        "SET timezone = 'UTC';",
        "SET LOCAL TIME ZONE 'utc';",
        "SET timezone TO utc;",
    ] {
        assert_eq!(of(&format!("{zone} {change}")), 0, "{zone}");
    }
    for zone in [
        "",
        "SET timezone = 'Europe/Rome';",
        "SET timezone = 'UTC'; RESET timezone;",
        "SET timezone = 'UTC'; SET TIME ZONE 'Asia/Tokyo';",
    ] {
        assert_eq!(of(&format!("{zone} {change}")), 1, "{zone}");
    }
    // The index of the first is built anew, and the check of the second is evaluated.
    for column in ["b", "c"] {
        let text = format!("SET timezone = 'UTC'; ALTER TABLE t ALTER {column} TYPE timestamptz;");
        assert_eq!(of(&text), 1, "{column}");
    }
}

#[test]
fn only_a_vacuum_that_is_full_writes_a_table_anew() {
    let (base, _) = guide();
    let of = |text: &str| rules(&linted(&base, &[migration(2, text, false)], None).findings);
    for full in [
        "VACUUM FULL accounts;",
        "VACUUM (FULL) accounts;",
        "VACUUM (VERBOSE, FULL true) accounts;",
    ] {
        assert_eq!(of(full), [Rule::PreferRepack], "{full}");
    }
    for plain in [
        "VACUUM (FULL FALSE) accounts;",
        "VACUUM (FULL off) accounts;",
    ] {
        assert_eq!(of(plain), [], "{plain}");
    }
}

#[test]
fn temporary_tables_need_no_schema() {
    let (base, _) = guide();
    let of = |text: &str| {
        let mut found = rules(&linted(&base, &[migration(2, text, true)], None).findings);
        found.retain(|rule| *rule == Rule::RequireTableSchema);
        found.len()
    };
    assert_eq!(of("CREATE TABLE t AS SELECT 1 AS a;"), 1);
    assert_eq!(
        of("CREATE TEMP TABLE t (a int); ALTER TABLE t ADD COLUMN b int; DROP TABLE t;"),
        0
    );
}
