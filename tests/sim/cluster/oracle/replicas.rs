//! After a storm all replicas are equal, and what they hold is what was committed.

use embergrid::partition::Core;
use embergrid::store::{Cursor, Record};
use embergrid::types::MapId;

use super::{Timeline, Verdict, ensure};

/// The replicas in sync of one partition, at rest.
pub(crate) fn check(timeline: &Timeline, replicas: &[&Core], maps: &[MapId]) -> Verdict {
    let held = |core: &&Core| (core.position(), core.checksum(), core.answer_bytes());
    let held: Vec<_> = replicas.iter().map(held).collect();
    ensure(held.windows(2).all(|pair| pair[0] == pair[1]), || format!("the replicas differ: {held:?}"))?;
    for core in replicas {
        let last = timeline.entries.last().map(|entry| entry.position);
        ensure(last.is_none_or(|last| last == core.position()), || {
            format!("committed up to {last:?}, held up to {}", core.position())
        })?;
        for map in maps {
            let stored = rows(core, *map)?;
            let committed = timeline.rows.iter().filter(|((of, _), _)| of == map);
            let committed: Vec<&Record> = committed.map(|(_, row)| row).collect();
            ensure(stored.iter().eq(committed.iter().copied()), || {
                format!("stored {stored:?}, committed {committed:?}")
            })?;
        }
    }
    Ok(())
}

/// All rows of a map, by key.
fn rows(core: &Core, map: MapId) -> Result<Vec<Record>, String> {
    let reader = core.reader();
    let (mut rows, mut cursor) = (Vec::new(), Some(Cursor::default()));
    while let Some(at) = cursor {
        let (records, next) = reader.scan(map, at).map_err(|error| error.to_string())?;
        rows.extend(records);
        cursor = next;
    }
    rows.sort_by(|a, b| a.key().cmp(b.key()));
    Ok(rows)
}
