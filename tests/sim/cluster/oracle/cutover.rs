//! "A model's cut-over happens once per partition and never goes back, across failover."

use embergrid::partition::Cutover;
use embergrid::store::Record;

use super::{Timeline, Verdict, ensure};

/// The partition cuts over to another version of the catalogue.
pub(super) fn check(of: &Timeline, next: &Cutover) -> Verdict {
    ensure(next.version > of.view.version, || {
        format!("it cuts over to catalogue {} at {}", next.version, of.view.version)
    })
}

/// A row is scored. Versions of the model only ever rise in a run.
pub(super) fn note(of: &mut Timeline, record: &Record) -> Verdict {
    for lineage in record.lineage() {
        let (before, version) = (of.model, lineage.model_version);
        ensure(version >= before, || format!("version {version} of the model scores again after {before}"))?;
        of.model = version;
    }
    Ok(())
}
