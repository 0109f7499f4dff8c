//! What goes wrong. One thing leads to the next before the last is over.
//!
//! Troubles are numbered, and each has dice of its own: whether one comes to pass shifts none of the others.

mod alone;
mod control;
mod network;
mod nodes;
mod roles;

pub(crate) use control::Ambush;
pub(crate) use network::Flap;
pub(crate) use roles::Swap;

use super::events::Event;
use super::oracle::Verdict;
use super::world::World;
use crate::dice::Dice;

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) number: u32,
    pub(crate) at_us: u64,
    pub(crate) what: String,
}

impl World {
    /// Something goes wrong, and something else soon.
    pub(super) fn trouble(&mut self, number: u32) -> Verdict {
        if self.is_calm {
            return Ok(());
        }
        let mut dice = Dice::fork(self.seed, u64::from(number));
        let pause_us = dice.between(50_000, 900_000);
        self.after(pause_us, Event::Trouble(number + 1));
        if !self.plan.has(number) {
            return Ok(());
        }
        let what = if self.plan.only_moves {
            self.move_something(&mut dice)
        } else {
            self.break_something(&mut dice)?
        };
        if let Some(what) = what {
            self.tell_trouble(number, what);
        }
        Ok(())
    }

    fn tell_trouble(&mut self, number: u32, what: String) {
        self.say(|| format!("trouble {number}: {what}"));
        self.troubles.push(Trouble { number, at_us: self.now_us, what });
    }

    /// What happens, if anything comes of it.
    fn break_something(&mut self, dice: &mut Dice) -> Result<Option<String>, String> {
        Ok(match dice.below(100) {
            0..12 => self.crash(dice),
            12..23 => self.pause(dice),
            23..27 => self.swap_roles(dice),
            27..36 => self.cut(dice),
            36..41 => self.flap(dice),
            41..44 => self.isolate(dice),
            44..47 => self.strand(dice),
            47..51 => self.cut_client(dice),
            51..52 => return self.forget_client(dice).map(Some),
            52..62 => self.storm(dice),
            62..67 => return self.depose(),
            67..72 => self.lie_in_wait(dice),
            72..77 => self.upgrade(),
            77..81 => self.maim(dice),
            81..87 => self.join(),
            87..93 => self.drain(dice),
            93..96 => self.set_clock(dice),
            _ => self.reconnect(dice),
        })
    }

    fn move_something(&mut self, dice: &mut Dice) -> Option<String> {
        match dice.below(100) {
            0..35 => self.join(),
            35..70 => self.drain(dice),
            70..85 => self.swap_roles(dice),
            _ => self.upgrade(),
        }
    }
}
