//! The STIX pattern language: text to syntax tree and back (STIX 2.1 section 9).

pub mod ast;
