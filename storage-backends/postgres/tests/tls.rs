//! TLS to the database: which `sslmode` and which roots reach which server.

use std::{net::TcpListener, path::PathBuf, thread};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use waypost_postgres::{Migrations, Options, testing::Cluster};
use waypost_storage::Error;

/// Only encrypted connections by TCP.
const TLS_ALONE: &str = "hostssl all all 127.0.0.1/32 trust\n";
const BOTH: &str = "host all all 127.0.0.1/32 trust\n";

/// An authority of the test's own.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server for `localhost`, and two files of roots: of its authority, and of another.
struct Server {
    cluster: Cluster,
    port: u16,
    right: PathBuf,
    wrong: PathBuf,
}

impl Server {
    fn new() -> Self {
        let (cluster, authority) = (Cluster::new(), authority());
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        cluster.put("server.crt", &certificate.pem());
        cluster.put("server.key", &key.serialize_pem());
        let right = cluster.put("right.pem", &authority.pem());
        let wrong = cluster.put("wrong.pem", &self::authority().pem());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { cluster, port, right, wrong }
    }

    /// Starts it with these rules for connections.
    fn start(&self, ssl: bool, rules: &str) {
        let file = |name| self.cluster.home().join(name).display().to_string();
        self.cluster.put("rules", rules);
        self.cluster.start(&[
            "listen_addresses=127.0.0.1",
            &format!("port={}", self.port),
            &format!("hba_file={}", file("rules")),
            &format!("ssl_cert_file={}", file("server.crt")),
            &format!("ssl_key_file={}", file("server.key")),
            if ssl { "ssl=on" } else { "ssl=off" },
        ]);
    }

    /// Whether each host with its parameters reaches it, and if not, why. All at once: one that
    /// doesn't is tried again for a while.
    fn check(&self, rows: &[(&str, &str, Result<(), &str>)]) {
        thread::scope(|scope| {
            for &(host, query, expected) in rows {
                scope.spawn(move || {
                    let query = query
                        .replace("RIGHT", &self.right.display().to_string())
                        .replace("WRONG", &self.wrong.display().to_string());
                    let url = format!("postgres://waypost@{host}:{}/postgres?{query}", self.port);
                    let found = reached(&url);
                    match (&found, expected) {
                        (Ok(()), Ok(())) => {}
                        (Err(Error::Unavailable(text)), Err(why)) if text.contains(why) => {}
                        _ => panic!("{host} {query}: {found:?}, not {expected:?}"),
                    }
                });
            }
        });
    }
}

fn reached(url: &str) -> Result<(), Error> {
    Migrations::of(&Options::parse(url)?)?.status().map(drop)
}

#[test]
fn whom_each_sslmode_trusts() {
    let server = Server::new();
    server.start(true, TLS_ALONE);
    server.check(&[
        ("localhost", "sslmode=disable", Err("no pg_hba.conf entry")),
        ("localhost", "", Ok(())),
        ("127.0.0.1", "sslmode=require", Ok(())),
        ("localhost", "sslmode=require&sslrootcert=RIGHT", Ok(())),
        ("localhost", "sslmode=require&sslrootcert=WRONG", Err("invalid peer certificate")),
        ("localhost", "sslmode=verify-full&sslrootcert=RIGHT", Ok(())),
        ("localhost", "sslmode=verify-full&sslrootcert=WRONG", Err("invalid peer certificate")),
        // The certificate is no public authority's, and is for another name.
        ("localhost", "sslmode=verify-full", Err("invalid peer certificate")),
        ("127.0.0.1", "sslmode=verify-full&sslrootcert=RIGHT", Err("not valid for name")),
    ]);
    server.cluster.stop("fast");
    server.start(false, BOTH);
    server.check(&[
        ("localhost", "", Ok(())),
        ("localhost", "sslmode=require", Err("server does not support TLS")),
        ("localhost", "sslmode=verify-full&sslrootcert=RIGHT", Err("server does not support TLS")),
    ]);
}

/// What is wrong with the file is said at once, and by its name.
#[test]
fn a_file_of_roots_that_has_none() {
    let empty = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for file in [empty, "/no/such/file.pem"] {
        let url = format!("postgres://localhost/x?sslmode=verify-full&sslrootcert={file}");
        match reached(&url) {
            Err(Error::Unusable(why)) => assert!(why.contains(file), "{why}"),
            found => panic!("{file}: {found:?}"),
        }
    }
}
