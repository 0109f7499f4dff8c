//! A page of rows, read for another node.

use prost::Message;
use serde::{Deserialize, Serialize};

use super::Wanted;
use crate::{
    net::{Call, Net, Raw},
    node::Grid,
    server::{
        operation::no_map,
        patience::is_passing,
        scan::{Mark, Scan},
    },
    store::Record,
    types::{CatalogueVersion, MapId, PartitionId, Result},
    wire::v1,
};

/// Bytes of rows in one page, about.
const PAGE_BYTES: usize = 256 << 10;
/// Rows looked at for one page.
const PAGE_ROWS: usize = 1 << 16;
/// Rows looked at before other tasks get their turn.
const TURN_ROWS: usize = 4_096;

/// Asks for the next rows of some partitions, which are read in this order.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ask {
    /// The catalogue that the sender goes by.
    pub(super) catalogue: CatalogueVersion,
    pub(super) map: MapId,
    pub(super) condition: String,
    pub(super) packed: bool,
    /// At most so many rows.
    pub(super) limit: u64,
    pub(super) partitions: Vec<PartitionId>,
    /// Where in the first of them to go on; from the beginning if none.
    pub(super) from: Option<Mark>,
}

impl Call for Ask {
    const NAME: &'static str = "server.query";
    type Answer = Page;
}

/// Some rows.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Page {
    /// A [`v1::QueryReply`].
    pub(super) reply: Raw,
    /// How many of the partitions are read to their end.
    pub(super) finished: usize,
    /// Where the next one goes on; none if it has not been begun, or cannot be read.
    pub(super) next: Option<Mark>,
    /// Whether any of the rows are of that next one.
    pub(super) begun: bool,
    /// The next one cannot be read here now: its primary is elsewhere, has changed in the middle, or has no lease.
    pub(super) moved: bool,
}

/// A page that is being filled.
#[derive(Default)]
struct Filling {
    reply: v1::QueryReply,
    bytes: usize,
    looked_at: usize,
    page: Page,
}

/// Reads pages for other nodes.
pub(super) fn answer(grid: &Grid, net: &Net) {
    let grid = grid.downgrade();
    net.answer(move |_, ask: Ask| {
        let grid = grid.upgrade();
        async move { read(&grid?, ask).await }
    });
}

async fn read(grid: &Grid, ask: Ask) -> Result<Page> {
    grid.adopt(ask.catalogue).await?;
    let map = grid.view().maps.get(&ask.map).cloned().ok_or_else(|| no_map(grid, ask.map))?;
    let wanted = Wanted::new(map, &ask.condition, ask.packed)?;
    let mut filling = Filling::default();
    let mut from = ask.from;
    for partition in ask.partitions {
        if filling.is_full(ask.limit) {
            break;
        }
        filling.page.begun = false;
        match filling.fill(grid, &wanted, ask.limit, partition, from.take()).await {
            Ok(None) => filling.page.finished += 1,
            Ok(Some(mark)) => {
                filling.page.next = Some(mark);
                break;
            }
            Err(error) if is_passing(&error) => {
                filling.page.moved = true;
                break;
            }
            Err(error) => return Err(error),
        }
    }
    if filling.page.next.is_none() && !filling.page.moved {
        filling.page.begun = false;
    }
    filling.page.reply = Raw(filling.reply.encode_to_vec().into());
    Ok(filling.page)
}

impl Filling {
    fn is_full(&self, limit: u64) -> bool {
        self.bytes >= PAGE_BYTES || self.looked_at >= PAGE_ROWS || self.reply.rows.len() as u64 >= limit
    }

    /// Reads a partition to its end, or until the page is full.
    async fn fill(
        &mut self,
        grid: &Grid,
        wanted: &Wanted,
        limit: u64,
        partition: PartitionId,
        from: Option<Mark>,
    ) -> Result<Option<Mark>> {
        let map = wanted.map.map.id;
        let mut scan = match from {
            Some(mark) => Scan::resume(grid, map, partition, &mark)?,
            None => Scan::begin(partition),
        };
        loop {
            while let Some(record) = scan.records().next() {
                self.take(wanted, &record)?;
                if self.is_full(limit) && !scan.is_over() {
                    return scan.mark(&record).map(Some);
                }
                if self.looked_at.is_multiple_of(TURN_ROWS) {
                    tokio::task::yield_now().await;
                }
            }
            // An empty shard takes its time too.
            self.looked_at += 1;
            if !scan.next_shard(grid, map)? {
                return Ok(None);
            }
            scan.sort();
        }
    }

    fn take(&mut self, wanted: &Wanted, record: &Record) -> Result<()> {
        self.looked_at += 1;
        if let Some(row) = wanted.row(record)? {
            self.bytes += row.encoded_len();
            self.page.begun = true;
            self.reply.rows.push(row);
        }
        Ok(())
    }
}
