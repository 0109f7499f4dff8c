//! TfIdfVectorizer: counts the n-grams of a pool in each row, and weights the counts.

use std::{collections::HashMap, hash::Hash, ops::Range};

use burn_backend::Backend;

use super::{
    super::super::{
        DType, Tensor, TensorView,
        plan::{Kernel, Reason},
    },
    Operator, Refusal, Spec, elements,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    (name == "TfIdfVectorizer").then_some(Operator { types, kernel })
}

fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let strings = spec.has_attribute("pool_strings");
    match spec.dtype(0)? {
        DType::Str if strings => Ok(vec![DType::F32]),
        DType::I64 | DType::I32 if !strings => Ok(vec![DType::F32]),
        dtype => Err(Refusal::invalid(format!("its n-grams are not of {dtype}"))),
    }
}

/// A token's number; those that no n-gram of the pool has are none.
enum Tokens {
    Strings(HashMap<String, u32>),
    Ints(HashMap<i64, u32>),
}

impl Tokens {
    /// Numbers the tokens of a pool; gives the pool in numbers, too.
    fn new(spec: &Spec<'_>) -> Result<(Tokens, Vec<u32>), Refusal> {
        if let Some(pool) = spec.texts("pool_strings")? {
            let (numbers, pool) = numbered(pool);
            return Ok((Tokens::Strings(numbers), pool));
        }
        match spec.ints("pool_int64s")? {
            Some(pool) => {
                let (numbers, pool) = numbered(pool);
                Ok((Tokens::Ints(numbers), pool))
            }
            None => Err(Refusal::invalid("it has no pool of n-grams")),
        }
    }

    fn of(&self, view: TensorView<'_>) -> Result<Vec<Option<u32>>, Reason> {
        match (self, view) {
            (Tokens::Strings(numbers), TensorView::Str { data, .. }) => {
                Ok(data.iter().map(|token| numbers.get(token).copied()).collect())
            }
            (Tokens::Ints(numbers), TensorView::I64 { data, .. }) => {
                Ok(data.iter().map(|token| numbers.get(token).copied()).collect())
            }
            (Tokens::Ints(numbers), TensorView::I32 { data, .. }) => {
                Ok(data.iter().map(|&token| numbers.get(&token.into()).copied()).collect())
            }
            (_, other) => Err(format!("its n-grams are not of {}", other.dtype())),
        }
    }
}

fn numbered<T: Clone + Eq + Hash>(pool: &[T]) -> (HashMap<T, u32>, Vec<u32>) {
    let mut numbers = HashMap::new();
    let number = |token: &T| {
        let next = numbers.len() as u32;
        *numbers.entry(token.clone()).or_insert(next)
    };
    let pool = pool.iter().map(number).collect();
    (numbers, pool)
}

/// The n-grams as a tree: each token leads one step further.
#[derive(Default)]
struct Grams {
    next: HashMap<(u32, u32), u32>,
    /// For each place in the tree the column of the n-gram that ends there.
    columns: Vec<Option<usize>>,
}

/// Where every walk starts.
const ROOT: u32 = 0;

impl Grams {
    fn new() -> Grams {
        Grams { next: HashMap::new(), columns: vec![None] }
    }

    /// Adds an n-gram; false if it is there already.
    fn insert(&mut self, gram: &[u32], column: usize) -> bool {
        let mut at = ROOT;
        for &token in gram {
            at = *self.next.entry((at, token)).or_insert_with(|| {
                self.columns.push(None);
                self.columns.len() as u32 - 1
            });
        }
        self.columns[at as usize].replace(column).is_none()
    }

    /// Visits the column of each n-gram that starts at the first of these tokens.
    fn walk(&self, tokens: impl Iterator<Item = Option<u32>>, mut visit: impl FnMut(usize, usize)) {
        let mut at = ROOT;
        for (length, token) in tokens.enumerate() {
            let Some(&next) = token.and_then(|token| self.next.get(&(at, token))) else { return };
            at = next;
            if let Some(column) = self.columns[at as usize] {
                visit(length + 1, column);
            }
        }
    }
}

struct Counter {
    tokens: Tokens,
    grams: Grams,
    /// How many tokens may be left out between two of an n-gram.
    skips: usize,
    width: usize,
}

impl Counter {
    fn new(spec: &Spec<'_>) -> Result<Counter, Refusal> {
        let size = |name: &str| match usize::try_from(spec.int(name, -1)?) {
            Ok(size) => Ok(size),
            Err(_) => Err(Refusal::invalid(format!("attribute `{name}` is missing or negative"))),
        };
        let lengths = size("min_gram_length")?..=size("max_gram_length")?;
        let (tokens, pool) = Tokens::new(spec)?;
        let columns = columns(spec)?;
        let mut grams = Grams::new();
        let mut number = 0;
        for (index, range) in ranges(spec, pool.len())?.into_iter().enumerate() {
            let length = index + 1;
            if range.len() % length != 0 {
                return Err(Refusal::invalid(format!("its pool has no whole number of {length}-grams")));
            }
            for gram in pool[range].chunks_exact(length) {
                let column = columns.get(number).copied();
                let column = column.ok_or_else(|| Refusal::invalid("it has more n-grams than indexes"))?;
                number += 1;
                if lengths.contains(&length) && !grams.insert(gram, column) {
                    return Err(Refusal::invalid("an n-gram is in its pool twice"));
                }
            }
        }
        let width = columns.iter().max().map_or(0, |most| most + 1);
        Ok(Counter { tokens, grams, skips: size("max_skip_count")?, width })
    }

