//! Whatever happens to links, nodes and answers: nothing is under way twice, nothing is answered twice, numbers stay.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const NODES: [NodeId; 3] = [A, B, C];
/// Nobody's patience ends in a storm.
const NEVER: u64 = u64::MAX;

#[derive(Clone, Debug)]
enum Event {
    Submit { partition: u16, is_write: bool },
    Open { node: usize },
    Break { node: usize },
    Flush { node: usize },
    Answer { at: prop::sample::Index, class: Option<Class> },
    Topology { primaries: [Option<u16>; 2], nodes: usize },
    Tick { pause_us: u64 },
}

fn event() -> impl Strategy<Value = Event> {
    let node = 0..NODES.len();
    let class = prop_oneof![
        3 => Just(None),
        1 => prop::sample::select(vec![Class::NotPrimary, Class::Unavailable, Class::Overloaded]).prop_map(Some),
        1 => Just(Some(Class::Conflict)),
    ];
    let primary = || prop_oneof![1 => Just(None), 4 => (0..3_u16).prop_map(Some)];
    prop_oneof![
        4 => (0..2_u16, any::<bool>()).prop_map(|(partition, is_write)| Event::Submit { partition, is_write }),
        2 => node.clone().prop_map(|node| Event::Open { node }),
        1 => node.clone().prop_map(|node| Event::Break { node }),
        4 => node.prop_map(|node| Event::Flush { node }),
        4 => (any::<prop::sample::Index>(), class).prop_map(|(at, class)| Event::Answer { at, class }),
        1 => (primary(), primary(), 1..=3_usize)
            .prop_map(|(a, b, nodes)| Event::Topology { primaries: [a, b], nodes }),
        2 => (0..20_000_u64).prop_map(|pause_us| Event::Tick { pause_us }),
    ]
}

/// What the nodes and the callers see.
#[derive(Default)]
struct Seen {
    links: BTreeMap<NodeId, LinkId>,
    /// By tag: the link that it is under way on.
    under_way: BTreeMap<u32, LinkId>,
    /// By call, and only while its write is not answered.
    numbers: BTreeMap<u32, u64>,
    answered: BTreeSet<u32>,
    calls: u32,
    version: u64,
}

impl Seen {
    fn apply(&mut self, rig: &mut Rig, event: &Event) {
        match event {
            Event::Submit { partition, is_write } => {
                let op = Op { key: key_in(*partition), bytes: 30, is_write: *is_write };
                rig.session.submit(op, caller(self.calls), NEVER).expect("it fits");
                self.calls += 1;
            }
            Event::Open { node } => self.open(rig, NODES[*node]),
            Event::Break { node } => {
                if let Some(link) = self.links.remove(&NODES[*node]) {
                    self.under_way.retain(|_, on| *on != link);
                    rig.disconnect(link);
                }
            }
            Event::Flush { node } => self.flush(rig, NODES[*node]),
            Event::Answer { at, class } => {
                if !self.under_way.is_empty() {
                    let (tag, link) = *at.get(&Vec::from_iter(self.under_way.clone()));
                    self.answer(rig, tag, link, *class);
                }
            }
            Event::Topology { primaries, nodes } => {
                self.version += 1;
                rig.topology(self.version, &NODES[..*nodes], *primaries);
            }
            Event::Tick { pause_us } => {
                let answers = rig.tick(rig.now_us + pause_us);
                self.note(answers);
            }
        }
        for link in rig.broken() {
            self.links.retain(|_, open| *open != link);
            self.under_way.retain(|_, on| *on != link);
        }
    }

    fn open(&mut self, rig: &mut Rig, node: NodeId) {
        self.links.entry(node).or_insert_with(|| rig.open(node));
    }

    fn flush(&mut self, rig: &mut Rig, node: NodeId) {
        let Some(link) = self.links.get(&node).copied() else { return };
        let (ops, below) = rig.frame(link);
        for (tag, number) in ops {
            assert_eq!(self.under_way.insert(tag, link), None, "it is under way already");
            let pending = &rig.session.pending[tag as usize];
            let call = pending.caller.expect("nobody has gone").call;
            assert!(!self.answered.contains(&call), "it was answered");
            assert_eq!(pending.op.is_write, number != 0);
            if number != 0 {
                assert!(number >= below && number < below + u64::from(LIMITS.outstanding));
                assert_eq!(*self.numbers.entry(call).or_insert(number), number, "its number has changed");
            }
        }
    }

    fn answer(&mut self, rig: &mut Rig, tag: u32, link: LinkId, class: Option<Class>) {
        self.under_way.remove(&tag);
        let answers = rig.reply(link, tag, class.map_or(Ok("done"), |class| Err(refusal(class))));
        self.note(answers);
    }

    fn note(&mut self, answers: Told) {
        for (caller, _) in answers {
            assert!(self.answered.insert(caller.call), "it was answered before");
            self.numbers.remove(&caller.call);
        }
    }

    /// All links open, all nodes answer: everything is answered, and nothing is owed.
    fn heal(&mut self, rig: &mut Rig) {
        self.apply(rig, &Event::Topology { primaries: [Some(0), Some(1)], nodes: 3 });
        for _ in 0..4 * self.calls + 4 {
            NODES.iter().for_each(|node| self.open(rig, *node));
            NODES.iter().for_each(|node| self.flush(rig, *node));
            for (tag, link) in self.under_way.clone() {
                self.answer(rig, tag, link, None);
            }
            self.apply(rig, &Event::Tick { pause_us: LIMITS.retry_most_us * 2 });
        }
        assert_eq!(self.answered.len(), self.calls as usize);
        assert_eq!((rig.session.under_way(), self.numbers.len()), (0, 0));
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_doubled_or_renumbered(events in prop::collection::vec(event(), 0..200)) {
        let (mut rig, mut seen) = (Rig::new(), Seen::default());
        for event in &events {
            seen.apply(&mut rig, event);
            let lowest = seen.numbers.values().min().copied();
            prop_assert!(lowest.is_none_or(|lowest| rig.acknowledged_below() <= lowest));
        }
        seen.heal(&mut rig);
    }
}
