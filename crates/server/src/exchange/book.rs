//! What a file calls by name and a link by id: hostnames and collections, looked up once each.

use std::{cell::RefCell, collections::HashMap};

use waypost_link::{
    Change, Collection, CollectionId, Destination, DomainId, Hostname, Link, Noun, Record, Slug,
    Timestamp, WorkspaceId,
};
use waypost_service::{Draft, Fault, Result, Service, hash_password, verify_password};
use waypost_storage::{Order, RecordQuery};

/// The colour of a collection that an import makes: the first of the palette.
const COLOR: &str = "#ef4444";

/// Ids from here on are of collections that aren't made yet; real ones stay below (SPEC 1).
const PROVISIONAL: u64 = 1 << 53;

/// The collections that were made for provisional ones.
#[derive(Default)]
pub(crate) struct Made(HashMap<CollectionId, CollectionId>);

/// The names of one workspace, and the rules that its links go by.
pub(crate) struct Book {
    service: Service,
    workspace: WorkspaceId,
    now: Timestamp,
    writes: bool,
    front: Front,
    plain: Link,
    domains: RefCell<HashMap<String, DomainId>>,
    hostnames: RefCell<HashMap<DomainId, Option<String>>>,
    collections: RefCell<Option<HashMap<String, CollectionId>>>,
    names: RefCell<HashMap<CollectionId, Option<String>>>,
    passwords: RefCell<HashMap<String, String>>,
}

/// How the server meets visitors, for formats that name a hostname on every line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Front {
    /// The hostname of links on the default domain.
    pub(crate) host: String,
    /// Whether hostnames that nobody registered are answered with 404.
    pub(crate) strict: bool,
}

impl Default for Front {
    fn default() -> Self {
        Self { host: "localhost".to_owned(), strict: true }
    }
}

impl Book {
    /// The book of a workspace. A collection that is named and missing is made, if it `writes`;
    /// else it gets an id that only this book knows, until [`Book::settle`].
    ///
    /// # Errors
    /// Never, as long as a plain link is legal.
    pub(crate) fn new(
        service: Service,
        workspace: WorkspaceId,
        now: Timestamp,
        writes: bool,
    ) -> Result<Self> {
        let (slug, destination) =
            (Slug::parse("plain")?, service.destination("https://example.com/")?);
        let plain = Link::new(workspace, DomainId::DEFAULT, slug, destination, now);
        Ok(Self {
            service,
            workspace,
            now,
            writes,
            front: Front::default(),
            plain,
            domains: RefCell::default(),
            hostnames: RefCell::default(),
            collections: RefCell::default(),
            names: RefCell::default(),
            passwords: RefCell::default(),
        })
    }

    /// The same book, of a server that meets visitors so.
    #[must_use]
    pub(crate) fn behind(mut self, front: Front) -> Self {
        self.front = front;
        self
    }

    /// The hostname of links on the default domain.
    pub(crate) fn host(&self) -> &str {
        &self.front.host
    }

    /// The use cases that it looks things up by.
    pub(crate) fn service(&self) -> Service {
        self.service.clone()
    }

    /// A link without any option, to hold others against.
    pub(crate) fn plain(&self) -> &Link {
        &self.plain
    }

    /// A plain link of this code and destination.
    ///
    /// # Errors
    /// [`Fault::Invalid`].
    pub(crate) fn draft(&self, code: &str, destination: &str) -> Result<Link> {
        let slug = Slug::parse(code.trim())?;
        let destination = self.service.destination(destination.trim())?;
        Ok(Link::new(self.workspace, DomainId::DEFAULT, slug, destination, self.now))
    }

    /// A plain draft of these, as the service makes links of.
    ///
    /// # Errors
    /// [`Fault::Invalid`].
    pub(crate) fn new_link(&self, code: &str, destination: &str) -> Result<Draft> {
        let Link { workspace, domain, slug, destination, .. } = self.draft(code, destination)?;
        let drawn = waypost_service::Drawn::default();
        Ok(Draft { workspace, domain, slug: Some(slug), drawn, destination })
    }

    /// What must hold of a link before it is committed.
    ///
    /// # Errors
    /// [`Fault::Invalid`].
    pub(crate) fn check(&self, link: &Link) -> Result<()> {
        self.service.check_link(link)
    }

    /// A destination by the server's rules.
    ///
    /// # Errors
    /// [`Fault::Invalid`].
    pub(crate) fn destination(&self, text: &str) -> Result<Destination> {
        self.service.destination(text)
    }

    /// The workspace's domain of this hostname.
    ///
    /// # Errors
    /// [`Fault::Invalid`] where it has none, [`Fault::Store`].
    pub(crate) fn domain(&self, host: &str) -> Result<DomainId> {
        if let Some(&known) = self.domains.borrow().get(host) {
            return Ok(known);
        }
        let id = self.service.domain(host)?.filter(|&id| self.owns(id).unwrap_or(false));
        let unknown =
            || Fault::invalid("domain", format!("{host:?} is no domain of the workspace"));
        let id = id.ok_or_else(unknown)?;
        self.domains.borrow_mut().insert(host.to_owned(), id);
        Ok(id)
    }

