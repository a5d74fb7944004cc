//! The values that can be NULL, and the conditions that exclude NULL.

use super::analyzer::Analyzer;
use super::expr::{Expr, Kind, Nulls, TableId, Truth, Use};
use super::total;

/// Columns that are not NULL.
type Known = Vec<(TableId, usize)>;

/// A LEFT or RIGHT JOIN.
#[derive(Debug, Clone)]
pub(super) struct OuterJoin {
    /// Its number in `nulled_by`.
    pub(super) number: usize,
    pub(super) conditions: Vec<Expr>,
    /// The tables of both sides.
    pub(super) tables: Vec<TableId>,
}

/// In place of a column: the table has a row, whichever of its columns are NULL.
const ROW: usize = usize::MAX;

/// Returns what two lists have in common. Two different columns of a table show that it has a row.
fn common_of(one: Known, other: &Known) -> Known {
    let mut common = Vec::new();
    for (table, column) in one {
        if other.contains(&(table, column)) {
            common.push((table, column));
        } else if other.iter().any(|(it, _)| *it == table) {
            common.push((table, ROW));
        }
    }
    common
}

impl Analyzer<'_> {
    /// Returns true if a value can be NULL.
    pub(super) fn nullable(&self, value: &Expr) -> bool {
        self.nullable_given(value, &[])
    }

    /// Returns true if a value can be NULL, given that these columns are not.
    pub(super) fn nullable_given(&self, value: &Expr, known: &[(TableId, usize)]) -> bool {
        let one = |value: &Expr| self.nullable_given(value, known);
        match &value.kind {
            Kind::Var { table, column } => {
                if known.contains(&(*table, *column)) {
                    return false;
                }
                let found = self.table(*table);
                let has_row = known.iter().any(|(other, _)| other == table);
                found.columns[*column].nullable || (!found.nulled_by.is_empty() && !has_row)
            }
            Kind::Row(table) => {
                let found = self.table(*table);
                !found.nulled_by.is_empty() && !known.iter().any(|(other, _)| other == table)
            }
            Kind::Param(index) => self.parameters[*index].nullable,
            Kind::Const(text) => text.is_none(),
            Kind::Call(call) => match call.nulls {
                Nulls::Never => false,
                Nulls::Strict | Nulls::Lenient => call.arguments.iter().any(one),
                Nulls::First => call.arguments.first().is_none_or(one),
                Nulls::StrictAndPartial | Nulls::Always => true,
            },
            Kind::Aggregate(aggregate) => {
                let scope = self.scopes.get(aggregate.depth);
                let has_row = aggregate.needs_row
                    && !aggregate.has_filter
                    && scope.is_some_and(|scope| scope.has_groups);
                // The delimiter of `string_agg` can be NULL.
                let count = usize::from(!total::keeps_nulls(&aggregate.name));
                let mut values = aggregate.arguments.iter().take(count);
                !aggregate.is_total && (!has_row || values.any(one))
            }
            Kind::And(all) | Kind::Or(all) => all.iter().any(one),
            Kind::Not(inner) | Kind::Coerce(inner) | Kind::CaseValue(inner) => one(inner),
            Kind::IsNull { .. } | Kind::IsBool { .. } | Kind::Distinct { .. } => false,
            Kind::Case { whens, otherwise } => {
                let mut excluded = known.to_vec();
                for (condition, result) in whens {
                    let mut within = excluded.clone();
                    self.if_true(condition, &mut within);
                    if self.nullable_given(result, &within) {
                        return true;
                    }
                    // A later branch is reached only if this condition is not true.
                    if let Kind::IsNull { value, not: false } = &condition.kind {
                        self.if_not_null(value, &mut excluded);
                    }
                }
                self.nullable_given(otherwise, &excluded)
            }
            Kind::Coalesce(all) | Kind::Extreme(all) => all.iter().all(one),
            Kind::NullIf(..) => true,
            Kind::RowOf(_) | Kind::Array(_) | Kind::Grouping(_) => false,
            Kind::AnyOf { left, array, .. } => {
                // An element that is NULL can make the result NULL.
                let elements = match &array.kind {
                    Kind::Array(all) => all.iter().any(one),
                    _ => true,
                };
                one(left) || one(array) || elements
            }
            Kind::Query(query) => match query.how {
                Use::Exists | Use::Array => false,
                Use::Scalar => query.is_nullable || !query.has_row || query.left.iter().any(one),
                Use::Any | Use::All => query.is_nullable || query.left.iter().any(one),
            },
            Kind::Subscript { .. } | Kind::Field { .. } => true,
            Kind::Default => true,
            // Results of queries.
            Kind::Other(all) => !all.is_empty(),
        }
    }

    /// Uses a condition that holds for all rows: columns that it excludes from being NULL are not
    /// NULL.
    pub(super) fn narrow(&mut self, condition: &Expr, tables: &[TableId]) {
        self.note_reduced(condition, tables);
        let mut found = Vec::new();
        self.if_true(condition, &mut found);
        for (table, column) in found {
            if tables.contains(&table) {
                let table = &mut self.tables[table.0];
                if let Some(column) = table.columns.get_mut(column) {
                    column.nullable = false;
                }
                // The column has a value, so the outer joins of the table have found a row.
                let joins = std::mem::take(&mut table.nulled_by);
                for other in tables {
                    self.tables[other.0]
                        .nulled_by
                        .retain(|join| !joins.contains(join));
                }
                // The condition of such a join now holds for all rows.
                let is_inner = |it: &mut OuterJoin| joins.contains(&it.number);
                let inner: Vec<OuterJoin> = self.outer_joins.extract_if(.., is_inner).collect();
                for join in inner {
                    for condition in &join.conditions {
                        self.narrow(condition, &join.tables);
                    }
                }
            }
        }
    }

    /// Adds the columns that are not NULL if a condition is true.
    pub(super) fn if_true(&self, condition: &Expr, known: &mut Known) {
        match &condition.kind {
            Kind::And(all) => all.iter().for_each(|part| self.if_true(part, known)),
            Kind::Or(all) => self.in_each(all, known, &mut |analyzer, part, known| {
                analyzer.if_true(part, known);
            }),
            Kind::Not(inner) => self.if_false(inner, known),
            Kind::IsNull { value, not: true } => self.if_not_null(value, known),
            Kind::IsBool {
                value,
                truth: Truth::True,
                not: false,
            } => self.if_true(value, known),
            Kind::IsBool {
                value,
                truth: Truth::False,
                not: false,
            } => self.if_false(value, known),
            Kind::IsBool {
                value,
                truth: Truth::Unknown,
                not: true,
            } => {
                self.if_not_null(value, known);
            }
            Kind::AnyOf {
                left, array, all, ..
            } => {
                // ALL of no elements is true, whatever the value.
                let has_element = matches!(&array.kind, Kind::Array(all) if !all.is_empty());
                if !all || has_element {
                    self.if_not_null(left, known);
                }
                if !all {
                    self.if_not_null(array, known);
                }
            }
            Kind::Query(query) if query.how == Use::Any => {
                query
                    .left
                    .iter()
                    .for_each(|left| self.if_not_null(left, known));
            }
            Kind::Distinct {
                left,
                right,
                not: true,
            } => {
                // The value is equal to one that is not NULL.
                if !self.nullable_given(right, known) {
                    self.if_not_null(left, known);
                } else if !self.nullable_given(left, known) {
                    self.if_not_null(right, known);
                }
            }
            _ => self.if_not_null(condition, known),
        }
    }

    /// Adds the columns that are not NULL if a condition is false.
    fn if_false(&self, condition: &Expr, known: &mut Known) {
        match &condition.kind {
            Kind::Or(all) => all.iter().for_each(|part| self.if_false(part, known)),
            Kind::And(all) => self.in_each(all, known, &mut |analyzer, part, known| {
                analyzer.if_false(part, known);
            }),
            Kind::Not(inner) => self.if_true(inner, known),
            Kind::IsNull { value, not: false } => self.if_not_null(value, known),
            Kind::IsNull { .. } | Kind::IsBool { .. } | Kind::Distinct { .. } => {}
            Kind::AnyOf {
                left,
                all: true,
                array,
                ..
            } => {
                self.if_not_null(left, known);
                self.if_not_null(array, known);
            }
            Kind::AnyOf { .. } | Kind::Query(_) => {}
            _ => self.if_not_null(condition, known),
        }
    }

    /// Adds the columns that each of several conditions excludes from being NULL.
    fn in_each(
        &self,
        all: &[Expr],
        known: &mut Known,
        add: &mut dyn FnMut(&Self, &Expr, &mut Known),
    ) {
        let mut common: Option<Known> = None;
        for part in all {
            let mut found = Vec::new();
            add(self, part, &mut found);
            common = Some(match common {
                None => found,
                Some(common) => common_of(common, &found),
            });
        }
        known.extend(common.unwrap_or_default());
    }

    /// Adds the columns that are not NULL if a value is not.
    pub(super) fn if_not_null(&self, value: &Expr, known: &mut Known) {
        match &value.kind {
            Kind::Var { table, column } => known.push((*table, *column)),
            Kind::Call(call)
                if matches!(call.nulls, Nulls::Strict | Nulls::StrictAndPartial)
                    && call.over.is_none()
                    && !call.returns_set =>
            {
                call.arguments
                    .iter()
                    .for_each(|it| self.if_not_null(it, known));
            }
            Kind::Coerce(inner) | Kind::CaseValue(inner) => self.if_not_null(inner, known),
            Kind::Not(inner) => self.if_not_null(inner, known),
            Kind::NullIf(left, _) => self.if_not_null(left, known),
            Kind::Subscript { value, .. } | Kind::Field { value, .. } => {
                self.if_not_null(value, known);
            }
            Kind::Coalesce(all) if all.len() == 1 => self.if_not_null(&all[0], known),
            _ => {}
        }
    }
}
