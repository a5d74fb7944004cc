//! Indexes and partitions: what has a form with CONCURRENTLY.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::replace::concurrent;
use crate::lint::rewrite::{self, Step};
use crate::lint::rule::Rule;
use crate::lint::scope::{Scope, subject};
use crate::replay::state_after;
use crate::replay::syntax::tree::{child, children, has, has_below, path, text};
use crate::{Catalog, Index, Name, Relation, RelationKind};

/// `CREATE INDEX`.
pub(super) fn create(scope: &mut Scope<'_>) {
    use SyntaxKind as K;
    let node = scope.node;
    let table = scope.table_sql();
    if has(node, K::CONCURRENTLY_KW) {
        in_transaction(scope, "CREATE INDEX CONCURRENTLY");
        return;
    }
    let is_only = subject(node).is_some_and(|subject| has_below(&subject, K::ONLY_KW));
    if !scope.may_be_used() || is_only {
        return;
    }
    let is_partitioned = scope
        .before
        .first()
        .is_some_and(|table| table.kind == RelationKind::PartitionedTable);
    let steps = match scope.used_table().filter(|_| is_partitioned) {
        Some(table) => of_partitions(scope, table),
        None => vec![Step::alone(rewrite::with_word_after(
            node,
            K::INDEX_KW,
            " CONCURRENTLY",
        ))],
    };
    scope
        .report(
            node,
            Rule::RequireConcurrentIndexCreation,
            format!("writers of {table} wait until the index is built"),
        )
        .steps(steps);
}

/// Returns the steps that build an index of a partitioned table partition by partition; none if an
/// index of a partition is not found.
fn of_partitions(scope: &Scope<'_>, parent: &Relation) -> Vec<Step> {
    let catalog = scope.state.catalog();
    let Some(start) = scope.start else {
        return Vec::new();
    };
    let new_index = |table: &Name| {
        let old = start.catalog().relations.get(table);
        let old = old.map_or(&[][..], |old| &old.indexes);
        let is_old = |index: &Index| old.iter().any(|old| old.name == index.name);
        let mut indexes = catalog.relations.get(table)?.indexes.iter();
        indexes.find(|index| !is_old(index)).cloned()
    };
    partitioned_index(catalog, &parent.name, &new_index).unwrap_or_default()
}

/// Returns the steps that build an index on a table: on a partitioned one, the index of each
/// partition, and at last that of the whole, which takes them over.
///
/// The last step is one transaction, so that its `down.sql` can drop the whole: no statement takes
/// an index out of another.
///
/// `index_of` has the definition of each index.
pub(in crate::lint) fn partitioned_index(
    catalog: &Catalog,
    table: &Name,
    index_of: &impl Fn(&Name) -> Option<Index>,
) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut last = Vec::new();
    add_index(catalog, table, index_of, &mut steps, &mut last)?;
    if !last.is_empty() {
        steps.push(Step::new(last.join("\n")));
    }
    Some(steps)
}

fn add_index(
    catalog: &Catalog,
    table: &Name,
    index_of: &impl Fn(&Name) -> Option<Index>,
    steps: &mut Vec<Step>,
    last: &mut Vec<String>,
) -> Option<()> {
    let (relation, index) = (catalog.relations.get(table)?, index_of(table)?);
    if relation.partition_by.is_none() {
        steps.push(concurrent(&index, table));
        return Some(());
    }
    let of_schema = |table: &Name, index: &Index| {
        rewrite::relation(&Name {
            schema: table.schema.clone(),
            name: index.name.clone(),
        })
    };
    let on = format!(" ON {}", table.sql());
    let only = index
        .sql(table)
        .replacen(&on, &format!(" ON ONLY {}", table.sql()), 1);
    last.push(format!("{only};"));
    let mut relations = catalog.relations.values();
    while let Some(partition) = relations.find(|relation| relation.parents.contains(table)) {
        add_index(catalog, &partition.name, index_of, steps, last)?;
        last.push(format!(
            "ALTER INDEX {} ATTACH PARTITION {};",
            of_schema(table, &index),
            of_schema(&partition.name, &index_of(&partition.name)?)
        ));
    }
    Some(())
}

/// `DROP INDEX`.
pub(super) fn drop(scope: &mut Scope<'_>) {
    use SyntaxKind as K;
    let node = scope.node;
    if has(node, K::CONCURRENTLY_KW) {
        in_transaction(scope, "DROP INDEX CONCURRENTLY");
        return;
    }
    if scope.before.iter().any(|table| !scope.is_used(&table.name)) {
        return;
    }
    // Without the index, IF EXISTS locks nothing.
    if scope.before.is_empty() && has(node, K::IF_EXISTS) {
        return;
    }
    let if_exists = match has(node, K::IF_EXISTS) {
        true => "IF EXISTS ",
        false => "",
    };
    let is_partitioned = scope
        .before
        .iter()
        .any(|table| table.kind == RelationKind::PartitionedTable);
    // The index of a partitioned table cannot be dropped concurrently.
    let steps: Vec<Step> = children(node, K::INDEX_REF)
        .filter(|_| !is_partitioned)
        .map(|index| {
            Step::alone(format!(
                "DROP INDEX CONCURRENTLY {if_exists}{};",
                text(&index)
            ))
        })
        .collect();
    let table = match scope.before.first() {
        Some(table) => rewrite::relation(&table.name),
        None => "the table".to_owned(),
    };
    let finding = scope.report(
        node,
        Rule::RequireConcurrentIndexDeletion,
        format!("this waits until no transaction uses {table}, and all others that come for {table} wait behind it"),
    );
    finding.steps(steps);
    if is_partitioned {
        finding.help("PostgreSQL has no other way to drop an index of a partitioned table; `bowline migrate run` gives up the wait after 5 seconds and tries again");
    }
}

