//! The Date field (RFC 9110 section 5.6.7), formatted once a second and worker.
//!
//! The cache is a thread-local that is read and written within one call: nothing of it is held when a coroutine
//! is suspended.

use std::cell::Cell;

/// The end of a head without a body; the field alone is a part of it.
type Ending = [u8; 58];

const UNSET: &Ending = b"Content-Length: 0\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n";
/// Where the field stands.
const FIELD: std::ops::Range<usize> = 19..56;

thread_local! {
    static CACHE: Cell<(u64, Ending)> = const { Cell::new((0, *UNSET)) };
}

/// Appends the Date field.
pub(crate) fn push_field(out: &mut Vec<u8>, unix_seconds: u64) {
    out.extend_from_slice(&ending(unix_seconds)[FIELD]);
}

/// Appends all that the head of an answer without a body ends with: its length, the Date field and the empty line.
#[inline]
pub(crate) fn push_ending(out: &mut Vec<u8>, unix_seconds: u64) {
    out.extend_from_slice(&ending(unix_seconds));
}

#[inline(never)]
fn ending(unix_seconds: u64) -> Ending {
    CACHE.with(|cache| {
        let (second, mut ending) = cache.get();
        if second != unix_seconds {
            ending = format_ending(unix_seconds);
            cache.set((unix_seconds, ending));
        }
        ending
    })
}

fn format_ending(unix_seconds: u64) -> Ending {
    const DAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
    const MONTHS: [&[u8; 3]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    let days = unix_seconds / 86_400;
    let second = unix_seconds % 86_400;
    let (year, month, day) = civil(days);
    let mut ending = *UNSET;
    let line = &mut ending[FIELD];
    line[6..9].copy_from_slice(DAYS[(days % 7) as usize]);
    put(&mut line[11..13], day);
    line[14..17].copy_from_slice(MONTHS[(month - 1) as usize]);
    put(&mut line[18..22], year);
    put(&mut line[23..25], second / 3600);
    put(&mut line[26..28], second / 60 % 60);
    put(&mut line[29..31], second % 60);
    ending
}

/// Year, month and day of a day since 1970 in the Gregorian calendar: years are counted from March, in eras of 400.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

fn put(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let rows = [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_709_164_799, "Wed, 28 Feb 2024 23:59:59 GMT"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
            (4_102_444_800, "Fri, 01 Jan 2100 00:00:00 GMT"),
        ];
        for (second, expected) in rows {
            let mut out = Vec::new();
            push_field(&mut out, second);
            assert_eq!(String::from_utf8_lossy(&out), format!("Date: {expected}\r\n"));
            out.clear();
            push_ending(&mut out, second);
            let expected = format!("Content-Length: 0\r\nDate: {expected}\r\n\r\n");
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }
}
