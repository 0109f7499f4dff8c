//! The second operand of old versions, whose dimensions are those of the first from a given one on: it is given the
//! trailing dimensions by which it fits as later versions stretch it.

use burn_backend::Backend;

use super::{
    super::{Tensor, plan::Kernel},
    Operator, Refusal, Spec,
    select::second_type,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    (name == super::ALIGN.1).then_some(Operator { types: second_type, kernel })
}

fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let at = spec.int("axis", 0)?;
    Ok(Kernel::host(move |args| {
        let rank = args.shape(0)?.len();
        let Tensor { mut shape, data } = args.take(1)?;
        let at = if at < 0 { at.saturating_add(rank as i64) } else { at };
        let missing = usize::try_from(at).ok().and_then(|at| rank.checked_sub(at)?.checked_sub(shape.len()));
        match missing {
            Some(missing) => shape.extend(std::iter::repeat_n(1, missing)),
            // One element fits anything.
            None if data.len() == 1 => shape.clear(),
            None => return Err(format!("shape {shape:?} does not fit {rank} dimensions from {at} on")),
        }
        Ok(Tensor { shape, data })
    }))
}
