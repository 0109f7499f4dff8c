//! gRPC without the SDK.

use std::collections::HashMap;

use embergrid::wire::v1::{
    self, admin_client::AdminClient, grid_client::GridClient, key::Payload, row::Form, value::Kind,
};
use tonic::{Code, transport::Channel};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::node;

async fn channel(address: &str) -> Channel {
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

fn value(kind: Kind) -> v1::Value {
    v1::Value { kind: Some(kind) }
}

fn key(number: i64) -> Option<v1::Key> {
    Some(v1::Key { payload: Some(Payload::I64(number)), affinity: None })
}

#[tokio::test(flavor = "multi_thread")]
async fn unary_calls_take_and_give_columns_by_name() {
    let node = node::start().await;
    node.payments().await;
    let mut grid = GridClient::new(channel(&node.address).await);
    let values = HashMap::from([
        ("amount".to_string(), value(Kind::Float(12.5))),
        ("country".to_string(), value(Kind::Str("DE".into()))),
        ("attempts".to_string(), value(Kind::Int(3))),
    ]);
    let row = Some(v1::Row { form: Some(Form::Columns(v1::Columns { values: values.clone() })) });
    let put = v1::PutRequest { map: "payments".into(), key: key(7), row, ..Default::default() };
    let version = grid.put(put).await.unwrap().into_inner().version;

    let get = v1::GetRequest { map: "payments".into(), key: key(7) };
    let row = grid.get(get.clone()).await.unwrap().into_inner().row.unwrap();
    assert_eq!(row.version, version);
    let mut columns = row.columns.unwrap().values;
    assert_eq!(columns.remove("fraud"), Some(value(Kind::Null(true))));
    assert_eq!(columns, values);

    let execute = v1::ExecuteRequest {
        map: "payments".into(),
        key: key(7),
        update: "SET attempts = attempts + 1".into(),
        ..Default::default()
    };
    let row = grid.execute(execute).await.unwrap().into_inner().row.unwrap();
    assert_eq!(row.columns.unwrap().values["attempts"], value(Kind::Int(4)));

    let remove = v1::RemoveRequest { map: "payments".into(), key: key(7), ..Default::default() };
    assert!(grid.remove(remove).await.unwrap().into_inner().old.is_some());
    assert_eq!(grid.get(get).await.unwrap_err().code(), Code::NotFound);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_is_described() {
    let node = node::start().await;
    node.payments().await;
    let mut admin = AdminClient::new(channel(&node.address).await);
    let request = v1::DescribeMapRequest { name: "payments".into() };
    let map = admin.describe_map(request).await.unwrap().into_inner();
    assert_eq!((map.key_name.as_str(), map.key_kind()), ("id", v1::Kind::I64));
    let names: Vec<&str> = map.schemas[0].columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["amount", "country", "attempts", "fraud"]);

    let status = admin.status(v1::StatusRequest { partitions: true }).await.unwrap().into_inner();
    assert_eq!(status.totals.map(|totals| (totals.total, totals.healthy)), Some((13, 13)));
    assert_eq!((status.nodes.len(), status.partitions.len()), (1, 13));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_tells_the_services_and_their_messages() {
    let node = node::start().await;
    let ask = |request: MessageRequest| {
        let request = ServerReflectionRequest { message_request: Some(request), ..Default::default() };
        let channel = channel(&node.address);
        async move {
            let mut reflection = ServerReflectionClient::new(channel.await);
            let replies = reflection.server_reflection_info(tokio_stream::once(request)).await.unwrap();
            replies.into_inner().message().await.unwrap().unwrap().message_response.unwrap()
        }
    };
    let MessageResponse::ListServicesResponse(list) = ask(MessageRequest::ListServices(String::new())).await
    else {
        panic!("a list of services");
    };
    let names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    assert!(
        names.contains(&"embergrid.v1.Grid".to_string()) && names.contains(&"embergrid.v1.Admin".to_string())
    );
    let symbol = MessageRequest::FileContainingSymbol("embergrid.v1.PutRequest".into());
    assert!(matches!(ask(symbol).await, MessageResponse::FileDescriptorResponse(_)));
    node.stop().await;
}
