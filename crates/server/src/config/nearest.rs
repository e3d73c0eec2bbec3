//! "Did you mean": the known name closest to a mistyped one.

/// The one of `known` that `typed` most likely stands for, if any is close.
pub(crate) fn nearest<'k>(typed: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    known
        .map(|name| (strsim::jaro_winkler(typed, name), name))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_find_their_setting() {
        let known = ["listen", "admin_listen", "data", "public_url"];
        for (typed, expected) in [
            ("listen_adr", Some("listen")),
            ("pubic_url", Some("public_url")),
            ("dta", Some("data")),
            ("colour", None),
        ] {
            assert_eq!(nearest(typed, known.into_iter()), expected, "{typed}");
        }
    }
}
