//! The page of `stockade match --report`, in a browser.

use super::{Folder, command, have, show, succeed};
use std::fmt::Write;
use std::process::Command;

/// What a feed and a log may hold, each of which would call itself `pwned` if it could.
const HOSTILE: &[&str] = &[
    "</script><script>document.title='pwned'</script>",
    "<img src=x onerror=\"document.title='pwned'\">",
    "'\"><svg onload=document.title='pwned'>",
    "]]>--><style>*{display:none}</style>",
    "\\u202egpj.exe\\u0000\\u001b[31m",
    "javascript:document.title='pwned'",
    "{{constructor.constructor('document.title=1')()}}",
];

const BROWSER: &str = "chromium";

/// Writes feed, log and page.
fn page(folder: &Folder, hits: usize) -> String {
    let mut feed =
        String::from("{\"type\":\"bundle\",\"id\":\"bundle--0c7a1d1e-5b6f-4a3d-8a55-1d2f3e4a5b6c\",\"objects\":[");
    for (number, hostile) in HOSTILE.iter().enumerate() {
        let name = if hostile.contains("\\u") { (*hostile).to_owned() } else { hostile.replace('"', "\\\"") };
        let _ = write!(
            feed,
            "{}{{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--00000000-0000-4000-8000-{number:012}\",\
             \"created\":\"2026-01-01T00:00:00Z\",\"modified\":\"2026-01-01T00:00:00Z\",\"valid_from\":\"2026-01-01T00:00:00Z\",\
             \"pattern_type\":\"stix\",\"pattern\":\"[ipv4-addr:value = '192.0.2.{number}']\",\"name\":\"{name}\",\
             \"labels\":[\"{name}\"]}}",
            if number == 0 { "" } else { "," }
        );
    }
    feed.push_str("]}");
    let mut log = String::new();
    for number in 0..hits {
        let which = number % HOSTILE.len();
        let (hour, minute) = (number / 60 % 24, number % 60);
        let _ =
            writeln!(log, "2026-04-12T{hour:02}:{minute:02}:00Z line {number} from 192.0.2.{which} {}", HOSTILE[which]);
    }
    folder.file("feed.json", feed);
    let name = "'\"><img src=x onerror=document.title='pwned'>.log".replace('/', "");
    folder.file(&name, log);
    let page = folder.path("page.html");
    let mut search = Command::new(env!("CARGO_BIN_EXE_stockade"));
    search.args([
        "match",
        "--quiet",
        "-c",
        "--log-format=text",
        "--at=2026-06-01",
        "-i",
        "feed.json",
        "--report",
        show(&page),
    ]);
    succeed(search.arg(name).current_dir(folder.path("")));
    show(&page).to_owned()
}

