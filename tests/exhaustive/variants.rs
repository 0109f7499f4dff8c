//! Wrong rules, one at a time: each must give a counterexample, or the check would prove nothing.

use crate::scope::{ELIGIBLE, MOVE, PAIR, Scope, TRIO};

/// A rule that is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// A promoted replica serves while the lease lasts that it granted (rule 5).
    TakesOverAtOnce,
    /// A promoted replica waits before it serves, but commits what it brought along at once (rule 5).
    CommitsTailAtOnce,
    /// A promoted replica serves before what it brought along is committed (rule 5).
    ServesBeforeTail,
    /// While its admission is proposed, a replica need not acknowledge (rule 2).
    AdmitsWithoutAcks,
    /// While its admission is proposed, a replica need not grant leases (rule 2).
    AdmitsWithoutLease,
    /// A replica is proposed that has granted no lease in this tenure (rule 2).
    AdmitsUnheard,
    /// The first refused copy of a proposal ends it, though another may take effect yet (rule 2).
    TrustsOneRefusal,
    /// One backup's acknowledgement is enough to commit (rule 8).
    CommitsWithoutAll,
    /// Frames of lower epochs are accepted (rule 1).
    AcceptsStaleEpochs,
    /// Who has proposed to hand over goes on to serve (rule 18).
    HandsOverWithLease,
    /// A node that restarted stays in sync (rule 22).
    CountsRestarted,
    /// A removed replica stays eligible though commits resume (rule 4).
    KeepsEligible,
    /// A sole replica needs nobody's lease (rule 14).
    ServesAloneWithoutLease,
    /// A read's check is passed by the lease of a later tenure (rule 13).
    ChecksAnotherTenure,
    /// A read is begun before the tenure has had its leases (rule 13).
    ReadsBeforeLease,
}

/// A variant's name, and where its counterexample is looked for: no more of the world than it takes.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) variant: Variant,
    pub(crate) scope: Scope,
}

impl Case {
    const fn new(name: &'static str, variant: Variant, scope: Scope) -> Self {
        Case { name, variant, scope }
    }
}

const SHORT_PAIR: Scope = Scope { writes: 1, faults: 1, ..PAIR };
const SHORT_MOVE: Scope = Scope { faults: 1, additions: 0, ..MOVE };
const SHORT_TRIO: Scope = Scope { faults: 1, additions: 0, ..TRIO };

/// Every variant.
pub(crate) const ALL: [Case; 15] = [
    Case::new("takes_over_at_once", Variant::TakesOverAtOnce, SHORT_PAIR),
    Case::new("commits_tail_at_once", Variant::CommitsTailAtOnce, SHORT_PAIR),
    Case::new("serves_before_tail", Variant::ServesBeforeTail, SHORT_PAIR),
    Case::new("admits_without_acks", Variant::AdmitsWithoutAcks, SHORT_PAIR),
    Case::new("admits_without_lease", Variant::AdmitsWithoutLease, Scope { writes: 1, ..PAIR }),
    Case::new("admits_unheard", Variant::AdmitsUnheard, Scope { writes: 0, ..PAIR }),
    Case::new("trusts_one_refusal", Variant::TrustsOneRefusal, Scope { writes: 1, ..PAIR }),
    Case::new("commits_without_all", Variant::CommitsWithoutAll, SHORT_TRIO),
    Case::new("accepts_stale_epochs", Variant::AcceptsStaleEpochs, SHORT_TRIO),
    Case::new("hands_over_with_lease", Variant::HandsOverWithLease, SHORT_MOVE),
    Case::new("counts_restarted", Variant::CountsRestarted, SHORT_PAIR),
    Case::new("keeps_eligible", Variant::KeepsEligible, Scope { writes: 1, faults: 1, ..ELIGIBLE }),
    Case::new(
        "serves_alone_without_lease",
        Variant::ServesAloneWithoutLease,
        Scope { writes: 0, ..ELIGIBLE },
    ),
    Case::new("checks_another_tenure", Variant::ChecksAnotherTenure, Scope { writes: 1, ..PAIR }),
    Case::new("reads_before_lease", Variant::ReadsBeforeLease, SHORT_PAIR),
];
