//! What each workspace route does: decode, one use case, encode.

use waypost_link::{DomainId, Flags, Link, LinkId, Noun, Record, Workspace};
use waypost_service::{Draft, Drawn, Fault, LinkQuery, Service};

use super::{
    tracking_link::{self, Base, TYPE, Target},
    wire::{LinkEdit, Listed, NewLink, TrackingLink, Type},
};
use crate::{
    kit::{Answer, Call, Fail, ids, page, page::Paging, reply, time},
    limits,
};

/// `GET …/tracking-links`
pub(super) fn list(call: &Call) -> Answer {
    let workspace = workspace(call)?;
    let kinds = match call.query("type")? {
        None => Type::ALL.to_vec(),
        Some(name) => vec![Type::named(name).ok_or_else(unknown_type)?],
    };
    let base = call.query("baseUrl")?.map(Base::parse).transpose()?;
    let paging = Paging::of(call, limits::PAGE)?;
    let (links, next) = newest(call.service(), &workspace, &kinds, paging)?;
    let shown = links.iter().filter_map(|link| {
        let target = Target::of(link)?;
        let full_url = base.as_ref().map(|base| target.full_url(base));
        Some(show(call.service(), &workspace, link, target, full_url))
    });
    let links = shown.collect::<Result<_, _>>()?;
    reply::json(200, &Listed { links, next_cursor: page::cursor(next) })
}

/// `POST …/tracking-links`
pub(super) fn create(call: &Call) -> Answer {
    let workspace = workspace(call)?;
    let new: NewLink = call.json()?;
    let base = match (&new.base_url, workspace.settings.get("base_url")) {
        (Some(base), _) | (None, Some(base)) => Base::parse(base)?,
        (None, None) => {
            return Err(Fail::invalid(
                "baseUrl",
                "the workspace has no base_url: one must be given",
            ));
        }
    };
    let name = tracking_link::name(&new.name)?;
    let target = Target {
        kind: new.kind,
        slug: tracking_link::slug(&new.destination_slug)?.to_owned(),
        utm_name: tracking_link::utm_name(new.utm_name.as_deref(), name)?,
    };
    let draft = Draft {
        workspace: workspace.id,
        domain: DomainId::DEFAULT,
        slug: None,
        drawn: Drawn::Short,
        destination: call.service().destination(&target.full_url(&base))?,
    };
    let make = |service: &Service| {
        Ok(service.create_link(&draft, |link| {
            link.title = Some(name.to_owned());
            target.put(&mut link.attributes)
        })?)
    };
    let link = call.once(make, |ids| call.link_made(ids))?;
    reply::json(201, &changed(call.service(), &workspace, &link)?)
}

/// `PATCH …/tracking-links/{id}`
pub(super) fn edit(call: &Call) -> Answer {
    let workspace = workspace(call)?;
    let (link, old) = tracking_link(call)?;
    let edit: LinkEdit = call.json()?;
    let name = edit.name.as_deref().map(tracking_link::name).transpose()?;
    let mut target = old.clone();
    if let Some(slug) = &edit.destination_slug {
        target.slug = tracking_link::slug(slug)?.to_owned();
    }
    if let Some(given) = &edit.utm_name {
        let name = name.or(link.title.as_deref()).unwrap_or_default();
        target.utm_name = tracking_link::utm_name(Some(given), name)?;
    }
    let destination = match base_of(&workspace, &link, &old) {
        Some(base) if target != old => Some(call.service().destination(&target.full_url(&base))?),
        _ => None,
    };
    let link = call.service().edit_link(workspace.id, link.id, |link| {
        if let Some(destination) = &destination {
            link.destination.clone_from(destination);
        }
        if let Some(name) = name {
            link.title = Some(name.to_owned());
        }
        if let Some(active) = edit.is_active {
            link.flags = link.flags.with(Flags::ACTIVE, active);
        }
        target.put(&mut link.attributes)
    })?;
    reply::json(200, &changed(call.service(), &workspace, &link)?)
}

