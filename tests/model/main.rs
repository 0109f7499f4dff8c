//! Models as their libraries export them: the engine gives what the libraries predict.
//!
//! The fixtures are a part of what `exports.py` writes, and in `native` of what `natives.py` writes; run them for all. Those
//! of burn (`burn_*`) are written by the program `layers` of models/digits-burn/train.

#[cfg(feature = "gpu")]
mod gpu;

use std::path::{Path, PathBuf};

use embergrid::model::{
    Backend, DType, Data, Dim, Error, Format, Labels, Limits, Model, Options, Port, Tensor, TensorView,
    golden::{Tolerance, read_file, verify_dirs},
};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/model/fixtures")
}

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models")
}

fn bytes(name: &str) -> Vec<u8> {
    read_file(&fixtures().join(name).join("model.onnx"), 1 << 20).expect("a fixture")
}

fn load(bytes: &[u8]) -> Result<Model, Error> {
    Model::load(bytes, Format::Onnx, &Options::default())
}

#[test]
fn every_export_gives_what_its_library_predicts() {
    for &backend in Backend::ALL {
        // With no loops of our own everything goes through the backend.
        for loop_elements in [Options::default().loop_elements, 0] {
            let options = Options { backend, loop_elements, ..Options::default() };
            let tolerance = Tolerance { rtol: 1e-5, atol: 1e-5 };
            let report = verify_dirs(&[fixtures()], tolerance, &options).expect("fixtures");
            let failed: Vec<_> = report.cases.iter().filter(|case| !case.message.is_empty()).collect();
            assert!(report.all_ok(), "{backend}, loops up to {loop_elements}: {failed:#?}");
            assert_eq!(report.ok, 66);
        }
    }
}

#[test]
fn files_of_xgboost_and_lightgbm_give_what_their_libraries_predict() {
    for &backend in Backend::ALL {
        let options = Options { backend, ..Options::default() };
        // Where the exponential is that of the machine on which they were trained, they are equal to the bit.
        let tolerance = Tolerance { rtol: 1e-6, atol: 1e-6 };
        let report = verify_dirs(&[fixtures().join("native")], tolerance, &options).expect("fixtures");
        assert!(report.all_ok(), "{backend}: {:#?}", report.cases);
        assert_eq!(report.ok, 16);
    }
}

#[test]
fn a_native_file_cut_or_changed_anywhere_never_panics() {
    for (name, file) in
        [("xgb_partitions_ubj", "model.ubj"), ("xgb_names", "model.json"), ("lgb_zeros", "model.txt")]
    {
        let mut bytes =
            read_file(&fixtures().join("native").join(name).join(file), 1 << 20).expect("a fixture");
        let format = Format::of(file.as_ref());
        let load = |bytes: &[u8]| Model::load(bytes, format, &Options::default());
        for length in (0..bytes.len()).step_by(13) {
            let error = load(&bytes[..length]).err();
            assert!(!matches!(error, Some(Error::Panic { .. })), "{name}, {length} bytes: {error:?}");
        }
        for at in (0..bytes.len()).step_by(7) {
            let byte = bytes[at];
            bytes[at] = byte.wrapping_add(1 + (at % 255) as u8);
            if let Ok(model) = load(&bytes)
                && let [_, Dim::Fixed(columns)] = model.inputs()[0].shape[..]
                && columns < 100
            {
                let (narrow, wide) = (vec![0.5; columns], vec![0.5; columns]);
                let shape = &[1, columns];
                let row = match format {
                    Format::Xgboost => TensorView::F32 { shape, data: &narrow },
                    _ => TensorView::F64 { shape, data: &wide },
                };
                let result = model.run(&[row]);
                assert!(!matches!(result, Err(Error::Panic { .. })), "{name}, byte {at}: {result:?}");
            }
            bytes[at] = byte;
        }
    }
}

#[test]
fn the_bundled_models_reproduce_their_golden_samples() {
    let tolerance = Tolerance { rtol: 1e-5, atol: 1e-5 };
    for &backend in Backend::ALL {
        let options = Options { backend, ..Options::default() };
        let report = verify_dirs(&[models()], tolerance, &options).expect("models");
        assert!(report.all_ok(), "{backend}: {:#?}", report.cases);
        assert_eq!(report.ok, 4);
    }
}

#[test]
fn a_classifiers_port_names_its_classes() {
    let model = load(&bytes("logistic_strings")).expect("it loads");
    let names: Vec<&str> = model.outputs().iter().map(|port| port.name.as_str()).collect();
    assert_eq!(names, ["output_label", "output_probability"]);
    let classes = ["setosa", "versicolor", "virginica"].map(str::to_owned).to_vec();
    assert_eq!(model.outputs()[1].labels, Some(Labels::Strings(classes)));
    assert_eq!(model.inputs()[0].shape, [Dim::Unknown, Dim::Fixed(4)]);
}

