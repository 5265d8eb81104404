//! Expressions by chance: each byte of a seed is one choice, so that a failing one shrinks.

/// Writes expressions over `inputs.n` (integer), `inputs.t` (text), `inputs.b` (boolean), `inputs.l` (list of
/// integers), `inputs.m` (map with `a`, an integer, and `b`, a text).
pub(crate) struct Generator<'a> {
    seed: &'a [u8],
    next: usize,
    /// Variables of comprehensions in reach: integers.
    variables: Vec<String>,
    loops: usize,
    /// Only what every reader of CEL knows.
    plain: bool,
}

impl<'a> Generator<'a> {
    pub(crate) fn new(seed: &'a [u8], plain: bool) -> Self {
        Self { seed, next: 0, variables: Vec::new(), loops: 0, plain }
    }

    /// A choice below `count`; zero, the simplest, where the seed has run out.
    fn pick(&mut self, count: usize) -> usize {
        let byte = self.seed.get(self.next).copied().unwrap_or(0);
        self.next += 1;
        usize::from(byte) % count
    }

    pub(crate) fn any(&mut self, depth: usize) -> String {
        match self.pick(5) {
            0 => self.int(depth),
            1 => self.text(depth),
            2 => self.boolean(depth),
            3 => self.list(depth),
            _ => self.map(depth),
        }
    }

    fn choice(&mut self, depth: usize, part: fn(&mut Self, usize) -> String) -> String {
        format!("({} ? {} : {})", self.boolean(depth), part(self, depth), part(self, depth))
    }

    fn int(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.pick(4) {
                0 => "1".into(),
                1 => "inputs.n".into(),
                2 => self.variables.last().cloned().unwrap_or_else(|| "0".into()),
                _ => "7".into(),
            };
        }
        let d = depth - 1;
        match self.pick(10) {
            0 => self.int(0),
            1 => format!("({} + {})", self.int(d), self.int(d)),
            2 => format!("({} - {})", self.int(d), self.int(d)),
            3 => format!("({} * {})", self.int(d), self.int(d)),
            4 => format!("({} / {})", self.int(d), self.int(d)),
            5 => format!("size({})", self.text(d)),
            6 => format!("size({})", self.list(d)),
            7 => self.choice(d, Self::int),
            8 => format!("{}[{}]", self.list(d), self.int(0)),
            _ => format!("{}.a", self.map(d)),
        }
    }

    fn text(&mut self, depth: usize) -> String {
        if depth == 0 {
            return ["'x'", "inputs.t", "''", "'a,b'"][self.pick(4)].into();
        }
        let d = depth - 1;
        match self.pick(if self.plain { 5 } else { 9 }) {
            0 => self.text(0),
            1 => format!("({} + {})", self.text(d), self.text(d)),
            2 => format!("string({})", self.int(d)),
            3 => self.choice(d, Self::text),
            4 => format!("{}.b", self.map(d)),
            5 => format!("upper({})", self.text(d)),
            6 => format!("join([{}, {}], {})", self.text(d), self.text(d), self.text(0)),
            7 => format!("format('%s-%d', {}, {})", self.text(d), self.int(d)),
            _ => format!("jsonEncode({})", self.any(d)),
        }
    }

    fn boolean(&mut self, depth: usize) -> String {
        if depth == 0 {
            return ["true", "inputs.b", "false"][self.pick(3)].into();
        }
        let d = depth - 1;
        match self.pick(13) {
            0 => self.boolean(0),
            1 => format!("({} < {})", self.int(d), self.int(d)),
            2 => format!("({} == {})", self.int(d), self.int(d)),
            3 => format!("({} == {})", self.text(d), self.text(d)),
            4 => format!("({} && {})", self.boolean(d), self.boolean(d)),
            5 => format!("({} || {})", self.boolean(d), self.boolean(d)),
            6 => format!("!{}", self.boolean(d)),
            7 => format!("{}.startsWith({})", self.text(d), self.text(d)),
            8 => format!("({} in {})", self.int(d), self.list(d)),
            9 => format!("({} == {})", self.list(d), self.list(d)),
            10 => format!("has({}.a)", self.map(d)),
            11 => self.choice(d, Self::boolean),
            _ => {
                let kind = ["exists", "all", "exists_one"][self.pick(3)];
                self.each(kind, d, Self::boolean)
            }
        }
    }

    fn each(&mut self, kind: &str, depth: usize, body: fn(&mut Self, usize) -> String) -> String {
        let over = self.list(depth);
        if self.loops == 2 {
            return if kind == "map" || kind == "filter" { over } else { "true".into() };
        }
        self.loops += 1;
        let variable = format!("x{}", self.variables.len());
        self.variables.push(variable.clone());
        let body = body(self, depth);
        self.variables.pop();
        self.loops -= 1;
        format!("{over}.{kind}({variable}, {body})")
    }

    fn list(&mut self, depth: usize) -> String {
        if depth == 0 {
            return ["[1, 2]", "inputs.l", "[]"][self.pick(3)].into();
        }
        let d = depth - 1;
        match self.pick(if self.plain { 6 } else { 10 }) {
            0 => self.list(0),
            1 => format!("[{}, {}]", self.int(d), self.int(d)),
            2 => format!("({} + {})", self.list(d), self.list(d)),
            3 => self.choice(d, Self::list),
            4 => self.each("map", d, Self::int),
            5 => self.each("filter", d, Self::boolean),
            6 => format!("flatten([{}, {}])", self.list(d), self.list(d)),
            7 => format!("split({}, ',')", self.text(d)),
            8 => format!("values({})", self.map(d)),
            _ => format!("range({})", self.int(0)),
        }
    }

    fn map(&mut self, depth: usize) -> String {
        if depth == 0 {
            return ["{'a': 1, 'b': 'y'}", "inputs.m"][self.pick(2)].into();
        }
        let d = depth - 1;
        match self.pick(if self.plain { 3 } else { 4 }) {
            0 => self.map(0),
            1 => format!("{{'a': {}, 'b': {}}}", self.int(d), self.text(d)),
            2 => self.choice(d, Self::map),
            _ => format!("merge({}, {})", self.map(d), self.map(d)),
        }
    }
}
