//! The steps by which a new column takes the place of another one while programs use the table.
//!
//! The constraints and indexes of the old column are made for the new one first, under names that
//! are free, and get their names when the old column is dropped.

use bowline_sql::quote::identifier;

use super::constraint::{deferral, key_columns};
use super::not_null;
use crate::lint::proof::NO_FORM;
use crate::lint::rewrite::{self, Step};
use crate::lint::scope::Scope;
use crate::replay::state::names::object_name;
use crate::{
    Column, Constraint, ConstraintKind, Fill, Index, IndexKey, Name, Relation, RelationKind,
};

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
pub(super) fn form(scope: &Scope<'_>, replacement: &Replacement<'_>) -> (Vec<Step>, &'static str) {
    match steps(scope, replacement) {
        Some(steps) => (steps, ""),
        None => (Vec::new(), NO_FORM),
    }
}

/// Returns the steps; `None` if the column, or what uses it, cannot be made in steps.
fn steps(scope: &Scope<'_>, replacement: &Replacement<'_>) -> Option<Vec<Step>> {
    let (before, after) = (scope.before.first()?, scope.table_after()?);
    let column = scope.column_after(replacement.end)?;
    let default = match &column.fill {
        Fill::Nothing => None,
        Fill::Default(expression) => Some(expression.as_str()),
        // Their values come from elsewhere.
        Fill::Serial { .. } | Fill::Identity { .. } | Fill::Generated { .. } => return None,
    };
    // A new column of a domain with a constraint writes all rows too.
    let is_checked = scope.state.checking_domain(&column.data_type).is_some();
    if is_checked || before.kind != RelationKind::Table || !before.parents.is_empty() {
        return None;
    }
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
    let (table, old, quoted) = (
        rewrite::relation(&before.name),
        identifier(replacement.old),
        identifier(&new),
    );
    if column.not_null {
        out.steps.extend(not_null::steps(scope, &new));
    }
    let end = identifier(replacement.end);
    out.last
        .push(format!("ALTER TABLE {table} DROP COLUMN {old};"));
    if keeps_name {
        out.last.push(format!(
            "ALTER TABLE {table} RENAME COLUMN {quoted} TO {end};"
        ));
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
    if let Some(default) = default {
        let sql = format!("ALTER TABLE {table} ALTER COLUMN {end} SET DEFAULT {default};");
        match keeps_name {
            true => out.last.push(sql),
            false => out.steps.push(Step::new(sql)),
        }
    }
    if let Some(comment) = &column.comment {
        let comment = crate::definition::literal(comment);
        out.last
            .push(format!("COMMENT ON COLUMN {table}.{end} IS {comment};"));
    }
    if !keeps_name {
        let released = format!("-- Release a program that uses only {end}.");
        let had = scope.column_before(replacement.old)?;
        // The program no longer writes the old column.
        let frees = had.not_null && had.fill == Fill::Nothing;
        out.steps.push(Step::new(match frees {
            true => format!("ALTER TABLE {table} ALTER COLUMN {old} DROP NOT NULL;\n{released}"),
            false => released,
        }));
    }
    out.steps.push(Step::new(out.last.join("\n")));
    Some(out.steps)
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
    ) {
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
            Some(value) => format!("SET {new} = {value} WHERE {new} IS DISTINCT FROM ({value})"),
        };
        let update = format!("UPDATE {table} {update};");
        self.steps
            .push(rewrite::backfill(Some(before), "", &update));
        self.last
            .push(format!("DROP TRIGGER {trigger} ON {table};"));
        self.last.push(format!("DROP FUNCTION {function}();"));
    }

    /// Programs keep both columns equal, since some know the one and some the other.
    fn copied_by_programs(
        &mut self,
        made: &Made<'_>,
        replacement: &Replacement<'_>,
        column: &Column,
        before: &Relation,
    ) {
        let table = rewrite::relation(made.table);
        let (old, new) = (identifier(replacement.old), identifier(made.new));
        self.steps.push(Step::new(format!(
            "ALTER TABLE {table} ADD COLUMN {};",
            definition(made.new, replacement, column)
        )));
        let update =
            format!("UPDATE {table} SET {new} = {old} WHERE {new} IS DISTINCT FROM {old};");
        let released = "Release a program that writes both columns. Then:";
        self.steps
            .push(rewrite::backfill(Some(before), released, &update));
    }

    /// Makes a constraint that uses the column. Returns `None` if it cannot be made in steps.
    fn constraint(
        &mut self,
        made: &Made<'_>,
        after: &Relation,
        constraint: &Constraint,
    ) -> Option<()> {
        let table = rewrite::relation(made.table);
        let (name, end) = (Made::free(&constraint.name), identifier(&constraint.name));
        let quoted = identifier(&name);
        if let Some((word, columns)) = key_columns(&constraint.kind) {
            if !columns.iter().any(|column| column == made.end) {
                return Some(());
            }
            let index = after
                .indexes
                .iter()
                .find(|index| index.name == constraint.name)?;
            if constraint.temporal {
                return None;
            }
            self.steps.push(concurrent(&made.index(index), made.table));
            let deferral = deferral(constraint);
            self.last.push(format!(
                "ALTER TABLE {table} ADD CONSTRAINT {end} {word} USING INDEX {quoted}{deferral};"
            ));
            return Some(());
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
                let index = after
                    .indexes
                    .iter()
                    .find(|index| index.name == constraint.name)?;
                return (!made.uses_index(index)).then_some(());
            }
            _ => return Some(()),
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
        Some(())
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
