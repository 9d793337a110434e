//! Syntax tree to text: one canonical spelling for every tree.
//!
//! Operands stand in postfix order as they stand in the text, so one pass finds what goes before each test
//! (operators, parentheses, the bracket) and behind each node, and a second pass writes it all. Nothing recurses.

use super::ast::{Ast, Literal, LiteralKind, Node, Op, Qualifier, Span, Step, Test};
use super::grammar::is_plain_key;
use std::fmt::{self, Write};

/// How tightly an expression binds, from loose to tight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Level {
    FollowedBy,
    Or,
    And,
    #[default]
    Single,
}

/// A finished expression: the node it begins and the node it ends with.
#[derive(Clone, Copy, Default)]
struct Operand {
    first: usize,
    last: usize,
    level: Level,
    /// Which qualifiers it ends with, a bit each; parentheses hide them.
    qualifiers: u8,
}

/// What is written around a node, besides itself.
#[derive(Clone, Copy, Default)]
struct Around {
    /// The operator in front, which is outside of all parentheses.
    operator: Option<&'static str>,
    /// Parentheses that open in front of the bracket.
    outer: u32,
    bracket: bool,
    /// Parentheses that open inside the bracket.
    inner: u32,
    /// Whether a parenthesis closes behind.
    close: bool,
}

/// Writes the canonical text of a tree.
pub(super) fn write(ast: &Ast<'_>, out: &mut impl Write) -> fmt::Result {
    let around = arrange(ast.nodes);
    for (node, around) in ast.nodes.iter().zip(&around) {
        if let Some(operator) = around.operator {
            write!(out, " {operator} ")?;
        }
        (0..around.outer).try_for_each(|_| out.write_char('('))?;
        if around.bracket {
            out.write_char('[')?;
        }
        (0..around.inner).try_for_each(|_| out.write_char('('))?;
        match node {
            Node::Test(test) => write_test(ast, test, out)?,
            Node::Observation => out.write_char(']')?,
            Node::Qualified(qualifier) => write_qualifier(ast, *qualifier, out)?,
            Node::And(_) | Node::Or(_) | Node::AllObserved(_) | Node::AnyObserved(_) | Node::FollowedBy(_) => {}
        }
        if around.close {
            out.write_char(')')?;
        }
    }
    Ok(())
}

/// Finds what stands around every node.
fn arrange(nodes: &[Node]) -> Vec<Around> {
    let mut around = vec![Around::default(); nodes.len()];
    let mut stack: Vec<Operand> = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        let mut join = |level, operator, n: u32, in_bracket| {
            let from = stack.len().saturating_sub(n as usize);
            for (i, operand) in stack[from..].iter().enumerate() {
                if operand.level <= level {
                    parenthesise(&mut around, *operand, in_bracket);
                }
                if i > 0 {
                    around[operand.first].operator = Some(operator);
                }
            }
            let first = stack.get(from).map_or(at, |operand| operand.first);
            stack.truncate(from);
            stack.push(Operand { first, last: at, level, qualifiers: 0 });
        };
        match *node {
            Node::Test(_) => stack.push(Operand { first: at, last: at, ..Operand::default() }),
            Node::And(n) => join(Level::And, "AND", n, true),
            Node::Or(n) => join(Level::Or, "OR", n, true),
            Node::AllObserved(n) => join(Level::And, "AND", n, false),
            Node::AnyObserved(n) => join(Level::Or, "OR", n, false),
            Node::FollowedBy(n) => join(Level::FollowedBy, "FOLLOWEDBY", n, false),
            Node::Observation => {
                let operand = stack.pop().unwrap_or_default();
                around[operand.first].bracket = true;
                stack.push(Operand { first: operand.first, last: at, ..Operand::default() });
            }
            Node::Qualified(qualifier) => {
                let mut operand = stack.pop().unwrap_or_default();
                let kind = match qualifier {
                    Qualifier::Within { .. } => 1,
                    Qualifier::Repeats { .. } => 2,
                    Qualifier::StartStop { .. } => 4,
                };
                if operand.level < Level::Single || operand.qualifiers & kind != 0 {
                    parenthesise(&mut around, operand, false);
                    operand.qualifiers = 0;
                }
                let qualifiers = operand.qualifiers | kind;
                stack.push(Operand { first: operand.first, last: at, level: Level::Single, qualifiers });
            }
        }
    }
    around
}

