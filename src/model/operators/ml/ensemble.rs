//! Reads a tree ensemble from the attributes of its node.

use std::collections::HashMap;

use super::{
    super::super::{
        Data,
        forest::{Aggregate, Ensemble, Mode, Node, Tree, Weight},
    },
    Refusal, Spec,
};

/// An ensemble as its node states it, before targets are chosen.
pub(super) struct Stated {
    pub(super) ensemble: Ensemble,
    /// Whether no weight is negative.
    pub(super) all_positive: bool,
    /// Whether it computes in 64 bits: its numbers are given as tensors of such.
    pub(super) wide: bool,
}

/// Numbers given as a list of floats, or in later versions as a tensor.
fn numbers(spec: &Spec<'_>, name: &str, wide: &mut bool) -> Result<Vec<f64>, Refusal> {
    if let Some(tensor) = spec.tensor(&format!("{name}_as_tensor"))? {
        return match &tensor.data {
            Data::F64(values) => {
                *wide = true;
                Ok(values.clone())
            }
            Data::F32(values) => Ok(values.iter().map(|&value| value.into()).collect()),
            other => Err(Refusal::invalid(format!("attribute `{name}_as_tensor` is of {}", other.dtype()))),
        };
    }
    Ok(spec.floats(name)?.unwrap_or_default().iter().map(|&value| value.into()).collect())
}

/// A list with one entry a node.
fn each<'g>(spec: &Spec<'g>, name: &str, count: usize) -> Result<&'g [i64], Refusal> {
    let values = spec.ints(name)?.unwrap_or_default();
    if values.len() == count { Ok(values) } else { Err(uneven(name, values.len(), count)) }
}

fn uneven(name: &str, given: usize, count: usize) -> Refusal {
    Refusal::invalid(format!("attribute `{name}` has {given} entries for {count} nodes"))
}

fn mode(name: &str) -> Result<Option<Mode>, Refusal> {
    Ok(Some(match name {
        "LEAF" => return Ok(None),
        "BRANCH_LEQ" => Mode::Leq,
        "BRANCH_LT" => Mode::Lt,
        "BRANCH_GT" => Mode::Gt,
        "BRANCH_GTE" => Mode::Gte,
        "BRANCH_EQ" => Mode::Eq,
        "BRANCH_NEQ" => Mode::Neq,
        other => return Err(Refusal::unsupported(format!("nodes of mode `{other}`"))),
    }))
}

pub(super) fn small(value: i64, what: &str) -> Result<u32, Refusal> {
    u32::try_from(value).map_err(|_| Refusal::invalid(format!("{what} {value} is no index")))
}

/// Where each node of the file is: its tree, and its place in it.
struct Places {
    trees: Vec<Vec<usize>>,
    of: HashMap<(i64, i64), (usize, u32)>,
}

impl Places {
    fn new(tree_ids: &[i64], node_ids: &[i64]) -> Result<Places, Refusal> {
        let mut places = Places { trees: Vec::new(), of: HashMap::with_capacity(node_ids.len()) };
        let mut numbers = HashMap::new();
        for (index, (&tree_id, &node_id)) in tree_ids.iter().zip(node_ids).enumerate() {
            let trees = &mut places.trees;
            let tree = *numbers.entry(tree_id).or_insert_with(|| {
                trees.push(Vec::new());
                trees.len() - 1
            });
            let place = small(trees[tree].len() as i64, "node")?;
            trees[tree].push(index);
            if places.of.insert((tree_id, node_id), (tree, place)).is_some() {
                return Err(Refusal::invalid(format!("node {node_id} of tree {tree_id} is given twice")));
            }
        }
        Ok(places)
    }

    fn node(&self, tree_id: i64, node_id: i64) -> Result<(usize, u32), Refusal> {
        let place = self.of.get(&(tree_id, node_id)).copied();
        place.ok_or_else(|| Refusal::invalid(format!("tree {tree_id} has no node {node_id}")))
    }
}

