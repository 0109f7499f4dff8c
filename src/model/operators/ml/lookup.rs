//! LabelEncoder and CategoryMapper: replace each element by what a table says.

use std::{collections::HashMap, hash::Hash};

use burn_backend::Backend;

use super::{
    super::super::{
        DType, Data, Tensor, TensorView,
        plan::Kernel,
        tensor::{Element, each_data},
    },
    Operator, Refusal, Spec,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    matches!(name, "LabelEncoder" | "CategoryMapper").then_some(Operator { types, kernel })
}

/// Keys and values, in whichever attributes a version has them.
struct Table {
    keys: Data,
    values: Data,
    /// One element.
    default: Tensor,
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
    Ok(Table { keys, default: default(spec, values.dtype())?, values })
}

/// What stands for elements that are no keys.
fn default(spec: &Spec<'_>, dtype: DType) -> Result<Tensor, Refusal> {
    if let Some(tensor) = spec.tensor("default_tensor")? {
        let fits = tensor.data.len() == 1 && tensor.dtype() == dtype;
        let given = || Refusal::invalid(format!("its default is not one {dtype}"));
        return if fits { Ok((**tensor).clone()) } else { Err(given()) };
    }
    let data = match dtype {
        DType::F32 => Data::F32(vec![spec.float("default_float", -0.0)?]),
        DType::F64 => Data::F64(vec![-0.0]),
        DType::I64 => Data::I64(vec![spec.int("default_int64", -1)?]),
        DType::I32 => Data::I32(vec![-1]),
        DType::I16 => Data::I16(vec![-1]),
        DType::Str => Data::Str(vec![spec.text("default_string", "_Unused")?.to_owned()]),
        other => return Err(Refusal::unsupported(format!("values of {other}"))),
    };
    Ok(Tensor::new([1], data))
}

fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        DType::Str | DType::I64 | DType::I32 | DType::I16 | DType::F32 | DType::F64 => {
            Ok(vec![table(spec)?.values.dtype()])
        }
        dtype => Err(Refusal::unsupported(format!("keys of {dtype}"))),
    }
}

/// For each element of a view the place of its key; nothing if the keys are of another type.
type Find = Box<dyn Fn(TensorView<'_>) -> Option<Vec<Option<usize>>> + Send + Sync>;

fn finder(keys: Data) -> Result<Find, Refusal> {
    Ok(match keys {
        Data::Str(keys) => exact(keys),
        Data::I64(keys) => exact(keys),
        Data::I32(keys) => exact(keys),
        Data::I16(keys) => exact(keys),
        Data::F32(keys) => by_value(keys),
        Data::F64(keys) => by_value(keys),
        other => return Err(Refusal::unsupported(format!("keys of {}", other.dtype()))),
    })
}

/// For each key its place; the last of several that are equal.
pub(super) fn places<K: Eq + Hash>(keys: impl IntoIterator<Item = K>) -> HashMap<K, usize> {
    keys.into_iter().enumerate().map(|(place, key)| (key, place)).collect()
}

fn exact<T: Element + Eq + Hash>(keys: Vec<T>) -> Find {
    let places = places(keys);
    Box::new(move |view| Some(T::of(view)?.iter().map(|value| places.get(value).copied()).collect()))
}

/// Floats are equal by value, NaN to NaN.
fn by_value<T: Element + Copy + Into<f64>>(keys: Vec<T>) -> Find {
    let key = |value: T| {
        let value = value.into();
        if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() }
    };
    let places = places(keys.into_iter().map(key));
    Box::new(move |view| Some(T::of(view)?.iter().map(|value| places.get(&key(*value)).copied()).collect()))
}

/// The values at the places that were found, the default for all others.
fn chosen<T: Element>(values: &[T], found: &[Option<usize>], default: TensorView<'_>) -> Option<Data> {
    let [default] = T::of(default)? else { return None };
    let value = |place: &Option<usize>| place.map_or(default, |place| &values[place]).clone();
    Some(T::data(found.iter().map(value).collect()))
}

fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let Table { keys, values, default } = table(spec)?;
    let find = finder(keys)?;
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let found = find(view).ok_or_else(|| format!("its keys are not {}", view.dtype()))?;
        let data = each_data!(&values, values => chosen(values, &found, default.view()));
        let data = data.ok_or("its default is not one of its values' type")?;
        Ok(Tensor { shape: view.shape().to_vec(), data })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_found_by_value() {
        let find = by_value(vec![0.5, f32::NAN, 0.0, 0.5]);
        let view = [-0.0, f32::NAN, 0.5, 2.0];
        let found = find(TensorView::F32 { shape: &[4], data: &view });
        assert_eq!(found, Some(vec![Some(2), Some(1), Some(3), None]));
        assert_eq!(find(TensorView::F64 { shape: &[0], data: &[] }), None);
    }
}
