//! What is written comes back, and no file upsets a reader.

use std::io::Cursor;

use clap::ValueEnum as _;
use proptest::prelude::*;
use waypost_link::Timestamp;

use super::{
    fields::FIELDS,
    tests::{book, links, write},
    *,
};

fn time() -> impl Strategy<Value = String> {
    (0..4_000_000_000_000_000i64).prop_map(|micros| values::print_time(Timestamp(micros)))
}

/// A text that the field of this name may have; empty is absent.
fn value_of(name: &'static str) -> BoxedStrategy<String> {
    let text = prop_oneof![Just(String::new()), "\\P{Cc}{1,20}", "[a-z,\"\n\r\\[ ;]{1,12}"];
    match name {
        "code" => "[A-Za-z0-9_-]{2,20}|café|🎉[a-z]{1,5}".boxed(),
        "destination_url" => "https://x\\.example/[a-z0-9?&=,;'()-]{0,30}".boxed(),
        "domain" | "password" => Just(String::new()).boxed(),
        "password_hash" => "(\\$argon2id\\$v=19\\$m=1,t=1,p=1\\$[a-z]{8}\\$[a-z+/]{8})?".boxed(),
        "status" => "(30[1278])?".prop_filter("known", |s| s != "303").boxed(),
        "max_clicks" | "alert_at" => "([1-9][0-9]{0,15})?".boxed(),
        "tags" => proptest::collection::vec("\\P{Cc}{0,8}|[a-z,]{1,4}", 0..4)
            .prop_map(|tags| serde_json::to_string(&tags).unwrap())
            .boxed(),
        "rules" => prop_oneof![
            Just(String::new()),
            Just(r#"[{"id":"a","condition":"geo","value":"US,CA","destination":"https://u.example/"},{"id":"b","condition":"percentage","value":"","percentage":12.5,"destination":"https://p.example/"}]"#.to_owned()),
        ].boxed(),
        "scripts" => prop_oneof![
            Just(String::new()),
            Just(r#"[{"id":"s","placement":"body","script":"<script>\n\"x\"</script>"}]"#.to_owned()),
        ].boxed(),
        "attributes" => prop_oneof![
            Just(String::new()),
            Just(r#"{"job_id":"1","utmName":"a \"b\", c"}"#.to_owned()),
        ].boxed(),
        "collection" => "([A-Z][a-z, \"]{1,10})?".boxed(),
        _ => match FIELDS.iter().find(|field| field.name == name).map(|field| field.kind) {
            Some(values::Kind::Switch) => prop_oneof![Just("true"), Just("false")].prop_map(str::to_owned).boxed(),
            Some(values::Kind::Time) => prop_oneof![Just(String::new()), time()].boxed(),
            _ => text.boxed(),
        },
    }
}

fn assignments_of_a_link() -> impl Strategy<Value = Vec<String>> {
    FIELDS.iter().map(|field| value_of(field.name)).collect::<Vec<_>>()
}

proptest! {
    #[test]
    fn what_is_exported_comes_back(rows in proptest::collection::vec(assignments_of_a_link(), 1..4)) {
        let book = book();
        let mut all = Vec::new();
        for row in rows {
            let mut link = book.draft("a", "https://x.example/").unwrap();
            for (field, text) in FIELDS.iter().zip(row) {
                if !(text.is_empty() && field.name.starts_with("password")) {
                    field.set_text(&mut link, &text, &book).unwrap();
                }
            }
            if link.valid_from >= link.expires_at {
                link.expires_at = None;
            }
            all.push(link);
        }
        for format in [Format::Csv, Format::Jsonl] {
            let (text, carried) = write(format, &all, &book);
            prop_assert!(carried.iter().all(|&carried| carried == Carried::Whole));
            prop_assert_eq!(&links(format, &text, &book), &all, "{}", text);
        }
    }

    #[test]
    fn csv_is_what_the_library_reads(cells in proptest::collection::vec("[a-z,\"\n ]{0,6}", 1..5)) {
        let mut text = Vec::new();
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                text.push(b',');
            }
            records::write_cell(cell, &mut text);
        }
        let mut theirs = ::csv::ReaderBuilder::new().has_headers(false).from_reader(&text[..]);
        if let Some(record) = theirs.records().next() {
            let record = record.unwrap();
            prop_assert_eq!(record.iter().collect::<Vec<_>>(), cells);
        }
    }

    #[test]
    fn no_bytes_upset_a_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let book = book();
        for &format in Format::value_variants() {
            for head in ["", "code,destination_url\n"] {
                let text = [head.as_bytes(), &bytes].concat();
                let Ok(mut reader) = reader(format, Cursor::new(text)) else { continue };
                while reader.next(&book).unwrap().is_some() {}
            }
        }
    }

    #[test]
    fn no_text_upsets_a_reader(text in "[a/,\"'\n\r;{}#\\\\: =é$*%]{0,60}") {
        let book = book();
        for &format in Format::value_variants() {
            for head in ["", "code,destination_url\n"] {
                let text = format!("{head}{text}");
                let lines = text.lines().count() as u64;
                let Ok(mut reader) = reader(format, Cursor::new(text)) else { continue };
                while let Some(entry) = reader.next(&book).unwrap() {
                    if let Entry::Wrong(wrong) = entry {
                        prop_assert!((1..=lines).contains(&wrong.at.line) && wrong.at.column > 0);
                    }
                }
            }
        }
    }
}
