//! Reads a tree ensemble of version 5: splits and leaves in arrays of their own, sets among the splits.

use super::{
    super::super::{
        DType, Data,
        forest::{Aggregate, Ensemble, Mode, Node, Tree, Weight},
    },
    Refusal, Spec,
    ensemble::small,
};

/// The attributes, each list as long as it is to be.
struct Arrays<'g> {
    modes: &'g [u8],
    features: &'g [i64],
    thresholds: Vec<f64>,
    on_true: Branches<'g>,
    on_false: Branches<'g>,
    missing: &'g [i64],
    /// For each split by membership, in their order, the members that lead to true, sorted.
    sets: Vec<Vec<f64>>,
    targets: &'g [i64],
    weights: Vec<f64>,
}

/// Where one side of each split leads: to a leaf, or to another split.
struct Branches<'g> {
    places: &'g [i64],
    leaves: &'g [i64],
}

/// How the file numbers the comparisons.
const MEMBER: u8 = 6;

fn mode(number: u8) -> Option<Mode> {
    Some(match number {
        0 => Mode::Leq,
        1 => Mode::Lt,
        2 => Mode::Gte,
        3 => Mode::Gt,
        4 => Mode::Eq,
        5 => Mode::Neq,
        _ => return None,
    })
}

/// Numbers of the type that rows have.
fn numbers(spec: &Spec<'_>, name: &str, dtype: DType) -> Result<Vec<f64>, Refusal> {
    match spec.tensor(name)?.map(|tensor| &tensor.data) {
        None => Ok(Vec::new()),
        Some(Data::F32(values)) if dtype == DType::F32 => {
            Ok(values.iter().map(|&value| value.into()).collect())
        }
        Some(Data::F64(values)) if dtype == DType::F64 => Ok(values.clone()),
        Some(other) => {
            Err(Refusal::invalid(format!("attribute `{name}` is {}, its input {dtype}", other.dtype())))
        }
    }
}

fn list<'g>(spec: &Spec<'g>, name: &str, count: usize) -> Result<&'g [i64], Refusal> {
    let values = spec.ints(name)?.unwrap_or_default();
    fits(name, values.len(), count).map(|()| values)
}

fn fits(name: &str, given: usize, count: usize) -> Result<(), Refusal> {
    if given == count {
        return Ok(());
    }
    Err(Refusal::invalid(format!("attribute `{name}` has {given} entries where {count} are needed")))
}

impl<'g> Arrays<'g> {
    fn new(spec: &Spec<'g>) -> Result<Arrays<'g>, Refusal> {
        let dtype = spec.dtype(0)?;
        let modes = match spec.tensor("nodes_modes")?.map(|tensor| &tensor.data) {
            Some(Data::U8(modes)) => modes.as_slice(),
            _ => return Err(Refusal::invalid("attribute `nodes_modes` is not given in bytes")),
        };
        let count = modes.len();
        let thresholds = numbers(spec, "nodes_splits", dtype)?;
        fits("nodes_splits", thresholds.len(), count)?;
        let branches = |places, leaves| {
            Ok(Branches { places: list(spec, places, count)?, leaves: list(spec, leaves, count)? })
        };
        let missing = match spec.ints("nodes_missing_value_tracks_true")? {
            None | Some([]) => &[],
            Some(_) => list(spec, "nodes_missing_value_tracks_true", count)?,
        };
        let weights = numbers(spec, "leaf_weights", dtype)?;
        Ok(Arrays {
            modes,
            features: list(spec, "nodes_featureids", count)?,
            thresholds,
            on_true: branches("nodes_truenodeids", "nodes_trueleafs")?,
            on_false: branches("nodes_falsenodeids", "nodes_falseleafs")?,
            missing,
            sets: sets(&numbers(spec, "membership_values", dtype)?, modes)?,
            targets: list(spec, "leaf_targetids", weights.len())?,
            weights,
        })
    }
}

/// Cuts the members of all sets at the NaN behind each.
fn sets(members: &[f64], modes: &[u8]) -> Result<Vec<Vec<f64>>, Refusal> {
    let mut sets: Vec<Vec<f64>> = members.split(|member| member.is_nan()).map(<[f64]>::to_vec).collect();
    // What follows the last NaN is a set only if its own is missing.
    if sets.last().is_some_and(Vec::is_empty) {
        sets.pop();
    }
    fits("membership_values", sets.len(), modes.iter().filter(|mode| **mode == MEMBER).count())?;
    for set in &mut sets {
        set.sort_by(f64::total_cmp);
        set.dedup();
    }
    Ok(sets)
}

fn index(value: i64, count: usize, what: &str) -> Result<usize, Refusal> {
    let index = usize::try_from(value).ok().filter(|&index| index < count);
    index.ok_or_else(|| Refusal::invalid(format!("{what} {value} is none of {count}")))
}

/// Reads the ensemble.
pub(super) fn ensemble(spec: &Spec<'_>) -> Result<Ensemble, Refusal> {
    let arrays = Arrays::new(spec)?;
    let mut growth = Growth::new(&arrays);
    let roots = spec.ints("tree_roots")?.unwrap_or_default();
    let trees = roots.iter().map(|&root| growth.tree(root)).collect::<Result<_, _>>()?;
    let targets = usize::try_from(spec.int("n_targets", 1)?).unwrap_or(0);
    let aggregate = match spec.int("aggregate_function", 1)? {
        0 => Aggregate::Average,
        1 => Aggregate::Sum,
        2 => Aggregate::Min,
        3 => Aggregate::Max,
        other => return Err(Refusal::invalid(format!("aggregate_function {other} does not exist"))),
    };
    Ok(Ensemble { trees, targets, aggregate, base: Vec::new() })
}

/// Takes the trees out of the arrays, each node once.
struct Growth<'a> {
    arrays: &'a Arrays<'a>,
    /// For each split by membership the number of its set.
    sets: Vec<usize>,
    /// For each split its place in the tree that has it, and that tree.
    places: Vec<Option<(usize, u32)>>,
    trees: usize,
}

