//! Tensors as they enter and leave a model: a shape and plain, owned or borrowed elements.

use std::fmt;

use half::f16;

/// Says something of every element type: `($with!)` is given each one's variant, its Rust type, its name and what it is.
macro_rules! element_types {
    ($with:ident) => {
        $with! {
            F32(f32, "f32", "32-bit float"),
            F64(f64, "f64", "64-bit float"),
            F16(f16, "f16", "16-bit float: IEEE 754's binary16"),
            I64(i64, "i64", "Signed 64-bit integer"),
            I32(i32, "i32", "Signed 32-bit integer"),
            I16(i16, "i16", "Signed 16-bit integer"),
            I8(i8, "i8", "Signed 8-bit integer"),
            U64(u64, "u64", "Unsigned 64-bit integer"),
            U32(u32, "u32", "Unsigned 32-bit integer"),
            U16(u16, "u16", "Unsigned 16-bit integer"),
            U8(u8, "u8", "Unsigned 8-bit integer"),
            Bool(bool, "bool", "Boolean"),
            Str(String, "str", "UTF-8 string"),
        }
    };
}

macro_rules! define {
    ($($kind:ident($element:ty, $name:literal, $doc:literal),)*) => {
        /// The type of a tensor's elements.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum DType {
            $(#[doc = $doc] $kind,)*
        }

        impl DType {
            /// Every type.
            pub const ALL: &[DType] = &[$(DType::$kind),*];

            /// The name used in manifests and messages.
            pub fn name(self) -> &'static str {
                match self {
                    $(DType::$kind => $name,)*
                }
            }

            /// Bytes an element takes in memory; for strings the header alone.
            pub fn size(self) -> usize {
                match self {
                    $(DType::$kind => size_of::<$element>(),)*
                }
            }
        }

        /// Elements of one type, in row-major order.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Data {
            $(#[doc = $doc] $kind(Vec<$element>),)*
        }

        impl Data {
            /// No elements of this type.
            pub fn empty(dtype: DType) -> Data {
                match dtype {
                    $(DType::$kind => Data::$kind(Vec::new()),)*
                }
            }

            /// `len` elements of this type, all of them zero, false or empty.
            pub fn zeros(dtype: DType, len: usize) -> Data {
                match dtype {
                    $(DType::$kind => Data::$kind(vec![<$element>::default(); len]),)*
                }
            }

            /// The type of the elements.
            pub fn dtype(&self) -> DType {
                match self {
                    $(Data::$kind(_) => DType::$kind,)*
                }
            }
        }

        /// A tensor whose elements belong to someone else.
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[allow(missing_docs)]
        pub enum TensorView<'a> {
            $($kind { shape: &'a [usize], data: &'a [$element] },)*
        }

        impl Tensor {
            /// A view of the whole tensor.
            pub fn view(&self) -> TensorView<'_> {
                let shape = self.shape.as_slice();
                match &self.data {
                    $(Data::$kind(data) => TensorView::$kind { shape, data },)*
                }
            }
        }

        impl<'a> TensorView<'a> {
            /// The type of the elements.
            pub fn dtype(&self) -> DType {
                match self {
                    $(TensorView::$kind { .. } => DType::$kind,)*
                }
            }

            /// Sizes of the dimensions.
            pub fn shape(&self) -> &'a [usize] {
                match *self {
                    $(TensorView::$kind { shape, .. } => shape,)*
                }
            }
        }

        $(impl Element for $element {
            fn of<'a>(view: TensorView<'a>) -> Option<&'a [Self]> {
                match view {
                    TensorView::$kind { data, .. } => Some(data),
                    _ => None,
                }
            }

            fn data(elements: Vec<Self>) -> Data {
                Data::$kind(elements)
            }
        })*
    };
}

/// A Rust type that a tensor holds.
pub(super) trait Element: Clone + Default + PartialEq + Send + Sync + 'static {
    /// The elements of a view, if they are of this type.
    fn of<'a>(view: TensorView<'a>) -> Option<&'a [Self]>;

    /// Elements of this type.
    fn data(elements: Vec<Self>) -> Data;
}

element_types!(define);

