//! What the catalog does not hold of the parts of tables, but later statements depend on.

use std::collections::BTreeMap;

use crate::Name;

/// Facts about columns, constraints or indexes, under the table's name and theirs.
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

    /// A part has another name.
    pub(crate) fn rename(&mut self, table: &Name, from: &str, to: &str) {
        if let Some(fact) = self.0.remove(&(table.clone(), from.to_owned())) {
            self.note(table, to, fact);
        }
    }

    /// A table has another name.
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
