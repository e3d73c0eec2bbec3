//! One pass over the header: its words, looked up in one sorted table.
//!
//! A word is a run of ASCII letters, digits and `_`; case is ignored. Most words of a browser's name count only as a
//! product (`Line/14.0`), that is with a slash behind them: phones are called all sorts of things.

use crate::bot;
use crate::names::{Browser, Os};

/// What a word says besides browser and operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Trait {
    /// Sent by a program, not on behalf of a person who waits for the page.
    Bot,
    Mobile,
    Phone,
    Tablet,
    Television,
    Android,
    Windows,
    AppleWebKit,
    /// Android's mark of a web view.
    WebView,
    /// A processor that no Apple phone has.
    Intel,
    /// Apple's HTTP library, which names no system.
    Darwin,
}

/// What one word means.
#[derive(Clone, Copy)]
enum Mark {
    /// A browser's product name: the word and a slash.
    Product(Browser),
    /// A browser's name, whatever follows.
    Brand(Browser),
    System(Os),
    Is(Trait),
    /// A browser that no person looks at.
    Machine(Browser),
    /// A system that also settles the device or more.
    Both(Os, Trait),
}

use Mark::{Both, Brand, Is, Machine, Product, System};
use Trait::Bot;

/// Every word that means something, in lower case and in alphabetical order of the first byte.
const TABLE: &[(&str, Mark)] = &[
    ("aiohttp", Is(Bot)),
    ("android", Both(Os::Android, Trait::Android)),
    ("appletv", System(Os::Ios)),
    ("applewebkit", Is(Trait::AppleWebKit)),
    ("archiver", Is(Bot)),
    ("axios", Is(Bot)),
    ("baiduspider", Is(Bot)),
    ("bb10", Both(Os::BlackBerry, Trait::Phone)),
    ("bingpreview", Is(Bot)),
    ("bitlypreview", Is(Bot)),
    ("blackberry", Both(Os::BlackBerry, Trait::Phone)),
    ("brave", Product(Browser::Brave)),
    ("bravia", Is(Trait::Television)),
    ("bubing", Is(Bot)),
    ("bytedancewebview", Brand(Browser::TikTok)),
    ("bytelocale", Brand(Browser::TikTok)),
    ("catchpoint", Is(Bot)),
    ("censys", Is(Bot)),
    ("cfnetwork", Is(Trait::Darwin)),
    ("check_http", Is(Bot)),
    ("checkly", Is(Bot)),
    ("chrome", Product(Browser::Chrome)),
    ("chromecast", Is(Trait::Television)),
    ("chromium", Product(Browser::Chrome)),
    ("crios", Product(Browser::Chrome)),
    ("crkey", Is(Trait::Television)),
    ("crmo", Product(Browser::Chrome)),
    ("cros", System(Os::ChromeOs)),
    ("curl", Is(Bot)),
    ("cypress", Is(Bot)),
    ("dalvik", Both(Os::Android, Trait::Android)),
    ("datadogsynthetics", Is(Bot)),
    ("ddg", Product(Browser::DuckDuckGo)),
    ("duckduckgo", Product(Browser::DuckDuckGo)),
    ("edg", Product(Browser::Edge)),
    ("edga", Product(Browser::Edge)),
    ("edge", Product(Browser::Edge)),
    ("edgios", Product(Browser::Edge)),
    ("embedly", Is(Bot)),
    ("expanse", Is(Bot)),
    ("externalagent", Is(Bot)),
    ("externalfetcher", Is(Bot)),
    ("facebookcatalog", Is(Bot)),
    ("facebookexternalhit", Is(Bot)),
    ("facebot", Is(Bot)),
    ("fb_iab", Product(Browser::Facebook)),
    ("fban", Product(Browser::Facebook)),
    ("fbav", Product(Browser::Facebook)),
    ("fbios", Brand(Browser::Facebook)),
    ("feedfetcher", Is(Bot)),
    ("feedly", Is(Bot)),
    ("firefox", Product(Browser::Firefox)),
    ("focus", Product(Browser::Firefox)),
    ("freebsd", System(Os::Bsd)),
    ("fxios", Product(Browser::Firefox)),
    ("ghttp", Is(Bot)),
    ("googleimageproxy", Is(Bot)),
    ("googleother", Is(Bot)),
    ("googletv", Is(Trait::Television)),
    ("gsa", Product(Browser::GoogleApp)),
    ("gtmetrix", Is(Bot)),
    ("guzzle", Is(Bot)),
    ("guzzlehttp", Is(Bot)),
    ("harmonyos", System(Os::HarmonyOs)),
    ("hbbtv", Is(Trait::Television)),
    ("headlesschrome", Machine(Browser::Chrome)),
    ("heritrix", Is(Bot)),
    ("htmlunit", Is(Bot)),
    ("httpie", Is(Bot)),
    ("httpx", Is(Bot)),
    ("huaweibrowser", Product(Browser::Huawei)),
    ("ia_archiver", Is(Bot)),
    ("iemobile", Both(Os::WindowsPhone, Trait::Phone)),
    ("iframely", Is(Bot)),
    ("imgproxy", Is(Bot)),
    ("inspectiontool", Is(Bot)),
    ("instagram", Brand(Browser::Instagram)),
    ("internetmeasurement", Is(Bot)),
    ("ipad", Both(Os::Ios, Trait::Tablet)),
    ("iphone", Both(Os::Ios, Trait::Phone)),
    ("ipod", Both(Os::Ios, Trait::Phone)),
    ("kaios", Both(Os::KaiOs, Trait::Phone)),
    ("kindle", Is(Trait::Tablet)),
    ("klar", Product(Browser::Firefox)),
    ("libcurl", Is(Bot)),
    ("libwww", Is(Bot)),
    ("lighthouse", Is(Bot)),
    ("line", Product(Browser::Line)),
    ("linkedinapp", Brand(Browser::LinkedIn)),
    ("linux", System(Os::Linux)),
    ("mac", System(Os::MacOs)),
    ("macintosh", System(Os::MacOs)),
    ("masscan", Is(Bot)),
    ("mediapartners", Is(Bot)),
    ("messenger", Product(Browser::Facebook)),
    ("micromessenger", Product(Browser::WeChat)),
    ("midp", Is(Trait::Phone)),
    ("miuibrowser", Product(Browser::Mi)),
    ("mobile", Is(Trait::Mobile)),
    ("mqqbrowser", Product(Browser::Qq)),
    ("msie", Brand(Browser::InternetExplorer)),
    ("musical_ly", Brand(Browser::TikTok)),
    ("netbsd", System(Os::Bsd)),
    ("netcraftsurveyagent", Is(Bot)),
    ("newrelicpinger", Is(Bot)),
    ("nikto", Is(Bot)),
    ("nintendo", System(Os::Nintendo)),
    ("nutch", Is(Bot)),
    ("okhttp", Is(Bot)),
    ("openbsd", System(Os::Bsd)),
    ("openharmony", System(Os::HarmonyOs)),
    ("opera", Product(Browser::Opera)),
    ("opios", Product(Browser::Opera)),
    ("opr", Product(Browser::Opera)),
    ("opt", Product(Browser::Opera)),
    ("opx", Product(Browser::Opera)),
    ("pagerenderer", Is(Bot)),
    ("phantomjs", Is(Bot)),
    ("phone", Is(Trait::Phone)),
    ("pingdom", Is(Bot)),
    ("pingdompagespeed", Is(Bot)),
    ("pingdomtms", Is(Bot)),
    ("pinterest", Brand(Browser::Pinterest)),
    ("playbook", Both(Os::BlackBerry, Trait::Tablet)),
    ("playstation", System(Os::PlayStation)),
    ("playwright", Is(Bot)),
    ("postmanruntime", Is(Bot)),
    ("ptst", Is(Bot)),
    ("puppeteer", Is(Bot)),
    ("pycurl", Is(Bot)),
    ("qqbrowser", Product(Browser::Qq)),
    ("qwantify", Is(Bot)),
    ("reqwest", Is(Bot)),
    ("safari", Product(Browser::Safari)),
    ("samsungbrowser", Product(Browser::Samsung)),
    ("scrapy", Is(Bot)),
    ("selenium", Is(Bot)),
    ("silk", Product(Browser::Silk)),
    ("site24x7", Is(Bot)),
    ("skypeuripreview", Is(Bot)),
    ("slimerjs", Is(Bot)),
    ("slurp", Is(Bot)),
    ("smarttv", Is(Trait::Television)),
    ("snapchat", Brand(Browser::Snapchat)),
    ("sqlmap", Is(Bot)),
    ("statuscake", Is(Bot)),
    ("symbian", Is(Trait::Phone)),
    ("symbianos", Is(Trait::Phone)),
    ("tablet", Is(Trait::Tablet)),
    ("thirdlandingpagefeinfra", Is(Bot)),
    ("tiktok", Brand(Browser::TikTok)),
    ("tizen", System(Os::Tizen)),
    ("trident", Product(Browser::InternetExplorer)),
    ("trill", Brand(Browser::TikTok)),
    ("tv", Is(Trait::Television)),
    ("ubrowser", Product(Browser::Uc)),
    ("ucbrowser", Product(Browser::Uc)),
    ("ucweb", Product(Browser::Uc)),
    ("undici", Is(Bot)),
    ("uptime", Is(Bot)),
    ("urllib", Is(Bot)),
    ("urllib3", Is(Bot)),
    ("validator", Is(Bot)),
    ("vivaldi", Product(Browser::Vivaldi)),
    ("vkshare", Is(Bot)),
    ("w3c_validator", Is(Bot)),
    ("web0s", Both(Os::WebOs, Trait::Television)),
    ("webindexer", Is(Bot)),
    ("webos", System(Os::WebOs)),
    ("wget", Is(Bot)),
    ("whale", Product(Browser::Whale)),
    ("windows", Both(Os::Windows, Trait::Windows)),
    ("wpscan", Is(Bot)),
    ("wv", Is(Trait::WebView)),
    ("x86_64", Is(Trait::Intel)),
    ("xbox", System(Os::Windows)),
    ("yabrowser", Product(Browser::Yandex)),
    ("yahoomailproxy", Is(Bot)),
    ("yeti", Is(Bot)),
    ("zgrab", Is(Bot)),
];

