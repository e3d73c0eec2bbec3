//! Every format against the memory model: what goes in, and what is said.

use std::{io::Cursor, sync::Arc};

use waypost_link::{Flags, Hostname, Link, Timestamp, WorkspaceId};
use waypost_service::{Policy, Service};
use waypost_storage::{AgentDetails, memory::MemoryStore};

use super::{fields::FIELDS, *};

const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

pub(super) fn book() -> Book {
    let own_hosts = vec![Hostname::parse("localhost").unwrap()];
    let store = Arc::new(MemoryStore::new(|_| AgentDetails::default()));
    let service =
        Service::new(store.clone(), store, Policy { own_hosts, ..Policy::default() }, || NOW);
    Book::new(service, WorkspaceId(1), NOW, true).unwrap()
}

/// Reads `text`; links as `code destination status`, wrong records as `line:column: sentence`.
fn read(format: Format, text: &str) -> Vec<String> {
    let book = book();
    let mut reader = match reader(format, Cursor::new(text)) {
        Ok(reader) => reader,
        Err(ReaderError::Header(wrong)) => return vec![said(&wrong)],
        Err(ReaderError::Io(error)) => panic!("{error}"),
    };
    let mut all = Vec::new();
    while let Some(entry) = reader.next(&book).unwrap() {
        all.push(match entry {
            Entry::Link(_, link) => {
                format!("{} {} {}", link.slug, link.destination, link.status.code())
            }
            Entry::Wrong(wrong) => said(&wrong),
        });
    }
    all
}

fn said(wrong: &Wrong) -> String {
    wrong.to_string()
}

pub(super) fn links(format: Format, text: &str, book: &Book) -> Vec<Link> {
    let Ok(mut reader) = reader(format, Cursor::new(text)) else { panic!("{text}") };
    let mut all = Vec::new();
    while let Some(entry) = reader.next(book).unwrap() {
        match entry {
            Entry::Link(_, link) => all.push(*link),
            Entry::Wrong(wrong) => panic!("{} of {text}", said(&wrong)),
        }
    }
    all
}

pub(super) fn write(format: Format, links: &[Link], book: &Book) -> (String, Vec<Carried>) {
    let (mut bytes, mut writer) = (Vec::new(), writer(format));
    writer.begin(&mut bytes).unwrap();
    let carried = links.iter().map(|link| writer.link(link, book, &mut bytes).unwrap());
    let carried = carried.collect();
    (String::from_utf8(bytes).unwrap(), carried)
}

fn check(format: Format, rows: &[(&str, &[&str])]) {
    for (text, expected) in rows {
        assert_eq!(read(format, text), *expected, "{format:?} {text:?}");
    }
}

#[test]
fn csv_headers() {
    let row = "a,https://x.example/\n";
    for (header, said) in [
        ("code,destination_url", "a https://x.example/ 302"),
        ("\u{feff}\"code\", destination_url\r", "a https://x.example/ 302"),
        ("id,destination_url", "1:1: the header has no column \"code\""),
        ("code,title", "1:1: the header has no column \"destination_url\""),
        (
            "code,destination_ur",
            "1:6: unknown column \"destination_ur\"; did you mean \"destination_url\"?",
        ),
        ("code,zzz", "1:6: unknown column \"zzz\""),
        ("code,code", "1:6: the column \"code\" is there twice"),
        (
            "code;destination_url",
            "1:1: the header has no column \"code\"; columns are separated by commas",
        ),
        ("\"code,destination_url", "1:1: this quote is never closed"),
    ] {
        assert_eq!(read(Format::Csv, &format!("{header}\n{row}")), [said], "{header}");
    }
    let empty = "1:1: the file is empty: expected a header line such as code,destination_url";
    assert_eq!(read(Format::Csv, ""), [empty]);
    assert_eq!(read(Format::Csv, "code,destination_url"), [""; 0]);
}

