//! From text to sqlparser's tree, within limits.

use sqlparser::{
    ast::{Expr, Ident},
    dialect::Dialect,
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::{Location, Token, TokenWithSpan, Tokenizer},
};

use crate::types::{Error, Result};

/// The longest expression, in bytes.
const MAX_TEXT_BYTES: usize = 16 << 10;
/// The most tokens, spaces included: it bounds the tree, and with it the stack that dropping one takes.
const MAX_TOKENS: usize = 4096;
/// How deep sqlparser may nest.
const MAX_NESTING: usize = 64;

/// Plain SQL, without any product's additions.
#[derive(Debug)]
struct Sql;

impl Dialect for Sql {
    fn is_identifier_start(&self, char: char) -> bool {
        char.is_alphabetic() || char == '_'
    }

    fn is_identifier_part(&self, char: char) -> bool {
        char.is_alphanumeric() || char == '_'
    }
}

/// Parses one expression that takes up the whole text.
pub(super) fn expression(text: &str) -> Result<Expr> {
    let mut parser = parser(text)?;
    let tree = parser.parse_expr().map_err(|error| explain(error, text))?;
    end(&parser)?;
    Ok(tree)
}

/// Parses `SET a = .., b = ..` that takes up the whole text.
pub(super) fn assignments(text: &str) -> Result<Vec<(Ident, Expr)>> {
    let mut parser = parser(text)?;
    if !parser.parse_keyword(Keyword::SET) {
        return Err(Error::invalid(format!(
            "an update starts with SET, not `{}`",
            parser.peek_token().token
        ))
        .hint("write for example `SET a = a + 1, b = 0`"));
    }
    let assignments = parser
        .parse_comma_separated(|parser| {
            let name = parser.parse_identifier()?;
            parser.expect_token(&Token::Eq)?;
            Ok((name, parser.parse_expr()?))
        })
        .map_err(|error| explain(error, text))?;
    end(&parser)?;
    Ok(assignments)
}

/// For messages.
pub(super) fn place(location: Location) -> String {
    match location {
        Location { line: 0, .. } => String::new(),
        Location { line: 1, column } => format!(" at column {column}"),
        Location { line, column } => format!(" at line {line}, column {column}"),
    }
}

fn parser(text: &str) -> Result<Parser<'static>> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(Error::invalid(format!(
            "the expression has {} bytes, more than the limit of {MAX_TEXT_BYTES}",
            text.len()
        )));
    }
    let tokens: Vec<TokenWithSpan> = Tokenizer::new(&Sql, text)
        .tokenize_with_location()
        .map_err(|error| Error::invalid(format!("{}{}", error.message, place(error.location))))?;
    if tokens.len() > MAX_TOKENS {
        return Err(Error::invalid(format!(
            "the expression has {} tokens, more than the limit of {MAX_TOKENS}",
            tokens.len()
        )));
    }
    Ok(Parser::new(&Sql).with_recursion_limit(MAX_NESTING).with_tokens_with_locations(tokens))
}

fn end(parser: &Parser<'_>) -> Result<()> {
    let next = parser.peek_token();
    match next.token {
        Token::EOF => Ok(()),
        token => Err(Error::invalid(format!("unexpected `{token}`{}", place(next.span.start)))),
    }
}

/// sqlparser writes places as " at Line: 1, Column: 5".
fn explain(error: ParserError, text: &str) -> Error {
    match error {
        ParserError::RecursionLimitExceeded => {
            Error::invalid(format!("the expression nests deeper than {MAX_NESTING}"))
        }
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
            let message = message.replace(" at Line: 1, Column: ", " at column ");
            let message = message.replace(" at Line: ", " at line ").replace(", Column: ", ", column ");
            if text.trim().is_empty() {
                return Error::invalid("the expression is empty");
            }
            Error::invalid(message)
        }
    }
}