impl<'a> Growth<'a> {
    fn new(arrays: &'a Arrays<'a>) -> Growth<'a> {
        let mut count = 0;
        let number = |mode: &u8| {
            count += usize::from(*mode == MEMBER);
            count.saturating_sub(1)
        };
        let sets = arrays.modes.iter().map(number).collect();
        Growth { arrays, sets, places: vec![None; arrays.modes.len()], trees: 0 }
    }

    fn tree(&mut self, root: i64) -> Result<Tree, Refusal> {
        let mut tree = Tree::default();
        let mut open = Vec::new();
        tree.root = self.split(root, &mut tree, &mut open)?;
        while let Some((split, place)) = open.pop() {
            let on_true = self.branch(split, &self.arrays.on_true, &mut tree, &mut open)?;
            let on_false = self.branch(split, &self.arrays.on_false, &mut tree, &mut open)?;
            let feature = small(self.arrays.features[split], "feature")?;
            let missing_true = self.arrays.missing.get(split).is_some_and(|&missing| missing != 0);
            let test = Test { feature, on_true, on_false, missing_true };
            match (mode(self.arrays.modes[split]), self.arrays.modes[split]) {
                (Some(mode), _) => {
                    tree.nodes[place as usize] = test.compare(mode, self.arrays.thresholds[split]);
                }
                (None, MEMBER) => test.find(&self.arrays.sets[self.sets[split]], place, &mut tree.nodes)?,
                (None, other) => return Err(Refusal::unsupported(format!("nodes of mode {other}"))),
            }
        }
        self.trees += 1;
        Ok(tree)
    }

    /// The place of a split in the tree. What is met for the first time is yet to be read.
    fn split(&mut self, split: i64, tree: &mut Tree, open: &mut Vec<(usize, u32)>) -> Result<u32, Refusal> {
        let split = index(split, self.places.len(), "node")?;
        match self.places[split] {
            Some((owner, place)) if owner == self.trees => Ok(place),
            Some(_) => Err(Refusal::invalid(format!("node {split} is in two trees"))),
            None => {
                let place = push(&mut tree.nodes, Node::Leaf { first: 0, count: 0 })?;
                self.places[split] = Some((self.trees, place));
                open.push((split, place));
                Ok(place)
            }
        }
    }

    fn branch(
        &mut self,
        split: usize,
        side: &Branches<'_>,
        tree: &mut Tree,
        open: &mut Vec<(usize, u32)>,
    ) -> Result<u32, Refusal> {
        if side.leaves[split] == 0 {
            return self.split(side.places[split], tree, open);
        }
        let leaf = index(side.places[split], self.arrays.weights.len(), "leaf")?;
        let target = small(self.arrays.targets[leaf], "target")?;
        let first = small(tree.weights.len() as i64, "leaf")?;
        tree.weights.push(Weight { target, value: self.arrays.weights[leaf] });
        push(&mut tree.nodes, Node::Leaf { first, count: 1 })
    }
}

