//! Files by hand, in both formats: what they give, and how each that contradicts itself is refused.

use serde_json::{Value, json};

use super::super::{Error, Format, Labels, Limits, Model, Options, Tensor};

/// A stump on the first of two columns: 1 below 0.5, where NaN goes too, and -2 from there on.
fn stump() -> Value {
    json!({
        "tree_param": { "num_nodes": "3", "num_feature": "2", "num_deleted": "0", "size_leaf_vector": "1" },
        "id": 0, "left_children": [1, -1, -1], "right_children": [2, -1, -1], "parents": [2147483647, 0, 0],
        "split_indices": [0, 0, 0], "split_conditions": [0.5, 1.0, -2.0], "default_left": [1, 0, 0],
        "split_type": [0, 0, 0], "categories": [], "categories_nodes": [], "categories_segments": [],
        "categories_sizes": [], "loss_changes": [3.0, 0.0, 0.0], "sum_hessian": [9.0, 4.0, 5.0],
        "base_weights": [0.0, 1.0, -2.0],
    })
}

fn file(objective: &str, trees: Value) -> Value {
    let count = trees.as_array().map_or(0, Vec::len);
    json!({
        "version": [3, 2, 0],
        "learner": {
            "attributes": { "best_iteration": "0" }, "feature_names": ["a", "b"], "feature_types": ["float", "c"],
            "learner_model_param": {
                "base_score": "[2.5E-1]", "num_class": "0", "num_feature": "2", "num_target": "1",
                "boost_from_average": "1",
            },
            "objective": { "name": objective, "reg_loss_param": { "scale_pos_weight": "1" } },
            "gradient_booster": {
                "name": "gbtree",
                "model": {
                    "gbtree_model_param": { "num_trees": count.to_string(), "num_parallel_tree": "1" },
                    "trees": trees, "tree_info": vec![0; count], "iteration_indptr": (0..=count).collect::<Vec<_>>(),
                    "cats": { "enc": [], "feature_segments": [], "sorted_idx": [] },
                },
            },
        },
    })
}

fn squared() -> Value {
    file("reg:squarederror", json!([stump()]))
}

/// The same in the other format, lists of numbers with one marker for all of them as XGBoost has them.
fn ubjson(value: &Value) -> Vec<u8> {
    let length = |length: usize| [&b"L"[..], &(length as i64).to_be_bytes()].concat();
    let text = |text: &str| [length(text.len()), text.as_bytes().to_vec()].concat();
    match value {
        Value::Null => b"Z".to_vec(),
        Value::Bool(flag) => vec![if *flag { b'T' } else { b'F' }],
        Value::Number(number) => match number.as_i64() {
            Some(number) => [&b"L"[..], &number.to_be_bytes()].concat(),
            None => [&b"d"[..], &(number.as_f64().expect("a float") as f32).to_be_bytes()].concat(),
        },
        Value::String(string) => [b"S".to_vec(), text(string)].concat(),
        Value::Array(list) if !list.is_empty() && list.iter().all(Value::is_f64) => {
            let numbers =
                list.iter().filter_map(Value::as_f64).flat_map(|number| (number as f32).to_be_bytes());
            [b"[$d#".to_vec(), length(list.len()), numbers.collect()].concat()
        }
        Value::Array(list) if !list.is_empty() && list.iter().all(Value::is_i64) => {
            let numbers =
                list.iter().filter_map(Value::as_i64).flat_map(|number| (number as i32).to_be_bytes());
            [b"[$l#".to_vec(), length(list.len()), numbers.collect()].concat()
        }
        Value::Array(list) => {
            [b"[#".to_vec(), length(list.len()), list.iter().flat_map(ubjson).collect()].concat()
        }
        Value::Object(entries) => {
            let entries = entries.iter().flat_map(|(key, value)| [text(key), ubjson(value)].concat());
            [b"{".to_vec(), entries.collect(), b"}".to_vec()].concat()
        }
    }
}

/// Both forms of a file.
fn forms(file: &Value) -> [Vec<u8>; 2] {
    [file.to_string().into_bytes(), ubjson(file)]
}

fn load(bytes: &[u8]) -> Result<Model, Error> {
    Model::load(bytes, Format::Xgboost, &Options::default())
}

