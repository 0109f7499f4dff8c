//! One connection to the cluster: the session that all callers share, and a stream of it to each node.
//!
//! A caller puts its operations into the session and wakes the writers of the streams that they leave over; a writer is
//! polled by its socket whenever there is room and puts all that has gathered into one frame. So a frame holds what
//! arrived while the previous one was being written: no timer, and batches grow with the load.
//!
//! One task minds the clock ([`keep`]), and one a node keeps a stream to it ([`tend`]).

mod call;
mod keep;
mod stream;
mod tend;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    task::Waker,
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;
use tokio::sync::oneshot;
use tokio::time::Instant;

use self::call::CallFuture;
use super::{Options, calls::Calls, draft::Draft};
use crate::{
    session::{Answers, Limits, LinkId, Session},
    types::{Error, NodeId, Result},
    wire::{MAX_FRAME_BYTES, Packed, v1::reply},
};

/// The longest pause before what found no primary is sent again, unless news come before.
const ASTRAY_MOST: Duration = Duration::from_millis(50);
/// How long a node may be silent that owes answers although others have taken its place.
const SILENCE_MOST: Duration = Duration::from_millis(250);
/// How long operations wait for a node whose stream broke, or for news of another in its place: longer than it takes the
/// cluster to replace it.
const MISSED_MOST: Duration = Duration::from_secs(2);

/// The operations of one call.
pub(super) type Drafts = SmallVec<[Draft; 1]>;

/// A session and its streams. Dropping it ends them.
#[derive(Debug)]
pub(super) struct Connection {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    started: Instant,
    options: Arc<Options>,
}

#[derive(Debug)]
struct State {
    session: Session<Draft>,
    calls: Calls,
    /// By link.
    ways: Vec<Way>,
    /// Filled and emptied within a call; kept for its capacity.
    ops: Packed<3>,
    /// How many streams were begun.
    streams: u64,
    /// The nodes to which a task keeps a stream.
    tended: BTreeSet<NodeId>,
    /// Where nodes were reached before they had told their addresses, which may not be good from here.
    reached_at: BTreeMap<NodeId, String>,
    /// A task looks for a node at the addresses given by the user.
    is_seeking: bool,
    closed: bool,
}

/// The present stream of a link.
#[derive(Debug, Default)]
struct Way {
    /// Its number; 0: there is none.
    stream: u64,
    /// Wakes its writer, if that waits for something to send.
    writer: Option<Waker>,
    /// Dropped to end the reader.
    _reading: Option<oneshot::Sender<()>>,
}

impl Way {
    /// Ends the stream; gives its writer's waker.
    fn end(&mut self) -> Option<Waker> {
        std::mem::take(self).writer
    }
}

impl Connection {
    /// Connects to one node and opens a session.
    pub(super) async fn open(options: Arc<Options>) -> Result<Self> {
        let micros = |duration: Duration| duration.as_micros() as u64;
        let limits = Limits {
            outstanding: options.outstanding.max(1),
            frame_bytes: options.frame_bytes,
            frame_most_bytes: MAX_FRAME_BYTES,
            retry_us: micros(options.retry.shortest),
            retry_most_us: micros(options.retry.longest),
            astray_most_us: micros(options.retry.longest.min(ASTRAY_MOST)),
            silence_us: micros(SILENCE_MOST),
            missed_us: micros(MISSED_MOST),
        };
        let state = State {
            session: Session::new(limits),
            calls: Calls::default(),
            ways: Vec::new(),
            ops: Packed::default(),
            streams: 0,
            tended: BTreeSet::new(),
            reached_at: BTreeMap::new(),
            is_seeking: false,
            closed: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), started: Instant::now(), options });
        let first = tend::find(&shared).await?;
        tend::adopt(&shared, first);
        tokio::spawn(keep::keep(shared.clone()));
        Ok(Connection { shared })
    }

    /// Sends the operations and waits for all their answers.
    pub(super) fn call(&self, drafts: Drafts) -> CallFuture<'_> {
        CallFuture::new(&self.shared, drafts)
    }

    /// Where the nodes are to which there is a stream.
    pub(super) fn addresses(&self) -> Vec<String> {
        let state = self.shared.state.lock();
        let nodes = state.session.topology().map_or(&[][..], |topology| &topology.nodes);
        let open = nodes.iter().filter(|node| state.session.is_open_to(node.id));
        open.map(|node| state.reached_at.get(&node.id).unwrap_or(&node.address).clone()).collect()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.closed = true;
        let writers: Vec<Waker> = state.ways.iter_mut().filter_map(|way| way.writer.take()).collect();
        drop(state);
        writers.into_iter().for_each(Waker::wake);
    }
}

impl State {
    /// Whether a stream is the present one of its link.
    fn is_current(&self, link: LinkId, stream: u64) -> bool {
        self.ways.get(link.0).is_some_and(|way| way.stream == stream)
    }

    /// Ends the streams that the session has given up.
    fn end_broken(&mut self, wakers: &mut impl Extend<Waker>) {
        let State { session, ways, .. } = self;
        for link in session.take_broken() {
            wakers.extend(ways.get_mut(link.0).and_then(Way::end));
        }
    }

    /// The writers that have something to send, and wait.
    fn writers(&mut self, wakers: &mut impl Extend<Waker>) {
        let State { session, ways, .. } = self;
        for (at, way) in ways.iter_mut().enumerate() {
            if way.writer.is_some() && session.wants_to_send(LinkId(at)) {
                wakers.extend(way.writer.take());
            }
        }
    }
}

impl Shared {
    fn now_us(&self) -> u64 {
        self.started.elapsed().as_micros() as u64
    }

    /// Hands answers to their callers, and wakes them and the writers that have something to send.
    fn settle(
        &self,
        mut state: MutexGuard<'_, State>,
        answers: &mut Answers<reply::Answer>,
        wakers: &mut Vec<Waker>,
    ) {
        for (caller, answer) in answers.drain(..) {
            wakers.extend(state.calls.answer(caller, answer));
        }
        state.end_broken(wakers);
        state.writers(wakers);
        drop(state);
        wakers.drain(..).for_each(Waker::wake);
    }

    /// A stream broke.
    fn disconnect(&self, link: LinkId, stream: u64, outage: Error) {
        let mut state = self.state.lock();
        if !state.is_current(link, stream) {
            return;
        }
        let mut wakers = Vec::from_iter(state.ways.get_mut(link.0).and_then(Way::end));
        state.session.handle_disconnect(link, outage, self.now_us());
        self.settle(state, &mut Vec::new(), &mut wakers);
    }
}
