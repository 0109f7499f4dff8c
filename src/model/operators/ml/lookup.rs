//! LabelEncoder and CategoryMapper: replace each element by what a table says.

use std::{collections::HashMap, hash::Hash};

use burn_backend::Backend;

use super::{
    super::super::{DType, Data, Tensor, TensorView, plan::Kernel},
    Operator, Refusal, Spec,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    matches!(name, "LabelEncoder" | "CategoryMapper").then_some(Operator { types, kernel })
}

/// Keys and values, in whichever attributes a version has them.
struct Table {
    keys: Data,
    values: Data,
    default: Data,
}

fn listed(spec: &Spec<'_>, what: &str) -> Result<Option<Data>, Refusal> {
    let name = |kind: &str| format!("{what}_{kind}");
    if let Some(tensor) = spec.tensor(&name("tensor"))? {
        return Ok(Some(tensor.data.clone()));
    }
    if let Some(values) = spec.ints(&name("int64s"))? {
        return Ok(Some(Data::I64(values.to_vec())));
    }
    if let Some(values) = spec.floats(&name("floats"))? {
        return Ok(Some(Data::F32(values.to_vec())));
    }
    Ok(spec.texts(&name("strings"))?.map(|values| Data::Str(values.to_vec())))
}

/// Keys and values of an operator that goes from strings to integers and back.
fn both_ways(spec: &Spec<'_>) -> Result<(Data, Data), Refusal> {
    // The first version of LabelEncoder knows places alone, CategoryMapper any numbers.
    let (texts, numbers) = match (spec.texts("classes_strings")?, spec.texts("cats_strings")?) {
        (Some(classes), _) => (classes, (0..classes.len() as i64).collect()),
        (None, Some(categories)) => (categories, spec.ints("cats_int64s")?.unwrap_or_default().to_vec()),
        (None, None) => return Err(Refusal::invalid("it has no table")),
    };
    let (texts, numbers) = (Data::Str(texts.to_vec()), Data::I64(numbers));
    Ok(if spec.dtype(0)? == DType::Str { (texts, numbers) } else { (numbers, texts) })
}

fn table(spec: &Spec<'_>) -> Result<Table, Refusal> {
    let (keys, values) = match (listed(spec, "keys")?, listed(spec, "values")?) {
        (Some(keys), Some(values)) => (keys, values),
        _ => both_ways(spec)?,
    };
    if keys.len() != values.len() {
        return Err(Refusal::invalid(format!("it has {} keys and {} values", keys.len(), values.len())));
    }
    if keys.dtype() != spec.dtype(0)? {
        return Err(Refusal::invalid(format!("its keys are {}, its input {}", keys.dtype(), spec.dtype(0)?)));
    }
    let default = match (&values, spec.tensor("default_tensor")?) {
        (_, Some(tensor)) if tensor.data.len() == 1 && tensor.dtype() == values.dtype() => {
            tensor.data.clone()
        }
        (Data::F32(_), _) => Data::F32(vec![spec.float("default_float", -0.0)?]),
        (Data::F64(_), _) => Data::F64(vec![f64::from(spec.float("default_float", -0.0)?)]),
        (Data::I64(_), _) => Data::I64(vec![spec.int("default_int64", -1)?]),
        (Data::Str(_), _) => Data::Str(vec![spec.text("default_string", "_Unused")?.to_owned()]),
        (other, _) => return Err(Refusal::unsupported(format!("values of {}", other.dtype()))),
    };
    Ok(Table { keys, values, default })
}

fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        DType::F32 | DType::F64 | DType::I64 | DType::I32 | DType::Str => {
            Ok(vec![table(spec)?.values.dtype()])
        }
        dtype => Err(Refusal::unsupported(format!("keys of {dtype}"))),
    }
}

/// Floats are equal by value, NaN to NaN.
fn key(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() }
}

/// For each key its place; the last of several that are equal.
pub(super) fn places<K: Eq + Hash>(keys: impl Iterator<Item = K>) -> HashMap<K, usize> {
    keys.enumerate().map(|(place, key)| (key, place)).collect()
}

fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let Table { keys, values, default } = table(spec)?;
    type Find = Box<dyn Fn(TensorView<'_>) -> Vec<Option<usize>> + Send + Sync>;
    let find: Find = match keys {
        Data::Str(keys) => {
            let places = places(keys.into_iter());
            Box::new(move |view| match view {
                TensorView::Str { data, .. } => data.iter().map(|value| places.get(value).copied()).collect(),
                _ => Vec::new(),
            })
        }
        Data::I64(keys) => {
            let places = places(keys.into_iter());
            Box::new(move |view| match view {
                TensorView::I64 { data, .. } => data.iter().map(|value| places.get(value).copied()).collect(),
                _ => Vec::new(),
            })
        }
        Data::I32(keys) => {
            let places = places(keys.into_iter());
            Box::new(move |view| match view {
                TensorView::I32 { data, .. } => data.iter().map(|value| places.get(value).copied()).collect(),
                _ => Vec::new(),
            })
        }
        Data::F32(keys) => {
            let places = places(keys.into_iter().map(|value| key(value.into())));
            Box::new(move |view| match view {
                TensorView::F32 { data, .. } => {
                    data.iter().map(|&value| places.get(&key(value.into())).copied()).collect()
                }
                _ => Vec::new(),
            })
        }
        Data::F64(keys) => {
            let places = places(keys.into_iter().map(key));
            Box::new(move |view| match view {
                TensorView::F64 { data, .. } => {
                    data.iter().map(|&value| places.get(&key(value)).copied()).collect()
                }
                _ => Vec::new(),
            })
        }
        other => return Err(Refusal::unsupported(format!("keys of {}", other.dtype()))),
    };
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let found = find(view);
        macro_rules! value {
            ($kind:ident, $values:expr, $default:expr) => {
                Data::$kind(
                    found
                        .iter()
                        .map(|place| place.map_or(&$default[0], |place| &$values[place]).clone())
                        .collect(),
                )
            };
        }
        let data = match (&values, &default) {
            (Data::F32(values), Data::F32(default)) => value!(F32, values, default),
            (Data::F64(values), Data::F64(default)) => value!(F64, values, default),
            (Data::I64(values), Data::I64(default)) => value!(I64, values, default),
            (Data::I32(values), Data::I32(default)) => value!(I32, values, default),
            (Data::Str(values), Data::Str(default)) => value!(Str, values, default),
            _ => return Err("its default is not of its values' type".to_owned()),
        };
        if data.len() != view.len() {
            return Err(format!("its keys are not {}", view.dtype()));
        }
        Ok(Tensor { shape: view.shape().to_vec(), data })
    }))
}
