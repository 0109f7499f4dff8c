//! What a partition knows of the catalogue.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    binding::{Compiled, compile},
    catalog::{Catalogue, Map},
    types::{CatalogueVersion, MapId, Result},
};

/// The maps and the bindings of one catalogue version, compiled once for all partitions of a node.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The catalogue's version.
    pub version: CatalogueVersion,
    /// The maps.
    pub maps: BTreeMap<MapId, Arc<MapView>>,
}

/// What an entry tells of a catalogue: as much as is needed to apply the entries after it. The rest, every node has
/// from the control group, and needs it only where decisions are made or rows are read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cutover {
    /// The catalogue's version.
    pub version: CatalogueVersion,
    /// The maps that there are.
    pub maps: BTreeSet<MapId>,
}

/// One map and its bindings.
#[derive(Debug)]
pub struct MapView {
    /// The map.
    pub map: Arc<Map>,
    /// What scores its rows, ordered by id.
    pub bindings: Vec<Arc<Compiled>>,
}

impl View {
    /// The view of a catalogue. A binding that does not compile is refused before it is proposed, so an error here
    /// is a fault of ours.
    pub fn compile(catalogue: &Catalogue) -> Result<View> {
        let maps = catalogue.maps().map(|map| Ok((map.id, Arc::new(MapView::compile(catalogue, map)?))));
        Ok(View { version: catalogue.version, maps: maps.collect::<Result<_>>()? })
    }

    /// What an entry tells of it.
    pub fn cutover(&self) -> Cutover {
        Cutover { version: self.version, maps: self.maps.keys().copied().collect() }
    }
}

impl MapView {
    fn compile(catalogue: &Catalogue, map: &Arc<Map>) -> Result<MapView> {
        let bindings = catalogue.bindings_of(map.id).map(|binding| {
            let model = catalogue.model_version(&binding.file.model.name, binding.model_version)?;
            compile(binding, map, model).map(Arc::new)
        });
        let mut bindings = bindings.collect::<Result<Vec<_>>>()?;
        bindings.sort_by_key(|binding| binding.id);
        Ok(MapView { map: map.clone(), bindings })
    }

    /// Whether rows are scored by the same bindings and models under both.
    pub fn scores_like(&self, other: &MapView) -> bool {
        let alike = |(a, b): (&Arc<Compiled>, &Arc<Compiled>)| {
            a.id == b.id && a.model.version == b.model.version && a.schema == b.schema
        };
        self.bindings.len() == other.bindings.len() && self.bindings.iter().zip(&other.bindings).all(alike)
    }
}
