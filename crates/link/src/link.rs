//! A link: a code on a domain, where it leads, and every option that can bend the way.

use crate::{
    CollectionId, Destination, DomainId, LinkId, Rule, Slug, Timestamp, WorkspaceId, limits,
};

/// What names a link to a visitor: its code on a domain. Unique in a store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// The domain the code is on.
    pub domain: DomainId,
    /// The code.
    pub slug: Slug,
}

/// The status of a link's redirect (SPEC 3.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Status {
    /// 301 Moved Permanently.
    Moved,
    /// 302 Found: the default.
    #[default]
    Found,
    /// 307 Temporary Redirect: links made by linkpack.
    Temporary,
    /// 308 Permanent Redirect.
    Permanent,
}

impl Status {
    /// Every status that a link may have.
    pub const ALL: [Self; 4] = [Self::Moved, Self::Found, Self::Temporary, Self::Permanent];

    /// The HTTP status code.
    pub const fn code(self) -> u16 {
        match self {
            Self::Moved => 301,
            Self::Found => 302,
            Self::Temporary => 307,
            Self::Permanent => 308,
        }
    }

    /// The status of this HTTP code, if a link may have it.
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }
}

/// A link's switches, a bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flags(pub u16);

impl Flags {
    /// The link redirects (linktrack `is_active`).
    pub const ACTIVE: Self = Self(1);
    /// The visitor's own query string is passed on.
    pub const FORWARD_QUERY: Self = Self(1 << 1);
    /// Listed publicly (linktrack `is_public`).
    pub const PUBLIC: Self = Self(1 << 2);
    /// The statistics page may be seen without a key.
    pub const PUBLIC_TRACKING: Self = Self(1 << 3);
    /// `/{code}+` exists.
    pub const PLUS_TRACKING: Self = Self(1 << 4);
    /// The destination gets `wp_click`, and conversions are counted.
    pub const CONVERSION_TRACKING: Self = Self(1 << 5);
    /// An email is sent when the click numbered `alert_at` is counted.
    pub const ALERT_EMAIL: Self = Self(1 << 6);
    /// The workspace's pixels fire on an interstitial.
    pub const PIXELS: Self = Self(1 << 7);

    /// Every flag with the name that exchange formats use.
    pub const NAMES: [(Self, &'static str); 8] = [
        (Self::ACTIVE, "active"),
        (Self::FORWARD_QUERY, "forward_query"),
        (Self::PUBLIC, "public"),
        (Self::PUBLIC_TRACKING, "public_tracking"),
        (Self::PLUS_TRACKING, "plus_tracking"),
        (Self::CONVERSION_TRACKING, "conversion_tracking"),
        (Self::ALERT_EMAIL, "alert_email"),
        (Self::PIXELS, "pixels"),
    ];

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// With the bits of `other` set or cleared.
    #[must_use]
    pub const fn with(self, other: Self, on: bool) -> Self {
        if on { Self(self.0 | other.0) } else { Self(self.0 & !other.0) }
    }
}

impl Default for Flags {
    /// Active, and nothing else.
    fn default() -> Self {
        Self::ACTIVE
    }
}

/// The five UTM parameters; an empty one is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Utm {
    /// `utm_source`.
    pub source: String,
    /// `utm_medium`.
    pub medium: String,
    /// `utm_campaign`.
    pub campaign: String,
    /// `utm_term`.
    pub term: String,
    /// `utm_content`.
    pub content: String,
}

impl Utm {
    /// The parameters that are set, by name, in the documents' order.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("utm_source", self.source.as_str()),
            ("utm_medium", &self.medium),
            ("utm_campaign", &self.campaign),
            ("utm_term", &self.term),
            ("utm_content", &self.content),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
    }

    /// Whether no parameter is set.
    pub fn is_empty(&self) -> bool {
        self.pairs().next().is_none()
    }
}

/// Where a retargeting script goes on its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Placement {
    /// Inside `<head>`.
    Head,
    /// Inside `<body>`.
    Body,
}

/// A retargeting script: sent verbatim on an interstitial page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The client's own identifier.
    pub id: String,
    /// Where it goes.
    pub placement: Placement,
    /// A full tag, a URL, or inline code, as sent.
    pub script: String,
}

/// Named, indexed strings that dialects hang their own fields on, sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(Vec<(String, String)>);

impl Attributes {
    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.find(name).ok()?;
        Some(&self.0[at].1)
    }

    /// Sets `name`; `None` clears it. False, and nothing is changed, where a limit is passed.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> bool {
        match (self.find(name), value) {
            (Ok(at), None) => drop(self.0.remove(at)),
            (Err(_), None) => {}
            (_, Some(value)) if !Self::fits(name, value) => return false,
            (Ok(at), Some(value)) => self.0[at].1 = value.to_owned(),
            (Err(_), Some(_)) if self.0.len() >= limits::ATTRIBUTES => return false,
            (Err(at), Some(value)) => self.0.insert(at, (name.to_owned(), value.to_owned())),
        }
        true
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.as_str().cmp(name))
    }

    fn fits(name: &str, value: &str) -> bool {
        (1..=limits::ATTRIBUTE_NAME_BYTES).contains(&name.len())
            && value.len() <= limits::ATTRIBUTE_BYTES
    }
}

