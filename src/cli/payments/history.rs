//! What a card did before: the source of its history features, which exclude the payment at hand.

use std::collections::VecDeque;

use super::world::{Merchant, Place};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// At most this many payments of the last seven days are looked at.
const RECENT: usize = 256;

/// Merchants that a card remembers, the latest first.
const REMEMBERED: usize = 48;

/// A payment below this is small, in cents.
const SMALL: i64 = 300;

/// One payment, as history sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Past {
    pub(super) time: i64,
    pub(super) cents: i64,
    pub(super) merchant: Merchant,
    pub(super) place: Place,
    pub(super) country: usize,
    pub(super) hour: usize,
}

/// What a card did before.
#[derive(Clone, Debug)]
pub(super) struct History {
    since: i64,
    recent: VecDeque<Past>,
    merchants: VecDeque<Merchant>,
    categories: u32,
    hours: [u32; 24],
    count: u32,
    sum: f64,
    squares: f64,
}

/// Sums over the payments within a span of time before now.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    pub(super) count: i32,
    pub(super) cents: i64,
    pub(super) small: i32,
    pub(super) largest: i64,
    merchants: u32,
    countries: u32,
}

impl Window {
    fn add(&mut self, past: &Past) {
        self.count += 1;
        self.cents += past.cents;
        self.small += i32::from(past.cents < SMALL);
        self.largest = self.largest.max(past.cents);
        self.merchants |= 1 << past.merchant.mark();
        self.countries |= 1 << past.country;
    }

    /// Distinct merchants, nearly: those that share one of 32 marks count once.
    pub(super) fn merchants(&self) -> i32 {
        self.merchants.count_ones() as i32
    }

    pub(super) fn countries(&self) -> i32 {
        self.countries.count_ones() as i32
    }
}

/// The windows of one hour, one day and seven days.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Windows {
    pub(super) hour: Window,
    pub(super) day: Window,
    pub(super) week: Window,
}

impl History {
    pub(super) fn new(since: i64) -> History {
        History {
            since,
            recent: VecDeque::new(),
            merchants: VecDeque::new(),
            categories: 0,
            hours: [0; 24],
            count: 0,
            sum: 0.0,
            squares: 0.0,
        }
    }

    pub(super) fn windows(&self, now: i64) -> Windows {
        let mut windows = Windows::default();
        for past in self.recent.iter().rev() {
            let age = now - past.time;
            if age > 7 * DAY_MS {
                break;
            }
            windows.week.add(past);
            if age <= DAY_MS {
                windows.day.add(past);
            }
            if age <= HOUR_MS {
                windows.hour.add(past);
            }
        }
        windows
    }

    pub(super) fn last(&self) -> Option<&Past> {
        self.recent.back()
    }

    pub(super) fn days(&self, now: i64) -> f64 {
        (now - self.since) as f64 / DAY_MS as f64
    }

    pub(super) fn knows(&self, merchant: Merchant) -> bool {
        self.merchants.contains(&merchant)
    }

    pub(super) fn knows_category(&self, merchant: Merchant) -> bool {
        self.categories >> merchant.category() & 1 == 1
    }

    /// The share of all payments that were made within an hour of this hour of the day; before the first, 1/8.
    pub(super) fn usual_hour(&self, hour: usize) -> f64 {
        let near = [hour + 23, hour, hour + 1].map(|hour| self.hours[hour % 24]);
        (f64::from(near.iter().sum::<u32>()) + 1.0) / (f64::from(self.count) + 8.0)
    }

    /// The mean amount in cents; before the first, `instead`.
    pub(super) fn mean(&self, instead: f64) -> f64 {
        if self.count == 0 { instead } else { self.sum / f64::from(self.count) }
    }

    /// How many standard deviations an amount is above the mean; 0 before the third payment.
    pub(super) fn deviations(&self, cents: i64) -> f64 {
        if self.count < 3 {
            return 0.0;
        }
        let mean = self.sum / f64::from(self.count);
        let variance = (self.squares / f64::from(self.count) - mean * mean).max(0.0);
        (cents as f64 - mean) / (variance.sqrt() + 100.0)
    }

    pub(super) fn add(&mut self, past: Past) {
        while self.recent.len() >= RECENT
            || self.recent.front().is_some_and(|first| past.time - first.time > 7 * DAY_MS)
                && self.recent.len() > 1
        {
            self.recent.pop_front();
        }
        self.recent.push_back(past);
        self.merchants.retain(|merchant| *merchant != past.merchant);
        self.merchants.truncate(REMEMBERED - 1);
        self.merchants.push_front(past.merchant);
        self.categories |= 1 << past.merchant.category();
        self.hours[past.hour] += 1;
        self.count += 1;
        self.sum += past.cents as f64;
        self.squares += past.cents as f64 * past.cents as f64;
    }
}
