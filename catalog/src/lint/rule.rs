//! The rules by name. Those that squawk has too have squawk's names, so that its comments apply.

use std::fmt;

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A column with a default that writes all rows anew.
    AddingFieldWithDefault,
    /// A foreign key that reads the whole table while it blocks writes.
    AddingForeignKeyConstraint,
    /// `SET NOT NULL` on a column that may hold NULL.
    AddingNotNullableField,
    /// A column without a value for the rows that exist.
    AddingRequiredField,
    /// A primary key whose index is built while reads and writes wait.
    AddingSerialPrimaryKeyField,
    /// A constraint of a domain that tables use.
    BanAlterDomainWithAddConstraint,
    /// `char(n)`.
    BanCharField,
    /// `CONCURRENTLY` where a transaction is open.
    BanConcurrentIndexCreationInTransaction,
    /// A domain with a constraint.
    BanCreateDomainWithConstraint,
    /// `DROP COLUMN`.
    BanDropColumn,
    /// `DROP DATABASE`.
    BanDropDatabase,
    /// `DROP NOT NULL`.
    BanDropNotNull,
    /// `DROP TABLE`.
    BanDropTable,
    /// A column that one statement sets twice.
    BanDuplicateColumnAssignments,
    /// `TRUNCATE .. CASCADE`.
    BanTruncateCascade,
    /// A statement of the code of a release that fails on the new schema, where no other rule tells
    /// of it.
    BreaksCode,
    /// A type change that writes all rows anew.
    ChangingColumnType,
    /// A constraint that reads the whole table while reads and writes wait.
    ConstraintMissingNotValid,
    /// A unique constraint whose index is built while reads and writes wait.
    DisallowedUniqueConstraint,
    /// A table in use that Citus distributes while it blocks writes.
    DistributingUsedTable,
    /// A label that is used in the transaction that adds it.
    EnumValueUsedInTransaction,
    /// A foreign key whose columns no index serves.
    ForeignKeyWithoutIndex,
    /// A name of more than 63 bytes.
    IdentifierTooLong,
    /// A statement that writes a table anew, as measured on a server.
    MeasuredRewrite,
    /// A statement that reads a whole table while reads or writes wait, as measured on a server.
    MeasuredScan,
    /// A key of type `integer`.
    PreferBigintOverInt,
    /// A key of type `smallint`.
    PreferBigintOverSmallint,
    /// `serial`.
    PreferIdentity,
    /// `VACUUM FULL` or `CLUSTER`.
    PreferRepack,
    /// `varchar(n)`.
    PreferTextField,
    /// `timestamp` without time zone.
    PreferTimestampTz,
    /// An index that another one covers.
    RedundantIndex,
    /// A statement that Citus refuses of a distributed table.
    RefusedByCitus,
    /// `RENAME COLUMN`.
    RenamingColumn,
    /// `RENAME TO` of a table.
    RenamingTable,
    /// `CREATE INDEX` without `CONCURRENTLY`.
    RequireConcurrentIndexCreation,
    /// `DROP INDEX` without `CONCURRENTLY`.
    RequireConcurrentIndexDeletion,
    /// `DETACH PARTITION` without `CONCURRENTLY`.
    RequireConcurrentPartitionDetach,
    /// `REINDEX` without `CONCURRENTLY`.
    RequireConcurrentReindex,
    /// `ADD VALUE` without a position.
    RequireEnumValueOrdering,
    /// A table that is named without its schema.
    RequireTableSchema,
    /// A comment that hides nothing.
    UnusedIgnore,
}

