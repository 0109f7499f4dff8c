//! The forest against the plainest reading of the ensemble.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// The leaf's weights for a row, by the definition.
fn reached<'a>(tree: &'a Tree, row: &[f64]) -> &'a [Weight] {
    let mut at = tree.root;
    loop {
        match tree.nodes[at as usize] {
            Node::Leaf { first, count } => return &tree.weights[first as usize..][..count as usize],
            Node::Split { feature, threshold, mode, on_true, on_false, missing_true } => {
                let value = row[feature as usize];
                let holds = match mode {
                    Mode::Leq => value <= threshold,
                    Mode::Lt => value < threshold,
                    Mode::Gt => value > threshold,
                    Mode::Gte => value >= threshold,
                    Mode::Eq => value == threshold,
                    Mode::Neq => value != threshold,
                };
                at = if holds || (missing_true && value.is_nan()) { on_true } else { on_false };
            }
            Node::Member { feature, set, on_true, on_false, missing_true } => {
                let value = row[feature as usize];
                let holds = tree.sets[set as usize].contains(value) || (missing_true && value.is_nan());
                at = if holds { on_true } else { on_false };
            }
        }
    }
}

fn expected(ensemble: &Ensemble, row: &[f64]) -> Vec<f64> {
    let mut given = vec![Vec::new(); ensemble.targets];
    for weight in ensemble.trees.iter().flat_map(|tree| reached(tree, row)) {
        given[weight.target as usize].push(weight.value);
    }
    let base = |target: usize| ensemble.base.get(target).copied().unwrap_or(0.0);
    let combined = given.iter().map(|weights| match ensemble.aggregate {
        Aggregate::Sum | Aggregate::Running => weights.iter().sum::<f64>(),
        Aggregate::Average => weights.iter().sum::<f64>() / ensemble.trees.len() as f64,
        Aggregate::Min => weights.iter().copied().reduce(f64::min).unwrap_or(0.0),
        Aggregate::Max => weights.iter().copied().reduce(f64::max).unwrap_or(0.0),
    });
    combined.enumerate().map(|(target, sum)| sum + base(target)).collect()
}

const FEATURES: usize = 4;
const MODES: [Mode; 6] = [Mode::Leq, Mode::Lt, Mode::Gt, Mode::Gte, Mode::Eq, Mode::Neq];
const AGGREGATES: [Aggregate; 5] =
    [Aggregate::Sum, Aggregate::Running, Aggregate::Average, Aggregate::Min, Aggregate::Max];

/// Numbers at which comparisons go wrong, with their neighbours.
const EDGES: [f64; 20] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.0,
    -0.0,
    1.0,
    1.0f64.next_up(),
    1.0f64.next_down(),
    1.0f32.next_down() as f64,
    1.0f32.next_up() as f64,
    0.1,
    0.1f32 as f64,
    f32::MAX as f64,
    f32::MIN as f64,
    1e300,
    -1e300,
    1e-300,
    f32::from_bits(1) as f64,
    -(f32::from_bits(1) as f64),
    5e-324,
];

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![3 => select(&EDGES[..]).boxed(), 1 => (-4i32..4).prop_map(f64::from)]
}

/// Sixty-fourths: their sums are exact in every order.
fn weight(targets: usize) -> impl Strategy<Value = Weight> {
    (0..targets as u32, -4096i32..4096)
        .prop_map(|(target, parts)| Weight { target, value: f64::from(parts) / 64.0 })
}

fn set() -> impl Strategy<Value = Set> {
    vec(number(), 0..9).prop_map(|mut edges| {
        edges.retain(|edge| !edge.is_nan());
        edges.sort_by(f64::total_cmp);
        edges.dedup();
        Set { edges }
    })
}

/// What a split asks.
#[derive(Clone, Debug)]
enum Question {
    Compare(f64, Mode),
    Member(Set),
}

