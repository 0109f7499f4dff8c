//! A type-checked expression.

use super::{calendar::Field, cast::Target, function::Function, like::Pattern, value::Value};

/// One step of a type-checked expression; depth is bounded by the compiler.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Constant(Value<'static>),
    Column(usize),
    Key {
        declared: bool,
    },
    This,
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    IsNull {
        of: Box<Node>,
        negated: bool,
    },
    /// `IS [NOT] TRUE` and `IS [NOT] FALSE`: never null.
    Is {
        of: Box<Node>,
        value: bool,
        negated: bool,
    },
    Compare {
        op: Comparison,
        left: Box<Node>,
        right: Box<Node>,
    },
    In {
        of: Box<Node>,
        list: Vec<Node>,
        negated: bool,
    },
    Like {
        of: Box<Node>,
        pattern: Pattern,
        negated: bool,
    },
    Arithmetic {
        op: Operator,
        left: Box<Node>,
        right: Box<Node>,
    },
    Concat {
        left: Box<Node>,
        right: Box<Node>,
    },
    Negate(Box<Node>),
    Case {
        branches: Vec<(Node, Node)>,
        otherwise: Box<Node>,
    },
    Coalesce(Vec<Node>),
    NullIf {
        of: Box<Node>,
        equals: Box<Node>,
    },
    Extreme {
        of: Vec<Node>,
        greatest: bool,
    },
    Call {
        function: Function,
        of: Vec<Node>,
    },
    Cast {
        of: Box<Node>,
        to: Target,
        or_null: bool,
    },
    Extract {
        field: Field,
        of: Box<Node>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Node {
    pub(super) fn boxed(self) -> Box<Node> {
        Box::new(self)
    }

    /// Hands each operand to `visit`.
    pub(super) fn each_operand<'n>(&'n self, visit: &mut dyn FnMut(&'n Node)) {
        match self {
            Node::Constant(_) | Node::Column(_) | Node::Key { .. } | Node::This => {}
            Node::Not(of) | Node::Negate(of) => visit(of),
            Node::IsNull { of, .. } | Node::Is { of, .. } | Node::Like { of, .. } => visit(of),
            Node::Cast { of, .. } | Node::Extract { of, .. } => visit(of),
            Node::And(of) | Node::Or(of) | Node::Coalesce(of) => of.iter().for_each(visit),
            Node::Extreme { of, .. } | Node::Call { of, .. } => of.iter().for_each(visit),
            Node::Compare { left, right, .. }
            | Node::Arithmetic { left, right, .. }
            | Node::Concat { left, right } => {
                visit(left);
                visit(right);
            }
            Node::NullIf { of, equals } => {
                visit(of);
                visit(equals);
            }
            Node::In { of, list, .. } => {
                visit(of);
                list.iter().for_each(visit);
            }
            Node::Case { branches, otherwise } => {
                for (condition, result) in branches {
                    visit(condition);
                    visit(result);
                }
                visit(otherwise);
            }
        }
    }

    /// Whether it is an operation on constants alone.
    pub(super) fn is_foldable(&self) -> bool {
        let (mut operands, mut constant) = (0, true);
        self.each_operand(&mut |operand| {
            operands += 1;
            constant &= matches!(operand, Node::Constant(_));
        });
        operands > 0 && constant
    }

    /// Adds the columns it reads to `columns`.
    pub(super) fn collect_columns(&self, columns: &mut Vec<usize>) {
        if let Node::Column(at) = self {
            columns.push(*at);
        }
        self.each_operand(&mut |operand| operand.collect_columns(columns));
    }
}
