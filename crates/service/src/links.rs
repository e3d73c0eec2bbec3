//! Links: made, found, edited, deleted.

use waypost_link::{
    Change, Claim, Destination, Domain, DomainId, Flags, Hostname, Link, LinkId, Name, Noun,
    Record, Slug, WorkspaceId, check_shares,
};
use waypost_storage::{Error, LinkQuery, Order, Page};

use crate::{Fault, Result, Service, limits, products, random};

/// How a code is drawn where none is given (SPEC 3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drawn {
    /// 8 characters of base62.
    #[default]
    Short,
    /// `lt_` and 12 of `[a-z0-9]`: the tracking dialect's.
    Tracking,
}

/// A link to be made; every further option is set by the caller on the [`Link`] it becomes.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Whose.
    pub workspace: WorkspaceId,
    /// On which domain.
    pub domain: DomainId,
    /// Its code; drawn where absent.
    pub slug: Option<Slug>,
    /// How it is drawn.
    pub drawn: Drawn,
    /// Where it leads.
    pub destination: Destination,
}

impl Service {
    /// Parses a destination by the server's own rules.
    ///
    /// # Errors
    /// [`Fault::Invalid`].
    pub fn destination(&self, text: &str) -> Result<Destination> {
        Ok(Destination::parse(text, &self.policy.schemes)?)
    }

    /// Makes a link, its options set by `options`.
    ///
    /// # Errors
    /// [`Fault::Invalid`], [`Fault::Taken`] (the code), [`Fault::Store`].
    pub fn create_link(
        &self,
        draft: &Draft,
        options: impl FnOnce(&mut Link) -> Result<()>,
    ) -> Result<Link> {
        let mut link = self.link_of(draft)?;
        options(&mut link)?;
        for _ in 0..limits::DRAWS {
            self.check_link(&link)?;
            match self.commit(&[Change::CreateLink(Box::new(link.clone()))]) {
                Err(Error::Taken { .. }) if draft.slug.is_none() => {
                    link.slug = draft.drawn.draw()?;
                }
                Err(error) => return Err(taken(error, &link.slug)),
                Ok(done) => {
                    link.id = LinkId(done.ids.first().copied().unwrap_or_default());
                    link.version = 1;
                    return Ok(link);
                }
            }
        }
        Err(Fault::Taken("every code that was drawn".to_owned()))
    }

    /// A plain link of this draft, not yet committed.
    ///
    /// # Errors
    /// [`Fault::Store`] where no code can be drawn.
    pub fn link_of(&self, draft: &Draft) -> Result<Link> {
        let slug = draft.slug.clone().map_or_else(|| draft.drawn.draw(), Ok)?;
        let destination = draft.destination.clone();
        Ok(Link::new(draft.workspace, draft.domain, slug, destination, (self.now)()))
    }

    /// What must hold of a link before it is committed.
    ///
    /// # Errors
    /// [`Fault::Invalid`] names the field.
    pub fn check_link(&self, link: &Link) -> Result<()> {
        if link.domain == DomainId::DEFAULT {
            link.destination.check_loop(&link.slug, &self.policy.own_hosts)?;
            for rule in &link.rules {
                rule.destination.check_loop(&link.slug, &self.policy.own_hosts)?;
            }
        }
        check_shares(&link.rules)?;
        check_texts(link)?;
        match (link.valid_from, link.expires_at) {
            (Some(from), Some(until)) if from >= until => {
                Err(Fault::invalid("expires_at", "it would expire before it is valid"))
            }
            _ => Ok(()),
        }
    }

    /// The link that `reference` names in a workspace: a bare code means the default domain,
    /// else the workspace's oldest link of that code; `hostname/code` names another.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Store`].
    pub fn find_link(&self, workspace: WorkspaceId, reference: &str) -> Result<Link> {
        let lost = || Fault::NotFound(format!("link {reference:?}"));
        let (host, code) = match reference.rsplit_once('/') {
            Some((host, code)) => (Some(host), code),
            None => (None, reference),
        };
        let slug = Slug::parse(code).map_err(|_| lost())?;
        let on = |domain| -> Result<Option<Link>> {
            let link = self.link_named(&Name { domain, slug: slug.clone() })?;
            Ok(link.filter(|link| link.workspace == workspace))
        };
        let domain = match host {
            Some(host) => self.domain(host)?.ok_or_else(lost)?,
            None => DomainId::DEFAULT,
        };
        match (on(domain)?, host) {
            (Some(link), _) => Ok(link),
            (None, Some(_)) => Err(lost()),
            (None, None) => {
                let own: Vec<Domain> = self.all(Some(workspace))?;
                let all =
                    own.into_iter().map(|domain| on(domain.id)).collect::<Result<Vec<_>>>()?;
                all.into_iter().flatten().min_by_key(|link| link.id).ok_or_else(lost)
            }
        }
    }

