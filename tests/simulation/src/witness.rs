//! What is said while a run goes on: log lines and panics, caught in the thread that runs it, so that
//! the judge can see whether they speak of people.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::OnceLock;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

thread_local! {
    static SAID: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// The crates whose every word is heard; of others, only what they say at `INFO` and above, as in
/// production.
const OURS: [&str; 6] =
    ["retorno", "step_dispatcher", "segment_evaluator", "export_importer", "inbound_webhook", "patient_pages"];

struct Ear;

struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a String cannot fail.
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl<S: tracing::Subscriber> Layer<S> for Ear {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= tracing::Level::INFO || OURS.iter().any(|ours| metadata.target().starts_with(ours))
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut words = Words(event.metadata().target().to_owned());
        event.record(&mut words);
        SAID.with(|said| said.borrow_mut().push(words.0));
    }

    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut words = Words(span.metadata().target().to_owned());
        span.record(&mut words);
        SAID.with(|said| said.borrow_mut().push(words.0));
    }

    fn on_record(&self, _: &Id, more: &Record<'_>, _: Context<'_, S>) {
        let mut words = Words(String::new());
        more.record(&mut words);
        SAID.with(|said| said.borrow_mut().push(words.0));
    }
}

/// Listens from now on, in every thread; says whether it does: where somebody else listens already,
/// nothing is heard.
#[must_use]
pub fn listen() -> bool {
    static HEARS: OnceLock<bool> = OnceLock::new();
    *HEARS.get_or_init(|| {
        let ear = tracing_subscriber::registry().with(Ear);
        let hears = tracing::subscriber::set_global_default(ear).is_ok();
        std::panic::set_hook(Box::new(|panic| {
            SAID.with(|said| said.borrow_mut().push(format!("panic: {panic}")));
        }));
        hears
    })
}

/// What was said in this thread since the last time.
#[must_use]
pub fn heard() -> Vec<String> {
    SAID.with(RefCell::take)
}
