//! Files by hand: what they give, and how each that contradicts itself is refused.

use super::super::{Data, Error, Format, Labels, Limits, Model, Options, Tensor};

const HEADER: &str = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\n\
    objective=regression\nfeature_names=a b\nfeature_infos=[0:1] 1:2:3\n";

/// On the first column at 0.5 with NaN left, and then on the categories {1, 33} of the second.
const TREE: &str = "num_leaves=3\nnum_cat=1\nsplit_feature=0 1\nsplit_gain=1 1\nthreshold=0.5 0\ndecision_type=10 1\n\
    left_child=-1 -2\nright_child=1 -3\nleaf_value=1 10 100\nleaf_weight=1 1 1\nleaf_count=1 1 1\ninternal_value=0 0\n\
    internal_weight=0 0\ninternal_count=3 2\ncat_boundaries=0 2\ncat_threshold=2 2\nis_linear=0\nshrinkage=0.1\n";

const END: &str = "end of trees\n\nfeature_importances:\na=1\n\nparameters:\n[boosting: gbdt]\nend of parameters\n\n\
    pandas_categorical:null\n";

fn file(header: &str, trees: &[&str]) -> String {
    let sizes: Vec<&str> = trees.iter().map(|_| "1").collect();
    let trees: String = trees.iter().enumerate().map(|(at, tree)| format!("Tree={at}\n{tree}\n\n")).collect();
    format!("{header}tree_sizes={}\n\n{trees}{END}", sizes.join(" "))
}

fn whole() -> String {
    file(HEADER, &[TREE])
}

fn load(text: &str) -> Result<Model, Error> {
    Model::load(text.as_bytes(), Format::Lightgbm, &Options::default())
}

fn refusal(text: &str) -> String {
    load(text).expect_err("it is refused").to_string()
}

/// What a file's model gives for rows of two columns.
fn run(text: &str, rows: &[[f64; 2]]) -> Tensor {
    let rows = Tensor::new([rows.len(), 2], Data::F64(rows.concat()));
    load(text).expect("it loads").run(&[rows.view()]).expect("it runs").remove(0)
}

fn given(values: &[f64]) -> Tensor {
    Tensor::new([values.len()], Data::F64(values.to_vec()))
}

#[test]
fn a_tree_sends_each_value_where_lightgbm_does() {
    let rows = [0.5, 0.5_f64.next_up(), f64::NAN, f64::NEG_INFINITY].map(|value| [value, 7.0]);
    assert_eq!(run(&whole(), &rows), given(&[1.0, 100.0, 1.0, 1.0]));
    let inside = [1.0, 1.99, 33.0].map(|value| [1.0, value]);
    assert_eq!(run(&whole(), &inside), given(&[10.0; 3]));
    let outside = [0.0, -1.0, 2.0, 32.999, 34.0, 1e10, 4_294_967_297.0, f64::NAN, f64::INFINITY];
    assert_eq!(run(&whole(), &outside.map(|value| [1.0, value])), given(&[100.0; 9]));
    // The same file as Windows has it.
    assert_eq!(run(&whole().replace('\n', "\r\n"), &inside), given(&[10.0; 3]));
}

#[test]
fn each_split_says_what_is_missing() {
    let of = |decision: &str, threshold: &str| {
        let tree =
            TREE.replace("=10 1", &format!("={decision} 1")).replace("=0.5 0", &format!("={threshold} 0"));
        let values = [-1.0, -1e-35_f32 as f64, 0.0, 1e-35_f32 as f64, 1.0, f64::NAN];
        let rows = values.map(|value| [value, 7.0]);
        match run(&file(HEADER, &[&tree]), &rows).data {
            Data::F64(values) => {
                values.iter().map(|value| if *value == 1.0 { 'l' } else { 'r' }).collect::<String>()
            }
            other => panic!("{other:?}"),
        }
    };
    // Nothing; zero, by default left and right; NaN, by default left and right.
    assert_eq!(
        ["0", "6", "4", "10", "8"].map(|decision| of(decision, "0.5")),
        ["llllrl", "llllrl", "lrrrrr", "llllrl", "llllrr"]
    );
    assert_eq!(
        ["0", "6", "4", "10", "8"].map(|decision| of(decision, "-0.5")),
        ["lrrrrr", "llllrl", "lrrrrr", "lrrrrl", "lrrrrr"]
    );
    assert_eq!(["2", "0"].map(|decision| of(decision, "-1.0000000180025095e-35")), ["lrrrrr"; 2]);
}

