//! gRPC: reading and writing rows.

use std::pin::Pin;

use tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming};

use super::{
    census::{self, What},
    query,
    rows::{self, named_scores},
    service::Service,
    session, subscription, topology,
};
use crate::{
    partition::MapView,
    store::Record,
    types::{Error, Result},
    wire::{
        ClientFrame,
        v1::{self, grid_server::Grid},
    },
};

/// Messages to a client, or how the call ends.
pub(super) type Outgoing<T> = Pin<Box<dyn Stream<Item = std::result::Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Grid for Service {
    type SessionStream = session::Session;
    type QueryStream = Outgoing<v1::QueryReply>;
    type SubscribeStream = Outgoing<v1::SubscribeReply>;
    type WatchTopologyStream = Outgoing<v1::Topology>;

    async fn session(
        &self,
        request: Request<Streaming<ClientFrame>>,
    ) -> std::result::Result<Response<Self::SessionStream>, Status> {
        let session = session::open(self.clone(), request.into_inner()).await?;
        Ok(Response::new(session))
    }

    async fn put(
        &self,
        request: Request<v1::PutRequest>,
    ) -> std::result::Result<Response<v1::PutReply>, Status> {
        let request = request.into_inner();
        let map = self.map(&request.map)?;
        let put = v1::PutOp {
            value: rows::value(&map, request.row)?,
            mode: request.mode,
            expected_version: request.expected_version,
            want_old: true,
            ttl_ms: request.ttl_ms,
        };
        let outcome = self.put(&map, &rows::key(request.key)?, put, request.deadline_ms).await?;
        let scores = outcome.record.as_ref().map(|record| named_scores(&map, record)).transpose()?;
        Ok(Response::new(v1::PutReply {
            skipped: !outcome.applied,
            version: outcome.version.map_or(0, |version| version.0),
            old: old(&map, outcome.old.as_ref())?,
            scores: scores.unwrap_or_default(),
        }))
    }

    async fn get(
        &self,
        request: Request<v1::GetRequest>,
    ) -> std::result::Result<Response<v1::GetReply>, Status> {
        let request = request.into_inner();
        let map = self.map(&request.map)?;
        let record = self.get(&map, &rows::key(request.key)?).await?;
        Ok(Response::new(v1::GetReply { row: Some(rows::view(&map, &record)?) }))
    }

    async fn remove(
        &self,
        request: Request<v1::RemoveRequest>,
    ) -> std::result::Result<Response<v1::RemoveReply>, Status> {
        let request = request.into_inner();
        let map = self.map(&request.map)?;
        let key = rows::key(request.key)?;
        let outcome = self.remove(&map, &key, request.expected_version, request.deadline_ms).await?;
        let old = old(&map, outcome.old.as_ref())?;
        Ok(Response::new(v1::RemoveReply { skipped: !outcome.applied, old }))
    }

    async fn execute(
        &self,
        request: Request<v1::ExecuteRequest>,
    ) -> std::result::Result<Response<v1::ExecuteReply>, Status> {
        let request = request.into_inner();
        let map = self.map(&request.map)?;
        let key = rows::key(request.key)?;
        let outcome = self.execute(&map, &key, request.update, request.deadline_ms).await?;
        let record = outcome.record.ok_or_else(|| Error::internal("the update gave no row"))?;
        Ok(Response::new(v1::ExecuteReply { row: Some(rows::view(&map, &record)?) }))
    }

    async fn query(
        &self,
        request: Request<v1::QueryRequest>,
    ) -> std::result::Result<Response<Self::QueryStream>, Status> {
        let request = request.into_inner();
        let map = self.map(&request.map)?;
        Ok(Response::new(Box::pin(query::open(&self.grid, map, request)?)))
    }

    async fn size(
        &self,
        request: Request<v1::SizeRequest>,
    ) -> std::result::Result<Response<v1::SizeReply>, Status> {
        let map = self.map(&request.into_inner().map)?;
        Ok(Response::new(v1::SizeReply { size: census::count(&self.grid, map.map.id, What::Rows).await? }))
    }

    async fn subscribe(
        &self,
        request: Request<v1::SubscribeRequest>,
    ) -> std::result::Result<Response<Self::SubscribeStream>, Status> {
        let events = subscription::open(self, request.into_inner())?;
        Ok(Response::new(Box::pin(events)))
    }

    async fn watch_topology(
        &self,
        _: Request<v1::WatchTopologyRequest>,
    ) -> std::result::Result<Response<Self::WatchTopologyStream>, Status> {
        Ok(Response::new(Box::pin(topology::watch(self))))
    }
}

fn old(map: &MapView, old: Option<&Record>) -> Result<Option<v1::RowView>> {
    old.map(|record| rows::view(map, record)).transpose()
}
