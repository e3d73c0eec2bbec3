//! What a `User-Agent` header says: device class, browser, operating system, and whether a machine sent it.
//!
//! [`device`] is for the redirect path: a few byte comparisons, no regex, no allocation. [`details`] reads the
//! header once, word by word, against one sorted table; it is cheap enough for rules on `os` and `browser` in the
//! middle of a redirect and needs next to no stack, so a coroutine may call it. Writers, who see the same few
//! thousand headers over and over, put [`Cache`] in front. All three agree by construction.
//!
//! A table of whole words, not regexes: a header that a stranger chose costs time in proportion to its length
//! (cut at [`limits::SCANNED_BYTES`]) and to nothing else, and a word such as `google` in a phone's model name
//! cannot turn a person into a crawler.
//!
//! This crate never fails, never panics, never guesses versions, and never looks at anything but the header's
//! bytes: client hints, IP addresses and cookies are somebody else's evidence.
//!
//! ```
//! use waypost_agent::{Browser, Device, Os, details, device};
//!
//! let ua = b"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 \
//!            (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
//! assert_eq!(device(ua), Device::Mobile);
//! let seen = details(ua);
//! assert_eq!((seen.browser, seen.os, seen.bot), (Browser::Safari, Os::Ios, false));
//! assert_eq!(seen.os.as_str(), "iOS");
//! assert!(details(b"curl/8.9.1").bot);
//! ```
#![forbid(unsafe_code)]

mod bot;
mod cache;
mod details;
mod device;
pub mod limits;
mod names;
mod words;

pub use cache::Cache;
pub use details::{Details, details};
pub use device::device;
pub use names::{Browser, Device, Os};
