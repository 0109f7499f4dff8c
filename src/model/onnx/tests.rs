//! Files that contradict themselves: each is refused at load, by name.

use prost::Message;

use super::{
    proto::{
        AttributeProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto, TensorProto,
        TypeKind, TypeProto, ValueInfoProto, attribute, element,
    },
    sample::{body, file, functions, graph, node, port, refused},
};
use crate::model::{Error, Format, Limits, Model, Options};

#[test]
fn a_cycle_names_a_node_of_it() {
    let error = refused(graph(vec![
        node("Add", &["x", "b"], "a"),
        node("Neg", &["a"], "b"),
        node("Neg", &["b"], "y"),
    ]));
    let text = "invalid model: node `make_a` (ai.onnx:Add): it is part of a cycle, or reads from one";
    assert_eq!(error.to_string(), text);
}

#[test]
fn nodes_may_come_in_any_order() {
    let graph = graph(vec![node("Neg", &["a"], "y"), node("Abs", &["x"], "a")]);
    let model = Model::load(&file(graph), Format::Onnx, &Options::default()).expect("it loads");
    assert_eq!(model.summary().steps, ["Abs", "Neg"]);
}

#[test]
fn what_nothing_gives_is_named() {
    let error = refused(graph(vec![node("Neg", &["nowhere"], "y")]));
    let text = "invalid model: node `make_y` (ai.onnx:Neg): it reads `nowhere`, which nothing gives";
    assert_eq!(error.to_string(), text);
    let error = refused(graph(vec![node("Neg", &["x"], "z")]));
    assert_eq!(error.to_string(), "invalid model: output `y`: no node gives it");
    let error = refused(graph(vec![node("Neg", &["x"], "y"), node("Abs", &["x"], "y")]));
    let text = "invalid model: node `make_y` (ai.onnx:Abs): it gives `y`, which is given already";
    assert_eq!(error.to_string(), text);
}

#[test]
fn weights_in_another_file_are_refused() {
    let mut graph = graph(vec![node("Add", &["x", "w"], "y")]);
    let location = StringStringEntryProto { key: "location".into(), value: "../secret".into() };
    graph.initializer.push(TensorProto {
        name: "w".into(),
        dims: vec![4],
        data_type: element::FLOAT,
        data_location: 1,
        external_data: vec![location],
        ..TensorProto::default()
    });
    let text = "invalid model: initializer `w`: its data is in `../secret`, and no file besides the model is ever opened";
    assert_eq!(refused(graph).to_string(), text);
}

#[test]
fn terabytes_are_refused_by_their_claim() {
    let mut given = graph(vec![node("Add", &["x", "w"], "y")]);
    let weights = TensorProto {
        name: "w".into(),
        dims: vec![1 << 40, 4],
        data_type: element::FLOAT,
        ..TensorProto::default()
    };
    given.initializer.push(weights);
    let text = "initializer `w`: the number of elements is 4398046511104, over the limit of 268435456";
    assert_eq!(refused(given).to_string(), text);

    let mut computed = graph(vec![node("ConstantOfShape", &["shape"], "z"), node("Add", &["x", "z"], "y")]);
    computed.initializer.push(TensorProto {
        name: "shape".into(),
        dims: vec![2],
        data_type: element::INT64,
        int64_data: vec![1 << 20, 1 << 20],
        ..TensorProto::default()
    });
    let text = "invalid model: node `make_z` (ai.onnx:ConstantOfShape): \
                the number of elements of its result is 1099511627776, over the limit of 268435456";
    assert_eq!(refused(computed).to_string(), text);
}

#[test]
fn chains_and_crowds_over_the_limits_are_refused() {
    let name = |index: usize| if index == 0 { "x".to_owned() } else { format!("v{index}") };
    let mut nodes: Vec<NodeProto> =
        (0..10_000).map(|index| node("Neg", &[&name(index)], &name(index + 1))).collect();
    nodes.push(node("Neg", &[&name(10_000)], "y"));
    let bytes = file(graph(nodes));
    let load = |limits| Model::load(&bytes, Format::Onnx, &Options { limits, ..Options::default() });
    assert!(load(Limits::default()).is_ok());
    let error = load(Limits { depth: 5_000, ..Limits::default() }).expect_err("too deep");
    assert_eq!(error.to_string(), "the longest chain of operators is 10001, over the limit of 5000");
    let error = load(Limits { nodes: 100, ..Limits::default() }).expect_err("too many");
    assert_eq!(error.to_string(), "the number of operators is 101, over the limit of 100");
}

#[test]
fn nested_types_are_refused_before_they_are_decoded() {
    let mut kind = port("x", element::FLOAT).r#type.unwrap_or_default();
    for _ in 0..1_000 {
        let inner = super::proto::SequenceTypeProto { elem_type: Some(Box::new(kind)) };
        kind = TypeProto { kind: Some(TypeKind::Sequence(Box::new(inner))) };
    }
    let mut graph = graph(vec![node("Neg", &["x"], "y")]);
    graph.input = vec![ValueInfoProto { name: "x".into(), r#type: Some(kind) }];
    assert_eq!(refused(graph).to_string(), "not a readable ONNX model: types are nested too deeply");
}

#[test]
fn every_unsupported_operator_is_named() {
    let mut scan = node("Nonsense", &["a"], "b");
    scan.domain = "com.example".to_owned();
    let brain =
        AttributeProto { name: "to".into(), kind: attribute::INT, i: 16, ..AttributeProto::default() };
    let mut cast = node("Cast", &["x"], "c");
    cast.attribute.push(brain);
    let nodes = vec![node("Frobnicate", &["x"], "a"), scan, cast, node("Add", &["b", "c"], "y")];
    let Error::Unsupported { operators, reasons } = refused(graph(nodes)) else {
        panic!("it is unsupported")
    };
    assert_eq!(operators, ["ai.onnx:Cast", "ai.onnx:Frobnicate", "com.example:Nonsense"]);
    assert_eq!(reasons[0], "ai.onnx:Cast: to bfloat16");
}

#[test]
fn versions_that_are_not_known_are_refused() {
    let graph = graph(vec![node("Neg", &["x"], "y")]);
    let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: 999 }];
    let model = ModelProto { ir_version: 8, opset_import, graph: Some(graph), functions: Vec::new() };
    let error =
        Model::load(&model.encode_to_vec(), Format::Onnx, &Options::default()).expect_err("it is refused");
    assert!(matches!(error, Error::Unsupported { operators, .. } if operators == ["ai.onnx:Neg"]));
}

