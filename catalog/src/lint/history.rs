//! Rules that are decided at the end, when all indexes are known: an index that is missing may be
//! created by a later migration.

use std::collections::BTreeMap;

use bowline_sql::quote::identifier;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::null_test::is_not_null;
use super::rewrite::{self, Step};
use super::rule::Rule;
use super::rules::partitioned_index;
use super::{Finding, scope};
use crate::replay::state::names::counted;
use crate::replay::state::{State, TEMPORARY};
use crate::replay::syntax::tree::{child, child_name, is_trivia, path};
use crate::{Catalog, ConstraintKind, Index, IndexKey, KeyOrder, Name, Relation, RelationKind};

/// The statement that created a constraint or an index.
#[derive(Debug, Clone)]
struct Origin {
    file: usize,
    span: std::ops::Range<usize>,
    /// Counts statements, so that the later of two is known.
    number: usize,
}

/// The statements that created the constraints and indexes, by table and name.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    by_name: BTreeMap<(Name, String), Origin>,
    number: usize,
}

impl Origins {
    /// Records what a statement created or renamed.
    pub(crate) fn note(
        &mut self,
        node: &SyntaxNode,
        before: &[Relation],
        state: &State,
        file: usize,
    ) {
        use SyntaxKind as K;
        self.number += 1;
        let catalog = state.catalog();
        let after = match node.kind() {
            K::CREATE_TABLE => {
                child(node, K::TABLE_NAME).and_then(|name| state.find_relation(&path(&name)))
            }
            K::ALTER_TABLE | K::CREATE_INDEX => before.first().map(|before| {
                let new = scope::renamed(node, before, state);
                if let Some(new) = &new {
                    self.move_table(&before.name, new);
                }
                new.unwrap_or_else(|| before.name.clone())
            }),
            _ => None,
        };
        let Some(after) = after.and_then(|name| catalog.relations.get(&name)) else {
            return;
        };
        for action in node
            .children()
            .filter(|child| child.kind() == K::RENAME_CONSTRAINT)
        {
            let names = child_name(&action, K::CONSTRAINT_NAME_REF)
                .zip(child_name(&action, K::CONSTRAINT_NAME));
            if let Some((from, to)) = names
                && let Some(origin) = self.by_name.remove(&(after.name.clone(), from))
            {
                self.by_name.insert((after.name.clone(), to), origin);
            }
        }
        let is_old = |name: &str| {
            before.first().is_some_and(|before| {
                before.constraints.iter().any(|old| old.name == name)
                    || before.indexes.iter().any(|old| old.name == name)
            })
        };
        let constraints = after.constraints.iter().map(|constraint| &constraint.name);
        let indexes = after.indexes.iter().map(|index| &index.name);
        for name in constraints.chain(indexes).filter(|name| !is_old(name)) {
            let key = (after.name.clone(), name.clone());
            let span = span(node);
            self.by_name.entry(key).or_insert_with(|| Origin {
                file,
                span,
                number: self.number,
            });
        }
    }

    fn move_table(&mut self, from: &Name, to: &Name) {
        let moved: Vec<_> = self
            .by_name
            .keys()
            .filter(|(table, _)| table == from)
            .cloned()
            .collect();
        for key in moved {
            if let Some(origin) = self.by_name.remove(&key) {
                self.by_name.insert((to.clone(), key.1), origin);
            }
        }
    }

    /// Returns the findings on the schema at the end.
    pub(crate) fn findings(&self, catalog: &Catalog) -> Vec<Finding> {
        let tables = catalog.relations.values().filter(|relation| {
            let kinds = [RelationKind::Table, RelationKind::PartitionedTable];
            kinds.contains(&relation.kind) && relation.name.schema != TEMPORARY
        });
        let mut findings = Vec::new();
        for table in tables {
            self.foreign_keys(catalog, table, &mut findings);
            self.redundant(table, &mut findings);
        }
        findings
    }

    fn foreign_keys(&self, catalog: &Catalog, table: &Relation, findings: &mut Vec<Finding>) {
        for constraint in &table.constraints {
            let ConstraintKind::ForeignKey {
                columns,
                references,
                ..
            } = &constraint.kind
            else {
                continue;
            };
            let key = (table.name.clone(), constraint.name.clone());
            let Some(origin) = self.by_name.get(&key) else {
                continue;
            };
            if !constraint.enforced
                || has_few_rows(table)
                || table.indexes.iter().any(|index| serves(index, columns))
            {
                continue;
            }
            let (from, list) = (rewrite::relation(&table.name), rewrite::columns(columns));
            let to = rewrite::relation(references);
            findings.push(origin.finding(
                Rule::ForeignKeyWithoutIndex,
                format!(
                    "each DELETE from {to} reads all of {from}, since no index of {from} begins with {list}"
                ),
                create_index(catalog, table, columns),
                "",
            ));
        }
    }