/// Where the words of each first letter start in [`TABLE`]; a last entry ends the last letter.
const LETTERS: [u8; 27] = letters();

/// What the words of one header said.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    browsers: u32,
    systems: u16,
    traits: u16,
}

impl Seen {
    /// Reads `ua` once.
    pub(crate) fn read(ua: &[u8]) -> Self {
        let mut seen = Self::default();
        let mut rest = ua;
        while let Some(start) = rest.iter().position(|byte| is_word(*byte)) {
            rest = &rest[start..];
            let end = rest.iter().position(|byte| !is_word(*byte)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            seen.word(word, after.first() == Some(&b'/'));
            rest = after;
        }
        seen
    }

    pub(crate) fn has(self, what: Trait) -> bool {
        self.traits & (1 << what as u16) != 0
    }

    pub(crate) fn names_browser(self, browser: Browser) -> bool {
        self.browsers & (1 << browser.code()) != 0
    }

    pub(crate) fn names_system(self, os: Os) -> bool {
        self.systems & (1 << os.code()) != 0
    }

    fn word(&mut self, word: &[u8], product: bool) {
        for (text, mark) in candidates(word[0]) {
            if text.as_bytes().eq_ignore_ascii_case(word) {
                self.mark(*mark, product);
                return;
            }
        }
        if bot::is_bot_word(word) {
            self.mark(Is(Bot), product);
        }
    }

    fn mark(&mut self, mark: Mark, product: bool) {
        match mark {
            Product(browser) if product => self.browsers |= 1 << browser.code(),
            Product(_) => {}
            Brand(browser) => self.browsers |= 1 << browser.code(),
            System(os) => self.systems |= 1 << os.code(),
            Machine(browser) => {
                self.browsers |= 1 << browser.code();
                self.traits |= 1 << Bot as u16;
            }
            Is(what) => self.traits |= 1 << what as u16,
            Both(os, what) => {
                self.systems |= 1 << os.code();
                self.traits |= 1 << what as u16;
            }
        }
    }
}

/// The bits of [`Seen`] hold every value.
const _: () = assert!(Browser::ALL.len() <= 32 && Os::ALL.len() <= 16);

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn candidates(first: u8) -> &'static [(&'static str, Mark)] {
    let letter = usize::from((first | 0x20).wrapping_sub(b'a'));
    if letter >= 26 {
        return &[];
    }
    &TABLE[usize::from(LETTERS[letter])..usize::from(LETTERS[letter + 1])]
}

