//! Properties of the language: any text is parsed or refused, what is written parses to the same, and judging equals the
//! naive way.

use proptest::prelude::*;

use super::super::expr::{Compare, Op, Slot, Value, Word};
use super::super::parse::ops;
use super::*;
use crate::Tree;
use crate::facts::{FACTS, Fact, Kind, State};
use crate::text::{Literal, Pattern};

/// The naive way: recursive, every ancestor looked at anew.
fn naive(expr: &Expr, context: &Context<'_>, process: &Process) -> bool {
    let tree: &Tree = context.tree;
    let mut above = tree.ancestors(process.key, context.lineage);
    match expr {
        Expr::All(parts) => parts.iter().all(|part| naive(part, context, process)),
        Expr::Any(parts) => parts.iter().any(|part| naive(part, context, process)),
        Expr::Not(inner) => !naive(inner, context, process),
        Expr::Parent(inner) => above.next().is_some_and(|parent| naive(inner, context, parent)),
        Expr::Ancestor(inner, _) => above.any(|ancestor| naive(inner, context, ancestor)),
        Expr::Compare(Compare { op, value: Value::Subtree(pid, _), .. }) => {
            let within = process.key.pid == *pid || above.any(|ancestor| ancestor.key.pid == *pid);
            within == (*op == Op::Equal)
        }
        Expr::Compare(Compare { fact: Fact::Depth, op, value: Value::Figure(wanted) }) => {
            let depth = above.count() as u64;
            match op {
                Op::Equal => depth == *wanted,
                Op::Unequal => depth != *wanted,
                Op::Less => depth < *wanted,
                Op::AtMost => depth <= *wanted,
                Op::More => depth > *wanted,
                _ => depth >= *wanted,
            }
        }
        leaf => {
            let filter = Filter { expr: Some(leaf.clone().into()), slots: 0, ..Filter::default() };
            filter.matches(context, process)
        }
    }
}

/// Any leaf, with texts and figures that occur among the processes more often than not.
fn leaf() -> impl Strategy<Value = Expr> {
    let text = || {
        let usual = vec!["sh", "make", "p1", "1", "alice", "root", "", "SIGKILL", "a\"b\\", "塩", "and", "Make"];
        prop_oneof![4 => prop::sample::select(usual).prop_map(str::to_owned), 1 => ".{0,12}"]
    };
    let pattern = prop::sample::select(vec!["s.?", "^p1", "(a|b)\"", r"\d+\\", "x/y z", "[)]"]);
    let compare = (0..FACTS.len(), any::<prop::sample::Index>(), text(), pattern.clone(), 0..40_u64).prop_map(
        |(field, op, text, pattern, figure)| {
            let (fact, kind) = (FACTS[field].fact, FACTS[field].kind);
            let op = *op.get(ops(kind));
            let value = match (kind, op) {
                (_, Op::Match | Op::NoMatch) => Value::Pattern(Pattern::new(pattern).unwrap()),
                (Kind::Figure(..), _) => Value::Figure(figure * if figure % 2 == 0 { 1 } else { 500_000_000 }),
                (Kind::Text(..), _) => Value::Text(Literal::new(&text)),
                (Kind::State, _) => Value::State(State::NAMES[figure as usize % State::NAMES.len()].2),
                (Kind::Flag(_), _) => Value::Flag(figure % 2 == 0),
                (Kind::Signal, _) => Value::Signal(figure as u8 + 1),
                (Kind::Subtree, _) => Value::Subtree(figure as u32, 0),
            };
            Expr::Compare(Compare { fact, op, value })
        },
    );
    prop_oneof![
        2 => text().prop_map(|text| Expr::Word(Word::new(&text))),
        1 => pattern.prop_map(|source| Expr::Pattern(Pattern::new(source).unwrap())),
        4 => compare,
    ]
}

/// Any expression, its slots numbered as the parser does.
fn expression() -> impl Strategy<Value = Filter> {
    let expr = leaf().prop_recursive(4, 24, 4, |inner| {
        let some = || prop::collection::vec(inner.clone(), 2..4);
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            some().prop_map(Expr::All),
            some().prop_map(Expr::Any),
            boxed().prop_map(Expr::Not),
            boxed().prop_map(Expr::Parent),
            boxed().prop_map(|inner| Expr::Ancestor(inner, 0)),
        ]
    });
    expr.prop_map(|mut expr| {
        let mut slots = 0;
        number(&mut expr, &mut slots);
        Filter { expr: Some(expr.into()), slots, ..Filter::default() }
    })
}

