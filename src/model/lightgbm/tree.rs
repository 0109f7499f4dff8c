//! One tree: from lists with an entry a split, or a leaf, to nodes.

use super::{
    super::{
        Error, Limits,
        forest::{self, Mode, Node, Set, Weight},
        operators::bounds,
    },
    text::{Block, Lines},
};

/// The keys of a tree. What is not read describes the training.
pub(super) const KEYS: [&str; 22] = [
    "num_leaves",
    "num_cat",
    "split_feature",
    "split_gain",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
    "leaf_value",
    "leaf_weight",
    "leaf_count",
    "internal_value",
    "internal_weight",
    "internal_count",
    "cat_boundaries",
    "cat_threshold",
    "is_linear",
    "leaf_const",
    "num_features",
    "leaf_features",
    "leaf_coeff",
    "shrinkage",
];

/// What is not greater is zero to LightGBM: the 32-bit float that is nearest to 1e-35.
const ZERO: f64 = 1e-35_f32 as f64;

/// The bits of a `decision_type`.
const CATEGORICAL: i64 = 1;
const DEFAULT_LEFT: i64 = 2;

/// Which values are missing.
#[derive(Clone, Copy, PartialEq)]
enum Missing {
    /// None: NaN is zero.
    None,
    /// Zero, and so NaN.
    Zero,
    Nan,
}

/// Whether the leaves are linear functions of the features.
pub(super) fn is_linear(block: &Block<'_>) -> Result<bool, Error> {
    Ok(match block.find("is_linear") {
        Some(entry) => entry.number::<i64>()? != 0,
        None => false,
    })
}

/// Reads the tree, for one target.
pub(super) fn read<'a>(
    block: &Block<'a>,
    lines: &mut Lines<'a>,
    target: u32,
    columns: usize,
    limits: &Limits,
) -> Result<forest::Tree, Error> {
    let entry = block.get("num_leaves")?;
    let leaves = entry.number::<u32>()? as usize;
    let Some(splits) = leaves.checked_sub(1) else { return Err(entry.invalid("a tree has a leaf")) };
    let values: Vec<f64> = block.list(lines, "leaf_value", leaves)?;
    let mut tree = forest::Tree::default();
    if splits > 0 {
        tree.sets = sets(block, lines, limits)?;
        let splits = Splits::read(block, lines, splits, columns, tree.sets.len())?;
        for index in 0..splits.left.len() {
            let node = splits.node(index, &mut tree.sets)?;
            tree.nodes.push(node);
        }
    }
    for value in values {
        tree.nodes.push(Node::Leaf { first: tree.weights.len() as u32, count: 1 });
        tree.weights.push(Weight { target, value });
    }
    Ok(tree)
}

/// The lists of a tree's splits.
struct Splits<'b, 'a> {
    block: &'b Block<'a>,
    features: Vec<u32>,
    thresholds: Vec<f64>,
    decisions: Vec<i64>,
    left: Vec<u32>,
    right: Vec<u32>,
    /// How many sets of categories there are to split by.
    sets: usize,
}

impl<'b, 'a> Splits<'b, 'a> {
    fn read(
        block: &'b Block<'a>,
        lines: &mut Lines<'a>,
        count: usize,
        columns: usize,
        sets: usize,
    ) -> Result<Self, Error> {
        let features: Vec<u32> = block.list(lines, "split_feature", count)?;
        if let Some(feature) = features.iter().find(|feature| **feature as usize >= columns) {
            let reason = format!("there is no column {feature} of {columns}");
            return Err(block.get("split_feature")?.invalid(reason));
        }
        let thresholds: Vec<f64> = block.list(lines, "threshold", count)?;
        if thresholds.iter().any(|threshold| threshold.is_nan()) {
            return Err(block.get("threshold")?.invalid("a threshold is NaN"));
        }
        let decisions = match block.find("decision_type") {
            Some(_) => block.list(lines, "decision_type", count)?,
            None => vec![0; count],
        };
        let mut children = |key| -> Result<Vec<u32>, Error> {
            let list: Vec<i64> = block.list(lines, key, count)?;
            list.into_iter().map(|node| child(block, key, node, count)).collect()
        };
        let (left, right) = (children("left_child")?, children("right_child")?);
        Ok(Splits { block, features, thresholds, decisions, left, right, sets })
    }

