//! Commands that begin and end transactions, whose texts are made once.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use super::Command;
use super::text::Text;
use crate::sql_text::local_setting::{LocalSchema, SET_LOCALLY, SET_SCHEMA, set_locally};
use crate::sql_text::search_path::SearchPathChange;
use crate::wire::parameters::Parameters;

/// What is sent before the statements of a transaction, with the first of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Control {
    /// BEGIN, SAVEPOINT, RELEASE and others.
    Sql(Arc<str>),
    /// A setting, by its name and value.
    Setting(Arc<(String, String)>),
    /// The schema in which names are found first.
    Schema(Arc<LocalSchema>),
    /// The search path that the session has without a schema.
    NoSchema,
}

impl From<Arc<str>> for Control {
    fn from(sql: Arc<str>) -> Self {
        Self::Sql(sql)
    }
}

impl From<String> for Control {
    fn from(sql: String) -> Self {
        Self::Sql(sql.into())
    }
}

impl From<&str> for Control {
    fn from(sql: &str) -> Self {
        Self::Sql(sql.into())
    }
}

impl Control {
    /// Returns it as a text without parameters, for simple queries.
    pub(crate) fn sql(&self) -> Cow<'_, str> {
        match self {
            Self::Sql(sql) => Cow::Borrowed(sql),
            Self::Setting(setting) => Cow::Owned(set_locally(&setting.0, &setting.1)),
            Self::Schema(schema) => Cow::Borrowed(&schema.key),
            Self::NoSchema => Cow::Borrowed(NO_SCHEMA),
        }
    }

    /// Returns true for a setting, which writes nothing and leaves nothing behind.
    pub(crate) fn is_setting(&self) -> bool {
        !matches!(self, Self::Sql(_))
    }

    /// Returns whether it is a text that begins like this.
    pub(crate) fn starts_with(&self, beginning: &str) -> bool {
        matches!(self, Self::Sql(sql) if sql.starts_with(beginning))
    }

    /// Returns whether it is this text.
    pub(crate) fn is(&self, text: &str) -> bool {
        matches!(self, Self::Sql(sql) if **sql == *text)
    }

    /// Returns the change that it makes to the search path.
    pub(crate) fn search_path_change(&self) -> Option<SearchPathChange> {
        match self {
            Self::Schema(schema) => Some(SearchPathChange::local(Some(&schema.key))),
            Self::NoSchema => Some(SearchPathChange::local(None)),
            Self::Sql(_) | Self::Setting(_) => None,
        }
    }

    /// Returns the command, with the values bound.
    pub(crate) fn command(&self) -> Command {
        static SETTING: LazyLock<Arc<Text>> =
            LazyLock::new(|| Arc::new(Text::local_setting(SET_LOCALLY)));
        static SCHEMA: LazyLock<Arc<Text>> =
            LazyLock::new(|| Arc::new(Text::local_setting(SET_SCHEMA)));
        let bound = |text: &Arc<Text>, values: &[&str]| Command {
            parameters: Parameters::texts(values),
            is_named: true,
            ..Command::of(Arc::clone(text))
        };
        match self {
            Self::Sql(sql) => Command::control(sql),
            Self::Setting(setting) => bound(&SETTING, &[&setting.0, &setting.1]),
            Self::Schema(schema) => bound(&SCHEMA, &[&schema.name, &schema.path]),
            Self::NoSchema => Command::control(NO_SCHEMA),
        }
    }
}

const NO_SCHEMA: &str = "SET LOCAL search_path TO DEFAULT";

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
        DEFERRABLE_QUERY,
    ]
    .map(|sql| Arc::new(Text::new(sql)))
});

pub(crate) const CHECK_CONSTRAINTS: &str = "SET CONSTRAINTS ALL IMMEDIATE";

/// The query for deferrable constraints: each has a trigger with `tgdeferrable`.
pub(crate) const DEFERRABLE_QUERY: &str =
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgdeferrable)";

impl Command {
    /// Returns a command that begins or ends a transaction.
    pub(crate) fn control(sql: &str) -> Self {
        match TEXTS.iter().find(|text| **text.sql() == *sql) {
            Some(text) => Self::of(Arc::clone(text)),
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
    pub(crate) fn deferrable_query() -> Self {
        Self::control(DEFERRABLE_QUERY)
    }
}
