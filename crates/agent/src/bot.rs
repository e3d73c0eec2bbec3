//! Which headers come from machines: crawlers, link previewers, monitors, HTTP libraries, headless browsers.
//!
//! The flag labels clicks, it drops none; still, a person taken for a bot is missing from somebody's statistics, so
//! only names count, and whole ones (most are in the table of [`words`](crate::words)): never `google` or `fetch` somewhere inside, never a missing header, never an
//! unusual one. Apps that follow a link for their user (CFNetwork, Dalvik) count as people.

use memchr::memmem::find;

/// How headers of programs begin, in lower case, where no single word would be safe to look for.
#[rustfmt::skip]
const STARTS: &[&str] = &[
    "apache-httpclient", "apis-google", "chatgpt-user", "claude-user", "claude-web", "dart/",
    "duplexweb-google", "elb-healthchecker", "faraday", "go-http-client", "google-", "got ",
    "got/", "grpc-", "h2load", "hyper/", "insomnia/", "jakarta commons-httpclient", "java/",
    "k6/", "kube-probe", "lwp", "microsoft office", "mozlila/", "node", "perl", "php", "python",
    "rest-client", "ruby", "snap url preview", "typhoeus", "ureq/", "whatsapp/", "winhttp", "wrk/",
];

/// Phones whose maker's name ends as crawlers' names do.
const PEOPLE: &[&str] = &["cubot"];

/// Whether one word, itself not listed, ends or sounds like a machine's name.
pub(crate) fn is_bot_word(word: &[u8]) -> bool {
    let person = || PEOPLE.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(word));
    (ends_in_bot(word) && !person()) || holds(word, b"crawl") || holds(word, b"spider")
}

/// Whether the whole header has the form of a machine's: it links to an explanation of itself, or starts as a
/// known program does.
pub(crate) fn is_bot_header(ua: &[u8]) -> bool {
    let starts = |start: &str| {
        ua.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
    };
    find(ua, b"+http").is_some()
        || (!starts("mozilla/5.0 ") && STARTS.iter().any(|start| starts(start)))
}

/// `Googlebot`, `bots`, `robot2`.
fn ends_in_bot(word: &[u8]) -> bool {
    let digits = word.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let stem = &word[..word.len() - digits];
    let stem = match stem {
        [rest @ .., b's' | b'S'] => rest,
        _ => stem,
    };
    stem.len() >= 3 && stem[stem.len() - 3..].eq_ignore_ascii_case(b"bot")
}

fn holds(word: &[u8], part: &[u8]) -> bool {
    word.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use super::{STARTS, is_bot_word};

    #[test]
    fn names_are_in_lower_case() {
        for name in STARTS {
            assert_eq!(name.to_ascii_lowercase(), *name);
        }
    }

    #[test]
    fn words() {
        let check = |word: &str, expected: bool| {
            assert_eq!(is_bot_word(word.as_bytes()), expected, "{word}");
        };
        check("Googlebot", true);
        check("bots", true);
        check("Bot2", true);
        check("360Spider", true);
        check("MJ12crawler", true);
        check("WebCrawl", true);
        check("CUBOT", false);
        check("bottle", false);
        check("Google", false);
        check("s", false);
        check("7", false);
        check("_", false);
    }
}
