//! No function is longer than a screen.
//!
//! Counted from the line of `fn` to that of the closing brace, blanks and comments included: what a reader scrolls
//! past. Attributes and docs above don't count; a function inside another counts for both.

use super::Finding;
use crate::repo::Repo;
use proc_macro2::Span;
use syn::visit::{self, Visit};

/// Lines that a function may take.
const MAX_LINES: usize = 70;

/// Functions longer than that, and sources that can't be read as Rust.
pub(super) fn long(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in repo.rust() {
        match syn::parse_file(text) {
            Ok(file) => Measure { path, findings: &mut findings }.visit_file(&file),
            Err(error) => {
                let line = error.span().start().line;
                findings.push(Finding::new(path, line, format!("is not Rust: {error}")));
            }
        }
    }
    findings
}

struct Measure<'a> {
    path: &'a str,
    findings: &'a mut Vec<Finding>,
}

impl Measure<'_> {
    fn measure(&mut self, signature: &syn::Signature, end: Span) {
        let start = signature.fn_token.span.start().line;
        let lines = end.end().line + 1 - start;
        if lines > MAX_LINES {
            let what = format!("{} takes {lines} lines of {MAX_LINES}", signature.ident);
            self.findings.push(Finding::new(self.path, start, what));
        }
    }
}

impl<'ast> Visit<'ast> for Measure<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.measure(&item.sig, item.block.brace_token.span.close());
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.measure(&item.sig, item.block.brace_token.span.close());
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.measure(&item.sig, block.brace_token.span.close());
        }
        visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::super::expect;
    use super::{MAX_LINES, long};

    #[test]
    fn the_last_line_that_is_allowed() {
        let check = |before: &str, lines: usize, after: &str, expected: &[(&str, usize)]| {
            let body = "\n".repeat(lines - 1);
            let text = format!("{before}fn f() {{{body}}}{after}");
            expect(long, &[("a.rs", &text)], expected);
        };
        check("", MAX_LINES, "", &[]);
        check("", MAX_LINES + 1, "", &[("a.rs", 1)]);
        check("/// Docs\n#[inline]\n", MAX_LINES, "", &[]);
        check("impl X {\n", MAX_LINES + 1, "}", &[("a.rs", 2)]);
        check("trait X {\n", MAX_LINES + 1, "}", &[("a.rs", 2)]);
        check("mod m {\nmod n {\n", MAX_LINES + 1, "}}", &[("a.rs", 3)]);
        check("fn g() {\n", MAX_LINES - 1, "}", &[]);
        check("fn g() {\n", MAX_LINES, "}", &[("a.rs", 1)]);
        check("fn g() -> {\n", 1, "}", &[("a.rs", 1)]);
    }
}
