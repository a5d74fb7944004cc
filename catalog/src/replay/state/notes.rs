//! Facts about the parts of tables that the catalog does not hold, but on which later statements
//! depend.

use std::collections::BTreeMap;

use crate::Name;

/// Facts about columns, constraints or indexes, by table name and part name.
#[derive(Debug, Clone)]
pub(crate) struct Notes<T>(BTreeMap<(Name, String), T>);

impl<T> Default for Notes<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Notes<T> {
    pub(crate) fn get(&self, table: &Name, part: &str) -> Option<&T> {
        self.0.get(&(table.clone(), part.to_owned()))
    }

    pub(crate) fn has(&self, table: &Name, part: &str) -> bool {
        self.get(table, part).is_some()
    }

    pub(crate) fn note(&mut self, table: &Name, part: &str, fact: T) {
        self.0.insert((table.clone(), part.to_owned()), fact);
    }

    pub(crate) fn forget(&mut self, table: &Name, part: &str) {
        self.0.remove(&(table.clone(), part.to_owned()));
    }

    pub(crate) fn forget_table(&mut self, table: &Name) {
        self.0.retain(|(other, _), _| other != table);
    }

    pub(crate) fn of_table(&self, table: &Name) -> impl Iterator<Item = (&str, &T)> {
        let all = self.0.iter().filter(move |((other, _), _)| other == table);
        all.map(|((_, part), fact)| (part.as_str(), fact))
    }

    /// Follows the rename of a part.
    pub(crate) fn rename(&mut self, table: &Name, from: &str, to: &str) {
        if let Some(fact) = self.0.remove(&(table.clone(), from.to_owned())) {
            self.note(table, to, fact);
        }
    }

    /// Follows the rename of a table.
    pub(crate) fn move_table(&mut self, from: &Name, to: &Name) {
        let all = std::mem::take(&mut self.0).into_iter();
        self.0 = all
            .map(|((table, part), fact)| {
                let table = if table == *from { to.clone() } else { table };
                ((table, part), fact)
            })
            .collect();
    }
}
