//! Pictures of loss functions.
//!
//! [`Curves`] says which losses are to be drawn over what; its [`Figure`] is drawn as SVG or PNG. A
//! figure can also be filled by hand: lines, points, bars, regions and segments over two axes.
//!
//! ```
//! use lossfn_plot::{Curves, Theme};
//!
//! let losses = vec!["huber".parse()?, "squared_error".parse()?, "absolute_error".parse()?];
//! let svg = Curves::new(losses).figure()?.svg(Theme::Auto)?;
//! assert!(svg.starts_with("<svg"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod curves;
mod draw;
mod error;
mod example;
mod figure;
mod layout;
mod palette;
mod png;
mod sample;
mod scale;
mod text;

pub use curves::{Against, Curves, Order};
pub use draw::side_by_side;
pub use error::Error;
pub use figure::{Axis, Figure, Layer, Theme};
pub use layout::Frame;
