//! A tracing subscriber that records spans and events.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::thread::{self, ThreadId};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};
use tracing_core::Interest;
use tracing_core::span::Current;

/// Prevents tracing from disabling a callsite for the whole process.
///
/// tracing disables a callsite if there is no subscriber when it is first used. A subscriber that
/// another thread sets at that moment would not see the callsite. Tests call this function before
/// they use a callsite.
pub fn keep_callsites_open() {
    static OPEN: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Open));
    LazyLock::force(&OPEN);
}

/// A subscriber that no thread uses. Because of it, each callsite asks the subscriber of its
/// thread.
struct Open;

impl Subscriber for Open {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// A subscriber that records spans and events; clones share the record.
#[derive(Debug, Clone, Default)]
pub struct Recorder {
    records: Arc<Mutex<Records>>,
    ids: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Records {
    spans: BTreeMap<u64, Seen>,
    metadata: BTreeMap<u64, &'static Metadata<'static>>,
    events: Vec<Seen>,
    /// The entered spans by thread.
    entered: HashMap<ThreadId, Vec<u64>>,
}

/// A span or an event.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The target.
    pub target: &'static str,
    /// The level.
    pub level: Option<Level>,
    /// The target of the span around it.
    pub parent: Option<&'static str>,
    /// The fields, as text.
    pub fields: BTreeMap<&'static str, String>,
}

impl Seen {
    /// Returns a field.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.fields.get(field).map(String::as_str)
    }

    /// Returns a field as a number; panics if it is not a number.
    pub fn number(&self, field: &str) -> f64 {
        let value = self
            .get(field)
            .unwrap_or_else(|| panic!("no {field} in {self:?}"));
        value.parse().expect("a number")
    }
}

impl Recorder {
    /// Runs `work` with this recorder as the thread's subscriber.
    pub fn listen<T>(&self, work: impl FnOnce() -> T) -> T {
        tracing::subscriber::with_default(self.clone(), work)
    }

    /// Returns the spans of this target, in the order in which they began.
    pub fn spans(&self, target: &str) -> Vec<Seen> {
        let records = self.records();
        let spans = records.spans.values().filter(|span| span.target == target);
        spans.cloned().collect()
    }

    /// Returns the events of this target.
    pub fn events(&self, target: &str) -> Vec<Seen> {
        let records = self.records();
        let events = records.events.iter().filter(|event| event.target == target);
        events.cloned().collect()
    }

    /// Returns all spans and events as one text.
    pub fn everything(&self) -> String {
        let records = self.records();
        format!("{:?} {:?}", records.spans, records.events)
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().expect("no panic while it is held")
    }
}

impl Records {
    fn seen(&self, metadata: &'static Metadata<'static>) -> Seen {
        let entered = self.entered.get(&thread::current().id());
        let parent = entered.and_then(|entered| self.spans.get(entered.last()?));
        Seen {
            target: metadata.target(),
            level: Some(*metadata.level()),
            parent: parent.map(|span| span.target),
            fields: BTreeMap::new(),
        }
    }
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // The library, and services within the tests.
        ["bowline", "it::"]
            .iter()
            .any(|of| metadata.target().starts_with(of))
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let id = self.ids.fetch_add(1, Ordering::Relaxed) + 1;
        let mut records = self.records();
        let mut span = records.seen(attributes.metadata());
        attributes.record(&mut span);
        records.spans.insert(id, span);
        records.metadata.insert(id, attributes.metadata());
        Id::from_u64(id)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        if let Some(span) = self.records().spans.get_mut(&id.into_u64()) {
            values.record(span);
        }
    }

    fn event(&self, event: &Event<'_>) {
        let mut records = self.records();
        let mut seen = records.seen(event.metadata());
        event.record(&mut seen);
        records.events.push(seen);
    }

    fn enter(&self, id: &Id) {
        let mut records = self.records();
        let entered = records.entered.entry(thread::current().id()).or_default();
        entered.push(id.into_u64());
    }

    fn exit(&self, _: &Id) {
        let mut records = self.records();
        let entered = records.entered.entry(thread::current().id()).or_default();
        entered.pop();
    }

    fn current_span(&self) -> Current {
        let records = self.records();
        let entered = records.entered.get(&thread::current().id());
        match entered.and_then(|entered| entered.last()) {
            Some(id) => Current::new(Id::from_u64(*id), records.metadata[id]),
            None => Current::none(),
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
}
