//! `/api/links`: made, listed, edited, deleted, put into collections.

use waypost_link::{DomainId, Link, LinkId, WorkspaceId};
use waypost_service::{
    Draft, Drawn, Fault, LinkQuery, Order, Plan, Rank, Row, Service, first_of, limits,
};

use super::{
    fail::{no_changes, only},
    options::Options,
    show::{Renderer, short_domain},
    wire::{Assignment, Bulk, Done, LinkBody, LinkList, Made, Usage, Used},
};
use crate::kit::{Answer, Call, Fail, page, page::Paging, reply};

/// How a list is sorted: what the query says, and what that means.
const SORTS: [(&str, Sort); 3] = [
    ("newest", Sort::Made(Order::Descending)),
    ("oldest", Sort::Made(Order::Ascending)),
    ("clicks", Sort::Clicks),
];

#[derive(Clone, Copy)]
enum Sort {
    Made(Order),
    Clicks,
}

/// `GET /api/links`
pub(super) fn list(call: &Call) -> Answer {
    let workspace = call.principal()?.workspace;
    let paging = Paging::of(call, crate::limits::PAGE)?;
    let fields = call.fields()?;
    let archived = matches!(fields.get("include_archived"), Some("1" | "true"));
    let query = LinkQuery {
        workspace: Some(workspace),
        archived: if archived { None } else { Some(false) },
        text: fields.get("q").filter(|text| !text.is_empty()).map(str::to_owned),
        after: paging.after.map(LinkId),
        limit: paging.limit.unwrap_or(crate::limits::UNPAGED),
        ..LinkQuery::default()
    };
    let (links, next) = match sort(fields.get("sort"))? {
        Sort::Made(order) => call.service().first_links(LinkQuery { order, ..query })?,
        Sort::Clicks => by_clicks(call.service(), workspace, query)?,
    };
    reply::json(
        200,
        &LinkList {
            links: Renderer::of(call)?.links(&links)?,
            short_domain: short_domain(call.service()),
            usage: usage(call.service(), workspace)?,
            next_cursor: page::cursor(next.map(|id| id.0)),
        },
    )
}

/// `GET /api/links/{id}`
pub(super) fn show(call: &Call) -> Answer {
    reply::json(200, &Renderer::of(call)?.one(&found(call)?)?)
}

/// `POST /api/links`
pub(super) fn create(call: &Call) -> Answer {
    let body: LinkBody = call.json()?;
    let workspace = call.principal()?.workspace;
    let options = Options::of(&body, call)?;
    let draft = draft(&options, workspace)?;
    let renderer = Renderer::of(call)?;
    let link = call.once(
        |service| {
            let made = service.create_link(&draft, |link| {
                options.apply(link);
                service.describe_product(link);
                Ok(())
            });
            renderer.new_one(&made.map_err(|fault| collision(fault, &draft))?)
        },
        |ids| renderer.one(&call.link_made(ids)?),
    )?;
    reply::json(200, &link)
}

/// `POST /api/links/bulk`
pub(super) fn bulk(call: &Call) -> Answer {
    let Bulk { links: bodies } = call.json()?;
    let workspace = call.principal()?.workspace;
    let passwords = bodies.iter().filter(|body| !body.password.is_absent()).count();
    if passwords > limits::BULK_PASSWORDS {
        return Err(Fail::invalid(
            "links",
            format!("at most {} passwords", limits::BULK_PASSWORDS),
        ));
    }
    let row = |(at, body): (usize, &LinkBody)| {
        row(call, workspace, body).map_err(|fail| Fail::Row { row: at, fail: Box::new(fail) })
    };
    let rows: Vec<Row> = bodies.iter().enumerate().map(row).collect::<Result<_, _>>()?;
    let make = |service: &Service| Ok(service.create_links(rows.clone())?);
    let links = call.once(make, |ids| call.links_made(ids))?;
    let links = Renderer::of(call)?.fresh(&links)?;
    reply::json(200, &Made { links, short_domain: short_domain(call.service()) })
}