/// How a file is refused, in the same words in both forms.
fn refusal(file: &Value) -> String {
    let [json, ubjson] = forms(file).map(|bytes| load(&bytes).expect_err("it is refused").to_string());
    assert_eq!(json, ubjson);
    json
}

/// What the model of a file gives for rows of two columns, whichever form it has.
fn run(file: &Value, rows: &[[f32; 2]]) -> Tensor {
    let rows = Tensor::f32([rows.len(), 2], rows.concat());
    let [json, ubjson] = forms(file).map(|bytes| {
        let model = load(&bytes).expect("it loads");
        model.run(&[rows.view()]).expect("it runs").remove(0)
    });
    assert_eq!(json, ubjson);
    json
}

#[test]
fn a_file_says_what_its_model_takes_and_gives() {
    let mut file = file("multi:softprob", json!([stump(), stump(), stump()]));
    file["learner"]["learner_model_param"]["num_class"] = json!("3");
    for tree in 0..3 {
        file["learner"]["gradient_booster"]["model"]["trees"][tree]["id"] = json!(tree);
        file["learner"]["gradient_booster"]["model"]["tree_info"][tree] = json!(tree);
    }
    for bytes in forms(&file) {
        let model = load(&bytes).expect("it loads");
        let ports =
            [&model.inputs()[0], &model.outputs()[0]].map(|port| format!("{} {}", port.name, port.text()));
        assert_eq!(ports, ["features f32 [N, 2]", "prediction f32 [N, 3]"]);
        assert_eq!(model.outputs()[0].labels, Some(Labels::Ints(vec![0, 1, 2])));
        assert_eq!(model.summary().features, ["a", "b"]);
        assert_eq!(model.summary().steps, ["Trees", "Link"]);
        assert!(model.summary().operators.keys().eq(["xgboost:gbtree", "xgboost:multi:softprob"]));
    }
    assert_eq!(run(&file, &[[0.0, 0.0]]), Tensor::f32([1, 3], vec![1.0 / 3.0; 3]));
}

#[test]
fn a_tree_sends_each_value_where_xgboost_does() {
    let below = 0.5_f32.next_down();
    let rows = [below, 0.5, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0].map(|value| [value, 9.0]);
    let expected = Tensor::f32([6], vec![1.25, -1.75, 1.25, -1.75, 1.25, 1.25]);
    assert_eq!(run(&squared(), &rows), expected);
    let mut other = squared();
    other["learner"]["gradient_booster"]["model"]["trees"][0]["default_left"] = json!([false, false, false]);
    assert_eq!(run(&other, &[[f32::NAN, 0.0]]), Tensor::f32([1], vec![-1.75]));
}

#[test]
fn categories_of_a_set_go_right_and_what_is_none_goes_left() {
    let mut file = squared();
    let tree = &mut file["learner"]["gradient_booster"]["model"]["trees"][0];
    tree["split_type"] = json!([1, 0, 0]);
    tree["split_conditions"] = json!([1e-45, 1.0, -2.0]);
    tree["categories"] = json!([0, 2, 3, 16777215, 16777216]);
    tree["categories_nodes"] = json!([0]);
    tree["categories_segments"] = json!([0]);
    tree["categories_sizes"] = json!([5]);
    tree["default_left"] = json!([0, 0, 0]);
    let inside = [0.0, -0.0, 0.9, 2.0, 3.99, 16_777_215.0, f32::NAN];
    let outside = [-1e-30, 1.0, 4.0, -2.0, 16_777_216.0, 3e9, f32::INFINITY, f32::NEG_INFINITY];
    assert_eq!(run(&file, &inside.map(|value| [value, 0.0])), Tensor::f32([7], vec![-1.75; 7]));
    assert_eq!(run(&file, &outside.map(|value| [value, 0.0])), Tensor::f32([8], vec![1.25; 8]));
}

