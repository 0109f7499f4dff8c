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
    /// How many classes it says there are, if they are its targets.
    pub(super) classes: Option<usize>,
}

impl Objective {
    /// That of a file that names none: the margins are the predictions.
    pub(super) fn none() -> Objective {
        Objective { name: "custom".to_owned(), link: None, classes: None }
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
        let classes = || {
            parameter("num_class")?.parse().map_err(|_| entry.invalid("`num_class` is no number of classes"))
        };
        let squared = words.contains(&"sqrt").then_some(Link::SignedSquare);
        let (link, classes) = match name {
            "regression" | "regression_l1" | "fair" | "quantile" | "mape" => (squared, None),
            "huber" | "lambdarank" | "rank_xendcg" | "custom" => (None, None),
            "poisson" | "gamma" | "tweedie" => (Some(Link::Exp), None),
            "binary" => (Some(Link::Logistic { slope: slope()? }), None),
            "cross_entropy" => (Some(Link::Logistic { slope: 1.0 }), None),
            "cross_entropy_lambda" => (Some(Link::Softplus), None),
            "multiclass" => (Some(Link::Softmax), Some(classes()?)),
            "multiclassova" => (Some(Link::Logistic { slope: slope()? }), Some(classes()?)),
            _ => return Err(super::unsupported(name, "this objective is not known")),
        };
        Ok(Objective { name: name.to_owned(), link, classes })
    }
}