#[test]
fn classes_are_averaged_and_named() {
    let header = HEADER.replace("num_class=1", "num_class=2").replace("iteration=1", "iteration=2");
    let header = header.replace("=regression", "=multiclassova num_class:2 sigmoid:2") + "average_output\n";
    let leaf =
        |value: &str| format!("num_leaves=1\nnum_cat=0\nleaf_value={value}\nis_linear=0\nshrinkage=1\n");
    let trees = ["0", "3", "1", "-3"].map(leaf);
    let text = file(&header, &trees.each_ref().map(String::as_str));
    let model = load(&text).expect("it loads");
    assert_eq!(model.outputs()[0].labels, Some(Labels::Ints(vec![0, 1])));
    assert_eq!(model.outputs()[0].text(), "f64 [N, 2]");
    assert_eq!(model.summary().features, ["a", "b"]);
    assert!(model.summary().operators.keys().eq(["lightgbm:multiclassova", "lightgbm:tree"]));
    let expected = vec![1.0 / (1.0 + (-1.0_f64).exp()), 0.5];
    assert_eq!(run(&text, &[[0.0, 0.0]]), Tensor::new([1, 2], Data::F64(expected)));
}

#[test]
fn what_is_not_computed_is_named() {
    let linear = whole().replace("is_linear=0", "is_linear=1");
    let text = "unsupported operators: lightgbm:linear_tree: leaves that are functions of the features";
    assert_eq!(refusal(&linear), text);
    let objective = whole().replace("=regression", "=magic alpha:2");
    assert_eq!(refusal(&objective), "unsupported operators: lightgbm:magic: this objective is not known");
    let version = whole().replace("=v4", "=v9");
    assert_eq!(refusal(&version), "unsupported operators: lightgbm:v9: files of this version are not known");
}

#[test]
fn each_malformed_line_is_named_by_its_number_and_key() {
    let invalid = |text: &str| format!("invalid model: {text}");
    for (from, to, text) in [
        ("num_class=1", "num_class=x", "line 3, `num_class`: `x` is no whole number of 32 bits"),
        ("num_class=1", "num_class=2", "line 3, `num_class`: there are 1 trees for each iteration"),
        ("max_feature_idx=1", "max_feature_idx=2", "line 8, `feature_names`: there are 2 for 3 columns"),
        ("=regression", "=binary", "line 7, `objective`: `sigmoid` is missing"),
        ("=regression", "=binary sigmoid:0", "line 7, `objective`: `sigmoid` is no positive number"),
        ("=regression", "=multiclass num_class:3", "line 3, `num_class`: the objective is for 3"),
        ("label_index=0", "label=0", "line 5, `label`: the key is not known"),
        ("num_cat=1", "num_leaves=2", "line 14, `num_leaves`: it is given twice"),
        ("Tree=0", "Tree=1", "line 12, `Tree`: it is tree 0 of the file"),
        ("tree_sizes=1", "tree_sizes=1 1", "`tree_sizes`: it is of 2 trees, and there are 1"),
        ("num_leaves=3\n", "", "line 12: no `num_leaves` follows"),
        ("num_leaves=3", "num_leaves=4", "line 21, `leaf_value`: it has 3 numbers, not 4"),
        ("num_leaves=3", "num_leaves=4294967295", "line 21, `leaf_value`: it has 3 numbers, not 4294967295"),
        ("num_leaves=3", "num_leaves=0", "line 13, `num_leaves`: a tree has a leaf"),
        ("split_feature=0 1", "split_feature=0 2", "line 15, `split_feature`: there is no column 2 of 2"),
        (
            "split_feature=0 1",
            "split_feature=0 -1",
            "line 15, `split_feature`: `-1` is no whole number of 32 bits",
        ),
        ("threshold=0.5 0", "threshold=0.5 1", "line 17, `threshold`: there is no set 1 of 1"),
        ("threshold=0.5 0", "threshold=0.5 0.5", "line 17, `threshold`: there is no set 0.5 of 1"),
        ("threshold=0.5 0", "threshold=nan 0", "line 17, `threshold`: a threshold is NaN"),
        ("threshold=0.5 0", "threshold=0,5 0", "line 17, `threshold`: `0,5` is no number"),
        ("decision_type=10 1", "decision_type=14 1", "line 18, `decision_type`: 14 is not known"),
        ("left_child=-1 -2", "left_child=-1 2", "line 19, `left_child`: there is no node 2 among 2 splits"),
        ("left_child=-1 -2", "left_child=-1 -4", "line 19, `left_child`: there is no node -4 among 2 splits"),
        ("left_child=-1 -2", "left_child=-1", "line 19, `left_child`: it has 1 numbers, not 2"),
        ("right_child=1 -3", "right_child=0 -3", "node `trees` (Trees): tree 0: node 0 is its own ancestor"),
        ("leaf_value=1 10", "leaf_value=nan 10", "node `trees` (Trees): tree 0: a weight is NaN"),
        (
            "cat_boundaries=0 2",
            "cat_boundaries=0 3",
            "line 27, `cat_boundaries`: it does not lead from 0 to the 2 words",
        ),
        (
            "cat_threshold=2 2",
            "cat_threshold=2 -2",
            "line 28, `cat_threshold`: `-2` is no whole number of 32 bits",
        ),
        ("num_cat=1", "num_cat=2", "line 27, `cat_boundaries`: it has 2 numbers, not 3"),
    ] {
        let changed = whole().replacen(from, to, 1);
        assert_ne!(changed, whole(), "{from}");
        assert_eq!(refusal(&changed), invalid(text), "{from} -> {to}");
    }
    let backwards = whole().replace("num_cat=1", "num_cat=2").replace("=0 2\n", "=0 3 2\n");
    assert_eq!(refusal(&backwards), invalid("line 27, `cat_boundaries`: it is not increasing"));
    let long = whole().replace("threshold=0.5", &format!("threshold={}", "9x".repeat(1000)));
    assert_eq!(
        refusal(&long),
        invalid(&format!("line 17, `threshold`: `{}…` is no number", "9x".repeat(20)))
    );
}

