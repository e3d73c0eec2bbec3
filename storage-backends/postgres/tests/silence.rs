//! A database that accepts and says nothing is away, and doesn't hold whoever asks it.

use std::net::TcpListener;

use waypost_postgres::{Options, PostgresStore};
use waypost_storage::{Error, LinkStore as _};

#[test]
fn a_silent_database_is_unavailable() {
    // Its connections wait to be accepted, and the kernel has acknowledged them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    for mode in ["disable", "prefer", "require"] {
        let url = format!("postgres://waypost@127.0.0.1:{port}/waypost?sslmode={mode}");
        let store = PostgresStore::new(&Options::parse(&url).unwrap()).unwrap();
        for _ in 0..2 {
            match store.head() {
                Err(Error::Unavailable(_)) => {}
                other => panic!("{mode}: {other:?}"),
            }
        }
    }
}
