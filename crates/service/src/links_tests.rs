//! Lists that fill their pages, and since when a link is off.

use waypost_link::Timestamp;

use super::*;
use crate::testing::{link, link_with, now, pass, service};

#[test]
fn first_links_say_where_the_next_begin() {
    let (service, workspace) = service();
    let ids: Vec<LinkId> = ["x", "y", "z"].map(|code| link(&service, workspace, code).id).to_vec();
    for (limit, after, taken, next) in [
        (0, None, &ids[..0], None),
        (1, None, &ids[..1], Some(ids[0])),
        (2, None, &ids[..2], Some(ids[1])),
        (3, None, &ids[..], None),
        (9, None, &ids[..], None),
        (1, Some(ids[0]), &ids[1..2], Some(ids[1])),
        (1, Some(ids[1]), &ids[2..], None),
    ] {
        let (workspace, order) = (Some(workspace), Order::Ascending);
        let query = LinkQuery { workspace, order, after, limit, ..LinkQuery::default() };
        let (links, more) = service.first_links(query).unwrap();
        let found: Vec<LinkId> = links.iter().map(|link| link.id).collect();
        assert_eq!((found.as_slice(), more), (taken, next), "{limit} after {after:?}");
    }
}

#[test]
fn since_when_a_link_is_off() {
    const ON: Flags = Flags::ACTIVE;
    let (service, workspace) = service();
    let given = Some(Timestamp(7));
    let set = |link: &mut Link, on| link.flags = link.flags.with(ON, on);
    let mut id = link(&service, workspace, "on").id;
    let edit = |id, edit: &dyn Fn(&mut Link)| {
        pass(1);
        let edited = service.edit_link(workspace, id, |link| {
            edit(link);
            Ok(())
        });
        let kept = service.own_link(workspace, id).unwrap();
        assert_eq!(edited.unwrap().deactivated_at, kept.deactivated_at);
        kept.deactivated_at
    };
    assert_eq!(edit(id, &|link| link.title = Some("on".to_owned())), None);
    let first = edit(id, &|link| set(link, false));
    assert_eq!(first, Some(now()));
    assert_eq!(edit(id, &|link| set(link, false)), first, "off already");
    assert_eq!(edit(id, &|link| link.title = Some("off".to_owned())), first);
    assert_eq!(edit(id, &|link| set(link, true)), None);
    let told = edit(id, &|link| {
        set(link, false);
        link.deactivated_at = given;
    });
    assert_eq!(told, given);
    let off = |link: &mut Link| {
        set(link, false);
        Ok(())
    };
    id = link_with(&service, workspace, "off", off).id;
    assert_eq!(edit(id, &|link| set(link, false)), None, "made so");
}
