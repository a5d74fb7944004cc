//! Names of existing objects, and new names. A few new names are those that PostgreSQL would choose
//! for another object.

use super::{Filler, Known};
use crate::Name;
use crate::definition::quoted;
use crate::replay::state::PUBLIC;
use crate::replay::syntax::tree;

pub(super) const TABLES: [&str; 9] = [
    "order",
    "Group \"x\"",
    "t0",
    "t1",
    "t2",
    "T 3",
    "t0_a",
    "t4",
    "a_table_whose_name_is_quite_as_long_as_any_name_may_ever_be_xyz",
];
const COLUMNS: [&str; 12] = [
    "user",
    "select",
    "Table.a",
    "a",
    "b",
    "c",
    "id",
    "x",
    "a_b",
    "C d",
    "y",
    "a_column_with_a_name_that_is_nearly_as_long_as_it_can_be",
];
/// Names for constraints, indexes and sequences. Some are those that PostgreSQL would choose for
/// other objects.
pub(super) const NAMES: [&str; 17] = [
    "check",
    "k0",
    "k1",
    "k2",
    "k3",
    "k4",
    "N\"2",
    "t0_a_key",
    "t0_pkey",
    "t0_a_idx",
    "t0_a_check",
    "t1_a_fkey",
    "t0_id_seq",
    "t1_id_seq1",
    "t1_check",
    "a_name_that_is_too_long_to_be_kept_as_it_is_and_so_is_cut_at_63_bytes",
    "k5",
];
const TYPES: [&str; 18] = [
    "int",
    "int",
    "int",
    "int",
    "bigint",
    "smallint",
    "text",
    "text",
    "varchar(9)",
    "numeric(8,2)",
    "boolean",
    "timestamptz",
    "date",
    "uuid",
    "jsonb",
    "int[]",
    "text[]",
    "char(3)",
];

impl Filler<'_> {
    /// Returns a name, with its schema if the search path does not find it.
    pub(super) fn written(&mut self, name: &Name) -> String {
        let is_found = self.state.search_path().contains(&name.schema);
        if !is_found || self.pick(8) == 0 {
            format!("{}.{}", quoted(&name.schema), quoted(&name.name))
        } else {
            quoted(&name.name)
        }
    }

    pub(super) fn named(&mut self, names: &[Name]) -> String {
        match self.one_of(names) {
            Some(name) => self.written(&name),
            None => "missing".to_owned(),
        }
    }

    /// Returns one of these names, usually one that is free.
    pub(super) fn free(&mut self, names: &[&str], is_taken: impl Fn(&str) -> bool) -> String {
        let free: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| !is_taken(name))
            .collect();
        if free.is_empty() || self.pick(12) == 0 {
            quoted(&self.word(names))
        } else {
            quoted(&self.word(&free))
        }
    }

    pub(super) fn new_relation(&mut self, names: &[&str]) -> String {
        let state = self.state;
        let schemas: Vec<&String> = state.schemas().iter().collect();
        let schema = if self.pick(8) == 0 {
            self.one_of(&schemas)
        } else {
            None
        };
        let lookup = schema
            .cloned()
            .or_else(|| state.search_path().first().cloned())
            .unwrap_or_else(|| PUBLIC.to_owned());
        let name = self.free(names, |name| state.has_relation(&lookup, name));
        match schema {
            Some(schema) => format!("{}.{name}", quoted(schema)),
            None => name,
        }
    }

    pub(super) fn new_column(&mut self) -> String {
        let columns = self.columns.clone();
        self.free(&COLUMNS, |name| {
            columns.iter().any(|column| column.name == name)
        })
    }

    pub(super) fn data_type(&mut self) -> String {
        let own = self.types(|_| true);
        if !own.is_empty() && self.pick(4) == 0 {
            let chosen = self.one_of(&own).map(|found| found.name.clone());
            let name = chosen.map(|name| self.written(&name)).unwrap_or_default();
            let array = if self.pick(5) == 0 { "[]" } else { "" };
            return format!("{name}{array}");
        }
        self.word(&TYPES)
    }

    pub(super) fn definition(&mut self) -> String {
        let name = self.new_column();
        let data_type = self.data_type();
        self.columns.push(Known {
            name: identifier_of(&name),
            data_type: data_type.clone(),
        });
        format!("{name} {data_type}")
    }
}

/// Returns the name that a quoted identifier means.
fn identifier_of(written: &str) -> String {
    tree::identifier(written)
}
