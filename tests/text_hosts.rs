//! What is an address, a name, a hash, a mail or MAC address in a line of text, and what is not.
//!
//! Each row names everything that the line holds but URLs, in the order of the text. A name behind `url:` or `mail:` is
//! the host of a URL or of a mail address.

use stockade::observable::Kind;
use stockade::observable::text::{Options, Place, tokens};

fn found(line: &[u8]) -> Vec<String> {
    tokens(line, Options::default())
        .into_iter()
        .filter(|token| token.value.kind() != Kind::Url)
        .map(|token| {
            let place = match token.place {
                Place::HostOfUrl => "url:",
                Place::HostOfEmail => "mail:",
                Place::Whole => "",
            };
            format!("{place}{}", token.value)
        })
        .collect()
}

fn check(rows: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (line, expected) in rows {
        let found = found(line.as_bytes()).join(" ");
        if found != *expected {
            wrong.push(format!("{line}\n    found    {found}\n    expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

#[test]
fn domains() {
    check(&[
        ("evil.com", "evil.com"),
        ("EVIL.Com", "evil.com"),
        ("evil.com.", "evil.com"),
        ("evil.com...", "evil.com"),
        ("evil.com, and", "evil.com"),
        ("(evil.com)", "evil.com"),
        ("[evil.com]", "evil.com"),
        ("{evil.com}", "evil.com"),
        ("<evil.com>", "evil.com"),
        ("\"evil.com\"", "evil.com"),
        ("'evil.com'", "evil.com"),
        ("`evil.com`", "evil.com"),
        ("evil.com;", "evil.com"),
        ("evil.com:", "evil.com"),
        ("evil.com:443", "evil.com"),
        ("evil.com!", "evil.com"),
        ("evil.com?", "evil.com"),
        ("=evil.com=", "evil.com"),
        ("host=evil.com port=1", "evil.com"),
        ("a|evil.com|b", "evil.com"),
        ("a,evil.com,b", "evil.com"),
        ("\tevil.com\t", "evil.com"),
        ("\0evil.com\0", "evil.com"),
        ("*.evil.com", "evil.com"),
        ("*evil.com*", "evil.com"),
        ("#evil.com", "evil.com"),
        ("~evil.com", "evil.com"),
        ("+evil.com+", "evil.com"),
        ("evil.com&x", "evil.com"),
        ("-evil.com-", "evil.com"),
        ("--evil.com--", "evil.com"),
        (".evil.com", "evil.com"),
        ("...evil.com", "evil.com"),
        ("evil.com_", "evil.com"),
        ("_evil.com", "_evil.com"),
        ("notevil.com", "notevil.com"),
        ("evil.com.good.org", "evil.com.good.org"),
        ("evil.com-x.net", "evil.com-x.net"),
        ("not-evil.com", "not-evil.com"),
        ("evil.comx", "evil.comx"),
        ("evil.com1", "evil.com1"),
        ("x_evil.com", "x_evil.com"),
        ("evil..com", ""),
        ("a.b..evil.com", "a.b evil.com"),
        ("evil", ""),
        ("evil.", ""),
        (".com", ""),
        ("evil.123", ""),
        ("3.141", ""),
        ("evil.c0m", "evil.c0m"),
        ("a.b", "a.b"),
        ("_dmarc._tcp.evil.com", "_dmarc._tcp.evil.com"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("query: evil.com IN A +", "evil.com"),
        ("CEF:0|x|y|1.0|dhost=evil.com", "evil.com"),
        ("dhost\\=evil.com", "evil.com"),
        ("@evil.com", "evil.com"),
        (" @evil.com", "evil.com"),
        ("\\\\evil.com\\share", "evil.com"),
        ("C:\\evil.com\\x", "evil.com"),
        ("see (evil.com), (good.org).", "evil.com good.org"),
        ("evil.com\u{a0}good.org", "evil.com good.org"),
        ("“evil.com”", "evil.com"),
        ("evil.com…", "evil.com"),
        ("a→evil.com", "evil.com"),
        ("evil.com:8080/", "url:evil.com"),
        ("evil.com/path", "url:evil.com"),
        ("evil.com?q=1", "url:evil.com"),
        ("evil.com? Yes", "evil.com"),
        ("evil.com/ x", "url:evil.com"),
        ("evil.com/10.0.0.1", "evil.com 10.0.0.1"),
        ("evil.com/443", "evil.com"),
        ("/evil.com", "evil.com"),
        ("v=spf1 include:_spf.evil.com ~all", "_spf.evil.com"),
        ("DKIM-Signature: v=1; d=evil.com; s=k1", "evil.com"),
        ("helo=<evil.com>", "evil.com"),
        ("[\"evil.com\",\"good.org\"]", "evil.com good.org"),
        ("{\"a\":\"evil.com\"}", "evil.com"),
        ("{\"a\":\"evil.com.\"}", "evil.com"),
        ("8.8.8.8.in-addr.arpa", "8.8.8.8.in-addr.arpa"),
        ("uid\tevil.com\t-\tF", "evil.com"),
        ("(12)evil.com(0)", "evil.com"),
    ]);
}

#[test]
fn international_names() {
    check(&[
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("访问evil.com失败", "evil.com"),
        ("访问 例え.com 失败", "xn--r8jz45g.com"),
        ("地址1.2.3.4端口", "1.2.3.4"),
        ("ยingevil.com", "ingevil.com"),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ("éevil.com", "xn--evil-9oa.com"),
        ("“bücher.example”", "xn--bcher-kva.example"),
        ("mailto:x@bücher.example", "x@xn--bcher-kva.example mail:xn--bcher-kva.example"),
    ]);
}

#[test]
fn invalid_utf8_is_a_border() {
    assert_eq!(found(b"\xffevil.com\xfe"), ["evil.com"]);
    assert_eq!(found(b"\xc3evil.com\xc3"), ["evil.com"]);
    assert_eq!(found(b"\x80\x801.2.3.4\x80"), ["1.2.3.4"]);
    assert_eq!(found(b"b\xfccher.com"), ["cher.com"]);
    assert_eq!(found(b"\xff\xff"), [""; 0]);
}

#[test]
fn names_have_limits() {
    let label = "z".repeat(63);
    let long = format!("{label}z.com");
    let most = format!("{label}.com");
    let name253 = format!("{label}.{label}.{label}.{}.com", "y".repeat(57));
    let name254 = format!("{label}.{label}.{label}.{}.com", "y".repeat(58));
    assert_eq!(name253.len(), 253);
    check(&[(&long, ""), (&most, &most), (&name253, &name253), (&name254, "")]);
    let padded = format!(" {name253}. ");
    check(&[(&padded, &name253)]);
}

#[test]
fn ipv4_addresses() {
    check(&[
        ("1.2.3.4", "1.2.3.4"),
        ("1.2.3.4.", "1.2.3.4"),
        ("1.2.3.4...", "1.2.3.4"),
        ("...1.2.3.4", "1.2.3.4"),
        ("0.0.0.0 255.255.255.255", "0.0.0.0 255.255.255.255"),
        ("256.1.1.1", ""),
        ("1.2.3.256", ""),
        ("01.2.3.4", ""),
        ("1.2.3.04", ""),
        ("1.2.3", ""),
        ("1.2.3.4.5", ""),
        ("1.2.3.4.80", ""),
        (".1.3.6.1", ""),
        (".1.3.6.1.4.1.9", ""),
        ("1.3.6.1.4.1", ""),
        ("v1.2.3.4", ""),
        ("1.2.3.4a", "1.2.3.4a"),
        ("1.2.3.4-1", "1.2.3.4-1"),
        ("1.2.3.4-beta", "1.2.3.4-beta"),
        ("foo-1.2.3.4", ""),
        ("lib_1.2.3.4", ""),
        ("1.2.3.4_1", "1.2.3.4_1"),
        ("10.0.0.1-10.0.0.9", "10.0.0.1 10.0.0.9"),
        ("10.0.0.1_10.0.0.9", "10.0.0.1 10.0.0.9"),
        ("10.0.0.1-1.2.3.4-443-51234-6", "10.0.0.1-1.2.3.4-443-51234-6 10.0.0.1 1.2.3.4"),
        ("10.0.0.1_80_1.2.3.4_443", "10.0.0.1_80_1.2.3.4_443 10.0.0.1 1.2.3.4"),
        ("10.0.0.1-10.0.0.9-x", "10.0.0.1-10.0.0.9-x"),
        ("10.0.0.1..10.0.0.9", "10.0.0.1 10.0.0.9"),
        ("-1.2.3.4", "1.2.3.4"),
        ("1.2.3.4-", "1.2.3.4"),
        ("->1.2.3.4", "1.2.3.4"),
        ("10.0.0.1->10.0.0.2", "10.0.0.1 10.0.0.2"),
        ("1.2.3.4:80", "1.2.3.4"),
        ("1.2.3.4:80->5.6.7.8:443", "1.2.3.4 5.6.7.8"),
        ("1.2.3.4/24", "1.2.3.4"),
        ("10.0.0.0/8,", "10.0.0.0"),
        ("1.2.3.4/", "url:1.2.3.4"),
        ("1.2.3.4/a", "url:1.2.3.4"),
        ("(1.2.3.4)", "1.2.3.4"),
        ("[1.2.3.4]", "1.2.3.4"),
        ("[1.2.3.4]:25", "1.2.3.4"),
        ("{1.2.3.4}", "1.2.3.4"),
        ("<1.2.3.4>", "1.2.3.4"),
        ("\"1.2.3.4\"", "1.2.3.4"),
        ("'1.2.3.4'", "1.2.3.4"),
        ("src=1.2.3.4,dst=5.6.7.8", "1.2.3.4 5.6.7.8"),
        ("SRC=1.2.3.4 DST=5.6.7.8 LEN=60", "1.2.3.4 5.6.7.8"),
        ("1.2.3.4,5.6.7.8;9.9.9.9|8.8.8.8", "1.2.3.4 5.6.7.8 9.9.9.9 8.8.8.8"),
        ("from 1.2.3.4 port 22", "1.2.3.4"),
        ("user@1.2.3.4", "1.2.3.4"),
        ("@1.2.3.4", "1.2.3.4"),
        ("1.2.3.4@evil.com", "1.2.3.4@evil.com mail:evil.com"),
        ("ip:1.2.3.4", "1.2.3.4"),
        ("ip=1.2.3.4", "1.2.3.4"),
        ("\\\\1.2.3.4\\c$", "1.2.3.4"),
        ("\t1.2.3.4\t", "1.2.3.4"),
        ("\x001.2.3.4\0", "1.2.3.4"),
        ("x1.2.3.4", ""),
        ("1.2.3.4x", "1.2.3.4x"),
        ("_1.2.3.4", ""),
        ("1.2.3.4_", "1.2.3.4"),
        ("ec2-1-2-3-4.compute.amazonaws.com", "ec2-1-2-3-4.compute.amazonaws.com"),
        ("4.3.2.1.in-addr.arpa", "4.3.2.1.in-addr.arpa"),
        ("rtt min/avg/max 0.1/0.2/0.3", ""),
        ("5.1.2600.5512", ""),
        ("X-Forwarded-For: 1.2.3.4, 5.6.7.8", "1.2.3.4 5.6.7.8"),
        ("1.2.3.4\r", "1.2.3.4"),
        ("C:\\1.2.3.4\\x", "1.2.3.4"),
    ]);
}

#[test]
fn versions_are_no_addresses() {
    check(&[
        ("Firefox/2.0.0.4", ""),
        ("(Firefox/2.0.0.4)", ""),
        ("Mozilla/5.0 Chrome/32.0.170.77 Safari/537.36", ""),
        ("UP.Browser/6.2.3.3", "up.browser"),
        ("curl/7.8.1.2", ""),
        ("wget/1.2.3.4 x", ""),
        ("\"Apache-HttpClient/4.5.2.1\"", ""),
        ("rv:1.9.0.19) Gecko", ""),
        ("\"version\":\"1.2.3.4\"", ""),
        ("Version 2.0.51.16", ""),
        ("version=1.2.3.4", ""),
        ("version: 1.2.3.4", ""),
        ("FileVersion: 10.0.190.1", ""),
        ("nginx_version\":\"1.9.4.1\"", ""),
        ("ver. 1.2.3.4", ""),
        ("v 1.2.3.4", ""),
        ("Build=1.2.3.4", ""),
        ("firmware 1.2.3.4", ""),
        ("release/1.2.3.4", ""),
        ("\\\"version\\\":\\\"1.2.3.4\\\"", ""),
        ("conversion 1.2.3.4", ""),
        ("server 1.2.3.4", "1.2.3.4"),
        ("driver: 1.2.3.4", "1.2.3.4"),
        ("dev 1.2.3.4", "1.2.3.4"),
        ("outside/203.0.113.9(53718)", "203.0.113.9"),
        ("Outside/203.0.113.9(53718)", "203.0.113.9"),
        ("inside/10.1.1.1/443", "10.1.1.1"),
        ("Inside/10.1.1.1/443", "10.1.1.1"),
        ("OUTSIDE/10.1.1.1", "10.1.1.1"),
        ("/1.2.3.4:80", "1.2.3.4"),
        ("host.name/1.2.3.4", "host.name 1.2.3.4"),
        ("Dc01.corp.local/1.2.3.4", "dc01.corp.local 1.2.3.4"),
        ("http://1.2.3.4/", "url:1.2.3.4"),
        ("GET /Downloads/1.2.3.4 x", "1.2.3.4"),
        ("to /10.0.0.1:50010", "10.0.0.1"),
        ("%ASA-6-302013: Built outbound TCP for outside:203.0.113.9/53 (203.0.113.9/53)", "203.0.113.9 203.0.113.9"),
    ]);
}

#[test]
fn tcpdump_lines() {
    check(&[
        ("12:00:00.123456 IP 10.0.0.1.443 > 1.2.3.4.53: Flags [S]", "10.0.0.1 1.2.3.4"),
        ("rule 5/0(match): block in on em0: 10.0.0.1.443 > 1.2.3.4.53: Flags [S]", "10.0.0.1 1.2.3.4"),
        ("rule 5/0(match): pass out on igb0.7: 10.0.0.1 > 1.2.3.4: ICMP", "10.0.0.1 1.2.3.4"),
        ("moved: 1.2.3.4.5 > 1.2.3.4.6: done", ""),
        ("IP 10.0.0.1 > 1.2.3.4: ICMP echo request", "10.0.0.1 1.2.3.4"),
        ("IP6 2001:db8::1.443 > fe80::1.53: UDP", "2001:db8::1 fe80::1"),
        ("IP 10.0.0.1.70000 > 1.2.3.4: x", "1.2.3.4"),
        ("upgraded 1.2.3.4.5 > 1.2.3.4.6: done", ""),
        ("IP 1.2.3.4.5.6 > x", ""),
    ]);
}

#[test]
fn ipv6_addresses() {
    check(&[
        ("2001:db8::1", "2001:db8::1"),
        ("2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
        ("::1", "::1"),
        ("[::1]:80", "::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1.", "2001:db8::1"),
        ("2001:db8::1:", "2001:db8::1"),
        ("2001:db8:::", "2001:db8::"),
        ("2001:db8::", "2001:db8::"),
        ("2001:db8::/32", "2001:db8::"),
        ("fe80::1%eth0", "fe80::1"),
        ("fe80::1%3", "fe80::1"),
        ("addr:2001:db8::1", "2001:db8::1"),
        ("ip=2001:db8::1,x", "2001:db8::1"),
        ("iface:2001:db8::1", "2001:db8::1"),
        ("src::1", ""),
        ("src:::1", "::1"),
        (":2001:db8::1", "2001:db8::1"),
        ("2001:0:0:0:0:0:0:1:443", "2001::1"),
        ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("::FFFF:102:304", "1.2.3.4"),
        ("0:0:0:0:0:ffff:1.2.3.4", "1.2.3.4"),
        ("::ffff:1.2.3.4:443", "1.2.3.4"),
        ("[::ffff:1.2.3.4]:443", "1.2.3.4"),
        ("::ffff:1.2.3.4;::ffff:5.6.7.8;", "1.2.3.4 5.6.7.8"),
        ("12:34:56", ""),
        ("12:34:56.789", ""),
        ("10:00:00 1.2.3.4", "1.2.3.4"),
        ("10:00:00:1.2.3.4", "1.2.3.4"),
        ("std::x", ""),
        ("std::string", ""),
        ("foo::1.2.3.4", "1.2.3.4"),
        ("2001:db8::1x", ""),
        ("2001:db8::12345", ""),
        ("2001:db8::1::2", ""),
        ("x2001:db8::g", ""),
        ("(2001:db8::1)", "2001:db8::1"),
        ("\"2001:db8::1\"", "2001:db8::1"),
        ("2001:db8::1-2001:db8::5", "2001:db8::1 2001:db8::5"),
        ("http://[2001:db8::1]:80/x", "url:2001:db8::1"),
        ("http://[2001:db8::1]", "url:2001:db8::1"),
        ("\t2001:db8::1\t", "2001:db8::1"),
        ("1:2:3:4:5:6:7", ""),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("2001:db8::1,2001:db8::2", "2001:db8::1 2001:db8::2"),
    ]);
}

#[test]
fn hashes() {
    let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    let sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let upper = MD5.to_uppercase();
    let sha512 = format!("{sha256}{sha256}");
    let [sha224, sha384] = [&sha256[..56], &sha512[..96]];
    let with = |before: &str, after: &str| format!("{before}{MD5}{after}");
    for hash in [MD5, sha1, sha224, sha256, sha384, &sha512] {
        check(&[(hash, hash)]);
        check(&[(&format!("x {hash}."), hash), (&format!("a{hash}"), ""), (&format!("{hash}0"), "")]);
    }
    check(&[(&upper, MD5)]);
    for (before, after) in [
        ("", ""),
        ("(", ")"),
        ("[", "]"),
        ("\"", "\""),
        ("'", "'"),
        ("=", "&"),
        ("MD5=", ",SHA1=x"),
        ("md5:", ";"),
        ("0x", ""),
        ("_", "_"),
        ("-", "-"),
        ("/", "/"),
        ("\\", "\\"),
        ("\t", "\t"),
        ("\0", "\0"),
        ("é", "é"),
        ("|", "|"),
        ("{", "}"),
        (",", ","),
        ("%3D", "%20"),
        ("%2f", ""),
        ("\\u003d", ""),
        ("\\x3d", ""),
        ("sample-", ""),
        ("sample_", ""),
        ("&", "#"),
        ("@", ":"),
        ("~", "!"),
    ] {
        check(&[(&with(before, after), MD5)]);
    }
    for (before, after) in
        [("x", ""), ("", "x"), ("g", "g"), ("0", ""), ("10x", ""), ("%41", ""), ("", "%41"), ("Z", "")]
    {
        check(&[(&with(before, after), "")]);
    }
    // A file named by its hash is a name too.
    assert!(found(with("", ".exe").as_bytes()).contains(&MD5.to_owned()));
    assert!(found(with("file.", "").as_bytes()).contains(&MD5.to_owned()));
    check(&[("550e8400-e29b-41d4-a716-446655440000", ""), ("d41d8cd98f00b204e9800998ecf8427", "")]);
}

#[test]
fn mac_addresses() {
    check(&[
        ("aa:bb:cc:dd:ee:ff", "aa:bb:cc:dd:ee:ff"),
        ("AA-BB-CC-DD-EE-FF", "aa:bb:cc:dd:ee:ff"),
        ("00:11:22:33:44:55", "00:11:22:33:44:55"),
        ("mac=00:11:22:33:44:55,", "00:11:22:33:44:55"),
        ("mac:00:11:22:33:44:55", "00:11:22:33:44:55"),
        ("(00:11:22:33:44:55)", "00:11:22:33:44:55"),
        ("00:11:22:33:44:55.", "00:11:22:33:44:55"),
        ("00:11:22:33:44:55:", "00:11:22:33:44:55"),
        ("dev_00:11:22:33:44:55", "00:11:22:33:44:55"),
        ("00:11:22:33:44", ""),
        ("00:11:22:33:44:55:66", ""),
        ("00:11:22:33:44:555", ""),
        ("x00:11:22:33:44:55", ""),
        ("00:11:22:33:44:5g", ""),
        ("00:11:22-33:44:55", ""),
        ("2001:11:22:33:44:55:66", ""),
        ("MAC=ff:ff:ff:ff:ff:ff:00:11:22:33:44:55:08:00 SRC=1.2.3.4", "ff:ff:ff:ff:ff:ff 00:11:22:33:44:55 1.2.3.4"),
        ("0011.2233.4455", "00:11:22:33:44:55"),
        ("aabb.ccdd.eeff", "aabb.ccdd.eeff aa:bb:cc:dd:ee:ff"),
        ("0011.2233.4455.6677", ""),
        ("%3D00:11:22:33:44:55", "00:11:22:33:44:55"),
    ]);
}

#[test]
fn mail_addresses() {
    check(&[
        ("user@evil.com", "user@evil.com mail:evil.com"),
        ("User@Evil.COM", "user@evil.com mail:evil.com"),
        ("<user@evil.com>", "user@evil.com mail:evil.com"),
        ("from=<user@evil.com>,", "user@evil.com mail:evil.com"),
        ("mailto:user@evil.com", "user@evil.com mail:evil.com"),
        ("\"user@evil.com\"", "user@evil.com mail:evil.com"),
        ("(user@evil.com)", "user@evil.com mail:evil.com"),
        ("user@evil.com.", "user@evil.com mail:evil.com"),
        ("user@evil.com:587", "user@evil.com mail:evil.com"),
        ("first.last+tag@sub.evil.com", "first.last+tag@sub.evil.com first.last mail:sub.evil.com"),
        ("to=user@evil.com", "to=user@evil.com user@evil.com mail:evil.com"),
        ("a=1&m=user@evil.com", "a=1&m=user@evil.com 1&m=user@evil.com m=user@evil.com user@evil.com mail:evil.com"),
        ("|user@evil.com|", "|user@evil.com user@evil.com mail:evil.com"),
        ("'user@evil.com'", "'user@evil.com user@evil.com mail:evil.com"),
        ("user@notevil.com", "user@notevil.com mail:notevil.com"),
        ("user@evil.com.good.org", "user@evil.com.good.org mail:evil.com.good.org"),
        ("evil.com@good.org", "evil.com@good.org mail:good.org"),
        ("evil.com@good", ""),
        ("user@localhost", ""),
        ("user@", ""),
        ("@", ""),
        ("evil.com@", "evil.com"),
        ("evil.com@ x", "evil.com"),
        ("a@b@evil.com", "b@evil.com mail:evil.com"),
        ("x user%40evil.com", "user@evil.com mail:evil.com"),
        ("x bücher@evil.com", "cher@evil.com mail:evil.com"),
        ("see...bob@evil.com", "see...bob@evil.com bob@evil.com mail:evil.com"),
        ("user@1.2.3.4", "1.2.3.4"),
        ("{\"m\":\"a\\nuser@evil.com\"}", "user@evil.com mail:evil.com"),
    ]);
    let long = format!("{}@evil.com", "z".repeat(64));
    let longer = format!("{}@evil.com", "z".repeat(65));
    check(&[(&long, &format!("{long} mail:evil.com")), (&longer, "mail:evil.com")]);
}

#[test]
fn escapes() {
    check(&[
        ("%2Fevil.com", "evil.com"),
        ("%2fevil.com%2f", "evil.com"),
        ("x%20203.0.113.9%20", "203.0.113.9"),
        ("%3D203.0.113.9", "203.0.113.9"),
        ("%252Fevil.com", "evil.com"),
        ("%22evil.com%22", "evil.com"),
        ("q=%2Fevil.com&x", "evil.com"),
        ("100%evil.com", "evil.com"),
        ("%5B2001:db8::1%5D", "2001:db8::1"),
        ("2001%3Adb8%3A%3A1", "2001:db8::1"),
        ("foo%2Eevil.com", "foo.evil.com"),
        ("evil.com%2Eorg", "evil.com.org"),
        ("evil%2Ecom", "evil.com"),
        ("not%65vil.com", "notevil.com"),
        ("evil.com%2D", "evil.com"),
        ("1%2E2%2E3%2E4", "1.2.3.4"),
        ("{\"a\":\"x\\nevil.com\"}", "evil.com"),
        ("[\"x\\tevil.com\"]", "evil.com"),
        ("  {\"a\":\"\\r\\nevil.com\"}", "evil.com"),
        ("{\"a\":\"\\n1.2.3.4\"}", "1.2.3.4"),
        ("{\"a\":\"\\nfe80::1\"}", "fe80::1"),
        ("{\"a\":\"\\bfe80::1\"}", "fe80::1"),
        ("{\"a\":\"\\\\nevil.com\"}", "nevil.com evil.com"),
        ("C:\\nevil.com", "nevil.com"),
        ("\\nevil.com", "nevil.com"),
        ("\\x20evil.com", "evil.com"),
        ("\\u003devil.com", "evil.com"),
        ("\\u0020 evil.com", "evil.com"),
        ("\\u002eevil.com", "evil.com"),
        ("foo\\u002eevil.com", "foo.evil.com"),
        ("user\\u0040evil.com", "user@evil.com mail:evil.com"),
        ("{\"a\":\"\\u00fcber.com\"}", "xn--ber-goa.com"),
        ("\\\\users\\evil.com", "evil.com"),
        ("=3Devil.com", "3devil.com"),
    ]);
}

#[test]
fn whole_lines() {
    check(&[
        (
            "83.149.9.216 - - [17/May/2015:10:05:50 +0000] \"GET /a/b.png HTTP/1.1\" 200 3 \"http://evil.com/p\" \"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.170.77 Safari/537.36\"",
            "83.149.9.216 b.png url:evil.com",
        ),
        (
            "Jun 15 02:04:59 combo sshd(pam_unix)[20893]: authentication failure; rhost=220-135-151-1.hinet-ip.hinet.net  user=root",
            "220-135-151-1.hinet-ip.hinet.net",
        ),
        (
            "CHhAvVGS1DHFjwGM9\t128.2.6.136\t46562\t173.194.75.103\t80\twww.google.com\t*",
            "128.2.6.136 173.194.75.103 www.google.com",
        ),
        (
            "{\"timestamp\":\"2026-01-01T00:00:00.000001+0000\",\"src_ip\":\"10.0.0.1\",\"src_port\":1,\"dns\":{\"rrname\":\"evil.com\"}}",
            "10.0.0.1 evil.com",
        ),
        (
            "[10.30 16:49:07] chrome.exe - proxy.cse.cuhk.edu.hk:5070 close, 451 bytes",
            "chrome.exe proxy.cse.cuhk.edu.hk",
        ),
        (
            "kernel: [1.23] IN=eth0 OUT= MAC=00:11:22:33:44:55:66:77:88:99:aa:bb:08:00 SRC=203.0.113.9 DST=10.0.0.2 PROTO=TCP SPT=443",
            "00:11:22:33:44:55 66:77:88:99:aa:bb 203.0.113.9 10.0.0.2",
        ),
        (
            "postfix/smtp[1]: A1B2C3: to=<bob@evil.com>, relay=mx.evil.com[203.0.113.9]:25, delay=1.2",
            "bob@evil.com mail:evil.com mx.evil.com 203.0.113.9",
        ),
        (
            "Received-SPF: pass (google.com: domain of x@evil.com designates 203.0.113.9 as permitted sender) client-ip=203.0.113.9;",
            "google.com x@evil.com mail:evil.com 203.0.113.9 203.0.113.9",
        ),
        (
            "client @0x7f 10.0.0.1#53 (evil.com): query: evil.com IN A + (10.0.0.53)",
            "10.0.0.1 evil.com evil.com 10.0.0.53",
        ),
        (
            "CEF:0|V|P|1.0|100|x|5|src=10.0.0.1 dst=203.0.113.9 request=http://evil.com/a",
            "10.0.0.1 203.0.113.9 url:evil.com",
        ),
    ]);
}