#[test]
fn dropped_trees_weigh_less_wherever_the_weights_stand() {
    let mut old = squared();
    let gbtree = old["learner"]["gradient_booster"].take();
    old["learner"]["gradient_booster"] = json!({ "name": "dart", "gbtree": gbtree, "weight_drop": [0.5] });
    assert_eq!(run(&old, &[[0.0, 0.0]]), Tensor::f32([1], vec![0.75]));
    old["learner"]["gradient_booster"]["weight_drop"] = json!([]);
    assert_eq!(refusal(&old), "invalid model: `weight_drop`: it has 0 entries for 1 trees");
    old["learner"]["gradient_booster"]["weight_drop"] = Value::Null;
    let text = "invalid model: `weight_drop`: it is missing, and the trees of `dart` have weights";
    assert_eq!(refusal(&old), text);
    let mut new = squared();
    new["version"] = json!([3, 4, 0]);
    new["learner"]["gradient_booster"]["model"]["weight_drop"] = json!([0.5]);
    assert_eq!(run(&new, &[[0.0, 0.0]]), Tensor::f32([1], vec![0.75]));
}

#[test]
fn base_scores_are_read_as_each_version_writes_them() {
    let of = |objective: &str, score: &str, version: [u32; 3], trees: Value| {
        let mut file = file(objective, trees);
        file["learner"]["learner_model_param"]["base_score"] = json!(score);
        file["version"] = json!(version);
        run(&file, &[[0.0, 0.0]])
    };
    let one = |value: f32| Tensor::f32([1], vec![value]);
    for score in ["[2E0]", "2E0", "2.000000", "(2)", " [ 2 ] "] {
        assert_eq!(of("reg:squarederror", score, [3, 2, 0], json!([stump()])), one(3.0), "{score}");
    }
    assert_eq!(of("count:poisson", "1", [1, 0, 0], json!([])), one(1.0));
    // What was never estimated is a margin as it stands, since 3.1.
    assert_eq!(of("binary:logistic", "5E-1", [3, 0, 0], json!([])), one(0.5));
    assert_eq!(of("binary:logistic", "[0E0]", [3, 1, 0], json!([])), one(0.5));
}

#[test]
fn what_is_not_computed_is_named_altogether() {
    let mut file = file("reg:magic", json!([stump()]));
    file["version"] = json!([3, 5, 0]);
    file["learner"]["gradient_booster"]["model"]["trees"][0]["tree_param"]["size_leaf_vector"] = json!("2");
    let text = "unsupported operators: xgboost:3.5: files of this version are not known; \
                xgboost:multi_output_tree: leaves with more than one value; \
                xgboost:reg:magic: this objective is not known";
    assert_eq!(refusal(&file), text);
    let mut linear = squared();
    linear["learner"]["gradient_booster"] =
        json!({ "name": "gblinear", "model": { "weights": [0.5, 0.5, 0.5], "boosted_rounds": 1 } });
    assert_eq!(refusal(&linear), "unsupported operators: xgboost:gblinear: this booster is not known");
}

