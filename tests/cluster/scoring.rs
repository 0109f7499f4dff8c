//! The tour: real rows go in, each is acknowledged with its score.

use std::{collections::BTreeMap, fs, path::Path};

use bytes::Bytes;
use embergrid::{
    client::{Client, Deployment, EventKind, Map, Subscribe},
    types::{Class, Key},
};
use serde_json::{Value, json};

use crate::node;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect(path)
}

/// The breast-cancer model as it lies in the repository.
pub(crate) fn model() -> Deployment {
    let folder = root().join("models/breast-cancer/1");
    let names = [
        "model.onnx",
        "test_data_set_0/input_0.pb",
        "test_data_set_0/output_0.pb",
        "test_data_set_0/output_1.pb",
    ];
    let files = names.map(|name| (name.to_string(), Bytes::from(fs::read(folder.join(name)).expect(name))));
    Deployment {
        name: "breast-cancer".into(),
        alias: Some("champion".into()),
        manifest: Some(text("models/breast-cancer/1/manifest.toml")),
        model_file: "model.onnx".into(),
        files: files.into(),
        ..Default::default()
    }
}

/// The 569 patients.
pub(crate) fn patients() -> Vec<(i64, Value)> {
    let table = text("models/breast-cancer/data.csv");
    let mut lines = table.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let column = |(name, cell): (&&str, &&str)| {
                let value = cell.parse::<f64>().map_or(json!(cell), |number| json!(number));
                (name.to_string(), value)
            };
            let row = names.iter().zip(&cells).skip(1).map(column).collect();
            (cells[0].parse().unwrap(), Value::Object(row))
        })
        .collect()
}

async fn screening(client: &Client) -> Map {
    client.create_map("screening", Some(&text("cluster/screening.schema.toml"))).await.unwrap();
    let deployed = client.deploy(model()).await.unwrap();
    assert_eq!((deployed.version, deployed.alias.as_deref(), deployed.nodes), (1, Some("champion"), 1));
    let (binding, unscored) = client
        .apply_binding(
            &text("cluster/screening.binding.toml").replace("deadline_ms = 50", "deadline_ms = 60000"),
        )
        .await
        .unwrap();
    assert_eq!((binding.name.as_str(), unscored), ("screening-malignant", 0));
    client.map("screening").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_patient_is_acknowledged_with_a_score_and_the_high_ones_are_told() {
    let node = node::start().await;
    let client = node.client().await;
    let map = screening(&client).await;
    let what = Subscribe { predicate: Some("malignant > 0.9".into()), ..Default::default() };
    let mut events = map.subscribe(what).await.unwrap();
    assert_eq!(events.next().await.unwrap().kind, EventKind::SnapshotEnd);

    let patients = patients();
    assert_eq!(patients.len(), 569);
    let puts = map.put_all(patients.iter().map(|(id, row)| (*id, row))).await.unwrap();
    let mut high = BTreeMap::new();
    let mut right = 0;
    for ((id, row), put) in patients.iter().zip(puts) {
        let put = put.unwrap();
        assert_eq!((put.scores.len(), put.scores[0].binding.name.as_str()), (1, "screening-malignant"));
        assert_eq!((put.scores[0].binding.model.as_str(), put.scores[0].model_version), ("breast-cancer", 1));
        let score = put.score("malignant").and_then(|score| score.as_f32()).unwrap();
        right += usize::from((score > 0.5) == (row["diagnosis"] == "malignant"));
        let stored = map.get_raw(*id).await.unwrap().unwrap();
        let columns = stored.columns().unwrap();
        let column = columns.schema().column("malignant").unwrap();
        assert_eq!(columns.f32(column), Some(score));
        assert_eq!((stored.lineage.len(), stored.lineage[0].row_version), (1, put.version));
        if score > 0.9 {
            high.insert(Key::from(*id), score);
        }
    }
    assert!(right > 550, "{right} of 569 diagnoses");

    let mut told = BTreeMap::new();
    while told.len() < high.len() {
        let event = events.next().await.unwrap();
        if let Some(row) = event.row {
            assert_eq!(event.kind, EventKind::Added);
            let columns = row.columns().unwrap();
            let column = columns.schema().column("malignant").unwrap();
            told.insert(event.key.unwrap(), columns.f32(column).unwrap());
        }
    }
    assert_eq!(told, high);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_binding_forbids_is_refused_and_nothing_is_stored() {
    let node = node::start().await;
    let client = node.client().await;
    let map = screening(&client).await;
    let (id, mut row) = patients().swap_remove(0);
    row["mean_area"] = json!("NaN");
    let error = map.put(id, &row).await.unwrap_err();
    assert_eq!(error.class, Class::Invalid);
    assert!(error.message.contains("mean_area"), "{error}");
    assert_eq!(map.size().await.unwrap(), 0);

    let changed = |from: &str, to: &str| {
        text("cluster/screening.binding.toml")
            .replace("deadline_ms = 50", "deadline_ms = 60000")
            .replace(from, to)
    };
    let wrong_element = changed("probabilities.malignant", "probabilities.malignent");
    let error = client.apply_binding(&wrong_element).await.unwrap_err();
    assert_eq!(error.class, Class::Invalid);
    assert!(error.hint.as_deref().is_some_and(|hint| hint.contains("malignant")), "{error}");
    let wrong_alias = changed("breast-cancer@champion", "breast-cancer@champon");
    let error = client.apply_binding(&wrong_alias).await.unwrap_err();
    assert!(error.hint.as_deref().is_some_and(|hint| hint.contains("champion")), "{error}");
    assert_eq!(client.bindings().await.unwrap().len(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_model_changes_nothing() {
    let node = node::start().await;
    let client = node.client().await;
    let mut broken = model();
    broken.files[0].1 = broken.files[0].1.slice(..100);
    let error = client.deploy(broken).await.unwrap_err();
    assert_eq!(error.class, Class::Invalid, "{error}");
    assert!(client.models().await.unwrap().is_empty());
    assert_eq!(client.deploy(model()).await.unwrap().version, 1);
    assert_eq!(client.model("breast-cancer").await.unwrap().aliases.get("champion"), Some(&1));
    node.stop().await;
}
