//! The pipeline that a session waits for, and what a dropped call has left on the connection.
//!
//! Whoever uses the session next ends what was left first (see [`super::abandoned`]).

use super::pending_pipeline::PendingPipeline;
use crate::wire::protocol::CopyState;

/// What is on the connection and not answered yet.
#[derive(Default)]
pub(super) struct InFlight {
    /// The pipeline of the current call. Without a call it is that of the last one, whose memory
    /// is used again.
    pipeline: Option<Box<PendingPipeline>>,
    /// Whether a call waits for an answer, or was dropped while it waited.
    is_waiting: bool,
    /// A COPY that was dropped before its end.
    dropped_copy: Option<Box<CopyState>>,
    /// Whether a savepoint protects the transaction around a stream that was dropped.
    has_savepoint: bool,
}

impl InFlight {
    /// Returns whether a call waits for an answer, or was dropped while it waited.
    #[inline]
    pub(super) fn is_waiting(&self) -> bool {
        self.is_waiting
    }

    /// Returns the memory for the pipeline of the next call.
    #[inline]
    pub(super) fn take_memory(&mut self) -> Box<PendingPipeline> {
        self.pipeline.take().unwrap_or_default()
    }

    /// Keeps the pipeline of a call that may be dropped while it waits.
    #[inline]
    pub(super) fn begin(&mut self, pipeline: Box<PendingPipeline>, is_waiting: bool) {
        self.pipeline = Some(pipeline);
        self.is_waiting = is_waiting;
    }

    /// Returns the pipeline of the current call.
    #[inline]
    pub(super) fn pipeline(&mut self) -> Option<&mut PendingPipeline> {
        self.pipeline.as_deref_mut()
    }

    /// Takes the pipeline of a call that no longer waits.
    #[inline]
    pub(super) fn end(&mut self) -> Option<Box<PendingPipeline>> {
        self.is_waiting = false;
        self.pipeline.take()
    }

    /// Keeps the memory of a pipeline for the next call.
    #[inline]
    pub(super) fn keep_memory(&mut self, pipeline: Box<PendingPipeline>) {
        self.pipeline = Some(pipeline);
    }

    /// Keeps a stream that was dropped before its end, with or without a savepoint around it.
    pub(super) fn leave_stream(&mut self, pipeline: PendingPipeline, has_savepoint: bool) {
        self.begin(Box::new(pipeline), true);
        self.has_savepoint = has_savepoint;
    }

    /// Takes the note that a savepoint protects the transaction around a dropped stream.
    pub(super) fn take_savepoint(&mut self) -> bool {
        std::mem::take(&mut self.has_savepoint)
    }

    /// Keeps a COPY that was dropped before its end.
    pub(super) fn leave_copy(&mut self, copy: CopyState) {
        self.dropped_copy = Some(Box::new(copy));
        self.is_waiting = true;
    }

    /// Takes a COPY that was dropped before its end.
    pub(super) fn take_copy(&mut self) -> Option<Box<CopyState>> {
        let copy = self.dropped_copy.take()?;
        self.is_waiting = false;
        Some(copy)
    }

    /// Returns the pipeline of a call that was dropped while it waited.
    pub(super) fn dropped_pipeline(&mut self) -> Option<&mut PendingPipeline> {
        let is_waiting = self.is_waiting;
        self.pipeline.as_deref_mut().filter(|_| is_waiting)
    }
}