#[test]
fn a_file_that_contradicts_itself_is_refused() {
    let tree = |key: &str, value: Value| {
        let mut file = squared();
        file["learner"]["gradient_booster"]["model"]["trees"][0][key] = value;
        refusal(&file)
    };
    let invalid = |text: &str| format!("invalid model: {text}");
    let trees = |text: &str| invalid(&format!("node `trees` (Trees): {text}"));
    assert_eq!(tree("left_children", json!([0, -1, -1])), trees("tree 0: node 0 is its own ancestor"));
    let mut cycle = squared();
    let nodes = &mut cycle["learner"]["gradient_booster"]["model"]["trees"][0];
    (nodes["left_children"], nodes["right_children"]) = (json!([1, 2, -1]), json!([2, 0, -1]));
    assert_eq!(refusal(&cycle), trees("tree 0: node 0 is its own ancestor"));
    let absent = tree("right_children", json!([7, -1, -1]));
    assert_eq!(absent, trees("tree 0: node 7 doesn't exist (the tree has 3)"));
    let negative = tree("right_children", json!([-5, -1, -1]));
    assert_eq!(negative, invalid("tree 0, node 0: -5 is no child"));
    let column = tree("split_indices", json!([2, 0, 0]));
    assert_eq!(column, invalid("tree 0, node 0: it compares column 2 of 2"));
    let short = tree("split_conditions", json!([0.5, 1.0]));
    assert_eq!(short, invalid("tree 0: `split_conditions` has 2 entries for 3 nodes"));
    let none = tree("left_children", json!([]));
    assert_eq!(none, invalid("tree 0: `right_children` has 3 entries for 0 nodes"));
    assert_eq!(tree("id", json!(4)), invalid("tree 0: its `id` is not its place in the list"));
    let kind = tree("split_type", json!([2, 0, 0]));
    assert_eq!(kind, invalid("tree 0, node 0: it splits in a way that is not known: 2"));
    let without = tree("split_type", json!([1, 0, 0]));
    assert_eq!(without, invalid("tree 0, node 0: it splits by category and has none"));
    let more = tree("categories_nodes", json!([0]));
    assert_eq!(more, invalid("tree 0: 1 nodes have 0 and 0 lists of categories"));

    let model = |key: &str, value: Value| {
        let mut file = squared();
        file["learner"]["gradient_booster"]["model"][key] = value;
        refusal(&file)
    };
    assert_eq!(model("tree_info", json!([1])), invalid("tree 0: it is for target 1 of 1"));
    assert_eq!(model("tree_info", json!([0, 0])), invalid("`tree_info`: it has 2 entries for 1 trees"));
    assert_eq!(
        model("weight_drop", json!([1.0, 0.5])),
        invalid("`weight_drop`: it has 2 entries for 1 trees")
    );

    let parameter = |key: &str, value: &str| {
        let mut file = file("binary:logistic", json!([stump()]));
        file["learner"]["learner_model_param"][key] = json!(value);
        refusal(&file)
    };
    assert_eq!(parameter("base_score", "[1E0,x]"), invalid("`base_score`: `x` is no number"));
    assert_eq!(parameter("base_score", "1.5"), invalid("`base_score`: `1.5` does not fit the objective"));
    assert_eq!(parameter("base_score", "[NaN]"), invalid("`base_score`: `[NaN]` does not fit the objective"));
    assert_eq!(parameter("base_score", "[0,0]"), invalid("`base_score`: there are 2 for 1 targets"));
    assert_eq!(parameter("num_feature", "-1"), invalid("`num_feature`: `-1` is no number"));
    assert_eq!(parameter("num_feature", "0"), invalid("`num_feature`: a row has no columns"));
    assert_eq!(parameter("num_feature", "3"), invalid("`feature_names`: there are 2 for 3 columns"));
    let classes = parameter("num_class", "4294967295");
    assert_eq!(classes, "the number of classes or targets is 4294967295, over the limit of 65536");
}

#[test]
fn categories_that_do_not_fit_are_refused() {
    let of = |categories: Value, begins: Value, sizes: Value| {
        let mut file = squared();
        let tree = &mut file["learner"]["gradient_booster"]["model"]["trees"][0];
        tree["split_type"] = json!([1, 0, 0]);
        tree["categories_nodes"] = json!([0, 1]);
        tree["categories"] = categories;
        tree["categories_segments"] = begins;
        tree["categories_sizes"] = sizes;
        refusal(&file)
    };
    let invalid = |text: &str| format!("invalid model: tree 0: {text}");
    let overlap = of(json!([1, 2]), json!([0, 0]), json!([2, 2]));
    assert_eq!(overlap, invalid("its nodes have more categories than the 2 of the tree"));
    assert_eq!(of(json!([1, 2]), json!([2, 0]), json!([1, 1])), invalid("it has no 1 categories from 2 on"));
    assert_eq!(
        of(json!([1, 2]), json!([-1, 0]), json!([1, 1])),
        invalid("it has no 1 categories from -1 on")
    );
    assert_eq!(of(json!([-1, 2]), json!([0, 1]), json!([1, 1])), invalid("-1 is no category"));
    let negative = of(json!([1, 2]), json!([0, 1]), json!([-1, 1]));
    assert_eq!(negative, invalid("its nodes have more categories than the 2 of the tree"));
}

