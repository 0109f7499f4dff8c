//! Rows put until each is acknowledged, or refused for good.
//!
//! A row that was late or found no room was not stored: putting it again is what an application would do. On a
//! machine that is slower than the rows come, fewer of them go together, so that their scores come in time.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use bytes::Bytes;

use crate::{
    client::{Map, Put},
    types::{Class, Error, Key, Result},
};

/// How often nothing at all may get through before the rows at hand are given up.
const MOST_STALLS: u32 = 20;
/// The pause before rows are put again; it grows while nothing gets through.
const PAUSE: Duration = Duration::from_millis(5);

/// Puts rows into one map.
#[derive(Debug)]
pub(super) struct Patient {
    map: Map,
    /// How many rows may go together, and how many do at present.
    most: usize,
    together: usize,
}

impl Patient {
    pub(super) fn new(map: Map, most: usize) -> Self {
        Patient { map, most, together: most }
    }

    /// Puts rows; their answers come in their order. Of two rows with one key the later is put after the earlier.
    pub(super) async fn put(&mut self, rows: &[(Key, Bytes)]) -> Result<Vec<Result<Put>>> {
        let mut answers: Vec<Option<Result<Put>>> = rows.iter().map(|_| None).collect();
        let mut waiting: VecDeque<usize> = (0..rows.len()).collect();
        let mut stalls = 0;
        while !waiting.is_empty() {
            let some = take(&mut waiting, rows, self.together);
            let entries = some.iter().map(|at| (&rows[*at].0, rows[*at].1.clone()));
            let puts = self.map.put_all_raw(entries).await?;
            let asked = some.len();
            let mut late = Vec::new();
            for (at, put) in some.into_iter().zip(puts) {
                match put {
                    Err(refusal) if is_passing(&refusal) => late.push((at, refusal)),
                    answer => answers[at] = Some(answer),
                }
            }
            if late.is_empty() {
                (stalls, self.together) = (0, self.most.min(self.together * 2));
                continue;
            }
            stalls = if late.len() == asked { stalls + 1 } else { 0 };
            self.together = (self.together / 2).max(1);
            if stalls > MOST_STALLS {
                late.into_iter().for_each(|(at, refusal)| answers[at] = Some(Err(refusal)));
                stalls = 0;
                continue;
            }
            late.into_iter().rev().for_each(|(at, _)| waiting.push_front(at));
            tokio::time::sleep(PAUSE * (stalls + 1)).await;
        }
        let unanswered = || Err(Error::internal("a row was put and not answered"));
        Ok(answers.into_iter().map(|answer| answer.unwrap_or_else(unanswered)).collect())
    }
}

/// Whether the row may fare better a moment later.
fn is_passing(refusal: &Error) -> bool {
    matches!(refusal.class, Class::Deadline | Class::Overloaded)
}

/// Takes up to `most` rows from the front, no key twice: a row that is late must not overtake a later one of its key.
fn take(waiting: &mut VecDeque<usize>, rows: &[(Key, Bytes)], most: usize) -> Vec<usize> {
    let mut keys = HashSet::new();
    let mut some = Vec::new();
    while let Some(at) = waiting.front().copied().filter(|at| some.len() < most && keys.insert(&rows[*at].0))
    {
        waiting.pop_front();
        some.push(at);
    }
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_key_do_not_go_together() {
        let rows: Vec<(Key, Bytes)> = [1, 2, 1, 3].map(|key| (Key::from(key), Bytes::new())).to_vec();
        let mut waiting: VecDeque<usize> = (0..rows.len()).collect();
        assert_eq!(take(&mut waiting, &rows, 9), [0, 1]);
        assert_eq!(take(&mut waiting, &rows, 1), [2]);
        assert_eq!(take(&mut waiting, &rows, 9), [3]);
        assert_eq!(take(&mut waiting, &rows, 9), [0; 0]);
    }
}
