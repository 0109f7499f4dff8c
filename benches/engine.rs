//! Where loops of our own beat the burn backend, and up to which size: nanoseconds a call, one thread.
//!
//! `cargo bench --bench engine --no-default-features --features engine [-- --json]`
//!
//! The first part runs models of one operator, once with all of it in loops and once with all of it on burn-flex
//! (`Options::loop_elements`): where the ratio falls below 1 is where that option's default belongs. The second part
//! holds, beside burn, the operators that the engine has in loops only.

#[path = "harness/arguments.rs"]
mod arguments;
#[path = "harness/report.rs"]
#[allow(dead_code, reason = "each bench uses its part")]
mod report;
#[path = "harness/rounds.rs"]
mod rounds;

use std::hint::black_box;
use std::time::{Duration, Instant};

use arguments::Arguments;
use burn_backend::ops::{FloatTensorOps, IntTensorOps};
use burn_backend::{BoolDType, BoolStore, IntDType, TensorData};
use burn_flex::{Flex, FlexDevice, FlexTensor};
use embergrid::model::{Format, Model, Options, TensorView};
use report::{Cell, Report};
use rounds::{Side, medians};

/// Columns of the tensors.
const COLUMNS: usize = 32;
/// How long one side runs in one round.
const ROUND: Duration = Duration::from_millis(20);

fn main() {
    let arguments = Arguments::read();
    let mut report = Report::new("engine");
    for rows in [1, 8, 32, 128, 1024] {
        for (name, file) in one_operator() {
            let name = format!("{name}, {rows} x {COLUMNS}: loop beside burn");
            both(&mut report, &arguments, name, &file, rows);
        }
        loops_only(&mut report, &arguments, rows);
    }
    report.print(arguments.json);
}

/// Numbers that no branch predictor learns.
fn numbers(count: usize) -> Vec<f32> {
    (0..count as u32)
        .map(|index| (index.wrapping_mul(2_654_435_761) >> 8) as f32 / 8_388_608.0 - 1.0)
        .collect()
}

#[allow(clippy::disallowed_methods, reason = "a bench reads the clock")]
fn nanoseconds(divisor: u64, mut call: impl FnMut()) -> Vec<f64> {
    let round = ROUND / u32::try_from(divisor).expect("small");
    let (start, mut calls) = (Instant::now(), 0);
    while start.elapsed() < round {
        for _ in 0..16 {
            call();
            calls += 1;
        }
    }
    vec![start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)]
}

fn compare(report: &mut Report, arguments: &Arguments, name: String, ours: Side<'_>, burn: Side<'_>) {
    let sides = medians(arguments.rounds, &mut [ours, burn]);
    report.add(Cell::less_is_better(name, "ns", sides[0][0], sides[1][0]));
}

