//! The description of a module's layers, as it stands in the file's metadata.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{super::Error, DESCRIPTION, unreadable};
use crate::types::{nearest, read_toml};

/// The one format of descriptions so far.
const FORMAT: u32 = 1;

/// Which layers the weights belong to. Each takes what the one before it gives.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    format: u32,
    pub(super) input: Input,
    pub(super) layers: Vec<Layer>,
    pub(super) output: Output,
    /// The kinds of the layers as they are written.
    #[serde(skip)]
    pub(super) kinds: Vec<String>,
}

/// What the first layer takes: a matrix with a row for each row scored.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pub(super) name: String,
    /// Features a row.
    pub(super) width: usize,
}

/// What the last layer gives.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Output {
    pub(super) name: String,
}

/// One layer. `name` is that of the module's field, or its path: `hidden`, `blocks.0.norm`. Parameters are called, and
/// default to, what they are in burn's configurations.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[expect(clippy::enum_variant_names, reason = "a layer norm is called so")]
pub(super) enum Layer {
    Linear {
        name: String,
        #[serde(default)]
        layout: Layout,
    },
    BatchNorm {
        name: String,
        #[serde(default = "epsilon")]
        epsilon: f64,
    },
    LayerNorm {
        name: String,
        #[serde(default = "epsilon")]
        epsilon: f64,
    },
    /// Does nothing outside of training.
    Dropout {},
    /// Multiplies by a number.
    Scale {
        factor: f32,
    },
    Relu {},
    LeakyRelu {
        #[serde(default = "negative_slope")]
        negative_slope: f32,
    },
    Elu {
        #[serde(default = "alpha")]
        alpha: f32,
    },
    Selu {},
    Gelu {
        #[serde(default)]
        approximate: bool,
    },
    Silu {},
    Mish {},
    Sigmoid {},
    HardSigmoid {},
    HardSwish {},
    Softplus {},
    Softsign {},
    Tanh {},
    Softmax {},
    LogSoftmax {},
}

/// The kinds of layers, by name.
const KINDS: [&str; 20] = [
    "linear",
    "batch_norm",
    "layer_norm",
    "dropout",
    "scale",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "mish",
    "sigmoid",
    "hard_sigmoid",
    "hard_swish",
    "softplus",
    "softsign",
    "tanh",
    "softmax",
    "log_softmax",
];

/// How a linear layer's weights lie in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Layout {
    /// `[inputs, outputs]`: burn's default.
    #[default]
    Row,
    /// `[outputs, inputs]`: burn's `LinearLayout::Col`, and PyTorch's.
    Col,
}

fn epsilon() -> f64 {
    1e-5
}

fn negative_slope() -> f32 {
    0.01
}

fn alpha() -> f32 {
    1.0
}

/// As much of a description as tells which layers are not known.
#[derive(Deserialize)]
struct Outline {
    layers: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: String,
}

impl Description {
    /// Reads a description; every layer that is not known is named.
    pub(super) fn parse(text: &str) -> Result<Description, Error> {
        let place = format!("metadata `{DESCRIPTION}`");
        let unreadable_at = |error: crate::types::Error| unreadable(error.to_string());
        let outline: Outline = read_toml(&place, text).map_err(unreadable_at)?;
        let kinds: Vec<String> = outline.layers.into_iter().map(|layer| layer.kind).collect();
        refuse_unknown(&kinds)?;
        let mut description: Description = read_toml(&place, text).map_err(unreadable_at)?;
        if description.format != FORMAT {
            let reason =
                format!("{place}: format = {} is not known: this release reads 1", description.format);
            return Err(unreadable(reason));
        }
        description.kinds = kinds;
        description.check()?;
        Ok(description)
    }

    fn check(&self) -> Result<(), Error> {
        let refuse = |place: &str, reason: &str| Err(Error::invalid(place, reason));
        if self.input.name.is_empty() || self.output.name.is_empty() {
            return refuse("its description", "input and output need names");
        }
        if self.input.width == 0 {
            return refuse("its description", "the input is 0 features wide");
        }
        if self.layers.is_empty() {
            return refuse("its description", "it has no layers");
        }
        for (index, layer) in self.layers.iter().enumerate() {
            let wrong = match layer {
                Layer::BatchNorm { epsilon, .. } | Layer::LayerNorm { epsilon, .. }
                    if !(epsilon.is_finite() && *epsilon > 0.0) =>
                {
                    "epsilon is not finite and positive"
                }
                Layer::Scale { factor: number }
                | Layer::LeakyRelu { negative_slope: number }
                | Layer::Elu { alpha: number }
                    if !number.is_finite() =>
                {
                    "its parameter is not finite"
                }
                _ => continue,
            };
            return refuse(&self.place(index), wrong);
        }
        Ok(())
    }

