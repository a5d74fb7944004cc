//! What a server says of texts that differ: it reads both, and writes both back in its own words.
//!
//! Each text is put into something temporary within a transaction that is rolled back, so nothing stays. Where that
//! is not allowed, or one of the texts cannot be read there, the texts are compared as they are.

use std::collections::BTreeSet;

use self::asked::Asked;
use super::{Difference, How, Subject, compare};
use crate::{Catalog, Fill, Name, Relation, RelationKind};

mod asked;
mod probe;

/// What two catalogs do not have in common, and what of it could not be told.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Everything that is known to differ.
    pub differences: Vec<Difference>,
    /// Subjects and aspects in words.
    pub not_compared: Vec<String>,
}

/// Pairs of texts that a server has called the same.
#[derive(Debug, Default)]
pub struct Settled(BTreeSet<(String, String)>);

/// A server that a comparison may ask.
pub trait Server {
    /// Returns the major version, such as 15, of a server that has one of the two catalogs; `None` for another server.
    fn version_of_catalog(&self) -> Option<i32>;

    /// Runs the statements, then the query, and rolls both back.
    ///
    /// Returns the column `text` of the one row that the query gives; `None` if the server refuses any of it.
    fn probe(&mut self, statements: &str, query: &str) -> Option<String>;
}

/// Compares two catalogs. A server, if one is given, reads the texts that differ: it has one of the catalogs, or was
/// given the objects of one.
pub fn judged(
    left: &Catalog,
    right: &Catalog,
    server: Option<&mut dyn Server>,
    settled: &mut Settled,
) -> Comparison {
    let mut found = compare(left, right);
    if let Some(server) = server {
        if let Some(version) = server.version_of_catalog() {
            found.retain(|difference| !is_of_version(difference, left, right, version));
        }
        settle(&mut found, left, right, Asked { server, settled });
    }
    comparison(found, left, right)
}

/// Returns true if there are differences of which a server may say that they are none.
pub fn has_open_texts(left: &Catalog, right: &Catalog) -> bool {
    compare(left, right).iter().any(Difference::is_of_text)
}

/// Removes the differences that are none to the server.
fn settle(found: &mut Vec<Difference>, left: &Catalog, right: &Catalog, mut server: Asked<'_>) {
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
        let certain = others.any(|other| same(&other) && !other.open);
        let is_kept = certain || (difference.open && is_left);
        difference.open &= !certain;
        is_kept
    });
}

/// Separates what differs from what could not be compared.
fn comparison(found: Vec<Difference>, left: &Catalog, right: &Catalog) -> Comparison {
    let mut comparison = Comparison::default();
    for difference in found {
        if difference.open {
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

/// Whether a server of this version has it otherwise than replay, which follows the newest.
fn is_of_version(difference: &Difference, left: &Catalog, right: &Catalog, version: i32) -> bool {
    let (Subject::Column(table, name), How::Differs { aspect, .. }) =
        (&difference.subject, &difference.how)
    else {
        return false;
    };
    let (Some(one), Some(other)) = (left.relations.get(table), right.relations.get(table)) else {
        return false;
    };
    let column = |relation: &'_ Relation| {
        let mut columns = relation.columns.iter();
        columns
            .find(|own| own.name == *name)
            .map(|own| own.fill.clone())
    };
    match *aspect {
        // Only from PostgreSQL 17 on has a partition the identity of its parent.
        "its default" if version < 17 && one.kind == RelationKind::Partition => {
            let is_shared = |fill: Option<Fill>| matches!(fill, Some(Fill::Identity { .. }));
            let is_none = |fill: Option<Fill>| fill == Some(Fill::Nothing);
            is_shared(column(one)) && is_none(column(other))
                || is_none(column(one)) && is_shared(column(other))
        }
        // Only from PostgreSQL 18 on is NOT NULL inherited and lost as checks are.
        "its nullability" if version < 18 => {
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
    /// Whether another way of writing may be all that differs.
    fn is_of_text(&self) -> bool {
        matches!(self.how, How::Differs { is_text: true, .. })
    }

    fn is_about_the_same(&self, other: &Self) -> bool {
        let aspect = |difference: &Self| match &difference.how {
            How::Differs { aspect, .. } => Some(*aspect),
            How::OnlyLeft | How::OnlyRight => None,
        };
        self.subject == other.subject && aspect(self) == aspect(other)
    }

    fn subject_and_aspect(&self) -> String {
        match &self.how {
            How::Differs { aspect, .. } if *aspect != "it" => format!("{}: {aspect}", self.subject),
            _ => self.subject.to_string(),
        }
    }
}
