//! Conditions: comparisons and what joins them.

use sqlparser::ast::{BinaryOperator, Expr, Value as Literal, ValueWithSpan};

use super::{Compiler, Typed, at, folded, start, timestamp};
use crate::{
    expr::{
        like::Pattern,
        node::{Comparison, Node},
        value::{Type, Value},
    },
    types::{Error, Result},
};

impl Compiler<'_> {
    /// `a AND b AND c`, which sqlparser nests to the left, as one node.
    pub(super) fn junction(&self, tree: &Expr, op: &BinaryOperator, depth: usize) -> Result<Typed> {
        let mut operands = Vec::new();
        let mut rest = tree;
        while let Expr::BinaryOp { left, op: inner, right } = rest
            && inner == op
        {
            operands.push(right.as_ref());
            rest = left;
        }
        operands.push(rest);
        let nodes =
            operands.iter().rev().map(|operand| self.condition(operand, depth)).collect::<Result<_>>()?;
        let node = if *op == BinaryOperator::And { Node::And(nodes) } else { Node::Or(nodes) };
        Ok((node, Type::Bool))
    }

    pub(super) fn is_null(&self, of: &Expr, negated: bool, depth: usize) -> Result<Typed> {
        let (node, _) = self.expr(of, depth)?;
        Ok((Node::IsNull { of: node.boxed(), negated }, Type::Bool))
    }

    pub(super) fn is(&self, of: &Expr, value: bool, negated: bool, depth: usize) -> Result<Typed> {
        Ok((Node::Is { of: self.condition(of, depth)?.boxed(), value, negated }, Type::Bool))
    }

    pub(super) fn comparison(
        &self,
        op: Comparison,
        left: &Expr,
        right: &Expr,
        depth: usize,
    ) -> Result<Typed> {
        let node = compare(op, (self.expr(left, depth)?, left), (self.expr(right, depth)?, right))?;
        Ok((node, Type::Bool))
    }

    pub(super) fn in_list(&self, of: &Expr, list: &[Expr], negated: bool, depth: usize) -> Result<Typed> {
        let mut value = self.expr(of, depth)?;
        let mut nodes = Vec::with_capacity(list.len());
        for tree in list {
            let (of_node, node) = comparable((value, of), (self.expr(tree, depth)?, tree))?;
            value = of_node;
            nodes.push(node.0);
        }
        Ok((Node::In { of: value.0.boxed(), list: nodes, negated }, Type::Bool))
    }

    /// `a BETWEEN b AND c` is `a >= b AND a <= c`.
    pub(super) fn between(&self, [of, low, high]: [&Expr; 3], negated: bool, depth: usize) -> Result<Typed> {
        let (above, _) = self.comparison(Comparison::GreaterOrEqual, of, low, depth)?;
        let (below, _) = self.comparison(Comparison::LessOrEqual, of, high, depth)?;
        let within = Node::And(vec![folded(above), folded(below)]);
        Ok((if negated { Node::Not(within.boxed()) } else { within }, Type::Bool))
    }

    pub(super) fn like(
        &self,
        of: &Expr,
        pattern: &Expr,
        escape: Option<&Expr>,
        [negated, ignore_case]: [bool; 2],
        depth: usize,
    ) -> Result<Typed> {
        let (node, value_type) = self.expr(of, depth)?;
        if !matches!(value_type, Type::Str | Type::Null) {
            return Err(Error::invalid(format!("LIKE takes text, not {value_type}{}", at(of))));
        }
        let escape = match escape.map(literal_text) {
            None => None,
            Some(Some(text)) if text.chars().count() == 1 => text.chars().next(),
            Some(_) => return Err(Error::invalid(format!("ESCAPE takes one character{}", at(pattern)))),
        };
        let Some(text) = literal_text(pattern) else {
            return Err(Error::invalid(format!("the pattern of LIKE must be a literal{}", at(pattern))));
        };
        let Some(pattern) = Pattern::new(text, escape, ignore_case) else {
            return Err(Error::invalid(format!("the pattern ends with its escape character{}", at(pattern))));
        };
        Ok((Node::Like { of: node.boxed(), pattern, negated }, Type::Bool))
    }
}

fn literal_text(tree: &Expr) -> Option<&str> {
    match tree {
        Expr::Value(ValueWithSpan { value: Literal::SingleQuotedString(text), .. }) => Some(text),
        _ => None,
    }
}

pub(super) fn compare(op: Comparison, left: (Typed, &Expr), right: (Typed, &Expr)) -> Result<Node> {
    let ((left, _), (right, _)) = comparable(left, right)?;
    Ok(Node::Compare { op, left: left.boxed(), right: right.boxed() })
}

/// Checks that two values have an order, and brings a literal to the type of the other side.
pub(super) fn comparable(left: (Typed, &Expr), right: (Typed, &Expr)) -> Result<(Typed, Typed)> {
    let ((left, left_tree), (right, right_tree)) = (left, right);
    let left = adapted(left, right.1, left_tree)?;
    let right = adapted(right, left.1, right_tree)?;
    let fits = match (left.1, right.1) {
        (Type::Vector(_), _) | (_, Type::Vector(_)) => false,
        (Type::Null, _) | (_, Type::Null) => true,
        (Type::Timestamp, Type::Int) | (Type::Int, Type::Timestamp) => true,
        (Type::Bytes, Type::Str) | (Type::Str, Type::Bytes) => true,
        (a, b) => a == b || a.is_numeric() && b.is_numeric(),
    };
    if fits {
        return Ok((left, right));
    }
    let error = Error::invalid(format!("{} cannot be compared with {}{}", left.1, right.1, at(left_tree)));
    Err(match (left.1, right.1) {
        (Type::Bool, other) | (other, Type::Bool) if other.is_numeric() => {
            error.hint("compare with TRUE or FALSE")
        }
        (Type::Str, other) | (other, Type::Str) if other.is_numeric() => {
            error.hint("numbers stand without quotes, text in single quotes")
        }
        _ => error,
    })
}

fn adapted(value: Typed, other: Type, tree: &Expr) -> Result<Typed> {
    Ok(match (value, other) {
        // What was stored as 0.1 in an f32 column is found as 0.1.
        ((Node::Constant(Value::Float(number)), Type::Float), Type::Single) => {
            (Node::Constant(Value::Float(f64::from(number as f32))), Type::Float)
        }
        ((Node::Constant(Value::Str(text)), Type::Str), Type::Timestamp) => {
            (Node::Constant(Value::Timestamp(timestamp(&text, start(tree))?)), Type::Timestamp)
        }
        (value, _) => value,
    })
}
