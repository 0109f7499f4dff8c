//! The descent: eight trees at a time for a few rows, eight rows at a time for many.

use std::marker::PhantomData;

use super::compile::{Flat, Leaves};
use super::ensemble::Aggregate;
use super::fold::{self, Fold};
use super::layout::{Cell, Index, Slots};
use super::scalar::Scalar;
use super::{Forest, LANES};

/// So many rows go as eight: five one by one take less time, six take more.
const ALMOST: usize = 6;

/// Rows that pass through one tree before the next, while its nodes are in the nearest cache.
const TILE: usize = 8 * LANES;

pub(super) fn sum<X: Scalar, I: Index>(
    forest: &Forest<X>,
    flat: &Flat<X, I>,
    x: &[X],
    columns: usize,
    out: &mut [X],
) {
    match forest.aggregate {
        Aggregate::Sum => fold::<X, I, fold::Sum>(forest, flat, x, columns, out),
        Aggregate::Running => fold::<X, I, fold::Running>(forest, flat, x, columns, out),
        Aggregate::Average => fold::<X, I, fold::Average>(forest, flat, x, columns, out),
        Aggregate::Min => fold::<X, I, fold::Min>(forest, flat, x, columns, out),
        Aggregate::Max => fold::<X, I, fold::Max>(forest, flat, x, columns, out),
    }
}

fn fold<X: Scalar, I: Index, F: Fold<X>>(
    forest: &Forest<X>,
    flat: &Flat<X, I>,
    x: &[X],
    columns: usize,
    out: &mut [X],
) {
    if forest.targets == 0 {
        return;
    }
    let rows = out.len() / forest.targets;
    let start: Vec<F::Sum> = forest.base.iter().map(|base| F::start(*base)).collect();
    let mut sums = start.repeat(rows.next_multiple_of(LANES).min(TILE));
    let mut few = vec![X::LEAST; forest.slots.count()];
    let mut many: Vec<[X; LANES]> = Vec::new();
    let combine = Combine::<X, I, F> { forest, flat, fold: PhantomData };
    let mut first = 0;
    while first < rows {
        let tile = (rows - first).min(TILE);
        let blocks = (tile + LANES - ALMOST) / LANES;
        sums.chunks_exact_mut(forest.targets).for_each(|sums| sums.copy_from_slice(&start));
        let row = |number: usize| &x[(first + number) * columns..][..columns];
        if blocks > 0 {
            many.clear();
            for block in 0..blocks {
                transpose(forest.slots, |lane| row((block * LANES + lane).min(tile - 1)), &mut many);
            }
            each_tree(&combine, &many, &mut sums[..blocks * LANES * forest.targets]);
        }
        for number in blocks * LANES..tile {
            expand(forest.slots, row(number), &mut few);
            each_row(&combine, &few, &mut sums[number * forest.targets..][..forest.targets]);
        }
        let out = &mut out[first * forest.targets..][..tile * forest.targets];
        combine.finish(&sums, out);
        first += tile;
    }
}

fn expand<X: Scalar>(slots: Slots, row: &[X], expanded: &mut [X]) {
    let (plain, rest) = expanded.split_at_mut(slots.features);
    plain.copy_from_slice(&row[..slots.features]);
    for (nan_left, value) in rest[1..].iter_mut().zip(plain.iter()) {
        *nan_left = if value.is_nan() { X::LEAST } else { *value };
    }
}

fn transpose<'a, X: Scalar>(slots: Slots, row: impl Fn(usize) -> &'a [X], expanded: &mut Vec<[X; LANES]>) {
    let start = expanded.len();
    expanded.resize(start + slots.count(), [X::LEAST; LANES]);
    let (plain, rest) = expanded[start..].split_at_mut(slots.features);
    for lane in 0..LANES {
        for (slot, value) in plain.iter_mut().zip(row(lane)) {
            slot[lane] = *value;
        }
    }
    for (nan_left, values) in rest[1..].iter_mut().zip(plain.iter()) {
        *nan_left = values.map(|value| if value.is_nan() { X::LEAST } else { value });
    }
}

