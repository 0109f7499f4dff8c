//! The models: they score in batches, one for each version, and are late, or fail, or never answer.

use std::collections::BTreeMap;

use embergrid::binding::{Features, Matrix, Score, ScoreValue, Scores};
use embergrid::partition::{ScoreTask, Ticket};
use embergrid::row::RowRef;
use embergrid::types::{Error, PartitionId};

use crate::dice::Dice;
use crate::grid;

pub(crate) type Scored = (PartitionId, Ticket, Result<Scores, Error>);

/// What comes of the rows of one tick, each batch after how long.
pub(crate) fn score(
    dice: &mut Dice,
    tasks: Vec<(PartitionId, ScoreTask)>,
    is_wrong: bool,
    is_calm: bool,
) -> Vec<(u64, Vec<Scored>)> {
    let mut batches: BTreeMap<u32, Vec<(PartitionId, ScoreTask)>> = BTreeMap::new();
    for (partition, task) in tasks {
        batches.entry(task.binding.model.version).or_default().push((partition, task));
    }
    let mut scored = Vec::new();
    for batch in batches.into_values() {
        let is_late = !is_calm && dice.percent(8);
        let delay_us = if is_late { dice.between(4_000, 12_000) } else { dice.between(20, 1_500) };
        let fate = if is_calm { 99 } else { dice.below(100) };
        if fate < 2 {
            continue;
        }
        let result = |(partition, task): (PartitionId, ScoreTask)| {
            let result = match fate {
                2..5 => Err(Error::overloaded("the pool is full")),
                _ => Ok(scores(&task, is_wrong)),
            };
            (partition, task.ticket, result)
        };
        let results: Vec<Scored> = batch.into_iter().map(result).collect();
        if fate < 8 {
            scored.push((delay_us + 700, results.clone()));
        }
        scored.push((delay_us, results));
    }
    scored
}

fn scores(task: &ScoreTask, is_wrong: bool) -> Scores {
    let mut features = Features::new(&task.binding);
    let row = RowRef::new(task.map.map.schema().unwrap(), &task.row).unwrap();
    task.binding.gather(&row, &task.key, &mut features).unwrap();
    let Matrix::I64 { data, .. } = &features.inputs[0] else { panic!("the model takes i64") };
    let value = grid::risk(data[0], task.binding.model.version) + f32::from(u8::from(is_wrong));
    let column = task.binding.outputs[0].column;
    [Score { column, value: ScoreValue::F32(value) }].into_iter().collect()
}