fn question() -> impl Strategy<Value = Question> {
    prop_oneof![
        2 => (number(), select(&MODES[..])).prop_map(|(threshold, mode)| Question::Compare(threshold, mode)),
        1 => set().prop_map(Question::Member),
    ]
}

/// A graph whose nodes lead only to later ones, many of them to the same.
fn tree(targets: usize) -> impl Strategy<Value = Tree> {
    let split = (0..FEATURES as u32, question(), any::<bool>(), any::<(u8, u8)>());
    (vec(split, 0..12), vec(vec(weight(targets), 0..3), 1..5)).prop_map(|(splits, leaves)| {
        let mut tree = Tree::default();
        let nodes = splits.len() + leaves.len();
        for (at, (feature, question, missing_true, far)) in splits.into_iter().enumerate() {
            let ahead = |far: u8| (at + 1 + far as usize % (nodes - at - 1)) as u32;
            let (on_true, on_false) = (ahead(far.0), ahead(far.1));
            tree.nodes.push(match question {
                Question::Compare(threshold, mode) => {
                    Node::Split { feature, threshold, mode, on_true, on_false, missing_true }
                }
                Question::Member(edges) => {
                    tree.sets.push(edges);
                    let set = tree.sets.len() as u32 - 1;
                    Node::Member { feature, set, on_true, on_false, missing_true }
                }
            });
        }
        for leaf in leaves {
            tree.nodes.push(Node::Leaf { first: tree.weights.len() as u32, count: leaf.len() as u32 });
            tree.weights.extend(leaf);
        }
        tree
    })
}

/// Trees with one weight a leaf, for which leaves need no table.
fn lone(mut tree: Tree) -> Tree {
    let target = tree.weights.first().map_or(0, |weight| weight.target);
    tree.weights.push(Weight { target, value: 0.25 });
    for weight in &mut tree.weights {
        weight.target = target;
    }
    let last = tree.weights.len() as u32 - 1;
    for node in &mut tree.nodes {
        if let Node::Leaf { first, count } = node {
            (*first, *count) = ((*first).min(last), 1);
        }
    }
    tree
}

fn ensemble() -> impl Strategy<Value = Ensemble> {
    (1usize..4, any::<bool>(), any::<bool>(), select(&AGGREGATES[..])).prop_flat_map(
        |(targets, lone_weights, based, aggregate)| {
            vec(tree(targets), 1..20).prop_map(move |trees| Ensemble {
                trees: if lone_weights { trees.into_iter().map(lone).collect() } else { trees },
                targets,
                aggregate,
                base: if based { vec![0.5; targets] } else { Vec::new() },
            })
        },
    )
}

/// Rows with a column more than the trees know.
fn rows() -> impl Strategy<Value = Vec<f64>> {
    (0usize..80).prop_flat_map(|rows| vec(number(), rows * (FEATURES + 1)))
}

fn agrees<X: Scalar>(ensemble: &Ensemble, rows: &[f64]) {
    let forest = Forest::<X>::compile(ensemble, &Limits::default()).unwrap();
    let columns = FEATURES + 1;
    let rows: Vec<X> = rows.iter().map(|value| X::nearest(*value)).collect();
    let count = rows.len() / columns;
    let mut together = vec![X::default(); count * ensemble.targets];
    forest.sum(&rows, count, columns, &mut together);
    for (row, together) in rows.chunks_exact(columns).zip(together.chunks_exact(ensemble.targets)) {
        let mut alone = vec![X::default(); ensemble.targets];
        forest.sum(row, 1, columns, &mut alone);
        let row: Vec<f64> = row.iter().map(|value| (*value).into()).collect();
        for ((alone, together), expected) in alone.iter().zip(together).zip(expected(ensemble, &row)) {
            let expected: f64 = X::nearest(expected).into();
            assert_eq!((*alone).into().to_bits(), (*together).into().to_bits());
            assert!((*alone).into() == expected, "{} instead of {expected} for {row:?}", (*alone).into());
        }
    }
}

