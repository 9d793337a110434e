//! Why a text is no pattern, and where.

use super::{MAX_BYTES, MAX_NESTING, Pattern, Reading, Span, caret};
use std::fmt;

/// Why a text is no pattern.
///
/// `Display` gives one line: what is wrong, what stood there, and, where that helps, what to do.
///
/// ```
/// use stockade::pattern::{Pattern, Reading};
///
/// let text = "[domain-name:value = evil.example]";
/// let error = Pattern::parse(text, Reading::Strict).unwrap_err();
/// assert_eq!(error.render(text), "\
/// expected a value, found `evil`
///   |
/// 1 | [domain-name:value = evil.example]
///   |                      ^^^^
///   = help: a string stands in single quotes: 'evil.example'
/// ");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    what: What,
    span: Span,
    message: Box<str>,
    help: Option<Box<str>>,
}

impl Error {
    /// Where in the text, in bytes; it always lies on the borders of characters. Empty at the end of the text.
    pub fn span(&self) -> Span {
        self.span
    }

    /// What is wrong, without the help.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it, where that is known.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The kind of error, for counting: a few words, the same for every pattern that it concerns.
    pub fn reason(&self) -> &'static str {
        match self.what {
            What::AcrossTypes { .. } => "AND across object types",
            What::Nesting | What::TooLong => "pattern beyond a limit",
            What::RepeatedQualifier | What::Within | What::Repeats | What::StartNotBeforeStop => "invalid qualifier",
            What::OrderedBoolean | What::MixedList => "invalid comparison",
            _ => "invalid pattern syntax",
        }
    }

    /// Several lines for a person: the message, the line of the text with a caret under the place, and the help. What
    /// cannot be shown is escaped, and of a long line only the surroundings are shown. `text` is what was parsed.
    pub fn render(&self, text: &str) -> String {
        let mut out = format!("{}\n{}", self.message, caret::excerpt(text, self.span));
        if let Some(help) = &self.help {
            out.push_str("  = help: ");
            out.push_str(help);
            out.push('\n');
        }
        out
    }

    pub(super) fn new(fault: Fault, text: &str) -> Self {
        let [mut start, mut end] = [fault.start, fault.end].map(|remains| text.len().saturating_sub(remains));
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        if let What::Expected(_) = fault.what {
            end = start + found(&text[start..]).len();
        }
        end = end.max(start);
        while !text.is_char_boundary(end) {
            end += 1;
        }
        let place = Place { text, start, end };
        let (message, help) = (message(fault.what, place), help(fault.what, place));
        let span = Span { start: start as u32, end: end as u32 };
        Self { what: fault.what, span, message: message.into(), help: help.map(Into::into) }
    }

    pub(super) fn too_long(bytes: usize) -> Self {
        let message = format!("{bytes} bytes are too long for a pattern; the limit is {MAX_BYTES}");
        Self { what: What::TooLong, span: Span::default(), message: message.into(), help: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "; {help}"))
    }
}

impl std::error::Error for Error {}

/// A failure inside the grammar, before the text is known to it. Places are counted in what remains of the text, the
/// one thing that every parser knows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fault {
    what: What,
    start: usize,
    end: usize,
}

impl Fault {
    /// A failure that ends a parse, from one input to a later one.
    #[cold]
    pub(super) fn new(what: What, from: &[u8], to: &[u8]) -> nom::Err<Self> {
        nom::Err::Error(Self { what, start: from.len(), end: to.len() })
    }

    /// Something else should stand where `input` begins.
    #[cold]
    pub(super) fn expected(what: Expected, input: &[u8]) -> nom::Err<Self> {
        Self::new(What::Expected(what), input, input)
    }

    /// Whether something is missing that stands before the value of a comparison.
    pub(super) fn is_before_value(&self) -> bool {
        use Expected::{Colon, Comparison, Operator, Property};
        matches!(self.what, What::Expected(Colon | Comparison | Operator | Property))
    }

    /// A failure in a part of the text that `behind` bytes follow.
    #[cold]
    pub(super) fn within(mut self, behind: usize) -> Self {
        self.start += behind;
        self.end += behind;
        self
    }
}

impl<'i> nom::error::ParseError<&'i [u8]> for Fault {
    fn from_error_kind(input: &'i [u8], _: nom::error::ErrorKind) -> Self {
        Self { what: What::default(), start: input.len(), end: input.len() }
    }

