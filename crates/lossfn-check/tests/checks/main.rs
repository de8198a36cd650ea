//! The check, tried on losses with and without mistakes.

mod catalog;
mod evidence;
mod function;
mod mistakes;
mod naive;
mod own;
mod texts;
