//! The tokens of an expression (manual, 4.1).

/// A token; what a name or string holds is decoded.
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

/// The tokens, without white space and comments; `None` for what is no SQL.
pub(super) fn lex(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            rest = rest.trim_start();
            continue;
        }
        if rest.starts_with("--") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
            continue;
        }
        if rest.starts_with("/*") {
            rest = rest.split_once("*/")?.1;
            continue;
        }
        let (token, after) = token(rest, first)?;
        tokens.push(token);
        rest = after;
    }
    Some(tokens)
}

fn token(rest: &str, first: char) -> Option<(Token, &str)> {
    let single = match first {
        '(' => Some(Token::Open),
        ')' => Some(Token::Close),
        '[' => Some(Token::OpenBracket),
        ']' => Some(Token::CloseBracket),
        ',' => Some(Token::Comma),
        _ => None,
    };
    if let Some(token) = single {
        return Some((token, &rest[1..]));
    }
    if let Some(after) = rest.strip_prefix("::") {
        return Some((Token::Cast, after));
    }
    if first == ':' {
        return Some((Token::Colon, &rest[1..]));
    }
    let prefix = first.to_ascii_lowercase();
    if matches!(prefix, 'e' | 'b' | 'x' | 'n') && rest[1..].starts_with('\'') {
        let (text, after) = quoted(&rest[1..], '\'', prefix == 'e')?;
        let text = if prefix == 'x' { bits(&text)? } else { text };
        return Some((Token::Text(text), after));
    }
    if first == '\'' {
        let (text, after) = quoted(rest, '\'', false)?;
        return Some((Token::Text(text), after));
    }
    if first == '"' {
        let (text, after) = quoted(rest, '"', false)?;
        return Some((Token::Quoted(text), after));
    }
    if first == '$' {
        let end = rest[1..].find('$')? + 2;
        let (tag, body) = rest.split_at(end);
        let (text, after) = body.split_once(tag)?;
        return Some((Token::Text(text.to_owned()), after));
    }
    let is_number = first.is_ascii_digit()
        || (first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()));
    if is_number {
        return Some(number(rest));
    }
    if first == '.' {
        return Some((Token::Dot, &rest[1..]));
    }
    if first.is_alphabetic() || first == '_' {
        let is_inside = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let end = rest.find(|c| !is_inside(c)).unwrap_or(rest.len());
        return Some((Token::Word(rest[..end].to_lowercase()), &rest[end..]));
    }
    let is_operator = |c: char| "+-*/<>=~!@#%^&|`?".contains(c);
    let end = rest.find(|c| !is_operator(c)).unwrap_or(rest.len());
    // A comment may stand right behind an operator; a sign does not belong to one that ends before it.
    let mut operator = &rest[..end];
    for comment in ["--", "/*"] {
        operator = operator
            .find(comment)
            .map_or(operator, |at| &operator[..at]);
    }
    while operator.len() > 1
        && operator.ends_with(['+', '-'])
        && !operator.contains(['~', '!', '@', '#', '%', '^', '&', '|', '`', '?'])
    {
        operator = &operator[..operator.len() - 1];
    }
    if operator.is_empty() {
        return None;
    }
    let spelled = if operator == "!=" { "<>" } else { operator };
    Some((Token::Operator(spelled.to_owned()), &rest[operator.len()..]))
}

/// What is between quotes, of which two stand for one, and what is behind.
fn quoted(rest: &str, quote: char, has_escapes: bool) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut chars = rest[1..].char_indices();
    while let Some((at, c)) = chars.next() {
        let after = &rest[1 + at + c.len_utf8()..];
        if c == quote && after.starts_with(quote) {
            chars.next();
            text.push(quote);
        } else if c == quote {
            return Some((text, after));
        } else if c == '\\' && has_escapes {
            text.push(match chars.next()?.1 {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{c}',
                other => other,
            });
        } else {
            text.push(c);
        }
    }
    None
}

/// The bits of hexadecimal digits.
fn bits(text: &str) -> Option<String> {
    text.chars()
        .map(|digit| Some(format!("{:04b}", digit.to_digit(16)?)))
        .collect()
}

fn number(rest: &str) -> (Token, &str) {
    let mut end = 0;
    let bytes = rest.as_bytes();
    while let Some(byte) = bytes.get(end) {
        let is_exponent = matches!(byte, b'e' | b'E')
            && bytes
                .get(end + 1)
                .is_some_and(|next| next.is_ascii_digit() || matches!(next, b'+' | b'-'));
        let is_sign = matches!(byte, b'+' | b'-') && matches!(bytes[end - 1], b'e' | b'E');
        if !(byte.is_ascii_digit() || *byte == b'.' || is_exponent || is_sign) {
            break;
        }
        end += 1;
    }
    (Token::Number(rest[..end].to_owned()), &rest[end..])
}
