//! The program as its users meet it: run on files, judged by what it prints.

mod advise;
mod check;
mod choose;
mod common;
mod docs;
mod emit;
mod errors;
mod explore;
mod formats;
mod known;
mod merge;
mod plot;
mod readme;
