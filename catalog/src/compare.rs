//! The differences between two catalogs, as sentences.
//!
//! Facts are compared, not texts. Expressions are compared by their meaning (`expression`). The
//! order of constraints, indexes and types does not count, but that of a table's columns does.

mod aspect;
mod attached;
mod distribution;
mod never;
mod relation;
mod settle;
mod types;

use std::collections::BTreeMap;
use std::fmt;

use super::attached::Code;
use super::definition::quoted;
use super::gap::{Gap, GapKind};
use super::privilege::{Privilege, Privileges};
use super::routine::RoutineKind;
use super::{Catalog, Name, Sequence};

pub use aspect::Aspect;
pub use never::never_compared;
pub(crate) use relation::same_fill;
pub use settle::{Comparison, EqualTexts, Server, compare_with, has_open_texts};
pub(crate) use types::{attributes, is_same_attribute};

/// A difference between two catalogs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The object that differs.
    pub subject: Subject,
    /// The way in which it differs.
    pub how: How,
    /// True if the two texts may mean the same, which only a server can determine.
    pub is_undecided: bool,
}

impl Difference {
    /// Returns true if the same text is not known in full on both sides: an object that it names
    /// was renamed.
    pub fn is_unknown_on_both_sides(&self) -> bool {
        let is_same = |how: &How| match how {
            How::Differs { left, right, .. } => left == right,
            How::OnlyLeft | How::OnlyRight => false,
        };
        self.is_undecided && is_same(&self.how)
    }
}

/// An object that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A schema.
    Schema(String),
    /// An extension.
    Extension(String),
    /// A type.
    Type(Name),
    /// A check of a domain.
    DomainCheck(Name, String),
    /// A sequence.
    Sequence(Name),
    /// A table or view.
    Relation(Name),
    /// A column of a relation.
    Column(Name, String),
    /// A constraint of a table.
    Constraint(Name, String),
    /// An index of a table.
    Index(Name, String),
    /// A trigger of a relation.
    Trigger(Name, String),
    /// A policy of a table.
    Policy(Name, String),
    /// A rule of a relation.
    Rule(Name, String),
    /// A routine: its kind, its name, and its name with the types of its arguments.
    Routine(RoutineKind, Name, String),
}

/// The way in which an object differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// The object is missing in the right catalog.
    OnlyLeft,
    /// The object is missing in the left catalog.
    OnlyRight,
    /// An aspect of the object differs.
    Differs {
        /// The aspect.
        aspect: Aspect,
        /// The aspect in the left catalog.
        left: String,
        /// The aspect in the right catalog.
        right: String,
        /// True if the aspect is or contains SQL that PostgreSQL rewrites. The two may then differ
        /// in spelling only.
        is_text: bool,
    },
}

impl How {
    /// Returns the aspect that differs; `None` if the object is missing in one catalog.
    pub fn aspect(&self) -> Option<Aspect> {
        match self {
            Self::Differs { aspect, .. } => Some(*aspect),
            Self::OnlyLeft | Self::OnlyRight => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema(name) => write!(f, "schema {}", quoted(name)),
            Self::Extension(name) => write!(f, "extension {}", quoted(name)),
            Self::Type(name) => write!(f, "type {}", name.sql()),
            Self::DomainCheck(domain, name) => {
                write!(f, "check {} of the domain {}", quoted(name), domain.sql())
            }
            Self::Sequence(name) => write!(f, "sequence {}", name.sql()),
            Self::Relation(name) => write!(f, "relation {}", name.sql()),
            Self::Column(table, name) => write!(f, "column {}.{}", table.sql(), quoted(name)),
            Self::Constraint(table, name) => {
                write!(f, "constraint {} of {}", quoted(name), table.sql())
            }
            Self::Index(table, name) => write!(f, "index {} of {}", quoted(name), table.sql()),
            Self::Trigger(table, name) => write!(f, "trigger {} of {}", quoted(name), table.sql()),
            Self::Policy(table, name) => write!(f, "policy {} of {}", quoted(name), table.sql()),
            Self::Rule(table, name) => write!(f, "rule {} of {}", quoted(name), table.sql()),
            Self::Routine(kind, _, signature) => write!(f, "{} {signature}", kind.noun()),
        }
    }
}

