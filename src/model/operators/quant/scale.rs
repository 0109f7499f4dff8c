//! Which scale and which zero an element of a tensor has.

use super::super::{super::plan::Reason, axis};

/// Scales for a whole tensor, for each place along an axis, or for blocks along it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Whole,
    /// For each of `along` places with `after` elements each.
    Axis {
        along: usize,
        after: usize,
    },
    /// For each of `blocks` blocks of `size` places.
    Blocks {
        along: usize,
        after: usize,
        blocks: usize,
        size: usize,
    },
}

impl Layout {
    /// How scales of one shape lie over a tensor of another.
    pub(super) fn new(shape: &[usize], scales: &[usize], at: i64, block: usize) -> Result<Layout, Reason> {
        if scales.is_empty() || *scales == [1] {
            return Ok(Layout::Whole);
        }
        let misfit = || format!("scales of shape {scales:?} do not fit a tensor of shape {shape:?}");
        let at = axis(at, shape.len())?;
        let (along, after) = (shape[at], shape[at + 1..].iter().product());
        if block == 0 {
            return if *scales == [along] { Ok(Layout::Axis { along, after }) } else { Err(misfit()) };
        }
        let blocks = along.div_ceil(block);
        let mut expected = shape.to_vec();
        expected[at] = blocks;
        if scales != expected {
            return Err(misfit());
        }
        Ok(Layout::Blocks { along, after, blocks, size: block })
    }

    /// The number of the scale of an element.
    pub(super) fn of(&self, element: usize) -> usize {
        match *self {
            Layout::Whole => 0,
            Layout::Axis { along, after } => element / after % along,
            Layout::Blocks { along, after, blocks, size } => {
                let (row, column) = (element / after, element % after);
                (row / along * blocks + row % along / size) * after + column
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_lie_along_an_axis_or_over_blocks() {
        assert_eq!(Layout::new(&[2, 3], &[], 1, 0), Ok(Layout::Whole));
        let axis = Layout::new(&[2, 3], &[3], -1, 0).unwrap();
        assert_eq!((0..6).map(|element| axis.of(element)).collect::<Vec<_>>(), [0, 1, 2, 0, 1, 2]);
        let blocks = Layout::new(&[3, 2], &[2, 2], 0, 2).unwrap();
        assert_eq!((0..6).map(|element| blocks.of(element)).collect::<Vec<_>>(), [0, 1, 0, 1, 2, 3]);
        assert!(Layout::new(&[2, 3], &[2], 1, 0).is_err());
        assert!(Layout::new(&[3, 2], &[1, 2], 0, 2).is_err());
    }
}
