//! ONNX Runtime in this process, one thread, through its C API.

use std::path::Path;
use std::sync::OnceLock;

use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;

/// A loaded model with one input of `f32`.
pub(crate) struct OnnxRuntime {
    session: Session,
    /// The shape of a row.
    row: Vec<i64>,
    output: String,
}

impl OnnxRuntime {
    /// Loads `model`, whose rows have the shape `row`; `output` is the output that is read, of `f32`.
    pub(crate) fn load(model: &Path, row: &[usize], output: &str) -> Self {
        let session = open(model).unwrap_or_else(|error| panic!("{}: {error}", model.display()));
        let row = row.iter().map(|size| i64::try_from(*size).expect("few")).collect();
        Self { session, row, output: output.to_owned() }
    }

    /// Runs the model over `rows`, row after row, and hands the output's elements to `read`.
    pub(crate) fn run<T>(&mut self, rows: &[f32], read: impl FnOnce(&[f32]) -> T) -> T {
        let count = i64::try_from(rows.len()).expect("fits") / self.row.iter().product::<i64>();
        let shape = [&[count], &self.row[..]].concat();
        let input = TensorRef::from_array_view((shape, rows)).expect("as long as its shape");
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
