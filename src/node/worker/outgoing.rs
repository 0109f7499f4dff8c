//! What a tick has to say to other nodes: one message a node, where it fits.

use smallvec::SmallVec;

use crate::{
    net::{Lane, Net},
    node::peer,
    partition::{Body, Frame},
    types::NodeId,
};

/// Bytes of frames after which a message is full, about.
const MESSAGE_BYTES: usize = 4 << 20;

/// Frames on their way out.
#[derive(Default)]
pub(super) struct Outgoing {
    /// Few enough to be looked through.
    nodes: SmallVec<[ToNode; 4]>,
}

/// What one node is to be told.
struct ToNode {
    node: NodeId,
    frames: Vec<Frame>,
    /// Parts of fills: large, and in no hurry.
    parts: Vec<Frame>,
}

impl Outgoing {
    /// Adds a frame.
    pub(super) fn add(&mut self, node: NodeId, frame: Frame) {
        let at = self.nodes.iter().position(|to| to.node == node).unwrap_or_else(|| {
            self.nodes.push(ToNode { node, frames: Vec::new(), parts: Vec::new() });
            self.nodes.len() - 1
        });
        let to = &mut self.nodes[at];
        match frame.body {
            Body::Fill { .. } => to.parts.push(frame),
            _ => to.frames.push(frame),
        }
    }

    /// Sends all of it. What finds no room is lost; the cores repeat what matters.
    pub(super) fn send(&mut self, net: Option<&Net>, worker: usize) {
        for ToNode { node, frames, parts } in &mut self.nodes {
            if let Some(net) = net {
                // A stream a worker: the frames of a partition keep their order.
                let key = worker as u16;
                send(net, *node, Lane::Data, key, frames);
                send(net, *node, Lane::Bulk, key, parts);
            }
            frames.clear();
            parts.clear();
        }
    }
}

fn send(net: &Net, node: NodeId, lane: Lane, key: u16, frames: &[Frame]) {
    let mut rest = frames;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|frame| {
            let fits = bytes < MESSAGE_BYTES;
            bytes += frame.payload();
            fits
        });
        let (message, later) = rest.split_at(fits.count());
        net.send(node, lane, key, &peer::Frames(message));
        rest = later;
    }
}
