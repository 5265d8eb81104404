//! Requests of HTTP/1.1 as the tests' own servers read them.

use std::io::{BufRead, Error, ErrorKind, Result};

/// The longest body: the API server sends no more than an object of 3 MiB and its old self.
const LARGEST: usize = 8 << 20;

/// One request.
#[derive(Debug)]
pub(crate) struct Request {
    /// The first line and the headers, with the empty line after them.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The next one of a connection; none: the other side has ended it.
    pub(crate) fn read(from: &mut impl BufRead) -> Result<Option<Self>> {
        let mut request = Self { head: String::new(), body: Vec::new() };
        while !request.head.ends_with("\r\n\r\n") {
            if from.read_line(&mut request.head)? == 0 {
                return Ok(None);
            }
        }
        let length = request.header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
        if length > LARGEST {
            return Err(Error::new(ErrorKind::InvalidData, "a body that is too long"));
        }
        request.body = vec![0; length];
        from.read_exact(&mut request.body)?;
        Ok(Some(request))
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}
