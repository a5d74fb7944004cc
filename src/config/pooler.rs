//! Whether a pooler is between the program and the server, and what it keeps.

use std::sync::atomic::Ordering;

use super::Config;

impl Config {
    /// Sets whether the server is behind a pooler in transaction mode, such as PgBouncer.
    ///
    /// With `true`, statements are not prepared under a name, and settings are sent with each
    /// transaction instead of at the start. Anything that needs a session on the server, such as
    /// LISTEN or an advisory lock of the session, is refused. Unless this is set, a connection is
    /// refused that seems to go through a pooler: the start-up options have no effect, or the
    /// server's process id is higher than any system gives. Set `false` for a proxy that gives each
    /// connection a session of its own.
    pub fn pooler(mut self, pooler: bool) -> Self {
        self.pooler = Some(pooler);
        self
    }

    /// Sets whether the pooler keeps track of prepared statements, as PgBouncer does from 1.21 on
    /// with `max_prepared_statements` above 0; false unless set. It has an effect together with
    /// [`Config::pooler`].
    ///
    /// Then each statement is parsed and planned once in a session of the server, as it is without
    /// a pooler, and [`Config::statement_cache`] applies. If the pooler does not know a statement,
    /// or one is older than the schema (after a migration, until `RECONNECT` of PgBouncer), the
    /// call is made again without names, and so are all others of this configuration from then on;
    /// a warning says so.
    pub fn pooler_prepares(mut self, prepares: bool) -> Self {
        self.pooler_prepares = prepares;
        self
    }

    /// Returns how many statements a session keeps prepared.
    pub(crate) fn prepared_statements(&self) -> usize {
        let is_stale = || self.pooler_is_stale.load(Ordering::Relaxed);
        if self.is_pooled() && (!self.pooler_prepares || is_stale()) {
            0
        } else {
            self.statement_cache
        }
    }

    /// Returns whether the server is said to be behind a pooler.
    pub(crate) fn is_pooled(&self) -> bool {
        self.pooler == Some(true)
    }
}
