//! From sqlparser's tree to a type-checked one.

mod condition;
mod operand;

use sqlparser::{
    ast::{BinaryOperator, CastKind, Expr, Ident, UnaryOperator, Value as Literal, ValueWithSpan},
    tokenizer::Location,
};

use super::{
    calendar::Field,
    cast::Target,
    eval::eval,
    node::Node,
    parse::place,
    scope::{Scope, Source},
    value::{Type, Value},
};
use crate::types::{Error, KeyRef, Result, Timestamp};

/// How deep a tree may nest; a chain of `AND` or `OR` is one level, one of `+` as many as it has terms.
const MAX_DEPTH: usize = 100;

type Typed = (Node, Type);

/// Type-checks a tree.
pub(super) fn compile(tree: &Expr, scope: &Scope<'_>) -> Result<Typed> {
    Compiler { scope }.expr(tree, 0)
}

struct Compiler<'a> {
    scope: &'a Scope<'a>,
}

impl Compiler<'_> {
    fn expr(&self, tree: &Expr, depth: usize) -> Result<Typed> {
        if depth > MAX_DEPTH {
            return Err(Error::invalid(format!("the expression nests deeper than {MAX_DEPTH}")));
        }
        let (node, value_type) = self.unfolded(tree, depth + 1)?;
        Ok((folded(node), value_type))
    }

    fn unfolded(&self, tree: &Expr, depth: usize) -> Result<Typed> {
        match tree {
            Expr::Nested(inner) => self.expr(inner, depth),
            Expr::Identifier(name) => self.name(name),
            Expr::Value(literal) => constant(literal),
            Expr::TypedString(typed) => match Target::of(&typed.data_type) {
                Some(Target::Timestamp) => timestamp_literal(&typed.value),
                _ => Err(unsupported(tree)),
            },
            Expr::UnaryOp { op, expr } => self.unary(*op, expr, depth),
            Expr::BinaryOp { left, op, right } => match op {
                BinaryOperator::And | BinaryOperator::Or => self.junction(tree, op, depth),
                _ => self.binary(left, op, right, depth),
            },
            Expr::IsNull(of) => self.is_null(of, false, depth),
            Expr::IsNotNull(of) => self.is_null(of, true, depth),
            Expr::IsTrue(of) => self.is(of, true, false, depth),
            Expr::IsNotTrue(of) => self.is(of, true, true, depth),
            Expr::IsFalse(of) => self.is(of, false, false, depth),
            Expr::IsNotFalse(of) => self.is(of, false, true, depth),
            Expr::InList { expr, list, negated } => self.in_list(expr, list, *negated, depth),
            Expr::Between { expr, negated, low, high } => self.between([expr, low, high], *negated, depth),
            Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                self.like(expr, pattern, escape_char.as_deref(), [*negated, false], depth)
            }
            Expr::ILike { negated, any: false, expr, pattern, escape_char } => {
                self.like(expr, pattern, escape_char.as_deref(), [*negated, true], depth)
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), depth)
            }
            Expr::Cast { kind, expr, data_type, format: None } => {
                let or_null = matches!(kind, CastKind::TryCast | CastKind::SafeCast);
                self.cast(expr, data_type, or_null, depth)
            }
            Expr::Extract { field, expr, .. } => match Field::of(field) {
                Some(field) => self.extract(field, expr, depth),
                None => Err(Error::invalid(format!("EXTRACT knows no {field}{}", at(expr)))
                    .hint("it knows YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, DOW, ISODOW, DOY and EPOCH")),
            },
            Expr::Ceil { expr, field } => self.rounding("ceil", expr, field, depth),
            Expr::Floor { expr, field } => self.rounding("floor", expr, field, depth),
            Expr::Function(function) => self.function(function, depth),
            _ => Err(unsupported(tree)),
        }
    }

    fn name(&self, name: &Ident) -> Result<Typed> {
        let place = place(name.span.start);
        if name.value == "__key" {
            let declared = self.scope.key.is_some();
            return Ok((Node::Key { declared }, Type::of_key(self.scope.key)));
        }
        let Some(schema) = self.scope.schema else {
            return match name.value.as_str() {
                "this" => Ok((Node::This, Type::Bytes)),
                other => Err(Error::invalid(format!("there is no `{other}`{place}"))
                    .hint("a plain map has `__key`, and `this` for the value")),
            };
        };
        if name.value == "this" {
            return Err(Error::invalid(format!("`this` is the value of a plain map{place}"))
                .hint("this map has columns: name one of them"));
        }
        let column = schema
            .require(&name.value)
            .map_err(|error| Error { message: format!("{}{place}", error.message).into(), ..error })?;
        Ok((Node::Column(column), Type::of_column(schema.columns()[column].kind)))
    }

    fn unary(&self, op: UnaryOperator, of: &Expr, depth: usize) -> Result<Typed> {
        // The least integer has no positive counterpart to negate.
        if let (UnaryOperator::Minus, Expr::Value(ValueWithSpan { value: Literal::Number(digits, _), .. })) =
            (op, of)
            && let Ok(number) = format!("-{digits}").parse()
        {
            return Ok((Node::Constant(Value::Int(number)), Type::Int));
        }
        let (node, value_type) = self.expr(of, depth)?;
        match op {
            UnaryOperator::Not if matches!(value_type, Type::Bool | Type::Null) => {
                Ok((Node::Not(node.boxed()), Type::Bool))
            }
            UnaryOperator::Plus if value_type.is_numeric() => Ok((node, value_type)),
            UnaryOperator::Minus if value_type.is_numeric() || value_type == Type::Null => {
                Ok((Node::Negate(node.boxed()), value_type))
            }
            UnaryOperator::Not | UnaryOperator::Plus | UnaryOperator::Minus => {
                Err(Error::invalid(format!("{op} takes no {value_type}{}", at(of))))
            }
            _ => Err(Error::invalid(format!("the operator {op} is not supported{}", at(of)))),
        }
    }

    fn condition(&self, tree: &Expr, depth: usize) -> Result<Node> {
        match self.expr(tree, depth)? {
            (node, Type::Bool | Type::Null) => Ok(node),
            (_, other) => Err(Error::invalid(format!("expected a condition, not {other}{}", at(tree)))),
        }
    }
}

