//! "A score and the row it was computed from commit together or not at all": the score that a row carries is of this very
//! row, by the version of the model that its lineage names; or the row says that it lacks it.

use embergrid::store::Record;
use embergrid::types::MapId;

use super::{Timeline, Verdict, ensure};
use crate::grid;

pub(super) fn check(of: &Timeline, map: MapId, record: &Record) -> Verdict {
    let view = of.view.maps.get(&map).ok_or("a row of no map")?;
    let (amount, score) = grid::read(&of.view, map, record.value());
    let lineage: Vec<_> = record.lineage().collect();
    let Some(binding) = view.bindings.first().filter(|_| !record.unscored()) else {
        let lenient =
            view.bindings.is_empty() || [grid::LENIENT, grid::LATER].contains(&view.map.name.as_str());
        return ensure(lenient && score.is_none() && lineage.is_empty(), || "a score from nowhere".into());
    };
    let version = binding.model.version;
    let fits = matches!(lineage[..], [one] if one.binding == binding.id && one.model_version == version);
    ensure(fits, || format!("the score's lineage {lineage:?} is not version {version}"))?;
    ensure(score == Some(grid::risk(amount, version)), || format!("the score {score:?} of {amount} is wrong"))
}