/// Each rule with its name and one sentence.
const TABLE: [(Rule, &str, &str); 42] = {
    use Rule as R;
    [
        (
            R::AddingFieldWithDefault,
            "adding-field-with-default",
            "The default of a new column writes all rows of the table anew.",
        ),
        (
            R::AddingForeignKeyConstraint,
            "adding-foreign-key-constraint",
            "A new foreign key reads the whole table while writes to both tables wait.",
        ),
        (
            R::AddingNotNullableField,
            "adding-not-nullable-field",
            "SET NOT NULL reads the whole table while reads and writes wait.",
        ),
        (
            R::AddingRequiredField,
            "adding-required-field",
            "A new column that is NOT NULL has no value for the rows that exist.",
        ),
        (
            R::AddingSerialPrimaryKeyField,
            "adding-serial-primary-key-field",
            "The index of a new primary key is built while reads and writes wait.",
        ),
        (
            R::BanAlterDomainWithAddConstraint,
            "ban-alter-domain-with-add-constraint",
            "A new constraint of a domain reads each table that uses the domain while writes wait.",
        ),
        (
            R::BanCharField,
            "ban-char-field",
            "The type char(n) pads its values with spaces.",
        ),
        (
            R::BanConcurrentIndexCreationInTransaction,
            "ban-concurrent-index-creation-in-transaction",
            "CONCURRENTLY fails in a transaction.",
        ),
        (
            R::BanCreateDomainWithConstraint,
            "ban-create-domain-with-constraint",
            "A constraint of a domain is hard to change once tables use the domain.",
        ),
        (
            R::BanDropColumn,
            "ban-drop-column",
            "Programs that still use a dropped column fail.",
        ),
        (
            R::BanDropDatabase,
            "ban-drop-database",
            "A migration drops a database.",
        ),
        (
            R::BanDropNotNull,
            "ban-drop-not-null",
            "Programs that read a column without NULL fail on the first NULL.",
        ),
        (
            R::BanDropTable,
            "ban-drop-table",
            "Programs that still use a dropped table fail.",
        ),
        (
            R::BanDuplicateColumnAssignments,
            "ban-duplicate-column-assignments",
            "PostgreSQL refuses a statement that sets a column twice.",
        ),
        (
            R::BanTruncateCascade,
            "ban-truncate-cascade",
            "TRUNCATE CASCADE empties each table that refers to the named one.",
        ),
        (
            R::BreaksCode,
            "breaks-code",
            "Code that runs while the migration is applied fails on the new schema.",
        ),
        (
            R::ChangingColumnType,
            "changing-column-type",
            "A type change writes all rows of the table anew while reads and writes wait.",
        ),
        (
            R::ConstraintMissingNotValid,
            "constraint-missing-not-valid",
            "A new constraint reads the whole table while reads and writes wait.",
        ),
        (
            R::DisallowedUniqueConstraint,
            "disallowed-unique-constraint",
            "The index of a new unique constraint is built while reads and writes wait.",
        ),
        (
            R::DistributingUsedTable,
            "distributing-used-table",
            "Citus copies all rows of a table to other servers while writes wait.",
        ),
        (
            R::EnumValueUsedInTransaction,
            "enum-value-used-in-transaction",
            "A new label of an enum cannot be used before its transaction is committed.",
        ),
        (
            R::ForeignKeyWithoutIndex,
            "foreign-key-without-index",
            "No index serves the columns of a foreign key.",
        ),
        (
            R::IdentifierTooLong,
            "identifier-too-long",
            "PostgreSQL cuts names after 63 bytes.",
        ),
        (
            R::MeasuredRewrite,
            "measured-rewrite",
            "A table is written anew while reads and writes wait, as measured on a server.",
        ),
        (
            R::MeasuredScan,
            "measured-scan",
            "A whole table is read while reads or writes wait, as measured on a server.",
        ),
        (
            R::PreferBigintOverInt,
            "prefer-bigint-over-int",
            "A key of type integer ends at 2,147,483,647.",
        ),
        (
            R::PreferBigintOverSmallint,
            "prefer-bigint-over-smallint",
            "A key of type smallint ends at 32,767.",
        ),
        (
            R::PreferIdentity,
            "prefer-identity",
            "An identity column has fewer surprises than serial.",
        ),
        (
            R::PreferRepack,
            "prefer-repack",
            "VACUUM FULL and CLUSTER write a table anew while reads and writes wait.",
        ),
        (
            R::PreferTextField,
            "prefer-text-field",
            "The limit of varchar(n) is hard to change.",
        ),
        (
            R::PreferTimestampTz,
            "prefer-timestamp-tz",
            "A timestamp without time zone is no moment in time.",
        ),
        (
            R::RedundantIndex,
            "redundant-index",
            "Another index serves the same queries.",
        ),
        (
            R::RefusedByCitus,
            "refused-by-citus",
            "Citus refuses the statement of a distributed table.",
        ),
        (
            R::RenamingColumn,
            "renaming-column",
            "Programs that use the old name of a column fail.",
        ),
        (
            R::RenamingTable,
            "renaming-table",
            "Programs that use the old name of a table fail.",
        ),
        (
            R::RequireConcurrentIndexCreation,
            "require-concurrent-index-creation",
            "Writes wait while an index is built.",
        ),
        (
            R::RequireConcurrentIndexDeletion,
            "require-concurrent-index-deletion",
            "DROP INDEX waits for the readers of the table, and everyone else waits for it.",
        ),
        (
            R::RequireConcurrentPartitionDetach,
            "require-concurrent-partition-detach",
            "DETACH PARTITION blocks reads and writes of the whole table.",
        ),
        (
            R::RequireConcurrentReindex,
            "require-concurrent-reindex",
            "Writes wait while an index is built anew.",
        ),
        (
            R::RequireEnumValueOrdering,
            "require-enum-value-ordering",
            "A new label is the last one unless its position is given.",
        ),
        (
            R::RequireTableSchema,
            "require-table-schema",
            "A table without a schema depends on the search path.",
        ),
        (
            R::UnusedIgnore,
            "unused-ignore",
            "A squawk-ignore comment names no rule or hides nothing.",
        ),
    ]
};

