//! A naive matcher, and random text to try the real one on.

#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod generate;