/// One model, in loops and on the backend.
fn both(report: &mut Report, arguments: &Arguments, name: String, file: &[u8], rows: usize) {
    let load = |loop_elements| {
        let options = Options { loop_elements, ..Options::default() };
        Model::load(file, Format::Onnx, &options).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let (loops, burn) = (load(usize::MAX), load(0));
    let data = numbers(rows * COLUMNS);
    let view = TensorView::F32 { shape: &[rows, COLUMNS], data: &data };
    let side = |model: &Model| {
        nanoseconds(arguments.divisor, || drop(black_box(model.run(&[view]).expect("it runs"))))
    };
    compare(report, arguments, name.clone(), &mut || side(&loops), &mut || side(&burn));
}

/// What the engine computes in loops only, as a model, beside the same on burn primitives.
fn loops_only(report: &mut Report, arguments: &Arguments, rows: usize) {
    let data = numbers(rows * COLUMNS);
    let shape = [rows, COLUMNS];
    let upload = || Flex::float_from_data(TensorData::new(data.clone(), shape), &FlexDevice);
    let row =
        |value: f32| Flex::float_from_data(TensorData::new(vec![value; COLUMNS], [1, COLUMNS]), &FlexDevice);
    let (offset, scale) = (row(0.5), row(2.0));
    let picked: Vec<i64> = (0..COLUMNS as i64 / 2).map(|index| index * 2).collect();
    let places = Flex::int_from_data(TensorData::new(picked.clone(), [picked.len()]), &FlexDevice);
    let order: Attribute = ("perm", Kind::Ints(vec![1, 0]));
    let columns: Attribute = ("axis", Kind::Int(1));
    let scaler =
        vec![("offset", Kind::Floats(vec![0.5; COLUMNS])), ("scale", Kind::Floats(vec![2.0; COLUMNS]))];
    let bools = BoolDType::from(burn_backend::DType::Bool(BoolStore::Native));
    type OnBurn<'b> = Box<dyn Fn(FlexTensor) -> FlexTensor + 'b>;
    let operators: [(&str, Vec<u8>, OnBurn<'_>); 6] = [
        (
            "Scaler",
            file("ai.onnx.ml", "Scaler", &["x"], &scaler, None),
            Box::new(|x| Flex::float_mul(Flex::float_sub(x, offset.clone()), scale.clone())),
        ),
        (
            "Gather",
            file("", "Gather", &["x", "w"], std::slice::from_ref(&columns), Some(indices(&picked))),
            Box::new(|x| Flex::float_select(x, 1, places.clone())),
        ),
        (
            "Concat",
            file("", "Concat", &["x", "x"], &[columns], None),
            Box::new(|x| Flex::float_cat(vec![x.clone(), x], 1)),
        ),
        (
            "Transpose",
            file("", "Transpose", &["x"], &[order], None),
            Box::new(|x| Flex::float_permute(x, &[1, 0])),
        ),
        (
            "ArgMax",
            file("", "ArgMax", &["x"], &[("axis", Kind::Int(1))], None),
            Box::new(|x| Flex::float_argmax(x, 1, IntDType::I64)),
        ),
        (
            "Greater",
            file("", "Greater", &["x", "x"], &[], None),
            Box::new(|x| Flex::float_greater(x.clone(), x, bools)),
        ),
    ];
    for (name, file, on_burn) in operators {
        let model = Model::load(&file, Format::Onnx, &Options::default())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let view = TensorView::F32 { shape: &shape, data: &data };
        let mut ours =
            || nanoseconds(arguments.divisor, || drop(black_box(model.run(&[view]).expect("it runs"))));
        let mut burn = || nanoseconds(arguments.divisor, || drop(black_box(on_burn(upload()).into_data())));
        compare(
            report,
            arguments,
            format!("{name}, {rows} x {COLUMNS}: ours beside burn"),
            &mut ours,
            &mut burn,
        );
    }
}

fn one_operator() -> Vec<(&'static str, Vec<u8>)> {
    let weights = |columns: usize| floats(&[COLUMNS, columns], &numbers(COLUMNS * columns));
    vec![
        ("Add", file("", "Add", &["x", "w"], &[], Some(floats(&[COLUMNS], &[0.5; COLUMNS])))),
        ("Exp", file("", "Exp", &["x"], &[], None)),
        ("Tanh", file("", "Tanh", &["x"], &[], None)),
        ("Sigmoid", file("", "Sigmoid", &["x"], &[], None)),
        ("Softmax", file("", "Softmax", &["x"], &[], None)),
        ("Abs", file("", "Abs", &["x"], &[], None)),
        ("ReduceMean", file("", "ReduceMean", &["x"], &[("axes", Kind::Ints(vec![1]))], None)),
        ("Layer of 1 column", file("", "MatMul", &["x", "w"], &[], Some(weights(1)))),
        ("Layer of 10 columns", file("", "MatMul", &["x", "w"], &[], Some(weights(10)))),
        ("Layer of 64 columns", file("", "MatMul", &["x", "w"], &[], Some(weights(64)))),
        ("Layer of 256 columns", file("", "MatMul", &["x", "w"], &[], Some(weights(256)))),
    ]
}

/// The value of an attribute.
#[derive(Clone)]
enum Kind {
    Int(i64),
    Ints(Vec<i64>),
    Floats(Vec<f32>),
}

type Attribute = (&'static str, Kind);

/// A field of a protobuf message that holds bytes.
fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

/// A field that holds a number.
fn count(number: u64, value: u64) -> Vec<u8> {
    [varint(number << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// An initializer `w` of floats.
fn floats(shape: &[usize], data: &[f32]) -> Vec<u8> {
    let bytes: Vec<u8> = data.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(shape, 1, &bytes)
}

/// An initializer `w` of indices.
fn indices(data: &[i64]) -> Vec<u8> {
    let bytes: Vec<u8> = data.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(&[data.len()], 7, &bytes)
}

fn tensor(shape: &[usize], element: u64, bytes: &[u8]) -> Vec<u8> {
    let dims: Vec<u8> = shape.iter().flat_map(|&size| count(1, size as u64)).collect();
    [dims, count(2, element), field(8, b"w"), field(9, bytes)].concat()
}

fn attribute((name, kind): &Attribute) -> Vec<u8> {
    let (number, value) = match kind {
        Kind::Int(value) => (2, count(3, *value as u64)),
        Kind::Ints(values) => (7, values.iter().flat_map(|&value| count(8, value as u64)).collect()),
        Kind::Floats(values) => {
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            (6, field(7, &bytes))
        }
    };
    [field(1, name.as_bytes()), count(20, number), value].concat()
}

/// A model of one operator from `x` to `y`.
fn file(
    domain: &str,
    op: &str,
    inputs: &[&str],
    attributes: &[Attribute],
    weights: Option<Vec<u8>>,
) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|input| field(1, input.as_bytes())).collect();
    let attributes: Vec<u8> = attributes.iter().flat_map(|pair| field(5, &attribute(pair))).collect();
    let op = [field(4, op.as_bytes()), field(7, domain.as_bytes())].concat();
    let node = [inputs, field(2, b"y"), op, attributes].concat();
    let port = |name: &[u8]| [field(1, name), field(2, &field(1, &count(1, 1)))].concat();
    let weights = weights.map(|weights| field(5, &weights)).unwrap_or_default();
    let graph = [field(1, &node), weights, field(11, &port(b"x")), field(12, &port(b"y"))].concat();
    // Before version 13 the axes of a reduction are attributes.
    let import = |domain: &str, version| field(8, &[field(1, domain.as_bytes()), count(2, version)].concat());
    [count(1, 8), import("", 12), import("ai.onnx.ml", 3), field(7, &graph)].concat()
}
