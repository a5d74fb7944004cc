//! FOR UPDATE and the other row locks: the tables that they reach, and where PostgreSQL refuses
//! them. It does so when it reads the query (`transformLockingClause`), when it plans it
//! (`preprocess_rowmarks`, `make_outerjoininfo`), and when it runs it (`CheckValidRowMarkRel`).

use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::analyzer::{Analyzer, Result};
use super::expr::{Expr, Kind, Nulls, Span, TableId, Use};
use super::fault::Fault;
use super::options::{innermost, locks, option};
use super::raw::span_of;
use super::scope::Table;
use crate::replay::syntax::tree::{child, has, name, path};

/// The kind of an item of FROM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Source {
    #[default]
    Query,
    Relation,
    Function,
    TableFunction,
    With,
}

/// What a lock on the rows of an item of FROM reaches below it.
#[derive(Debug, Clone, Default)]
pub(super) struct Reach {
    /// The clause of a subquery that keeps its rows from being locked.
    pub(super) clause: Option<&'static str>,
    /// The same for the query of a view. There a clause matters only if the query reads tables.
    pub(super) planned: Option<&'static str>,
    /// A relation whose rows cannot be locked, such as `sequence "s"`.
    pub(super) unlocked: Option<String>,
    /// The tables that outer joins leave without a row: for each, the columns of the item that are
    /// NULL then.
    pub(super) nulled: Vec<Vec<usize>>,
    /// True unless the planner replaces the item by what it reads, and that has no tables.
    pub(super) is_table: bool,
}

impl Reach {
    /// Returns the reach of a table.
    pub(super) fn table() -> Self {
        Self {
            is_table: true,
            ..Self::default()
        }
    }

    /// Returns the reach of a set operation.
    pub(super) fn set_operation() -> Self {
        Self {
            clause: Some("UNION/INTERSECT/EXCEPT"),
            ..Self::table()
        }
    }
}

