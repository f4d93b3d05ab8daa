//! What a long-running process sets up for itself.

use std::convert::identity;
use std::env;

use crate::LOG_VARIABLE;
use crate::limits::OWN_DESCRIPTORS;
use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::{Level, warn};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

/// The framework's own events.
const OWN_EVENTS: &str = "daemon_rpc";

/// Has events written to standard error, which is the daemon's log.
pub(super) fn log_to_stderr() {
    let directives: Vec<_> = ["info".to_owned()].into_iter().chain(asked_for()).collect();
    log_as(&directives.join(","), with_own_events);
}

/// When and why a daemon came and went is in the log whatever else is, unless it is asked for otherwise by name.
fn with_own_events(filter: Targets) -> Targets {
    let by_name = filter.iter().any(|(target, _)| target.starts_with(OWN_EVENTS));
    if by_name || filter.would_enable(OWN_EVENTS, &Level::INFO) {
        return filter;
    }
    filter.with_target(OWN_EVENTS, Level::INFO)
}

/// Has events written to standard error, which is the caller's here, if that is asked for.
pub(super) fn log_if_asked_for() {
    match asked_for() {
        Some(filter) if cfg!(not(feature = "forward-logs")) => log_as(&filter, identity),
        _ => log(Targets::new()),
    }
}

fn asked_for() -> Option<String> {
    // An empty directive would mean errors only.
    env::var(LOG_VARIABLE).ok().filter(|filter| !filter.is_empty())
}

fn log_as(filter: &str, complete: impl FnOnce(Targets) -> Targets) {
    match filter.parse() {
        Ok(filter) => log(complete(filter)),
        Err(error) => {
            log(Targets::new().with_default(LevelFilter::INFO));
            warn!(%error, "{LOG_VARIABLE} is no filter, such as `debug` or `my_crate=trace`");
        }
    }
}

fn log(filter: Targets) {
    let to_stderr = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        // A log that can't be written, on a full disk say, is no reason to print there again, which would panic.
        .log_internal_errors(false)
        .with_filter(filter);
    let subscriber = tracing_subscriber::registry().with(to_stderr);
    #[cfg(feature = "forward-logs")]
    let subscriber = subscriber.with(super::forward::ToCallers.with_filter(super::forward::WhileWanted));
    // It fails only if there is one already, which then is as good.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Each client takes a descriptor, and the usual soft limit is meant for programs that use `select`.
pub(super) fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        warn!(%error, "can't raise the limit of open files");
    }
}

/// How many callers there are descriptors for.
pub(super) fn room_for_callers() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(limit.saturating_sub(OWN_DESCRIPTORS)).unwrap_or(usize::MAX).max(1)
}

/// Gives new files the mode that most people expect, rather than what whoever started the daemon happened to have set.
pub(super) fn set_umask() {
    rustix::process::umask(Mode::WGRP | Mode::WOTH);
}

/// Names the process as its program, since the link it was started through, which only Linux has, would make it "exe".
#[cfg_attr(not(target_os = "linux"), allow(unused_variables))]
pub(super) fn name_process(name: &str) {
    #[cfg(target_os = "linux")]
    if let Ok(name) = std::ffi::CString::new(name) {
        // Only `ps` would miss it.
        let _ = rustix::thread::set_name(&name);
    }
}
