//! What the server asks of others, against stand-ins: a mail server, Cloudflare's API.

mod alerts;
mod cloudflare;
