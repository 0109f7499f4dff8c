//! Which keys a query sees, and what is added to its scores.

use std::ops::Range;

use super::super::{
    super::{TensorView, plan::Reason},
    broadcast::{broadcast, strides},
    float::{Float, nearest},
};

/// The bounds that hold for all queries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) is_causal: bool,
    /// Keys that are seen in front of a query's own place, and behind it.
    pub(super) left: Option<usize>,
    pub(super) right: Option<usize>,
}

impl Bounds {
    /// Whether every query sees every key.
    pub(super) fn are_open(&self) -> bool {
        !self.is_causal && self.left.is_none() && self.right.is_none()
    }

    /// The keys that a query sees of so many, of which `offset` come before the first query's own.
    pub(super) fn seen(&self, query: usize, offset: i64, keys: usize) -> Range<usize> {
        let own = (query as i64).saturating_add(offset);
        let mut end = keys as i64;
        if self.is_causal {
            end = end.min(own + 1);
        }
        if let Some(right) = self.right {
            end = end.min(own.saturating_add(right as i64).saturating_add(1));
        }
        let start = self.left.map_or(0, |left| own.saturating_sub(left as i64)).clamp(0, keys as i64);
        let end = end.clamp(0, keys as i64);
        start.min(end) as usize..end as usize
    }
}

/// A tensor that is laid over the scores.
pub(super) struct Mask<T> {
    values: Values<T>,
    /// How far to step for a batch, a head, a query and a key.
    steps: [usize; 4],
    /// Keys that it holds.
    keys: usize,
}

enum Values<T> {
    /// Whether a key is seen.
    Seen(Vec<bool>),
    /// What is added.
    Added(Vec<T>),
}

impl<T: Float> Mask<T> {
    /// A mask for scores of this shape. Keys behind its last are not seen.
    pub(super) fn new(view: TensorView<'_>, scores: [usize; 4]) -> Result<Self, Reason> {
        let misfit = || format!("a mask of shape {:?} does not fit scores of {scores:?}", view.shape());
        let [batch, heads, queries, all] = scores;
        let &keys = view.shape().last().ok_or_else(misfit)?;
        let wide = [batch, heads, queries, keys];
        // A single column could be meant for all keys or for the first.
        if keys > all || (keys == 1 && all > 1) || broadcast(view.shape(), &wide)?[..] != wide {
            return Err(misfit());
        }
        let values = match view {
            TensorView::Bool { data, .. } => Values::Seen(data.to_vec()),
            other => Values::Added(nearest(other)?),
        };
        let steps = strides(view.shape(), &wide);
        Ok(Mask { values, steps: [steps[0], steps[1], steps[2], steps[3]], keys })
    }

    /// What is added to the score of a key for a query.
    fn added(&self, [batch, head, query]: [usize; 3], key: usize) -> T {
        let [of_batch, of_head, of_query, of_key] = self.steps;
        let place = batch * of_batch + head * of_head + query * of_query + key * of_key;
        match &self.values {
            _ if key >= self.keys => T::neg_infinity(),
            Values::Seen(seen) if seen[place] => T::zero(),
            Values::Seen(_) => T::neg_infinity(),
            Values::Added(added) => added[place],
        }
    }
}

/// Adds to a query's scores what keeps it from the keys that it does not see; whether one is left that it sees.
pub(super) fn lay<T: Float>(
    query: [usize; 3],
    seen: Range<usize>,
    mask: Option<&Mask<T>>,
    scores: &mut [T],
) -> bool {
    let mut any = false;
    for (key, score) in scores.iter_mut().enumerate() {
        let bound = if seen.contains(&key) { T::zero() } else { T::neg_infinity() };
        let added = mask.map_or(bound, |mask| bound + mask.added(query, key));
        any |= added != T::neg_infinity();
        *score = *score + added;
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_sees_what_is_around_its_own_place() {
        let causal = Bounds { is_causal: true, left: None, right: None };
        assert_eq!(causal.seen(1, 0, 4), 0..2);
        assert_eq!(causal.seen(1, 2, 4), 0..4);
        assert_eq!(causal.seen(0, -2, 4), 0..0);
        let window = Bounds { is_causal: false, left: Some(2), right: Some(1) };
        assert_eq!(window.seen(3, 0, 6), 1..5);
        assert_eq!(window.seen(9, 0, 6), 6..6);
    }
}
