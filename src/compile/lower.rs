//! Lowering: from a syntax tree to atoms, with two readings.
//!
//! *Cover* atoms are necessary: if none was seen, the pattern cannot match. *Exact* atoms are sufficient: seeing one
//! alone is a match. `OR` unites both; `AND` in brackets keeps the exact atoms that both sides share, and one side's
//! cover; `NOT` has neither; `AND` and `FOLLOWEDBY` of observations have no exact atoms, and the cover of all sides.

use super::atom::{Atom, Holder, Meta};
use super::path;
use crate::observable::{self, Field, Kind, Value};
use crate::pattern::ast::{Ast, LiteralKind, Node, Op, Qualifier, Test};
use crate::stix::Timestamp;

/// What an index needs to know of a pattern.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lowered {
    /// Each alone is a match.
    pub exact: Vec<Seek>,
    /// One of these is in everything that matches; none when the pattern has to be evaluated always.
    pub cover: Option<Vec<Seek>>,
    /// Whether a line of plain text, whose values have no fields in common, can satisfy it at all.
    pub plain: bool,
    /// It asks for several observations, or when they were made.
    pub sequence: bool,
    /// The time in which observations count: inclusive start, exclusive end.
    pub window: Option<(Timestamp, Timestamp)>,
}

impl Lowered {
    /// Whether the exact atoms do not tell the whole pattern.
    pub fn has_more(&self) -> bool {
        self.cover.as_ref().is_none_or(|cover| cover.iter().any(|seek| self.exact.binary_search(seek).is_err()))
    }
}

/// Something to look for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Seek {
    /// A typed value.
    Atom(Atom),
    /// A text without a shape of its own, by the path that names it.
    Literal(Literal),
    /// `LIKE` or `MATCHES` on the values of a path.
    Expression(Expression),
}

impl Seek {
    /// The literal, if it is one.
    pub fn as_literal(&self) -> Option<&Literal> {
        if let Self::Literal(literal) = self { Some(literal) } else { None }
    }

    /// The pattern that asks for this alone; none for a typed value, which an index decides.
    pub fn pattern(&self) -> Option<String> {
        let (path, operator, text) = match self {
            Self::Atom(_) => return None,
            Self::Literal(literal) if literal.open_before || literal.open_behind => {
                let open = |open| if open { "%" } else { "" };
                let text = format!("{}{}{}", open(literal.open_before), literal.text, open(literal.open_behind));
                (literal.path, "LIKE", text)
            }
            Self::Literal(literal) => (literal.path, "=", literal.text.to_string()),
            Self::Expression(expression) => {
                let operator = if expression.regex { "MATCHES" } else { "LIKE" };
                (&*expression.path, operator, expression.text.to_string())
            }
        };
        let text = text.replace('\\', r"\\").replace('\'', r"\'");
        Some(format!("[{} {operator} '{text}']", path::quoted(path)))
    }

    /// The expression, if it is one.
    pub fn as_expression(&self) -> Option<&Expression> {
        if let Self::Expression(expression) = self { Some(expression) } else { None }
    }
}

/// A value that is found in plain text only by its letters: a file name, a registry key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Literal {
    /// The path.
    pub path: &'static str,
    /// The value.
    pub text: Box<str>,
    /// Whether anything may stand before it, as in `LIKE '%x'`.
    pub open_before: bool,
    /// Whether anything may stand behind it.
    pub open_behind: bool,
}

impl Literal {
    /// The object type of the path.
    pub fn object_type(&self) -> &'static str {
        observable::literal_object_type(self.path)
    }
}

/// A `LIKE` or `MATCHES` test.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Expression {
    /// The path, canonical.
    pub path: Box<str>,
    /// The kinds of value it is tested against; none for texts without a shape.
    pub kinds: &'static [Kind],
    /// The object type of the path.
    pub object_type: &'static str,
    /// `MATCHES`, or else `LIKE`.
    pub regex: bool,
    /// The expression as written.
    pub text: Box<str>,
}

/// One operand on the stack.
#[derive(Clone, Debug, Default)]
struct Part {
    exact: Vec<Seek>,
    cover: Option<Vec<Seek>>,
    /// The one path that all its tests are about; `None` when they are about several.
    path: Option<Box<str>>,
    plain: bool,
    sequence: bool,
    /// `x_ref.type = 't'`: says only what an atom on `x_ref.value` implies.
    reference: Option<Box<str>>,
    window: Option<(Timestamp, Timestamp)>,
}

