//! The operand of `MATCHES`: a regular expression of PCRE, sought anywhere in the value (STIX 2.1 section 9.6.1).
//!
//! The dot stands for line feeds too, values are compared in Unicode normal form C, and octets are matched without
//! Unicode. An expression that needs no backtracking runs in linear time. One that does (look-around,
//! back-references, atomic groups, possessive quantifiers, conditions) has a limit of steps; when it is reached
//! the answer is not known, which is said and not taken for a no.

use super::like::nfc;
use super::pcre::{Dialect, Failure, translate};

/// A compiled `MATCHES` operand.
///
/// ```
/// use stockade::compile::regex::Regex;
///
/// let secret = Regex::new(r"pass(?:word)?\s*=(?!\s*$)").unwrap();
/// assert_eq!(secret.is_match("a; password = x"), Ok(true));
/// assert_eq!(secret.is_match("a; password = "), Ok(false));
/// assert!(Regex::new("(a(?R)?b)").is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Regex {
    engine: Engine,
    required: Box<str>,
    octets: bool,
}

#[derive(Clone, Debug)]
enum Engine {
    Linear(Box<regex::Regex>),
    Backtracking(Box<fancy_regex::Regex>),
}

/// Steps of backtracking that one search may take: a few hundredths of a second.
const STEPS: usize = 1_000_000;
/// Memory that a compiled expression may take, in bytes.
const SIZE: usize = 4 << 20;

/// A search was given up at the limit of steps, so the answer is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepLimit;

impl Regex {
    /// Compiles an expression for text.
    ///
    /// # Errors
    /// Says what is wrong with it, or what it uses that is not supported: recursion and subroutine calls, callouts,
    /// branch reset, backtracking verbs.
    pub fn new(pattern: &str) -> Result<Self, String> {
        Self::compile(&nfc(pattern), false)
    }

    /// Compiles an expression for octets: a character up to U+00FF stands for the octet of that number.
    ///
    /// # Errors
    /// As for text.
    pub fn for_octets(pattern: &str) -> Result<Self, String> {
        Self::compile(pattern, true)
    }

    fn compile(pattern: &str, octets: bool) -> Result<Self, String> {
        let (translated, dialect) = match translate(pattern, Dialect::Plain, octets) {
            Ok(translated) => (translated, Dialect::Plain),
            Err(Failure::Refused(reason)) => return Err(reason),
            Err(Failure::NeedsFancy) => match translate(pattern, Dialect::Fancy, octets) {
                Ok(translated) => (translated, Dialect::Fancy),
                Err(Failure::Refused(reason)) => return Err(reason),
                Err(Failure::NeedsFancy) => return Err("the expression is not supported".to_owned()),
            },
        };
        let engine = if dialect == Dialect::Plain {
            let built = regex::RegexBuilder::new(&translated.text).size_limit(SIZE).dfa_size_limit(SIZE).build();
            Engine::Linear(Box::new(built.map_err(|error| linear_error(&error))?))
        } else {
            let built = fancy_regex::RegexBuilder::new(&translated.text)
                .backtrack_limit(STEPS)
                .delegate_size_limit(SIZE)
                .delegate_dfa_size_limit(SIZE)
                .build();
            Engine::Backtracking(Box::new(built.map_err(|error| format!("the expression is not supported: {error}"))?))
        };
        Ok(Self { engine, required: translated.required.into(), octets })
    }

    /// Whether the expression is found in a text.
    ///
    /// # Errors
    /// The limit of steps was reached.
    pub fn is_match(&self, value: &str) -> Result<bool, StepLimit> {
        self.search(&nfc(value))
    }

    /// Whether the expression is found in octets.
    ///
    /// # Errors
    /// The limit of steps was reached.
    pub fn is_match_octets(&self, value: &[u8]) -> Result<bool, StepLimit> {
        let text: String = value.iter().map(|&octet| char::from(octet)).collect();
        self.search(&text)
    }

    fn search(&self, value: &str) -> Result<bool, StepLimit> {
        match &self.engine {
            Engine::Linear(regex) => Ok(regex.is_match(value)),
            Engine::Backtracking(regex) => regex.is_match(value).map_err(|_| StepLimit),
        }
    }

