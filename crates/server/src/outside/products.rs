//! What the page of an Amazon product says: its title and its picture, which is kept in the data directory.
//!
//! Best effort, and never at the price of the link: whoever doesn't answer in time, answers something
//! else, or sends what is no picture, is passed over. Both the page and the picture that it names are
//! fetched from public addresses alone.

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};
use waypost_edge::Picture;
use waypost_service::{Catalogue, Details, Product};

use super::fetch::Fetcher;

/// How long the page may take, and then the picture: 6 seconds in all (SPEC 9).
const PATIENCE: (Duration, Duration) = (Duration::from_millis(3_900), Duration::from_millis(1_900));
/// Bytes of a page that are read, and of a picture: a larger one is none.
const MOST: (u64, u64) = (2 << 20, 1 << 20);
/// Products looked up at once: each holds a thread that others wait for.
const AT_ONCE: usize = 8;
/// Characters of a title.
const TITLE: usize = 200;

/// Looks products up.
pub(crate) struct Products {
    page: Fetcher,
    picture: Fetcher,
    /// Where pictures are kept.
    media: PathBuf,
    busy: AtomicUsize,
}

impl Products {
    /// Keeps pictures in `media`; reaches private addresses where `private` is set.
    pub(crate) fn new(media: PathBuf, private: bool) -> Self {
        let (page, picture) =
            (Fetcher::new(private, PATIENCE.0), Fetcher::new(private, PATIENCE.1));
        Self { page, picture, media, busy: AtomicUsize::new(0) }
    }

    /// What the page at `url` says of the product `asin`.
    fn look_up(&self, url: &str, asin: &str) -> Result<Details, String> {
        let page = self.page.get(url, MOST.0)?;
        if page.status != 200 {
            return Err(format!("{url}: status {}", page.status));
        }
        let Said { title, image } = read(&page.body);
        let image = image.and_then(|image| {
            let kept = self.keep(&image, asin);
            kept.inspect_err(|why| tracing::info!(asin, why, "no picture")).ok()
        });
        Ok(Details { title, image })
    }

    /// Fetches a picture and keeps it; the path that it is served at.
    fn keep(&self, url: &str, asin: &str) -> Result<String, String> {
        let fetched = self.picture.get(url, MOST.1 + 1)?;
        if fetched.status != 200 || fetched.body.len() as u64 > MOST.1 {
            let length = fetched.body.len();
            return Err(format!("{url}: status {}, {length} bytes", fetched.status));
        }
        let kind = Picture::kind(&fetched.body).ok_or_else(|| format!("{url}: no picture"))?;
        let name = format!("{asin}.{kind}");
        self.write(&name, &fetched.body).map_err(|error| format!("{name}: {error}"))?;
        Ok(format!("{}{name}", Picture::PATH))
    }

    /// A file that is there whole or not at all.
    fn write(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        fs::create_dir_all(&self.media)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.media)?;
        file.write_all(bytes)?;
        file.persist(self.media.join(name)).map_err(|error| error.error)?;
        Ok(())
    }
}

impl Catalogue for Products {
    fn details(&self, product: &Product) -> Details {
        let busy = Busy::new(&self.busy);
        if busy.others() >= AT_ONCE {
            return Details::default();
        }
        self.look_up(&product.url(), &product.asin).unwrap_or_else(|why| {
            tracing::info!(asin = product.asin, why, "no product details");
            Details::default()
        })
    }
}

/// One of those who look products up, until it is dropped.
struct Busy<'a>(&'a AtomicUsize, usize);

impl<'a> Busy<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        let others = count.fetch_add(1, Relaxed);
        Self(count, others)
    }

    fn others(&self) -> usize {
        self.1
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// What a page says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    title: Option<String>,
    image: Option<String>,
}

/// Where a page says it, best first: what is nearer to the product wins over what is for sharing.
#[derive(Debug, Default)]
struct Places {
    titles: [Option<String>; 3],
    images: [Option<String>; 3],
}

/// Reads a product's page.
fn read(html: &[u8]) -> Said {
    let mut places = Places::default();
    // Which title the text that comes next belongs to.
    let mut open = None;
    // Tags in scripts and titles are text.
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    for token in Tokenizer::new_with_emitter(html, emitter).flatten() {
        match token {
            Token::StartTag(tag) => open = places.tag(&tag),
            Token::String(text) => {
                if let Some(place) = open.and_then(|at| places.titles.get_mut(at)) {
                    let text = String::from_utf8_lossy(&text).into_owned();
                    place.get_or_insert_default().push_str(&text);
                }
            }
            Token::EndTag(_) => open = None,
            _ => {}
        }
    }
    let title = places.titles.iter().flatten().map(|text| tidy(text)).find(|text| !text.is_empty());
    let image = places.images.into_iter().flatten().find(|url| is_web(url));
    Said { title, image }
}

impl Places {
    /// Takes what a tag says by itself; which title its text is.
    fn tag(&mut self, tag: &StartTag<()>) -> Option<usize> {
        let value = |name: &[u8]| {
            let text = tag.attributes.get(name)?;
            Some(String::from_utf8_lossy(text).into_owned()).filter(|text| !text.is_empty())
        };
        let id = value(b"id").unwrap_or_default();
        let property = value(b"property").unwrap_or_default();
        match (tag.name.as_slice(), id.as_str(), property.as_str()) {
            (_, "productTitle", _) => return Some(0),
            (b"title", ..) => return Some(2),
            (b"img", "landingImage", _) => {
                self.images[0] = value(b"data-old-hires");
                self.images[1] = value(b"src");
            }
            (b"meta", _, "og:title") => self.titles[1] = value(b"content"),
            (b"meta", _, "og:image") => self.images[2] = value(b"content"),
            _ => {}
        }
        None
    }
}

fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// One line of printable characters, not too long.
fn tidy(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let printable = |c: &char| !c.is_control();
    words.join(" ").chars().filter(printable).take(TITLE).collect()
}

#[cfg(test)]
#[path = "products_tests.rs"]
mod tests;
