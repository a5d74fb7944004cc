//! Commands that begin and end transactions, whose texts are made once.

use std::sync::{Arc, LazyLock};

use super::Command;
use super::text::Text;
use crate::sql_text::local_setting::is_local_setting;

/// The texts that are sent most.
static TEXTS: LazyLock<[Arc<Text>; 7]> = LazyLock::new(|| {
    [
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        // Each transaction within the transaction of a test is a savepoint.
        "SAVEPOINT bowline_1",
        "RELEASE SAVEPOINT bowline_1",
        CHECK_CONSTRAINTS,
        ASK_DEFERRABLE,
    ]
    .map(|sql| Arc::new(Text::new(sql)))
});

const CHECK_CONSTRAINTS: &str = "SET CONSTRAINTS ALL IMMEDIATE";

/// The query for deferrable constraints: each has a trigger with `tgdeferrable`.
const ASK_DEFERRABLE: &str = "SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgdeferrable)";

impl Command {
    /// Returns a command that begins or ends a transaction.
    pub(crate) fn control(sql: &str) -> Self {
        match TEXTS.iter().find(|text| **text.sql() == *sql) {
            Some(text) => Self::of(Arc::clone(text)),
            None if is_local_setting(sql) => Self::of(Arc::new(Text::local_setting(sql))),
            None => Self::plain(sql),
        }
    }

    /// Returns the command that commits.
    pub(crate) fn commit() -> Self {
        Self::control("COMMIT")
    }

    /// Returns the command that checks constraints which are deferred until the commit.
    ///
    /// So a violation fails like that of an ordinary statement, with all its fields.
    /// `statement_timeout` limits the check, but does not limit COMMIT.
    pub(crate) fn check_constraints() -> Self {
        Self::control(CHECK_CONSTRAINTS)
    }

    /// Returns the query that finds out whether a constraint of the database can be deferred.
    pub(crate) fn ask_deferrable() -> Self {
        Self::control(ASK_DEFERRABLE)
    }
}
