//! The PROXY protocol, versions 1 and 2: what a load balancer says about the client before the client's own bytes.
//!
//! Only listeners that ask for it read it, and they refuse connections without it: a header that anybody may
//! send would let anybody choose their address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::limits::PROXY_BYTES;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const V1_BYTES: usize = 107;

/// What a whole header said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Announced {
    /// Bytes of the header.
    pub(crate) length: usize,
    /// The client; `None` where the balancer speaks for itself (health checks) or does not know.
    pub(crate) client: Option<SocketAddr>,
}

/// The bytes are no PROXY header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Reads the header at the start of `bytes`; `None` while it is not whole.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Announced>, Malformed> {
    let signature = bytes.len().min(SIGNATURE.len());
    if bytes[..signature] == SIGNATURE[..signature] { parse_v2(bytes) } else { parse_v1(bytes) }
}

fn parse_v1(bytes: &[u8]) -> Result<Option<Announced>, Malformed> {
    let start = b"PROXY ";
    let seen = bytes.len().min(start.len());
    if bytes[..seen] != start[..seen] {
        return Err(Malformed);
    }
    let Some(end) = memchr::memchr(b'\n', &bytes[..bytes.len().min(V1_BYTES)]) else {
        return if bytes.len() < V1_BYTES { Ok(None) } else { Err(Malformed) };
    };
    let line = bytes[..end].strip_suffix(b"\r").ok_or(Malformed)?;
    let line = std::str::from_utf8(line).map_err(|_| Malformed)?;
    Ok(Some(Announced { length: end + 1, client: v1_client(line)? }))
}

fn v1_client(line: &str) -> Result<Option<SocketAddr>, Malformed> {
    let words: Vec<&str> = line.split(' ').collect();
    let address = |text: &str, v4: bool| -> Result<IpAddr, Malformed> {
        let ip: IpAddr = text.parse().map_err(|_| Malformed)?;
        if ip.is_ipv4() == v4 { Ok(ip) } else { Err(Malformed) }
    };
    match words[..] {
        ["PROXY", "UNKNOWN", ..] => Ok(None),
        ["PROXY", family @ ("TCP4" | "TCP6"), source, destination, port, to] => {
            let v4 = family == "TCP4";
            address(destination, v4)?;
            to.parse::<u16>().map_err(|_| Malformed)?;
            let port = port.parse().map_err(|_| Malformed)?;
            Ok(Some(SocketAddr::new(address(source, v4)?, port)))
        }
        _ => Err(Malformed),
    }
}

fn parse_v2(bytes: &[u8]) -> Result<Option<Announced>, Malformed> {
    let Some(&[command, family, high, low]) = bytes.get(12..16) else {
        return Ok(None);
    };
    let length = 16 + usize::from(u16::from_be_bytes([high, low]));
    if length > PROXY_BYTES {
        return Err(Malformed);
    }
    let Some(addresses) = bytes.get(16..length) else {
        return Ok(None);
    };
    let client = match command {
        0x20 => None,
        0x21 => v2_client(family, addresses)?,
        _ => return Err(Malformed),
    };
    Ok(Some(Announced { length, client }))
}

fn v2_client(family: u8, addresses: &[u8]) -> Result<Option<SocketAddr>, Malformed> {
    let port = |at: usize| match addresses.get(at..at + 2) {
        Some(&[high, low]) => Ok(u16::from_be_bytes([high, low])),
        _ => Err(Malformed),
    };
    match family {
        0x11 => {
            let source = addresses.first_chunk::<4>().ok_or(Malformed)?;
            port(10)?;
            Ok(Some(SocketAddr::new(Ipv4Addr::from(*source).into(), port(8)?)))
        }
        0x21 => {
            let source = addresses.first_chunk::<16>().ok_or(Malformed)?;
            port(34)?;
            Ok(Some(SocketAddr::new(Ipv6Addr::from(*source).into(), port(32)?)))
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v2(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let length = u16::try_from(addresses.len()).unwrap();
        [&SIGNATURE[..], &[command, family], &length.to_be_bytes(), addresses].concat()
    }

    #[test]
    fn headers_at_every_cut() {
        let v4 = [192, 0, 2, 1, 10, 0, 0, 1, 0x30, 0x39, 0, 80];
        let mut v6 = [0u8; 36];
        (v6[15], v6[32], v6[33]) = (1, 1, 0);
        let rows: [(Vec<u8>, Option<&str>); 7] = [
            (b"PROXY TCP4 192.0.2.1 10.0.0.1 12345 80\r\n".to_vec(), Some("192.0.2.1:12345")),
            (b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n".to_vec(), Some("[2001:db8::1]:1")),
            (b"PROXY UNKNOWN ffff:: x 1 2\r\n".to_vec(), None),
            (v2(0x21, 0x11, &v4), Some("192.0.2.1:12345")),
            (v2(0x21, 0x21, &v6), Some("[::1]:256")),
            (v2(0x21, 0x11, &[&v4[..], &[4, 0, 1, 9]].concat()), Some("192.0.2.1:12345")),
            (v2(0x20, 0, &[]), None),
        ];
        for (header, client) in rows {
            for cut in 0..header.len() {
                assert_eq!(parse(&header[..cut]), Ok(None), "{header:?} at {cut}");
            }
            let client = client.map(|text| text.parse().unwrap());
            let all = [&header[..], b"GET /"].concat();
            assert_eq!(parse(&all), Ok(Some(Announced { length: header.len(), client })));
        }
    }

    #[test]
    fn what_is_no_header_is_refused() {
        let rows: [Vec<u8>; 10] = [
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 10.0.0.1 12345\r\n".to_vec(),
            b"PROXY TCP4 ::1 ::1 1 2\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 10.0.0.1 99999 80\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 10.0.0.1 1 80\n".to_vec(),
            [b"PROXY UNKNOWN ".to_vec(), vec![b'x'; V1_BYTES]].concat(),
            v2(0x31, 0x11, &[0; 12]),
            v2(0x22, 0x11, &[0; 12]),
            v2(0x21, 0x11, &[0; 11]),
            v2(0x21, 0x11, &[0; PROXY_BYTES]),
        ];
        for header in rows {
            assert_eq!(parse(&header), Err(Malformed), "{header:?}");
        }
    }
}