    /// The link of this name, whoever owns it.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn link_named(&self, name: &Name) -> Result<Option<Link>> {
        let id = self.store.holder(&Claim::Name(name.clone()))?;
        Ok(id.map(|id| self.store.link(LinkId(id))).transpose()?.flatten())
    }

    /// Changes a link: `edit` is called on what is stored now, again if somebody else was faster. When it
    /// stopped redirecting is written down here, whoever stops it, and forgotten when it redirects again.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Taken`] (a new code), what `edit` says, [`Fault::Store`].
    pub fn edit_link(
        &self,
        workspace: WorkspaceId,
        id: LinkId,
        edit: impl Fn(&mut Link) -> Result<()>,
    ) -> Result<Link> {
        for _ in 0..limits::RETRIES {
            let mut link = self.own_link(workspace, id)?;
            let (was, before) = (link.name(), link.clone());
            edit(&mut link)?;
            products::follow_product(&before, &mut link);
            link.updated_at = (self.now)();
            follow_activity(&before, &mut link);
            self.check_link(&link)?;
            match self.commit(&[Change::UpdateLink { link: Box::new(link.clone()), was }]) {
                Err(Error::Stale { .. }) => {}
                Err(error) => return Err(taken(error, &link.slug)),
                Ok(_) => {
                    link.version += 1;
                    return Ok(link);
                }
            }
        }
        Err(Fault::Store(Error::Unavailable("the link is changed all the time".to_owned())))
    }

    /// Deletes a link; its clicks follow.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Store`].
    pub fn delete_link(&self, workspace: WorkspaceId, id: LinkId) -> Result<Link> {
        for _ in 0..limits::RETRIES {
            let link = self.own_link(workspace, id)?;
            match self.commit(&[Change::DeleteLink { id, workspace, was: link.name() }]) {
                Err(Error::Stale { .. }) => {}
                Err(Error::Missing { .. }) => break,
                Err(error) => return Err(error.into()),
                Ok(_) => return Ok(link),
            }
        }
        Err(Fault::NotFound(format!("link {id}")))
    }

    /// A page of a workspace's links.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn links(&self, query: &LinkQuery) -> Result<Page<Link, LinkId>> {
        Ok(self.store.links(query)?)
    }

    /// The first `limit` links that `query` asks for, and the id after which there are more, if there are.
    /// A store's pages may be short, so they are asked for until there are so many.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn first_links(&self, mut query: LinkQuery) -> Result<(Vec<Link>, Option<LinkId>)> {
        let most = query.limit;
        let mut links = Vec::new();
        while links.len() <= most {
            query.limit = most + 1 - links.len();
            let page = self.links(&query)?;
            links.extend(page.items);
            if page.next.is_none() {
                break;
            }
            query.after = page.next;
        }
        Ok(first_of(links, most))
    }

    /// The links of a workspace that carry an attribute of this value, oldest first.
    ///
    /// # Errors
    /// [`Fault::Invalid`] for more than [`limits::MERGED`]; [`Fault::Store`].
    pub fn links_with(
        &self,
        workspace: WorkspaceId,
        attribute: &'static str,
        value: &str,
    ) -> Result<Vec<Link>> {
        let query = LinkQuery {
            workspace: Some(workspace),
            attribute: Some((attribute.to_owned(), value.to_owned())),
            order: Order::Ascending,
            limit: limits::MERGED,
            ..LinkQuery::default()
        };
        match self.first_links(query)? {
            (links, None) => Ok(links),
            (_, Some(_)) => Err(Fault::invalid(attribute, "more than 10000 links have it")),
        }
    }

    /// Calls `each` for every link of a workspace, oldest first, page by page.
    ///
    /// # Errors
    /// What `each` says; [`Fault::Store`].
    pub fn each_link<E: From<Fault>>(
        &self,
        workspace: WorkspaceId,
        mut each: impl FnMut(Link) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let mut query = LinkQuery {
            workspace: Some(workspace),
            order: Order::Ascending,
            limit: waypost_storage::limits::PAGE,
            ..LinkQuery::default()
        };
        loop {
            let page = self.links(&query)?;
            page.items.into_iter().try_for_each(&mut each)?;
            if page.next.is_none() {
                return Ok(());
            }
            query.after = page.next;
        }
    }

    /// What short links on a domain begin with: scheme and host, no slash at the end.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn base_url(&self, domain: DomainId) -> Result<String> {
        let public = &self.policy.public_url;
        Ok(match self.hostname(domain)? {
            // A custom hostname uses the scheme of the public URL (SPEC 2).
            Some(host) => {
                let scheme = public.split_once("://").map_or("http", |(scheme, _)| scheme);
                format!("{scheme}://{}", host.as_str())
            }
            None => public.clone(),
        })
    }

    /// The short URL of a link.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn short_url(&self, link: &Link) -> Result<String> {
        Ok(format!("{}/{}", self.base_url(link.domain)?, link.slug.encoded()))
    }

    /// The domain of this hostname.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn domain(&self, host: &str) -> Result<Option<DomainId>> {
        let Ok(host) = Hostname::parse(host) else { return Ok(None) };
        if self.policy.own_hosts.contains(&host) {
            return Ok(Some(DomainId::DEFAULT));
        }
        Ok(self.store.holder(&Claim::Hostname(host))?.map(DomainId))
    }

    /// The hostname of a domain; `None` for the default one.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn hostname(&self, domain: DomainId) -> Result<Option<Hostname>> {
        if domain == DomainId::DEFAULT {
            return Ok(None);
        }
        match self.store.record(Noun::Domain, domain.0)? {
            Some(Record::Domain(domain)) => Ok(Some(domain.hostname)),
            _ => Ok(None),
        }
    }

    /// A link of the workspace.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Foreign`], [`Fault::Store`].
    pub fn own_link(&self, workspace: WorkspaceId, id: LinkId) -> Result<Link> {
        match self.store.link(id)? {
            Some(link) if link.workspace == workspace => Ok(link),
            Some(_) => Err(Fault::Foreign(format!("link {id}"))),
            None => Err(Fault::NotFound(format!("link {id}"))),
        }
    }
}

