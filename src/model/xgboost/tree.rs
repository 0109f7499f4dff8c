//! One tree: from lists with an entry a node to nodes.

use std::collections::HashMap;

use super::{
    super::{
        Error,
        forest::{self, Mode, Node, Set, Weight},
    },
    document::Tree,
};

/// What has no left child is a leaf.
const NONE: i32 = -1;
/// From here on 32 bits cannot tell one category from the next: to XGBoost it is no category.
const CATEGORIES: i64 = 1 << 24;

impl Tree {
    /// The tree, for one target, its leaves times `weight`. `place` is how messages name it.
    pub(super) fn lower(
        &self,
        target: u32,
        weight: f32,
        columns: usize,
        place: &str,
    ) -> Result<forest::Tree, Error> {
        self.check(place)?;
        let sets = self.sets(place)?;
        let numbers: HashMap<i64, u32> = self.categories_nodes.iter().copied().zip(0..).collect();
        let mut tree = forest::Tree { sets, ..forest::Tree::default() };
        for (index, &left) in self.left_children.iter().enumerate() {
            let invalid = |reason: String| Error::invalid(format!("{place}, node {index}"), reason);
            if left == NONE {
                let value = f64::from(self.split_conditions[index].0 * weight);
                tree.nodes.push(Node::Leaf { first: tree.weights.len() as u32, count: 1 });
                tree.weights.push(Weight { target, value });
                continue;
            }
            let child = |node: i32| u32::try_from(node).map_err(|_| invalid(format!("{node} is no child")));
            let (left, right) = (child(left)?, child(self.right_children[index])?);
            let feature = u32::try_from(self.split_indices[index]).ok();
            let Some(feature) = feature.filter(|&feature| (feature as usize) < columns) else {
                let reason = format!("it compares column {} of {columns}", self.split_indices[index]);
                return Err(invalid(reason));
            };
            let missing_left = self.default_left[index].0;
            tree.nodes.push(match self.split_type.get(index) {
                None | Some(0) => Node::Split {
                    feature,
                    threshold: self.split_conditions[index].0.into(),
                    mode: Mode::Lt,
                    on_true: left,
                    on_false: right,
                    missing_true: missing_left,
                },
                Some(1) => Node::Member {
                    feature,
                    set: *numbers
                        .get(&(index as i64))
                        .ok_or_else(|| invalid("it splits by category and has none".to_owned()))?,
                    on_true: right,
                    on_false: left,
                    missing_true: !missing_left,
                },
                Some(other) => return Err(invalid(format!("it splits in a way that is not known: {other}"))),
            });
        }
        Ok(tree)
    }

    /// Each list has an entry for each node.
    fn check(&self, place: &str) -> Result<(), Error> {
        let nodes = self.left_children.len();
        for (list, length) in [
            ("right_children", self.right_children.len()),
            ("split_indices", self.split_indices.len()),
            ("split_conditions", self.split_conditions.len()),
            ("default_left", self.default_left.len()),
            ("split_type", if self.split_type.is_empty() { nodes } else { self.split_type.len() }),
        ] {
            if length != nodes {
                let reason = format!("`{list}` has {length} entries for {nodes} nodes");
                return Err(Error::invalid(place, reason));
            }
        }
        Ok(())
    }

    /// The set of each node that has one, in the order of `categories_nodes`.
    fn sets(&self, place: &str) -> Result<Vec<Set>, Error> {
        let invalid = |reason: String| Error::invalid(place, reason);
        let (nodes, begins, sizes) =
            (&self.categories_nodes, &self.categories_segments, &self.categories_sizes);
        if begins.len() != nodes.len() || sizes.len() != nodes.len() {
            let (begins, sizes) = (begins.len(), sizes.len());
            return Err(invalid(format!(
                "{} nodes have {begins} and {sizes} lists of categories",
                nodes.len()
            )));
        }
        let total =
            sizes.iter().try_fold(0_usize, |total, &size| total.checked_add(usize::try_from(size).ok()?));
        if total.is_none_or(|total| total > self.categories.len()) {
            let reason =
                format!("its nodes have more categories than the {} of the tree", self.categories.len());
            return Err(invalid(reason));
        }
        let mut sets = Vec::with_capacity(nodes.len());
        for (&begin, &size) in begins.iter().zip(sizes) {
            let range = usize::try_from(begin).ok().zip(usize::try_from(size).ok());
            let range = range.and_then(|(begin, size)| self.categories.get(begin..begin.checked_add(size)?));
            let Some(range) = range else {
                return Err(invalid(format!("it has no {size} categories from {begin} on")));
            };
            if let Some(category) = range.iter().find(|category| **category < 0) {
                return Err(invalid(format!("{category} is no category")));
            }
            let mut categories: Vec<i64> = range.to_vec();
            categories.sort_unstable();
            categories.dedup();
            categories.retain(|category| *category < CATEGORIES);
            sets.push(Set::of_categories(categories.into_iter().map(|category| category as u32)));
        }
        Ok(sets)
    }
}