fn number(expr: &mut Expr, slots: &mut Slot) {
    let mut next = |slot: &mut Slot| {
        *slot = *slots;
        *slots += 1;
    };
    match expr {
        Expr::All(parts) | Expr::Any(parts) => parts.iter_mut().for_each(|part| number(part, slots)),
        Expr::Not(inner) | Expr::Parent(inner) => number(inner, slots),
        Expr::Ancestor(inner, slot) => {
            next(slot);
            number(inner, slots);
        }
        Expr::Compare(Compare { value: Value::Subtree(_, slot), .. }) => next(slot),
        _ => {}
    }
}

/// Texts that are more like filters than any text is.
fn almost_filter() -> impl Strategy<Value = String> {
    let words = vec![
        "comm",
        "pid",
        "state",
        "signal",
        "tree",
        "lifetime",
        "rss",
        "parent:",
        "ancestor:",
        "and",
        "or",
        "not",
        "!",
        "&&",
        "||",
        "(",
        ")",
        "=",
        "!=",
        "<",
        ">=",
        "~",
        "!~",
        "/",
        "\"",
        "'",
        "\\",
        " ",
        " ",
        "5",
        "5ms",
        "10%",
        "KILL",
        "x",
        "塩",
        "[",
        "*",
        "\u{1b}",
        "R",
        "yes",
    ];
    prop::collection::vec(prop::sample::select(words), 0..24).prop_map(|words| words.concat())
}

fn script() -> impl Strategy<Value = String> {
    let line = (0..6_u8, 1..30_u32, 1..30_u32, 0..3_usize).prop_map(|(kind, a, b, name)| match kind {
        0 | 1 => format!("fork {a} {b} {}", name * 500),
        2 => format!("exec {a} {}", ["sh -c x", "make", "ls"][name]),
        3 => format!("exit {a} {}", ["0", "1", "SIGKILL"][name]),
        4 => format!("usage {a} {b}"),
        _ => format!("parent {a} {b}"),
    });
    prop::collection::vec(line, 1..60).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn parsing_takes_any_text(text in prop_oneof![almost_filter(), ".{0,60}"], cursor in 0..80_usize) {
        let completion = complete(&text, cursor);
        prop_assert!(text.is_char_boundary(completion.range.start) && text.is_char_boundary(completion.range.end));
        match Filter::parse(&text) {
            Ok(filter) => {
                let again = Filter::parse(&filter.to_string()).unwrap();
                prop_assert_eq!(&again.expr, &filter.expr, "{}", filter);
                prop_assert_eq!(again.slots, filter.slots);
            }
            Err(error) => {
                let range = error.range();
                prop_assert!(text.is_char_boundary(range.start) && text.is_char_boundary(range.end));
                prop_assert!(!error.message().is_empty() && !error.message().contains('\n'), "{}", error);
                prop_assert_eq!(error.pointed_out(str::len).lines().count(), 2);
            }
        }
    }

    #[test]
    fn what_is_written_parses_to_the_same(filter in expression()) {
        let again = Filter::parse(&filter.to_string());
        let too_many = filter.to_string().matches('~').count() > 32;
        match again {
            Ok(again) => prop_assert_eq!(again.expr, filter.expr),
            Err(error) => prop_assert!(too_many, "{}", error.pointed_out(str::len)),
        }
    }

    #[test]
    fn judging_equals_the_naive_way(filter in expression(), script in script(), by_kernel in any::<bool>()) {
        let scene = Scene::of(&script);
        let context = context(&scene, if by_kernel { Lineage::Kernel } else { Lineage::Forked });
        let judge = filter.judge(context);
        let expr = filter.expr.as_ref().unwrap();
        for process in scene.engine.tree().iter() {
            let expected = naive(expr, &context, process);
            prop_assert_eq!(judge.matches(process), expected, "{} of {:?}", filter, process.key);
            prop_assert_eq!(filter.matches(&context, process), expected, "alone");
        }
    }
}
