//! Raw clicks of a day are a table: made ahead, dropped when their time is over. What can't be
//! dropped goes a bounded number of rows a step.

use waypost_link::{
    Change, ClickId, Destination, DomainId, Link, LinkId, Schemes, Slug, Timestamp, WorkspaceId,
};
use waypost_postgres::{PostgresStore, testing::TestDatabase};
use waypost_storage::{ClickStore, Error, Event, Maintain as _, NewClick, Report, Trim, Trimmed};

/// A click received on this day.
fn click(day: i64) -> Event {
    let received = Timestamp(day * Timestamp::DAY + 1);
    let id = ClickId { link: LinkId(1), received, salt: 7 };
    Event::Click(Box::new(NewClick {
        id,
        workspace: WorkspaceId(1),
        clicked_at: received,
        ..NewClick::default()
    }))
}

fn partitions(database: &TestDatabase) -> Vec<String> {
    let sql = "SELECT relname::text FROM pg_class JOIN pg_inherits ON inhrelid = oid \
               WHERE inhparent = 'waypost.clicks'::regclass ORDER BY relname";
    database.connect().query(sql, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

fn days(days: std::ops::RangeInclusive<i64>) -> Vec<String> {
    days.map(|day| format!("clicks_day_{day}")).collect()
}

#[test]
fn days_are_made_ahead_and_dropped() {
    let database = TestDatabase::new();
    let store = PostgresStore::open(&database.options()).unwrap();
    let other = PostgresStore::open(&database.options()).unwrap();
    store.record(&[click(20_000)]).unwrap();
    other.record(&[click(20_001)]).unwrap();
    assert_eq!(partitions(&database), days(20_000..=20_003));

    let trim = || store.trim(Trim::Before(Timestamp(20_002 * Timestamp::DAY))).unwrap();
    let trimmed = [trim(), trim(), trim()].map(|trimmed| (trimmed.clicks, trimmed.more));
    assert_eq!(trimmed, [(1, true), (1, true), (0, false)]);
    assert_eq!(partitions(&database), days(20_002..=20_003));
    assert_eq!(store.totals(&[LinkId(1)]).unwrap()[0].clicks, 2);

    // A node that knew them wasn't told: its next write fails, and the one after makes them again.
    assert!(matches!(other.record(&[click(20_001)]), Err(Error::Unavailable(_))));
    other.record(&[click(20_001)]).unwrap();
    assert_eq!(partitions(&database), days(20_001..=20_003));
    assert_eq!(store.totals(&[LinkId(1)]).unwrap()[0].clicks, 3);
}

/// A day of 150,000 clicks, all but 20,000 of them before the time.
#[test]
fn a_day_goes_step_by_step() {
    let database = TestDatabase::new();
    let store = PostgresStore::open(&database.options()).unwrap();
    store.record(&[click(20_000)]).unwrap();
    let more = "INSERT INTO waypost.clicks SELECT link_id, received + n, salt, seq, workspace_id, \
                    clicked_at, ip, country, user_agent, referrer, language, session, source, \
                    metadata, rule, bot \
                FROM waypost.clicks, generate_series(1, 149999) AS n";
    database.connect().batch_execute(more).unwrap();
    let time = Timestamp(20_000 * Timestamp::DAY + 1 + 130_000);
    // While another node is at it, this one does nothing.
    let mut other = database.connect();
    let mut trims = other.transaction().unwrap();
    let lock = "SELECT pg_advisory_xact_lock(x'776179706f737402'::bigint)";
    trims.execute(lock, &[]).unwrap();
    assert_eq!(store.trim(Trim::Before(time)).unwrap(), Trimmed::default());
    trims.rollback().unwrap();
    let steps = [(); 3].map(|()| store.trim(Trim::Before(time)).unwrap());
    let expected = [(100_000, true), (30_000, false), (0, false)];
    assert_eq!(steps.map(|step| (step.clicks, step.more)), expected);
    assert_eq!(store.check().unwrap().clicks, 20_000);
}

/// A link that was clicked once in each of 2,100 hours, beside another; the store contradicts
/// itself at no step.
#[test]
fn a_purge_goes_step_by_step() {
    let database = TestDatabase::new();
    let store = PostgresStore::open(&database.options()).unwrap();
    let destination = Destination::parse("https://example.com/", &Schemes::default()).unwrap();
    let slug = Slug::parse("a").unwrap();
    let link = Link::new(WorkspaceId(1), DomainId::DEFAULT, slug, destination, Timestamp(0));
    let (id, workspace, was) = (LinkId(1), link.workspace, link.name());
    let changes = [Change::CreateLink(Box::new(link)), Change::DeleteLink { id, workspace, was }];
    waypost_storage::LinkStore::commit(&store, &changes, Timestamp(0)).unwrap();
    let received = Timestamp(20_000 * Timestamp::DAY);
    let hourly = |link, hours| {
        (0..hours).map(move |n| {
            Event::Click(Box::new(NewClick {
                id: ClickId { link: LinkId(link), received, salt: n as u32 },
                workspace,
                clicked_at: received.plus(-n * Timestamp::HOUR),
                ..NewClick::default()
            }))
        })
    };
    store.record(&hourly(1, 2_100).chain(hourly(2, 50)).collect::<Vec<_>>()).unwrap();

    let clean = |clicks, purges_pending| {
        let report = Report { clicks, purges_pending, ..Report::default() };
        assert_eq!(store.check(), Ok(report));
    };
    clean(2_150, 1);
    let purge = || store.trim(Trim::Link(LinkId(1), workspace)).unwrap();
    assert_eq!(purge(), Trimmed { clicks: 2_100, more: true });
    clean(50, 1);
    assert_eq!(purge(), Trimmed { clicks: 0, more: false });
    clean(50, 0);
    let totals = store.totals(&[LinkId(1), LinkId(2)]).unwrap();
    assert_eq!([totals[0].clicks, totals[1].clicks], [0, 50]);
}