#[test]
fn csv_records() {
    let ok = "z https://z.example/ 302";
    for (line, said) in [
        ("a,https://x.example/,301,", "a https://x.example/ 301"),
        (
            "\"a\",\"https://x.example/?a=1,2\",,\"\"\"hi\"\", she said\"",
            "a https://x.example/?a=1,2 302",
        ),
        ("a,https://x.example/,,\"two\nlines\"", "a https://x.example/ 302"),
        ("a,https://x.example/", "2:21: expected 4 columns as in the header, found 2"),
        ("a,https://x.example/,,,b", "2:24: expected 4 columns as in the header, found 5"),
        ("é!,https://x.example/,,", "2:1: code: '!' can't be part of a code"),
        ("é,ftp://x.example/,,", "2:3: destination_url: the scheme \"ftp\" is not allowed"),
        ("é,,,", "2:3: destination_url: a destination is required"),
        ("api,https://x.example/,,", "2:1: code: this code is reserved"),
        ("a,https://x.example/,303,", "2:22: status: expected 301, 302, 307 or 308, not 303"),
        ("a,https://x.example/,\"x\"y,", "2:25: expected a comma after the closing quote"),
        ("a,https://x.example/,,\"x", "2:23: this quote is never closed"),
        ("a,https://x.example/,x,", "2:22: status: expected a whole number, not \"x\""),
        ("a,https://x.example/,,\0", "2:23: a NUL byte: this is no text"),
    ] {
        let text = format!("code,destination_url,status,title\n{line}\n\nz,https://z.example/,,\n");
        assert_eq!(read(Format::Csv, &text), [said, ok], "{line}");
    }
}

#[test]
fn csv_goes_on_after_the_line_with_an_open_quote() {
    let mut text = "code,destination_url,title\n".to_owned();
    for n in 0..3 {
        text.push_str(&format!("a{n},https://x.example/,\"open\nb{n},https://x.example/,t\n"));
    }
    text.push_str("c,https://x.example/,\"two\nlines\"\n");
    let all = read(Format::Csv, &text);
    let (wrong, right): (Vec<_>, Vec<_>) = all.iter().partition(|said| said.contains("quote"));
    assert_eq!((wrong.len(), right.len()), (3, 4), "{all:?}");
    assert_eq!(wrong[1], "4:23: this quote is never closed");
}

#[test]
fn jsonl() {
    check(
        Format::Jsonl,
        &[
            ("", &[]),
            ("\n  \n", &[]),
            (
                "{\"code\":\"a\",\"destination_url\":\"https://x.example/\",\"status\":307,\"id\":4}\r\n",
                &["a https://x.example/ 307"],
            ),
            ("{\"code\":\"a\"", &["1:11: not JSON: EOF while parsing an object"]),
            ("[]", &["1:1: expected a JSON object"]),
            ("{\"code\":\"a\"}", &["1:1: destination_url: expected a text"]),
            ("{\"code\":7}", &["1:2: code: expected a text"]),
            (
                "{\"code\":\"a\",\"destination_url\":\"https://x.example/\",\"stauts\":307}",
                &["1:1: key: unknown field \"stauts\"; did you mean \"status\"?"],
            ),
            (
                "{\"code\":\"a\",\"destination_url\":\"https://x.example/\",\"tags\":7}",
                &[
                    "1:52: tags: expected texts separated by commas, or a JSON array of texts, not \"7\"",
                ],
            ),
        ],
    );
}

#[test]
fn nginx_maps() {
    check(
        Format::NginxMap,
        &[
            ("/a https://x.example/;", &["a https://x.example/ 302"]),
            ("a  'https://x.example/;b' ; # why", &["a https://x.example/;b 302"]),
            (
                "\"/a\" \"https://x.example/\";/b https://y.example/;",
                &["a https://x.example/ 302", "b https://y.example/ 302"],
            ),
            ("/caf%C3%A9 https://x.example/;", &["café https://x.example/ 302"]),
            ("# nothing\n\nmap $uri $to {\n  volatile;\n  default \"\";\n}\n", &[]),
            ("/a https://x.example/", &["1:22: expected ; at the end of the entry"]),
            ("/a;", &["1:1: expected a path and a destination"]),
            ("/a b c;", &["1:1: expected a path and a destination"]),
            ("/a \"https://x.example/;", &["1:4: this quote is never closed"]),
            ("/a \"https://x.example/\"b;", &["1:24: unexpected \"b;\" after a quote"]),
            (" default https://x.example/;", &["1:2: no code stands for every path (default)"]),
            ("hostnames;", &["1:1: the keys of this map are hostnames"]),
            ("include more.map;", &["1:1: include is not followed: import that file"]),
            ("~^/a https://x.example/;", &["1:1: a code can't be a regular expression"]),
            ("/a https://x.example/$1;", &["1:4: a destination can't hold variables"]),
            ("/a/b https://x.example/;", &["1:1: code: '/' can't be part of a code"]),
            (
                "/a x.example;",
                &["1:4: destination_url: not an absolute URL: relative URL without a base"],
            ),
            (
                "server { listen 80; }",
                &[
                    "1:8: expected entries, or a map block",
                    "1:17: destination_url: not an absolute URL: relative URL without a base",
                ],
            ),
        ],
    );
}

