//! Inline SVG: bars without text, so that they can be stretched to any width. Colours come from
//! the page's style.

use maud::{Markup, html};

use crate::Count;

/// Height of a chart in its own units, and so what a bar is a percentage of.
const HEIGHT: u64 = 100;

/// A bar for each count; a tooltip says which.
pub(super) fn bars(counts: &[Count]) -> Markup {
    let most = counts.iter().map(|count| count.clicks).max().unwrap_or(0);
    let (width, label) = (counts.len() * 10, format!("Clicks by day, {most} on the busiest"));
    html! {
        svg.chart viewBox=(format!("0 0 {width} {HEIGHT}")) preserveAspectRatio="none" role="img"
            aria-label=(label)
        {
            @for (at, count) in counts.iter().enumerate() {
                @let height = part(count.clicks, most);
                rect x=(at * 10 + 1) y=(HEIGHT - height) width="8" height=(height) {
                    title { (count.name) ": " (count.clicks) }
                }
            }
        }
    }
}

/// A thin bar as long as the count's part of the largest.
pub(super) fn share(count: u64, most: u64) -> Markup {
    html! {
        svg.share aria-hidden="true" { rect width=(format!("{}%", part(count, most))) height="100%"; }
    }
}

/// `count` of `most`, in the chart's units; whatever is counted is seen.
fn part(count: u64, most: u64) -> u64 {
    let exact = u128::from(count) * u128::from(HEIGHT) / u128::from(most.max(1));
    u64::try_from(exact).unwrap_or(HEIGHT).clamp(u64::from(count > 0), HEIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_seen_and_fit() {
        for (count, most, expected) in [
            (0, 0, 0),
            (0, 9, 0),
            (1, 1_000_000, 1),
            (50, 100, 50),
            (9, 9, HEIGHT),
            (u64::MAX, u64::MAX, HEIGHT),
        ] {
            assert_eq!(part(count, most), expected, "{count} of {most}");
        }
    }

    #[test]
    fn a_bar_a_day() {
        let counts = [("2026-01-01", 0), ("2026-01-02", 4), ("2026-01-03", 2)]
            .map(|(name, clicks)| Count { name: name.to_owned(), clicks });
        let svg = bars(&counts).into_string();
        assert_eq!(svg.matches("<rect").count(), 3);
        assert!(svg.contains("viewBox=\"0 0 30 100\""));
        assert!(svg.contains(
            "<rect x=\"21\" y=\"50\" width=\"8\" height=\"50\"><title>2026-01-03: 2</title>"
        ));
    }
}
