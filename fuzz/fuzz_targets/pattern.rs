//! The laws of reading and printing patterns, on any text.
#![no_main]

#[path = "../../tests/pattern_laws/mod.rs"]
mod pattern_laws;

libfuzzer_sys::fuzz_target!(|text: &str| pattern_laws::hold(text));