impl Analyzer<'_> {
    /// Reads the locks of a query with these items of FROM. `clause` is what keeps the rows of the
    /// query from being locked.
    pub(super) fn locks(
        &mut self,
        node: &SyntaxNode,
        tables: &[TableId],
        clause: Option<&'static str>,
    ) -> Result<()> {
        for lock in locks(node) {
            if has(&lock, K::SKIP_LOCKED) {
                for table in tables {
                    self.tables[table.0].has_row = false;
                }
            }
            let strength = strength_of(&lock);
            if let Some(clause) = clause {
                return Err(not_allowed(strength, clause, span_of(&lock)));
            }
            let of = child(&lock, K::LOCKING_OF);
            let locked: Vec<(TableId, Span)> = match of {
                None => {
                    let all = tables.iter().copied();
                    let locked = all.filter(|it| can_lock(self.table(*it)));
                    locked.map(|table| (table, span_of(&lock))).collect()
                }
                Some(of) => {
                    let mut locked = Vec::new();
                    for wanted in of.children() {
                        let table = self.locked_by_name(&wanted, tables, strength)?;
                        locked.push((table, span_of(&wanted)));
                    }
                    locked
                }
            };
            for (table, span) in &locked {
                let table = self.table(*table);
                if let Some(clause) = table.reach.clause.filter(|_| table.source == Source::Query) {
                    return Err(not_allowed(strength, clause, span.clone()));
                }
            }
            if self.late.is_none() {
                self.late = self.unplanned(&locked, strength);
            }
        }
        Ok(())
    }

    /// Returns the item of FROM that OF names.
    fn locked_by_name(
        &mut self,
        wanted: &SyntaxNode,
        tables: &[TableId],
        strength: &str,
    ) -> Result<TableId> {
        let span = span_of(wanted);
        if path(wanted).len() > 1 {
            let message = format!("{strength} must specify unqualified relation names");
            return Err(Fault::error("42601", span, message)
                .hint("write the alias, or the name of the table alone"));
        }
        let wanted = name(wanted);
        let is_it = |it: &&TableId| self.table(**it).alias.as_ref() == Some(&wanted);
        let Some(found) = tables.iter().find(is_it) else {
            let items = &self.scope().items;
            let is_join = |it: &super::scope::Item| {
                it.table.is_none() && it.shows_alias && it.alias.as_ref() == Some(&wanted)
            };
            if items.iter().any(is_join) {
                return Err(not_applied(strength, "a join", span));
            }
            let message =
                format!("relation \"{wanted}\" in {strength} clause not found in FROM clause");
            let fault = Fault::error("42P01", span, message);
            return Err(
                match tables.iter().find(|it| self.is_named(**it, &wanted)) {
                    Some(hidden) => {
                        let alias = self.table(*hidden).alias.clone().unwrap_or_default();
                        fault.hint(format!(
                            "write its alias: OF {}",
                            super::alias::quoted(&alias)
                        ))
                    }
                    None => fault.hint("check the alias, and whether FROM has the table"),
                },
            );
        };
        let what = match self.table(*found).source {
            Source::Query | Source::Relation => return Ok(*found),
            Source::Function => "a function",
            Source::TableFunction => "a table function",
            Source::With => "a WITH query",
        };
        Err(not_applied(strength, what, span))
    }

    fn is_named(&self, table: TableId, wanted: &str) -> bool {
        let relation = self.table(table).relation.as_ref();
        relation.is_some_and(|it| it.name == wanted)
    }

    /// Returns the error that PostgreSQL raises when it plans or runs a query with these locks.
    fn unplanned(&self, locked: &[(TableId, Span)], strength: &str) -> Option<Fault> {
        let nullable = |span: &Span| {
            let what = "the nullable side of an outer join";
            not_applied(strength, what, span.clone())
                .hint("name the tables to lock that always have a row: FOR UPDATE OF ..")
        };
        for (id, span) in locked {
            let table = self.table(*id);
            let is_missing = is_missing(table) && table.reach.is_table;
            if !table.may_be_reduced && (is_missing || self.nulled_below(table).next().is_some()) {
                return Some(nullable(span));
            }
        }
        for (id, span) in locked {
            let (table, reach) = (self.table(*id), &self.table(*id).reach);
            if let Some(clause) = reach.planned.filter(|_| !table.may_be_reduced) {
                return Some(not_allowed(strength, clause, span.clone()));
            }
            if let Some(what) = &reach.unlocked {
                let message = format!("cannot lock rows in {what}");
                return Some(Fault::error("42809", span.clone(), message));
            }
        }
        None
    }

    /// Returns the tables below an item of FROM that outer joins leave without a row, even with the
    /// conditions on the item's own columns.
    fn nulled_below<'t>(&self, table: &'t Table) -> impl Iterator<Item = &'t Vec<usize>> {
        let is_null = |at: &usize| table.columns.get(*at).is_none_or(|it| it.nullable);
        let nulled = table.reach.nulled.iter();
        nulled.filter(move |columns| columns.iter().all(is_null))
    }

    /// Returns what a lock on the rows of a query reaches.
    pub(super) fn reach_of(
        &self,
        node: &SyntaxNode,
        tables: &[TableId],
        clause: Option<&'static str>,
        values: &[Expr],
    ) -> Reach {
        let has = |kind| option(node, kind).is_some();
        let has_limit = has(K::LIMIT_CLAUSE) || has(K::OFFSET_CLAUSE) || has(K::FETCH_CLAUSE);
        let is_kept = has_limit
            || clause.is_some()
            || has(K::ORDER_BY_CLAUSE)
            || has(K::WITH_CLAUSE)
            || has(K::LOCKING_CLAUSE);
        let locked = || {
            let all = tables.iter().map(|it| (*it, self.table(*it)));
            all.filter(|(_, table)| can_lock(table))
        };
        let mut nulled = Vec::new();
        for (id, table) in locked().filter(|(_, table)| !table.may_be_reduced) {
            // A condition on the results of a query with LIMIT does not reach its tables.
            let columns_of = |of: Option<&[usize]>| match has_limit {
                true => Vec::new(),
                false => self.columns_of_strict(values, id, of),
            };
            if is_missing(table) && table.reach.is_table {
                nulled.push(columns_of(None));
            } else {
                nulled.extend(self.nulled_below(table).map(|of| columns_of(Some(of))));
            }
        }
        let subqueries = locked().filter(|(_, table)| table.source == Source::Query);
        Reach {
            clause: clause.or_else(|| subqueries.into_iter().find_map(|(_, it)| it.reach.clause)),
            planned: clause
                .filter(|_| locked().next().is_some())
                .or_else(|| locked().find_map(|(_, it)| it.reach.planned)),
            unlocked: locked().find_map(|(_, it)| it.reach.unlocked.clone()),
            nulled,
            is_table: is_kept || locked().any(|(_, it)| it.reach.is_table),
        }
    }

    /// Returns the values that are NULL wherever an item of FROM has no row, or these columns of it
    /// are NULL.
    fn columns_of_strict(&self, values: &[Expr], id: TableId, of: Option<&[usize]>) -> Vec<usize> {
        let is_strict = |value: &Expr| {
            let mut known = Vec::new();
            self.if_not_null(value, &mut known);
            let mut known = known.into_iter();
            known.any(|(table, at)| table == id && of.is_none_or(|of| of.contains(&at)))
        };
        let values = values.iter().enumerate();
        values
            .filter(|(_, value)| is_strict(value))
            .map(|(at, _)| at)
            .collect()
    }

    /// Marks the tables of a query whose WHERE has a constant part. If it is false, PostgreSQL
    /// plans none of them.
    pub(super) fn note_constant(&mut self, condition: &Expr, tables: &[TableId]) {
        if let Kind::And(all) = &condition.kind {
            all.iter().for_each(|part| self.note_constant(part, tables));
            return;
        }
        let is_read = |it: &Expr| {
            let is_constant = matches!(&it.kind, Kind::Const(_) | Kind::Coerce(_));
            !(is_constant || matches!(&it.kind, Kind::Call(call) if call.is_operator))
        };
        if !condition.any(&mut |it| is_read(it)) {
            for table in tables {
                self.tables[table.0].may_be_reduced = true;
            }
        }
    }

    /// Marks the tables that a condition may keep from being NULL by what only the planner knows:
    /// joins that it makes of EXISTS, functions that it inlines.
    pub(super) fn note_reduced(&mut self, condition: &Expr, tables: &[TableId]) {
        if let Kind::And(all) = &condition.kind {
            all.iter().for_each(|part| self.note_reduced(part, tables));
            return;
        }
        let is_exists = |it: &Expr| matches!(&it.kind, Kind::Query(it) if it.how == Use::Exists);
        let is_open = |it: &Expr| match &it.kind {
            Kind::Case { .. } => true,
            Kind::Call(call) => !call.is_operator && call.nulls == Nulls::Always,
            _ => false,
        };
        if !is_exists(condition) && !condition.any(&mut |it| is_open(it)) {
            return;
        }
        let mut read = Vec::new();
        let mut note = |it: &Expr| {
            if let Kind::Var { table, .. } = &it.kind {
                read.push(*table);
            }
        };
        condition.any(&mut |it| {
            note(it);
            if let Kind::Query(query) = &it.kind {
                query.outer.iter().for_each(|(_, outer)| note(outer));
            }
            false
        });
        for table in read.into_iter().filter(|it| tables.contains(it)) {
            self.tables[table.0].may_be_reduced = true;
        }
    }
}

