//! The tools whose migrations are read.

/// The tool that the files of a migration are named for. It runs them; those of diesel are run by
/// `bowline migrate` too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// A folder with `up.sql`.
    Diesel,
    /// `1_a.sql`, or `1_a.up.sql` with `1_a.down.sql`, which golang-migrate has too.
    Sqlx,
    /// `V1__a.sql`, as Flyway and refinery have them.
    Flyway,
    /// `1_a.sql` with `-- migrate:up`.
    Dbmate,
    /// `1_a.sql` with `-- +goose Up`, or `-- +migrate Up` of sql-migrate.
    Goose,
    /// A folder with `migration.sql`.
    Prisma,
    /// One file that creates the schema, in place of a folder.
    Schema,
}

impl Tool {
    /// Returns the name of the tool, or of the tools.
    pub fn name(self) -> &'static str {
        match self {
            Self::Diesel => "diesel",
            Self::Sqlx => "sqlx or golang-migrate",
            Self::Flyway => "Flyway or refinery",
            Self::Dbmate => "dbmate",
            Self::Goose => "goose or sql-migrate",
            Self::Prisma => "Prisma",
            Self::Schema => "the owner of the schema",
        }
    }
}