#[test]
fn netlify_redirects() {
    check(
        Format::Netlify,
        &[
            ("/a https://x.example/", &["a https://x.example/ 301"]),
            ("/a/\thttps://x.example/?b=c 302! # why", &["a https://x.example/?b=c 302"]),
            ("# nothing\n\n  \n", &[]),
            ("http://localhost/a https://x.example/ 307", &["a https://x.example/ 307"]),
            ("/%F0%9F%8E%89 https://x.example/", &["🎉 https://x.example/ 301"]),
            ("/a", &["1:1: expected a destination after the path"]),
            ("/* https://x.example/", &["1:1: a short link has no splat (*)"]),
            ("/news/:id https://x.example/", &["1:1: a short link has no placeholders"]),
            ("/ https://x.example/", &["1:1: the root path can't be a short link"]),
            ("/a id=:id https://x.example/", &["1:4: a short link has no query conditions"]),
            ("/a /b", &["1:4: a short link's destination is an absolute URL"]),
            ("/a https://x.example/ 200", &["1:23: expected 301, 302, 307 or 308, not \"200\""]),
            (
                "/a https://x.example/ 302 Country=us",
                &["1:27: a short link has no conditions here: use rules"],
            ),
            (
                "/a https://x.example/ Country=us",
                &["1:23: a short link has no conditions here: use rules"],
            ),
            ("/a/b https://x.example/", &["1:1: code: '/' can't be part of a code"]),
            (
                "https://go.example/a https://x.example/",
                &["1:1: domain: \"go.example\" is no domain of the workspace"],
            ),
        ],
    );
}

#[test]
fn cloudflare_bulk_redirects() {
    check(
        Format::Cloudflare,
        &[
            ("localhost/a,https://x.example/", &["a https://x.example/ 301"]),
            (
                "https://LOCALHOST/a/,\"https://x.example/?b=c,d\",302,TRUE,,,",
                &["a https://x.example/?b=c,d 302"],
            ),
            ("localhost/a,https://x.example/,,,false,FALSE,TRUE", &["a https://x.example/ 301"]),
            (
                "source_url,target_url\r\n\nlocalhost/%F0%9F%8E%89,https://x.example/,307\r\n",
                &["🎉 https://x.example/ 307"],
            ),
            ("localhost/a", &["1:12: expected a target URL after the source URL"]),
            ("localhost/a,,301", &["1:13: expected a target URL after the source URL"]),
            ("localhost/a,b,,,,,,,", &["1:20: expected at most 7 columns"]),
            (
                "localhost/a,https://x.example/,200",
                &["1:32: expected 301, 302, 307 or 308, not \"200\""],
            ),
            ("localhost/a,https://x.example/,,yes", &["1:33: expected TRUE or FALSE, not \"yes\""]),
            (
                "localhost/a,https://x.example/,,,TRUE",
                &["1:34: a short link has no include_subdomains"],
            ),
            (
                "localhost/a,https://x.example/,,,,true,true",
                &["1:35: a short link has no subpath_matching"],
            ),
            ("localhost/,https://x.example/", &["1:1: the root path can't be a short link"]),
            ("/a,https://x.example/", &["1:1: expected a source such as go.example/code"]),
            (
                "ftp://localhost/a,https://x.example/",
                &["1:1: the scheme of a source is http or https"],
            ),
            ("localhost/a?b,https://x.example/", &["1:1: a source has neither query nor fragment"]),
            ("localhost/a/b,https://x.example/", &["1:1: code: '/' can't be part of a code"]),
            (
                "localhost/a,magnet:?xt=b",
                &["1:13: destination_url: the scheme \"magnet\" is not allowed"],
            ),
            (
                "go.example/a,https://x.example/",
                &["1:1: domain: \"go.example\" is no domain of the workspace"],
            ),
            ("localhost/a,\"https://x", &["1:13: this quote is never closed"]),
        ],
    );
}

#[test]
fn a_source_is_where_visitors_meet_it() {
    let book = book().behind(Front { host: "go.example".to_owned(), strict: false });
    let text = "stranger.example/a,\"https://x.example/?a=1,2\",307,TRUE\nlocalhost/b,https://x.example/,301,TRUE\n";
    let links = links(Format::Cloudflare, text, &book);
    let (text, carried) = write(Format::Cloudflare, &links, &book);
    let expected =
        "go.example/a,\"https://x.example/?a=1,2\",307\ngo.example/b,https://x.example/,301,TRUE\n";
    assert_eq!((text.as_str(), carried), (expected, vec![Carried::Partly, Carried::Whole]));
}

