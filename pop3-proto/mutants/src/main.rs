//! Writes the sources of pop3-proto with all mutants in them, each behind a question to `switch.rs`:
//!
//!     pop3-proto-mutants LIST ROOT OUT [LEFT-OUT]
//!
//! LIST is what `cargo mutants --list --json` prints; a mutant's number is its place in it, from 1. ROOT is the repository,
//! OUT another copy of it, whose files are overwritten. LEFT-OUT is a file with the numbers of mutants to leave out. On standard
//! output stand the numbers of those that have no place: they are in constants, mostly.
//!
//! `a + b` becomes `if on(7) { a - b } else { a + b }`; a function begins with `if on(8) { return true; }`; an arm that can be
//! deleted gets the guard `!on(9)`. A mutant that does not compile is found by the compiler, line by line: each question has a
//! line of its own.

use proc_macro2::LineColumn;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::fs;
use std::ops::Range;
use std::path::Path;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [list, root, out, rest @ ..] = arguments.as_slice() else {
        return Err("usage: pop3-proto-mutants LIST ROOT OUT [LEFT-OUT]".into());
    };
    let left_out = rest.first().map(fs::read_to_string).transpose()?.unwrap_or_default();
    let left_out: HashSet<u32> = left_out.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let list: Value = serde_json::from_str(&fs::read_to_string(list)?)?;
    let mut files: BTreeMap<&str, Vec<(u32, &Value)>> = BTreeMap::new();
    for (id, mutant) in (1..).zip(list.as_array().ok_or("the list is no array")?) {
        files.entry(text(mutant, "file")).or_default().push((id, mutant));
    }
    for (file, listed) in files {
        let source = fs::read_to_string(Path::new(root).join(file))?;
        let lines = Lines::of(&source);
        let mutants = listed
            .into_iter()
            .filter(|(id, _)| !left_out.contains(id))
            .map(|(id, listed)| Mutant::new(id, listed, &lines))
            .collect();
        let mut places = Places { source: &source, lines: &lines, mutants, edits: Vec::new() };
        places.visit_file(&syn::parse_file(&source)?);
        places.function_bodies();
        for mutant in &places.mutants {
            println!("{}", mutant.id);
        }
        fs::write(Path::new(out).join(file), places.write())?;
    }
    Ok(())
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

struct Mutant {
    id: u32,
    genre: String,
    range: Range<usize>,
    replacement: String,
    /// Whether the function returns `impl …`.
    opaque: bool,
}

impl Mutant {
    fn new(id: u32, listed: &Value, lines: &Lines) -> Self {
        let at = |end: &str| {
            let number = |key: &str| listed["span"][end][key].as_u64().unwrap_or(1) as usize;
            lines.offset(number("line"), number("column") - 1)
        };
        Self {
            id,
            genre: text(listed, "genre").to_owned(),
            range: at("start")..at("end"),
            replacement: text(listed, "replacement").to_owned(),
            opaque: text(&listed["function"], "return_type").starts_with("-> impl "),
        }
    }
}

/// Where each character of each line stands among the octets of the file.
struct Lines(Vec<Vec<usize>>);

impl Lines {
    fn of(source: &str) -> Self {
        let mut begin = 0;
        let mut lines = Vec::new();
        for line in source.split_inclusive('\n') {
            lines.push(line.char_indices().map(|(at, _)| begin + at).chain([begin + line.len()]).collect());
            begin += line.len();
        }
        lines.push(vec![begin]);
        Self(lines)
    }

    /// `line` counts from 1, `column` from 0.
    fn offset(&self, line: usize, column: usize) -> usize {
        let line = &self.0[line - 1];
        line[column.min(line.len() - 1)]
    }

    fn range(&self, item: &impl Spanned) -> Range<usize> {
        let at = |place: LineColumn| self.offset(place.line, place.column);
        at(item.span().start())..at(item.span().end())
    }
}

struct Edit {
    range: Range<usize>,
    kind: Kind,
}

enum Kind {
    /// Before what stands there.
    Insert(String),
    /// One of these in the place of an expression.
    Choose(Vec<(u32, String)>),
    /// A guard, whose arm may be gone, or which may be true or false.
    Guard { gone: Option<u32>, always: Option<u32>, never: Option<u32> },
    /// The iterator that a function's body ends with.
    Iterator(Vec<(u32, String)>),
}

struct Places<'s> {
    source: &'s str,
    lines: &'s Lines,
    /// Those that have no place yet.
    mutants: Vec<Mutant>,
    edits: Vec<Edit>,
}

