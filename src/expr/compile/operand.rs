//! Arithmetic, `CASE`, casts and functions.

use sqlparser::ast::{
    BinaryOperator, CaseWhen, CeilFloorKind, DataType, DateTimeField, Expr, Function as Call, FunctionArg,
    FunctionArgExpr, FunctionArguments,
};

use super::{
    Compiler, Typed, at,
    condition::{comparable, compare},
    unsupported, widened,
};
use crate::{
    expr::{
        calendar::Field,
        cast::Target,
        function::{self, Function},
        node::{Comparison, Node, Operator},
        value::{Type, Value},
    },
    types::{Error, Result, nearest},
};

impl Compiler<'_> {
    pub(super) fn binary(
        &self,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
        depth: usize,
    ) -> Result<Typed> {
        let comparison = match op {
            BinaryOperator::Eq => Comparison::Equal,
            BinaryOperator::NotEq => Comparison::NotEqual,
            BinaryOperator::Lt => Comparison::Less,
            BinaryOperator::LtEq => Comparison::LessOrEqual,
            BinaryOperator::Gt => Comparison::Greater,
            BinaryOperator::GtEq => Comparison::GreaterOrEqual,
            BinaryOperator::Plus => return self.arithmetic(Operator::Add, left, right, depth),
            BinaryOperator::Minus => return self.arithmetic(Operator::Subtract, left, right, depth),
            BinaryOperator::Multiply => return self.arithmetic(Operator::Multiply, left, right, depth),
            BinaryOperator::Divide => return self.arithmetic(Operator::Divide, left, right, depth),
            BinaryOperator::Modulo => return self.arithmetic(Operator::Remainder, left, right, depth),
            BinaryOperator::StringConcat => return self.concat(left, right, depth),
            _ => return Err(Error::invalid(format!("the operator {op} is not supported{}", at(left)))),
        };
        self.comparison(comparison, left, right, depth)
    }

    fn arithmetic(&self, op: Operator, left: &Expr, right: &Expr, depth: usize) -> Result<Typed> {
        let ((left_node, a), (right_node, b)) = (self.expr(left, depth)?, self.expr(right, depth)?);
        let value_type = match (a, op, b) {
            (Type::Timestamp, Operator::Subtract, Type::Timestamp) => Type::Int,
            (Type::Timestamp, Operator::Add | Operator::Subtract, Type::Int) => Type::Timestamp,
            (Type::Int, Operator::Add, Type::Timestamp) => Type::Timestamp,
            (Type::Int, _, Type::Int) => Type::Int,
            (Type::Null, _, other) | (other, _, Type::Null) if other.is_numeric() || other == Type::Null => {
                other
            }
            (a, _, b) if a.is_numeric() && b.is_numeric() => Type::Float,
            _ => return Err(Error::invalid(format!("there is no arithmetic of {a} and {b}{}", at(left)))),
        };
        Ok((Node::Arithmetic { op, left: left_node.boxed(), right: right_node.boxed() }, value_type))
    }

    fn concat(&self, left: &Expr, right: &Expr, depth: usize) -> Result<Typed> {
        let ((left_node, a), (right_node, b)) = (self.expr(left, depth)?, self.expr(right, depth)?);
        if let Some(other) = [a, b].into_iter().find(|side| !matches!(side, Type::Str | Type::Null)) {
            return Err(Error::invalid(format!("|| joins text, not {other}{}", at(left)))
                .hint("CAST(.. AS VARCHAR) makes text of it"));
        }
        Ok((Node::Concat { left: left_node.boxed(), right: right_node.boxed() }, Type::Str))
    }

    pub(super) fn case(
        &self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
        depth: usize,
    ) -> Result<Typed> {
        let mut tests = Vec::with_capacity(conditions.len());
        let mut results = Vec::with_capacity(conditions.len() + 1);
        for CaseWhen { condition, result } in conditions {
            tests.push(match operand {
                None => self.condition(condition, depth)?,
                Some(of) => compare(
                    Comparison::Equal,
                    (self.expr(of, depth)?, of),
                    (self.expr(condition, depth)?, condition),
                )?,
            });
            results.push((self.expr(result, depth)?, result));
        }
        if let Some(tree) = otherwise {
            results.push((self.expr(tree, depth)?, tree));
        }
        let (mut results, value_type) = joined(results)?;
        let otherwise = match otherwise {
            Some(_) => results.pop(),
            None => None,
        };
        let otherwise = otherwise.unwrap_or(Node::Constant(Value::Null)).boxed();
        Ok((Node::Case { branches: tests.into_iter().zip(results).collect(), otherwise }, value_type))
    }

    pub(super) fn cast(&self, of: &Expr, data_type: &DataType, or_null: bool, depth: usize) -> Result<Typed> {
        let (node, from) = self.expr(of, depth)?;
        let Some(to) = Target::of(data_type) else {
            return Err(Error::invalid(format!("there is no cast to {data_type}{}", at(of)))
                .hint("casts go to BOOLEAN, SMALLINT, INT, BIGINT, REAL, DOUBLE, VARCHAR and TIMESTAMP"));
        };
        if !to.takes(from) {
            return Err(Error::invalid(format!("{from} cannot be cast to {data_type}{}", at(of))));
        }
        Ok((Node::Cast { of: node.boxed(), to, or_null }, to.value_type()))
    }

    pub(super) fn extract(&self, field: Field, of: &Expr, depth: usize) -> Result<Typed> {
        match self.expr(of, depth)? {
            (node, Type::Timestamp | Type::Null) => {
                Ok((Node::Extract { field, of: node.boxed() }, field.value_type()))
            }
            (_, other) => Err(Error::invalid(format!("EXTRACT takes a timestamp, not {other}{}", at(of)))),
        }
    }

    /// `CEIL` and `FLOOR`, which sqlparser sets apart from functions.
    pub(super) fn rounding(
        &self,
        name: &str,
        of: &Expr,
        field: &CeilFloorKind,
        depth: usize,
    ) -> Result<Typed> {
        match field {
            CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => self.call(name, &[of], &at(of), depth),
            _ => Err(Error::invalid(format!("{name} takes one number{}", at(of)))),
        }
    }

    pub(super) fn function(&self, call: &Call, depth: usize) -> Result<Typed> {
        let tree_at = call.name.0.first().and_then(|part| part.as_ident());
        let place = tree_at.map(|name| super::place(name.span.start)).unwrap_or_default();
        let plain = call.filter.is_none() && call.over.is_none() && call.within_group.is_empty();
        let ([name], FunctionArguments::List(list), true) = (call.name.0.as_slice(), &call.args, plain)
        else {
            return Err(Error::invalid(format!("this kind of function is not supported{place}")));
        };
        if list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
            return Err(Error::invalid(format!("functions over many rows are not supported{place}")));
        }
        let arguments = list.args.iter().map(argument).collect::<Result<Vec<_>>>()?;
        let name = name.as_ident().map(|name| name.value.to_lowercase()).unwrap_or_default();
        self.call(&name, &arguments, &place, depth)
    }

    fn call(&self, name: &str, arguments: &[&Expr], place: &str, depth: usize) -> Result<Typed> {
        let mut typed = Vec::with_capacity(arguments.len());
        for tree in arguments {
            typed.push((self.expr(tree, depth)?, *tree));
        }
        match (name, typed.len()) {
            ("coalesce", 1..) => joined(typed).map(|(of, value_type)| (Node::Coalesce(of), value_type)),
            ("least" | "greatest", 1..) => {
                if let Some(((_, other @ Type::Vector(_)), _)) =
                    typed.iter().find(|((_, of), _)| matches!(of, Type::Vector(_)))
                {
                    return Err(Error::invalid(format!("{name} takes no {other}{place}")));
                }
                let greatest = name == "greatest";
                joined(typed).map(|(of, value_type)| (Node::Extreme { of, greatest }, value_type))
            }
            ("nullif", 2) => {
                let mut sides = typed.into_iter();
                let (Some(of), Some(equals)) = (sides.next(), sides.next()) else {
                    return Err(wrong_arguments(name, "two values", place));
                };
                let ((of, value_type), (equals, _)) = comparable(of, equals)?;
                Ok((Node::NullIf { of: of.boxed(), equals: equals.boxed() }, value_type))
            }
            ("coalesce" | "least" | "greatest", _) => Err(wrong_arguments(name, "one value at least", place)),
            ("nullif", _) => Err(wrong_arguments(name, "two values", place)),
            _ => {
                let function = Function::named(name).ok_or_else(|| unknown(name, place))?;
                let types: Vec<Type> = typed.iter().map(|((_, value_type), _)| *value_type).collect();
                let value_type =
                    function.check(&types).map_err(|expected| wrong_arguments(name, expected, place))?;
                let of = typed.into_iter().map(|((node, _), _)| node).collect();
                Ok((Node::Call { function, of }, value_type))
            }
        }
    }
}

/// Brings results to one type.
fn joined(results: Vec<(Typed, &Expr)>) -> Result<(Vec<Node>, Type)> {
    let mut whole = Type::Null;
    for ((_, value_type), tree) in &results {
        whole = whole.join(*value_type).ok_or_else(|| {
            Error::invalid(format!(
                "{whole} and {value_type} cannot be results of one expression{}",
                at(tree)
            ))
        })?;
    }
    Ok((results.into_iter().map(|((node, from), _)| widened(node, from, whole)).collect(), whole))
}

fn argument(argument: &FunctionArg) -> Result<&Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(tree)) => Ok(tree),
        FunctionArg::Named { arg: FunctionArgExpr::Expr(tree), .. } => Err(unsupported(tree)),
        _ => Err(Error::invalid("arguments of functions are expressions")),
    }
}

fn wrong_arguments(name: &str, expected: &str, place: &str) -> Error {
    Error::invalid(format!("{name} takes {expected}{place}"))
}

fn unknown(name: &str, place: &str) -> Error {
    let error = Error::invalid(format!("there is no function `{name}`{place}"));
    match nearest(name, function::NAMES) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("functions are {}", function::NAMES.join(", "))),
    }
}
