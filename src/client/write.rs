//! Writing: `put` and its conditional kin, `remove`, `set_ttl`, `execute_on_key`.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde::Serialize;

use super::{Description, IntoKey, Map, calls::Answer, map, row::Row, score::Score};
use crate::{
    row::Scalar,
    types::{Class, Error, Result, RowVersion},
    wire::v1::{self, PutMode, op::Verb, reply},
};

/// What a put did.
#[derive(Clone, Debug)]
pub struct Put {
    /// Whether it took effect: a condition may not have been met.
    pub applied: bool,
    /// The row's version: the new one, or the one that is left as it was.
    pub version: RowVersion,
    /// The row before, where it was asked for.
    pub old: Option<Row>,
    /// What the map's bindings made of the row.
    pub scores: Vec<Score>,
}

impl Put {
    /// A score column of the row.
    pub fn score(&self, column: &str) -> Option<Scalar<'_>> {
        self.scores.iter().find_map(|score| score.value(column))
    }
}

impl Map {
    /// Stores a row and gives its scores and the row before.
    pub async fn put<T: Serialize + ?Sized>(&self, key: impl IntoKey, value: &T) -> Result<Put> {
        self.put_packing(key, value, v1::PutOp { want_old: true, ..Default::default() }).await
    }

    /// Stores a row and gives its scores.
    pub async fn set<T: Serialize + ?Sized>(&self, key: impl IntoKey, value: &T) -> Result<Put> {
        self.put_packing(key, value, v1::PutOp::default()).await
    }

    /// Stores a row that expires, and gives its scores.
    pub async fn set_expiring<T: Serialize + ?Sized>(
        &self,
        key: impl IntoKey,
        value: &T,
        ttl: Duration,
    ) -> Result<Put> {
        self.put_packing(key, value, v1::PutOp { ttl_ms: millis(ttl), ..Default::default() }).await
    }

    /// Stores a row if there is none; otherwise gives the one there is.
    pub async fn put_if_absent<T: Serialize + ?Sized>(&self, key: impl IntoKey, value: &T) -> Result<Put> {
        self.put_packing(key, value, conditional(PutMode::IfAbsent, 0)).await
    }

    /// Stores a row if there is one, and gives that one.
    pub async fn replace<T: Serialize + ?Sized>(&self, key: impl IntoKey, value: &T) -> Result<Put> {
        self.put_packing(key, value, conditional(PutMode::IfPresent, 0)).await
    }

    /// Stores a row if the present one has this version.
    pub async fn replace_if<T: Serialize + ?Sized>(
        &self,
        key: impl IntoKey,
        version: RowVersion,
        value: &T,
    ) -> Result<Put> {
        self.put_packing(key, value, conditional(PutMode::IfVersion, version.0)).await
    }

    /// Stores a packed row, or a plain map's bytes, and gives the scores and the value before.
    pub async fn put_raw(&self, key: impl IntoKey, value: Bytes) -> Result<Put> {
        self.put_op(key, v1::PutOp { value, want_old: true, ..Default::default() }).await
    }

    /// Stores a packed row, or a plain map's bytes, and gives the scores.
    pub async fn set_raw(&self, key: impl IntoKey, value: Bytes) -> Result<Put> {
        self.put_op(key, v1::PutOp { value, ..Default::default() }).await
    }

    /// Stores rows together; each has its own answer. They may take effect in any order.
    pub async fn put_all<K, T>(&self, entries: impl IntoIterator<Item = (K, T)>) -> Result<Vec<Result<Put>>>
    where
        K: IntoKey,
        T: Serialize,
    {
        let packed = entries.into_iter().map(|(key, value)| Ok((key.into_key()?, self.pack(&value)?)));
        let packed: Vec<_> = packed.collect::<Result<_>>()?;
        self.put_all_raw(packed).await
    }

    /// Stores packed rows, or a plain map's bytes, together; each has its own answer.
    pub async fn put_all_raw<K: IntoKey>(
        &self,
        entries: impl IntoIterator<Item = (K, Bytes)>,
    ) -> Result<Vec<Result<Put>>> {
        let put = |value| Verb::Put(v1::PutOp { value, ..Default::default() });
        let drafts = self.drafts(entries.into_iter().map(|(key, value)| (key, put(value))))?;
        let answers = self.call_all(drafts).await;
        let written: Vec<Result<v1::Written>> =
            answers.into_iter().map(|answer| answer.and_then(self::written)).collect();
        let known = self.knowing(|description| {
            written.iter().flatten().all(|written| knows_written(description, written))
        });
        let known = known.await;
        Ok(written.into_iter().map(|written| self::put(&known, written?)).collect())
    }