impl Places<'_> {
    fn take(&mut self, genre: &str, here: impl Fn(&Range<usize>) -> bool) -> Vec<Mutant> {
        let (taken, left) = std::mem::take(&mut self.mutants)
            .into_iter()
            .partition(|mutant| mutant.genre == genre && here(&mutant.range));
        self.mutants = left;
        taken
    }

    fn operator(&mut self, genre: &str, operator: Range<usize>, whole: Range<usize>) {
        let source = self.source;
        let (before, after) = (&source[whole.start..operator.start], &source[operator.end..whole.end]);
        let mutants = self.take(genre, |range| *range == operator);
        let alternatives = mutants.into_iter().map(|m| (m.id, format!("{before}{}{after}", m.replacement))).collect();
        self.choose(whole, alternatives);
    }

    fn choose(&mut self, range: Range<usize>, alternatives: Vec<(u32, String)>) {
        if !alternatives.is_empty() {
            self.edits.push(Edit { range, kind: Kind::Choose(alternatives) });
        }
    }

    fn function_bodies(&mut self) {
        let mut iterators: BTreeMap<(usize, usize), Vec<(u32, String)>> = BTreeMap::new();
        for mutant in self.take("FnValue", |_| true) {
            let (Range { start, end }, replacement) = (mutant.range, mutant.replacement);
            if mutant.opaque {
                iterators.entry((start, end)).or_default().push((mutant.id, replacement));
            } else {
                let kind = Kind::Insert(format!("\nif crate::switch::on({}) {{ return {replacement}; }}\n", mutant.id));
                self.edits.push(Edit { range: start..start, kind });
            }
        }
        for ((start, end), alternatives) in iterators {
            self.edits.push(Edit { range: start..end, kind: Kind::Iterator(alternatives) });
        }
    }

    fn write(mut self) -> String {
        // Outer edits before those within them, and what is inserted before what is replaced.
        self.edits.sort_by_key(|edit| {
            let Range { start, end } = edit.range;
            (start, start != end, usize::MAX - end)
        });
        let mut out = String::new();
        self.render(0..self.source.len(), &self.edits, &mut out);
        out
    }

    fn render(&self, range: Range<usize>, edits: &[Edit], out: &mut String) {
        let (mut at, mut next) = (range.start, 0);
        while let Some(edit) = edits.get(next) {
            out.push_str(&self.source[at..edit.range.start]);
            let within = edits[next + 1..].iter().take_while(|inner| inner.range.start < edit.range.end).count();
            let inner = &edits[next + 1..next + 1 + within];
            let mut original = String::new();
            self.render(edit.range.clone(), inner, &mut original);
            match &edit.kind {
                Kind::Insert(text) => out.push_str(text),
                Kind::Choose(alternatives) => {
                    out.push('(');
                    for (id, text) in alternatives {
                        // A comment in it needs its line's end; without one it is all on the line of the question.
                        let text = if text.contains("//") { format!("{text}\n") } else { text.replace('\n', " ") };
                        out.push_str(&format!("\nif crate::switch::on({id}) {{ {text} }} else"));
                    }
                    out.push_str(&format!("\n{{ {original} }}\n)"));
                }
                Kind::Guard { gone, always, never } => {
                    let not =
                        |id: &Option<u32>| id.map_or_else(String::new, |id| format!("!crate::switch::on({id}) && "));
                    let or = always.map_or_else(String::new, |id| format!("crate::switch::on({id}) || "));
                    out.push_str(&format!("\n{}({or}{}(\n{original}))\n", not(gone), not(never)));
                }
                Kind::Iterator(alternatives) => {
                    let mut text = format!("{{ {original} }}\n");
                    for (id, other) in alternatives {
                        text = format!("\ncrate::switch::Either(crate::switch::on({id}).then(|| {other}),\n{text})");
                    }
                    out.push_str(&text);
                }
            }
            (at, next) = (edit.range.end, next + 1 + within);
        }
        out.push_str(&self.source[at..range.end]);
    }
}

impl<'a> Visit<'a> for Places<'_> {
    fn visit_expr_binary(&mut self, binary: &'a syn::ExprBinary) {
        self.operator("BinaryOperator", self.lines.range(&binary.op), self.lines.range(binary));
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'a syn::ExprUnary) {
        self.operator("UnaryOperator", self.lines.range(&unary.op), self.lines.range(unary));
        visit::visit_expr_unary(self, unary);
    }

    // What the compiler evaluates has no place for a switch: it would never be on.
    fn visit_item_const(&mut self, _: &'a syn::ItemConst) {}

    fn visit_impl_item_const(&mut self, _: &'a syn::ImplItemConst) {}

    fn visit_expr_const(&mut self, _: &'a syn::ExprConst) {}

    fn visit_type_array(&mut self, _: &'a syn::TypeArray) {}

    fn visit_expr_repeat(&mut self, repeat: &'a syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
    }

    fn visit_arm(&mut self, arm: &'a syn::Arm) {
        let begin = self.lines.range(arm).start;
        let gone = self.take("MatchArm", |range| range.start == begin).first().map(|mutant| mutant.id);
        if let Some((_, guard)) = &arm.guard {
            let range = self.lines.range(&**guard);
            let mutants = self.take("MatchArmGuard", |at| *at == range);
            let with = |word: &str| mutants.iter().find(|m| m.replacement == word).map(|m| m.id);
            let (always, never) = (with("true"), with("false"));
            if gone.or(always).or(never).is_some() {
                self.edits.push(Edit { range, kind: Kind::Guard { gone, always, never } });
            }
        } else if let Some(id) = gone {
            let end = self.lines.range(&arm.pat).end;
            self.edits.push(Edit { range: end..end, kind: Kind::Insert(format!("\nif !crate::switch::on({id})\n")) });
        }
        visit::visit_arm(self, arm);
    }

    fn visit_expr_struct(&mut self, structure: &'a syn::ExprStruct) {
        let (source, whole) = (self.source, self.lines.range(structure));
        let mut alternatives = Vec::new();
        for field in structure.fields.pairs() {
            let range = self.lines.range(field.value());
            let end = field.punct().map_or(range.end, |comma| self.lines.range(*comma).end);
            for mutant in self.take("StructField", |at| at.start == range.start) {
                alternatives
                    .push((mutant.id, format!("{}{}", &source[whole.start..range.start], &source[end..whole.end])));
            }
        }
        self.choose(whole, alternatives);
        visit::visit_expr_struct(self, structure);
    }
}