    /// A run of characters that every value found holds, in lower case and to be sought without regard to the case
    /// of ASCII letters; empty if there is none. It is a fast first question, never the answer.
    pub fn required(&self) -> &str {
        if self.octets { "" } else { &self.required }
    }

    /// Whether it runs in time linear in the length of the value.
    pub fn is_linear(&self) -> bool {
        matches!(self.engine, Engine::Linear(_))
    }
}

fn linear_error(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "the expression is too big".to_owned(),
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or("").trim_start_matches("error: ");
            format!("the expression is not supported: {last}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_mean_what_they_mean_in_pcre() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("b+", &["abc"], &["ac"]),
            ("^b", &["bc"], &["abc", "a\nb"]),
            ("a.b", &["a\nb", "axb"], &["ab"]),
            ("(?-s)a.b", &["a\rb"], &["a\nb"]),
            ("b$", &["ab", "ab\n"], &["ab\n\n", "ba"]),
            ("b\\z", &["ab"], &["ab\n"]),
            ("b\\Z", &["ab", "ab\n"], &["ab\n\n"]),
            ("\\Ab", &["b"], &["ab"]),
            ("b$\\n", &["ab\n"], &["ab"]),
            ("(?m)^b$", &["a\nb\nc"], &["a\nbc"]),
            ("(?m)^\\z", &[""], &["a\n"]),
            ("\\d", &["1"], &["١"]),
            ("^\\w$", &["a", "_"], &["é"]),
            ("\\bcat\\b", &["a cat.", "écaté"], &["cats"]),
            ("(?=c)\\bcat\\b", &["a cat."], &["cats"]),
            ("\\Bat", &["cat"], &["at"]),
            ("a\\hb", &["a b", "a\tb", "a\u{a0}b"], &["ab", "afb"]),
            ("^\\H$", &["f"], &[" "]),
            ("a\\Rb", &["a\r\nb", "a\nb", "a\u{2028}b"], &["a\r\r\nb"]),
            ("a\\Vb", &["axb"], &["a\nb"]),
            ("a\\Nb", &["axb"], &["a\nb"]),
            ("a\\Kb", &["ab"], &["b"]),
            ("\\Qa.b\\E+", &["a.bb"], &["axb"]),
            ("\\Q.*", &["x.*"], &["xy"]),
            ("a\\Q\\Eb", &["ab"], &["a"]),
            ("[[:xdigit:]]{4}", &["beef"], &["been"]),
            ("[[:^digit:]]", &["a"], &["1"]),
            ("[]a]", &["]", "a"], &["b"]),
            ("[^]a]", &["b"], &["]"]),
            ("[a\\-z]", &["-"], &["m"]),
            ("[\\w-]", &["-"], &["."]),
            ("[a-\\d]", &["-", "5"], &["b"]),
            ("[\\b]", &["\u{8}"], &["b"]),
            ("[\\D]", &["a"], &["1"]),
            ("[[]", &["["], &["]"]),
            ("[a&&b]", &["&", "a"], &["c"]),
            ("[a~~b-]", &["~", "a", "b", "-"], &["c"]),
            ("[\\Qa-c\\E]", &["-"], &["b"]),
            ("(?i)StraSSe", &["strasse"], &["stra"]),
            ("(?i)É", &["é"], &["e"]),
            ("a(?i)b", &["aB"], &["AB"]),
            ("(a(?i)b)c", &["aBc"], &["aBC"]),
            ("(?i:a)b", &["Ab"], &["AB"]),
            ("(?i)[^a]", &["b"], &["A"]),
            ("(?i)a(?-i)b", &["Ab"], &["aB"]),
            ("(?x) a b # comment\n c", &["abc"], &["a b c"]),
            ("(?x)[a b]", &[" "], &["c"]),
            ("(?xx)[a b]", &["b"], &[" "]),
            ("a(?#no)b", &["ab"], &["a"]),
            ("(a)\\1", &["aa"], &["ab"]),
            ("(?i)(a)\\1", &["aA"], &["ab"]),
            ("(?P<q>['\"]).*?(?P=q)", &["'x'"], &["'x\""]),
            ("(?<q>a)\\k<q>", &["aa"], &["a"]),
            ("(?'q'a)\\k'q'\\g{q}", &["aaa"], &["aa"]),
            ("(a)(b)\\g{-1}\\g1", &["abba"], &["abab"]),
            ("(a)|\\1b", &["a"], &["b"]),
            ("a(?=b)", &["ab"], &["ac"]),
            ("a(?!b)", &["ac"], &["ab"]),
            ("(?<=a)b", &["ab"], &["cb"]),
            ("(?<!a)b", &["cb"], &["ab"]),
            ("(?>a+)ab", &[], &["aaab"]),
            ("a++b", &["aab"], &["aa"]),
            ("a++a", &[], &["aaa"]),
            ("a*+a", &[], &["aaa"]),
            ("a{2,3}+a", &["aaaa"], &["aaa"]),
            ("(?U)^a+?$", &["aaa"], &["b"]),
            ("^(a)?(?(1)b|c)$", &["ab", "c"], &["ac", "b"]),
            ("^(?(?=a)ab|cd)$", &["ab", "cd"], &["ad"]),
            ("^(?<n>a)?(?(<n>)b|c)$", &["ab", "c"], &["ac"]),
            ("a{,2}", &["a{,2}"], &["aa"]),
            ("a{x", &["a{x"], &["ax"]),
            ("x{2}", &["xx"], &["x"]),
            ("\\x41\\x{42}\\103\\o{104}", &["ABCD"], &["abcd"]),
            ("\\e\\cA\\0", &["\u{1b}\u{1}\0"], &["e"]),
            ("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\\10", &["abcdefghijj"], &["abcdefghij"]),
            ("\\12", &["\n"], &["a"]),
            ("\\p{Lu}", &["É"], &["é"]),
            ("\\P{Lu}", &["é"], &["É"]),
            ("\\p{^Lu}\\pL", &["éa"], &["ÉA"]),
            ("[\\p{Greek}x]", &["λ", "x"], &["l"]),
            ("\\p{L&}", &["a"], &["1"]),
            ("^.$", &["e\u{301}"], &["ab"]),
            ("e\u{301}", &["\u{e9}"], &["e"]),
            ("(?:a|b)(*FAIL)|c", &["c"], &["a"]),
            ("(*UTF8)é", &["é"], &["e"]),
            ("^*a", &["ba"], &["b"]),
            ("(?=a)*b", &["b"], &["a"]),
            ("\\-\\/\\ \\<\\é", &["-/ <é"], &["a"]),
            ("(?n)(a)(?<x>b)\\1", &["abb"], &["aba"]),
            ("(?^)a.b", &["axb"], &["a\nb"]),
            ("a#b c", &["a#b c"], &["a"]),
            ("C:\\\\\\Me", &["C:\\Me"], &["C:Me"]),
            ("[[:<:]]cat[[:>:]]", &["a cat"], &["cats"]),
            ("", &["", "a"], &[]),
            ("a||b", &["", "x"], &[]),
            ("(?:^a$|^b$)", &["a", "b\n"], &["ab"]),
            ("^a$|b", &["a\n", "xb"], &["ax"]),
        ];
        for (pattern, found, not_found) in cases {
            let regex = Regex::new(pattern).unwrap_or_else(|reason| panic!("{pattern}: {reason}"));
            for value in *found {
                assert_eq!(regex.is_match(value), Ok(true), "{value:?} MATCHES {pattern:?}");
                let lower = value.to_ascii_lowercase();
                let composed = nfc(&lower);
                assert!(composed.contains(regex.required()), "{pattern:?} requires {:?}", regex.required());
            }
            for value in *not_found {
                assert_eq!(regex.is_match(value), Ok(false), "{value:?} MATCHES {pattern:?}");
            }
        }
    }

    #[test]
    fn octets_are_matched_without_unicode() {
        let cases: &[(&str, &[u8], bool)] = &[
            ("^.$", &[0xff], true),
            ("^.$", "é".as_bytes(), false),
            ("^\\xff\\xFE", &[0xff, 0xfe, 0], true),
            ("ÿ", &[0xff], true),
            ("[\\x80-\\xff]{2}", &[0x80, 0xff], true),
            ("[^\\x80-\\xff]", &[0x80, 0xff], false),
            ("(?i)[a-c]X", b"Bx", true),
            ("(?i)é", &[0xc9], false),
            ("\\x00\\z", &[1, 0], true),
            ("(?<=\\x00)\\d\\b", &[0, b'7', 0xe9], true),
        ];
        for (pattern, value, expected) in cases {
            let regex = Regex::for_octets(pattern).unwrap_or_else(|reason| panic!("{pattern}: {reason}"));
            assert_eq!(regex.is_match_octets(value), Ok(*expected), "{value:?} MATCHES {pattern:?}");
        }
        assert!(Regex::for_octets("Ā").is_err());
        assert!(Regex::for_octets("\\x{100}").is_err());
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        let cases = [
            ("(a(?R)?b)", "recursion and subroutine calls are not supported"),
            ("(a)(?1)", "recursion and subroutine calls are not supported"),
            ("(?<n>a)(?&n)", "recursion and subroutine calls are not supported"),
            ("(?<n>a)(?P>n)", "recursion and subroutine calls are not supported"),
            ("(?<n>a)\\g<n>", "recursion and subroutine calls are not supported"),
            ("(?(DEFINE)(a))", "recursion and subroutine calls are not supported"),
            ("a(?C1)", "callouts are not supported"),
            ("(?|(a)|(b))", "branch reset (?| is not supported"),
            ("a(*SKIP)b", "the verb (*SKIP) is not supported"),
            ("(*CRLF)a", "the verb (*CRLF) is not supported"),
            ("a\\C", "\\C is not supported"),
            ("(", "a group is not closed"),
            ("a)", "a closing parenthesis has no opening one"),
            ("[a", "a class is not closed"),
            ("*a", "a quantifier follows nothing that it could repeat"),
            ("a**", "a quantifier follows nothing that it could repeat"),
            ("(*a)", "the verb (*a) is not supported"),
            ("[b-a]", "a range of characters is out of order"),
            ("a{3,2}", "the numbers of a quantifier are out of order"),
            ("a{70000}", "a number of repetitions is too big"),
            ("a\\", "the pattern ends with a backslash"),
            ("\\u0041", "\\u is not supported"),
            ("\\2(a)", "a reference names group 2, which is not there"),
            ("\\k<no>", "a reference names the group 'no', which is not there"),
            ("[[:no:]]", "there is no class [:no:]"),
            ("\\x{110000}", "there is no character with the code 0x110000"),
            ("(?<1a>b)", "a group has no proper name"),
            ("(?y)", "'y' after (? is not supported"),
            ("(((((((((((((((((((((((((((((((((((((((((((((((((a", "groups are nested too deeply"),
        ];
        for (pattern, reason) in cases {
            assert_eq!(Regex::new(pattern).map(|_| ()), Err(reason.to_owned()), "{pattern}");
        }
    }

    #[test]
    fn an_explosion_is_stopped_and_reported() {
        let regex = Regex::new("^(a|aa)+\\1?(?<=a)!$").unwrap_or_else(|reason| panic!("{reason}"));
        assert_eq!(regex.is_match(&format!("{}!x", "a".repeat(60))), Err(StepLimit));
        // Without look-around the same shape is linear.
        let regex = Regex::new("^(?:a+)+b$").unwrap_or_else(|reason| panic!("{reason}"));
        assert!(regex.is_linear());
        assert_eq!(regex.is_match(&"a".repeat(10_000)), Ok(false));
    }

    #[test]
    fn expressions_that_would_be_huge_are_refused() {
        assert!(Regex::new("((a{1000}){1000}){1000}").is_err());
        assert!(Regex::new("(?=x)((a{1000}){1000}){1000}").is_err());
    }

    #[test]
    fn required_runs_skip_what_may_be_missing() {
        let cases = [
            ("abcd?e", "abc"),
            ("abc|d", ""),
            ("(abc)de", "de"),
            ("(?i)exampleX", "examplex"),
            ("(?i)mask", "ma"),
            ("ab+cd", "cd"),
        ];
        for (pattern, required) in cases {
            let found = Regex::new(pattern).map(|regex| regex.required().to_owned());
            let first = found.unwrap_or_default();
            assert_eq!(first.len(), required.len(), "{pattern}: {first}");
        }
    }
}
