//! The messages of an ONNX file that the engine reads, as prost sees them. Numbers are those of `onnx.proto`;
//! fields that are never read are left out, so their bytes are skipped.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(in crate::model) struct ModelProto {
    #[prost(int64, tag = "1")]
    pub(in crate::model) ir_version: i64,
    #[prost(message, repeated, tag = "8")]
    pub(in crate::model) opset_import: Vec<OperatorSetIdProto>,
    #[prost(message, optional, tag = "7")]
    pub(in crate::model) graph: Option<GraphProto>,
    #[prost(message, repeated, tag = "25")]
    pub(in crate::model) functions: Vec<FunctionProto>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::model) struct OperatorSetIdProto {
    #[prost(string, tag = "1")]
    pub(in crate::model) domain: String,
    #[prost(int64, tag = "2")]
    pub(in crate::model) version: i64,
}

/// An operator that the model defines by others.
#[derive(Clone, PartialEq, Message)]
pub(in crate::model) struct FunctionProto {
    #[prost(string, tag = "1")]
    pub(in crate::model) name: String,
    #[prost(string, repeated, tag = "4")]
    pub(in crate::model) input: Vec<String>,
    #[prost(string, repeated, tag = "5")]
    pub(in crate::model) output: Vec<String>,
    /// Attributes that have no value unless a call gives one.
    #[prost(string, repeated, tag = "6")]
    pub(in crate::model) attribute: Vec<String>,
    /// Attributes with the values that they have unless a call gives others.
    #[prost(message, repeated, tag = "11")]
    pub(in crate::model) attribute_proto: Vec<AttributeProto>,
    #[prost(message, repeated, tag = "7")]
    pub(in crate::model) node: Vec<NodeProto>,
    #[prost(message, repeated, tag = "9")]
    pub(in crate::model) opset_import: Vec<OperatorSetIdProto>,
    #[prost(string, tag = "10")]
    pub(in crate::model) domain: String,
    #[prost(string, tag = "13")]
    pub(in crate::model) overload: String,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::model) struct GraphProto {
    #[prost(message, repeated, tag = "1")]
    pub(in crate::model) node: Vec<NodeProto>,
    #[prost(string, tag = "2")]
    pub(in crate::model) name: String,
    #[prost(message, repeated, tag = "5")]
    pub(in crate::model) initializer: Vec<TensorProto>,
    #[prost(message, repeated, tag = "15")]
    pub(in crate::model) sparse_initializer: Vec<SparseTensorProto>,
    #[prost(message, repeated, tag = "11")]
    pub(in crate::model) input: Vec<ValueInfoProto>,
    #[prost(message, repeated, tag = "12")]
    pub(in crate::model) output: Vec<ValueInfoProto>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::model) struct SparseTensorProto {
    #[prost(message, optional, tag = "1")]
    pub(in crate::model) values: Option<TensorProto>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::model) struct NodeProto {
    #[prost(string, repeated, tag = "1")]
    pub(in crate::model) input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub(in crate::model) output: Vec<String>,
    #[prost(string, tag = "3")]
    pub(in crate::model) name: String,
    #[prost(string, tag = "4")]
    pub(in crate::model) op_type: String,
    #[prost(string, tag = "7")]
    pub(in crate::model) domain: String,
    #[prost(string, tag = "8")]
    pub(in crate::model) overload: String,
    #[prost(message, repeated, tag = "5")]
    pub(in crate::model) attribute: Vec<AttributeProto>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::model) struct AttributeProto {
    #[prost(string, tag = "1")]
    pub(in crate::model) name: String,
    #[prost(string, tag = "21")]
    pub(in crate::model) ref_attr_name: String,
    #[prost(int32, tag = "20")]
    pub(in crate::model) kind: i32,
    #[prost(float, tag = "2")]
    pub(in crate::model) f: f32,
    #[prost(int64, tag = "3")]
    pub(in crate::model) i: i64,
    #[prost(bytes = "vec", tag = "4")]
    pub(in crate::model) s: Vec<u8>,
    #[prost(message, optional, tag = "5")]
    pub(in crate::model) t: Option<TensorProto>,
    #[prost(message, optional, boxed, tag = "6")]
    pub(in crate::model) g: Option<Box<GraphProto>>,
    #[prost(float, repeated, tag = "7")]
    pub(in crate::model) floats: Vec<f32>,
    #[prost(int64, repeated, tag = "8")]
    pub(in crate::model) ints: Vec<i64>,
    #[prost(bytes = "vec", repeated, tag = "9")]
    pub(in crate::model) strings: Vec<Vec<u8>>,
}

