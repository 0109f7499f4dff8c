//! Evaluating a type-checked expression.

use std::{borrow::Cow, cmp::Ordering};

use super::{
    node::{Comparison, Node, Operator},
    scope::{Source, Stored},
    value::Value,
};
use crate::types::{Error, Timestamp};

/// Why an expression has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Overflow,
    DivisionByZero,
    /// The value is not one of what it is cast to.
    Cast(&'static str),
    /// The row is read with another schema than the expression was parsed for.
    Schema,
}

impl Fault {
    /// The refusal, with the expression it happened in.
    pub(super) fn explain(self, text: &str) -> Error {
        let what = match self {
            Fault::Overflow => "an integer overflows".to_owned(),
            Fault::DivisionByZero => "an integer is divided by zero".to_owned(),
            Fault::Cast(target) => format!("a value is not {target}"),
            Fault::Schema => {
                return Error::internal(format!("`{text}` was parsed for another schema than the row's"));
            }
        };
        let error = Error::invalid(format!("in `{text}` {what}"));
        match self {
            Fault::DivisionByZero => error.hint("NULLIF(divisor, 0) makes the result null instead"),
            Fault::Cast(_) => error.hint("TRY_CAST makes the result null instead"),
            Fault::Overflow | Fault::Schema => error,
        }
    }
}

type Result<'v> = std::result::Result<Value<'v>, Fault>;

/// The value of `node` for `source`.
pub(super) fn eval<'v>(node: &'v Node, source: &Source<'v>) -> Result<'v> {
    match node {
        Node::Constant(value) => Ok(value.borrowed()),
        Node::Column(at) => Ok(match source.value {
            Stored::Row(row) => row.value(*at).into(),
            Stored::Plain(_) => Value::Null,
        }),
        Node::Key { declared } => Ok(Value::key(source.key, *declared)),
        Node::This => Ok(match source.value {
            Stored::Row(_) => Value::Null,
            Stored::Plain(bytes) => Value::Bytes(bytes.into()),
        }),
        Node::Not(of) => Ok(truth(&eval(of, source)?).map_or(Value::Null, |truth| Value::Bool(!truth))),
        Node::And(of) => junction(of, source, false),
        Node::Or(of) => junction(of, source, true),
        Node::IsNull { of, negated } => Ok(Value::Bool((eval(of, source)? == Value::Null) != *negated)),
        Node::Is { of, value, negated } => {
            Ok(Value::Bool((truth(&eval(of, source)?) == Some(*value)) != *negated))
        }
        Node::Compare { op, left, right } => {
            let (left, right) = (eval(left, source)?, eval(right, source)?);
            Ok(compared(*op, &left, &right).map_or(Value::Null, Value::Bool))
        }
        Node::In { of, list, negated } => contained(of, list, *negated, source),
        Node::Like { of, pattern, negated } => Ok(match eval(of, source)? {
            Value::Str(text) => Value::Bool(pattern.matches(&text) != *negated),
            _ => Value::Null,
        }),
        Node::Arithmetic { op, left, right } => arithmetic(*op, &eval(left, source)?, &eval(right, source)?),
        Node::Concat { left, right } => Ok(match (eval(left, source)?, eval(right, source)?) {
            (Value::Str(left), Value::Str(right)) => Value::Str(Cow::Owned(left.into_owned() + &right)),
            _ => Value::Null,
        }),
        Node::Negate(of) => match eval(of, source)? {
            Value::Int(number) => number.checked_neg().map(Value::Int).ok_or(Fault::Overflow),
            Value::Float(number) => Ok(Value::Float(-number)),
            _ => Ok(Value::Null),
        },
        Node::Case { branches, otherwise } => {
            for (condition, result) in branches {
                if truth(&eval(condition, source)?) == Some(true) {
                    return eval(result, source);
                }
            }
            eval(otherwise, source)
        }
        Node::Coalesce(of) => first_value(of, source),
        Node::NullIf { of, equals } => {
            let (value, other) = (eval(of, source)?, eval(equals, source)?);
            let equal = compared(Comparison::Equal, &value, &other) == Some(true);
            Ok(if equal { Value::Null } else { value })
        }
        Node::Extreme { of, greatest } => extreme(of, *greatest, source),
        Node::Call { function, of } => match of.as_slice() {
            [first] => function.call(eval(first, source)?, None),
            [first, second] => function.call(eval(first, source)?, Some(eval(second, source)?)),
            _ => Ok(Value::Null),
        },
        Node::Cast { of, to, or_null } => match to.cast(eval(of, source)?) {
            Err(_) if *or_null => Ok(Value::Null),
            cast => cast,
        },
        Node::Extract { field, of } => Ok(match eval(of, source)? {
            Value::Timestamp(at) => field.extract(at),
            _ => Value::Null,
        }),
    }
}

