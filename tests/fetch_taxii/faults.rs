//! Everything that goes wrong with servers.

use super::server::{Body, Server, Told};
use super::taxii::{Collection, Paging, START, indicator};
use super::{Kept, settings};
use flate2::Compression;
use flate2::read::GzEncoder;
use std::io::Read;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use stockade::source::http::{Auth, Secret};

const OBJECTS: &str = "/c/collections/x/objects/";

/// A server whose `number`th answer is another one.
fn with_fault(collection: Collection, number: usize, fault: impl Fn(Told) -> Told + Send + Sync + 'static) -> Server {
    let count = AtomicUsize::new(0);
    Server::start(move |asked| {
        let told = collection.objects(asked);
        if count.fetch_add(1, Ordering::Relaxed) == number { fault(told) } else { told }
    })
}

fn bytes(told: &Told) -> Vec<u8> {
    let (Body::Whole(bytes) | Body::Cut(bytes) | Body::Stall(bytes) | Body::ToTheEnd(bytes)) = &told.body;
    bytes.clone()
}

#[test]
fn a_fault_that_passes_loses_nothing() {
    type Fault = fn(Told) -> Told;
    let faults: [(&str, Fault); 9] = [
        ("429 seconds", |_| Told::new(429, "").with("Retry-After", "1")),
        ("429 date", |_| {
            Told::new(429, "").with("Retry-After", httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(1)))
        }),
        ("429 reset", |_| {
            let soon = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 1;
            Told::new(429, "").with("X-RateLimit-Reset", soon.to_string())
        }),
        ("500", |_| Told::new(500, "<html><h1>Oops</h1></html>")),
        ("503", |_| Told::new(503, "").with("Retry-After", "0")),
        ("cut", |told| {
            let whole = bytes(&told);
            Told { body: Body::Cut(whole[..whole.len() / 2].into()), ..told }
        }),
        ("cut without a length", |told| {
            let whole = bytes(&told);
            Told { body: Body::ToTheEnd(whole[..whole.len() / 2].into()), ..told }
        }),
        ("cut at once", |told| Told { body: Body::Cut(Vec::new()), ..told }),
        ("stall", |told| {
            let whole = bytes(&told);
            Told { body: Body::Stall(whole[..whole.len() / 2].into()), ..told }
        }),
    ];
    // Most of the time is spent waiting.
    std::thread::scope(|scope| {
        for (name, fault) in faults {
            for paging in [Paging::Headers, Paging::Next, Paging::NextAlone] {
                scope.spawn(move || {
                    for number in [0, 1, 2] {
                        let server = with_fault(Collection::bursts(&[150, 100, 50], paging), number, fault);
                        let mut kept = Kept::default();
                        let polled = kept.poll(&settings(&server, OBJECTS));
                        polled.unwrap_or_else(|error| panic!("{name} {paging:?} {number}: {error}"));
                        assert_eq!(kept.ids.len(), 300, "{name} {paging:?} {number}");
                    }
                });
            }
        }
    });
}

#[test]
fn a_fault_that_stays_is_reported_and_what_came_is_kept() {
    let collection = Collection::bursts(&[100, 100, 100], Paging::Headers);
    let server = Server::start(move |asked| match asked.query("added_after") {
        None => collection.objects(asked),
        Some(_) => Told::new(502, "<html><head><title>502 Bad Gateway</title></head></html>"),
    });
    let mut kept = Kept::default();
    let mut settings = settings(&server, OBJECTS);
    settings.http.limits.tries = 2;
    let text = kept.poll(&settings).unwrap_err().to_string();
    assert!(text.ends_with("the server answered 502 Bad Gateway, \"502 Bad Gateway\" (tried 2 times)"), "{text}");
    assert_eq!(kept.ids.len(), 100);

    // The cursor goes on from there.
    let server = Server::start(|asked| Collection::bursts(&[100, 100, 100], Paging::Headers).objects(asked));
    let mut settings = super::settings(&server, OBJECTS);
    settings.http.name = "test".into();
    kept.poll(&settings).unwrap();
    assert_eq!(kept.ids.len(), 300);
    assert!(server.asked()[0].query("added_after").is_some());
}

