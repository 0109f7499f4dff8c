//! Writes the fixtures `burn_*` of tests/model/fixtures: every kind of layer that Embergrid reads, with what burn
//! gives. `cargo run --release --manifest-path models/digits-burn/train/Cargo.toml --bin layers`

use std::{fs, path::Path};

use burn::{
    module::{Module, Param},
    nn::{
        BatchNorm, BatchNormConfig, Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig,
        LinearLayout,
    },
    store::{HalfPrecisionAdapter, SafetensorsStore},
    tensor::{Device, Distribution, Tensor, activation},
};
use train_digits_burn::{Result, save, write_golden};

const WIDTH: usize = 6;
const ROWS: usize = 16;

/// Layers with weights, each under a name of its own.
#[derive(Module, Debug)]
struct Layers {
    first: Linear,
    turned: Linear,
    bare: Linear,
    batch: BatchNorm,
    layer: LayerNorm,
    plain: LayerNorm,
    dropout: Dropout,
    last: Linear,
}

const LAYERS: &str = r#"format = 1
input = { name = "x", width = 6 }
layers = [
  { kind = "linear", name = "first" },
  { kind = "leaky_relu", negative_slope = 0.1 },
  { kind = "batch_norm", name = "batch", epsilon = 0.001 },
  { kind = "gelu" },
  { kind = "linear", name = "turned", layout = "col" },
  { kind = "layer_norm", name = "layer" },
  { kind = "elu", alpha = 0.5 },
  { kind = "dropout" },
  { kind = "linear", name = "bare" },
  { kind = "layer_norm", name = "plain", epsilon = 0.01 },
  { kind = "scale", factor = 3.0 },
  { kind = "gelu", approximate = true },
  { kind = "selu" },
  { kind = "layer_norm", name = "layer" },
  { kind = "silu" },
  { kind = "mish" },
  { kind = "layer_norm", name = "layer" },
  { kind = "softplus" },
  { kind = "hard_sigmoid" },
  { kind = "layer_norm", name = "layer" },
  { kind = "softsign" },
  { kind = "hard_swish" },
  { kind = "tanh" },
  { kind = "linear", name = "last" },
  { kind = "sigmoid" },
  { kind = "relu" },
  { kind = "log_softmax" },
]
output = { name = "y" }
"#;

impl Layers {
    fn new(device: &Device) -> Layers {
        let random = |low, high| Tensor::random([WIDTH], Distribution::Uniform(low, high), device);
        let mut batch = BatchNormConfig::new(WIDTH).with_epsilon(0.001).init(device);
        batch.gamma = Param::from_tensor(random(0.5, 2.0));
        batch.beta = Param::from_tensor(random(-1.0, 1.0));
        batch.running_mean.update(random(-1.0, 1.0));
        batch.running_var.update(random(0.1, 2.0));
        let mut layer = LayerNormConfig::new(WIDTH).init(device);
        layer.gamma = Param::from_tensor(random(0.5, 2.0));
        layer.beta = Some(Param::from_tensor(random(-1.0, 1.0)));
        let linear = || LinearConfig::new(WIDTH, WIDTH);
        Layers {
            first: linear().init(device),
            turned: linear().with_layout(LinearLayout::Col).init(device),
            bare: linear().with_bias(false).init(device),
            batch,
            layer,
            plain: LayerNormConfig::new(WIDTH).with_epsilon(0.01).with_bias(false).init(device),
            dropout: DropoutConfig::new(0.5).init(),
            last: LinearConfig::new(WIDTH, 3).init(device),
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let x = activation::leaky_relu(self.first.forward(x), 0.1);
        let x = activation::gelu(self.batch.forward(x));
        let x = self.layer.forward(self.turned.forward(x));
        let x = self.dropout.forward(activation::elu(x, 0.5));
        let x = self.plain.forward(self.bare.forward(x)) * 3.0;
        // What saturates is spread out again, or a wrong result could hide in it.
        let x = self.layer.forward(activation::selu(activation::gelu_approximate(x)));
        let x = self.layer.forward(activation::mish(activation::silu(x)));
        let x = self.layer.forward(activation::hard_sigmoid(activation::softplus(x, 1.0), 0.2, 0.5));
        let x = activation::hard_swish(activation::softsign(x));
        let x = self.last.forward(activation::tanh(x));
        activation::log_softmax(activation::relu(activation::sigmoid(x)), 1)
    }
}

fn write(name: &str, model: &Layers, store: impl Fn(SafetensorsStore) -> SafetensorsStore) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/model/fixtures").join(name);
    fs::create_dir_all(&folder)?;
    let file = folder.join("model.safetensors");
    save(model, store(SafetensorsStore::from_file(&file)), LAYERS)?;
    // What was rounded on its way into the file is what the sample is of.
    let device = Device::flex();
    let mut read = Layers::new(&device);
    let mut from = store(SafetensorsStore::from_file(&file));
    burn::store::ModuleSnapshot::load_from(&mut read, &mut from)?;
    let x = Tensor::random([ROWS, WIDTH], Distribution::Normal(0.0, 2.0), &device);
    let y = read.forward(x.clone());
    write_golden(&folder.join("test_data_set_0"), ("x", x), ("y", y))
}

fn main() -> Result<()> {
    let device = Device::flex();
    device.seed(7);
    let model = Layers::new(&device).valid();
    write("burn_layers", &model, |store| store)?;
    let half = HalfPrecisionAdapter::new();
    write("burn_half", &model, |store| store.with_to_adapter(half.clone()).with_from_adapter(half.clone()))
}
