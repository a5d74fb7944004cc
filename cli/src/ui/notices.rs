//! What the server says beside its answers (`NOTICE`, `WARNING`), on standard error.
//!
//! A session tells it to `tracing`; this is the subscriber for a command line.

use std::fmt;

use tracing_core::field::{Field, Visit};
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Dispatch, Event, Metadata, Subscriber};

use super::escape::{escaped, one_line};
use super::output;

/// Shows notices from now on.
pub(crate) fn show() {
    // Who has set another subscriber before shows them as they like.
    tracing_core::dispatcher::set_global_default(Dispatch::new(Notices)).ok();
}

struct Notices;

impl Subscriber for Notices {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target() == "bowline::notice"
    }

    fn event(&self, event: &Event<'_>) {
        let mut notice = Notice::default();
        event.record(&mut notice);
        let severity = match notice.severity.as_str() {
            "" => "warning".to_owned(),
            severity => one_line(severity).to_lowercase(),
        };
        output::about(&format!(
            "\x1b[1;33m{severity}\x1b[0m: {}\n",
            escaped(&notice.message)
        ));
    }

    // Spans are not enabled, so nobody asks for these.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The fields of a notice.
#[derive(Default)]
struct Notice {
    severity: String,
    message: String,
}

impl Visit for Notice {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "severity" => self.severity = value.to_owned(),
            "message" => self.message = value.to_owned(),
            _ => {}
        }
    }
}
