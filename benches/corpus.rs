//! Writes a corpus to files: `cargo bench --bench corpus -- FOLDER INDICATORS LINES`. The bundle is `indicators.json`, the
//! same values one a line are `indicators.txt`, the log is `lines.log`, and what stands in it `planted.tsv` (line, span, id).

mod support;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use support::corpus::{Corpus, Listed};

fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [folder, count, lines] = words.as_slice() else { return Ok(()) };
    let number = |text: &str| text.parse::<u64>().map_err(std::io::Error::other);
    let corpus = Corpus { seed: 1, count: number(count)? };
    let create = |name: &str| File::create(Path::new(folder).join(name)).map(BufWriter::new);
    corpus.write_bundle(&mut create("indicators.json")?)?;
    let mut list = create("indicators.txt")?;
    for indicator in 0..corpus.count {
        match corpus.listed(indicator) {
            Listed::Ipv4(address) => writeln!(list, "{address}")?,
            Listed::Prefix(address, length) => writeln!(list, "{address}/{length}")?,
            Listed::Ipv6(address) => writeln!(list, "{address}")?,
            Listed::Domain(text) | Listed::Url(text) | Listed::Hash(_, text) => writeln!(list, "{text}")?,
        }
    }
    let planted = corpus.write_log(number(lines)?, &mut create("lines.log")?)?;
    let mut truth = create("planted.tsv")?;
    for one in planted {
        writeln!(truth, "{}\t{}\t{}\t{}", one.line, one.start, one.end, corpus.id(one.indicator))?;
    }
    Ok(())
}
