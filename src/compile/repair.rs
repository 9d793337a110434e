//! What the pragmatic reading changes in the meaning of a pattern. The repairs of syntax are the parser's.
//!
//! A path that names an observable compares by the normal form of its kind: `domain-name:value = 'EVIL.example.'`
//! means evil.example. The rest are the few mistakes that feeds do make, one function each; every change that makes
//! a difference is recorded.

use super::literal::{Number, Operand};
use super::program::{Path, Step};
use crate::observable::{Field, Value, canonical_hash_name, of_path};
use crate::pattern::ast::{Op, Span, Test};
use std::collections::HashSet;
use std::fmt;

/// A change that the pragmatic reading made to the meaning.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Repair {
    /// What was changed.
    pub kind: RepairKind,
    /// What was written.
    pub written: Box<str>,
    /// What it is read as.
    pub read: Box<str>,
    /// The test that it stands in, in the text of the pattern.
    pub span: Span,
}

/// The kinds of changes in meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RepairKind {
    /// `SHA256` for `'SHA-256'`.
    HashName,
    /// A value in another spelling than its normal form: upper case, a dot at the end, `/32`.
    NormalForm,
    /// An address prefix compared with `=`: it means the addresses inside.
    Prefix,
    /// An address where a name or URL belongs.
    MisplacedAddress,
    /// A URL without scheme.
    UrlWithoutScheme,
    /// A string where the property is an integer.
    IntegerAsText,
    /// `file:path`, which is the path of the parent directory and the name.
    FilePath,
    /// `x_ref.type = 't' AND x_ref.value = 'v'`: the type of what is referred to goes without saying.
    ReferencePair,
}

impl RepairKind {
    /// A short name for counting, the same for every repair of the kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::HashName => "hash-name",
            Self::NormalForm => "normal-form",
            Self::Prefix => "prefix",
            Self::MisplacedAddress => "misplaced-address",
            Self::UrlWithoutScheme => "url-without-scheme",
            Self::IntegerAsText => "integer-as-text",
            Self::FilePath => "file-path",
            Self::ReferencePair => "reference-pair",
        }
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, written, read, .. } = self;
        match kind {
            RepairKind::HashName => write!(f, "hash name '{written}' read as '{read}'"),
            RepairKind::NormalForm => write!(f, "'{written}' read as '{read}'"),
            RepairKind::Prefix => write!(f, "= '{written}' read as any address inside {read}"),
            RepairKind::MisplacedAddress => write!(f, "'{written}' read as the address {read}"),
            RepairKind::UrlWithoutScheme => write!(f, "'{written}' read as a URL of http or https"),
            RepairKind::IntegerAsText => write!(f, "'{written}' read as the integer {read}"),
            RepairKind::FilePath => write!(f, "{written} read as {read}"),
            RepairKind::ReferencePair => write!(f, "{written} beside {read} read as one rule about the value"),
        }
    }
}

/// Properties that are integers and that feeds compare with strings.
const INTEGERS: &[(&str, &str)] = &[
    ("network-traffic", "src_port"),
    ("network-traffic", "dst_port"),
    ("network-traffic", "src_byte_count"),
    ("network-traffic", "dst_byte_count"),
    ("network-traffic", "src_packets"),
    ("network-traffic", "dst_packets"),
    ("autonomous-system", "number"),
    ("process", "pid"),
    ("file", "size"),
];

/// The observable that a literal stands for at a path (as [`of_path`] takes it), and what was changed to read it so.
/// `None` if the path names no observable or the literal is none: it is then compared as it stands.
///
/// ```
/// use stockade::compile::repair::value_at;
///
/// let (value, repair) = value_at("ipv4-addr:value", "192.0.2.0/24").unwrap();
/// assert_eq!(value.to_string(), "192.0.2.0/24");
/// assert_eq!(repair.unwrap().to_string(), "= '192.0.2.0/24' read as any address inside 192.0.2.0/24");
/// ```
pub fn value_at(path: &str, literal: &str) -> Option<(Value, Option<Repair>)> {
    let field = of_path(path)?;
    let value = field.normalise(literal).ok()?;
    let read = value.to_string();
    let proper = field.kinds.first().copied();
    let kind = match &value {
        Value::Ipv4(_, 0..=31) | Value::Ipv6(_, 0..=127) => Some(RepairKind::Prefix),
        Value::Ipv4(..) | Value::Ipv6(..) if path == "domain-name:value" || path == "url:value" => {
            Some(RepairKind::MisplacedAddress)
        }
        Value::Text(kind, text) if Some(*kind) == proper && text.starts_with("//") => {
            Some(RepairKind::UrlWithoutScheme)
        }
        _ => (read != literal).then_some(RepairKind::NormalForm),
    };
    let repair = kind.map(|kind| Repair { kind, written: literal.into(), read: read.into(), span: Span::default() });
    Some((value, repair))
}

/// The path as [`of_path`] takes it.
pub fn canonical_path(path: &Path) -> String {
    let mut text = format!("{}:", path.object_type);
    for (index, step) in path.steps.iter().enumerate() {
        match step {
            Step::Key { name, .. } | Step::Hash(name) => {
                if index > 0 {
                    text.push('.');
                }
                text.push_str(name);
            }
            Step::Index(_) | Step::Any => text.push_str("[*]"),
            Step::FilePath => text.push_str("path"),
        }
    }
    text
}

/// The changes made to one pattern.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    all: Vec<Repair>,
    /// The same, to find out what was noted before.
    noted: HashSet<Repair>,
    /// The test being read.
    span: Span,
    /// What the equalities in the current brackets compare: the path up to a reference, and whether its type.
    references: Vec<(Box<str>, bool, Span)>,
}