#[test]
fn a_tensor_that_does_not_fit_is_named_with_what_is_expected() {
    let model = load(&bytes("logistic")).expect("it loads");
    let error =
        model.run(&[TensorView::F32 { shape: &[1, 3], data: &[0.0; 3] }]).expect_err("3 of 30 columns");
    assert_eq!(error.to_string(), "input `X`: expected f32 [?, 30], given f32 [1, 3]");
    let error = model.run(&[TensorView::F64 { shape: &[1, 30], data: &[0.0; 30] }]).expect_err("64 bits");
    assert_eq!(error.to_string(), "input `X`: expected f32 [?, 30], given f64 [1, 30]");
}

#[test]
fn no_rows_give_no_scores() {
    for &backend in Backend::ALL {
        for name in
            ["logistic", "mlp_binary", "xgb_multiclass", "bayes", "torch_mlp", "svc_probability", "knn"]
        {
            let model = Model::load(&bytes(name), Format::Onnx, &Options { backend, ..Options::default() })
                .expect("it loads");
            let Dim::Fixed(columns) = model.inputs()[0].shape[1] else { panic!("{name} has no width") };
            let outputs = model.run(&[TensorView::F32 { shape: &[0, columns], data: &[] }]);
            let outputs = outputs.unwrap_or_else(|error| panic!("{name} on {backend}: {error}"));
            assert!(outputs.iter().all(|output| output.data.is_empty()), "{name}: {outputs:?}");
        }
    }
}

#[test]
fn models_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Model>();
}

#[test]
fn a_file_cut_anywhere_is_refused_and_never_panics() {
    let whole = bytes("logistic");
    for length in 0..whole.len() {
        let error = load(&whole[..length]).err();
        assert!(!matches!(error, Some(Error::Panic { .. })), "{length} bytes: {error:?}");
    }
    let error = load(&whole[..whole.len() / 2]).expect_err("half a file");
    let text =
        "not a readable ONNX model: the file ends in the middle of a field: it is truncated or no ONNX file";
    assert_eq!(error.to_string(), text);
}

/// One row of each input, if they are no larger than those of the fixtures.
fn one_row(model: &Model) -> Option<Vec<Tensor>> {
    let size = |dim: &Dim| match dim {
        Dim::Fixed(size) => (*size < 100).then_some(*size),
        Dim::Named(_) | Dim::Unknown => Some(1),
    };
    let row = |port: &Port| {
        let shape: Vec<usize> = port.shape.iter().map(size).collect::<Option<_>>()?;
        let count = shape.iter().product();
        let data = match port.dtype {
            DType::F32 => Data::F32(vec![0.5; count]),
            DType::F64 => Data::F64(vec![0.5; count]),
            DType::I64 => Data::I64(vec![1; count]),
            DType::Str => Data::Str(vec!["the box".to_owned(); count]),
            _ => return None,
        };
        Some(Tensor { shape, data })
    };
    model.inputs().iter().map(row).collect()
}

#[test]
fn a_file_with_any_byte_changed_never_panics() {
    let names = [
        "logistic",
        "two_inputs",
        "tree_multiclass",
        "knn",
        "lgbm_sets",
        "svc_probability",
        "frame_logistic",
        "text_pairs",
    ];
    for name in names {
        let mut bytes = bytes(name);
        for at in 0..bytes.len() {
            let byte = bytes[at];
            bytes[at] = byte.wrapping_add(1 + (at % 255) as u8);
            if let Ok(model) = load(&bytes)
                && let Some(row) = one_row(&model)
            {
                let result = model.run(&row.iter().map(Tensor::view).collect::<Vec<_>>());
                assert!(!matches!(result, Err(Error::Panic { .. })), "{name}, byte {at}: {result:?}");
            }
            bytes[at] = byte;
        }
    }
}

#[test]
fn what_is_no_model_is_refused_by_name() {
    let error = load(&[]).expect_err("no bytes");
    assert_eq!(error.to_string(), "not a readable ONNX model: the file is empty");
    let noise: Vec<u8> = (0..4096_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert!(matches!(load(&noise), Err(Error::Decode { .. })));
    let text = load(b"\x08\x08").expect_err("no graph");
    assert_eq!(
        text.to_string(),
        "not a readable ONNX model: it holds no graph: it is no ONNX file, or an empty one"
    );
    let limits = Limits { bytes: 100, ..Limits::default() };
    let error = Model::load(&bytes("logistic"), Format::Onnx, &Options { limits, ..Options::default() })
        .expect_err("too long");
    assert!(matches!(error, Error::Limit { limit: 100, .. }));
}
