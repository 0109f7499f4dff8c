//! `GET`, `POST` and `DELETE` of one row.

use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{BytesRejection, PathRejection, QueryRejection},
    },
    http::StatusCode,
};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Refusal, Service, json};
use crate::{
    partition::MapView,
    types::{Error, Key, Result},
    wire::v1,
};

type Answer = std::result::Result<Json<Value>, Refusal>;
/// The map's name and the key's text.
type Place = std::result::Result<Path<(String, String)>, PathRejection>;
type Parameters = std::result::Result<Query<Affinity>, QueryRejection>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Affinity {
    affinity: Option<String>,
}

pub(super) async fn read(State(service): State<Service>, place: Place, parameters: Parameters) -> Answer {
    let (map, key) = locate(&service, place, parameters)?;
    let record = service.get(&map, &key).await?;
    Ok(Json(json!({
        "key": key.payload(),
        "version": record.row_version(),
        "row": json::row(&map, &record)?,
        "lineage": json::lineage(&map, &record),
    })))
}

pub(super) async fn put(
    State(service): State<Service>,
    place: Place,
    parameters: Parameters,
    body: std::result::Result<Bytes, BytesRejection>,
) -> Answer {
    let (map, key) = locate(&service, place, parameters)?;
    let body = body.map_err(|rejection| too_long(&service, &rejection))?;
    let value = json::value(&map, &body)?;
    let put = v1::PutOp { value, ..Default::default() };
    let outcome = service.put(&map, &key, put, 0).await?;
    let scores = match &outcome.record {
        Some(record) => json::scores(&map, record)?,
        None => Value::Array(Vec::new()),
    };
    Ok(Json(json!({
        "key": key.payload(),
        "version": outcome.version,
        "old": json::optional_row(&map, outcome.old.as_ref())?,
        "scores": scores,
    })))
}

pub(super) async fn remove(State(service): State<Service>, place: Place, parameters: Parameters) -> Answer {
    let (map, key) = locate(&service, place, parameters)?;
    let outcome = service.remove(&map, &key, None, 0).await?;
    let old = json::optional_row(&map, outcome.old.as_ref())?;
    Ok(Json(json!({ "key": key.payload(), "old": old })))
}

fn locate(service: &Service, place: Place, parameters: Parameters) -> Result<(std::sync::Arc<MapView>, Key)> {
    let Path((map, key)) = place.map_err(|rejection| Error::invalid(rejection.body_text()))?;
    let Query(Affinity { affinity }) = parameters.map_err(|rejection| {
        Error::invalid(rejection.body_text()).hint("the only parameter is `affinity`")
    })?;
    let map = service.map(&map)?;
    let key = Key::parse(&key, map.map.key_kind, affinity.as_deref())?;
    Ok((map, key))
}

fn too_long(service: &Service, rejection: &BytesRejection) -> Error {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Error::invalid(format!("the body has more than the {} bytes allowed", service.limits.frame_bytes))
        }
        _ => Error::invalid(rejection.body_text()),
    }
}
