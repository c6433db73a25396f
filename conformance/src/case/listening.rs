//! What a [`Talk`] reads: answers, data lines, silence, and the end of the connection.

use super::reply::Reply;
use super::{Judged, Talk, fail, skip};
use crate::octets::{escape, is_end, line_end, unstuffed};
use crate::peer::wire::Received;
use std::time::Duration;

impl Talk<'_> {
    /// Reads an answer of one line: it ends in CRLF and begins with `+OK`, `-ERR` or `+`.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`](super::Stop::Fail) for anything else, for silence and for the end of the connection.
    pub fn reply(&mut self) -> Judged<Reply> {
        let line = self.line()?;
        let reply = Reply { raw: [&line[..], b"\r\n"].concat(), first: line, rows: Vec::new() };
        let challenge = reply.first == b"+" || reply.first.starts_with(b"+ ");
        self.login_is_due &= challenge;
        if reply.is_ok() || reply.is_err() || challenge {
            return Ok(reply);
        }
        fail("a line that begins with +OK or -ERR", reply.shown())
    }

    /// Reads an answer, which must be `+OK`.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`](super::Stop::Fail) for anything else.
    pub fn expect_ok(&mut self) -> Judged<Reply> {
        let reply = self.reply()?;
        if reply.is_ok() { Ok(reply) } else { fail("+OK", reply.shown()) }
    }

    /// Reads an answer, which must be `-ERR`.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`](super::Stop::Fail) for anything else.
    pub fn expect_err(&mut self) -> Judged<Reply> {
        let reply = self.reply()?;
        if reply.is_err() { Ok(reply) } else { fail("-ERR", reply.shown()) }
    }

    /// Reads `+OK` and data lines up to the termination octet.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`](super::Stop::Fail) for anything else.
    pub fn expect_multi(&mut self) -> Judged<Reply> {
        let first = self.expect_ok()?;
        self.data(first)
    }

    /// Reads the data lines that follow an answer's first line.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`](super::Stop::Fail), if they do not end.
    pub fn data(&mut self, mut reply: Reply) -> Judged<Reply> {
        loop {
            let line = self.line()?;
            reply.raw.extend_from_slice(&line);
            reply.raw.extend_from_slice(b"\r\n");
            if is_end(&line) {
                return Ok(reply);
            }
            reply.rows.push(unstuffed(&line).to_vec());
        }
    }

    /// Reads a line, without its CRLF.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`](super::Stop::Fail) for a line that ends in a bare LF, for silence and for the end of the connection.
    pub fn line(&mut self) -> Judged<Vec<u8>> {
        let mut from = 0;
        loop {
            if let Some(at) = line_end(&self.buffer[from..]) {
                let line = self.buffer[..from + at].to_vec();
                self.buffer.drain(..from + at + 2);
                return Ok(line);
            }
            from = self.buffer.len().saturating_sub(1);
            match self.fill(self.patience()) {
                Received::Octets => {}
                other => {
                    let begun = if self.buffer.is_empty() {
                        String::new()
                    } else {
                        format!(", behind {} without CRLF", escape(&self.buffer[..self.buffer.len().min(200)]))
                    };
                    return fail("a line that ends in CRLF", format!("{}{begun}", self.ending(&other)));
                }
            }
        }
    }

    /// Whatever has come and was not read; it waits a little for more.
    pub fn leftover(&mut self) -> Option<Vec<u8>> {
        if self.buffer.is_empty() {
            let quiet = self.peer.quiet();
            self.fill(quiet);
        }
        if self.buffer.is_empty() { None } else { Some(std::mem::take(&mut self.buffer)) }
    }

    /// Nothing more may come, for a little while; the connection stays open.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`](super::Stop::Fail), if something does, or if the server closes.
    pub fn quiet(&mut self) -> Judged {
        if !self.buffer.is_empty() {
            return fail("nothing more", escape(&self.buffer));
        }
        match self.fill(self.peer.quiet()) {
            Received::Nothing => Ok(()),
            Received::Octets => fail("nothing more", escape(&self.buffer)),
            other => fail("an open connection", self.ending(&other)),
        }
    }

    /// The server must close the connection, and say nothing more.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`](super::Stop::Fail), if it does not.
    pub fn closed(&mut self) -> Judged {
        if !self.buffer.is_empty() {
            return fail("the end of the connection", escape(&self.buffer));
        }
        match self.fill(self.peer.patience()) {
            Received::End | Received::Broken(_) => Ok(()),
            Received::Octets => fail("the end of the connection", escape(&self.buffer)),
            Received::Nothing => fail("the end of the connection", self.ending(&Received::Nothing)),
        }
    }

    /// Whether the server has closed; it waits a little, and drops what comes.
    pub fn is_closed(&mut self) -> bool {
        loop {
            match self.fill(self.peer.quiet()) {
                Received::Octets => {}
                Received::Nothing => return false,
                Received::End | Received::Broken(_) => return true,
            }
        }
    }

    /// QUIT, which must be answered `+OK`, and the end of the connection.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`](super::Stop::Fail) for anything else.
    pub fn quit(&mut self) -> Judged<Reply> {
        let reply = self.ok("QUIT")?;
        self.closed()?;
        self.wire = None;
        Ok(reply)
    }

    /// Sends nothing more: the server sees the end of the connection.
    pub fn finish(&mut self) {
        self.event("the client sends no more");
        if let Some(wire) = &mut self.wire {
            wire.finish();
        }
    }

    /// Closes the connection without QUIT.
    pub fn hang_up(&mut self) {
        self.event("the client closes the connection");
        if let Some(mut wire) = self.wire.take() {
            wire.finish();
        }
    }

    /// Lets time pass.
    ///
    /// # Errors
    ///
    /// [`Stop::Skip`](super::Stop::Skip), where the clock is real.
    pub fn elapse(&mut self, time: Duration) -> Judged {
        self.event(&format!("{} s pass", time.as_secs()));
        if self.wire.as_mut().is_some_and(|wire| wire.elapse(time)) {
            return Ok(());
        }
        skip(format!("it would take {} s of real time", time.as_secs()))
    }
}
