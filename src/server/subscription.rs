//! Subscriptions: what the node tells a subscriber, as messages.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{answer, rows, service::Service};
use crate::{
    feed::{Event, EventKind},
    node::{Notice, Subscription},
    partition::MapView,
    types::{Error, Key, PartitionId, Result},
    wire::v1::{self, event},
};

/// Messages between the node and the connection; more wait in the node, where credits bound them.
const MESSAGES: usize = 4;

/// Opens a subscription. It ends when its stream is dropped.
pub(super) fn open(
    service: &Service,
    request: v1::SubscribeRequest,
) -> Result<ReceiverStream<std::result::Result<v1::SubscribeReply, Status>>> {
    let map = service.map(&request.map)?;
    let condition = Some(request.r#where.as_str()).filter(|text| !text.trim().is_empty());
    let subscription =
        service.grid.subscribe(&request.map, condition, request.token.as_deref(), request.snapshot)?;
    let (sender, receiver) = mpsc::channel(MESSAGES);
    let form = Form { map, packed: request.packed, single: request.single };
    let stop = service.stopping.wait();
    tokio::spawn(async move {
        tokio::select! {
            () = forward(subscription, form, &sender) => {}
            () = sender.closed() => {}
            () = stop => {
                // The subscriber may not be reading.
                let _ = sender.try_send(Err(Error::unavailable("the node is shutting down").into()));
            }
        }
    });
    Ok(ReceiverStream::new(receiver))
}

type Sender = mpsc::Sender<std::result::Result<v1::SubscribeReply, Status>>;

async fn forward(mut subscription: Subscription, form: Form, sender: &Sender) {
    loop {
        let replies = match subscription.next().await.and_then(|notices| form.replies(notices)) {
            Ok(replies) => replies,
            Err(error) => {
                // The subscriber may have gone.
                let _ = sender.send(Err(error.into())).await;
                return;
            }
        };
        for reply in replies {
            if sender.send(Ok(reply)).await.is_err() {
                return;
            }
        }
    }
}

/// How a subscriber wants its messages.
struct Form {
    map: Arc<MapView>,
    packed: bool,
    single: bool,
}

impl Form {
    fn replies(&self, notices: Vec<Notice>) -> Result<Vec<v1::SubscribeReply>> {
        let mut replies: Vec<v1::SubscribeReply> = Vec::new();
        let mut open: Option<PartitionId> = None;
        for notice in notices {
            let (partition, event, token) = match notice {
                Notice::Event { partition, event, token } => (partition, event, token),
                marker => {
                    replies.push(told(marker));
                    open = None;
                    continue;
                }
            };
            let event = self.event(event)?;
            match replies.last_mut() {
                Some(reply) if !self.single && open == Some(partition) => {
                    reply.events.push(event);
                    reply.token = token.unwrap_or_default();
                }
                _ => replies.push(v1::SubscribeReply {
                    partition: partition.0.into(),
                    events: vec![event],
                    token: token.unwrap_or_default(),
                    ..Default::default()
                }),
            }
            open = Some(partition);
        }
        Ok(replies)
    }

    fn event(&self, event: Event) -> Result<v1::Event> {
        let kind = match event.kind {
            EventKind::Snapshot => v1::EventKind::Snapshot,
            EventKind::Added => v1::EventKind::Added,
            EventKind::Updated => v1::EventKind::Updated,
            EventKind::Removed => v1::EventKind::Removed,
        };
        let mut wire = v1::Event { kind: kind.into(), version: event.version.0, ..Default::default() };
        // Of a row that is gone, the record is what it last was: told as `old`.
        let row = (event.kind != EventKind::Removed).then_some(&event.row);
        let old = event.old.as_ref();
        if self.packed {
            wire.key = Some(rows::packed_key(&event.row));
            wire.row = row.map(|record| event::Row::Stored(answer::stored(record)));
            wire.old = old.map(|record| event::Old::OldStored(answer::stored(record)));
            return Ok(wire);
        }
        wire.key = Some(rows::wire_key(&Key::from_packed(event.row.key())?));
        let view = |record| rows::view(&self.map, record);
        wire.row = row.map(view).transpose()?.map(event::Row::View);
        wire.old = old.map(view).transpose()?.map(event::Old::OldView);
        Ok(wire)
    }
}

fn told(notice: Notice) -> v1::SubscribeReply {
    match notice {
        Notice::SnapshotEnd { token } => {
            v1::SubscribeReply { token, snapshot_end: true, ..Default::default() }
        }
        Notice::Bookmark { token } => v1::SubscribeReply { token, ..Default::default() },
        Notice::Overrun { partition } => {
            v1::SubscribeReply { partition: partition.0.into(), overrun: true, ..Default::default() }
        }
        Notice::Event { .. } => v1::SubscribeReply::default(),
    }
}
