//! The forest kernel beside a plain walk of the same trees: nanoseconds per tree and row, one thread.
//!
//! `cargo bench --bench forest --no-default-features --features engine [-- --json]`
//!
//! Tried and dropped: 4 and 16 lanes instead of 8 (1.0x to 1.4x slower on 100 x 6), tiles of 32 and 256 rows (equal).

#[path = "harness/arguments.rs"]
mod arguments;
#[path = "harness/report.rs"]
#[allow(dead_code, reason = "each bench uses its part")]
mod report;
#[path = "harness/rounds.rs"]
mod rounds;

use std::hint::black_box;
use std::time::Instant;

use arguments::Arguments;
use embergrid::model::forest::{Aggregate, Ensemble, Forest, Limits, Mode, Node, Tree, Weight};
use report::{Cell, Report};
use rounds::medians;

const COLUMNS: usize = 30;
const ROWS: usize = 4096;

fn main() {
    let arguments = Arguments::read();
    let mut report = Report::new("forest");
    for (name, trees, depth, leaves) in [
        ("100 trees of depth 6", 100, 6, 64),
        ("200 trees of 31 leaves", 200, 12, 31),
        ("100 trees of depth 12", 100, 12, 600),
    ] {
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let ensemble = Ensemble {
            trees: (0..trees).map(|_| grow(&mut random, depth, leaves)).collect(),
            targets: 1,
            aggregate: Aggregate::Sum,
            base: Vec::new(),
        };
        let forest = Forest::<f32>::compile(&ensemble, &Limits::default()).expect("the trees are sound");
        report.add(Cell::alone(
            format!("{name}, a node"),
            "bytes",
            forest.bytes() as f64 / forest.nodes() as f64,
        ));
        report.add(Cell::alone(format!("{name}, given back once unloaded"), "%", given_back(&ensemble)));
        let rows: Vec<f32> = (0..ROWS * COLUMNS).map(|_| random.unit() as f32).collect();
        for batch in [1, 8, 64, 1024] {
            let mut out = vec![0.0; batch];
            let each = |call: &mut dyn FnMut(&[f32])| {
                vec![nanoseconds(&rows, batch, arguments.divisor, call) / (trees * ROWS) as f64]
            };
            let mut flat = || each(&mut |rows| forest.sum(rows, batch, COLUMNS, black_box(&mut out)));
            let mut plain = || each(&mut |rows| _ = black_box(walk_all(&ensemble, rows)));
            let sides = medians(arguments.rounds, &mut [&mut flat, &mut plain]);
            report.add(Cell::less_is_better(
                format!("{name}, batch {batch}"),
                "ns",
                sides[0][0],
                sides[1][0],
            ));
        }
    }
    report.print(arguments.json);
}

/// How much of the memory that many forests take the process gives back when they are dropped.
fn given_back(ensemble: &Ensemble) -> f64 {
    const FORESTS: usize = 100;
    let before = resident_bytes();
    let forests: Vec<_> = (0..FORESTS)
        .map(|_| Forest::<f32>::compile(ensemble, &Limits::default()).expect("the trees are sound"))
        .collect();
    let loaded = resident_bytes();
    drop(forests);
    let kept = resident_bytes().saturating_sub(before) as f64;
    100.0 * (1.0 - kept / loaded.saturating_sub(before) as f64)
}

/// The second number of `/proc/self/statm`, in pages of 4 KiB.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    4096 * statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("a number")
}

/// The time of one pass through all rows in batches, the mean of several.
#[allow(clippy::disallowed_methods, reason = "a bench reads the clock")]
fn nanoseconds(rows: &[f32], batch: usize, divisor: u64, call: &mut dyn FnMut(&[f32])) -> f64 {
    let passes = (20 / divisor).max(1);
    let start = Instant::now();
    for _ in 0..passes {
        rows.chunks_exact(batch * COLUMNS).for_each(|rows| call(black_box(rows)));
    }
    start.elapsed().as_secs_f64() * 1e9 / passes as f64
}

fn walk_all(ensemble: &Ensemble, rows: &[f32]) -> f64 {
    rows.chunks_exact(COLUMNS).map(|row| walk(ensemble, row)).sum()
}

/// What the kernel competes with: node by node, branching on each.
fn walk(ensemble: &Ensemble, row: &[f32]) -> f64 {
    let leaf = |tree: &Tree| {
        let mut at = tree.root;
        loop {
            match tree.nodes[at as usize] {
                Node::Leaf { first, .. } => return tree.weights[first as usize].value,
                Node::Split { feature, threshold, on_true, on_false, .. } => {
                    at = if f64::from(row[feature as usize]) <= threshold { on_true } else { on_false };
                }
                Node::Member { feature, set, on_true, on_false, .. } => {
                    let holds = tree.sets[set as usize].contains(f64::from(row[feature as usize]));
                    at = if holds { on_true } else { on_false };
                }
            }
        }
    };
    ensemble.trees.iter().map(leaf).sum()
}

/// A tree whose splits halve what reaches them, breadth first.
fn grow(random: &mut Random, depth: u32, leaves: usize) -> Tree {
    let mut tree = Tree::default();
    let mut open = vec![(leaf(&mut tree, random), depth, [(0.0, 1.0); COLUMNS])];
    let mut count = 1;
    while count < leaves && !open.is_empty() {
        let (at, depth, bounds) = open.remove(random.below(open.len().min(4)));
        if depth == 0 {
            continue;
        }
        let feature = random.below(COLUMNS);
        let (low, high) = bounds[feature];
        let threshold = f64::from((low + (high - low) * (0.3 + 0.4 * random.unit())) as f32);
        let [on_true, on_false] = [(low, threshold), (threshold, high)].map(|bound| {
            let child = leaf(&mut tree, random);
            let mut bounds = bounds;
            bounds[feature] = bound;
            open.push((child, depth - 1, bounds));
            child
        });
        let feature = feature as u32;
        tree.nodes[at as usize] =
            Node::Split { feature, threshold, mode: Mode::Leq, on_true, on_false, missing_true: false };
        count += 1;
    }
    tree
}

fn leaf(tree: &mut Tree, random: &mut Random) -> u32 {
    tree.nodes.push(Node::Leaf { first: tree.weights.len() as u32, count: 1 });
    tree.weights.push(Weight { target: 0, value: f64::from(random.unit() as f32) });
    (tree.nodes.len() - 1) as u32
}

/// SplitMix64: enough for shapes that branch predictors can't learn.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }
}