    /// How messages name a layer.
    pub(super) fn place(&self, index: usize) -> String {
        let kind = self.kinds.get(index).map_or("", String::as_str);
        match &self.layers[index] {
            Layer::Linear { name, .. } | Layer::BatchNorm { name, .. } | Layer::LayerNorm { name, .. } => {
                format!("layer {index} ({kind} `{name}`)")
            }
            _ => format!("layer {index} ({kind})"),
        }
    }
}

fn refuse_unknown(kinds: &[String]) -> Result<(), Error> {
    let unknown: BTreeSet<&String> = kinds.iter().filter(|kind| !KINDS.contains(&kind.as_str())).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let reason = |kind: &&String| match nearest(kind, KINDS) {
        Some(near) => format!("burn:{kind}: there is no such layer: did you mean `{near}`?"),
        None => format!("burn:{kind}: it is not known"),
    };
    Err(Error::Unsupported {
        operators: unknown.iter().map(|kind| format!("burn:{kind}")).collect(),
        reasons: unknown.iter().map(reason).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(layers: &str) -> Result<Description, Error> {
        let ends = "format = 1\ninput = { name = \"x\", width = 4 }\noutput = { name = \"y\" }";
        Description::parse(&format!("{ends}\nlayers = [\n{layers}\n]"))
    }

    fn refusal(layers: &str) -> String {
        described(layers).expect_err("it is refused").to_string()
    }

    #[test]
    fn every_kind_is_read() {
        for kind in KINDS {
            let name = match kind {
                "linear" | "batch_norm" | "layer_norm" => ", name = \"a\"",
                "scale" => ", factor = 2",
                _ => "",
            };
            let description = described(&format!("{{ kind = \"{kind}\"{name} }}")).expect(kind);
            assert_eq!((description.layers.len(), description.kinds), (1, vec![kind.to_owned()]));
        }
    }

    #[test]
    fn parameters_default_to_those_of_burn() {
        let description = described(
            "{ kind = \"linear\", name = \"a\", layout = \"col\" }, { kind = \"layer_norm\", name = \"b\" },
             { kind = \"leaky_relu\" }, { kind = \"elu\" }, { kind = \"gelu\" }",
        )
        .expect("it is read");
        let expected = [
            Layer::Linear { name: "a".into(), layout: Layout::Col },
            Layer::LayerNorm { name: "b".into(), epsilon: 1e-5 },
            Layer::LeakyRelu { negative_slope: 0.01 },
            Layer::Elu { alpha: 1.0 },
            Layer::Gelu { approximate: false },
        ];
        assert_eq!(description.layers, expected);
    }

    #[test]
    fn every_unknown_layer_is_named_once() {
        let error = described(
            "{ kind = \"conv2d\" }, { kind = \"tanh\" }, { kind = \"relu_\" }, { kind = \"conv2d\" }",
        )
        .expect_err("it is refused");
        let Error::Unsupported { operators, reasons } = error else { panic!("it is unsupported") };
        assert_eq!(operators, ["burn:conv2d", "burn:relu_"]);
        assert_eq!(reasons[1], "burn:relu_: there is no such layer: did you mean `relu`?");
    }

    #[test]
    fn what_a_layer_does_not_take_is_refused() {
        let text = refusal("{ kind = \"relu\", alpha = 1.0 }");
        assert!(text.contains("there is no key `alpha`"), "{text}");
        let text = refusal("{ kind = \"linear\", nam = \"a\" }");
        assert!(text.contains("there is no key `nam` (did you mean `name`?)"), "{text}");
        let text = refusal("{ kind = \"linear\" }");
        assert!(text.contains("the key `name` is missing"), "{text}");
        let text = refusal("{ kind = \"scale\", factor = nan }");
        assert_eq!(text, "invalid model: layer 0 (scale): its parameter is not finite");
        let text = refusal("{ kind = \"layer_norm\", name = \"b\", epsilon = 0.0 }");
        assert_eq!(text, "invalid model: layer 0 (layer_norm `b`): epsilon is not finite and positive");
        assert_eq!(refusal(""), "invalid model: its description: it has no layers");
    }

    #[test]
    fn a_description_of_another_format_is_refused() {
        let text = "format = 2\ninput = { name = \"x\", width = 4 }\noutput = { name = \"y\" }\nlayers = []";
        let error = Description::parse(text).expect_err("it is refused").to_string();
        assert_eq!(
            error,
            "not a readable burn model: metadata `embergrid`: format = 2 is not known: this release reads 1"
        );
        let error = Description::parse("layers = 1").expect_err("it is refused").to_string();
        assert!(error.starts_with("not a readable burn model: metadata `embergrid`:1: "), "{error}");
    }
}