/// Fails if a part of a set operation has a lock.
pub(super) fn check_part(part: &SyntaxNode) -> Result<()> {
    match locks(&innermost(part)).next() {
        Some(lock) => {
            let clause = "UNION/INTERSECT/EXCEPT";
            Err(not_allowed(strength_of(&lock), clause, span_of(&lock)))
        }
        None => Ok(()),
    }
}

/// Fails if VALUES has a lock.
pub(super) fn check_values(values: &SyntaxNode) -> Result<()> {
    match locks(values).next() {
        Some(lock) => Err(not_applied(strength_of(&lock), "VALUES", span_of(&lock))),
        None => Ok(()),
    }
}

/// Returns true for an item of FROM on the side of an outer join whose rows can be missing.
fn is_missing(table: &Table) -> bool {
    !table.nulled_by.is_empty() || table.is_outer
}

fn can_lock(table: &Table) -> bool {
    matches!(table.source, Source::Query | Source::Relation)
}

fn not_allowed(strength: &str, clause: &str, span: Span) -> Fault {
    let message = format!("{strength} is not allowed with {clause}");
    Fault::error("0A000", span, message)
}

fn not_applied(strength: &str, what: &str, span: Span) -> Fault {
    let message = format!("{strength} cannot be applied to {what}");
    Fault::error("0A000", span, message)
}

/// Returns the words of a locking clause: `FOR NO KEY UPDATE`.
fn strength_of(lock: &SyntaxNode) -> &'static str {
    if has(lock, K::FOR_NO_KEY_UPDATE) {
        "FOR NO KEY UPDATE"
    } else if has(lock, K::FOR_KEY_SHARE) {
        "FOR KEY SHARE"
    } else if has(lock, K::FOR_SHARE) {
        "FOR SHARE"
    } else {
        "FOR UPDATE"
    }
}
