//! The steps by which a new column takes the place of another one while programs use the table.
//!
//! The constraints and indexes of the old column are made for the new one first, under names that
//! are free, and get their names when the old column is dropped.

mod hindrance;
mod sequence;

use bowline_sql::quote::identifier;

use super::constraint::{deferral, key_columns};
use super::not_null;
use crate::lint::proof::no_form;
use crate::lint::rewrite::{self, Step, accepted};
use crate::lint::rule::Rule;
use crate::lint::scope::Scope;
use crate::replay::builtin;
use crate::replay::state::names::object_name;
use crate::replay::syntax::type_name::built_in;
use crate::{Column, Constraint, ConstraintKind, Fill, Index, IndexKey, Name, Relation};

/// A column, and the one that takes its place.
pub(super) struct Replacement<'a> {
    /// The name of the old column.
    pub(super) old: &'a str,
    /// The name of the new column at the end.
    pub(super) end: &'a str,
    /// The type of the new column as SQL.
    pub(super) data_type: &'a str,
    /// The value of the new column as SQL; `None` if it is the value of the old one.
    pub(super) value: Option<String>,
}

/// The steps, by their time.
#[derive(Default)]
struct Steps {
    steps: Vec<Step>,
    /// What happens in one transaction with the end of the old column.
    last: Vec<String>,
}

/// Returns the steps, or the advice in their place.
pub(super) fn form(scope: &Scope<'_>, replacement: &Replacement<'_>) -> (Vec<Step>, String) {
    match steps(scope, replacement) {
        Ok(steps) => (steps, String::new()),
        Err(why) => (Vec::new(), no_form(&why)),
    }
}

/// Returns the steps; fails with the reason if the column, or what uses it, cannot be made in
/// steps.
fn steps(scope: &Scope<'_>, replacement: &Replacement<'_>) -> Result<Vec<Step>, String> {
    let unknown = || "the migrations do not show what the column is".to_owned();
    let (before, after) = scope
        .before
        .first()
        .zip(scope.table_after())
        .ok_or_else(unknown)?;
    let column = scope.column_after(replacement.end).ok_or_else(unknown)?;
    hindrance::check(scope, replacement, before, column)?;
    let default = match &column.fill {
        Fill::Default(expression) => Some(expression.as_str()),
        _ => None,
    };
    let keeps_name = replacement.old == replacement.end;
    let new = match keeps_name {
        true => object_name(replacement.old, "", "new"),
        false => replacement.end.to_owned(),
    };
    let made = Made {
        table: &before.name,
        end: replacement.end,
        new: &new,
    };
    let mut out = Steps::default();
    match keeps_name {
        true => out.copied_by_trigger(&made, replacement, column, before),
        false => out.copied_by_programs(&made, replacement, column, before),
    }
    .ok_or_else(|| rewrite::no_key(&rewrite::relation(&before.name)))?;
    let (table, old, quoted) = (
        rewrite::relation(&before.name),
        identifier(replacement.old),
        identifier(&new),
    );
    if column.not_null {
        out.steps.extend(not_null::steps(scope, &new));
    }
    let end = identifier(replacement.end);
    let sequence = sequence::moved(scope, &made, replacement.old, column);
    if let Some(sequence) = &sequence {
        out.last.extend(sequence.before_drop.iter().cloned());
    }
    let why = match keeps_name {
        true => "the new column takes its place",
        false => "no program names it any more",
    };
    let dropped = format!("ALTER TABLE {table} DROP COLUMN {old};");
    out.last.push(accepted(Rule::BanDropColumn, why, &dropped));
    if keeps_name {
        let renamed = format!("ALTER TABLE {table} RENAME COLUMN {quoted} TO {end};");
        out.last.push(accepted(
            Rule::RenamingColumn,
            "programs know only this name",
            &renamed,
        ));
    }
    if let Some(sequence) = sequence {
        out.last.extend(sequence.after_rename);
    }
    for constraint in &after.constraints {
        out.constraint(&made, after, constraint)?;
    }
    for index in after.indexes.iter().filter(|index| made.uses_index(index)) {
        let is_of_constraint = |constraint: &Constraint| constraint.name == index.name;
        if !after.constraints.iter().any(is_of_constraint) {
            out.index(&made, index);
        }
    }
    if let Some(default) = default.filter(|_| keeps_name) {
        out.last.push(format!(
            "ALTER TABLE {table} ALTER COLUMN {end} SET DEFAULT {default};"
        ));
    }
    for statistics in scope.statistics {
        let again = statistics.again(&before.name, replacement.old, replacement.end);
        out.last.extend(again);
    }
    if let Some(comment) = &column.comment {
        let comment = crate::definition::literal(comment);
        out.last
            .push(format!("COMMENT ON COLUMN {table}.{end} IS {comment};"));
    }
    if !keeps_name {
        let released = format!("-- Release a program that uses only {end}.");
        let had = scope.column_before(replacement.old).ok_or_else(unknown)?;
        // The program no longer writes the old column.
        if had.not_null && had.fill == Fill::Nothing {
            let frees = format!("ALTER TABLE {table} ALTER COLUMN {old} DROP NOT NULL;");
            out.steps.push(Step::new(format!(
                "-- When all programs that are in use read {end}:\n{}",
                accepted(Rule::BanDropNotNull, "no program reads it any more", &frees)
            )));
        }
        out.steps.push(Step::new(released));
    }
    let head = match keeps_name {
        true => format!(
            "-- {end} is {} from here on: run this when no program reads or writes it as {}.",
            column.data_type.sql(),
            scope
                .column_before(replacement.old)
                .ok_or_else(unknown)?
                .data_type
                .sql()
        ),
        false => format!("-- When no program that uses {old} is in use:"),
    };
    out.steps
        .push(Step::new(format!("{head}\n{}", out.last.join("\n"))));
    Ok(out.steps)
}

