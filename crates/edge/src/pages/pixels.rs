//! Tracking pixels: each platform's own snippet, once a page, with the ids of all that fire.
//!
//! An id stands inside a script, so only letters, digits, `-` and `_` get there; a pixel with any
//! other id doesn't fire. A platform that the table doesn't know doesn't either.

use maud::{Markup, PreEscaped, html};
use waypost_link::Pixel;

use crate::limits;

/// How a platform's pixels are loaded.
struct Platform {
    /// As [`Pixel::platform`] names it.
    key: &'static str,
    /// The script before any id.
    load: &'static str,
    /// What is run for each id, around it.
    each: (&'static str, &'static str),
    /// What is run after all ids.
    end: &'static str,
    /// A script that it needs beside, around the first id.
    library: Option<&'static str>,
}

/// The snippets that the platforms hand out: Meta's base code, TikTok's pixel, Google's gtag.js.
const PLATFORMS: [Platform; 3] = [
    Platform {
        key: "meta",
        load: "!function(f,b,e,v,n,t,s){if(f.fbq)return;n=f.fbq=function(){n.callMethod?\
n.callMethod.apply(n,arguments):n.queue.push(arguments)};if(!f._fbq)f._fbq=n;\
n.push=n;n.loaded=!0;n.version='2.0';n.queue=[];t=b.createElement(e);t.async=!0;\
t.src=v;s=b.getElementsByTagName(e)[0];s.parentNode.insertBefore(t,s)}(window,\
document,'script','https://connect.facebook.net/en_US/fbevents.js');",
        each: ("fbq('init','", "');"),
        end: "fbq('track','PageView');",
        library: None,
    },
    Platform {
        key: "tiktok",
        load: "!function(w,d,t){w.TiktokAnalyticsObject=t;var q=w[t]=w[t]||[];q.methods=['page',\
'track','identify','instances','debug','on','off','once','ready','alias','group','enableCookie',\
'disableCookie'];q.setAndDefer=function(o,m){o[m]=function(){o.push([m].concat(\
Array.prototype.slice.call(arguments,0)))}};for(var i=0;i<q.methods.length;i++)\
q.setAndDefer(q,q.methods[i]);q.instance=function(n){for(var o=q._i[n]||[],i=0;\
i<q.methods.length;i++)q.setAndDefer(o,q.methods[i]);return o};q.load=function(n,c){\
var u='https://analytics.tiktok.com/i18n/pixel/events.js';q._i=q._i||{};q._i[n]=[];\
q._i[n]._u=u;q._t=q._t||{};q._t[n]=+new Date;q._o=q._o||{};q._o[n]=c||{};\
var s=d.createElement('script');s.async=!0;s.src=u+'?sdkid='+n+'&lib='+t;\
var f=d.getElementsByTagName('script')[0];f.parentNode.insertBefore(s,f)}}\
(window,document,'ttq');",
        each: ("ttq.load('", "');"),
        end: "ttq.page();",
        library: None,
    },
    Platform {
        key: "google",
        load: "window.dataLayer=window.dataLayer||[];function gtag(){dataLayer.push(arguments)}\
gtag('js',new Date());",
        each: ("gtag('config','", "');"),
        end: "",
        library: Some("https://www.googletagmanager.com/gtag/js?id="),
    },
];

/// The tags of these pixels, in the order of the platforms, at most [`limits::PIXELS`] of them.
pub(super) fn tags(pixels: &[Pixel]) -> Markup {
    let fire = pixels.iter().filter(|pixel| pixel.active && is_plain(&pixel.pixel_id));
    let fire: Vec<&Pixel> = fire.take(limits::PIXELS).collect();
    html! { @for platform in &PLATFORMS { (platform.tag(&fire)) } }
}

impl Platform {
    fn tag(&self, pixels: &[&Pixel]) -> Markup {
        let ours = pixels.iter().filter(|pixel| pixel.platform == self.key);
        let ids: Vec<&str> = ours.map(|pixel| pixel.pixel_id.as_str()).collect();
        let Some(first) = ids.first() else { return html! {} };
        let (before, after) = self.each;
        let each: String = ids.iter().map(|id| format!("{before}{id}{after}")).collect();
        html! {
            @if let Some(library) = self.library { script src={ (library) (first) } async {} }
            script { (PreEscaped(self.load)) (PreEscaped(each)) (PreEscaped(self.end)) }
        }
    }
}

/// Whether an id may stand between quotes in a script, and in a URL.
fn is_plain(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=limits::PIXEL_ID_BYTES).contains(&id.len()) && id.bytes().all(plain)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::pages) fn pixel(platform: &str, id: &str) -> Pixel {
        let (platform, pixel_id) = (platform.to_owned(), id.to_owned());
        Pixel { platform, pixel_id, active: true, ..Pixel::default() }
    }

    #[test]
    fn each_platform_fires_its_ids() {
        let pixels = [
            pixel("google", "G-ABC123"),
            pixel("meta", "1234567890"),
            pixel("tiktok", "C4ABCDEF"),
            pixel("meta", "22"),
            pixel("google", "AW-9"),
        ];
        let html = tags(&pixels).into_string();
        for text in [
            "fbq('init','1234567890');fbq('init','22');fbq('track','PageView');",
            "ttq.load('C4ABCDEF');ttq.page();",
            "gtag/js?id=G-ABC123\" async></script>",
            "gtag('config','G-ABC123');gtag('config','AW-9');",
        ] {
            assert!(html.contains(text), "{text}: {html}");
        }
        assert_eq!(html.matches("fbevents.js").count(), 1);
        assert_eq!(html.matches("<script").count(), html.matches("</script>").count());
    }

    #[test]
    fn what_does_not_fire() {
        let off = Pixel { active: false, ..pixel("meta", "1") };
        let hostile = ["');alert(1);('", "</script><script>alert(1)", "", "1 2", "\u{2028}", "é"];
        let hostile = hostile.into_iter().map(|id| pixel("google", id));
        let long = pixel("meta", &"1".repeat(limits::PIXEL_ID_BYTES + 1));
        for pixel in hostile.chain([off, long, pixel("other", "1")]) {
            assert_eq!(tags(std::slice::from_ref(&pixel)).into_string(), "", "{pixel:?}");
        }
    }

    #[test]
    fn a_page_has_room_for_so_many() {
        let id = "1".repeat(limits::PIXEL_ID_BYTES);
        let keys = PLATFORMS.iter().cycle().take(1_000);
        let pixels: Vec<Pixel> = keys.map(|platform| pixel(platform.key, &id)).collect();
        let html = tags(&pixels).into_string();
        assert!(html.len() < 15 * 1024, "{}", html.len());
        let calls = ["fbq('init'", "ttq.load('1", "gtag('config'"];
        let fired: usize = calls.into_iter().map(|call| html.matches(call).count()).sum();
        assert_eq!(fired, limits::PIXELS);
    }
}
