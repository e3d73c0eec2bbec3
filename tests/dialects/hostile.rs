//! The hostile corpus: what attackers type, fed to everything that takes it.
//!
//! `hostile/*.txt` are the corpus, an entry a line: `refused`, `accepted` or `either`, then the text (`entry.rs`
//! says how it is written). A refused entry that is accepted anywhere fails, and so does an accepted one that is
//! refused. Whatever is answered, now and when it is shown later, must be harmless: below 500, JSON that parses,
//! XML that is well-formed, markup escaped in pages, no header that was sent as text (`site.rs`). At the end the
//! server lives and has not panicked.

mod entry;
mod places;
mod shown;
mod site;

use self::{
    entry::{Entry, Verdict, entries},
    site::Site,
};
use crate::support::Data;

const FILES: &[(&str, &str)] = &[
    ("urls", include_str!("hostile/urls.txt")),
    ("codes", include_str!("hostile/codes.txt")),
    ("texts", include_str!("hostile/texts.txt")),
    ("hostnames", include_str!("hostile/hostnames.txt")),
    ("loops", include_str!("hostile/loops.txt")),
    ("json", include_str!("hostile/json.txt")),
    ("headers", include_str!("hostile/headers.txt")),
    ("pixels", include_str!("hostile/pixels.txt")),
    ("imports", include_str!("hostile/imports.txt")),
];

/// The corpus never has fewer.
const ENTRIES: usize = 500;

fn corpus(name: &str) -> Vec<Entry> {
    let (_, text) = FILES.iter().find(|(known, _)| *known == name).expect("a file");
    entries(text)
}

#[test]
fn entries_are_many_and_each_is_another() {
    let all: Vec<_> = FILES.iter().map(|(name, _)| (*name, corpus(name))).collect();
    assert!(all.iter().map(|(_, entries)| entries.len()).sum::<usize>() >= ENTRIES);
    for (name, entries) in all {
        for (n, entry) in entries.iter().enumerate() {
            let again = entries.iter().skip(n + 1).find(|other| other.bytes == entry.bytes);
            assert!(again.is_none(), "{name}: {entry} is there twice");
        }
    }
}

#[test]
fn urls() {
    let mut site = Site::new();
    let made = b"{\"destination_url\":\"https://ok.example/\",\"code\":\"old\"}";
    assert_eq!(site.send("POST /api/links", made).status, 200);
    let entries = corpus("urls");
    for (n, entry) in entries.iter().enumerate() {
        for place in places::URLS {
            let answer = place.feed(&mut site, entry, n);
            if place.strict && entry.verdict == Verdict::Accepted {
                site::assert_harmless(entry, place.line, &answer);
            } else {
                site.judge(entry, place.line, &answer);
            }
        }
        let visit = site.get(&format!("/u{n}"));
        site::assert_harmless(entry, "a visit", &visit);
        assert_eq!(
            visit.status == 404,
            visit.field("location").is_none(),
            "{entry}: {}",
            visit.head
        );
    }
    let rows = entries.iter().enumerate().map(|(n, entry)| {
        entry.filled(&format!("{{\"code\":\"i{n}\",\"destination_url\":\"{{{{json}}}}\"}}\n"))
    });
    let read = shown::imported(&site.data, &rows.collect::<Vec<_>>().concat());
    for (n, entry) in entries.iter().enumerate() {
        let accepted = read.iter().any(|row| row["code"] == format!("i{n}").as_str());
        site.expect(entry, "import", accepted, "");
    }
    site.end();
}

#[test]
fn links_to_themselves() {
    let mut site = Site::new();
    for (n, entry) in corpus("loops").iter().enumerate() {
        for place in places::LOOPS {
            let entry = Entry::of(entry.verdict, &entry.with(&[("{{code}}", &format!("u{n}"))]));
            let answer = place.feed(&mut site, &entry, n);
            site.judge(&entry, place.line, &answer);
            if answer.status == 200 {
                shown::forget_newest(&mut site);
            }
        }
    }
    site.end();
}

#[test]
fn codes() {
    let mut site = Site::new();
    let entries = corpus("codes");
    for (n, entry) in entries.iter().enumerate() {
        for place in places::CODES {
            let answer = place.feed(&mut site, entry, n);
            site.judge(entry, place.line, &answer);
            let visit = site.get(&format!("/{}", entry.encoded()));
            site::assert_harmless(entry, "a visit", &visit);
            let redirected = (300..400).contains(&visit.status);
            site.expect(entry, "a visit", redirected, &visit.head);
            if redirected {
                shown::forget_newest(&mut site);
            }
        }
        for path in places::PATHS {
            let answer = site.get(&path.replace("{{form}}", &entry.encoded()));
            site::assert_harmless(entry, path, &answer);
        }
    }
    let row = "{\"code\":\"{{json}}\",\"destination_url\":\"https://ok.example/\"}\n";
    let rows: Vec<_> = entries.iter().map(|entry| entry.filled(row)).collect();
    let read = shown::imported(&site.data, &rows.concat());
    for entry in &entries {
        let accepted = read.iter().any(|row| row["code"] == entry.text().as_str());
        site.expect(entry, "import", accepted, "");
    }
    site.end();
}

