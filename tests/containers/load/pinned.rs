//! Clients that speak with one node and no other, whatever becomes of it: who is cut off with it sees what it still answers.
//! They share the registers, so that what they were told has to fit into everybody's order.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use embergrid::partition::{Outcome, PutMode};
use embergrid::types::{Result, RowVersion};
use embergrid::wire::v1::{self, grid_client::GridClient, key::Payload, row::Form};
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tonic::{
    Code, Request,
    transport::{Channel, Endpoint},
};

use super::book::Kind;
use super::registers::{self, Registers};
use crate::clock::now;
use crate::dice::Dice;
use crate::nodes::Node;

/// How long one waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);
/// For each node.
const CALLERS: usize = 3;

/// When each node answered its clients.
#[derive(Default)]
pub(super) struct Pinned {
    answers: Mutex<HashMap<usize, Vec<Answer>>>,
}

struct Answer {
    asked: Instant,
    answered: Instant,
    is_write: bool,
}

/// What a node answered within some time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Served {
    pub(crate) reads: u64,
    pub(crate) writes: u64,
}

impl Pinned {
    /// What the node answered within that time, to questions asked within that time.
    pub(super) fn served(&self, node: Node, from: Instant, until: Instant) -> Served {
        let answers = self.answers.lock();
        let within = |answer: &&Answer| answer.asked >= from && answer.answered <= until;
        let mut served = Served::default();
        for answer in answers.get(&node.0).into_iter().flatten().filter(within) {
            match answer.is_write {
                true => served.writes += 1,
                false => served.reads += 1,
            }
        }
        served
    }

    fn note(&self, node: Node, asked: Instant, is_write: bool) {
        let answer = Answer { asked, answered: now(), is_write };
        self.answers.lock().entry(node.0).or_default().push(answer);
    }
}

async fn work(pinned: Arc<Pinned>, registers: Arc<Registers>, node: Node, mut dice: Dice) {
    let endpoint = Endpoint::from_shared(format!("http://{}", node.address())).unwrap();
    let mut grid = GridClient::new(endpoint.connect_timeout(PATIENCE).connect_lazy());
    while !registers.book.is_stopped() {
        let key = registers.histories.lock().next_key(dice.below(registers::SLOTS));
        let asked = now();
        let is_write = dice.percent(40);
        let is_answered = match is_write {
            true => write(&registers, &mut grid, key, dice.below(1_000)).await,
            false => read(&registers, &mut grid, key).await,
        };
        if is_answered {
            pinned.note(node, asked, is_write);
        }
        registers.book.rest(PAUSE).await;
    }
}

async fn read(registers: &Registers, grid: &mut GridClient<Channel>, key: i64) -> bool {
    let asked_us = registers.book.now_us();
    let request = v1::GetRequest { map: registers::MAP.into(), key: packed(key) };
    let answer: Result<Option<RowVersion>> = match grid.get(patient(request)).await {
        Ok(reply) => Ok(reply.into_inner().row.map(|row| RowVersion(row.version))),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status.into()),
    };
    registers.book.note_alone(Kind::Read, &answer);
    let Ok(version) = answer else { return false };
    registers.histories.lock().read(key, version, (asked_us, registers.book.now_us()));
    true
}

async fn write(registers: &Registers, grid: &mut GridClient<Channel>, key: i64, value: u64) -> bool {
    let op = registers::put(PutMode::Always);
    let id = registers.histories.lock().asked(key, op, registers.book.now_us());
    let value = v1::Value { kind: Some(v1::value::Kind::Int(value as i64)) };
    let columns = v1::Columns { values: HashMap::from([("value".to_owned(), value)]) };
    let request = v1::PutRequest {
        map: registers::MAP.into(),
        key: packed(key),
        row: Some(v1::Row { form: Some(Form::Columns(columns)) }),
        ..Default::default()
    };
    let answer = grid.put(patient(request)).await.map_err(Into::into).map(|reply| {
        let version = Some(RowVersion(reply.into_inner().version));
        Outcome { applied: true, version, ..Outcome::default() }
    });
    if !registers.book.note_alone(Kind::Write, &answer) {
        return false;
    }
    registers.histories.lock().answered(key, id, &answer, registers.book.now_us());
    true
}

fn patient<T>(request: T) -> Request<T> {
    let mut request = Request::new(request);
    request.set_timeout(PATIENCE);
    request
}

fn packed(key: i64) -> Option<v1::Key> {
    Some(v1::Key { payload: Some(Payload::I64(key)), affinity: None })
}

/// Sets the clients of these nodes to work.
pub(super) fn spawn(
    pinned: &Arc<Pinned>,
    registers: &Arc<Registers>,
    nodes: &[Node],
    dice: &mut Dice,
    callers: &mut JoinSet<()>,
) {
    for node in nodes.iter().flat_map(|node| [*node; CALLERS]) {
        callers.spawn(work(pinned.clone(), registers.clone(), node, Dice::new(dice.roll())));
    }
}
