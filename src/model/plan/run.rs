//! The interpreter: one pass over the steps.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use burn_backend::Backend;
use smallvec::SmallVec;

use super::{
    super::{Error, Tensor, TensorView},
    Constant, Given, Kernel, Plan, Reason, Routine, Source,
    kernel::{Args, Run},
    slot::{Slot, download},
};

/// Calls a kernel by itself, with constants as its arguments.
pub(in crate::model) fn evaluate<B: Backend>(
    kernel: &Kernel<B>,
    inputs: &[Option<Arc<Tensor>>],
    device: &B::Device,
) -> Result<Vec<Tensor>, Reason> {
    evaluate_in(kernel, inputs, Run { device, rounds: &Cell::new(0) })
}

/// Calls a kernel by itself, as a part of a run.
pub(super) fn evaluate_in<B: Backend>(
    kernel: &Kernel<B>,
    inputs: &[Option<Arc<Tensor>>],
    run: Run<'_, B>,
) -> Result<Vec<Tensor>, Reason> {
    let constants: Vec<_> = inputs.iter().flatten().map(|tensor| Constant::new(Arc::clone(tensor))).collect();
    let mut number = 0;
    let source = |input: &Option<Arc<Tensor>>| match input {
        None => Source::Absent,
        Some(_) => {
            number += 1;
            Source::Constant(number - 1)
        }
    };
    let sources: Vec<Source> = inputs.iter().map(source).collect();
    let given = kernel.call(&mut Args { slots: &mut [], constants: &constants, sources: &sources, run })?;
    let home = |given| match given {
        Given::Host(tensor) => Ok(tensor),
        Given::Float(tensor) => download::<B>(tensor),
    };
    given.into_iter().map(home).collect()
}

impl<B: Backend> Plan<B> {
    /// Computes the outputs. The inputs are those of the model, checked already.
    pub(in crate::model) fn run(&self, inputs: &[TensorView<'_>]) -> Result<Vec<Tensor>, Error> {
        let at = Cell::new(0);
        let inputs = inputs.iter().map(|view| Slot::Borrowed(*view));
        let run = Run { device: &self.device, rounds: &Cell::new(0) };
        // A panic leaves nothing behind: slots are local, and a constant is set whole or not at all.
        match catch_unwind(AssertUnwindSafe(|| self.routine.execute(inputs, run, &at))) {
            Ok(result) => result,
            Err(panic) => {
                let reason = panic.downcast_ref::<String>().map(String::as_str);
                let reason = reason.or_else(|| panic.downcast_ref::<&str>().copied());
                Err(Error::Panic {
                    node: self.routine.place(at.get()),
                    reason: reason.unwrap_or("no message").to_owned(),
                })
            }
        }
    }
}

impl<B: Backend> Routine<B> {
    fn place(&self, step: usize) -> String {
        self.steps.get(step).map_or_else(|| "`outputs`".to_owned(), |step| step.place.clone())
    }

    /// Computes the outputs as a part of a run. `at` tells the step that it is at.
    pub(in crate::model) fn execute<'a>(
        &self,
        inputs: impl Iterator<Item = Slot<'a, B>>,
        run: Run<'_, B>,
        at: &Cell<usize>,
    ) -> Result<Vec<Tensor>, Error> {
        let mut slots: SmallVec<[Slot<'_, B>; 8]> = SmallVec::with_capacity(self.slots);
        slots.extend(inputs);
        slots.resize_with(self.slots, || Slot::Empty);
        for (index, step) in self.steps.iter().enumerate() {
            at.set(index);
            let fail = |reason| Error::Run { node: step.place.clone(), reason };
            let mut args =
                Args { slots: &mut slots, constants: &self.constants, sources: &step.sources, run };
            let given = step.kernel.call(&mut args).map_err(fail)?;
            for source in &step.sources {
                if let Source::Slot(slot, true) = source {
                    slots[*slot as usize] = Slot::Empty;
                }
            }
            if given.len() < step.targets.len() {
                return Err(fail(format!("it gave {} of {} results", given.len(), step.targets.len())));
            }
            for (given, target) in given.into_iter().zip(&step.targets) {
                if let Some(target) = target {
                    slots[*target as usize] = given.into();
                }
            }
        }
        at.set(self.steps.len());
        let fail = |reason| Error::Run { node: self.place(self.steps.len()), reason };
        let output = |source: &Source| {
            Args { slots: &mut slots, constants: &self.constants, sources: &[*source], run }
                .take(0)
                .map_err(fail)
        };
        self.outputs.iter().map(output).collect()
    }
}
