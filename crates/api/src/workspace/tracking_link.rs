//! What makes a link a tracking link: a type, a destination's slug and a UTM name, kept as attributes.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use waypost_link::{Attributes, Destination, Link, Schemes, limits};
use waypost_service::Fault;

use super::wire::Type;
use crate::kit::Fail;

/// The attribute that makes a link one.
pub(super) const TYPE: &str = "type";
const SLUG: &str = "destinationSlug";
/// SPEC 1's name.
const UTM_NAME: &str = "utmName";
/// What stands in a path segment or a query value as it is (RFC 3986, 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// A UTM name of a name without a letter or digit.
const NAMELESS: &str = "tracking-link";

/// What a tracking link says beside its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) kind: Type,
    pub(super) slug: String,
    pub(super) utm_name: String,
}

/// An absolute http(s) URL that something is appended to, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Base(String);

impl Type {
    /// Both of them.
    pub(super) const ALL: [Self; 2] = [Self::Vcard, Self::Storefront];

    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Vcard => "vcard",
            Self::Storefront => "storefront",
        }
    }

    /// The type of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Target {
    /// That of a link; `None` where it is no tracking link.
    pub(super) fn of(link: &Link) -> Option<Self> {
        let kind = Type::named(link.attributes.get(TYPE)?)?;
        let text = |name| link.attributes.get(name).unwrap_or_default().to_owned();
        Some(Self { kind, slug: text(SLUG), utm_name: text(UTM_NAME) })
    }

    /// Writes it down.
    ///
    /// # Errors
    /// [`Fault::Invalid`] names the field that is too long, or one too many.
    pub(super) fn put(&self, attributes: &mut Attributes) -> Result<(), Fault> {
        for (name, value) in
            [(TYPE, self.kind.name()), (SLUG, &self.slug), (UTM_NAME, &self.utm_name)]
        {
            if !attributes.set(name, Some(value)) {
                let most = limits::ATTRIBUTE_BYTES;
                return Err(Fault::invalid(name, format!("at most {most} bytes")));
            }
        }
        Ok(())
    }

    /// `{base}/{type}/{slug}?utm_source={utmName}`
    pub(super) fn full_url(&self, base: &Base) -> String {
        format!("{}{}", base.0, self.suffix())
    }

    /// The base that `url` was made of; `None` where it was made otherwise.
    pub(super) fn base_of(&self, url: &str) -> Option<Base> {
        url.strip_suffix(&self.suffix()).map(|base| Base(base.to_owned()))
    }

    fn suffix(&self) -> String {
        let encoded = |text| utf8_percent_encode(text, ENCODED);
        format!(
            "/{}/{}?utm_source={}",
            self.kind.name(),
            encoded(&self.slug),
            encoded(&self.utm_name)
        )
    }
}

impl Base {
    /// The base `text`.
    ///
    /// # Errors
    /// [`Fail::Invalid`] where it is no absolute http(s) URL, or has a query or fragment.
    pub(super) fn parse(text: &str) -> Result<Self, Fail> {
        let wrong = || Fail::invalid("baseUrl", "expected an absolute http or https URL");
        Destination::parse(text, &Schemes::default()).map_err(|_| wrong())?;
        if text.contains(['?', '#']) {
            return Err(wrong());
        }
        Ok(Self(text.strip_suffix('/').unwrap_or(text).to_owned()))
    }
}

/// A name for people.
///
/// # Errors
/// [`Fail::Invalid`].
pub(super) fn name(text: &str) -> Result<&str, Fail> {
    printable("name", text, limits::TITLE_BYTES)
}

/// The slug of a destination: one segment of a path.
///
/// # Errors
/// [`Fail::Invalid`].
pub(super) fn slug(text: &str) -> Result<&str, Fail> {
    let text = printable(SLUG, text, limits::ATTRIBUTE_BYTES)?;
    if text.contains(['/', '\\']) || matches!(text, "." | "..") {
        return Err(Fail::invalid(SLUG, "expected one segment of a path"));
    }
    Ok(text)
}

/// A UTM name: as given, else made of the name.
///
/// # Errors
/// [`Fail::Invalid`].
pub(super) fn utm_name(given: Option<&str>, name: &str) -> Result<String, Fail> {
    match given.filter(|given| !given.is_empty()) {
        Some(given) => printable(UTM_NAME, given, limits::ATTRIBUTE_BYTES).map(str::to_owned),
        None => Ok(slug_of(name)),
    }
}

fn printable<'t>(field: &'static str, text: &'t str, most: usize) -> Result<&'t str, Fail> {
    if text.trim().is_empty() || text.chars().any(char::is_control) || text.len() > most {
        return Err(Fail::invalid(field, format!("expected 1 to {most} printable bytes")));
    }
    Ok(text)
}

/// `Facebook Campaign` → `facebook-campaign`
fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if slug.len() + c.len_utf8() > limits::ATTRIBUTE_BYTES {
            break;
        }
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { NAMELESS.to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases() {
        for (text, expected) in [
            ("https://example.com", Some("https://example.com")),
            ("https://example.com/", Some("https://example.com")),
            ("http://example.com:8080/shop/", Some("http://example.com:8080/shop")),
            ("", None),
            ("example.com", None),
            ("/shop", None),
            ("https:example.com", None),
            ("https:///example.com/", None),
            ("https://example.com/\"<b>", None),
            ("https://", None),
            ("ftp://example.com", None),
            ("javascript:alert(1)//", None),
            ("https://example.com/?a=b", None),
            ("https://example.com/#a", None),
        ] {
            assert_eq!(Base::parse(text).ok().map(|base| base.0).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn full_urls_and_back() {
        let target = |slug: &str, utm_name: &str| Target {
            kind: Type::Vcard,
            slug: slug.to_owned(),
            utm_name: utm_name.to_owned(),
        };
        let base = Base("https://example.com".to_owned());
        for (target, expected) in [
            (
                target("my-vcard", "facebook-campaign"),
                "https://example.com/vcard/my-vcard?utm_source=facebook-campaign",
            ),
            (target("café?", "a&b"), "https://example.com/vcard/caf%C3%A9%3F?utm_source=a%26b"),
        ] {
            assert_eq!(target.full_url(&base), expected);
            assert_eq!(target.base_of(expected), Some(base.clone()));
            assert_eq!(target.base_of("https://example.com/elsewhere"), None);
        }
    }

    #[test]
    fn names_become_utm_names() {
        for (name, expected) in [
            ("Facebook Campaign", "facebook-campaign"),
            (" Été -- 2024! ", "été-2024"),
            ("🎉", NAMELESS),
        ] {
            assert_eq!(utm_name(None, name).unwrap(), expected);
        }
        assert_eq!(utm_name(Some("As Given"), "x").unwrap(), "As Given");
        assert_eq!(utm_name(Some(""), "x").unwrap(), "x");
        assert!(utm_name(Some("\n"), "x").is_err());
        assert!(utm_name(None, &"x".repeat(1_000)).unwrap().len() <= limits::ATTRIBUTE_BYTES);
    }
}