/// Lowers a pattern. Semantic repairs are made unless `strict`.
pub fn lower(ast: &Ast<'_>, strict: bool) -> Lowered {
    let mut stack: Vec<Part> = Vec::new();
    for node in ast.nodes {
        let part = match node {
            Node::Test(test) => leaf(ast, test, strict),
            Node::And(n) => all(operands(&mut stack, *n)),
            Node::Or(n) | Node::AnyObserved(n) => any(operands(&mut stack, *n)),
            Node::Observation => observation(operands(&mut stack, 1)),
            Node::AllObserved(n) | Node::FollowedBy(n) => several(operands(&mut stack, *n)),
            Node::Qualified(qualifier) => qualified(ast, operands(&mut stack, 1), qualifier),
        };
        stack.push(part);
    }
    let root = stack.pop().unwrap_or_default();
    let Part { mut exact, cover, plain, sequence, window, .. } = root;
    exact.sort_unstable();
    exact.dedup();
    let cover = cover.map(|mut cover| {
        cover.sort_unstable();
        cover.dedup();
        cover
    });
    Lowered { exact, cover, plain, sequence, window }
}

fn operands(stack: &mut Vec<Part>, n: u32) -> Vec<Part> {
    stack.split_off(stack.len().saturating_sub(n as usize))
}

/// A single test.
fn leaf(ast: &Ast<'_>, test: &Test, strict: bool) -> Part {
    let path = path::canonical(ast, test.path);
    let seeks = if test.negated { None } else { seeks(ast, test, &path, strict) };
    // What a name resolves to says something of the name: seeing the address alone does not satisfy it.
    let indirect = path.contains("resolves_to_ref");
    let reference =
        (test.op == Op::Eq && !test.negated).then(|| path.strip_suffix("_ref.type").map(Box::from)).flatten();
    Part {
        // What a test does not say can be told of values that plain text shows by themselves.
        plain: (seeks.is_some() || observable::of_path(&path).is_some()) && !indirect,
        exact: seeks.clone().filter(|_| !indirect).unwrap_or_default(),
        cover: seeks,
        path: Some(path.into()),
        reference,
        ..Part::default()
    }
}

/// What satisfies a test, as far as an index can tell.
fn seeks(ast: &Ast<'_>, test: &Test, path: &str, strict: bool) -> Option<Vec<Seek>> {
    let field = observable::of_path(path);
    let literals = ast.test_literals(test);
    if literals.iter().any(|literal| literal.kind != LiteralKind::String) {
        return None;
    }
    match (test.op, field) {
        (Op::Eq | Op::In, Some(field)) => {
            Some(literals.iter().filter_map(|l| atom(field, &ast.string(l), strict)).map(Seek::Atom).collect())
        }
        (Op::IsSubset, Some(field)) => {
            let atom = atom(field, &ast.string(literals.first()?), false)?;
            matches!(atom.value, Value::Ipv4(..) | Value::Ipv6(..)).then(|| vec![Seek::Atom(atom)])
        }
        (Op::Eq | Op::In, None) => {
            let path = observable::literal_path(path)?;
            let literal = |l| Literal { path, text: ast.string(l).into(), open_before: false, open_behind: false };
            Some(literals.iter().map(|l| Seek::Literal(literal(l))).collect())
        }
        (Op::Like | Op::Matches, field) => {
            let (kinds, object_type) = match &field {
                Some(field) => (field.kinds, field.kinds.first()?.object_type()),
                None => (&[][..], observable::literal_object_type(observable::literal_path(path)?)),
            };
            let text: Box<str> = ast.string(literals.first()?).into();
            if field.is_none()
                && test.op == Op::Like
                && let Some(literal) = plain_like(observable::literal_path(path)?, &text)
            {
                return Some(vec![Seek::Literal(literal)]);
            }
            Some(vec![Seek::Expression(Expression {
                path: path.into(),
                kinds,
                object_type,
                regex: test.op == Op::Matches,
                text,
            })])
        }
        _ => None,
    }
}

/// `LIKE` without wildcards but at its ends.
fn plain_like(path: &'static str, operand: &str) -> Option<Literal> {
    let (before, behind) = (operand.strip_prefix('%'), operand.strip_suffix('%'));
    let text = operand.trim_matches('%');
    let (open_before, open_behind) = (before.is_some(), behind.is_some());
    (!text.is_empty() && !text.contains(['%', '_'])).then(|| Literal {
        path,
        text: text.into(),
        open_before,
        open_behind,
    })
}

