//! Products: which Amazon product a destination is the page of, and what its page says.

use waypost_link::{Destination, Link};
use waypost_redirect::STORES;

use crate::Service;

/// Characters of a product's number.
const ASIN: usize = 10;

/// A product at an Amazon store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// The store's host.
    pub store: &'static str,
    /// The product's number.
    pub asin: String,
}

/// What the page of a product says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// What it is called.
    pub title: Option<String>,
    /// The path that its picture is served at.
    pub image: Option<String>,
}

/// Looks products up in the world outside. It may block for some seconds; where nobody answers it
/// knows nothing.
pub trait Catalogue: Send + Sync {
    /// What is known of a product.
    fn details(&self, product: &Product) -> Details;
}

impl Product {
    /// Its page.
    pub fn url(&self) -> String {
        format!("https://{}/dp/{}", self.store, self.asin)
    }

    /// The product that `destination` is the page of, if it is one at an Amazon store.
    pub fn of(destination: &Destination) -> Option<Self> {
        let (scheme, rest) = destination.as_str().split_once("://")?;
        let end = rest.find(['?', '#']).unwrap_or(rest.len());
        let (host, path) = rest.get(..end)?.split_once('/')?;
        let web = matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https");
        let store = store(&host.to_ascii_lowercase()).filter(|_| web)?;
        let segments: Vec<&str> = path.split('/').collect();
        let after = |words: &[&str]| {
            let at = segments.windows(words.len()).position(|window| window == words)?;
            segments.get(at + words.len()).copied().filter(|segment| is_asin(segment))
        };
        let asin = after(&["dp"]).or_else(|| after(&["gp", "product"]))?.to_ascii_uppercase();
        Some(Self { store, asin })
    }
}

impl Service {
    /// Completes the link of a product with what its page says: a title where it has none, the picture.
    pub fn describe_product(&self, link: &mut Link) {
        let Some(catalogue) = &self.catalogue else { return };
        let Some(product) = Product::of(&link.destination) else { return };
        let details = catalogue.details(&product);
        link.title = link.title.take().or(details.title);
        link.product_image_url = details.image;
    }
}

/// A product goes with the destination: one that led to a product leads to another, or to none, whichever
/// API moved it; and a picture goes with the product.
pub fn follow_product(before: &Link, link: &mut Link) {
    let moved = link.destination != before.destination;
    if moved && link.asin.is_some() && link.asin == before.asin {
        link.asin = asin(&link.destination);
    }
    if link.asin != before.asin && link.product_image_url == before.product_image_url {
        link.product_image_url = None;
    }
}

/// The number of the product that `destination` is the page of, if it is one at an Amazon store.
///
/// ```
/// use waypost_link::{Destination, Schemes};
/// let page = Destination::parse("https://www.amazon.com/dp/B08N5WRWNW?th=1", &Schemes::default());
/// assert_eq!(waypost_service::asin(&page.unwrap()).as_deref(), Some("B08N5WRWNW"));
/// ```
pub fn asin(destination: &Destination) -> Option<String> {
    Product::of(destination).map(|product| product.asin)
}

/// The store of this host, with or without `www.`.
fn store(host: &str) -> Option<&'static str> {
    let host = host.strip_prefix("www.").unwrap_or(host);
    let mut hosts = STORES.iter().map(|(_, store)| *store);
    hosts.find(|store| store.strip_prefix("www.") == Some(host))
}

fn is_asin(segment: &str) -> bool {
    segment.len() == ASIN && segment.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use waypost_link::{DomainId, Schemes};

    use super::*;
    use crate::{Draft, Drawn, testing::service};

    /// Knows every product of one store.
    struct Known;

    impl Catalogue for Known {
        fn details(&self, product: &Product) -> Details {
            let known = product.url() == "https://www.amazon.de/dp/B08N5WRWNW";
            let text = |text: &str| known.then(|| text.to_owned());
            Details { title: text("Echo"), image: text("/media/B08N5WRWNW.jpg") }
        }
    }

    #[test]
    fn links_are_completed() {
        let (service, workspace) = service();
        let service = service.and_look_up(Arc::new(Known));
        for (url, typed, title, image) in [
            ("https://amazon.de/x/dp/b08n5wrwnw/", None, Some("Echo"), true),
            ("https://www.amazon.de/dp/B08N5WRWNW", Some("Mine"), Some("Mine"), true),
            ("https://www.amazon.com/dp/B08N5WRWNW", None, None, false),
            ("https://example.com/dp/B08N5WRWNW", None, None, false),
        ] {
            let destination = service.destination(url).unwrap();
            let (domain, drawn) = (DomainId::DEFAULT, Drawn::Short);
            let draft = Draft { workspace, domain, slug: None, drawn, destination };
            let mut link = service.link_of(&draft).unwrap();
            link.title = typed.map(str::to_owned);
            service.describe_product(&mut link);
            assert_eq!((link.title.as_deref(), link.product_image_url.is_some()), (title, image));
        }
    }

    #[test]
    fn a_product_goes_with_the_destination() {
        let (service, workspace) = service();
        let at = |url: &str| service.destination(url).unwrap();
        let one = "https://www.amazon.de/dp/B08N5WRWNW";
        for (led, url, asin, picture) in [
            (true, one, Some("B08N5WRWNW"), true),
            (true, "https://www.amazon.com/gp/product/B08N5WRWNW/", Some("B08N5WRWNW"), true),
            (true, "https://www.amazon.de/dp/B000000000", Some("B000000000"), false),
            (true, "https://example.com/", None, false),
            (false, "https://www.amazon.de/dp/B000000000", None, false),
        ] {
            let (domain, drawn) = (DomainId::DEFAULT, Drawn::Short);
            let draft = Draft { workspace, domain, slug: None, drawn, destination: at(one) };
            let made = service.create_link(&draft, |link| {
                link.asin = led.then(|| "B08N5WRWNW".to_owned());
                link.product_image_url = led.then(|| "/media/B08N5WRWNW.jpg".to_owned());
                Ok(())
            });
            let edited = service.edit_link(workspace, made.unwrap().id, |link| {
                link.destination = at(url);
                Ok(())
            });
            let link = edited.unwrap();
            assert_eq!((link.asin.as_deref(), link.product_image_url.is_some()), (asin, picture));
        }
    }

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
