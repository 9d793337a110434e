//! A second evaluator, written to be obviously right and nothing else: it walks the syntax tree, tries every way of
//! choosing observations, and shares no code with the real one but the parser and the reading of data.

use serde_json::Value;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use stockade::pattern::ast::{Ast, Literal, LiteralKind, Node, Op, Qualifier, Step, Test};
use stockade::stix::observed::Object;
use stockade::stix::{ObservedData, Timestamp};

/// One way to satisfy an expression: which instances of which observations.
type Binding = BTreeSet<(usize, u64)>;

/// Whether a pattern matches.
pub(crate) fn matches(ast: &Ast<'_>, observations: &[ObservedData]) -> bool {
    let mut brackets: Vec<Vec<Node>> = vec![Vec::new()];
    let mut stack: Vec<Vec<Binding>> = Vec::new();
    for node in ast.nodes {
        match node {
            Node::Test(_) | Node::And(_) | Node::Or(_) => brackets.last_mut().expect("never empty").push(*node),
            Node::Observation => {
                let comparison = brackets.pop().expect("never empty");
                brackets.push(Vec::new());
                let mut bindings = Vec::new();
                for (index, observation) in observations.iter().enumerate() {
                    if observation.objects.iter().any(|object| comparison_holds(ast, &comparison, observation, object))
                    {
                        bindings.extend((0..observation.count).map(|copy| Binding::from([(index, copy)])));
                    }
                }
                stack.push(bindings);
            }
            Node::AllObserved(n) => {
                let sides = stack.split_off(stack.len() - *n as usize);
                stack.push(sides.into_iter().reduce(|a, b| joined(&a, &b, |_, _| true)).expect("operands"));
            }
            Node::AnyObserved(n) => {
                let sides = stack.split_off(stack.len() - *n as usize);
                stack.push(sides.concat());
            }
            Node::FollowedBy(n) => {
                let sides = stack.split_off(stack.len() - *n as usize);
                let in_order = |a: &Binding, b: &Binding| match (times(a, observations), times(b, observations)) {
                    (Some((_, last)), Some((first, _))) => last <= first,
                    _ => false,
                };
                stack.push(sides.into_iter().reduce(|a, b| joined(&a, &b, in_order)).expect("operands"));
            }
            Node::Qualified(qualifier) => {
                let inner = stack.pop().expect("an operand");
                stack.push(qualified(ast, qualifier, &inner, observations));
            }
        }
    }
    !stack.pop().expect("a root").is_empty()
}

fn joined(left: &[Binding], right: &[Binding], allowed: impl Fn(&Binding, &Binding) -> bool) -> Vec<Binding> {
    let mut all = BTreeSet::new();
    for a in left {
        for b in right {
            if a.is_disjoint(b) && allowed(a, b) {
                all.insert(a | b);
            }
        }
    }
    all.into_iter().collect()
}

fn qualified(ast: &Ast<'_>, qualifier: &Qualifier, inner: &[Binding], observations: &[ObservedData]) -> Vec<Binding> {
    let text = |index: u32| ast.slice(ast.literals[index as usize].span);
    match *qualifier {
        Qualifier::Repeats { times } => (1..times).fold(inner.to_vec(), |all, _| joined(&all, inner, |_, _| true)),
        Qualifier::Within { seconds } => {
            let limit: f64 = text(seconds).parse().expect("a number");
            let nanos = |time: Timestamp| i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos);
            // Exact enough for the small numbers of these tests.
            let limit = (limit * 1e9).round() as i128;
            let near = |binding: &&Binding| {
                times(binding, observations).is_some_and(|(first, last)| nanos(last) < nanos(first) + limit)
            };
            inner.iter().filter(near).cloned().collect()
        }
        Qualifier::StartStop { start, stop } => {
            let (start, stop) = (Timestamp::parse(text(start)), Timestamp::parse(text(stop)));
            let (start, stop) = (start.expect("a time"), stop.expect("a time"));
            let inside = |binding: &&Binding| {
                times(binding, observations).is_some_and(|(first, last)| start <= first && last < stop)
            };
            inner.iter().filter(inside).cloned().collect()
        }
    }
}

