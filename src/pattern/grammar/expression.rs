//! The two levels of operators: comparison expressions inside brackets, observation expressions around them.
//!
//! Both are read with a stack of [`Chain`]s, one for each parenthesis or bracket that is open. A chain counts the
//! operands of each operator, from tight to loose, and writes the operator behind them when a looser one, or the end,
//! is met.

use super::literal::timestamp;
use super::test::parse_digits;
use super::token::{after_word, blank, word};
use super::{Grammar, Input, Parsed};
use crate::pattern::MAX_NESTING;
use crate::pattern::ast::{LiteralKind, Node, Qualifier, Span};
use crate::pattern::error::{Expected, Fault, What};
use crate::pattern::repair::RepairKind;

/// What is known of an open parenthesis or bracket: the operands so far of each operator that is under way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chain {
    /// Where it was opened.
    open: u32,
    /// Operands of the `AND` under way.
    and: u32,
    /// Finished operands of the `OR` under way.
    or: u32,
    /// Finished operands of the `FOLLOWEDBY` under way.
    followed: u32,
    /// Object types that the `AND` under way can be true of; a bit each.
    and_types: u64,
    /// Object types that the finished operands of `OR` can be true of.
    or_types: u64,
}

/// Which qualifiers an expression has.
#[derive(Default)]
struct Kinds {
    within: bool,
    repeats: bool,
    start: bool,
}

impl Grammar<'_, '_> {
    /// A whole pattern.
    pub(super) fn pattern(&mut self) -> Result<(), nom::Err<Fault>> {
        let mut input = blank(self.text)?.0;
        if lacks_brackets(input)? {
            return self.bare_pattern(input);
        }
        let mut chain = Chain::default();
        let base = self.buffers.chains.len();
        loop {
            // An operand,
            match input {
                [b'[', rest @ ..] => {
                    input = self.bracket(input, rest)?;
                    self.buffers.nodes.push(Node::Observation);
                }
                [b'(', rest @ ..] => {
                    self.open(&mut chain, input)?;
                    input = blank(rest)?.0;
                    continue;
                }
                _ => return Err(Fault::expected(Expected::Observation, input)),
            }
            // what closes behind it, with qualifiers on each,
            loop {
                input = self.qualifiers(input)?;
                match input {
                    [b')', rest @ ..] if self.buffers.chains.len() > base => {
                        self.end_observations(&chain);
                        self.close(&mut chain);
                        input = blank(rest)?.0;
                    }
                    [] if self.buffers.chains.len() == base => {
                        self.end_observations(&chain);
                        return Ok(());
                    }
                    [] => return Err(self.unclosed(&chain, input, What::OpenParenthesis)),
                    [b')' | b']', rest @ ..] => return Err(Fault::new(What::NotOpen, input, rest)),
                    _ => break,
                }
            }
            // and an operator.
            input = self.observation_operator(&mut chain, input)?;
        }
    }

