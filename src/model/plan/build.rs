//! Makes a plan of a graph: compiles each node and gives each value a slot for as long as it is read.

use std::{collections::HashMap, sync::Arc};

use burn_backend::Backend;

use super::{
    super::{
        DType, Error, Options, Tensor,
        graph::{Graph, ValueId},
        operators::{Refusal, Spec, compile},
    },
    Constant, Kernel, Plan, Routine, Source, Step,
};

struct Builder<'g, B: Backend> {
    graph: &'g Graph,
    constants: Vec<Constant<B>>,
    numbers: HashMap<ValueId, u32>,
    /// The slot of each value that has one now.
    places: HashMap<ValueId, u32>,
    free: Vec<u32>,
    slots: u32,
    /// Reads that are still to come.
    reads: Vec<usize>,
}

/// Makes the plan for a device of the backend. The graph's types are inferred, so every operator is known to be supported.
pub(in crate::model) fn build<B: Backend>(
    graph: &Graph,
    options: &Options,
    device: B::Device,
) -> Result<Plan<B>, Error> {
    Ok(Plan { device, routine: routine(graph, options)? })
}

/// Makes what a plan executes.
pub(in crate::model) fn routine<B: Backend>(graph: &Graph, options: &Options) -> Result<Routine<B>, Error> {
    let mut builder = Builder {
        graph,
        constants: Vec::new(),
        numbers: HashMap::new(),
        places: HashMap::new(),
        free: Vec::new(),
        slots: 0,
        reads: graph.uses(),
    };
    for (input, _) in &graph.inputs {
        let slot = builder.take_slot();
        builder.places.insert(*input, slot);
    }
    let mut steps = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let spec = Spec::new(graph, node, options);
        let kernel = kernel::<B>(&spec).map_err(|refusal| match refusal {
            Refusal::Unsupported(reason) => {
                let operator = node.op.to_string();
                Error::Unsupported {
                    reasons: vec![format!("{operator}: {reason}")],
                    operators: vec![operator],
                }
            }
            Refusal::Invalid(reason) => Error::invalid(format!("node {}", node.place()), reason),
        })?;
        let place = node.place();
        let sources = builder.sources(node.inputs.as_slice());
        let mut targets: Vec<_> = node.outputs.iter().map(|output| builder.target(*output)).collect();
        // What comes after the last result that is read need not be given.
        targets.truncate(targets.iter().rposition(Option::is_some).map_or(0, |last| last + 1));
        steps.push(Step { place, kernel, sources, targets });
    }
    let outputs = builder.outputs();
    Ok(Routine { constants: builder.constants, steps, slots: builder.slots as usize, outputs })
}

/// The node's kernel; that of a backend for the CPU, if it reads a type that is not for this one.
fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let wide = (0..spec.inputs()).any(|input| spec.dtype(input) == Ok(DType::F64));
    if wide && spec.backend().narrow() {
        return compile::<burn_flex::Flex>(spec).map(Kernel::by);
    }
    compile::<B>(spec)
}

impl<B: Backend> Builder<'_, B> {
    fn take_slot(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.slots += 1;
            self.slots - 1
        })
    }

    fn constant(&mut self, id: ValueId, tensor: &Arc<Tensor>) -> Source {
        let constants = &mut self.constants;
        Source::Constant(*self.numbers.entry(id).or_insert_with(|| {
            constants.push(Constant::new(Arc::clone(tensor)));
            constants.len() as u32 - 1
        }))
    }

    /// Where a node finds its arguments. A slot is free again after its last read.
    fn sources(&mut self, inputs: &[Option<ValueId>]) -> Vec<Source> {
        let mut sources = Vec::with_capacity(inputs.len());
        for input in inputs {
            sources.push(input.map_or(Source::Absent, |id| self.source(id)));
        }
        for (source, input) in sources.iter().zip(inputs) {
            if let (Source::Slot(slot, true), Some(id)) = (source, input) {
                self.places.remove(id);
                self.free.push(*slot);
            }
        }
        sources
    }

    fn source(&mut self, id: ValueId) -> Source {
        if let Some(tensor) = self.graph.constant(id) {
            let tensor = Arc::clone(tensor);
            return self.constant(id, &tensor);
        }
        let reads = &mut self.reads[id.index()];
        *reads = reads.saturating_sub(1);
        match self.places.get(&id) {
            Some(slot) => Source::Slot(*slot, *reads == 0),
            None => Source::Absent,
        }
    }

    fn target(&mut self, output: Option<ValueId>) -> Option<u32> {
        let id = output.filter(|id| self.reads[id.index()] > 0)?;
        let slot = self.take_slot();
        self.places.insert(id, slot);
        Some(slot)
    }

    fn outputs(&mut self) -> Vec<Source> {
        let ids: Vec<_> = self.graph.outputs.iter().map(|output| Some(output.value)).collect();
        self.sources(&ids)
    }
}
