//! The server: it answers this machine alone, in bounded time and space.
//!
//! What a page of another site could make a browser ask is refused: requests name this address as their
//! host (a name that was made to point here is none), come from this page or from nowhere, and carry JSON.

use super::files::Files;
use super::{about, classification, curves, page, predictions, regression};
use crate::error::CliError;
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

/// Bytes that a question may have; files are no questions.
const QUESTION_BYTES: usize = 256 << 10;

/// How long an answer may take, waiting for others included.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long requests may go on when the server is told to end.
const FAREWELL: Duration = Duration::from_secs(1);

/// What all requests share.
pub struct Shared {
    pub files: Files,
    /// The address that is listened at.
    address: IpAddr,
    /// Answers that are computed at the same time.
    slots: Arc<Semaphore>,
}

/// The answers to questions, each a function that computes and knows nothing of the network.
fn routes() -> Router<Arc<Shared>> {
    let upload = post(super::files::upload).layer(DefaultBodyLimit::disable());
    Router::new()
        .route("/api/files", upload)
        .route("/api/catalog", get(about::catalog))
        .route("/api/curves", computed(curves::curves))
        .route("/api/regression", computed(regression::regression))
        .route("/api/classification", computed(classification::classification))
        .route("/api/columns", computed(predictions::columns))
        .route("/api/costs", computed(predictions::costs))
        .route("/api/advice", computed(predictions::advice))
        .route("/api/about", computed(about::about))
        .route("/api/code", computed(about::code))
}

/// Serves until the process is told to end.
pub async fn serve(
    listener: TcpListener,
    address: IpAddr,
    folder: &Path,
    max_upload: u64,
) -> io::Result<()> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let shared = Arc::new(Shared {
        files: Files::new(folder, max_upload),
        address,
        slots: Arc::new(Semaphore::new(processors.max(2))),
    });
    let app = routes()
        .merge(page::routes())
        .fallback(|uri: Uri| async move {
            Refusal::new(StatusCode::NOT_FOUND, format!("there is nothing at {}", uri.path()))
        })
        .layer(DefaultBodyLimit::max(QUESTION_BYTES))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), guard))
        .with_state(shared);
    let (tell, mut told) = watch::channel(false);
    let mut ending = told.clone();
    tokio::spawn(async move {
        told_to_end().await;
        let _ = tell.send(true);
    });
    let over = async move {
        let _ = ending.wait_for(|&end| end).await;
    };
    tokio::select! {
        served = axum::serve(listener, app).with_graceful_shutdown(over) => served,
        () = async {
            let _ = told.wait_for(|&end| end).await;
            tokio::time::sleep(FAREWELL).await;
        } => Ok(()),
    }
}

/// Ctrl-C, or what a service manager sends.
async fn told_to_end() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}

/// Refuses whom the server is not for, and says to browsers what the page may do.
async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let mut response = match check(request.method(), request.headers(), shared.address) {
        Ok(()) => next.run(request).await,
        Err(why) => Refusal::new(StatusCode::FORBIDDEN, why).into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether a request is for this address, and comes from its page or from nowhere.
fn check(method: &Method, headers: &HeaderMap, address: IpAddr) -> Result<(), String> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = text(header::HOST).unwrap_or_default();
    if !is_own_host(host, address) {
        return Err(format!(
            "this server is not {host:?}: open it by the address that lossfn explore printed"
        ));
    }
    let is_foreign = text(header::ORIGIN)
        .is_some_and(|origin| origin.strip_prefix("http://") != Some(host))
        || text(HeaderName::from_static("sec-fetch-site"))
            .is_some_and(|site| site != "same-origin" && site != "none");
    if is_foreign {
        let what = if method == Method::GET { "links" } else { "questions" };
        return Err(format!("{what} from other sites are refused: type the address, or copy it"));
    }
    Ok(())
}

