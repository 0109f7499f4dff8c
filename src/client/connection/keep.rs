//! What a connection does by the clock.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use super::{Shared, tend};
use crate::types::NodeId;

/// How often deadlines and retries are looked at.
pub(super) const TICK: Duration = Duration::from_millis(10);
/// After so many ticks without a stream, a node is looked for where the user said that there are some.
const CUT_OFF_MOST: u32 = 10;

/// Minds deadlines and retries, and sees to it that there is a task for each node of the cluster, for as long as the
/// connection is wanted.
pub(super) async fn keep(shared: Arc<Shared>) {
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut answers, mut wakers) = (Vec::new(), Vec::new());
    let mut cut_off = 0;
    loop {
        tick.tick().await;
        let now_us = shared.now_us();
        let mut state = shared.state.lock();
        if state.closed {
            return;
        }
        state.session.handle_tick(now_us, &mut answers);
        let nodes = state.session.topology().map_or(&[][..], |topology| &topology.nodes);
        let fresh: Vec<NodeId> =
            nodes.iter().map(|node| node.id).filter(|node| !state.tended.contains(node)).collect();
        state.tended.extend(&fresh);
        cut_off = if state.session.is_cut_off() { cut_off + 1 } else { 0 };
        let is_lost = cut_off >= CUT_OFF_MOST && !state.is_seeking;
        state.is_seeking |= is_lost;
        shared.settle(state, &mut answers, &mut wakers);
        for node in fresh {
            tokio::spawn(tend::tend(shared.clone(), node, None));
        }
        if is_lost {
            tokio::spawn(tend::seek(shared.clone()));
        }
    }
}
