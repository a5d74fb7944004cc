//! The aspects in which two objects of the same name can differ.

use std::fmt;

/// An aspect in which two objects of the same name differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aspect {
    /// The defaults of a routine's arguments.
    ArgumentDefault,
    /// The attributes of a composite type.
    Attributes,
    /// The type over which a domain is defined.
    BaseType,
    /// The body of a routine.
    Body,
    /// The collation of a column or domain.
    Collation,
    /// The tables of the same co-location group of Citus.
    Colocation,
    /// The order of the columns that both relations have.
    ColumnOrder,
    /// `COMMENT ON`.
    Comment,
    /// `WHEN` of a trigger.
    Condition,
    /// The default, identity or generation expression of a column, or the default of a domain.
    Default,
    /// The statement or clause that creates the object, without the parts that are other aspects.
    Definition,
    /// How Citus distributes a table.
    Distribution,
    /// `FORCE ROW LEVEL SECURITY`.
    ForcedRowSecurity,
    /// The kind of a relation or type.
    Kind,
    /// The labels of an enum.
    Labels,
    /// The multirange type of a range type.
    Multirange,
    /// The NOT NULL constraint of a column, on PostgreSQL 18 or later.
    NotNullConstraint,
    /// `NOT NULL`.
    Nullability,
    /// The options of a view or range type.
    Options,
    /// The column that owns a sequence.
    Owner,
    /// The tables from which a table inherits, or the table of a partition.
    Parents,
    /// `FOR VALUES` of a partition.
    PartitionBound,
    /// `PARTITION BY`.
    PartitionKey,
    /// The privileges on the object.
    Privileges,
    /// The query of a view.
    Query,
    /// `ENABLE ROW LEVEL SECURITY`.
    RowSecurity,
    /// The sessions in which a trigger or rule runs.
    State,
    /// The subtype of a range type.
    Subtype,
    /// The type of a column, or the composite type of a typed table.
    Type,
    /// `USING` of a policy.
    Using,
    /// Whether an index is valid.
    Validity,
    /// `WITH CHECK` of a policy.
    WithCheck,
}

impl Aspect {
    /// Returns the aspect as a noun, which fits after `differs in its`.
    pub fn noun(self) -> &'static str {
        match self {
            Self::ArgumentDefault => "argument default",
            Self::Attributes => "attributes",
            Self::BaseType => "base type",
            Self::Body => "body",
            Self::Collation => "collation",
            Self::Colocation => "co-location",
            Self::ColumnOrder => "column order",
            Self::Comment => "comment",
            Self::Condition => "condition",
            Self::Default => "default",
            Self::Definition => "definition",
            Self::Distribution => "distribution",
            Self::ForcedRowSecurity => "forced row level security",
            Self::Kind => "kind",
            Self::Labels => "labels",
            Self::Multirange => "multirange",
            Self::NotNullConstraint => "NOT NULL constraint",
            Self::Nullability => "nullability",
            Self::Options => "options",
            Self::Owner => "owner",
            Self::Parents => "parents",
            Self::PartitionBound => "partition bound",
            Self::PartitionKey => "partition key",
            Self::Privileges => "privileges",
            Self::Query => "query",
            Self::RowSecurity => "row level security",
            Self::State => "state",
            Self::Subtype => "subtype",
            Self::Type => "type",
            Self::Using => "USING expression",
            Self::Validity => "validity",
            Self::WithCheck => "WITH CHECK expression",
        }
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.noun())
    }
}
