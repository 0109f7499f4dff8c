//! The way of calls that are no session's operations: a connection to one node, and to another when that is gone.

use std::{error::Error as _, future::Future, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;
use tonic::{ConnectError, Response, Status, transport::Channel};

use super::{
    Client, Options,
    answering::{Found, first_to_answer},
};
use crate::types::{Class, Error, Result};

/// The pauses between attempts: they double from the shortest to the longest.
const PAUSE: Duration = Duration::from_millis(20);
const PAUSE_MOST: Duration = Duration::from_millis(500);

/// The connection of a client's calls.
#[derive(Debug)]
pub(super) struct Road(Mutex<Present>);

/// The connection as it is. Each that replaces another has the next number.
#[derive(Clone, Debug)]
struct Present {
    number: u64,
    address: String,
    channel: Channel,
}

impl Road {
    /// Connects to the first address that answers.
    pub(super) async fn begin(options: &Arc<Options>) -> Result<Self> {
        let Found { address, channel } = first_to_answer(&options.addresses, options).await?;
        Ok(Road(Mutex::new(Present { number: 0, address, channel })))
    }

    /// Which connection calls take at present.
    pub(super) fn number(&self) -> u64 {
        self.0.lock().number
    }
}

impl Client {
    /// Asks a node, and others while none can answer: for what changes nothing, or may be done twice.
    pub(super) async fn ask<T, F>(&self, call: impl Fn(Channel) -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<Response<T>, Status>>,
    {
        self.repeat(call, |status| {
            is_broken(status) || matches!(class(status), Class::Unavailable | Class::NotPrimary)
        })
        .await
    }

    /// Tells a node to change something: another one only if nothing has left for the first.
    pub(super) async fn tell<T, F>(&self, call: impl Fn(Channel) -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<Response<T>, Status>>,
    {
        self.repeat(call, has_not_left).await
    }

    async fn repeat<T, F>(
        &self,
        call: impl Fn(Channel) -> F,
        is_to_be_repeated: impl Fn(&Status) -> bool,
    ) -> Result<T>
    where
        F: Future<Output = std::result::Result<Response<T>, Status>>,
    {
        let started = Instant::now();
        let mut pause = PAUSE;
        loop {
            let Present { number, channel, .. } = self.road().0.lock().clone();
            let status = match call(channel).await {
                Ok(response) => return Ok(response.into_inner()),
                Err(status) => status,
            };
            let is_to_be_repeated = is_to_be_repeated(&status);
            if is_broken(&status) || is_to_be_repeated {
                self.detour(number).await;
            }
            if !is_to_be_repeated || started.elapsed() + pause >= self.options().timeout {
                return Err(status.into());
            }
            tokio::time::sleep(pause).await;
            pause = PAUSE_MOST.min(pause * 2);
        }
    }

    /// Takes the next node's address for the calls to come, unless somebody has done so since the connection of this
    /// number. If none answers, all stays as it is: a connection is opened again by itself.
    pub(super) async fn detour(&self, number: u64) {
        let left = {
            let present = self.road().0.lock();
            if present.number != number {
                return;
            }
            present.address.clone()
        };
        let others = others(self.known_addresses(), &left);
        if let Ok(Found { address, channel }) = first_to_answer(&others, self.options()).await {
            let mut present = self.road().0.lock();
            if present.number == number {
                *present = Present { number: number + 1, address, channel };
            }
        }
    }
}

/// The addresses besides one, those first that come after it: so that all have their turn.
fn others(mut addresses: Vec<String>, left: &str) -> Vec<String> {
    if let Some(at) = addresses.iter().position(|address| address == left) {
        addresses.rotate_left(at);
        addresses.remove(0);
    }
    addresses
}

/// Whether the connection failed, rather than the node refused.
pub(super) fn is_broken(status: &Status) -> bool {
    status.source().is_some()
}

/// Whether there was no connection, so that the node cannot have heard of it.
fn has_not_left(status: &Status) -> bool {
    let mut cause = status.source();
    while let Some(error) = cause {
        if error.is::<ConnectError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn class(status: &Status) -> Class {
    Error::from(status.clone()).class
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_other_addresses_have_their_turn() {
        let known = || ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(others(known(), "b"), ["c", "a"]);
        assert_eq!(others(known(), "c"), ["a", "b"]);
        assert_eq!(others(known(), "d"), ["a", "b", "c"]);
        assert_eq!(others(Vec::new(), "d"), [""; 0]);
    }
}
