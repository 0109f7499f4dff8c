//! Functions: operators that a model defines by others. Each call is replaced by what the function is made of, as if it
//! stood there in the file; so together they take no more than a file may.

use std::{collections::HashMap, rc::Rc};

use super::{
    super::{
        Error, Limits,
        graph::{Node, ValueId},
    },
    build::{Builder, Scope, domain, imports, name},
    proto::{AttributeProto, FunctionProto, NodeProto},
    scan::{Census, Tally},
};

/// Characters of a call's name that its nodes are named after.
const LONGEST_CALL: usize = 256;

/// The values of a function's attributes in one call.
pub(super) type Arguments = HashMap<String, AttributeProto>;

/// The functions of a model, and those that are being written out.
pub(super) struct Functions<'l> {
    limits: &'l Limits,
    protos: Vec<(Rc<FunctionProto>, Tally)>,
    numbers: HashMap<[String; 3], usize>,
    /// Calls in calls.
    calls: Vec<usize>,
    /// The model, were it written without functions.
    whole: Tally,
}

impl<'l> Functions<'l> {
    pub(super) fn new(protos: Vec<FunctionProto>, census: Census, limits: &'l Limits) -> Result<Self, Error> {
        let mut numbers = HashMap::new();
        for (number, proto) in protos.iter().enumerate() {
            let name = [domain(&proto.domain), proto.name.clone(), proto.overload.clone()];
            if numbers.insert(name, number).is_some() {
                return Err(Error::invalid(place(proto), "it is defined twice"));
            }
        }
        let protos = protos.into_iter().map(Rc::new).zip(census.functions).collect();
        Ok(Functions { limits, protos, numbers, calls: Vec::new(), whole: census.whole })
    }

    /// The number of the function that a node calls; none if it is an operator.
    pub(super) fn find(&self, node: &NodeProto) -> Option<usize> {
        if self.numbers.is_empty() {
            return None;
        }
        let name = [domain(&node.domain), node.op_type.clone(), node.overload.clone()];
        self.numbers.get(&name).copied()
    }

    /// Begins to write out a call.
    fn enter(&mut self, number: usize) -> Result<Rc<FunctionProto>, Error> {
        let (proto, tally) = &self.protos[number];
        if self.calls.contains(&number) {
            return Err(Error::invalid(place(proto), "it calls itself"));
        }
        self.calls.push(number);
        Error::limit("the depth of calls of functions", self.calls.len(), self.limits.nesting)?;
        self.whole.add(*tally, self.limits)?;
        Ok(Rc::clone(proto))
    }

    /// Counts what is written out in place of a reference.
    fn count(&mut self, tally: Tally) -> Result<(), Error> {
        self.whole.add(tally, self.limits)
    }

    /// Ends what [`Functions::enter`] began last.
    fn leave(&mut self) {
        self.calls.pop();
    }
}

/// How messages name a function.
fn place(proto: &FunctionProto) -> String {
    format!("function `{}:{}`", domain(&proto.domain), proto.name)
}

impl Builder<'_, '_> {
    /// Writes out a call: the function's inputs and outputs are those of the call, everything else in it is new.
    pub(super) fn call(
        &mut self,
        number: usize,
        call: NodeProto,
        index: usize,
        place: &str,
        scope: &mut Scope,
    ) -> Result<(), Error> {
        let function = self.shared.functions.enter(number)?;
        if call.input.len() > function.input.len() || call.output.len() > function.output.len() {
            let (inputs, outputs) = (function.input.len(), function.output.len());
            let reason = format!("the function has {inputs} inputs and {outputs} outputs");
            return Err(Error::invalid(place, reason));
        }
        let mut inner = Scope::new(imports(&function.opset_import)?);
        let called: String = name(&call, index, scope).chars().take(LONGEST_CALL).collect();
        inner.path = format!("{called}/");
        for (at, formal) in function.input.iter().enumerate() {
            let given = call.input.get(at).map_or("", String::as_str);
            inner.names.insert(formal.clone(), self.read(given, scope, place)?);
        }
        let mut results = Vec::new();
        for (formal, given) in function.output.iter().zip(&call.output) {
            if let Some(id) = scope.names.get(given).copied().flatten() {
                inner.results.insert(formal.clone(), id);
                results.push((formal, id));
            }
        }
        inner.arguments = Some(Rc::new(self.arguments(&function, call.attribute, scope)?));
        self.nodes(function.node.clone(), &mut inner)?;
        for (formal, id) in results {
            self.result(formal, id, &inner, &self::place(&function))?;
        }
        self.shared.functions.leave();
        Ok(())
    }

    /// The attributes of a call, each with the value that it gives or else the function's own.
    fn arguments(
        &mut self,
        function: &FunctionProto,
        given: Vec<AttributeProto>,
        scope: &Scope,
    ) -> Result<Arguments, Error> {
        let mut arguments = Arguments::new();
        for attribute in function.attribute_proto.iter().cloned().chain(given) {
            if let Some(attribute) = self.argument(attribute, scope)? {
                arguments.insert(attribute.name.clone(), attribute);
            }
        }
        Ok(arguments)
    }

    /// An attribute as it is in a call: that of the function which it refers to, under its own name; none where that has
    /// no value.
    pub(super) fn argument(
        &mut self,
        proto: AttributeProto,
        scope: &Scope,
    ) -> Result<Option<AttributeProto>, Error> {
        if proto.ref_attr_name.is_empty() {
            return Ok(Some(proto));
        }
        let Some(arguments) = &scope.arguments else {
            let place = format!("attribute `{}`", proto.name);
            return Err(Error::invalid(place, "it refers to one of a function, and is in none"));
        };
        let Some(value) = arguments.get(&proto.ref_attr_name) else { return Ok(None) };
        self.shared.functions.count(Tally::attribute(value))?;
        let AttributeProto { name, ref_attr_name, .. } = proto;
        Ok(Some(AttributeProto { name, ref_attr_name, ..value.clone() }))
    }

    /// Sees to it that an output of a call is given: one that is an input of the function is copied.
    fn result(&mut self, formal: &str, id: ValueId, inner: &Scope, place: &str) -> Result<(), Error> {
        match inner.names.get(formal).copied().flatten() {
            Some(given) if given == id => Ok(()),
            Some(given) => {
                self.graph.nodes.push(Node::identity(given, id, format!("{}{formal}", inner.path)));
                Ok(())
            }
            None => Err(Error::invalid(place, format!("no node gives its output `{formal}`"))),
        }
    }
}
