//! `lossfn explore`: a page on this machine, on which losses are looked at and tried.
//!
//! - [`server`]: who may ask, what may be asked, and how long an answer may take
//! - [`page`]: the page itself
//! - [`files`]: what was uploaded
//! - [`canvas`]: pictures as the page takes them
//! - [`about`]: what there is to say about losses: the catalog, cards, formulas, code
//! - [`curves`], [`regression`], [`classification`], [`predictions`]: the rooms
//! - [`fit`]: models that are fitted to points
//!
//! A room is a file `assets/{room}.js` with a line in `assets/main.js`, and answers to its questions with
//! a line in [`server::routes`]. Everything is computed here, by the library; the page only shows it.

mod about;
mod canvas;
mod classification;
mod curves;
mod files;
mod fit;
mod page;
mod predictions;
mod regression;
mod server;

use crate::args::ExploreArgs;
use crate::error::CliError;
use std::io::Write;
use std::net::SocketAddr;

/// Serves the page until it is told to end.
pub fn run(args: &ExploreArgs) -> Result<(), CliError> {
    let fail = |what: &str, error: std::io::Error| CliError::message(format!("{what}: {error}"));
    // Removed with all that was uploaded when this function ends.
    let folder = tempfile::tempdir().map_err(|error| fail("a temporary folder", error))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| fail("the server", error))?;
    let result = runtime.block_on(async {
        let wanted = SocketAddr::new(args.address, args.port);
        let listener = tokio::net::TcpListener::bind(wanted)
            .await
            .map_err(|error| fail(&format!("cannot listen at {wanted}"), error))?;
        let address = listener.local_addr().map_err(|error| fail("the server", error))?;
        let url = format!("http://{address}/");
        let mut out = std::io::stdout();
        writeln!(out, "{url}")
            .and_then(|()| out.flush())
            .map_err(|source| CliError::Write { what: "the address".into(), source })?;
        let _ = writeln!(std::io::stderr(), "lossfn: open {url} in a browser; Ctrl-C ends it");
        if !args.no_browser {
            // Where there is no browser the address is there to be copied.
            let _ = open::that_detached(&url);
        }
        let served = server::serve(listener, address.ip(), folder.path(), args.max_upload).await;
        served.map_err(|error| fail("the server", error))
    });
    // What is still being computed is of no use to anybody.
    runtime.shutdown_background();
    result
}
