//! Which values of a row go where.

use serde_json::{Map, Value};

use super::{super::local::Local, Batch, signature};
use crate::{
    catalog::NullPolicy,
    model::{DType, Data, Dim, Port, Tensor},
    types::{Error, Result, nearest},
};

/// Which values of a row go where.
#[derive(Debug)]
pub(super) struct Plan {
    inputs: Vec<Input>,
}

/// One input of the model.
#[derive(Debug)]
struct Input {
    name: String,
    dtype: DType,
    /// Whether the tensor is `[rows]` rather than `[rows, features]`.
    is_flat: bool,
    features: Vec<Feature>,
    null: NullPolicy,
}

/// One element of an input: its name, and the cell of a CSV line that it is.
#[derive(Debug)]
struct Feature {
    name: String,
    cell: usize,
}

impl Plan {
    /// `header`: the names of a CSV's cells, in their order.
    pub(super) fn new(local: &Local, header: Option<&[&str]>) -> Result<Self> {
        let ports = local.model.inputs();
        let inputs = match (signature(local), ports, header) {
            (Ok(signature), ..) => {
                let named = ports.iter().zip(signature.inputs);
                named.map(|(port, input)| Input::new(port, &input.features, input.null, header)).collect()
            }
            // One matrix whose columns nobody has named: a header with as many is taken in its order.
            (Err(_), [port], Some(header)) if port.shape.last() == Some(&Dim::Fixed(header.len())) => {
                let names: Vec<String> = header.iter().map(ToString::to_string).collect();
                Input::new(port, &names, NullPolicy::Reject, Some(header)).map(|input| vec![input])
            }
            (Err(error), ..) => Err(error),
        };
        Ok(Plan { inputs: inputs? })
    }

    /// An empty batch.
    pub(super) fn begin(&self) -> Gathering<'_> {
        let data = self.inputs.iter().map(|input| Data::empty(input.dtype)).collect();
        Gathering { plan: self, rows: 0, data }
    }
}

impl Input {
    fn new(port: &Port, features: &[String], null: NullPolicy, header: Option<&[&str]>) -> Result<Self> {
        let feature = |name: &String| {
            let cell = match header {
                Some(header) => cell(name, header)?,
                None => 0,
            };
            Ok(Feature { name: name.clone(), cell })
        };
        Ok(Input {
            name: port.name.clone(),
            dtype: port.dtype,
            is_flat: port.shape.len() == 1,
            features: features.iter().map(feature).collect::<Result<_>>()?,
            null,
        })
    }

    /// What stands for a null.
    fn null(&self, feature: &Feature) -> Result<f64> {
        match self.null {
            NullPolicy::Nan => Ok(f64::NAN),
            NullPolicy::Reject => Err(Error::invalid(format!("`{}` is missing", feature.name)).hint(
                format!("the input `{}` takes no nulls (`null = \"nan\"` in the manifest would)", self.name),
            )),
        }
    }
}

fn cell(name: &str, header: &[&str]) -> Result<usize> {
    header.iter().position(|other| *other == name).ok_or_else(|| {
        let error = Error::invalid(format!("there is no column `{name}`"));
        match nearest(name, header.iter().copied()) {
            Some(near) => error.hint(format!("the nearest is `{near}`")),
            None => error,
        }
    })
}

/// Rows on their way into tensors.
#[derive(Debug)]
pub(super) struct Gathering<'p> {
    plan: &'p Plan,
    rows: usize,
    data: Vec<Data>,
}

impl Gathering<'_> {
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a row of cells.
    pub(super) fn add_text<'a>(&mut self, cell: &dyn Fn(usize) -> Option<&'a str>) -> Result<()> {
        self.add(&|feature| match cell(feature.cell).map(str::trim) {
            None | Some("") => Ok(Given::Null),
            Some(text) => parse(text).ok_or_else(|| refused(feature, &format!("{text:?}"))),
        })
    }

    /// Adds an object.
    pub(super) fn add_json(&mut self, object: &Map<String, Value>) -> Result<()> {
        self.add(&|feature| match object.get(&feature.name) {
            None | Some(Value::Null) => Ok(Given::Null),
            Some(Value::Bool(flag)) => Ok(Given::Whole(i64::from(*flag))),
            Some(Value::String(text)) if text == "NaN" || text.ends_with("Infinity") => {
                parse(text).ok_or_else(|| refused(feature, text))
            }
            Some(value) => match (value.as_i64(), value.as_f64()) {
                (Some(number), _) => Ok(Given::Whole(number)),
                (None, Some(number)) => Ok(Given::Real(number)),
                (None, None) => Err(refused(feature, &value.to_string())),
            },
        })
    }

    fn add(&mut self, value: &dyn Fn(&Feature) -> Result<Given>) -> Result<()> {
        for (input, data) in self.plan.inputs.iter().zip(&mut self.data) {
            for feature in &input.features {
                let given = match value(feature)? {
                    Given::Null => Given::Real(input.null(feature)?),
                    given => given,
                };
                push(data, given).ok_or_else(|| refused(feature, &format!("{given:?}")))?;
            }
        }
        self.rows += 1;
        Ok(())
    }

    pub(super) fn finish(self) -> Batch {
        let rows = self.rows;
        let tensor = |(input, data): (&Input, Data)| {
            let shape = if input.is_flat { vec![rows] } else { vec![rows, input.features.len()] };
            Tensor { shape, data }
        };
        Batch { rows, inputs: self.plan.inputs.iter().zip(self.data).map(tensor).collect() }
    }
}

/// A value of a file.
#[derive(Clone, Copy, Debug)]
enum Given {
    Null,
    Whole(i64),
    Real(f64),
}

fn parse(text: &str) -> Option<Given> {
    match text {
        "true" => Some(Given::Whole(1)),
        "false" => Some(Given::Whole(0)),
        _ => text.parse().map(Given::Whole).or_else(|_| text.parse().map(Given::Real)).ok(),
    }
}

fn refused(feature: &Feature, given: &str) -> Error {
    Error::invalid(format!("column `{}`: {given} is no value for it", feature.name))
}

/// Adds a number to data that hold numbers; `None` if it does not fit.
fn push(data: &mut Data, given: Given) -> Option<()> {
    let whole = match given {
        Given::Whole(number) => Some(number),
        Given::Real(number) if number.fract() == 0.0 && number.abs() < 9e15 => Some(number as i64),
        Given::Real(_) | Given::Null => None,
    };
    let real = match given {
        Given::Whole(number) => number as f64,
        Given::Real(number) => number,
        Given::Null => f64::NAN,
    };
    match data {
        Data::F32(data) => data.push(real as f32),
        Data::F64(data) => data.push(real),
        Data::I64(data) => data.push(whole?),
        Data::F16(data) => data.push(half::f16::from_f64(real)),
        Data::I32(data) => data.push(whole?.try_into().ok()?),
        Data::I16(data) => data.push(whole?.try_into().ok()?),
        Data::U64(data) => data.push(whole?.try_into().ok()?),
        Data::U32(data) => data.push(whole?.try_into().ok()?),
        Data::U16(data) => data.push(whole?.try_into().ok()?),
        Data::I8(data) => data.push(whole?.try_into().ok()?),
        Data::U8(data) => data.push(whole?.try_into().ok()?),
        Data::Bool(data) => data.push(real != 0.0),
        Data::Str(_) => return None,
    }
    Some(())
}
