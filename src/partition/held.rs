//! Inputs that wait until it is known who decides on them: while a primary hands its role over, and where it was handed
//! one, until it serves (protocol rule 18).

use std::collections::VecDeque;

use super::{Effect, Input, Request, admission::Room, core::Primary};
use crate::types::Error;

/// What waits, oldest first.
#[derive(Debug, Default)]
pub(super) struct Held {
    inputs: VecDeque<Input>,
}

impl Held {
    /// When the first of the requests is late.
    pub(super) fn next_us(&self) -> Option<u64> {
        self.inputs.iter().filter_map(deadline_us).min()
    }

    /// All that waits.
    pub(super) fn into_inputs(self) -> impl Iterator<Item = Input> {
        self.inputs.into_iter()
    }
}

impl Primary<'_> {
    /// Lets an input wait, if it is one that a decision is needed for. Requests take room meanwhile.
    pub(super) fn hold(&mut self, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Request(request) => self.hold_request(request, effects),
            Input::Scored { .. } | Input::Job(_) => self.tenure.held.inputs.push_back(input),
            Input::Tick => self.end_held(effects),
            input => self.decide(input, effects),
        }
    }

    fn hold_request(&mut self, request: Request, effects: &mut Vec<Effect>) {
        let room = Room::of(&request);
        match self.tenure.admission.check(room) {
            Ok(()) => {
                self.tenure.admission.enter(room);
                self.tenure.held.inputs.push_back(Input::Request(request));
            }
            Err(error) => effects.push(Effect::Reply { origin: request.origin, answer: Err(error) }),
        }
    }

    /// Decides on all that waited.
    pub(super) fn release(&mut self, effects: &mut Vec<Effect>) {
        for input in std::mem::take(&mut self.tenure.held).into_inputs() {
            if let Input::Request(request) = &input {
                self.tenure.admission.leave(Room::of(request));
            }
            self.decide(input, effects);
        }
    }

    /// Refuses what has waited for too long.
    fn end_held(&mut self, effects: &mut Vec<Effect>) {
        let now_us = self.site.now.mono_us;
        let is_late = |input: &Input| deadline_us(input).is_some_and(|deadline_us| deadline_us <= now_us);
        if !self.tenure.held.inputs.iter().any(is_late) {
            return;
        }
        let (late, rest): (VecDeque<_>, _) = self.tenure.held.inputs.drain(..).partition(is_late);
        self.tenure.held.inputs = rest;
        for input in late {
            let Input::Request(request) = input else { continue };
            self.tenure.admission.leave(Room::of(&request));
            let error = Error::deadline("the request's deadline passed while its partition was handed over");
            effects.push(Effect::Reply { origin: request.origin, answer: Err(error) });
        }
    }
}

fn deadline_us(input: &Input) -> Option<u64> {
    match input {
        Input::Request(request) => request.deadline_us,
        _ => None,
    }
}