/// The new column while both exist.
struct Made<'a> {
    table: &'a Name,
    end: &'a str,
    new: &'a str,
}

impl Made<'_> {
    /// Returns a name that is free until the old column is dropped.
    fn free(name: &str) -> String {
        object_name(name, "", "new")
    }

    fn columns(&self, columns: &[String]) -> Vec<String> {
        let renamed = |column: &String| match column == self.end {
            true => self.new.to_owned(),
            false => column.clone(),
        };
        columns.iter().map(renamed).collect()
    }

    fn names(&self, text: &str) -> bool {
        bowline_sql::tokens(text).any(|token| token.is_name(self.end))
    }

    /// Returns an expression over the new column.
    fn expression(&self, text: &str) -> String {
        let mut out = String::new();
        let mut from = 0;
        for token in bowline_sql::tokens(text).filter(|token| token.is_name(self.end)) {
            out.push_str(&text[from..token.start()]);
            out.push_str(&identifier(self.new));
            from = token.end();
        }
        out.push_str(&text[from..]);
        out
    }

    fn uses_index(&self, index: &Index) -> bool {
        index.keys.iter().any(|key| match key {
            IndexKey::Column { name, .. } => name == self.end,
            IndexKey::Expression { text, .. } => self.names(text),
        }) || index.included.iter().any(|name| name == self.end)
            || index
                .predicate
                .as_deref()
                .is_some_and(|text| self.names(text))
    }

    /// Returns the index over the new column, under its name until the old column is dropped.
    fn index(&self, index: &Index) -> Index {
        let keys = index.keys.iter().map(|key| match key {
            IndexKey::Column { name, order } if name == self.end => IndexKey::Column {
                name: self.new.to_owned(),
                order: order.clone(),
            },
            IndexKey::Column { .. } => key.clone(),
            IndexKey::Expression { text, order } => IndexKey::Expression {
                text: self.expression(text),
                order: order.clone(),
            },
        });
        let predicate = index.predicate.as_deref();
        Index {
            name: Self::free(&index.name),
            keys: keys.collect(),
            included: self.columns(&index.included),
            predicate: predicate.map(|text| self.expression(text)),
            ..index.clone()
        }
    }
}

