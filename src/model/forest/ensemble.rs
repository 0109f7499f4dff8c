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
    /// Added to each target after aggregation ([`Aggregate::Running`]: before): empty (nothing), or one value a target.
    pub base: Vec<f64>,
}

/// How the weights of all trees become one number a target. A target that no reached leaf names is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// Their sum.
    Sum,
    /// Their sum in the order of the trees, beginning with the base value and rounded at each step to the width in
    /// which the rows are compared.
    Running,
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
    /// What splits by membership ask for; each names one.
    pub sets: Vec<Set>,
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
    /// Where to go next: `on_true` if `x[feature]` belongs to the set, or if it is NaN and `missing_true`.
    Member {
        /// The column looked at.
        feature: u32,
        /// An index of the tree's `sets`.
        set: u32,
        /// The node taken by what belongs.
        on_true: u32,
        /// The node taken by what doesn't.
        on_false: u32,
        /// Whether NaN, which belongs to no set, takes `on_true` all the same.
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

impl Node {
    /// The nodes that follow a split: of those for whom it holds, and of the others.
    pub(super) fn children(&self) -> Option<[u32; 2]> {
        match *self {
            Node::Split { on_true, on_false, .. } | Node::Member { on_true, on_false, .. } => {
                Some([on_true, on_false])
            }
            Node::Leaf { .. } => None,
        }
    }
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

/// A set of numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Set {
    /// Where membership begins and ends, in turn and strictly increasing: `[1, 3, 7]` holds 1 up to below 3, and 7 and
    /// what is above it.
    pub edges: Vec<f64>,
}

impl Set {
    /// The numbers whose whole part is one of these, which are strictly increasing.
    pub fn of_categories(categories: impl IntoIterator<Item = u32>) -> Set {
        let mut edges: Vec<f64> = Vec::new();
        for category in categories {
            let (begin, end) = (f64::from(category), f64::from(category) + 1.0);
            match edges.last_mut() {
                Some(last) if *last == begin => *last = end,
                _ => edges.extend([begin, end]),
            }
        }
        Set { edges }
    }

    /// Whether a number belongs. NaN never does.
    pub fn contains(&self, value: f64) -> bool {
        self.edges.partition_point(|edge| *edge <= value) % 2 == 1
    }
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
    /// Nodes of all trees together, with one for each edge of the set that a node asks for.
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
