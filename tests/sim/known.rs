//! Histories of which it is known whether they can be: the search itself is tried on them.

use embergrid::partition::{Op, PutMode, Ttl};
use embergrid::types::{MapId, RowVersion};

use super::{Answer, History, Seen, What};

/// What it is about, and what clients saw.
type Story = (&'static str, Vec<Seen>);

/// True if the search finds an order for the story.
fn is_explained(operations: &[Seen]) -> bool {
    let row = (MapId(1), b"key".to_vec());
    let history = History { by_row: [(row, operations.to_vec())].into(), ..History::default() };
    history.check(|_| true).is_ok()
}

/// Stories that cannot be, and are explained all the same.
pub(crate) fn wrongly_explained() -> Vec<&'static str> {
    impossible().into_iter().filter(|(_, story)| is_explained(story)).map(|(name, _)| name).collect()
}

/// Stories that can be, for which no order is found.
pub(crate) fn wrongly_refused() -> Vec<&'static str> {
    possible().into_iter().filter(|(_, story)| !is_explained(story)).map(|(name, _)| name).collect()
}

/// From when to when; never answered, if it has no end.
#[derive(Clone, Copy)]
struct Span(u64, u64);

/// Asked then, and never answered.
fn unanswered(asked_us: u64) -> Span {
    Span(asked_us, u64::MAX)
}

fn seen(Span(asked_us, answered_us): Span, what: What, answer: Answer) -> Seen {
    Seen { asked_us, answered_us, what, answer }
}

fn done(version: Option<u64>) -> Answer {
    Answer::Done { applied: true, version: version.map(RowVersion), old: None }
}

fn undone(version: Option<u64>) -> Answer {
    Answer::Done { applied: false, version: version.map(RowVersion), old: None }
}

fn read(span: Span, version: Option<u64>) -> Seen {
    seen(span, What::Read, done(version))
}

fn put_as(mode: PutMode, ttl: Option<Ttl>) -> What {
    What::Write(Op::Put { value: b"1".to_vec().into(), mode, want_old: false, ttl })
}

/// Written whatever was there, under this version.
fn put(span: Span, version: u64) -> Seen {
    seen(span, put_as(PutMode::Always, None), done(Some(version)))
}

/// Written maybe: its client was never told.
fn put_maybe(asked_us: u64) -> Seen {
    seen(unanswered(asked_us), put_as(PutMode::Always, None), Answer::None)
}

fn put_for_a_while(span: Span, version: u64) -> Seen {
    seen(span, put_as(PutMode::Always, Some(Ttl { ms: 1 })), done(Some(version)))
}

fn put_if(span: Span, expected: u64, answer: Answer) -> Seen {
    seen(span, put_as(PutMode::IfVersion(RowVersion(expected)), None), answer)
}

fn put_if_absent(span: Span, answer: Answer) -> Seen {
    seen(span, put_as(PutMode::IfAbsent, None), answer)
}

fn remove(span: Span, answer: Answer) -> Seen {
    seen(span, What::Write(Op::Remove { expected: None, want_old: false }), answer)
}

fn showing(mut seen: Seen, before: u64) -> Seen {
    if let Answer::Done { old, .. } = &mut seen.answer {
        *old = Some(RowVersion(before));
    }
    seen
}