/// Built by the compiler, which also refuses a table that is out of order.
const fn letters() -> [u8; 27] {
    let mut starts = [0; 27];
    let (mut letter, mut entry) = (0, 0);
    while entry < TABLE.len() {
        let own = (TABLE[entry].0.as_bytes()[0] - b'a') as usize;
        assert!(own + 1 >= letter, "the table is not in alphabetical order");
        while letter <= own {
            starts[letter] = entry as u8;
            letter += 1;
        }
        entry += 1;
    }
    while letter < 27 {
        starts[letter] = TABLE.len() as u8;
        letter += 1;
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::{Seen, TABLE, candidates};

    #[test]
    fn every_word_is_found_by_its_first_letter() {
        for (text, _) in TABLE {
            assert!(
                text.bytes().all(|byte| super::is_word(byte) && !byte.is_ascii_uppercase()),
                "{text}"
            );
            let first = text.as_bytes()[0];
            for first in [first, first.to_ascii_uppercase()] {
                let hits = candidates(first).iter().filter(|(other, _)| other == text).count();
                assert_eq!(hits, 1, "{text}");
            }
        }
    }

    #[test]
    fn a_product_needs_its_slash() {
        let check = |ua: &[u8], expected: bool| {
            let line = Seen::read(ua).names_browser(crate::Browser::Line);
            assert_eq!(line, expected, "{}", ua.escape_ascii());
        };
        check(b"Safari Line/14.1.0", true);
        check(b"LINE/14.1.0", true);
        check(b"X-LINE One", false);
        check(b"Online/14", false);
    }
}
