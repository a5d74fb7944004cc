//! The relations that a query names: tables, views, sequences, system tables.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::analyzer::{Analyzer, Result};
use super::expr::Span;
use super::fault::Fault;
use super::form::Form;
use super::locks::{Reach, Source};
use super::raw::span_of;
use super::scope::{Table, TableColumn};
use super::types;
use crate::replay::builtin;
use crate::replay::syntax::tree::path;
use crate::{Name, Relation, RelationKind};
use squawk_syntax::SyntaxNode;

impl Analyzer<'_> {
    /// Returns a table, view or common table expression: its name, schema and columns.
    pub(super) fn relation(
        &mut self,
        reference: &SyntaxNode,
        is_only: bool,
    ) -> Result<(String, Option<String>, Table)> {
        let parts = path(reference);
        let span = span_of(reference);
        let depth = self.scopes.len().saturating_sub(1);
        if let [only] = parts.as_slice()
            && let Some((at, common)) = self
                .scopes
                .iter()
                .enumerate()
                .rev()
                .flat_map(|(at, scope)| scope.common.iter().rev().map(move |it| (at, it)))
                .find(|(_, common)| common.name == *only)
        {
            if common.has_computed && at + 1 < self.scopes.len() {
                let why = "a table with SEARCH or CYCLE is not inferred within a subquery";
                return Err(
                    Fault::refused(span, why).hint("read it in the query that has the WITH clause")
                );
            }
            if common.has_no_result {
                let message = format!("WITH query \"{only}\" does not have a RETURNING clause");
                return Err(Fault::error("0A000", span, message));
            }
            let table = Table {
                is_single: common.is_single,
                keys: Rc::clone(&common.keys),
                has_row: common.has_row,
                is_self: common.is_self,
                source: Source::With,
                ..Table::of_records(common.columns.clone(), depth)
            };
            return Ok((only.clone(), None, table));
        }
        if let Some(found) = self.system_relation(&parts, depth) {
            return Ok(found);
        }
        if let Some(found) = self.sequence(&parts, depth) {
            return Ok(found);
        }
        let found = self
            .find_relation(&parts)
            .ok_or_else(|| self.no_relation(&parts, &span))?;
        let catalog = self.catalog;
        let Some(relation) = catalog.relations.get(&found) else {
            let why = catalog
                .gap_at(&found)
                .map(|gap| gap.why.clone())
                .unwrap_or_default();
            return Err(Fault::refused(
                span,
                format!("{} is not known exactly: {why}", found.name),
            ));
        };
        if self.objects.is_some() {
            self.used.relations.insert(found.clone());
        }
        let reach = self.reach_of_relation(relation);
        let view = self
            .objects
            .is_none()
            .then(|| self.nullable_in_view(&found));
        let keys = view.flatten().map(|view| Rc::clone(&view.keys));
        let table = Table {
            relation: Some(found.clone()),
            columns: self.columns_of(relation, is_only).to_vec(),
            row: self.types.of_name(&found),
            nulled_by: Vec::new(),
            is_single: false,
            keys: keys.unwrap_or_default(),
            has_row: false,
            is_only,
            depth,
            is_value: false,
            is_self: false,
            reach,
            source: Source::Relation,
            alias: None,
            may_be_reduced: false,
            is_outer: false,
            system: None,
        };
        Ok((found.name, Some(found.schema), table))
    }

    /// Returns what a lock on the rows of a relation reaches.
    fn reach_of_relation(&mut self, relation: &Relation) -> Reach {
        let name = &relation.name;
        match relation.kind {
            RelationKind::View if self.objects.is_none() => {
                let view = self.view(name);
                view.map(|view| view.reach.clone()).unwrap_or_default()
            }
            RelationKind::MaterializedView => Reach {
                unlocked: Some(format!("materialized view \"{}\"", name.name)),
                ..Reach::table()
            },
            _ => Reach::table(),
        }
    }

    /// Returns the columns of a relation.
    pub(super) fn columns_of(&mut self, relation: &Relation, is_only: bool) -> Rc<[TableColumn]> {
        let found = &relation.name;
        let is_foreign = relation.kind == RelationKind::ForeignTable;
        // The relations of a replay in progress change.
        let follows_nulls = self.objects.is_none();
        let key = (found.clone(), is_only);
        if follows_nulls && let Some(known) = self.relations.get(&key) {
            return Rc::clone(known);
        }
        let has_children = follows_nulls && !is_only && self.has_children(found);
        let (never_null, in_view) = if follows_nulls {
            (self.never_null(found), self.nullable_in_view(found))
        } else {
            (Vec::new(), None)
        };
        let mut columns = Vec::new();
        for (at, column) in relation.columns.iter().enumerate() {
            let is_proved = column
                .not_null_constraint
                .as_ref()
                .is_none_or(|constraint| {
                    constraint.validated && !(constraint.no_inherit && has_children)
                });
            let is_null_below = has_children && self.is_null_below(found, &column.name);
            let not_null =
                column.not_null && is_proved && !is_null_below || never_null.contains(&column.name);
            columns.push(TableColumn {
                name: column.name.clone(),
                ty: self.types.of_data_type(&column.data_type),
                nullable: match &in_view {
                    Some(view) => view.columns[at].nullable,
                    None => is_foreign || !not_null,
                },
                origin: Some(Rc::new((found.clone(), column.name.clone()))),
                composite: None,
                form: self.form_of_column(column),
            });
        }
        let columns: Rc<[TableColumn]> = columns.into();
        if follows_nulls {
            self.relations.insert(key, Rc::clone(&columns));
        }
        columns
    }

    /// Returns true if a column can be NULL, or is no column of a table.
    pub(super) fn is_nullable_in_table(&mut self, name: &Name, column: &str) -> bool {
        let Some(relation) = self.catalog.relations.get(name) else {
            return true;
        };
        if relation.kind == RelationKind::View {
            return true;
        }
        let columns = self.columns_of(relation, false);
        let found = columns.iter().find(|found| found.name == column);
        found.is_none_or(|found| found.nullable)
    }

    /// Returns true if other tables inherit from a table without being its partitions.
    pub(super) fn has_children(&self, name: &Name) -> bool {
        let mut relations = self.catalog.relations.values();
        relations.any(|it| it.kind != RelationKind::Partition && it.parents.contains(name))
    }

    /// Returns true if a column can be NULL in a table that inherits it. Before PostgreSQL 18 it
    /// can be, though the parent's column cannot.
    fn is_null_below(&self, name: &Name, column: &str) -> bool {
        let catalog = self.catalog;
        let (mut open, mut seen) = (vec![name], BTreeSet::new());
        while let Some(parent) = open.pop() {
            let children = catalog.relations.values();
            for child in children.filter(|it| it.parents.contains(parent)) {
                let mut columns = child.columns.iter();
                if columns.any(|it| it.name == column && !it.not_null) {
                    return true;
                }
                if seen.insert(&child.name) {
                    open.push(&child.name);
                }
            }
        }
        false
    }

    /// Returns the columns that a validated CHECK keeps from being NULL.
    pub(super) fn never_null(&self, name: &Name) -> Vec<String> {
        let Some(relation) = self.catalog.relations.get(name) else {
            return Vec::new();
        };
        let mut columns = Vec::new();
        for constraint in &relation.constraints {
            if let crate::ConstraintKind::Check {
                expression,
                no_inherit,
                ..
            } = &constraint.kind
                && constraint.validated
                && constraint.enforced
                && !*no_inherit
            {
                columns.extend(not_null_columns(expression));
            }
        }
        columns
    }

    pub(super) fn find_relation(&self, parts: &[String]) -> Option<Name> {
        let (last, schema) = parts.split_last()?;
        let schemas: Vec<&String> = match schema.last() {
            Some(schema) => vec![schema],
            None => self.path.iter().collect(),
        };
        let names = schemas.into_iter().map(|schema| Name {
            schema: schema.clone(),
            name: last.clone(),
        });
        names.into_iter().find(|name| {
            self.catalog.relations.contains_key(name)
                || (self.objects.is_none() && self.catalog.gap_at(name).is_some())
        })
    }

    pub(super) fn no_relation(&self, parts: &[String], span: &Span) -> Fault {
        let message = format!("relation \"{}\" does not exist", parts.join("."));
        let schema = parts
            .len()
            .checked_sub(2)
            .map_or("pg_catalog", |at| &parts[at]);
        if let Some(name) = parts.last()
            && self.is_later_relation(schema, name)
            && let Some(came) = builtin::came_with(&format!("relation:{schema}.{name}"))
        {
            return self.too_new("42P01", &format!("`{name}`"), came, span);
        }
        if let [name] = parts
            && let Some(elsewhere) = self.catalog.relations.keys().find(|it| it.name == *name)
        {
            return Fault::error("42P01", span.clone(), message).hint(format!(
                "there is one in another schema: {}",
                elsewhere.sql()
            ));
        }
        let known = self.catalog.relations.keys().map(|it| it.name.as_str());
        let wanted = parts.last().map(String::as_str).unwrap_or_default();
        let hint = match super::similar::similar(wanted, known) {
            Some(similar) => format!("did you mean {similar}?"),
            None => "check the spelling, and whether a migration creates it".to_owned(),
        };
        Fault::error("42P01", span.clone(), message).hint(hint)
    }

    /// Returns a sequence, which is a table of one row.
    pub(super) fn sequence(
        &mut self,
        parts: &[String],
        depth: usize,
    ) -> Option<(String, Option<String>, Table)> {
        let (last, schema) = parts.split_last()?;
        if self.find_relation(parts).is_some() {
            return None;
        }
        let mut sequences = self.catalog.sequences.keys();
        let name = sequences.find(|it| {
            it.name == *last
                && match schema.last() {
                    Some(schema) => it.schema == *schema,
                    None => self.path.contains(&it.schema),
                }
        })?;
        let column = |name: &str, ty| TableColumn {
            name: name.to_owned(),
            ty,
            nullable: false,
            origin: None,
            composite: None,
            form: Form::default(),
        };
        let table = Table {
            relation: None,
            columns: vec![
                column("last_value", types::INT8),
                column("log_cnt", types::INT8),
                column("is_called", types::BOOL),
            ],
            row: types::RECORD,
            nulled_by: Vec::new(),
            is_single: true,
            keys: Rc::default(),
            has_row: true,
            is_only: false,
            depth,
            is_value: false,
            is_self: false,
            reach: Reach {
                unlocked: Some(format!("sequence \"{}\"", name.name)),
                ..Reach::table()
            },
            source: Source::Relation,
            alias: None,
            may_be_reduced: false,
            is_outer: false,
            system: None,
        };
        Some((name.name.clone(), Some(name.schema.clone()), table))
    }

    /// Returns true for a system table of a later version than that of the settings.
    fn is_later_relation(&self, schema: &str, name: &str) -> bool {
        self.version.is_some()
            && builtin::came_with(&format!("relation:{schema}.{name}"))
                .is_some_and(|came| self.is_before(came))
    }

    /// Returns true for a column of a system table that came with a later version than that of the
    /// settings.
    pub(super) fn is_later_column(&self, relation: &str, column: &str) -> bool {
        self.version.is_some()
            && builtin::came_with(&format!("column:{relation}.{column}"))
                .is_some_and(|came| self.is_before(came))
    }

    /// Returns the refusal of the columns of a system table, if the version of the settings has
    /// columns that are gone since.
    pub(super) fn gone_columns(&self, system: &str, span: &Span) -> Option<Fault> {
        let since = builtin::came_with(&format!("columns:{system}"))?;
        let why = format!("the columns of `{system}` before PostgreSQL {since} are not known");
        self.is_before(since).then(|| {
            Fault::refused(span.clone(), why).hint("name the columns that newer versions have too")
        })
    }

    pub(super) fn system_relation(
        &mut self,
        parts: &[String],
        depth: usize,
    ) -> Option<(String, Option<String>, Table)> {
        let (last, schema) = parts.split_last()?;
        let extensions = &self.catalog.extensions;
        let found = builtin::relations(last).find(|found| {
            let is_there = found.extension == "-" || extensions.contains(found.extension);
            is_there
                && !self.is_later_relation(found.schema, last)
                && match (found.schema, schema.last()) {
                    ("-", _) => self.find_relation(parts).is_none(),
                    (found, None) => {
                        found == "pg_catalog" || self.path.iter().any(|schema| schema == found)
                    }
                    (found, Some(schema)) => found == schema,
                }
        })?;
        let mut columns = Vec::new();
        for column in found.columns() {
            if self.is_later_column(&format!("{}.{last}", found.schema), column.name) {
                continue;
            }
            columns.push(TableColumn {
                name: column.name.to_owned(),
                ty: self.types.built_in(column.data_type),
                nullable: true,
                origin: None,
                composite: None,
                form: Form::of_collation(column.collation.map(|name| Name {
                    schema: "pg_catalog".to_owned(),
                    name: name.to_owned(),
                })),
            });
        }
        let table = Table {
            source: Source::Relation,
            reach: Reach::table(),
            system: Some(format!("{}.{last}", found.schema)),
            ..Table::of_records(columns, depth)
        };
        Some((last.clone(), Some(found.schema.to_owned()), table))
    }
}

