//! What of an effect of a node goes into the hash.

use embergrid::feed;
use embergrid::types::NodeId;

use super::Trace;
use crate::cluster::host::Out;

impl Trace {
    /// A node does something to the world.
    pub(crate) fn effect(&mut self, node: NodeId, out: &Out) {
        self.add(node);
        self.add_kind(out);
        match out {
            // What is sent is in the event of its arrival, with all that it says.
            Out::Frames { to, frames } => self.add((to, frames.len())),
            Out::Reply { origin, answer, at_once } => {
                self.add((origin, at_once));
                self.add_answer(answer);
            }
            Out::Forward { partition, to, request, placement } => {
                self.add((partition, to, placement));
                self.add_request(request);
            }
            Out::Published { partition, entry } => {
                self.add(partition);
                self.add_entry(entry);
            }
            Out::Score(tasks) => {
                for (partition, task) in tasks {
                    self.add((partition, &task.row[..]));
                    self.add_text(task.ticket);
                }
            }
            Out::Feed { partition, effect: feed::Effect::Deliver { to, message } } => {
                self.add((partition, to));
                self.add_news(message);
            }
            Out::Feed { .. }
            | Out::Told { .. }
            | Out::Needless { .. }
            | Out::Propose { .. }
            | Out::Differ(_) => {
                self.add_text(out);
            }
            Out::Confirm { round } => self.add(round),
        }
    }
}
