//! The formats, by name and by file name.

use std::path::Path;

use clap::ValueEnum;

/// What a file of links looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A header line, then a line a link
    Csv,
    /// A JSON object a line
    Jsonl,
    /// The inside of an nginx `map` block
    NginxMap,
    /// A Netlify `_redirects` file
    Netlify,
    /// A Cloudflare Bulk Redirects CSV file
    Cloudflare,
}

impl Format {
    /// The format that a file's name tells; none for another name, or standard input and output.
    pub(crate) fn of_file(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        match (name.as_str(), extension) {
            ("_redirects", _) => Some(Self::Netlify),
            _ if name == "cloudflare.csv" || name.ends_with(".cloudflare.csv") => {
                Some(Self::Cloudflare)
            }
            (_, "csv") => Some(Self::Csv),
            (_, "jsonl" | "ndjson") => Some(Self::Jsonl),
            (_, "map" | "conf") => Some(Self::NginxMap),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_formats() {
        for (name, format) in [
            ("links.csv", Some(Format::Csv)),
            ("/a.b/LINKS.CSV", Some(Format::Csv)),
            ("x.jsonl", Some(Format::Jsonl)),
            ("x.ndjson", Some(Format::Jsonl)),
            ("go.map", Some(Format::NginxMap)),
            ("go.conf", Some(Format::NginxMap)),
            ("site/_redirects", Some(Format::Netlify)),
            ("_redirects.csv", Some(Format::Csv)),
            ("site/go.cloudflare.csv", Some(Format::Cloudflare)),
            ("cloudflare.csv", Some(Format::Cloudflare)),
            ("links", None),
            ("csv", None),
            ("-", None),
        ] {
            assert_eq!(Format::of_file(Path::new(name)), format, "{name}");
        }
    }
}