impl Difference {
    /// Returns the difference as a sentence; `left` and `right` name the catalogs.
    pub fn sentence(&self, left: &str, right: &str) -> String {
        let subject = &self.subject;
        match &self.how {
            How::OnlyLeft => format!("{subject} is in {left}, but not in {right}"),
            How::OnlyRight => format!("{subject} is in {right}, but not in {left}"),
            How::Differs {
                aspect,
                left: in_left,
                right: in_right,
                ..
            } => {
                format!(
                    "{subject} differs in its {aspect}: {in_left} in {left}, {in_right} in {right}"
                )
            }
        }
    }
}

/// Returns all differences between two catalogs, except those of objects in their gaps.
pub fn compare(left: &Catalog, right: &Catalog) -> Vec<Difference> {
    let mut found = Found::default();
    found.each(
        &left.schemas,
        &right.schemas,
        |name| Subject::Schema(name.clone()),
        |found, subject, one, other| {
            found.comment(subject, one.as_ref(), other.as_ref());
            let Subject::Schema(name) = subject else {
                return;
            };
            let of = |catalog: &Catalog| {
                let privileges = catalog.schema_privileges.get(name);
                privileges.cloned().unwrap_or_default()
            };
            found.privileges(subject, &of(left), &of(right));
        },
    );
    let extensions = |catalog: &Catalog| -> BTreeMap<String, ()> {
        let names = catalog.extensions.iter();
        names.map(|name| (name.clone(), ())).collect()
    };
    found.each(
        &extensions(left),
        &extensions(right),
        |name| Subject::Extension(name.clone()),
        |_, _, (), ()| {},
    );
    types::compare(&mut found, left, right);
    found.each(
        &left.sequences,
        &right.sequences,
        |name| Subject::Sequence(name.clone()),
        sequence,
    );
    found.each(
        &left.relations,
        &right.relations,
        |name| Subject::Relation(name.clone()),
        relation::compare,
    );
    distribution::compare(&mut found, left, right);
    attached::routines(&mut found, left, right);
    let gaps = || left.gaps.iter().chain(&right.gaps);
    let mut differences = found.0;
    differences.retain(|difference| !gaps().any(|gap| difference.is_in(gap)));
    differences
}

impl Difference {
    fn is_in(&self, gap: &Gap) -> bool {
        let is_of_privileges = self.how.aspect() == Some(Aspect::Privileges);
        (gap.kind == GapKind::Privileges && is_of_privileges && self.subject.has_privileges_of(gap))
            || self.subject.is_in(gap)
    }
}

impl Subject {
    /// Returns true if a gap of the kind `Privileges` covers the privileges on this object.
    fn has_privileges_of(&self, gap: &Gap) -> bool {
        let is_any = gap.name.name.is_empty() && gap.name.schema.is_empty();
        is_any
            || match self {
                Self::Schema(schema) => gap.name.name.is_empty() && gap.name.schema == *schema,
                Self::Relation(name) | Self::Sequence(name) | Self::Routine(_, name, _) => {
                    gap.name == *name
                }
                _ => false,
            }
    }
}

impl Subject {
    /// Returns the relation that the subject is, or is a part of.
    pub(crate) fn relation(&self) -> Option<&Name> {
        match self {
            Self::Relation(name)
            | Self::Column(name, _)
            | Self::Constraint(name, _)
            | Self::Index(name, _)
            | Self::Trigger(name, _)
            | Self::Policy(name, _)
            | Self::Rule(name, _) => Some(name),
            _ => None,
        }
    }

    /// Returns true if the gap covers the subject, or the object that the subject is a part of.
    fn is_in(&self, gap: &Gap) -> bool {
        match self {
            Self::Relation(name)
            | Self::Column(name, _)
            | Self::Constraint(name, _)
            | Self::Index(name, _) => {
                gap.hides(name)
                    || matches!(self, Self::Index(_, index)
                        if gap.hides(&Name { schema: name.schema.clone(), name: index.clone() }))
            }
            Self::Sequence(name) => {
                gap.hides(name) || (gap.kind == GapKind::Sequence && gap.name == *name)
            }
            Self::Type(name) | Self::DomainCheck(name, _) => gap.hides(name),
            Self::Trigger(table, name) => gap.covers(GapKind::Triggers, table, name),
            Self::Policy(table, name) => gap.covers(GapKind::Policies, table, name),
            Self::Rule(table, name) => gap.covers(GapKind::Rules, table, name),
            Self::Routine(_, name, _) => gap.kind == GapKind::Routine && gap.name == *name,
            Self::Schema(_) | Self::Extension(_) => false,
        }
    }
}

