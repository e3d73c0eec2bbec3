//! Random codes and tokens, from the operating system's generator.

use crate::{Fault, Result};

/// The digits of generated codes and tokens.
pub(crate) const BASE62: &[u8; 62] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The digits of the tracking dialect's codes.
pub(crate) const LOWER36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// `length` characters of base62.
///
/// # Errors
/// [`Fault::Store`] where the system has no randomness to give.
pub fn random_text(length: usize) -> Result<String> {
    text(BASE62, length)
}

/// `length` characters, each drawn evenly from `alphabet` (at most 64 of them).
pub(crate) fn text(alphabet: &[u8], length: usize) -> Result<String> {
    let mut text = String::with_capacity(length);
    let mut bytes = [0; 64];
    while text.len() < length {
        getrandom::fill(&mut bytes).map_err(|error| {
            Fault::Store(waypost_storage::Error::Unavailable(format!("no randomness: {error}")))
        })?;
        let fair =
            bytes.iter().map(|byte| usize::from(byte & 63)).filter(|&at| at < alphabet.len());
        text.extend(fair.take(length - text.len()).map(|at| char::from(alphabet[at])));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_is_drawn_and_no_other() {
        let drawn = text(BASE62, 20_000).unwrap();
        assert_eq!(drawn.len(), 20_000);
        for digit in BASE62 {
            let times = drawn.bytes().filter(|byte| byte == digit).count();
            assert!((150..600).contains(&times), "{} {times} times", char::from(*digit));
        }
    }
}
