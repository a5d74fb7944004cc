//! The table that a statement writes.

use super::analyzer::{Analyzer, Result};
use super::expr::{Span, TableId};
use super::fault::Fault;
use super::raw::span_of;
use super::scope::{Item, Table};
use crate::attached::{Event, Timing};
use crate::replay::syntax::parse::parse;
use crate::replay::syntax::tree::{child, child_name, has, seen, statements};
use crate::{Name, Relation, RelationKind};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

/// The maximum number of views that a write goes through.
const MAX_VIEWS: usize = 100;

impl Analyzer<'_> {
    /// Returns the table that a statement writes.
    pub(super) fn target(&mut self, node: &SyntaxNode) -> Result<(Target, Item)> {
        let reference = node
            .children()
            .filter(|part| {
                matches!(
                    part.kind(),
                    K::RELATION_NAME
                        | K::TABLE_RELATION_NAME
                        | K::RELATION_NAME_REF
                        | K::TABLE_NAME_REF
                )
            })
            .find_map(|part| match seen(part.kind()) {
                K::RELATION_NAME | K::TABLE_RELATION_NAME => part.children().next(),
                _ => Some(part),
            })
            .ok_or_else(|| Fault::refused(span_of(node), "no table is named"))?;
        let is_only = node.children().any(|part| {
            matches!(part.kind(), K::RELATION_NAME | K::TABLE_RELATION_NAME)
                && has(&part, K::ONLY_KW)
        });
        // A common table expression cannot be written, so names of them are not searched for.
        let common: Vec<_> = self
            .scopes
            .iter_mut()
            .map(|scope| std::mem::take(&mut scope.common))
            .collect();
        let found = self.relation(&reference, is_only);
        for (scope, common) in self.scopes.iter_mut().zip(common) {
            scope.common = common;
        }
        let (alias, schema, table) = found?;
        let span = span_of(&reference);
        let Some(relation) = table.relation.clone() else {
            return Err(Fault::refused(span, "system tables are not written"));
        };
        self.writes.insert(relation.clone());
        let fault = self.not_updatable(node, &relation, &span);
        if let Some(fault) = fault {
            self.late.get_or_insert(fault);
        }
        let given = node
            .children()
            .find(|part| matches!(part.kind(), K::REQUIRED_AS_ALIAS | K::OPTIONAL_AS_ALIAS))
            .and_then(|alias| child_name(&alias, K::TABLE_ALIAS));
        let has_alias = given.is_some();
        let declared = self.declared(&relation, &table);
        let joined = self.item_of(given.or(Some(alias)), schema.filter(|_| !has_alias), table);
        let mut items = joined.items.into_iter();
        let (Some(item), Some(table)) = (items.next(), joined.tables.first()) else {
            return Err(Fault::refused(span, "no table is named"));
        };
        let target = Target {
            table: *table,
            relation,
            declared,
            overriding: None,
        };
        Ok((target, item))
    }

    /// Returns the error for a view that cannot be written (manual, CREATE VIEW, updatable views).
    fn not_updatable(&mut self, node: &SyntaxNode, name: &Name, span: &Span) -> Option<Fault> {
        let mut name = name.clone();
        for _ in 0..MAX_VIEWS {
            let relation = self.catalog.relations.get(&name)?;
            if relation.kind == RelationKind::MaterializedView {
                let message = format!("cannot change materialized view \"{}\"", name.name);
                return Some(Fault::error("42809", span.clone(), message));
            }
            if !self.is_rewritten(&name) {
                return None;
            }
            let file = parse(relation.attached.query.as_ref()?.text.as_ref()?).ok()?;
            let query = statements(&file).next()?;
            let view = self.view(&name);
            let base = view.as_ref().and_then(|view| {
                let mut columns = view.columns.iter().filter(|_| !view.combines_rows);
                columns.find_map(|column| column.origin.clone())
            });
            let reason = not_simple(&query);
            match base {
                Some((base, _)) if reason.is_none() => name = base,
                // A row can be deleted even if no column can be written.
                None if reason.is_none()
                    && view.as_ref().is_none_or(|view| {
                        seen(node.kind()) == K::DELETE && !view.combines_rows
                    }) =>
                {
                    return None;
                }
                _ => {
                    let combines = view.is_some_and(|view| view.combines_rows);
                    let reason = reason.unwrap_or(match combines {
                        true => "its query has aggregate, window or set-returning functions",
                        false => "none of its columns is a column of its table",
                    });
                    return not_writable(node, &name, span, reason);
                }
            }
        }
        None
    }

    /// Returns the column of a table that a write of this column writes, since PostgreSQL writes to
    /// the table of a simple view. Fails for a column of a view that is no column of its table.
    pub(super) fn base_column(
        &mut self,
        relation: &Name,
        column: &str,
    ) -> std::result::Result<(Name, String), (Name, String)> {
        let mut found = (relation.clone(), column.to_owned());
        for _ in 0..MAX_VIEWS {
            if !self.is_rewritten(&found.0) {
                break;
            }
            let Some(view) = self.view(&found.0) else {
                break;
            };
            let relation = &self.catalog.relations[&found.0];
            let index = relation.columns.iter().position(|it| it.name == found.1);
            match index.map(|index| view.columns[index].origin.clone()) {
                None => break,
                Some(None) => return Err(found),
                Some(Some(base)) => found = base,
            }
        }
        Ok(found)
    }

    /// Returns which columns of a written row can be NULL, as the table declares them.
    ///
    /// A row that is written through a view need not satisfy the view's WHERE, so that only the
    /// declaration of the column in the table counts. What rules and INSTEAD OF triggers return is
    /// theirs to choose.
    fn declared(&mut self, relation: &Name, table: &Table) -> Vec<bool> {
        let kind = self.catalog.relations.get(relation).map(|it| &it.kind);
        if kind != Some(&RelationKind::View) {
            return table.columns.iter().map(|it| it.nullable).collect();
        }
        let columns = table.columns.iter();
        columns
            .map(|column| match self.base_column(relation, &column.name) {
                Ok((base, name)) => self.is_nullable_in_table(&base, &name),
                Err(_) => true,
            })
            .collect()
    }

    /// Returns true for a view that has neither rules nor INSTEAD OF triggers.
    pub(super) fn is_rewritten(&self, name: &Name) -> bool {
        let is_instead = |timing: &Timing| *timing == Timing::InsteadOf;
        self.catalog.relations.get(name).is_some_and(|relation| {
            let attached = &relation.attached;
            relation.kind == RelationKind::View
                && attached.rules.is_empty()
                && !attached.triggers.iter().any(|it| is_instead(&it.timing))
        })
    }

    pub(super) fn written(&self, target: &Target) -> Option<&Relation> {
        self.catalog.relations.get(&target.relation)
    }

    /// Returns true if a trigger or rule may suppress a written row, or replace it.
    pub(super) fn may_suppress(&self, target: &Target, event: &Event) -> bool {
        let Some(relation) = self.catalog.relations.get(&target.relation) else {
            return true;
        };
        let triggers = &relation.attached.triggers;
        let is_view = matches!(
            relation.kind,
            RelationKind::View | RelationKind::ForeignTable
        );
        let inherited = !relation.attached.inherited_triggers.is_empty();
        let is_partitioned = relation.kind == RelationKind::PartitionedTable;
        is_view
            || inherited
            || !relation.attached.rules.is_empty()
            || triggers.iter().any(|trigger| {
                trigger.timing != Timing::After
                    && trigger.events.contains(event)
                    && trigger.for_each_row
            })
            || (is_partitioned
                && self.catalog.relations.values().any(|it| {
                    it.parents.contains(&target.relation)
                        && it
                            .attached
                            .triggers
                            .iter()
                            .any(|it| it.timing != Timing::After)
                }))
    }
}

