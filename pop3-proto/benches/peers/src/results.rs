//! What was measured, as lines of a file that others read: section, row, subject, value, unit, separated by tabs.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

/// The file of results.
#[derive(Debug)]
pub(crate) struct Results {
    file: File,
    section: &'static str,
}

impl Results {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let mut file = File::create(path)?;
        writeln!(file, "section\trow\tsubject\tvalue\tunit")?;
        Ok(Self { file, section: "" })
    }

    pub(crate) fn section(&mut self, name: &'static str) {
        eprintln!("== {name}");
        self.section = name;
    }

    pub(crate) fn add(&mut self, row: &str, subject: &str, value: f64, unit: &str) {
        eprintln!("   {row:<44} {subject:<28} {value:>14.3} {unit}");
        // A result that cannot be written down is not to stop the run: it was printed.
        let _ = writeln!(self.file, "{}\t{row}\t{subject}\t{value:.6}\t{unit}", self.section);
    }

    /// Something that could not be measured, and why.
    pub(crate) fn skip(&mut self, row: &str, subject: &str, why: &str) {
        eprintln!("   {row:<44} {subject:<28} SKIPPED: {why}");
        let why = why.replace(['\t', '\n'], " ");
        let _ = writeln!(self.file, "{}\t{row}\t{subject}\t\t{why}", self.section);
    }
}

/// The middle of an odd number of measurements, or the mean of the two in the middle.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values {
        [] => f64::NAN,
        _ if values.len() % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

/// Measures all subjects in turn, round after round, and gives the median of each: what else the machine does in the
/// meantime meets all of them.
pub(crate) fn in_turn<S>(
    rounds: usize,
    subjects: &mut [S],
    mut measure: impl FnMut(&mut S) -> Result<f64, String>,
) -> Vec<Result<f64, String>> {
    let mut values: Vec<Result<Vec<f64>, String>> = subjects.iter().map(|_| Ok(Vec::new())).collect();
    for _ in 0..rounds {
        for (subject, values) in subjects.iter_mut().zip(&mut values) {
            let Ok(so_far) = values else { continue };
            match measure(subject) {
                Ok(value) => so_far.push(value),
                Err(why) => *values = Err(why),
            }
        }
    }
    values.into_iter().map(|values| values.map(|mut values| median(&mut values))).collect()
}
