//! The strongest of what can be built from Redis and ONNX Runtime: both in one Rust process, the client pipelining across
//! its callers, each row (or batch) scored by one call and written by one HSET a row.

use std::cell::RefCell;
use std::rc::Rc;

use super::Load;
use super::harness::{Payments, onnx_runtime::OnnxRuntime, pipelining};

/// How a row lies in its hash.
#[derive(Clone, Copy)]
pub(crate) enum Layout {
    /// A field a feature, as text, readable one by one.
    Fields,
    /// All features in one field, as bytes: the least that Redis can be asked to keep.
    Packed,
}

/// The model and the rows, in memory.
pub(crate) struct Scorer(Rc<Loaded>);

struct Loaded {
    model: RefCell<OnnxRuntime>,
    names: Vec<String>,
    keys: Vec<String>,
    features: Vec<f32>,
}

impl Scorer {
    /// Loads the model and reads the rows.
    pub(crate) fn load(payments: &Payments) -> Self {
        let mut reader = csv::Reader::from_path(&payments.rows).expect("a file");
        let header = reader.headers().expect("a header").clone();
        let column = |name: &str| header.iter().position(|column| column == name).expect(name);
        let (key, columns) =
            (column("id"), payments.features.iter().map(|name| column(name)).collect::<Vec<_>>());
        let (mut keys, mut features) = (Vec::new(), Vec::new());
        for record in reader.records() {
            let record = record.expect("a row");
            keys.push(record[key].to_owned());
            features.extend(columns.iter().map(|at| number(&record[*at])));
        }
        let names = payments.features.clone();
        let model = RefCell::new(OnnxRuntime::load(&payments.model, names.len(), &payments.output));
        Self(Rc::new(Loaded { model, names, keys, features }))
    }

    /// Runs one load: rows a second, p50 and p99 of a call in microseconds.
    pub(crate) fn run(&self, port: u16, load: Load, layout: Layout) -> Vec<f64> {
        let loaded = self.0.clone();
        let Load { callers, batch, requests } = load;
        let load = pipelining::Load { callers, batch, requests };
        let outcome = pipelining::run(port, load, async move |connection, first| {
            let rows = loaded.keys.len() - batch + 1;
            let first = usize::try_from(first).expect("fits") % rows;
            let pipeline = loaded.score(first, batch, layout);
            let () = pipeline.query_async(connection).await.expect("redis-server answers");
        });
        vec![outcome.ops_per_s, outcome.p50_us, outcome.p99_us]
    }
}

impl Loaded {
    fn score(&self, first: usize, batch: usize, layout: Layout) -> redis::Pipeline {
        let width = self.names.len();
        let matrix = &self.features[first * width..(first + batch) * width];
        self.model.borrow_mut().run(matrix, |scores| {
            let mut pipeline = redis::Pipeline::with_capacity(batch);
            let elements = scores.len() / batch;
            for row in 0..batch {
                let features = &matrix[row * width..(row + 1) * width];
                let hset = pipeline.cmd("HSET").arg(&self.keys[first + row]);
                match layout {
                    Layout::Fields => self.names.iter().zip(features).for_each(|(name, value)| {
                        hset.arg(name).arg(*value);
                    }),
                    Layout::Packed => {
                        hset.arg("features")
                            .arg(features.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
                    }
                }
                hset.arg("score").arg(scores[(row + 1) * elements - 1]).ignore();
            }
            pipeline
        })
    }
}

/// As the schema reads it: a number, or true and false as 1 and 0.
fn number(text: &str) -> f32 {
    match text {
        "true" => 1.0,
        "false" => 0.0,
        text => text.parse().unwrap_or(f32::NAN),
    }
}