    fn append(_: &'i [u8], _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Expected(Expected),
    OpenComment,
    OpenString,
    OpenParenthesis,
    OpenBracket,
    NotOpen,
    Quotes,
    Escape,
    NoNumber,
    TooLarge,
    HexDigit,
    OddHex,
    Base64Digit,
    Base64Length,
    TimestampShape,
    TimestampRange,
    KeywordAsKey,
    KeywordAsType,
    HyphenInKey,
    NegativeIndex,
    OrderedBoolean,
    MixedList,
    NotBeforeTest,
    AcrossTypes { left: Span, right: Span },
    RepeatedQualifier,
    Within,
    Repeats,
    StartNotBeforeStop,
    NoBrackets,
    Nesting,
    TooLong,
}

impl Default for What {
    fn default() -> Self {
        Self::Expected(Expected::Name)
    }
}

/// What should stand at a place where something else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Observation,
    AfterObservation,
    Comparison,
    AfterTest,
    AfterTestInGroup,
    Colon,
    Path,
    Property,
    Index,
    IndexClose,
    Operator,
    Value,
    String,
    Number,
    List,
    ListNext,
    Timestamp,
    Stop,
    Seconds,
    Times,
    Name,
}

impl Expected {
    fn describe(self) -> &'static str {
        match self {
            Self::Observation => "`[` or `(`",
            Self::AfterObservation => "AND, OR, FOLLOWEDBY, a qualifier or the end of the pattern",
            Self::Comparison => "a comparison",
            Self::AfterTest => "AND, OR or `]`",
            Self::AfterTestInGroup => "AND, OR or `)`",
            Self::Colon => "`:` and a property after the object type",
            Self::Path => "an object path",
            Self::Property => "a property",
            Self::Index => "the number of an element or `*`",
            Self::IndexClose => "`]` after the index",
            Self::Operator => "a comparison operator",
            Self::Value => "a value",
            Self::String => "a string",
            Self::Number => "a number",
            Self::List => "`(` and a list of values",
            Self::ListNext => "`,` or `)` in the list",
            Self::Timestamp => "a timestamp",
            Self::Stop => "STOP",
            Self::Seconds => "SECONDS",
            Self::Times => "TIMES",
            Self::Name => "a name",
        }
    }
}

/// What a message is about.
#[derive(Clone, Copy)]
struct Place<'t> {
    text: &'t str,
    start: usize,
    end: usize,
}

impl<'t> Place<'t> {
    /// The text at the place.
    fn found(self) -> &'t str {
        &self.text[self.start..self.end]
    }

    /// The place, quoted for a message.
    fn quoted(self) -> String {
        let found = self.found();
        match found.chars().next() {
            None => "the end of the pattern".into(),
            Some(c) if caret::is_hidden(c) => format!("the character U+{:04X}", u32::from(c)),
            Some(_) => quote(found),
        }
    }

    /// Whether the place reads so, in any letters.
    fn is(self, words: &[&str]) -> bool {
        words.iter().any(|word| word.eq_ignore_ascii_case(self.found()))
    }

    /// The place and what is written without a gap behind it.
    fn unbroken(self) -> &'t str {
        let rest = &self.text[self.start..];
        let end = rest.find(|c: char| c.is_whitespace() || "[](),'\"".contains(c)).unwrap_or(rest.len());
        &rest[..end]
    }
}

