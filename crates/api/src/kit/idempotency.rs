//! `Idempotency-Key` on a creation (SPEC 4): what the key is scoped to, and what is done once.

use waypost_h1::Field;
use waypost_service::{Once, Service, limits};

use super::{Call, Fail};

impl Call {
    /// Does `make` once for an `Idempotency-Key`, or just does it where there is none. A repetition
    /// renders the ids made the first time with `again`. The status is that of the route's success.
    ///
    /// `make` makes all it makes in one commit of the use cases that it is given; what it prepares
    /// before that, it does with [`Call::service`].
    ///
    /// # Errors
    /// [`Fail::Reused`] where the key was used with another body, [`Fail::Invalid`] where it is too
    /// long, and what `make` and `again` say.
    pub fn once<T>(
        &self,
        make: impl Fn(&Service) -> Result<T, Fail>,
        again: impl Fn(&[u64]) -> Result<T, Fail>,
    ) -> Result<T, Fail> {
        debug_assert!(self.route().once, "the route is not marked to heed an Idempotency-Key");
        match self.idempotency()? {
            Some(once) => self.service().once(&once, make, again),
            None => make(self.service()),
        }
    }

    /// What this call's `Idempotency-Key` stands for; nothing where the route isn't [marked](super::Route::once)
    /// to heed it.
    ///
    /// # Errors
    /// [`Fail::Invalid`] where it is too long; as [`Call::fields`] where the route takes a form.
    pub fn idempotency(&self) -> Result<Option<Once>, Fail> {
        let key = self.header(Field::IdempotencyKey).filter(|_| self.route().once);
        let Some(key) = key else { return Ok(None) };
        if key.is_empty() || key.len() > limits::IDEMPOTENCY_KEY {
            let why = format!("a key has 1 to {} bytes", limits::IDEMPOTENCY_KEY);
            return Err(Fail::invalid("Idempotency-Key", why));
        }
        let route = format!("{} {}", self.route().method.as_str(), self.path());
        let status = self.route().status;
        Ok(Some(Once::new(self.principal()?.key, &route, key, &self.said()?, status)))
    }
}