#[test]
fn a_collection_that_is_only_planned() {
    let service = book().service();
    let read = Book::new(service.clone(), WorkspaceId(1), NOW, false).unwrap();
    let mut link = read.draft("a", "https://x.example/").unwrap();
    assign(&mut link, "collection=Top", &read).unwrap();
    assert_eq!(
        to_pairs(&link, &read).unwrap().iter().find(|p| p.0 == "collection").unwrap().1,
        "Top"
    );
    let after = |book: &Book| book.collection("Top").unwrap();
    let fresh = || Book::new(service.clone(), WorkspaceId(1), NOW, false).unwrap();
    assert_eq!(Some(after(&fresh())), link.collection);
    let mut made = Made::default();
    let mut twin = link.clone();
    read.settle(&mut link, &mut made).unwrap();
    read.settle(&mut twin, &mut made).unwrap();
    assert_eq!((link.collection, twin.collection), (Some(after(&fresh())), link.collection));
    assert_eq!(link.collection.map(|id| id.0), Some(1));
}

#[test]
fn a_name_is_passed_over_or_known() {
    let mut names: Vec<_> = FIELDS.iter().map(|field| field.name).collect();
    names.extend(fields::READ_ONLY);
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    for (_, flag) in Flags::NAMES {
        assert!(names.contains(&flag), "{flag} is no field");
    }
}

#[test]
fn the_page_knows_every_field() {
    let page = include_str!("../../../../docs/exchange.md");
    for field in FIELDS {
        let row = format!("| `{}` |", field.name);
        assert!(page.contains(&row), "docs/exchange.md has no row {row}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, FIELDS.len(), "docs/exchange.md has rows of no field");
}

#[test]
fn assignments() {
    let book = book();
    let mut link = book.draft("a", "https://x.example/").unwrap();
    for (assignment, said) in [
        ("title=A = b", ""),
        ("tags=a, b", ""),
        ("max_clicks=3", ""),
        ("password=letmein", ""),
        ("collection=Top picks", ""),
        ("tittle=A", "field: unknown field \"tittle\"; did you mean \"title\"?"),
        ("title", "field: expected field=value, not \"title\""),
        ("active=maybe", "active: expected true or false, not \"maybe\""),
        (
            "expires_at=soon",
            "expires_at: expected a time such as 2026-05-27T18:00:00Z, not \"soon\"",
        ),
        (
            "password_hash=letmein",
            "password_hash: expected an Argon2id hash in PHC form; a password goes by password",
        ),
        ("domain=go.example", "domain: \"go.example\" is no domain of the workspace"),
        ("rules=[{\"condition\":\"geo\"}]", "rules: rule 1: a destination is required"),
        ("scripts={}", "scripts: expected an array of scripts"),
    ] {
        let done = assign(&mut link, assignment, &book);
        assert_eq!(done.err().map_or(String::new(), |fault| fault.to_string()), said);
    }
    assert_eq!(link.title.as_deref(), Some("A = b"));
    assert_eq!((link.tags.len(), link.max_clicks), (2, Some(3)));
    assert!(waypost_service::verify_password("letmein", &link.password.clone().unwrap()));
    assert_eq!(book.collection("Top picks").ok(), link.collection);
    assign(&mut link, "title=", &book).unwrap();
    assert_eq!(link.title, None);
}

#[test]
fn bare_redirects_leave_out_what_they_would_betray() {
    let book = book();
    for (assignment, nginx, netlify) in [
        ("created_at=2020-01-01", Carried::Whole, Carried::Whole),
        ("status=301", Carried::Partly, Carried::Whole),
        ("title=A", Carried::Partly, Carried::Partly),
        ("expires_at=2100-01-01", Carried::Partly, Carried::Partly),
        ("expires_at=2020-01-01", Carried::LeftOut, Carried::LeftOut),
        ("active=false", Carried::LeftOut, Carried::LeftOut),
        ("password=letmein", Carried::LeftOut, Carried::LeftOut),
        ("destination_url=https://x.example/$a", Carried::LeftOut, Carried::Whole),
    ] {
        let mut link = book.draft("a", "https://x.example/").unwrap();
        assign(&mut link, assignment, &book).unwrap();
        for (format, expected) in [(Format::NginxMap, nginx), (Format::Netlify, netlify)] {
            let (text, carried) = write(format, std::slice::from_ref(&link), &book);
            assert_eq!(carried, [expected], "{format:?} {assignment}");
            let written = text.lines().any(|line| line.starts_with("/a "));
            assert_eq!(written, expected != Carried::LeftOut, "{format:?} {assignment}");
        }
    }
}
