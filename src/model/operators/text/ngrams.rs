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
    /// For each place in the tree the number of the n-gram that ends there.
    ends: Vec<Option<usize>>,
}

/// Where every walk starts.
const ROOT: u32 = 0;

impl Grams {
    fn new() -> Grams {
        Grams { next: HashMap::new(), ends: vec![None] }
    }

    /// Adds an n-gram; false if it is there already.
    fn insert(&mut self, gram: &[u32], number: usize) -> bool {
        let mut at = ROOT;
        for &token in gram {
            at = *self.next.entry((at, token)).or_insert_with(|| {
                self.ends.push(None);
                self.ends.len() as u32 - 1
            });
        }
        self.ends[at as usize].replace(number).is_none()
    }

    /// Visits each n-gram that starts at the first of these tokens, with its length and number.
    fn walk(&self, tokens: impl Iterator<Item = Option<u32>>, mut visit: impl FnMut(usize, usize)) {
        let mut at = ROOT;
        for (length, token) in tokens.enumerate() {
            let Some(&next) = token.and_then(|token| self.next.get(&(at, token))) else { return };
            at = next;
            if let Some(number) = self.ends[at as usize] {
                visit(length + 1, number);
            }
        }
    }
}

struct Counter {
    tokens: Tokens,
    grams: Grams,
    /// How many tokens may be left out between two of an n-gram.
    skips: usize,
    /// The column of each n-gram.
    columns: Vec<usize>,
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
                if number == columns.len() {
                    return Err(Refusal::invalid("it has more n-grams than indexes"));
                }
                if lengths.contains(&length) && !grams.insert(gram, number) {
                    return Err(Refusal::invalid("an n-gram is in its pool twice"));
                }
                number += 1;
            }
        }
        Ok(Counter { tokens, grams, skips: size("max_skip_count")?, columns })
    }

    fn width(&self) -> usize {
        self.columns.iter().max().map_or(0, |most| most + 1)
    }

    /// Counts the n-grams of one row by their numbers. A single token is counted once, whatever may be left out.
    fn count(&self, row: &[Option<u32>], counts: &mut [u32]) {
        for step in 1..=self.skips.saturating_add(1).min(row.len().max(1)) {
            for start in 0..row.len() {
                self.grams.walk(row[start..].iter().copied().step_by(step), |length, number| {
                    if length > 1 || step == 1 {
                        counts[number] = counts[number].saturating_add(1);
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

/// What becomes of the count of an n-gram.
enum Weighting {
    Count,
    /// A weight for each n-gram that is found at all.
    Once(Vec<f32>),
    Scaled(Vec<f32>),
}

impl Weighting {
    fn new(spec: &Spec<'_>, grams: usize) -> Result<Weighting, Refusal> {
        let mode = spec.text("mode", "")?;
        if !matches!(mode, "TF" | "IDF" | "TFIDF") {
            return Err(Refusal::invalid(format!("mode `{mode}` does not exist")));
        }
        let weights = match spec.floats("weights")? {
            None | Some([]) => vec![1.0; grams],
            Some(weights) if weights.len() == grams => weights.to_vec(),
            Some(other) => {
                return Err(Refusal::invalid(format!("it has {} weights for {grams} n-grams", other.len())));
            }
        };
        Ok(match mode {
            "TF" => Weighting::Count,
            "IDF" => Weighting::Once(weights),
            _ => Weighting::Scaled(weights),
        })
    }

    fn of(&self, gram: usize, count: u32) -> f32 {
        match self {
            Weighting::Count => count as f32,
            Weighting::Once(weights) => weights[gram],
            Weighting::Scaled(weights) => count as f32 * weights[gram],
        }
    }
}

fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let counter = Counter::new(spec)?;
    let weighting = Weighting::new(spec, counter.columns.len())?;
    let width = counter.width();
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let (shape, columns) = match *view.shape() {
            [] => (vec![width], 1),
            [columns] => (vec![width], columns),
            [rows, columns] => (vec![rows, width], columns),
            ref other => return Err(format!("a tensor of shape {other:?} is no matrix")),
        };
        let mut out = vec![0.0; elements(&shape, limit)?];
        let mut counts = vec![0; counter.columns.len()];
        let tokens = counter.tokens.of(view)?;
        for (row, out) in tokens.chunks(columns.max(1)).zip(out.chunks_exact_mut(width)) {
            counts.fill(0);
            counter.count(row, &mut counts);
            for (gram, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                out[counter.columns[gram]] += weighting.of(gram, *count);
            }
        }
        Ok(Tensor::f32(shape, out))
    }))
}
