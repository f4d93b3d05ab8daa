//! What a long-running process sets up for itself.

use std::env;
use std::ffi::CString;

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;

/// Says what goes into the log: `info` (the default), `debug`, `my_crate=trace`, or several with commas between them.
const LOG_VARIABLE: &str = "DAEMON_RPC_LOG";

/// When and why a daemon came and went is in the log whatever else is, unless it is asked for otherwise by name.
const OWN_EVENTS: &str = "info,daemon_rpc=info";

/// Has events written to standard error, which is the daemon's log.
pub(super) fn log_to_stderr() {
    let asked_for = env::var(LOG_VARIABLE).unwrap_or_default();
    let parsed = [OWN_EVENTS, &asked_for].join(",").parse::<Targets>();
    let mistaken = parsed.as_ref().err().map(ToString::to_string);
    let filter = parsed.unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    let to_stderr = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        // A log that can't be written, on a full disk say, is no reason to print there again, which would panic.
        .log_internal_errors(false);
    let subscriber = tracing_subscriber::registry().with(filter).with(to_stderr);
    // It fails only if there is one already, which then is as good.
    let _ = tracing::subscriber::set_global_default(subscriber);
    if let Some(error) = mistaken {
        tracing::warn!(%error, asked_for, "{LOG_VARIABLE} is no filter, such as `debug` or `my_crate=trace`");
    }
}

/// Each client takes a descriptor, and the usual soft limit is meant for programs that use `select`.
pub(super) fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "can't raise the limit of open files");
    }
}

/// Gives new files the mode that most people expect, rather than what whoever started the daemon happened to have set.
pub(super) fn set_umask() {
    rustix::process::umask(Mode::WGRP | Mode::WOTH);
}

/// Names the process as its program, since the link it was started through would make it "exe".
pub(super) fn name_process(name: &str) {
    #[cfg(target_os = "linux")]
    if let Ok(name) = CString::new(name) {
        // Only `ps` would miss it.
        let _ = rustix::thread::set_name(&name);
    }
}