impl Repairs {
    pub(super) fn into_list(self) -> Box<[Repair]> {
        self.all.into()
    }

    /// Ends a pair of brackets.
    pub(super) fn end_comparison(&mut self) {
        let references = std::mem::take(&mut self.references);
        let with_value: HashSet<&str> =
            references.iter().filter(|(_, is_type, _)| !is_type).map(|(reference, ..)| &**reference).collect();
        for (reference, is_type, span) in &references {
            if *is_type && with_value.contains(&**reference) {
                self.span = *span;
                let (written, read) = (format!("{reference}.type").into(), format!("{reference}.value").into());
                self.note(Repair { kind: RepairKind::ReferencePair, written, read, span: *span });
            }
        }
    }

    /// Reads a test pragmatically: changes its path and operands, and gives the further paths that the same test is
    /// to be made at.
    pub(super) fn apply(&mut self, path: &mut Path, test: &Test, operands: &mut [Operand]) -> Vec<Path> {
        let Test { op, negated, span, .. } = *test;
        self.span = span;
        self.hash_name(path);
        self.file_path(path);
        self.integers(path, op, operands);
        let canonical = canonical_path(path);
        path.field = of_path(&canonical);
        if op == Op::Like
            && let Some(written) = operands.first().map(Operand::as_text)
            && let read = fold(path.field, written)
            && read != written
        {
            let (written, read) = (written.into(), read.as_ref().into());
            self.note(Repair { kind: RepairKind::NormalForm, written, read, span });
        }
        if !matches!(op, Op::Eq | Op::Ne | Op::In) {
            return Vec::new();
        }
        if let Some((reference, property @ ("type" | "value"))) = canonical.rsplit_once('.')
            && reference.ends_with("_ref")
            && !negated
            && op != Op::Ne
        {
            self.references.push((reference.into(), property == "type", span));
        }
        let mut misplaced = Vec::new();
        for operand in operands.iter() {
            let Operand::Text(text, _) = operand else { continue };
            let Some((value, repair)) = value_at(&canonical, text) else { continue };
            let Some(repair) = repair else { continue };
            if matches!(canonical.as_str(), "domain-name:value" | "url:value") {
                let object_type = match value {
                    Value::Ipv4(..) => "ipv4-addr",
                    Value::Ipv6(..) => "ipv6-addr",
                    Value::Text(..) => "",
                };
                if !object_type.is_empty() && !misplaced.contains(&object_type) {
                    misplaced.push(object_type);
                }
            }
            self.note(repair);
        }
        // What is not there cannot be said to differ: only a test for equality looks elsewhere too.
        if negated || op == Op::Ne {
            return Vec::new();
        }
        let elsewhere = |object_type: &str| Path {
            object_type: object_type.into(),
            field: of_path(&format!("{object_type}:value")),
            ..path.clone()
        };
        misplaced.into_iter().map(elsewhere).collect()
    }

    fn note(&mut self, repair: Repair) {
        let repair = Repair { span: self.span, ..repair };
        if self.noted.insert(repair.clone()) {
            self.all.push(repair);
        }
    }

    /// The key below `hashes` may be spelled in many ways, in patterns and in data.
    fn hash_name(&mut self, path: &mut Path) {
        let mut below_hashes = false;
        for step in &mut path.steps {
            let Step::Key { name, .. } = step else { continue };
            if !std::mem::replace(&mut below_hashes, **name == *"hashes") {
                continue;
            }
            let Some(canonical) = canonical_hash_name(name) else { continue };
            if **name != *canonical {
                self.note(Repair {
                    kind: RepairKind::HashName,
                    written: name.clone(),
                    read: canonical.into(),
                    span: self.span,
                });
            }
            *step = Step::Hash(canonical.into());
        }
    }

    fn file_path(&mut self, path: &mut Path) {
        let is_path = matches!(&*path.steps, [Step::Key { name, .. }] if **name == *"path");
        if *path.object_type == *"file" && is_path {
            path.steps = Box::new([Step::FilePath]);
            self.note(Repair {
                kind: RepairKind::FilePath,
                written: "file:path".into(),
                read: "file:parent_directory_ref.path and file:name".into(),
                span: self.span,
            });
        }
    }

    fn integers(&mut self, path: &Path, op: Op, operands: &mut [Operand]) {
        let [Step::Key { name, .. }] = &*path.steps else { return };
        let known = INTEGERS.iter().any(|(object, property)| **object == *path.object_type && **property == **name);
        if !known || matches!(op, Op::Like | Op::Matches | Op::IsSubset | Op::IsSuperset) {
            return;
        }
        for operand in operands {
            let Operand::Text(text, _) = operand else { continue };
            let digits = text.trim();
            let digits = if &**name == "number" { digits.trim_start_matches(['A', 'S', 'a', 's']) } else { digits };
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                continue;
            }
            if let Some(number) = Number::parse(digits) {
                let (written, read) = (text.clone(), digits.into());
                self.note(Repair { kind: RepairKind::IntegerAsText, written, read, span: self.span });
                *operand = Operand::Number(number);
            }
        }
    }
}

/// Folds a text where its field disregards case, for operators that compare parts of values.
pub(super) fn fold(field: Option<Field>, text: &str) -> std::borrow::Cow<'_, str> {
    if disregards_case(field) { text.to_lowercase().into() } else { text.into() }
}

/// Whether values of a field compare without regard to case. The path of a URL does not.
pub fn disregards_case(field: Option<Field>) -> bool {
    use crate::observable::Kind;
    field.and_then(|field| field.kinds.first()).is_some_and(|kind| *kind != Kind::Url)
}