    fn redundant(&self, table: &Relation, findings: &mut Vec<Finding>) {
        let origin = |index: &Index| self.by_name.get(&(table.name.clone(), index.name.clone()));
        for index in &table.indexes {
            let is_of_constraint = table
                .constraints
                .iter()
                .any(|constraint| constraint.name == index.name);
            let Some(created) = origin(index).filter(|_| !is_of_constraint) else {
                continue;
            };
            let covering = table.indexes.iter().find(|other| {
                let is_same = other.keys == index.keys && other.unique == index.unique;
                // Of two equal indexes, the later one is redundant.
                let is_later = origin(other).is_none_or(|other| other.number <= created.number);
                let is_of_constraint = table
                    .constraints
                    .iter()
                    .any(|constraint| constraint.name == other.name);
                other.name != index.name
                    && covers(other, index)
                    && (!is_same
                        || is_of_constraint
                        || (is_later && position(table, other) < position(table, index)))
            });
            let Some(other) = covering else { continue };
            let (name, other) = (identifier(&index.name), identifier(&other.name));
            let dropped = rewrite::relation(&Name {
                schema: table.name.schema.clone(),
                name: index.name.clone(),
            });
            // The index of a partitioned table cannot be dropped concurrently.
            let step = match table.kind {
                RelationKind::PartitionedTable => Step::new(format!("DROP INDEX {dropped};")),
                _ => Step::alone(format!("DROP INDEX CONCURRENTLY {dropped};")),
            };
            findings.push(created.finding(
                Rule::RedundantIndex,
                format!("the index {other} serves each query that {name} serves"),
                vec![step],
                "leave it out of the migration, or drop it if the migration has run",
            ));
        }
    }
}

impl Origin {
    fn finding(&self, rule: Rule, message: String, steps: Vec<Step>, help: &str) -> Finding {
        Finding {
            file: self.file,
            span: self.span.clone(),
            rule,
            message,
            steps,
            help: help.to_owned(),
        }
    }
}

fn position(table: &Relation, index: &Index) -> usize {
    let found = table
        .indexes
        .iter()
        .position(|other| other.name == index.name);
    found.unwrap_or(usize::MAX)
}

/// Returns true if an index finds the rows with given values of these columns, in any order.
fn serves(index: &Index, columns: &[String]) -> bool {
    let Some(keys) = index.plain_columns() else {
        return false;
    };
    let is_whole = index.predicate.is_none() || {
        let predicate = index.predicate.as_deref().unwrap_or_default();
        columns.iter().any(|column| is_not_null(predicate, column))
    };
    let finds = matches!(index.method.as_str(), "btree" | "hash");
    let first = keys.get(..columns.len()).unwrap_or_default();
    !index.invalid
        && is_whole
        && finds
        && !first.is_empty()
        && columns.iter().all(|column| first.contains(column))
}

/// Returns true if an index serves each query that another one serves.
fn covers(larger: &Index, smaller: &Index) -> bool {
    let is_prefix = larger.keys.starts_with(&smaller.keys);
    let is_same = larger.keys == smaller.keys;
    let has_columns = smaller.included.iter().all(|column| {
        larger.included.contains(column)
            || larger
                .plain_columns()
                .is_some_and(|keys| keys.contains(column))
    });
    let is_unique = !smaller.unique
        || (is_same && larger.unique && larger.nulls_not_distinct == smaller.nulls_not_distinct);
    let orders = is_same || smaller.method == "btree";
    larger.method == smaller.method
        && larger.predicate == smaller.predicate
        && !larger.invalid
        && is_prefix
        && is_unique
        && orders
        && has_columns
}

/// Returns the steps that create an index on columns without blocking writes.
fn create_index(catalog: &Catalog, table: &Relation, columns: &[String]) -> Vec<Step> {
    let keys = columns.iter().map(|name| IndexKey::Column {
        name: name.clone(),
        order: KeyOrder::default(),
    });
    let keys: Vec<IndexKey> = keys.collect();
    let index_of = |table: &Name| {
        Some(Index {
            name: free_name(catalog, table, &columns.join("_")),
            unique: false,
            nulls_not_distinct: false,
            method: "btree".to_owned(),
            keys: keys.clone(),
            included: Vec::new(),
            predicate: None,
            invalid: false,
            comment: None,
        })
    };
    partitioned_index(catalog, &table.name, &index_of).unwrap_or_default()
}

/// Returns a name for an index that no relation of the schema has, as PostgreSQL chooses it.
fn free_name(catalog: &Catalog, table: &Name, columns: &str) -> String {
    counted(&table.name, columns, "idx", |name| {
        let full = Name {
            schema: table.schema.clone(),
            name: name.to_owned(),
        };
        let mut indexes = catalog
            .relations
            .values()
            .filter(|relation| relation.name.schema == table.schema)
            .flat_map(|relation| &relation.indexes);
        catalog.relations.contains_key(&full)
            || catalog.sequences.contains_key(&full)
            || indexes.any(|index| index.name == name)
    })
}

/// Returns true if a unique index on columns that are all boolean keeps the table to a few rows.
fn has_few_rows(table: &Relation) -> bool {
    let is_boolean = |name: &&str| {
        let mut columns = table.columns.iter();
        let column = columns.find(|column| column.name == **name);
        column.is_some_and(|column| {
            let of = &column.data_type;
            column.not_null
                && of.dimensions == 0
                && of.name.name == "bool"
                && of.name.schema == "pg_catalog"
        })
    };
    table.indexes.iter().any(|index| {
        let keys = index.plain_columns().unwrap_or_default();
        index.unique
            && index.predicate.is_none()
            && !index.invalid
            && !keys.is_empty()
            && keys
                .iter()
                .map(|key| key.as_str())
                .all(|key| is_boolean(&key))
    })
}

/// Returns the position of a statement without the comments before it.
pub(super) fn span(node: &SyntaxNode) -> std::ops::Range<usize> {
    let range = node.text_range();
    let start = node
        .descendants_with_tokens()
        .filter_map(rowan::NodeOrToken::into_token)
        .find(|token| !is_trivia(token.kind()))
        .map_or(range.start(), |token| token.text_range().start());
    start.into()..range.end().into()
}