#[test]
fn mistyped_models_are_refused_at_load() {
    let mut graph = graph(vec![node("Add", &["x", "n"], "y")]);
    graph.input.push(port("n", element::INT64));
    let text = "invalid model: node `make_y` (ai.onnx:Add): its inputs are of different types, f32 and i64";
    assert_eq!(refused(graph).to_string(), text);
}

#[test]
fn a_graph_in_a_node_reads_what_is_around_it_or_is_refused() {
    let mut branch = node("If", &["x"], "y");
    branch.attribute = vec![body("then_branch", graph(vec![node("Neg", &["nowhere"], "y")]))];
    let text = "invalid model: node `make_y` (ai.onnx:If), attribute `then_branch`: \
                it reads `nowhere`, which nothing gives";
    assert_eq!(refused(graph(vec![branch])).to_string(), text);
}

#[test]
fn a_function_is_written_out_with_its_attributes() {
    let mut leaky = node("LeakyRelu", &["a"], "b");
    leaky.attribute = vec![AttributeProto {
        name: "alpha".into(),
        ref_attr_name: "slope".into(),
        kind: attribute::FLOAT,
        ..AttributeProto::default()
    }];
    let slope =
        |f| AttributeProto { name: "slope".into(), kind: attribute::FLOAT, f, ..AttributeProto::default() };
    let mut act = functions::function("Act", &["a"], "b", vec![leaky]);
    act.attribute_proto = vec![slope(0.5)];
    let mut call = functions::call("Act", &["x"], "half");
    let twice = functions::function("Twice", &["v"], "w", vec![functions::call("Act", &["v"], "w")]);
    let mut nodes = vec![call.clone(), functions::call("Twice", &["half"], "y")];
    let run = |nodes: &[_]| {
        let model = functions::file(graph(nodes.to_vec()), vec![act.clone(), twice.clone()]);
        let model = Model::load(&model, Format::Onnx, &Options::default()).expect("it loads");
        let given =
            model.run(&[crate::model::TensorView::F32 { shape: &[], data: &[-8.0] }]).expect("it runs");
        given[0].clone()
    };
    assert_eq!(run(&nodes), crate::model::Tensor::f32([], vec![-2.0]));
    call.attribute = vec![slope(0.25)];
    nodes[0] = call;
    assert_eq!(run(&nodes), crate::model::Tensor::f32([], vec![-1.0]));
}

#[test]
fn functions_that_never_end_are_refused() {
    let load = |protos| {
        let file = functions::file(graph(vec![functions::call("F0", &["x"], "y")]), protos);
        Model::load(&file, Format::Onnx, &Options::default()).expect_err("it is refused").to_string()
    };
    let name = |number: usize| format!("F{number}");
    let itself = functions::function("F0", &["a"], "b", vec![functions::call("F0", &["a"], "b")]);
    assert_eq!(load(vec![itself]), "invalid model: function `local:F0`: it calls itself");
    // Each calls the next one a hundred times.
    let calls = |number: usize| {
        let output = |call: usize| if call == 0 { "b".to_owned() } else { format!("b{call}") };
        (0..100).map(|call| functions::call(&name(number + 1), &["a"], &output(call))).collect()
    };
    let crowd =
        (0..20).map(|number| functions::function(&name(number), &["a"], "b", calls(number))).collect();
    assert!(load(crowd).contains("over the limit"));
}

#[test]
fn an_attribute_that_many_nodes_of_a_function_refer_to_is_counted_each_time() {
    let list = |name: &str| AttributeProto {
        name: name.into(),
        kind: attribute::FLOATS,
        ..AttributeProto::default()
    };
    let refer = |number: usize| {
        let mut constant = node("Constant", &[], &format!("c{number}"));
        constant.attribute = vec![AttributeProto { ref_attr_name: "all".into(), ..list("value_floats") }];
        constant
    };
    let mut nodes: Vec<NodeProto> = (0..100).map(refer).collect();
    nodes.push(node("Neg", &["a"], "b"));
    let mut call = functions::call("F0", &["x"], "y");
    call.attribute = vec![AttributeProto { floats: vec![0.5; 1_000], ..list("all") }];
    let file = functions::file(graph(vec![call]), vec![functions::function("F0", &["a"], "b", nodes)]);
    let load = |bytes| {
        let limits = Limits { bytes, ..Limits::default() };
        Model::load(&file, Format::Onnx, &Options { limits, ..Options::default() })
    };
    assert!(load(1 << 20).is_ok());
    let error = load(100_000).expect_err("it is larger written out").to_string();
    assert!(error.ends_with("over the limit of 100000"), "{error}");
}
