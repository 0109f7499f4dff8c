//! "A request takes effect at most once, however often it is retried": counters that are raised where they are come to what
//! their clients were told, and no two clients were told the same.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use embergrid::client::{Client, Map, Row};
use embergrid::types::Result;
use parking_lot::Mutex;
use serde_json::json;
use tokio::task::JoinSet;

use super::book::{Book, Judgement, Kind};
use crate::dice::Dice;

const MAP: &str = "counters";
const SCHEMA: &str = r#"
format = 1
map = "counters"
kind = "feature"
key = { name = "id", type = "i64" }
columns = [{ name = "n", type = "i64" }]
"#;
const COUNTERS: u64 = 16;
const CALLERS: usize = 8;
const PAUSE: Duration = Duration::from_millis(20);

pub(super) struct Counters {
    map: Map,
    book: Arc<Book>,
    sums: Vec<Mutex<Sum>>,
}

#[derive(Default)]
struct Sum {
    /// What those who raised it were told.
    told: BTreeSet<i64>,
    /// Told to two of them.
    told_twice: u64,
    /// Nobody knows whether it was raised.
    open: i64,
}

impl Counters {
    pub(super) async fn new(client: &Client, book: Arc<Book>) -> Result<Self> {
        client.create_map(MAP, Some(SCHEMA)).await?;
        let map = client.map(MAP).await?;
        for counter in 0..COUNTERS {
            map.set(counter as i64, &json!({"n": 0})).await?;
        }
        Ok(Self { map, book, sums: (0..COUNTERS).map(|_| Mutex::default()).collect() })
    }

    /// What is found is what was told, or more by what nobody knows.
    pub(super) async fn judge(&self, reader: &Client, judgement: &mut Judgement) -> Result<()> {
        let map = reader.map(MAP).await?;
        for (counter, sum) in self.sums.iter().enumerate() {
            let found = map.get_raw(counter as i64).await?.as_ref().map_or(-1, count);
            sum.lock().judge(counter, found, judgement);
        }
        Ok(())
    }

    async fn raise(self: Arc<Self>, mut dice: Dice) {
        while !self.book.is_stopped() {
            let counter = dice.below(COUNTERS);
            let answer = self.map.execute_on_key(counter as i64, "SET n = n + 1").await;
            self.book.note(format_args!("counter {counter}"), Kind::Write, &answer);
            self.sums[counter as usize].lock().settle(answer);
            self.book.rest(PAUSE).await;
        }
    }
}

impl Sum {
    fn judge(&self, counter: usize, found: i64, judgement: &mut Judgement) {
        let Self { told, told_twice, open } = self;
        let (raised, last) = (told.len() as i64, told.last().copied().unwrap_or(0));
        let what =
            format!("counter {counter}: raised {raised} times, or {open} more, to {last}; it is {found}");
        if found < raised.max(last) {
            judgement.lost += 1;
            judgement.find(what.clone());
        }
        if found > raised + open || *told_twice > 0 {
            judgement.twice += 1;
            judgement.find(format!("{what}; the same told twice: {told_twice}"));
        }
    }

    fn settle(&mut self, answer: Result<Row>) {
        match answer {
            Ok(row) => self.tell(count(&row)),
            Err(_) => self.open += 1,
        }
    }

    fn tell(&mut self, count: i64) {
        self.told_twice += u64::from(!self.told.insert(count));
    }
}

fn count(row: &Row) -> i64 {
    row.columns().unwrap().i64(0).unwrap()
}

/// Sets all callers to work.
pub(super) fn spawn(counters: &Arc<Counters>, dice: &mut Dice, callers: &mut JoinSet<()>) {
    (0..CALLERS).for_each(|_| drop(callers.spawn(counters.clone().raise(Dice::new(dice.roll())))));
}

/// What it says of a counter that was raised to each of these, and perhaps more often, and is found so high.
pub(super) fn judged(told: &[i64], open: i64, found: i64) -> Judgement {
    let mut sum = Sum { open, ..Sum::default() };
    told.iter().for_each(|count| sum.tell(*count));
    let mut judgement = Judgement::default();
    sum.judge(0, found, &mut judgement);
    judgement
}
