//! Comparison of texts by a server, which parses both and writes both back in its own form.
//!
//! Each text is put into a temporary object, within a transaction that is rolled back. If the
//! server does not allow that, or rejects one of the texts, the texts are compared as they are.

use std::collections::BTreeSet;

use self::texts::TextComparer;
use super::{Aspect, Difference, How, Subject, compare};
use crate::{Catalog, Fill, Name, Relation, RelationKind};

mod probe;
mod texts;

/// The differences between two catalogs, and the aspects that could not be compared.
#[derive(Debug, Default)]
pub struct Comparison {
    /// All known differences.
    pub differences: Vec<Difference>,
    /// The subjects and aspects that could not be compared, as text.
    pub not_compared: Vec<String>,
}

/// Pairs of texts that a server has found to be the same.
#[derive(Debug, Default)]
pub struct EqualTexts(BTreeSet<(String, String)>);

/// A server that can parse the texts of a comparison.
pub trait Server {
    /// Returns the major version, such as 15, if one of the two catalogs is that of this server.
    fn version_of_catalog(&self) -> Option<i32>;

    /// Runs the statements, then the query, and rolls both back.
    ///
    /// Returns the column `text` of the query's only row; `None` if the server rejects a statement
    /// or the query.
    fn probe(&mut self, statements: &str, query: &str) -> Option<String>;
}

/// Compares two catalogs. If a server is given, it parses the texts that differ. One of the
/// catalogs is that of the server, or its objects were created on the server.
pub fn compare_with(
    left: &Catalog,
    right: &Catalog,
    server: Option<&mut dyn Server>,
    equal: &mut EqualTexts,
) -> Comparison {
    let mut found = compare(left, right);
    if let Some(server) = server {
        if let Some(version) = server.version_of_catalog() {
            found.retain(|difference| !is_of_version(difference, left, right, version));
        }
        settle(&mut found, left, right, TextComparer { server, equal });
    }
    comparison(found, left, right)
}

/// Returns true if there are differences between texts, which a server may find to be the same.
pub fn has_open_texts(left: &Catalog, right: &Catalog) -> bool {
    compare(left, right).iter().any(Difference::is_of_text)
}

/// Removes the differences between texts that the server finds to be the same.
fn settle(
    found: &mut Vec<Difference>,
    left: &Catalog,
    right: &Catalog,
    mut server: TextComparer<'_>,
) {
    if !found.iter().any(Difference::is_of_text) {
        return;
    }
    let (mut one, mut other) = (left.clone(), right.clone());
    for difference in found.iter().filter(|difference| difference.is_of_text()) {
        server.settle(&mut one, &mut other, &difference.subject);
    }
    let still = compare(&one, &other);
    found.retain_mut(|difference| {
        let mut others = still.iter();
        let same = |other: &&Difference| other.is_about_the_same(difference);
        let is_left = others.clone().any(|other| same(&other));
        let certain = others.any(|other| same(&other) && !other.is_undecided);
        let is_kept = certain || (difference.is_undecided && is_left);
        difference.is_undecided &= !certain;
        is_kept
    });
}

/// Separates the differences from the aspects that could not be compared.
fn comparison(found: Vec<Difference>, left: &Catalog, right: &Catalog) -> Comparison {
    let mut comparison = Comparison::default();
    for difference in found {
        if difference.is_undecided {
            comparison
                .not_compared
                .push(difference.subject_and_aspect());
        } else {
            comparison.differences.push(difference);
        }
    }
    let gaps = left.gaps.iter().chain(&right.gaps);
    comparison
        .not_compared
        .extend(gaps.map(ToString::to_string));
    comparison.not_compared.dedup();
    comparison
}

/// Returns true if the difference is due to the version of the server. Replay follows the newest
/// version.
fn is_of_version(difference: &Difference, left: &Catalog, right: &Catalog, version: i32) -> bool {
    let (Subject::Column(table, name), Some(aspect)) =
        (&difference.subject, difference.how.aspect())
    else {
        return false;
    };
    let (Some(one), Some(other)) = (left.relations.get(table), right.relations.get(table)) else {
        return false;
    };
    let column = |relation: &'_ Relation| {
        let mut columns = relation.columns.iter();
        columns
            .find(|column| column.name == *name)
            .map(|column| column.fill.clone())
    };
    match aspect {
        // A partition shares the identity of its parent only from PostgreSQL 17 on.
        Aspect::Default if version < 17 && one.kind == RelationKind::Partition => {
            let is_shared = |fill: Option<Fill>| matches!(fill, Some(Fill::Identity { .. }));
            let is_none = |fill: Option<Fill>| fill == Some(Fill::Nothing);
            is_shared(column(one)) && is_none(column(other))
                || is_none(column(one)) && is_shared(column(other))
        }
        // NOT NULL is inherited and dropped like a check only from PostgreSQL 18 on.
        Aspect::Nullability if version < 18 => {
            let has_it = |catalog: &Catalog, parent: &Name| {
                let parent = catalog.relations.get(parent);
                parent.is_some_and(|parent| column(parent).is_some())
            };
            one.parents.iter().any(|parent| has_it(left, parent))
                && other.parents.iter().any(|parent| has_it(right, parent))
        }
        _ => false,
    }
}

impl Difference {
    /// Returns true if the two may differ in spelling only.
    fn is_of_text(&self) -> bool {
        matches!(self.how, How::Differs { is_text: true, .. })
    }

    fn is_about_the_same(&self, other: &Self) -> bool {
        self.subject == other.subject && self.how.aspect() == other.how.aspect()
    }

    fn subject_and_aspect(&self) -> String {
        match self.how.aspect() {
            Some(aspect) => format!("{aspect} of {}", self.subject),
            None => self.subject.to_string(),
        }
    }
}
