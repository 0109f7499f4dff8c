//! Lowers the layers to operators, as they stand in an ONNX file of the same network.

use std::collections::BTreeSet;

use super::{
    super::{
        DType, Data, Dim, Error, Limits, Port, Tensor,
        graph::{Attribute, Graph, Node, OpName, Output, Type, Value, ValueId, sort},
    },
    description::{Description, Layer, Layout},
    weights::Weights,
};

/// The version of `ai.onnx` that the operators are meant in.
const VERSION: i64 = 17;

/// Builds the graph. Every tensor of the file must belong to a layer.
pub(super) fn graph(
    description: &Description,
    weights: &Weights<'_>,
    limits: &Limits,
) -> Result<Graph, Error> {
    let width = description.input.width;
    let mut stack = Stack::new(&description.input.name, width, weights);
    for (index, layer) in description.layers.iter().enumerate() {
        stack.place = description.place(index);
        stack.layer(layer)?;
    }
    let unread: Vec<String> =
        weights.names().filter(|name| !stack.read.contains(*name)).map(|name| format!("`{name}`")).collect();
    if !unread.is_empty() {
        let reason = format!("no layer reads {}", unread.join(", "));
        return Err(Error::invalid("its description", reason));
    }
    let shape = matrix(stack.width);
    let output = Output { value: stack.top, name: description.output.name.clone(), shape, labels: None };
    let mut graph = stack.graph;
    graph.outputs.push(output);
    Error::limit("the number of operators", graph.nodes.len(), limits.nodes)?;
    sort(&mut graph, limits)?;
    Ok(graph)
}

/// The shape of any number of rows.
fn matrix(width: usize) -> Vec<Dim> {
    vec![Dim::Named("N".to_owned()), Dim::Fixed(width)]
}

/// The layers lowered so far.
struct Stack<'w> {
    weights: &'w Weights<'w>,
    graph: Graph,
    /// What the last of them gives, and how wide that is.
    top: ValueId,
    width: usize,
    /// The tensors that they read.
    read: BTreeSet<String>,
    /// The layer that is being lowered, as messages name it.
    place: String,
}

impl<'w> Stack<'w> {
    fn new(input: &str, width: usize, weights: &'w Weights<'w>) -> Self {
        let kind = Type::Tensor(DType::F32);
        let mut graph = Graph::default();
        graph.values.push(Value { name: input.to_owned(), kind, constant: None });
        let port = Port { name: input.to_owned(), dtype: DType::F32, shape: matrix(width), labels: None };
        let top = ValueId(0);
        graph.inputs.push((top, port));
        Stack { weights, graph, top, width, read: BTreeSet::new(), place: String::new() }
    }

    fn layer(&mut self, layer: &Layer) -> Result<(), Error> {
        let float = |name: &'static str, value: f32| vec![(name, Attribute::Float(value))];
        match layer {
            Layer::Linear { name, layout } => self.linear(name, *layout)?,
            Layer::BatchNorm { name, epsilon } => self.batch_norm(name, *epsilon)?,
            Layer::LayerNorm { name, epsilon } => self.layer_norm(name, *epsilon)?,
            Layer::Dropout {} => {}
            Layer::Scale { factor } => self.with_number("Mul", *factor),
            Layer::Relu {} => self.apply("Relu", vec![]),
            Layer::LeakyRelu { negative_slope } => self.apply("LeakyRelu", float("alpha", *negative_slope)),
            Layer::Elu { alpha } => self.apply("Elu", float("alpha", *alpha)),
            Layer::Selu {} => self.apply("Selu", vec![]),
            Layer::Gelu { approximate } => {
                let form = if *approximate { "tanh" } else { "none" };
                self.apply("Gelu", vec![("approximate", Attribute::Text(form.to_owned()))]);
            }
            Layer::Silu {} => self.apply("Swish", vec![]),
            Layer::Mish {} => self.apply("Mish", vec![]),
            Layer::Sigmoid {} => self.apply("Sigmoid", vec![]),
            Layer::HardSigmoid {} => self.apply("HardSigmoid", vec![]),
            Layer::HardSwish {} => self.apply("HardSwish", vec![]),
            Layer::Softplus {} => self.apply("Softplus", vec![]),
            Layer::Softsign {} => self.apply("Softsign", vec![]),
            Layer::Tanh {} => self.apply("Tanh", vec![]),
            Layer::Softmax {} => self.apply("Softmax", vec![]),
            Layer::LogSoftmax {} => self.apply("LogSoftmax", vec![]),
        }
        Ok(())
    }

