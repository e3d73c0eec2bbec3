//! The store as seen from one workspace, and its links as JSON.

use anyhow::Result;
use serde::{Serialize, Serializer};
use serde_json::Value;
use waypost_link::{Link, LinkId, Workspace};
use waypost_storage::Totals;

use crate::{
    context::{Context, Opened, now},
    exchange::{Book, Front, to_pairs},
};

/// An open store and one of its workspaces.
pub(super) struct Tenant {
    /// The store.
    pub(super) opened: Opened,
    /// The workspace.
    pub(super) workspace: Workspace,
    /// What its links call by name.
    pub(super) book: Book,
}

/// A link with its golinks fields, in the order of the table of fields.
pub(super) struct LinkObject(Vec<(&'static str, Value)>);

impl Tenant {
    /// Opens the store for the workspace of this name.
    ///
    /// # Errors
    /// The store can't be opened, or there is no such workspace.
    pub(super) fn open(context: &Context, workspace: &str) -> Result<Self> {
        Self::with(context, workspace, true)
    }

    /// The same, but nothing may be written that a link only names.
    ///
    /// # Errors
    /// As there.
    pub(super) fn open_to_look(context: &Context, workspace: &str) -> Result<Self> {
        Self::with(context, workspace, false)
    }

    fn with(context: &Context, workspace: &str, writes: bool) -> Result<Self> {
        let opened = context.open()?;
        let workspace = opened.service.workspace(workspace)?;
        let front = Front {
            host: opened.config.public_url.host_str().unwrap_or_default().to_owned(),
            strict: opened.config.strict_hosts,
        };
        let book = Book::new(opened.service.clone(), workspace.id, now(), writes)?.behind(front);
        Ok(Self { opened, workspace, book })
    }

    /// What visitors type.
    ///
    /// # Errors
    /// The store can't be read.
    pub(super) fn short_url(&self, link: &Link) -> Result<String> {
        let public = &self.opened.config.public_url;
        let code = link.slug.encoded();
        Ok(match self.book.hostname(link.domain)? {
            Some(host) => format!("{}://{host}/{code}", public.scheme()),
            None => format!("{public}{code}"),
        })
    }

    /// What these links have had in all, in their order.
    ///
    /// # Errors
    /// The store can't be read.
    pub(super) fn totals(&self, links: &[Link]) -> Result<Vec<Totals>> {
        let ids: Vec<LinkId> = links.iter().map(|link| link.id).collect();
        Ok(self.opened.store.clicks.totals(&ids)?)
    }

    /// A link as JSON.
    ///
    /// # Errors
    /// The store can't be read.
    pub(super) fn object(&self, link: &Link, clicks: u64) -> Result<LinkObject> {
        let mut pairs: Vec<(&'static str, Value)> =
            vec![("id", link.id.0.into()), ("short_url", self.short_url(link)?.into())];
        pairs.extend(to_pairs(link, &self.book)?);
        pairs.push(("collection_id", link.collection.map(|id| id.0).into()));
        pairs.push(("clicks", clicks.into()));
        Ok(LinkObject(pairs))
    }

    /// A link as JSON, its clicks looked up.
    ///
    /// # Errors
    /// The store can't be read.
    pub(super) fn object_of(&self, link: &Link) -> Result<LinkObject> {
        let totals = self.totals(std::slice::from_ref(link))?;
        self.object(link, totals.first().map_or(0, |totals| totals.clicks))
    }
}

impl LinkObject {
    /// The fields that have a value, with that value.
    pub(super) fn present(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (*name, value))
    }
}

impl Serialize for LinkObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
