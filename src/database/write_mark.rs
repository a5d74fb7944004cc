//! Marks of writes: the place in the write-ahead log that a standby has to reach to have them.

use std::fmt;
use std::panic::Location;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::{Database, PooledSession};
use crate::error::{Error, Result};
use crate::session::Committed;

/// The place in the write-ahead log (LSN) behind the latest write of the calls that were given the
/// mark. Cheap to clone; clones are one mark.
///
/// [`Database::with_mark`] returns a database whose calls move the mark on, and
/// [`Reader::at_least`](super::reader::Reader::at_least) a reader that has all of these writes. A
/// program keeps a mark for each user or request that has to see its own writes. As text
/// (`0/16B3748`) it can be kept in a cookie:
///
/// ```
/// use bowline::reader::WriteMark;
///
/// let mark: WriteMark = "0/16B3748".parse()?;
/// assert_eq!(mark.to_string(), "0/16B3748");
/// assert_eq!(WriteMark::new().to_string(), "0/0"); // nothing was written yet
/// # Ok::<(), bowline::Error>(())
/// ```
///
/// A mark is of one database server and its standbys. Restored from a backup, or after a fail-over
/// that lost writes, a server can reach the place without having the write: what is lost cannot be
/// waited for.
#[derive(Clone, Default)]
pub struct WriteMark(Arc<AtomicU64>);

impl WriteMark {
    /// The place behind a write whose place is not known: no standby reaches it.
    pub(super) const UNKNOWN: u64 = u64::MAX;

    /// Returns a mark before all writes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether a write was made whose place is not known: its answer was lost, or the
    /// server does not say its place. No standby is then known to have it, so
    /// [`Reader::or_primary_after`](super::reader::Reader::or_primary_after) goes to the primary.
    pub fn is_unknown(&self) -> bool {
        self.position() == Self::UNKNOWN
    }

    /// Returns a mark at this place.
    pub(super) fn at(position: u64) -> Self {
        Self(Arc::new(AtomicU64::new(position)))
    }

    pub(super) fn position(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Moves the mark on to this place, unless it is behind it already.
    pub(super) fn advance(&self, committed: Committed) {
        let position = match committed {
            Committed::Nothing => return,
            Committed::Before(position) => position,
            Committed::Somewhere => Self::UNKNOWN,
        };
        self.0.fetch_max(position, Ordering::AcqRel);
    }
}

impl fmt::Display for WriteMark {
    /// Formats the place as PostgreSQL does: `0/16B3748`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let position = self.position();
        write!(f, "{:X}/{:X}", position >> 32, position & 0xffff_ffff)
    }
}

impl fmt::Debug for WriteMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WriteMark({self})")
    }
}

impl FromStr for WriteMark {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let part = |part: &str| {
            let is_hexadecimal = part.bytes().all(|byte| byte.is_ascii_hexdigit());
            (is_hexadecimal && (1..=8).contains(&part.len()))
                .then(|| u64::from_str_radix(part, 16).ok())
                .flatten()
        };
        let parts = text
            .split_once('/')
            .and_then(|(high, low)| Some((part(high)?, part(low)?)));
        let Some((high, low)) = parts else {
            return Err(
                Error::query("a write mark has to be a place in the write-ahead log")
                    .with_hint("two hexadecimal numbers of 32 bits, such as 0/16B3748"),
            );
        };
        Ok(Self(Arc::new(AtomicU64::new((high << 32) | low))))
    }
}

impl Database {
    /// Returns the database with a mark that each call which commits a write moves on, for
    /// [`Reader::at_least`](super::reader::Reader::at_least).
    ///
    /// The place is asked for behind the COMMIT, in the same round trip: [`Database::run`] takes
    /// one, as without a mark, and is framed by BEGIN and COMMIT; a transaction and a unit of work
    /// take what they take without it. A commit that takes another path (a row count that the
    /// client checks, `VACUUM`) takes one more round trip. A stream or a COPY on a database with a
    /// mark is refused: open a transaction around it. A session that is checked out does not move
    /// the mark.
    ///
    /// In a test's transaction a reader uses the same session, so nothing is asked.
    ///
    /// ```
    /// # use bank::{Account, NewAccount};
    /// # use bowline::{Database, Result};
    /// # use bowline::reader::WriteMark;
    /// # fn sign_up(db: &Database) -> Result<i64> {
    /// let mark = WriteMark::new();
    /// db.with_mark(&mark).run(Account::insert(NewAccount { username: "ann".into() }))?;
    /// db.reader().at_least(&mark).run(Account::count())
    /// # }
    /// ```
    pub fn with_mark(&self, mark: &WriteMark) -> Self {
        Self {
            mark: (!self.source.is_pinned()).then(|| mark.clone()),
            ..self.clone()
        }
    }

    /// Moves the mark of this database on, by what a session knows of the call that it has
    /// committed.
    pub(super) fn note_position(&self, session: &mut PooledSession) {
        if let Some(mark) = &self.mark {
            mark.advance(session.take_position());
        }
    }

    /// As [`Database::note_position`]; asks for the place if it is not known.
    pub(super) async fn ask_position(&self, session: &mut PooledSession) {
        if let Some(mark) = &self.mark {
            let committed = match session.take_position() {
                Committed::Somewhere => session.ask_position().await,
                committed => committed,
            };
            mark.advance(committed);
        }
    }

    /// Moves the mark on behind a commit whose answer was lost, by asking on another session.
    pub(super) async fn ask_position_elsewhere(
        &self,
        holder: &'static Location<'static>,
        deadline: Instant,
    ) {
        let Some(mark) = &self.mark else {
            return;
        };
        let committed = match self.source.get(holder, Instant::now(), || deadline).await {
            Ok(mut session) => {
                session.begin_call(deadline, self.limit, false);
                let committed = session.ask_position().await;
                session.end_call();
                committed
            }
            Err(_) => Committed::Somewhere,
        };
        mark.advance(committed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_as_postgresql_writes_it() {
        let mark: WriteMark = "16/B374D848".parse().expect("a place");
        assert_eq!(mark.position(), 0x16_B374_D848);
        assert_eq!(mark.to_string(), "16/B374D848");
        for text in ["", "0", "0/", "/0", "x/0", "+1/0", "123456789/0", "0/0/0"] {
            text.parse::<WriteMark>().expect_err(text);
        }
    }

    #[test]
    fn a_mark_only_moves_on() {
        let mark = WriteMark::new();
        let clone = mark.clone();
        mark.advance(Committed::Before(7));
        mark.advance(Committed::Before(3));
        mark.advance(Committed::Nothing);
        assert_eq!(clone.position(), 7);
        mark.advance(Committed::Somewhere);
        mark.advance(Committed::Before(9));
        assert!(clone.is_unknown());
    }
}
