//! The catalogue as clients see it.

use crate::{
    catalog::{Binding, Catalogue, Configuration, Map, MapKind, Mode, Model, ModelVersion, NullPolicy},
    types::{NodeId, Result},
    wire::v1,
};

pub(super) fn map(catalogue: &Catalogue, map: &Map) -> v1::MapDescription {
    let schemas = match &map.kind {
        MapKind::Plain => Vec::new(),
        MapKind::Feature { schemas } => schemas.iter().map(|schema| schema.as_ref().into()).collect(),
    };
    v1::MapDescription {
        id: map.id.0,
        name: map.name.clone(),
        key_name: map.key_name.clone().unwrap_or_default(),
        key_kind: map.key_kind.map_or(v1::Kind::Unspecified, v1::Kind::from).into(),
        schemas,
        bindings: catalogue.bindings_of(map.id).map(|bound| binding(bound)).collect(),
    }
}

pub(super) fn binding(binding: &Binding) -> v1::BindingDescription {
    let mode = match binding.file.mode {
        Mode::Sync => "sync",
        Mode::Async => "async",
    };
    v1::BindingDescription {
        id: binding.id.0,
        name: binding.file.name.clone(),
        map: binding.file.map.clone(),
        model: binding.file.model.to_string(),
        model_name: binding.file.model.name.clone(),
        model_version: binding.model_version,
        mode: mode.to_string(),
        columns: binding.file.outputs.keys().cloned().collect(),
    }
}

pub(super) fn model(name: &str, model: &Model) -> v1::ModelDescription {
    v1::ModelDescription {
        name: name.to_string(),
        versions: model.versions().values().map(|version| self::version(version)).collect(),
        aliases: model.aliases().iter().map(|(alias, version)| (alias.clone(), *version)).collect(),
    }
}

fn version(version: &ModelVersion) -> v1::VersionDescription {
    let input = |input: &crate::catalog::InputSignature| v1::InputDescription {
        name: input.name.clone(),
        r#type: input.kind.to_string(),
        features: input.features.clone(),
        null: match input.null {
            NullPolicy::Reject => "reject".to_string(),
            NullPolicy::Nan => "nan".to_string(),
        },
    };
    let output = |output: &crate::catalog::OutputSignature| v1::OutputDescription {
        name: output.name.clone(),
        r#type: output.kind.to_string(),
        elements: output.elements.clone(),
    };
    v1::VersionDescription {
        version: version.version,
        digest: version.digest.to_string(),
        kind: version.kind.to_string(),
        bytes: version.bytes,
        inputs: version.inputs.iter().map(input).collect(),
        outputs: version.outputs.iter().map(output).collect(),
    }
}

/// The cluster's state, by its configurations.
pub(super) fn status(catalogue: &Catalogue, leader: Option<NodeId>, partitions: bool) -> v1::StatusReply {
    let configurations = catalogue.configurations();
    let name = |node: NodeId| catalogue.member(node).map_or(String::new(), |member| member.node.name.clone());
    let nodes = catalogue
        .members()
        .map(|member| {
            let id = member.node.id;
            let is_primary = |held: &&Configuration| held.primary_node() == Some(id);
            let is_backup = |held: &&Configuration| {
                held.primary_node() != Some(id) && held.in_sync.iter().any(|replica| replica.node == id)
            };
            v1::NodeStatus {
                id: format!("{:016x}", id.0),
                name: member.node.name.clone(),
                incarnation: member.incarnation.0,
                state: "up".to_string(),
                addr: member.node.address.clone(),
                primaries: configurations.iter().filter(is_primary).count() as u32,
                backups: configurations.iter().filter(is_backup).count() as u32,
            }
        })
        .collect();
    let one = |(partition, held): (usize, &Configuration)| {
        let primary = held.primary_node();
        let backups = held.in_sync.iter().filter(|replica| Some(replica.node) != primary);
        v1::PartitionStatus {
            partition: partition as u32,
            state: "healthy".to_string(),
            primary: primary.map(name).unwrap_or_default(),
            backups: backups.map(|replica| name(replica.node)).collect(),
            epoch: held.epoch.0,
        }
    };
    let total = configurations.len() as u32;
    v1::StatusReply {
        cluster: format!("{:016x}", catalogue.cluster),
        leader: leader.map(name).unwrap_or_default(),
        nodes,
        totals: Some(v1::PartitionTotals { total, healthy: total, ..Default::default() }),
        partitions: match partitions {
            true => configurations.iter().enumerate().map(one).collect(),
            false => Vec::new(),
        },
    }
}

/// A map by its name.
pub(super) fn named_map(catalogue: &Catalogue, name: &str) -> Result<v1::MapDescription> {
    Ok(map(catalogue, catalogue.map(name)?))
}
