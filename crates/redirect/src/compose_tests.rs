//! Locations by table, and against a slow, obvious model.

use proptest::prelude::*;
use url::form_urlencoded;

use super::*;

const CLICK: u128 = 0x0123_4567_89ab_8def_8123_4567_89ab_cdef;
const CLICK_TEXT: &str = "01234567-89ab-8def-8123-456789abcdef";

fn compose(destination: &str, utm: &Utm, forwarded: Option<&[u8]>, click: bool) -> String {
    let mut out = String::new();
    let click = click.then_some(CLICK);
    Parts { destination, utm: Some(utm), forwarded, click }.write(&mut out, &mut Names::default());
    out
}

fn utm(source: &str, campaign: &str) -> Utm {
    Utm { source: source.to_owned(), campaign: campaign.to_owned(), ..Utm::default() }
}

#[test]
fn every_part_in_its_place() {
    let (none, ad, full) = (utm("", ""), utm("ad", ""), utm("ad", "big sale&co"));
    for (destination, utm, forwarded, click, expected) in [
        ("https://e.x/", &none, None, false, "https://e.x/"),
        ("https://e.x/?#", &none, None, false, "https://e.x/?#"),
        ("https://e.x", &ad, None, false, "https://e.x?utm_source=ad"),
        ("https://e.x/?", &ad, None, false, "https://e.x/?utm_source=ad"),
        ("https://e.x/?a", &ad, None, false, "https://e.x/?a&utm_source=ad"),
        ("https://e.x/?a=1&", &ad, None, false, "https://e.x/?a=1&utm_source=ad"),
        ("https://e.x/?a=what?", &ad, None, false, "https://e.x/?a=what?&utm_source=ad"),
        (
            "https://e.x/?a=%20+%zz&&b#f?x=1",
            &ad,
            None,
            false,
            "https://e.x/?a=%20+%zz&&b&utm_source=ad#f?x=1",
        ),
        ("https://e.x/#/route?a=1", &ad, None, false, "https://e.x/?utm_source=ad#/route?a=1"),
        // UTM replaces, however the name is spelled and however often it is there.
        ("https://e.x/?utm_source=old", &ad, None, false, "https://e.x/?utm_source=ad"),
        (
            "https://e.x/?utm%5Fsource=old&a=1&utm_source=older",
            &ad,
            None,
            false,
            "https://e.x/?a=1&utm_source=ad",
        ),
        (
            "https://e.x/?utm_medium=m&UTM_SOURCE=o",
            &ad,
            None,
            false,
            "https://e.x/?utm_medium=m&UTM_SOURCE=o&utm_source=ad",
        ),
        (
            "https://e.x/",
            &full,
            None,
            false,
            "https://e.x/?utm_source=ad&utm_campaign=big%20sale%26co",
        ),
        // The visitor's query never replaces.
        ("https://e.x/", &none, Some(&b"b=2&c"[..]), false, "https://e.x/?b=2&c"),
        (
            "https://e.x/?a=1",
            &ad,
            Some(b"a=2&b=2&utm_source=me&utm%5fsource=me"),
            false,
            "https://e.x/?a=1&utm_source=ad&b=2",
        ),
        ("https://e.x/?%61=1", &none, Some(b"a=2&b=2"), false, "https://e.x/?%61=1&b=2"),
        ("https://e.x/", &none, Some(b"b=1&b=2&&"), false, "https://e.x/?b=1&b=2"),
        (
            "https://e.x/#f",
            &none,
            Some(b"b=\"<#\r\n\xff"),
            false,
            "https://e.x/?b=%22%3C%23%0D%0A%FF#f",
        ),
        ("https://e.x/#f", &none, Some(b""), false, "https://e.x/#f"),
        ("https://e.x/?a=1#f", &none, Some(b"a=9"), false, "https://e.x/?a=1#f"),
        ("app://open", &none, Some(b"b=2"), false, "app://open?b=2"),
    ] {
        assert_eq!(compose(destination, utm, forwarded, click), expected);
    }
}

