//! The models that this node holds, ready to run.

use std::{
    collections::HashMap,
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    model::Model,
    types::{Digest, Error, Result},
};

/// A model that was loaded, warmed up and measured.
#[derive(Debug)]
pub struct Loaded {
    /// The engine's side.
    pub model: Model,
    row_cost_ns: AtomicU64,
}

impl Loaded {
    /// A model with a first measure of what a row costs.
    pub fn new(model: Model, row_cost_ns: u64) -> Self {
        Loaded { model, row_cost_ns: AtomicU64::new(row_cost_ns) }
    }

    /// What `rows` rows are expected to cost, in microseconds.
    pub fn cost_us(&self, rows: usize) -> u64 {
        self.row_cost_ns.load(Ordering::Relaxed).saturating_mul(rows as u64) / 1_000
    }

    /// Takes in what a batch did cost: the estimate moves an eighth of the way.
    pub fn observe(&self, rows: usize, elapsed_us: u64) {
        let seen = elapsed_us.saturating_mul(1_000) / (rows as u64).max(1);
        let known = self.row_cost_ns.load(Ordering::Relaxed);
        // Two workers may overwrite each other's eighth: it is an estimate.
        self.row_cost_ns.store(known - known / 8 + seen / 8, Ordering::Relaxed);
    }
}

/// The models held here, by digest of their bytes.
#[derive(Debug, Default)]
pub struct Models {
    loaded: RwLock<HashMap<Digest, Arc<Loaded>>>,
}

impl Models {
    /// Takes a model in; one that is already held stays.
    pub fn insert(&self, digest: Digest, loaded: Loaded) -> Arc<Loaded> {
        let mut held = self.loaded.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        held.entry(digest).or_insert_with(|| Arc::new(loaded)).clone()
    }

    /// The model of that digest.
    pub fn find(&self, digest: &Digest) -> Option<Arc<Loaded>> {
        self.loaded.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(digest).cloned()
    }

    /// The model of that digest, or why there is no score.
    pub fn require(&self, digest: &Digest) -> Result<Arc<Loaded>> {
        self.find(digest)
            .ok_or_else(|| Error::unavailable(format!("model {digest} is not loaded on this node")))
    }

    /// Drops every model but those of `keep`, and says how many went.
    pub fn retain(&self, keep: impl Fn(&Digest) -> bool) -> usize {
        let mut held = self.loaded.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let before = held.len();
        held.retain(|digest, _| keep(digest));
        before - held.len()
    }
}