    /// The split at a place; what becomes a set joins the others.
    fn node(&self, index: usize, sets: &mut Vec<Set>) -> Result<Node, Error> {
        let (feature, threshold, decision) =
            (self.features[index], self.thresholds[index], self.decisions[index]);
        let (on_true, on_false) = (self.left[index], self.right[index]);
        if decision & CATEGORICAL != 0 {
            let set = threshold as usize;
            if set as f64 != threshold || set >= self.sets {
                let reason = format!("there is no set {threshold} of {}", self.sets);
                return Err(self.block.get("threshold")?.invalid(reason));
            }
            return Ok(Node::Member { feature, set: set as u32, on_true, on_false, missing_true: false });
        }
        let default_left = decision & DEFAULT_LEFT != 0;
        let missing = match decision & !(CATEGORICAL | DEFAULT_LEFT) {
            0 => Missing::None,
            4 => Missing::Zero,
            8 => Missing::Nan,
            _ => {
                let reason = format!("{decision} is not known");
                return Err(self.block.get("decision_type")?.invalid(reason));
            }
        };
        let zero_left = if missing == Missing::Zero { default_left } else { threshold >= 0.0 };
        let missing_true = if missing == Missing::None { zero_left } else { default_left };
        Ok(match at_most(threshold, zero_left) {
            Left::Compare(mode, threshold) => {
                Node::Split { feature, threshold, mode, on_true, on_false, missing_true }
            }
            Left::Member(set) => {
                sets.push(set);
                Node::Member { feature, set: sets.len() as u32 - 1, on_true, on_false, missing_true }
            }
        })
    }
}

/// What goes left.
#[derive(Debug, PartialEq)]
enum Left {
    Compare(Mode, f64),
    Member(Set),
}

/// `x <= threshold`, but that all of zero goes the same way, left or not.
fn at_most(threshold: f64, zero_left: bool) -> Left {
    let above = |number: f64| number.next_up();
    match zero_left {
        true if threshold >= ZERO => Left::Compare(Mode::Leq, threshold),
        true if above(threshold) >= -ZERO => Left::Compare(Mode::Leq, ZERO),
        true => Left::Member(Set { edges: vec![f64::NEG_INFINITY, above(threshold), -ZERO, above(ZERO)] }),
        false if threshold < -ZERO => Left::Compare(Mode::Leq, threshold),
        false if threshold <= ZERO => Left::Compare(Mode::Lt, -ZERO),
        false => {
            let mut edges = vec![f64::NEG_INFINITY, -ZERO, above(ZERO)];
            // Infinity itself is not above it.
            edges.extend((threshold < f64::INFINITY).then(|| above(threshold)));
            Left::Member(Set { edges })
        }
    }
}

/// A child's place among the nodes: splits come first, and leaves, which are counted down from -1, behind them.
fn child(block: &Block<'_>, key: &str, node: i64, splits: usize) -> Result<u32, Error> {
    let place = if node < 0 {
        usize::try_from(!node).ok().map(|leaf| leaf.saturating_add(splits))
    } else {
        usize::try_from(node).ok().filter(|&node| node < splits)
    };
    match place.filter(|&place| place <= 2 * splits).and_then(|place| u32::try_from(place).ok()) {
        Some(place) => Ok(place),
        None => Err(block.get(key)?.invalid(format!("there is no node {node} among {splits} splits"))),
    }
}