fn constant(literal: &ValueWithSpan) -> Result<Typed> {
    let place = place(literal.span.start);
    let (value, value_type) = match &literal.value {
        Literal::Null => (Value::Null, Type::Null),
        Literal::Boolean(value) => (Value::Bool(*value), Type::Bool),
        Literal::Number(digits, _) => match digits.parse() {
            Ok(number) => (Value::Int(number), Type::Int),
            Err(_) => match digits.parse::<f64>() {
                Ok(number) if number.is_finite() => (Value::Float(number), Type::Float),
                _ => return Err(Error::invalid(format!("`{digits}` is no number that fits{place}"))),
            },
        },
        Literal::SingleQuotedString(text) => (Value::Str(text.clone().into()), Type::Str),
        Literal::HexStringLiteral(digits) => match bytes(digits) {
            Some(bytes) => (Value::Bytes(bytes.into()), Type::Bytes),
            None => return Err(Error::invalid(format!("X'{digits}' is not hexadecimal{place}"))),
        },
        other => return Err(Error::invalid(format!("the literal {other} is not supported{place}"))),
    };
    Ok((Node::Constant(value), value_type))
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    pairs
        .iter()
        .map(|pair| {
            u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+'))?, 16).ok()
        })
        .collect()
}

fn timestamp_literal(literal: &ValueWithSpan) -> Result<Typed> {
    match &literal.value {
        Literal::SingleQuotedString(text) => {
            Ok((Node::Constant(Value::Timestamp(timestamp(text, literal.span.start)?)), Type::Timestamp))
        }
        other => Err(Error::invalid(format!("{other} is not a timestamp{}", place(literal.span.start)))),
    }
}

fn timestamp(text: &str, location: Location) -> Result<Timestamp> {
    Timestamp::from_rfc3339(text).ok_or_else(|| {
        Error::invalid(format!("'{text}' is not a timestamp{}", place(location)))
            .hint("timestamps are RFC 3339, for example '2024-01-31T12:00:00Z'")
    })
}

/// An operation on constants becomes a constant, unless it fails: whether that matters shows at evaluation.
fn folded(node: Node) -> Node {
    if !node.is_foldable() {
        return node;
    }
    let nothing = Source::plain(&[], KeyRef::I64(0));
    let value = eval(&node, &nothing).ok().and_then(Value::into_owned);
    value.map_or(node, Node::Constant)
}

/// An integer as a float where floats are expected.
fn widened(node: Node, from: Type, to: Type) -> Node {
    match (from, to) {
        (Type::Int, Type::Float) => {
            folded(Node::Cast { of: node.boxed(), to: Target::Float, or_null: false })
        }
        _ => node,
    }
}

fn unsupported(tree: &Expr) -> Error {
    // The tree's text may be long, and deeper than this stack: say where, not what.
    Error::invalid(format!("this kind of expression is not supported{}", at(tree)))
}

/// Where a tree starts in the text, as far as its leftmost leaf knows.
fn start(mut tree: &Expr) -> Location {
    loop {
        tree = match tree {
            Expr::Identifier(name) => return name.span.start,
            Expr::Value(literal) => return literal.span.start,
            Expr::TypedString(typed) => return typed.value.span.start,
            Expr::CompoundIdentifier(names) => {
                return names.first().map_or(Location::empty(), |name| name.span.start);
            }
            Expr::Function(function) => {
                let name = function.name.0.first().and_then(|part| part.as_ident());
                return name.map_or(Location::empty(), |name| name.span.start);
            }
            Expr::Case { case_token, .. } => return case_token.0.span.start,
            Expr::BinaryOp { left: inner, .. }
            | Expr::Nested(inner)
            | Expr::UnaryOp { expr: inner, .. }
            | Expr::Cast { expr: inner, .. }
            | Expr::Extract { expr: inner, .. }
            | Expr::Ceil { expr: inner, .. }
            | Expr::Floor { expr: inner, .. }
            | Expr::InList { expr: inner, .. }
            | Expr::InSubquery { expr: inner, .. }
            | Expr::Between { expr: inner, .. }
            | Expr::Like { expr: inner, .. }
            | Expr::ILike { expr: inner, .. }
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::IsTrue(inner)
            | Expr::IsNotTrue(inner)
            | Expr::IsFalse(inner)
            | Expr::IsNotFalse(inner) => inner,
            _ => return Location::empty(),
        };
    }
}

fn at(tree: &Expr) -> String {
    place(start(tree))
}