/// `DELETE …/tracking-links/{id}`
pub(super) fn delete(call: &Call) -> Answer {
    let workspace = workspace(call)?;
    let (link, _) = tracking_link(call)?;
    call.service().delete_link(workspace.id, link.id)?;
    Ok(reply::nothing())
}

/// The workspace of the path: 404 where there is none, 403 where it is another's.
fn workspace(call: &Call) -> Result<Workspace, Fail> {
    let text = call.parameter("workspaceId");
    let lost = || Fail::NotFound(Some(text.to_owned()));
    let id = ids::HEX.read(text).ok_or_else(lost)?;
    let record = call.service().store().record(Noun::Workspace, id).map_err(Fault::from)?;
    match record {
        Some(Record::Workspace(found)) if ids::HEX.is(text, found.created_at, id) => {
            if found.id == call.principal()?.workspace { Ok(found) } else { Err(Fail::Forbidden) }
        }
        _ => Err(lost()),
    }
}

/// The tracking link of the path.
fn tracking_link(call: &Call) -> Result<(Link, Target), Fail> {
    let text = call.parameter("id");
    let link = call.link_called(ids::HEX, text)?;
    let target = Target::of(&link).ok_or_else(|| Fail::NotFound(Some(text.to_owned())))?;
    Ok((link, target))
}

/// What the destination of a link begins with: what it was made of, else the workspace's `base_url`.
fn base_of(workspace: &Workspace, link: &Link, target: &Target) -> Option<Base> {
    let own = target.base_of(link.destination.as_str());
    own.or_else(|| Base::parse(workspace.settings.get("base_url")?).ok())
}

/// A page of the workspace's links of these types, newest first, and where the next begins.
fn newest(
    service: &Service,
    workspace: &Workspace,
    kinds: &[Type],
    paging: Paging,
) -> Result<(Vec<Link>, Option<u64>), Fail> {
    let most = paging.limit.unwrap_or(limits::UNPAGED);
    let mut links = Vec::new();
    for kind in kinds {
        let query = LinkQuery {
            workspace: Some(workspace.id),
            attribute: Some((TYPE.to_owned(), kind.name().to_owned())),
            archived: Some(false),
            after: paging.after.map(LinkId),
            // One more than is shown: whether there are more, all types say together.
            limit: most + 1,
            ..LinkQuery::default()
        };
        links.extend(service.first_links(query)?.0);
    }
    links.sort_unstable_by_key(|link| std::cmp::Reverse(link.id));
    let more = links.len() > most;
    links.truncate(most);
    let last = links.last().map(|link| link.id.0);
    Ok((links, last.filter(|_| more)))
}

/// A link as it was made or changed: its `fullUrl` is where it leads.
fn changed(service: &Service, workspace: &Workspace, link: &Link) -> Result<TrackingLink, Fail> {
    let target = Target::of(link).ok_or(Fail::NotFound(None))?;
    let full_url = Some(link.destination.as_str().to_owned());
    show(service, workspace, link, target, full_url)
}

fn show(
    service: &Service,
    workspace: &Workspace,
    link: &Link,
    target: Target,
    full_url: Option<String>,
) -> Result<TrackingLink, Fail> {
    Ok(TrackingLink {
        id: ids::HEX.link(link),
        workspace_id: ids::HEX.workspace(workspace),
        kind: target.kind,
        name: link.title.clone().unwrap_or_default(),
        utm_name: target.utm_name,
        destination_slug: target.slug,
        is_active: link.flags.has(Flags::ACTIVE),
        full_url,
        short_url: service.short_url(link)?,
        created_at: time::millis(link.created_at),
        updated_at: time::millis(link.updated_at),
    })
}

fn unknown_type() -> Fail {
    Fail::invalid("type", "expected vcard or storefront")
}
