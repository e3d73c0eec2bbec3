//! Browser, operating system, device and bot flag together.

use crate::bot;
use crate::device::device_of;
use crate::limits::scanned;
use crate::names::{Browser, Device, Os};
use crate::words::{Seen, Trait};

/// Browsers, the most telling name first: nearly all of them also send those of the ones further down.
const BROWSERS: &[Browser] = &[
    Browser::Instagram,
    Browser::Facebook,
    Browser::TikTok,
    Browser::Snapchat,
    Browser::Pinterest,
    Browser::LinkedIn,
    Browser::Line,
    Browser::WeChat,
    Browser::Edge,
    Browser::Opera,
    Browser::Samsung,
    Browser::Yandex,
    Browser::Vivaldi,
    Browser::Brave,
    Browser::DuckDuckGo,
    Browser::Uc,
    Browser::Qq,
    Browser::Mi,
    Browser::Huawei,
    Browser::Whale,
    Browser::Silk,
    Browser::Firefox,
    Browser::GoogleApp,
    Browser::InternetExplorer,
    Browser::Chrome,
    Browser::Safari,
];

/// Systems, the most telling name first: Windows Phone also said Android and iPhone, Android says Linux, and iOS is
/// "like Mac OS X".
const SYSTEMS: &[Os] = &[
    Os::WindowsPhone,
    Os::Windows,
    Os::ChromeOs,
    Os::Tizen,
    Os::WebOs,
    Os::KaiOs,
    Os::HarmonyOs,
    Os::PlayStation,
    Os::Nintendo,
    Os::BlackBerry,
    Os::Ios,
    Os::Android,
    Os::MacOs,
    Os::Bsd,
    Os::Linux,
];

/// What one header says. Small and `Copy`: it travels with the click.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Details {
    /// The device class; always what [`device`](crate::device()) says.
    pub device: Device,
    /// The browser.
    pub browser: Browser,
    /// The operating system.
    pub os: Os,
    /// Sent by a machine: a crawler, a link previewer, a monitor, an HTTP library, a headless browser.
    pub bot: bool,
}

/// Everything that `ua` says, in one pass and without allocating.
///
/// Costs some hundred nanoseconds for a browser's header, and never more than
/// [`SCANNED_BYTES`](crate::limits::SCANNED_BYTES) take. Writers use [`Cache`](crate::Cache) instead.
#[must_use]
pub fn details(ua: &[u8]) -> Details {
    let ua = scanned(ua);
    let seen = Seen::read(ua);
    let os = os(seen);
    let bot = seen.has(Trait::Bot) || bot::is_bot_header(ua);
    Details { device: device_of(ua, seen), browser: browser(seen, os), os, bot }
}

fn os(seen: Seen) -> Os {
    if seen.names_system(Os::Windows) && seen.has(Trait::Phone) {
        return Os::WindowsPhone;
    }
    let named = SYSTEMS.iter().copied().find(|os| seen.names_system(*os));
    named.unwrap_or(match (seen.has(Trait::Darwin), seen.has(Trait::Intel)) {
        (true, true) => Os::MacOs,
        (true, false) => Os::Ios,
        (false, _) => Os::Other,
    })
}

fn browser(seen: Seen, os: Os) -> Browser {
    let named = BROWSERS.iter().copied().find(|browser| seen.names_browser(*browser));
    match named {
        Some(Browser::Chrome | Browser::Safari) if seen.has(Trait::WebView) => Browser::WebView,
        Some(Browser::Safari) if os == Os::Android => Browser::AndroidBrowser,
        Some(browser) => browser,
        None if os == Os::Ios && seen.has(Trait::AppleWebKit) => Browser::WebView,
        None => Browser::Other,
    }
}
