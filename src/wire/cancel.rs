//! Cancelling what the server does, on a second connection, and hearing out what it says to that.

use std::time::Duration;

use crate::deadline::after;
use crate::error::Result;
use crate::wire::driver::{Stopped, drive_on};
use crate::wire::libpq::Cancel;
use crate::wire::protocol::{Cancelling, Machine};

/// How long a server that was asked to cancel may take to say so.
pub(crate) const GRACE: Duration = Duration::from_millis(1500);

/// Asks the server to cancel, and hears it out for a moment.
pub(crate) fn settle<M: Machine>(
    machine: &mut M,
    cancel: impl Fn(&M) -> Result<Cancel, String>,
) -> Result<(), Stopped> {
    let patience = after(GRACE);
    // Whether the request got through shows in what the server answers.
    let asked = cancel(machine).map(|cancel| {
        let mut cancelling = Cancelling::new(cancel);
        let driven = drive_on(&mut cancelling, patience);
        (cancelling, driven)
    });
    drive_on(machine, patience)?;
    if let Ok((mut cancelling, Err(Stopped::Deadline))) = asked
        && let Err(Stopped::Deadline) = drive_on(&mut cancelling, after(GRACE))
    {
        return Err(Stopped::Lost(
            "a request to cancel is still on its way and might hit the next statement".to_owned(),
        ));
    }
    Ok(())
}
