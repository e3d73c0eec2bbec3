//! The device class from the start of the header: what the redirect path asks.
//!
//! Browsers put the platform first, in the parenthesis after `Mozilla/5.0`, so nearly every header is decided by one
//! comparison there (and, on Android, one search for the word `Mobile`, which Google asks phones to send and tablets
//! to leave out). What starts otherwise is read word by word.

use crate::limits::scanned;
use crate::names::Device;
use crate::words::{Seen, Trait};
use memchr::memmem::find;

/// The device class that `ua` claims. See [`Device`] for what counts as which.
///
/// Costs some 10 ns for a browser's header and allocates nothing.
///
/// ```
/// use waypost_agent::{Device, device};
/// assert_eq!(device(b"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"), Device::Desktop);
/// assert_eq!(device(b"Mozilla/5.0 (iPad; CPU OS 12_5_7 like Mac OS X) Mobile/15E148"), Device::Tablet);
/// assert_eq!(device(b""), Device::Desktop);
/// ```
#[must_use]
pub fn device(ua: &[u8]) -> Device {
    let ua = scanned(ua);
    by_platform(ua).unwrap_or_else(|| by_words(ua, Seen::read(ua)))
}

/// The same for a caller who has read the words already.
pub(crate) fn device_of(ua: &[u8], seen: Seen) -> Device {
    by_platform(ua).unwrap_or_else(|| by_words(ua, seen))
}

/// The platforms that a first look settles.
fn by_platform(ua: &[u8]) -> Option<Device> {
    let platform = ua.strip_prefix(b"Mozilla/5.0 (")?;
    let starts = |name: &str| platform.starts_with(name.as_bytes());
    if starts("Windows NT") || starts("Macintosh") || starts("X11") {
        Some(Device::Desktop)
    } else if starts("iPhone") {
        Some(Device::Mobile)
    } else if starts("iPad") {
        Some(Device::Tablet)
    } else if starts("Linux; Android") && find(platform, b" Mobile").is_some() {
        Some(Device::Mobile)
    } else {
        None
    }
}

/// Everything else, from the words found anywhere.
fn by_words(ua: &[u8], seen: Seen) -> Device {
    let phone = seen.has(Trait::Phone) || seen.has(Trait::Mobile);
    if seen.has(Trait::Windows) && !phone {
        Device::Desktop // Internet Explorer says "Tablet PC" on every Windows that could take a pen
    } else if seen.has(Trait::Tablet) {
        Device::Tablet
    } else if phone {
        Device::Mobile
    } else if seen.has(Trait::Android) && !seen.has(Trait::Television) {
        // Only browsers keep to the convention; an app's own client says no more than "Android".
        if ua.starts_with(b"Mozilla/") { Device::Tablet } else { Device::Mobile }
    } else {
        Device::Desktop
    }
}
