//! Subscriptions: a map's rows that satisfy a predicate, then every change of them.

use std::{collections::VecDeque, sync::Arc};

use tonic::Streaming;

use super::{Map, channel, map, road::is_broken, row::Row};
use crate::{
    types::{Class, Error, Key, PartitionId, Result, RowVersion},
    wire::v1,
};

/// What to be told of.
#[derive(Clone, Debug, Default)]
pub struct Subscribe {
    /// A predicate such as `fraud > 0.9`; none: every row.
    pub predicate: Option<String>,
    /// Goes on after this token, from an earlier event of the same subscription.
    pub from: Option<String>,
    /// Leaves the snapshot out: only changes from now on.
    pub no_snapshot: bool,
    /// A token with each event, not only with the last of those that came together. Costs more traffic.
    pub token_each: bool,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// A row of the snapshot.
    Snapshot,
    /// The snapshot is complete: changes follow.
    SnapshotEnd,
    /// A row began to satisfy the predicate.
    Added,
    /// A row that satisfies the predicate changed.
    Updated,
    /// A row ceased to satisfy the predicate.
    Removed,
    /// Nothing: the token has moved on.
    Bookmark,
    /// Changes were lost because they were not read in time; a fresh snapshot follows.
    Overrun,
}

impl EventKind {
    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            EventKind::Snapshot => "snapshot",
            EventKind::SnapshotEnd => "snapshot_end",
            EventKind::Added => "added",
            EventKind::Updated => "updated",
            EventKind::Removed => "removed",
            EventKind::Bookmark => "bookmark",
            EventKind::Overrun => "overrun",
        }
    }
}

/// One event of a subscription.
#[derive(Clone, Debug)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// Where.
    pub partition: PartitionId,
    /// The row's key; none of a marker.
    pub key: Option<Key>,
    /// The row's version.
    pub version: RowVersion,
    /// The row as it is now; none of one removed.
    pub row: Option<Row>,
    /// The row as it was.
    pub old: Option<Row>,
    /// Resumes after this event. None within the snapshot, and where more events came together with this one: the
    /// next with a token covers it.
    pub token: Option<Arc<str>>,
}

/// The events of a subscription. It resumes by itself when the connection breaks, at another node if need be.
#[derive(Debug)]
pub struct Subscription {
    map: Map,
    request: v1::SubscribeRequest,
    replies: Option<Streaming<v1::SubscribeReply>>,
    ready: VecDeque<Event>,
    /// The client's road when the stream was opened.
    road: u64,
}

impl Map {
    /// Subscribes to the rows that satisfy a predicate.
    pub async fn subscribe(&self, what: Subscribe) -> Result<Subscription> {
        let request = v1::SubscribeRequest {
            map: self.name(),
            r#where: what.predicate.unwrap_or_default(),
            token: what.from,
            snapshot: !what.no_snapshot,
            packed: true,
            single: what.token_each,
        };
        let mut subscription =
            Subscription { map: self.clone(), request, replies: None, ready: VecDeque::new(), road: 0 };
        subscription.open().await?;
        Ok(subscription)
    }
}

impl Subscription {
    /// The next event. Fails when the subscription is refused, or cannot be resumed for as long as an operation may
    /// take.
    pub async fn next(&mut self) -> Result<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(event);
            }
            let Some(replies) = &mut self.replies else {
                self.resume().await?;
                continue;
            };
            match replies.message().await {
                Ok(Some(reply)) => self.take(reply).await?,
                Ok(None) => self.replies = None,
                Err(status) => {
                    let is_broken = is_broken(&status);
                    let error = Error::from(status);
                    if !is_broken && error.class != Class::Unavailable {
                        return Err(error);
                    }
                    self.replies = None;
                }
            }
        }
    }

    /// The token of the last message taken from the node.
    pub fn token(&self) -> Option<&str> {
        self.request.token.as_deref()
    }

    async fn open(&mut self) -> Result<()> {
        let client = self.map.client();
        self.road = client.road().number();
        let opened = client.ask(|channel| {
            let request = self.request.clone();
            async move { channel::grid(channel).subscribe(request).await }
        });
        self.replies = Some(opened.await?);
        Ok(())
    }

    async fn resume(&mut self) -> Result<()> {
        // A node whose stream broke may still accept connections, and then say nothing.
        self.map.client().detour(self.road).await;
        self.open().await?;
        if self.request.token.is_none() {
            // There is nothing to go on from: all begins anew.
            self.ready.push_back(marker(EventKind::Overrun, PartitionId::default(), None));
        }
        Ok(())
    }

    async fn take(&mut self, reply: v1::SubscribeReply) -> Result<()> {
        let partition = PartitionId(u16::try_from(reply.partition).unwrap_or_default());
        let token: Option<Arc<str>> = (!reply.token.is_empty()).then(|| reply.token.as_str().into());
        if reply.overrun {
            self.ready.push_back(marker(EventKind::Overrun, partition, token.clone()));
        }
        let is_bookmark = reply.events.is_empty() && !reply.overrun && !reply.snapshot_end;
        let last = reply.events.len().saturating_sub(1);
        for (index, event) in reply.events.into_iter().enumerate() {
            let token = token.clone().filter(|_| index == last && !reply.snapshot_end);
            let event = self.event(event, partition, token).await?;
            self.ready.push_back(event);
        }
        if reply.snapshot_end {
            self.ready.push_back(marker(EventKind::SnapshotEnd, partition, token.clone()));
        }
        if is_bookmark {
            self.ready.push_back(marker(EventKind::Bookmark, partition, token));
        }
        if !reply.token.is_empty() {
            self.request.token = Some(reply.token);
        }
        Ok(())
    }

    async fn event(&self, wire: v1::Event, partition: PartitionId, token: Option<Arc<str>>) -> Result<Event> {
        let kind = match wire.kind() {
            v1::EventKind::Snapshot => EventKind::Snapshot,
            v1::EventKind::Added => EventKind::Added,
            v1::EventKind::Updated => EventKind::Updated,
            v1::EventKind::Removed => EventKind::Removed,
            v1::EventKind::Unspecified => {
                return Err(Error::internal("an event of a kind that this client does not know")
                    .hint("update the client"));
            }
        };
        let row = match wire.row {
            Some(v1::event::Row::Stored(stored)) => Some(self.map.row(stored).await?),
            _ => None,
        };
        let old = match wire.old {
            Some(v1::event::Old::OldStored(stored)) => Some(self.map.row(stored).await?),
            _ => None,
        };
        let (key, version) = (Some(map::key(wire.key)?), RowVersion(wire.version));
        Ok(Event { kind, partition, key, version, row, old, token })
    }
}

fn marker(kind: EventKind, partition: PartitionId, token: Option<Arc<str>>) -> Event {
    Event { kind, partition, key: None, version: RowVersion::default(), row: None, old: None, token }
}
