//! `/media/{name}`: the pictures of products, which somebody else keeps in files.
//!
//! Asked for only where the engine knows no link, so no redirect is the slower for it. What is sent as
//! a picture was one when it was kept, and no browser takes it for anything else.

use waypost_h1::Response;
use waypost_redirect::{Facts, Method};

use crate::limits;

/// Kinds of pictures: what their names end with, their type, and what their bytes begin with.
const KINDS: [(&str, &str, &[&[u8]]); 4] = [
    ("jpg", "image/jpeg", &[b"\xff\xd8\xff"]),
    ("png", "image/png", &[b"\x89PNG\r\n\x1a\n"]),
    ("gif", "image/gif", &[b"GIF87a", b"GIF89a"]),
    ("webp", "image/webp", &[b"RIFF"]),
];

/// Pictures of products.
#[derive(Debug)]
pub struct Picture;

impl Picture {
    /// What their paths begin with.
    pub const PATH: &'static str = "/media/";

    /// What the name of a picture of these bytes ends with, if they are one.
    ///
    /// ```
    /// use waypost_edge::Picture;
    /// assert_eq!(Picture::kind(b"GIF89a..."), Some("gif"));
    /// assert_eq!(Picture::kind(b"<svg>"), None);
    /// ```
    pub fn kind(bytes: &[u8]) -> Option<&'static str> {
        let begins = |marks: &&[&[u8]]| marks.iter().any(|mark| bytes.starts_with(mark));
        let (kind, ..) = KINDS.iter().find(|(.., marks)| begins(marks))?;
        let other = *kind == "webp" && bytes.get(8..12) != Some(b"WEBP");
        Some(*kind).filter(|_| !other)
    }
}

/// The picture that these facts ask for, by its name.
pub(crate) fn asked<'a>(facts: &Facts<'a>) -> Option<&'a str> {
    let name = facts.path.strip_prefix(Picture::PATH)?;
    let (stem, _) = name.rsplit_once('.')?;
    let plain = stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let fits = plain && !stem.is_empty() && name.len() <= limits::PICTURE_NAME;
    let read = matches!(facts.method, Method::Get | Method::Head);
    (fits && read && media_type(name).is_some()).then_some(name)
}

/// The answer that is a picture, where there is one.
pub(crate) fn response(name: &str, bytes: Option<Vec<u8>>) -> Response {
    let (Some(bytes), Some(media_type)) = (bytes, media_type(name)) else {
        return Response::new(404)
            .header("Content-Type", "text/plain; charset=utf-8")
            .header("Cache-Control", "no-store")
            .header("X-Content-Type-Options", "nosniff")
            .body("no such picture\n");
    };
    Response::new(200)
        .header("Content-Type", media_type)
        .header("Cache-Control", "public, max-age=86400")
        .header("Content-Security-Policy", "default-src 'none'; sandbox")
        .header("X-Content-Type-Options", "nosniff")
        .body(bytes)
}

fn media_type(name: &str) -> Option<&'static str> {
    let (_, end) = name.rsplit_once('.')?;
    KINDS.iter().find(|(kind, ..)| *kind == end).map(|(_, media_type, _)| *media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names() {
        for (path, name) in [
            ("/media/B08N5WRWNW.jpg", Some("B08N5WRWNW.jpg")),
            ("/media/a-1.webp", Some("a-1.webp")),
            ("/media/../data.mdb", None),
            ("/media/..jpg", None),
            ("/media/.jpg", None),
            ("/media/a/b.jpg", None),
            ("/media/a.b.jpg", None),
            ("/media/a%2e.jpg", None),
            ("/media/a.svg", None),
            ("/media/a", None),
            ("/media/", None),
            ("/medial/a.jpg", None),
        ] {
            let facts = Facts { path, ..Facts::default() };
            assert_eq!(asked(&facts), name, "{path}");
        }
    }

    #[test]
    fn kinds() {
        for (bytes, kind) in [
            (&b"\xff\xd8\xff\xe0"[..], Some("jpg")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("webp")),
            (b"RIFF\0\0\0\0WAVE", None),
            (b"<html>", None),
            (b"", None),
        ] {
            assert_eq!(Picture::kind(bytes), kind);
        }
    }
}
