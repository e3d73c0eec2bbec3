//! Against a stand-in for a store: what is read, what is kept, what is passed over.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
};

use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

/// A store that answers each path with a status and these bytes; its address.
fn store(pages: Vec<(&'static str, u16, Vec<u8>)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut head = BufReader::new(&stream).lines().map_while(Result::ok);
            let first = head.next().unwrap_or_default();
            head.take_while(|line| !line.is_empty()).for_each(drop);
            let path = first.split(' ').nth(1).unwrap_or_default();
            let found = pages.iter().find(|(known, ..)| *known == path);
            let (_, status, body) = found.expect("a known path");
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let _ = (&stream).write_all(head.as_bytes()).and_then(|()| (&stream).write_all(body));
        }
    });
    format!("http://{address}")
}

/// Looks `B000000000` up whose page names the picture at `/i` of a store that answers so.
fn look_up(status: u16, picture: &[u8], private: bool) -> (Details, Vec<String>) {
    let picture = store(vec![("/i", status, picture.to_vec())]);
    let page =
        format!("<span id=productTitle> A &amp; B\n</span><img id=landingImage src={picture}/i>");
    let url = store(vec![("/dp/B000000000", 200, page.into_bytes())]);
    let dir = tempfile::tempdir().unwrap();
    let media = dir.path().join("media");
    let products = Products::new(media.clone(), private);
    let details = products.look_up(&format!("{url}/dp/B000000000"), "B000000000");
    let names = fs::read_dir(media).into_iter().flatten();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    (details.unwrap_or_default(), names)
}

#[test]
fn a_title_and_a_picture() {
    let (details, kept) = look_up(200, PNG, true);
    assert_eq!(details.title.as_deref(), Some("A & B"));
    assert_eq!(details.image.as_deref(), Some("/media/B000000000.png"));
    assert_eq!(kept, ["B000000000.png"]);
}

#[test]
fn what_is_passed_over() {
    for (status, picture, why) in [
        (404, PNG.to_vec(), "not found"),
        (200, b"<svg onload=alert(1)>".to_vec(), "no picture"),
        (200, [PNG, &vec![0; 1 << 20]].concat(), "too large"),
    ] {
        let (details, kept) = look_up(status, &picture, true);
        assert_eq!((details.title.as_deref(), details.image), (Some("A & B"), None), "{why}");
        assert!(kept.is_empty(), "{why}: {kept:?}");
    }
    assert_eq!(look_up(200, PNG, false), (Details::default(), Vec::new()), "a private address");
}

#[test]
fn what_a_page_says() {
    for (html, title, image) in [
        (
            "<title>shop</title><meta property=og:title content='shared'>\
             <span id='productTitle' class=x>\n  Echo\tDot </span><p>else</p>",
            Some("Echo Dot"),
            None,
        ),
        ("<title>shop</title><meta property='og:title' content='shared'>", Some("shared"), None),
        ("<title>a<b>c</title>", Some("a<b>c"), None),
        (
            "<meta property=og:image content='https://m.example/og'>\
             <img id=landingImage data-old-hires='https://m.example/big' src='https://m.example/s'>",
            None,
            Some("https://m.example/big"),
        ),
        (
            "<meta property=og:image content='https://m.example/og'>\
             <img id=landingImage data-old-hires='' src='data:image/gif;base64,R0'>",
            None,
            Some("https://m.example/og"),
        ),
        ("<script>var a = \"<span id=productTitle>x</span>\"", None, None),
        ("", None, None),
    ] {
        let said = read(html.as_bytes());
        assert_eq!((said.title.as_deref(), said.image.as_deref()), (title, image), "{html}");
    }
    assert_eq!(read("é".repeat(500).as_bytes()), Said::default());
    let long = format!("<title>{}", "é".repeat(500));
    assert_eq!(read(long.as_bytes()).title.map(|title| title.chars().count()), Some(TITLE));
}