    /// Removes a row and gives it.
    pub async fn remove(&self, key: impl IntoKey) -> Result<Option<Row>> {
        let remove = v1::RemoveOp { expected_version: None, want_old: true };
        let written = written(self.call(key, Verb::Remove(remove)).await?)?;
        self.optional_row(written.old.map(|old| *old)).await
    }

    /// Removes a row if it has this version; says whether it did.
    pub async fn remove_if(&self, key: impl IntoKey, version: RowVersion) -> Result<bool> {
        let remove = v1::RemoveOp { expected_version: Some(version.0), want_old: false };
        Ok(!written(self.call(key, Verb::Remove(remove)).await?)?.skipped)
    }

    /// Sets when a row expires, or with `None` that it does not; says whether there is one.
    pub async fn set_ttl(&self, key: impl IntoKey, ttl: Option<Duration>) -> Result<bool> {
        let op = v1::TtlOp { ttl_ms: ttl.map_or(0, millis) };
        Ok(!written(self.call(key, Verb::SetTtl(op)).await?)?.skipped)
    }

    /// Runs an update such as `SET visits = visits + 1` on a row where it is stored, and gives the new row.
    pub async fn execute_on_key(&self, key: impl IntoKey, update: &str) -> Result<Row> {
        let op = v1::ExecuteOp { update: update.to_string() };
        let written = written(self.call(key, Verb::Execute(op)).await?)?;
        let row = written.row.ok_or_else(|| Error::internal("the update's answer lacks the row"))?;
        self.row(*row).await
    }

    /// Packs and puts. If the map's schema has changed meanwhile, does so once more by the new one.
    async fn put_packing<T: Serialize + ?Sized>(
        &self,
        key: impl IntoKey,
        value: &T,
        put: v1::PutOp,
    ) -> Result<Put> {
        let key = key.into_key()?;
        let before = self.description();
        let packed = self.pack(value)?;
        let refusal = match self.put_op(&key, v1::PutOp { value: packed, ..put.clone() }).await {
            Err(refusal) if refusal.class == Class::Invalid => refusal,
            done => return done,
        };
        let id = |schema: &Arc<crate::row::Schema>| schema.id();
        if self.refresh().await?.schema.as_ref().map(id) == before.schema.as_ref().map(id) {
            return Err(refusal);
        }
        let packed = self.pack(value)?;
        self.put_op(&key, v1::PutOp { value: packed, ..put }).await
    }

    async fn put_op(&self, key: impl IntoKey, put: v1::PutOp) -> Result<Put> {
        let answer = self.call(key, Verb::Put(put)).await;
        self.put_answer(answer).await
    }

    async fn put_answer(&self, answer: Answer) -> Result<Put> {
        let written = written(answer?)?;
        let known = self.knowing(|description| knows_written(description, &written)).await;
        put(&known, written)
    }
}

/// What the description tells of a write, if there is one; for most writes none is needed.
fn put(known: &Result<Arc<Description>>, written: v1::Written) -> Result<Put> {
    let mut put = Put {
        applied: !written.skipped,
        version: RowVersion(written.version),
        old: None,
        scores: Vec::new(),
    };
    if written.old.is_some() || !written.scores.is_empty() {
        let description = known.as_ref().map_err(Clone::clone)?;
        put.old = written.old.map(|old| map::row(description, *old));
        put.scores = map::scores(description, written.scores)?;
    }
    Ok(put)
}

fn knows_written(description: &Description, written: &v1::Written) -> bool {
    written.old.iter().all(|old| map::knows(description, old))
        && written.scores.iter().all(|score| map::knows_score(description, score))
}

fn conditional(mode: PutMode, expected_version: u64) -> v1::PutOp {
    v1::PutOp { mode: mode.into(), expected_version, want_old: true, ..Default::default() }
}

/// At least one: zero means never.
fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1)
}

fn written(answer: reply::Answer) -> Result<v1::Written> {
    match answer {
        reply::Answer::Written(written) => Ok(written),
        _ => Err(Error::internal("the node answered a write as a read")),
    }
}
