//! A blueprint's graph as SVG. Where things stand a library decides; how they look, this module.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::mpsc;
use std::time::Duration;

use layout::core::base::Orientation;
use layout::core::format::{ClipHandle, RenderBackend};
use layout::core::geometry::Point;
use layout::core::style::StyleAttr;
use layout::std_shapes::shapes::{Arrow, Element, ShapeKind};
use layout::topo::layout::VisualGraph;
use sheave_driver::GraphNode;
use sheave_model::Diagnostic;

use super::{graph, outside};

/// Resources in one picture: its layout takes the square of their number, a second at this many; and nobody could read it.
const MAX_NODES: usize = 300;
/// Edges, for the same reason.
const MAX_EDGES: usize = 1200;

/// How long the library may take: what many edges cross each other in can take it hours, however few resources there are.
const PATIENCE: Duration = Duration::from_secs(10);

/// Width of a letter, and height of a line, in the fonts below.
const LETTER: f64 = 8.0;
const LINE: f64 = 20.0;
/// Around a box's text.
const PADDING: f64 = 14.0;
/// Around the picture.
const MARGIN: f64 = 16.0;

/// Fits light and dark pages.
const STYLE: &str = "\
text{font:14px ui-sans-serif,system-ui,sans-serif;text-anchor:middle;dominant-baseline:central;fill:#1f2933}\
text.kind{font-size:12px;fill:#52606d}\
rect{fill:#f5f7fa;stroke:#7b8794}\
rect.module{fill:#e3f2fd;stroke-dasharray:5 3}\
path{fill:none;stroke:#7b8794;stroke-width:1.3}";

/// The graph as an SVG document; an arrow points at what is needed. As in the tree, what one of the things needed needs anyway
/// gets no arrow of its own.
pub(crate) fn svg(name: &str, nodes: &[GraphNode]) -> Result<String, Box<Diagnostic>> {
    svg_within(PATIENCE, name, nodes)
}

fn svg_within(patience: Duration, name: &str, nodes: &[GraphNode]) -> Result<String, Box<Diagnostic>> {
    // Which edges follow from others takes long to find out where there are thousands.
    if nodes.len() > MAX_NODES {
        return Err(refused(nodes, "many"));
    }
    let nodes = graph::direct(nodes);
    if edges(&nodes) > MAX_EDGES {
        return Err(refused(&nodes, "many"));
    }
    let (to, drawn) = mpsc::channel();
    let (name, drawing) = (name.to_owned(), nodes.clone());
    // Nobody can end a layout that takes too long: its thread ends with the program.
    std::thread::spawn(move || to.send(draw(&name, &drawing)));
    drawn.recv_timeout(patience).map_err(|_| refused(&nodes, "intricate"))
}

fn edges(nodes: &[GraphNode]) -> usize {
    nodes.iter().map(|n| n.needs.len()).sum()
}

fn refused(nodes: &[GraphNode], too: &str) -> Box<Diagnostic> {
    let (count, edges) = (nodes.len(), edges(nodes));
    let summary = format!("{count} resources with {edges} edges are too {too} for a picture");
    Box::new(Diagnostic::error("cli.picture-size", summary).with_help(format!(
        "up to {MAX_NODES} and {MAX_EDGES} are drawn, where that takes no longer than {PATIENCE:?}; `--dot` has no limit"
    )))
}

fn draw(name: &str, nodes: &[GraphNode]) -> String {
    let mut canvas = Canvas::new(nodes);
    if !nodes.is_empty() {
        let mut picture = VisualGraph::new(Orientation::TopToBottom);
        let mut handles = BTreeMap::new();
        for (i, node) in nodes.iter().enumerate() {
            let letters = node.name.chars().count().max(graph::kind(node).chars().count());
            let size = Point::new(letters as f64 * LETTER + 2.0 * PADDING, 2.0 * LINE + PADDING);
            // The number leads back to the node when its text is to be drawn.
            let shape = ShapeKind::new_box(&i.to_string());
            let element = Element::create(shape, StyleAttr::simple(), Orientation::TopToBottom, size);
            handles.insert(node.name.as_str(), picture.add_node(element));
        }
        for node in nodes {
            for need in &node.needs {
                if let (Some(from), Some(to)) = (handles.get(node.name.as_str()), handles.get(need.as_str()))
                {
                    picture.add_edge(Arrow::simple(""), *from, *to);
                }
            }
        }
        picture.do_it(false, false, false, &mut canvas);
    }
    canvas.document(name)
}

/// Takes the library's strokes.
struct Canvas<'a> {
    nodes: &'a [GraphNode],
    boxes: Vec<(Point, Point)>,
    texts: Vec<(Point, usize)>,
    paths: String,
    size: Point,
}

impl<'a> Canvas<'a> {
    fn new(nodes: &'a [GraphNode]) -> Self {
        Self { nodes, boxes: Vec::new(), texts: Vec::new(), paths: String::new(), size: Point::zero() }
    }

    fn reach(&mut self, x: f64, y: f64) {
        self.size = Point::new(self.size.x.max(x), self.size.y.max(y));
    }