/// A piece of the pattern in a message: not too long, nothing that a terminal could act upon.
fn quote(text: &str) -> String {
    const MOST: usize = 40;
    let mut shown: String = text.chars().take(MOST).map(|c| if caret::is_hidden(c) { '\u{FFFD}' } else { c }).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// What stands at the beginning of a text: a word or number, a string, or one character.
fn found(text: &str) -> &str {
    let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let word = text.find(|c: char| !in_word(c)).unwrap_or(text.len());
    let end = match text.chars().next() {
        Some('\'') => text[1..].find('\'').map_or(1, |close| close + 2),
        Some(c) => word.max(c.len_utf8()),
        None => 0,
    };
    &text[..end]
}

/// The line that says what is wrong.
fn message(what: What, place: Place<'_>) -> String {
    let quoted = place.quoted();
    let at = |span: Span| quote(place.text.get(span.start as usize..span.end as usize).unwrap_or_default());
    match what {
        What::Expected(expected) => format!("expected {}, found {quoted}", expected.describe()),
        What::OpenComment => "the comment that begins here has no end".into(),
        What::OpenString => "the string that begins here has no end".into(),
        What::OpenParenthesis => "the parenthesis opened here is not closed".into(),
        What::OpenBracket => "the bracket opened here is not closed".into(),
        What::NotOpen => format!("{quoted} closes nothing"),
        What::Quotes => format!("{quoted} is no quotation mark of the pattern language"),
        What::Escape => "a backslash in a string escapes only `'` and `\\`".into(),
        What::NoNumber => format!("{quoted} is no number"),
        What::TooLarge => format!("{quoted} is too large"),
        What::HexDigit => format!("{quoted} is no hexadecimal digit"),
        What::OddHex => "the hexadecimal digits do not come in pairs".into(),
        What::Base64Digit => format!("{quoted} does not belong here in base64"),
        What::Base64Length => "the base64 text is not whole".into(),
        What::TimestampShape => format!("{quoted} is no timestamp"),
        What::TimestampRange => format!("{quoted} is no time of the calendar"),
        What::KeywordAsKey => format!("the keyword {quoted} cannot be a property without quotes"),
        What::KeywordAsType => format!("the keyword {quoted} cannot be an object type"),
        What::HyphenInKey => format!("the property {quoted} holds a hyphen and needs quotes"),
        What::NegativeIndex => format!("the index {quoted} is negative"),
        What::OrderedBoolean => "true and false have no order".into(),
        What::MixedList => format!("{quoted} is of another type than the values before it in the list"),
        What::NotBeforeTest => "NOT stands between path and operator, or before EXISTS".into(),
        What::AcrossTypes { left, right } => {
            format!("AND of {} and {} in one pair of brackets can never be true", at(left), at(right))
        }
        What::RepeatedQualifier => format!("{quoted} is the second qualifier of its kind on one expression"),
        What::Within => format!("WITHIN takes a number above zero, not {quoted}"),
        What::Repeats => format!("REPEATS takes a whole number of at least 1, not {quoted}"),
        What::StartNotBeforeStop => "START is not before STOP".into(),
        What::NoBrackets => "a comparison stands in brackets".into(),
        What::Nesting => format!("more than {MAX_NESTING} parentheses are open here"),
        What::TooLong => "the pattern is too long".into(),
    }
}

/// How timestamps are written.
const TIMESTAMP: &str = "a timestamp is t'YYYY-MM-DDThh:mm:ssZ', with capital T and Z";

/// What to do about it.
fn help(what: What, place: Place<'_>) -> Option<String> {
    let found = place.found();
    let fixed = match what {
        What::Expected(expected) => return help_expected(expected, place),
        What::OpenString if place.text[place.start..].contains("\\'") => {
            "`\\'` is a quotation mark inside the string; a backslash at its end is written `\\\\`"
        }
        What::NotOpen if found == "]" => "there is no `[` before it that is open",
        What::NotOpen => "there is no `(` before it that is open",
        What::Quotes => "strings stand in single quotes: '...'",
        What::Escape => "a backslash itself is written `\\\\`",
        What::NoNumber => return Some(help_number(found)),
        What::Base64Length => {
            "it is four characters for every three octets, with `=` at the end where some are missing"
        }
        What::TimestampShape => TIMESTAMP,
        What::KeywordAsKey | What::HyphenInKey => return Some(format!("write '{found}'")),
        What::NegativeIndex => "the first element is [0], any element [*]",
        What::OrderedBoolean => "compare with = or !=",
        What::NotBeforeTest => "write `path NOT = value`; a whole expression cannot be negated",
        What::AcrossTypes { .. } => {
            "one object has one type: write OR, or `[..] AND [..]` if different objects are meant"
        }
        What::RepeatedQualifier => "put the expression in parentheses if both are meant",
        What::NoBrackets => return Some(help_brackets(place.text)),
        _ => return None,
    };
    Some(fixed.into())
}

fn help_expected(expected: Expected, place: Place<'_>) -> Option<String> {
    const KEYWORDS: [&str; 14] = [
        "AND",
        "OR",
        "NOT",
        "FOLLOWEDBY",
        "LIKE",
        "MATCHES",
        "ISSUPERSET",
        "ISSUBSET",
        "IN",
        "STOP",
        "SECONDS",
        "WITHIN",
        "REPEATS",
        "TIMES",
    ];
    let found = place.found();
    let fixed = match expected {
        Expected::Value | Expected::String if found.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            if place.is(&["true", "false"]) {
                return Some(format!("write {} in lower case", found.to_ascii_lowercase()));
            }
            return Some(help_quotes(place.unbroken()));
        }
        Expected::String => "LIKE, MATCHES, ISSUBSET and ISSUPERSET compare with a string in single quotes",
        Expected::Value => "values are 'text', numbers, true, false, t'..', h'..' and b'..'",
        Expected::Seconds if place.is(&["MINUTES", "HOURS", "DAYS", "MINUTE", "HOUR", "DAY", "MS"]) => {
            "spans of time are given in seconds"
        }
        Expected::Timestamp => TIMESTAMP,
        _ if KEYWORDS.iter().any(|keyword| *keyword != found && place.is(&[keyword])) => {
            return Some(format!("keywords are upper case: {}", found.to_ascii_uppercase()));
        }
        Expected::Operator if place.is(&["CONTAINS", "STARTSWITH", "ENDSWITH", "~"]) => {
            "write LIKE with `%` for any text: LIKE '%part%'"
        }
        Expected::Operator if place.is(&["REGEX", "REGEXP", "RLIKE"]) => "write MATCHES",
        Expected::Operator if place.is(&["IS", "EQUALS", "EQ"]) => "write =",
        Expected::Operator if found == "!" => "write != or NOT",
        Expected::Operator if found == "-" || found == ":" => "a property in quotes can hold any character",
        Expected::Operator if found == "]" => "compare the property with a value, or write EXISTS before the path",
        Expected::Operator if found == "EXISTS" => "EXISTS stands before the path",
        Expected::Colon => "a path is object type, `:` and property, as in domain-name:value",
        Expected::AfterTest | Expected::AfterTestInGroup | Expected::AfterObservation if found == "&" => "write AND",
        Expected::AfterTest | Expected::AfterTestInGroup | Expected::AfterObservation if found == "|" => "write OR",
        Expected::AfterTest | Expected::AfterTestInGroup if found == "," || found == ";" => "write AND or OR",
        Expected::AfterTest | Expected::AfterTestInGroup
            if place.text[..place.start].ends_with('\'') && found.starts_with(char::is_alphanumeric) =>
        {
            "a quotation mark inside a string is written `\\'`"
        }
        Expected::AfterObservation if found == "STOP" => "STOP follows START and its timestamp",
        Expected::AfterObservation if found == "FOLLOWED" => "write FOLLOWEDBY",
        Expected::AfterObservation if found == "[" || found == "(" => "join observations by AND, OR or FOLLOWEDBY",
        Expected::Comparison if found == "[" => "brackets do not nest; use parentheses inside them",
        Expected::Comparison if place.is(&["]"]) => "write [object-type:property = 'value']",
        Expected::Observation => return Some(help_brackets(place.text)),
        _ => return None,
    };
    Some(fixed.into())
}