/// The value that a literal names on a path; `None` when it is no value of any kind that stands there.
pub(super) fn atom(field: Field, text: &str, strict: bool) -> Option<Atom> {
    let value = field.normalise(text).ok()?;
    // To the letter an address is compared as text: a prefix is no address, and no other spelling is the same.
    if strict && !field.kinds.contains(&value.kind()) {
        return None;
    }
    if strict && matches!(value, Value::Ipv4(..) | Value::Ipv6(..)) && value.to_string() != text {
        return None;
    }
    let holder = match &value {
        Value::Text(Kind::Url, _) => Holder::Own,
        value if field.object_type(value) == "x509-certificate" => Holder::Certificate,
        _ => Holder::Own,
    };
    Some(Atom { value, meta: Meta { role: field.role, exact: true, holder } })
}

/// `AND` in brackets: all about one object.
fn all(parts: Vec<Part>) -> Part {
    // The type of a referenced object goes without saying where an atom names its value.
    let implied = |part: &Part| {
        part.reference.as_ref().is_some_and(|reference| {
            parts.iter().any(|other| {
                let prefix = other.path.as_deref().and_then(|p| p.strip_suffix("_ref.value"));
                prefix == Some(reference) && other.cover.is_some()
            })
        })
    };
    let keep: Vec<bool> = parts.iter().map(|part| !implied(part)).collect();
    let mut parts: Vec<Part> = parts.into_iter().zip(keep).filter_map(|(part, keep)| keep.then_some(part)).collect();
    if parts.len() == 1 {
        return parts.remove(0);
    }
    let path =
        parts.first().and_then(|p| p.path.clone()).filter(|path| parts.iter().all(|p| p.path.as_ref() == Some(path)));
    let exact = match parts.split_first() {
        Some((first, rest)) if path.is_some() => {
            first.exact.iter().filter(|seek| rest.iter().all(|part| part.exact.contains(seek))).cloned().collect()
        }
        _ => Vec::new(),
    };
    // The side that fewer inputs will bring up.
    let cost = |part: &Part| part.cover.as_ref().map(|cover| (rank(cover), cover.len()));
    let plain = path.is_some() && parts.iter().any(|p| p.plain);
    let cover = parts.into_iter().filter(|p| p.cover.is_some()).min_by_key(cost).and_then(|p| p.cover);
    Part { exact, cover, path, plain, ..Part::default() }
}

/// How unwelcome a cover is: typed values are looked up, texts are searched, expressions are tried.
fn rank(cover: &[Seek]) -> u8 {
    let rank = |seek: &Seek| match seek {
        Seek::Atom(_) => 0,
        Seek::Literal(_) => 1,
        Seek::Expression(_) => 2,
    };
    cover.iter().map(rank).max().unwrap_or(0)
}

/// `OR`, of comparisons or of observations.
fn any(parts: Vec<Part>) -> Part {
    let path =
        parts.first().and_then(|p| p.path.clone()).filter(|path| parts.iter().all(|p| p.path.as_ref() == Some(path)));
    let mut union = Part { cover: Some(Vec::new()), path, ..Part::default() };
    for part in parts {
        union.plain |= part.plain;
        union.sequence |= part.sequence;
        if part.window.is_some() {
            // A window holds for one side only: that is for the evaluation to tell.
            union.sequence = true;
        } else {
            union.exact.extend(part.exact);
        }
        union.cover = union.cover.zip(part.cover).map(|(mut all, more)| {
            all.extend(more);
            all
        });
    }
    union
}

fn observation(mut parts: Vec<Part>) -> Part {
    Part { path: None, reference: None, ..parts.pop().unwrap_or_default() }
}

/// `AND` and `FOLLOWEDBY` of observations.
fn several(parts: Vec<Part>) -> Part {
    let plain = parts.iter().all(|part| part.plain);
    Part { exact: Vec::new(), plain, sequence: true, window: None, ..any(parts) }
}