#[test]
fn too_long_a_wait_is_left_to_the_next_poll() {
    let server = Server::start(|_| Told::new(429, r#"{"title":"Slow down"}"#).with("Retry-After", "3600"));
    let begin = Instant::now();
    let error = Kept::default().poll(&settings(&server, OBJECTS)).unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert!(error.to_string().contains("\"Slow down\"; it asks to come back in 60 min"), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(2) && server.asked().len() == 1);
}

#[test]
fn a_malformed_object_is_set_aside_and_the_page_goes_on() {
    let page = format!(
        r#"{{"objects":[{},{{"type":"indicator","id":"indicator--bad" "x":1}},{},17,"text",{{"type":"tool","id":"tool--1"}}],"more":false}}"#,
        indicator(1),
        indicator(2)
    );
    let server = Server::start(move |_| Told::json(page.clone()));
    let mut kept = Kept::default();
    let summary = kept.poll(&settings(&server, OBJECTS)).unwrap();
    assert_eq!((kept.ids.len(), summary.set_aside()), (3, 3));
    assert_eq!(kept.aside[0], "indicator--bad: expected a comma or a closing brace");
}

#[test]
fn an_answer_has_a_size_and_a_time_and_is_not_asked_for_again() {
    let mut bomb = Vec::new();
    let text = format!("{{\"objects\":[{}", " ".repeat(30_000_000));
    GzEncoder::new(text.as_bytes(), Compression::best()).read_to_end(&mut bomb).unwrap();
    assert!(bomb.len() < 100_000);
    let server = Server::start(move |_| Told::new(200, bomb.clone()).with("Content-Encoding", "gzip"));
    let mut limited = settings(&server, OBJECTS);
    limited.http.max_body = 1_000_000;
    let text = Kept::default().poll(&limited).unwrap_err().to_string();
    assert!(text.ends_with("the answer is larger than 1000000 bytes (max_body)"), "{text}");
    assert_eq!(server.asked().len(), 1);

    let server = Server::start(|_| Told { status: 200, headers: Vec::new(), body: Body::Stall(b"{".into()) });
    let mut limited = settings(&server, OBJECTS);
    limited.http.timeouts.total = Duration::from_millis(300);
    let begin = Instant::now();
    let text = Kept::default().poll(&limited).unwrap_err().to_string();
    assert!(text.ends_with("not done after 300 ms (timeouts.total)"), "{text}");
    assert!(begin.elapsed() < Duration::from_secs(3) && server.asked().len() == 1);
}

#[test]
fn an_answer_of_crumbs_ends() {
    let crumbs: Vec<String> = (0..30_000).map(|number| format!(r#"{{"id":"x--{number}"}}"#)).collect();
    let body = format!("{{\"objects\":[{}]}}", crumbs.join(","));
    let server = Server::start(move |_| Told::json(body.clone()));
    let mut limited = settings(&server, OBJECTS);
    limited.http.max_body = 1_000_000;
    let mut kept = Kept::default();
    let text = kept.poll(&limited).unwrap_err().to_string();
    assert!(text.contains("more than 10000 objects in one answer"), "{text}");
    assert_eq!((server.asked().len(), kept.ids.len()), (1, 0));
}

#[test]
fn huge_headers_are_refused() {
    let server = Server::start(|_| Told::json("{}").with("X-Long", "x".repeat(1_000_000)));
    let text = Kept::default().poll(&settings(&server, OBJECTS)).unwrap_err().to_string();
    assert!(text.contains("headers of the answer are too large"), "{text}");
    let server =
        Server::start(|_| (0..500).fold(Told::json("{}"), |told, number| told.with(&format!("X-{number}"), "x")));
    assert!(Kept::default().poll(&settings(&server, OBJECTS)).is_err());
    let server = Server::start(|_| {
        Told::json(format!("{{\"objects\":[{}],\"next\":\"{}\",\"more\":true}}", indicator(1), "x".repeat(100_000)))
    });
    let text = Kept::default().poll(&settings(&server, OBJECTS)).unwrap_err().to_string();
    assert!(text.contains("a `next` of more than"), "{text}");
}

#[test]
fn a_stranger_is_told_nothing_and_believed_nothing() {
    let stranger = Server::start(|asked| Collection::bursts(&[5], Paging::More).objects(asked));
    let (redirect, root) = (stranger.url(OBJECTS), stranger.url("/root/"));
    let server = Server::start(move |asked| match asked.path.as_str() {
        "/taxii2/" => Told::json(format!(r#"{{"title":"T","api_roots":["{root}"]}}"#)),
        _ => Told::new(307, "").with("Location", redirect.clone()),
    });
    for path in [OBJECTS, "/taxii2/"] {
        let mut settings = settings(&server, path);
        settings.http.auth = Auth::ApiKey { header: "X-API-Key".into(), key: Secret::new("s3cret").unwrap() };
        let mut kept = Kept::default();
        let text = kept.poll(&settings).unwrap_err().to_string();
        let port = stranger.address.port();
        assert!(text.contains(&format!("127.0.0.1:{port} is not among the hosts")), "{text}");
        assert!(kept.ids.is_empty() && !text.contains("s3cret"));
    }
    assert!(stranger.asked().is_empty());
    // Listed, it is no stranger.
    let mut settings = settings(&server, OBJECTS);
    settings.http.hosts = Some(vec!["127.0.0.1".into()]);
    settings.http.auth = Auth::ApiKey { header: "X-API-Key".into(), key: Secret::new("s3cret").unwrap() };
    let mut kept = Kept::default();
    kept.poll(&settings).unwrap();
    assert_eq!(kept.ids.len(), 5);
    assert_eq!(stranger.asked()[0].header("x-api-key"), Some("s3cret"));
}

#[test]
fn a_token_is_never_used_twice() {
    // Each use of the one token gives the next page; the third answer breaks off after the server has moved on.
    let collection = Collection::bursts(&[100; 6], Paging::Next);
    let position = Mutex::new(0);
    let count = AtomicUsize::new(0);
    let server = Server::start(move |asked| {
        let mut position = position.lock().unwrap();
        if asked.query("next").is_none() {
            let after = asked.query("added_after").unwrap_or("0");
            *position = collection
                .added
                .iter()
                .filter(|at| {
                    let at = stockade::stix::Timestamp::from_unix(
                        i64::try_from(**at / 1_000_000).unwrap(),
                        u32::try_from(**at % 1_000_000).unwrap() * 1000,
                    );
                    format!("{at}").trim_end_matches('Z') <= after.trim_end_matches('Z')
                })
                .count();
        }
        let start = *position;
        *position = (start + 100).min(600);
        let mut told = collection.page(start, *position);
        let text = String::from_utf8(bytes(&told)).unwrap();
        let text = if let Some((head, _)) = text.split_once(",\"next\"") {
            format!("{head},\"next\":\"same\"}}")
        } else {
            text
        };
        told.body = Body::Whole(text.into());
        if count.fetch_add(1, Ordering::Relaxed) == 2 { Told::new(500, "") } else { told }
    });
    let mut kept = Kept::default();
    kept.poll(&settings(&server, OBJECTS)).unwrap();
    assert_eq!(kept.ids.len(), 600);
    let asked = server.asked();
    assert!(asked[2].query("next").is_some() && asked[3].query("next").is_none(), "{asked:?}");
}

#[test]
fn paging_without_end_has_an_end() {
    // The same page for every token.
    let server = Server::start(|_| {
        let objects: Vec<String> = (0..10).map(indicator).collect();
        Told::json(format!("{{\"more\":true,\"next\":\"t\",\"objects\":[{}]}}", objects.join(",")))
    });
    let error = Kept::default().poll(&settings(&server, OBJECTS)).unwrap_err();
    assert!(error.is_gap() && error.to_string().contains("the same page for every `next`"), "{error}");
    assert!(server.asked().len() < 5);

    // An empty page, and more of it.
    let server = Server::start(|_| Told::json(r#"{"more":true,"next":"t","objects":[]}"#));
    let error = Kept::default().poll(&settings(&server, OBJECTS)).unwrap_err();
    assert!(error.is_gap() && server.asked().len() < 100, "{error}");

    // One empty page in the midst is none of that.
    let server = Server::start(|asked| match asked.query("next") {
        None => Told::json(r#"{"more":true,"next":"1","objects":[]}"#),
        Some("1") => Told::json(format!(r#"{{"more":true,"next":"2","objects":[{}]}}"#, indicator(1))),
        Some(_) => Told::json(format!(r#"{{"more":false,"objects":[{}]}}"#, indicator(2))),
    });
    let mut kept = Kept::default();
    kept.poll(&settings(&server, OBJECTS)).unwrap();
    assert_eq!(kept.ids.len(), 2);

    // More for ever, although there is none.
    let server = Server::start(|asked| {
        let mut told = Collection::bursts(&[50, 50], Paging::Headers).objects(asked);
        told.body = Body::Whole(String::from_utf8(bytes(&told)).unwrap().replacen('{', "{\"more\":true,", 1).into());
        told
    });
    let mut kept = Kept::default();
    kept.poll(&settings(&server, OBJECTS)).unwrap();
    assert_eq!(kept.ids.len(), 100);

    // New objects for ever: the budget ends it, and what came is kept.
    let server = Server::start(|asked| {
        let start = asked.query("next").map_or(0, |next| next.parse().unwrap());
        Told::json(format!(r#"{{"more":true,"next":"{}","objects":[{}]}}"#, start + 1, indicator(start)))
    });
    let mut limited = settings(&server, OBJECTS);
    limited.http.limits.requests = 40;
    let mut kept = Kept::default();
    let text = kept.poll(&limited).unwrap_err().to_string();
    assert!(text.contains("all 40 requests"), "{text}");
    assert_eq!(kept.ids.len(), 40);
}

#[test]
fn a_date_of_the_future_is_no_watermark() {
    let server = Server::start(|_| {
        Told::json(format!(r#"{{"objects":[{}]}}"#, indicator(1)))
            .with("X-TAXII-Date-Added-First", "9999-01-01T00:00:00Z")
            .with("X-TAXII-Date-Added-Last", "9999-01-01T00:00:00Z")
    });
    let mut kept = Kept::default();
    kept.poll(&settings(&server, OBJECTS)).unwrap();
    assert!(!kept.cursor.unwrap().contains("9999"));
    assert!(kept.notes[0].contains("no date to go by"));
}

#[test]
fn whenever_a_poll_is_killed_the_next_ones_end_with_everything() {
    for paging in [Paging::Headers, Paging::Next] {
        for killed in 1..8 {
            let server = Server::start(move |asked| {
                Collection {
                    added: (0..700).map(|number| START + number / 7).collect(),
                    ..Collection::bursts(&[], paging)
                }
                .objects(asked)
            });
            let settings = settings(&server, OBJECTS);
            let mut kept = Kept { fails_at: Some(killed), ..Kept::default() };
            let mut polls = 0;
            while kept.poll(&settings).is_err() {
                polls += 1;
                kept.fails_at = if polls < 3 { Some(kept.commits + killed) } else { None };
            }
            assert_eq!(kept.ids.len(), 700, "{paging:?} {killed}");
        }
    }
}

#[test]
fn a_server_that_is_not_there_is_said_so() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut settings = stockade::source::taxii::Settings::new("test", &format!("http://{address}/taxii2/")).unwrap();
    settings.http.limits.tries = 2;
    let text = Kept::default().poll(&settings).unwrap_err().to_string();
    assert!(text.contains("no connection: ") && text.contains("(tried 2 times)"), "{text}");
    let settings = stockade::source::taxii::Settings::new("test", "https://no-such-host.invalid/").unwrap();
    let text = Kept::default().poll(&settings).unwrap_err().to_string();
    assert!(text.contains("no-such-host.invalid"), "{text}");
}
