//! A map of the cluster, and how its operations reach the node.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLock;
use serde::Serialize;
use smallvec::smallvec;

use super::{
    Client, Description, IntoKey,
    calls::Answer,
    connection::Drafts,
    draft::{Draft, Packer},
    row::{Lineage, Row},
    score::{Binding, Score},
};
use crate::{
    row::{self, MAX_ROW_BYTES},
    types::{Error, Key, Result, RowVersion},
    wire::v1::{self, op::Verb},
};

/// A map. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Map {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    client: Client,
    description: RwLock<Arc<Description>>,
}

impl Map {
    pub(super) fn new(client: Client, description: Description) -> Self {
        Map { inner: Arc::new(Inner { client, description: RwLock::new(Arc::new(description)) }) }
    }

    pub(super) fn client(&self) -> &Client {
        &self.inner.client
    }

    /// The map as the cluster last told of it.
    pub fn description(&self) -> Arc<Description> {
        self.inner.description.read().clone()
    }

    /// Its name.
    pub fn name(&self) -> String {
        self.description().name.clone()
    }

    /// Asks the cluster for the map's present schema and bindings.
    pub async fn refresh(&self) -> Result<Arc<Description>> {
        let before = self.description();
        let fresh = Arc::new(self.client().describe(&before.name).await?);
        if fresh.id != before.id {
            return Err(Error::not_found(format!("the map `{}` was dropped", before.name))
                .hint("a new map has its name: open it with `map` again"));
        }
        *self.inner.description.write() = fresh.clone();
        Ok(fresh)
    }

    /// Packs a struct, or a map with string keys, by the schema. Fails for a plain map.
    pub fn pack<T: Serialize + ?Sized>(&self, value: &T) -> Result<Bytes> {
        Ok(row::to_row(self.description().require_schema()?, value)?.into())
    }

    /// Packs a JSON object by the schema. Fails for a plain map.
    pub fn pack_json(&self, object: &serde_json::Map<String, serde_json::Value>) -> Result<Bytes> {
        Ok(row::from_json(self.description().require_schema()?, object)?.into())
    }

    /// What packs operations of a call.
    pub(super) fn packer(&self) -> Packer {
        Packer::new(self.inner.description.read().id.0)
    }

    /// Operations, as the session takes them.
    pub(super) fn drafts<K: IntoKey>(&self, ops: impl Iterator<Item = (K, Verb)>) -> Result<Drafts> {
        let mut packer = self.packer();
        let mut drafts = Drafts::with_capacity(ops.size_hint().0);
        for (key, verb) in ops {
            drafts.push(draft(&mut packer, key, &verb)?);
        }
        Ok(drafts)
    }

    /// Sends one operation.
    pub(super) async fn call(&self, key: impl IntoKey, verb: Verb) -> Answer {
        let drafts: Drafts = smallvec![draft(&mut self.packer(), key, &verb)?];
        let connection = self.client().connection(&drafts);
        let mut answers = connection.call(drafts).await;
        answers.pop().flatten().unwrap_or_else(|| Err(Error::internal("a call ended without an answer")))
    }

    /// Sends operations together; the answers come in their order.
    pub(super) async fn call_all(&self, drafts: Drafts) -> Vec<Answer> {
        let connection = self.client().connection(&drafts);
        let answers = connection.call(drafts).await;
        answers
            .into_iter()
            .map(|answer| answer.unwrap_or_else(|| Err(Error::internal("a call ended without an answer"))))
            .collect()
    }

    /// A description of which `is_known` is true, if the cluster has one: it may know more by now.
    pub(super) async fn knowing(&self, is_known: impl Fn(&Description) -> bool) -> Result<Arc<Description>> {
        let known = self.description();
        match is_known(&known) {
            true => Ok(known),
            false => self.refresh().await,
        }
    }

    pub(super) async fn row(&self, stored: v1::Stored) -> Result<Row> {
        let description = self.knowing(|description| knows(description, &stored)).await?;
        Ok(row(&description, stored))
    }

    pub(super) async fn optional_row(&self, stored: Option<v1::Stored>) -> Result<Option<Row>> {
        match stored {
            Some(stored) => self.row(stored).await.map(Some),
            None => Ok(None),
        }
    }
}

/// One operation, as the session takes it.
fn draft(packer: &mut Packer, key: impl IntoKey, verb: &Verb) -> Result<Draft> {
    if let Verb::Put(put) = verb {
        let bytes = put.value.len();
        if bytes > MAX_ROW_BYTES {
            return Err(Error::invalid(format!(
                "the value has {bytes} bytes, more than the limit of {MAX_ROW_BYTES}"
            )));
        }
    }
    Ok(packer.pack(key.into_key()?.packed(), verb))
}

/// A row that the description [`knows`].
pub(super) fn row(description: &Description, stored: v1::Stored) -> Row {
    let lineage = stored.lineage.iter().map(|from| Lineage {
        binding: binding(description, from.binding),
        model_version: from.model_version,
        row_version: RowVersion(from.row_version),
    });
    Row::new(RowVersion(stored.version), stored.value, lineage.collect(), description.schema.clone())
}

/// Scores that the description [`knows_score`].
pub(super) fn scores(description: &Description, wire: Vec<v1::Score>) -> Result<Vec<Score>> {
    if wire.is_empty() {
        return Ok(Vec::new());
    }
    let schema = description.require_schema()?;
    let named = |score: v1::Score| {
        let binding = binding(description, score.binding);
        Score::new(score, binding, schema.clone())
    };
    Ok(wire.into_iter().map(named).collect())
}

fn binding(description: &Description, id: u32) -> Arc<Binding> {
    let deleted = || Arc::new(Binding::deleted(id, &description.name));
    description.binding(id).cloned().unwrap_or_else(deleted)
}

pub(super) fn knows(description: &Description, stored: &v1::Stored) -> bool {
    let schema = match &description.schema {
        Some(schema) => row::RowRef::trusted(schema, &stored.value).is_ok(),
        None => true,
    };
    schema && stored.lineage.iter().all(|from| description.binding(from.binding).is_some())
}

pub(super) fn knows_score(description: &Description, score: &v1::Score) -> bool {
    let columns = description.schema.as_ref().map_or(0, |schema| schema.columns().len());
    description.binding(score.binding).is_some()
        && score.values.iter().all(|value| (value.column as usize) < columns)
}

/// A packed key from the wire.
pub(super) fn key(wire: Option<v1::Key>) -> Result<Key> {
    match wire.and_then(|key| key.payload) {
        Some(v1::key::Payload::Packed(packed)) => Ok(Key::from_packed(&packed)?),
        _ => Err(Error::internal("the node sent a row without its key")),
    }
}
