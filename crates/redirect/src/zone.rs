//! The wall clock of a workspace, for rules on time and date.
//!
//! The time zone database is the one compiled in, so that no redirect ever reads a file; zones are parsed once.

use jiff::tz::TimeZoneDatabase;
use waypost_link::{Timestamp, Zone};

/// How far the zone `name` (IANA, any case) is ahead of UTC at `at`; UTC for a name that doesn't exist.
///
/// ```
/// use waypost_link::{Timestamp, Zone};
/// let summer = Timestamp::from_seconds(1_783_000_000);
/// assert_eq!(waypost_redirect::zone_at("Europe/Berlin", summer), Zone { offset: 7_200 });
/// ```
pub fn zone_at(name: &str, at: Timestamp) -> Zone {
    if name == "UTC" {
        return Zone::UTC;
    }
    let zone = TimeZoneDatabase::bundled().get(name);
    match (zone, jiff::Timestamp::from_microsecond(at.0)) {
        (Ok(zone), Ok(at)) => Zone { offset: zone.to_offset(at).seconds() },
        _ => Zone::UTC,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_follow_the_season() {
        let (winter, summer) = (1_768_000_000, 1_783_000_000);
        for (name, seconds, offset) in [
            ("UTC", winter, 0),
            ("Europe/Berlin", winter, 3_600),
            ("Europe/Berlin", summer, 7_200),
            ("europe/berlin", summer, 7_200),
            ("America/St_Johns", winter, -12_600),
            ("Asia/Kathmandu", winter, 20_700),
            ("Mars/Olympus", winter, 0),
            ("../../etc/passwd", winter, 0),
            ("", winter, 0),
        ] {
            let zone = zone_at(name, Timestamp::from_seconds(seconds));
            assert_eq!(zone, Zone { offset }, "{name}");
        }
        assert_eq!(zone_at("Europe/Berlin", Timestamp(i64::MAX)), Zone::UTC);
    }
}
