//! A model trained with burn is deployed and bound like any other.

use std::{fs, path::Path};

use bytes::Bytes;
use embergrid::{
    client::{Client, Deployment, Map},
    model::{Format, Model, Options, Tensor},
    types::Class,
};
use serde_json::{Value, json};

use crate::node;

const PIXELS: usize = 64;
const ROWS: usize = 400;

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

fn bytes(file: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/digits-burn/1");
    fs::read(folder.join(file)).expect(file)
}

fn model() -> Deployment {
    let names = ["model.safetensors", "test_data_set_0/input_0.pb", "test_data_set_0/output_0.pb"];
    Deployment {
        name: "digits-burn".into(),
        alias: Some("champion".into()),
        manifest: Some(text("models/digits-burn/1/manifest.toml")),
        model_file: "model.safetensors".into(),
        files: names.map(|name| (name.to_owned(), Bytes::from(bytes(name)))).into(),
        ..Default::default()
    }
}

/// Images, each with the digit that it shows.
fn images() -> Vec<(Vec<f32>, i64)> {
    let table = text("models/digits/data.csv");
    let image = |line: &str| {
        let cells: Vec<f32> = line.split(',').map(|cell| cell.parse().expect("a number")).collect();
        (cells[1..=PIXELS].to_vec(), cells[PIXELS + 1] as i64)
    };
    table.lines().skip(1).take(ROWS).map(image).collect()
}

fn row(pixels: &[f32]) -> Value {
    let columns = pixels.iter().enumerate().map(|(number, pixel)| (format!("pixel_{number}"), json!(pixel)));
    Value::Object(columns.collect())
}

async fn digits(client: &Client) -> Map {
    client.create_map("digits", Some(&text("cluster/digits.schema.toml"))).await.unwrap();
    let deployed = client.deploy(model()).await.unwrap();
    assert_eq!((deployed.version, deployed.alias.as_deref(), deployed.nodes), (1, Some("champion"), 1));
    // A machine that does everything at once cannot miss this deadline.
    let binding = text("cluster/digits-burn.binding.toml").replace("deadline_ms = 50", "deadline_ms = 60000");
    client.apply_binding(&binding).await.unwrap();
    client.map("digits").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_image_is_acknowledged_with_what_the_module_gives() {
    let node = node::start().await;
    let map = digits(&node.client().await).await;
    let images = images();
    let rows: Vec<(i64, Value)> = (0..).zip(images.iter().map(|(pixels, _)| row(pixels))).collect();
    let puts = map.put_all(rows.iter().map(|(key, row)| (*key, row))).await.unwrap();

    let module =
        Model::load(&bytes("model.safetensors"), Format::Burn, &Options::default()).expect("it loads");
    let mut right = 0;
    for ((pixels, digit), put) in images.into_iter().zip(puts) {
        let put = put.unwrap();
        assert_eq!((put.scores[0].binding.model.as_str(), put.scores[0].model_version), ("digits-burn", 1));
        let score = |digit| put.score(&format!("is_{digit}")).and_then(|score| score.as_f32()).unwrap();
        let scores: Vec<f32> = (0..10).map(score).collect();
        let expected = module.run(&[Tensor::f32([1, PIXELS], pixels).view()]).expect("it runs").remove(0);
        let embergrid::model::Data::F32(expected) = expected.data else { panic!("floats") };
        for (given, expected) in scores.iter().zip(expected) {
            assert!((given - expected).abs() < 1e-5, "{given} instead of {expected}");
        }
        let likeliest = (0..10).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
        right += usize::from(likeliest as i64 == digit);
    }
    assert!(right * 100 > ROWS * 95, "{right} of {ROWS} digits");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_does_not_fit_its_description_changes_nothing() {
    let node = node::start().await;
    let client = node.client().await;
    let refused = async |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let mut deployment = model();
        let file = deployment.files[0].1.to_vec();
        let at = file.windows(from.len()).position(|window| window == from.as_bytes()).expect(from);
        let changed = [&file[..at], to.as_bytes(), &file[at + from.len()..]].concat();
        deployment.files[0].1 = changed.into();
        let error = client.deploy(deployment).await.unwrap_err();
        assert_eq!(error.class, Class::Invalid, "{error}");
        error.to_string()
    };
    // In the file, the description's quotes are those of a JSON string.
    let text = refused("kind = \\\"relu\\\"", "kind = \\\"lstm\\\"").await;
    assert!(text.contains("model.safetensors: unsupported operators: burn:lstm"), "{text}");
    let text = refused("name = \\\"hidden2\\\"", "name = \\\"hidden3\\\"").await;
    assert!(text.contains("no tensor `hidden3.weight`: did you mean `hidden2.weight`?"), "{text}");
    let text = refused("width = 64", "width = 63").await;
    assert!(text.contains("`hidden1.weight` has the shape [64, 64], not [63, ..]"), "{text}");
    // What only the golden sample can tell.
    let text = refused("factor = 0.0625", "factor = 0.0626").await;
    assert!(text.contains("the golden samples disagree"), "{text}");
    assert!(client.models().await.unwrap().is_empty());
    assert_eq!(client.deploy(model()).await.unwrap().version, 1);
    node.stop().await;
}
