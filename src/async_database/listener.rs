//! Notifications for asynchronous code, across lost connections.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use crate::database::{Database, PooledSession};
use crate::error::{Error, ErrorKind, Result};
use crate::no_session::NoSession;
use crate::wire::interrupt::pause;
use crate::wire::notification::Notification;

/// The notifications of some channels; returned by
/// [`AsyncDatabase::listen`](super::AsyncDatabase::listen).
///
/// It is a `futures_core::Stream`, for the adapters of other crates. Without them, call
/// [`Listener::next`]. It never ends by itself. An error means that reconnecting cannot succeed,
/// for instance because the database was closed; the next call tries again.
#[must_use = "notifications are received as they are taken"]
pub struct Listener {
    /// What listens; `None` while it is in `waiting`.
    listening: Option<Box<Listening>>,
    waiting: Option<Waiting>,
}

/// An item of a [`Listener`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Listened {
    /// A notification.
    Notification(Notification),
    /// The listener was not connected for a while, and listens again. Notifications in between are
    /// lost.
    Gap(Gap),
}

/// A time in which notifications were lost: from the loss of the connection to the new LISTEN, or
/// while they came faster than they were taken.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Gap {
    /// How long it was, as far as this side knows: a connection may be lost long before that is
    /// seen.
    pub length: Duration,
    /// The reason, for logs.
    pub cause: String,
}

/// A wait for the next items, which returns what listens.
type Waiting = Pin<Box<dyn Future<Output = (Box<Listening>, Result<()>)> + Send>>;

/// The channels, and the session that listens to them.
struct Listening {
    database: Arc<Database>,
    location: &'static Location<'static>,
    channels: Vec<String>,
    session: Option<PooledSession>,
    /// When the connection was lost, and why.
    lost: Option<(Instant, String)>,
    items: VecDeque<Listened>,
}

/// The first pause between two attempts to listen again; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Listener {
    /// Listens to these channels; fails if no session is available now.
    pub(super) async fn begin(
        database: Arc<Database>,
        location: &'static Location<'static>,
        channels: Vec<String>,
    ) -> Result<Self> {
        let mut listening = Listening {
            database,
            location,
            channels,
            session: None,
            lost: None,
            items: VecDeque::new(),
        };
        listening.connect().await?;
        Ok(Self {
            listening: Some(Box::new(listening)),
            waiting: None,
        })
    }

    /// Returns the next item. If this future is dropped, no item is lost.
    pub async fn next(&mut self) -> Result<Listened> {
        poll_fn(|context| self.poll_item(context)).await
    }

    fn poll_item(&mut self, context: &mut Context<'_>) -> Poll<Result<Listened>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                let (listening, waited) = ready!(waiting.as_mut().poll(context));
                self.waiting = None;
                self.listening = Some(listening);
                waited?;
            }
            let Some(mut listening) = self.listening.take() else {
                // A wait has panicked, and what listens is lost with it.
                return Poll::Ready(Err(Error::query("the listener has panicked before")));
            };
            if let Some(item) = listening.items.pop_front() {
                self.listening = Some(listening);
                return Poll::Ready(Ok(item));
            }
            self.waiting = Some(Box::pin(async move {
                let waited = listening.wait().await;
                (listening, waited)
            }));
        }
    }
}

impl Listening {
    /// Waits for notifications, or listens again after the connection was lost.
    async fn wait(&mut self) -> Result<()> {
        let Some(session) = &mut self.session else {
            return self.reconnect().await;
        };
        match session.next_notifications().await {
            Ok((received, lost)) => {
                if lost > 0 {
                    let cause = format!("{lost} notifications came faster than they were taken");
                    let length = Duration::ZERO;
                    self.items.push_back(Listened::Gap(Gap { length, cause }));
                }
                self.items
                    .extend(received.into_iter().map(Listened::Notification));
            }
            Err(error) => {
                self.session = None;
                self.lost = Some((Instant::now(), error.message().to_owned()));
            }
        }
        Ok(())
    }

    /// Listens again, as often as that may succeed; then there is a gap.
    async fn reconnect(&mut self) -> Result<()> {
        let mut length = FIRST_PAUSE;
        while let Err(error) = self.connect().await {
            if !may_succeed_later(&error) {
                return Err(error);
            }
            pause(length).await;
            length = (2 * length).min(LONGEST_PAUSE);
        }
        if let Some((since, cause)) = self.lost.take() {
            let length = since.elapsed();
            self.items.push_back(Listened::Gap(Gap { length, cause }));
        }
        Ok(())
    }

    async fn connect(&mut self) -> Result<()> {
        let mut session = self.database.checkout_for_task(self.location).await?;
        session.listen_to(&self.channels).await?;
        self.session = Some(session);
        Ok(())
    }
}

fn may_succeed_later(error: &Error) -> bool {
    let is_closed = matches!(error.no_session(), Some(NoSession::Closed));
    let kind = error.kind();
    matches!(kind, ErrorKind::Unavailable | ErrorKind::Timeout) && !is_closed
}

impl futures_core::Stream for Listener {
    type Item = Result<Listened>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_item(context).map(Some)
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("waits", &self.waiting.is_some())
            .finish_non_exhaustive()
    }
}
