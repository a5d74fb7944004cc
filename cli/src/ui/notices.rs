//! The server's notices (`NOTICE`, `WARNING`), on standard error.
//!
//! A session reports notices to `tracing`. This is the subscriber of the command.

use std::fmt;

use tracing_core::field::{Field, Visit};
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Dispatch, Event, Metadata, Subscriber};

use super::labelled::{self, Label};
use super::style::Style;

/// Starts to print notices.
pub(crate) fn show() {
    // Fails if there is another subscriber already, which then shows them.
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
            severity => severity.to_lowercase(),
        };
        let parts = [
            (severity.as_str(), &notice.message, Style::BoldYellow),
            ("detail", &notice.detail, Style::Bold),
            ("hint", &notice.hint, Style::BoldGreen),
        ];
        for (word, text, style) in parts.into_iter().filter(|(_, text, _)| !text.is_empty()) {
            labelled::print(&Label { word, style }, text);
        }
    }

    // Spans are not enabled, so these are never called.
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
    detail: String,
    hint: String,
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
            "detail" => self.detail = value.to_owned(),
            "hint" => self.hint = value.to_owned(),
            _ => {}
        }
    }
}
