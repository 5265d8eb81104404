//! Diagnostics for people, through miette: the code, what is wrong, the place in the text, and what to do.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use miette::{LabeledSpan, MietteHandler, MietteHandlerOpts, NamedSource, ReportHandler};
use sheave_model::{Address, Diagnostic, Severity, SourceId, Sources, Span};

use super::{change, outside, plan};
use crate::look::Paint;

/// Diagnostics that are drawn: beyond it nobody reads on, and each costs a walk through its text. `--json` gives all.
const MAX_DRAWN: usize = 100;

/// miette's own choice of width and characters, our choice of colours.
pub(crate) fn handler(paint: Paint) -> MietteHandler {
    MietteHandlerOpts::new().color(paint.0).terminal_links(false).build()
}

/// Renders `diagnostics`, and last how many there are where they are many.
pub(crate) fn report(diagnostics: &[Diagnostic], sources: &Sources, handler: &MietteHandler) -> String {
    let mut out = String::new();
    let mut texts = Texts { sources, safe: BTreeMap::new() };
    let mut told = 0;
    for (diagnostic, of) in gathered(diagnostics).into_iter().take(MAX_DRAWN) {
        let drawn = Drawn::new(diagnostic, &of, &mut texts);
        out.push_str(&Through { handler, drawn: &drawn }.to_string());
        out.push('\n');
        told += of.len().max(1);
    }
    if let Some(more) = diagnostics.len().checked_sub(told).filter(|n| *n > 0) {
        out.push_str(&format!("... and {more} more; --json gives all of them\n\n"));
    }
    if diagnostics.len() > 1 {
        let of = |severity| diagnostics.iter().filter(|d| d.severity == severity).count();
        let parts = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")];
        let said: Vec<_> =
            parts.iter().filter(|(s, _)| of(*s) > 0).map(|(s, what)| plan::count(of(*s), what)).collect();
        out.push_str(&format!("{}\n", said.join(", ")));
    }
    out
}

/// What is said of several resources in the same words, once, with all their addresses: a cluster that cannot be reached is
/// one fault, not one for each object in it. Where a sentence names its resource nothing is gathered.
fn gathered(diagnostics: &[Diagnostic]) -> Vec<(&Diagnostic, Vec<&Address>)> {
    let mut found: Vec<(&Diagnostic, Vec<&Address>)> = Vec::new();
    let mut places: HashMap<Diagnostic, usize> = HashMap::new();
    for diagnostic in diagnostics {
        let Some(address) = &diagnostic.address else {
            found.push((diagnostic, Vec::new()));
            continue;
        };
        let place = *places.entry(Diagnostic { address: None, ..diagnostic.clone() }).or_insert_with(|| {
            found.push((diagnostic, Vec::new()));
            found.len() - 1
        });
        if let Some((_, of)) = found.get_mut(place) {
            of.push(address);
        }
    }
    found
}

/// The texts as they may be printed, each made once.
struct Texts<'a> {
    sources: &'a Sources,
    safe: BTreeMap<SourceId, Arc<NamedSource<String>>>,
}

impl Texts<'_> {
    fn get(&mut self, id: SourceId) -> Option<Arc<NamedSource<String>>> {
        if let Some(known) = self.safe.get(&id) {
            return Some(Arc::clone(known));
        }
        let (name, text) = self.sources.get(id)?;
        let safe = Arc::new(NamedSource::new(outside::line(name), outside::same_length(text).into_owned()));
        self.safe.insert(id, Arc::clone(&safe));
        Some(safe)
    }
}

