//! A map of the cluster, and how its operations reach the node.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLock;
use serde::Serialize;
use smallvec::smallvec;

use super::{
    Client, Description, IntoKey,
    connection::Drafts,
    row::{Lineage, Row},
    score::{Binding, Score},
    session::{Answer, Draft},
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

    /// One operation, as the session takes it.
    pub(super) fn draft(&self, key: impl IntoKey, verb: Verb) -> Result<Draft> {
        if let Verb::Put(put) = &verb {
            let bytes = put.value.len();
            if bytes > MAX_ROW_BYTES {
                return Err(Error::invalid(format!(
                    "the value has {bytes} bytes, more than the limit of {MAX_ROW_BYTES}"
                )));
            }
        }
        let key = Bytes::copy_from_slice(key.into_key()?.packed());
        Ok(Draft { map: self.inner.description.read().id.0, key, verb })
    }

    /// Sends one operation.
    pub(super) async fn call(&self, key: impl IntoKey, verb: Verb) -> Answer {
        let drafts: Drafts = smallvec![self.draft(key, verb)?];
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

    /// A description that knows the row's schema and bindings.
    async fn knowing(&self, stored: &v1::Stored) -> Result<Arc<Description>> {
        let known = self.description();
        match knows(&known, stored) {
            true => Ok(known),
            false => self.refresh().await,
        }
    }

    pub(super) async fn row(&self, stored: v1::Stored) -> Result<Row> {
        let description = self.knowing(&stored).await?;
        let lineage = stored
            .lineage
            .iter()
            .map(|from| Lineage {
                binding: binding(&description, from.binding),
                model_version: from.model_version,
                row_version: RowVersion(from.row_version),
            })
            .collect();
        let schema = description.schema.clone();
        Ok(Row::new(RowVersion(stored.version), stored.value, lineage, schema))
    }

    pub(super) async fn optional_row(&self, stored: Option<v1::Stored>) -> Result<Option<Row>> {
        match stored {
            Some(stored) => self.row(stored).await.map(Some),
            None => Ok(None),
        }
    }

    pub(super) async fn scores(&self, wire: Vec<v1::Score>) -> Result<Vec<Score>> {
        if wire.is_empty() {
            return Ok(Vec::new());
        }
        let mut description = self.description();
        if wire.iter().any(|score| !knows_score(&description, score)) {
            description = self.refresh().await?;
        }
        let schema = description.require_schema()?;
        let named = |score: v1::Score| {
            let binding = binding(&description, score.binding);
            Score::new(score, binding, schema.clone())
        };
        Ok(wire.into_iter().map(named).collect())
    }
}

fn binding(description: &Description, id: u32) -> Arc<Binding> {
    let deleted = || Arc::new(Binding::deleted(id, &description.name));
    description.binding(id).cloned().unwrap_or_else(deleted)
}

fn knows(description: &Description, stored: &v1::Stored) -> bool {
    let schema = match &description.schema {
        Some(schema) => row::RowRef::trusted(schema, &stored.value).is_ok(),
        None => true,
    };
    schema && stored.lineage.iter().all(|from| description.binding(from.binding).is_some())
}

fn knows_score(description: &Description, score: &v1::Score) -> bool {
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
