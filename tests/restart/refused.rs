//! Starts that can't be: each says why in a sentence, and damages nothing.

use crate::support::Data;

fn refused(data: &Data, arguments: &[&str], said: &str) {
    let output = data.run(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?} said {error}");
    assert!(error.contains(said), "{arguments:?} said {error:?}, not {said:?}");
}

#[test]
fn a_second_server_on_the_directory_or_the_address() {
    let (data, other) = (Data::new(), Data::new());
    let server = data.serve();
    refused(&data, &["serve", "--listen", "127.0.0.1:0"], "in use by another server");
    let address = server.address.to_string();
    refused(&other, &["serve", "--listen", &address], &address);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn directories_that_can_not_be_used() {
    let data = Data::new();
    std::fs::write(data.path().join("data"), "a file").expect("write");
    refused(&data, &["serve", "--listen", "127.0.0.1:0"], "data");
    refused(&data, &["link", "list"], "data");
}

#[test]
fn wrong_configuration() {
    let data = Data::new();
    let file = data.path().join("waypost.toml");
    std::fs::write(&file, "data = \"x\"\nlisten_adr = \"y\"\n").expect("write");
    let file = file.to_str().expect("UTF-8");
    let said = "waypost.toml:2: unknown setting \"listen_adr\"; did you mean \"listen\"?";
    refused(&data, &["serve", "--config", file], said);
    let checked = std::process::Command::new(env!("CARGO_BIN_EXE_waypost-under-test"))
        .args(["check-config", file])
        .output()
        .expect("run");
    assert_eq!(checked.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&checked.stderr).contains(said));
}

#[test]
fn the_first_key_is_shown_once() {
    let data = Data::new();
    let first = data.serve_with(&[], &[("WAYPOST_ADMIN_KEY", "wp_0123456789abcdefghijklmn")]);
    assert!(first.stop().success());
    let keys = data.ok(&["key", "list", "--json"]);
    assert!(keys.contains("\"admin\""), "{keys}");
    assert!(data.serve().stop().success());
    assert_eq!(data.ok(&["key", "list", "--json"]), keys);
}
