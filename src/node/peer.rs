//! What nodes tell each other unasked about their partitions, and who is handed it.

use std::sync::{Arc, Weak};

use serde::{Deserialize, Serialize};

use super::{shared::Shared, worker::Message};
use crate::{
    net::{Lane, Net},
    partition::Frame,
};

/// Frames of several partitions, on their way out.
#[derive(Serialize)]
pub(super) struct Frames<'a>(pub(super) &'a [Frame]);

/// The same, as they come in.
#[derive(Deserialize)]
struct Arrived(Vec<Frame>);

/// Hands the workers what other nodes say from now on.
pub(super) fn listen(shared: &Arc<Shared>, net: &Net) {
    for lane in [Lane::Data, Lane::Bulk] {
        let shared = Arc::downgrade(shared);
        net.receive(lane, move |_, Arrived(frames)| deliver(&shared, frames));
    }
}

/// Which replica a frame is from the cores check themselves: join ids are given once.
fn deliver(shared: &Weak<Shared>, frames: Vec<Frame>) {
    let Some(shared) = shared.upgrade() else { return };
    let partitions = shared.readers.len();
    let mut by_worker: Vec<Vec<Frame>> = (0..shared.status.len()).map(|_| Vec::new()).collect();
    for frame in frames.into_iter().filter(|frame| usize::from(frame.partition.0) < partitions) {
        by_worker[shared.worker_of(frame.partition)].push(frame);
    }
    for (worker, frames) in by_worker.into_iter().enumerate() {
        if !frames.is_empty() {
            shared.post_to(worker, Message::Frames(frames));
        }
    }
}
