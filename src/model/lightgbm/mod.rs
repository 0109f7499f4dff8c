//! Models that LightGBM has saved as text.
//!
//! A model gives what `Booster.predict` gives for all trees of the file, computed in 64 bits. What is nearer to zero than
//! 1e-35 is zero; NaN is zero, or missing, or both are, as each split says. Features of categories hold the categories'
//! codes, of which the fraction is cut off; what is no code of the split's set, NaN among it, goes right.
//!
//! A key that is not known may change what the others mean, so it is an error. Not computed: trees with linear functions at
//! their leaves.

mod objective;
#[cfg(test)]
mod tests;
mod text;
mod tree;

use super::{
    DType, Decoded, Error, Format, Limits,
    boosted::Boosted,
    forest::{self, Aggregate, Ensemble},
};
use objective::Objective;
use text::{Block, Lines};

/// The versions of the format that are known. They mean the same; LightGBM 2.3 to 3 wrote the first, 4 the second.
const VERSIONS: [&str; 2] = ["v3", "v4"];

/// The keys of the model.
const KEYS: [&str; 11] = [
    "version",
    "num_class",
    "num_tree_per_iteration",
    "label_index",
    "max_feature_idx",
    "objective",
    "average_output",
    "feature_names",
    "monotone_constraints",
    "feature_infos",
    "tree_sizes",
];

/// Reads a file.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, Error> {
    Error::limit("the file's length in bytes", bytes.len(), limits.bytes)?;
    let mut lines = Lines::new(bytes, limits);
    match lines.next()? {
        None => return Err(unreadable("the file is empty")),
        Some(line) if line.is("tree") => {}
        Some(_) => return Err(unreadable("its first line is not `tree`")),
    }
    let (block, first) = lines.block(&KEYS)?;
    let header = Header::read(&block, limits)?;
    let mut trees = Vec::new();
    let mut next = first;
    while let Some(entry) = next {
        if entry.number::<u32>()? as usize != trees.len() {
            return Err(entry.invalid(format!("it is tree {} of the file", trees.len())));
        }
        let (block, following) = lines.block(&tree::KEYS)?;
        next = following;
        if tree::is_linear(&block)? {
            return Err(unsupported("linear_tree", "leaves that are functions of the features"));
        }
        let target = (trees.len() % header.targets) as u32;
        trees.push(tree::read(&block, &mut lines, target, header.columns, limits)?);
    }
    header.boosted(trees).map(Boosted::decoded)
}

/// What the lines before the trees say.
struct Header {
    targets: usize,
    columns: usize,
    names: Vec<String>,
    objective: Objective,
    average: bool,
    /// The number of trees, if it is said.
    trees: Option<usize>,
}

impl Header {
    fn read(block: &Block<'_>, limits: &Limits) -> Result<Header, Error> {
        let version = block.get("version")?;
        if !VERSIONS.contains(&version.value) {
            return Err(unsupported(version.value, "files of this version are not known"));
        }
        let whole = |key| block.get(key)?.number::<u32>();
        let targets = whole("num_tree_per_iteration")? as usize;
        let most = forest::Limits::default();
        Error::limit("the number of trees of an iteration", targets, most.targets)?;
        if targets == 0 || targets != whole("num_class")? as usize {
            let reason = format!("there are {targets} trees for each iteration");
            return Err(block.get("num_class")?.invalid(reason));
        }
        let last = block.get("max_feature_idx")?;
        let columns = last.number::<u32>()? as usize + 1;
        let names = block.get("feature_names")?;
        let count = names.value.split(' ').count();
        Error::limit("the number of features", count, limits.texts)?;
        if count != columns {
            return Err(names.invalid(format!("there are {count} for {columns} columns")));
        }
        let objective = match block.find("objective") {
            Some(entry) => Objective::read(entry)?,
            None => Objective::custom(),
        };
        if let Some(expected) = objective.targets.filter(|expected| *expected != targets) {
            return Err(block.get("num_class")?.invalid(format!("the objective is for {expected}")));
        }
        Ok(Header {
            targets,
            columns,
            names: names.value.split(' ').map(str::to_owned).collect(),
            objective,
            average: block.find("average_output").is_some(),
            trees: block.find("tree_sizes").map(|sizes| sizes.value.split_whitespace().count()),
        })
    }

    fn boosted(self, trees: Vec<forest::Tree>) -> Result<Boosted, Error> {
        let (count, targets) = (trees.len(), self.targets);
        if let Some(expected) = self.trees.filter(|expected| *expected != count) {
            return Err(Error::invalid(
                "`tree_sizes`",
                format!("it is of {expected} trees, and there are {count}"),
            ));
        }
        if count % targets != 0 {
            return Err(Error::invalid("its trees", format!("{count} do not make iterations of {targets}")));
        }
        if self.average && count == 0 {
            return Err(Error::invalid("`average_output`", "there are no trees"));
        }
        let ensemble = Ensemble { trees, targets, aggregate: Aggregate::Running, base: Vec::new() };
        Ok(Boosted {
            dtype: DType::F64,
            columns: self.columns,
            names: self.names,
            ensemble,
            divisor: self.average.then_some((count / targets) as f64),
            link: self.objective.link,
            classes: self.objective.classes,
            operators: vec!["lightgbm:tree".to_owned(), format!("lightgbm:{}", self.objective.name)],
        })
    }
}

/// Names the part that is not computed, with the reason.
fn unsupported(part: &str, reason: &str) -> Error {
    let part = format!("lightgbm:{}", text::shown(part));
    Error::Unsupported { reasons: vec![format!("{part}: {reason}")], operators: vec![part] }
}

fn unreadable(reason: impl Into<String>) -> Error {
    Error::decode(Format::Lightgbm, reason)
}
