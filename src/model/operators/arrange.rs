//! Operators that change a tensor's shape and leave its elements as they are.

use burn_backend::Backend;
use smallvec::smallvec;

use super::{
    super::{
        DType, Data, Tensor,
        plan::{Args, Kernel, Reason},
    },
    Operator, Refusal, Spec, axis,
    broadcast::bounded,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "Identity" => Operator { types: same_types, kernel: identity },
        "Dropout" => Operator { types: dropout_types, kernel: dropout },
        "Reshape" => Operator { types: same_types, kernel: reshape },
        "Flatten" => Operator { types: same_types, kernel: flatten },
        "Squeeze" => Operator { types: same_types, kernel: squeeze },
        "Unsqueeze" => Operator { types: same_types, kernel: unsqueeze },
        "Shape" => Operator { types: index_types, kernel: shape },
        "Size" => Operator { types: index_types, kernel: size },
        _ => return None,
    })
}

fn same_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    Ok(vec![spec.dtype(0)?])
}

/// Outside of training nothing is dropped.
fn dropout_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let training = match spec.version() {
        ..7 => !spec.flag("is_test", false)?,
        _ => spec.has(2) && spec.constant(2).is_none_or(|mode| mode.data != Data::Bool(vec![false])),
    };
    if training {
        return Err(Refusal::unsupported("training mode"));
    }
    if spec.version() < 12 && spec.gives(1) {
        return Err(Refusal::unsupported("the mask of versions before 12"));
    }
    Ok(vec![spec.dtype(0)?, DType::Bool])
}

fn index_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    spec.dtype(0)?;
    Ok(vec![DType::I64])
}

fn identity<B: Backend>(_: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    Ok(Kernel::host(|args| args.take(0)))
}

fn dropout<B: Backend>(_: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    Ok(Kernel::host_many(|args| {
        let tensor = args.take(0)?;
        let mask = Tensor::new(tensor.shape.clone(), Data::Bool(vec![true; tensor.data.len()]));
        Ok(smallvec![tensor, mask])
    }))
}

fn with_shape<B: Backend>(args: &mut Args<'_, '_, B>, shape: Vec<usize>) -> Result<Tensor, Reason> {
    let tensor = args.take(0)?;
    if shape.iter().product::<usize>() != tensor.data.len() {
        return Err(format!("shape {:?} does not become {shape:?}", tensor.shape));
    }
    Ok(Tensor { shape, data: tensor.data })
}

fn reshape<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let zero_stays = spec.flag("allowzero", false)?;
    let limits = *spec.limits();
    let listed = spec.ints("shape")?.map(<[i64]>::to_vec);
    Ok(Kernel::host(move |args| {
        let old = args.shape(0)?;
        let new = resolve(&old, listed.as_deref().map_or_else(|| args.i64(1), Ok)?, zero_stays)?;
        bounded(&new, &limits)?;
        with_shape(args, new)
    }))
}

/// The shape that a reshape asks for: -1 takes what is left, 0 copies unless it `stays`.
fn resolve(old: &[usize], asked: &[i64], zero_stays: bool) -> Result<Vec<usize>, Reason> {
    let mut shape = Vec::with_capacity(asked.len());
    let mut open = None;
    for (at, &size) in asked.iter().enumerate() {
        shape.push(match size {
            -1 if open.is_none() => {
                open = Some(at);
                1
            }
            0 if !zero_stays => {
                *old.get(at).ok_or_else(|| format!("shape {old:?} has no dimension {at} to copy"))?
            }
            size => usize::try_from(size).map_err(|_| format!("size {size} is negative"))?,
        });
    }
    if let Some(open) = open {
        let rest: usize =
            shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size)).unwrap_or(0);
        let count: usize = old.iter().product();
        if rest == 0 || !count.is_multiple_of(rest) {
            return Err(format!("shape {old:?} does not become {asked:?}"));
        }
        shape[open] = count / rest;
    }
    Ok(shape)
}

