//! The engine mounted in axum: `cargo run --release -p waypost --example axum -- DIR ADDR`.
//!
//! DIR is a data directory with links (`waypost link add …` makes one). The application's own routes
//! come first, every other path is a short link's. A decision reads memory only and takes less than
//! a microsecond, so the handler needs no `spawn_blocking`. The library itself knows no tokio: it
//! runs its own threads. Pages (passwords, interstitials) are the application's to draw: here they
//! are answered with their bare status.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method as Verb, Response, StatusCode, header},
    routing::get,
};
use waypost::{
    Answer, Engine, Facts, LmdbOptions, Method, Options, Scratch, Store, Waypost, link::Timestamp,
};

#[derive(Clone)]
struct Links {
    engine: Arc<Engine>,
    now: fn() -> Timestamp,
}

async fn follow(
    State(links): State<Links>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let forwarded: Vec<&[u8]> =
        request.headers().get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes).collect();
    let facts = facts(&request, peer, &forwarded, (links.now)());
    let mut scratch = Scratch::default();
    response(&links.engine.decide(&facts, &mut scratch))
}

/// What the engine goes by, borrowed from the request.
fn facts<'r>(
    request: &'r Request,
    peer: SocketAddr,
    forwarded_for: &'r [&'r [u8]],
    at: Timestamp,
) -> Facts<'r> {
    let headers = request.headers();
    Facts {
        method: match *request.method() {
            Verb::GET => Method::Get,
            Verb::HEAD => Method::Head,
            _ => Method::Other,
        },
        host: field(headers, "host"),
        path: request.uri().path(),
        query: request.uri().query().map(str::as_bytes),
        user_agent: field(headers, "user-agent"),
        referrer: field(headers, "referer"),
        accept: field(headers, "accept"),
        accept_language: field(headers, "accept-language"),
        sec_purpose: field(headers, "sec-purpose"),
        purpose: field(headers, "purpose"),
        x_moz: field(headers, "x-moz"),
        country: field(headers, "cf-ipcountry"),
        real_ip: field(headers, "x-real-ip"),
        forwarded_for,
        peer: peer.ip(),
        at,
        password: None,
    }
}

fn field<'r>(headers: &'r HeaderMap, name: &str) -> &'r [u8] {
    headers.get(name).map_or(&b""[..], HeaderValue::as_bytes)
}

fn response(answer: &Answer<'_>) -> Response<Body> {
    let status = answer.status().and_then(|code| StatusCode::from_u16(code).ok());
    let response = Response::builder().status(status.unwrap_or(StatusCode::FORBIDDEN));
    let response = match answer {
        Answer::Redirect(to) => response
            .header(header::LOCATION, to.location)
            .header(header::CACHE_CONTROL, to.cache_control()),
        Answer::MethodNotAllowed { allow } => response.header(header::ALLOW, *allow),
        _ => response.header(header::CACHE_CONTROL, "no-store"),
    };
    response.body(Body::empty()).unwrap_or_default()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let options = Options::new(arguments.next().unwrap_or_else(|| "./waypost-data".to_owned()));
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let (store, now) = (Store::lmdb(&options.dir, &LmdbOptions::default())?, options.now);
    let waypost = Waypost::start(store, options)?;
    let links = Links { engine: Arc::clone(waypost.engine()), now };
    let app = Router::new()
        .route("/about", get(|| async { "The application's own page." }))
        .fallback(follow)
        .with_state(links);
    let listener = tokio::net::TcpListener::bind(&address).await?;
    println!("http://{}/", listener.local_addr()?);
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    waypost.close();
    Ok(())
}
