//! A client that asks a server to describe a statement. Client libraries do not report the types of
//! parameters.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// A connection over a Unix socket, without a password.
pub(super) struct Wire {
    stream: UnixStream,
}

/// An error of the server.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) message: String,
}

/// The answer to Describe.
#[derive(Debug, Default)]
pub(super) struct Description {
    /// The OIDs of the parameters' types.
    pub(super) parameters: Vec<u32>,
    pub(super) columns: Vec<DescribedColumn>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct DescribedColumn {
    pub(super) name: String,
    pub(super) type_oid: u32,
}

/// The rows of a result, as texts.
pub(super) type Rows = Vec<Vec<Option<String>>>;

struct Message {
    kind: u8,
    body: Vec<u8>,
}

impl Message {
    fn refusal(&self) -> Refusal {
        let fields = self.body.split(|byte| *byte == 0);
        let field = |kind: u8| {
            let found = fields.clone().find(|field| field.first() == Some(&kind));
            let text = found.map_or(&[][..], |field| &field[1..]);
            String::from_utf8_lossy(text).into_owned()
        };
        Refusal {
            code: field(b'C'),
            message: field(b'M'),
        }
    }

    fn reader(&self) -> Reader<'_> {
        Reader(&self.body)
    }
}

struct Reader<'m>(&'m [u8]);

impl Reader<'_> {
    fn bytes(&mut self, count: usize) -> &[u8] {
        let (bytes, rest) = self.0.split_at(count);
        self.0 = rest;
        bytes
    }

    fn int2(&mut self) -> usize {
        let bytes = self.bytes(2).try_into().expect("two bytes");
        usize::from(u16::from_be_bytes(bytes))
    }

    fn int4(&mut self) -> u32 {
        u32::from_be_bytes(self.bytes(4).try_into().expect("four bytes"))
    }

    fn text(&mut self) -> String {
        let end = self.0.iter().position(|byte| *byte == 0);
        let text = self.bytes(end.expect("a zero at the end")).to_vec();
        self.bytes(1);
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Wire {
    pub(super) fn connect(socket: &Path, database: &str) -> Self {
        let stream = UnixStream::connect(socket).expect("a connection");
        let mut wire = Self { stream };
        let mut body = 196_608_u32.to_be_bytes().to_vec();
        for text in ["user", "postgres", "database", database, ""] {
            body.extend(text.as_bytes());
            body.push(0);
        }
        let length = u32::try_from(body.len() + 4).expect("a short message");
        wire.send(&[&length.to_be_bytes()[..], &body].concat());
        let (_, refusal) = wire.answer();
        assert!(refusal.is_none(), "{refusal:?}");
        wire
    }

    fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("a connection");
    }

    fn receive(&mut self) -> Message {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head).expect("an answer");
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let mut body = vec![0; length as usize - 4];
        self.stream.read_exact(&mut body).expect("an answer");
        Message {
            kind: head[0],
            body,
        }
    }

    /// Receives the messages up to ReadyForQuery.
    fn answer(&mut self) -> (Vec<Message>, Option<Refusal>) {
        let mut messages = Vec::new();
        let mut refusal = None;
        loop {
            let message = self.receive();
            match message.kind {
                b'Z' => return (messages, refusal),
                b'E' => refusal = Some(message.refusal()),
                b'N' | b'S' | b'A' => {}
                _ => messages.push(message),
            }
        }
    }

    fn exchange(&mut self, bytes: &[u8]) -> Result<Vec<Message>, Refusal> {
        self.send(bytes);
        match self.answer() {
            (_, Some(refusal)) => Err(refusal),
            (messages, None) => Ok(messages),
        }
    }

    /// Runs statements, and returns all rows.
    pub(super) fn simple(&mut self, sql: &str) -> Result<Rows, Refusal> {
        let messages = self.exchange(&message(b'Q', &[sql.as_bytes(), &[0]]))?;
        Ok(rows(&messages))
    }

    /// Returns the parameters and columns of a statement without running it.
    pub(super) fn describe(&mut self, sql: &str) -> Result<Description, Refusal> {
        let bytes = [parse(sql), message(b'D', &[b"S\0"]), message(b'S', &[])];
        let mut description = Description::default();
        for message in self.exchange(&bytes.concat())? {
            let mut reader = message.reader();
            match message.kind {
                b't' => {
                    let count = reader.int2();
                    description.parameters = (0..count).map(|_| reader.int4()).collect();
                }
                b'T' => {
                    let count = reader.int2();
                    let columns = (0..count).map(|_| {
                        let name = reader.text();
                        reader.bytes(6);
                        let type_oid = reader.int4();
                        reader.bytes(8);
                        DescribedColumn { name, type_oid }
                    });
                    description.columns = columns.collect();
                }
                _ => {}
            }
        }
        Ok(description)
    }

    /// Runs a statement with parameters as texts.
    pub(super) fn run(
        &mut self,
        sql: &str,
        parameters: &[Option<String>],
    ) -> Result<Rows, Refusal> {
        let count = u16::try_from(parameters.len()).expect("few parameters");
        let mut bind = [&b"\0\0\0\0"[..], &count.to_be_bytes()].concat();
        for parameter in parameters {
            let length = parameter.as_ref().map_or(-1, |text| text.len() as i32);
            bind.extend(length.to_be_bytes());
            bind.extend(parameter.iter().flat_map(|text| text.bytes()));
        }
        bind.extend([0, 0]);
        let bytes = [
            parse(sql),
            message(b'B', &[&bind]),
            message(b'E', &[b"\0\0\0\0\0"]),
            message(b'S', &[]),
        ];
        Ok(rows(&self.exchange(&bytes.concat())?))
    }
}

fn message(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let length = u32::try_from(body.len() + 4).expect("a short message");
    [&[kind][..], &length.to_be_bytes(), &body].concat()
}

fn parse(sql: &str) -> Vec<u8> {
    message(b'P', &[&[0], sql.as_bytes(), &[0, 0, 0]])
}

fn rows(messages: &[Message]) -> Rows {
    let rows = messages.iter().filter(|message| message.kind == b'D');
    let rows = rows.map(|message| {
        let mut reader = message.reader();
        let count = reader.int2();
        let values = (0..count).map(|_| match reader.int4() {
            u32::MAX => None,
            length => {
                let text = reader.bytes(length as usize);
                Some(String::from_utf8_lossy(text).into_owned())
            }
        });
        values.collect()
    });
    rows.collect()
}
