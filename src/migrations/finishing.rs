//! The last steps of a migration that was interrupted: the record of how far it came, and a look at
//! what it left.

use std::time::Duration;

use crate::session::Session;
use crate::wire::interrupt;

/// The time for them. The command ends a little later in any case.
const LIMIT: Duration = Duration::from_secs(3);

/// Runs the last steps, also if the call was given up in which the session works.
pub fn finishing<T>(session: &mut Session, work: impl FnOnce(&mut Session) -> T) -> T {
    if !interrupt::is_given_up() {
        return work(session);
    }
    session.set_timeout(LIMIT);
    interrupt::outside(|| work(session))
}