proptest! {
    #[test]
    fn a_forest_is_its_ensemble(ensemble in ensemble(), rows in rows()) {
        agrees::<f32>(&ensemble, &rows);
        agrees::<f64>(&ensemble, &rows);
    }
}

fn split(feature: u32, on_true: u32, on_false: u32) -> Node {
    Node::Split { feature, threshold: 0.0, mode: Mode::Leq, on_true, on_false, missing_true: false }
}

fn of_one(tree: Tree) -> Ensemble {
    Ensemble { trees: vec![tree], targets: 1, aggregate: Aggregate::Sum, base: Vec::new() }
}

fn refusal(tree: Tree) -> String {
    Forest::<f32>::compile(&of_one(tree), &Limits::default()).unwrap_err().to_string()
}

#[test]
fn broken_trees_are_refused() {
    let leaf = Node::Leaf { first: 0, count: 1 };
    let weights = vec![Weight { target: 0, value: 1.0 }];
    let tree = |nodes: &[Node]| Tree { nodes: nodes.to_vec(), weights: weights.clone(), ..Tree::default() };
    assert_eq!(refusal(tree(&[split(0, 0, 1), leaf])), "tree 0: node 0 is its own ancestor");
    assert_eq!(refusal(tree(&[split(0, 1, 2), split(0, 2, 0), leaf])), "tree 0: node 0 is its own ancestor");
    assert_eq!(refusal(tree(&[split(0, 1, 7), leaf])), "tree 0: node 7 doesn't exist (the tree has 2)");
    assert_eq!(refusal(tree(&[])), "tree 0: node 0 doesn't exist (the tree has 0)");
    assert_eq!(
        refusal(tree(&[Node::Leaf { first: 1, count: u32::MAX }])),
        "tree 0: leaf 0 names weights the tree doesn't have"
    );
    let other = Tree { weights: vec![Weight { target: 3, value: 1.0 }], ..tree(&[leaf]) };
    assert_eq!(refusal(other), "tree 0: a weight is for target 3 of 1");
    let nan = Tree { weights: vec![Weight { target: 0, value: f64::NAN }], ..tree(&[leaf]) };
    assert_eq!(refusal(nan), "tree 0: a weight is NaN");
    let member = Node::Member { feature: 0, set: 0, on_true: 1, on_false: 1, missing_true: false };
    assert_eq!(refusal(tree(&[member, leaf])), "tree 0: node 0: set 0 doesn't exist (the tree has 0)");
    let unordered = Tree { sets: vec![Set { edges: vec![1.0, 1.0] }], ..tree(&[member, leaf]) };
    assert_eq!(refusal(unordered), "tree 0: node 0: the edges of set 0 are not increasing");
    assert!(
        refusal(tree(&[split(u32::MAX - 1, 1, 1), leaf]))
            .starts_with("a tree ensemble has 4294967295 columns")
    );
}

/// Fibonacci's graph: about 1.6^length paths through `length` nodes, ending in 1 or 2.
fn fibonacci(length: u32) -> Tree {
    let mut nodes: Vec<Node> = (0..length).map(|at| split(at % 3, at + 1, at + 2)).collect();
    nodes.extend([Node::Leaf { first: 0, count: 1 }, Node::Leaf { first: 1, count: 1 }]);
    let weights = [1.0, 2.0].map(|value| Weight { target: 0, value }).to_vec();
    Tree { nodes, weights, ..Tree::default() }
}

#[test]
fn shared_children_are_not_copied() {
    let forest = Forest::<f32>::compile(&of_one(fibonacci(4000)), &Limits::default()).unwrap();
    assert!(forest.nodes() <= 2 * 4000 + 1, "{} nodes", forest.nodes());
    let mut out = [0.0; 2];
    forest.sum(&[1.0, -1.0, f32::NAN, 1.0, 1.0, 1.0], 2, 3, &mut out);
    let rows = [[1.0, -1.0, f64::NAN], [1.0, 1.0, 1.0]];
    assert_eq!(out.map(f64::from), rows.map(|row| reached(&fibonacci(4000), &row)[0].value));
}

