//! The errors of callers that get no session.

use std::panic::Location;
use std::time::Duration;

use super::{PoolInternals, Resource, SharedPool};
use crate::error::Error;
use crate::no_session::{Holder, NoSession};

/// The reason why a caller is refused at once.
pub(in crate::pool) enum CheckoutRefusal {
    TooManyWaiting,
    Nested {
        first: &'static Location<'static>,
        second: &'static Location<'static>,
    },
}

/// Returns the error of a closed pool.
pub(in crate::pool) fn closed() -> Error {
    Error::unavailable("the database was closed")
        .with_hint("open another, or close this one only when its work is done")
        .with_no_session(NoSession::Closed)
}

impl<S: Resource> SharedPool<S> {
    /// Returns the error of a caller that is refused at once.
    pub(in crate::pool) fn refused(
        &self,
        state: &PoolInternals<S>,
        refusal: CheckoutRefusal,
    ) -> Error {
        self.publish(state);
        let pool = self.gauges.read();
        match refusal {
            CheckoutRefusal::TooManyWaiting => Error::unavailable(format!(
                "{} other callers wait for a session already, the most that may wait",
                pool.waiting
            ))
            .with_hint("try again later, or raise Config::max_waiting")
            .with_no_session(NoSession::TooManyWaiting { pool }),
            CheckoutRefusal::Nested { first, second } => Error::query(format!(
                "the thread that asks for a session at {second} holds one that it took at {first}, and all {} are in use, so \
                 it would wait for itself",
                pool.max
            ))
            .with_hint("pass the session on instead, or raise Config::max_size")
            .with_no_session(NoSession::Nested { first, second }),
        }
    }

    /// Returns the error of a caller that got no session in time.
    pub(in crate::pool) fn expired(&self, state: &PoolInternals<S>, waited: Duration) -> Error {
        let pool = self.gauges.read();
        let mut holders = state.holders.list();
        if let Some(report) = state.inquiry.fresh() {
            for holder in &mut holders {
                holder.server = report.get(&holder.backend_pid).cloned();
            }
        }
        if pool.in_use < pool.max
            && let Some((down, cause)) = state.outage()
        {
            let mut text = format!("no session within {waited:.1?}: ");
            let sentence = cause.map(Error::sentence);
            match &sentence {
                Some(cause) => text += &format!("the server has been down for {down:.1?}: {cause}"),
                None => text += &format!("connecting has not been answered for {down:.1?}"),
            }
            if !holders.is_empty() {
                text += &format!("; in use are {}", listed(&holders));
            }
            let remedy = cause.and_then(Error::hint);
            let remedy =
                remedy.unwrap_or("is the server running, and is this its address and port?");
            return Error::unavailable(text)
                .with_hint(remedy.to_owned())
                .with_no_session(NoSession::ServerDown {
                    down,
                    cause: sentence,
                    pool,
                });
        }
        Error::timeout(format!(
            "no session within {waited:.1?}: {} of {} are in use, {} other callers wait; in use are {}",
            pool.in_use,
            pool.max,
            pool.waiting,
            listed(&holders)
        ))
        .with_hint("hold sessions for a shorter time, or raise Config::max_size")
        .with_no_session(NoSession::Exhausted { holders, pool })
    }
}

impl<S: Resource> PoolInternals<S> {
    /// Returns how long the server has been down, and why.
    fn outage(&self) -> Option<(Duration, Option<&Error>)> {
        match &self.down {
            Some(down) => Some((down.since.elapsed(), Some(&down.cause))),
            None => self.unanswered.map(|began| (began.elapsed(), None)),
        }
    }
}

/// Returns the first holders as one text, since a pool may be large.
fn listed(holders: &[Holder]) -> String {
    const SHOWN: usize = 10;
    let mut shown: Vec<_> = holders
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    if holders.len() > SHOWN {
        shown.push(format!("{} more", holders.len() - SHOWN));
    }
    shown.join("; ")
}
