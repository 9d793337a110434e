//! Postfix, rspamd and ClamAV.

use super::render_support::{kinds, values};
use super::{Folder, command, digest, have, listed, run, show};
use stockade::render::Options;

#[test]
fn postfix_finds_what_is_listed() {
    if !have(&["postmap"]) {
        return;
    }
    let folder = Folder::new();
    folder.file("main.cf", "compatibility_level = 3.6\n");
    let postmap = |arguments: &[&str]| {
        let output = run(command("postmap").args(["-c", show(folder.0.path())]).args(arguments));
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let names = folder.list("names", "postfix", &listed(0), &kinds(&["domain"]));
    let table = format!("hash:{}", show(&names));
    postmap(&[&table]);
    for (name, found) in [
        ("evil.example", "REJECT"),
        // What Postfix asks for on behalf of www.evil.example, if parents are not to match by themselves.
        (".evil.example", "REJECT"),
        ("ok.example", ""),
        ("notevil.example", ""),
        ("example", ""),
    ] {
        assert_eq!(postmap(&["-q", name, &table]), found, "{name}");
    }
    let addresses = folder.list("addresses", "postfix", &listed(0), &kinds(&["ip"]));
    let table = format!("cidr:{}", show(&addresses));
    for (address, found) in [
        ("198.51.100.7", "REJECT"),
        ("198.51.100.8", ""),
        ("203.0.113.191", "REJECT"),
        ("203.0.113.192", ""),
        ("2001:db8:bad::5", "REJECT"),
        ("2001:db8::2", ""),
    ] {
        assert_eq!(postmap(&["-q", address, &table]), found, "{address}");
    }
}

#[test]
fn clamav_finds_the_listed_file() {
    if !have(&["clamscan", "md5sum", "sha1sum", "sha256sum"]) {
        return;
    }
    let folder = Folder::new();
    let content = |name: &str| format!("{name}: {}", "not very evil, but long enough. ".repeat(10));
    let digests = ["sha256", "sha1", "md5"].map(|name| digest(&folder, &format!("{name}sum"), &content(name)));
    let list = folder.list("list.hsb", "clamav", &values(digests.iter().map(String::as_str)), &Options::default());
    for (name, listed) in [("sha256", true), ("sha1", true), ("md5", true), ("ok", false)] {
        let file = folder.file("file", content(name));
        let output = run(command("clamscan").args(["--no-summary", "-d", show(&list), show(&file)]));
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(i32::from(listed)), "{name}: {printed}");
        assert_eq!(printed.contains("Stockade.Listed.UNOFFICIAL FOUND"), listed, "{name}: {printed}");
    }
}
