//! How cards are abused. Thieves are not stupid: part of what they do looks like what owners do.

use super::card::{Card, Purchase};
use super::draw::Draw;
use super::world::{COUNTRIES, Place, World, kind};

const MINUTE_MS: f64 = 60_000.0;

/// A card in the wrong hands, and what is still to come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attack {
    scheme: Scheme,
    left: u32,
    /// Where the thief, or the thief's device, is.
    place: Place,
    country: usize,
    known_device: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Scheme {
    /// The card was stolen: shop after shop near its home, before the owner notices.
    Stolen,
    /// A number from a leak is tried with tiny amounts online, then used once or twice.
    Testing,
    /// The owner's account was taken over: dear things online, over days.
    Takeover,
    /// A copy of the card is used in another country while the owner pays at home.
    Clone,
}

const SCHEMES: [Scheme; 4] = [Scheme::Stolen, Scheme::Testing, Scheme::Takeover, Scheme::Clone];

impl Attack {
    pub(super) fn on(card: &Card, draw: &mut Draw) -> Attack {
        let scheme = draw.one_of(&SCHEMES);
        let (fewest, most) = match scheme {
            Scheme::Stolen => (3, 12),
            Scheme::Testing => (5, 16),
            Scheme::Takeover => (2, 7),
            Scheme::Clone => (2, 6),
        };
        let abroad = match scheme {
            Scheme::Stolen => false,
            Scheme::Testing | Scheme::Takeover => draw.chance(0.5),
            Scheme::Clone => true,
        };
        let country = if abroad { draw.below(COUNTRIES.len()) } else { card.country };
        let place = if abroad { COUNTRIES[country].centre() } else { card.home };
        Attack {
            scheme,
            left: (fewest + draw.below(most - fewest + 1)) as u32,
            place: place.near(60.0, draw),
            country,
            known_device: draw.chance(0.25),
        }
    }

    /// When the thief pays next; none once it is over.
    pub(super) fn next(&self, now: i64, draw: &mut Draw) -> Option<i64> {
        let minutes = match self.scheme {
            Scheme::Stolen => draw.between(2.0, 30.0),
            Scheme::Testing if self.left > 2 => draw.between(0.05, 1.5),
            Scheme::Testing => draw.between(5.0, 120.0),
            Scheme::Takeover => draw.between(20.0, 900.0),
            Scheme::Clone => draw.between(10.0, 120.0),
        };
        (self.left > 0).then_some(now + (minutes * MINUTE_MS) as i64)
    }

    pub(super) fn purchase(&mut self, card: &Card, world: &World, draw: &mut Draw) -> Purchase {
        const GOODS: [usize; 6] = [kind(5311), kind(5411), kind(5541), kind(5651), kind(5732), kind(5944)];
        const ONLINE: [usize; 5] = [kind(4829), kind(5732), kind(5816), kind(6051), kind(4511)];
        const TRIFLES: [usize; 3] = [kind(5816), kind(5968), kind(5942)];
        let testing = self.scheme == Scheme::Testing && self.left > 2;
        self.left -= 1;
        let (category, factor, present) = match self.scheme {
            Scheme::Stolen => (draw.one_of(&GOODS), draw.between(0.8, 3.5), draw.chance(0.85)),
            Scheme::Testing if testing => (draw.one_of(&TRIFLES), draw.between(0.02, 0.15), false),
            Scheme::Testing => (draw.one_of(&ONLINE), draw.between(1.5, 5.0), false),
            Scheme::Takeover => (draw.one_of(&ONLINE), draw.between(0.8, 4.0), false),
            Scheme::Clone => (draw.one_of(&GOODS), draw.between(0.8, 3.0), true),
        };
        let hub = if present || draw.chance(0.4) { self.country } else { draw.below(COUNTRIES.len()) };
        let merchant = world.close(self.place, hub, category, draw);
        Purchase {
            merchant,
            cents: card.cents(category, factor, draw),
            present,
            place: if present { world.place(merchant) } else { self.place },
            country: self.country,
            new_device: !present && !self.known_device,
            fraud: true,
        }
    }
}
