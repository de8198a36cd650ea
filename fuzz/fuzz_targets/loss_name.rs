//! Any text gives a loss or a message, and a loss is written as it is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lossfn::Loss;

fuzz_target!(|text: &str| {
    match text.parse::<Loss>() {
        Ok(loss) => {
            let written = loss.to_string();
            let back: Loss = written.parse().expect("what a loss is written as can be read");
            assert!(back == loss && back.to_string() == written, "{text:?} became {written}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
