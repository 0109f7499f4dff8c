//! What the rivals in Rust score with and write: ONNX Runtime in this process, and one HSET a row.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use super::harness::{Payments, onnx_runtime::OnnxRuntime};

/// How a row lies in its hash.
#[derive(Clone, Copy)]
pub(crate) enum Layout {
    /// A field a feature, as text, readable one by one.
    Fields,
    /// All features in one field, as bytes: the least that Redis can be asked to keep.
    Packed,
}

/// The model and the rows, in memory. Cheap to clone.
#[derive(Clone)]
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
        let model = RefCell::new(OnnxRuntime::load(&payments.model, &[names.len()], &payments.output));
        Self(Rc::new(Loaded { model, names, keys, features }))
    }

    /// Scores the rows of some calls by one run of the model, and gives the HSETs that write them. A call is the number of
    /// its first operation, and has `batch` rows.
    pub(crate) fn score(&self, calls: &[u64], batch: usize, layout: Layout) -> redis::Pipeline {
        let Loaded { model, names, keys, features } = &*self.0;
        let starts: Vec<usize> = calls.iter().map(|first| self.row(*first, batch)).collect();
        let width = names.len();
        let rows_of = |start: usize| &features[start * width..(start + batch) * width];
        let matrix: Cow<'_, [f32]> = match starts[..] {
            [start] => rows_of(start).into(),
            _ => starts.iter().flat_map(|start| rows_of(*start)).copied().collect(),
        };
        let keys = starts.iter().flat_map(|start| &keys[*start..*start + batch]);
        model.borrow_mut().run(&matrix, |scores| {
            let rows = calls.len() * batch;
            let elements = scores.len() / rows;
            let mut pipeline = redis::Pipeline::with_capacity(rows);
            let rows = keys.zip(matrix.chunks_exact(width)).zip(scores.chunks_exact(elements));
            for ((key, features), scores) in rows {
                let hset = pipeline.cmd("HSET").arg(key);
                match layout {
                    Layout::Fields => names.iter().zip(features).for_each(|(name, value)| {
                        hset.arg(name).arg(*value);
                    }),
                    Layout::Packed => {
                        hset.arg("features")
                            .arg(features.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
                    }
                }
                hset.arg("score").arg(scores[elements - 1]).ignore();
            }
            pipeline
        })
    }

    /// The first row of a call: the rows are written over and over.
    fn row(&self, first: u64, batch: usize) -> usize {
        usize::try_from(first).expect("fits") % (self.0.keys.len() - batch + 1)
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
