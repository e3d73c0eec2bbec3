//! Pictures of products: served from the data directory, and nothing else of it.

use std::fs;

use crate::support::Data;

#[test]
fn pictures_are_served_and_backed_up() {
    let data = Data::new();
    let media = data.path().join("data/media");
    fs::create_dir_all(&media).expect("a directory");
    fs::write(media.join("B000000000.png"), b"a picture").expect("a file");
    fs::write(media.join("secret.txt"), b"a secret").expect("a file");
    let server = data.serve();
    let picture = server.get("/media/B000000000.png");
    assert_eq!((picture.status, picture.body.as_str()), (200, "a picture"));
    for (name, value) in [
        ("content-type", "image/png"),
        ("cache-control", "public, max-age=86400"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
    ] {
        assert_eq!(picture.field(name), Some(value));
    }
    for path in
        ["/media/B000000001.png", "/media/secret.txt", "/media/../lock", "/media/%2e%2e/lock"]
    {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    let copy = data.path().join("copy");
    data.ok(&["backup", copy.to_str().expect("UTF-8")]);
    assert_eq!(fs::read(copy.join("media/B000000000.png")).expect("a copy"), b"a picture");
}
