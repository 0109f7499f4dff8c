//! Faults that can be switched on, one at a time: whoever claims to see broken promises is tried with them.
//!
//! A mutant is one condition at the place of the rule that it breaks. Without the feature `mutants` the question whether it
//! is on is answered when the crate is compiled, and nothing is left of it in what is built; a node that is built with the
//! feature does not start. With it, `cargo test --release --features mutants --test sim -- --mutants` runs the simulator
//! until each of them is caught.

#[cfg(feature = "mutants")]
mod switch;

#[cfg(feature = "mutants")]
pub use switch::switch;

/// Lists the mutants, and keeps what is said of each.
macro_rules! mutants {
    ($($(#[doc = $says:literal])+ $name:ident,)+) => {
        /// A fault. Each says which rule of the protocol it breaks, and how.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mutant {
            $($(#[doc = $says])+ $name,)+
        }

        impl Mutant {
            /// All of them.
            #[cfg(feature = "mutants")]
            pub const ALL: &[Mutant] = &[$(Mutant::$name,)+];

            /// The rule, and how it is broken.
            #[cfg(feature = "mutants")]
            pub fn rule(self) -> &'static str {
                match self {
                    $(Mutant::$name => concat!($($says),+).trim_ascii(),)+
                }
            }
        }
    };
}

mutants! {
    // Configurations.
    /// Rule 1: a proposal takes effect in whatever epoch the partition is by then.
    ChangesAnyEpoch,
    /// Rule 1: frames of an epoch that is over are taken, from whoever was the primary then.
    AcceptsStaleEpochs,
    /// Rule 2: while the admission of a replica is proposed, commits do not need it.
    CommitsWithoutJoiner,
    /// Rule 2: while the admission of a replica is proposed, leases do not need it.
    ServesWithoutJoiner,
    /// Rule 2: a backup counts no longer from when its removal is proposed.
    RemovesAtProposal,
    /// Rules 2 and 18: that the outcome of a proposal does not come is taken for a refusal.
    TakesSilenceForRefusal,
    /// Rule 2: a learner is admitted that lacks what is committed.
    AdmitsBehind,
    /// Rule 4: what was removed stays eligible though commits resume.
    KeepsEligible,
    /// Rule 4: what is removed becomes eligible though enough are left to commit.
    MakesAllEligible,
    /// Rules 6 and 22: a node that has restarted stays in sync, beside others.
    CountsRestarted,
    /// Rule 6: a partition whose last holder has restarted is not lost, but empty.
    LostIsEmpty,
    /// Rule 6: a partition whose last holder is silent is lost.
    SilentIsLost,

    // Promotion.
    /// Rule 5: who is promoted does not wait for the lease to end that it granted.
    ServesBeforeLeaseEnds,
    /// Rule 5: who is promoted commits its tail before the lease has ended that it granted.
    CommitsBeforeLeaseEnds,
    /// Rule 5: who is promoted drops its tail.
    DropsTail,
    /// Rule 5: who is promoted takes its tail for committed.
    TrustsTail,
    /// Rule 5: who is promoted serves before its tail is committed.
    ServesBeforeTail,
    /// Rule 5: a backup keeps its own entry where the new primary has another.
    KeepsOwnEntries,
    /// Rule 5: a backup goes on from what it had of the primary before as if this one had it too.
    RemembersMatch,
    /// Rules 5 and 18: a primary was handed its role once, and so none after it waits for leases.
    StaysHandedOver,
    /// Rule 21: a node that drains takes over though one that stays could.
    PromotesDraining,

    // Writing.
    /// Rule 7: decisions are made over the committed rows alone.
    DecidesOverCommitted,
    /// Rule 7: a refusal does not wait for the commit of what it read.
    RefusesAtOnce,
    /// Rule 7: a write that waits for its score does not hold its key.
    ScoresWithoutSlot,
    /// Rule 7: a row expires under a write that waits for its score.
    ExpiresBusyRows,
    /// Rule 8: a commit needs nobody's acknowledgement.
    CommitsAlone,
    /// Rule 8: a commit needs the acknowledgement of the quickest backup only.
    CommitsAtFirst,
    /// Rule 8: a commit does not need `min_in_sync` replicas.
    IgnoresMinInSync,
    /// Rule 8: a backup applies what it holds, committed or not.
    AppliesPrepared,
    /// Rule 9: a primary serves below its log's version of the catalogue.
    ServesUninformed,
    /// Rule 9: a primary that is behind cuts over to what it knows.
    CutsBack,
    /// Rule 9: the catalogue changes without an entry.
    CutsOverSilently,
    /// Rule 9: writes keep the scores that they waited for when another model takes over.
    KeepsScoresAtCutover,
    /// Rule 10: a score changes the row's version.
    ScoreChangesVersion,
    /// Rule 10: a score is stored though the row is another by then.
    ScoresAnotherRow,

    // Retries.
    /// Rule 11: retries are not known while the first is under way.
    ForgetsUnderWay,
    /// Rule 11: answers go below the watermark, and are not known to have been there.
    ForgetsWatermark,
    /// Rule 11: one answer more than the session has acknowledged is dropped.
    DropsAnswersEarly,
    /// Rule 11: a retry gets another number.
    Renumbers,
    /// Rule 11: the session counts what is refused for the moment as settled.
    SettlesRefused,
    /// Rule 11: what was sent in a session that is lost is sent again in the next.
    ResendsInNextSession,
    /// Rule 11: a block of session ids is granted twice.
    GrantsSessionsTwice,

    // Reading.
    /// Rule 13: that there is a lease is seen before the read and not after it.
    ChecksLeaseBefore,
    /// Rule 13: a new primary is read before it has a lease.
    ReadsBeforeLease,
    /// Rule 13: the lease of one backup is enough.
    ServesByOneLease,
    /// Rule 14: a replica serves alone without a lease of the control leader's.
    ServesUngranted,
    /// Rule 14: a new control leader moves a sole replica at once.
    LeadsWithoutWaiting,
    /// Rule 14: a control leader grants without a quorum.
    GrantsUnconfirmed,
    /// Rule 14: a sole replica is moved before its grant is over.
    MovesBeforeGrantEnds,
    /// Rule 14: a sole replica is granted a lease while it is being moved.
    GrantsWhileMoving,
    /// Rule 15: a lease counts from when the answer came.
    LeasesFromAnswer,
    /// Rule 15: a grant lasts no longer than the lease.
    GrantsTooShort,

    // Moving.
    /// Rule 17: the copy overwrites what entries have written since, and nobody compares.
    CopyOverwrites,
    /// Rule 17: the copy brings back what entries have removed since, and nobody compares.
    CopyRevives,
    /// Rule 17: a learner counts as filled when the copy has begun, and nobody compares.
    AdmitsUnfilled,
    /// Rule 17: answers kept for retries are not copied.
    CopyLacksAnswers,
    /// Rule 17: what sessions have settled is not copied.
    CopyLacksWatermarks,
    /// Rule 17: that sessions are over is not copied.
    CopyLacksEnded,
    /// Rule 18: the role is handed over before the tail is committed.
    HandsOverEarly,
    /// Rule 18: the role is handed over, and the lease kept.
    KeepsLease,
    /// Rule 18: what waited for a hand-over is refused.
    RefusesAtHandOver,
    /// Rule 18: what is forwarded loses its id.
    ForwardsWithoutId,
    /// Rule 18: an answer to a question that does not stand any more is taken.
    TakesStaleScores,
    /// Rule 20: a move takes the last copy that should be there.
    DropsBeforeCopy,
    /// Failure detection: who has slept takes its own silence for that of others.
    BlamesOthers,

    // Scores and time.
    /// Rule 23: a row without its score is not marked.
    StoresUnmarked,
    /// Rule 23: a new primary does not look for marks.
    ForgetsDebts,
    /// Rule 24: a row expires though it was given another life.
    ExpiresAnyway,
    /// Rule 24: the primary's clock hides rows, without an entry.
    HidesByClock,
    /// Rule 24: partition time follows the clock back.
    TimeGoesBack,
    /// Rule 24: a new primary does not look for what is to expire.
    ForgetsExpiry,

    // Change streams.
    /// Rule 26: a token is good at any place of the log, whatever is gone before it.
    SkipsWhatIsGone,
    /// Rule 26: a subscription that resumes is told again what it knows.
    ResumesTooEarly,
    /// Rule 26: a message covers entries for which it had no room.
    SkipsWhatDoesNotFit,
    /// Rule 26: an overrun is not said.
    HidesOverrun,
    /// Rule 26: changes are lost that come in while a snapshot is scanned.
    SnapshotLosesChanges,
    /// Rule 26: that a row leaves the predicate is not told.
    HidesLeaving,
}

impl Mutant {
    /// Whether the fault is there.
    #[cfg(not(feature = "mutants"))]
    #[inline(always)]
    pub const fn is_on(self) -> bool {
        false
    }

    /// Whether copies that are spoilt are not to be found out by their checksum: it would hide every fault of a copy.
    pub fn spoils_copies() -> bool {
        [Mutant::CopyOverwrites, Mutant::CopyRevives, Mutant::AdmitsUnfilled].into_iter().any(Mutant::is_on)
    }
}
