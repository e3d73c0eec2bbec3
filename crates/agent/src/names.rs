//! The closed vocabularies: every name that a statistic or a routing rule can hold.
//!
//! Each value has a name, compared without case, and a number for stored bytes. Numbers are never reused and never
//! change meaning: add new ones at the end.

/// Declares an enum with a stable number and a name for each value.
macro_rules! names {
    ($(#[$doc:meta])* $kind:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal $name:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[allow(clippy::enum_variant_names)] // ChromeOS is called so
        pub enum $kind { $($(#[$vdoc])* $variant = $code,)+ }

        impl $kind {
            /// Every value, in the order of its number.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name shown in statistics and written in routing rules.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The number that stands for this value in stored bytes.
            #[must_use]
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The value with this number; `None` for one that a later version wrote.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }

            /// The value of this name, whatever its case.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str().eq_ignore_ascii_case(name))
            }
        }

        impl std::fmt::Display for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

names! {
    /// The device class that routing rules and statistics know.
    ///
    /// There are three, and what names neither phone nor tablet is [`Device::Desktop`]: televisions, consoles,
    /// tools, an empty header. A fourth class would leave such visitors out of every `device` rule, and machines
    /// are already told apart by [`Details::bot`](crate::Details::bot).
    Device {
        /// Everything that is not recognisably one of the others.
        #[default]
        Desktop = 0 "Desktop",
        /// Phones, and players the size of one.
        Mobile = 1 "Mobile",
        /// Tablets. Safari on iPadOS and tablets in "desktop site" mode say that they are desktops, and are
        /// believed: the header holds nothing that tells otherwise.
        Tablet = 2 "Tablet",
    }
}

names! {
    /// The operating system.
    Os {
        /// Unknown, or too rare to name.
        #[default]
        Other = 0 "Other",
        /// Windows, Xbox included.
        Windows = 1 "Windows",
        /// macOS; also iPadOS, whose Safari says so.
        MacOs = 2 "macOS",
        /// Linux on a desktop.
        Linux = 3 "Linux",
        /// Android and what is built on it.
        Android = 4 "Android",
        /// iOS, iPadOS where it says so, tvOS.
        Ios = 5 "iOS",
        /// ChromeOS.
        ChromeOs = 6 "ChromeOS",
        /// Windows Phone and Windows Mobile.
        WindowsPhone = 7 "Windows Phone",
        /// Samsung's televisions and watches.
        Tizen = 8 "Tizen",
        /// LG's televisions.
        WebOs = 9 "webOS",
        /// KaiOS.
        KaiOs = 10 "KaiOS",
        /// HarmonyOS and OpenHarmony.
        HarmonyOs = 11 "HarmonyOS",
        /// Sony's consoles.
        PlayStation = 12 "PlayStation",
        /// Nintendo's consoles.
        Nintendo = 13 "Nintendo",
        /// BlackBerry OS and BlackBerry 10.
        BlackBerry = 14 "BlackBerry",
        /// FreeBSD, OpenBSD, NetBSD.
        Bsd = 15 "BSD",
    }
}

names! {
    /// The browser, or the app whose built-in browser it is.
    ///
    /// Brands that send Chrome's header unchanged (Brave, Arc, most of the time DuckDuckGo) count as Chrome.
    Browser {
        /// Unknown, or too rare to name.
        #[default]
        Other = 0 "Other",
        /// Chrome and Chromium, on iOS too.
        Chrome = 1 "Chrome",
        /// Safari.
        Safari = 2 "Safari",
        /// Firefox, Focus and Klar, on iOS too.
        Firefox = 3 "Firefox",
        /// Edge, old and new.
        Edge = 4 "Edge",
        /// Opera, Opera Mini, Opera Touch, Opera GX.
        Opera = 5 "Opera",
        /// Samsung Internet.
        Samsung = 6 "Samsung",
        /// Internet Explorer.
        InternetExplorer = 7 "Internet Explorer",
        /// Android's own browser before Chrome.
        AndroidBrowser = 8 "Android Browser",
        /// A web view in an app that does not give its name.
        WebView = 9 "WebView",
        /// The Google app on iOS.
        GoogleApp = 10 "Google App",
        /// Vivaldi.
        Vivaldi = 11 "Vivaldi",
        /// Yandex Browser.
        Yandex = 12 "Yandex",
        /// Brave, where it says so.
        Brave = 13 "Brave",
        /// DuckDuckGo, where it says so.
        DuckDuckGo = 14 "DuckDuckGo",
        /// UC Browser.
        Uc = 15 "UC Browser",
        /// QQ Browser.
        Qq = 16 "QQ Browser",
        /// Xiaomi's browser.
        Mi = 17 "Mi Browser",
        /// Huawei Browser.
        Huawei = 18 "Huawei Browser",
        /// Naver Whale.
        Whale = 19 "Whale",
        /// Amazon Silk.
        Silk = 20 "Silk",
        /// Facebook and Messenger.
        Facebook = 21 "Facebook",
        /// Instagram.
        Instagram = 22 "Instagram",
        /// TikTok.
        TikTok = 23 "TikTok",
        /// Snapchat.
        Snapchat = 24 "Snapchat",
        /// Pinterest.
        Pinterest = 25 "Pinterest",
        /// LinkedIn.
        LinkedIn = 26 "LinkedIn",
        /// LINE.
        Line = 27 "LINE",
        /// WeChat.
        WeChat = 28 "WeChat",
    }
}

#[cfg(test)]
mod tests {
    use super::{Browser, Device, Os};

    #[test]
    fn numbers_and_names_lead_back() {
        macro_rules! check {
            ($kind:ident) => {
                for (index, value) in $kind::ALL.iter().enumerate() {
                    assert_eq!(usize::from(value.code()), index, "{value:?} out of order");
                    assert_eq!($kind::from_code(value.code()), Some(*value));
                    assert_eq!($kind::parse(&value.as_str().to_uppercase()), Some(*value));
                }
                assert_eq!($kind::from_code(250), None);
                assert_eq!($kind::parse("Netscape"), None);
                assert_eq!($kind::default().code(), 0);
            };
        }
        check!(Device);
        check!(Os);
        check!(Browser);
    }
}
