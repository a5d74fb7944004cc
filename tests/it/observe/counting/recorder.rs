//! A recorder of all metrics of the process, since the pool also counts on its own threads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use ::metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata,
    SharedString, Unit,
};

/// The values of one name with one set of labels.
#[derive(Debug, Default, Clone)]
pub(super) struct Numbers {
    /// The value of a counter or gauge.
    pub(super) value: f64,
    /// The values that a histogram recorded.
    pub(super) recorded: Vec<f64>,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Numbers>>);

/// Values by name and labels, as `name{label=value,..}`.
#[derive(Default)]
pub(super) struct Recorder {
    numbers: Mutex<BTreeMap<String, Shared>>,
    described: Mutex<BTreeMap<String, Option<Unit>>>,
}

/// The recorder of this process.
pub(super) fn recorder() -> &'static Recorder {
    static RECORDER: OnceLock<Recorder> = OnceLock::new();
    let recorder = RECORDER.get_or_init(Recorder::default);
    // Another test may have set it already.
    ::metrics::set_global_recorder(recorder).ok();
    recorder
}

impl Recorder {
    /// Returns the values of this name and these labels.
    pub(super) fn get(&self, name: &str, labels: &[(&str, &str)]) -> Numbers {
        let key = text(name, labels.iter().copied());
        let numbers = self.numbers.lock().expect("no panic").get(&key).cloned();
        numbers.map_or_else(Numbers::default, |shared| {
            shared.0.lock().expect("no panic").clone()
        })
    }

    /// Returns every name with a value.
    pub(super) fn names(&self) -> Vec<String> {
        let numbers = self.numbers.lock().expect("no panic");
        let name = |key: &String| key.split('{').next().unwrap_or_default().to_owned();
        numbers.keys().map(name).collect()
    }

    pub(super) fn is_described(&self, name: &str) -> bool {
        self.described.lock().expect("no panic").contains_key(name)
    }

    fn shared(&self, key: &Key) -> Arc<Shared> {
        let labels = key.labels().map(|label| (label.key(), label.value()));
        let mut numbers = self.numbers.lock().expect("no panic");
        Arc::new(numbers.entry(text(key.name(), labels)).or_default().clone())
    }

    fn describe(&self, key: &KeyName, unit: Option<Unit>) {
        let mut described = self.described.lock().expect("no panic");
        described.insert(key.as_str().to_owned(), unit);
    }
}

fn text<'l>(name: &str, labels: impl Iterator<Item = (&'l str, &'l str)>) -> String {
    let mut labels: Vec<_> = labels
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    labels.sort();
    format!("{name}{{{}}}", labels.join(","))
}

impl ::metrics::Recorder for &'static Recorder {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&key, unit);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&key, unit);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&key, unit);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.shared(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.shared(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.shared(key))
    }
}

impl Shared {
    fn set(&self, change: impl FnOnce(f64) -> f64) {
        let mut numbers = self.0.lock().expect("no panic");
        numbers.value = change(numbers.value);
    }
}

impl CounterFn for Shared {
    fn increment(&self, value: u64) {
        self.set(|before| before + value as f64);
    }

    fn absolute(&self, value: u64) {
        self.set(|_| value as f64);
    }
}

impl GaugeFn for Shared {
    fn increment(&self, value: f64) {
        self.set(|before| before + value);
    }

    fn decrement(&self, value: f64) {
        self.set(|before| before - value);
    }

    fn set(&self, value: f64) {
        Shared::set(self, |_| value);
    }
}

impl HistogramFn for Shared {
    fn record(&self, value: f64) {
        self.0.lock().expect("no panic").recorded.push(value);
    }
}
