//! What would have to change so that a workspace's links equal a file: worked out, not done.
//!
//! A field that the file's format or header doesn't speak of stays as it is, so that a map of bare
//! redirects takes no title away. When a link was made stays too. The plan holds what changes, not
//! what stays: a file that says what is there costs 8 bytes a link.

use serde_json::{Value, json};
use waypost_link::{Change, Link, LinkId, Name, WorkspaceId};
use waypost_service::{Fault, Result};

use super::names::Names;
use crate::exchange::{Book, Field, Made};

/// Times that are the store's to say.
const KEPT: [&str; 2] = ["created_at", "updated_at"];
/// Never shown, only that it changes.
const SECRET: &str = "password_hash";

/// The changes, in the order in which they are made.
#[derive(Default)]
pub(super) struct Plan {
    /// Links that are in the file only.
    pub(super) creates: Vec<Link>,
    /// Links that differ.
    pub(super) updates: Vec<Update>,
    /// Links that are in the workspace only, where they shall go.
    pub(super) deletes: Vec<(LinkId, Name)>,
    /// How many are the same.
    pub(super) unchanged: u64,
    /// How many are in the workspace only, and stay.
    pub(super) kept: u64,
}

/// A link as it shall be.
pub(super) struct Update {
    link: Link,
    was: Name,
    /// What differs.
    pub(super) differences: Vec<Difference>,
}

/// A field of a link, before and after.
pub(super) struct Difference {
    /// Its name.
    pub(super) field: &'static str,
    /// What it is.
    pub(super) from: Value,
    /// What it shall be.
    pub(super) to: Value,
}

/// Compares records of a file with a workspace, one after the other.
pub(super) struct Planner<'b> {
    book: &'b Book,
    workspace: WorkspaceId,
    names: Names,
    plan: Plan,
}

impl<'b> Planner<'b> {
    /// A planner for a workspace; `book` writes nothing.
    pub(super) fn new(book: &'b Book, workspace: WorkspaceId) -> Self {
        Self { book, workspace, names: Names::default(), plan: Plan::default() }
    }

    /// Takes a record's link, of which the file `says` the fields that it does.
    ///
    /// # Errors
    /// [`Fault::Taken`] where its code is another workspace's, [`Fault::Invalid`] where it was there
    /// before or can't be put over the link that exists, [`Fault::Store`].
    pub(super) fn add(&mut self, link: Link, says: impl Fn(&str) -> bool) -> Result<()> {
        let name = link.name();
        if !self.names.insert(&name) {
            return Err(Fault::invalid("code", format!("{} is there twice", name.slug)));
        }
        match self.book.service().link_named(&name)? {
            None => self.plan.creates.push(link),
            Some(old) if old.workspace != self.workspace => {
                return Err(Fault::Taken(format!("the code {}", name.slug)));
            }
            Some(old) => match self.compare(&old, &link, says)? {
                Some(update) => self.plan.updates.push(update),
                None => self.plan.unchanged += 1,
            },
        }
        Ok(())
    }

    /// The plan, once every record was taken; what the file lacks goes where it shall be `pruned`.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub(super) fn finish(mut self, pruned: bool) -> Result<Plan> {
        let (plan, names) = (&mut self.plan, &self.names);
        self.book.service().each_link(self.workspace, |link| {
            match names.contains(&link.name()) {
                true => {}
                false if pruned => plan.deletes.push((link.id, link.name())),
                false => plan.kept += 1,
            }
            Ok::<_, Fault>(())
        })?;
        Ok(self.plan)
    }

    fn compare(
        &self,
        old: &Link,
        new: &Link,
        says: impl Fn(&str) -> bool,
    ) -> Result<Option<Update>> {
        let book = self.book;
        let (mut link, mut differences) = (old.clone(), Vec::new());
        let said = |name: &str| says(name) || (name == SECRET && says("password"));
        for field in Field::exported().filter(|f| said(f.name) && !KEPT.contains(&f.name)) {
            let (from, to) = (field.get(old, book)?, field.get(new, book)?);
            let secret = field.name == SECRET;
            let same = if secret {
                book.same_password(old.password.as_deref(), new.password.as_deref())
            } else {
                from == to
            };
            if !same {
                field.set_json(&mut link, to.clone(), book)?;
                let [from, to] =
                    [from, to].map(|value| if secret { hidden(&value) } else { value });
                differences.push(Difference { field: field.name, from, to });
            }
        }
        if differences.is_empty() {
            return Ok(None);
        }
        if !says("asin") {
            waypost_service::follow_product(old, &mut link);
        }
        link.updated_at = new.updated_at;
        if !says("deactivated_at") {
            waypost_service::follow_activity(old, &mut link);
        }
        book.check(&link)?;
        Ok(Some(Update { link, was: old.name(), differences }))
    }
}

impl Update {
    /// What names the link.
    pub(super) fn name(&self) -> &Name {
        &self.was
    }
}

impl Plan {
    /// Whether the links are as the file says.
    pub(super) fn is_empty(&self) -> bool {
        self.creates.is_empty() && self.updates.is_empty() && self.deletes.is_empty()
    }

    /// The changes of links; collections that the file names and nobody has are made.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub(super) fn changes(self, book: &Book, workspace: WorkspaceId) -> Result<Vec<Change>> {
        let mut made = Made::default();
        let mut settled = |mut link: Link| -> Result<Box<Link>> {
            book.settle(&mut link, &mut made)?;
            Ok(Box::new(link))
        };
        let mut changes = Vec::new();
        for link in self.creates {
            changes.push(Change::CreateLink(settled(link)?));
        }
        for Update { link, was, .. } in self.updates {
            changes.push(Change::UpdateLink { link: settled(link)?, was });
        }
        let delete = |(id, was)| Change::DeleteLink { id, workspace, was };
        changes.extend(self.deletes.into_iter().map(delete));
        Ok(changes)
    }
}

fn hidden(value: &Value) -> Value {
    if value.is_null() { Value::Null } else { json!("(secret)") }
}
