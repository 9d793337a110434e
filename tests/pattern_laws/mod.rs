//! What holds for any text whatever, checked by the tests on mutated patterns and by the fuzz target on anything.

use stockade::pattern::ast::{LiteralKind, Node, Op, Step};
use stockade::pattern::{Ast, Parser, Pattern, Reading, RepairKind, Span, simple};

/// Panics when a law is broken.
pub(crate) fn hold(text: &str) {
    let strict = Pattern::parse(text, Reading::Strict);
    let pragmatic = Pattern::parse(text, Reading::Pragmatic);
    for pattern in [&strict, &pragmatic] {
        match pattern {
            Ok(pattern) => {
                spans_are_inside(&pattern.ast());
                printing_is_inverse(pattern);
            }
            Err(error) => {
                assert!(text.get(range(error.span())).is_some(), "{text:?}: {:?}", error.span());
                let shown = error.render(text);
                assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
                assert!(shown.lines().all(|line| line.chars().count() < 400), "{shown}");
            }
        }
    }
    if let Ok(strict) = &strict {
        let pragmatic = pragmatic.as_ref().expect("the pragmatic reading takes what the strict one takes");
        assert_eq!(strict.ast(), pragmatic.ast(), "{text}");
        assert!(pragmatic.repairs().iter().all(|repair| repair.kind == RepairKind::StartStopString), "{text}");
        assert!(strict.repairs().is_empty());
    } else if let Ok(pragmatic) = &pragmatic {
        assert!(!pragmatic.repairs().is_empty(), "{text}: what only the pragmatic reading takes was repaired");
    }
    if let Some(simple) = simple::split(text) {
        the_fast_path_agrees(simple, &strict.expect("what the fast path takes is a pattern").ast());
    }
}

fn range(span: Span) -> std::ops::Range<usize> {
    span.start as usize..span.end as usize
}

fn spans_are_inside(ast: &Ast<'_>) {
    let mut spans: Vec<Span> = ast.literals.iter().map(|literal| literal.span).collect();
    spans.extend(ast.repairs.iter().map(|repair| repair.span));
    spans.extend(ast.steps.iter().filter_map(|step| match step {
        Step::Key { span, .. } => Some(*span),
        Step::Index(_) | Step::Any => None,
    }));
    for node in ast.nodes {
        if let Node::Test(test) = node {
            spans.extend([test.span, test.path.object_type]);
            assert_eq!(ast.path_steps(test.path).len(), test.path.steps as usize);
            assert_eq!(ast.test_literals(test).len(), test.literals as usize);
        }
    }
    for span in spans {
        assert!(ast.text.get(range(span)).is_some(), "{span:?} in {:?}", ast.text);
    }
}

fn printing_is_inverse(pattern: &Pattern) {
    let printed = pattern.to_string();
    let again = Pattern::parse(&printed, Reading::Strict).unwrap_or_else(|error| panic!("{}", error.render(&printed)));
    assert_eq!(again.ast(), pattern.ast(), "{printed}");
    assert_eq!(again.to_string(), printed);
    // A parser that was used before gives the same.
    let mut parser = Parser::new();
    let _ = parser.parse("[a:b.c[0] IN (1, 2) AND (a:b = 1 OR", Reading::Pragmatic);
    assert_eq!(parser.parse(&printed, Reading::Strict).as_ref(), Ok(&again.ast()));
}

fn the_fast_path_agrees(simple: simple::Simple<'_>, ast: &Ast<'_>) {
    let [Node::Test(test), Node::Observation] = ast.nodes else { panic!("{}: {:?}", ast.text, ast.nodes) };
    let [literal] = ast.test_literals(test) else { panic!("{}: not one literal", ast.text) };
    assert_eq!((test.op, test.negated, literal.kind, literal.escaped), (Op::Eq, false, LiteralKind::String, false));
    assert_eq!(ast.slice(literal.span), simple.literal);
    let alone = format!("[EXISTS {}]", simple.path);
    let path = Pattern::parse(&alone, Reading::Strict).unwrap_or_else(|error| panic!("{}", error.render(&alone)));
    let Node::Test(exists) = path.ast().nodes[0] else { panic!("{alone}") };
    assert_eq!(path.ast().object_type(exists.path), ast.object_type(test.path));
    let keys = |ast: &Ast<'_>, path| -> Vec<String> {
        let steps = ast.path_steps(path).iter();
        steps
            .map(|step| if let Step::Key { span, escaped: false } = *step { ast.slice(span).into() } else { panic!() })
            .collect()
    };
    assert_eq!(keys(&path.ast(), exists.path), keys(ast, test.path));
}
