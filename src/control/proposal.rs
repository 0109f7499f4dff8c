//! Commands on their way to the leader, and what is known of those that fail.

use std::{pin::pin, sync::Arc, time::Duration};

use openraft::{
    error::{CheckIsLeaderError, RaftError},
    metrics::WaitError,
};
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use super::{
    group::{Group, failed},
    json::Json,
    leadership::supplanted,
};
use crate::{
    catalog::{Catalogue, Command, Response},
    net::{Call, Net},
    types::{Error, NodeId, Result},
};

/// How long a proposal waits for a leader that takes it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a leader may take to have a command decided: one that a quorum does not answer would wait for ever.
const DECIDING: Duration = Duration::from_secs(5);
/// How long after its decision a command may take to be applied here.
const APPLYING: Duration = Duration::from_secs(10);
/// How often a leader asks for its confirmation before it takes it that there is none: answers that take longer than
/// a heartbeat count for nothing, as they do on a machine that is busy.
const CONFIRMATIONS: u32 = 3;
/// Between two attempts, if nothing is heard of a new leader.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest command, in bytes: an entry of the log travels in one message.
const MOST_BYTES: usize = 8 << 20;

/// Why a command has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// It is certain that it has changed nothing and will not: it was refused, or no leader took it.
    NotTaken(Error),
    /// Nobody knows: it may have been applied, or be applied later.
    Unknown(Error),
}

impl From<Unanswered> for Error {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::NotTaken(error) | Unanswered::Unknown(error) => error,
        }
    }
}

/// What became of a command at the leader.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Outcome {
    /// It was applied by the entry at `index`.
    Applied { index: u64, response: Result<Response> },
    /// It was refused before it was proposed.
    Refused(Error),
    /// The node that was asked does not lead; another one may.
    Elsewhere(Option<NodeId>, Error),
    /// Nobody knows.
    Unknown(Error),
}

/// Asks the leader to propose a command.
#[derive(Serialize, Deserialize)]
struct Propose(Json<Command>);

impl Call for Propose {
    const NAME: &'static str = "control.propose";
    type Answer = Outcome;
}

/// Answers proposals of other nodes from now on.
pub(super) fn answer(group: &Arc<Group>, net: &Net) {
    group.answer(net, async |group, from, Propose(Json(command))| {
        group.belongs(from)?;
        Ok(group.decide(command).await)
    });
}

impl Group {
    /// Proposes a command, wherever the leader is; on return it is applied on this node.
    ///
    /// It is proposed again for as long as it is certain that no leader has taken it.
    pub(super) async fn propose(&self, command: Command) -> Result<Response> {
        let mut patience = pin!(sleep(PATIENCE));
        let mut hint = None;
        loop {
            let mut leadership = self.leadership.clone();
            leadership.mark_unchanged();
            let why = match self.attempt(command.clone(), hint.take()).await {
                Outcome::Applied { index, response } => {
                    return self.applied(index, response).await.map_err(Error::from)?;
                }
                Outcome::Refused(error) | Outcome::Unknown(error) => return Err(error),
                Outcome::Elsewhere(leader, error) => {
                    hint = leader;
                    error
                }
            };
            tokio::select! {
                () = &mut patience => return Err(why),
                () = sleep(PAUSE) => {}
                Ok(()) = leadership.changed() => {}
            }
        }
    }

    /// Proposes a command once, to the present leader.
    pub(super) async fn propose_once(&self, command: Command) -> std::result::Result<Response, Unanswered> {
        match self.attempt(command, None).await {
            Outcome::Applied { index, response } => {
                self.applied(index, response).await?.map_err(Unanswered::NotTaken)
            }
            Outcome::Refused(error) | Outcome::Elsewhere(_, error) => Err(Unanswered::NotTaken(error)),
            Outcome::Unknown(error) => Err(Unanswered::Unknown(error)),
        }
    }

    /// Has the leader decide, or the node that may be it.
    async fn attempt(&self, command: Command, hint: Option<NodeId>) -> Outcome {
        if let Err(fatal) = &self.raft.metrics().borrow().running_state {
            return Outcome::Refused(failed(fatal));
        }
        if self.leads() {
            return self.decide(command).await;
        }
        let no_leader = || {
            Error::unavailable("the control group has no leader at the moment").hint("try again in a moment")
        };
        let term = self.leadership.borrow().term;
        let seen = self.seen();
        let to = hint.or_else(|| self.leader()).filter(|node| seen.contains_key(node));
        let (Some(to), Some(net)) = (to, &self.net) else { return Outcome::Elsewhere(None, no_leader()) };
        let proposal = Propose(Json(command));
        // Of a leader that was stopped or cut off, its connection tells only long after another has taken its place.
        let answer = tokio::select! {
            answer = net.call(to, &proposal, DECIDING + APPLYING) => answer,
            () = supplanted(self.leadership.clone(), to, term) => {
                Err(Error::unavailable(format!("node {to} led the control group, and leads it no more")))
            }
        };
        match answer {
            Ok(Outcome::Elsewhere(leader, error)) => {
                Outcome::Elsewhere(leader.filter(|leader| *leader != to), error)
            }
            Ok(outcome) => outcome,
            Err(error) => Outcome::Unknown(error),
        }
    }