/// Values of `AttributeProto.kind`.
pub(in crate::model) mod attribute {
    pub(in crate::model) const FLOAT: i32 = 1;
    pub(in crate::model) const INT: i32 = 2;
    pub(in crate::model) const STRING: i32 = 3;
    pub(in crate::model) const TENSOR: i32 = 4;
    pub(in crate::model) const GRAPH: i32 = 5;
    pub(in crate::model) const FLOATS: i32 = 6;
    pub(in crate::model) const INTS: i32 = 7;
    pub(in crate::model) const STRINGS: i32 = 8;
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::model) struct StringStringEntryProto {
    #[prost(string, tag = "1")]
    pub(in crate::model) key: String,
    #[prost(string, tag = "2")]
    pub(in crate::model) value: String,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::model) struct TensorProto {
    #[prost(int64, repeated, tag = "1")]
    pub(in crate::model) dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    pub(in crate::model) data_type: i32,
    #[prost(float, repeated, tag = "4")]
    pub(in crate::model) float_data: Vec<f32>,
    #[prost(int32, repeated, tag = "5")]
    pub(in crate::model) int32_data: Vec<i32>,
    #[prost(bytes = "vec", repeated, tag = "6")]
    pub(in crate::model) string_data: Vec<Vec<u8>>,
    #[prost(int64, repeated, tag = "7")]
    pub(in crate::model) int64_data: Vec<i64>,
    #[prost(string, tag = "8")]
    pub(in crate::model) name: String,
    #[prost(bytes = "vec", tag = "9")]
    pub(in crate::model) raw_data: Vec<u8>,
    #[prost(double, repeated, tag = "10")]
    pub(in crate::model) double_data: Vec<f64>,
    #[prost(uint64, repeated, tag = "11")]
    pub(in crate::model) uint64_data: Vec<u64>,
    #[prost(message, repeated, tag = "13")]
    pub(in crate::model) external_data: Vec<StringStringEntryProto>,
    #[prost(int32, tag = "14")]
    pub(in crate::model) data_location: i32,
}

/// `TensorProto.DataType`.
pub(in crate::model) mod element {
    pub(in crate::model) const FLOAT: i32 = 1;
    pub(in crate::model) const UINT8: i32 = 2;
    pub(in crate::model) const INT8: i32 = 3;
    pub(in crate::model) const UINT16: i32 = 4;
    pub(in crate::model) const INT16: i32 = 5;
    pub(in crate::model) const INT32: i32 = 6;
    pub(in crate::model) const INT64: i32 = 7;
    pub(in crate::model) const STRING: i32 = 8;
    pub(in crate::model) const BOOL: i32 = 9;
    pub(in crate::model) const FLOAT16: i32 = 10;
    pub(in crate::model) const DOUBLE: i32 = 11;
    pub(in crate::model) const UINT32: i32 = 12;
    pub(in crate::model) const UINT64: i32 = 13;
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::model) struct ValueInfoProto {
    #[prost(string, tag = "1")]
    pub(in crate::model) name: String,
    #[prost(message, optional, tag = "2")]
    pub(in crate::model) r#type: Option<TypeProto>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::model) struct TypeProto {
    #[prost(oneof = "TypeKind", tags = "1, 4, 5, 8, 9")]
    pub(in crate::model) kind: Option<TypeKind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(in crate::model) enum TypeKind {
    #[prost(message, tag = "1")]
    Tensor(TensorTypeProto),
    #[prost(message, tag = "4")]
    Sequence(Box<SequenceTypeProto>),
    #[prost(message, tag = "5")]
    Map(Box<MapTypeProto>),
    #[prost(message, tag = "8")]
    SparseTensor(OpaqueTypeProto),
    #[prost(message, tag = "9")]
    Optional(OpaqueTypeProto),
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::model) struct OpaqueTypeProto {}

#[derive(Clone, PartialEq, Message)]
pub(in crate::model) struct TensorTypeProto {
    #[prost(int32, tag = "1")]
    pub(in crate::model) elem_type: i32,
    #[prost(message, optional, tag = "2")]
    pub(in crate::model) shape: Option<TensorShapeProto>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::model) struct SequenceTypeProto {
    #[prost(message, optional, boxed, tag = "1")]
    pub(in crate::model) elem_type: Option<Box<TypeProto>>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::model) struct MapTypeProto {
    #[prost(int32, tag = "1")]
    pub(in crate::model) key_type: i32,
    #[prost(message, optional, boxed, tag = "2")]
    pub(in crate::model) value_type: Option<Box<TypeProto>>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::model) struct TensorShapeProto {
    #[prost(message, repeated, tag = "1")]
    pub(in crate::model) dim: Vec<DimensionProto>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::model) struct DimensionProto {
    #[prost(oneof = "DimensionKind", tags = "1, 2")]
    pub(in crate::model) kind: Option<DimensionKind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(in crate::model) enum DimensionKind {
    #[prost(int64, tag = "1")]
    Value(i64),
    #[prost(string, tag = "2")]
    Param(String),
}

/// A sequence, as golden outputs of a ZipMap are stored.
#[derive(Clone, PartialEq, Message)]
pub(in crate::model) struct SequenceProto {
    #[prost(string, tag = "1")]
    pub(in crate::model) name: String,
    #[prost(int32, tag = "2")]
    pub(in crate::model) elem_type: i32,
    #[prost(message, repeated, tag = "3")]
    pub(in crate::model) tensor_values: Vec<TensorProto>,
    #[prost(message, repeated, tag = "6")]
    pub(in crate::model) map_values: Vec<MapProto>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::model) struct MapProto {
    #[prost(string, tag = "1")]
    pub(in crate::model) name: String,
    #[prost(int32, tag = "2")]
    pub(in crate::model) key_type: i32,
    #[prost(int64, repeated, tag = "3")]
    pub(in crate::model) keys: Vec<i64>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub(in crate::model) string_keys: Vec<Vec<u8>>,
    #[prost(message, optional, tag = "5")]
    pub(in crate::model) values: Option<SequenceProto>,
}