/// The earliest and latest instant of a binding; nothing if some observation has no times.
fn times(binding: &Binding, observations: &[ObservedData]) -> Option<(Timestamp, Timestamp)> {
    let all: Option<Vec<_>> = binding.iter().map(|(index, _)| observations[*index].times).collect();
    let all = all?;
    Some((all.iter().map(|(first, _)| *first).min()?, all.iter().map(|(_, last)| *last).max()?))
}

fn comparison_holds(ast: &Ast<'_>, comparison: &[Node], observation: &ObservedData, object: &Object) -> bool {
    let mut stack = Vec::new();
    for node in comparison {
        match node {
            Node::Test(test) => stack.push(test_holds(ast, test, observation, object)),
            Node::And(n) => {
                let all = stack.split_off(stack.len() - *n as usize).into_iter().all(|holds| holds);
                stack.push(all);
            }
            Node::Or(n) => {
                let any = stack.split_off(stack.len() - *n as usize).into_iter().any(|holds| holds);
                stack.push(any);
            }
            _ => unreachable!("only comparisons stand in brackets"),
        }
    }
    stack.pop().expect("a result")
}

fn test_holds(ast: &Ast<'_>, test: &Test, observation: &ObservedData, object: &Object) -> bool {
    if object.object_type() != ast.object_type(test.path) {
        return false;
    }
    let whole = Value::Object((*object.properties).clone());
    let steps = ast.path_steps(test.path);
    let values = walk(ast, steps, None, whole, observation);
    if test.op == Op::Exists {
        return values.is_empty() == test.negated;
    }
    let last_key = steps.iter().rev().find_map(|step| match step {
        Step::Key { span, escaped } => Some(ast.key(*span, *escaped).into_owned()),
        _ => None,
    });
    let last_key = last_key.unwrap_or_default();
    let literals = ast.test_literals(test);
    let holds = |value: &Value| {
        let result = match test.op {
            Op::Eq | Op::In => {
                literals.iter().any(|literal| ordering(ast, literal, &last_key, value).is_some_and(Ordering::is_eq))
            }
            Op::Ne => !ordering(ast, &literals[0], &last_key, value).is_some_and(Ordering::is_eq),
            Op::Lt => ordering(ast, &literals[0], &last_key, value).is_some_and(Ordering::is_lt),
            Op::Le => ordering(ast, &literals[0], &last_key, value).is_some_and(Ordering::is_le),
            Op::Gt => ordering(ast, &literals[0], &last_key, value).is_some_and(Ordering::is_gt),
            Op::Ge => ordering(ast, &literals[0], &last_key, value).is_some_and(Ordering::is_ge),
            Op::Like => value.as_str().is_some_and(|value| {
                let operand: Vec<char> = ast.string(&literals[0]).chars().collect();
                like(&operand, &value.chars().collect::<Vec<_>>())
            }),
            Op::Matches => value.as_str().is_some_and(|value| {
                let regex = format!("(?s){}", ast.string(&literals[0]));
                regex::Regex::new(&regex).expect("a simple expression").is_match(value)
            }),
            Op::IsSubset => subnet(value.as_str().unwrap_or(""), &ast.string(&literals[0])),
            Op::IsSuperset => subnet(&ast.string(&literals[0]), value.as_str().unwrap_or("")),
            Op::Exists => unreachable!("handled above"),
        };
        result != test.negated
    };
    values.iter().any(holds)
}