/// For what begins as a number and is none.
fn help_number(found: &str) -> String {
    let digits = found.trim_start_matches(['+', '-']);
    if digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        "a number has no leading zeros".into()
    } else if found.ends_with('.') {
        "behind the dot of a number stand digits".into()
    } else if digits.get(4..5) == Some("-") {
        TIMESTAMP.into()
    } else if digits.bytes().all(|byte| byte.is_ascii_digit() || b"eE+-".contains(&byte)) {
        "write the number out, without exponent".into()
    } else {
        help_quotes(found)
    }
}

/// For a string without quotes.
fn help_quotes(value: &str) -> String {
    if value.chars().count() > 80 || value.contains(caret::is_hidden) {
        "a string stands in single quotes".into()
    } else {
        format!("a string stands in single quotes: '{value}'")
    }
}

/// For a text that does not begin as a pattern.
fn help_brackets(text: &str) -> String {
    let other = ["rule ", "alert ", "title:", "detection:", "import \""];
    let text = text.trim();
    let bracketed = format!("[{text}]");
    if other.iter().any(|beginning| text.starts_with(beginning)) {
        "this looks like another pattern language, which `pattern_type` would name".into()
    } else if text.len() < 80 && !text.contains(caret::is_hidden) && Pattern::parse(&bracketed, Reading::Strict).is_ok()
    {
        format!("write {bracketed}")
    } else {
        "a pattern is [object-type:property = 'value']".into()
    }
}
