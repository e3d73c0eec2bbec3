//! Clicks that other programs insert: as the role that may do that and nothing else.

use postgres::{Client, error::SqlState};
use waypost_link::{
    Change, ClickId, Destination, DomainId, Flags, Link, LinkId, Schemes, Slug, Timestamp,
    WorkspaceId,
};
use waypost_postgres::{PostgresStore, testing::TestDatabase};
use waypost_storage::{
    ClickStore as _, Error, Inserted, LinkStore as _, Maintain as _, NewClick, Result,
    Transfer as _, transfer::Part,
};

const ROLE: &str = "SET ROLE link_tracking_user";
const INSERT: &str = "INSERT INTO link_clicks (tracking_id) VALUES ('open')";

fn link(code: &str) -> Link {
    let destination = Destination::parse("https://example.com/", &Schemes::default()).unwrap();
    let slug = Slug::parse(code).unwrap();
    Link::new(WorkspaceId(1), DomainId::DEFAULT, slug, destination, Timestamp(1_500_000))
}

/// Link 1 `open`, with everything; 2 `closed`, inactive; 3 `away`, on another domain.
fn store(database: &TestDatabase) -> PostgresStore {
    let store = PostgresStore::open(&database.options()).unwrap();
    let mut open = Link { description: Some("Ours".to_owned()), ..link("open") };
    for (name, value) in [("link_function", "LinkedIn"), ("job_id", "j"), ("other", "x")] {
        assert!(open.attributes.set(name, Some(value)));
    }
    let closed = Link { flags: Flags::ACTIVE.with(Flags::ACTIVE, false), ..link("closed") };
    let away = Link { domain: DomainId(7), ..link("away") };
    let changes = [open, closed, away].map(|link| Change::CreateLink(Box::new(link)));
    store.commit(&changes, Timestamp(0)).unwrap();
    store
}

fn as_role(database: &TestDatabase) -> Client {
    let mut client = database.connect();
    client.batch_execute(ROLE).unwrap();
    client
}

fn look(inserted: &Inserted) -> Result<NewClick> {
    Ok(NewClick {
        id: ClickId { link: inserted.link, received: inserted.received, salt: 3 },
        workspace: inserted.workspace,
        clicked_at: inserted.clicked_at,
        session: inserted.session.clone(),
        dedupe: inserted.session.as_ref().map(|_| [7; 32]),
        ..NewClick::default()
    })
}

fn clicks(store: &PostgresStore) -> u64 {
    store.totals(&[LinkId(1)]).unwrap()[0].clicks
}

#[test]
fn what_the_role_may() {
    let database = TestDatabase::new();
    let _store = store(&database);
    let code = |client: &mut Client, sql: &str| {
        let failed = client.batch_execute(sql).err();
        failed.map(|error| error.code().cloned().unwrap())
    };
    let denied = Some(SqlState::INSUFFICIENT_PRIVILEGE);
    // Not even the owner can: the view is a join.
    let fixed = Some(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE);
    let (unknown, wrong) = (Some(SqlState::FOREIGN_KEY_VIOLATION), Some(SqlState::CHECK_VIOLATION));
    let with = |column: &str, value: &str| {
        format!("INSERT INTO link_clicks (tracking_id, {column}) VALUES ('open', {value})")
    };
    let rows = [
        ("SELECT * FROM link_tracking".to_owned(), None),
        (INSERT.to_owned(), None),
        ("SELECT * FROM link_clicks".to_owned(), denied.clone()),
        ("UPDATE link_clicks SET click_source = 'x'".to_owned(), fixed.clone()),
        ("DELETE FROM link_clicks".to_owned(), fixed.clone()),
        ("INSERT INTO link_tracking (tracking_id) VALUES ('x')".to_owned(), denied.clone()),
        ("UPDATE link_tracking SET is_active = true".to_owned(), denied.clone()),
        ("DELETE FROM link_tracking".to_owned(), denied.clone()),
        ("SELECT * FROM waypost.links".to_owned(), denied.clone()),
        ("SELECT * FROM waypost.records".to_owned(), denied.clone()),
        ("INSERT INTO waypost.inbox DEFAULT VALUES".to_owned(), denied.clone()),
        ("SELECT waypost.insert_click()".to_owned(), denied),
        (INSERT.replace("'open'", "'nobody'"), unknown.clone()),
        (INSERT.replace("'open'", "'closed'"), unknown.clone()),
        (INSERT.replace("'open'", "'away'"), unknown.clone()),
        (INSERT.replace("'open'", "NULL"), unknown),
        (with("clicked_at", "now() + interval '6 minutes'"), wrong.clone()),
        (with("clicked_at", "'1999-12-31Z'"), wrong.clone()),
        (with("clicked_at", "'infinity'"), wrong.clone()),
        (with("clicked_at", "'2000-01-01Z'"), None),
        (with("session_id", "repeat('s', 257)"), wrong.clone()),
        (with("session_id", "E'a\\nb'"), wrong.clone()),
        (with("click_source", "''"), wrong.clone()),
        (with("metadata", "'[]'"), wrong.clone()),
        (with("metadata", "json_build_object('a', repeat('x', 4096))"), wrong.clone()),
        (with("metadata", "'{\"a\": 1}'"), None),
        (with("ip_address", "'192.0.2.1/24'"), wrong),
        (with("ip_address", "'nowhere'"), Some(SqlState::INVALID_TEXT_REPRESENTATION)),
        (with("ip_address", "'2001:db8::1'"), None),
    ];
    let mut client = as_role(&database);
    let granted = "SELECT string_agg(table_name || ' ' || privilege_type, ', ' ORDER BY table_name) \
                   FROM information_schema.role_table_grants WHERE grantee = 'link_tracking_user'";
    let granted: String = client.query_one(granted, &[]).unwrap().get(0);
    assert_eq!(granted, "link_clicks INSERT, link_tracking SELECT");
    for (sql, expected) in rows {
        assert_eq!(code(&mut client, &sql), expected, "{sql}");
    }
}