/// `REINDEX`.
pub(super) fn reindex(scope: &mut Scope<'_>) {
    use SyntaxKind as K;
    let node = scope.node;
    if has_below(node, K::CONCURRENTLY_KW) {
        in_transaction(scope, "REINDEX CONCURRENTLY");
        return;
    }
    // System catalogs cannot be reindexed concurrently.
    if has_below(node, K::SYSTEM_KW) {
        return;
    }
    let object = [K::INDEX_KW, K::TABLE_KW, K::SCHEMA_KW, K::DATABASE_KW]
        .into_iter()
        .find(|kind| has_below(node, *kind));
    let sql = text(node);
    let steps = object
        .and_then(|kind| {
            let word = format!("{kind:?}").replace("_KW", "");
            let mut tokens = bowline_sql::tokens(&sql);
            let token = tokens.find(|token| token.is_word(&word.to_lowercase()))?;
            let end = token.end();
            let made = format!("{} CONCURRENTLY{}", &sql[..end], &sql[end..]);
            Some(vec![Step::alone(rewrite::statement(&made))])
        })
        .unwrap_or_default();
    scope
        .report(
            node,
            Rule::RequireConcurrentReindex,
            "writers of the table wait until the index is built anew, and readers that would use it too",
        )
        .steps(steps);
}

/// `DETACH PARTITION`.
pub(super) fn detach(scope: &mut Scope<'_>, action: &SyntaxNode) {
    use SyntaxKind as K;
    if has_below(action, K::CONCURRENTLY_KW) {
        in_transaction(scope, "DETACH PARTITION CONCURRENTLY");
        return;
    }
    if has_below(action, K::FINALIZE_KW) {
        return;
    }
    let table = scope.table_sql();
    // A partitioned table with a default partition refuses CONCURRENTLY.
    let name = scope.before.first().map(|table| &table.name);
    let has_default = scope.state.catalog().relations.values().any(|relation| {
        let bound = relation.partition_bound.as_deref().unwrap_or_default();
        name.is_some_and(|name| relation.parents.contains(name))
            && bound.trim().eq_ignore_ascii_case("default")
    });
    let steps = match has_default {
        true => Vec::new(),
        false => detach_steps(scope, &table, action),
    };
    let finding = scope.report(
        action,
        Rule::RequireConcurrentPartitionDetach,
        format!(
            "readers and writers of {table} wait for this, and it waits for all that use the table"
        ),
    );
    finding.steps(steps);
    if has_default {
        finding
            .help("PostgreSQL refuses CONCURRENTLY here, since the table has a default partition");
    }
}

/// Returns the steps that detach a partition, and drop the CHECK of its bound that PostgreSQL
/// leaves on it.
fn detach_steps(scope: &Scope<'_>, table: &str, action: &SyntaxNode) -> Vec<Step> {
    let detach = format!("ALTER TABLE {table} {} CONCURRENTLY;", text(action));
    let mut steps = vec![Step::alone(&detach)];
    let partition = child(action, SyntaxKind::TABLE_NAME_REF)
        .and_then(|reference| scope.state.find_relation(&path(&reference)));
    let detached = scope.start.zip(partition).and_then(|(start, name)| {
        let after = state_after(start.clone(), &detach)?;
        let has = scope.state.catalog().relations.get(&name)?;
        let constraints = &after.catalog().relations.get(&name)?.constraints;
        let mut added = constraints.iter().filter(|constraint| {
            !has.constraints
                .iter()
                .any(|old| old.name == constraint.name)
        });
        Some((name, added.next()?.name.clone()))
    });
    if let Some((name, check)) = detached {
        steps.push(Step::new(format!(
            "-- PostgreSQL has left it, for an ATTACH without a scan:\nALTER TABLE {} DROP CONSTRAINT {};",
            rewrite::relation(&name),
            bowline_sql::quote::identifier(&check)
        )));
    }
    steps
}

/// Reports CONCURRENTLY in a transaction.
pub(super) fn in_transaction(scope: &mut Scope<'_>, what: &str) {
    if !scope.transaction.is_open {
        return;
    }
    let node = scope.node;
    let alone = scope.transaction.statements <= 1;
    let step = Step::alone(rewrite::whole(node));
    scope
        .report(
            node,
            Rule::BanConcurrentIndexCreationInTransaction,
            match alone {
                true => format!("{what} fails in a transaction"),
                false => {
                    format!("{what} fails in a transaction, and the statements of one file are one")
                }
            },
        )
        .steps(vec![step])
        .help("give it a migration of its own");
}
