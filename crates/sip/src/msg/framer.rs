//! Messages out of a stream (RFC 3261 §18.3, keep-alives of RFC 5626 §3.5.1).

use bytes::{Bytes, BytesMut};

use super::parse::{Head, content_length, parse_head};
use super::{HeaderName, Message};
use crate::SipError;
use crate::limits::MAX_MESSAGE;

/// What a stream brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A whole message.
    Message(Message),
    /// A keep-alive (two line ends): answer with one line end.
    Ping,
}

/// Cuts one stream into messages. After an error the stream cannot be read further: close it.
#[derive(Debug, Default)]
pub struct StreamFramer {
    buffer: BytesMut,
    scanned: usize,
    /// The head of the message whose body is not whole yet, and the octets of head and body.
    head: Option<(Head, usize)>,
    broken: bool,
    line_ends: u8,
    messages: u64,
}

impl StreamFramer {
    /// A framer for a fresh connection.
    #[must_use]
    pub fn new() -> Self {
        StreamFramer::default()
    }

    /// Octets held back because their message is not whole yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }

    /// Whole messages so far.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// Takes the next octets and gives what they complete. An error is the last element ever.
    pub fn push(&mut self, octets: &[u8]) -> Vec<Result<Frame, SipError>> {
        let mut frames = Vec::new();
        if self.broken {
            return frames;
        }
        self.buffer.extend_from_slice(octets);
        loop {
            self.skip_line_ends(&mut frames);
            match self.cut() {
                Ok(Some(message)) => {
                    self.messages += 1;
                    frames.push(Ok(Frame::Message(message)));
                }
                Ok(None) => return frames,
                Err(error) => {
                    self.broken = true;
                    self.buffer.clear();
                    frames.push(Err(error));
                    return frames;
                }
            }
        }
    }

    fn skip_line_ends(&mut self, frames: &mut Vec<Result<Frame, SipError>>) {
        let blank = self
            .buffer
            .iter()
            .take_while(|b| **b == b'\r' || **b == b'\n')
            .count();
        if blank > 0 {
            for octet in self.buffer.split_to(blank) {
                self.line_ends += u8::from(octet == b'\n');
                if self.line_ends == 2 {
                    frames.push(Ok(Frame::Ping));
                    self.line_ends = 0;
                }
            }
            self.scanned = 0;
        }
        // A line end before a message belongs to no keep-alive after it, wherever the stream is cut.
        if !self.buffer.is_empty() {
            self.line_ends = 0;
        }
    }

    fn cut(&mut self) -> Result<Option<Message>, SipError> {
        let (head, total) = match self.head.take() {
            Some(read) => read,
            None => match self.read_head()? {
                Some(read) => read,
                None => return Ok(None),
            },
        };
        if self.buffer.len() < total {
            self.head = Some((head, total));
            return Ok(None);
        }
        let whole = self.buffer.split_to(total).freeze();
        self.scanned = 0;
        debug_assert!(head.headers.count(&HeaderName::ContentLength) > 0);
        let body = whole.slice(head.length..);
        head.start
            .into_message(head.headers, body, head.flaw)
            .map(Some)
    }

    /// The head once it is whole, with the octets its message takes. It is read once, however many
    /// pieces the body comes in.
    fn read_head(&mut self) -> Result<Option<(Head, usize)>, SipError> {
        let from = self.scanned.saturating_sub(3);
        let Some(end) = find_end(&self.buffer[from..]).map(|at| from + at) else {
            self.scanned = self.buffer.len();
            if self.buffer.len() > MAX_MESSAGE {
                return Err(SipError::TooLong(self.buffer.len()));
            }
            return Ok(None);
        };
        let head = parse_head(&Bytes::copy_from_slice(&self.buffer[..end]))?;
        let length = content_length(&head.headers)?.ok_or(SipError::Missing("Content-Length"))?;
        let total = head.length.saturating_add(length);
        if total > MAX_MESSAGE {
            return Err(SipError::TooLong(total));
        }
        Ok(Some((head, total)))
    }
}

/// Where the header part ends: after the first empty line.
fn find_end(data: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(line_end) = data[at..].iter().position(|b| *b == b'\n').map(|i| at + i) {
        match (data.get(line_end + 1), data.get(line_end + 2)) {
            (Some(b'\n'), _) => return Some(line_end + 2),
            (Some(b'\r'), Some(b'\n')) => return Some(line_end + 3),
            _ => at = line_end + 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_however_the_body_comes() {
        let mut framer = StreamFramer::new();
        let text = "OPTIONS sip:a@b SIP/2.0\r\nCall-ID: c\r\nContent-Length: 500\r\n\r\n";
        assert!(framer.push(text.as_bytes()).is_empty());
        let place = |framer: &StreamFramer| {
            let (head, total) = framer.head.as_ref().expect("is kept");
            let id = head.headers.get(&HeaderName::CallId).expect("is there");
            (id.as_ptr(), *total)
        };
        let first = place(&framer);
        assert_eq!(first.1, text.len() + 500);
        // Line ends in a body belong to it.
        for _ in 0..499 {
            assert!(framer.push(b"\n").is_empty());
            assert_eq!(place(&framer), first, "not read again");
        }
        let frames = framer.push(b"\r\r\n\r\n");
        assert!(matches!(
            &frames[..],
            [Ok(Frame::Message(message)), Ok(Frame::Ping)] if message.body().len() == 500
        ));
        assert!(framer.head.is_none() && framer.pending() == 0);
    }
}
