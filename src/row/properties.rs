//! Properties of packed rows.

use proptest::{collection::vec, prelude::*};

use super::{
    RowRef, Scalar, Writer, check, from_json, samples,
    samples::{Owned, pack, schema, values},
    to_json, with_scores,
};

/// Equal, where NaN equals NaN bit for bit.
fn same(a: Scalar<'_>, b: Scalar<'_>) -> bool {
    match (a, b) {
        (Scalar::F32(a), Scalar::F32(b)) => a.to_bits() == b.to_bits(),
        (Scalar::F64(a), Scalar::F64(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}

/// Reads everything there is to read.
fn read_all(row: RowRef<'_>) -> usize {
    let columns = row.schema().columns().len();
    let numbers: usize = (0..=columns)
        .map(|i| {
            usize::from(row.f64(i).is_some())
                + usize::from(row.f32(i).is_some())
                + usize::from(row.i64(i).is_some())
        })
        .sum();
    numbers + format!("{row:?}").len() + to_json(row).len()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_set_is_read(values in values(&schema())) {
        let schema = schema();
        let bytes = pack(&schema, &values);
        let row = RowRef::new(&schema, &bytes).unwrap();
        for (read, set) in row.values().zip(&values) {
            prop_assert!(same(read, set.scalar()), "{read:?} {set:?}");
        }
        check(&schema, row, Writer::Grid).unwrap();
    }

    #[test]
    fn the_form_is_canonical(values in values(&schema())) {
        let schema = schema();
        let bytes = pack(&schema, &values);
        let row = RowRef::new(&schema, &bytes).unwrap();
        let again: Vec<u8> = with_scores(&schema, &bytes, &[(11, row.value(11))]).unwrap();
        prop_assert_eq!(again, bytes);
    }

    #[test]
    fn json_keeps_every_value(values in values(&schema())) {
        let schema = schema();
        let mut values = values;
        values[10..].fill_with(|| Owned::Null);
        let bytes = pack(&schema, &values);
        let object = to_json(RowRef::new(&schema, &bytes).unwrap());
        let text = serde_json::to_string(&object).unwrap();
        let back = from_json(&schema, &serde_json::from_str(&text).unwrap()).unwrap();
        let back = RowRef::new(&schema, &back).unwrap();
        for (read, set) in back.values().zip(&values) {
            let (read_number, set_number) = (read.as_f64(), set.scalar().as_f64());
            let nan = read_number.is_some_and(f64::is_nan) && set_number.is_some_and(f64::is_nan);
            let vector = matches!(read, Scalar::Vector(_));
            prop_assert!(nan || vector || same(read, set.scalar()), "{read:?} {set:?}");
        }
    }

    #[test]
    fn mutated_bytes_are_refused_or_readable(
        values in values(&schema()),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let schema = schema();
        let mut bytes = pack(&schema, &values);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            if let Ok(row) = RowRef::new(&schema, bytes) {
                read_all(row);
                let _ = check(&schema, row, Writer::Client);
            }
            // Bytes that nobody has checked read as nulls at worst.
            if let Ok(row) = RowRef::trusted(&schema, bytes) {
                read_all(row);
                let _ = with_scores(&schema, bytes, &[(10, Scalar::F32(0.5))]);
            }
        }
    }

    #[test]
    fn random_bytes_never_panic(tail in vec(any::<u8>(), 0..200)) {
        let schema = samples::schema();
        let bytes = [&7u32.to_le_bytes()[..], &tail].concat();
        if let Ok(row) = RowRef::new(&schema, &bytes) {
            read_all(row);
        }
    }
}
