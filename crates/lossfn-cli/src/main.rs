//! The program `lossfn`: what real predictions cost.
#![forbid(unsafe_code)]

mod advise;
mod args;
mod commands;
mod error;
mod eval;
mod explore;
mod read;
mod report;

use clap::Parser;
use std::io::Write;
use std::process::ExitCode;

/// Pages of tables are large and short-lived. The system's allocator may give their memory back each time,
/// and the faults of getting it anew can take longer than all else.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = args::Args::parse();
    // The whole answer is there before its first byte is printed: an error leaves nothing behind.
    let result = commands::run(args).and_then(|answer| answer.print(&mut std::io::stdout().lock()));
    match result {
        Ok(code) => code,
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell if standard error is closed too.
            let _ = writeln!(std::io::stderr(), "lossfn: {error}");
            ExitCode::from(2)
        }
    }
}
