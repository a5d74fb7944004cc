//! Ctrl-C, SIGTERM and SIGHUP: what runs on a server is cancelled there before the command ends.
//!
//! Without that the server would go on, and keep its locks, until it has something to say to a client that is gone.

use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::Duration;

use bowline::migrating::interruptible;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::error::CliError;

/// The signal that came first; 0 for none.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// How long the work may take to end after its statement was cancelled.
const GRACE: Duration = Duration::from_secs(5);

/// The signal that has interrupted the command, if one has.
pub(crate) fn happened() -> Option<i32> {
    Some(SIGNAL.load(Ordering::Acquire)).filter(|signal| *signal != 0)
}

/// What a command ends with that a signal has ended, as a shell says it.
pub(crate) fn exit_code(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}

/// Does work on a server that a signal cancels there. A second signal ends the command at once.
pub(crate) fn cancelling(work: impl FnOnce() -> Result<(), CliError>) -> Result<(), CliError> {
    // Where signals cannot be heard, they do what they always do.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else {
        return work();
    };
    interruptible(
        |give_up| {
            let mut give_up = Some(give_up);
            let listening = thread::Builder::new().name("bowline-signals".to_owned());
            let listening = listening.spawn(move || {
                for signal in signals.forever() {
                    SIGNAL
                        .compare_exchange(0, signal, Ordering::AcqRel, Ordering::Acquire)
                        .ok();
                    // With nothing under way on a server, nothing is to be cancelled there.
                    let waits = give_up.take().is_some_and(|give_up| give_up.give_up());
                    if !waits {
                        end(signal);
                    }
                    thread::spawn(move || {
                        thread::sleep(GRACE);
                        end(signal);
                    });
                }
            });
            // Without a thread a signal is heard by nobody, but the command goes on.
            listening.map(drop).ok();
        },
        work,
    )
}

fn end(signal: i32) -> ! {
    std::process::exit(i32::from(exit_code(signal)))
}
