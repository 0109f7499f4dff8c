//! Jobs: long computations over a map, as the cluster remembers them.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use crate::types::{BindingId, JobId, MapId, PartitionId, Timestamp};

/// Scores the rows of a map that are stored already, partition by partition, at their primaries.
///
/// Only whole partitions count as finished. A partition that was left halfway is looked through again; the rows that
/// carry the job's name are passed over then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Never reused.
    pub id: JobId,
    /// The map whose rows it scores.
    pub map: MapId,
    /// The map's name.
    pub map_name: String,
    /// The binding it scores them under, with the model version in force when it comes by a row.
    pub binding: BindingId,
    /// The binding's name.
    pub binding_name: String,
    /// Which rows: a SQL condition; none: all.
    pub condition: Option<String>,
    /// How it stands.
    pub state: JobState,
    /// Why it failed.
    pub reason: Option<String>,
    /// The rows that the map had when the job began: what there is to do, roughly.
    pub rows: u64,
    /// What became of the rows of the finished partitions.
    pub tally: JobTally,
    /// Why the first row known to be refused was.
    pub refusal: Option<String>,
    /// The partitions that are finished; forgotten when the job has ended.
    pub(super) finished: BTreeSet<PartitionId>,
    /// How long it has run, but for the present stretch.
    pub(super) ran_ms: u64,
    /// When it was started or resumed last; none while it does not run.
    pub(super) since: Option<Timestamp>,
}

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Nodes work at it.
    Running,
    /// It rests until it is resumed.
    Paused,
    /// Every partition is finished.
    Done,
    /// It was given up; what it scored stays.
    Cancelled,
    /// What it was to compute exists no longer; what it scored stays.
    Failed,
}

/// What became of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobTally {
    /// They carry a score of the binding: the job's, or that of a later write.
    pub done: u64,
    /// They have no score: the row cannot be scored as it is.
    pub refused: u64,
    /// They do not meet the job's condition, or were removed meanwhile.
    pub passed: u64,
}

/// A partition in which nothing is left to do for a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobPart {
    /// The partition.
    pub partition: PartitionId,
    /// What became of its rows.
    pub tally: JobTally,
    /// Why a row was refused, if one was.
    pub refusal: Option<String>,
}

impl JobPart {
    /// The longest explanation of a refusal, in characters; what is longer is cut.
    pub const MAX_REFUSAL_CHARS: usize = 512;
}

impl Job {
    /// Whether a partition is left to be worked at.
    pub fn is_open(&self, partition: PartitionId) -> bool {
        self.state == JobState::Running && !self.finished.contains(&partition)
    }

    /// Whether nothing is left to do in a partition, as far as the job remembers.
    pub fn is_finished(&self, partition: PartitionId) -> bool {
        self.finished.contains(&partition)
    }

    /// How many rows it is about, roughly until it is done.
    pub fn total(&self) -> u64 {
        let seen = self.tally.done + self.tally.refused;
        if self.state == JobState::Done {
            return seen;
        }
        self.rows.saturating_sub(self.tally.passed).max(seen)
    }

    /// How long it has run by `now`, pauses left out, in milliseconds.
    pub fn ran_ms(&self, now: Timestamp) -> u64 {
        let present = self.since.map_or(0, |since| now.0.saturating_sub(since.0));
        // The times of day of two nodes may differ.
        self.ran_ms + u64::try_from(present).unwrap_or(0)
    }
}

impl JobState {
    /// Whether it can still change.
    pub fn is_over(self) -> bool {
        matches!(self, JobState::Done | JobState::Cancelled | JobState::Failed)
    }

    /// The name that users see.
    pub fn name(self) -> &'static str {
        match self {
            JobState::Running => "running",
            JobState::Paused => "paused",
            JobState::Done => "done",
            JobState::Cancelled => "cancelled",
            JobState::Failed => "failed",
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::ops::AddAssign for JobTally {
    fn add_assign(&mut self, other: JobTally) {
        self.done = self.done.saturating_add(other.done);
        self.refused = self.refused.saturating_add(other.refused);
        self.passed = self.passed.saturating_add(other.passed);
    }
}
