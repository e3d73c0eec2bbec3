//! What a path asks for.

/// A resolver path, its code or alias still encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// `/{code}`
    Code(&'a str),
    /// `/track/{code}`
    Track(&'a str),
    /// `/{code}+`
    Plus(&'a str),
    /// `/c/{alias}`
    Rotator(&'a str),
}

impl<'a> Target<'a> {
    /// What `path` asks for; `None` where no link or rotator can be.
    #[inline]
    pub(crate) fn parse(path: &'a str) -> Option<Self> {
        let first = path.strip_prefix('/')?;
        if !first.contains('/') {
            let code = first.strip_suffix('+').or_else(|| first.strip_suffix("%2B"));
            let code = code.or_else(|| first.strip_suffix("%2b"));
            return Some(code.map_or(Self::Code(first), Self::Plus));
        }
        let target = match first.strip_prefix("track/") {
            Some(code) => Self::Track(code),
            None => Self::Rotator(first.strip_prefix("c/")?),
        };
        Some(target).filter(|target| !target.segment().contains('/'))
    }

    /// The code or alias.
    #[inline]
    pub(crate) fn segment(self) -> &'a str {
        match self {
            Self::Code(segment)
            | Self::Track(segment)
            | Self::Plus(segment)
            | Self::Rotator(segment) => segment,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_paths_ask_for() {
        for (path, target) in [
            ("/hi", Some(Target::Code("hi"))),
            ("/caf%C3%A9", Some(Target::Code("caf%C3%A9"))),
            ("/", Some(Target::Code(""))),
            ("/hi+", Some(Target::Plus("hi"))),
            ("/hi%2b", Some(Target::Plus("hi"))),
            ("/hi++", Some(Target::Plus("hi+"))),
            ("/track/hi", Some(Target::Track("hi"))),
            ("/track/hi+", Some(Target::Track("hi+"))),
            ("/track", Some(Target::Code("track"))),
            ("/c/topPicks", Some(Target::Rotator("topPicks"))),
            ("/c/a/b", None),
            ("/track/a/b", None),
            ("/hi/", None),
            ("//hi", None),
            ("/a/b", None),
            ("hi", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(Target::parse(path), target, "{path}");
        }
    }
}
