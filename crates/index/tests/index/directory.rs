//! Hostnames and workspaces, record by record.

use waypost_index::{Host, Index};
use waypost_link::{
    AmazonTag, Change, Domain, DomainId, DomainStatus, Hostname, Noun, Pixel, PixelId, Provider,
    Record, Revision, TagId, Timestamp, Workspace, WorkspaceId,
};

fn domain(id: u64, hostname: &str, status: DomainStatus) -> Record {
    Record::Domain(Domain {
        id: DomainId(id),
        workspace: WorkspaceId(1),
        hostname: Hostname::parse(hostname).unwrap(),
        status,
        provider: Provider::Own,
        token: String::new(),
        provider_id: None,
        ssl_status: None,
        verification_errors: None,
        created_at: Timestamp(0),
        synced_at: None,
    })
}

#[test]
fn a_hostname_is_what_its_last_claim_made_it() {
    use DomainStatus::{Active, Pending, Removed};
    let index = Index::new();
    let put = Change::PutRecord;
    for (revision, (change, expected)) in (1..).zip([
        (put(domain(9, "other.example", Active)), None),
        (put(domain(2, "go.example", Pending)), Some((2, Pending))),
        (put(domain(2, "go.example", Active)), Some((2, Active))),
        (put(domain(2, "go.example", Removed)), Some((2, Removed))),
        (put(domain(1, "go.example", Active)), Some((1, Active))),
        (put(domain(3, "go.example", Removed)), Some((1, Active))),
        (Change::DeleteRecord { noun: Noun::Domain, id: 1 }, Some((3, Removed))),
        (Change::DeleteRecord { noun: Noun::Domain, id: 2 }, Some((3, Removed))),
        (Change::DeleteRecord { noun: Noun::Domain, id: 3 }, None),
    ]) {
        index.apply(Revision(revision), &[change]);
        let host = |(id, status)| Host { domain: DomainId(id), workspace: WorkspaceId(1), status };
        let found = index.with_directory(|directory| directory.host("go.example"));
        assert_eq!(found, expected.map(host), "after {revision}");
    }
}

#[test]
fn a_workspace_with_what_is_active_in_it() {
    let index = Index::new();
    let settings = [("timezone", "Europe/Berlin"), ("exclude_bots", "true")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let owner = WorkspaceId(1);
    let pixel = |id, active| {
        Record::Pixel(Pixel { id: PixelId(id), workspace: owner, active, ..Pixel::default() })
    };
    let tag = |id, active| {
        Record::Tag(AmazonTag { id: TagId(id), workspace: owner, active, ..AmazonTag::default() })
    };
    let workspace = |id, settings| {
        Record::Workspace(Workspace { id: WorkspaceId(id), settings, ..Workspace::default() })
    };
    let records = [
        workspace(1, settings.into()),
        workspace(2, [("exclude_bots".to_owned(), "false".to_owned())].into()),
        pixel(1, true),
        pixel(2, false),
        tag(3, true),
        tag(4, false),
    ];
    index.apply(Revision(1), &records.map(Change::PutRecord));
    index.with_directory(|directory| {
        let tenant = directory.tenant(owner).unwrap();
        assert_eq!((tenant.timezone(), tenant.excludes_bots()), ("Europe/Berlin", true));
        assert_eq!(tenant.pixels.iter().map(|pixel| pixel.id.0).collect::<Vec<_>>(), [1]);
        assert_eq!(tenant.tags.iter().map(|tag| tag.id.0).collect::<Vec<_>>(), [3]);
        let plain = directory.tenant(WorkspaceId(2)).unwrap();
        assert_eq!((plain.timezone(), plain.excludes_bots()), ("UTC", false));
        assert!(directory.tenant(WorkspaceId(3)).is_none());
    });
}