    /// Counts the n-grams of one row. A single token is counted once, whatever may be left out.
    fn count(&self, row: &[Option<u32>], counts: &mut [f32]) {
        for step in 1..=self.skips.saturating_add(1).min(row.len().max(1)) {
            for start in 0..row.len() {
                self.grams.walk(row[start..].iter().copied().step_by(step), |length, column| {
                    if length > 1 || step == 1 {
                        counts[column] += 1.0;
                    }
                });
            }
        }
    }
}

/// The column of each n-gram.
fn columns(spec: &Spec<'_>) -> Result<Vec<usize>, Refusal> {
    let listed = spec.ints("ngram_indexes")?.unwrap_or_default();
    let columns = listed.iter().map(|&index| usize::try_from(index)).collect::<Result<Vec<_>, _>>();
    let within = |columns: &Vec<usize>| columns.iter().all(|column| *column < spec.limits().elements);
    let columns = columns.ok().filter(|columns| !columns.is_empty() && within(columns));
    columns.ok_or_else(|| Refusal::invalid("its `ngram_indexes` are none, or no indexes"))
}

/// Where the n-grams of each length are in the pool.
fn ranges(spec: &Spec<'_>, pool: usize) -> Result<Vec<Range<usize>>, Refusal> {
    let starts = spec.ints("ngram_counts")?.unwrap_or_default();
    let ends = starts.iter().skip(1).copied().chain([pool as i64]);
    let range = |(&start, end): (&i64, i64)| {
        let range = usize::try_from(start).ok()?..usize::try_from(end).ok()?;
        (range.start <= range.end && range.end <= pool).then_some(range)
    };
    let ranges = starts.iter().zip(ends).map(range).collect::<Option<Vec<_>>>();
    ranges.ok_or_else(|| Refusal::invalid("its `ngram_counts` do not divide its pool"))
}

/// What becomes of the counts.
enum Weighting {
    Counts,
    /// A weight for each column that is found at all.
    Once(Vec<f32>),
    Scaled(Vec<f32>),
}

impl Weighting {
    /// By the letter weights belong to n-grams, in ONNX Runtime and in converters to columns.
    fn new(spec: &Spec<'_>, width: usize) -> Result<Weighting, Refusal> {
        let weights = match (spec.text("mode", "")?, spec.floats("weights")?) {
            ("TF", _) => return Ok(Weighting::Counts),
            ("TFIDF", None | Some([])) => return Ok(Weighting::Counts),
            ("IDF", None | Some([])) => vec![1.0; width],
            ("IDF" | "TFIDF", Some(weights)) if weights.len() == width => weights.to_vec(),
            ("IDF" | "TFIDF", Some(weights)) => {
                return Err(Refusal::invalid(format!(
                    "it has {} weights for {width} columns",
                    weights.len()
                )));
            }
            (other, _) => return Err(Refusal::invalid(format!("mode `{other}` does not exist"))),
        };
        let once = spec.text("mode", "")? == "IDF";
        Ok(if once { Weighting::Once(weights) } else { Weighting::Scaled(weights) })
    }

    fn apply(&self, counts: &mut [f32]) {
        match self {
            Weighting::Counts => {}
            Weighting::Once(weights) => {
                let each = counts.iter_mut().zip(weights);
                each.for_each(|(count, weight)| *count = if *count > 0.0 { *weight } else { 0.0 });
            }
            Weighting::Scaled(weights) => {
                counts.iter_mut().zip(weights).for_each(|(count, weight)| *count *= weight);
            }
        }
    }
}

fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let counter = Counter::new(spec)?;
    let weighting = Weighting::new(spec, counter.width)?;
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let (shape, columns) = match *view.shape() {
            [] => (vec![counter.width], 1),
            [columns] => (vec![counter.width], columns),
            [rows, columns] => (vec![rows, counter.width], columns),
            ref other => return Err(format!("a tensor of shape {other:?} is no matrix")),
        };
        let mut counts = vec![0.0; elements(&shape, limit)?];
        let tokens = counter.tokens.of(view)?;
        for (row, counts) in tokens.chunks(columns.max(1)).zip(counts.chunks_exact_mut(counter.width)) {
            counter.count(row, counts);
        }
        counts.chunks_exact_mut(counter.width).for_each(|counts| weighting.apply(counts));
        Ok(Tensor::f32(shape, counts))
    }))
}
