//! Operators that hold graphs: branches and loops. A graph inside of a node is a routine of its own, which the node's
//! kernel executes with slots of its own.

mod branch;
mod repeat;
mod scan;
mod stack;
#[cfg(test)]
mod tests;

use std::cell::Cell;

use burn_backend::Backend;

use super::{
    super::{
        DType, Dim, Error, Tensor,
        graph::{Body, Output, Type},
        plan::{Args, Reason, Routine, Slot},
    },
    Operator, Refusal, Spec,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "If" => Operator { types: branch::types, kernel: branch::kernel },
        "Loop" => Operator { types: repeat::types, kernel: repeat::kernel },
        "Scan" => Operator { types: scan::types, kernel: scan::kernel },
        _ => return None,
    })
}

/// The types of what an operator gives the graphs inside of its node, before what those capture.
pub(in crate::model) fn formals(spec: &Spec<'_>) -> Result<Vec<Type>, Refusal> {
    match spec.op().parts() {
        ("ai.onnx", "If") => Ok(Vec::new()),
        ("ai.onnx", "Loop") => repeat::formals(spec),
        ("ai.onnx", "Scan") => scan::formals(spec),
        _ => Err(Refusal::unsupported("it is not known")),
    }
}

/// The types that a body gives, if it takes as many inputs as its operator gives it.
fn given(body: &Body, formals: usize) -> Result<Vec<DType>, Refusal> {
    if body.formals() != formals {
        let reason = format!("its graph takes {} inputs, not {formals}", body.formals());
        return Err(Refusal::invalid(reason));
    }
    let dtype = |output: &Output| match &body.graph.value(output.value).kind {
        Type::Tensor(dtype) => Ok(*dtype),
        Type::Foreign(kind) => {
            Err(Refusal::unsupported(format!("its graph gives `{}`, {kind}", output.name)))
        }
        Type::Unknown => Err(Refusal::invalid(format!("the type of `{}` is not known", output.name))),
    };
    body.graph.outputs.iter().map(dtype).collect()
}

/// Checks that values which go from one round of a loop to the next keep their types.
fn carried(body: &Body, first: usize, given: &[DType]) -> Result<(), Refusal> {
    for ((id, port), dtype) in body.graph.inputs[first..body.formals()].iter().zip(given) {
        let kind = &body.graph.value(*id).kind;
        if *kind != Type::Tensor(*dtype) {
            let reason = format!("`{}` is not of the type {dtype} that a round makes of it", port.name);
            return Err(match kind {
                Type::Foreign(kind) => Refusal::unsupported(format!("it carries `{}`, {kind}", port.name)),
                _ => Refusal::invalid(reason),
            });
        }
    }
    Ok(())
}

/// The shape that an output declares, where nothing gives it another: of a size that is not declared there is none.
fn declared(shape: &[Dim]) -> Vec<usize> {
    shape.iter().map(|dim| if let Dim::Fixed(size) = dim { *size } else { 0 }).collect()
}

/// A graph inside of a node, ready to run.
struct Inner<B: Backend> {
    routine: Routine<B>,
    /// Which of the node's inputs it captures.
    captures: Vec<usize>,
}

impl<B: Backend> Inner<B> {
    fn new(spec: &Spec<'_>, name: &str) -> Result<Self, Refusal> {
        let body = spec.body(name)?;
        let routine = spec.routine::<B>(body).map_err(|error| match error {
            Error::Unsupported { reasons, .. } => Refusal::unsupported(reasons.join("; ")),
            error => Refusal::invalid(error.to_string()),
        })?;
        Ok(Inner { routine, captures: body.captures.clone() })
    }

    /// Executes it with what the operator gives; what it captures are arguments of the node.
    fn run<'v>(
        &self,
        args: &'v Args<'_, '_, B>,
        given: impl IntoIterator<Item = Slot<'v, B>>,
    ) -> Result<Vec<Tensor>, Reason> {
        let mut inputs: Vec<Slot<'v, B>> = given.into_iter().collect();
        for &capture in &self.captures {
            inputs.push(Slot::Borrowed(args.view(capture)?));
        }
        let outputs = self.routine.execute(inputs.into_iter(), args.run(), &Cell::new(0));
        outputs.map_err(|error| error.to_string())
    }
}
