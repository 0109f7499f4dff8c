//! Tensors of the rounds of a loop that become one.

use super::super::{
    super::{
        Data, Limits, Tensor,
        plan::Reason,
        tensor::{Element, each_data},
    },
    axis,
    broadcast::{bounded, elements, row_major},
    pick::{pick, walked},
};

/// Tensors of one type and shape, along a new first dimension.
pub(super) struct Stack {
    /// The shape of each.
    shape: Option<Vec<usize>>,
    data: Data,
    count: usize,
    limits: Limits,
}

impl Stack {
    pub(super) fn new(empty: Data, limits: Limits) -> Stack {
        Stack { shape: None, data: empty, count: 0, limits }
    }

    pub(super) fn push(&mut self, tensor: &Tensor) -> Result<(), Reason> {
        let shape = self.shape.get_or_insert_with(|| tensor.shape.clone());
        if *shape != tensor.shape {
            return Err(format!("a round gives shape {:?} after {shape:?}", tensor.shape));
        }
        self.count += 1;
        elements(&[self.count, tensor.data.len()], self.limits.elements)?;
        each_data!(&mut self.data, held => match tensor.view().like(held) {
            Some(more) => held.extend_from_slice(more),
            None => return Err(format!("a round gives {}", tensor.dtype())),
        });
        Ok(())
    }

    /// All of them, along dimension `at`; of the shape that is declared if there are none.
    pub(super) fn finish(self, at: i64, reversed: bool, declared: &[usize]) -> Result<Tensor, Reason> {
        let each = self.shape.unwrap_or_else(|| declared.to_vec());
        let at = axis(at, each.len() + 1)?;
        let mut shape = each.clone();
        shape.insert(at, self.count);
        bounded(&shape, &self.limits)?;
        let (count, size) = (self.count, each.iter().product());
        let mut data = self.data;
        if reversed {
            let order: Vec<usize> = (0..count).rev().collect();
            data = each_data!(data, data => Element::data(pick(&data, (1, count, size), &order)));
        }
        if at > 0 {
            let mut steps = row_major(&each);
            steps.insert(at, size);
            data = each_data!(data, data => Element::data(walked(&data, &shape, &steps)));
        }
        Ok(Tensor { shape, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stacked(at: i64, reversed: bool) -> Tensor {
        let mut stack = Stack::new(Data::I64(Vec::new()), Limits::default());
        for first in [1, 3, 5] {
            stack.push(&Tensor::i64([2], vec![first, first + 1])).unwrap();
        }
        stack.finish(at, reversed, &[]).unwrap()
    }

    #[test]
    fn rounds_are_laid_along_any_dimension_in_either_order() {
        assert_eq!(stacked(0, false), Tensor::i64([3, 2], vec![1, 2, 3, 4, 5, 6]));
        assert_eq!(stacked(0, true), Tensor::i64([3, 2], vec![5, 6, 3, 4, 1, 2]));
        assert_eq!(stacked(-1, false), Tensor::i64([2, 3], vec![1, 3, 5, 2, 4, 6]));
    }

    #[test]
    fn rounds_over_the_limit_are_refused() {
        let limits = Limits { elements: 3, ..Limits::default() };
        let mut stack = Stack::new(Data::I64(Vec::new()), limits);
        stack.push(&Tensor::i64([2], vec![1, 2])).unwrap();
        assert!(stack.push(&Tensor::i64([2], vec![1, 2])).is_err());
        assert!(stack.push(&Tensor::i64([1], vec![1])).is_err());
        let none = Stack::new(Data::I64(Vec::new()), Limits::default());
        assert!(none.finish(0, false, &[usize::MAX, 2]).is_err());
    }
}