/// A link with every option that SPEC names.
///
/// [`Link::new`] makes a plain one; options are fields, set before the link is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Assigned by the store.
    pub id: LinkId,
    /// Its owner.
    pub workspace: WorkspaceId,
    /// The domain its code is on.
    pub domain: DomainId,
    /// Its code.
    pub slug: Slug,
    /// Where it leads.
    pub destination: Destination,
    /// The status of its redirect.
    pub status: Status,
    /// Its switches.
    pub flags: Flags,
    /// Raised by the store at every change; a change of an older version is refused.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was first deactivated.
    pub deactivated_at: Option<Timestamp>,
    /// When it was archived: off the lists, still redirecting.
    pub archived_at: Option<Timestamp>,
    /// It answers 404 before this.
    pub valid_from: Option<Timestamp>,
    /// It answers 404 from this on.
    pub expires_at: Option<Timestamp>,
    /// How many clicks it redirects in all (linktrack `deactivate_at`).
    pub max_clicks: Option<u64>,
    /// The click whose counting sends an email (linktrack `alert_at`).
    pub alert_at: Option<u64>,
    /// An Argon2id hash in PHC form.
    pub password: Option<String>,
    /// The folder it is in.
    pub collection: Option<CollectionId>,
    /// UTM parameters set on the destination.
    pub utm: Utm,
    /// Routing rules, first match wins.
    pub rules: Vec<Rule>,
    /// Retargeting scripts.
    pub scripts: Vec<Script>,
    /// Free labels.
    pub tags: Vec<String>,
    /// A human's title.
    pub title: Option<String>,
    /// A human's description.
    pub description: Option<String>,
    /// A human's private notes.
    pub notes: Option<String>,
    /// golinks `source_label`.
    pub source_label: Option<String>,
    /// The Amazon product it leads to.
    pub asin: Option<String>,
    /// The product's picture, below `/media/`.
    pub product_image_url: Option<String>,
    /// What dialects hang on it.
    pub attributes: Attributes,
}

impl Link {
    /// A plain link, active, redirecting with 302, made at `now`.
    ///
    /// ```
    /// use waypost_link::*;
    /// let slug = Slug::parse("hi").unwrap();
    /// let destination = Destination::parse("https://example.com/", &Schemes::default()).unwrap();
    /// let link = Link::new(WorkspaceId(1), DomainId::DEFAULT, slug, destination, Timestamp(0));
    /// assert_eq!(link.status.code(), 302);
    /// ```
    pub fn new(
        workspace: WorkspaceId,
        domain: DomainId,
        slug: Slug,
        destination: Destination,
        now: Timestamp,
    ) -> Self {
        Self {
            id: LinkId::UNASSIGNED,
            workspace,
            domain,
            slug,
            destination,
            status: Status::default(),
            flags: Flags::default(),
            version: 0,
            created_at: now,
            updated_at: now,
            deactivated_at: None,
            archived_at: None,
            valid_from: None,
            expires_at: None,
            max_clicks: None,
            alert_at: None,
            password: None,
            collection: None,
            utm: Utm::default(),
            rules: Vec::new(),
            scripts: Vec::new(),
            tags: Vec::new(),
            title: None,
            description: None,
            notes: None,
            source_label: None,
            asin: None,
            product_image_url: None,
            attributes: Attributes::default(),
        }
    }

    /// What names it to a visitor.
    pub fn name(&self) -> Name {
        Name { domain: self.domain, slug: self.slug.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_stay_sorted_and_bounded() {
        let mut attributes = Attributes::default();
        for name in ["job_id", "application_id", "link_type"] {
            assert!(attributes.set(name, Some("x")));
        }
        assert!(attributes.set("job_id", Some("y")) && attributes.set("link_type", None));
        let all: Vec<_> = attributes.iter().collect();
        assert_eq!(all, [("application_id", "x"), ("job_id", "y")]);
        assert!(!attributes.set("big", Some(&"x".repeat(limits::ATTRIBUTE_BYTES + 1))));
        assert!(!attributes.set("", Some("x")));
        for n in 0..limits::ATTRIBUTES {
            attributes.set(&format!("a{n}"), Some("x"));
        }
        assert_eq!(attributes.iter().len(), limits::ATTRIBUTES);
    }

    #[test]
    fn flags_are_bits_of_their_own() {
        let all = Flags::NAMES.iter().fold(0u16, |seen, (flag, _)| {
            assert_eq!(seen & flag.0, 0);
            seen | flag.0
        });
        assert_eq!(all.count_ones() as usize, Flags::NAMES.len());
        let flags = Flags::default().with(Flags::PIXELS, true).with(Flags::ACTIVE, false);
        assert!(flags.has(Flags::PIXELS) && !flags.has(Flags::ACTIVE));
    }

    #[test]
    fn only_four_statuses() {
        for (code, known) in [(301, true), (302, true), (303, false), (307, true), (308, true)] {
            assert_eq!(Status::from_code(code).map(Status::code), known.then_some(code));
        }
    }
}
