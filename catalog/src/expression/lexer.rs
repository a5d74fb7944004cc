//! The tokens of an expression (manual, 4.1).

use bowline_sql::quote::{Category, category};
use bowline_sql::{Kind, tokens};

/// A token. The contents of names and strings are decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword or a name, in lower case.
    Word(String),
    /// A name in double quotes.
    Quoted(String),
    Text(String),
    Number(String),
    Operator(String),
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    Comma,
    Dot,
    Colon,
    Cast,
}

impl Token {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Word(text)
            | Self::Quoted(text)
            | Self::Text(text)
            | Self::Number(text)
            | Self::Operator(text) => text.clone(),
            Self::Open => "(".to_owned(),
            Self::Close => ")".to_owned(),
            Self::OpenBracket => "[".to_owned(),
            Self::CloseBracket => "]".to_owned(),
            Self::Comma => ",".to_owned(),
            Self::Dot => ".".to_owned(),
            Self::Colon => ":".to_owned(),
            Self::Cast => "::".to_owned(),
        }
    }
}

/// Returns the tokens, without white space and comments; `None` if the text is not valid SQL.
pub(super) fn lex(text: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut all = tokens(text).peekable();
    while let Some(token) = all.next() {
        if let Some(next) = read(&token)? {
            found.push(next);
        } else if let (Some(Token::Text(before)), Some(more)) = (found.last_mut(), token.value()) {
            before.push_str(&more);
        }
        let has_escape = token.prefix().eq_ignore_ascii_case("u&");
        if has_escape && all.next_if(|next| next.is_word("uescape")).is_some() {
            all.next();
        }
    }
    Some(found)
}

/// Converts a token. Returns `Some(None)` for a string that continues the one before, and `None`
/// for a token that no expression has.
fn read(token: &bowline_sql::Token<'_>) -> Option<Option<Token>> {
    Some(Some(match token.kind() {
        Kind::Word => Token::Word(token.name()?.into_owned()),
        Kind::QuotedName => Token::Quoted(token.name()?.into_owned()),
        Kind::String if token.continues() => {
            token.value()?;
            return Some(None);
        }
        Kind::String if token.prefix().eq_ignore_ascii_case("x") => {
            Token::Text(bits(&token.value()?)?)
        }
        Kind::String => Token::Text(token.value()?.into_owned()),
        Kind::Number => Token::Number(decimal(token.text())?),
        Kind::Operator if token.is("!=") => Token::Operator("<>".to_owned()),
        Kind::Operator => Token::Operator(token.text().to_owned()),
        Kind::Punctuation => match token.text() {
            "(" => Token::Open,
            ")" => Token::Close,
            "[" => Token::OpenBracket,
            "]" => Token::CloseBracket,
            "," => Token::Comma,
            "." => Token::Dot,
            ":" => Token::Colon,
            "::" => Token::Cast,
            _ => return None,
        },
        Kind::Parameter | Kind::Comment => return None,
    }))
}

/// Returns true if a word without quotes cannot be a column: `user` is CURRENT_USER, but `"user"`
/// may be a column.
pub(super) fn is_reserved(word: &str) -> bool {
    category(word).is_some_and(|category| category != Category::Column)
}

/// Returns the bits of hexadecimal digits.
fn bits(text: &str) -> Option<String> {
    text.chars()
        .map(|digit| Some(format!("{:04b}", digit.to_digit(16)?)))
        .collect()
}

/// Returns a number in base 10, without underscores; `None` if PostgreSQL rejects the number.
fn decimal(text: &str) -> Option<String> {
    let digits = text.replace('_', "").to_ascii_lowercase();
    for (prefix, base) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = digits.strip_prefix(prefix) {
            // A number of more than 128 bits is compared as written.
            return match u128::from_str_radix(digits, base) {
                Ok(number) => Some(number.to_string()),
                Err(_) => Some(text.to_owned()),
            };
        }
    }
    let (mantissa, exponent) = digits.split_once('e').unwrap_or((&digits, "0"));
    let is_digits = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    let is_exponent = exponent
        .trim_start_matches(['+', '-'])
        .bytes()
        .all(|byte| byte.is_ascii_digit());
    (is_digits(mantissa) && is_exponent).then_some(digits)
}
