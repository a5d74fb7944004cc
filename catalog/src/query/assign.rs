//! Assignments: INSERT's columns, SET, ON CONFLICT.

use super::analyzer::{Analyzer, Result};
use super::brackets::unwrapped;
use super::coerce::Context;
use super::construct::no_slices;
use super::expr::{Expr, Kind, Span, Use};
use super::fault::Fault;
use super::raw::{query_in, span_of};
use super::scope::ResultColumn;
use super::target::Target;
use super::types::{self, TypeId};
use crate::Fill;
use crate::replay::syntax::tree::{child, child_name, children, has, is_query, name, seen, text};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

impl Analyzer<'_> {
    /// Returns the columns that an INSERT names, or all that can be written.
    pub(super) fn insert_columns(
        &mut self,
        node: &SyntaxNode,
        target: &Target,
    ) -> Result<Vec<Assigned>> {
        let list = child(node, K::COLUMN_TARGET_LIST);
        let Some(list) = list else {
            let count = self.table(target.table).columns.len();
            return Ok((0..count).map(Assigned::whole).collect());
        };
        let mut columns: Vec<Assigned> = Vec::new();
        for part in children(&list, K::COLUMN_TARGET) {
            let assigned = self.assigned(&part, target)?;
            let is_twice = |it: &Assigned| {
                it.column == assigned.column && (it.is_whole() || assigned.is_whole())
            };
            if columns.iter().any(is_twice) {
                let name = &self.table(target.table).columns[assigned.column].name;
                let message = format!("column \"{name}\" specified more than once");
                return Err(Fault::error("42701", span_of(&part), message));
            }
            columns.push(assigned);
        }
        Ok(columns)
    }

    /// Reads the column of an assignment, with its subscripts and fields.
    pub(super) fn assigned(&mut self, part: &SyntaxNode, target: &Target) -> Result<Assigned> {
        let span = span_of(part);
        let wanted = child_name(part, K::COLUMN_NAME_REF).unwrap_or_default();
        let columns = &self.table(target.table).columns;
        let Some(column) = columns.iter().position(|column| column.name == wanted) else {
            let message = format!(
                "column \"{wanted}\" of relation \"{}\" does not exist",
                target.relation.name
            );
            return Err(Fault::error("42703", span, message)
                .hint("check the spelling, and whether a migration creates it"));
        };
        let mut steps = Vec::new();
        for accessor in part.children() {
            match seen(accessor.kind()) {
                K::FIELD_ACCESSOR => steps.push(Step::Field(name(&accessor))),
                K::INDEX_ACCESSOR | K::SLICE_ACCESSOR => {
                    let ty = self.table(target.table).columns[column].ty;
                    let is_json = self.types.base(ty) == types::JSONB;
                    let is_slice = accessor.kind() == K::SLICE_ACCESSOR;
                    if is_json && is_slice {
                        return Err(no_slices(span_of(&accessor)));
                    }
                    let mut indexes = Vec::new();
                    for index in accessor.children() {
                        let index = self.value(&index)?;
                        indexes.push(self.index(index, is_json)?);
                    }
                    steps.push(if is_slice { Step::Slice } else { Step::Index });
                }
                _ => {}
            }
        }
        Ok(Assigned {
            column,
            steps,
            span,
        })
    }

    /// Returns the type of the assigned column, field or element.
    pub(super) fn type_of_assigned(
        &mut self,
        target: &Target,
        assigned: &Assigned,
    ) -> Result<TypeId> {
        let mut ty = self.table(target.table).columns[assigned.column].ty;
        for (at, step) in assigned.steps.iter().enumerate() {
            let base = self.types.base(ty);
            let is_next_index =
                matches!(assigned.steps.get(at + 1), Some(Step::Index | Step::Slice));
            let next = match step {
                Step::Field(field) => {
                    let fields = self.fields_of(base);
                    fields
                        .and_then(|all| all.into_iter().find(|(name, _)| name == field))
                        .map(|it| it.1)
                }
                _ if base == types::JSONB => Some(types::JSONB),
                Step::Slice => Some(base),
                // Consecutive subscripts belong to one array: only the last one leads to the
                // element.
                Step::Index if is_next_index => Some(base),
                Step::Index => self.types.element(base),
            };
            ty = next.ok_or_else(|| {
                Fault::refused(
                    assigned.span.clone(),
                    "the type of this part of the column is not inferred",
                )
            })?;
        }
        Ok(ty)
    }

    pub(super) fn assign_row(
        &mut self,
        target: &Target,
        columns: &[Assigned],
        row: Vec<Expr>,
        span: &Span,
    ) -> Result<()> {
        if row.len() > columns.len() {
            let span = row
                .get(columns.len())
                .map_or_else(|| span.clone(), |it| it.span.clone());
            return Err(Fault::error(
                "42601",
                span,
                "INSERT has more expressions than target columns",
            ));
        }
        if row.len() < columns.len() && columns.iter().any(|it| it.span != (0..0)) {
            let message = "INSERT has more target columns than expressions";
            return Err(Fault::error("42601", span.clone(), message));
        }
        for (value, column) in row.into_iter().zip(columns) {
            self.assign(target, column, value)?;
        }
        Ok(())
    }

    /// Converts a value to the type of the column that it is assigned to.
    pub(super) fn assign(
        &mut self,
        target: &Target,
        assigned: &Assigned,
        value: Expr,
    ) -> Result<()> {
        let column = self.table(target.table).columns[assigned.column].clone();
        let span = value.span.clone();
        self.assigns
            .insert((target.relation.clone(), column.name.clone()));
        if target.overriding.is_none() {
            self.note_updated(target.table, assigned.column, &value);
        }
        if matches!(value.kind, Kind::Default) {
            let what = match assigned.steps.first() {
                Some(Step::Field(_)) => Some("a subfield"),
                Some(Step::Index | Step::Slice) => Some("an array element"),
                None => None,
            };
            if let Some(what) = what {
                let message = format!("cannot set {what} to DEFAULT");
                return Err(Fault::error("0A000", span, message));
            }
            // A view passes DEFAULT of an UPDATE on as NULL.
            if self.is_null_of_view(target, &column.name)
                && let Some(fault) = self.not_given(target, &column.name, span)
            {
                self.late.get_or_insert(fault);
            }
            return Ok(());
        }
        let ty = self.type_of_assigned(target, assigned)?;
        if !self.can_coerce(value.ty, ty, Context::Assignment) {
            let message = format!(
                "column \"{}\" is of type {} but expression is of type {}",
                column.name,
                self.types.words(ty),
                self.types.words(value.ty)
            );
            return Err(Fault::error("42804", span, message).hint("cast the expression"));
        }
        let value = self.convert(value, ty)?;
        if assigned.steps.is_empty() {
            self.relate(&value, column.origin);
        }
        // PostgreSQL rewrites the statement once all of it is read.
        if let Some(fault) = self.not_given(target, &column.name, span) {
            self.late.get_or_insert(fault);
        }
        Ok(())
    }

    /// Returns true if DEFAULT of an UPDATE means NULL: the column is that of a view, and has no
    /// default of its own there.
    fn is_null_of_view(&self, target: &Target, name: &str) -> bool {
        let is_update = target.overriding.is_none();
        is_update
            && self.is_rewritten(&target.relation)
            && self.written(target).is_some_and(|view| {
                let column = view.columns.iter().find(|it| it.name == name);
                column.is_some_and(|column| column.fill == Fill::Nothing)
            })
    }

    /// Returns the error for a value of a column that cannot be written.
    pub(super) fn not_given(&mut self, target: &Target, name: &str, span: Span) -> Option<Fault> {
        let is_insert = target.overriding.is_some();
        let (relation, name) = match self.base_column(&target.relation, name) {
            Ok(found) => found,
            Err((view, column)) => {
                let word = if is_insert { "insert into" } else { "update" };
                let message = format!(
                    "cannot {word} column \"{column}\" of view \"{}\"",
                    view.name
                );
                return Some(
                    Fault::error("0A000", span, message)
                        .hint("it is computed: leave it out, or write to the view's table"),
                );
            }
        };
        let relation = self.catalog.relations.get(&relation)?;
        let column = relation.columns.iter().find(|it| it.name == name)?;
        let what = match &column.fill {
            Fill::Generated { .. } => "a generated column",
            Fill::Identity { always: true } if target.overriding != Some(true) => {
                "an identity column defined as GENERATED ALWAYS"
            }
            _ => return None,
        };
        let message = match is_insert {
            true => format!("cannot insert a non-DEFAULT value into column \"{name}\""),
            false => format!("column \"{name}\" can only be updated to DEFAULT"),
        };
        Some(Fault::error("428C9", span, message).hint(format!("it is {what}: leave it out")))
    }

    pub(super) fn set_clause(&mut self, clause: &SyntaxNode, target: &Target) -> Result<()> {
        let previous = self.scope().no_aggregate.replace("UPDATE");
        let done = self.set_columns(clause, target);
        self.scope().no_aggregate = previous;
        done
    }

    pub(super) fn set_columns(&mut self, clause: &SyntaxNode, target: &Target) -> Result<()> {
        let list = child(clause, K::SET_COLUMN_LIST);
        let mut assignments: Vec<(Assigned, Expr)> = Vec::new();
        for part in list.iter().flat_map(SyntaxNode::children) {
            match seen(part.kind()) {
                K::SET_SINGLE_COLUMN => {
                    let Some(column) = child(&part, K::COLUMN_TARGET) else {
                        continue;
                    };
                    let value = child(&part, K::SET_EXPR);
                    let value = self.set_expression(value.as_ref(), &part)?;
                    assignments.push((self.assigned(&column, target)?, value));
                }
                K::SET_MULTIPLE_COLUMNS => self.set_several(&part, target, &mut assignments)?,
                _ => {}
            }
        }
        // PostgreSQL finds this when it rewrites the statement, before what `assign` notes.
        let mut given: Vec<&Assigned> = Vec::new();
        for (assigned, _) in &assignments {
            let is_twice = |it: &&Assigned| {
                it.column == assigned.column && (it.is_whole() || assigned.is_whole())
            };
            if given.iter().any(is_twice) {
                let name = &self.table(target.table).columns[assigned.column].name;
                let message = format!("multiple assignments to same column \"{name}\"");
                let fault = Fault::error("42601", assigned.span.clone(), message);
                self.late.get_or_insert(fault);
                break;
            }
            given.push(assigned);
        }
        for (assigned, value) in assignments {
            self.assign(target, &assigned, value)?;
        }
        Ok(())
    }

    pub(super) fn set_several(
        &mut self,
        part: &SyntaxNode,
        target: &Target,
        assignments: &mut Vec<(Assigned, Expr)>,
    ) -> Result<()> {
        let span = span_of(part);
        let list = child(part, K::COLUMN_TARGET_LIST);
        let mut columns = Vec::new();
        for column in list
            .iter()
            .flat_map(|list| children(list, K::COLUMN_TARGET))
        {
            columns.push(self.assigned(&column, target)?);
        }
        let mut values = Vec::new();
        let list = child(part, K::SET_EXPR_LIST);
        let is_row = has(part, K::ROW_KW) || list.iter().any(|list| has(list, K::ROW_KW));
        let in_brackets = list.as_ref().filter(|_| !is_row).and_then(only_query);
        if let Some(query) = &in_brackets {
            let analyzed = self.query(query, false)?;
            values.extend(analyzed.columns.iter().map(open_value));
        } else if let Some(list) = list {
            let all: Vec<SyntaxNode> = children(&list, K::SET_EXPR).collect();
            if let ([only], false) = (all.as_slice(), is_row) {
                // In PostgreSQL's grammar this is an expression in parentheses.
                let row = only.children().next().map(|value| unwrapped(&value));
                let Some(row) = row.filter(|row| row.kind() == K::TUPLE_EXPR) else {
                    let message = "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression";
                    return Err(Fault::error("0A000", span_of(only), message)
                        .hint("leave out the parentheses around the column"));
                };
                values.extend(self.values_of_row(&row)?);
            } else {
                for value in all {
                    values.push(self.set_expression(Some(&value), part)?);
                }
            }
        } else if let Some(query) = part.children().find(|it| is_query(it.kind())) {
            let analyzed = self.query(&query, false)?;
            values.extend(analyzed.columns.iter().map(open_value));
        } else {
            return Err(Fault::refused(span, "this assignment is not supported"));
        }
        if values.len() != columns.len() {
            let message = "number of columns does not match number of values";
            return Err(Fault::error("42601", span, message));
        }
        assignments.extend(columns.into_iter().zip(values));
        Ok(())
    }

    pub(super) fn set_expression(
        &mut self,
        node: Option<&SyntaxNode>,
        part: &SyntaxNode,
    ) -> Result<Expr> {
        let span = span_of(node.unwrap_or(part));
        let Some(value) = node.and_then(|node| node.children().next()) else {
            return Ok(Expr::new(types::UNKNOWN, Kind::Default, span));
        };
        if value.kind() == K::LITERAL && text(&value).eq_ignore_ascii_case("default") {
            return Ok(Expr::new(types::UNKNOWN, Kind::Default, span));
        }
        if is_query(value.kind()) {
            return self.query_value(&value, Use::Scalar, None, span);
        }
        self.value(&value)
    }
}

/// A part of a column that is assigned.
#[derive(Debug)]
pub(super) enum Step {
    Field(String),
    Index,
    Slice,
}

/// A column that is assigned, or a field or element of it.
#[derive(Debug)]
pub(super) struct Assigned {
    pub(super) column: usize,
    pub(super) steps: Vec<Step>,
    pub(super) span: Span,
}

/// Returns the value of a result column, including one whose type is not decided yet.
pub(super) fn open_value(column: &ResultColumn) -> Expr {
    match &column.open {
        Some(open) => open.clone(),
        None => Expr::new(column.ty, Kind::Other(Vec::new()), column.span.clone()),
    }
}

impl Assigned {
    pub(super) fn whole(column: usize) -> Self {
        Self {
            column,
            steps: Vec::new(),
            span: 0..0,
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.steps.is_empty()
    }
}

/// Returns the query of a list that holds nothing else, as in `SET (a, b) = ((SELECT 1, 2))`.
fn only_query(list: &SyntaxNode) -> Option<SyntaxNode> {
    let mut values = children(list, K::SET_EXPR);
    let (only, None) = (values.next()?, values.next()) else {
        return None;
    };
    query_in(&only.children().next()?)
}