/// A span that lies within its text and cuts no character, whatever was asked for: first byte and length. One that begins
/// where the text ends is given the text's last character, since nothing is drawn beyond it.
fn within(text: &str, span: Span) -> (usize, usize) {
    let floor = |at: usize| (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    let written = text.trim_end();
    match written.chars().next_back() {
        Some(last) if span.start >= written.len() => (written.len() - last.len_utf8(), last.len_utf8()),
        _ => {
            let start = floor(span.start);
            (start, floor(span.end.max(span.start)) - start)
        }
    }
}

/// A diagnostic as miette wants to see it.
#[derive(Debug)]
struct Drawn {
    code: String,
    severity: Severity,
    summary: String,
    detail: Option<Detail>,
    help: Option<String>,
    source: Option<Arc<NamedSource<String>>>,
    labels: Vec<LabeledSpan>,
    /// Places in other texts than the first label's.
    elsewhere: Vec<Drawn>,
}

impl Drawn {
    fn new(diagnostic: &Diagnostic, of: &[&Address], texts: &mut Texts<'_>) -> Self {
        let readable = |source: SourceId| texts.sources.get(source).is_some();
        let main = diagnostic.labels.iter().map(|l| l.span.source).find(|source| readable(*source));
        let mut labels = Vec::new();
        let mut elsewhere = Vec::new();
        for label in &diagnostic.labels {
            let Some((_, text)) = texts.sources.get(label.span.source) else { continue };
            let (start, len) = within(text, label.span);
            let said = outside::line(&label.text).into_owned();
            let place = |text: Option<String>| LabeledSpan::new(text, start, len);
            if labels.is_empty() {
                labels.push(LabeledSpan::new_primary_with_span(
                    (!said.is_empty()).then_some(said),
                    (start, len),
                ));
            } else if Some(label.span.source) == main {
                labels.push(place((!said.is_empty()).then_some(said)));
            } else {
                let summary = if said.is_empty() { "see also".to_owned() } else { said };
                elsewhere.push(Self {
                    code: String::new(),
                    severity: Severity::Note,
                    summary,
                    detail: None,
                    help: None,
                    source: texts.get(label.span.source),
                    labels: vec![place(None)],
                    elsewhere: Vec::new(),
                });
            }
        }
        Self {
            code: outside::line(&diagnostic.code).into_owned(),
            severity: diagnostic.severity,
            summary: summary(diagnostic, of),
            detail: detail(diagnostic).map(Detail),
            help: diagnostic.help.as_deref().map(|h| outside::block(h).into_owned()),
            source: main.and_then(|id| texts.get(id)).filter(|_| !labels.is_empty()),
            labels,
            elsewhere,
        }
    }
}

/// The sentence, and before it what it is about where neither it nor a label says so.
fn summary(diagnostic: &Diagnostic, of: &[&Address]) -> String {
    let said = outside::line(&diagnostic.summary);
    let Some(first) = of.first() else { return said.into_owned() };
    let address = first.to_string();
    // Said twice of one resource, it is one resource.
    let of: Vec<&Address> = of.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let named = names(&of);
    let pointer = diagnostic.pointer.as_deref().filter(|p| diagnostic.labels.is_empty() && !p.is_empty());
    match pointer {
        Some(at) => format!("{}, {}: {said}", outside::line(&named), change::path(at)),
        None if of.len() == 1 && said.contains(&address) => said.into_owned(),
        None => format!("{}: {said}", outside::line(&named)),
    }
}

/// Addresses as a sentence names them, the first of many.
fn names(of: &[&Address]) -> String {
    match of {
        [] => String::new(),
        [one] => one.to_string(),
        [one, other] => format!("{one} and {other}"),
        [one, two, last] => format!("{one}, {two} and {last}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}

/// More words, unless they only say the summary again.
fn detail(diagnostic: &Diagnostic) -> Option<String> {
    let text = outside::block(diagnostic.detail.as_deref()?.trim()).into_owned();
    let said = text.trim_end_matches('.');
    (!said.is_empty() && !said.eq_ignore_ascii_case(diagnostic.summary.trim_end_matches('.'))).then_some(text)
}

/// The world's own words, which miette draws indented beneath the summary.
#[derive(Debug)]
struct Detail(String);

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Detail {}

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary)
    }
}

impl Error for Drawn {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.detail.as_ref().map(|d| d as _)
    }
}

impl miette::Diagnostic for Drawn {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        (!self.code.is_empty()).then(|| Box::new(&self.code) as _)
    }
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|h| Box::new(h) as _)
    }
    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_deref().map(|s| s as _)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty()).then(|| Box::new(self.labels.iter().cloned()) as _)
    }
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        (!self.elsewhere.is_empty())
            .then(|| Box::new(self.elsewhere.iter().map(|d| -> &dyn miette::Diagnostic { d })) as _)
    }
}

struct Through<'a> {
    handler: &'a MietteHandler,
    drawn: &'a Drawn,
}