/// All values that the rest of a path names. `before` is the last key.
fn walk(
    ast: &Ast<'_>,
    steps: &[Step],
    before: Option<(&str, bool)>,
    at: Value,
    observation: &ObservedData,
) -> Vec<Value> {
    let Some((step, rest)) = steps.split_first() else {
        return if at.is_null() { Vec::new() } else { vec![at] };
    };
    match step {
        Step::Key { span, escaped } => {
            let key = ast.key(*span, *escaped).into_owned();
            let hops = before.is_some_and(|(name, indexed)| {
                (name.ends_with("_ref") && !indexed) || (name.ends_with("_refs") && indexed)
            });
            let map = match at {
                Value::String(id) if hops => match observation.objects.iter().find(|object| *object.key == *id) {
                    Some(found) => (*found.properties).clone(),
                    None => return Vec::new(),
                },
                Value::Object(map) => map,
                _ => return Vec::new(),
            };
            let Some(next) = map.get(&key).cloned() else { return Vec::new() };
            walk(ast, rest, Some((&key, false)), next, observation)
        }
        Step::Index(index) => {
            let next = usize::try_from(*index).ok().and_then(|index| at.as_array()?.get(index).cloned());
            next.map_or(Vec::new(), |next| walk(ast, rest, before.map(|(name, _)| (name, true)), next, observation))
        }
        Step::Any => {
            let list = at.as_array().cloned().unwrap_or_default();
            let before = before.map(|(name, _)| (name, true));
            list.into_iter().flat_map(|next| walk(ast, rest, before, next, observation)).collect()
        }
    }
}

/// How a value compares with a literal, if their types compare.
fn ordering(ast: &Ast<'_>, literal: &Literal, key: &str, value: &Value) -> Option<Ordering> {
    let text = ast.string(literal);
    match literal.kind {
        LiteralKind::Boolean => value.as_bool().map(|value| value.cmp(&(*text == *"true"))),
        LiteralKind::Integer | LiteralKind::Float => {
            // The numbers of these tests are small, so doubles hold them.
            value.as_f64()?.partial_cmp(&text.parse().expect("a number"))
        }
        LiteralKind::Timestamp => {
            Some(Timestamp::parse(value.as_str()?).ok()?.cmp(&Timestamp::parse(&text).expect("a time")))
        }
        LiteralKind::String | LiteralKind::Hex | LiteralKind::Binary => {
            let value = value.as_str()?;
            let octets = match () {
                () if key.ends_with("_hex") => Some(hex(value)?),
                () if key.ends_with("_bin") => Some(base64(value)?),
                () => None,
            };
            match (octets, literal.kind) {
                (Some(octets), LiteralKind::String) => Some(octets.cmp(&latin_1(&text)?)),
                (Some(octets), LiteralKind::Hex) => Some(octets.cmp(&hex(&text)?)),
                (Some(octets), _) => Some(octets.cmp(&base64(&text)?)),
                (None, LiteralKind::String) => Some(value.chars().cmp(text.chars())),
                (None, LiteralKind::Hex) => Some(latin_1(value)?.cmp(&hex(&text)?)),
                (None, _) => Some(latin_1(value)?.cmp(&base64(&text)?)),
            }
        }
    }
}

fn latin_1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(c as u32).ok()).collect()
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

fn base64(text: &str) -> Option<Vec<u8>> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Option<String> =
        text.trim_end_matches('=').chars().map(|c| DIGITS.find(c).map(|digit| format!("{digit:06b}"))).collect();
    let bits = bits?;
    (0..bits.len() / 8).map(|at| u8::from_str_radix(&bits[at * 8..at * 8 + 8], 2).ok()).collect()
}

fn like(operand: &[char], value: &[char]) -> bool {
    match operand.split_first() {
        None => value.is_empty(),
        Some(('%', rest)) => (0..=value.len()).any(|skipped| like(rest, &value[skipped..])),
        Some((wanted, rest)) => {
            value.split_first().is_some_and(|(found, after)| (*wanted == '_' || wanted == found) && like(rest, after))
        }
    }
}

/// Whether an IPv4 address or prefix lies inside another.
fn subnet(inner: &str, outer: &str) -> bool {
    let parse = |text: &str| {
        let (address, length) = text.split_once('/').unwrap_or((text, "32"));
        let address: std::net::Ipv4Addr = address.parse().ok()?;
        let length: u32 = length.parse().ok().filter(|length| *length <= 32)?;
        Some((u64::from(u32::from(address)), length))
    };
    let (Some((inner, inner_length)), Some((outer, outer_length))) = (parse(inner), parse(outer)) else { return false };
    let size = 1_u64 << (32 - outer_length);
    inner_length >= outer_length && inner / size == outer / size
}
