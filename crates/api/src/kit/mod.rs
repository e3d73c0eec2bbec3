//! What all dialects are made of: routes as data, one call, one vocabulary of refusals.
//!
//! A dialect says what it is ([`Dialect`], [`Route`]); the kit finds the route, lets the caller in,
//! counts it against its limit, reads the body, and dresses refusals in the dialect's shape.

mod auth;
mod call;
mod decode;
mod edit;
mod fail;
mod form;
mod idempotency;
pub mod ids;
mod object;
pub mod options;
pub mod page;
mod quota;
pub mod reply;
mod route;
pub mod time;

pub(crate) use auth::admit;
pub use auth::bearer;
pub use call::Call;
pub(crate) use call::{Asked, Shared};
pub use edit::Edit;
pub use fail::{Answer, Fail, Failure};
pub use form::Fields;
pub use object::Object;
pub use options::{WirePlacement, WireRule, WireScript};
pub(crate) use quota::{headers, spend};
pub use route::{Access, Body, Dialect, Parameter, Place, Route, SchemaOf};
pub(crate) use route::{Found, Routes};
