//! The rows that are measured: one piece of work each, through the public API of pop3-proto.
//!
//! `gate.py` counts their instructions (the binary `instructions` under callgrind); the binary `ratios` times those of
//! message text beside memcpy, memchr and memmem.

pub mod bodies;
pub mod inputs;
pub mod lines;
pub mod machines;

use std::rc::Rc;

/// One row of the table in docs/performance.md.
pub struct Row {
    /// What is measured, and on what.
    pub name: String,
    /// What is counted: octets of input, rows, commands.
    pub unit: &'static str,
    /// At most this many instructions a unit; `None` for a row that is only held against its baseline.
    pub goal: Option<f64>,
    /// How many units the work does.
    pub units: usize,
    /// The octets that the work goes through, where they are message text.
    pub reads: Option<Reads>,
    /// Makes the machines and buffers, which is not counted, and gives the work, which is.
    pub prepare: Box<dyn Fn() -> Box<dyn FnMut()>>,
}

/// Message text in reads.
pub struct Reads {
    /// The whole of it.
    pub text: Rc<[u8]>,
    /// How many octets come at a time.
    pub read: usize,
}

/// Every row.
#[must_use]
pub fn rows() -> Vec<Row> {
    [bodies::rows(), lines::rows()].into_iter().flatten().collect()
}
