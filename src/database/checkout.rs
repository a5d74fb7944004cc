//! Takes a session of the pool for a call that is not retried: a stream, a COPY, a lock.

use std::panic::Location;
use std::time::Instant;

use super::{Database, PooledSession};
use crate::deadline::A_YEAR;
use crate::error::{Error, Result};
use crate::transaction::TransactionOptions;

impl Database {
    /// Returns a session, by the deadline of a call that begins now. The session's own calls have
    /// the same limit.
    #[inline]
    pub(super) fn checkout(&self, holder: &'static Location<'static>) -> Result<PooledSession> {
        let now = Instant::now();
        let deadline = || now + self.limit.min(A_YEAR);
        let session = self.source.get_blocking(holder, now, deadline)?;
        Ok(self.for_calls(session))
    }

    /// As `checkout`, for tasks.
    #[cfg(feature = "tokio")]
    pub(crate) async fn checkout_for_task(
        &self,
        holder: &'static Location<'static>,
    ) -> Result<PooledSession> {
        let now = Instant::now();
        let deadline = || now + self.limit.min(A_YEAR);
        let session = self.source.get(holder, now, deadline).await?;
        Ok(self.for_calls(session))
    }

    fn for_calls(&self, mut session: PooledSession) -> PooledSession {
        session.set_timeout(self.limit);
        session.forget_peek();
        session
    }

    /// As `checkout`, for calls that cannot apply transaction options: fails if this database has
    /// any.
    pub(super) fn checkout_without_options(
        &self,
        holder: &'static Location<'static>,
    ) -> Result<PooledSession> {
        self.refuse_options()?;
        self.checkout(holder)
    }

    /// Fails if this database has transaction options, for calls that cannot apply them.
    pub(crate) fn refuse_options(&self) -> Result<()> {
        if self.options == TransactionOptions::default()
            && self.local.is_empty()
            && self.mark.is_none()
        {
            return Ok(());
        }
        Err(Error::query(
            "a stream or COPY on the database takes no transaction options or settings, and moves no write mark",
        )
        .with_hint("use the session of Database::transaction, which has them"))
    }

    /// Returns the error that says why no session was available in time.
    #[cfg(feature = "tokio")]
    pub(crate) fn out_of_time(&self, place: &'static Location<'static>) -> Error {
        let now = Instant::now();
        match self.source.get_blocking(place, now, || now) {
            Err(error) => error,
            Ok(_) => Error::timeout("all threads of the database were busy for too long")
                .with_hint("do less in each call, or raise Config::max_size"),
        }
    }
}
