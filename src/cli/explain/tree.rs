//! The tree of a pattern as indented lines.

use serde::Serialize;
use stockade::pattern::Ast;
use stockade::pattern::ast::{Node, Qualifier};

/// A node of the tree and how deep it stands.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    pub(super) depth: usize,
    pub(super) node: String,
}

/// The nodes from the root down, operands in the order of the text. Nothing recurses, however long the pattern is.
pub(super) fn lines(ast: &Ast<'_>) -> Vec<Line> {
    // In postfix order the root is last: walking backwards, every node knows its depth before its operands do.
    let mut depths = vec![0];
    let mut backwards = Vec::with_capacity(ast.nodes.len());
    for node in ast.nodes.iter().rev() {
        let depth = depths.pop().unwrap_or(0);
        depths.extend(std::iter::repeat_n(depth + 1, operands(node)));
        backwards.push(Line { depth, node: describe(ast, node) });
    }
    // Operands came last first; each node's group of lines is turned round.
    let mut groups: Vec<Vec<Line>> = Vec::new();
    for (node, line) in ast.nodes.iter().zip(backwards.into_iter().rev()) {
        let members = groups.split_off(groups.len().saturating_sub(operands(node)));
        let mut group = vec![line];
        group.extend(members.into_iter().flatten());
        groups.push(group);
    }
    groups.pop().unwrap_or_default()
}

fn operands(node: &Node) -> usize {
    match node {
        Node::Test(_) => 0,
        Node::Observation | Node::Qualified(_) => 1,
        Node::And(n) | Node::Or(n) | Node::AllObserved(n) | Node::AnyObserved(n) | Node::FollowedBy(n) => *n as usize,
    }
}

fn describe(ast: &Ast<'_>, node: &Node) -> String {
    let literal = |index: u32| ast.literals.get(index as usize).map_or("", |literal| ast.slice(literal.span));
    match node {
        Node::Test(test) => ast.slice(test.span).to_owned(),
        Node::And(_) => "AND: the same object satisfies all of".to_owned(),
        Node::Or(_) => "OR: an object satisfies one of".to_owned(),
        Node::Observation => "[ ]: one observation holds an object with".to_owned(),
        Node::AllObserved(_) => "AND: different observations satisfy all of".to_owned(),
        Node::AnyObserved(_) => "OR: observations satisfy one of".to_owned(),
        Node::FollowedBy(_) => {
            "FOLLOWEDBY: different observations satisfy, each no earlier than those before,".to_owned()
        }
        Node::Qualified(Qualifier::Within { seconds }) => {
            format!("WITHIN {} SECONDS: from the earliest to the latest observation of", literal(*seconds))
        }
        Node::Qualified(Qualifier::Repeats { times }) => {
            format!("REPEATS {times} TIMES: so many times, each by observations of its own,")
        }
        Node::Qualified(Qualifier::StartStop { start, stop }) => {
            format!(
                "START {} STOP {}: observed from the first on and before the second",
                literal(*start),
                literal(*stop)
            )
        }
    }
}
