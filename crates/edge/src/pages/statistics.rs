//! The public statistics of a link, `/{code}+` (SPEC 6): clicks, not where it leads.

use maud::{Markup, html};

use super::{Page, Policy, chart, page};
use crate::{Count, Figures, limits};

/// The page of the link with this code.
pub(crate) fn statistics(code: &str, figures: &Figures) -> Page {
    let title = if figures.title.is_empty() { code } else { &figures.title };
    let title = cut(title, limits::TITLE_CHARS);
    let body = html! {
        main {
            h1 { (title) }
            p.soft { "/" (code) }
            dl.totals {
                (total("Clicks", figures.clicks))
                (total("Visitors", figures.visitors))
            }
            (days(&figures.days))
            div.tables {
                (table("Countries", &figures.countries))
                (table("Referrers", &figures.referrers))
                (table("Browsers", &figures.browsers))
                (table("Devices", &figures.devices))
            }
        }
    };
    page(&format!("{title}: statistics"), &Policy::strict(), &html! {}, &body)
}

fn total(name: &str, count: u64) -> Markup {
    html! { div { dt { (name) } dd { (grouped(count)) } } }
}

/// The chart of the days, and the same as a table for who can't see it.
fn days(days: &[Count]) -> Markup {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return html! {} };
    let most = days.iter().map(|day| day.clicks).max().unwrap_or(0);
    html! {
        section {
            h2 { "The last " (days.len()) " days" }
            (chart::bars(days))
            p.span {
                span { (first.name) }
                span { "up to " (grouped(most)) " a day" }
                span { (last.name) " UTC" }
            }
            details {
                summary { "Day by day" }
                table {
                    @for day in days.iter().rev() {
                        tr { th scope="row" { (day.name) } td { (grouped(day.clicks)) } }
                    }
                }
            }
        }
    }
}

fn table(heading: &str, rows: &[Count]) -> Markup {
    let most = rows.iter().map(|row| row.clicks).max().unwrap_or(0);
    html! {
        section {
            h2 { (heading) }
            @if rows.is_empty() { p.soft { "Nothing yet" } }
            table {
                @for row in rows.iter().take(Figures::ROWS) {
                    tr {
                        th scope="row" {
                            (cut(&row.name, limits::NAME_CHARS))
                            (chart::share(row.clicks, most))
                        }
                        td { (grouped(row.clicks)) }
                    }
                }
            }
        }
    }
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// At most so many characters of a text.
fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert(1)</script><style>'&`\u{202e}";

    fn counts(name: &str, rows: usize) -> Vec<Count> {
        (0..rows).map(|_| Count { name: name.to_owned(), clicks: u64::MAX }).collect()
    }

    fn figures(name: &str) -> Figures {
        Figures {
            title: name.to_owned(),
            clicks: 1_234_567,
            visitors: 7,
            days: counts(name, 30),
            countries: counts(name, 100),
            referrers: counts(name, 100),
            browsers: counts(name, 100),
            devices: counts(name, 100),
        }
    }

    #[test]
    fn names_stay_names() {
        let page = statistics(HOSTILE, &figures(HOSTILE));
        assert!(page.html.contains("&quot;&gt;&lt;script&gt;alert(1)"));
        assert!(!page.html.contains("<script") && !page.html.contains("<style>"));
        assert!(page.policy.starts_with("default-src 'none'; style-src 'nonce-"));
        // A style attribute would break the policy.
        assert!(!page.html.contains(" style="));
    }

    #[test]
    fn it_is_small_whatever_is_in_it() {
        let long = "&".repeat(16 * 1024);
        let mut figures = figures(&long);
        figures.days = counts("2026-01-01", 30);
        let code = "é".repeat(64);
        let html = statistics(&code, &figures).html;
        assert!(html.len() < 20 * 1024, "{}", html.len());
        assert!(html.contains("1,234,567"));
    }

    #[test]
    fn a_link_without_clicks_has_a_page() {
        let html = statistics("hi", &Figures::default()).html;
        assert!(html.contains("<h1>hi</h1>") && html.contains("Nothing yet"), "{html}");
    }

    #[test]
    fn numbers_are_grouped() {
        for (number, expected) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (u64::MAX, "18,446,744,073,709,551,615")]
        {
            assert_eq!(grouped(number), expected);
        }
    }
}