/// Whether a host is this one. Names but `localhost` are none: anybody can make a name point here.
fn is_own_host(host: &str, address: IpAddr) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (host, "80"),
    };
    if port.parse::<u16>().is_err() {
        return false;
    }
    if name.eq_ignore_ascii_case("localhost") {
        return address.is_loopback() || address.is_unspecified();
    }
    let number = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    number.parse::<IpAddr>().is_ok_and(|ip| {
        ip == address || address.is_unspecified() || address.is_loopback() && ip.is_loopback()
    })
}

/// An answer that is none: the reason, for people.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    error: String,
}

impl Refusal {
    pub fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into() }
    }
}

impl From<CliError> for Refusal {
    fn from(error: CliError) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({"error": self.error}))).into_response()
    }
}

/// What an answer is computed with.
pub struct Work {
    pub shared: Arc<Shared>,
    over: Arc<AtomicBool>,
}

impl Work {
    /// True as soon as nobody waits any more.
    pub fn over(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.over)
    }
}

fn too_long() -> String {
    format!("this takes longer than {} seconds; ask for less", PATIENCE.as_secs())
}

/// Says that nobody waits for an answer when it goes out of scope: also when the browser has gone.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// An answer as JSON text, by a function that may take long or panic, on a thread of its own.
async fn compute(
    shared: Arc<Shared>,
    answer: impl FnOnce(&Work) -> Result<Vec<u8>, CliError> + Send + 'static,
) -> Result<Vec<u8>, Refusal> {
    let unavailable = |why: String| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, why);
    let over = Arc::new(AtomicBool::new(false));
    let waiting = Waiting(Arc::clone(&over));
    let slots = Arc::clone(&shared.slots);
    let computed = async {
        let slot = slots.acquire_owned().await.map_err(|error| unavailable(error.to_string()))?;
        let work = Work { shared, over };
        let computed = tokio::task::spawn_blocking(move || {
            // Held until the work is done, whoever waits for it.
            let _slot = slot;
            answer(&work)
        });
        match computed.await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "this is a fault of lossfn: the terminal in which it runs says where",
            )),
        }
    };
    let computed = tokio::time::timeout(PATIENCE, computed).await;
    drop(waiting);
    computed.unwrap_or_else(|_| Err(unavailable(too_long())))
}

/// A function from a question to its answer, both JSON.
pub fn computed<Q, A>(answer: fn(Q, &Work) -> Result<A, CliError>) -> MethodRouter<Arc<Shared>>
where
    Q: DeserializeOwned + Send + 'static,
    A: Serialize + 'static,
{
    post(
        move |State(shared): State<Arc<Shared>>, question: Result<Json<Q>, JsonRejection>| async move {
            let Json(question) = question
                .map_err(|rejection| Refusal::new(rejection.status(), rejection.body_text()))?;
            let text = compute(shared, move |work| {
                serde_json::to_vec(&answer(question, work)?)
                    .map_err(|error| CliError::message(error.to_string()))
            });
            Ok::<_, Refusal>(([(header::CONTENT_TYPE, "application/json")], text.await?))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_address_is_a_host() {
        let own = |host, address: &str| is_own_host(host, address.parse().unwrap());
        for host in ["127.0.0.1:8000", "localhost:8000", "LOCALHOST", "[::1]:80", "127.0.0.1"] {
            assert!(own(host, "127.0.0.1"), "{host}");
        }
        for host in [
            "",
            "example.org",
            "127.0.0.1.example.org",
            "localhost.example.org:80",
            "10.0.0.1:80",
            "127.0.0.1:",
            "127.0.0.1:99999",
            "localhost:80:80",
            "[::1",
            "::1]:80",
            "evil@localhost",
        ] {
            assert!(!own(host, "127.0.0.1"), "{host}");
        }
        assert!(own("10.0.0.1:80", "10.0.0.1"));
        assert!(own("10.0.0.1:80", "0.0.0.0"));
        assert!(!own("example.org:80", "0.0.0.0"));
        assert!(!own("localhost:80", "10.0.0.1"));
    }
}
