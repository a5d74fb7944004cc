//! Runs this crate's futures for callers that block.
//!
//! What a call does is written once, in `async fn`s. They wait only in [`driver`](super::driver),
//! in [`pause`](super::interrupt::pause), and in the pool's queue. Polled by [`block_on`], these
//! waits block the thread until they are over, so one poll completes the future. Polled by an event
//! loop, they register the task and return.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Wake, Waker};

/// The waker of callers that block. It marks them, and is never woken.
static BLOCKING: LazyLock<Waker> = LazyLock::new(|| Waker::from(Arc::new(Blocking)));

struct Blocking;

impl Wake for Blocking {
    fn wake(self: Arc<Self>) {}
}

/// Runs a future of this crate on this thread, which blocks while the future waits.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    block_on_pinned(pin!(future))
}

/// As [`block_on`], for a large future that is made where it is pinned, so that it is not copied.
#[inline(always)]
pub(crate) fn block_on_pinned<F: Future>(future: Pin<&mut F>) -> F::Output {
    #[cfg(all(feature = "tokio", feature = "testing", debug_assertions))]
    if let Some(runtime) = super::test_driver::runtime() {
        return runtime.block_on(future);
    }
    let mut context = Context::from_waker(&BLOCKING);
    match future.poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("each wait of this crate blocks when it is polled here"),
    }
}

/// Returns whether the future that is polled may block its thread.
#[inline]
pub(crate) fn may_block(context: &Context<'_>) -> bool {
    context.waker().will_wake(&BLOCKING)
}

/// Returns whether the future that awaits this may block its thread.
pub(crate) async fn is_blocking() -> bool {
    poll_fn(|context| Poll::Ready(may_block(context))).await
}
