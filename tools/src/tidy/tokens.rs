//! What can be seen only in the token stream: code that is not finished, and string literals.
//!
//! Tokens, not lines, so that comments and strings that mention a macro are left alone, and macro bodies, which a
//! syntax tree leaves closed, are read too.

use super::Finding;
use crate::repo::Repo;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::str::FromStr as _;

/// Macros that stand in for code.
const PLACEHOLDERS: &[&str] = &["todo", "unimplemented"];

/// Comments that promise code, in two halves so that this file may name them, and examples that nobody runs.
const PROMISES: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("```", "ignore")];

/// Placeholders, ignored tests and promises.
pub(super) fn unfinished(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in repo.rust() {
        for (number, line) in text.lines().enumerate() {
            if let Some(promise) = PROMISES.iter().find(|promise| line.contains(**promise)) {
                findings.push(Finding::new(path, number + 1, format!("{promise} in a comment")));
            }
        }
        for_each(stream(text), &mut |tokens, place| {
            if let Some(name) = placeholder(&tokens[place..]) {
                let line = tokens[place].span().start().line;
                findings.push(Finding::new(path, line, format!("{name} doesn't belong on main")));
            }
        });
    }
    findings
}

/// The string literals of a source with their lines; doc comments are none.
pub(super) fn strings(text: &str) -> Vec<(usize, String)> {
    let mut strings = Vec::new();
    for_each(stream(text), &mut |tokens, place| {
        if let TokenTree::Literal(literal) = &tokens[place]
            && !is_doc(&tokens[..place])
            && let Ok(string) = syn::parse_str::<syn::LitStr>(&literal.to_string())
        {
            strings.push((literal.span().start().line, string.value()));
        }
    });
    strings
}

/// A source that can't be read has no tokens; the rule on functions says so.
fn stream(text: &str) -> TokenStream {
    TokenStream::from_str(text).unwrap_or_default()
}

/// Calls `visit` with every token, as its siblings and its place among them.
fn for_each(stream: TokenStream, visit: &mut impl FnMut(&[TokenTree], usize)) {
    let tokens: Vec<_> = stream.into_iter().collect();
    for place in 0..tokens.len() {
        visit(&tokens, place);
        if let TokenTree::Group(group) = &tokens[place] {
            for_each(group.stream(), visit);
        }
    }
}

/// `todo!` and its like, or `#[ignore…]`.
fn placeholder(tokens: &[TokenTree]) -> Option<String> {
    match tokens {
        [TokenTree::Ident(name), TokenTree::Punct(bang), TokenTree::Group(_), ..]
            if bang.as_char() == '!' && PLACEHOLDERS.iter().any(|other| name == other) =>
        {
            Some(format!("{name}!"))
        }
        [TokenTree::Punct(hash), TokenTree::Group(group), ..]
            if hash.as_char() == '#' && group.delimiter() == Delimiter::Bracket =>
        {
            let mut words = group.stream().into_iter();
            words.find(|word| matches!(word, TokenTree::Ident(name) if name == "ignore"))?;
            Some("#[ignore]".to_owned())
        }
        _ => None,
    }
}

/// Whether what follows these siblings is the text of `doc = "…"`.
fn is_doc(before: &[TokenTree]) -> bool {
    matches!(before, [TokenTree::Ident(name), TokenTree::Punct(_)] if name == "doc")
}

#[cfg(test)]
mod tests {
    use super::super::expect;
    use super::{PROMISES, strings, unfinished};

    #[test]
    fn unfinished_code() {
        let check = |text: &str, lines: &[usize]| {
            let expected: Vec<_> = lines.iter().map(|line| ("a.rs", *line)).collect();
            expect(unfinished, &[("a.rs", text)], &expected);
        };
        check("fn f() {\n todo!()\n}", &[2]);
        check("fn f() {\n std::unimplemented!(\"x\")\n}", &[2]);
        check("#[test]\n#[ignore]\nfn f() {}", &[2]);
        check("#[test]\n#[ignore = \"slow\"]\nfn f() {}", &[2]);
        check("#[cfg_attr(x, inline)]\n#[test] #[cfg_attr(miri, y)]\nfn f() {}", &[]);
        check("proptest! {\n fn f() { todo!() }\n}", &[2]);
        check("// todo!() in a comment, #[ignore] too\nfn f() { \"todo!()\"; }", &[]);
        check("fn todo() { let ignore = todo; }", &[]);
        for promise in PROMISES {
            check(&format!("//\n// {promise} later"), &[2]);
        }
    }

    #[test]
    fn literals() {
        let check = |text: &str, expected: &[(usize, &str)]| {
            let found = strings(text);
            let found: Vec<_> = found.iter().map(|(line, text)| (*line, &**text)).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("/// \"docs\"\nconst A: &str = \"a\";", &[(2, "a")]);
        check("x!(\n(r#\"b\"#, 'c', 1, b\"d\"))", &[(2, "b")]);
        check("#[doc = \"x\"] fn f() {}", &[]);
        check("fn broken( {", &[]);
    }
}