/// The weights of each leaf, by tree and place. `of` is `target` or `class`, the prefix of the attributes.
fn weights(
    spec: &Spec<'_>,
    of: &str,
    places: &Places,
    wide: &mut bool,
) -> Result<Vec<Vec<(u32, Weight)>>, Refusal> {
    let values = numbers(spec, &format!("{of}_weights"), wide)?;
    let list = |name: &str| each(spec, &format!("{of}_{name}"), values.len());
    let (targets, nodes, trees) = (list("ids")?, list("nodeids")?, list("treeids")?);
    let mut weights = vec![Vec::new(); places.trees.len()];
    for (((&target, &node), &tree), &value) in targets.iter().zip(nodes).zip(trees).zip(&values) {
        let (tree, place) = places.node(tree, node)?;
        weights[tree].push((place, Weight { target: small(target, "target")?, value }));
    }
    // The order of a leaf's weights stays.
    weights.iter_mut().for_each(|weights| weights.sort_by_key(|(place, _)| *place));
    Ok(weights)
}

/// Reads the ensemble. Weights on inner nodes are ignored, as they are by ONNX Runtime.
pub(super) fn stated(spec: &Spec<'_>, of: &str) -> Result<Stated, Refusal> {
    let mut wide = false;
    let node_ids = spec.ints("nodes_nodeids")?.unwrap_or_default();
    let count = node_ids.len();
    let list = |name: &str| each(spec, name, count);
    let tree_ids = list("nodes_treeids")?;
    let (on_true, on_false) = (list("nodes_truenodeids")?, list("nodes_falsenodeids")?);
    let features = list("nodes_featureids")?;
    let modes = spec.texts("nodes_modes")?.unwrap_or_default();
    let thresholds = numbers(spec, "nodes_values", &mut wide)?;
    let missing = spec.ints("nodes_missing_value_tracks_true")?.unwrap_or_default();
    for (name, given) in [("nodes_modes", modes.len()), ("nodes_values", thresholds.len())] {
        if given != count {
            return Err(uneven(name, given, count));
        }
    }
    let places = Places::new(tree_ids, node_ids)?;
    let weights = weights(spec, of, &places, &mut wide)?;
    let all_positive = weights.iter().flatten().all(|(_, weight)| weight.value >= 0.0);
    let mut trees = Vec::with_capacity(places.trees.len());
    for (indices, held) in places.trees.iter().zip(weights) {
        let mut tree = Tree::default();
        for (place, &index) in indices.iter().enumerate() {
            tree.nodes.push(match mode(&modes[index])? {
                None => {
                    let first = held.partition_point(|(other, _)| (*other as usize) < place);
                    let end = held.partition_point(|(other, _)| (*other as usize) <= place);
                    Node::Leaf { first: first as u32, count: (end - first) as u32 }
                }
                Some(mode) => Node::Split {
                    feature: small(features[index], "feature")?,
                    threshold: thresholds[index],
                    mode,
                    on_true: places.node(tree_ids[index], on_true[index])?.1,
                    on_false: places.node(tree_ids[index], on_false[index])?.1,
                    missing_true: missing.get(index).is_some_and(|&missing| missing != 0),
                },
            });
        }
        tree.weights = held.into_iter().map(|(_, weight)| weight).collect();
        trees.push(tree);
    }
    let base = numbers(spec, "base_values", &mut wide)?;
    let ensemble = Ensemble { trees, targets: 1, aggregate: aggregate(spec)?, base };
    Ok(Stated { ensemble, all_positive, wide })
}

fn aggregate(spec: &Spec<'_>) -> Result<Aggregate, Refusal> {
    match spec.text("aggregate_function", "SUM")? {
        "SUM" => Ok(Aggregate::Sum),
        "AVERAGE" => Ok(Aggregate::Average),
        "MIN" => Ok(Aggregate::Min),
        "MAX" => Ok(Aggregate::Max),
        other => Err(Refusal::invalid(format!("aggregate_function `{other}` does not exist"))),
    }
}

impl Ensemble {
    /// Leaves each leaf the first of its weights: ONNX Runtime counts no other where there is one target, and
    /// scikit-learn's converter repeats them there.
    pub(super) fn keep_first_weights(&mut self) {
        for node in self.trees.iter_mut().flat_map(|tree| &mut tree.nodes) {
            if let Node::Leaf { count, .. } = node {
                *count = (*count).min(1);
            }
        }
    }
}
