//! The time limits of a session's calls, and whether the current call was given up.

use std::time::{Duration, Instant};

use crate::deadline::after;
use crate::error::{Error, Result};
use crate::wire::interrupt::{self, Interrupt};

/// The limits of a session's calls.
#[derive(Debug)]
pub(super) struct Limits {
    /// The time that one call may take; within a call of a `Database`, the limit of that call.
    call: Duration,
    /// The configured limit, to which `call` is reset when a call of a `Database` ends.
    configured: Duration,
    /// The deadline of the call of a `Database`, which holds for all its statements and attempts.
    /// Set between [`Limits::begin_call`] and [`Limits::end_call`] only.
    deadline: Option<Instant>,
    /// The limit of that call.
    call_of_database: Duration,
    /// Whether a command was not sent because the deadline of the call had passed.
    was_late: bool,
    /// The call in which the session was taken, if it may be given up.
    interrupt: Option<Interrupt>,
}

impl Limits {
    pub(super) fn new(call_timeout: Duration) -> Self {
        Self {
            call: call_timeout,
            configured: call_timeout,
            deadline: None,
            call_of_database: call_timeout,
            was_late: false,
            interrupt: None,
        }
    }

    /// Sets the time that one call may take.
    pub(super) fn set_call(&mut self, limit: Duration) {
        self.call = limit;
    }

    /// Sets one deadline for all statements that follow.
    pub(super) fn begin_call(&mut self, deadline: Instant, limit: Duration) {
        self.deadline = Some(deadline);
        self.was_late = false;
        self.call = limit;
        self.call_of_database = limit;
    }

    /// Gives each statement a limit of its own, in place of one deadline for all.
    pub(super) fn limit_each_call(&mut self) {
        self.deadline = None;
    }

    /// Returns whether a call has begun and not ended.
    pub(super) fn is_in_call(&self) -> bool {
        self.deadline.is_some()
    }

    /// Ends the call that [`Limits::begin_call`] began. Returns whether a command was not sent
    /// because the deadline had passed.
    pub(super) fn end_call(&mut self) -> bool {
        self.deadline = None;
        self.call = self.configured;
        self.was_late
    }

    /// Forgets what the holder of the session set.
    #[inline]
    pub(super) fn check_in(&mut self, call_timeout: Duration) {
        self.call = call_timeout;
        self.deadline = None;
        self.interrupt = None;
    }

    /// Returns the deadline of a call that begins now.
    #[inline]
    pub(super) fn call_deadline(&self) -> Instant {
        match self.deadline {
            // The own limit would end later.
            Some(deadline) if self.call >= self.call_of_database => deadline,
            Some(deadline) => deadline.min(after(self.call)),
            None => after(self.call),
        }
    }

    /// Fails once the deadline of the call has passed: nothing new is begun then.
    #[inline]
    pub(super) fn refuse_if_late(&mut self, now: Instant) -> Result<()> {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return Ok(());
        }
        self.was_late = true;
        Err(
            Error::timeout("the deadline of the call passed before this was sent")
                .with_hint("see Database::with_timeout and Config::call_timeout"),
        )
    }

    /// Returns the call that the session works for, if it may be given up: the call of this thread,
    /// else the call in which the session was taken.
    #[inline]
    pub(super) fn interrupt(&self) -> Option<Interrupt> {
        interrupt::current().or_else(|| self.interrupt.clone())
    }

    /// Makes the session work for the call of this thread from now on.
    pub(super) fn adopt_current_call(&mut self) {
        self.interrupt = interrupt::current();
    }

    /// Fails if the call was given up, since such a call may begin nothing new.
    pub(super) fn refuse_if_given_up(&self) -> Result<()> {
        self.interrupt()
            .map_or(Ok(()), |interrupt| interrupt.check())
    }
}