fn truth(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        _ => None,
    }
}

/// `AND` (decided by the first false) or `OR` (decided by the first true).
fn junction<'v>(of: &'v [Node], source: &Source<'v>, decisive: bool) -> Result<'v> {
    let mut known = true;
    for node in of {
        match truth(&eval(node, source)?) {
            Some(truth) if truth == decisive => return Ok(Value::Bool(decisive)),
            Some(_) => {}
            None => known = false,
        }
    }
    Ok(if known { Value::Bool(!decisive) } else { Value::Null })
}

fn contained<'v>(of: &'v Node, list: &'v [Node], negated: bool, source: &Source<'v>) -> Result<'v> {
    let value = eval(of, source)?;
    let mut known = true;
    for node in list {
        match compared(Comparison::Equal, &value, &eval(node, source)?) {
            Some(true) => return Ok(Value::Bool(!negated)),
            Some(false) => {}
            None => known = false,
        }
    }
    Ok(if known { Value::Bool(negated) } else { Value::Null })
}

fn first_value<'v>(of: &'v [Node], source: &Source<'v>) -> Result<'v> {
    for node in of {
        match eval(node, source)? {
            Value::Null => {}
            value => return Ok(value),
        }
    }
    Ok(Value::Null)
}

/// `LEAST` or `GREATEST` of what is not null; NaN if a NaN is among them.
fn extreme<'v>(of: &'v [Node], greatest: bool, source: &Source<'v>) -> Result<'v> {
    let mut found = Value::Null;
    for node in of {
        let value = eval(node, source)?;
        let better = match (&found, &value) {
            (_, Value::Null) => false,
            (Value::Null, _) => true,
            _ => match order(&value, &found) {
                Some(Ordering::Greater) => greatest,
                Some(Ordering::Less) => !greatest,
                Some(Ordering::Equal) => false,
                None => matches!(value, Value::Float(number) if number.is_nan()),
            },
        };
        if better {
            found = value;
        }
    }
    Ok(found)
}

/// `None` if either is null; NaN is neither equal to nor less nor greater than anything.
fn compared(op: Comparison, left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    if *left == Value::Null || *right == Value::Null {
        return None;
    }
    let order = order(left, right);
    Some(match op {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::NotEqual => order != Some(Ordering::Equal),
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessOrEqual => order.is_some_and(Ordering::is_le),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
    })
}

/// The compiler admits only pairs that have an order, NaN apart.
fn order(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
            left.as_f64()?.partial_cmp(&right.as_f64()?)
        }
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Str(left), Value::Str(right)) => Some(left.cmp(right)),
        (Value::Bytes(left), Value::Bytes(right)) => Some(left.cmp(right)),
        (Value::Bytes(left), Value::Str(right)) => Some(left.as_ref().cmp(right.as_bytes())),
        (Value::Str(left), Value::Bytes(right)) => Some(left.as_bytes().cmp(right)),
        (Value::Timestamp(left), Value::Timestamp(right)) => Some(left.cmp(right)),
        (Value::Timestamp(left), Value::Int(right)) => Some(left.0.cmp(right)),
        (Value::Int(left), Value::Timestamp(right)) => Some(left.cmp(&right.0)),
        _ => None,
    }
}

fn arithmetic(op: Operator, left: &Value<'_>, right: &Value<'_>) -> Result<'static> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => integers(op, *left, *right).map(Value::Int),
        (Value::Timestamp(left), Value::Timestamp(right)) => integers(op, left.0, right.0).map(Value::Int),
        (Value::Timestamp(at), Value::Int(millis)) | (Value::Int(millis), Value::Timestamp(at)) => {
            integers(op, at.0, *millis).map(|at| Value::Timestamp(Timestamp(at)))
        }
        _ => Ok(match (left.as_f64(), right.as_f64()) {
            (Some(left), Some(right)) => Value::Float(floats(op, left, right)),
            _ => Value::Null,
        }),
    }
}

fn integers(op: Operator, left: i64, right: i64) -> std::result::Result<i64, Fault> {
    match op {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Divide | Operator::Remainder if right == 0 => return Err(Fault::DivisionByZero),
        Operator::Divide => left.checked_div(right),
        Operator::Remainder => Some(left.wrapping_rem(right)),
    }
    .ok_or(Fault::Overflow)
}

fn floats(op: Operator, left: f64, right: f64) -> f64 {
    match op {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        Operator::Remainder => left % right,
    }
}