impl Steps {
    /// A trigger keeps both columns equal, so that programs know only the old name.
    fn copied_by_trigger(
        &mut self,
        made: &Made<'_>,
        replacement: &Replacement<'_>,
        column: &Column,
        before: &Relation,
    ) -> Option<()> {
        let (table, old) = (rewrite::relation(made.table), identifier(replacement.old));
        let new = identifier(made.new);
        // Triggers run in the order of their names.
        let trigger = identifier(&object_name("zz_copy", replacement.old, "new"));
        let function = rewrite::relation(&Name {
            schema: made.table.schema.clone(),
            name: object_name(&made.table.name, made.new, "copy"),
        });
        let value = match &replacement.value {
            None => format!("NEW.{old}"),
            Some(value) => format!(
                "(SELECT {value} FROM (SELECT NEW.*) AS {})",
                identifier(&made.table.name)
            ),
        };
        self.steps.push(Step::new(format!(
            "ALTER TABLE {table} ADD COLUMN {};\n\
             CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$\n\
             BEGIN\n    NEW.{new} := {value};\n    RETURN NEW;\nEND\n$$;\n\
             -- Its name is the last one, so that it sees what other triggers write.\n\
             CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {table}\n    FOR EACH ROW EXECUTE FUNCTION {function}();",
            definition(made.new, replacement, column)
        )));
        let update = match &replacement.value {
            None => format!("SET {new} = {old} WHERE {new} IS NULL AND {old} IS NOT NULL"),
            Some(value) => {
                let differs = differs(&new, &format!("({value})"), replacement.data_type);
                format!("SET {new} = {value} WHERE {differs}")
            }
        };
        let update = format!("UPDATE {table} {update};");
        self.steps
            .push(rewrite::backfill(Some(before), "", &update)?);
        self.last
            .push(format!("DROP TRIGGER {trigger} ON {table};"));
        self.last.push(format!("DROP FUNCTION {function}();"));
        Some(())
    }

    /// Programs keep both columns equal, since some know the one and some the other.
    fn copied_by_programs(
        &mut self,
        made: &Made<'_>,
        replacement: &Replacement<'_>,
        column: &Column,
        before: &Relation,
    ) -> Option<()> {
        let table = rewrite::relation(made.table);
        let (old, new) = (identifier(replacement.old), identifier(made.new));
        let mut first = format!(
            "ALTER TABLE {table} ADD COLUMN {};",
            definition(made.new, replacement, column)
        );
        // Programs leave both columns out where the default serves them. A default that comes with
        // the column would write the rows that exist.
        if let Fill::Default(default) = &column.fill {
            first.push_str(&format!(
                "\nALTER TABLE {table} ALTER COLUMN {new} SET DEFAULT {default};"
            ));
        }
        self.steps.push(Step::new(first));
        let differs = differs(&new, &old, replacement.data_type);
        let update = format!("UPDATE {table} SET {new} = {old} WHERE {differs};");
        let released = "Release a program that writes both columns. Then:";
        self.steps
            .push(rewrite::backfill(Some(before), released, &update)?);
        Some(())
    }

