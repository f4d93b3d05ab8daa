//! Where to arrive: what was aimed at, and what was measured of it.

use crate::bulk::{Bulk, Kind};
use crate::measure::{CLIENT, EMPTY, Measured, NAILGUN, Named, Numbers, OURS, PAIR, SERVER, WITH_DAEMON};
use crate::sample::Sample;

/// An aim.
#[derive(Clone, Debug)]
pub struct Aim {
    /// What is compared.
    pub what: String,
    /// What was measured, where it could be.
    pub measured: Option<f64>,
    /// How that is written.
    pub unit: &'static str,
    /// What it has to be.
    pub limit: Limit,
}

/// What a measurement has to be.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// No more than this.
    Most(f64),
    /// No less than this.
    Least(f64),
}

impl Aim {
    /// Whether it was met.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.measured.is_some_and(|measured| match self.limit {
            Limit::Most(limit) => measured <= limit,
            Limit::Least(limit) => measured >= limit,
        })
    }
}

/// The sample of one of several things.
#[must_use]
pub fn of<'a>(named: &'a Named, name: &str) -> Option<&'a Sample> {
    named.iter().find(|(found, _)| *found == name).map(|(_, sample)| sample)
}

/// What was aimed at and measured.
#[must_use]
pub fn all(measured: &Measured) -> Vec<Aim> {
    let mut aims = Vec::new();
    let mut add = |what: &str, value: Option<f64>, unit, limit| {
        aims.push(Aim { what: what.to_owned(), measured: value, unit, limit });
    };
    let ratio = |named: &Named, ours: &str, theirs: &str, part: f64| {
        Some(of(named, ours)?.at(part) / of(named, theirs)?.at(part))
    };
    let (most, least) = (Limit::Most, Limit::Least);

    let (warm, peers, cold) = (&measured.warm, &measured.warm_peers, &measured.cold);
    add("warm call / an empty program", ratio(warm, OURS, EMPTY, 0.5), "×", most(1.3));
    add("warm call / with_daemon", ratio(peers, OURS, WITH_DAEMON, 0.5), "×", most(0.6));
    add("warm call / Nailgun's C client", ratio(peers, OURS, NAILGUN, 0.5), "×", most(1.0));
    add(
        "warm call, linked statically / an empty program, linked statically",
        ratio(&measured.warm_static, OURS, EMPTY, 0.5),
        "×",
        most(1.35),
    );
    add("cold call / an empty program", ratio(cold, OURS, EMPTY, 0.5), "×", most(3.5));
    add("cold call / with_daemon", ratio(cold, OURS, WITH_DAEMON, 0.5), "×", most(0.9));
    for (placement, named) in &measured.first_chunk {
        for (name, part, limit) in [("p50", 0.5, 2.0), ("p99", 0.99, 3.0)] {
            let what = format!("connect to first chunk, {}, {name} / {SERVER}", placement.name());
            add(&what, ratio(named, OURS, SERVER, part), "×", most(limit));
        }
    }

    for Bulk { kind, placement, named } in &measured.bulk {
        let moved = format!("{}, {} / {PAIR}", kind.name(), placement.name());
        let (speed, cost) = (ratio(named, PAIR, OURS, 0.5), ratio(named, OURS, PAIR, 0.5));
        match kind {
            Kind::ToNull | Kind::IntoPipe => add(&format!("speed of {moved}"), speed, "×", least(0.9)),
            Kind::Copy | Kind::Lines => add(&format!("speed of {moved}"), speed, "×", least(0.8)),
            Kind::SingleLines => add(&format!("cost of {moved}"), cost, "×", most(1.3)),
        }
    }

    for (callers, named) in &measured.callers {
        let what = format!("commands a second, callers: {callers} / the least-possible server");
        add(&what, ratio(named, OURS, SERVER, 0.5), "×", least(0.6));
    }
    let rate = |callers: usize| {
        let (_, named) = measured.callers.iter().find(|(found, _)| *found == callers)?;
        Some(of(named, OURS)?.median())
    };
    let fall = rate(1000).zip(rate(10)).map(|(many, few)| many / few);
    add("commands a second, callers: 1000 / callers: 10", fall, "×", least(0.9));

    let memory = |what: &str| measured.memory.get(what).copied();
    let count = |what: &str| measured.counts.get(what).copied();
    add("idle daemon, resident", memory("idle daemon"), "KiB", most(3.0 * 1024.0));
    add(
        "idle daemon linked statically, resident",
        memory("idle daemon, linked statically"),
        "KiB",
        most(3.0 * 1024.0),
    );
    add(
        "each of 1,000 idle connections",
        memory("each of 1,000 commands that wait for ever"),
        "KiB",
        most(12.0),
    );
    add("grown by many commands", memory("grown by many commands"), "KiB", most(512.0));
    add("grown while much is streamed", memory("grown while much is streamed"), "KiB", most(512.0));
    for linked in ["", ", linked statically"] {
        let beyond = |numbers: &Numbers, what: &str, theirs: &str| {
            let number = |whose: &str| numbers.get(&format!("{what}, {whose}{linked}")).copied();
            Some(number(OURS)? - number(theirs)?)
        };
        add(
            &format!("client's peak{linked}, beyond an empty program's"),
            beyond(&measured.memory, "client's peak", EMPTY),
            "KiB",
            most(1024.0),
        );
        add(
            &format!("client's system calls{linked}, beyond the least-possible client's"),
            beyond(&measured.counts, "system calls", CLIENT),
            "",
            most(10.0),
        );
    }
    add("crates that an application depends on", count("crates, daemon-rpc"), "", most(40.0));
    add(
        "stripped size of a minimal application",
        count("bytes of the program, daemon-rpc").map(|bytes| bytes / 1024.0 / 1024.0),
        "MiB",
        most(1.2),
    );
    aims
}
