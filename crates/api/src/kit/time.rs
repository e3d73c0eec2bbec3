//! Times on the wire: RFC 3339 in UTC, UTC dates, and wall clocks at a fixed offset.

use jiff::{
    civil::{Date, DateTime},
    tz::Offset,
};
use waypost_link::Timestamp;

/// `2025-07-27T21:30:00Z`: whole seconds, whatever the fraction.
pub fn seconds(at: Timestamp) -> String {
    rfc3339(Timestamp::from_seconds(at.seconds()))
}

/// `2024-12-01T10:00:00.000Z`: three decimals, always.
pub fn millis(at: Timestamp) -> String {
    let at = instant(at);
    format!("{at:.3}")
}

/// RFC 3339 with the fraction that it has: none, three digits or six.
pub fn rfc3339(at: Timestamp) -> String {
    let instant = instant(at);
    match at.0.rem_euclid(Timestamp::SECOND) {
        0 => instant.to_string(),
        micros if micros % 1_000 == 0 => format!("{instant:.3}"),
        _ => format!("{instant:.6}"),
    }
}

/// The instant of an RFC 3339 text, at any offset.
pub fn parse(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(stamp)
}

/// `2025-07-27`: a UTC day, counted from 1970.
pub fn date(day: i64) -> String {
    let start = Timestamp(day.saturating_mul(Timestamp::DAY));
    Offset::UTC.to_datetime(instant(start)).date().to_string()
}

/// The UTC day of `2025-07-27`, counted from 1970; nothing else is a date.
pub fn parse_date(text: &str) -> Option<i64> {
    let date: Date = exactly(text, 10)?.parse().ok()?;
    let start = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
    Some(stamp(start).day())
}

/// `2024-11-24 10:35:16` on a clock that is `offset` seconds ahead of UTC.
pub fn wall(at: Timestamp, offset: i32) -> String {
    let offset = Offset::from_seconds(offset).unwrap_or(Offset::UTC);
    offset.to_datetime(instant(at)).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2024-11-24T10:35:16-06:00`: ISO 8601 on such a clock.
pub fn offset_rfc3339(at: Timestamp, offset: i32) -> String {
    let offset = Offset::from_seconds(offset).unwrap_or(Offset::UTC);
    let zoned = instant(at).to_zoned(offset.to_time_zone());
    zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// The instant of `2024-11-24 10:35:16`, or of `2024-11-24` at midnight, on such a clock.
pub fn parse_wall(text: &str, offset: i32) -> Option<Timestamp> {
    let offset = Offset::from_seconds(offset).ok()?;
    let local: DateTime = match exactly(text, 10) {
        Some(date) => date.parse::<Date>().ok()?.at(0, 0, 0, 0),
        None => DateTime::strptime("%Y-%m-%d %H:%M:%S", exactly(text, 19)?).ok()?,
    };
    offset.to_timestamp(local).ok().map(stamp)
}

fn exactly(text: &str, length: usize) -> Option<&str> {
    Some(text).filter(|text| text.len() == length)
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(at.0).unwrap_or_default()
}

fn stamp(at: jiff::Timestamp) -> Timestamp {
    Timestamp(at.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_their_fractions() {
        for (text, shown) in [
            ("2025-07-27T21:15:30Z", "2025-07-27T21:15:30Z"),
            ("2025-07-27T23:15:30+02:00", "2025-07-27T21:15:30Z"),
            ("2025-07-27T21:15:30.5Z", "2025-07-27T21:15:30.500Z"),
            ("2025-07-27T21:15:30.000001Z", "2025-07-27T21:15:30.000001Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(parse(text).map(rfc3339).as_deref(), Some(shown), "{text}");
        }
        for text in ["", "2025-07-27", "2025-07-27T21:15:30", "2025-13-27T21:15:30Z", "now"] {
            assert_eq!(parse(text), None, "{text}");
        }
        let at = parse("2025-07-27T21:15:30.25Z").unwrap_or_default();
        assert_eq!(seconds(at), "2025-07-27T21:15:30Z");
        assert_eq!(millis(at), "2025-07-27T21:15:30.250Z");
    }

    #[test]
    fn dates_and_walls() {
        for (text, day) in [
            ("1970-01-01", Some(0)),
            ("2025-07-27", Some(20_296)),
            ("2025-02-29", None),
            ("2025-7-27", None),
            ("20250727", None),
        ] {
            assert_eq!(parse_date(text), day, "{text}");
            day.into_iter().for_each(|day| assert_eq!(date(day), text));
        }
        let central = -6 * 3_600;
        for (text, expected) in [
            ("2024-11-24 10:35:16", Some("2024-11-24T16:35:16Z")),
            ("2024-11-24", Some("2024-11-24T06:00:00Z")),
            ("2024-11-24T10:35:16", None),
            ("2024-11-24 25:00:00", None),
            ("24.11.2024", None),
        ] {
            let at = parse_wall(text, central);
            assert_eq!(at.map(rfc3339).as_deref(), expected, "{text}");
        }
        let at = parse("2024-11-24T16:35:16Z").unwrap_or_default();
        assert_eq!(wall(at, central), "2024-11-24 10:35:16");
        assert_eq!(offset_rfc3339(at, central), "2024-11-24T10:35:16-06:00");
    }
}
