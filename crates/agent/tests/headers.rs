//! Real headers, one row each, and garbage.
#![cfg_attr(rustfmt, rustfmt_skip)]

use proptest::prelude::*;
use waypost_agent::{Browser, Cache, Details, Device, Os, details, device, limits};

const PERSON: bool = false;
const BOT: bool = true;

/// Checks every row: header, device, browser, system, bot.
fn check(rows: &[(&str, Device, Browser, Os, bool)]) {
    let mut cache = Cache::new();
    for &(ua, device_class, browser, os, bot) in rows {
        let expected = Details { device: device_class, browser, os, bot };
        assert_eq!(details(ua.as_bytes()), expected, "{ua}");
        assert_eq!(device(ua.as_bytes()), device_class, "{ua}");
        assert_eq!(cache.details(ua.as_bytes()), expected, "{ua}");
    }
}

#[test]
fn desktop_browsers() {
    use Device::Desktop;
    check(&[
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36", Desktop, Browser::Chrome, Os::Windows, PERSON),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0", Desktop, Browser::Edge, Os::Windows, PERSON),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/51.0.2704.79 Safari/537.36 Edge/14.14393", Desktop, Browser::Edge, Os::Windows, PERSON),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36 OPR/111.0.0.0", Desktop, Browser::Opera, Os::Windows, PERSON),
        ("Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18", Desktop, Browser::Opera, Os::Windows, PERSON),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0", Desktop, Browser::Firefox, Os::Windows, PERSON),
        ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", Desktop, Browser::Firefox, Os::Linux, PERSON),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15", Desktop, Browser::Safari, Os::MacOs, PERSON),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Vivaldi/6.8.3381.44", Desktop, Browser::Vivaldi, Os::MacOs, PERSON),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15 Ddg/17.5", Desktop, Browser::DuckDuckGo, Os::MacOs, PERSON),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 YaBrowser/24.6.0.0 Safari/537.36", Desktop, Browser::Yandex, Os::Windows, PERSON),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36", Desktop, Browser::Chrome, Os::ChromeOs, PERSON),
        ("Mozilla/5.0 (X11; FreeBSD amd64; rv:126.0) Gecko/20100101 Firefox/126.0", Desktop, Browser::Firefox, Os::Bsd, PERSON),
        ("Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; Tablet PC 2.0; rv:11.0) like Gecko", Desktop, Browser::InternetExplorer, Os::Windows, PERSON),
        ("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; Tablet PC 2.0)", Desktop, Browser::InternetExplorer, Os::Windows, PERSON),
        ("Mozilla/5.0 (PlayStation; PlayStation 5/9.00) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15", Desktop, Browser::Safari, Os::PlayStation, PERSON),
        ("Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.5) AppleWebKit/537.36 (KHTML, like Gecko) 85.0.4183.93/6.5 TV Safari/537.36", Desktop, Browser::Safari, Os::Tizen, PERSON),
        ("Mozilla/5.0 (Linux; Android 9; BRAVIA 4K UR2 Build/PTT1.190515.001.S52) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/90.0.4430.210 Safari/537.36", Desktop, Browser::Chrome, Os::Android, PERSON),
    ]);
}

#[test]
fn phones_and_tablets() {
    use Device::{Desktop, Mobile, Tablet};
    check(&[
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1", Mobile, Browser::Safari, Os::Ios, PERSON),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1", Mobile, Browser::Chrome, Os::Ios, PERSON),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 14_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/127.0 Mobile/15E148 Safari/605.1.15", Mobile, Browser::Firefox, Os::Ios, PERSON),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/322.0.641 Mobile/15E148 Safari/604.1", Mobile, Browser::GoogleApp, Os::Ios, PERSON),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148", Mobile, Browser::WebView, Os::Ios, PERSON),
        ("Mozilla/5.0 (iPod touch; CPU iPhone OS 12_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1", Mobile, Browser::Safari, Os::Ios, PERSON),
        ("Mozilla/5.0 (iPad; CPU OS 12_5_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1", Tablet, Browser::Safari, Os::Ios, PERSON),
        // iPadOS 13 and later: the very header of a Mac.
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15", Desktop, Browser::Safari, Os::MacOs, PERSON),
        ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36", Mobile, Browser::Chrome, Os::Android, PERSON),
        ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36", Tablet, Browser::Chrome, Os::Android, PERSON),
        ("Mozilla/5.0 (Linux; Android 13; SM-X906B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Safari/537.36", Tablet, Browser::Samsung, Os::Android, PERSON),
        ("Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36", Mobile, Browser::Samsung, Os::Android, PERSON),
        ("Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0", Mobile, Browser::Firefox, Os::Android, PERSON),
        ("Mozilla/5.0 (Android 14; Tablet; rv:127.0) Gecko/127.0 Firefox/127.0", Tablet, Browser::Firefox, Os::Android, PERSON),
        ("Mozilla/5.0 (Linux; Android 10; HD1913) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36 EdgA/126.0.2592.56", Mobile, Browser::Edge, Os::Android, PERSON),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 EdgiOS/126.0.2592.56 Mobile/15E148 Safari/604.1", Mobile, Browser::Edge, Os::Ios, PERSON),
        ("Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16", Mobile, Browser::Opera, Os::Android, PERSON),
        ("Opera/9.80 (J2ME/MIDP; Opera Mini/9.80 (S60; SymbOS; Opera Mobi/23.348; U; en) Presto/2.5.25 Version/10.54", Mobile, Browser::Opera, Os::Other, PERSON),
        ("Mozilla/5.0 (Linux; U; Android 4.0.3; de-de; GT-I9100 Build/IML74K) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30", Mobile, Browser::AndroidBrowser, Os::Android, PERSON),
        ("Mozilla/5.0 (Linux; Android 9; KFMAWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/126.2.1 like Chrome/126.0.6478.71 Safari/537.36", Tablet, Browser::Silk, Os::Android, PERSON),
        ("Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15063", Mobile, Browser::Edge, Os::WindowsPhone, PERSON),
        ("Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5", Mobile, Browser::Firefox, Os::KaiOs, PERSON),
        ("Mozilla/5.0 (BB10; Touch) AppleWebKit/537.10+ (KHTML, like Gecko) Version/10.0.9.2372 Mobile Safari/537.10+", Mobile, Browser::Safari, Os::BlackBerry, PERSON),
    ]);
}