#[test]
fn what_is_no_model_is_refused_by_name() {
    let of = |bytes: &[u8]| load(bytes).expect_err("it is refused").to_string();
    let starts = "not a readable XGBoost model: ";
    assert_eq!(of(b""), format!("{starts}the file is empty"));
    assert_eq!(of(b" \n"), format!("{starts}the file is empty"));
    assert!(of(b"[{\"nodeid\":0}]").starts_with(&format!("{starts}it is a list: a dump")));
    for bytes in [&b"\x80\x04pickle"[..], b"binf\0\0", b"tree\nversion=v4\n"] {
        assert!(of(bytes).starts_with(&format!("{starts}it is neither JSON nor UBJSON")), "{bytes:?}");
    }
    assert_eq!(of(b"{}"), format!("{starts}missing field `version` at line 1 column 2"));
    let mut file = squared();
    file["learner"]["gradient_booster"]["model"]["secret"] = json!(1);
    let [json, ubjson] = forms(&file).map(|bytes| of(&bytes));
    assert!(json.starts_with(&format!("{starts}unknown field `secret`")) && json.contains("line 1 column"));
    assert!(ubjson.starts_with(&format!("{starts}unknown field `secret`")) && ubjson.contains(" at byte "));
    file = squared();
    file["learner"]["gradient_booster"]["model"]["trees"][0]["split_indices"] = json!(["x"]);
    let [json, ubjson] = forms(&file).map(|bytes| of(&bytes));
    let text = format!("{starts}invalid type: string \"x\", expected i64 at ");
    assert!(json.starts_with(&text) && ubjson.starts_with(&text), "{json}, {ubjson}");
    let noise: Vec<u8> = (0..4096_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for first in [&b"{\""[..], b"{L", b"{ "] {
        assert!(matches!(load(&[first, &noise].concat()), Err(Error::Decode { .. })));
    }
}

#[test]
fn nesting_and_claims_are_refused_before_memory_is_taken() {
    let of = |bytes: &[u8]| load(bytes).expect_err("it is refused").to_string();
    let starts = "not a readable XGBoost model: ";
    let deep = format!("{{\"version\":{}", "[".repeat(10_000));
    assert_eq!(of(deep.as_bytes()), format!("{starts}it is nested deeper than 32 levels at byte 42"));
    let key = |key: &str| [&b"L"[..], &(key.len() as i64).to_be_bytes(), key.as_bytes()].concat();
    let deep = [&b"{"[..], &key("learner"), b"{", &key("feature_types"), &[b'['; 10_000]].concat();
    assert_eq!(of(&deep), format!("{starts}it is nested deeper than 32 levels at byte 71"));
    let begin = [&b"{"[..], &key("learner"), b"{", &key("feature_names")].concat();
    let claim = |kind: &[u8], count: i64| of(&[&begin[..], kind, &count.to_be_bytes()].concat());
    let text = "an array of 2147483648 elements, of 4 bytes each or more, is said to follow, and 0 bytes do at byte 53";
    assert_eq!(claim(b"[$d#L", 1 << 31), format!("{starts}{text}"));
    assert!(claim(b"[#L", i64::MAX).contains("an array of 9223372036854775807 elements"));
    assert_eq!(claim(b"[#L", -1), format!("{starts}the length -1 is no length at byte 51"));
    assert_eq!(claim(b"[$Z#L", 1), format!("{starts}an array of elements `Z` is not known at byte 43"));
    let claim = claim(b"[#L\0\0\0\0\0\0\0\x01SL", 1 << 40);
    assert!(claim.contains("the length of a string in bytes is 1099511627776, over the limit of"), "{claim}");
    let over = |limits| {
        let options = Options { limits, ..Options::default() };
        for bytes in forms(&squared()) {
            let error =
                Model::load(&bytes, Format::Xgboost, &options).expect_err("over the limit").to_string();
            assert!(error.contains(", over the limit of ") || error.contains("; the most is "), "{error}");
        }
    };
    let all = Limits::default();
    over(Limits { bytes: 100, ..all });
    over(Limits { parameters: 10, ..all });
    over(Limits { texts: 10, ..all });
    over(Limits { text: 10, ..all });
    over(Limits { elements: 2, ..all });
}

#[test]
fn a_file_cut_or_changed_anywhere_never_panics() {
    let mut file = file("binary:logistic", json!([stump()]));
    let tree = &mut file["learner"]["gradient_booster"]["model"]["trees"][0];
    tree["split_type"] = json!([1, 0, 0]);
    tree["categories"] = json!([1, 3]);
    tree["categories_nodes"] = json!([0]);
    tree["categories_segments"] = json!([0]);
    tree["categories_sizes"] = json!([2]);
    let row = Tensor::f32([1, 2], vec![3.0, f32::NAN]);
    for mut bytes in forms(&file) {
        load(&bytes).expect("whole, it loads");
        for length in 0..bytes.len() {
            assert!(load(&bytes[..length]).is_err(), "{length} bytes");
        }
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
}