/// One row through eight trees at a time.
fn each_row<X: Scalar, I: Index, F: Fold<X>>(combine: &Combine<'_, X, I, F>, row: &[X], sums: &mut [F::Sum]) {
    let flat = combine.flat;
    let mut tree = 0;
    let (eights, rest) = flat.trees.as_chunks::<LANES>();
    for (roots, depth) in eights.iter().zip(&flat.depths) {
        let leaves = descend(&flat.cells, roots.map(|root| root.cell as usize), *depth, |_| row);
        for leaf in leaves {
            combine.add(tree, leaf, sums);
            tree += 1;
        }
    }
    for root in rest {
        let [leaf] = descend(&flat.cells, [root.cell as usize], root.depth, |_| row);
        combine.add(tree, leaf, sums);
        tree += 1;
    }
}

/// One row, or one a lane, through trees of at most `depth` levels; gives what the leaves keep.
#[inline(always)]
fn descend<'a, X: Scalar, I: Index, const N: usize>(
    cells: &[Cell<X, I>],
    mut at: [usize; N],
    depth: u32,
    row: impl Fn(usize) -> &'a [X],
) -> [X; N] {
    for _ in 0..depth {
        for lane in 0..N {
            let cell = cells[at[lane]];
            let value = row(lane)[index(cell.slot)];
            let left = value <= cell.threshold;
            at[lane] += index(cell.step) + usize::from(!left);
        }
    }
    at.map(|at| cells[at].threshold)
}

/// Eight rows at a time through one tree, and all rows through it before the next.
fn each_tree<X: Scalar, I: Index, F: Fold<X>>(
    combine: &Combine<'_, X, I, F>,
    blocks: &[[X; LANES]],
    sums: &mut [F::Sum],
) {
    let flat = combine.flat;
    let targets = combine.forest.targets;
    for (tree, root) in flat.trees.iter().enumerate() {
        let sums = sums.chunks_exact_mut(LANES * targets);
        for (block, sums) in blocks.chunks_exact(combine.forest.slots.count()).zip(sums) {
            let mut at = [root.cell as usize; LANES];
            for _ in 0..root.depth {
                for lane in 0..LANES {
                    let cell = flat.cells[at[lane]];
                    let left = block[index(cell.slot)][lane] <= cell.threshold;
                    at[lane] += index(cell.step) + usize::from(!left);
                }
            }
            for (at, sums) in at.into_iter().zip(sums.chunks_exact_mut(targets)) {
                combine.add(tree, flat.cells[at].threshold, sums);
            }
        }
    }
}

#[inline(always)]
fn index<I: Index>(number: I) -> usize {
    let number: u32 = number.into();
    number as usize
}

/// How leaves become a row's numbers.
struct Combine<'a, X, I, F> {
    forest: &'a Forest<X>,
    flat: &'a Flat<X, I>,
    fold: PhantomData<F>,
}

impl<X: Scalar, I: Index, F: Fold<X>> Combine<'_, X, I, F> {
    #[inline(always)]
    fn add(&self, tree: usize, leaf: X, sums: &mut [F::Sum]) {
        match &self.flat.leaves {
            Leaves::Weight { targets } => {
                let sum = &mut sums[targets[tree] as usize];
                *sum = F::add(*sum, leaf.into());
            }
            Leaves::Weights { ranges, weights } => {
                let leaf: f64 = leaf.into();
                let (start, end) = ranges[leaf as usize];
                for weight in &weights[start as usize..end as usize] {
                    let sum = &mut sums[weight.target as usize];
                    *sum = F::add(*sum, weight.value);
                }
            }
        }
    }

    fn finish(&self, sums: &[F::Sum], out: &mut [X]) {
        let (targets, trees) = (self.forest.targets, self.flat.trees.len());
        for (sums, out) in sums.chunks_exact(targets).zip(out.chunks_exact_mut(targets)) {
            for ((sum, base), out) in sums.iter().zip(&self.forest.base).zip(out) {
                *out = F::end(*sum, *base, trees);
            }
        }
    }
}
