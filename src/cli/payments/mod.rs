//! Simulated card payments: what `embergrid demo` streams, the payments model learnt from, and benches write.
//!
//! Owners with habits (country, hours, shops, amounts), who travel, go shopping and buy trifles in a row; and thieves
//! with four schemes. The same seed gives the same payments on every machine. None of it is real, and a model that
//! learnt from it knows this simulation and nothing else. The history features (counts, sums, ratios) are computed
//! here, from the card's payments before the one at hand.

mod card;
mod columns;
mod draw;
mod fraud;
mod history;
#[cfg(test)]
mod tests;
mod world;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use card::{Card, Mood, Purchase, local_hour};
pub use columns::{COLUMNS, Column, write_csv};
use draw::Draw;
use fraud::Attack;
use history::Past;
use serde::Serialize;
use world::{CATEGORIES, COUNTRIES, World};

/// Cards in use.
const CARDS: usize = 4_000;

/// 2026-01-05, a Monday, in milliseconds since the Unix epoch.
const START: i64 = 1_767_571_200_000;

const DAY_MS: i64 = 86_400_000;

/// Payments made before the first that is handed out, so that cards have a history.
const BEFORE: usize = 20_000;

/// The most by which a time since the last payment counts, in seconds: 30 days.
const LONG_AGO: f64 = 2_592_000.0;

/// One card payment, with what is known about it when it is made, and in the end whether it was fraud.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Payment {
    /// Its key: 1, 2, 3 ..
    #[serde(skip)]
    pub id: i64,
    /// The card.
    pub card: String,
    /// When, in milliseconds since the Unix epoch.
    pub time: i64,
    /// The country where the card, or the device that pays online, is.
    pub country: &'static str,
    /// The amount.
    pub amount: f64,
    /// The hour of the day there.
    pub hour: i32,
    /// The day of the week there, Monday being 0.
    pub weekday: i32,
    /// The merchant's category code (ISO 18245).
    pub merchant_category: i32,
    /// Whether the card itself was there.
    pub card_present: bool,
    /// Whether the merchant is in another country than the owner's home.
    pub foreign: bool,
    /// Whether the last payment was made in another country.
    pub country_changed: bool,
    /// Kilometres from the owner's home.
    pub distance_from_home: f32,
    /// Kilometres from the last payment.
    pub distance_from_last: f32,
    /// Kilometres an hour since the last payment.
    pub speed_from_last: f32,
    /// Seconds since the last payment, at most 30 days.
    pub seconds_since_last: f32,
    /// Whether the card isn't known to have paid this merchant before.
    pub new_merchant: bool,
    /// Whether the card has never paid in this category before.
    pub new_category: bool,
    /// Whether the device that pays online is a new one.
    pub new_device: bool,
    /// Payments in the last hour.
    pub count_1h: i32,
    /// Payments in the last 24 hours.
    pub count_24h: i32,
    /// Payments in the last 7 days.
    pub count_7d: i32,
    /// Their sum in the last hour.
    pub sum_1h: f32,
    /// Their sum in the last 24 hours.
    pub sum_24h: f32,
    /// Their sum in the last 7 days.
    pub sum_7d: f32,
    /// Their greatest in the last 7 days.
    pub max_7d: f32,
    /// The amount over the mean of all payments of the card.
    pub amount_to_mean: f32,
    /// The amount over the greatest of the last 7 days.
    pub amount_to_max_7d: f32,
    /// Standard deviations of the amount from that mean.
    pub amount_deviation: f32,
    /// Payments below 3.00 in the last hour.
    pub small_1h: i32,
    /// Merchants paid in the last 24 hours.
    pub merchants_24h: i32,
    /// Countries paid from in the last 7 days.
    pub countries_7d: i32,
    /// The share of the card's payments made around this hour of the day.
    pub usual_hour: f32,
    /// Days since the card was issued.
    pub card_age_days: f32,
    /// Payments of the last hour over the week's mean an hour.
    pub pace_1h: f32,
    /// Whether it was fraud, as found out later.
    pub is_fraud: bool,
}

/// An endless stream of payments in order of time.
#[derive(Clone, Debug)]
pub struct Simulator {
    draw: Draw,
    world: World,
    cards: Vec<Card>,
    events: BinaryHeap<Reverse<Event>>,
    scheduled: u64,
    made: i64,
}

/// A payment to come: earlier ones first, then those scheduled earlier.
#[derive(Clone, Debug)]
struct Event {
    time: i64,
    number: u64,
    card: usize,
    act: Act,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    /// The owner pays, and will go on doing so.
    Owner,
    /// The owner pays this many times in a row.
    Row(Mood, u32),
    /// A thief pays.
    Thief(Attack),
}

impl PartialEq for Event {
    fn eq(&self, other: &Event) -> bool {
        self.number == other.number
    }
}

impl Eq for Event {}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Event) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Event {
    fn cmp(&self, other: &Event) -> std::cmp::Ordering {
        (self.time, self.number).cmp(&(other.time, other.number))
    }
}