/// `PATCH /api/links/{id}`
pub(super) fn edit(call: &Call) -> Answer {
    let body: LinkBody = call.json()?;
    let link = found(call)?;
    let options = Options::of(&body, call)?;
    if options.is_empty() {
        return Err(no_changes());
    }
    let link = call.service().edit_link(link.workspace, link.id, |link| {
        options.apply(link);
        Ok(())
    })?;
    reply::json(200, &Renderer::of(call)?.one(&link)?)
}

/// `DELETE /api/links/{id}`
pub(super) fn delete(call: &Call) -> Answer {
    let workspace = call.principal()?.workspace;
    call.service().delete_link(workspace, LinkId(super::id(call)?))?;
    reply::json(200, &Done { ok: true })
}

/// `POST /api/links/{id}/collection`
pub(super) fn assign(call: &Call) -> Answer {
    let Assignment { collection_id } = call.json()?;
    if collection_id.is_absent() {
        return Err(Fail::invalid("collection_id", "an id or null is expected"));
    }
    let link = found(call)?;
    let mut options = Options::default();
    options.collection(&collection_id, call.service(), link.workspace)?;
    let link = call.service().edit_link(link.workspace, link.id, |link| {
        options.apply(link);
        Ok(())
    })?;
    reply::json(200, &Renderer::of(call)?.one(&link)?)
}

/// The link of the path.
pub(super) fn found(call: &Call) -> Result<Link, Fail> {
    Ok(call.service().own_link(call.principal()?.workspace, LinkId(super::id(call)?))?)
}

fn draft(options: &Options, workspace: WorkspaceId) -> Result<Draft, Fail> {
    let required = || Fail::missing("destination_url");
    Ok(Draft {
        workspace,
        domain: options.domain.unwrap_or(DomainId::DEFAULT),
        slug: options.slug.clone(),
        drawn: Drawn::Short,
        destination: options.destination.clone().ok_or_else(required)?,
    })
}

fn row(call: &Call, workspace: WorkspaceId, body: &LinkBody) -> Result<Row, Fail> {
    let options = Options::of(body, call)?;
    let draft = draft(&options, workspace)?;
    let mut link = call.service().link_of(&draft)?;
    options.apply(&mut link);
    Ok(Row { link, drawn: draft.slug.is_none().then_some(draft.drawn) })
}

/// A drawn code is never the caller's fault.
fn collision(fault: Fault, draft: &Draft) -> Fail {
    match fault {
        Fault::Taken(what) if draft.slug.is_none() => only(500, "code_collision", &what),
        other => other.into(),
    }
}

fn sort(named: Option<&str>) -> Result<Sort, Fail> {
    let Some(named) = named.filter(|named| !named.is_empty()) else { return Ok(SORTS[0].1) };
    let known = SORTS.iter().find(|(name, _)| *name == named);
    let unknown = || Fail::invalid("sort", "newest, oldest or clicks is expected");
    known.map(|(_, sort)| *sort).ok_or_else(unknown)
}

/// A page by clicks, after the link that the page before ended with.
fn by_clicks(
    service: &Service,
    workspace: WorkspaceId,
    query: LinkQuery,
) -> Result<(Vec<Link>, Option<LinkId>), Fail> {
    let (limit, after) = (query.limit, query.after);
    let all = LinkQuery { after: None, limit: limits::RANKED, ..query };
    let (links, more) = service.first_links(all)?;
    if more.is_some() {
        return Err(Fail::invalid(
            "sort",
            format!("at most {} links can be sorted so", limits::RANKED),
        ));
    }
    let stats = service.stats(workspace)?;
    let most = links.len();
    let ranked = stats.rank(links, |link| link.id, Rank::Total, Order::Descending, most)?;
    let before = |link: &Link| after.is_some_and(|after| link.id != after);
    let skip = after.map_or(0, |_| ranked.iter().take_while(|link| before(link)).count() + 1);
    Ok(first_of(ranked.into_iter().skip(skip).take(limit + 1).collect(), limit))
}

fn usage(service: &Service, workspace: WorkspaceId) -> Result<Usage, Fail> {
    let used = service.stats(workspace)?.usage()?;
    let plan: Plan = service.plan(workspace)?;
    Ok(Usage {
        plan: plan.name().to_owned(),
        links: Used { used: used.links, limit: None },
        clicks_30d: Used { used: used.clicks_30d, limit: None },
    })
}
