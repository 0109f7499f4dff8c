//! "A request takes effect at most once, however often it is retried", and none that was acknowledged is lost: lists to which
//! each element is appended once, where the list is. A caller waits for its answer before its next one, so its elements are
//! in its order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use embergrid::client::{Client, Map, Row};
use embergrid::types::Result;
use parking_lot::Mutex;
use serde_json::json;
use tokio::task::JoinSet;

use super::book::{Book, Judgement, Kind};
use crate::dice::Dice;

const MAP: &str = "lists";
const SCHEMA: &str = r#"
format = 1
map = "lists"
kind = "feature"
key = { name = "id", type = "i64" }
columns = [{ name = "elements", type = "str" }]
"#;
const SLOTS: u64 = 4;
/// A list that has got so many gives way to the next.
const LONGEST: u64 = 200;
const CALLERS: usize = 4;
const PAUSE: Duration = Duration::from_millis(30);

pub(super) struct Appends {
    map: Map,
    book: Arc<Book>,
    asked: AtomicU64,
    /// By list: the elements, and whether each was acknowledged.
    lists: Mutex<BTreeMap<i64, BTreeMap<u64, bool>>>,
}

impl Appends {
    pub(super) async fn new(client: &Client, book: Arc<Book>) -> Result<Self> {
        client.create_map(MAP, Some(SCHEMA)).await?;
        Ok(Self {
            map: client.map(MAP).await?,
            book,
            asked: AtomicU64::new(0),
            lists: Mutex::new(BTreeMap::new()),
        })
    }

    /// Every list has what was acknowledged, and nothing twice.
    pub(super) async fn judge(&self, reader: &Client, judgement: &mut Judgement) -> Result<()> {
        let map = reader.map(MAP).await?;
        let lists = std::mem::take(&mut *self.lists.lock());
        for (list, asked) in lists {
            let found = map.get_raw(list).await?.as_ref().map(elements).unwrap_or_default();
            judge(list, &asked, &found, judgement);
        }
        Ok(())
    }

    async fn append(self: Arc<Self>, caller: usize, mut dice: Dice) {
        while !self.book.is_stopped() {
            let asked = self.asked.fetch_add(1, Relaxed);
            let slot = dice.below(SLOTS);
            let list = (asked / (SLOTS * LONGEST) * SLOTS + slot) as i64;
            let element = asked * CALLERS as u64 + caller as u64;
            self.lists.lock().entry(list).or_default().insert(element, false);
            let known = self.put_element(list, element).await;
            if known {
                self.lists.lock().entry(list).or_default().insert(element, true);
            }
            self.book.rest(PAUSE).await;
        }
    }

    /// True if it is certainly there.
    async fn put_element(&self, list: i64, element: u64) -> bool {
        // The list may not be there yet: whoever comes first makes it.
        let made = self.map.put_if_absent(list, &json!({"elements": ""})).await;
        if !self.book.note(format_args!("list {list}"), Kind::Write, &made) {
            return false;
        }
        let update = format!("SET elements = elements || ' {element}'");
        let answer = self.map.execute_on_key(list, &update).await;
        self.book.note(format_args!("element {element} of list {list}"), Kind::Write, &answer)
    }
}

/// A list that was found like that, where these elements were appended; true are those that were acknowledged.
pub(super) fn judge(list: i64, asked: &BTreeMap<u64, bool>, found: &[u64], judgement: &mut Judgement) {
    let mut times: BTreeMap<u64, u64> = BTreeMap::new();
    found.iter().for_each(|element| *times.entry(*element).or_default() += 1);
    for (element, _) in asked.iter().filter(|(element, sure)| **sure && !times.contains_key(*element)) {
        judgement.lost += 1;
        judgement.find(format!("list {list}: the element {element} was acknowledged, and is lost"));
    }
    for (element, times) in
        times.iter().filter(|(element, times)| **times > 1 || !asked.contains_key(*element))
    {
        judgement.twice += 1;
        judgement.find(format!("list {list} has the element {element} {times} times"));
    }
    let sure = found.iter().copied().filter(|element| asked.get(element) == Some(&true));
    if let Some((first, second)) = out_of_order(sure) {
        judgement.stale += 1;
        judgement.find(format!("list {list}: {second} comes after {first}, which its caller appended later"));
    }
}

/// Two elements of one caller, the second of which was appended first. Of acknowledged ones: what nobody answered for may be
/// appended later.
fn out_of_order(mut found: impl Iterator<Item = u64>) -> Option<(u64, u64)> {
    let mut last: BTreeMap<u64, u64> = BTreeMap::new();
    found.find_map(|element| {
        let before = last.insert(element % CALLERS as u64, element);
        before.filter(|before| *before > element).map(|before| (before, element))
    })
}

fn elements(row: &Row) -> Vec<u64> {
    let columns = row.columns().unwrap();
    let text = columns.value(0);
    text.as_str().unwrap().split_whitespace().map(|element| element.parse().unwrap()).collect()
}

/// Sets all callers to work.
pub(super) fn spawn(appends: &Arc<Appends>, dice: &mut Dice, callers: &mut JoinSet<()>) {
    (0..CALLERS).for_each(|caller| {
        callers.spawn(appends.clone().append(caller, Dice::new(dice.roll())));
    });
}
