//! Files by hand: what they compute, and how each that contradicts itself is refused.

use super::super::{Backend, Error, Format, Limits, Model, Options, Tensor};

const ENDS: &str = "format = 1\ninput = { name = \"x\", width = 2 }\noutput = { name = \"y\" }\n";
const LINEAR: &str = "layers = [{ kind = \"linear\", name = \"a\" }]";

/// A file of a header and what follows it.
fn container(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

/// A tensor of a file: its name, type, shape and bytes.
type Part<'a> = (&'a str, &'a str, &'a [usize], Vec<u8>);

fn file(layers: &str, parts: &[Part<'_>]) -> Vec<u8> {
    let mut header = serde_json::json!({ "__metadata__": { "embergrid": format!("{ENDS}{layers}") } });
    let mut data = Vec::new();
    for (name, dtype, shape, bytes) in parts {
        let offsets = [data.len(), data.len() + bytes.len()];
        header[name] = serde_json::json!({ "dtype": dtype, "shape": shape, "data_offsets": offsets });
        data.extend(bytes);
    }
    container(&header.to_string(), &data)
}

fn f32s(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn load(bytes: &[u8]) -> Result<Model, Error> {
    Model::load(bytes, Format::Burn, &Options::default())
}

fn refusal(bytes: &[u8]) -> String {
    load(bytes).expect_err("it is refused").to_string()
}

/// What the model of a file gives for one row: on every backend, in loops and without.
fn run(bytes: &[u8], row: [f32; 2]) -> Vec<Tensor> {
    let mut results = Vec::new();
    for &backend in Backend::ALL {
        for loop_elements in [0, 1024] {
            let options = Options { backend, loop_elements, ..Options::default() };
            let model = Model::load(bytes, Format::Burn, &options).expect("it loads");
            results.extend(model.run(&[Tensor::f32([1, 2], row.to_vec()).view()]).expect("it runs"));
        }
    }
    results
}

#[test]
fn a_layer_is_a_product_a_sum_and_what_follows() {
    let layers = "layers = [{ kind = \"scale\", factor = 2 }, { kind = \"dropout\" },
        { kind = \"linear\", name = \"a.0\" }, { kind = \"relu\" }]";
    let weight = f32s(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let bias = f32s(&[0.0, 0.5, -100.0]);
    let bytes = file(layers, &[("a.0.weight", "F32", &[2, 3], weight), ("a.0.bias", "F32", &[3], bias)]);
    for result in run(&bytes, [0.5, 1.0]) {
        assert_eq!(result, Tensor::f32([1, 3], vec![9.0, 12.5, 0.0]));
    }
    let model = load(&bytes).expect("it loads");
    assert_eq!(model.summary().steps, ["Mul", "Dense"]);
    assert_eq!(model.summary().operators["burn:linear"], 1);
    let ports = [&model.inputs()[0], &model.outputs()[0]].map(|port| (port.name.as_str(), port.text()));
    assert_eq!(ports, [("x", "f32 [N, 2]".to_owned()), ("y", "f32 [N, 3]".to_owned())]);
}

#[test]
fn weights_may_lie_in_columns_and_have_no_bias() {
    let layers = "layers = [{ kind = \"linear\", name = \"a\", layout = \"col\" }]";
    let weight = f32s(&[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    for result in run(&file(layers, &[("a.weight", "F32", &[3, 2], weight)]), [1.0, 2.0]) {
        assert_eq!(result, Tensor::f32([1, 3], vec![9.0, 12.0, 15.0]));
    }
}

#[test]
fn a_name_may_stand_for_the_same_weights_twice() {
    let layers = "layers = [{ kind = \"linear\", name = \"a\" }, { kind = \"linear\", name = \"a\" }]";
    let weight = f32s(&[0.0, 2.0, 1.0, 0.0]);
    for result in run(&file(layers, &[("a.weight", "F32", &[2, 2], weight)]), [3.0, 5.0]) {
        assert_eq!(result, Tensor::f32([1, 2], vec![6.0, 10.0]));
    }
}

#[test]
fn other_floats_are_converted() {
    let of = |dtype, bytes: Vec<u8>| file(LINEAR, &[("a.weight", dtype, &[2, 1], bytes)]);
    // 1.5 and -0.25, each time.
    let halves = of("F16", vec![0x00, 0x3e, 0x00, 0xb4]);
    let brains = of("BF16", vec![0xc0, 0x3f, 0x80, 0xbe]);
    let doubles = of("F64", [1.5_f64, -0.25].iter().flat_map(|value| value.to_le_bytes()).collect());
    for bytes in [halves, brains, doubles] {
        for result in run(&bytes, [2.0, 4.0]) {
            assert_eq!(result, Tensor::f32([1, 1], vec![2.0]));
        }
    }
    let wide = of("F64", [1e300_f64, 0.0].iter().flat_map(|value| value.to_le_bytes()).collect());
    assert_eq!(refusal(&wide), "invalid model: tensor `a.weight`: 1e300 is no 32-bit float");
    let text =
        "invalid model: tensor `a.weight`: elements of type I32 are no weights: F32, F64, F16 and BF16 are";
    assert_eq!(refusal(&of("I32", vec![0; 8])), text);
}

#[test]
fn weights_without_a_description_are_refused() {
    let text = "not a readable burn model: nothing says which layers its weights belong to: \
                the metadata `embergrid` is missing";
    assert_eq!(refusal(&container("{}", &[])), text);
    assert_eq!(refusal(&container("{\"__metadata__\":{\"format\":\"pt\"}}", &[])), text);
    let hint = crate::types::Error::from(load(&container("{}", &[])).expect_err("it is refused")).hint;
    assert!(hint.is_some_and(|hint| hint.contains("SafetensorsStore")));
}

#[test]
fn tensors_and_layers_must_fit_each_other() {
    fn part<'a>(name: &'a str, shape: &'a [usize], count: usize) -> Part<'a> {
        (name, "F32", shape, vec![0; 4 * count])
    }
    let of = |parts: &[Part<'_>]| refusal(&file(LINEAR, parts));
    let place = "invalid model: layer 0 (linear `a`):";
    assert_eq!(of(&[]), format!("{place} the file has no tensor `a.weight`"));
    let near = of(&[part("a.weights", &[2, 3], 6)]);
    assert_eq!(near, format!("{place} the file has no tensor `a.weight`: did you mean `a.weights`?"));
    let turned = of(&[part("a.weight", &[3, 2], 6)]);
    assert_eq!(
        turned,
        format!("{place} `a.weight` has the shape [3, 2], not [2, ..]: is its layout \"col\"?")
    );
    let vector = of(&[part("a.weight", &[6], 6)]);
    assert_eq!(vector, format!("{place} `a.weight` has the shape [6], not that of a matrix"));
    let nothing = of(&[part("a.weight", &[2, 0], 0)]);
    assert_eq!(nothing, format!("{place} `a.weight` has the shape [2, 0], not that of a layer with outputs"));
    let bias = of(&[part("a.weight", &[2, 3], 6), part("a.bias", &[1, 3], 3)]);
    assert_eq!(bias, format!("{place} `a.bias` has the shape [1, 3], not [3]"));
    let forgotten = of(&[part("a.weight", &[2, 3], 6), part("b.weight", &[3, 1], 3)]);
    assert_eq!(forgotten, "invalid model: its description: no layer reads `b.weight`");

    let norm = "layers = [{ kind = \"batch_norm\", name = \"n\" }]";
    let rows = ["n.gamma", "n.beta", "n.running_mean"].map(|name| part(name, &[2], 2));
    let text = "invalid model: layer 0 (batch_norm `n`): the file has no tensor `n.running_var`: \
                did you mean `n.running_mean`?";
    assert_eq!(refusal(&file(norm, &rows)), text);
}

#[test]
fn every_layer_that_is_not_known_is_named() {
    let layers = "layers = [{ kind = \"lstm\", size = 4 }, { kind = \"linear\", name = \"a\" }, { kind = \"conv2d\" }]";
    let Error::Unsupported { operators, .. } = load(&file(layers, &[])).expect_err("it is refused") else {
        panic!("it is unsupported")
    };
    assert_eq!(operators, ["burn:conv2d", "burn:lstm"]);
}

#[test]
fn a_container_that_contradicts_itself_is_refused() {
    let of = |tensors: &str, data: usize| refusal(&container(&format!("{{{tensors}}}"), &vec![0; data]));
    let at = |name: &str, start: usize, end: usize| {
        format!("\"{name}\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[{start},{end}]}}")
    };
    let two = |first: String, second: String| format!("{first},{second}");
    let a = |reason: &str| format!("invalid model: tensor `a`: {reason}");
    let b = |reason: &str| format!("invalid model: tensor `b`: {reason}");
    for (tensors, data, text) in [
        (two(at("a", 0, 4), at("b", 2, 6)), 6, b("it begins at byte 2, and what lies before it ends at 4")),
        (two(at("a", 0, 4), at("b", 0, 4)), 4, b("it begins at byte 0, and what lies before it ends at 4")),
        (two(at("a", 0, 4), at("b", 8, 12)), 12, b("it begins at byte 8, and what lies before it ends at 4")),
        (at("a", 0, 8), 8, a("it lies at bytes 0 to 8, and F32 of shape [1] takes 4")),
        (at("a", 0, 4), 3, a("it ends at byte 4 of 3: the file is truncated")),
        (at("a", 0, 4), 5, "not a readable burn model: 1 bytes follow the last tensor".to_owned()),
    ] {
        assert_eq!(of(&tensors, data), text, "{tensors}");
    }
    let backwards = at("a", 0, 0).replace("[0,0]", "[0,-4]");
    let starts = "not a readable burn model: ";
    for (tensors, reason) in [
        (two(at("a", 0, 4), at("a", 4, 8)), "tensor `a` is given twice"),
        (backwards, "invalid value: integer `-4`"),
        (at("a", 0, 4).replace("[1]", "[-1]"), "invalid value: integer `-1`"),
        (at("a", 0, 4).replace("\"F32\"", "7"), "invalid type: integer `7`"),
        (at("a", 0, 4).replace("[0,4]", "[0]"), "invalid length 1"),
        ("\"__metadata__\":{\"embergrid\":1}".to_owned(), "invalid type: integer `1`"),
    ] {
        let text = of(&tensors, 4);
        let expected = format!("{starts}its header is not that of a safetensors file: {reason}");
        assert!(text.starts_with(&expected), "{tensors}: {text}");
    }
    let vast = of(&at("a", 0, 4).replace("[1]", "[4294967296,4294967296,2]"), 4);
    assert!(vast.starts_with("tensor `a`: the number of elements is 18446744073709551615, over"), "{vast}");
    assert_eq!(refusal(&[]), format!("{starts}the file is empty"));
    assert!(refusal(&[1, 0, 0]).starts_with(&format!("{starts}the file is too short")));
    assert!(refusal(b"\x08\x08\x12\x07pytorch").starts_with(&format!("{starts}its header is longer")));
    let nested = format!("{{\"a\":{{\"b\":{}", "[".repeat(100_000));
    for header in ["{", "", "[]", nested.as_str()] {
        let text = refusal(&container(header, &[]));
        assert!(text.starts_with(&format!("{starts}its header is not that of")), "{header}: {text}");
    }
}

#[test]
fn what_is_over_a_limit_is_refused_by_its_claim() {
    let bytes = file(LINEAR, &[("a.weight", "F32", &[2, 3], vec![0; 24])]);
    let over = |limits| {
        let options = Options { limits, ..Options::default() };
        Model::load(&bytes, Format::Burn, &options).expect_err("over the limit").to_string()
    };
    let all = Limits::default();
    assert!(over(Limits { bytes: 100, ..all }).ends_with("over the limit of 100"));
    assert_eq!(over(Limits { nodes: 0, ..all }), "the number of tensors is 1, over the limit of 0");
    let text = "tensor `a.weight`: the number of elements is 6, over the limit of 5";
    assert_eq!(over(Limits { elements: 5, ..all }), text);
    let text = "the number of elements of all weights is 6, over the limit of 5";
    assert_eq!(over(Limits { parameters: 5, ..all }), text);
    assert!(over(Limits { rank: 1, ..all }).starts_with("tensor `a.weight`: the number of dimensions is 2"));
    let header = " ".repeat((4 << 20) + 1);
    assert_eq!(
        refusal(&container(&header, &[])),
        "the number of bytes of the header is 4194305, over the limit of 4194304"
    );
}

#[test]
fn a_file_cut_or_changed_anywhere_never_panics() {
    let layers = "layers = [{ kind = \"linear\", name = \"a\" }, { kind = \"layer_norm\", name = \"n\" }]";
    let parts = [
        ("a.weight", "F16", &[2, 3][..], vec![7; 12]),
        ("n.gamma", "F32", &[3][..], f32s(&[1.0; 3])),
        ("n.beta", "F32", &[3][..], f32s(&[2.0; 3])),
    ];
    let mut bytes = file(layers, &parts);
    load(&bytes).expect("whole, it loads");
    for length in 0..bytes.len() {
        assert!(load(&bytes[..length]).is_err(), "{length} bytes");
    }
    let row = Tensor::f32([1, 2], vec![0.5, -2.0]);
    for at in 0..bytes.len() {
        let byte = bytes[at];
        for by in [1, 3, 0x20, 0x80] {
            bytes[at] = byte.wrapping_add(by);
            let result = load(&bytes).and_then(|model| model.run(&[row.view()]));
            assert!(!matches!(result, Err(Error::Panic { .. })), "byte {at} + {by}: {result:?}");
        }
        bytes[at] = byte;
    }
}