/// The sets of categories: bits in words of 32, and where each set's words begin and end.
fn sets<'a>(block: &Block<'a>, lines: &mut Lines<'a>, limits: &Limits) -> Result<Vec<Set>, Error> {
    let count = match block.find("num_cat") {
        Some(entry) => entry.number::<u32>()? as usize,
        None => 0,
    };
    if count == 0 {
        return Ok(Vec::new());
    }
    let entry = block.get("cat_boundaries")?;
    let boundaries: Vec<u32> = block.list(lines, "cat_boundaries", count + 1)?;
    let words: Vec<u32> = lines.list(block.get("cat_threshold")?)?;
    if boundaries.first() != Some(&0) || boundaries.last().map(|&last| last as usize) != Some(words.len()) {
        return Err(entry.invalid(format!("it does not lead from 0 to the {} words", words.len())));
    }
    let mut edges = 0;
    let mut sets = Vec::with_capacity(count);
    for range in boundaries.windows(2) {
        let Some(words) = words.get(range[0] as usize..range[1] as usize) else {
            return Err(entry.invalid("it is not increasing"));
        };
        edges += ends(words);
        Error::limit("the number of edges of sets of categories", edges, bounds(limits).nodes)?;
        sets.push(categories(words));
    }
    Ok(sets)
}

/// In how many places bits change from 0 to 1 or back: so many edges a set has.
fn ends(words: &[u32]) -> usize {
    let mut before = 0;
    let mut ends = 0;
    for word in words {
        ends += (word ^ (word << 1 | before)).count_ones() as usize;
        before = word >> 31;
    }
    ends + before as usize
}

fn categories(words: &[u32]) -> Set {
    let bits = |(index, word): (usize, &u32)| {
        let word = *word;
        (0..32).filter(move |bit| word >> bit & 1 == 1).map(move |bit| index as u32 * 32 + bit)
    };
    // As an integer of 32 bits, no category is larger than 2^31.
    let words = &words[..words.len().min(1 << 26)];
    let mut set = Set::of_categories(words.iter().enumerate().flat_map(bits));
    // What is above -1 has the whole part 0.
    if let Some(first) = set.edges.first_mut().filter(|first| **first == 0.0) {
        *first = (-1.0_f64).next_up();
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDS: [f64; 9] =
        [f64::NEG_INFINITY, -1.0, -2.0 * ZERO, -ZERO, 0.0, ZERO, 2.0 * ZERO, 1.0, f64::INFINITY];

    /// The definition, of a number that is not NaN.
    fn goes_left(x: f64, threshold: f64, zero_left: bool) -> bool {
        if x.abs() <= ZERO { zero_left } else { x <= threshold }
    }

    #[test]
    fn zero_goes_one_way_whatever_the_threshold() {
        let near = |number: f64| [number.next_down(), number, number.next_up()];
        for threshold in ENDS.into_iter().flat_map(near) {
            for zero_left in [false, true] {
                let left = at_most(threshold, zero_left);
                for x in ENDS.into_iter().flat_map(near) {
                    let given = match &left {
                        Left::Compare(Mode::Leq, bound) => x <= *bound,
                        Left::Compare(_, bound) => x < *bound,
                        Left::Member(set) => {
                            assert!(set.edges.is_sorted_by(|edge, next| edge < next), "{set:?}");
                            set.contains(x)
                        }
                    };
                    assert_eq!(given, goes_left(x, threshold, zero_left), "{x} <= {threshold}: {left:?}");
                }
            }
        }
    }

    #[test]
    fn bits_become_ranges() {
        let words = [0b1011, 0, 1 << 31, 1];
        let set = categories(&words);
        assert_eq!(set.edges, [(-1.0_f64).next_up(), 2.0, 3.0, 4.0, 95.0, 97.0]);
        assert_eq!(ends(&words), set.edges.len());
        assert_eq!(ends(&[u32::MAX, u32::MAX]), 2);
        assert_eq!(ends(&[0b1010_1010]), 8);
        let belongs = [(-1.0, false), (-0.5, true), (1.9, true), (2.0, false), (3.999, true), (96.0, true)];
        assert!(belongs.iter().all(|(value, expected)| set.contains(*value) == *expected));
    }
}
