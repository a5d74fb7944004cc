//! Cancels the current statement on a second connection, and waits for the server's answer.

use std::time::Duration;

use crate::deadline::after;
use crate::wire::driver::{DriveError, drive_to_end};
use crate::wire::libpq::Cancel;
use crate::wire::protocol::{Cancellable, Cancelling};

/// The time that a server may take to answer after it was asked to cancel.
pub(crate) const CANCEL_GRACE: Duration = Duration::from_millis(1500);

/// Asks the server to cancel, and drives the machine to its end within `CANCEL_GRACE`.
pub(crate) async fn cancel_and_drain(machine: &mut impl Cancellable) -> Result<(), DriveError> {
    let patience = after(CANCEL_GRACE);
    // The server's answer shows whether the request arrived.
    let asked = match Cancel::start(machine.connection()) {
        Ok(cancel) => {
            let mut cancelling = Cancelling::new(cancel);
            let driven = drive_to_end(&mut cancelling, patience).await;
            Some((cancelling, driven))
        }
        Err(_) => None,
    };
    drive_to_end(machine, patience).await?;
    if let Some((mut cancelling, Err(DriveError::Deadline))) = asked
        && let Err(DriveError::Deadline) = drive_to_end(&mut cancelling, after(CANCEL_GRACE)).await
    {
        return Err(DriveError::Lost(
            "a request to cancel is still on its way and might hit the next statement".to_owned(),
        ));
    }
    Ok(())
}
