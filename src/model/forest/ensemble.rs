//! A tree ensemble as its file states it: what the formats decode into and [`Forest`](super::Forest) compiles.

/// An ensemble of decision trees over rows of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Ensemble {
    /// The trees, in the order of the file.
    pub trees: Vec<Tree>,
    /// How many numbers a row's result has.
    pub targets: usize,
    /// How a target's weights, one or more from each tree, become one number.
    pub aggregate: Aggregate,
    /// Added to each target after aggregation: empty (nothing), or one value a target.
    pub base: Vec<f64>,
}

/// How the weights of all trees become one number a target. A target that no reached leaf names is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// Their sum.
    Sum,
    /// Their sum divided by the number of trees.
    Average,
    /// The least of them.
    Min,
    /// The greatest of them.
    Max,
}

/// One decision tree; children may be shared, cycles are refused.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Tree {
    /// Splits and leaves, in any order.
    pub nodes: Vec<Node>,
    /// Where every row starts: an index of `nodes`.
    pub root: u32,
    /// What the leaves hold; each leaf names a range of it.
    pub weights: Vec<Weight>,
}

/// A node of a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Node {
    /// Where to go next: `on_true` if `mode(x[feature], threshold)`, or if `x[feature]` is NaN and `missing_true`.
    Split {
        /// The column compared.
        feature: u32,
        /// The number it is compared with.
        threshold: f64,
        /// How.
        mode: Mode,
        /// The node taken when the comparison holds.
        on_true: u32,
        /// The node taken when it doesn't.
        on_false: u32,
        /// Whether NaN takes `on_true` even where the comparison says no.
        missing_true: bool,
    },
    /// The end: `count` weights from `first` on.
    Leaf {
        /// The first of its weights.
        first: u32,
        /// How many.
        count: u32,
    },
}

/// A comparison of a feature with a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `x <= t`
    Leq,
    /// `x < t`
    Lt,
    /// `x > t`
    Gt,
    /// `x >= t`
    Gte,
    /// `x == t`
    Eq,
    /// `x != t`, which NaN always meets.
    Neq,
}

/// What a leaf gives to one target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weight {
    /// Which of the ensemble's targets.
    pub target: u32,
    /// How much.
    pub value: f64,
}

/// How large an ensemble may be; beyond it, it is refused before memory is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Trees in the ensemble.
    pub trees: usize,
    /// Nodes of all trees together.
    pub nodes: usize,
    /// Comparisons on the longest path of a tree.
    pub depth: usize,
    /// Targets.
    pub targets: usize,
    /// Columns of a row.
    pub features: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { trees: 1 << 17, nodes: 1 << 25, depth: 1 << 12, targets: 1 << 16, features: 1 << 20 }
    }
}