impl Simulator {
    /// The payments of this seed.
    pub fn new(seed: u64) -> Simulator {
        let mut draw = Draw::new(seed);
        let world = World::new(&mut draw);
        let cards = (0..CARDS).map(|_| Card::new(START, &world, &mut draw)).collect();
        let mut simulator =
            Simulator { draw, world, cards, events: BinaryHeap::new(), scheduled: 0, made: -(BEFORE as i64) };
        for card in 0..CARDS {
            let time = START + (simulator.draw.unit() * DAY_MS as f64) as i64;
            simulator.schedule(time, card, Act::Owner);
        }
        for _ in 0..BEFORE {
            simulator.step();
        }
        simulator
    }

    fn schedule(&mut self, time: i64, card: usize, act: Act) {
        self.scheduled += 1;
        self.events.push(Reverse(Event { time, number: self.scheduled, card, act }));
    }

    fn step(&mut self) -> Option<Payment> {
        let Reverse(Event { time, card, act, .. }) = self.events.pop()?;
        let purchase = match act {
            Act::Owner => self.owner_pays(time, card),
            Act::Row(mood, left) => {
                if left > 1 {
                    let pause = self.draw.between(0.5, 25.0) * 60_000.0;
                    self.schedule(time + pause as i64, card, Act::Row(mood, left - 1));
                }
                self.cards[card].purchase(time, mood, &self.world, &mut self.draw)
            }
            Act::Thief(mut attack) => {
                let purchase = attack.purchase(&self.cards[card], &self.world, &mut self.draw);
                if let Some(next) = attack.next(time, &mut self.draw) {
                    self.schedule(next, card, Act::Thief(attack));
                }
                purchase
            }
        };
        Some(self.pay(time, card, purchase))
    }

    fn owner_pays(&mut self, time: i64, card: usize) -> Purchase {
        let next = self.cards[card].next(time, &mut self.draw);
        self.schedule(next, card, Act::Owner);
        if self.draw.chance(0.02) {
            let mood = self.draw.one_of(&[Mood::Spree, Mood::Small]);
            let times = 2 + self.draw.below(6) as u32;
            self.schedule(time + 300_000, card, Act::Row(mood, times));
        }
        if self.draw.chance(0.0016) {
            let attack = Attack::on(&self.cards[card], &mut self.draw);
            let start = time + (self.draw.between(0.05, 40.0) * 3_600_000.0) as i64;
            self.schedule(start, card, Act::Thief(attack));
        }
        self.cards[card].purchase(time, Mood::Usual, &self.world, &mut self.draw)
    }

    fn pay(&mut self, time: i64, number: usize, purchase: Purchase) -> Payment {
        self.made += 1;
        let card = &mut self.cards[number];
        let hour = local_hour(time, purchase.country);
        let past = Past {
            time,
            cents: purchase.cents,
            merchant: purchase.merchant,
            place: purchase.place,
            country: purchase.country,
            hour,
        };
        let payment = describe(self.made, number, card, past, purchase);
        card.history.add(past);
        payment
    }
}

impl Iterator for Simulator {
    type Item = Payment;

    fn next(&mut self) -> Option<Payment> {
        self.step()
    }
}

/// The payment with its features, history being what came before it.
fn describe(id: i64, number: usize, card: &Card, now: Past, purchase: Purchase) -> Payment {
    let windows = card.history.windows(now.time);
    let amount = now.cents as f64;
    let last = card.history.last();
    let seconds = last.map_or(LONG_AGO, |last| ((now.time - last.time) as f64 / 1000.0).min(LONG_AGO));
    let moved = last.map_or(0.0, |last| last.place.distance(now.place));
    let local_day = (now.time + COUNTRIES[now.country].utc_hours * 3_600_000 - START).div_euclid(DAY_MS);
    Payment {
        id,
        card: format!("card-{:05}", number + 1),
        time: now.time,
        country: COUNTRIES[now.country].code,
        amount: amount / 100.0,
        hour: now.hour as i32,
        weekday: local_day.rem_euclid(7) as i32,
        merchant_category: CATEGORIES[now.merchant.category()].code,
        card_present: purchase.present,
        foreign: now.merchant.country() != card.country,
        country_changed: last.is_some_and(|last| last.country != now.country),
        distance_from_home: card.home.distance(now.place) as f32,
        distance_from_last: moved as f32,
        speed_from_last: (moved / (seconds / 3600.0 + 0.1)) as f32,
        seconds_since_last: seconds as f32,
        new_merchant: !card.history.knows(now.merchant),
        new_category: !card.history.knows_category(now.merchant),
        new_device: purchase.new_device,
        count_1h: windows.hour.count,
        count_24h: windows.day.count,
        count_7d: windows.week.count,
        sum_1h: (windows.hour.cents as f64 / 100.0) as f32,
        sum_24h: (windows.day.cents as f64 / 100.0) as f32,
        sum_7d: (windows.week.cents as f64 / 100.0) as f32,
        max_7d: (windows.week.largest as f64 / 100.0) as f32,
        amount_to_mean: (amount / card.history.mean(amount)) as f32,
        amount_to_max_7d: (amount / windows.week.largest.max(100) as f64) as f32,
        amount_deviation: card.history.deviations(now.cents) as f32,
        small_1h: windows.hour.small,
        merchants_24h: windows.day.merchants(),
        countries_7d: windows.week.countries(),
        usual_hour: card.history.usual_hour(now.hour) as f32,
        card_age_days: card.history.days(now.time) as f32,
        pace_1h: (f64::from(windows.hour.count) * 168.0 / f64::from(windows.week.count.max(1))) as f32,
        is_fraud: purchase.fraud,
    }
}