    /// Makes a constraint that uses the column. Fails with the reason if it cannot be made in
    /// steps.
    fn constraint(
        &mut self,
        made: &Made<'_>,
        after: &Relation,
        constraint: &Constraint,
    ) -> Result<(), String> {
        let cannot = || {
            format!(
                "PostgreSQL has no way to make another {} beside it: drop it first, and add it again when the column is replaced",
                constraint.name
            )
        };
        let table = rewrite::relation(made.table);
        let (name, end) = (Made::free(&constraint.name), identifier(&constraint.name));
        let quoted = identifier(&name);
        if let Some((word, columns)) = key_columns(&constraint.kind) {
            if !columns.iter().any(|column| column == made.end) {
                return Ok(());
            }
            let index = after
                .indexes
                .iter()
                .find(|index| index.name == constraint.name)
                .filter(|_| !constraint.temporal)
                .ok_or_else(cannot)?;
            self.steps.push(concurrent(&made.index(index), made.table));
            let deferral = deferral(constraint);
            self.last.push(format!(
                "ALTER TABLE {table} ADD CONSTRAINT {end} {word} USING INDEX {quoted}{deferral};"
            ));
            return Ok(());
        }
        let mut copy = Constraint {
            name,
            validated: false,
            ..constraint.clone()
        };
        match &mut copy.kind {
            ConstraintKind::Check {
                expression,
                columns,
                ..
            } if made.names(expression) => {
                *expression = made.expression(expression);
                *columns = made.columns(columns);
            }
            ConstraintKind::ForeignKey { columns, .. } if columns.iter().any(|c| c == made.end) => {
                *columns = made.columns(columns);
            }
            ConstraintKind::Exclude { .. } => {
                let mut indexes = after.indexes.iter();
                let uses =
                    indexes.any(|index| index.name == constraint.name && made.uses_index(index));
                return match uses {
                    true => Err(cannot()),
                    false => Ok(()),
                };
            }
            _ => return Ok(()),
        }
        self.steps.push(Step::new(format!(
            "ALTER TABLE {table} ADD CONSTRAINT {quoted} {};",
            copy.sql(&[])
        )));
        if constraint.validated && constraint.enforced {
            self.steps.push(Step::new(format!(
                "ALTER TABLE {table} VALIDATE CONSTRAINT {quoted};"
            )));
        }
        self.last.push(format!(
            "ALTER TABLE {table} RENAME CONSTRAINT {quoted} TO {end};"
        ));
        Ok(())
    }

    fn index(&mut self, made: &Made<'_>, index: &Index) {
        let copy = made.index(index);
        self.steps.push(concurrent(&copy, made.table));
        let of_schema = |name: &str| {
            rewrite::relation(&Name {
                schema: made.table.schema.clone(),
                name: name.to_owned(),
            })
        };
        self.last.push(format!(
            "ALTER INDEX {} RENAME TO {};",
            of_schema(&copy.name),
            identifier(&index.name)
        ));
        if let Some(comment) = &index.comment {
            self.last.push(format!(
                "COMMENT ON INDEX {} IS {};",
                of_schema(&index.name),
                crate::definition::literal(comment)
            ));
        }
    }
}

fn definition(name: &str, replacement: &Replacement<'_>, column: &Column) -> String {
    let collation = match &column.collation {
        Some(collation) => format!(" COLLATE {}", collation.sql()),
        None => String::new(),
    };
    format!("{} {}{collation}", identifier(name), replacement.data_type)
}

/// Returns the condition that two values of a type differ. Types such as `json` have no `=`, and
/// that of `box` compares areas: their texts are compared.
fn differs(one: &str, other: &str, data_type: &str) -> String {
    let bare = data_type.trim_end_matches("[]");
    let bare = bare.split('(').next().unwrap_or_default().trim();
    let is_compared = built_in(bare, &[]).is_none_or(|name| {
        builtin::has_default_class(name, "btree") || builtin::has_default_class(name, "hash")
    });
    match is_compared {
        true => format!("{one} IS DISTINCT FROM {other}"),
        false => format!("{one}::text IS DISTINCT FROM {other}::text"),
    }
}

/// Returns the step that creates an index without blocking writers.
pub(super) fn concurrent(index: &Index, table: &Name) -> Step {
    let sql = index
        .sql(table)
        .replacen("INDEX ", "INDEX CONCURRENTLY ", 1);
    // The default method is left out. No name comes before it with this text around it.
    let sql = match index.method.as_str() {
        "btree" => sql.replacen(" USING btree (", " (", 1),
        _ => sql,
    };
    Step::alone(format!("{sql};"))
}
