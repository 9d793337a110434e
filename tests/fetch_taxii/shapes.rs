//! What servers document, in all its variants.

use super::server::{Asked, Server, Told};
use super::taxii::{Collection, Paging};
use super::{Kept, settings};
use stockade::source::http::{Auth, Secret};
use stockade::source::taxii::{Outcome, probe};

const OBJECTS: &str = "/c/collections/x/objects/";

/// A server that has one collection and says nothing else.
fn serving(collection: Collection) -> Server {
    Server::start(move |asked| if asked.path == OBJECTS { collection.objects(asked) } else { Told::new(404, "") })
}

#[test]
fn every_object_of_bursts_larger_than_a_page_arrives() {
    for paging in [Paging::Headers, Paging::More, Paging::Next, Paging::NextAlone] {
        for (bundle, identity) in [(false, false), (true, true)] {
            let server = serving(Collection { bundle, identity, ..Collection::bursts(&[150, 150, 150, 50], paging) });
            let settings = settings(&server, OBJECTS);
            let mut kept = Kept::default();
            let summary = kept.poll(&settings).unwrap_or_else(|error| panic!("{paging:?}: {error}"));
            assert_eq!(kept.indicators(), 500, "{paging:?}");
            assert!(summary.collections[0].complete && summary.requests < 20, "{paging:?}: {summary:?}");
            // Again, and nothing is new.
            let before = server.asked().len();
            kept.poll(&settings).unwrap_or_else(|error| panic!("{paging:?}: {error}"));
            assert_eq!(kept.indicators(), 500, "{paging:?}");
            if paging != Paging::NextAlone {
                assert!(server.asked().len() - before <= 2, "{paging:?}: {:?}", &server.asked()[before..]);
            }
        }
    }
}

#[test]
fn a_burst_that_the_server_leaves_no_way_to_ask_for_is_a_gap() {
    let server = serving(Collection { cap: 100, ..Collection::bursts(&[50, 150, 50], Paging::Headers) });
    let mut kept = Kept::default();
    let error = kept.poll(&settings(&server, OBJECTS)).unwrap_err();
    assert!(error.is_gap(), "{error}");
    let text = error.to_string();
    assert!(text.contains("test: collection x: possible gap") && text.contains("the cursor was not moved"), "{text}");
    assert!(!kept.cursor.unwrap().contains("00.002"));
}

