//! A subscriber that keeps what it is told, for the thread of one test.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, ThreadId};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_core::span::Current;

/// What was told so far; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Recorder {
    told: Arc<Mutex<Told>>,
    ids: Arc<AtomicU64>,
}

#[derive(Default)]
struct Told {
    spans: BTreeMap<u64, Seen>,
    metadata: BTreeMap<u64, &'static Metadata<'static>>,
    events: Vec<Seen>,
    /// By thread, as every subscriber has it.
    entered: HashMap<ThreadId, Vec<u64>>,
}

/// A span or an event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) target: &'static str,
    pub(crate) level: Option<Level>,
    pub(crate) parent: Option<&'static str>,
    pub(crate) fields: BTreeMap<&'static str, String>,
}

impl Seen {
    pub(crate) fn get(&self, field: &str) -> Option<&str> {
        self.fields.get(field).map(String::as_str)
    }

    pub(crate) fn number(&self, field: &str) -> f64 {
        let value = self
            .get(field)
            .unwrap_or_else(|| panic!("no {field} in {self:?}"));
        value.parse().expect("a number")
    }
}

impl Recorder {
    /// Does `work` with this recorder listening, and gives what it gave.
    pub(crate) fn listen<T>(&self, work: impl FnOnce() -> T) -> T {
        tracing::subscriber::with_default(self.clone(), work)
    }

    /// The spans of this target, in the order of their beginnings.
    pub(crate) fn spans(&self, target: &str) -> Vec<Seen> {
        let told = self.told();
        let spans = told.spans.values().filter(|span| span.target == target);
        spans.cloned().collect()
    }

    /// The events of this target.
    pub(crate) fn events(&self, target: &str) -> Vec<Seen> {
        let told = self.told();
        let events = told.events.iter().filter(|event| event.target == target);
        events.cloned().collect()
    }

    /// All that was told, as a text to be searched.
    pub(crate) fn everything(&self) -> String {
        let told = self.told();
        format!("{:?} {:?}", told.spans, told.events)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().expect("no panic while it is held")
    }
}

impl Told {
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
        metadata.target().starts_with("bowline")
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let id = self.ids.fetch_add(1, Ordering::Relaxed) + 1;
        let mut told = self.told();
        let mut span = told.seen(attributes.metadata());
        attributes.record(&mut span);
        told.spans.insert(id, span);
        told.metadata.insert(id, attributes.metadata());
        Id::from_u64(id)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        if let Some(span) = self.told().spans.get_mut(&id.into_u64()) {
            values.record(span);
        }
    }

    fn event(&self, event: &Event<'_>) {
        let mut told = self.told();
        let mut seen = told.seen(event.metadata());
        event.record(&mut seen);
        told.events.push(seen);
    }

    fn enter(&self, id: &Id) {
        let mut told = self.told();
        let entered = told.entered.entry(thread::current().id()).or_default();
        entered.push(id.into_u64());
    }

    fn exit(&self, _: &Id) {
        let mut told = self.told();
        let entered = told.entered.entry(thread::current().id()).or_default();
        entered.pop();
    }

    fn current_span(&self) -> Current {
        let told = self.told();
        let entered = told.entered.get(&thread::current().id());
        match entered.and_then(|entered| entered.last()) {
            Some(id) => Current::new(Id::from_u64(*id), told.metadata[id]),
            None => Current::none(),
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
}