impl fmt::Display for Through<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handler.debug(self.drawn, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "blueprint: blog\nresources:\n  web:\n    type: kubernetes:App\n    properties:\n      replcias: 3\n      größe: \u{1b}[2J\n";

    fn drawn(diagnostics: &[Diagnostic], sources: &Sources) -> String {
        let handler =
            MietteHandlerOpts::new().color(false).unicode(true).width(80).terminal_links(false).build();
        report(diagnostics, sources, &handler)
    }

    fn span(sources: &[(SourceId, &str)], which: usize, of: &str) -> Span {
        let (source, text) = sources[which];
        let start = text.find(of).unwrap();
        Span { source, start, end: start + of.len() }
    }

    #[test]
    fn several_at_once() {
        let mut sources = Sources::default();
        let blog = sources.add("blueprint.yaml", TEXT);
        let module = "inputs:\n  size: {type: integer}\n";
        let module = (sources.add("modules/db/blueprint.yaml", module), module);
        let all = [(blog, TEXT), module];
        let long = "the Deployment did not become ready within ten minutes, and because it did not the three resources that need it \
                    were left alone";
        let diagnostics = [
            Diagnostic::error("blueprint.unknown-property", "`kubernetes:App` has no property `replcias`")
                .at(span(&all, 0, "replcias"), "not known here")
                .at(span(&all, 0, "kubernetes:App"), "of this type")
                .with_help("did you mean `replicas`?"),
            Diagnostic::warning("blueprint.input-type", "`size` is given as a text")
                .at(span(&all, 0, "größe"), "")
                .at(span(&all, 1, "integer"), "declared as an integer here"),
            Diagnostic::error("kubernetes.not-ready", long)
                .on("web".parse().unwrap())
                .with_detail("Back-off pulling image \"web:9\"\nErrImagePull: not found\n\u{1b}[31mred")
                .with_help("see `kubectl describe` for more"),
            Diagnostic::error("app.port", "ports are between 1 and 65535")
                .on("web".parse().unwrap())
                .pointing("/ports/external/0"),
        ];
        let text = drawn(&diagnostics, &sources);
        assert!(!text.replace('\n', "").contains(outside::acts), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn spans_out_of_bounds_are_brought_back() {
        let mut sources = Sources::default();
        let source = sources.add("a.yaml", "ä: 1");
        for (start, end) in [(1, 2), (0, 99), (50, 60), (3, 1), (3, usize::MAX), (usize::MAX, usize::MAX)] {
            let text =
                drawn(&[Diagnostic::error("a.b", "x").at(Span { source, start, end }, "here")], &sources);
            assert!(text.contains("here"), "{start}..{end}: {text}");
        }
        let nowhere = Span { source: SourceId(7), start: 0, end: 1 };
        assert!(drawn(&[Diagnostic::error("a.b", "x").at(nowhere, "here")], &sources).contains('x'));
    }

    #[test]
    fn the_cause_is_said_once() {
        let text =
            drawn(&[Diagnostic::error("a.b", "it broke").with_detail("It broke.")], &Sources::default());
        assert_eq!(text.to_lowercase().matches("it broke").count(), 1, "{text}");
    }

    #[test]
    fn the_same_of_several_resources_is_said_once() {
        let fault = |address: &str, summary: &str| {
            Diagnostic::error("a.b", summary.to_owned()).on(address.parse().unwrap())
        };
        let mut all: Vec<_> =
            (0..MAX_DRAWN + 5).map(|i| fault(&format!("web[{i}]"), "no such cluster")).collect();
        all.insert(1, fault("db", "no such cluster here"));
        let text = drawn(&all, &Sources::default());
        assert_eq!(text.matches("no such cluster").count(), 2, "{text}");
        assert!(text.contains("web[0], web[1] and 103 more: no such cluster"), "{text}");
        assert!(text.contains("106 errors") && !text.contains("--json"), "{text}");
        let twice = drawn(&vec![fault("db", "`db` is gone"); 2], &Sources::default());
        assert!(!twice.contains("db and db") && !twice.contains("db:"), "{twice}");
    }

    #[test]
    fn a_flood_is_cut_and_counted() {
        let all = vec![Diagnostic::error("a.b", "x"); MAX_DRAWN + 7];
        let text = drawn(&all, &Sources::default());
        assert!(text.contains("... and 7 more") && text.contains("107 errors"));
    }
}