/// What stands in the browser once the page has been loaded under an address that ends so.
fn loaded(folder: &Folder, page: &str, fragment: &str) -> String {
    let profile = folder.path("profile");
    let mut browser = command(BROWSER);
    browser.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--virtual-time-budget=20000",
        "--dump-dom",
    ]);
    browser.arg(format!("--user-data-dir={}", show(&profile))).arg(format!("file://{page}#{fragment}"));
    let output = browser.output().expect("it is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The texts of a column of the table.
fn column(dom: &str, class: &str) -> Vec<String> {
    let body = dom.split_once("<tbody>").and_then(|(_, rest)| rest.split_once("</tbody>")).expect("a table").0;
    let cell = format!("<td class=\"{class}\"");
    let cells = body.split("<tr").filter_map(|row| row.split_once(&cell));
    cells
        .map(|(_, rest)| rest.split_once('>').expect("a tag").1.split("</td>").next().unwrap_or_default().to_owned())
        .collect()
}

fn count(dom: &str) -> &str {
    let status = dom.split_once("<output role=\"status\">").expect("a count").1;
    status.split('<').next().unwrap_or_default()
}

#[test]
fn filters_and_sorting_show_what_they_say() {
    if !have(&[BROWSER]) {
        return;
    }
    let folder = Folder::new();
    let page = page(&folder, 700);
    let dom = loaded(&folder, &page, "");
    assert_eq!(count(&dom), "700 rows");
    assert_eq!(column(&dom, "time").len(), 100, "a page of them");
    assert_eq!(column(&dom, "time")[0], "2026-04-12 00:00:00");

    let dom = loaded(&folder, &page, "q=line%20699%20192.0.2.6");
    assert_eq!((count(&dom), column(&dom, "time")), ("1 of 700 rows", vec!["2026-04-12 11:39:00".to_owned()]));
    assert_eq!(count(&loaded(&folder, &page, "q=no+such+thing")), "0 of 700 rows");

    let dom = loaded(&folder, &page, "sort=-time");
    let times = column(&dom, "time");
    assert_eq!(times[0], "2026-04-12 11:39:00");
    assert!(times.is_sorted_by(|a, b| a >= b) && dom.contains("aria-sort=\"descending\""));
    let last = column(&loaded(&folder, &page, "sort=time&page=7"), "time");
    assert_eq!((last.len(), &*last[99]), (100, "2026-04-12 11:39:00"));

    // The links of the page itself.
    let html = std::fs::read_to_string(&page).expect("UTF-8");
    for (link, rows) in [
        ("#indicator=", "100 of 700 rows"),
        ("#type=", "700 rows"),
        ("#input=", "700 rows"),
        ("#time=", "60 of 700 rows"),
    ] {
        let target = html.split(link).nth(1).expect("a link").split('"').next().unwrap_or_default();
        assert_eq!(count(&loaded(&folder, &page, &format!("{}{target}", &link[1..]))), rows, "{link}");
    }
}

#[test]
fn nothing_in_logs_and_feeds_runs() {
    if !have(&[BROWSER]) {
        return;
    }
    let folder = Folder::new();
    let page = page(&folder, 70);
    let title =
        |dom: &str| dom.split_once("<title>").and_then(|(_, rest)| rest.split_once('<')).expect("a title").0.to_owned();
    for fragment in [
        "",
        "q=%3Cimg%20src=x%20onerror=document.title='pwned'%3E",
        "indicator=%3Csvg%20onload=document.title='pwned'%3E",
    ] {
        let dom = loaded(&folder, &page, fragment);
        assert_eq!(title(&dom), "70 hits \u{b7} stockade", "{fragment}");
        for tag in ["<img", "<svg onload", "<style>*{"] {
            assert!(!dom.contains(tag), "{tag} {fragment}");
        }
        assert!(!dom.contains(['\u{202e}', '\u{1b}']), "{fragment}");
    }
    assert!(
        column(&loaded(&folder, &page, ""), "line")
            .iter()
            .any(|line| line.contains("\\u{202e}") || line.contains("\\u202e"))
    );

    // Were there a way in, the policy would still stand before it.
    let broken = std::fs::read_to_string(&page).expect("UTF-8");
    let broken = broken.replace(
        "<main>",
        "<main><script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">",
    );
    let broken = folder.file("broken.html", broken);
    assert_eq!(title(&loaded(&folder, show(&broken), "")), "70 hits \u{b7} stockade");
}

#[test]
fn many_hits_are_still_a_page() {
    if !have(&[BROWSER]) {
        return;
    }
    let folder = Folder::new();
    let page = page(&folder, 120_000);
    let dom = loaded(&folder, &page, "q=%22line%2099999%20from%22");
    assert_eq!((count(&dom), column(&dom, "time").len()), ("1 of 100,000 rows", 1));
    assert!(dom.contains("The table below holds 100,000 of 120,000 hits"));
    let dom = loaded(&folder, &page, "sort=-indicator");
    assert_eq!((count(&dom), column(&dom, "time").len()), ("100,000 rows", 100));
}
