//! A card and the habits of its owner: where they live, when they are awake, what they buy and how much they spend.

use super::draw::Draw;
use super::history::History;
use super::world::{CATEGORIES, COUNTRIES, Merchant, Place, World, kind};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A card, what its owner is like, and what it was used for.
#[derive(Clone, Debug)]
pub(super) struct Card {
    pub(super) country: usize,
    pub(super) home: Place,
    /// Multiplies every category's usual amount.
    pub(super) wealth: f64,
    /// Milliseconds from one payment to the next, on average.
    pace: f64,
    /// The local hour of getting up.
    rises: i64,
    /// How much of each category they buy.
    taste: [f64; CATEGORIES.len()],
    favourites: Vec<Merchant>,
    trip: Option<Trip>,
    pub(super) history: History,
}

#[derive(Clone, Copy, Debug)]
struct Trip {
    country: usize,
    stay: Place,
    until: i64,
}

/// A payment about to be made: all that isn't history.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purchase {
    pub(super) merchant: Merchant,
    pub(super) cents: i64,
    pub(super) present: bool,
    /// Where the card is, or the device that pays online.
    pub(super) place: Place,
    /// The country of that place.
    pub(super) country: usize,
    pub(super) new_device: bool,
    pub(super) fraud: bool,
}

/// How the owner pays this time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mood {
    /// As always.
    Usual,
    /// Shopping: shop after shop, spending more.
    Spree,
    /// Small things, one after the other: games, fares.
    Small,
}

impl Card {
    pub(super) fn new(since: i64, world: &World, draw: &mut Draw) -> Card {
        let country = draw.weighted(COUNTRIES.iter().map(|country| country.share));
        let home = COUNTRIES[country].centre().near(200.0, draw);
        let taste = CATEGORIES.each_ref().map(|category| category.share * draw.skewed());
        let favourites = (0..CATEGORIES.len()).flat_map(|category| [category; 2]);
        let favourites = favourites.map(|category| world.close(home, country, category, draw)).collect();
        Card {
            country,
            home,
            wealth: 0.5 + 0.7 * draw.skewed(),
            pace: DAY_MS as f64 / draw.between(1.5, 6.0),
            rises: 5 + draw.below(6) as i64,
            taste,
            favourites,
            trip: None,
            history: History::new(since - (draw.between(0.0, 1000.0) * DAY_MS as f64) as i64),
        }
    }

    /// When the owner pays next: after a pause, and mostly while awake.
    pub(super) fn next(&self, now: i64, draw: &mut Draw) -> i64 {
        let pause = self.pace * (0.01 + 0.64 * draw.skewed());
        let then = now + pause as i64;
        let country = self.trip.map_or(self.country, |trip| trip.country);
        let awake = (local_hour(then, country) as i64 - self.rises).rem_euclid(24);
        if awake < 16 || draw.chance(0.05) {
            return then;
        }
        then + (24 - awake) * HOUR_MS + (draw.between(0.0, 4.0) * HOUR_MS as f64) as i64
    }

    pub(super) fn purchase(&mut self, now: i64, mood: Mood, world: &World, draw: &mut Draw) -> Purchase {
        self.travel(now, draw);
        let category = self.category(mood, draw);
        let (country, around) = self.trip.map_or((self.country, self.home), |trip| (trip.country, trip.stay));
        let present = !draw.chance(CATEGORIES[category].online);
        let merchant = if !present && draw.chance(0.25) {
            world.merchant(draw.weighted(COUNTRIES.iter().map(|country| country.share)), category, draw)
        } else if self.trip.is_none() && draw.chance(0.7) {
            self.favourites[2 * category + draw.below(2)]
        } else {
            world.close(around, country, category, draw)
        };
        let factor = match mood {
            Mood::Usual if draw.chance(0.015) => draw.between(3.0, 12.0),
            Mood::Usual => 1.0,
            Mood::Spree => draw.between(0.8, 3.0),
            Mood::Small => draw.between(0.05, 0.4),
        };
        Purchase {
            merchant,
            cents: self.cents(category, factor, draw),
            present,
            place: if present { world.place(merchant) } else { around.near(15.0, draw) },
            country,
            new_device: !present && draw.chance(0.02),
            fraud: false,
        }
    }

    /// What a payment in this category costs the owner, times `factor`.
    pub(super) fn cents(&self, category: usize, factor: f64, draw: &mut Draw) -> i64 {
        let spread = 0.4 + 0.6 * draw.skewed();
        let cents = CATEGORIES[category].cents * self.wealth.sqrt() * spread * factor;
        // Prices like to end in nines and zeroes.
        let cents = cents as i64;
        if draw.chance(0.3) { (cents / 100 * 100 - 1).max(49) } else { cents.max(25) }
    }

    fn category(&self, mood: Mood, draw: &mut Draw) -> usize {
        const SHOPS: [usize; 5] = [kind(5311), kind(5651), kind(5732), kind(5942), kind(5944)];
        const TRIFLES: [usize; 3] = [kind(4111), kind(5814), kind(5816)];
        match mood {
            Mood::Usual => draw.weighted(self.taste.iter().copied()),
            Mood::Spree => draw.one_of(&SHOPS),
            Mood::Small => draw.one_of(&TRIFLES),
        }
    }

    fn travel(&mut self, now: i64, draw: &mut Draw) {
        match self.trip {
            Some(trip) if now > trip.until => self.trip = None,
            None if draw.chance(0.004) => {
                let country = draw.below(COUNTRIES.len());
                let stay = COUNTRIES[country].centre().near(150.0, draw);
                let until = now + (draw.between(1.0, 12.0) * DAY_MS as f64) as i64;
                self.trip = Some(Trip { country, stay, until });
            }
            Some(_) | None => {}
        }
    }
}

/// The hour of the day where the sun of a country shines.
pub(super) fn local_hour(time: i64, country: usize) -> usize {
    ((time.div_euclid(HOUR_MS) + COUNTRIES[country].utc_hours).rem_euclid(24)) as usize
}
