//! Putting scores into a row.

use super::{
    Builder, RowRef, Scalar, Schema, Writer,
    builder::{mark, store},
    convert,
    layout::Span,
};
use crate::types::Result;

/// A copy of `row` with these columns replaced; the rest, and the schema id if it can, stay as they are.
///
/// Scores of fixed width cost one copy of the row and a store each. A `str` or `bytes` score, or a row older than
/// `schema`, is packed anew under `schema`.
pub fn with_scores(schema: &Schema, row: &[u8], scores: &[(usize, Scalar<'_>)]) -> Result<Vec<u8>> {
    let row = RowRef::trusted(schema, row)?;
    match patched(schema, row, scores)? {
        Some(bytes) => Ok(bytes),
        None => repacked(schema, row, scores),
    }
}

fn patched(schema: &Schema, row: RowRef<'_>, scores: &[(usize, Scalar<'_>)]) -> Result<Option<Vec<u8>>> {
    let layout = schema.layout();
    if row.schema_id() != layout.schema || row.bytes().len() < layout.variable_at {
        return Ok(None);
    }
    let mut bytes = row.bytes().to_vec();
    for (i, value) in scores {
        let (Some(column), Some(slot)) = (schema.columns().get(*i), schema.slot(*i)) else { return Ok(None) };
        let Span::Fixed { at, len } = slot.span() else { return Ok(None) };
        let value = convert::fit(column, *value)?;
        let start = layout.fixed_at + at;
        store(&mut bytes[start..start + len], value);
        mark(&mut bytes, slot.rank(), value.is_null());
    }
    Ok(Some(bytes))
}

fn repacked(schema: &Schema, row: RowRef<'_>, scores: &[(usize, Scalar<'_>)]) -> Result<Vec<u8>> {
    let mut builder = Builder::of(schema, Writer::Grid);
    for (i, value) in row.values().enumerate().filter(|(_, value)| !value.is_null()) {
        builder.set(i, value)?;
    }
    for (i, value) in scores {
        builder.set(*i, *value)?;
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::samples;

    #[test]
    fn fixed_and_variable_scores_leave_the_rest_alone() {
        let schema = samples::schema();
        let bytes = samples::row(&schema);
        let before = RowRef::new(&schema, &bytes).unwrap();
        for scores in [
            &[(10, Scalar::F64(0.25))][..],
            &[(10, Scalar::F32(0.25)), (11, Scalar::Str("benign"))],
            &[(11, Scalar::Str(""))],
        ] {
            let scored = with_scores(&schema, &bytes, scores).unwrap();
            let after = RowRef::new(&schema, &scored).unwrap();
            assert!(before.values().zip(after.values()).take(10).all(|(a, b)| a == b));
            for (i, value) in scores {
                let expected = if *i == 10 { Scalar::F32(0.25) } else { *value };
                assert_eq!(after.value(*i), expected);
            }
            let cleared: Vec<_> = scores.iter().map(|(i, _)| (*i, Scalar::Null)).collect();
            assert_eq!(with_scores(&schema, &scored, &cleared).unwrap(), bytes);
        }
    }

    #[test]
    fn a_score_of_another_type_is_refused() {
        let schema = samples::schema();
        let error = with_scores(&schema, &samples::row(&schema), &[(10, Scalar::Str("x"))]).unwrap_err();
        assert_eq!(error.message, "the column `score` is f32: \"x\" is of another type");
    }
}
