//! An operator as the interpreter calls it: a closure over its attributes, and the arguments of one call.

use std::{
    cell::Cell,
    sync::{Arc, OnceLock},
};

use burn_backend::{Backend, Shape, TensorMetadata};
use smallvec::{SmallVec, smallvec};

use super::{
    super::{DType, Error, Tensor, TensorView, tensor::Element},
    run::evaluate_in,
    slot::{Given, Reason, Slot, download, upload},
};

/// What an operator gives, in the order of its outputs.
pub(in crate::model) type Outputs<B> = SmallVec<[Given<B>; 1]>;

type Call<B> = dyn Fn(&mut Args<'_, '_, B>) -> Result<Outputs<B>, Reason> + Send + Sync;

/// Arguments in host memory, to be kept beyond a call; none where one is absent.
pub(in crate::model) type Inputs = Vec<Option<Arc<Tensor>>>;

/// An operator compiled for one node.
pub(in crate::model) struct Kernel<B: Backend> {
    /// Whether all its arguments are to be in host memory before it is called.
    home: bool,
    call: Box<Call<B>>,
}

impl<B: Backend> Kernel<B> {
    /// A kernel that reads its arguments in host memory and gives one tensor.
    pub(in crate::model) fn host(
        call: impl Fn(&mut Args<'_, '_, B>) -> Result<Tensor, Reason> + Send + Sync + 'static,
    ) -> Self {
        Kernel { home: true, call: Box::new(move |args| Ok(smallvec![Given::Host(call(args)?)])) }
    }

    /// A kernel that reads its arguments in host memory and gives several tensors.
    pub(in crate::model) fn host_many(
        call: impl Fn(&mut Args<'_, '_, B>) -> Result<SmallVec<[Tensor; 2]>, Reason> + Send + Sync + 'static,
    ) -> Self {
        Kernel {
            home: true,
            call: Box::new(move |args| Ok(call(args)?.into_iter().map(Given::Host).collect())),
        }
    }

    /// A kernel that takes its arguments wherever they are.
    pub(in crate::model) fn anywhere(
        call: impl Fn(&mut Args<'_, '_, B>) -> Result<Given<B>, Reason> + Send + Sync + 'static,
    ) -> Self {
        Kernel { home: false, call: Box::new(move |args| Ok(smallvec![call(args)?])) }
    }

    /// A kernel that takes all its arguments in host memory, to be kept, and the device that it is called for.
    pub(in crate::model) fn whole(
        call: impl Fn(Inputs, &B::Device) -> Result<Vec<Tensor>, Reason> + Send + Sync + 'static,
    ) -> Self {
        Kernel {
            home: true,
            call: Box::new(move |args| {
                let inputs = args.all()?;
                Ok(call(inputs, args.run.device)?.into_iter().map(Given::Host).collect())
            }),
        }
    }

    /// A kernel that another backend computes: for what this one cannot do.
    pub(in crate::model) fn by<O: Backend>(kernel: Kernel<O>) -> Self {
        Kernel {
            home: true,
            call: Box::new(move |args| {
                let run = Run { device: &O::Device::default(), rounds: args.run.rounds };
                Ok(evaluate_in(&kernel, &args.all()?, run)?.into_iter().map(Given::Host).collect())
            }),
        }
    }

    pub(in crate::model) fn call(&self, args: &mut Args<'_, '_, B>) -> Result<Outputs<B>, Reason> {
        if self.home {
            args.bring_home()?;
        }
        (self.call)(args)
    }
}

/// A value that is the same in every run; the backend's copy is made when first asked for.
pub(in crate::model) struct Constant<B: Backend> {
    tensor: Arc<Tensor>,
    float: OnceLock<B::FloatTensorPrimitive>,
}

impl<B: Backend> Constant<B> {
    pub(in crate::model) fn new(tensor: Arc<Tensor>) -> Self {
        Constant { tensor, float: OnceLock::new() }
    }

    pub(super) fn tensor(&self) -> &Tensor {
        &self.tensor
    }

    fn float(&self, device: &B::Device) -> Result<B::FloatTensorPrimitive, Reason> {
        if let Some(float) = self.float.get() {
            return Ok(float.clone());
        }
        let float = upload::<B>((*self.tensor).clone(), device)?;
        Ok(self.float.get_or_init(|| float).clone())
    }
}

/// Where an argument comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Source {
    /// A slot; the flag says that nobody reads it afterwards.
    Slot(u32, bool),
    Constant(u32),
    /// An optional argument that is not given.
    Absent,
}

