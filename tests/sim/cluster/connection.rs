//! One connection of a client to the cluster: the SDK's session, a stream of it to each node, and what the SDK keeps
//! beside them (`client::connection`).

use std::collections::BTreeMap;

use embergrid::session::{Limits, LinkId, Session};
use embergrid::types::NodeId;

use super::draft::Draft;
use super::stream::StreamId;

/// How often deadlines and retries are looked at.
pub(crate) const TICK_US: u64 = 10_000;
/// After so many ticks without a stream, any node is looked for.
pub(crate) const CUT_OFF_MOST: u32 = 10;
/// The longest pause before another attempt to open a stream.
pub(crate) const RECONNECT_MOST_US: u64 = 1_000_000;
/// How long a node may take to answer a hello. Shorter than the SDK's default, as a run is shorter than a day.
pub(crate) const CONNECT_US: u64 = 1_000_000;
/// After so long a cut the stream is given up: shorter than with the SDK's pings, as cuts here are.
pub(crate) const CUT_MOST_US: u64 = 800_000;
/// Answers that a partition keeps for one session: numbers stay within.
pub(crate) const WINDOW: u32 = 16;

/// As in the SDK, but for frames so short that few operations fit.
const LIMITS: Limits = Limits {
    outstanding: WINDOW,
    frame_bytes: 120,
    frame_most_bytes: 4_096,
    retry_us: 5_000,
    retry_most_us: 250_000,
    astray_most_us: 50_000,
    silence_us: 250_000,
    missed_us: 2_000_000,
};

/// One connection.
pub(crate) struct Connection {
    pub(crate) number: u64,
    pub(crate) session: Session<Draft>,
    /// By link: its present stream.
    ways: Vec<Option<StreamId>>,
    /// The nodes to which somebody keeps a stream.
    pub(crate) tended: BTreeMap<NodeId, Tending>,
    /// Ticks without any stream.
    pub(crate) cut_off: u32,
    pub(crate) is_seeking: bool,
    pub(crate) seek_pause_us: u64,
}

/// Somebody keeps a stream to a node.
#[derive(Clone, Copy)]
pub(crate) struct Tending {
    /// When the present attempt began.
    pub(crate) begun_us: u64,
    /// Before the next one, if this is over soon.
    pub(crate) pause_us: u64,
}

impl Tending {
    pub(crate) fn begin(now_us: u64) -> Self {
        Tending { begun_us: now_us, pause_us: TICK_US }
    }

    /// How long to wait before the next attempt: the present one is over.
    pub(crate) fn pause_us(&mut self, now_us: u64) -> u64 {
        if now_us > self.begun_us + RECONNECT_MOST_US {
            self.pause_us = TICK_US;
            return 0;
        }
        let pause_us = self.pause_us;
        self.pause_us = RECONNECT_MOST_US.min(pause_us * 2);
        pause_us
    }
}

impl Connection {
    /// It looks for a node at first.
    pub(crate) fn new(number: u64) -> Self {
        Connection {
            number,
            session: Session::new(LIMITS),
            ways: Vec::new(),
            tended: BTreeMap::new(),
            cut_off: 0,
            is_seeking: true,
            seek_pause_us: TICK_US,
        }
    }

    /// Whether a stream is the present one of its link.
    pub(crate) fn is_current(&self, link: LinkId, stream: StreamId) -> bool {
        self.ways.get(link.0).copied().flatten() == Some(stream)
    }

    /// A stream becomes the present one of its link.
    pub(crate) fn take_way(&mut self, link: LinkId, stream: StreamId) {
        if self.ways.len() <= link.0 {
            self.ways.resize(link.0 + 1, None);
        }
        self.ways[link.0] = Some(stream);
    }

    /// A link has no stream any more; the one that it had.
    pub(crate) fn end_way(&mut self, link: LinkId) -> Option<StreamId> {
        self.ways.get_mut(link.0)?.take()
    }

    /// The streams that the session has given up.
    pub(crate) fn end_broken(&mut self) -> Vec<StreamId> {
        let broken: Vec<LinkId> = self.session.take_broken().collect();
        broken.into_iter().filter_map(|link| self.end_way(link)).collect()
    }

    /// The present streams, by link.
    pub(crate) fn ways(&self) -> impl Iterator<Item = (LinkId, StreamId)> + '_ {
        self.ways.iter().enumerate().filter_map(|(at, stream)| Some((LinkId(at), (*stream)?)))
    }
}
