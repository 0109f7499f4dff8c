//! The clients: what each kind of them does, what it records, and the promise by which it judges in the end.

mod appends;
mod ballast;
mod book;
mod counters;
mod feed;
pub(crate) mod known_bad;
mod members;
mod payments;
mod pinned;
mod registers;
mod scored;
mod subscriber;

use std::sync::Arc;
use std::time::{Duration, Instant};

use embergrid::client::Client;
use embergrid::types::Result;
use parking_lot::Mutex;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

pub(crate) use ballast::Ballast;
pub(crate) use book::{Book, Judgement};
pub(crate) use payments::Payments;
pub(crate) use pinned::Served;

use crate::clock::now;
use crate::dice::Dice;
use crate::nodes::Node;
use crate::waits::Waits;

/// Once nobody writes any more, subscribers have been told of everything within so long.
const TOLD_WITHIN: Duration = Duration::from_secs(60);

/// All clients of a run, at work.
pub(crate) struct Load {
    book: Arc<Book>,
    scored: Arc<scored::Writers>,
    registers: Arc<registers::Registers>,
    counters: Arc<counters::Counters>,
    appends: Arc<appends::Appends>,
    members: Arc<members::Members>,
    pinned: Arc<pinned::Pinned>,
    feeds: Vec<Arc<Mutex<feed::Feed>>>,
    callers: JoinSet<()>,
    subscribers: JoinSet<()>,
}

impl Load {
    /// Makes the maps that are not there yet, and begins, each caller resting so many times as long as usual.
    pub(crate) async fn start(
        client: &Client,
        payments: Payments,
        partitions: u16,
        seed: u64,
        leisure: u32,
    ) -> Result<Self> {
        let book = Arc::new(Book::new(now(), leisure));
        let mut dice = Dice::new(seed);
        let mut load = Self {
            scored: Arc::new(scored::Writers::new(client, payments, partitions, book.clone()).await?),
            registers: Arc::new(registers::Registers::new(client, book.clone()).await?),
            counters: Arc::new(counters::Counters::new(client, book.clone()).await?),
            appends: Arc::new(appends::Appends::new(client, book.clone()).await?),
            members: Arc::new(members::Members::new(client, book.clone()).await?),
            pinned: Arc::default(),
            feeds: Vec::new(),
            callers: JoinSet::new(),
            subscribers: JoinSet::new(),
            book,
        };
        for map in [scored::MAP, members::MAP] {
            let feed = Arc::new(Mutex::new(feed::Feed::default()));
            let subscriber =
                subscriber::follow(client.map(map).await?, feed.clone(), load.book.clone(), dice.roll());
            load.subscribers.spawn(subscriber);
            load.feeds.push(feed);
        }
        scored::spawn(&load.scored, &mut load.callers);
        registers::spawn(&load.registers, &mut dice, &mut load.callers);
        counters::spawn(&load.counters, &mut dice, &mut load.callers);
        appends::spawn(&load.appends, &mut dice, &mut load.callers);
        members::spawn(&load.members, &mut load.callers);
        Ok(load)
    }

    /// Adds clients that speak with one of these nodes and no other.
    pub(crate) fn pin(&mut self, runtime: &Runtime, nodes: &[Node], dice: &mut Dice) {
        let _entered = runtime.enter();
        pinned::spawn(&self.pinned, &self.registers, nodes, dice, &mut self.callers);
    }

    /// What the node answered to its own clients within that time.
    pub(crate) fn served(&self, node: Node, from: Instant, until: Instant) -> Served {
        self.pinned.served(node, from, until)
    }

    /// The waits of those who write scored rows, one caller a partition.
    pub(crate) fn waits<T>(&self, look: impl FnOnce(&mut Waits) -> T) -> T {
        look(&mut self.scored.waits.lock())
    }

    /// How the operations stand.
    pub(crate) fn book(&self) -> &Book {
        &self.book
    }

    /// Lets everybody finish, reads everything back by another client, and judges.
    pub(crate) async fn judge(mut self, reader: &Client) -> Result<Judgement> {
        self.book.stop();
        while self.callers.join_next().await.is_some() {}
        let mut judgement = self.book.judgement();
        self.scored.judge(reader, &mut judgement).await?;
        self.registers.judge(&mut judgement);
        self.counters.judge(reader, &mut judgement).await?;
        self.appends.judge(reader, &mut judgement).await?;
        self.members.judge(reader, &mut judgement).await?;
        let expected = [self.scored.expected(), self.members.expected()];
        self.wait_until_told(&expected).await;
        self.subscribers.abort_all();
        for (feed, expected) in self.feeds.iter().zip(&expected) {
            feed.lock().judge(expected, &mut judgement);
        }
        Ok(judgement)
    }

    /// What subscribers have not been told by then counts as a gap.
    async fn wait_until_told(&self, expected: &[feed::Expected]) {
        let start = now();
        let has_all = |(feed, expected): (&Arc<Mutex<feed::Feed>>, _)| feed.lock().has_all(expected);
        while !self.feeds.iter().zip(expected).all(has_all) && start.elapsed() < TOLD_WITHIN {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // A little more, for what should not come.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