impl Drawn {
    pub(crate) fn draw(self) -> Result<Slug> {
        let text = match self {
            Self::Short => random::text(random::BASE62, 8)?,
            Self::Tracking => format!("lt_{}", random::text(random::LOWER36, 12)?),
        };
        Ok(Slug::parse(&text)?)
    }
}

fn taken(error: Error, slug: &Slug) -> Fault {
    match error {
        Error::Taken { .. } => Fault::Taken(format!("the code {slug}")),
        other => Fault::Store(other),
    }
}

/// At most `most` links, and the last of them where there were more.
pub fn first_of(mut links: Vec<Link>, most: usize) -> (Vec<Link>, Option<LinkId>) {
    let more = links.len() > most;
    links.truncate(most);
    let last = links.last().map(|link| link.id).filter(|_| more);
    (links, last)
}

/// Has a link that stops redirecting say since when, and one that redirects again not: what every edit does. A time
/// that the edit itself gives to what it stops is kept.
pub fn follow_activity(before: &Link, link: &mut Link) {
    let given = link.deactivated_at != before.deactivated_at;
    match (before.flags.has(Flags::ACTIVE), link.flags.has(Flags::ACTIVE)) {
        (true, false) if !given => link.deactivated_at = Some(link.updated_at),
        (false, true) => link.deactivated_at = None,
        _ => {}
    }
}

fn check_texts(link: &Link) -> Result<()> {
    use waypost_link::limits;
    let text = |field, value: Option<&str>, most: usize| match value {
        Some(value) if value.len() > most => {
            Err(Fault::invalid(field, format!("at most {most} bytes")))
        }
        // XML has no way to write them, and no file of links can hold a NUL.
        Some(value)
            if value.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) =>
        {
            Err(Fault::invalid(field, "a control character is no text"))
        }
        _ => Ok(()),
    };
    text("title", link.title.as_deref(), limits::TITLE_BYTES)?;
    text("description", link.description.as_deref(), limits::TEXT_BYTES)?;
    text("notes", link.notes.as_deref(), limits::TEXT_BYTES)?;
    text("source_label", link.source_label.as_deref(), limits::TITLE_BYTES)?;
    if link.tags.len() > limits::TAGS {
        return Err(Fault::invalid("tags", format!("at most {} tags", limits::TAGS)));
    }
    for tag in &link.tags {
        text("tags", Some(tag), limits::TITLE_BYTES)?;
    }
    for (_, value) in link.utm.pairs() {
        text("utm", Some(value), limits::TITLE_BYTES)?;
    }
    if link.scripts.len() > limits::SCRIPTS {
        return Err(Fault::invalid("scripts", format!("at most {} scripts", limits::SCRIPTS)));
    }
    let long = |script| text("scripts", Some(script), limits::SCRIPT_BYTES);
    link.scripts.iter().try_for_each(|script| long(&script.script))
}

#[cfg(test)]
#[path = "links_tests.rs"]
mod tests;