fn push(nodes: &mut Vec<Node>, node: Node) -> Result<u32, Refusal> {
    let place = small(nodes.len() as i64, "node")?;
    nodes.push(node);
    Ok(place)
}

/// A question to a feature, and where its answers lead.
#[derive(Clone, Copy)]
struct Test {
    feature: u32,
    on_true: u32,
    on_false: u32,
    missing_true: bool,
}

impl Test {
    fn compare(self, mode: Mode, threshold: f64) -> Node {
        let Test { feature, on_true, on_false, missing_true } = self;
        Node::Split { feature, threshold, mode, on_true, on_false, missing_true }
    }

    /// Finds a feature among the members by halving them, from the node at `place` on. NaN goes by the greater half to
    /// the last member, and is told there where it belongs.
    fn find(self, members: &[f64], place: u32, nodes: &mut Vec<Node>) -> Result<(), Refusal> {
        nodes[place as usize] = match members {
            [] => self.compare(Mode::Eq, f64::NAN),
            [member] => self.compare(Mode::Eq, *member),
            members => {
                let (less, rest) = members.split_at(members.len() / 2);
                let mut half = |members| {
                    let place = push(nodes, Node::Leaf { first: 0, count: 0 })?;
                    self.find(members, place, nodes).map(|()| place)
                };
                let halves =
                    Test { on_true: half(less)?, on_false: half(rest)?, missing_true: false, ..self };
                halves.compare(Mode::Lt, rest[0])
            }
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::super::super::forest::{Forest, Limits},
        *,
    };

    /// What a tree of one set gives: 1 for its members.
    fn member(set: &[f64], missing_true: bool, values: &[f64]) -> Vec<f64> {
        let mut tree = Tree {
            nodes: [0, 0, 1].map(|first| Node::Leaf { first, count: 1 }).to_vec(),
            weights: [0.0, 1.0].map(|value| Weight { target: 0, value }).to_vec(),
            ..Tree::default()
        };
        let test = Test { feature: 0, on_true: 2, on_false: 1, missing_true };
        test.find(set, 0, &mut tree.nodes).unwrap();
        let ensemble =
            Ensemble { trees: vec![tree], targets: 1, aggregate: Aggregate::Sum, base: Vec::new() };
        let forest = Forest::<f64>::compile(&ensemble, &Limits::default()).unwrap();
        let mut out = vec![0.0; values.len()];
        forest.sum(values, values.len(), 1, &mut out);
        out
    }

    proptest! {
        #[test]
        fn members_are_found_and_nothing_else(
            mut set in proptest::collection::vec(-8_i8..8, 0..12),
            missing_true: bool,
        ) {
            set.sort_unstable();
            set.dedup();
            let set: Vec<f64> = set.into_iter().map(f64::from).collect();
            let values: Vec<f64> = (-20..20).map(|half| f64::from(half) / 2.0).chain([f64::NAN, f64::INFINITY]).collect();
            let expected: Vec<f64> = values
                .iter()
                .map(|value| f64::from(u8::from(set.contains(value) || (missing_true && value.is_nan()))))
                .collect();
            prop_assert_eq!(member(&set, missing_true, &values), expected);
        }
    }

    #[test]
    fn every_set_ends_with_nan() {
        let nan = f64::NAN;
        assert_eq!(
            sets(&[2.0, 1.0, 2.0, nan, nan, 0.0, nan], &[6, 0, 6, 6]).unwrap(),
            [vec![1.0, 2.0], vec![], vec![0.0]]
        );
        assert!(sets(&[1.0, nan], &[6, 6]).is_err());
        assert!(sets(&[], &[6]).is_err());
        assert!(sets(&[], &[0]).unwrap().is_empty());
    }
}
