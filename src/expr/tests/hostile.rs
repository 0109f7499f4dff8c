//! Texts that mean harm.

use proptest::{collection::vec, prelude::*, sample::select};

use super::value;

/// On the stack of a thread as small as a worker's.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}

#[test]
fn deep_and_long_texts_are_refused_or_evaluated() {
    on_a_small_stack(|| {
        let nested = |open: &str, core: &str, close: &str, times: usize| {
            value(&format!("{}{core}{}", open.repeat(times), close.repeat(times)))
        };
        assert_eq!(nested("(", "small", ")", 30), "7");
        for (open, core, close) in [
            ("(", "1", ")"),
            ("NOT ", "flag", ""),
            ("- ", "small", ""),
            ("ABS(", "small", ")"),
            ("CASE WHEN flag THEN ", "1", " END"),
            ("small IN (", "1", ")"),
            ("small IN ((", "1", "))"),
            ("CAST(", "1", " AS INT)"),
            ("EXTRACT(HOUR FROM ", "at", ")"),
            ("flag AND (", "flag", ")"),
            ("COALESCE(1, (", "1", "))"),
            ("f(a -> ", "1", ")"),
            ("[", "1", "]"),
            ("INTERVAL (", "1", ")"),
            ("SELECT (", "1", ")"),
            ("EXISTS (SELECT ", "1", ")"),
        ] {
            for times in [20, 64, 500, 5_000] {
                let text = nested(open, core, close, times);
                assert!(
                    times < 500
                        || text.contains("limit")
                        || text.contains("deeper")
                        || text.contains("xpected"),
                    "{open}: {text}"
                );
            }
        }
    });
}

#[test]
fn long_chains_are_bounded() {
    on_a_small_stack(|| {
        let chain = |term: &str, op: &str, terms: usize| value(&vec![term; terms].join(op));
        assert_eq!(chain("small = 7", " AND ", 300), "true");
        assert_eq!(chain("small = 8", " OR ", 300), "false");
        assert_eq!(chain("small", " + ", 90), "630");
        assert_eq!(chain("small", "+", 1_000), "the expression nests deeper than 100");
        assert_eq!(chain("small", "+", 2_500), "the expression has 4999 tokens, more than the limit of 4096");
        assert!(chain("small", " + ", 9_000).contains("more than the limit of 16384"));
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in ".{0,60}") {
        value(&text);
    }

    #[test]
    fn no_soup_of_tokens_panics(tokens in vec(select(&TOKENS[..]), 0..24)) {
        value(&tokens.join(" "));
    }
}

const TOKENS: [&str; 44] = [
    "small",
    "big",
    "double",
    "name",
    "at",
    "flag",
    "absent",
    "embedding",
    "1",
    "0",
    "2.5",
    "'a'",
    "NULL",
    "TRUE",
    "+",
    "-",
    "*",
    "/",
    "%",
    "=",
    "<",
    ">=",
    "AND",
    "OR",
    "NOT",
    "(",
    ")",
    ",",
    "IN",
    "BETWEEN",
    "LIKE",
    "IS",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "CAST(",
    "AS INT",
    "EXTRACT(HOUR FROM",
    "COALESCE(",
    "ABS(",
    "||",
    "X'00'",
];
