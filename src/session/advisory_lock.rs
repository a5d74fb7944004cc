//! Advisory locks: locks on numbers or names of the application (PostgreSQL manual, 13.3.5).

use std::fmt;
use std::ops::{Deref, DerefMut};

use diesel::deserialize::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Integer, Text};

use super::Session;
use crate::error::Result;
use crate::statement::{BoxedStatement, Statement as _, StatementDsl as _};
use crate::wire::executor::block_on;

/// The key of a lock: a number, a pair of numbers, or a name, of which the server locks the hash.
///
/// Numbers and pairs never collide with each other; a name may collide with a number
/// (`hashtextextended`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LockKey(LockId);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum LockId {
    Number(i64),
    Pair(i32, i32),
    Name(String),
}

impl From<i64> for LockKey {
    fn from(number: i64) -> Self {
        Self(LockId::Number(number))
    }
}

impl From<(i32, i32)> for LockKey {
    fn from((class, object): (i32, i32)) -> Self {
        Self(LockId::Pair(class, object))
    }
}

impl From<&str> for LockKey {
    fn from(name: &str) -> Self {
        Self(LockId::Name(name.to_owned()))
    }
}

/// Returns a statement that takes the lock until the transaction ends; it waits as long as one call
/// may take.
///
/// Being a statement, it can be sent together with the statements that it protects.
pub fn advisory_xact_lock<'a>(key: impl Into<LockKey>) -> BoxedStatement<'a, ()> {
    key.into()
        .waiting("pg_advisory_xact_lock")
        .map(drop)
        .boxed()
}

/// Returns a statement that takes the lock until the transaction ends, unless another session holds
/// it; its output is whether it took the lock.
pub fn try_advisory_xact_lock<'a>(key: impl Into<LockKey>) -> BoxedStatement<'a, bool> {
    key.into().asking("pg_try_advisory_xact_lock")
}

/// A lock of a session; it is released when dropped, in one round trip.
///
/// It dereferences to [`Session`], so that the work under the lock can be done on it. If the lock
/// cannot be released, for instance in a transaction that has failed, the session keeps it until
/// the pool resets or closes the session.
#[must_use = "the lock is given back when this is dropped"]
pub struct AdvisoryLock<H: DerefMut<Target = Session>> {
    session: H,
    key: LockKey,
}

impl Session {
    /// Locks this key for the session, in one round trip; waits as long as one call may take.
    ///
    /// It waits in the server, where a waiting session has a snapshot. If the holder runs `CREATE
    /// INDEX CONCURRENTLY`, it waits for that snapshot in turn, and one of both fails with 40P01.
    /// For such work, poll with [`Session::try_advisory_lock`]; for migrations, use
    /// [`Database::migrate`](crate::Database::migrate).
    pub fn advisory_lock(&mut self, key: impl Into<LockKey>) -> Result<AdvisoryLock<&mut Self>> {
        AdvisoryLock::wait(self, key.into())
    }

    /// Locks this key for the session, in one round trip; returns `None` if another session holds
    /// the lock.
    pub fn try_advisory_lock(
        &mut self,
        key: impl Into<LockKey>,
    ) -> Result<Option<AdvisoryLock<&mut Self>>> {
        AdvisoryLock::attempt(self, key.into())
    }
}

/// Locks, which are counted instead of marking the session, so that the session is clean once they
/// are released.
impl Session {
    /// Waits for the lock as long as one call may take.
    pub(crate) async fn lock(&mut self, key: &LockKey) -> Result<()> {
        self.refuse_behind_pooler("a lock of the session")?;
        let mark = self.residue.mark();
        let mut wait = key.waiting("pg_advisory_lock");
        self.run_now(&mut wait).await?;
        self.residue.restore(mark);
        self.residue.lock_acquired();
        Ok(())
    }

    /// Returns whether it took the lock, which another session may hold.
    pub(crate) async fn try_lock(&mut self, key: &LockKey) -> Result<bool> {
        self.refuse_behind_pooler("a lock of the session")?;
        let mark = self.residue.mark();
        let mut ask = key.asking("pg_try_advisory_lock");
        let is_taken = self.run_now(&mut ask).await?;
        self.residue.restore(mark);
        if is_taken {
            self.residue.lock_acquired();
        }
        Ok(is_taken)
    }

    /// Releases the lock, if the session holds it.
    pub(crate) async fn unlock(&mut self, key: &LockKey) -> Result<()> {
        let mark = self.residue.mark();
        let mut ask = key.asking("pg_advisory_unlock");
        if self.run_now(&mut ask).await? {
            self.residue.restore(mark);
            self.residue.lock_released();
        }
        Ok(())
    }
}

impl<H: DerefMut<Target = Session>> AdvisoryLock<H> {
    pub(crate) fn wait(mut session: H, key: LockKey) -> Result<Self> {
        block_on(session.lock(&key))?;
        Ok(Self { session, key })
    }

    pub(crate) fn attempt(mut session: H, key: LockKey) -> Result<Option<Self>> {
        let is_taken = block_on(session.try_lock(&key))?;
        Ok(is_taken.then(|| Self { session, key }))
    }
}

impl<H: DerefMut<Target = Session>> Deref for AdvisoryLock<H> {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl<H: DerefMut<Target = Session>> DerefMut for AdvisoryLock<H> {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.session
    }
}

impl<H: DerefMut<Target = Session>> Drop for AdvisoryLock<H> {
    fn drop(&mut self) {
        block_on(self.session.unlock(&self.key)).ok();
    }
}

impl<H: DerefMut<Target = Session>> fmt::Debug for AdvisoryLock<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdvisoryLock")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

#[derive(QueryableByName)]
struct LockReply {
    #[diesel(sql_type = Bool)]
    yes: bool,
}

impl LockKey {
    /// Returns a call of a function that waits for the lock and returns nothing.
    fn waiting<'a>(&self, function: &str) -> BoxedStatement<'a, bool> {
        self.select(&format!("true AS yes FROM pg_catalog.{function}"), "")
    }

    /// Returns a call of a function that returns a boolean.
    fn asking<'a>(&self, function: &str) -> BoxedStatement<'a, bool> {
        self.select(&format!("pg_catalog.{function}"), " AS yes")
    }

    fn select<'a>(&self, before: &str, after: &str) -> BoxedStatement<'a, bool> {
        let sql = |arguments| diesel::sql_query(format!("SELECT {before}({arguments}){after}"));
        match &self.0 {
            LockId::Number(number) => sql("$1")
                .bind::<BigInt, _>(*number)
                .one::<LockReply>()
                .map(|answer| answer.yes)
                .boxed(),
            LockId::Pair(class, object) => sql("$1, $2")
                .bind::<Integer, _>(*class)
                .bind::<Integer, _>(*object)
                .one::<LockReply>()
                .map(|answer| answer.yes)
                .boxed(),
            LockId::Name(name) => sql("pg_catalog.hashtextextended($1, 0)")
                .bind::<Text, _>(name.clone())
                .one::<LockReply>()
                .map(|answer| answer.yes)
                .boxed(),
        }
    }
}
