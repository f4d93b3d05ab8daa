//! What a call is made of, piece by piece: framing, and the hand-over between threads.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use daemon_rpc::benchmarks::{chunks, command, read};
use daemon_rpc::handler_fn;
use daemon_rpc::prelude::*;
use daemon_rpc::testing::Call;
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use tokio::runtime;
use tokio::sync::Notify;

fn main() {
    divan::main();
}

/// A chunk as bulk comes.
#[divan::bench]
fn reading_a_chunk_of_64_kib(bencher: Bencher<'_, '_>) {
    let stream = chunks(1, 64 * 1024);
    bencher.counter(BytesCount::new(stream.len())).bench(|| read(black_box(&stream)));
}

/// Chunks as lines come that are written one by one.
#[divan::bench]
fn reading_1000_chunks_of_13_bytes(bencher: Bencher<'_, '_>) {
    let stream = chunks(1000, 13);
    bencher.counter(ItemsCount::new(1000_usize)).bench(|| read(black_box(&stream)));
}

#[divan::bench]
fn writing_a_command(bencher: Bencher<'_, '_>) {
    bencher.bench(|| command(black_box("a short text")));
}

#[divan::bench]
fn reading_a_command(bencher: Bencher<'_, '_>) {
    let frame = command("a short text");
    bencher.bench(|| read(black_box(&frame)));
}

/// From the control plane's thread to a handler's and back, as a command goes.
#[divan::bench]
fn handing_over_to_a_handlers_thread_and_back(bencher: Bencher<'_, '_>) {
    let handlers = runtime::Builder::new_multi_thread().build().expect("a runtime");
    let control = runtime::Builder::new_current_thread().build().expect("a runtime");
    bencher.bench_local(|| {
        control.block_on(async {
            let done = Arc::new(Notify::new());
            let told = Arc::clone(&done);
            handlers.spawn(async move { told.notify_one() });
            done.notified().await;
        });
    });
}

/// The least that two threads need for the same.
#[divan::bench]
fn handing_over_between_two_plain_threads_and_back(bencher: Bencher<'_, '_>) {
    let (to, commands) = mpsc::channel::<()>();
    let (back, answers) = mpsc::channel::<()>();
    let handler = thread::spawn(move || commands.iter().try_for_each(|()| back.send(())));
    bencher.bench_local(|| {
        to.send(()).expect("it lives");
        answers.recv().expect("it lives");
    });
    drop(to);
    let _ = handler.join();
}

/// All that the framework does around a handler, without processes and sockets.
#[divan::bench]
fn a_command_in_the_tests_own_process(bencher: Bencher<'_, '_>) {
    async fn tiny(mut out: Stdout) -> std::io::Result<()> {
        out.write_all(b"hello\n").await
    }
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    bencher.bench_local(|| runtime.block_on(Call::new().run(handler_fn(tiny))));
}
