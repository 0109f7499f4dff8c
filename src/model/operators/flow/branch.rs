//! If: one of two graphs, by a condition.

use burn_backend::Backend;
use smallvec::SmallVec;

use super::{
    super::{
        super::{DType, TensorView, plan::Kernel},
        Refusal, Spec,
    },
    Inner, given,
};

pub(super) fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    if spec.dtype(0)? != DType::Bool {
        return Err(Refusal::invalid("its condition is not bool"));
    }
    let yes = given(spec.body("then_branch")?, 0)?;
    let no = given(spec.body("else_branch")?, 0)?;
    if yes != no {
        let list = |dtypes: &[DType]| dtypes.iter().map(|dtype| dtype.name()).collect::<Vec<_>>().join(", ");
        let reason = format!("its branches give different types: {} or {}", list(&yes), list(&no));
        return Err(Refusal::invalid(reason));
    }
    Ok(yes)
}

pub(super) fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (yes, no) = (Inner::<B>::new(spec, "then_branch")?, Inner::<B>::new(spec, "else_branch")?);
    Ok(Kernel::host_many(move |args| {
        let TensorView::Bool { data: &[condition], .. } = args.view(0)? else {
            return Err("its condition is not one bool".to_owned());
        };
        let taken = if condition { &yes } else { &no };
        taken.run(args, []).map(SmallVec::from_vec)
    }))
}
