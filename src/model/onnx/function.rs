//! Functions: operators that a model defines by others. Each call is replaced by what the function is made of, as if it
//! stood there in the file; so together they take no more than a file may.

use std::{collections::HashMap, rc::Rc};

use super::{
    super::{Error, Limits},
    proto::{AttributeProto, FunctionProto, NodeProto},
    scan::{Census, Tally},
};

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
            let name = [super::build::domain(&proto.domain), proto.name.clone(), proto.overload.clone()];
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
        let name = [super::build::domain(&node.domain), node.op_type.clone(), node.overload.clone()];
        self.numbers.get(&name).copied()
    }

    /// Begins to write out a call.
    pub(super) fn enter(&mut self, number: usize) -> Result<Rc<FunctionProto>, Error> {
        let (proto, tally) = &self.protos[number];
        if self.calls.contains(&number) {
            return Err(Error::invalid(place(proto), "it calls itself"));
        }
        self.calls.push(number);
        Error::limit("the depth of calls of functions", self.calls.len(), self.limits.nesting)?;
        self.whole.add(*tally, self.limits)?;
        Ok(Rc::clone(proto))
    }

    /// Ends what [`Functions::enter`] began last.
    pub(super) fn leave(&mut self) {
        self.calls.pop();
    }
}

/// How messages name a function.
pub(super) fn place(proto: &FunctionProto) -> String {
    format!("function `{}:{}`", super::build::domain(&proto.domain), proto.name)
}

/// The attributes of a call, each with the value that it gives or else the function's own.
pub(super) fn arguments(function: &FunctionProto, given: Vec<AttributeProto>) -> Arguments {
    let defaults = function.attribute_proto.iter().cloned();
    defaults.chain(given).map(|attribute| (attribute.name.clone(), attribute)).collect()
}

/// An attribute as it is in a call: that of the function which it refers to, under its own name; none where that has no value.
pub(super) fn argument(proto: AttributeProto, arguments: Option<&Arguments>) -> Option<AttributeProto> {
    if proto.ref_attr_name.is_empty() {
        return Some(proto);
    }
    let value = arguments?.get(&proto.ref_attr_name)?.clone();
    Some(AttributeProto { name: proto.name, ..value })
}