    /// The domain that visitors of `host` see (SPEC 3.1): the workspace's own, or the default one
    /// where unknown hostnames see it.
    ///
    /// # Errors
    /// As [`Book::domain`].
    pub(crate) fn served(&self, host: &str) -> Result<DomainId> {
        let stranger = || {
            let legal = Hostname::parse(host).is_ok();
            Ok::<_, Fault>(legal && !self.front.strict && self.service.domain(host)?.is_none())
        };
        match self.domain(host) {
            Err(Fault::Invalid { .. }) if stranger()? => Ok(DomainId::DEFAULT),
            found => found,
        }
    }

    /// The hostname of a domain; none for the default one.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub(crate) fn hostname(&self, id: DomainId) -> Result<Option<String>> {
        if id == DomainId::DEFAULT {
            return Ok(None);
        }
        if let Some(known) = self.hostnames.borrow().get(&id) {
            return Ok(known.clone());
        }
        let name = self.service.hostname(id)?.map(|host| host.as_str().to_owned());
        self.hostnames.borrow_mut().insert(id, name.clone());
        Ok(name)
    }

    /// The oldest collection of this name, else a new one.
    ///
    /// # Errors
    /// [`Fault::Invalid`], [`Fault::Store`].
    pub(crate) fn collection(&self, name: &str) -> Result<CollectionId> {
        let mut collections = self.collections.borrow_mut();
        let known = match &mut *collections {
            Some(known) => known,
            unread => unread.insert(self.collections_by_name()?),
        };
        if let Some(&id) = known.get(name) {
            return Ok(id);
        }
        check_collection(name)?;
        let id = if self.writes {
            self.make_collection(name)?
        } else {
            CollectionId(PROVISIONAL + known.len() as u64)
        };
        known.insert(name.to_owned(), id);
        self.names.borrow_mut().insert(id, Some(name.to_owned()));
        Ok(id)
    }

    /// Makes the collection of a link that a book which writes nothing has read.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub(crate) fn settle(&self, link: &mut Link, made: &mut Made) -> Result<()> {
        let Some(id) = link.collection.filter(|id| id.0 >= PROVISIONAL) else { return Ok(()) };
        let name = self.collection_name(id)?;
        let id = match (made.0.get(&id), name) {
            (Some(&made), _) => Some(made),
            (None, Some(name)) => {
                let new = self.make_collection(&name)?;
                made.0.insert(id, new);
                Some(new)
            }
            (None, None) => None,
        };
        link.collection = id;
        Ok(())
    }

    /// The hash of a password, which a book that writes nothing can tell again from the hash.
    ///
    /// # Errors
    /// [`Fault::Invalid`].
    pub(crate) fn hash(&self, password: &str) -> Result<String> {
        let hash = hash_password(password)?;
        if !self.writes {
            self.passwords.borrow_mut().insert(hash.clone(), password.to_owned());
        }
        Ok(hash)
    }

    /// Whether `new`, as this book has read it, opens what `old` opens.
    pub(crate) fn same_password(&self, old: Option<&str>, new: Option<&str>) -> bool {
        let (Some(old), Some(new)) = (old, new) else { return old == new };
        let passwords = self.passwords.borrow();
        old == new || passwords.get(new).is_some_and(|password| verify_password(password, old))
    }

    /// The name of a collection; none where it is gone.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub(crate) fn collection_name(&self, id: CollectionId) -> Result<Option<String>> {
        if let Some(known) = self.names.borrow().get(&id) {
            return Ok(known.clone());
        }
        let name = match self.service.store().record(Noun::Collection, id.0)? {
            Some(Record::Collection(collection)) => Some(collection.name),
            _ => None,
        };
        self.names.borrow_mut().insert(id, name.clone());
        Ok(name)
    }

    fn owns(&self, id: DomainId) -> Result<bool> {
        if id == DomainId::DEFAULT {
            return Ok(true);
        }
        let record = self.service.store().record(Noun::Domain, id.0)?;
        Ok(record.and_then(|record| record.workspace()) == Some(self.workspace))
    }

    fn make_collection(&self, name: &str) -> Result<CollectionId> {
        let collection = Collection {
            workspace: self.workspace,
            name: name.to_owned(),
            color: COLOR.to_owned(),
            created_at: self.now,
            ..Collection::default()
        };
        let change = Change::PutRecord(Record::Collection(collection));
        let done = self.service.store().commit(&[change], self.now)?;
        Ok(CollectionId(done.ids.first().copied().unwrap_or_default()))
    }

    fn collections_by_name(&self) -> Result<HashMap<String, CollectionId>> {
        let mut query = RecordQuery {
            noun: Noun::Collection,
            workspace: Some(self.workspace),
            order: Order::Ascending,
            after: None,
            limit: waypost_storage::limits::PAGE,
        };
        let mut known = HashMap::new();
        loop {
            let page = self.service.store().records(&query)?;
            for record in page.items {
                if let Record::Collection(Collection { id, name, .. }) = record {
                    known.entry(name).or_insert(id);
                }
            }
            if page.next.is_none() {
                return Ok(known);
            }
            query.after = page.next;
        }
    }
}

fn check_collection(name: &str) -> Result<()> {
    if name.len() > waypost_link::limits::TITLE_BYTES || name.chars().any(char::is_control) {
        return Err(Fault::invalid("collection", "a name has at most 1024 printable bytes"));
    }
    Ok(())
}
