//! What a path asks for.

/// A resolver path, its code or alias still encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// `/{code}`
    Code(&'a [u8]),
    /// `/track/{code}`
    Track(&'a [u8]),
    /// `/{code}+`
    Plus(&'a [u8]),
    /// `/c/{alias}`
    Rotator(&'a [u8]),
}

impl<'a> Target<'a> {
    /// What `path` asks for; `None` where no link or rotator can be.
    #[inline]
    pub(crate) fn parse(path: &'a [u8]) -> Option<Self> {
        let first = path.strip_prefix(b"/")?;
        if !first.contains(&b'/') {
            let code = first.strip_suffix(b"+").or_else(|| first.strip_suffix(b"%2B"));
            let code = code.or_else(|| first.strip_suffix(b"%2b"));
            return Some(code.map_or(Self::Code(first), Self::Plus));
        }
        let target = match first.strip_prefix(b"track/") {
            Some(code) => Self::Track(code),
            None => Self::Rotator(first.strip_prefix(b"c/")?),
        };
        Some(target).filter(|target| !target.segment().contains(&b'/'))
    }

    /// The code or alias.
    #[inline]
    pub(crate) fn segment(self) -> &'a [u8] {
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
            ("/hi", Some(Target::Code(b"hi"))),
            ("/caf%C3%A9", Some(Target::Code(b"caf%C3%A9"))),
            ("/", Some(Target::Code(b""))),
            ("/hi+", Some(Target::Plus(b"hi"))),
            ("/hi%2b", Some(Target::Plus(b"hi"))),
            ("/hi++", Some(Target::Plus(b"hi+"))),
            ("/track/hi", Some(Target::Track(b"hi"))),
            ("/track/hi+", Some(Target::Track(b"hi+"))),
            ("/track", Some(Target::Code(b"track"))),
            ("/c/topPicks", Some(Target::Rotator(b"topPicks"))),
            ("/c/a/b", None),
            ("/track/a/b", None),
            ("/hi/", None),
            ("//hi", None),
            ("/a/b", None),
            ("hi", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(Target::parse(path.as_bytes()), target, "{path}");
        }
    }
}
