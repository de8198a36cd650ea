//! The page: its files are part of the program.

use super::server::Shared;
use axum::Router;
use axum::http::header;
use axum::routing::get;
use std::sync::Arc;

macro_rules! assets {
    ($($name:literal: $kind:literal,)*) => {
        /// Path, type and content of each file.
        const ASSETS: &[(&str, &str, &str)] =
            &[$((concat!("/", $name), $kind, include_str!(concat!("assets/", $name))),)*];
    };
}

assets! {
    "page.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "main.js": "text/javascript; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "curves.js": "text/javascript; charset=utf-8",
    "predictions.js": "text/javascript; charset=utf-8",
    "controls.js": "text/javascript; charset=utf-8",
    "regression.js": "text/javascript; charset=utf-8",
    "classification.js": "text/javascript; charset=utf-8",
}

/// The files of the page.
pub fn routes() -> Router<Arc<Shared>> {
    let file = |kind: &'static str, content: &'static str| {
        get(move || async move { ([(header::CONTENT_TYPE, kind)], content) })
    };
    let index = file("text/html; charset=utf-8", include_str!("assets/index.html"));
    ASSETS.iter().fold(Router::new().route("/", index), |router, &(path, kind, content)| {
        router.route(path, file(kind, content))
    })
}