/// Returns the error for a write to a view that is not simple; `None` for a statement that writes
/// nothing.
fn not_writable(node: &SyntaxNode, name: &Name, span: &Span, reason: &str) -> Option<Fault> {
    let word = match seen(node.kind()) {
        K::INSERT => "insert into",
        K::DELETE => "delete from",
        K::UPDATE => "update",
        K::MERGE => node.descendants().find_map(|it| match seen(it.kind()) {
            K::MERGE_INSERT => Some("insert into"),
            K::MERGE_DELETE => Some("delete from"),
            K::MERGE_UPDATE => Some("update"),
            _ => None,
        })?,
        _ => return None,
    };
    let message = format!("cannot {word} view \"{}\"", name.name);
    let hint = format!("{reason}: write to its table, or create an INSTEAD OF trigger");
    Some(Fault::error("55000", span.clone(), message).hint(hint))
}

/// The table that a statement writes.
pub(super) struct Target {
    pub(super) table: TableId,
    pub(super) relation: Name,
    /// The columns as they are declared, without the knowledge that WHERE gives about the old rows.
    pub(super) declared: Vec<bool>,
    /// For an INSERT, whether identity columns can be given values.
    pub(super) overriding: Option<bool>,
}

/// Returns true if an INSERT can give values to identity columns, or they are ignored.
pub(super) fn is_overriding(node: &SyntaxNode) -> bool {
    let mut tokens = crate::replay::syntax::tree::tokens(node);
    tokens.any(|token| token.kind() == K::OVERRIDING_KW)
}

/// Returns why PostgreSQL does not write through a view with this query; `None` if the query reads
/// one table, without clauses that combine rows.
fn not_simple(query: &SyntaxNode) -> Option<&'static str> {
    const COMBINING: [(K, &str); 6] = [
        (K::WITH_CLAUSE, "its query has WITH"),
        (K::GROUP_BY_CLAUSE, "its query has GROUP BY"),
        (K::HAVING_CLAUSE, "its query has HAVING"),
        (K::LIMIT_CLAUSE, "its query has LIMIT"),
        (K::OFFSET_CLAUSE, "its query has OFFSET"),
        (K::FETCH_CLAUSE, "its query has FETCH"),
    ];
    if query.kind() != K::SELECT {
        return Some("its query is not a single SELECT");
    }
    let mut combining = COMBINING.into_iter();
    let found = combining.find(|(kind, _)| query.children().any(|part| part.kind() == *kind));
    if let Some((_, reason)) = found {
        return Some(reason);
    }
    let select = child(query, K::SELECT_CLAUSE);
    if select.is_none_or(|select| has(&select, K::DISTINCT_CLAUSE)) {
        return Some("its query has DISTINCT");
    }
    let from = child(query, K::FROM_CLAUSE);
    let items: Vec<SyntaxNode> = from.iter().flat_map(SyntaxNode::children).collect();
    match items.as_slice() {
        [only] if only.kind() == K::RELATION_FROM_ITEM => None,
        _ => Some("its query does not read exactly one table"),
    }
}
