//! The activations that a layer may end with.

use burn_backend::Backend;

/// What a layer does with its sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Activation {
    /// Nothing.
    None,
    Relu,
    Sigmoid,
    Tanh,
}

impl Activation {
    /// The activation of that operator's name; the empty name is none.
    pub(in crate::model) fn named(name: &str) -> Option<Activation> {
        Some(match name {
            "" => Activation::None,
            "Relu" => Activation::Relu,
            "Sigmoid" => Activation::Sigmoid,
            "Tanh" => Activation::Tanh,
            _ => return None,
        })
    }

    pub(super) fn apply(self, data: &mut [f32]) {
        match self {
            Activation::None => {}
            // Written so that NaN stays.
            Activation::Relu => {
                data.iter_mut().for_each(|value| *value = if *value < 0.0 { 0.0 } else { *value })
            }
            Activation::Sigmoid => data.iter_mut().for_each(|value| *value = 1.0 / (1.0 + (-*value).exp())),
            Activation::Tanh => data.iter_mut().for_each(|value| *value = value.tanh()),
        }
    }

    pub(super) fn on_backend<B: Backend>(self, tensor: B::FloatTensorPrimitive) -> B::FloatTensorPrimitive {
        match self {
            Activation::None => tensor,
            Activation::Relu => B::relu(tensor),
            Activation::Sigmoid => B::sigmoid(tensor),
            Activation::Tanh => B::float_tanh(tensor),
        }
    }
}
