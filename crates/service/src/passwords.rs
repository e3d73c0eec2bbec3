//! Passwords of links: Argon2id (RFC 9106), kept as PHC strings.
//!
//! Both directions take tens of milliseconds and 19 MiB: run them in the lane.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};

use crate::{Fault, Result, limits};

/// The PHC string of `password`.
///
/// # Errors
/// [`Fault::Invalid`] where it is empty or over [`limits::PASSWORD`] bytes.
pub fn hash_password(password: &str) -> Result<String> {
    if password.is_empty() || password.len() > limits::PASSWORD {
        return Err(Fault::invalid("password", "a password has 1 to 1024 bytes"));
    }
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|error| Fault::invalid("password", error.to_string()))?.to_string())
}

/// Whether `password` is the one that `hash` was made of; false for a hash that is none.
///
/// ```
/// let hash = waypost_service::hash_password("letmein").unwrap();
/// assert!(waypost_service::verify_password("letmein", &hash));
/// assert!(!waypost_service::verify_password("letmeout", &hash));
/// ```
pub fn verify_password(password: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    password.len() <= limits::PASSWORD
        && Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
}