fn sequence(found: &mut Found, subject: &Subject, left: &Sequence, right: &Sequence) {
    found.differs(subject, Aspect::Definition, left.sql(), right.sql());
    let owner = |sequence: &Sequence| {
        let owner = sequence.owner.as_ref();
        owner.map_or("nothing".to_owned(), |(table, column)| {
            format!("{}.{}", table.sql(), quoted(column))
        })
    };
    found.differs(subject, Aspect::Owner, owner(left), owner(right));
    found.privileges(subject, &left.privileges, &right.privileges);
    found.comment(subject, left.comment.as_ref(), right.comment.as_ref());
}

/// The differences found so far.
#[derive(Default)]
struct Found(Vec<Difference>);

impl Found {
    fn push(&mut self, subject: Subject, how: How) {
        self.0.push(Difference {
            subject,
            how,
            is_undecided: false,
        });
    }

    /// Records an aspect if its two texts differ.
    fn differs(&mut self, subject: &Subject, aspect: Aspect, left: String, right: String) {
        if left != right {
            self.record(subject, aspect, (left, right), false);
        }
    }

    /// Records an aspect that is known to differ.
    fn record(
        &mut self,
        subject: &Subject,
        aspect: Aspect,
        (left, right): (String, String),
        is_text: bool,
    ) {
        let how = How::Differs {
            aspect,
            left,
            right,
            is_text,
        };
        self.push(subject.clone(), how);
    }

    /// Records an aspect if its two expressions differ in meaning.
    fn expression(
        &mut self,
        subject: &Subject,
        aspect: Aspect,
        left: Option<&str>,
        right: Option<&str>,
    ) {
        let is_same = match (left, right) {
            (Some(left), Some(right)) => super::expression::is_same(left, right),
            (one, other) => one == other,
        };
        if !is_same {
            let text = |text: Option<&str>| text.unwrap_or("none").to_owned();
            self.record(subject, aspect, (text(left), text(right)), true);
        }
    }

    /// Records an aspect if its two pieces of SQL differ, or may differ.
    fn code(
        &mut self,
        subject: &Subject,
        aspect: Aspect,
        left: Option<&Code>,
        right: Option<&Code>,
    ) {
        let is_same = match (left, right) {
            (Some(left), Some(right)) => attached::same_code(left, right),
            (None, None) => Some(true),
            _ => Some(false),
        };
        if is_same == Some(true) {
            return;
        }
        let text = |code: Option<&Code>| {
            let text = code
                .map_or("none", Code::display_text)
                .trim_end_matches(';');
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        self.record(subject, aspect, (text(left), text(right)), true);
        if let Some(last) = self.0.last_mut() {
            last.is_undecided = is_same.is_none();
        }
    }

    /// Records the privileges if they differ. The owner of the object on either side has all
    /// privileges, so these are left out.
    fn privileges(&mut self, subject: &Subject, left: &Privileges, right: &Privileges) {
        let owners = [&left.owner, &right.owner];
        let list = |privileges: &Privileges| match privileges.of_others_than(&owners).as_slice() {
            [] => "none".to_owned(),
            granted => {
                let granted: Vec<String> = granted.iter().map(Privilege::description).collect();
                granted.join(", ")
            }
        };
        self.differs(subject, Aspect::Privileges, list(left), list(right));
    }

    fn comment(&mut self, subject: &Subject, left: Option<&String>, right: Option<&String>) {
        let text = |comment: Option<&String>| {
            comment.map_or("none".to_owned(), |comment| {
                super::definition::literal(comment)
            })
        };
        self.differs(subject, Aspect::Comment, text(left), text(right));
    }

    /// Compares the objects that both sides have, and records those that only one side has.
    fn each<K: Ord, V>(
        &mut self,
        left: &BTreeMap<K, V>,
        right: &BTreeMap<K, V>,
        subject: impl Fn(&K) -> Subject,
        compare: impl Fn(&mut Self, &Subject, &V, &V),
    ) {
        for (key, in_left) in left {
            match right.get(key) {
                Some(in_right) => compare(self, &subject(key), in_left, in_right),
                None => self.push(subject(key), How::OnlyLeft),
            }
        }
        for key in right.keys().filter(|key| !left.contains_key(key)) {
            self.push(subject(key), How::OnlyRight);
        }
    }
}

#[cfg(test)]
pub mod tests;