    fn document(self, name: &str) -> String {
        let (width, height) = (self.size.x + MARGIN, self.size.y + MARGIN);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} \
             {height:.0}\" role=\"img\">\n<title>{}</title>\n<style>{STYLE}</style>\n<defs><marker id=\"arrow\" \
             markerWidth=\"9\" markerHeight=\"8\" refX=\"9\" refY=\"4\" orient=\"auto\"><path d=\"M0,0 9,4 0,8z\" \
             style=\"fill:#7b8794;stroke:none\"/></marker></defs>\n",
            escaped(name)
        );
        out.push_str(&self.paths);
        // Writing to a String cannot fail.
        for (at, i) in &self.texts {
            let Some(node) = self.nodes.get(*i) else { continue };
            let mut at = *at;
            let inside = |(corner, size): &&(Point, Point)| {
                (corner.x..=corner.x + size.x).contains(&at.x)
                    && (corner.y..=corner.y + size.y).contains(&at.y)
            };
            if let Some((corner, size)) = self.boxes.iter().find(inside) {
                at = Point::new(corner.x + size.x / 2.0, corner.y + size.y / 2.0);
                let class = if node.module { " class=\"module\"" } else { "" };
                let _ = writeln!(
                    out,
                    "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"6\"{class}/>",
                    corner.x, corner.y, size.x, size.y
                );
            }
            let (x, upper, lower) = (at.x, at.y - LINE / 2.0, at.y + LINE / 2.0);
            let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{upper:.1}\">{}</text>", escaped(&node.name));
            let kind = escaped(&graph::kind(node));
            let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{lower:.1}\" class=\"kind\">{kind}</text>");
        }
        out.push_str("</svg>\n");
        out
    }
}

impl RenderBackend for Canvas<'_> {
    fn draw_rect(&mut self, xy: Point, size: Point, _: &StyleAttr, _: Option<String>, _: Option<ClipHandle>) {
        self.reach(xy.x + size.x, xy.y + size.y);
        self.boxes.push((xy, size));
    }

    fn draw_text(&mut self, xy: Point, text: &str, _: &StyleAttr) {
        if let Ok(i) = text.trim().parse() {
            self.texts.push((xy, i));
        }
    }

    fn draw_arrow(
        &mut self,
        path: &[(Point, Point)],
        _: bool,
        (_, head): (bool, bool),
        _: &StyleAttr,
        _: Option<String>,
        _: &str,
    ) {
        let [first, second, rest @ ..] = path else { return };
        let place = |p: Point| format!("{:.1} {:.1}", p.x, p.y);
        // A cubic curve; each further piece goes on in the direction of the one before.
        let mut line =
            format!("M{} C{} {} {}", place(first.0), place(first.1), place(second.0), place(second.1));
        for (control, end) in rest {
            let _ = write!(line, " S{} {}", place(*control), place(*end));
        }
        for (a, b) in path {
            self.reach(a.x.max(b.x), a.y.max(b.y));
        }
        let marker = if head { " marker-end=\"url(#arrow)\"" } else { "" };
        let _ = writeln!(self.paths, "<path d=\"{line}\"{marker}/>");
    }

    fn draw_line(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_circle(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn create_clip(&mut self, _: Point, _: Point, _: usize) -> ClipHandle {
        0
    }
}

/// As XML takes it.
fn escaped(text: &str) -> String {
    let text = outside::line(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::graph::tests::{node, shop};
    use super::*;

    #[test]
    fn a_graph_as_a_picture() {
        let drawn = svg("a<shop>", &shop()).unwrap();
        insta::assert_snapshot!(drawn);
        assert_eq!(drawn.matches("<rect").count(), shop().len(), "a box each");
        assert_eq!(drawn.matches("marker-end").count(), edges(&graph::direct(&shop())), "an arrow each");
        assert!(!drawn.contains('\u{1b}') && drawn.contains("a&lt;shop&gt;"));
        assert_eq!(drawn, svg("a<shop>", &shop()).unwrap(), "the same each time");
    }

    #[test]
    fn what_needs_all_that_came_before_it_is_a_line() {
        let names: Vec<String> = (0..60).map(|i| format!("n{i}")).collect();
        let needs = |i: usize| names[i.saturating_sub(8)..i].iter().map(String::as_str).collect::<Vec<_>>();
        let dense: Vec<_> = (0..60).map(|i| node(&names[i], "a:B", &needs(i))).collect();
        assert_eq!(svg("dense", &dense).unwrap().matches("marker-end").count(), 59);
    }

    #[test]
    fn a_layout_that_takes_too_long_is_given_up() {
        // Each tooth is as long as the back is deep: in a release, seconds at 40 teeth and hours at 80.
        let mut comb = Vec::new();
        for i in 0..80_usize {
            let above = i.checked_sub(1).map(|i| format!("back{i}"));
            comb.push(node(
                &format!("back{i}"),
                "a:B",
                &above.iter().map(String::as_str).collect::<Vec<_>>(),
            ));
            comb.push(node(&format!("tooth{i}"), "a:B", &[&format!("back{i}")]));
        }
        let teeth: Vec<String> = (0..80).map(|i| format!("tooth{i}")).collect();
        comb.push(node("root", "a:B", &teeth.iter().map(String::as_str).collect::<Vec<_>>()));
        let refused = svg_within(Duration::from_millis(100), "comb", &comb).unwrap_err();
        assert_eq!(refused.code, "cli.picture-size");
        assert!(refused.summary.contains("too intricate"), "{}", refused.summary);
    }

    #[test]
    fn too_many_for_a_picture_is_said() {
        let many: Vec<_> = (0..=MAX_NODES).map(|i| node(&format!("n{i}"), "a:B", &[])).collect();
        assert_eq!(svg("many", &many).unwrap_err().code, "cli.picture-size");
        assert!(svg("none", &[]).unwrap().ends_with("</svg>\n"));
    }
}