#[test]
fn links_are_read_as_the_api_names_them() {
    let database = TestDatabase::new();
    let _store = store(&database);
    let sql = "SELECT concat_ws(' ', tracking_id, original_url, link_function, link_type, job_id, \
                   description, is_active, extract(epoch FROM created_at)) \
               FROM link_tracking ORDER BY tracking_id";
    let rows = as_role(&database).query(sql, &[]).unwrap();
    let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let expected = [
        "closed https://example.com/ f 1.500000",
        "open https://example.com/ LinkedIn j Ours t 1.500000",
    ];
    assert_eq!(rows, expected);
}

/// Tables of the same names in schemas that the caller's path has first.
#[test]
fn nobody_bends_the_way_of_an_insert() {
    let database = TestDatabase::new();
    let store = store(&database);
    let mut client = as_role(&database);
    client
        .batch_execute(
            "CREATE TEMP TABLE links (id bigint, workspace_id bigint, code text, domain_id bigint, active boolean); \
             INSERT INTO links VALUES (9, 9, 'forged', 0, true); \
             CREATE TEMP TABLE inbox (id bigint); \
             CREATE FUNCTION pg_temp.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT timestamptz ''2001-01-01Z'''; \
             SET search_path = pg_temp, waypost, public, pg_catalog",
        )
        .unwrap();
    let forged = INSERT.replace("link_clicks", "public.link_clicks");
    client.batch_execute(&forged).unwrap();
    assert!(client.batch_execute(&forged.replace("open", "forged")).is_err());
    let seen = |inserted: &Inserted| {
        assert_eq!((inserted.link, inserted.workspace), (LinkId(1), WorkspaceId(1)));
        assert!(inserted.received > Timestamp::from_seconds(1_700_000_000), "a forged clock");
        look(inserted)
    };
    assert_eq!(store.take_inserted(&seen), Ok(1));
}

#[test]
fn each_click_is_counted_once_by_whichever_node() {
    let database = TestDatabase::new();
    let (store, other) = (store(&database), PostgresStore::open(&database.options()).unwrap());
    let mut client = as_role(&database);
    let many = "INSERT INTO link_clicks (tracking_id) SELECT 'open' FROM generate_series(1, 4500)";
    client.batch_execute(many).unwrap();
    let away = |_: &Inserted| Err(Error::Unavailable("no secret".into()));
    assert!(store.take_inserted(&away).is_err());
    assert!(store.pieces(Part::State, None, 1).is_err(), "a copy would leave them behind");
    let all = |store: &PostgresStore| {
        std::iter::from_fn(|| Some(store.take_inserted(&look).unwrap()))
            .take_while(|count| *count > 0)
            .sum::<u64>()
    };
    let taken = std::thread::scope(|scope| {
        let both = [scope.spawn(|| all(&store)), scope.spawn(|| all(&other))];
        both.map(|thread| thread.join().unwrap()).iter().sum::<u64>()
    });
    assert_eq!((taken, clicks(&store), clicks(&other)), (4_500, 4_500, 4_500));

    let session = "INSERT INTO link_clicks (tracking_id, session_id) VALUES ('open', 's')";
    client.batch_execute(&[session, session].join(";")).unwrap();
    assert_eq!(all(&store), 2);
    client.batch_execute(session).unwrap();
    assert_eq!((all(&other), clicks(&store)), (1, 4_501), "one session, one time: one click");
    assert_eq!(store.totals(&[LinkId(1)]).unwrap()[0].spent, 0);
    let report = store.check().unwrap();
    assert_eq!((report.clicks, report.findings.len()), (4_501, 0));
    assert!(store.pieces(Part::State, None, 1).is_ok());
}
