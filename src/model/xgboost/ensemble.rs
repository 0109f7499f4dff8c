//! From a document to an ensemble: what its numbers mean, by booster, objective and version.

use super::{
    super::{
        DType, Error,
        boosted::Boosted,
        forest::{self, Aggregate, Ensemble},
    },
    document::{Booster, Document, Model, Number, Parameters},
    objective::{Objective, Version},
    unreadable,
};

/// The newest XGBoost of which it is known what its files mean.
const NEWEST: Version = (3, 4);

pub(super) fn boosted(document: Document) -> Result<Boosted, Error> {
    let Document { version: (major, minor, _), learner } = document;
    let version = (major, minor);
    let (booster, name) = (learner.gradient_booster, learner.objective.name);
    let parts = [format!("xgboost:{}", booster.name), format!("xgboost:{name}")];
    let targets = Targets::read(&learner.learner_model_param)?;
    let refused = refusals(version, &booster, &name, targets.outputs);
    let objective = match Objective::find(&name) {
        Some(objective) if refused.is_empty() => objective,
        _ => return Err(unsupported(&refused)),
    };
    let (model, weights) = trees(booster)?;
    let base =
        base(&learner.learner_model_param, objective, version, targets.outputs, model.trees.is_empty())?;
    let names = learner.feature_names;
    if !names.is_empty() && names.len() != targets.columns {
        let reason = format!("there are {} for {} columns", names.len(), targets.columns);
        return Err(Error::invalid("`feature_names`", reason));
    }
    Ok(Boosted {
        dtype: DType::F32,
        columns: targets.columns,
        names,
        ensemble: ensemble(&model, weights.as_deref(), &targets, base)?,
        divisor: None,
        link: objective.link,
        classes: objective.classes(),
        operators: parts.to_vec(),
    })
}

/// How wide a row and its prediction are.
struct Targets {
    columns: usize,
    /// Classes or targets.
    outputs: usize,
}

impl Targets {
    fn read(parameters: &Parameters) -> Result<Targets, Error> {
        let columns = whole("num_feature", &parameters.num_feature)?;
        if columns == 0 {
            return Err(Error::invalid("`num_feature`", "a row has no columns"));
        }
        let classes = whole("num_class", &parameters.num_class)?;
        let targets = parameters.num_target.as_deref().map_or(Ok(1), |text| whole("num_target", text))?;
        if classes > 1 && targets > 1 {
            let reason = format!("there are {targets} for {classes} classes");
            return Err(Error::invalid("`num_target`", reason));
        }
        let outputs = classes.max(targets).max(1);
        Error::limit("the number of classes or targets", outputs, forest::Limits::default().targets)?;
        Ok(Targets { columns, outputs })
    }
}

fn whole(key: &str, text: &str) -> Result<usize, Error> {
    let number: Option<u32> = text.parse().ok();
    let number =
        number.ok_or_else(|| Error::invalid(format!("`{key}`"), format!("`{text}` is no number")))?;
    Ok(number as usize)
}

/// Each part that is not computed, with the reason.
fn refusals(
    version: Version,
    booster: &Booster,
    objective: &str,
    outputs: usize,
) -> Vec<(String, &'static str)> {
    let mut refused = Vec::new();
    if version > NEWEST {
        refused.push((format!("{}.{}", version.0, version.1), "files of this version are not known"));
    }
    if !["gbtree", "dart"].contains(&booster.name.as_str()) {
        refused.push((booster.name.clone(), "this booster is not known"));
    }
    let model = booster.gbtree.as_ref().map_or(&booster.model, |gbtree| &gbtree.model);
    let scalar = |size: &str| size == "0" || size == "1";
    let mut trees = model.iter().flat_map(|model| &model.trees);
    if trees.any(|tree| !scalar(&tree.tree_param.size_leaf_vector)) {
        refused.push(("multi_output_tree".to_owned(), "leaves with more than one value"));
    }
    match objective {
        "binary:logitraw" if version < (1, 3) => {
            refused.push((objective.to_owned(), "before version 1.3 its base score was a probability"));
        }
        "reg:quantileerror" if version >= (3, 4) && outputs > 1 => {
            refused.push((objective.to_owned(), "since version 3.4 several quantiles are sorted"));
        }
        _ if Objective::find(objective).is_none() => {
            refused.push((objective.to_owned(), "this objective is not known"));
        }
        _ => {}
    }
    refused
}

