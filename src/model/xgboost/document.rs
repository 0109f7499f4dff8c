//! What stands in a file, whichever way it is written. Everything that XGBoost has ever put there is named, be it only to
//! be left out: a key that is not known may change what the others mean, so it is an error.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, Unexpected, Visitor},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    /// Of the XGBoost that wrote the file.
    pub(super) version: (u32, u32, u32),
    pub(super) learner: Learner,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Learner {
    pub(super) learner_model_param: Parameters,
    pub(super) objective: Objective,
    pub(super) gradient_booster: Booster,
    /// What callers noted, among it the best iteration: `Booster.predict` uses all trees nevertheless.
    #[serde(rename = "attributes")]
    _attributes: IgnoredAny,
    #[serde(default)]
    pub(super) feature_names: Vec<String>,
    #[serde(default, rename = "feature_types")]
    _feature_types: IgnoredAny,
}

/// Numbers, as text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    /// One number, or a list in brackets.
    pub(super) base_score: String,
    pub(super) num_feature: String,
    pub(super) num_class: String,
    #[serde(default)]
    pub(super) num_target: Option<String>,
    /// Whether the base score is, or would have been, estimated from the labels.
    #[serde(default)]
    pub(super) boost_from_average: Option<String>,
}

/// Its parameters matter to training alone.
#[derive(Deserialize)]
pub(super) struct Objective {
    pub(super) name: String,
}

/// `gbtree` has a model; `dart` has a `gbtree` and a weight for each of its trees; `gblinear` has another model.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Booster {
    pub(super) name: String,
    pub(super) model: Option<Model>,
    pub(super) gbtree: Option<Box<Booster>>,
    pub(super) weight_drop: Option<Vec<Number>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Model {
    #[serde(default)]
    pub(super) trees: Vec<Tree>,
    /// The target that each tree is for.
    #[serde(default)]
    pub(super) tree_info: Vec<u32>,
    /// Where a `gbtree` with DART's dropout has its trees' weights since 3.4.
    pub(super) weight_drop: Option<Vec<Number>>,
    #[serde(default, rename = "gbtree_model_param")]
    _parameters: IgnoredAny,
    #[serde(default, rename = "iteration_indptr")]
    _iterations: IgnoredAny,
    /// What the codes of categories stood for in a data frame.
    #[serde(default, rename = "cats")]
    _categories: IgnoredAny,
    /// Those of `gblinear`.
    #[serde(default, rename = "weights")]
    _weights: IgnoredAny,
    #[serde(default, rename = "boosted_rounds")]
    _boosted_rounds: IgnoredAny,
}

/// One tree: lists with an entry for each node, and the sets of those that split by category.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tree {
    pub(super) tree_param: TreeParameters,
    pub(super) id: Option<i64>,
    /// -1 for leaves.
    pub(super) left_children: Vec<i32>,
    pub(super) right_children: Vec<i32>,
    pub(super) split_indices: Vec<i64>,
    /// The thresholds of splits, the values of leaves.
    pub(super) split_conditions: Vec<Number>,
    pub(super) default_left: Vec<Flag>,
    /// 1 for splits by category.
    #[serde(default)]
    pub(super) split_type: Vec<i32>,
    /// The nodes that split by category; of each, where its categories begin and how many they are.
    #[serde(default)]
    pub(super) categories_nodes: Vec<i64>,
    #[serde(default)]
    pub(super) categories_segments: Vec<i64>,
    #[serde(default)]
    pub(super) categories_sizes: Vec<i64>,
    #[serde(default)]
    pub(super) categories: Vec<i64>,
    #[serde(default, rename = "parents")]
    _parents: IgnoredAny,
    #[serde(default, rename = "base_weights")]
    _base_weights: IgnoredAny,
    #[serde(default, rename = "leaf_weights")]
    _leaf_weights: IgnoredAny,
    #[serde(default, rename = "loss_changes")]
    _loss_changes: IgnoredAny,
    #[serde(default, rename = "sum_hessian")]
    _sum_hessian: IgnoredAny,
    #[serde(default, rename = "leaf_child_counts")]
    _leaf_child_counts: IgnoredAny,
}

#[derive(Deserialize)]
pub(super) struct TreeParameters {
    /// Above 1 where a leaf has a value for each target.
    pub(super) size_leaf_vector: String,
}

/// A number of 32 bits. JSON that has no word for NaN and infinities has one for them here: see
/// [`json`](super::json).
#[derive(Clone, Copy)]
pub(super) struct Number(pub(super) f32);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Number, E> {
        Ok(Number(narrow(number)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Number, E> {
        Ok(Number(number as f32))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
        Ok(Number(number as f32))
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Number, E> {
        let number =
            super::json::number(word).ok_or_else(|| E::invalid_type(Unexpected::Str(word), &self))?;
        Ok(Number(number))
    }
}

/// The 32-bit float that a decimal stood for which was read into 64 bits. Rounded a second time it may become the
/// neighbour, where 64 bits lie in the middle of two floats of 32; so what lies there is written out again and read at once.
/// Of the shortest decimals of all 32-bit floats that is one: 7.038531e-26.
fn narrow(number: f64) -> f32 {
    const LOST: u64 = (1 << 29) - 1;
    if number.to_bits() & LOST == 1 << 28 {
        return number.to_string().parse().unwrap_or(number as f32);
    }
    number as f32
}

/// A yes or no, as a word or as 1 or 0.
#[derive(Clone, Copy)]
pub(super) struct Flag(pub(super) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

struct FlagVisitor;

impl Visitor<'_> for FlagVisitor {
    type Value = Flag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, 0 or 1")
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Flag, E> {
        Ok(Flag(flag))
    }

    fn visit_u64<E: Error>(self, flag: u64) -> Result<Flag, E> {
        match flag {
            0 | 1 => Ok(Flag(flag == 1)),
            other => Err(E::invalid_value(Unexpected::Unsigned(other), &self)),
        }
    }

    fn visit_i64<E: Error>(self, flag: i64) -> Result<Flag, E> {
        match u64::try_from(flag) {
            Ok(flag) => self.visit_u64(flag),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(flag), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_rounded_once() {
        let read = |text: &str| serde_json::from_str::<Number>(text).expect("a number").0;
        assert_eq!(read("7.038531E-26"), 7.038_531e-26_f32);
        assert_ne!("7.038531E-26".parse::<f64>().map(|number| number as f32), Ok(7.038_531e-26));
        for text in ["16777217", "1.00000006", "-1E-45", "3.4028235E38", "0", "-0E0", "1.4E-45"] {
            assert_eq!(Ok(read(text).to_bits()), text.parse().map(f32::to_bits), "{text}");
        }
    }
}
