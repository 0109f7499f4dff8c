//! Rows that wait for scores: the batch is whatever one tick brought.

use std::sync::Arc;

use super::{Message, Waiting, Worker};
use crate::{
    node::shared::Shared,
    partition::ScoreTask,
    scoring::Batch,
    types::{Error, Now},
};

impl Worker {
    /// Adds a row to the tick's batches.
    pub(super) fn gather(&mut self, shared: &Arc<Shared>, now: Now, unit: usize, task: ScoreTask) {
        let waiting = Waiting { unit, ticket: task.ticket };
        let added = match task.map.map.schema() {
            Some(schema) => {
                self.batcher.add(&shared.models, &task.binding, schema, &task.key, &task.row, waiting)
            }
            None => Err(Error::internal("a plain map has a binding")),
        };
        if let Err(error) = added
            && let Some(replica) = &mut self.units[unit].replica
        {
            replica.core.handle(now, waiting.scored(Err(error)), &mut self.effects);
        }
    }

    /// Runs what the tick gathered, until nothing waits: a score can let the next write of its key in.
    pub(super) fn run_batches(&mut self, shared: &Arc<Shared>, now: Now) {
        loop {
            let batches: Vec<Batch<Waiting>> = self.batcher.take().collect();
            if batches.is_empty() {
                return;
            }
            for batch in batches {
                if batch.model().cost_us(batch.rows()) > shared.inline_us {
                    self.run_on_pool(shared, batch);
                } else {
                    for (waiting, result) in shared.run_batch(batch) {
                        self.feed_core(shared, now, waiting.unit, waiting.scored(result));
                    }
                }
            }
        }
    }

    fn run_on_pool(&self, shared: &Arc<Shared>, batch: Batch<Waiting>) {
        let (number, node) = (self.number, shared.clone());
        shared.pool.run(move || {
            let scores = node.run_batch(batch);
            node.post_to(number, Message::Scored(scores));
        });
    }
}
