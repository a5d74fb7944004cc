//! The functions that a read of a relation calls besides those in its own text: through the queries
//! of views and the conditions of policies.
//!
//! A query whose answer is lost is run again only if it certainly wrote nothing, so the library has
//! to know the functions behind a view. Operators and casts are trusted there as in SQL by hand.

use std::collections::{BTreeMap, BTreeSet};

use bowline_catalog::attached::Code;
use bowline_catalog::routine::{Routine, Volatility};
use bowline_catalog::{Catalog, Name, Relation, RelationKind};
use bowline_sql::quote::identifier;
use bowline_sql::{Kind, tokens};

/// Returns the names of the functions, sorted and separated by spaces. Those that the migrations
/// create are left out if they are `STABLE` or `IMMUTABLE`, since PostgreSQL does not let them
/// write.
///
/// A view whose query is not known has its own name, which is that of no known function.
pub(super) fn calls(catalog: &Catalog, relation: &Relation) -> String {
    let mut found = Found::new(catalog);
    found.relation(relation);
    found.listed()
}

/// Returns the names of the functions that a query calls through views and policies, sorted and
/// separated by spaces. Those in its own text are known without the catalog.
pub(super) fn calls_of_query(catalog: &Catalog, sql: &str) -> String {
    let mut found = Found::new(catalog);
    for token in tokens(sql) {
        if matches!(token.kind(), Kind::Word | Kind::QuotedName)
            && let Some(name) = token.name()
        {
            found.named(&name);
        }
    }
    found.listed()
}

struct Found<'c> {
    routines: &'c [Routine],
    /// The relations that can call functions, by their names without the schema.
    relations: BTreeMap<&'c str, Vec<&'c Relation>>,
    visited: BTreeSet<&'c Name>,
    names: BTreeSet<String>,
}

impl<'c> Found<'c> {
    fn new(catalog: &'c Catalog) -> Self {
        let mut relations: BTreeMap<&str, Vec<&Relation>> = BTreeMap::new();
        for relation in catalog.relations.values() {
            if relation.kind == RelationKind::View || !relation.attached.policies.is_empty() {
                let of_name = relations.entry(&relation.name.name).or_default();
                of_name.push(relation);
            }
        }
        Self {
            routines: &catalog.routines,
            relations,
            visited: BTreeSet::new(),
            names: BTreeSet::new(),
        }
    }

    fn listed(self) -> String {
        let names: Vec<String> = self.names.into_iter().collect();
        names.join(" ")
    }

    fn relation(&mut self, relation: &'c Relation) {
        if !self.visited.insert(&relation.name) {
            return;
        }
        // The rows of a materialized view are stored.
        if relation.kind == RelationKind::View {
            self.code(&relation.name, relation.attached.query.as_ref());
        }
        for policy in &relation.attached.policies {
            if let Some(using) = &policy.using {
                self.code(&relation.name, Some(using));
            }
        }
    }

    fn code(&mut self, of: &Name, code: Option<&Code>) {
        let Some(text) = code.and_then(|code| code.text.as_ref()) else {
            self.names.insert(of.name.clone());
            return;
        };
        let mut before: Option<(String, bool)> = None;
        for token in tokens(text) {
            if token.is("(")
                && let Some((name, is_keyword)) = before.take()
                && !is_keyword
            {
                self.call(name);
            }
            let is_name = matches!(token.kind(), Kind::Word | Kind::QuotedName);
            before = token.name().filter(|_| is_name).map(|name| {
                self.named(&name);
                // A keyword that needs quotes as a name is no function of the user's.
                let is_keyword = token.kind() == Kind::Word && identifier(&name) != name;
                (name.into_owned(), is_keyword)
            });
        }
    }

    /// Follows the relations of a name in any schema.
    fn named(&mut self, name: &str) {
        for relation in self.relations.get(name).cloned().unwrap_or_default() {
            self.relation(relation);
        }
    }

    fn call(&mut self, name: String) {
        /// Words before a parenthesis that belong to the call before them.
        const OF_CALLS: [&str; 3] = ["filter", "over", "materialized"];
        let own = || self.routines.iter().filter(|own| own.name.name == name);
        let is_harmless =
            own().next().is_some() && own().all(|own| own.volatility != Volatility::Volatile);
        if !is_harmless && !OF_CALLS.contains(&&*name) {
            self.names.insert(name);
        }
    }
}