fn unsupported(refused: &[(String, &str)]) -> Error {
    Error::Unsupported {
        operators: refused.iter().map(|(part, _)| format!("xgboost:{part}")).collect(),
        reasons: refused.iter().map(|(part, reason)| format!("xgboost:{part}: {reason}")).collect(),
    }
}

/// The trees of a booster, and the weight of each if they have weights.
fn trees(booster: Booster) -> Result<(Model, Option<Vec<Number>>), Error> {
    let dart = booster.name == "dart";
    let (outer, inner) = match booster.gbtree {
        Some(gbtree) => (booster.weight_drop, *gbtree),
        None => (None, booster),
    };
    let Some(mut model) = inner.model else { return Err(unreadable("its booster has no model")) };
    let weights = outer.or(inner.weight_drop).or(model.weight_drop.take());
    if dart && weights.is_none() {
        return Err(Error::invalid("`weight_drop`", "it is missing, and the trees of `dart` have weights"));
    }
    Ok((model, weights))
}

/// The margin that each target begins with.
fn base(
    parameters: &Parameters,
    objective: Objective,
    version: Version,
    outputs: usize,
    untrained: bool,
) -> Result<Vec<f64>, Error> {
    let text = &parameters.base_score;
    let invalid = |reason: String| Error::invalid("`base_score`", reason);
    let list = text.trim().trim_start_matches(['[', '(']).trim_end_matches([']', ')']);
    let number = |text: &str| text.trim().parse().map_err(|_| invalid(format!("`{text}` is no number")));
    let scores = list.split(',').map(number).collect::<Result<Vec<f32>, Error>>()?;
    if ![1, outputs].contains(&scores.len()) {
        return Err(invalid(format!("there are {} for {outputs} targets", scores.len())));
    }
    // Since 3.1 what was to be estimated in training and never was is taken as it stands.
    let estimated = parameters.boost_from_average.as_deref().is_some_and(|flag| flag != "0");
    let plain = untrained && estimated && version >= (3, 1);
    let margin = |&score: &f32| if plain { score } else { objective.margin(score, version) };
    let mut margins: Vec<f64> = scores.iter().map(|score| margin(score).into()).collect();
    if margins.iter().any(|margin| !margin.is_finite()) {
        return Err(invalid(format!("`{text}` does not fit the objective")));
    }
    if let [margin] = margins[..] {
        margins.resize(outputs, margin);
    }
    Ok(margins)
}

fn ensemble(
    model: &Model,
    weights: Option<&[Number]>,
    targets: &Targets,
    base: Vec<f64>,
) -> Result<Ensemble, Error> {
    let count = model.trees.len();
    for (list, length) in
        [("tree_info", model.tree_info.len()), ("weight_drop", weights.map_or(count, <[Number]>::len))]
    {
        if length != count {
            let reason = format!("it has {length} entries for {count} trees");
            return Err(Error::invalid(format!("`{list}`"), reason));
        }
    }
    let mut trees = Vec::with_capacity(count);
    for (index, (tree, &target)) in model.trees.iter().zip(&model.tree_info).enumerate() {
        let place = format!("tree {index}");
        if tree.id.is_some_and(|id| usize::try_from(id) != Ok(index)) {
            return Err(Error::invalid(place, "its `id` is not its place in the list"));
        }
        if target as usize >= targets.outputs {
            let reason = format!("it is for target {target} of {}", targets.outputs);
            return Err(Error::invalid(place, reason));
        }
        let weight = weights.and_then(|weights| weights.get(index)).map_or(1.0, |weight| weight.0);
        trees.push(tree.lower(target, weight, targets.columns, &place)?);
    }
    Ok(Ensemble { trees, targets: targets.outputs, aggregate: Aggregate::Running, base })
}