impl Rule {
    /// Returns all rules, in the order of their names.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(rule, ..)| *rule)
    }

    /// Returns the name, as in squawk.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Returns the danger in one sentence.
    pub fn summary(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (Self, &'static str, &'static str) {
        &TABLE[self as usize]
    }

    /// Returns the rule of a name. squawk knows one of them by two names.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = match name {
            "prefer-timestamptz" => "prefer-timestamp-tz",
            name => name,
        };
        Self::all().find(|rule| rule.name() == name)
    }

    /// Returns true if the rule applies only where the settings include it: it is about taste, or
    /// about a danger that few databases have.
    pub fn is_opt_in(self) -> bool {
        matches!(
            self,
            Self::BanCreateDomainWithConstraint
                | Self::PreferIdentity
                | Self::PreferTextField
                | Self::RequireEnumValueOrdering
                | Self::RequireTableSchema
        )
    }
}

impl Rule {
    /// Returns true if the migrations alone never show it: it needs the code of a release, or a
    /// server.
    pub fn needs_more(self) -> bool {
        matches!(
            self,
            Self::BreaksCode | Self::MeasuredRewrite | Self::MeasuredScan
        )
    }

    /// Returns true if the rule is about the time for which a statement makes programs wait.
    pub fn is_about_waits(self) -> bool {
        matches!(
            self,
            Self::AddingFieldWithDefault
                | Self::AddingForeignKeyConstraint
                | Self::AddingNotNullableField
                | Self::AddingRequiredField
                | Self::AddingSerialPrimaryKeyField
                | Self::BanAlterDomainWithAddConstraint
                | Self::ChangingColumnType
                | Self::ConstraintMissingNotValid
                | Self::DisallowedUniqueConstraint
                | Self::DistributingUsedTable
                | Self::MeasuredRewrite
                | Self::MeasuredScan
                | Self::PreferRepack
                | Self::RequireConcurrentIndexCreation
                | Self::RequireConcurrentIndexDeletion
                | Self::RequireConcurrentPartitionDetach
                | Self::RequireConcurrentReindex
        )
    }

    /// Returns true if the rule is about programs that use the database while the statement runs,
    /// or after it. The others are about the schema that it makes.
    pub fn is_about_use(self) -> bool {
        !self.is_opt_in()
            && !matches!(
                self,
                Self::BanCharField
                    | Self::BanDuplicateColumnAssignments
                    | Self::ForeignKeyWithoutIndex
                    | Self::IdentifierTooLong
                    | Self::PreferBigintOverInt
                    | Self::PreferBigintOverSmallint
                    | Self::PreferTimestampTz
                    | Self::RedundantIndex
                    | Self::UnusedIgnore
            )
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Names of squawk's rules that have no use here. A comment with one of them is no error.
pub(crate) const OTHERS: [&str; 6] = [
    "ban-uncommitted-transaction",
    "prefer-robust-stmts",
    "require-lock-timeout",
    "require-statement-timeout",
    "require-timeout-settings",
    "transaction-nesting",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_rules_is_in_order() {
        for (index, (rule, name, _)) in TABLE.iter().enumerate() {
            assert_eq!(*rule as usize, index, "{name}");
            assert_eq!(Rule::of_name(name), Some(*rule));
        }
        assert!(TABLE.is_sorted_by_key(|(_, name, _)| name));
    }
}
