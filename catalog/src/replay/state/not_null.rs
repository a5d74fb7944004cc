//! NOT NULL, which from PostgreSQL 18 on is a constraint with a name, and which children have from their parents.

use crate::replay::state::State;
use crate::{Fill, Name};

impl State {
    /// Makes a column NOT NULL by its own table's word.
    pub(crate) fn set_not_null(&mut self, table: &Name, column: &str, given: Option<String>) {
        self.local_not_null.note(table, column, ());
        self.make_not_null(table, column, given);
    }

    /// Makes the column NOT NULL in the children, because it is so in the parent.
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
        }
        if given.is_some() || !is_known {
            let name =
                given.unwrap_or_else(|| self.free_constraint_name(table, column, "not_null"));
            self.not_null_names.note(table, column, name);
        }
    }

    /// The columns with a NOT NULL constraint, and its name.
    #[cfg(test)]
    pub(crate) fn not_null_constraints(
        &self,
        table: &Name,
    ) -> impl Iterator<Item = (&str, &String)> {
        self.not_null_names.of_table(table)
    }

    /// The column of which this is the NOT NULL constraint.
    pub(crate) fn not_null_column(&self, table: &Name, constraint: &str) -> Option<String> {
        let mut names = self.not_null_names.of_table(table);
        let found = names.find(|(_, name)| *name == constraint);
        found.map(|(column, _)| column.to_owned())
    }

    /// Lets a column be NULL, also in the children that had it from this one alone.
    pub(crate) fn drop_not_null(&mut self, table: &Name, column: &str) {
        self.local_not_null.forget(table, column);
        self.not_null_names.forget(table, column);
        let relation = self.table(table);
        let columns = &mut relation.columns;
        if let Some(found) = columns.iter_mut().find(|other| other.name == column)
            && !matches!(found.fill, Fill::Identity { .. })
        {
            found.not_null = false;
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

    /// A table without its parent keeps what it had from it as its own.
    pub(crate) fn stand_alone(&mut self, table: &Name) {
        let relation = self.table(table);
        let strict = relation.columns.iter().filter(|column| column.not_null);
        let strict: Vec<String> = strict.map(|column| column.name.clone()).collect();
        for column in strict {
            self.local_not_null.note(table, &column, ());
        }
    }
}