/// What no one row can have done.
fn impossible() -> Vec<Story> {
    vec![
        ("a stale read", vec![put(Span(0, 1), 1), put(Span(2, 3), 2), read(Span(4, 5), Some(1))]),
        ("an acknowledged write is lost", vec![put(Span(0, 1), 1), read(Span(2, 3), None)]),
        (
            "an update is lost under another",
            vec![
                put(Span(0, 1), 1),
                put_if(Span(2, 3), 1, done(Some(2))),
                put_if(Span(4, 5), 1, done(Some(3))),
            ],
        ),
        ("a version that nobody wrote", vec![put(Span(0, 1), 1), read(Span(2, 3), Some(9))]),
        ("a write is read before it is asked for", vec![read(Span(0, 1), Some(1)), put(Span(2, 3), 1)]),
        (
            "two clients read a write that is under way, the second one no longer",
            vec![
                put(Span(0, 1), 1),
                put(Span(2, 10), 2),
                read(Span(3, 4), Some(2)),
                read(Span(5, 6), Some(1)),
            ],
        ),
        (
            "a compare-and-set wins twice at one time",
            vec![
                put(Span(0, 1), 1),
                put_if(Span(2, 6), 1, done(Some(2))),
                put_if(Span(3, 7), 1, done(Some(3))),
            ],
        ),
        (
            "a row is made twice",
            vec![put_if_absent(Span(0, 5), done(Some(1))), put_if_absent(Span(1, 6), done(Some(2)))],
        ),
        (
            "a removed row comes back",
            vec![put(Span(0, 1), 1), remove(Span(2, 3), done(None)), read(Span(4, 5), Some(1))],
        ),
        (
            "a row is removed twice",
            vec![put(Span(0, 1), 1), remove(Span(2, 6), done(None)), remove(Span(3, 7), done(None))],
        ),
        (
            "a conflict with the version that was there",
            vec![put(Span(0, 1), 1), put_if(Span(2, 3), 1, Answer::Conflict)],
        ),
        (
            "the old row that is shown is older",
            vec![put(Span(0, 1), 1), put(Span(2, 3), 2), showing(put(Span(4, 5), 3), 1)],
        ),
        (
            "a write that timed out is seen, unseen and seen again",
            vec![
                put(Span(0, 1), 1),
                put_maybe(2),
                read(Span(3, 4), Some(5)),
                read(Span(6, 7), Some(1)),
                read(Span(8, 9), Some(5)),
            ],
        ),
        (
            "a write that timed out takes effect twice",
            vec![
                put(Span(0, 1), 1),
                put_maybe(2),
                read(Span(3, 4), Some(5)),
                put(Span(6, 7), 6),
                read(Span(8, 9), Some(5)),
            ],
        ),
        (
            "one write that timed out is taken for two",
            vec![put(Span(0, 1), 1), put_maybe(2), read(Span(3, 4), Some(5)), read(Span(6, 7), Some(6))],
        ),
        (
            "a write that timed out is read before it is asked for",
            vec![put(Span(0, 1), 1), read(Span(2, 3), Some(5)), put_maybe(4)],
        ),
        (
            "a row without an end of its time is gone",
            vec![put_maybe(0), read(Span(1, 2), Some(5)), read(Span(3, 4), None)],
        ),
        (
            "a refusal because of a row that was removed",
            vec![
                put(Span(0, 1), 1),
                remove(Span(2, 3), done(None)),
                put_if_absent(Span(4, 5), undone(Some(1))),
            ],
        ),
    ]
}

/// What one row can have done.
fn possible() -> Vec<Story> {
    vec![
        (
            "one after the other",
            vec![
                read(Span(0, 1), None),
                put_if_absent(Span(2, 3), done(Some(1))),
                put_if(Span(4, 5), 1, done(Some(2))),
                showing(put(Span(6, 7), 3), 2),
                read(Span(8, 9), Some(3)),
            ],
        ),
        (
            "a write under way is read by one and not by the other",
            vec![
                put(Span(0, 1), 1),
                put(Span(2, 10), 2),
                read(Span(3, 4), Some(1)),
                read(Span(5, 6), Some(2)),
            ],
        ),
        (
            "a write that timed out never takes effect",
            vec![put(Span(0, 1), 1), put_maybe(2), read(Span(3, 9), Some(1))],
        ),
        (
            "a write that timed out takes effect late",
            vec![put(Span(0, 1), 1), put_maybe(2), read(Span(3, 4), Some(1)), read(Span(90, 91), Some(5))],
        ),
        (
            "a write that timed out takes effect under another, unseen",
            vec![put(Span(0, 1), 1), put_maybe(2), put(Span(3, 9), 6), read(Span(10, 11), Some(6))],
        ),
        (
            "two writes that timed out are seen one after the other",
            vec![put_maybe(0), put_maybe(1), read(Span(3, 4), Some(5)), read(Span(6, 7), Some(6))],
        ),
        (
            "a conflict with a write that timed out",
            vec![put(Span(0, 1), 1), put_maybe(2), put_if(Span(3, 4), 1, Answer::Conflict)],
        ),
        (
            "a removal that timed out takes effect",
            vec![
                put(Span(0, 1), 1),
                remove(unanswered(2), Answer::None),
                read(Span(3, 4), Some(1)),
                read(Span(5, 6), None),
                put_if_absent(Span(7, 8), done(Some(7))),
            ],
        ),
        (
            "a row expires, and is made anew",
            vec![
                put_for_a_while(Span(0, 1), 1),
                read(Span(2, 3), None),
                put_if_absent(Span(4, 5), done(Some(2))),
            ],
        ),
        (
            "what is refused for another reason says nothing of the row",
            vec![put(Span(0, 1), 1), put_if(Span(2, 3), 1, Answer::Refused), read(Span(4, 5), Some(1))],
        ),
    ]
}
