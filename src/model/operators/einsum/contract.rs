//! Products of two tensors over the dimensions that they share, and sums over those that nobody asks for any more.

use std::collections::BTreeMap;

use super::{
    super::{
        super::{Limits, plan::Reason},
        broadcast::{Dims, bounded, elements, row_major, walk},
        number::Number,
    },
    equation::{Label, Labels},
};

/// How often each dimension is still asked for, by tensors to come and the result.
pub(super) struct Remaining(BTreeMap<Label, usize>);

impl Remaining {
    pub(super) fn new(labels: &Labels) -> Remaining {
        let mut count = BTreeMap::new();
        for label in labels.inputs.iter().flatten().chain(&labels.output) {
            *count.entry(*label).or_default() += 1;
        }
        Remaining(count)
    }

    /// A tensor's turn has come.
    pub(super) fn pass(&mut self, labels: &[Label]) {
        for label in labels {
            self.0.entry(*label).and_modify(|count| *count -= 1);
        }
    }

    /// What is asked for by another tensor too.
    fn and(&self, labels: &[Label]) -> Remaining {
        let mut count = self.0.clone();
        labels.iter().for_each(|label| *count.entry(*label).or_default() += 1);
        Remaining(count)
    }

    fn asked(&self, label: Label) -> bool {
        self.0.get(&label).is_some_and(|count| *count > 0)
    }
}

/// A tensor whose dimensions are named, each by another label.
pub(super) struct Labelled<T> {
    labels: Vec<Label>,
    shape: Dims,
    data: Vec<T>,
}

impl<T: Number> Labelled<T> {
    /// Of dimensions of one name only the diagonal is taken, and those that are stretched are left out.
    pub(super) fn new(labels: &[Label], shape: &[usize], data: &[T], sizes: &BTreeMap<Label, usize>) -> Self {
        let mut named: Vec<(Label, usize, usize)> = Vec::new();
        for ((label, &size), &step) in labels.iter().zip(shape).zip(&row_major(shape)) {
            match named.iter_mut().find(|(other, ..)| other == label) {
                Some((_, _, held)) => *held += step,
                None if sizes.get(label) == Some(&size) => named.push((*label, size, step)),
                None => {}
            }
        }
        let shape: Dims = named.iter().map(|(_, size, _)| *size).collect();
        let steps: Dims = named.iter().map(|(.., step)| *step).collect();
        let mut taken = Vec::with_capacity(shape.iter().product());
        walk(&shape, [&steps], |[place]| taken.push(data[place]));
        Labelled { labels: named.into_iter().map(|(label, ..)| label).collect(), shape, data: taken }
    }

    /// The same in another order of dimensions.
    fn arranged(&self, order: &[usize]) -> Vec<T> {
        let steps = row_major(&self.shape);
        let shape: Dims = order.iter().map(|&at| self.shape[at]).collect();
        let steps: Dims = order.iter().map(|&at| steps[at]).collect();
        let mut out = Vec::with_capacity(self.data.len());
        walk(&shape, [&steps], |[place]| out.push(self.data[place]));
        out
    }

    /// The dimensions for which something holds.
    fn places(&self, holds: impl Fn(Label) -> bool) -> Vec<usize> {
        (0..self.labels.len()).filter(|&at| holds(self.labels[at])).collect()
    }

    fn size(&self, places: &[usize]) -> usize {
        places.iter().map(|&at| self.shape[at]).product()
    }

    fn place(&self, label: Label) -> Option<usize> {
        self.labels.iter().position(|other| *other == label)
    }

    /// Sums over what nobody asks for any more.
    pub(super) fn reduced(self, remaining: &Remaining) -> Self {
        let kept = self.places(|label| remaining.asked(label));
        let summed = self.places(|label| !remaining.asked(label));
        if summed.is_empty() {
            return self;
        }
        let size = self.size(&summed);
        let data = self.arranged(&[&kept[..], &summed].concat());
        let sum = |group: &[T]| group.iter().fold(T::of_f64(0.0), |sum, value| sum.add(*value));
        let sums = (0..self.size(&kept)).map(|group| sum(&data[group * size..(group + 1) * size])).collect();
        self.named(&kept, sums)
    }

    /// A tensor of some of the dimensions.
    fn named(&self, places: &[usize], data: Vec<T>) -> Self {
        Labelled {
            labels: places.iter().map(|&at| self.labels[at]).collect(),
            shape: places.iter().map(|&at| self.shape[at]).collect(),
            data,
        }
    }

    /// The product with another, summed over what both have and nobody asks for any more.
    pub(super) fn times(self, other: Self, remaining: &Remaining, limits: &Limits) -> Result<Self, Reason> {
        // What neither the other one has nor anybody asks for is summed over first.
        let (of_left, of_right) = (remaining.and(&other.labels), remaining.and(&self.labels));
        let (left, right) = (self.reduced(&of_left), other.reduced(&of_right));
        let shared = left.places(|label| right.place(label).is_some());
        let (batch, inner): (Vec<usize>, Vec<usize>) =
            shared.into_iter().partition(|&at| remaining.asked(left.labels[at]));
        let rows = left.places(|label| right.place(label).is_none());
        let columns = right.places(|label| left.place(label).is_none());
        let in_right = |places: &[usize]| -> Vec<usize> {
            places.iter().filter_map(|&at| right.place(left.labels[at])).collect()
        };
        let a = left.arranged(&[&batch[..], &rows, &inner].concat());
        let b = right.arranged(&[&in_right(&batch)[..], &columns, &in_right(&inner)].concat());
        let sizes = [left.size(&batch), left.size(&rows), right.size(&columns), left.size(&inner)];
        elements(&sizes[..3], limits.elements)?;
        let mut product = left.named(&[&batch[..], &rows].concat(), multiplied(&a, &b, sizes));
        product.labels.extend(columns.iter().map(|&at| right.labels[at]));
        product.shape.extend(columns.iter().map(|&at| right.shape[at]));
        Ok(product)
    }

    /// The result: shape and data.
    pub(super) fn ordered(self, output: &[Label], limits: &Limits) -> Result<(Vec<usize>, Vec<T>), Reason> {
        let order: Vec<usize> = output.iter().filter_map(|label| self.place(*label)).collect();
        let shape: Vec<usize> = order.iter().map(|&at| self.shape[at]).collect();
        if shape.len() != output.len() {
            return Err("a dimension of its result is given by no tensor".to_owned());
        }
        bounded(&shape, limits)?;
        Ok((shape, self.arranged(&order)))
    }
}

/// For each of a batch the sums of products of rows of both.
fn multiplied<T: Number>(a: &[T], b: &[T], [batch, rows, columns, inner]: [usize; 4]) -> Vec<T> {
    let mut out = Vec::with_capacity(batch * rows * columns);
    for entry in 0..batch {
        for row in 0..rows {
            let a = &a[(entry * rows + row) * inner..][..inner];
            for column in 0..columns {
                let b = &b[(entry * columns + column) * inner..][..inner];
                let sum = a.iter().zip(b).fold(T::of_f64(0.0), |sum, (a, b)| sum.add(a.mul(*b)));
                out.push(sum);
            }
        }
    }
    out
}