    /// Waits until what was decided is applied on this node.
    async fn applied(
        &self,
        index: u64,
        response: Result<Response>,
    ) -> std::result::Result<Result<Response>, Unanswered> {
        self.wait_applied(index, APPLYING).await.map(|()| response).map_err(|error| {
            let why = "the command was decided, but this node has not heard of it yet";
            Unanswered::Unknown(Error { message: format!("{why}: {}", error.message).into(), ..error })
        })
    }

    /// Waits until this node has applied the log up to `index`.
    pub(super) async fn wait_applied(&self, index: u64, within: Duration) -> Result<()> {
        let wait = self.raft.wait(Some(within));
        let applied = wait.applied_index_at_least(Some(index), "a command is applied here").await;
        applied.map(drop).map_err(|error| match error {
            WaitError::Timeout(..) => Error::deadline(error.to_string()),
            WaitError::ShuttingDown => failed(error),
        })
    }

    /// Decides a command, as the leader.
    pub(super) async fn decide(&self, command: Command) -> Outcome {
        if !self.leads() {
            let error = Error::unavailable(format!("node {} does not lead the control group", self.me.id));
            return Outcome::Elsewhere(self.leader(), error);
        }
        if let Err(error) = check_size(&command) {
            return Outcome::Refused(error);
        }
        if !is_metadata(&command) {
            return self.write(command).await;
        }
        // What is admitted must still hold when it is applied.
        let _one_at_a_time = self.admitting.lock().await;
        let catalogue = match self.confirmed().await {
            Ok(catalogue) => catalogue,
            Err(error) => return Outcome::Elsewhere(None, error),
        };
        match self.admission.judge(&catalogue, &command) {
            Ok(()) => self.write(command).await,
            Err(error) => Outcome::Refused(error),
        }
    }

    /// The catalogue after all that was decided so far: a leader that has just been elected may not have applied it.
    pub(super) async fn confirmed(&self) -> Result<Arc<Catalogue>> {
        let mut attempts = 1..CONFIRMATIONS;
        loop {
            match timeout(DECIDING, self.raft.ensure_linearizable()).await {
                Ok(Ok(_)) => return Ok(self.catalogue()),
                Ok(Err(RaftError::Fatal(fatal))) => return Err(failed(fatal)),
                Ok(Err(RaftError::APIError(CheckIsLeaderError::QuorumNotEnough(_))))
                    if attempts.next().is_some() => {}
                Ok(Err(RaftError::APIError(error))) => {
                    let text = format!("no quorum of the control group confirms its leader: {error}");
                    return Err(Error::unavailable(text));
                }
                Err(_) => {
                    return Err(Error::deadline("the control group has not confirmed its leader in time"));
                }
            }
        }
    }

    async fn write(&self, command: Command) -> Outcome {
        // Once it is in the log, losing the leadership says nothing about it.
        match timeout(DECIDING, self.raft.client_write(command)).await {
            Ok(Ok(written)) => Outcome::Applied {
                index: written.log_id.index,
                response: written
                    .data
                    .unwrap_or_else(|| Err(Error::internal("the control group has no answer"))),
            },
            Ok(Err(RaftError::APIError(error))) => {
                Outcome::Unknown(Error::unavailable(format!("the control group could not decide: {error}")))
            }
            Ok(Err(RaftError::Fatal(fatal))) => Outcome::Unknown(failed(fatal)),
            Err(_) => {
                Outcome::Unknown(Error::deadline("a quorum of the control group has not answered in time"))
            }
        }
    }
}

/// Whether it changes what maps, models and bindings there are.
fn is_metadata(command: &Command) -> bool {
    match command {
        Command::CreateMap(_)
        | Command::DropMap { .. }
        | Command::AddModel { .. }
        | Command::SetAlias { .. }
        | Command::RemoveModel { .. }
        | Command::ApplyBinding(_)
        | Command::DeleteBinding { .. } => true,
        Command::Found(_)
        | Command::StartNode { .. }
        | Command::FailNode { .. }
        | Command::ReturnNode { .. }
        | Command::DrainNode { .. }
        | Command::Lead
        | Command::Configure(_)
        | Command::ResetLost { .. }
        | Command::StartJob { .. }
        | Command::PauseJob { .. }
        | Command::ResumeJob { .. }
        | Command::CancelJob { .. }
        | Command::JobProgress { .. }
        | Command::GrantSessions { .. } => false,
    }
}

fn check_size(command: &Command) -> Result<()> {
    let bytes = serde_json::to_vec(command)
        .map_err(|error| Error::internal(format!("a command cannot be written: {error}")))?
        .len();
    if bytes > MOST_BYTES {
        return Err(Error::invalid(format!("the definition takes {bytes} bytes"))
            .hint(format!("the cluster keeps up to {MOST_BYTES} for one")));
    }
    Ok(())
}