#[test]
fn a_set_is_as_deep_as_the_logarithm_of_its_edges() {
    let leaves = [0, 1].map(|first| Node::Leaf { first, count: 1 });
    let member = Node::Member { feature: 0, set: 0, on_true: 1, on_false: 2, missing_true: true };
    let mut tree = fibonacci(0);
    tree.nodes = vec![member, leaves[0], leaves[1]];
    tree.sets = vec![Set::of_categories((0..1024).step_by(2))];
    let limits = Limits { depth: 12, nodes: 1027, ..Limits::default() };
    let forest = Forest::<f32>::compile(&of_one(tree.clone()), &limits).unwrap();
    assert!(forest.nodes() <= 1024 + 8, "{} nodes", forest.nodes());
    let values = [0.0, 0.9, 1.0, 1022.5, 1024.0, -0.1, f32::NAN];
    let mut out = [0.0; 7];
    forest.sum(&values, 7, 1, &mut out);
    assert_eq!(out, [1.0, 1.0, 2.0, 1.0, 2.0, 2.0, 1.0]);
    let error = Forest::<f32>::compile(&of_one(tree), &Limits { nodes: 1026, ..limits }).unwrap_err();
    assert_eq!(error.to_string(), "a tree ensemble has 1027 nodes; the most is 1026");
}

#[test]
fn a_running_sum_is_rounded_at_each_step() {
    let of = |value: f64| Tree {
        nodes: vec![Node::Leaf { first: 0, count: 1 }],
        weights: vec![Weight { target: 0, value }],
        ..Tree::default()
    };
    // In 32 bits each of the small ones is lost in the large one, unless they come first.
    let small = f64::from(f32::EPSILON) / 2.0;
    let given = |values: &[f64], rows: usize| {
        let trees = values.iter().copied().map(of).collect();
        let ensemble = Ensemble { trees, targets: 1, aggregate: Aggregate::Running, base: vec![1.0] };
        let forest = Forest::<f32>::compile(&ensemble, &Limits::default()).unwrap();
        let mut out = vec![0.0; rows];
        forest.sum(&[], rows, 0, &mut out);
        out
    };
    for rows in [1, 9] {
        assert_eq!(given(&[small; 20], rows), vec![1.0; rows]);
        assert_eq!(given(&[-1.0, small, small, 1.0], rows), vec![1.0 + f32::EPSILON; rows]);
    }
}

#[test]
fn depth_is_limited() {
    let limits = Limits { depth: 100, ..Limits::default() };
    let error = Forest::<f32>::compile(&of_one(fibonacci(101)), &limits).unwrap_err();
    assert_eq!(error.to_string(), "tree 0: 101 levels deep; the most is 100");
}

#[test]
fn trees_beyond_narrow_indices_are_wide() {
    let wide = Tree {
        nodes: vec![
            split(70_000, 1, 2),
            Node::Leaf { first: 0, count: 1 },
            Node::Leaf { first: 1, count: 1 },
        ],
        weights: vec![Weight { target: 0, value: 1.0 }, Weight { target: 0, value: 2.0 }],
        ..Tree::default()
    };
    let forest = Forest::<f32>::compile(&of_one(wide), &Limits::default()).unwrap();
    assert!(matches!(forest.trees, Trees::Wide(_)));
    let mut rows = vec![0.0; 2 * 70_001];
    rows[2 * 70_001 - 1] = 1.0;
    let mut out = [0.0; 2];
    forest.sum(&rows, 2, 70_001, &mut out);
    assert_eq!(out, [1.0, 2.0]);
}
