//! Reading: `get` and its kin, `size`, `query`.

use std::collections::VecDeque;

use serde::de::DeserializeOwned;
use tonic::Streaming;

use super::{IntoKey, Map, channel, map, row::Row};
use crate::{
    types::{Error, Key, Result},
    wire::v1::{self, op::Verb, reply},
};

const WHOLE: Verb = Verb::Get(v1::GetOp { only_version: false });
const ONLY_VERSION: Verb = Verb::Get(v1::GetOp { only_version: true });

impl Map {
    /// Reads a row into a struct; `None` if there is no row.
    pub async fn get<T: DeserializeOwned>(&self, key: impl IntoKey) -> Result<Option<T>> {
        self.get_raw(key).await?.map(|row| row.decode()).transpose()
    }

    /// Reads a row, or a plain map's bytes, with version and lineage; `None` if there is none.
    pub async fn get_raw(&self, key: impl IntoKey) -> Result<Option<Row>> {
        let stored = stored(self.call(key, WHOLE).await?)?;
        self.optional_row(stored).await
    }

    /// Reads rows into structs, in the order of the keys; `None` where there is no row.
    pub async fn get_all<T: DeserializeOwned, K: IntoKey>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<Vec<Option<T>>> {
        let rows = self.get_all_raw(keys).await?;
        rows.into_iter().map(|row| row?.map(|row| row.decode()).transpose()).collect()
    }

    /// Reads rows together; each has its own answer.
    pub async fn get_all_raw<K: IntoKey>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<Vec<Result<Option<Row>>>> {
        let drafts = self.drafts(keys.into_iter().map(|key| (key, WHOLE)))?;
        let answers = self.call_all(drafts).await;
        let rows: Vec<Result<Option<v1::Stored>>> =
            answers.into_iter().map(|answer| answer.and_then(stored)).collect();
        let known = self.knowing(|description| {
            rows.iter().flatten().flatten().all(|stored| map::knows(description, stored))
        });
        let known = known.await;
        Ok(rows
            .into_iter()
            .map(|stored| match (stored?, &known) {
                (Some(stored), Ok(description)) => Ok(Some(map::row(description, stored))),
                (Some(_), Err(error)) => Err(error.clone()),
                (None, _) => Ok(None),
            })
            .collect())
    }

    /// Whether there is a row.
    pub async fn contains_key(&self, key: impl IntoKey) -> Result<bool> {
        Ok(stored(self.call(key, ONLY_VERSION).await?)?.is_some())
    }

    /// How many rows the map has.
    pub async fn size(&self) -> Result<u64> {
        let request = v1::SizeRequest { map: self.name() };
        let counted = self.client().ask(|channel| {
            let request = request.clone();
            async move { channel::grid(channel).size(request).await }
        });
        Ok(counted.await?.size)
    }

    /// The rows that satisfy a predicate such as `amount > 100 AND country = 'DE'`; an empty one is true of all.
    pub async fn query(&self, predicate: &str, limit: Option<u64>) -> Result<Rows> {
        let request = v1::QueryRequest {
            map: self.name(),
            r#where: predicate.to_string(),
            limit: limit.unwrap_or(0),
            packed: true,
        };
        let asked = self.client().ask(|channel| {
            let request = request.clone();
            async move { channel::grid(channel).query(request).await }
        });
        Ok(Rows { map: self.clone(), replies: asked.await?, ready: VecDeque::new() })
    }
}

/// The rows of a query, as they arrive.
#[derive(Debug)]
pub struct Rows {
    map: Map,
    replies: Streaming<v1::QueryReply>,
    ready: VecDeque<v1::KeyedRow>,
}

impl Rows {
    /// The next row; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<(Key, Row)>> {
        loop {
            if let Some(next) = self.ready.pop_front() {
                let Some(v1::keyed_row::Row::Stored(stored)) = next.row else {
                    return Err(Error::internal("the node sent a row in a form that was not asked for"));
                };
                return Ok(Some((map::key(next.key)?, self.map.row(stored).await?)));
            }
            match self.replies.message().await? {
                Some(reply) => self.ready = reply.rows.into(),
                None => return Ok(None),
            }
        }
    }

    /// All rows that are left.
    pub async fn all(mut self) -> Result<Vec<(Key, Row)>> {
        let mut rows = Vec::new();
        while let Some(row) = self.next().await? {
            rows.push(row);
        }
        Ok(rows)
    }
}

fn stored(answer: reply::Answer) -> Result<Option<v1::Stored>> {
    match answer {
        reply::Answer::Stored(stored) => Ok(Some(stored)),
        reply::Answer::Absent(_) => Ok(None),
        _ => Err(Error::internal("the node answered a read as a write")),
    }
}
