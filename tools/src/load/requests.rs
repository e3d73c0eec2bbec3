//! Requests, and in which order links are asked for.

use crate::seed::{Link, Numbers};
use clap::ValueEnum;

/// How many requests until the order repeats itself.
const ORDER: usize = 1 << 20;

/// What stands in a request beside its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Head {
    /// `Host` and nothing else
    Plain,
    /// The 13 header fields that a browser sends
    Browser,
}

/// Makes requests.
pub(super) struct Requests {
    links: Vec<Link>,
    after_code: String,
    order: Vec<u32>,
    next: usize,
}

/// What a browser sends after `Host` and `Connection`.
const BROWSER: &str = "\
    sec-ch-ua: \"Chromium\";v=\"142\", \"Google Chrome\";v=\"142\", \"Not_A Brand\";v=\"99\"\r\n\
    sec-ch-ua-mobile: ?0\r\n\
    sec-ch-ua-platform: \"Windows\"\r\n\
    User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
    Chrome/142.0.0.0 Safari/537.36\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
    Sec-Fetch-Site: cross-site\r\n\
    Sec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-Dest: document\r\n\
    Referer: https://news.example.org/\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7\r\n";

impl Requests {
    /// Requests for the first `asked` of `links`, all as often, or by Zipf's law with exponent 1.
    ///
    /// Where `close` is set they ask for the connection to be closed.
    pub(super) fn new(
        links: Vec<Link>,
        asked: usize,
        zipf: bool,
        head: Head,
        host: &str,
        close: bool,
    ) -> Self {
        let connection = match (close, head) {
            (true, _) => "Connection: close\r\n",
            (false, Head::Browser) => "Connection: keep-alive\r\n",
            (false, Head::Plain) => "",
        };
        let further = if head == Head::Browser { BROWSER } else { "" };
        let after_code = format!(" HTTP/1.1\r\nHost: {host}\r\n{connection}{further}\r\n");
        let asked = asked.clamp(1, links.len());
        Self { order: order(asked, zipf), next: 0, links, after_code }
    }

    /// Appends the next request, and says which link it is for.
    pub(super) fn push(&mut self, to: &mut Vec<u8>) -> u32 {
        let link = self.order[self.next];
        self.next = (self.next + 1) % ORDER;
        to.extend_from_slice(b"GET /");
        to.extend_from_slice(self.links[link as usize].code.as_bytes());
        to.extend_from_slice(self.after_code.as_bytes());
        link
    }

    /// Where a link goes.
    pub(super) fn destination(&self, link: u32) -> &[u8] {
        self.links[link as usize].destination.as_bytes()
    }
}

/// Which links are asked for, one after the other: made beforehand, so that it costs nothing later.
fn order(asked: usize, zipf: bool) -> Vec<u32> {
    let mut numbers = Numbers::new(asked as u64);
    if !zipf {
        return (0..ORDER).map(|_| (numbers.next() % asked as u64) as u32).collect();
    }
    let mut sum = 0.0;
    let weight = |rank: usize| {
        sum += 1.0 / rank as f64;
        sum
    };
    let sums: Vec<f64> = (1..=asked).map(weight).collect();
    let total = sums[asked - 1];
    let pick = |_| {
        let point = numbers.fraction() * total;
        sums.partition_point(|sum| *sum <= point).min(asked - 1) as u32
    };
    (0..ORDER).map(pick).collect()
}

#[cfg(test)]
mod tests {
    use super::{Head, ORDER, Requests, order};
    use crate::seed;

    #[test]
    fn heads() {
        let check = |head: Head, close: bool, fields: usize, connection: Option<&str>| {
            let mut requests = Requests::new(seed::links(1, 3), 3, false, head, "a.example", close);
            let mut bytes = Vec::new();
            requests.push(&mut bytes);
            let mut headers = [httparse::EMPTY_HEADER; 32];
            let mut request = httparse::Request::new(&mut headers);
            let length = request.parse(&bytes).expect("a request");
            assert_eq!(length, httparse::Status::Complete(bytes.len()));
            assert_eq!(request.headers.len(), fields);
            let found = request.headers.iter().find(|header| header.name == "Connection");
            assert_eq!(found.map(|header| header.value), connection.map(str::as_bytes));
        };
        check(Head::Plain, false, 1, None);
        check(Head::Plain, true, 2, Some("close"));
        check(Head::Browser, false, 13, Some("keep-alive"));
        check(Head::Browser, true, 13, Some("close"));
    }

    #[test]
    fn all_as_often_or_by_rank() {
        let share = |zipf, link| {
            let order = order(1_000, zipf);
            assert!(order.iter().all(|&link| link < 1_000));
            order.iter().filter(|&&other| other == link).count() as f64 / ORDER as f64
        };
        let check = |found: f64, expected: f64| {
            assert!((found / expected - 1.0).abs() < 0.1, "{found}, not {expected}");
        };
        check(share(false, 0), 0.001);
        check(share(false, 999), 0.001);
        check(share(true, 0), 1.0 / 7.485);
        check(share(true, 1), 0.5 / 7.485);
    }
}
