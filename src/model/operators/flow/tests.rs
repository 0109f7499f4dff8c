//! Loops and branches of whole models.

use crate::model::{
    Error, Format, Limits, Model, Options, Tensor, TensorView,
    onnx::{
        proto::{AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto, attribute, element},
        sample::{body, file, graph, node, port, refused},
    },
};

fn constant(name: &str, data_type: i32, value: i64) -> TensorProto {
    let mut tensor = TensorProto { name: name.into(), data_type, ..TensorProto::default() };
    match data_type {
        element::INT64 => tensor.int64_data = vec![value],
        element::FLOAT => tensor.float_data = vec![value as f32],
        _ => tensor.int32_data = vec![value as i32],
    }
    tensor
}

/// What a round of a loop does with `v`: `nodes` make `w` of it, and `next` of the condition.
fn round(nodes: Vec<NodeProto>) -> AttributeProto {
    let input: Vec<ValueInfoProto> =
        vec![port("i", element::INT64), port("c", element::BOOL), port("v", element::FLOAT)];
    let output = vec![port("next", element::BOOL), port("w", element::FLOAT)];
    let mut attribute = body("body", GraphProto { node: nodes, output, ..GraphProto::default() });
    if let Some(graph) = &mut attribute.g {
        graph.input = input;
    }
    attribute
}

/// Adds `x` to itself for `rounds`.
fn repeated(rounds: i64, condition: &str, nodes: Vec<NodeProto>) -> GraphProto {
    let mut repeat = node("Loop", &["n", condition, "x"], "y");
    repeat.attribute.push(round(nodes));
    let mut graph = graph(vec![repeat]);
    graph.initializer = vec![constant("n", element::INT64, rounds), constant("t", element::BOOL, 1)];
    graph
}

fn adding() -> Vec<NodeProto> {
    vec![node("Add", &["v", "x"], "w"), node("Identity", &["c"], "next")]
}

fn run(graph: GraphProto, limits: Limits) -> Result<Tensor, Error> {
    let model = Model::load(&file(graph), Format::Onnx, &Options { limits, ..Options::default() })?;
    Ok(model.run(&[TensorView::F32 { shape: &[], data: &[2.0] }])?.remove(0))
}

#[test]
fn a_loop_carries_and_captures() {
    for condition in ["t", ""] {
        let given = run(repeated(3, condition, adding()), Limits::default());
        assert_eq!(given, Ok(Tensor::f32([], vec![8.0])));
    }
}

#[test]
fn loops_end_after_so_many_rounds_together() {
    let inner = repeated(10, "t", adding());
    let mut nested = vec![node("Identity", &["c"], "next")];
    let mut inside = node("Loop", &["n", "t", "v"], "w");
    inside.attribute.clone_from(&inner.node[0].attribute);
    nested.push(inside);
    let graph = repeated(10, "t", nested);
    assert_eq!(
        run(graph.clone(), Limits { steps: 110, ..Limits::default() }),
        Ok(Tensor::f32([], vec![202.0]))
    );
    let error = run(graph, Limits { steps: 109, ..Limits::default() }).unwrap_err().to_string();
    assert!(error.ends_with("the number of rounds of all loops is 110, over the limit of 109"), "{error}");
}

#[test]
fn a_condition_that_runtimes_differ_about_is_refused() {
    let nodes = vec![node("Add", &["v", "x"], "w"), node("Less", &["w", "x"], "next")];
    assert!(run(repeated(3, "t", nodes.clone()), Limits::default()).is_ok());
    let error = refused(repeated(3, "", nodes));
    assert!(matches!(error, Error::Unsupported { operators, .. } if operators == ["ai.onnx:Loop"]));
}

#[test]
fn what_is_carried_keeps_its_type() {
    let mut cast = node("Cast", &["v"], "w");
    let to = i64::from(element::DOUBLE);
    cast.attribute =
        vec![AttributeProto { name: "to".into(), kind: attribute::INT, i: to, ..AttributeProto::default() }];
    let text =
        "invalid model: node `make_y` (ai.onnx:Loop): `v` is not of the type f64 that a round makes of it";
    assert_eq!(refused(repeated(3, "t", vec![cast, node("Identity", &["c"], "next")])).to_string(), text);
}

fn branched(condition: &str, other: &str) -> GraphProto {
    let mut branch = node("If", &[condition], "y");
    branch.attribute = vec![
        body("then_branch", graph(vec![node("Neg", &["x"], "y")])),
        body("else_branch", graph(vec![node(other, &["x"], "y")])),
    ];
    let mut graph =
        graph(vec![node("Greater", &["x", "zero"], "positive"), node("Not", &["f"], "yes"), branch]);
    graph.initializer = vec![constant("zero", element::FLOAT, 0), constant("f", element::BOOL, 0)];
    graph
}

#[test]
fn a_branch_that_is_never_taken_need_not_be_supported() {
    assert_eq!(run(branched("positive", "Abs"), Limits::default()), Ok(Tensor::f32([], vec![-2.0])));
    assert_eq!(run(branched("yes", "Frobnicate"), Limits::default()), Ok(Tensor::f32([], vec![-2.0])));
    let error = refused(branched("positive", "Frobnicate"));
    assert!(matches!(error, Error::Unsupported { operators, .. } if operators == ["ai.onnx:Frobnicate"]));
}

#[test]
fn a_branch_with_a_decided_condition_leaves_its_own_steps() {
    let load = |graph| Model::load(&file(graph), Format::Onnx, &Options::default()).expect("it loads");
    assert_eq!(load(branched("yes", "Abs")).summary().steps, ["Neg"]);
    assert_eq!(load(branched("positive", "Abs")).summary().steps, ["Greater", "If", "Abs", "Neg"]);
}

#[test]
fn graphs_are_nested_as_deep_as_they_may_be_and_no_deeper() {
    let nested = |depth: usize| {
        let mut inner = graph(vec![node("Neg", &["x"], "y")]);
        for _ in 0..depth {
            let mut branch = node("If", &["positive"], "y");
            branch.attribute =
                vec![body("then_branch", inner), body("else_branch", graph(vec![node("Abs", &["x"], "y")]))];
            inner = graph(vec![branch]);
        }
        inner.node.push(node("Greater", &["x", "zero"], "positive"));
        inner.initializer = vec![constant("zero", element::FLOAT, 0)];
        inner
    };
    let most = Limits::default().nesting;
    assert_eq!(run(nested(most), Limits::default()), Ok(Tensor::f32([], vec![-2.0])));
    let text = format!("the depth of graphs in each other is {}, over the limit of {}", most + 2, most + 1);
    assert_eq!(refused(nested(most + 1)).to_string(), text);
}