    /// Reads an operator between observation expressions, and writes the tighter ones that it ends.
    fn observation_operator<'i>(&mut self, chain: &mut Chain, input: Input<'i>) -> Result<Input<'i>, nom::Err<Fault>> {
        chain.and += 1;
        let rest = if let Some(rest) = self.keyword(input, "AND") {
            rest
        } else if let Some(rest) = self.keyword(input, "OR") {
            chain.or += 1;
            self.n_ary(chain.and, Node::AllObserved);
            chain.and = 0;
            rest
        } else if let Some(rest) = self.keyword(input, "FOLLOWEDBY") {
            chain.followed += 1;
            self.n_ary(chain.and, Node::AllObserved);
            self.n_ary(chain.or + 1, Node::AnyObserved);
            (chain.and, chain.or) = (0, 0);
            rest
        } else {
            return Err(Fault::expected(Expected::AfterObservation, input));
        };
        Ok(blank(rest)?.0)
    }

    /// Writes the operators of a level of observations that ends behind an operand.
    fn end_observations(&mut self, chain: &Chain) {
        self.n_ary(chain.and + 1, Node::AllObserved);
        self.n_ary(chain.or + 1, Node::AnyObserved);
        self.n_ary(chain.followed + 1, Node::FollowedBy);
    }

    /// A comparison expression and its closing bracket; `open` begins with the bracket that opens it.
    fn bracket<'i>(&mut self, open: Input<'i>, rest: Input<'i>) -> Result<Input<'i>, nom::Err<Fault>> {
        let (rest, ()) = blank(rest)?;
        let (rest, chain) = self.comparisons(open, rest)?;
        match rest {
            [b']', rest @ ..] => Ok(blank(rest)?.0),
            [] => Err(self.unclosed(&chain, rest, What::OpenBracket)),
            [b')', after @ ..] => Err(Fault::new(What::NotOpen, rest, after)),
            _ => Err(Fault::expected(Expected::AfterTest, rest)),
        }
    }

    /// A comparison expression up to what cannot belong to it; `open` is where its bracket stands or should stand.
    fn comparisons<'i>(&mut self, open: Input<'i>, mut input: Input<'i>) -> Parsed<'i, Chain> {
        self.buffers.types.clear();
        let mut chain = Chain { open: self.at(open), ..Chain::default() };
        let base = self.buffers.chains.len();
        loop {
            // An operand,
            if let [b'(', rest @ ..] = input {
                self.open(&mut chain, input)?;
                input = blank(rest)?.0;
                continue;
            }
            let (rest, test) = self.test(input)?;
            let mut types = self.type_bit(test.path.object_type);
            let mut start = test.span.start;
            let mut end = rest;
            self.buffers.nodes.push(test.into());
            // what closes behind it,
            loop {
                if chain.and > 0 && chain.and_types & types == 0 {
                    return Err(self.across_types(chain.and_types, types, Span { start, end: self.at(end) }));
                }
                chain.and_types = if chain.and > 0 { chain.and_types & types } else { types };
                chain.and += 1;
                input = blank(end)?.0;
                let [b')', rest @ ..] = input else { break };
                if self.buffers.chains.len() == base {
                    break;
                }
                self.n_ary(chain.and, Node::And);
                self.n_ary(chain.or + 1, Node::Or);
                types = chain.and_types | chain.or_types;
                start = chain.open;
                end = rest;
                self.close(&mut chain);
            }
            // and an operator.
            match self.comparison_operator(&mut chain, input)? {
                Some(rest) => input = rest,
                None if self.buffers.chains.len() == base => {
                    self.n_ary(chain.and, Node::And);
                    self.n_ary(chain.or + 1, Node::Or);
                    return Ok((input, chain));
                }
                None if input.is_empty() => return Err(self.unclosed(&chain, input, What::OpenParenthesis)),
                None => return Err(Fault::expected(Expected::AfterTestInGroup, input)),
            }
        }
    }

    /// Reads an operator between comparison expressions, if there is one, and writes the tighter one that it ends.
    #[inline]
    fn comparison_operator<'i>(
        &mut self,
        chain: &mut Chain,
        input: Input<'i>,
    ) -> Result<Option<Input<'i>>, nom::Err<Fault>> {
        let rest = match input {
            [b']', ..] => return Ok(None),
            [b'A' | b'a', ..] => self.keyword(input, "AND"),
            [b'O' | b'o', ..] => {
                let rest = self.keyword(input, "OR");
                if rest.is_some() {
                    self.n_ary(chain.and, Node::And);
                    chain.or += 1;
                    chain.or_types |= chain.and_types;
                    (chain.and, chain.and_types) = (0, 0);
                }
                rest
            }
            _ => None,
        };
        rest.map(|rest| Ok(blank(rest)?.0)).transpose()
    }

    /// Opens a parenthesis, at which `input` begins.
    fn open(&mut self, chain: &mut Chain, input: Input<'_>) -> Result<(), nom::Err<Fault>> {
        if self.buffers.chains.len() >= MAX_NESTING {
            return Err(Fault::new(What::Nesting, input, &input[1..]));
        }
        let opened = Chain { open: self.at(input), ..Chain::default() };
        self.buffers.chains.push(std::mem::replace(chain, opened));
        Ok(())
    }

    /// Goes back to what was open around the current parenthesis.
    fn close(&mut self, chain: &mut Chain) {
        if let Some(outer) = self.buffers.chains.pop() {
            *chain = outer;
        }
    }

    /// Writes an operator of `n` operands; one operand needs none.
    #[inline]
    fn n_ary(&mut self, n: u32, operator: impl Fn(u32) -> Node) {
        if n > 1 {
            self.buffers.nodes.push(operator(n));
        }
    }

    /// The bit of an object type within the current brackets. Types from the 64th on share one, so that of so many
    /// some impossible `AND` may pass; it is still never true of anything.
    #[inline]
    fn type_bit(&mut self, object_type: Span) -> u64 {
        let name = self.bytes(object_type);
        let known = self.buffers.types.iter().position(|&known| self.bytes(known) == name);
        let number = known.unwrap_or_else(|| {
            if self.buffers.types.len() < 64 {
                self.buffers.types.push(object_type);
            }
            self.buffers.types.len() - 1
        });
        1 << number
    }

    /// The error for an `AND` of tests that no object can satisfy together.
    #[cold]
    fn across_types(&self, left: u64, right: u64, span: Span) -> nom::Err<Fault> {
        let name = |bits: u64| self.buffers.types.get(bits.trailing_zeros() as usize).copied().unwrap_or_default();
        let [from, to] = [span.start, span.end].map(|at| &self.text[at as usize..]);
        Fault::new(What::AcrossTypes { left: name(left), right: name(right) }, from, to)
    }

    /// The error for a text that ends while something is open.
    #[cold]
    fn unclosed(&self, chain: &Chain, end: Input<'_>, what: What) -> nom::Err<Fault> {
        let open = &self.text[chain.open as usize..];
        Fault::new(what, open, if open.is_empty() { end } else { &open[1..] })
    }

    /// Qualifiers behind an observation expression, and the white space after them.
    #[inline]
    fn qualifiers<'i>(&mut self, mut input: Input<'i>) -> Result<Input<'i>, nom::Err<Fault>> {
        let mut kinds = Kinds::default();
        while let [b'W' | b'R' | b'S' | b'w' | b'r' | b's', ..] = input {
            let (rest, (qualifier, had)) = self.qualifier(input, &mut kinds)?;
            if had {
                return Err(Fault::new(What::RepeatedQualifier, input, rest));
            }
            self.buffers.nodes.push(Node::Qualified(qualifier));
            input = blank(rest)?.0;
        }
        Ok(input)
    }

    /// One qualifier, and whether there was one of its kind.
    fn qualifier<'i>(&mut self, input: Input<'i>, kinds: &mut Kinds) -> Parsed<'i, (Qualifier, bool)> {
        if let Some(rest) = self.keyword(input, "WITHIN") {
            let (rest, qualifier) = self.within(rest)?;
            Ok((rest, (qualifier, std::mem::replace(&mut kinds.within, true))))
        } else if let Some(rest) = self.keyword(input, "REPEATS") {
            let (rest, qualifier) = self.repeats(rest)?;
            Ok((rest, (qualifier, std::mem::replace(&mut kinds.repeats, true))))
        } else if let Some(rest) = self.keyword(input, "START") {
            let (rest, qualifier) = self.start_stop(rest)?;
            Ok((rest, (qualifier, std::mem::replace(&mut kinds.start, true))))
        } else {
            Err(Fault::expected(Expected::AfterObservation, input))
        }
    }

    /// `x SECONDS`
    fn within<'i>(&mut self, input: Input<'i>) -> Parsed<'i, Qualifier> {
        let input = blank(input)?.0;
        let (rest, literal) = self.number(input)?;
        let digits = self.bytes(literal.span);
        if digits.starts_with(b"-") || !digits.iter().any(|digit| (b'1'..=b'9').contains(digit)) {
            return Err(Fault::new(What::Within, input, rest));
        }
        let seconds = self.buffers.literals.len() as u32;
        self.buffers.literals.push(literal);
        let rest = self.expect(rest, "SECONDS", Expected::Seconds)?;
        Ok((rest, Qualifier::Within { seconds }))
    }

    /// `n TIMES`
    fn repeats<'i>(&mut self, input: Input<'i>) -> Parsed<'i, Qualifier> {
        let input = blank(input)?.0;
        let (rest, literal) = self.number(input)?;
        let digits = self.bytes(literal.span);
        if literal.kind != LiteralKind::Integer || digits.starts_with(b"-") || digits.ends_with(b"+0") || digits == b"0"
        {
            return Err(Fault::new(What::Repeats, input, rest));
        }
        let times = parse_digits(digits).ok_or_else(|| Fault::new(What::TooLarge, input, rest))?;
        let rest = self.expect(rest, "TIMES", Expected::Times)?;
        Ok((rest, Qualifier::Repeats { times }))
    }

    /// `t'..' STOP t'..'`
    fn start_stop<'i>(&mut self, input: Input<'i>) -> Parsed<'i, Qualifier> {
        let from = blank(input)?.0;
        let start = self.buffers.literals.len() as u32;
        let rest = self.limit(from)?;
        let rest = self.expect(rest, "STOP", Expected::Stop)?;
        let rest = self.limit(blank(rest)?.0)?;
        if let [.., start, stop] = self.buffers.literals[..] {
            let [start, stop] = [start, stop].map(|literal| instant_key(self.bytes(literal.span)));
            if start >= stop {
                return Err(Fault::new(What::StartNotBeforeStop, from, rest));
            }
        }
        Ok((rest, Qualifier::StartStop { start, stop: start + 1 }))
    }

    /// A timestamp; also as plain string, which was how STIX 2.0 wrote it.
    fn limit<'i>(&mut self, input: Input<'i>) -> Result<Input<'i>, nom::Err<Fault>> {
        let (rest, mut literal) = match input {
            [b't' | b'\'' | 0x80..=0xff, ..] => self.literal(input)?,
            _ => return Err(Fault::expected(Expected::Timestamp, input)),
        };
        match literal.kind {
            LiteralKind::Timestamp => {}
            LiteralKind::String => {
                let text = self.bytes(literal.span);
                let behind = self.text.len() - literal.span.end as usize;
                timestamp(text).map_err(|error| error.map(|fault| fault.within(behind)))?;
                literal.kind = LiteralKind::Timestamp;
                self.repair(RepairKind::StartStopString, self.span(input, rest));
            }
            _ => return Err(Fault::expected(Expected::Timestamp, input)),
        }
        self.buffers.literals.push(literal);
        Ok(rest)
    }

    /// A keyword that must come next.
    fn expect<'i>(
        &mut self,
        input: Input<'i>,
        keyword: &'static str,
        expected: Expected,
    ) -> Result<Input<'i>, nom::Err<Fault>> {
        let input = blank(input)?.0;
        self.keyword(input, keyword).ok_or_else(|| Fault::expected(expected, input))
    }

    /// A comparison expression without brackets, which only the pragmatic reading knows; qualifiers may follow.
    #[cold]
    fn bare_pattern(&mut self, input: Input<'_>) -> Result<(), nom::Err<Fault>> {
        let no_brackets = || Fault::new(What::NoBrackets, input, after_word(input));
        if !self.pragmatic() {
            return Err(no_brackets());
        }
        let repairs = self.buffers.repairs.len();
        let (rest, _) = match self.comparisons(input, input) {
            // What does not even begin with a path and an operator is no comparison whose brackets are missing.
            Err(nom::Err::Error(fault)) if self.buffers.nodes.is_empty() && fault.is_before_value() => {
                return Err(no_brackets());
            }
            read => read?,
        };
        self.buffers.nodes.push(Node::Observation);
        self.repair(RepairKind::MissingBrackets, Span { start: self.at(input), end: self.at(rest) });
        self.buffers.repairs[repairs..].rotate_right(1);
        let rest = self.qualifiers(rest)?;
        match rest {
            [] => Ok(()),
            [b']' | b')', after @ ..] => Err(Fault::new(What::NotOpen, rest, after)),
            _ => Err(Fault::new(What::NoBrackets, rest, after_word(rest))),
        }
    }
}

/// Whether a pattern begins, behind parentheses, with a name instead of a bracket.
fn lacks_brackets(input: Input<'_>) -> Result<bool, nom::Err<Fault>> {
    if let [b'[', ..] = input {
        return Ok(false);
    }
    let mut input = input;
    while let [b'(', rest @ ..] = input {
        input = blank(rest)?.0;
    }
    Ok(word(input).is_ok())
}

/// Orders instants that were checked for their shape: their text without trailing zeros of the fraction.
fn instant_key(timestamp: &[u8]) -> (&[u8], &[u8]) {
    let (seconds, fraction) = timestamp.split_at(timestamp.len().min(19));
    let digits = fraction.strip_suffix(b"Z").unwrap_or(fraction);
    let zeros = digits.iter().rev().take_while(|&&digit| digit == b'0').count();
    let digits = &digits[..digits.len() - zeros];
    (seconds, if digits == b"." { b"" } else { digits })
}
