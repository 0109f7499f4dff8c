//! `EXTRACT`, in UTC.

use sqlparser::ast::DateTimeField;

use super::value::{Type, Value};
use crate::types::Timestamp;

/// A part of a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
    /// 0 is Sunday.
    DayOfWeek,
    /// 1 is Monday, 7 is Sunday.
    IsoDayOfWeek,
    DayOfYear,
    /// Seconds since 1970 with a fraction.
    Epoch,
}

impl Field {
    pub(super) fn of(field: &DateTimeField) -> Option<Field> {
        Some(match field {
            DateTimeField::Year | DateTimeField::Years => Field::Year,
            DateTimeField::Quarter => Field::Quarter,
            DateTimeField::Month | DateTimeField::Months => Field::Month,
            DateTimeField::Week(None) | DateTimeField::IsoWeek => Field::Week,
            DateTimeField::Day | DateTimeField::Days => Field::Day,
            DateTimeField::Hour | DateTimeField::Hours => Field::Hour,
            DateTimeField::Minute | DateTimeField::Minutes => Field::Minute,
            DateTimeField::Second | DateTimeField::Seconds => Field::Second,
            DateTimeField::Millisecond | DateTimeField::Milliseconds => Field::Millisecond,
            DateTimeField::Dow | DateTimeField::DayOfWeek => Field::DayOfWeek,
            DateTimeField::Isodow => Field::IsoDayOfWeek,
            DateTimeField::Doy | DateTimeField::DayOfYear => Field::DayOfYear,
            DateTimeField::Epoch => Field::Epoch,
            _ => return None,
        })
    }

    pub(super) fn value_type(self) -> Type {
        if self == Field::Epoch { Type::Float } else { Type::Int }
    }

    /// The part of `at`; null where the calendar ends (years -9999 to 9999).
    pub(super) fn extract(self, at: Timestamp) -> Value<'static> {
        if self == Field::Epoch {
            return Value::Float(at.0 as f64 / 1000.0);
        }
        let Ok(instant) = jiff::Timestamp::from_millisecond(at.0) else { return Value::Null };
        let civil = jiff::tz::Offset::UTC.to_datetime(instant);
        let date = civil.date();
        Value::Int(match self {
            Field::Year => civil.year().into(),
            Field::Quarter => (i64::from(civil.month()) - 1) / 3 + 1,
            Field::Month => civil.month().into(),
            Field::Week => date.iso_week_date().week().into(),
            Field::Day => civil.day().into(),
            Field::Hour => civil.hour().into(),
            Field::Minute => civil.minute().into(),
            Field::Second => civil.second().into(),
            Field::Millisecond => i64::from(civil.second()) * 1000 + i64::from(civil.millisecond()),
            Field::DayOfWeek => date.weekday().to_sunday_zero_offset().into(),
            Field::IsoDayOfWeek => date.weekday().to_monday_one_offset().into(),
            Field::DayOfYear => date.day_of_year().into(),
            Field::Epoch => return Value::Null,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extracts_in_utc() {
        // Thursday, 2024-02-29T23:59:58.250Z.
        let at = Timestamp(1_709_251_198_250);
        for (field, expected) in [
            (Field::Year, 2024),
            (Field::Quarter, 1),
            (Field::Month, 2),
            (Field::Week, 9),
            (Field::Day, 29),
            (Field::Hour, 23),
            (Field::Minute, 59),
            (Field::Second, 58),
            (Field::Millisecond, 58_250),
            (Field::DayOfWeek, 4),
            (Field::IsoDayOfWeek, 4),
            (Field::DayOfYear, 60),
        ] {
            assert_eq!(field.extract(at), Value::Int(expected), "{field:?}");
        }
        assert_eq!(Field::Epoch.extract(at), Value::Float(1_709_251_198.25));
        assert_eq!(Field::Hour.extract(Timestamp(-1)), Value::Int(23));
        assert_eq!(Field::Year.extract(Timestamp(i64::MAX)), Value::Null);
    }
}
