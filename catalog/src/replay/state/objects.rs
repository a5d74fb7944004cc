//! The kinds of objects that can be dropped.

use crate::{DataType, Name, Relation};

/// An object that can be dropped. Parts of a table include the table's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Object {
    Relation(Name),
    Column(Name, String),
    Default(Name, String),
    Constraint(Name, String),
    Index(Name, String),
    Sequence(Name),
    Collation(Name),
    Type(Name),
    DomainConstraint(Name, String),
    Attribute(Name, String),
    /// All overloads of a function, for the objects that call it.
    Function(String),
    /// One overload.
    Routine(Name, Vec<DataType>),
    Trigger(Name, String),
    Policy(Name, String),
}

impl Relation {
    /// Returns the object to drop for an index: its constraint, if it has one.
    pub(crate) fn object_of_index(&self, index: &str) -> Object {
        let mut constraints = self.constraints.iter();
        let is_of_constraint =
            constraints.any(|other| other.name == index && other.kind.has_index());
        if is_of_constraint {
            Object::Constraint(self.name.clone(), index.to_owned())
        } else {
            Object::Index(self.name.clone(), index.to_owned())
        }
    }
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Relation(name) => write!(f, "{}", name.name),
            Self::Column(table, column) | Self::Default(table, column) => {
                write!(f, "the column {column} of {}", table.name)
            }
            Self::Constraint(table, constraint) | Self::DomainConstraint(table, constraint) => {
                write!(f, "the constraint {constraint} of {}", table.name)
            }
            Self::Index(_, index) => write!(f, "the index {index}"),
            Self::Sequence(name) => write!(f, "the sequence {}", name.name),
            Self::Collation(name) => write!(f, "the collation {}", name.name),
            Self::Type(name) => write!(f, "the type {}", name.name),
            Self::Attribute(name, attribute) => {
                write!(f, "the attribute {attribute} of {}", name.name)
            }
            Self::Function(name) => write!(f, "the function {name}"),
            Self::Routine(name, _) => write!(f, "the function {}", name.name),
            Self::Trigger(table, trigger) => write!(f, "the trigger {trigger} of {}", table.name),
            Self::Policy(table, policy) => write!(f, "the policy {policy} of {}", table.name),
        }
    }
}
