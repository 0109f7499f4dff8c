//! Who holds the partition, and the steps from one configuration to the next: what `catalog` applies, node by node instead
//! of join id by join id, for the model has one partition.

use crate::scope::Scope;

/// How many nodes there are.
pub(crate) const NODES: usize = 3;

/// What a node is in a configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Place {
    /// It holds nothing.
    #[default]
    Nothing,
    /// It is being filled.
    Learner,
    /// It has every committed entry.
    InSync,
    /// It was removed, and nothing can have been committed since (rule 4).
    Eligible,
}

/// A configuration of the partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Configuration {
    pub(crate) epoch: u8,
    /// None if the partition is lost.
    pub(crate) primary: Option<u8>,
    pub(crate) places: [Place; NODES],
    /// How many times each node was added: a replica is a node and this number, as a join id is fresh for each addition.
    pub(crate) joins: [u8; NODES],
    pub(crate) successor: Option<u8>,
    pub(crate) handed_over: bool,
}

impl Configuration {
    /// The first one: the first nodes are in sync.
    pub(crate) fn first(scope: &Scope) -> Self {
        let mut places = [Place::Nothing; NODES];
        places[..scope.wanted].fill(Place::InSync);
        Configuration {
            epoch: 1,
            primary: Some(0),
            places,
            joins: [0; NODES],
            successor: None,
            handed_over: false,
        }
    }

    pub(crate) fn at(&self, place: Place) -> impl Iterator<Item = usize> + '_ {
        (0..NODES).filter(move |node| self.places[*node] == place)
    }

    pub(crate) fn count(&self, place: Place) -> usize {
        self.at(place).count()
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.primary.is_none()
    }

    pub(crate) fn is_primary(&self, node: usize) -> bool {
        self.primary.is_some_and(|primary| usize::from(primary) == node)
    }

    pub(crate) fn is_backup(&self, node: usize) -> bool {
        self.places[node] == Place::InSync && !self.is_primary(node)
    }

    /// Whether the node holds every committed entry alone.
    pub(crate) fn is_sole(&self, node: usize) -> bool {
        self.places[node] == Place::InSync && self.count(Place::InSync) == 1
    }

    pub(crate) fn begin_epoch(&mut self) {
        self.epoch += 1;
        self.successor = self.successor.filter(|node| self.is_backup(usize::from(*node)));
    }

    /// Makes a node the primary: one in sync, or else an eligible one, which then is in sync alone.
    pub(crate) fn promote(&mut self, heir: usize) {
        self.handed_over = false;
        self.successor = None;
        if self.places[heir] == Place::Eligible {
            let in_sync: Vec<usize> = self.at(Place::InSync).collect();
            in_sync.into_iter().for_each(|node| self.places[node] = Place::Eligible);
            self.places[heir] = Place::InSync;
        }
        self.primary = Some(heir as u8);
    }

    /// Takes a node out of the in-sync set. It stays eligible while too few are left for anything to be committed.
    pub(crate) fn take_out(&mut self, node: usize, scope: &Scope) {
        self.places[node] = Place::Nothing;
        if self.count(Place::InSync) < scope.min_in_sync {
            self.places[node] = Place::Eligible;
        }
    }

    /// Adds a node, under a fresh join id.
    pub(crate) fn add(&mut self, node: usize) {
        self.places[node] = Place::Learner;
        self.joins[node] += 1;
    }

    /// Lets a replica count.
    pub(crate) fn admit(&mut self, node: usize, scope: &Scope, keeps_eligible: bool) {
        self.places[node] = Place::InSync;
        let count = self.count(Place::InSync);
        for place in &mut self.places {
            let goes = match place {
                Place::Eligible => count >= scope.min_in_sync && !keeps_eligible,
                Place::Learner => count >= scope.wanted,
                Place::Nothing | Place::InSync => false,
            };
            if goes {
                *place = Place::Nothing;
            }
        }
    }

    /// Takes out a node that is silent. A sole holder stays: nobody else has the rows for certain.
    pub(crate) fn silence(&mut self, node: usize, scope: &Scope) -> bool {
        match self.places[node] {
            Place::Learner => self.places[node] = Place::Nothing,
            Place::InSync if !self.is_sole(node) => self.take_out(node, scope),
            _ => return false,
        }
        true
    }

    /// Takes out a node that has restarted: it has nothing any more.
    pub(crate) fn forget(&mut self, node: usize) -> bool {
        let held = std::mem::take(&mut self.places[node]) != Place::Nothing;
        if self.count(Place::InSync) == 0 && self.count(Place::Eligible) == 0 {
            self.places = [Place::Nothing; NODES];
            self.primary = None;
            self.handed_over = false;
        }
        held
    }

    /// Who may take over from a primary that was taken out: those that are up if any is, in sync or else eligible.
    pub(crate) fn heirs(&self, up: &[bool; NODES]) -> Vec<usize> {
        let place = if self.count(Place::InSync) > 0 { Place::InSync } else { Place::Eligible };
        let heard: Vec<usize> = self.at(place).filter(|node| up[*node]).collect();
        if heard.is_empty() { self.at(place).collect() } else { heard }
    }

    /// Whether the primary is not in sync any more, so that another has to take over.
    pub(crate) fn is_bereft(&self) -> bool {
        self.primary.is_some_and(|primary| self.places[usize::from(primary)] != Place::InSync)
    }
}
