//! ONNX Runtime in this process, one thread, through its C API.

use std::path::Path;
use std::sync::OnceLock;

use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;

/// A loaded model with one input of `features` columns of `f32`.
pub(crate) struct OnnxRuntime {
    session: Session,
    features: i64,
    output: String,
}

impl OnnxRuntime {
    /// Loads `model`; `output` is the output that is read, of `f32`.
    pub(crate) fn load(model: &Path, features: usize, output: &str) -> Self {
        let session = open(model).unwrap_or_else(|error| panic!("{}: {error}", model.display()));
        let features = i64::try_from(features).expect("few");
        Self { session, features, output: output.to_owned() }
    }

    /// Runs the model over `rows`, row after row, and hands the output's elements to `read`.
    pub(crate) fn run<T>(&mut self, rows: &[f32], read: impl FnOnce(&[f32]) -> T) -> T {
        let count = i64::try_from(rows.len()).expect("fits") / self.features;
        let input = TensorRef::from_array_view(([count, self.features], rows)).expect("as long as its shape");
        let outputs = self.session.run(ort::inputs![input]).expect("the model runs");
        read(outputs[self.output.as_str()].try_extract_tensor::<f32>().expect("f32").1)
    }
}

/// The process's one environment.
fn environment() -> &'static Environment {
    static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let library = super::python::onnx_runtime_library();
        ort::init_from(library).expect("the library loads").build().expect("an environment")
    })
}

fn open(model: &Path) -> ort::Result<Session> {
    Session::builder(environment())?.with_intra_threads(1)?.with_inter_threads(1)?.commit_from_file(model)
}
