//! Tensors as they enter and leave a model: a shape and plain, owned or borrowed elements.

use std::fmt;

/// The type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DType {
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// Signed 64-bit integer.
    I64,
    /// Signed 32-bit integer.
    I32,
    /// Signed 8-bit integer.
    I8,
    /// Unsigned 8-bit integer.
    U8,
    /// Boolean.
    Bool,
    /// UTF-8 string.
    Str,
}

impl DType {
    /// The name used in manifests and messages.
    pub fn name(self) -> &'static str {
        match self {
            DType::F32 => "f32",
            DType::F64 => "f64",
            DType::I64 => "i64",
            DType::I32 => "i32",
            DType::I8 => "i8",
            DType::U8 => "u8",
            DType::Bool => "bool",
            DType::Str => "str",
        }
    }

    /// Whether it is a floating-point type.
    pub fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F64)
    }

    /// Bytes an element takes in memory; for strings the header alone.
    pub fn size(self) -> usize {
        match self {
            DType::F64 | DType::I64 => 8,
            DType::F32 | DType::I32 => 4,
            DType::I8 | DType::U8 | DType::Bool => 1,
            DType::Str => size_of::<String>(),
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Elements of one type, in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit floats.
    F64(Vec<f64>),
    /// Signed 64-bit integers.
    I64(Vec<i64>),
    /// Signed 32-bit integers.
    I32(Vec<i32>),
    /// Signed 8-bit integers.
    I8(Vec<i8>),
    /// Unsigned 8-bit integers.
    U8(Vec<u8>),
    /// Booleans.
    Bool(Vec<bool>),
    /// Strings.
    Str(Vec<String>),
}

/// A tensor that owns its elements. The product of `shape` equals the number of elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Sizes of the dimensions; empty for a scalar.
    pub shape: Vec<usize>,
    /// The elements.
    pub data: Data,
}

/// A tensor whose elements belong to someone else.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum TensorView<'a> {
    F32 { shape: &'a [usize], data: &'a [f32] },
    F64 { shape: &'a [usize], data: &'a [f64] },
    I64 { shape: &'a [usize], data: &'a [i64] },
    I32 { shape: &'a [usize], data: &'a [i32] },
    I8 { shape: &'a [usize], data: &'a [i8] },
    U8 { shape: &'a [usize], data: &'a [u8] },
    Bool { shape: &'a [usize], data: &'a [bool] },
    Str { shape: &'a [usize], data: &'a [String] },
}

/// Runs one expression for whichever element type a view or data holds.
macro_rules! each {
    ($of:expr, $kind:ident, $data:ident => $body:expr) => {
        match $of {
            $kind::F32($data) => $body,
            $kind::F64($data) => $body,
            $kind::I64($data) => $body,
            $kind::I32($data) => $body,
            $kind::I8($data) => $body,
            $kind::U8($data) => $body,
            $kind::Bool($data) => $body,
            $kind::Str($data) => $body,
        }
    };
}

impl Data {
    /// The type of the elements.
    pub fn dtype(&self) -> DType {
        match self {
            Data::F32(_) => DType::F32,
            Data::F64(_) => DType::F64,
            Data::I64(_) => DType::I64,
            Data::I32(_) => DType::I32,
            Data::I8(_) => DType::I8,
            Data::U8(_) => DType::U8,
            Data::Bool(_) => DType::Bool,
            Data::Str(_) => DType::Str,
        }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        each!(self, Data, data => data.len())
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Tensor {
    /// A tensor of 32-bit floats.
    pub fn f32(shape: impl Into<Vec<usize>>, data: Vec<f32>) -> Tensor {
        Tensor::new(shape, Data::F32(data))
    }

    /// A tensor of signed 64-bit integers.
    pub fn i64(shape: impl Into<Vec<usize>>, data: Vec<i64>) -> Tensor {
        Tensor::new(shape, Data::I64(data))
    }

    /// A tensor of the given shape and elements.
    pub fn new(shape: impl Into<Vec<usize>>, data: Data) -> Tensor {
        let shape = shape.into();
        debug_assert_eq!(shape.iter().product::<usize>(), data.len());
        Tensor { shape, data }
    }

    /// The type of the elements.
    pub fn dtype(&self) -> DType {
        self.data.dtype()
    }

    /// A view of the whole tensor.
    pub fn view(&self) -> TensorView<'_> {
        let shape = self.shape.as_slice();
        match &self.data {
            Data::F32(data) => TensorView::F32 { shape, data },
            Data::F64(data) => TensorView::F64 { shape, data },
            Data::I64(data) => TensorView::I64 { shape, data },
            Data::I32(data) => TensorView::I32 { shape, data },
            Data::I8(data) => TensorView::I8 { shape, data },
            Data::U8(data) => TensorView::U8 { shape, data },
            Data::Bool(data) => TensorView::Bool { shape, data },
            Data::Str(data) => TensorView::Str { shape, data },
        }
    }
}

impl<'a> TensorView<'a> {
    /// The type of the elements.
    pub fn dtype(&self) -> DType {
        match self {
            TensorView::F32 { .. } => DType::F32,
            TensorView::F64 { .. } => DType::F64,
            TensorView::I64 { .. } => DType::I64,
            TensorView::I32 { .. } => DType::I32,
            TensorView::I8 { .. } => DType::I8,
            TensorView::U8 { .. } => DType::U8,
            TensorView::Bool { .. } => DType::Bool,
            TensorView::Str { .. } => DType::Str,
        }
    }

    /// Sizes of the dimensions.
    pub fn shape(&self) -> &'a [usize] {
        match *self {
            TensorView::F32 { shape, .. }
            | TensorView::F64 { shape, .. }
            | TensorView::I64 { shape, .. }
            | TensorView::I32 { shape, .. }
            | TensorView::I8 { shape, .. }
            | TensorView::U8 { shape, .. }
            | TensorView::Bool { shape, .. }
            | TensorView::Str { shape, .. } => shape,
        }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            TensorView::F32 { data, .. } => data.len(),
            TensorView::F64 { data, .. } => data.len(),
            TensorView::I64 { data, .. } => data.len(),
            TensorView::I32 { data, .. } => data.len(),
            TensorView::I8 { data, .. } => data.len(),
            TensorView::U8 { data, .. } => data.len(),
            TensorView::Bool { data, .. } => data.len(),
            TensorView::Str { data, .. } => data.len(),
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy that owns its elements.
    pub fn to_tensor(&self) -> Tensor {
        let data = match self {
            TensorView::F32 { data, .. } => Data::F32(data.to_vec()),
            TensorView::F64 { data, .. } => Data::F64(data.to_vec()),
            TensorView::I64 { data, .. } => Data::I64(data.to_vec()),
            TensorView::I32 { data, .. } => Data::I32(data.to_vec()),
            TensorView::I8 { data, .. } => Data::I8(data.to_vec()),
            TensorView::U8 { data, .. } => Data::U8(data.to_vec()),
            TensorView::Bool { data, .. } => Data::Bool(data.to_vec()),
            TensorView::Str { data, .. } => Data::Str(data.to_vec()),
        };
        Tensor { shape: self.shape().to_vec(), data }
    }
}