#[test]
fn the_click_comes_last_and_once() {
    let (none, ad) = (utm("", ""), utm("ad", ""));
    for (destination, utm, forwarded, before) in [
        ("https://e.x/", &none, None, "https://e.x/?"),
        (
            "https://e.x/?wp_click=x&a=1",
            &ad,
            Some(&b"wp_click=y&b=2"[..]),
            "https://e.x/?a=1&utm_source=ad&b=2&",
        ),
        ("https://e.x/?wp%5Fclick=x", &none, None, "https://e.x/?"),
    ] {
        let expected = format!("{before}wp_click={CLICK_TEXT}#f");
        assert_eq!(compose(&format!("{destination}#f"), utm, forwarded, true), expected);
    }
    assert_eq!(
        compose("https://e.x/?wp_click=x", &ad, None, false),
        "https://e.x/?wp_click=x&utm_source=ad"
    );
}

type Pairs = Vec<(String, String)>;

fn read(query: &str) -> Pairs {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// The same in the slow and obvious way: lists of decoded pairs.
fn model(own: &str, utm: &Utm, forwarded: Option<&str>, click: bool) -> Pairs {
    let set: Pairs = utm.pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let clicked: Pairs =
        click.then(|| ("wp_click".to_owned(), CLICK_TEXT.to_owned())).into_iter().collect();
    let named = |pairs: &Pairs, name: &str| pairs.iter().any(|(known, _)| known == name);
    let own = read(own);
    let mut all = own.clone();
    all.retain(|(name, _)| !named(&set, name) && !named(&clicked, name));
    all.extend(set.clone());
    for (name, value) in read(forwarded.unwrap_or_default()) {
        if !named(&own, &name) && !named(&set, &name) && !named(&clicked, &name) {
            all.push((name, value));
        }
    }
    all.extend(clicked);
    all
}

fn any_query() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "a",
        "b",
        "%61",
        "utm_source",
        "utm%5Fsource",
        "utm_campaign",
        "UTM_SOURCE",
        "wp_click",
        "wp%5fclick",
        "%zz",
        "x+y",
        "x%20y",
        "",
    ]);
    let value =
        prop::sample::select(vec!["", "=", "=1", "=a=b", "=%26", "=what?", "=+", "=%C3%A9"]);
    prop::collection::vec((name, value).prop_map(|(name, value)| format!("{name}{value}")), 0..7)
        .prop_map(|parts| parts.join("&"))
}

proptest! {
    #[test]
    fn composing_agrees_with_the_model(
        own in prop::option::of(any_query()),
        forwarded in prop::option::of(any_query()),
        source in "[a-z &=é]{0,5}",
        campaign in "[a-z]{0,3}",
        click in any::<bool>(),
        fragment in prop::sample::select(vec!["", "#", "#f", "#f?a=1&b"]),
    ) {
        let utm = utm(&source, &campaign);
        let question = own.as_ref().map(|own| format!("?{own}")).unwrap_or_default();
        let destination = format!("https://e.x/p{question}{fragment}");
        let out = compose(&destination, &utm, forwarded.as_deref().map(str::as_bytes), click);

        let (head, tail) = split_at(&out, '#');
        prop_assert_eq!(tail, fragment);
        let (path, query) = split_at(head, '?');
        prop_assert_eq!(path, "https://e.x/p");
        let pairs = read(query.strip_prefix('?').unwrap_or_default());
        let own = own.unwrap_or_default();
        prop_assert_eq!(&pairs, &model(&own, &utm, forwarded.as_deref(), click));
        for name in utm.pairs().map(|(name, _)| name).chain(click.then_some("wp_click")) {
            prop_assert_eq!(pairs.iter().filter(|(known, _)| known == name).count(), 1);
        }
        // What is not set anew keeps its bytes.
        let kept: Vec<_> = own.split('&').filter(|part| {
            let named = read(part);
            !named.iter().any(|(name, _)| utm.pairs().any(|(set, _)| set == name) || (click && name == "wp_click"))
        }).collect();
        prop_assert!(query.strip_prefix('?').unwrap_or_default().starts_with(&kept.join("&")));
    }
}