/// The paths and answers of SOC Defenders.
fn soc_defenders(asked: &Asked, lists: bool, paging: Paging) -> Told {
    let authorised = asked.header("authorization") == Some("Bearer s3cret")
        || asked.header("x-api-key") == Some("s3cret")
        || asked.header("authorization") == Some("Basic YXBpOnMzY3JldA==");
    if !authorised {
        return Told::new(401, r#"{"error":{"code":"unauthorized","message":"API key required"}}"#);
    }
    assert_eq!(asked.header("accept"), Some("application/taxii+json;version=2.1"));
    match asked.path.as_str() {
        "/api/taxii2/" => {
            Told::json(r#"{"title":"SOC Defenders","default":"/api/taxii2/api/","api_roots":["/api/taxii2/api/"]}"#)
        }
        "/api/taxii2/api/" => {
            Told::json(r#"{"title":"IOCs","versions":["application/taxii+json;version=2.1"],"max_content_length":1}"#)
        }
        "/api/taxii2/api/collections/" if lists => Told::json(
            r#"{"collections":[{"id":"all-iocs","title":"All IOCs","can_read":true,"can_write":false},{"id":"91a7b528-80eb-42ed-a74d-c6fbd5a26116","title":"Domains","can_read":true},{"id":"secret","title":"Other","can_read":false}]}"#,
        ),
        "/api/taxii2/api/collections/" => Told::new(500, "<html><title>500 Internal Server Error</title></html>"),
        "/api/taxii2/api/collections/all-iocs/objects/"
        | "/api/taxii2/api/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/objects/" => {
            Collection { bundle: true, identity: true, ..Collection::bursts(&[120; 4], paging) }.objects(asked)
        }
        _ => Told::new(404, r#"{"title":"Not Found","http_status":"404"}"#),
    }
}

#[test]
fn soc_defenders_works_in_every_documented_shape() {
    let key = || Secret::new("s3cret").unwrap();
    for (auth, lists, paging, collections) in [
        (Auth::Bearer(key()), true, Paging::Headers, vec!["all-iocs"]),
        (Auth::ApiKey { header: "X-API-Key".into(), key: key() }, false, Paging::Next, vec!["all-iocs"]),
        (
            Auth::Basic { user: "api".into(), key: key() },
            true,
            Paging::More,
            vec!["91a7b528-80eb-42ed-a74d-c6fbd5a26116"],
        ),
        (Auth::Bearer(key()), true, Paging::More, vec!["all iocs", "Domains"]),
        (Auth::Bearer(key()), true, Paging::Next, vec![]),
    ] {
        let server = Server::start(move |asked| soc_defenders(asked, lists, paging));
        for path in ["/api/taxii2/", "/api/taxii2", "/api/taxii2/api/"] {
            let mut settings = settings(&server, path);
            settings.http.auth = auth.clone();
            settings.collections = collections.iter().map(ToString::to_string).collect();
            settings.query = vec![("type".into(), "indicator".into())];
            let mut kept = Kept::default();
            let summary = kept.poll(&settings).unwrap_or_else(|error| panic!("{auth:?} {path}: {error}"));
            assert_eq!(kept.ids.len(), 480, "the identity is filtered, nothing else");
            assert_eq!(summary.collections.len(), collections.len().max(if collections.is_empty() { 2 } else { 1 }));
            assert_eq!(kept.notes.iter().any(|note| note.contains("will not list")), !lists, "{:?}", kept.notes);
        }
        let objects: Vec<Asked> =
            server.asked().into_iter().filter(|asked| asked.path.ends_with("/objects/")).collect();
        assert!(objects.iter().all(|asked| asked.query("type") == Some("indicator") && asked.query("key").is_none()));
    }
}

#[test]
fn a_wrong_key_is_explained() {
    let server = Server::start(|asked| soc_defenders(asked, true, Paging::Headers));
    let mut settings = settings(&server, "/api/taxii2/");
    settings.http.auth = Auth::Token(Secret::new("wr0ng").unwrap());
    let text = Kept::default().poll(&settings).unwrap_err().to_string();
    for part in [
        "test: http://127.0.0.1:",
        "/api/taxii2/",
        "401 Unauthorized",
        "\"unauthorized: API key required\"",
        "scheme \"token\"",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("wr0ng"));
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn any_url_of_a_server_will_do() {
    let answer = |asked: &Asked| {
        let collection = Collection::bursts(&[3], Paging::More);
        match asked.path.as_str() {
            "/taxii2/" => Told::json(r#"{"title":"D","api_roots":["root/"]}"#),
            "/taxii2/root/" => {
                Told::json(r#"{"title":"R","versions":["application/taxii+json;version=2.1"],"max_content_length":9}"#)
            }
            "/taxii2/root/collections/" => {
                Told::json(r#"{"collections":[{"id":"a b/ü","title":"T","can_read":true}]}"#)
            }
            "/taxii2/root/collections/a%20b%2F%C3%BC/" => Told::json(r#"{"id":"a b/ü","title":"T","can_read":true}"#),
            "/taxii2/root/collections/a%20b%2F%C3%BC/objects/" => collection.objects(asked),
            _ => Told::new(404, "<title>nothing here</title>"),
        }
    };
    for path in [
        "",
        "/",
        "/taxii2/",
        "/taxii2/root/",
        "/taxii2/root/collections/",
        "/taxii2/root/collections/a%20b%2F%C3%BC",
        "/taxii2/root/collections/a%20b%2F%C3%BC/objects/",
    ] {
        let server = Server::start(answer);
        let mut kept = Kept::default();
        kept.poll(&settings(&server, path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(kept.ids.len(), 3, "{path}");
    }
    let server = Server::start(answer);
    let mut unknown = settings(&server, "/taxii2/");
    unknown.collections = vec!["nothing".into()];
    let text = Kept::default().poll(&unknown).unwrap_err().to_string();
    assert!(
        text.contains("no collection has the id, alias or title \"nothing\"; the server lists a b/ü (T)"),
        "{text}"
    );
    let text = Kept::default().poll(&settings(&server, "/wrong/")).unwrap_err().to_string();
    assert!(text.contains("404 Not Found, \"nothing here\""), "{text}");
}

#[test]
fn bodies_of_every_form_are_pages() {
    let object = super::taxii::indicator(1);
    for (body, count) in [
        (String::new(), 0),
        ("{}".into(), 0),
        (r#"{"more":false}"#.into(), 0),
        (r#"{"objects":null}"#.into(), 0),
        (r#"{"type":"bundle","id":"bundle--1"}"#.into(), 0),
        (format!(r#"{{"objects":[{object}],"more":false}}"#), 1),
        (format!(r#"{{"spec_version":"indicator","objects":[{object}],"next":null}}"#), 1),
        (format!("\u{feff}\n {{\"type\":\"bundle\",\"spec_version\":\"2.1\",\"objects\":[{object}]}}"), 1),
        (format!("[{object}]"), 1),
    ] {
        let shown = body.clone();
        let server = Server::start(move |_| Told::new(200, body.clone()).with("Content-Type", "application/json"));
        let mut kept = Kept::default();
        kept.poll(&settings(&server, OBJECTS)).unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(kept.ids.len(), count, "{shown}");
    }
    for (body, part) in [
        (r#"{"error":{"code":"x","message":"No"}}"#, "says \"x: No\""),
        (r#"{"title":"No","http_status":"500"}"#, "says \"No\""),
        ("<html><title>Log in</title>", "says \"Log in\"; is this the right url?"),
        ("12", "no TAXII"),
    ] {
        let server = Server::start(move |_| Told::new(200, body).with("Content-Type", "application/json"));
        let text = Kept::default().poll(&settings(&server, OBJECTS)).unwrap_err().to_string();
        assert!(text.contains(part), "{body}: {text}");
    }
}

#[test]
fn taxii_20_pages_by_ranges() {
    let server = Server::start(|asked| {
        let accept = asked.header("accept").unwrap_or_default();
        if !accept.contains("version=2.0") {
            return Told::new(406, r#"{"title":"Not Acceptable"}"#);
        }
        let kind = "application/vnd.oasis.taxii+json; version=2.0";
        match asked.path.as_str() {
            "/taxii/" => Told::new(200, r#"{"title":"Old","api_roots":["/root/"]}"#).with("Content-Type", kind),
            "/root/collections/" => {
                Told::new(200, r#"{"collections":[{"id":"x","title":"X","can_read":true}]}"#).with("Content-Type", kind)
            }
            _ => {
                let collection = Collection { bundle: true, ..Collection::bursts(&[90, 90, 90], Paging::Headers) };
                assert!(asked.query("limit").is_none());
                let after = asked
                    .query("added_after")
                    .map_or(0, |after| if after < "2026-09-21T14:13:20.001999Z" { 0 } else { 180 });
                let (from, to) =
                    asked.header("range").and_then(|range| range.strip_prefix("items ")?.split_once('-')).unwrap();
                let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
                let (start, end) = (after + from, (after + to + 1).min(270));
                if start >= 270 {
                    return Told::new(416, "");
                }
                let mut told = collection
                    .page(start, end)
                    .with("Content-Range", format!("items {from}-{}/{}", end - after - 1, 270 - after));
                told.status = 206;
                told
            }
        }
    });
    let mut kept = Kept::default();
    let settings = settings(&server, "/taxii/");
    kept.poll(&settings).unwrap();
    assert_eq!(kept.indicators(), 270);
    kept.poll(&settings).unwrap();
    assert_eq!(kept.indicators(), 270);
}

#[test]
fn another_query_is_another_set() {
    let server = serving(Collection::bursts(&[10], Paging::More));
    let mut settings = settings(&server, OBJECTS);
    let mut kept = Kept::default();
    kept.poll(&settings).unwrap();
    settings.query = vec![("match[type]".into(), "indicator".into())];
    kept.poll(&settings).unwrap();
    assert!(kept.notes[0].contains("query has changed"), "{:?}", kept.notes);
    assert!(server.asked().last().unwrap().query("added_after").is_none());
    kept.poll(&settings).unwrap();
    assert!(server.asked().last().unwrap().query("added_after").is_some());
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let server = Server::start(|asked| {
        if asked.header("if-none-match") == Some("\"v1\"") {
            return Told::new(304, "");
        }
        Collection::bursts(&[10], Paging::Headers).objects(asked).with("ETag", "\"v1\"")
    });
    let settings = settings(&server, OBJECTS);
    let mut kept = Kept::default();
    kept.poll(&settings).unwrap();
    for _ in 0..3 {
        let summary = kept.poll(&settings).unwrap();
        assert_eq!((summary.objects(), kept.indicators()), (0, 10));
        assert!(summary.requests <= 2);
    }
}

#[test]
fn a_probe_tells_what_it_finds() {
    let server = Server::start(|asked| soc_defenders(asked, true, Paging::Next));
    let mut settings = settings(&server, "/api/taxii2/");
    let mut found = Vec::new();
    assert!(!probe(&settings, &mut |finding| found.push(finding)));
    let last = found.last().unwrap();
    assert!(last.outcome == Outcome::Failed && last.lines.iter().any(|line| line.contains("X-API-Key")), "{found:?}");

    settings.http.auth = Auth::Bearer(Secret::new("s3cret").unwrap());
    let mut found = Vec::new();
    assert!(probe(&settings, &mut |finding| found.push(finding)), "{found:?}");
    let text: Vec<String> =
        found.iter().flat_map(|finding| finding.lines.iter().map(|line| format!("{}: {line}", finding.step))).collect();
    for part in [
        "name: 127.0.0.1 is 127.0.0.1",
        "url: a discovery document of TAXII 2.1 \"SOC Defenders\"",
        "collections: all-iocs (All IOCs): may be read",
        "collections: secret (Other): may not be read with this credential",
        "collection All IOCs: 11 objects after",
        "collection All IOCs: pages by `next`",
        "collection All IOCs: added from 2026-09-21T14:13:20Z",
    ] {
        assert!(text.iter().any(|line| line.starts_with(part)), "{part}: {text:#?}");
    }
    assert!(!format!("{found:?}").contains("s3cret"));
}
