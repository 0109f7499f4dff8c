//! What an objective does when a model predicts.

use super::{
    super::{Error, operators::Link},
    text::Entry,
};

/// An objective as far as predictions depend on it: its name and parameters stand in one line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Objective {
    pub(super) name: String,
    pub(super) link: Option<Link>,
    /// How many targets it is for; any number if none.
    pub(super) targets: Option<usize>,
    /// Whether they are classes.
    pub(super) classes: bool,
}

impl Objective {
    /// That of the caller, of which the file knows nothing: the margins are the predictions.
    pub(super) fn custom() -> Objective {
        Objective { name: "custom".to_owned(), link: None, targets: None, classes: false }
    }

    pub(super) fn read(entry: Entry<'_>) -> Result<Objective, Error> {
        let mut words = entry.value.split(' ').filter(|word| !word.is_empty());
        let name = words.next().unwrap_or_default();
        let words: Vec<&str> = words.collect();
        let parameter = |key: &str| {
            let value = words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix(':'));
            value.ok_or_else(|| entry.invalid(format!("`{key}` is missing")))
        };
        let slope = || match parameter("sigmoid")?.parse() {
            Ok(slope) if slope > 0.0 && f64::is_finite(slope) => Ok(slope),
            _ => Err(entry.invalid("`sigmoid` is no positive number")),
        };
        let classes = || match parameter("num_class")?.parse() {
            Ok(classes) => Ok(Some(classes)),
            Err(_) => Err(entry.invalid("`num_class` is no number of classes")),
        };
        let squared = words.contains(&"sqrt").then_some(Link::SignedSquare);
        let (link, targets) = match name {
            "custom" => return Ok(Objective::custom()),
            "regression" | "regression_l1" | "fair" | "quantile" | "mape" => (squared, Some(1)),
            "huber" | "lambdarank" | "rank_xendcg" => (None, Some(1)),
            "poisson" | "gamma" | "tweedie" => (Some(Link::Exp), Some(1)),
            "binary" => (Some(Link::Logistic { slope: slope()? }), Some(1)),
            "cross_entropy" => (Some(Link::Logistic { slope: 1.0 }), Some(1)),
            "cross_entropy_lambda" => (Some(Link::Softplus), Some(1)),
            "multiclass" => (Some(Link::Softmax), classes()?),
            "multiclassova" => (Some(Link::Logistic { slope: slope()? }), classes()?),
            _ => return Err(super::unsupported(name, "this objective is not known")),
        };
        Ok(Objective { name: name.to_owned(), link, targets, classes: name.starts_with("multiclass") })
    }
}