#[test]
fn what_is_no_model_is_refused_by_name() {
    let starts = "not a readable LightGBM model: ";
    assert_eq!(refusal(""), format!("{starts}the file is empty"));
    assert_eq!(refusal("\n\n"), format!("{starts}the file is empty"));
    assert_eq!(refusal("{\"name\": \"tree\"}"), format!("{starts}its first line is not `tree`"));
    let text = "it ends at line 12, before `end of trees`: it is truncated or no LightGBM file";
    assert_eq!(refusal(&whole()[..whole().find("num_leaves").unwrap_or(0)]), format!("{starts}{text}"));
    let error = Model::load(b"tree\nversion=\xff\n", Format::Lightgbm, &Options::default());
    assert_eq!(error.expect_err("it is refused").to_string(), format!("{starts}line 2 is not UTF-8"));
    let noise: Vec<u8> = (0..4096_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert!(matches!(Model::load(&noise, Format::Lightgbm, &Options::default()), Err(Error::Decode { .. })));
}

#[test]
fn what_is_over_a_limit_is_refused() {
    let over = |text: &str, limits| {
        let options = Options { limits, ..Options::default() };
        Model::load(text.as_bytes(), Format::Lightgbm, &options).expect_err("over the limit").to_string()
    };
    let all = Limits::default();
    let text = over(&whole(), Limits { bytes: 100, ..all });
    assert!(text.starts_with("the file's length in bytes is "), "{text}");
    let text = over(&whole(), Limits { parameters: 12, ..all });
    assert_eq!(text, "the number of numbers in lists is 13, over the limit of 12");
    assert_eq!(
        over(&whole(), Limits { texts: 1, ..all }),
        "the number of features is 2, over the limit of 1"
    );
    // Every other bit: a set with as many edges as categories.
    let bits = whole().replace("cat_threshold=2 2", "cat_threshold=1431655765 1431655765");
    let text = over(&bits, Limits { elements: 63, ..all });
    assert_eq!(text, "the number of edges of sets of categories is 64, over the limit of 63");
    let many = whole().replace("num_class=1", "num_class=70000").replace("iteration=1", "iteration=70000");
    assert_eq!(refusal(&many), "the number of trees of an iteration is 70000, over the limit of 65536");
}

#[test]
fn a_file_cut_or_changed_anywhere_never_panics() {
    let whole = whole();
    let row = Tensor::new([1, 2], Data::F64(vec![0.7, f64::NAN]));
    let end = whole.find("end of trees").expect("it has an end");
    for length in 0..end {
        assert!(load(&whole[..length]).is_err(), "{length} bytes");
    }
    let mut bytes = whole.into_bytes();
    for at in 0..end {
        let byte = bytes[at];
        for by in [1, 3, 0x10, 0x80] {
            bytes[at] = byte.wrapping_add(by);
            let model = Model::load(&bytes, Format::Lightgbm, &Options::default());
            let result = model.and_then(|model| model.run(&[row.view()]));
            assert!(!matches!(result, Err(Error::Panic { .. })), "byte {at} + {by}: {result:?}");
        }
        bytes[at] = byte;
    }
}
