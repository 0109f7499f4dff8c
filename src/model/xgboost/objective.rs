//! What an objective does when a model predicts: what makes predictions of margins, and a margin of the base score.

use super::super::operators::Link;

/// Of the XGBoost that wrote a file: major and minor.
pub(super) type Version = (u32, u32);

/// An objective as far as predictions depend on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Objective {
    pub(super) link: Option<Link>,
    base: Base,
}

/// In which space the file has the base score: that of margins, or that of predictions.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Base {
    Margin,
    Probability,
    Exponential,
}

impl Objective {
    /// None if it is not known.
    pub(super) fn find(name: &str) -> Option<Objective> {
        let (link, base) = match name {
            "reg:squarederror"
            | "reg:linear"
            | "reg:squaredlogerror"
            | "reg:pseudohubererror"
            | "reg:absoluteerror"
            | "reg:quantileerror"
            | "binary:logitraw"
            | "rank:pairwise"
            | "rank:ndcg"
            | "rank:map" => (None, Base::Margin),
            "binary:hinge" => (Some(Link::Step), Base::Margin),
            "reg:logistic" | "binary:logistic" => (Some(Link::Logistic { slope: 1.0 }), Base::Probability),
            "count:poisson" | "reg:gamma" | "reg:tweedie" | "survival:cox" | "survival:aft" => {
                (Some(Link::Exp), Base::Exponential)
            }
            "multi:softprob" => (Some(Link::Softmax), Base::Margin),
            "multi:softmax" => (Some(Link::Argmax), Base::Margin),
            _ => return None,
        };
        Some(Objective { link, base })
    }

    /// Whether each target is a class.
    pub(super) fn classes(self) -> bool {
        matches!(self.link, Some(Link::Softmax | Link::Argmax))
    }

    /// The margin of a base score, in 32 bits as XGBoost computes it. It is not finite if there is none.
    pub(super) fn margin(self, score: f32, version: Version) -> f32 {
        match self.base {
            Base::Margin => score,
            Base::Exponential => score.ln(),
            Base::Probability if !(0.0..=1.0).contains(&score) => f32::NAN,
            Base::Probability => {
                // Since 3.2 labels may be all of one class.
                let least = if version < (3, 2) { 0.0 } else { 1e-6 };
                -(1.0 / score.clamp(least, 1.0 - least) - 1.0).ln()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_score_is_what_its_objective_predicts() {
        let margin = |name, score| Objective::find(name).expect("it is known").margin(score, (3, 2));
        assert_eq!(margin("reg:squarederror", 0.25), 0.25);
        assert_eq!(margin("binary:logistic", 0.5), 0.0);
        assert_eq!(margin("binary:logitraw", 0.5), 0.5);
        assert_eq!(margin("count:poisson", 1.0), 0.0);
        assert!(margin("reg:gamma", -1.0).is_nan());
        assert!([f32::NAN, -0.5, 1.5].iter().all(|score| margin("binary:logistic", *score).is_nan()));
    }

    #[test]
    fn a_probability_of_one_has_a_margin_since_3_2() {
        let logistic = Objective::find("reg:logistic").expect("it is known");
        assert_eq!(logistic.margin(1.0, (3, 1)), f32::INFINITY);
        assert!((13.0..14.0).contains(&logistic.margin(1.0, (3, 2))));
    }
}