fn parenthesise(around: &mut [Around], operand: Operand, in_bracket: bool) {
    let first = &mut around[operand.first];
    if in_bracket {
        first.inner += 1;
    } else {
        first.outer += 1;
    }
    around[operand.last].close = true;
}

fn write_test(ast: &Ast<'_>, test: &Test, out: &mut impl Write) -> fmt::Result {
    if test.op == Op::Exists {
        out.write_str(if test.negated { "NOT EXISTS " } else { "EXISTS " })?;
        return write_path(ast, test, out);
    }
    write_path(ast, test, out)?;
    out.write_str(if test.negated { " NOT " } else { " " })?;
    out.write_str(test.op.symbol())?;
    out.write_char(' ')?;
    let literals = ast.test_literals(test);
    if test.op != Op::In {
        return literals.iter().try_for_each(|literal| write_literal(ast, literal, out));
    }
    out.write_char('(')?;
    for (i, literal) in literals.iter().enumerate() {
        if i > 0 {
            out.write_str(", ")?;
        }
        write_literal(ast, literal, out)?;
    }
    out.write_char(')')
}

fn write_path(ast: &Ast<'_>, test: &Test, out: &mut impl Write) -> fmt::Result {
    out.write_str(ast.object_type(test.path))?;
    for (i, step) in ast.path_steps(test.path).iter().enumerate() {
        match *step {
            Step::Key { span, escaped } => {
                out.write_char(if i == 0 { ':' } else { '.' })?;
                write_key(ast, span, escaped, out)?;
            }
            Step::Index(index) => write!(out, "[{index}]")?,
            Step::Any => out.write_str("[*]")?,
        }
    }
    Ok(())
}

/// A key, in quotes where it needs them.
fn write_key(ast: &Ast<'_>, span: Span, escaped: bool, out: &mut impl Write) -> fmt::Result {
    let key = ast.key(span, escaped);
    if is_plain_key(&key) { out.write_str(&key) } else { write_quoted(&key, out) }
}

fn write_literal(ast: &Ast<'_>, literal: &Literal, out: &mut impl Write) -> fmt::Result {
    let text = ast.slice(literal.span);
    match literal.kind {
        LiteralKind::String => write_quoted(&ast.string(literal), out),
        LiteralKind::Integer | LiteralKind::Float | LiteralKind::Boolean => out.write_str(text),
        LiteralKind::Hex => write!(out, "h'{text}'"),
        LiteralKind::Binary => write!(out, "b'{text}'"),
        LiteralKind::Timestamp => write!(out, "t'{text}'"),
    }
}

fn write_quoted(text: &str, out: &mut impl Write) -> fmt::Result {
    out.write_char('\'')?;
    for part in text.split_inclusive(['\'', '\\']) {
        match part.strip_suffix(['\'', '\\']) {
            Some(plain) => write!(out, "{plain}\\{}", &part[plain.len()..])?,
            None => out.write_str(part)?,
        }
    }
    out.write_char('\'')
}

fn write_qualifier(ast: &Ast<'_>, qualifier: Qualifier, out: &mut impl Write) -> fmt::Result {
    let literal = |index: u32, out: &mut _| match ast.literals.get(index as usize) {
        Some(literal) => write_literal(ast, literal, out),
        None => Ok(()),
    };
    match qualifier {
        Qualifier::Within { seconds } => {
            out.write_str(" WITHIN ")?;
            literal(seconds, out)?;
            out.write_str(" SECONDS")
        }
        Qualifier::Repeats { times } => write!(out, " REPEATS {times} TIMES"),
        Qualifier::StartStop { start, stop } => {
            out.write_str(" START ")?;
            literal(start, out)?;
            out.write_str(" STOP ")?;
            literal(stop, out)
        }
    }
}
