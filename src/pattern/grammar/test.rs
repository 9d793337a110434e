//! Object paths and the tests on them: `path NOT? op literal`, `NOT? EXISTS path`.

use super::token::{blank, integer, is_keyword, quoted, symbol, word};
use super::{Grammar, Input, Parsed};
use crate::pattern::ast::{LiteralKind, Node, Op, Path, Span, Step, Test};
use crate::pattern::error::{Expected, Fault, What};
use crate::pattern::repair::RepairKind;
use nom::Parser;
use nom::sequence::preceded;

/// Operators that are words.
const WORD_OPS: [(&str, Op); 5] = [
    ("IN", Op::In),
    ("LIKE", Op::Like),
    ("MATCHES", Op::Matches),
    ("ISSUBSET", Op::IsSubset),
    ("ISSUPERSET", Op::IsSuperset),
];

impl Grammar<'_, '_> {
    /// One test. What remains begins with a name.
    pub(super) fn test<'i>(&mut self, input: Input<'i>) -> Parsed<'i, Test> {
        let (after, first) = word(input).map_err(|_| Fault::expected(Expected::Comparison, input))?;
        let (rest, ()) = blank(after)?;
        match rest {
            [b':', rest @ ..] => self.comparison(input, self.span(input, after), rest),
            _ => self.existence(input, first),
        }
    }

    /// The test behind `type:`, which is behind `input`.
    #[inline]
    fn comparison<'i>(&mut self, input: Input<'i>, object_type: Span, rest: Input<'i>) -> Parsed<'i, Test> {
        if is_keyword(self.bytes(object_type)) {
            return Err(Fault::new(
                What::KeywordAsType,
                input,
                &input[(object_type.end - object_type.start) as usize..],
            ));
        }
        let (rest, (path, _)) = self.path(object_type, rest)?;
        let (rest, negated) = self.negation(rest)?;
        let (rest, op) = self.operator(rest)?;
        let first_literal = self.buffers.literals.len() as u32;
        let rest = blank(rest)?.0;
        let (rest, ()) = match op {
            Op::In => self.list(rest)?,
            Op::Like | Op::Matches | Op::IsSubset | Op::IsSuperset => {
                let (after, literal) = self.string(rest)?;
                self.buffers.literals.push(literal);
                (after, ())
            }
            _ => {
                let (after, literal) = self.literal(rest)?;
                if literal.kind == LiteralKind::Boolean && !matches!(op, Op::Eq | Op::Ne) {
                    return Err(Fault::new(What::OrderedBoolean, rest, after));
                }
                self.buffers.literals.push(literal);
                (after, ())
            }
        };
        let literals = self.buffers.literals.len() as u32 - first_literal;
        Ok((rest, Test { path, negated, op, first_literal, literals, span: self.span(input, rest) }))
    }

    /// `NOT? EXISTS path`; the first word of `input` is given.
    fn existence<'i>(&mut self, input: Input<'i>, first: &[u8]) -> Parsed<'i, Test> {
        let (rest, negated) = self.keyword(input, "NOT").map_or((input, false), |rest| (rest, true));
        let rest = blank(rest)?.0;
        let Some(rest) = self.keyword(rest, "EXISTS") else {
            if negated {
                return Err(Fault::new(What::NotBeforeTest, input, &input[3..]));
            }
            return Err(Fault::expected(Expected::Colon, blank(&input[first.len()..])?.0));
        };
        let rest = blank(rest)?.0;
        let (after, object_type) = word(rest).map_err(|_| Fault::expected(Expected::Path, rest))?;
        if is_keyword(object_type) {
            return Err(Fault::new(What::KeywordAsType, rest, after));
        }
        let object_type = self.span(rest, after);
        let (colon, ()) = blank(after)?;
        let (rest, ()) = symbol(":", Expected::Colon)(colon)?;
        let (rest, (path, end)) = self.path(object_type, rest)?;
        let first_literal = self.buffers.literals.len() as u32;
        let span = Span { start: self.at(input), end };
        Ok((rest, Test { path, negated, op: Op::Exists, first_literal, literals: 0, span }))
    }

    /// The steps of a path behind the colon, and where the last one ends; skips the white space after it.
    #[inline]
    fn path<'i>(&mut self, object_type: Span, input: Input<'i>) -> Parsed<'i, (Path, u32)> {
        let first_step = self.buffers.steps.len() as u32;
        let (mut rest, ()) = self.key(input, false)?;
        loop {
            let end = self.at(rest);
            let (next, ()) = blank(rest)?;
            (rest, ()) = match next {
                [b'.', key @ ..] => self.key(key, self.after_hashes())?,
                [b'[', index @ ..] => self.index(index)?,
                _ => {
                    let steps = self.buffers.steps.len() as u32 - first_step;
                    return Ok((next, (Path { object_type, first_step, steps }, end)));
                }
            };
        }
    }

    /// Whether the last step is the dictionary of hashes.
    #[inline]
    fn after_hashes(&self) -> bool {
        matches!(self.buffers.steps.last(), Some(Step::Key { span, .. }) if self.bytes(*span) == b"hashes")
    }

    /// A key, in quotes or not, after white space.
    #[inline]
    fn key<'i>(&mut self, input: Input<'i>, of_hashes: bool) -> Parsed<'i, ()> {
        let (input, ()) = blank(input)?;
        if let [b'\'', ..] = input {
            let (rest, (text, escaped)) = quoted(input)?;
            let start = self.at(input) + 1;
            self.buffers.steps.push(Step::Key { span: Span { start, end: start + text.len() as u32 }, escaped });
            return Ok((rest, ()));
        }
        if let [b'"' | b'`' | 0x80..=0xff, ..] = input {
            let (rest, key) = self.smart_string(input, Expected::Property)?;
            self.buffers.steps.push(Step::Key { span: key.span, escaped: key.escaped });
            return Ok((rest, ()));
        }
        let (rest, key) = word(input).map_err(|_| Fault::expected(Expected::Property, input))?;
        if is_keyword(key) {
            return Err(Fault::new(What::KeywordAsKey, input, rest));
        }
        let span = self.span(input, rest);
        if key.contains(&b'-') {
            if !(self.pragmatic() && of_hashes) {
                return Err(Fault::new(What::HyphenInKey, input, rest));
            }
            self.repair(RepairKind::UnquotedHashKey, span);
        }
        self.buffers.steps.push(Step::Key { span, escaped: false });
        Ok((rest, ()))
    }

    /// `n]` or `*]`
    fn index<'i>(&mut self, input: Input<'i>) -> Parsed<'i, ()> {
        let (input, ()) = blank(input)?;
        let (rest, step) = if let [b'*', rest @ ..] = input {
            (rest, Step::Any)
        } else {
            let (rest, digits) = integer(input).map_err(|_| Fault::expected(Expected::Index, input))?;
            if digits.starts_with(b"-") {
                return Err(Fault::new(What::NegativeIndex, input, rest));
            }
            let index = parse_digits(digits).and_then(|index| i64::try_from(index).ok());
            (rest, Step::Index(index.ok_or_else(|| Fault::new(What::TooLarge, input, rest))?))
        };
        self.buffers.steps.push(step);
        preceded(blank, symbol("]", Expected::IndexClose)).parse(rest)
    }

    /// `NOT` before an operator.
    #[inline]
    fn negation<'i>(&mut self, input: Input<'i>) -> Parsed<'i, bool> {
        match input {
            [b'N' | b'n', ..] => match self.keyword(input, "NOT") {
                Some(rest) => Ok((blank(rest)?.0, true)),
                None => Ok((input, false)),
            },
            _ => Ok((input, false)),
        }
    }

    /// A comparison operator.
    #[inline]
    fn operator<'i>(&mut self, input: Input<'i>) -> Parsed<'i, Op> {
        match input {
            [b'=', b'=', rest @ ..] | [b'=', rest @ ..] => Ok((rest, Op::Eq)),
            [b'!', b'=', rest @ ..] | [b'<', b'>', rest @ ..] => Ok((rest, Op::Ne)),
            [b'<', b'=', rest @ ..] => Ok((rest, Op::Le)),
            [b'>', b'=', rest @ ..] => Ok((rest, Op::Ge)),
            [b'<', rest @ ..] => Ok((rest, Op::Lt)),
            [b'>', rest @ ..] => Ok((rest, Op::Gt)),
            _ => {
                let found = WORD_OPS.iter().find_map(|&(name, op)| Some((self.keyword(input, name)?, op)));
                found.ok_or_else(|| Fault::expected(Expected::Operator, input))
            }
        }
    }

    /// `( literal, ... )`, all of one type, possibly empty.
    fn list<'i>(&mut self, input: Input<'i>) -> Parsed<'i, ()> {
        let (rest, ()) = symbol("(", Expected::List)(input)?;
        let mut rest = blank(rest)?.0;
        if let [b')', rest @ ..] = rest {
            return Ok((rest, ()));
        }
        let mut kind = None;
        loop {
            let (after, literal) = self.literal(rest)?;
            if *kind.get_or_insert(literal.kind) != literal.kind {
                return Err(Fault::new(What::MixedList, rest, after));
            }
            self.buffers.literals.push(literal);
            rest = match blank(after)?.0 {
                [b')', rest @ ..] => return Ok((rest, ())),
                [b',', rest @ ..] => blank(rest)?.0,
                other => return Err(Fault::expected(Expected::ListNext, other)),
            };
        }
    }

    /// What follows a keyword, if it stands here. The pragmatic reading takes it in any letters and records that.
    #[inline]
    pub(super) fn keyword<'i>(&mut self, input: Input<'i>, keyword: &'static str) -> Option<Input<'i>> {
        let (rest, found) = word(input).ok()?;
        if found == keyword.as_bytes() {
            return Some(rest);
        }
        if self.pragmatic() && found.eq_ignore_ascii_case(keyword.as_bytes()) {
            self.repair(RepairKind::KeywordCase(keyword), self.span(input, rest));
            return Some(rest);
        }
        None
    }
}

/// The value of digits behind an optional plus.
pub(super) fn parse_digits(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

impl From<Test> for Node {
    fn from(test: Test) -> Self {
        Self::Test(test)
    }
}
