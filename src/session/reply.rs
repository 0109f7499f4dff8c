//! Answers, retries, and the end of patience.

use super::{
    calling::{Answers, Operation},
    link::LinkId,
    machine::{Session, State},
};
use crate::{
    mutant::Mutant,
    types::{Class, Error},
};

impl<O: Operation> Session<O> {
    /// An answer has arrived over a link. It goes to the caller, unless the operation is to be retried.
    pub fn handle_reply<A>(
        &mut self,
        link: LinkId,
        tag: u32,
        answer: Result<A, Error>,
        now_us: u64,
        answers: &mut Answers<A>,
    ) {
        if let Some(link) = self.links.get_mut(link.0) {
            link.heard_us = now_us;
        }
        let Some(pending) = self.pending.get(tag as usize) else { return };
        if pending.state != State::Sent(link) {
            return;
        }
        match answer {
            Err(refusal) if pending.caller.is_some() && is_passing(refusal.class) => {
                self.try_later(link, tag, refusal, now_us, answers);
            }
            answer => {
                if let Some(caller) = self.forget(tag) {
                    answers.push((caller, answer));
                }
            }
        }
    }

    /// Parks what was refused for the moment. What went to the wrong node leaves for the right one at once, if that is
    /// known meanwhile, and else with the next news.
    fn try_later<A>(
        &mut self,
        link: LinkId,
        tag: u32,
        refusal: Error,
        now_us: u64,
        answers: &mut Answers<A>,
    ) {
        let target = self.pending.get(tag as usize).and_then(|pending| self.target(pending.op.key()));
        let Some(pending) = self.pending.get_mut(tag as usize) else { return };
        if refusal.class == Class::NotPrimary && target != Some(link) {
            return self.enqueue(&[tag]);
        }
        let is_astray = matches!(refusal.class, Class::NotPrimary | Class::Unavailable);
        let most_us = if is_astray { self.limits.astray_most_us } else { self.limits.retry_most_us };
        let pause_us = self.limits.retry_us.saturating_mul(1 << pending.attempts.min(16)).min(most_us);
        // Spread by tag, so that what was refused together does not come back together.
        let until_us = now_us + pause_us + pause_us * u64::from(tag % 8) / 8;
        if until_us >= pending.deadline_us {
            if let Some(caller) = self.forget(tag) {
                answers.push((caller, Err(refusal)));
            }
            return;
        }
        if Mutant::SettlesRefused.is_on() && pending.number != 0 {
            self.numbers.settle(pending.number);
        }
        pending.attempts += 1;
        pending.refusal = Some(Box::new(refusal));
        pending.state = State::Parked { until_us, is_astray };
        self.parked += 1;
    }

    /// Time has passed: what is due for a retry goes back into a queue, whoever has waited too long is told so, and a
    /// node that should have answered is given up.
    pub fn handle_tick<A>(&mut self, now_us: u64, answers: &mut Answers<A>) {
        self.miss_no_longer(now_us);
        if self.pending.is_empty() {
            return;
        }
        let late = self.tags(|pending| pending.caller.is_some() && pending.deadline_us <= now_us);
        for tag in &late {
            self.give_up(*tag, answers);
        }
        if !late.is_empty() {
            self.drop_forgotten();
        }
        self.give_up_silent(now_us);
        if self.parked > 0 {
            let due = self.tags(
                |pending| matches!(pending.state, State::Parked { until_us, .. } if until_us <= now_us),
            );
            self.enqueue(&due);
        }
    }

    /// What has waited long enough for a broken stream takes another way.
    fn miss_no_longer(&mut self, now_us: u64) {
        let mut is_over = false;
        for (_, link) in &mut self.links {
            if link.missed_until_us.is_some_and(|until_us| until_us <= now_us) {
                link.missed_until_us = None;
                is_over = true;
            }
        }
        if is_over {
            let stranded: Vec<u32> = self.stranded.drain(..).collect();
            self.enqueue(&stranded);
        }
    }

    /// Tells the caller that time has run out. What is under way stays, for its answer is owed.
    fn give_up<A>(&mut self, tag: u32, answers: &mut Answers<A>) {
        let has_way =
            self.pending.get(tag as usize).is_some_and(|pending| self.target(pending.op.key()).is_some());
        let Some(pending) = self.pending.get_mut(tag as usize) else { return };
        let is_sent = matches!(pending.state, State::Sent(_));
        let error = match pending.refusal.take() {
            Some(refusal) => *refusal,
            None if is_sent && pending.op.is_write() => Error::deadline("the write was not answered in time")
                .hint("whether it took effect is not known: read the row"),
            None if is_sent => Error::deadline("the read was not answered in time"),
            None if has_way => Error::deadline("the operation could not be sent in time")
                .hint("too many operations are under way: wait for their answers"),
            None => self.outage.clone().unwrap_or_else(|| Error::unavailable("there is no connection yet")),
        };
        let caller = if is_sent { pending.caller.take() } else { self.forget(tag) };
        if let Some(caller) = caller {
            answers.push((caller, Err(error)));
        }
    }

    /// Gives up streams to nodes that owe what another has to answer by now, and say nothing.
    fn give_up_silent(&mut self, now_us: u64) {
        let silence_us = self.limits.silence_us;
        let silent = self.links.iter().filter(|(_, link)| {
            let since_us = link.doubted_us.map(|doubted_us| doubted_us.max(link.heard_us));
            since_us.is_some_and(|since_us| since_us + silence_us <= now_us)
        });
        let silent: Vec<LinkId> = silent.map(|(at, _)| LinkId(at)).collect();
        for id in silent {
            if self.owed_elsewhere().any(|link| link == id) {
                self.broken.push(id);
                self.handle_disconnect(id, Error::unavailable("the node is silent"), now_us);
            } else if let Some(link) = self.links.get_mut(id.0) {
                link.doubted_us = None;
            }
        }
    }

    /// The link of each operation under way whose answer is another node's to give, and that one can be asked.
    pub(super) fn owed_elsewhere(&self) -> impl Iterator<Item = LinkId> + '_ {
        self.pending.iter().filter_map(|(_, pending)| {
            let State::Sent(link) = pending.state else { return None };
            let primary = self.primary_of(pending.op.key())?;
            (primary != link && self.is_open(primary)).then_some(link)
        })
    }
}

/// Whether the same request may succeed a moment later.
fn is_passing(class: Class) -> bool {
    matches!(class, Class::NotPrimary | Class::Overloaded | Class::Unavailable)
}
