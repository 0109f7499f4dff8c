//! Who is handed what arrives.

use std::{collections::HashMap, future::Future, pin::Pin, sync::Arc};

use bytes::BytesMut;
use parking_lot::RwLock;
use serde::de::DeserializeOwned;

use super::{
    call::{Call, frame_answer},
    codec::{self, Fault},
    hello::Peer,
    lane::Lane,
};
use crate::types::{Error, Result};

type Answering = Pin<Box<dyn Future<Output = Vec<u8>> + Send>>;
type Answer = Arc<dyn Fn(Peer, BytesMut) -> Answering + Send + Sync>;
type Receive = Arc<dyn Fn(Peer, &[u8]) -> std::result::Result<(), Fault> + Send + Sync>;

/// Handlers by the name of their call, and one a lane for what is one-way.
#[derive(Default)]
pub(super) struct Handlers {
    answer: RwLock<HashMap<(&'static str, Lane), Answer>>,
    receive: [RwLock<Option<Receive>>; Lane::ALL.len()],
}

impl Handlers {
    /// Answers one kind of call from now on.
    pub(super) fn answer<C, F>(&self, handler: impl Fn(Peer, C) -> F + Send + Sync + 'static)
    where
        C: Call,
        F: Future<Output = Result<C::Answer>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let answer = move |from: Peer, request: BytesMut| -> Answering {
            let handler = Arc::clone(&handler);
            Box::pin(async move {
                let answer = match codec::decode(&request) {
                    Ok(request) => {
                        // Not needed while the handler is at work.
                        handler(from, request).await
                    }
                    Err(fault) => Err(Error::invalid(fault.to_string())),
                };
                frame_answer(&answer, C::LANE)
            })
        };
        self.answer.write().insert((C::NAME, C::LANE), Arc::new(answer));
    }

    /// Hands over one lane's one-way messages from now on.
    pub(super) fn receive<M: DeserializeOwned>(
        &self,
        lane: Lane,
        handler: impl Fn(Peer, M) + Send + Sync + 'static,
    ) {
        let receive =
            move |from: Peer, message: &[u8]| codec::decode(message).map(|message| handler(from, message));
        *self.receive[lane as usize].write() = Some(Arc::new(receive));
    }

    /// Whoever answers this call, if anybody does yet.
    pub(super) fn find(&self, name: &str, lane: Lane) -> Option<Answer> {
        let answer = self.answer.read();
        answer
            .iter()
            .find(|((known, on), _)| *known == name && *on == lane)
            .map(|(_, answer)| Arc::clone(answer))
    }

    /// Hands over a one-way message; false if nobody takes any yet.
    pub(super) fn hand_over(
        &self,
        lane: Lane,
        from: Peer,
        message: &[u8],
    ) -> std::result::Result<bool, Fault> {
        let receive = self.receive[lane as usize].read().clone();
        receive.map_or(Ok(false), |receive| receive(from, message).map(|()| true))
    }

    /// Lets go of every handler, and of what it holds.
    pub(super) fn clear(&self) {
        self.answer.write().clear();
        self.receive.iter().for_each(|receive| *receive.write() = None);
    }
}