    /// Adds an operator; what it gives.
    fn node(&mut self, op: &str, inputs: &[ValueId], attributes: Vec<(&'static str, Attribute)>) -> ValueId {
        let name = format!("{}, {}", self.place, self.graph.nodes.len());
        let output = ValueId(self.graph.values.len() as u32);
        self.graph.values.push(Value { name: name.clone(), kind: Type::Unknown, constant: None });
        self.graph.nodes.push(Node {
            name,
            op: OpName { domain: "ai.onnx".to_owned(), name: op.to_owned() },
            version: VERSION,
            inputs: inputs.iter().copied().map(Some).collect(),
            outputs: vec![Some(output)],
            attributes: attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        });
        output
    }

    /// Puts an operator of one input on top.
    fn apply(&mut self, op: &str, attributes: Vec<(&'static str, Attribute)>) {
        self.top = self.node(op, &[self.top], attributes);
    }

    /// Puts an operator of two inputs on top, of which the second never changes.
    fn with_constant(&mut self, op: &str, constant: Tensor) {
        let constant = self.graph.add_constant(self.place.clone(), constant);
        self.top = self.node(op, &[self.top, constant], vec![]);
    }

    fn with_number(&mut self, op: &str, number: f32) {
        self.with_constant(op, Tensor::f32([], vec![number]));
    }

    /// The layer's tensor `name.part`, with one number for each column; none if there is none.
    fn find_row(&mut self, name: &str, part: &str) -> Result<Option<Vec<f32>>, Error> {
        let full = format!("{name}.{part}");
        let expected = [self.width];
        match self.weights.shape(&full) {
            None => Ok(None),
            Some(shape) if shape == expected => self.take(full).map(Some),
            Some(shape) => Err(self.misfit(&full, shape, &format!("{expected:?}"))),
        }
    }

    fn row(&mut self, name: &str, part: &str) -> Result<Vec<f32>, Error> {
        let missing = |stack: &Self| stack.weights.missing(&format!("{name}.{part}"), &stack.place);
        self.find_row(name, part)?.ok_or_else(|| missing(self))
    }

    fn take(&mut self, full: String) -> Result<Vec<f32>, Error> {
        let elements = self.weights.elements(&full)?;
        self.read.insert(full);
        Ok(elements)
    }

    fn misfit(&self, full: &str, shape: &[usize], expected: &str) -> Error {
        Error::invalid(&self.place, format!("`{full}` has the shape {shape:?}, not {expected}"))
    }

    fn linear(&mut self, name: &str, layout: Layout) -> Result<(), Error> {
        let full = format!("{name}.weight");
        let Some(shape) = self.weights.shape(&full) else {
            return Err(self.weights.missing(&full, &self.place));
        };
        let shape = shape.to_vec();
        let (inputs, outputs, expected) = match (layout, shape.as_slice()) {
            (Layout::Row, &[inputs, outputs]) => (inputs, outputs, format!("[{}, ..]", self.width)),
            (Layout::Col, &[outputs, inputs]) => (inputs, outputs, format!("[.., {}]", self.width)),
            (_, shape) => return Err(self.misfit(&full, shape, "that of a matrix")),
        };
        if inputs != self.width {
            let other = if layout == Layout::Row { "col" } else { "row" };
            let turned =
                if outputs == self.width { format!(": is its layout \"{other}\"?") } else { String::new() };
            return Err(self.misfit(&full, &shape, &format!("{expected}{turned}")));
        }
        if outputs == 0 {
            return Err(self.misfit(&full, &shape, "that of a layer with outputs"));
        }
        let weights = Tensor::new(shape, Data::F32(self.take(full)?));
        self.width = outputs;
        let mut inputs = vec![self.top, self.graph.add_constant(format!("{name}.weight"), weights)];
        if let Some(bias) = self.find_row(name, "bias")? {
            let bias = Tensor::f32([outputs], bias);
            inputs.push(self.graph.add_constant(format!("{name}.bias"), bias));
        }
        let turned = Attribute::Int(i64::from(layout == Layout::Col));
        self.top = self.node("Gemm", &inputs, vec![("transB", turned)]);
        Ok(())
    }

    /// With the statistics of the training: a factor and a summand for each column.
    fn batch_norm(&mut self, name: &str, epsilon: f64) -> Result<(), Error> {
        let (gamma, beta) = (self.row(name, "gamma")?, self.row(name, "beta")?);
        let (mean, variance) = (self.row(name, "running_mean")?, self.row(name, "running_var")?);
        let columns = gamma.iter().zip(beta).zip(mean.iter().zip(variance));
        let (factors, summands) = columns
            .map(|((&gamma, beta), (&mean, variance))| {
                let factor = f64::from(gamma) / (f64::from(variance) + epsilon).sqrt();
                (factor as f32, (f64::from(beta) - f64::from(mean) * factor) as f32)
            })
            .unzip();
        self.with_constant("Mul", Tensor::f32([self.width], factors));
        self.with_constant("Add", Tensor::f32([self.width], summands));
        Ok(())
    }

    fn layer_norm(&mut self, name: &str, epsilon: f64) -> Result<(), Error> {
        let gamma = self.row(name, "gamma")?;
        let beta = self.find_row(name, "beta")?;
        let mean = self.mean(self.top);
        let centred = self.node("Sub", &[self.top, mean], vec![]);
        let squares = self.node("Mul", &[centred, centred], vec![]);
        self.top = self.mean(squares);
        self.with_number("Add", epsilon as f32);
        self.apply("Sqrt", vec![]);
        self.top = self.node("Div", &[centred, self.top], vec![]);
        self.with_constant("Mul", Tensor::f32([self.width], gamma));
        if let Some(beta) = beta {
            self.with_constant("Add", Tensor::f32([self.width], beta));
        }
        Ok(())
    }

    /// Each row's mean.
    fn mean(&mut self, of: ValueId) -> ValueId {
        self.node("ReduceMean", &[of], vec![("axes", Attribute::Ints(vec![-1]))])
    }
}
