//! The sizes of one call of a recurrent layer, and where its rows are.

use burn_backend::Backend;

use super::super::{
    super::plan::{Args, Reason},
    broadcast::elements,
};

#[derive(Clone, Copy, Debug)]
pub(super) struct Shapes {
    pub(super) steps: usize,
    pub(super) batch: usize,
    pub(super) directions: usize,
    pub(super) hidden: usize,
    /// Whether the batch is the first dimension, instead of the steps and directions.
    pub(super) batch_first: bool,
}

impl Shapes {
    /// The sizes of an input of so many columns, for so many gates.
    pub(super) fn new<B: Backend>(
        args: &Args<'_, '_, B>,
        (columns, gates): (usize, usize),
        (directions, hidden): (usize, usize),
        batch_first: bool,
        limit: usize,
    ) -> Result<Shapes, Reason> {
        let input = args.shape(0)?;
        let (steps, batch) = match (&input[..], batch_first) {
            (&[steps, batch, width], false) | (&[batch, steps, width], true) if width == columns => {
                (steps, batch)
            }
            _ => {
                return Err(format!("an input of shape {input:?} does not fit weights of {columns} columns"));
            }
        };
        let shapes = Shapes { steps, batch, directions, hidden, batch_first };
        let fits = |index: usize, expected: &[usize]| match args.has(index) {
            true if args.shape(index)?[..] != *expected => {
                Err(format!("argument {index} is of shape {:?}, not {expected:?}", args.shape(index)?))
            }
            _ => Ok(()),
        };
        fits(4, &[batch])?;
        fits(5, &shapes.state())?;
        fits(6, &shapes.state())?;
        fits(7, &[directions, 3 * hidden])?;
        elements(&[steps, batch, gates, hidden], limit)?;
        elements(&shapes.output(), limit)?;
        elements(&shapes.state(), limit)?;
        Ok(shapes)
    }

    /// The shape of the states of all steps.
    pub(super) fn output(&self) -> Vec<usize> {
        match self.batch_first {
            true => vec![self.batch, self.steps, self.directions, self.hidden],
            false => vec![self.steps, self.directions, self.batch, self.hidden],
        }
    }

    /// The shape of the states of one step.
    pub(super) fn state(&self) -> Vec<usize> {
        match self.batch_first {
            true => vec![self.batch, self.directions, self.hidden],
            false => vec![self.directions, self.batch, self.hidden],
        }
    }

    /// The row of the input.
    pub(super) fn input_row(&self, step: usize, row: usize) -> usize {
        if self.batch_first { row * self.steps + step } else { step * self.batch + row }
    }

    /// The row of the states of all steps.
    pub(super) fn output_row(&self, step: usize, direction: usize, row: usize) -> usize {
        match self.batch_first {
            true => (row * self.steps + step) * self.directions + direction,
            false => (step * self.directions + direction) * self.batch + row,
        }
    }

    /// The row of the states of one step.
    pub(super) fn state_row(&self, direction: usize, row: usize) -> usize {
        if self.batch_first { row * self.directions + direction } else { direction * self.batch + row }
    }
}
