//! Laws of reading and printing, on patterns made at random and on real ones that were damaged.

mod pattern_laws;

use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::OnceLock;
use stockade::pattern::ast::{Node, Qualifier};
use stockade::pattern::{Ast, Pattern, Reading, simple};

/// A pattern's tree, as a test makes it.
#[derive(Clone, Debug)]
enum Tree {
    /// A test, in the spelling of the canonical text; the number tells tests apart.
    Test(&'static str),
    /// Operands of `AND`, `OR` or `FOLLOWEDBY`, in parentheses where the flag says so or they are needed.
    Chain(&'static str, Vec<(Tree, bool)>),
    Bracket(Box<Tree>),
    /// An expression, in parentheses, and its qualifiers.
    Qualified(Box<Tree>, Vec<&'static str>),
}

const TESTS: &[&str] = &[
    "a:b = 1",
    "a:b != 'it\\'s'",
    "a:b.'c-d'[*].e[0] NOT LIKE '%\\\\x'",
    "NOT EXISTS a:b",
    "EXISTS a:'b c'",
    "a:b IN (1, -2, +3)",
    "a:b NOT IN ()",
    "a:b >= t'2020-02-29T23:59:60Z'",
    "a:b = h'C0fFee'",
    "a:b = b'QUI='",
    "a:b ISSUBSET '10.0.0.0/8'",
    "a:b MATCHES '^[a-z]+ // no comment'",
    "a:b < -.5",
    "a:b = true",
];

const QUALIFIERS: &[&str] =
    &["WITHIN 1.5 SECONDS", "REPEATS 3 TIMES", "START t'2020-01-01T00:00:00Z' STOP t'2021-01-01T00:00:00.5Z'"];

fn level(operator: &str) -> u8 {
    match operator {
        "FOLLOWEDBY" => 0,
        "OR" => 1,
        _ => 2,
    }
}

impl Tree {
    /// Its text, `gap` between any two tokens that can stand apart.
    fn write(&self, gap: &dyn Fn() -> &'static str, out: &mut String) {
        match self {
            Self::Test(text) => out.push_str(text),
            Self::Chain(operator, operands) => {
                for (i, (operand, wanted)) in operands.iter().enumerate() {
                    if i > 0 {
                        out.extend([" ", gap(), operator, " ", gap()]);
                    }
                    let needed = matches!(operand, Self::Chain(inner, _) if level(inner) <= level(operator));
                    operand.write_in(needed || *wanted, gap, out);
                }
            }
            Self::Bracket(inner) => {
                out.extend(["[", gap()]);
                inner.write(gap, out);
                out.extend([gap(), "]"]);
            }
            Self::Qualified(inner, qualifiers) => {
                inner.write_in(true, gap, out);
                for qualifier in qualifiers {
                    out.extend([" ", gap(), qualifier]);
                }
            }
        }
    }

    fn write_in(&self, parentheses: bool, gap: &dyn Fn() -> &'static str, out: &mut String) {
        let [open, close] = if parentheses { ["(", ")"] } else { ["", ""] };
        out.extend([open, gap()]);
        self.write(gap, out);
        out.extend([gap(), close]);
    }

    /// The postfix form that the tree must be read as.
    fn postfix(&self, out: &mut Vec<String>) {
        match self {
            Self::Test(text) => out.push((*text).to_owned()),
            Self::Chain(operator, operands) => {
                for (operand, _) in operands {
                    operand.postfix(out);
                }
                if operands.len() > 1 {
                    out.push(format!("{operator} {}", operands.len()));
                }
            }
            Self::Bracket(inner) => {
                inner.postfix(out);
                out.push("[]".into());
            }
            Self::Qualified(inner, qualifiers) => {
                inner.postfix(out);
                out.extend(qualifiers.iter().map(|&qualifier| qualifier.to_owned()));
            }
        }
    }
}

/// The postfix form of what was read. A test that stands alone prints as itself.
fn postfix(ast: &Ast<'_>) -> Vec<String> {
    let literal = |at: u32| ast.slice(ast.literals[at as usize].span);
    let nodes = ast.nodes.iter().map(|node| match *node {
        Node::Test(test) => ast.slice(test.span).to_owned(),
        Node::And(n) | Node::AllObserved(n) => format!("AND {n}"),
        Node::Or(n) | Node::AnyObserved(n) => format!("OR {n}"),
        Node::FollowedBy(n) => format!("FOLLOWEDBY {n}"),
        Node::Observation => "[]".into(),
        Node::Qualified(Qualifier::Within { seconds }) => format!("WITHIN {} SECONDS", literal(seconds)),
        Node::Qualified(Qualifier::Repeats { times }) => format!("REPEATS {times} TIMES"),
        Node::Qualified(Qualifier::StartStop { start, stop }) => {
            format!("START t'{}' STOP t'{}'", literal(start), literal(stop))
        }
    });
    nodes.collect()
}

fn chain(
    operators: &'static [&'static str],
    inner: impl Strategy<Value = Tree> + 'static,
) -> impl Strategy<Value = Tree> {
    (prop::sample::select(operators), vec((inner, any::<bool>()), 2..4))
        .prop_map(|(op, operands)| Tree::Chain(op, operands))
}

fn comparison() -> impl Strategy<Value = Tree> {
    prop::sample::select(TESTS).prop_map(Tree::Test).prop_recursive(3, 12, 3, |inner| chain(&["AND", "OR"], inner))
}

fn observation() -> impl Strategy<Value = Tree> {
    let bracket = comparison().prop_map(|inner| Tree::Bracket(Box::new(inner)));
    bracket.prop_recursive(3, 12, 3, |inner| {
        let qualified = (inner.clone(), prop::sample::subsequence(QUALIFIERS, 1..=3).prop_shuffle())
            .prop_map(|(inner, qualifiers)| Tree::Qualified(Box::new(inner), qualifiers));
        prop_oneof![chain(&["AND", "OR", "FOLLOWEDBY"], inner), qualified]
    })
}

/// Patterns to damage: some of every kind, and the public ones where they are there.
fn seeds() -> &'static [String] {
    static SEEDS: OnceLock<Vec<String>> = OnceLock::new();
    SEEDS.get_or_init(|| {
        let mut seeds: Vec<String> =
            TESTS.iter().map(|test| format!("([{test} OR ({test})]) {}", QUALIFIERS[1])).collect();
        seeds.extend(QUALIFIERS.iter().map(|qualifier| format!("[url:value = 'http://ü.example/'] {qualifier}")));
        seeds.extend(
            [
                "[file:hashes.SHA-256 = 'aa' and file:name like ‘x%’]",
                "file:name = 'a' OR (file:size > 5 AND file:size < 9)",
                "[a:b = 1] START '2020-01-01T00:00:00Z' STOP '2021-01-01T00:00:00Z'",
                "/* c */[a:b=1]AND[c:d='x']// e",
                "[domain-name:value='evil.example']",
                "[file:hashes.'SHA-256' = 'aa']",
            ]
            .map(String::from),
        );
        let dir = std::env::var_os("STOCKADE_DATA").map_or_else(
            || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
            std::path::PathBuf::from,
        );
        if let Ok(file) = std::fs::File::open(dir.join("patterns/patterns.jsonl.zst")) {
            let lines = zstd::decode_all(file).unwrap();
            let values = serde_json::Deserializer::from_slice(&lines).into_iter::<serde_json::Value>();
            seeds.extend(values.step_by(40).filter_map(|value| Some(value.ok()?["pattern"].as_str()?.to_owned())));
        }
        seeds
    })
}

/// Pieces that matter to the grammar, to put in at random places.
const PIECES: &[&str] = &[
    "[",
    "]",
    "(",
    ")",
    "'",
    "\\",
    "\\'",
    "\"",
    ":",
    ".",
    ",",
    "=",
    "!",
    "<",
    ">",
    "*",
    "-",
    "+",
    "0",
    "7",
    "e",
    "/",
    "//",
    "/*",
    "*/",
    "\n",
    "\t",
    " ",
    "\u{a0}",
    "\u{3000}",
    "\u{0}",
    "\u{200b}",
    "é",
    "漢",
    "🦀",
    "‘",
    "’",
    "“",
    "”",
    " AND ",
    " or ",
    " NOT ",
    " EXISTS ",
    "IN",
    " FOLLOWEDBY ",
    " WITHIN 5 SECONDS",
    " REPEATS 2 TIMES",
    " START ",
    " STOP ",
    "t'",
    "h'",
    "b'",
    "true",
    "-256",
    ".hashes.SHA-1",
    "[0]",
    "[*]",
    "[a:b = 1]",
    "a:b = 1",
];

#[derive(Clone, Debug)]
enum Edit {
    Insert(prop::sample::Index, &'static str),
    Remove(prop::sample::Index, prop::sample::Index),
    Repeat(prop::sample::Index, prop::sample::Index),
}

fn damage(text: &str, edits: &[Edit]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for edit in edits {
        let len = chars.len();
        match edit {
            Edit::Insert(at, piece) => {
                let at = at.index(len + 1);
                chars.splice(at..at, piece.chars());
            }
            Edit::Remove(at, length) if len > 0 => {
                let at = at.index(len);
                chars.drain(at..len.min(at + 1 + length.index(8)));
            }
            Edit::Repeat(from, to) if len > 0 => {
                let from = from.index(len);
                let part: Vec<char> = chars[from..len.min(from + 20)].to_vec();
                let to = to.index(len + 1);
                chars.splice(to..to, part);
            }
            Edit::Remove(..) | Edit::Repeat(..) => {}
        }
    }
    chars.into_iter().collect()
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (any::<prop::sample::Index>(), prop::sample::select(PIECES)).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        any::<[prop::sample::Index; 2]>().prop_map(|[at, length]| Edit::Remove(at, length)),
        any::<[prop::sample::Index; 2]>().prop_map(|[from, to]| Edit::Repeat(from, to)),
    ]
}

#[test]
fn laws_hold_for_texts_that_broke_them_once() {
    for text in ["[url::value = 'x']", "a:b = 1/*\t*/"] {
        pattern_laws::hold(text);
    }
    let accents = "\u{301}".repeat(1000);
    pattern_laws::hold(&format!("[a:b = '{accents}' {accents} OR a:b = 1]"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn trees_are_read_as_they_were_meant(tree in observation(), gaps in vec(prop::sample::select(&["", "", " ", "/* ] */", "\n//x\n", "\u{2003}"][..]), 40)) {
        let next = std::cell::Cell::new(0);
        let gap = || {
            next.set(next.get() + 1);
            gaps[next.get() % gaps.len()]
        };
        let mut text = String::new();
        tree.write(&gap, &mut text);
        let pattern = Pattern::parse(&text, Reading::Strict).map_err(|error| TestCaseError::fail(error.render(&text)))?;
        let mut expected = Vec::new();
        tree.postfix(&mut expected);
        prop_assert_eq!(postfix(&pattern.ast()), expected);
        pattern_laws::hold(&text);
    }

    #[test]
    fn laws_hold_for_damaged_patterns(seed in any::<prop::sample::Index>(), edits in vec(edit(), 0..4)) {
        pattern_laws::hold(&damage(&seeds()[seed.index(seeds().len())], &edits));
    }

    #[test]
    fn laws_hold_for_pieces_in_any_order(pieces in vec(prop::sample::select(PIECES), 0..20)) {
        pattern_laws::hold(&pieces.concat());
    }

    #[test]
    fn laws_hold_for_any_text(text in "\\PC*") {
        pattern_laws::hold(&text);
    }

    #[test]
    fn simple_equalities_take_the_fast_path(
        object in "[a-z_][a-z0-9_-]{0,8}",
        keys in vec(prop_oneof!["[a-z_]{1,6}", "'[^'\\\\]{0,6}'"], 1..4),
        gaps in "[ ]{0,2}",
        value in "[^'\\\\]{0,40}",
    ) {
        let path = format!("{object}:{}", keys.join("."));
        let text = format!("[{path}{gaps}={gaps}'{value}']");
        let words = keys.iter().map(String::as_str).chain([&*object]);
        let has_keyword = words.clone().any(|word| word == "true" || word == "false");
        prop_assert_eq!(simple::split(&text).map(|simple| (simple.path, simple.literal)), (!has_keyword).then_some((&*path, &*value)));
        pattern_laws::hold(&text);
    }
}
