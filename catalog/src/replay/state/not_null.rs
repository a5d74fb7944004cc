//! NOT NULL, which children inherit. From PostgreSQL 18 on it is a constraint with a name.

use crate::replay::state::State;
use crate::{Column, Fill, Name, NotNull};

impl State {
    /// Makes a column NOT NULL by a declaration in its own table.
    pub(crate) fn set_not_null(&mut self, table: &Name, column: &str, given: Option<String>) {
        self.local_not_null.note(table, column, ());
        self.make_not_null(table, column, given);
    }

    /// Adds a NOT NULL constraint. With `NOT VALID` or `NO INHERIT` the column can hold NULL,
    /// unless it was NOT NULL before.
    pub(crate) fn add_not_null(
        &mut self,
        table: &Name,
        column: &str,
        given: Option<String>,
        (no_inherit, validated): (bool, bool),
    ) {
        let mut tables = vec![table.clone()];
        if !no_inherit {
            tables.extend(self.descendants(table));
        }
        let is_column = |found: &&mut Column| found.name == column;
        tables.retain(|table| {
            let mut columns = self.table(table).columns.iter_mut();
            !columns.find(is_column).is_some_and(|found| found.not_null)
        });
        self.set_not_null(table, column, given);
        if !no_inherit {
            self.inherit_not_null(table, column);
        }
        if !no_inherit && validated {
            return;
        }
        for table in tables {
            let names = self.not_null_names.of_table(&table);
            let named = names.filter(|(named, _)| *named == column);
            let name = named.map(|(_, name)| name.clone()).next();
            let constraint = name.map(|name| NotNull {
                name,
                no_inherit,
                validated,
            });
            let mut columns = self.table(&table).columns.iter_mut();
            if let Some(found) = columns.find(is_column) {
                found.not_null_constraint = constraint;
            }
        }
    }

    /// Validates the NOT NULL constraint of a column, also in the children.
    pub(crate) fn validate_not_null(&mut self, table: &Name, column: &str) {
        let mut tables = self.descendants(table);
        tables.push(table.clone());
        for table in tables {
            let mut columns = self.table(&table).columns.iter_mut();
            if let Some(found) = columns.find(|found| found.name == column) {
                let constraint = found.not_null_constraint.take();
                let limited = constraint.filter(|constraint| constraint.no_inherit);
                found.not_null_constraint = limited.map(|constraint| NotNull {
                    validated: true,
                    ..constraint
                });
            }
        }
    }

    /// Makes the column NOT NULL in the children, as in the parent.
    pub(crate) fn inherit_not_null(&mut self, table: &Name, column: &str) {
        for child in self.descendants(table) {
            self.make_not_null(&child, column, None);
        }
    }

    fn make_not_null(&mut self, table: &Name, column: &str, given: Option<String>) {
        let is_known = self.not_null_names.has(table, column);
        let columns = &mut self.table(table).columns;
        if let Some(found) = columns.iter_mut().find(|other| other.name == column) {
            found.not_null = true;
            found.not_null_constraint = None;
        }
        if given.is_some() || !is_known {
            let name =
                given.unwrap_or_else(|| self.free_constraint_name(table, column, "not_null"));
            self.not_null_names.note(table, column, name);
        }
    }

    /// Returns the columns with a NOT NULL constraint, and the constraint's name.
    #[cfg(test)]
    pub(crate) fn not_null_constraints(
        &self,
        table: &Name,
    ) -> impl Iterator<Item = (&str, &String)> {
        self.not_null_names.of_table(table)
    }

    /// Returns the column of this NOT NULL constraint.
    pub(crate) fn not_null_column(&self, table: &Name, constraint: &str) -> Option<String> {
        let mut names = self.not_null_names.of_table(table);
        let found = names.find(|(_, name)| *name == constraint);
        found.map(|(column, _)| column.to_owned())
    }

    /// Drops NOT NULL from a column, also in the children that only inherited it from this table.
    pub(crate) fn drop_not_null(&mut self, table: &Name, column: &str) {
        self.local_not_null.forget(table, column);
        self.not_null_names.forget(table, column);
        let relation = self.table(table);
        let columns = &mut relation.columns;
        if let Some(found) = columns.iter_mut().find(|other| other.name == column)
            && !matches!(found.fill, Fill::Identity { .. })
        {
            found.not_null = false;
            found.not_null_constraint = None;
        }
        let relations = self.catalog.relations.values();
        let children: Vec<Name> = relations
            .filter(|child| {
                child.parents.contains(table) && !self.local_not_null.has(&child.name, column)
            })
            .filter(|child| {
                !child.parents.iter().any(|parent| {
                    let parent = self.catalog.relations.get(parent);
                    parent.is_some_and(|parent| {
                        let mut columns = parent.columns.iter();
                        columns.any(|other| other.name == column && other.not_null)
                    })
                })
            })
            .map(|child| child.name.clone())
            .collect();
        for child in children {
            self.drop_not_null(&child, column);
        }
    }

    /// Makes the inherited properties of a table its own after it lost its parent.
    pub(crate) fn keep_inherited(&mut self, table: &Name) {
        let relation = self.table(table);
        let strict = relation.columns.iter().filter(|column| column.not_null);
        let strict: Vec<String> = strict.map(|column| column.name.clone()).collect();
        for column in strict {
            self.local_not_null.note(table, &column, ());
        }
    }
}