#[test]
fn texts_of_links() {
    let mut site = Site::new();
    for (n, entry) in corpus("texts").iter().enumerate() {
        feed_text(&mut site, places::LINK_TEXTS, entry, n);
        shown::texts(&mut site, entry, n);
    }
    shown::exported_and_back(&site.data);
    site.end();
}

#[test]
fn texts_elsewhere() {
    let mut site = Site::new();
    let made = b"{\"destination_url\":\"https://t.example/\",\"code\":\"clicked\",\"plus_tracking\":true,\"public_tracking\":true}";
    assert_eq!(site.send("POST /api/links", made).status, 200);
    let entries = corpus("texts");
    for (n, entry) in entries.iter().enumerate() {
        feed_text(&mut site, places::TEXTS, entry, n);
    }
    shown::clicks(&mut site, &entries, "clicked");
    site.end();
}

fn feed_text(site: &mut Site, places: &[places::Place], entry: &Entry, n: usize) {
    for place in places {
        let answer = place.feed(site, entry, n);
        if place.strict {
            site::assert_harmless(entry, place.line, &answer);
        } else {
            site.judge(entry, place.line, &answer);
        }
    }
}

#[test]
fn hostnames() {
    let mut site = Site::new();
    for entry in corpus("hostnames") {
        let body = entry.filled("{\"hostname\":\"{{json}}\"}");
        let answer = site.send("POST /api/domains", &body);
        site.judge(&entry, "domains", &answer);
        let visit = [b"GET /x HTTP/1.1\r\nHost: ", entry.bytes.as_slice(), b"\r\n\r\n"].concat();
        if let Some(answer) = site.raw(&visit) {
            site::assert_harmless(&entry, "Host", &answer);
        }
    }
    site.end();
}

#[test]
fn json() {
    let mut site = Site::new();
    site.send(
        "POST /api/links",
        b"{\"destination_url\":\"https://j.example/\",\"code\":\"clicked\"}",
    );
    for (n, entry) in corpus("json").iter().enumerate() {
        for (place, first, rest) in places::JSON {
            let place = site.named(place);
            let first = first.replace("{{n}}", &n.to_string());
            let (name, _) = first.split_once("\":").expect("a field");
            let fields = format!("{first},{rest}");
            let body = entry.with(&[
                ("{{fields}}", &fields),
                ("{{first}}", name.trim_start_matches('"')),
                ("{{rest}}", rest),
            ]);
            let answer = site.send(&format!("POST {place}"), &body);
            site.judge(entry, &place, &answer);
        }
    }
    site.end();
}

#[test]
fn pixels() {
    let mut site = Site::new();
    for entry in corpus("pixels") {
        for platform in ["meta", "tiktok", "google"] {
            let body = format!("{{\"platform\":\"{platform}\",\"pixel_id\":\"{{{{json}}}}\"}}");
            let answer = site.send("POST /api/tracking-pixels", &entry.filled(&body));
            site.judge(&entry, platform, &answer);
            let made: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
            let kept = made["pixel"]["pixel_id"].as_str().unwrap_or_default();
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            assert!(kept.bytes().all(plain) && kept.len() <= 64, "{entry}: {kept}");
        }
    }
    site.end();
}

#[test]
fn headers() {
    let mut site = Site::new();
    let made = "{\"destination_url\":\"https://h.example/\",\"code\":\"h\",\"plus_tracking\":true,\"public_tracking\":true}";
    assert_eq!(site.send("POST /api/links", made.as_bytes()).status, 200);
    let (entries, mut visits) = (corpus("headers"), 0);
    for entry in &entries {
        let host: &[u8] =
            if entry.bytes.starts_with(b"Host:") { b"" } else { b"Host: localhost\r\n" };
        let head = [b"GET /h HTTP/1.1\r\n", host, &entry.bytes, b"\r\n\r\n"].concat();
        let answer = site.raw(&head);
        let status = answer.as_ref().map_or(400, |answer| answer.status);
        visits += u64::from(status == 302);
        let right = match entry.verdict {
            Verdict::Refused => (400..506).contains(&status),
            Verdict::Accepted => status == 302,
            Verdict::Either => true,
        };
        assert!(right, "{entry}: {status}");
        assert!(answer.is_none_or(|answer| !answer.head.contains("njected")), "{entry}");
    }
    site.data.await_clicks("h", visits);
    shown::clicks(&mut site, &entries, "h");
    site.end();
}

#[test]
fn imports() {
    for entry in corpus("imports") {
        let data = Data::new();
        let file = data.path().join("hostile.csv");
        std::fs::write(&file, &entry.bytes).expect("write");
        let out = data.run(&["import", file.to_str().expect("UTF-8")]);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        let expected = if entry.verdict == Verdict::Accepted { Some(0) } else { Some(1) };
        assert_eq!(out.status.code(), expected, "{entry}: {said}");
        assert!(!said.contains("panicked"), "{entry}: {said}");
        if entry.verdict == Verdict::Refused {
            assert!(!said.trim().is_empty(), "{entry} is refused without a word");
            assert!(!said.contains(['\u{1b}', '\0']), "{entry}: {said:?}");
        }
    }
}