fn flatten<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let at = spec.int("axis", 1)?;
    Ok(Kernel::host(move |args| {
        let old = args.shape(0)?;
        let rank = old.len() as i64;
        let at = if at < 0 { at + rank } else { at };
        let at = usize::try_from(at).ok().filter(|&at| at <= old.len());
        let (rows, columns) = old.split_at(at.ok_or_else(|| format!("shape {old:?} has no such axis"))?);
        let shape = vec![rows.iter().product(), columns.iter().product()];
        with_shape(args, shape)
    }))
}

/// Axes given as an attribute or, in later versions, as an input.
fn axes<B: Backend>(args: &Args<'_, '_, B>, listed: Option<&[i64]>) -> Result<Option<Vec<i64>>, Reason> {
    match listed {
        Some(axes) => Ok(Some(axes.to_vec())),
        None if args.has(1) => Ok(Some(args.i64(1)?.to_vec())),
        None => Ok(None),
    }
}

fn squeeze<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let listed = spec.ints("axes")?.map(<[i64]>::to_vec);
    Ok(Kernel::host(move |args| {
        let mut shape = args.shape(0)?.to_vec();
        match axes(args, listed.as_deref())? {
            None => shape.retain(|&size| size != 1),
            Some(axes) => {
                let mut gone = axes.iter().map(|&at| axis(at, shape.len())).collect::<Result<Vec<_>, _>>()?;
                gone.sort_unstable_by(|a, b| b.cmp(a));
                gone.dedup();
                for at in gone {
                    if shape[at] != 1 {
                        return Err(format!("dimension {at} of shape {shape:?} is not 1"));
                    }
                    shape.remove(at);
                }
            }
        }
        with_shape(args, shape)
    }))
}

fn unsqueeze<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let listed = spec.ints("axes")?.map(<[i64]>::to_vec);
    let most = spec.limits().rank;
    Ok(Kernel::host(move |args| {
        let mut shape = args.shape(0)?.to_vec();
        let axes = axes(args, listed.as_deref())?.ok_or("its axes are missing")?;
        let rank = shape.len() + axes.len();
        if rank > most {
            return Err(format!("a tensor of {rank} dimensions is over the limit of {most}"));
        }
        let mut new = axes.iter().map(|&at| axis(at, rank)).collect::<Result<Vec<_>, _>>()?;
        new.sort_unstable();
        for at in new {
            if at > shape.len() {
                return Err(format!("axes {axes:?} do not fit"));
            }
            shape.insert(at, 1);
        }
        with_shape(args, shape)
    }))
}

fn shape<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (start, end) = (spec.int("start", 0)?, spec.int("end", i64::MAX)?);
    Ok(Kernel::anywhere(move |args| {
        let shape = args.shape(0)?;
        let rank = shape.len() as i64;
        let clamp = |at: i64| (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank) as usize;
        let sizes = shape.get(clamp(start)..clamp(end)).unwrap_or(&[]);
        Ok(Tensor::i64([sizes.len()], sizes.iter().map(|&size| size as i64).collect()).into())
    }))
}

fn size<B: Backend>(_: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    Ok(Kernel::anywhere(|args| {
        let count: usize = args.shape(0)?.iter().product();
        Ok(Tensor::i64([], vec![count as i64]).into())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reshape_copies_zero_and_fills_minus_one() {
        assert_eq!(resolve(&[2, 3, 4], &[0, -1], false).unwrap(), [2, 12]);
        assert_eq!(resolve(&[0, 4], &[0, 4], true).unwrap(), [0, 4]);
        assert_eq!(resolve(&[2, 3], &[4, -1], false).unwrap_err(), "shape [2, 3] does not become [4, -1]");
        assert!(resolve(&[2], &[0, 0], false).is_err());
        assert!(resolve(&[2], &[-2], false).is_err());
    }
}
