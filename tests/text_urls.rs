//! Where a URL in text begins and ends.
//!
//! Each row names URLs that are among the readings of the line, then URLs that are not.

use stockade::observable::Kind;
use stockade::observable::text::{Options, Place, Token, tokens};

fn urls(line: &str, options: Options) -> Vec<Token> {
    tokens(line.as_bytes(), options).into_iter().filter(|token| token.value.kind() == Kind::Url).collect()
}

fn check(rows: &[(&str, &[&str], &[&str])]) {
    let mut wrong = Vec::new();
    for (line, there, absent) in rows {
        let found: Vec<String> = urls(line, Options::default()).iter().map(|token| token.value.to_string()).collect();
        for url in *there {
            if !found.iter().any(|found| found == url) {
                wrong.push(format!("{line}\n    lacks {url}\n    has   {found:?}"));
            }
        }
        for url in *absent {
            if found.iter().any(|found| found == url) {
                wrong.push(format!("{line}\n    should not have {url}"));
            }
        }
        if there.is_empty() && absent.is_empty() && !found.is_empty() {
            wrong.push(format!("{line}\n    should have none, has {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn urls_in_xml_and_json_are_read_as_they_were_meant() {
    check(&[
        ("<D>http://evil.com/a?b=1&amp;c=2</D>", &["http://evil.com/a?b=1&c=2"], &[]),
        ("<D>&quot;http://evil.com/a&quot;</D>", &["http://evil.com/a"], &[]),
        ("<D>(&apos;http://evil.com/a.ps1&apos;)&quot;</D>", &["http://evil.com/a.ps1"], &[]),
        ("&lt;http://evil.com/a?b&gt;", &["http://evil.com/a?b"], &[]),
        ("&#39;http://evil.com&#39;", &["http://evil.com/"], &[]),
        ("http://evil.com/a?b=1&quote=2", &["http://evil.com/a?b=1&quote=2"], &["http://evil.com/a?b=1"]),
        (r#"{"u":"http://evil.com/a?b=1\u0026c=2"}"#, &["http://evil.com/a?b=1&c=2"], &[]),
        (r#"{"u":"http://evil.com/a%2Fb\u0026c"}"#, &["http://evil.com/a%2Fb&c"], &["http://evil.com/a/b&c"]),
        (r#"{"m":"{\"u\":\"http:\\/\\/evil.com\\/a\"}"}"#, &["http://evil.com/a"], &[]),
        ("\u{1b}[1;31mhttp://evil.com/a\u{1b}[0m", &["http://evil.com/a"], &[]),
    ]);
}

#[test]
fn colours_of_a_terminal_are_borders() {
    for value in [
        "203.0.113.9",
        "2001:db8::1",
        "evil.com",
        "m@evil.com",
        "0cc175b9c0f1b6a831c399e269772661",
        "00:11:22:33:44:55",
    ] {
        for (before, after) in
            [("\u{1b}[36mip=\u{1b}[0m", ""), ("\u{1b}[1;31m", "\u{1b}[0m"), ("\u{1b}[m", "\u{1b}[m.")]
        {
            let line = format!("{before}{value}{after}");
            let found = tokens(line.as_bytes(), Options::default());
            let span = before.len()..before.len() + value.len();
            assert!(found.iter().any(|t| t.span == span && t.value.to_string() == value), "{line:?}: {found:?}");
        }
    }
    let no_colour = tokens(b"\x1b[31xevil.com [31mevil.org", Options::default());
    assert!(no_colour.iter().all(|token| !["evil.com", "evil.org"].contains(&&*token.value.to_string())));
}

#[test]
fn where_urls_end() {
    check(&[
        ("http://evil.com/a", &["http://evil.com/a"], &["http://evil.com/"]),
        ("http://evil.com", &["http://evil.com/"], &[]),
        ("HTTP://EVIL.com:80/a", &["http://evil.com/a"], &[]),
        ("http://evil.com/a b", &["http://evil.com/a"], &[]),
        ("\"http://evil.com/a\"", &["http://evil.com/a"], &[]),
        ("<http://evil.com/a>", &["http://evil.com/a"], &[]),
        ("(http://evil.com/a)", &["http://evil.com/a", "http://evil.com/a)"], &[]),
        ("(http://evil.com/a).", &["http://evil.com/a"], &[]),
        ("http://en.evil.com/Foo_(bar)", &["http://en.evil.com/Foo_(bar)", "http://en.evil.com/Foo_(bar"], &[]),
        ("(http://en.evil.com/Foo_(bar))", &["http://en.evil.com/Foo_(bar)"], &[]),
        ("http://evil.com/a.", &["http://evil.com/a"], &[]),
        ("http://evil.com/a...", &["http://evil.com/a"], &[]),
        ("http://evil.com/a, and", &["http://evil.com/a"], &[]),
        ("http://evil.com/a,http://good.org/b", &["http://evil.com/a", "http://good.org/b"], &[]),
        ("http://evil.com/a;x", &["http://evil.com/a", "http://evil.com/a;x"], &[]),
        ("'http://evil.com/a'", &["http://evil.com/a"], &[]),
        ("[http://evil.com/a]", &["http://evil.com/a"], &[]),
        ("{http://evil.com/a}", &["http://evil.com/a"], &["http://evil.com/a%7D"]),
        ("x|http://evil.com/a|y", &["http://evil.com/a"], &[]),
        ("http://evil.com/a\\n", &["http://evil.com/a"], &[]),
        ("http://evil.com/a\0b", &["http://evil.com/a"], &[]),
        ("http://evil.com/a\tb", &["http://evil.com/a"], &[]),
        ("http://evil.com/a?", &["http://evil.com/a"], &[]),
        ("http://evil.com/a!", &["http://evil.com/a", "http://evil.com/a!"], &[]),
        ("http://evil.com/a:", &["http://evil.com/a"], &[]),
        ("**http://evil.com/a**", &["http://evil.com/a"], &[]),
        ("http://evil.com/a?b=c&d=e", &["http://evil.com/a?b=c&d=e"], &["http://evil.com/a?b=c"]),
        ("http://evil.com/a#frag", &["http://evil.com/a#frag", "http://evil.com/a"], &[]),
        ("http://evil.com/a#", &["http://evil.com/a"], &[]),
        ("http://evil.com/a#x.", &["http://evil.com/a#x", "http://evil.com/a"], &[]),
        ("访问http://evil.com/a失败", &["http://evil.com/a"], &[]),
        ("http://evil.com/é/b", &["http://evil.com/%C3%A9/b"], &[]),
        ("http://evil.com/a）", &["http://evil.com/a"], &[]),
        ("u=http://evil.com/a&x=1", &["http://evil.com/a", "http://evil.com/a&x=1"], &[]),
        (
            "http://good.org/?u=http://evil.com/a&x=1",
            &["http://evil.com/a", "http://good.org/?u=http://evil.com/a&x=1"],
            &[],
        ),
        ("http://evil.com/a/../b/./c", &["http://evil.com/b/c"], &[]),
        ("http://evil.com/%7Ea%2fb", &["http://evil.com/~a%2Fb"], &["http://evil.com/~a/b"]),
        ("http://evil.com/a*", &["http://evil.com/a", "http://evil.com/a*"], &[]),
        ("http://evil.com/a,b,c", &["http://evil.com/a", "http://evil.com/a,b", "http://evil.com/a,b,c"], &[]),
        ("see http://evil.com.", &["http://evil.com/"], &[]),
        ("see http://evil.com, or", &["http://evil.com/"], &[]),
        ("\"GET http://evil.com/a HTTP/1.1\"", &["http://evil.com/a"], &[]),
        ("`http://evil.com/a`", &["http://evil.com/a"], &[]),
    ]);
}

#[test]
fn where_urls_begin() {
    check(&[
        ("xhttp://evil.com/a", &["xhttp://evil.com/a"], &["http://evil.com/a"]),
        ("git+https://evil.com/a", &["git+https://evil.com/a", "https://evil.com/a"], &[]),
        ("see...http://evil.com/a", &["http://evil.com/a"], &[]),
        ("link-http://evil.com/a", &["http://evil.com/a"], &[]),
        ("1http://evil.com/a", &["http://evil.com/a"], &[]),
        ("=http://evil.com/a", &["http://evil.com/a"], &[]),
        ("url:http://evil.com/a", &["http://evil.com/a"], &[]),
        ("%20http://evil.com/a", &["http://evil.com/a"], &[]),
        ("{\"a\":\"\\nhttp://evil.com/a\"}", &["http://evil.com/a"], &[]),
        ("{\"a\":\"\\u0022http://evil.com/a\"}", &["http://evil.com/a"], &[]),
        ("ftp://evil.com/a", &["ftp://evil.com/a"], &[]),
        ("://evil.com/a", &[], &[]),
        ("http:///a", &[], &[]),
        ("http:// evil", &[], &[]),
        ("://", &[], &[]),
        ("file:///etc/passwd", &[], &[]),
        ("http://user:pw@evil.com/a", &["http://user:pw@evil.com/a"], &[]),
        ("http://[2001:db8::1]:8080/a", &["http://[2001:db8::1]:8080/a"], &[]),
        ("http://1.2.3.4:8080/a", &["http://1.2.3.4:8080/a"], &[]),
        ("http://localhost/a", &["http://localhost/a"], &[]),
        ("http://bücher.de/a", &["http://xn--bcher-kva.de/a"], &[]),
    ]);
}

#[test]
fn urls_without_scheme() {
    check(&[
        ("evil.com/a", &["//evil.com/a"], &[]),
        ("EVIL.com:80/a.", &["//evil.com/a"], &[]),
        ("GET evil.com:8080/a HTTP/1.1", &["//evil.com:8080/a"], &[]),
        ("1.2.3.4/a", &["//1.2.3.4/a"], &[]),
        ("1.2.3.4:8080/a", &["//1.2.3.4:8080/a"], &[]),
        ("evil.com?x=1", &["//evil.com/?x=1"], &[]),
        ("evil.com./a", &["//evil.com/a"], &[]),
        ("\"evil.com/a\",", &["//evil.com/a"], &[]),
        ("evil.com", &[], &[]),
        ("evil.com:443", &[], &[]),
        ("evil.com? yes", &[], &[]),
        ("user@evil.com/a", &[], &[]),
        ("notevil.com/a", &["//notevil.com/a"], &["//evil.com/a"]),
        ("http://evil.com/a", &[], &["//evil.com/a"]),
        ("u=evil.com/a&b=1", &["//evil.com/a"], &[]),
    ]);
}

#[test]
fn escaped_urls_are_read_as_they_were_meant() {
    check(&[
        ("u=http%3A%2F%2Fevil.com%2Fa", &["http://evil.com/a"], &[]),
        ("u=http%3a//evil.com/a%3Fb", &["http://evil.com/a?b"], &[]),
        ("u=http%253A%252F%252Fevil.com%252Fa", &["http://evil.com/a"], &[]),
        (
            "http://good.org/?u=http%3A%2F%2Fevil.com%2Fa%3Fb%3Dc&x=1",
            &["http://evil.com/a?b=c", "http://good.org/?u=http%3A%2F%2Fevil.com%2Fa%3Fb%3Dc&x=1"],
            &["http://good.org/?u=http://evil.com/a?b=c&x=1"],
        ),
        ("%22http%3A%2F%2Fevil.com%2Fa%22", &["http://evil.com/a"], &[]),
        ("{\"u\":\"http:\\/\\/evil.com\\/a\"}", &["http://evil.com/a"], &[]),
        ("{\"u\":\"evil.com\\/a\"}", &["//evil.com/a"], &[]),
        ("{\"u\":\"http:\\u002f\\u002fevil.com/a\"}", &["http://evil.com/a"], &[]),
        ("http:\\/\\/evil.com\\/a", &[], &[]),
    ]);
}

#[test]
fn spans_cover_the_text_as_it_is_written() {
    for (line, options, value, place, span) in [
        ("a http://evil.com/x.", Options::default(), "http://evil.com/x", Place::Whole, "http://evil.com/x"),
        ("a http://u@Evil.com:80/x", Options::default(), "evil.com", Place::HostOfUrl, "Evil.com"),
        (
            "u=http%3A%2F%2Fevil.com%2Fa&b",
            Options::default(),
            "http://evil.com/a",
            Place::Whole,
            "http%3A%2F%2Fevil.com%2Fa",
        ),
        ("u=http%3A%2F%2Fevil.com%2Fa&b", Options::default(), "evil.com", Place::HostOfUrl, "evil.com"),
        ("u=http%253A%252F%252Fevil.com", Options::default(), "evil.com", Place::HostOfUrl, "evil.com"),
        ("m=a%40evil.com", Options::default(), "a@evil.com", Place::Whole, "a%40evil.com"),
        (
            "{\"u\":\"http:\\/\\/evil.com\\/a\"}",
            Options::default(),
            "http://evil.com/a",
            Place::Whole,
            "http:\\/\\/evil.com\\/a",
        ),
        ("evil%2Ecom", Options::default(), "evil.com", Place::Whole, "evil%2Ecom"),
        ("see hxxp://evil[.]com/a", Options { refang: true }, "http://evil.com/a", Place::Whole, "hxxp://evil[.]com/a"),
        ("see hxxp://evil[.]com/a", Options { refang: true }, "evil.com", Place::HostOfUrl, "evil[.]com"),
        ("1[.]2[.]3[.]4", Options { refang: true }, "1.2.3.4", Place::Whole, "1[.]2[.]3[.]4"),
        ("a[@]evil[dot]com x", Options { refang: true }, "a@evil.com", Place::Whole, "a[@]evil[dot]com"),
        ("[fe80::1%eth0]", Options::default(), "fe80::1", Place::Whole, "fe80::1"),
        ("::ffff:1.2.3.4:80", Options::default(), "1.2.3.4", Place::Whole, "::ffff:1.2.3.4"),
    ] {
        let found = tokens(line.as_bytes(), options);
        let right = found
            .iter()
            .any(|token| token.value.to_string() == value && token.place == place && &line[token.span.clone()] == span);
        assert!(right, "{line}: {found:?}");
    }
}

#[test]
fn defanged_text_stays_as_it_is_unless_asked() {
    assert!(
        urls("hxxp://evil[.]com/a", Options::default())
            .iter()
            .all(|token| !token.value.to_string().contains("evil.com"))
    );
}

/// Sizes at which anything quadratic would run for hours.
#[test]
fn hostile_lines_take_linear_time() {
    let pieces = [
        "@",
        "%",
        "://",
        "a://",
        "http://a,",
        ".",
        ":",
        "a",
        "f",
        "0",
        "a.",
        "1.",
        "::",
        "a:",
        "aa:",
        "aa-",
        "1:",
        "a@",
        "a@a.b",
        "a.b@",
        "%25",
        "%2525",
        "%3A",
        "%41",
        "\\",
        "\\n",
        "\\u0041",
        "\\/",
        "[.]",
        "hxxp",
        "a.b/",
        "1.2.3.4/",
        "1.2.3.4-",
        "1.2.3.4_",
        "é",
        "é.",
        "中a.",
        "\u{0}",
        "\"",
        "-",
        "_",
        "..",
        "....a",
        "?",
        "a?",
        "&",
        "=a.b/&",
        "#",
        "http://a#",
        "=http://a&",
        "'",
        "],",
        "a.b:80/",
        "1::",
        "::1.2.3.4:",
        "(",
        "http://[",
        "http://@",
        "IP ",
        " > ",
        "version ",
        "/A",
    ];
    for (number, piece) in pieces.into_iter().enumerate() {
        let mut line = ["", "{\"", "http://evil.com/"][number % 3].to_owned();
        while line.len() < 1 << 18 {
            line.push_str(piece);
        }
        let _ = tokens(line.as_bytes(), Options { refang: true });
    }
}
