//! Events of a command, sent to the caller who asked for them.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};

use tracing::callsite::rebuild_interest_cache;
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Span, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::FormatFields as _;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

use super::outbox::Outbox;
use crate::LOG_VARIABLE;
use crate::protocol::Stream;

/// By the span of the command.
static CALLERS: LazyLock<RwLock<HashMap<u64, Arc<Caller>>>> = LazyLock::new(RwLock::default);

/// How many commands run whose callers want to see events. As long as there are none, no event costs more than without this.
static WANTED: AtomicUsize = AtomicUsize::new(0);

/// A caller who wants to see what the command does.
#[derive(Debug)]
struct Caller {
    filter: Targets,
    outbox: Arc<Outbox>,
    lost: AtomicUsize,
}

/// A command whose events are forwarded, as long as this lives.
#[derive(Debug)]
pub(super) struct Forwarded {
    /// Open for as long, since the number of a closed span is given to another.
    span: Span,
}

impl Forwarded {
    /// The command's span, which `make` makes, and the events in it that pass the caller's filter.
    pub(super) fn with_span(filter: &str, outbox: &Arc<Outbox>, make: impl FnOnce() -> Span) -> (Span, Self) {
        let filter = filter.parse::<Targets>().unwrap_or_else(|error| {
            let message = format!(
                "{LOG_VARIABLE}={filter} is no filter, such as `debug` or `my_crate=trace`: {error}\n"
            );
            outbox.try_send(Stream::Stderr, message.as_bytes());
            Targets::new()
        });
        count_wanted(|wanted| wanted + 1);
        let caller = Arc::new(Caller { filter, outbox: Arc::clone(outbox), lost: AtomicUsize::new(0) });
        // Not before it is known that events are wanted, or the span would be of no interest.
        let span = make();
        if let Some(id) = span.id() {
            callers_mut().insert(id.into_u64(), caller);
        }
        (span.clone(), Self { span })
    }
}

impl Drop for Forwarded {
    fn drop(&mut self) {
        if let Some(id) = self.span.id() {
            callers_mut().remove(&id.into_u64());
        }
        count_wanted(|wanted| wanted - 1);
    }
}

/// Has events pass where they were of no interest before, or the other way round.
fn count_wanted(change: impl FnOnce(usize) -> usize) {
    // Whoever comes next finds the change complete.
    static CHANGING: Mutex<()> = Mutex::new(());
    let _changing = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
    let before = WANTED.load(Ordering::Relaxed);
    let after = change(before);
    WANTED.store(after, Ordering::Relaxed);
    if (before == 0) != (after == 0) {
        rebuild_interest_cache();
    }
}

fn callers_mut() -> impl std::ops::DerefMut<Target = HashMap<u64, Arc<Caller>>> {
    CALLERS.write().unwrap_or_else(PoisonError::into_inner)
}

/// The layer that forwards.
#[derive(Debug)]
pub(super) struct ToCallers;

/// What it has to see.
#[derive(Debug)]
pub(super) struct WhileWanted;

impl<S> Filter<S> for WhileWanted {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        WANTED.load(Ordering::Relaxed) > 0
    }

    fn callsite_enabled(&self, _: &'static Metadata<'static>) -> Interest {
        if WANTED.load(Ordering::Relaxed) > 0 { Interest::sometimes() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(if WANTED.load(Ordering::Relaxed) > 0 { LevelFilter::TRACE } else { LevelFilter::OFF })
    }
}

impl<S: Subscriber + for<'lookup> LookupSpan<'lookup>> Layer<S> for ToCallers {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let callers = CALLERS.read().unwrap_or_else(PoisonError::into_inner);
        let mut scope = context.event_scope(event).into_iter().flatten();
        let Some(caller) = scope.find_map(|span| callers.get(&span.id().into_u64()).cloned()) else {
            return;
        };
        drop(callers);
        caller.tell(event);
    }
}

impl Caller {
    fn tell(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        if !self.filter.would_enable(metadata.target(), metadata.level()) {
            return;
        }
        let lost = self.lost.load(Ordering::Relaxed);
        let mut text = String::new();
        // Writing to a string can't fail.
        if lost > 0 {
            let _ = writeln!(text, "({lost} events left out, there was no room for them)");
        }
        let _ = write!(text, "{:>5} {}: ", metadata.level(), metadata.target());
        let _ = DefaultFields::new().format_fields(Writer::new(&mut text), event);
        text.push('\n');
        // Whoever logs doesn't wait for the reader of the log.
        if self.outbox.try_send(Stream::Stderr, text.as_bytes()) {
            self.lost.fetch_sub(lost, Ordering::Relaxed);
        } else {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}
