//! Unique: each different element, or slice along an axis, once.

use std::cmp::Ordering;

use burn_backend::Backend;

use super::{
    super::{
        DType, Tensor,
        plan::Kernel,
        tensor::{Element, each_view},
    },
    Operator, Refusal, Spec, axis,
    pick::{around, pick},
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    (name == "Unique").then_some(Operator { types, kernel })
}

fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    Ok(vec![spec.dtype(0)?, DType::I64, DType::I64, DType::I64])
}

fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let at = if spec.has_attribute("axis") { Some(spec.int("axis", 0)?) } else { None };
    let sorted = spec.flag("sorted", true)?;
    Ok(Kernel::host_many(move |args| {
        let view = args.view(0)?;
        let (mut shape, at) = match at {
            Some(at) => (view.shape().to_vec(), axis(at, view.shape().len())?),
            None => (vec![view.len()], 0),
        };
        let layout = around(&shape, at);
        let (data, groups) = each_view!(view, data => {
            let groups = Groups::new(layout.1, sorted, |a, b| compare(data, layout, a, b));
            (Element::data(pick(data, layout, &groups.firsts)), groups)
        });
        shape[at] = groups.firsts.len();
        let list = |places: Vec<usize>| {
            Tensor::i64([places.len()], places.into_iter().map(|place| place as i64).collect())
        };
        let lists = [list(groups.firsts), list(groups.members), list(groups.counts)];
        Ok(std::iter::once(Tensor { shape, data }).chain(lists).collect())
    }))
}

/// Compares two slices by their first elements that differ.
fn compare<T: PartialOrd>(
    data: &[T],
    (before, along, after): (usize, usize, usize),
    a: usize,
    b: usize,
) -> Ordering {
    let slice = |place: usize| {
        (0..before).flat_map(move |block| {
            let start = (block * along + place) * after;
            data[start..start + after].iter()
        })
    };
    let differ = slice(a).zip(slice(b)).map(|(a, b)| order(a, b)).find(|order| order.is_ne());
    differ.unwrap_or(Ordering::Equal)
}

/// NaN comes after everything else, and equals itself.
#[allow(clippy::eq_op, reason = "only NaN differs from itself")]
fn order<T: PartialOrd>(a: &T, b: &T) -> Ordering {
    a.partial_cmp(b).unwrap_or_else(|| (a != a).cmp(&(b != b)))
}

/// Slices that are equal.
#[derive(Debug, PartialEq, Eq)]
struct Groups {
    /// The first slice of each.
    firsts: Vec<usize>,
    /// For each slice its group.
    members: Vec<usize>,
    counts: Vec<usize>,
}

impl Groups {
    /// Groups `count` slices; the groups are in order of their slices, or of their first places.
    fn new(count: usize, sorted: bool, compare: impl Fn(usize, usize) -> Ordering) -> Groups {
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|&a, &b| compare(a, b));
        let mut groups = Groups { firsts: Vec::new(), members: vec![0; count], counts: Vec::new() };
        for place in order {
            match (groups.firsts.last(), groups.counts.last_mut()) {
                (Some(first), Some(held)) if compare(*first, place).is_eq() => *held += 1,
                _ => {
                    groups.firsts.push(place);
                    groups.counts.push(1);
                }
            }
            groups.members[place] = groups.firsts.len() - 1;
        }
        if sorted { groups } else { groups.by_place() }
    }

    /// The same in order of their first places.
    fn by_place(mut self) -> Groups {
        let mut order: Vec<usize> = (0..self.firsts.len()).collect();
        order.sort_by_key(|&group| self.firsts[group]);
        let mut numbers = vec![0; order.len()];
        order.iter().enumerate().for_each(|(number, &group)| numbers[group] = number);
        self.members.iter_mut().for_each(|group| *group = numbers[*group]);
        Groups {
            firsts: order.iter().map(|&group| self.firsts[group]).collect(),
            counts: order.iter().map(|&group| self.counts[group]).collect(),
            members: self.members,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_in_order_of_values_or_of_places() {
        let values = [2.0, 1.0, f64::NAN, 1.0, f64::NAN];
        let groups = |sorted| Groups::new(5, sorted, |a, b| compare(&values, (1, 5, 1), a, b));
        let sorted = Groups { firsts: vec![1, 0, 2], members: vec![1, 0, 2, 0, 2], counts: vec![2, 1, 2] };
        assert_eq!(groups(true), sorted);
        let placed = Groups { firsts: vec![0, 1, 2], members: vec![0, 1, 2, 1, 2], counts: vec![1, 2, 2] };
        assert_eq!(groups(false), placed);
    }

    #[test]
    fn slices_are_compared_across_the_axis() {
        let data = [1, 2, 3, 9, 0, 0];
        assert_eq!(compare(&data, (2, 3, 1), 0, 1), Ordering::Less);
        assert_eq!(compare(&[5, 5, 1, 0], (2, 2, 1), 0, 1), Ordering::Greater);
    }
}