#[test]
fn apps_that_hold_a_browser() {
    use Device::Mobile;
    check(&[
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 334.0.4.32.98 (iPhone15,2; iOS 17_5; en_US; en; scale=3.00; 1179x2556; 607934464)", Mobile, Browser::Instagram, Os::Ios, PERSON),
        // "Google/google" names the phone's maker: the visitors whom others took for crawlers.
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UQ1A.240205.004; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.6422.165 Mobile Safari/537.36 Instagram 334.0.0.42.95 Android (34/14; 420dpi; 1080x2142; Google/google; Pixel 8; shiba; shiba; en_US; 607880000)", Mobile, Browser::Instagram, Os::Android, PERSON),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21F90 [FBAN/FBIOS;FBAV/467.0.0.41.103;FBBV/602840896;FBDV/iPhone14,5;FBSN/iOS]", Mobile, Browser::Facebook, Os::Ios, PERSON),
        ("Mozilla/5.0 (Linux; Android 13; SM-A536B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/467.0.0.46.106;]", Mobile, Browser::Facebook, Os::Android, PERSON),
        ("Mozilla/5.0 (Linux; Android 12; SM-G991B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.71 Mobile Safari/537.36", Mobile, Browser::WebView, Os::Android, PERSON),
        ("Mozilla/5.0 (Linux; Android 12; M2101K6G; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/110.0.0.0 Mobile Safari/537.36 trill_350402 BytedanceWebview/d8a21c6", Mobile, Browser::TikTok, Os::Android, PERSON),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari Line/14.8.0", Mobile, Browser::Line, Os::Ios, PERSON),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [LinkedInApp]/9.29.8962", Mobile, Browser::LinkedIn, Os::Ios, PERSON),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.49(0x18003137) NetType/WIFI Language/zh_CN", Mobile, Browser::WeChat, Os::Ios, PERSON),
        ("Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7 Build/TQ3A.230805.001)", Mobile, Browser::Other, Os::Android, PERSON),
        ("MyShop/12 CFNetwork/1496.0.7 Darwin/23.5.0", Device::Desktop, Browser::Other, Os::Ios, PERSON),
        ("Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36", Mobile, Browser::Chrome, Os::Android, PERSON),
        ("Mozilla/5.0 (Linux; Android 5.1; FEVER Build/LMY47D; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/49.0.2623.105 Mobile Safari/537.36", Mobile, Browser::WebView, Os::Android, PERSON),
    ]);
}

