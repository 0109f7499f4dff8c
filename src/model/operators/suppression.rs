//! NonMaxSuppression: of boxes that overlap, the best.

use std::cmp::Ordering;

use burn_backend::Backend;

use super::{
    super::{
        DType, Tensor, TensorView,
        plan::{Args, Kernel, Reason},
    },
    Operator, Refusal, Spec,
    broadcast::elements,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    (name == "NonMaxSuppression").then_some(Operator { types, kernel })
}

fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    for (input, dtype) in [DType::F32, DType::F32, DType::I64, DType::F32, DType::F32].into_iter().enumerate()
    {
        if (input < 2 || spec.has(input)) && spec.dtype(input)? != dtype {
            return Err(Refusal::invalid(format!("input {input} is not {dtype}")));
        }
    }
    Ok(vec![DType::I64])
}

fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let centred = spec.flag("center_point_box", false)?;
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let (TensorView::F32 { shape: boxes, data }, TensorView::F32 { shape: classes, data: scores }) =
            (args.view(0)?, args.view(1)?)
        else {
            return Err("its boxes and scores are not f32".to_owned());
        };
        let (&[batch, count, 4], &[entries, classes, candidates]) = (boxes, classes) else {
            return Err(format!("shapes {boxes:?} and {classes:?} are not those of boxes and scores"));
        };
        if batch != entries || count != candidates {
            return Err(format!("{entries} times {candidates} scores for {batch} times {count} boxes"));
        }
        let most = if args.has(2) { one(args.i64(2)?)?.max(0) } else { 0 };
        let rules = Rules {
            most: usize::try_from(most).unwrap_or(usize::MAX),
            overlap: number(args, 3)?.unwrap_or(0.0),
            least: number(args, 4)?,
        };
        let boxes: Vec<Area> =
            data.as_chunks().0.iter().map(|corners| Area::new(*corners, centred)).collect();
        let mut chosen = Vec::new();
        for entry in 0..batch {
            let boxes = &boxes[entry * count..(entry + 1) * count];
            for class in 0..classes {
                let first = (entry * classes + class) * count;
                for place in rules.choose(boxes, &scores[first..first + count]) {
                    chosen.extend([entry as i64, class as i64, place as i64]);
                }
                elements(&[chosen.len()], limit)?;
            }
        }
        Ok(Tensor::i64([chosen.len() / 3, 3], chosen))
    }))
}

fn one<T: Copy>(data: &[T]) -> Result<T, Reason> {
    match data {
        [one] => Ok(*one),
        _ => Err("a threshold is not one number".to_owned()),
    }
}

fn number<B: Backend>(args: &Args<'_, '_, B>, input: usize) -> Result<Option<f32>, Reason> {
    match args.has(input).then(|| args.view(input)).transpose()? {
        None => Ok(None),
        Some(TensorView::F32 { data, .. }) => one(data).map(Some),
        Some(other) => Err(format!("a threshold is {}", other.dtype())),
    }
}

/// A box between its corners.
#[derive(Clone, Copy, Debug)]
struct Area {
    low: [f32; 2],
    high: [f32; 2],
}

impl Area {
    /// Of any two corners that are diagonal to each other, or of a centre and the box's sizes.
    fn new([a, b, c, d]: [f32; 4], centred: bool) -> Area {
        if centred {
            let (width, height) = (c / 2.0, d / 2.0);
            Area { low: [a - width, b - height], high: [a + width, b + height] }
        } else {
            Area { low: [a.min(c), b.min(d)], high: [a.max(c), b.max(d)] }
        }
    }

    fn size(self) -> f32 {
        (self.high[0] - self.low[0]) * (self.high[1] - self.low[1])
    }

    /// The share that two boxes have in common of what they cover together.
    fn overlap(self, other: Area) -> f32 {
        let common = Area {
            low: [self.low[0].max(other.low[0]), self.low[1].max(other.low[1])],
            high: [self.high[0].min(other.high[0]), self.high[1].min(other.high[1])],
        };
        if common.high[0] <= common.low[0] || common.high[1] <= common.low[1] {
            return 0.0;
        }
        let both = self.size() + other.size() - common.size();
        if self.size() <= 0.0 || other.size() <= 0.0 || both <= 0.0 {
            return 0.0;
        }
        common.size() / both
    }
}

/// Which boxes are chosen.
struct Rules {
    most: usize,
    /// How far boxes may overlap.
    overlap: f32,
    /// The score that a box must exceed.
    least: Option<f32>,
}

impl Rules {
    /// The best boxes in order, without those that overlap a better one.
    fn choose(&self, boxes: &[Area], scores: &[f32]) -> Vec<usize> {
        let good = |place: &usize| self.least.is_none_or(|least| scores[*place] > least);
        let mut order: Vec<usize> = (0..boxes.len()).filter(good).collect();
        order.sort_by(|&a, &b| scores[b].partial_cmp(&scores[a]).unwrap_or(Ordering::Equal));
        let mut chosen: Vec<usize> = Vec::new();
        for place in order {
            if chosen.len() >= self.most {
                break;
            }
            let overlaps = |&better: &usize| boxes[place].overlap(boxes[better]) > self.overlap;
            if !chosen.iter().any(overlaps) {
                chosen.push(place);
            }
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_may_be_given_in_any_order() {
        let (one, other) = (Area::new([0.0, 0.0, 1.0, 1.0], false), Area::new([1.0, 1.0, 0.0, 0.0], false));
        assert_eq!(one.overlap(other), 1.0);
        assert_eq!(one.overlap(Area::new([1.0, 0.0, 2.0, 1.0], false)), 0.0);
        assert_eq!(one.overlap(Area::new([0.5, 0.5, 1.0, 1.0], true)), 1.0);
    }

    #[test]
    fn the_best_stay_and_ties_go_to_the_first() {
        let boxes = [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.9], [5.0, 5.0, 6.0, 6.0]];
        let boxes = boxes.map(|corners| Area::new(corners, false));
        let rules = Rules { most: 10, overlap: 0.5, least: None };
        assert_eq!(rules.choose(&boxes, &[0.5, 0.9, 0.5]), [1, 2]);
        assert_eq!(rules.choose(&boxes, &[0.5, 0.5, 0.5]), [0, 2]);
        assert_eq!(Rules { most: 1, ..rules }.choose(&boxes, &[0.1, 0.2, 0.3]), [2]);
    }
}
