//! Keeps 16-bit floats in 32 bits from one operator that computes with them as such to the next, also where others
//! move them in between: nothing is rounded on the way that the model does not give.

use super::super::{
    super::{
        DType, Options,
        operators::{Spec, widens},
    },
    Graph, Node, Type,
};

const HALF: Type = Type::Tensor(DType::F16);

pub(super) fn keep_wide(graph: &mut Graph, options: &Options) {
    if !graph.values.iter().any(|value| value.kind == HALF) {
        return;
    }
    let mut groups = Groups::new(graph);
    for node in &graph.nodes {
        let (given, read) = (halves(graph, node, false), halves(graph, node, true));
        if widens(&Spec::new(graph, node, options)) {
            given.for_each(|value| groups.given_wide[value] = true);
        } else if node.bodies().next().is_none()
            && given.clone().next().is_some()
            && read.clone().next().is_some()
        {
            // What an operator moves keeps its type: all of it is wide, or none.
            let all: Vec<usize> = given.clone().chain(read).collect();
            all.windows(2).for_each(|pair| groups.join(pair[0], pair[1]));
            given.for_each(|value| groups.given_wide[value] = true);
        } else {
            read.for_each(|value| groups.read_narrow[value] = true);
        }
    }
    for output in &graph.outputs {
        groups.read_narrow[output.value.index()] = true;
    }
    for value in groups.wide() {
        if graph.values[value].kind == HALF {
            graph.values[value].kind = Type::Tensor(DType::F32);
        }
    }
}

/// The 16-bit floats that a node reads, or gives.
fn halves<'g>(graph: &'g Graph, node: &'g Node, read: bool) -> impl Iterator<Item = usize> + Clone + 'g {
    let values = if read { &node.inputs } else { &node.outputs };
    values.iter().flatten().map(|value| value.index()).filter(|&value| graph.values[value].kind == HALF)
}

/// Values that are wide together or not at all.
struct Groups {
    parents: Vec<usize>,
    given_wide: Vec<bool>,
    read_narrow: Vec<bool>,
}

impl Groups {
    fn new(graph: &Graph) -> Groups {
        let count = graph.values.len();
        Groups {
            parents: (0..count).collect(),
            given_wide: vec![false; count],
            read_narrow: vec![false; count],
        }
    }

    fn root(&self, mut value: usize) -> usize {
        while self.parents[value] != value {
            value = self.parents[value];
        }
        value
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.parents[one] = other;
    }

    /// The values of groups of which all are given wide and none is read narrow.
    fn wide(&self) -> Vec<usize> {
        let roots: Vec<usize> = (0..self.parents.len()).map(|value| self.root(value)).collect();
        let mut narrow = vec![false; roots.len()];
        for (value, &root) in roots.iter().enumerate() {
            narrow[root] |= !self.given_wide[value] || self.read_narrow[value];
        }
        (0..roots.len()).filter(|&value| !narrow[roots[value]]).collect()
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::{super::sample::Sample, *};
    use crate::model::{Data, Tensor, graph::infer};

    #[test]
    fn what_is_computed_and_moved_stays_wide_until_it_is_given() {
        let mut sample = Sample::default();
        let one = sample.constant(Tensor::new([1], Data::F16(vec![f16::ONE])));
        let sum = sample.node("Add", &[one, one]);
        let turned = sample.node("Transpose", &[sum]);
        let root = sample.node("Sqrt", &[turned]);
        let moved = sample.node("Transpose", &[root]);
        sample.output(moved);
        let options = Options::default();
        infer(&mut sample.graph, &options).unwrap();
        keep_wide(&mut sample.graph, &options);
        let kind = |value| sample.graph.value(value).kind.clone();
        for wide in [sum, turned] {
            assert_eq!(kind(wide), Type::Tensor(DType::F32));
        }
        for half in [root, moved] {
            assert_eq!(kind(half), HALF);
        }
    }
}
