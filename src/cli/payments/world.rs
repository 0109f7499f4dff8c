//! Where payments happen: countries on a flat map, kinds of business, merchants.

use super::draw::Draw;

/// A place on a flat map, in kilometres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) y: f64,
}

impl Place {
    pub(super) fn distance(self, other: Place) -> f64 {
        let (dx, dy) = (self.x - other.x, self.y - other.y);
        (dx * dx + dy * dy).sqrt()
    }

    /// Somewhere within a square of twice `reach` around here.
    pub(super) fn near(self, reach: f64, draw: &mut Draw) -> Place {
        Place { x: self.x + draw.between(-reach, reach), y: self.y + draw.between(-reach, reach) }
    }
}

/// A country: code, centre (in degrees), hours from UTC, share of the cards.
pub(super) struct Country {
    pub(super) code: &'static str,
    longitude: f64,
    latitude: f64,
    pub(super) utc_hours: i64,
    pub(super) share: f64,
}

impl Country {
    pub(super) fn centre(&self) -> Place {
        Place { x: self.longitude * 85.0, y: self.latitude * 111.0 }
    }
}

const fn country(code: &'static str, longitude: f64, latitude: f64, utc_hours: i64, share: f64) -> Country {
    Country { code, longitude, latitude, utc_hours, share }
}

pub(super) const COUNTRIES: [Country; 20] = [
    country("AE", 54.0, 24.0, 4, 1.0),
    country("AU", 145.0, -35.0, 10, 3.0),
    country("BR", -46.0, -22.0, -3, 5.0),
    country("CA", -79.0, 44.0, -5, 4.0),
    country("DE", 10.0, 51.0, 1, 9.0),
    country("ES", -4.0, 40.0, 1, 5.0),
    country("FR", 2.0, 47.0, 1, 8.0),
    country("GB", -1.0, 52.0, 0, 9.0),
    country("IN", 77.0, 22.0, 5, 6.0),
    country("IT", 12.0, 43.0, 1, 6.0),
    country("JP", 138.0, 36.0, 9, 5.0),
    country("MX", -99.0, 20.0, -6, 3.0),
    country("NG", 7.0, 9.0, 1, 1.0),
    country("NL", 5.0, 52.0, 1, 3.0),
    country("PL", 20.0, 52.0, 1, 4.0),
    country("SE", 17.0, 59.0, 1, 2.0),
    country("SG", 104.0, 1.0, 8, 1.0),
    country("TR", 32.0, 40.0, 3, 3.0),
    country("US", -90.0, 38.0, -6, 20.0),
    country("ZA", 28.0, -28.0, 2, 2.0),
];

/// A kind of business: merchant category code, usual amount in cents, how often it is paid, how often online.
pub(super) struct Category {
    pub(super) code: i32,
    pub(super) cents: f64,
    pub(super) share: f64,
    pub(super) online: f64,
}

const fn category(code: i32, cents: f64, share: f64, online: f64) -> Category {
    Category { code, cents, share, online }
}

pub(super) const CATEGORIES: [Category; 20] = [
    category(4111, 450.0, 9.0, 0.2),     // public transport
    category(4121, 1_700.0, 4.0, 0.5),   // taxi
    category(4511, 38_000.0, 0.6, 0.9),  // airline
    category(4829, 15_000.0, 0.5, 0.8),  // money transfer
    category(5311, 6_400.0, 4.0, 0.3),   // department store
    category(5411, 3_800.0, 22.0, 0.05), // supermarket
    category(5541, 5_200.0, 8.0, 0.0),   // fuel
    category(5651, 7_200.0, 4.0, 0.5),   // clothing
    category(5732, 24_000.0, 1.5, 0.6),  // electronics
    category(5812, 2_900.0, 12.0, 0.02), // restaurant
    category(5814, 1_100.0, 12.0, 0.1),  // fast food
    category(5816, 1_500.0, 4.0, 1.0),   // digital goods
    category(5912, 1_900.0, 5.0, 0.05),  // pharmacy
    category(5942, 2_300.0, 3.0, 0.7),   // books
    category(5944, 52_000.0, 0.2, 0.2),  // jewellery
    category(5968, 1_299.0, 5.0, 1.0),   // subscription
    category(6051, 20_000.0, 0.3, 1.0),  // crypto exchange
    category(7011, 21_000.0, 1.0, 0.5),  // hotel
    category(7995, 4_000.0, 0.8, 0.9),   // betting
    category(8099, 9_000.0, 1.5, 0.1),   // health
];

/// The index of a category by its code.
pub(super) const fn kind(code: i32) -> usize {
    let mut index = 0;
    while CATEGORIES[index].code != code {
        index += 1;
    }
    index
}

/// Merchants of one category in one country.
const MERCHANTS: usize = 12;

/// Half a country's width, in kilometres.
const COUNTRY_REACH: f64 = 250.0;

/// A merchant's number: its country, its category, and which of the merchants there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Merchant(u16);

impl Merchant {
    pub(super) fn country(self) -> usize {
        self.0 as usize / (MERCHANTS * CATEGORIES.len())
    }

    pub(super) fn category(self) -> usize {
        self.0 as usize / MERCHANTS % CATEGORIES.len()
    }

    /// One of 32 marks, to tell merchants apart most of the time.
    pub(super) fn mark(self) -> u32 {
        u32::from(self.0).wrapping_mul(0x9E37_79B1) >> 27
    }
}

/// Where each merchant is.
#[derive(Clone, Debug)]
pub(super) struct World {
    places: Vec<Place>,
}

impl World {
    pub(super) fn new(draw: &mut Draw) -> World {
        let each = CATEGORIES.len() * MERCHANTS;
        let places = COUNTRIES.iter().flat_map(|country| std::iter::repeat_n(country.centre(), each));
        World { places: places.map(|centre| centre.near(COUNTRY_REACH, draw)).collect() }
    }

    pub(super) fn place(&self, merchant: Merchant) -> Place {
        self.places[merchant.0 as usize]
    }

    /// Any merchant of a category in a country.
    pub(super) fn merchant(&self, country: usize, category: usize, draw: &mut Draw) -> Merchant {
        Merchant(((country * CATEGORIES.len() + category) * MERCHANTS + draw.below(MERCHANTS)) as u16)
    }

    /// The closest to a place of a few merchants that come to mind.
    pub(super) fn close(&self, from: Place, country: usize, category: usize, draw: &mut Draw) -> Merchant {
        let mut closest = self.merchant(country, category, draw);
        for _ in 0..3 {
            let other = self.merchant(country, category, draw);
            if self.place(other).distance(from) < self.place(closest).distance(from) {
                closest = other;
            }
        }
        closest
    }
}
