//! The equation: which dimensions of which tensor are the same.

use std::collections::BTreeMap;

use super::super::super::plan::Reason;

/// A dimension: a letter, or the place in an ellipsis counted from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Label {
    /// From the last: those of two ellipses are laid along each other as shapes are that are stretched.
    Stretched(std::cmp::Reverse<usize>),
    Letter(char),
}

/// The dimensions of one tensor. An ellipsis stands before the letter of the given number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Term {
    letters: Vec<char>,
    ellipsis: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Equation {
    inputs: Vec<Term>,
    output: Term,
}

/// The equation for tensors of known shapes.
pub(super) struct Labels {
    pub(super) inputs: Vec<Vec<Label>>,
    pub(super) output: Vec<Label>,
    pub(super) sizes: BTreeMap<Label, usize>,
}

impl Term {
    fn parse(text: &str) -> Result<Term, Reason> {
        let mut term = Term::default();
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            if let (Some(after), None) = (rest.strip_prefix("..."), term.ellipsis) {
                term.ellipsis = Some(term.letters.len());
                rest = after;
            } else if letter.is_ascii_alphabetic() {
                term.letters.push(letter);
                rest = &rest[1..];
            } else {
                return Err(format!("`{text}` names no dimensions"));
            }
        }
        Ok(term)
    }

    /// The labels, if the ellipsis stands for so many dimensions.
    fn labels(&self, stretched: usize) -> Vec<Label> {
        let mut labels: Vec<Label> = self.letters.iter().copied().map(Label::Letter).collect();
        let at = self.ellipsis.unwrap_or(0);
        let ellipsis = (0..stretched).rev().map(|place| Label::Stretched(std::cmp::Reverse(place)));
        labels.splice(at..at, ellipsis);
        labels
    }
}

impl Equation {
    /// Reads an equation for so many tensors.
    pub(super) fn parse(text: &str, tensors: usize) -> Result<Equation, Reason> {
        let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        let (left, right) = match text.split_once("->") {
            Some((left, right)) => (left, Some(right)),
            None => (text.as_str(), None),
        };
        let inputs = left.split(',').map(Term::parse).collect::<Result<Vec<_>, _>>()?;
        if inputs.len() != tensors {
            return Err(format!("`{text}` names {} tensors, not {tensors}", inputs.len()));
        }
        let output = match right {
            Some(right) => Term::parse(right)?,
            None => implied(&inputs),
        };
        let known = |letter: &char| inputs.iter().any(|input| input.letters.contains(letter));
        let once = |letter: &char| output.letters.iter().filter(|other| *other == letter).count() == 1;
        if !output.letters.iter().all(|letter| known(letter) && once(letter)) {
            return Err(format!("`{text}` gives a dimension that is not known, or twice"));
        }
        Ok(Equation { inputs, output })
    }

    /// Lays the equation along the shapes of its tensors.
    pub(super) fn labels(&self, shapes: &[&[usize]]) -> Result<Labels, Reason> {
        let mut most = 0;
        let mut inputs = Vec::with_capacity(shapes.len());
        let mut sizes = BTreeMap::new();
        for (term, shape) in self.inputs.iter().zip(shapes) {
            let misfit = || format!("a tensor of shape {shape:?} has other dimensions than `{term:?}`");
            let stretched = shape.len().checked_sub(term.letters.len()).ok_or_else(misfit)?;
            if stretched > 0 && term.ellipsis.is_none() {
                return Err(misfit());
            }
            most = most.max(stretched);
            let labels = term.labels(stretched);
            for (label, &size) in labels.iter().zip(*shape) {
                match (sizes.insert(*label, size), label) {
                    (Some(other), _) if other == size => {}
                    (Some(other), Label::Stretched(_)) if other == 1 || size == 1 => {
                        sizes.insert(*label, if size == 1 { other } else { size });
                    }
                    (Some(other), _) => return Err(format!("a dimension is of size {other} and {size}")),
                    (None, _) => {}
                }
            }
            inputs.push(labels);
        }
        if most > 0 && self.output.ellipsis.is_none() {
            return Err("the dimensions of an ellipsis are not given".to_owned());
        }
        let stretched = if self.output.ellipsis.is_some() { most } else { 0 };
        Ok(Labels { inputs, output: self.output.labels(stretched), sizes })
    }
}

/// Without an output, the letters that occur once, in their order; an ellipsis comes first.
fn implied(inputs: &[Term]) -> Term {
    let mut count: BTreeMap<char, usize> = BTreeMap::new();
    inputs.iter().flat_map(|input| &input.letters).for_each(|letter| *count.entry(*letter).or_default() += 1);
    let letters = count.into_iter().filter(|(_, count)| *count == 1).map(|(letter, _)| letter).collect();
    let ellipsis = inputs.iter().any(|input| input.ellipsis.is_some()).then_some(0);
    Term { letters, ellipsis }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_equation_without_output_gives_what_occurs_once() {
        let equation = Equation::parse("b...a , ca", 2).unwrap();
        assert_eq!(equation.output, Term { letters: vec!['b', 'c'], ellipsis: Some(0) });
        assert_eq!(equation.inputs[0], Term { letters: vec!['b', 'a'], ellipsis: Some(1) });
        assert_eq!(Equation::parse("i->", 1).unwrap().output, Term::default());
    }

    #[test]
    fn what_is_no_equation_is_refused() {
        for text in ["i.j", "i......", "i->ii", "i->j", "1", "i->é"] {
            assert!(Equation::parse(text, 1).is_err(), "{text}");
        }
    }
}