/// What all calls of one run share.
pub(in crate::model) struct Run<'r, B: Backend> {
    pub(super) device: &'r B::Device,
    /// Rounds that loops have taken.
    pub(super) rounds: &'r Cell<usize>,
}

impl<B: Backend> Clone for Run<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B: Backend> Copy for Run<'_, B> {}

/// The arguments of one call.
pub(in crate::model) struct Args<'r, 'a, B: Backend> {
    pub(super) slots: &'r mut [Slot<'a, B>],
    pub(super) constants: &'r [Constant<B>],
    pub(super) sources: &'r [Source],
    pub(super) run: Run<'r, B>,
}

impl<'r, B: Backend> Args<'r, '_, B> {
    /// What this call shares with others.
    pub(in crate::model) fn run(&self) -> Run<'r, B> {
        self.run
    }

    /// Counts a round of a loop; fails beyond the limit.
    pub(in crate::model) fn round(&self, limit: usize) -> Result<(), Reason> {
        let rounds = self.run.rounds.get().saturating_add(1);
        self.run.rounds.set(rounds);
        Error::limit("the number of rounds of all loops", rounds, limit).map_err(|error| error.to_string())
    }

    /// Number of arguments, absent ones included.
    pub(in crate::model) fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether argument `index` is given.
    pub(in crate::model) fn has(&self, index: usize) -> bool {
        !matches!(self.sources.get(index), None | Some(Source::Absent))
    }

    /// Brings all arguments into host memory.
    pub(in crate::model) fn bring_home(&mut self) -> Result<(), Reason> {
        for source in self.sources {
            if let Source::Slot(slot, _) = source {
                self.slots[*slot as usize].bring_home()?;
            }
        }
        Ok(())
    }

    /// The argument, if it is in host memory.
    pub(in crate::model) fn at_home(&self, index: usize) -> Option<TensorView<'_>> {
        match *self.sources.get(index)? {
            Source::Slot(slot, _) => match &self.slots[slot as usize] {
                Slot::Borrowed(view) => Some(*view),
                Slot::Host(tensor) => Some(tensor.view()),
                Slot::Float(_) | Slot::Empty => None,
            },
            Source::Constant(index) => Some(self.constants[index as usize].tensor().view()),
            Source::Absent => None,
        }
    }

    /// The argument in host memory. For kernels made by [`Kernel::host`] only a missing argument is an error.
    pub(in crate::model) fn view(&self, index: usize) -> Result<TensorView<'_>, Reason> {
        self.at_home(index).ok_or_else(|| format!("argument {index} is missing"))
    }

    /// The argument's elements, which are to be of one type, in host memory.
    pub(in crate::model) fn elements<T: Element>(&self, index: usize) -> Result<&[T], Reason> {
        let view = self.view(index)?;
        T::of(view)
            .ok_or_else(|| format!("argument {index} is {}, which does not fit the others", view.dtype()))
    }

    /// The same, or none if the argument is absent.
    pub(in crate::model) fn optional<T: Element>(&self, index: usize) -> Result<Option<&[T]>, Reason> {
        if self.has(index) { self.elements(index).map(Some) } else { Ok(None) }
    }

    /// The argument as 64-bit integers.
    pub(in crate::model) fn i64(&self, index: usize) -> Result<&[i64], Reason> {
        match self.view(index)? {
            TensorView::I64 { data, .. } => Ok(data),
            other => Err(format!("argument {index} is {} where i64 is needed", other.dtype())),
        }
    }

    /// The shape of the argument, wherever it is.
    pub(in crate::model) fn shape(&self, index: usize) -> Result<SmallVec<[usize; 8]>, Reason> {
        if let Some(view) = self.at_home(index) {
            return Ok(SmallVec::from_slice(view.shape()));
        }
        match self.sources.get(index) {
            Some(Source::Slot(slot, _)) => match &self.slots[*slot as usize] {
                Slot::Float(tensor) => Ok(SmallVec::from_slice(&tensor.shape())),
                _ => Err(format!("argument {index} is not computed")),
            },
            _ => Err(format!("argument {index} is missing")),
        }
    }

    /// The type of the argument, wherever it is.
    pub(in crate::model) fn dtype(&self, index: usize) -> Result<DType, Reason> {
        let missing = || format!("argument {index} is missing");
        match self.sources.get(index) {
            Some(Source::Slot(slot, _)) => self.slots[*slot as usize].dtype().ok_or_else(missing),
            Some(Source::Constant(constant)) => Ok(self.constants[*constant as usize].tensor().dtype()),
            _ => Err(missing()),
        }
    }

    /// The argument as a host tensor of its own: moved if nobody else reads it, else copied.
    pub(in crate::model) fn take(&mut self, index: usize) -> Result<Tensor, Reason> {
        if let Some(Source::Slot(slot, true)) = self.sources.get(index) {
            let slot = &mut self.slots[*slot as usize];
            slot.bring_home()?;
            if let Slot::Host(_) = slot
                && let Slot::Host(tensor) = std::mem::replace(slot, Slot::Empty)
            {
                return Ok(tensor);
            }
        }
        if let Some(Source::Slot(slot, _)) = self.sources.get(index) {
            self.slots[*slot as usize].bring_home()?;
        }
        Ok(self.view(index)?.to_tensor())
    }

    /// All arguments in host memory, to be kept beyond the call.
    fn all(&mut self) -> Result<Inputs, Reason> {
        (0..self.len()).map(|index| self.shared(index)).collect()
    }

    /// The argument in host memory, to be kept beyond the call; none if it is absent.
    fn shared(&mut self, index: usize) -> Result<Option<Arc<Tensor>>, Reason> {
        match self.sources.get(index) {
            None | Some(Source::Absent) => Ok(None),
            Some(Source::Constant(constant)) => {
                Ok(Some(Arc::clone(&self.constants[*constant as usize].tensor)))
            }
            Some(Source::Slot(..)) => self.take(index).map(|tensor| Some(Arc::new(tensor))),
        }
    }

    /// Hands floats to the backend, where its other tensors are.
    pub(in crate::model) fn upload(&self, tensor: Tensor) -> Result<B::FloatTensorPrimitive, Reason> {
        upload::<B>(tensor, self.run.device)
    }

    /// A constant of the kernel's own, as the backend holds floats.
    pub(in crate::model) fn held(&self, constant: &Constant<B>) -> Result<B::FloatTensorPrimitive, Reason> {
        constant.float(self.run.device)
    }

    /// The argument as the backend holds floats.
    pub(in crate::model) fn float(&mut self, index: usize) -> Result<B::FloatTensorPrimitive, Reason> {
        match *self.sources.get(index).unwrap_or(&Source::Absent) {
            Source::Absent => Err(format!("argument {index} is missing")),
            Source::Constant(constant) => self.constants[constant as usize].float(self.run.device),
            Source::Slot(slot, last) => {
                let slot = &mut self.slots[slot as usize];
                match std::mem::replace(slot, Slot::Empty) {
                    Slot::Empty => Err(format!("argument {index} is not computed")),
                    Slot::Borrowed(view) => {
                        *slot = Slot::Borrowed(view);
                        upload::<B>(view.to_tensor(), self.run.device)
                    }
                    // Whoever reads a scalar later is not to find what it becomes there.
                    Slot::Host(tensor) if !last && tensor.shape.is_empty() => {
                        *slot = Slot::Host(tensor.clone());
                        upload::<B>(tensor, self.run.device)
                    }
                    Slot::Host(tensor) => {
                        let float = upload::<B>(tensor, self.run.device)?;
                        if !last {
                            *slot = Slot::Float(float.clone());
                        }
                        Ok(float)
                    }
                    Slot::Float(float) => {
                        if !last {
                            *slot = Slot::Float(float.clone());
                        }
                        Ok(float)
                    }
                }
            }
        }
    }
}

/// Gives a tensor another shape. Scalars live in host memory: see [`upload`].
pub(in crate::model) fn reshaped<B: Backend>(
    tensor: B::FloatTensorPrimitive,
    shape: Vec<usize>,
) -> Result<Given<B>, Reason> {
    if shape.is_empty() {
        let tensor = download::<B>(tensor)?;
        return Ok(Given::Host(Tensor { shape, data: tensor.data }));
    }
    Ok(Given::Float(B::float_reshape(tensor, Shape::from(shape))))
}

/// Adds leading dimensions of one until the tensor has `rank` dimensions.
pub(in crate::model) fn widen<B: Backend>(
    tensor: B::FloatTensorPrimitive,
    rank: usize,
) -> B::FloatTensorPrimitive {
    let shape = tensor.shape();
    if shape.num_dims() >= rank {
        return tensor;
    }
    let mut wide = vec![1; rank - shape.num_dims()];
    wide.extend_from_slice(&shape);
    B::float_reshape(tensor, Shape::from(wide))
}
