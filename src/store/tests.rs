use std::collections::BTreeSet;

use smallvec::smallvec;

use super::*;
use crate::types::{Epoch, JoinId, Key, RowVersion};

const MAP: MapId = MapId(1);

fn record(key: &Key, value: &[u8], row_version: u64) -> Record {
    Record::new(&Parts {
        key: key.packed(),
        value,
        row_version: RowVersion(row_version),
        expires_at: None,
        unscored: false,
        lineage: smallvec![],
    })
}

fn put(writer: &mut Writer, map: MapId, record: Record) {
    let hash = writer.hash(record.key());
    writer.apply().put(map, hash, record);
}

fn writer() -> Writer {
    let mut writer = Writer::new(JoinId(1), Epoch(1), 7);
    writer.keep_maps([MAP]);
    writer.lease(100);
    writer
}

#[test]
fn a_put_replaces_and_a_remove_removes() {
    let mut writer = writer();
    let key = Key::from(1);
    put(&mut writer, MAP, record(&key, b"a", 1));
    put(&mut writer, MAP, record(&key, b"b", 2));
    let read = |writer: &Writer| writer.reader().read(MAP, key.packed(), || 99);
    assert_eq!(read(&writer), Ok(Some(record(&key, b"b", 2))));
    assert_eq!(writer.len(MAP), 1);
    let hash = writer.hash(key.packed());
    writer.apply().remove(MAP, hash, key.packed());
    assert_eq!(read(&writer), Ok(None));
    assert_eq!(writer.len(MAP), 0);
}

#[test]
fn nothing_is_read_without_a_lease_or_a_map() {
    let mut writer = writer();
    let reader = writer.reader();
    let key = Key::from(1);
    assert_eq!(reader.read(MAP, key.packed(), || 99), Ok(None));
    assert_eq!(reader.read(MAP, key.packed(), || 100), Err(NotServing::NoLease));
    assert_eq!(reader.read_many(MAP, &[key.packed()], || 100), Err(NotServing::NoLease));
    assert_eq!(reader.read(MapId(2), key.packed(), || 99), Err(NotServing::NoMap));
    assert_eq!(reader.len(MapId(2)), Err(NotServing::NoMap));
    writer.lease(0);
    assert_eq!(reader.read(MAP, key.packed(), || 0), Err(NotServing::NoLease));
}

#[test]
fn nothing_is_read_before_the_tenures_first_lease() {
    let mut writer = writer();
    writer.begin_tenure(Epoch(2));
    let (reader, key) = (writer.reader(), Key::from(1));
    assert_eq!(reader.begun(), Err(NotServing::NoLease));
    // Whatever the clock says by the time that the read is over.
    assert_eq!(reader.read(MAP, key.packed(), || 0), Err(NotServing::NoLease));
    // What the tenure before had committed is applied, and only then does the lease begin.
    put(&mut writer, MAP, record(&key, b"a", 1));
    writer.lease(100);
    assert_eq!(reader.read(MAP, key.packed(), || 99), Ok(Some(record(&key, b"a", 1))));
    assert_eq!(reader.begun(), Ok(()));
}

#[test]
fn a_lease_of_one_tenure_is_none_of_the_next() {
    let mut writer = writer();
    let before = writer.reader();
    writer.begin_tenure(Epoch(2));
    assert_eq!(before.check(99), Err(NotServing::NoLease));
    writer.lease(100);
    assert_eq!(before.check(99), Err(NotServing::NoLease));
    assert_eq!((writer.reader().check(99), writer.reader().epoch()), (Ok(()), Epoch(2)));
}

#[test]
fn equal_rows_have_equal_sums_in_any_order() {
    let keys: Vec<Key> = (0..100).map(Key::from).collect();
    let sum = |seed, order: &mut dyn Iterator<Item = &Key>| {
        let mut writer = Writer::new(JoinId(1), Epoch(1), seed);
        writer.keep_maps([MAP, MapId(2)]);
        order.for_each(|key| put(&mut writer, MAP, record(key, b"a", 1)));
        writer
    };
    let mut one = sum(7, &mut keys.iter());
    let other = sum(8, &mut keys.iter().rev());
    assert_eq!(one.checksum(), other.checksum());
    let before = one.checksum();
    put(&mut one, MAP, record(&keys[5], b"a", 2));
    assert_ne!(one.checksum(), before);
    put(&mut one, MAP, record(&keys[5], b"a", 1));
    assert_eq!(one.checksum(), before);
    let hash = one.hash(keys[5].packed());
    one.apply().remove(MAP, hash, keys[5].packed());
    put(&mut one, MapId(2), record(&keys[5], b"a", 1));
    assert_ne!(one.checksum(), before, "the map counts");
    one.clear();
    assert_eq!((one.checksum(), one.maps().count()), (0, 0));
}

#[test]
fn a_dropped_map_is_gone_and_its_namesake_is_another() {
    let mut writer = writer();
    put(&mut writer, MAP, record(&Key::from(1), b"a", 1));
    writer.keep_maps([MapId(2)]);
    assert_eq!(writer.reader().len(MAP), Err(NotServing::NoMap));
    assert_eq!(writer.reader().len(MapId(2)), Ok(0));
    put(&mut writer, MAP, record(&Key::from(1), b"a", 2));
    assert_eq!(writer.reader().len(MAP), Err(NotServing::NoMap));
}

#[test]
fn a_scan_returns_every_row_once() {
    let mut writer = writer();
    for number in 0..1_000 {
        put(&mut writer, MAP, record(&Key::from(number), &number.to_le_bytes(), 1));
    }
    let reader = writer.reader();
    let mut keys = BTreeSet::new();
    let mut from = Some(Cursor::default());
    while let Some(cursor) = from {
        let (records, next) = reader.scan(MAP, cursor).unwrap();
        for record in records {
            assert!(keys.insert(record.key().to_vec()), "twice: {record:?}");
        }
        from = next;
    }
    assert_eq!(keys.len(), 1_000);
    assert_eq!(reader.len(MAP), Ok(1_000));
}

#[test]
fn several_keys_are_read_as_of_one_moment() {
    let mut writer = writer();
    let keys = [Key::from(1), Key::from(2)];
    let reader = writer.reader();
    let rounds = 2_000_u64;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for round in 1..=rounds {
                let mut apply = writer.apply();
                for key in [Key::from(1), Key::from(2)] {
                    let record = record(&key, &round.to_le_bytes(), round);
                    apply.put(MAP, apply.hash(key.packed()), record);
                }
            }
        });
        let mut last = 0;
        while last < rounds {
            let found = reader.read_many(MAP, &keys.clone().map(Vec::from), || 0).unwrap();
            let versions: Vec<u64> = found
                .iter()
                .map(|record| record.as_ref().map_or(0, |record| record.row_version().0))
                .collect();
            assert_eq!(versions[0], versions[1]);
            assert!(versions[0] >= last);
            last = versions[0];
        }
    });
}

#[test]
fn a_read_that_the_writer_keeps_disturbing_holds_it_off() {
    let mut writer = writer();
    let reader = writer.reader();
    // An entry that is never done: only the locked read can tell, and it waits.
    let keys = [Key::from(1).packed().to_vec()];
    std::thread::scope(|scope| {
        let mut apply = writer.apply();
        apply.put(MAP, apply.hash(&keys[0]), record(&Key::from(1), b"a", 1));
        let found = scope.spawn(|| reader.read_many(MAP, &keys, || 0).unwrap());
        drop(apply);
        assert_eq!(found.join().unwrap(), [Some(record(&Key::from(1), b"a", 1))]);
    });
}