/// Runs one expression for whichever type of element data hold.
macro_rules! each_data {
    ($data:expr, $of:ident => $body:expr) => {{
        use $crate::model::Data;
        // Of the types, strings alone are no `Copy`.
        #[allow(clippy::clone_on_copy, clippy::let_and_return)]
        let result = match $data {
            Data::F32($of) => $body,
            Data::F64($of) => $body,
            Data::F16($of) => $body,
            Data::I64($of) => $body,
            Data::I32($of) => $body,
            Data::I16($of) => $body,
            Data::I8($of) => $body,
            Data::U64($of) => $body,
            Data::U32($of) => $body,
            Data::U16($of) => $body,
            Data::U8($of) => $body,
            Data::Bool($of) => $body,
            Data::Str($of) => $body,
        };
        result
    }};
}

/// Runs one expression for whichever type of element a view has.
macro_rules! each_view {
    ($view:expr, $of:ident => $body:expr) => {{
        use $crate::model::TensorView;
        // Of the types, strings alone are no `Copy`.
        #[allow(clippy::clone_on_copy, clippy::let_and_return)]
        let result = match $view {
            TensorView::F32 { data: $of, .. } => $body,
            TensorView::F64 { data: $of, .. } => $body,
            TensorView::F16 { data: $of, .. } => $body,
            TensorView::I64 { data: $of, .. } => $body,
            TensorView::I32 { data: $of, .. } => $body,
            TensorView::I16 { data: $of, .. } => $body,
            TensorView::I8 { data: $of, .. } => $body,
            TensorView::U64 { data: $of, .. } => $body,
            TensorView::U32 { data: $of, .. } => $body,
            TensorView::U16 { data: $of, .. } => $body,
            TensorView::U8 { data: $of, .. } => $body,
            TensorView::Bool { data: $of, .. } => $body,
            TensorView::Str { data: $of, .. } => $body,
        };
        result
    }};
}

/// Runs one expression for whichever type of number a view has; another one, of the view, if it holds none that is computed with.
macro_rules! each_number {
    ($view:expr, $of:ident => $body:expr, $other:ident => $refuse:expr) => {{
        use $crate::model::TensorView;
        match $view {
            TensorView::F32 { data: $of, .. } => $body,
            TensorView::F64 { data: $of, .. } => $body,
            TensorView::I64 { data: $of, .. } => $body,
            TensorView::I32 { data: $of, .. } => $body,
            TensorView::I16 { data: $of, .. } => $body,
            TensorView::I8 { data: $of, .. } => $body,
            TensorView::U64 { data: $of, .. } => $body,
            TensorView::U32 { data: $of, .. } => $body,
            TensorView::U16 { data: $of, .. } => $body,
            TensorView::U8 { data: $of, .. } => $body,
            $other => $refuse,
        }
    }};
}

pub(super) use {each_data, each_number, each_view};

/// A tensor that owns its elements. The product of `shape` equals the number of elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Sizes of the dimensions; empty for a scalar.
    pub shape: Vec<usize>,
    /// The elements.
    pub data: Data,
}

impl DType {
    /// Whether it is a type of floats that operators compute with: 16-bit ones are kept and moved, and computed with as
    /// 32-bit ones.
    pub fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F64)
    }

    /// Whether it is a type of whole numbers.
    pub fn is_integer(self) -> bool {
        !matches!(self, DType::F32 | DType::F64 | DType::F16 | DType::Bool | DType::Str)
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Data {
    /// Number of elements.
    pub fn len(&self) -> usize {
        each_data!(self, data => data.len())
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements, of which none are left here.
    pub(super) fn take(&mut self) -> Data {
        let empty = Data::empty(self.dtype());
        std::mem::replace(self, empty)
    }

    /// `len` elements: these, from the first on as often as it takes; none if there are none.
    pub fn cycled(&self, len: usize) -> Data {
        each_data!(self, data => Element::data(data.iter().cycle().take(len).cloned().collect()))
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
}

impl<'a> TensorView<'a> {
    /// The elements, if they are of the same type as those.
    pub(super) fn like<T: Element>(self, _: &[T]) -> Option<&'a [T]> {
        T::of(self)
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        each_view!(self, data => data.len())
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy that owns its elements.
    pub fn to_tensor(&self) -> Tensor {
        let data = each_view!(self, data => Element::data(data.to_vec()));
        Tensor { shape: self.shape().to_vec(), data }
    }
}