/// Returns the columns `x` of the parts `x IS NOT NULL` of a condition that are joined by AND.
pub(super) fn not_null_columns(expression: &str) -> Vec<String> {
    let mut columns = Vec::new();
    let all: Vec<_> = bowline_sql::tokens(expression).collect();
    let is_plain = |pair: &[bowline_sql::Token<'_>]| {
        !pair[1].is("(") || pair[0].is("(") || pair[0].is_word("and")
    };
    if all.iter().any(|token| token.is_one_of(&["or", "case"])) || !all.windows(2).all(is_plain) {
        return columns;
    }
    let words: Vec<_> = all
        .into_iter()
        .filter(|token| !matches!(token.text(), "(" | ")"))
        .collect();
    for (at, part) in words.windows(4).enumerate() {
        let [column, is, not, null] = part else {
            continue;
        };
        let before = at.checked_sub(1).and_then(|at| words.get(at));
        let after = words.get(at + 4);
        let is_and = |token: Option<&bowline_sql::Token<'_>>| {
            token.is_none_or(|token| token.text().eq_ignore_ascii_case("and"))
        };
        if is.text().eq_ignore_ascii_case("is")
            && not.text().eq_ignore_ascii_case("not")
            && null.text().eq_ignore_ascii_case("null")
            && is_and(before)
            && is_and(after)
            && let Some(name) = column.name()
        {
            columns.push(name.into_owned());
        }
    }
    columns
}
