//! Trains models/digits-burn/1: which digit is it, from an image of 8 x 8 grey levels?
//!
//! The network is a burn module, trained with burn on `models/digits/data.csv`. Run it from anywhere:
//! `cargo run --release --manifest-path models/digits-burn/train/Cargo.toml`

use std::path::Path;

use burn::{
    module::Module,
    nn::{Dropout, DropoutConfig, Linear, LinearConfig, loss::CrossEntropyLossConfig},
    optim::{AdamConfig, GradientsParams, decay::WeightDecayConfig},
    store::SafetensorsStore,
    tensor::{
        Device, Int, Tensor, TensorData,
        activation::{relu, softmax},
    },
};
use train_digits_burn::{Result, save, write_golden};

const PIXELS: usize = 64;
const DIGITS: usize = 10;
const EPOCHS: usize = 200;
const BATCH: usize = 32;
const LEARNING_RATE: f64 = 1e-3;
const DROPOUT: f64 = 0.2;
const SEED: u64 = 7;
/// Rows in the golden sample.
const GOLDEN_ROWS: usize = 32;

/// A perceptron of two hidden layers.
#[derive(Module, Debug)]
struct Digits {
    hidden1: Linear,
    hidden2: Linear,
    dropout: Dropout,
    output: Linear,
}

/// What `Digits::probabilities` does, as Embergrid reads it. Keep the two the same: the golden sample tells if they
/// are not.
const LAYERS: &str = r#"format = 1
input = { name = "pixels", width = 64 }
layers = [
  { kind = "scale", factor = 0.0625 },
  { kind = "linear", name = "hidden1" },
  { kind = "relu" },
  { kind = "dropout" },
  { kind = "linear", name = "hidden2" },
  { kind = "relu" },
  { kind = "dropout" },
  { kind = "linear", name = "output" },
  { kind = "softmax" },
]
output = { name = "probabilities" }
"#;

impl Digits {
    fn new(device: &Device) -> Digits {
        Digits {
            hidden1: LinearConfig::new(PIXELS, 64).init(device),
            hidden2: LinearConfig::new(64, 32).init(device),
            dropout: DropoutConfig::new(DROPOUT).init(),
            output: LinearConfig::new(32, DIGITS).init(device),
        }
    }

    fn logits(&self, pixels: Tensor<2>) -> Tensor<2> {
        let pixels = pixels * 0.0625;
        let hidden = self.dropout.forward(relu(self.hidden1.forward(pixels)));
        let hidden = self.dropout.forward(relu(self.hidden2.forward(hidden)));
        self.output.forward(hidden)
    }

    fn probabilities(&self, pixels: Tensor<2>) -> Tensor<2> {
        softmax(self.logits(pixels), 1)
    }
}

/// Images and the digits that they show.
#[derive(Clone, Default)]
struct Rows {
    pixels: Vec<[f32; PIXELS]>,
    digits: Vec<i64>,
}

impl Rows {
    fn read(path: &Path) -> Result<Rows> {
        let mut rows = Rows::default();
        for record in csv::Reader::from_path(path)?.records() {
            let record = record?;
            // The columns are id, pixel_0 .. pixel_63, digit.
            let mut pixels = [0.0; PIXELS];
            for (pixel, cell) in pixels.iter_mut().zip(record.iter().skip(1)) {
                *pixel = cell.parse()?;
            }
            rows.pixels.push(pixels);
            rows.digits.push(record.iter().next_back().unwrap_or_default().parse()?);
        }
        Ok(rows)
    }

    fn select(&self, rows: &[usize]) -> Rows {
        Rows {
            pixels: rows.iter().map(|&row| self.pixels[row]).collect(),
            digits: rows.iter().map(|&row| self.digits[row]).collect(),
        }
    }

    fn pixels(&self, device: &Device) -> Tensor<2> {
        let flat: Vec<f32> = self.pixels.iter().flatten().copied().collect();
        Tensor::from_data(TensorData::new(flat, [self.pixels.len(), PIXELS]), device)
    }

    fn digits(&self, device: &Device) -> Tensor<1, Int> {
        Tensor::from_data(TensorData::new(self.digits.clone(), [self.digits.len()]), device)
    }
}

/// A generator of its own, so that a run can be repeated whatever burn's does (SplitMix64).
struct Dice(u64);

impl Dice {
    fn shuffle(&mut self, rows: &mut [usize]) {
        for at in (1..rows.len()).rev() {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            rows.swap(at, ((mixed ^ (mixed >> 31)) % (at as u64 + 1)) as usize);
        }
    }
}

fn train(rows: &Rows, dice: &mut Dice) -> Digits {
    let device = Device::flex().autodiff();
    device.seed(SEED);
    let mut model = Digits::new(&device);
    let mut optimizer = AdamConfig::new().with_weight_decay(Some(WeightDecayConfig::new(1e-4))).init();
    let loss = CrossEntropyLossConfig::new().init(&device);
    let mut order: Vec<usize> = (0..rows.digits.len()).collect();
    for epoch in 0..EPOCHS {
        dice.shuffle(&mut order);
        let mut last = 0.0;
        for batch in order.chunks(BATCH) {
            let batch = rows.select(batch);
            let error = loss.forward(model.logits(batch.pixels(&device)), batch.digits(&device));
            last = error.clone().into_scalar::<f32>();
            let gradients = GradientsParams::from_grads(error.backward(), &model);
            model = optimizer.step(LEARNING_RATE, model, gradients);
        }
        if epoch % 20 == 19 {
            println!("epoch {}: loss of the last batch {last:.5}", epoch + 1);
        }
    }
    model.valid()
}

/// The share of rows whose most likely digit is theirs.
fn accuracy(model: &Digits, rows: &Rows, device: &Device) -> Result<f64> {
    let probabilities = model.probabilities(rows.pixels(device)).into_data().try_to_vec::<f32>()?;
    let likeliest = |row: &[f32]| (0..DIGITS).max_by(|&a, &b| row[a].total_cmp(&row[b]));
    let right = probabilities.chunks(DIGITS).zip(&rows.digits);
    let right = right.filter(|(row, digit)| likeliest(row) == usize::try_from(**digit).ok()).count();
    Ok(right as f64 / rows.digits.len() as f64)
}

fn main() -> Result<()> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let rows = Rows::read(&models.join("digits/data.csv"))?;
    let mut dice = Dice(SEED);
    let mut order: Vec<usize> = (0..rows.digits.len()).collect();
    dice.shuffle(&mut order);
    let (test, training) = order.split_at(order.len() / 4);
    let (test, training) = (rows.select(test), rows.select(training));

    let model = train(&training, &mut dice);
    let device = Device::flex();
    println!("accuracy on the other three quarters: {:.4}", accuracy(&model, &training, &device)?);
    println!("accuracy on the held-out quarter: {:.4}", accuracy(&model, &test, &device)?);

    let version = models.join("digits-burn/1");
    save(&model, SafetensorsStore::from_file(version.join("model.safetensors")), LAYERS)?;
    let sample = test.select(&Vec::from_iter(0..GOLDEN_ROWS)).pixels(&device);
    let probabilities = model.probabilities(sample.clone());
    write_golden(&version.join("test_data_set_0"), ("pixels", sample), ("probabilities", probabilities))
}
