//! How long other parsers take for a bundle: `parse jiter|jiter-skip|serde_json FILE`. The file is in memory
//! before the clock starts; the seconds go to standard error as a line of JSON. For `benches/compare`.

use std::hint::black_box;
use std::time::Instant;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, parser, path] = &args[..] else { panic!("usage: parse jiter|jiter-skip|serde_json FILE") };
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let start = Instant::now();
    let parsed = match parser.as_str() {
        "jiter" => {
            jiter::JsonValue::parse(&bytes, false).map(|value| drop(black_box(value))).map_err(|e| e.to_string())
        }
        "jiter-skip" => jiter::Jiter::new(&bytes).next_skip().map_err(|error| error.to_string()),
        "serde_json" => serde_json::from_slice::<serde_json::Value>(&bytes)
            .map(|value| drop(black_box(value)))
            .map_err(|error| error.to_string()),
        other => panic!("no parser {other}"),
    };
    let seconds = start.elapsed().as_secs_f64();
    if let Err(error) = parsed {
        eprintln!("{parser}: {error}");
        std::process::exit(1);
    }
    eprintln!("{{\"parse\": {seconds}}}");
}