fn qualified(ast: &Ast<'_>, mut parts: Vec<Part>, qualifier: &Qualifier) -> Part {
    let part = parts.pop().unwrap_or_default();
    match qualifier {
        // One observation is always within any time of itself.
        Qualifier::Within { .. } | Qualifier::Repeats { times: 1 } => part,
        Qualifier::Repeats { .. } => Part { exact: Vec::new(), sequence: true, ..part },
        Qualifier::StartStop { start, stop } => {
            let instant =
                |index: u32| ast.literals.get(index as usize).and_then(|l| Timestamp::parse(&ast.string(l)).ok());
            match (instant(*start), instant(*stop), part.window) {
                (Some(start), Some(stop), None) => Part { window: Some((start, stop)), ..part },
                _ => Part { exact: Vec::new(), sequence: true, ..part },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::{Parser, Reading};

    fn lowered(pattern: &str) -> Lowered {
        let mut parser = Parser::new();
        lower(&parser.parse(pattern, Reading::Pragmatic).expect(pattern), false)
    }

    fn shown(seeks: &[Seek]) -> String {
        let one = |seek: &Seek| match seek {
            Seek::Atom(atom) => atom.value.to_string(),
            Seek::Literal(literal) => format!("'{}'", literal.text),
            Seek::Expression(expression) => format!("~{}", expression.text),
        };
        seeks.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn atoms_have_two_readings() {
        // Pattern, exact atoms, cover atoms (`-`: always to be evaluated).
        let cases = [
            ("[domain-name:value = 'A.example']", "a.example", "a.example"),
            ("[ipv4-addr:value = '1.2.3.4/32']", "1.2.3.4", "1.2.3.4"),
            ("[ipv4-addr:value = '10.0.0.0/8']", "10.0.0.0/8", "10.0.0.0/8"),
            ("[ipv4-addr:value ISSUBSET '10.0.0.0/8']", "10.0.0.0/8", "10.0.0.0/8"),
            ("[ipv4-addr:value ISSUPERSET '10.0.0.0/8']", "", "-"),
            (
                "[domain-name:value = 'a.example' OR ipv4-addr:value = '1.2.3.4']",
                "1.2.3.4 a.example",
                "1.2.3.4 a.example",
            ),
            ("[domain-name:value IN ('a.example', 'b.example')]", "a.example b.example", "a.example b.example"),
            ("[network-traffic:dst_ref.value = '1.2.3.4' AND network-traffic:dst_port = 443]", "", "1.2.3.4"),
            (
                "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '1.2.3.4']",
                "1.2.3.4",
                "1.2.3.4",
            ),
            (
                "[network-traffic:src_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '1.2.3.4']",
                "",
                "1.2.3.4",
            ),
            (
                "[domain-name:value = 'a.example' AND domain-name:resolves_to_refs[*].value = '1.2.3.4']",
                "",
                "a.example",
            ),
            ("[domain-name:resolves_to_refs[*].value = '1.2.3.4']", "", "1.2.3.4"),
            ("[domain-name:value NOT = 'a.example']", "", "-"),
            ("[domain-name:value != 'a.example']", "", "-"),
            ("[domain-name:value = 'a.example' OR domain-name:value != 'b.example']", "a.example", "-"),
            ("[domain-name:value = 'a.example'] AND [domain-name:value = 'b.example']", "", "a.example b.example"),
            (
                "[domain-name:value = 'a.example'] OR [domain-name:value = 'b.example']",
                "a.example b.example",
                "a.example b.example",
            ),
            (
                "[domain-name:value = 'a.example'] FOLLOWEDBY [url:value = 'http://b.example']",
                "",
                "a.example http://b.example/",
            ),
            ("[domain-name:value = 'a.example'] REPEATS 2 TIMES", "", "a.example"),
            ("[domain-name:value = 'a.example'] REPEATS 1 TIMES", "a.example", "a.example"),
            ("[domain-name:value = 'a.example'] WITHIN 5 SECONDS", "a.example", "a.example"),
            ("[file:name = 'evil.exe']", "'evil.exe'", "'evil.exe'"),
            ("[domain-name:value LIKE '%.evil.example']", "~%.evil.example", "~%.evil.example"),
            ("[file:x_custom = 'kill']", "", "-"),
            (
                "[(domain-name:value = 'a.example' OR domain-name:value = 'b.example') AND domain-name:value = 'a.example']",
                "a.example",
                "a.example",
            ),
        ];
        for (pattern, exact, cover) in cases {
            let lowered = lowered(pattern);
            assert_eq!(shown(&lowered.exact), exact, "exact of {pattern}");
            assert_eq!(lowered.cover.as_deref().map_or("-".to_owned(), shown), cover, "cover of {pattern}");
        }
    }

    #[test]
    fn a_window_narrows_validity_only_around_the_whole_pattern() {
        let window = "START t'2026-01-01T00:00:00Z' STOP t'2026-02-01T00:00:00Z'";
        let whole = lowered(&format!("[domain-name:value = 'a.example'] {window}"));
        assert!(whole.window.is_some() && whole.exact.len() == 1 && !whole.sequence);
        let part = lowered(&format!("[domain-name:value = 'a.example'] {window} OR [domain-name:value = 'b.example']"));
        assert!(part.window.is_none() && part.sequence);
        assert_eq!(shown(&part.exact), "b.example");
    }
}