#[test]
fn machines() {
    use Device::{Desktop, Mobile};
    check(&[
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", Desktop, Browser::Other, Os::Other, BOT),
        ("Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.6478.61 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", Mobile, Browser::Chrome, Os::Android, BOT),
        ("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36", Desktop, Browser::Chrome, Os::Other, BOT),
        ("Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", Desktop, Browser::Other, Os::Other, BOT),
        ("Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)", Desktop, Browser::Other, Os::Other, BOT),
        ("Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)", Desktop, Browser::Other, Os::Other, BOT),
        ("Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; Bytespider; spider-feedback@bytedance.com)", Mobile, Browser::AndroidBrowser, Os::Android, BOT),
        ("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)", Desktop, Browser::Other, Os::Other, BOT),
        ("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot", Desktop, Browser::Other, Os::Other, BOT),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", Desktop, Browser::Other, Os::Other, BOT),
        ("Slack-ImgProxy (+https://api.slack.com/robots)", Desktop, Browser::Other, Os::Other, BOT),
        ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", Desktop, Browser::Other, Os::Other, BOT),
        ("meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)", Desktop, Browser::Other, Os::Other, BOT),
        ("WhatsApp/2.23.20.0 A", Desktop, Browser::Other, Os::Other, BOT),
        ("TelegramBot (like TwitterBot)", Desktop, Browser::Other, Os::Other, BOT),
        ("Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", Desktop, Browser::Other, Os::Other, BOT),
        ("LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)", Desktop, Browser::Other, Os::Other, BOT),
        ("Mozilla/5.0 (compatible; Pinterestbot/1.0; +http://www.pinterest.com/bot.html)", Desktop, Browser::Pinterest, Os::Other, BOT),
        ("Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com", Desktop, Browser::Other, Os::Windows, BOT),
        ("Snap URL Preview Service; bot; snapchat; https://developers.snap.com/robots", Desktop, Browser::Snapchat, Os::Other, BOT),
        ("Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", Desktop, Browser::Other, Os::Other, BOT),
        ("Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", Desktop, Browser::Other, Os::Other, BOT),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36 Chrome-Lighthouse", Desktop, Browser::Chrome, Os::MacOs, BOT),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36", Desktop, Browser::Chrome, Os::Linux, BOT),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/69.0.3497.81 Safari/537.36 PTST/180904.190957", Desktop, Browser::Chrome, Os::Linux, BOT),
        ("curl/8.9.1", Desktop, Browser::Other, Os::Other, BOT),
        ("Wget/1.21.4", Desktop, Browser::Other, Os::Other, BOT),
        ("python-requests/2.32.3", Desktop, Browser::Other, Os::Other, BOT),
        ("Go-http-client/2.0", Desktop, Browser::Other, Os::Other, BOT),
        ("Java/17.0.11", Desktop, Browser::Other, Os::Other, BOT),
        ("okhttp/4.12.0", Desktop, Browser::Other, Os::Other, BOT),
        ("axios/1.7.2", Desktop, Browser::Other, Os::Other, BOT),
        ("GuzzleHttp/7", Desktop, Browser::Other, Os::Other, BOT),
        ("PostmanRuntime/7.39.0", Desktop, Browser::Other, Os::Other, BOT),
    ]);
}

#[test]
fn nothing_and_nonsense() {
    let check =
        |ua: &[u8], expected: Details| assert_eq!(details(ua), expected, "{}", ua.escape_ascii());
    check(b"", Details::default());
    check(b"-", Details::default());
    check(b"Mozilla/5.0", Details::default());
    check(b"\xff\xfe\x00Mozilla\xc3\x28", Details::default());
    check(b"\xffFirefox/1\xff", Details { browser: Browser::Firefox, ..Details::default() });
    check(&[b'x'; 8192], Details::default());
    check(&b"(;/)".repeat(2048), Details::default());
    let mut late = vec![b' '; limits::SCANNED_BYTES];
    late.extend_from_slice(b"Googlebot/2.1 Mobile");
    check(&late, Details::default());
    late.drain(..20);
    check(&late, Details { bot: true, device: Device::Mobile, ..Details::default() });
}

/// Where woothee has an opinion about a browser that both of us know, it is the same one.
#[test]
fn agrees_with_woothee() {
    let rows = [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36 OPR/111.0.0.0",
        "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Vivaldi/6.8.3381.44",
        "Mozilla/5.0 (Linux; Android 12; SM-G991B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.71 Mobile Safari/537.36",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "Wget/1.21.4",
    ];
    for ua in rows {
        let theirs = woothee::parser::Parser::new().parse(ua).expect("woothee knows it");
        let ours = details(ua.as_bytes());
        assert_eq!(ours.bot, theirs.category == "crawler" || theirs.name == "HTTP Library", "{ua}");
        if let (Some(browser), false) = (Browser::parse(theirs.name), ours.bot) {
            assert_eq!(ours.browser, browser, "{ua}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_answered(ua in proptest::collection::vec(any::<u8>(), 0..2048)) {
        let seen = details(&ua);
        prop_assert_eq!(seen.device, device(&ua));
        prop_assert_eq!(seen, Cache::new().details(&ua));
    }

    #[test]
    fn any_words_are_answered(ua in "(Mozilla/5\\.0 \\()?([A-Za-z_0-9]{1,9}[/ ;()]){0,40}") {
        prop_assert_eq!(details(ua.as_bytes()).device, device(ua.as_bytes()));
    }

    /// What follows the part that is read changes nothing.
    #[test]
    fn the_rest_is_ignored(tail in ".{0,64}") {
        let mut ua = b"Mozilla/5.0 (iPad; x) ".repeat(64);
        ua.truncate(limits::SCANNED_BYTES);
        let before = details(&ua);
        ua.extend_from_slice(tail.as_bytes());
        prop_assert_eq!(details(&ua), before);
    }
}
