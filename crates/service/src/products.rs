//! Products: which Amazon product a destination is the page of.

use waypost_link::Destination;
use waypost_redirect::STORES;

/// Characters of a product's number.
const ASIN: usize = 10;

/// The product that `destination` is the page of, if it is one at an Amazon store.
///
/// ```
/// use waypost_link::{Destination, Schemes};
/// let page = Destination::parse("https://www.amazon.com/dp/B08N5WRWNW?th=1", &Schemes::default());
/// assert_eq!(waypost_service::asin(&page.unwrap()).as_deref(), Some("B08N5WRWNW"));
/// ```
pub fn asin(destination: &Destination) -> Option<String> {
    let (scheme, rest) = destination.as_str().split_once("://")?;
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.get(..end)?.split_once('/')?;
    let web = matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https");
    if !web || !is_store(&host.to_ascii_lowercase()) {
        return None;
    }
    let segments: Vec<&str> = path.split('/').collect();
    let after = |words: &[&str]| {
        let at = segments.windows(words.len()).position(|window| window == words)?;
        segments.get(at + words.len()).copied().filter(|segment| is_asin(segment))
    };
    after(&["dp"]).or_else(|| after(&["gp", "product"])).map(str::to_ascii_uppercase)
}

fn is_store(host: &str) -> bool {
    let host = host.strip_prefix("www.").unwrap_or(host);
    STORES.iter().any(|(_, store)| store.strip_prefix("www.") == Some(host))
}

fn is_asin(segment: &str) -> bool {
    segment.len() == ASIN && segment.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use waypost_link::Schemes;

    use super::*;

    #[test]
    fn which_pages_are_products() {
        for (url, expected) in [
            ("https://www.amazon.com/dp/B08N5WRWNW", Some("B08N5WRWNW")),
            (
                "https://amazon.de/Echo-Dot/dp/b08n5wrwnw/ref=sr_1?x=/dp/B000000000",
                Some("B08N5WRWNW"),
            ),
            ("HTTP://WWW.AMAZON.CO.UK/gp/product/0306406152#a", Some("0306406152")),
            ("https://www.amazon.com/dp/B08N5WRW", None),
            ("https://www.amazon.com/s?k=/dp/B08N5WRWNW", None),
            ("https://www.amazon.com.evil.example/dp/B08N5WRWNW", None),
            ("https://user@www.amazon.com/dp/B08N5WRWNW", None),
            ("https://example.com/dp/B08N5WRWNW", None),
            ("https://www.amazon.com", None),
        ] {
            let destination = Destination::parse(url, &Schemes::default()).unwrap();
            assert_eq!(asin(&destination).as_deref(), expected, "{url}");
        }
    }
}
