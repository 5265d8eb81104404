//! What a blueprint may cost, each limit with its name and its reason. All input is taken as hostile.

/// Bytes of one blueprint: the largest seen in the field are some tens of kilobytes, and time and memory of
/// reading grow with this.
pub const MAX_SOURCE_BYTES: usize = 1 << 20;

/// Nodes of one YAML document: an empty list costs two bytes to write and some hundred to hold.
pub const MAX_NODES: usize = 200_000;

/// Diagnostics kept for one blueprint: nobody reads more, and a flood must end.
pub const MAX_DIAGNOSTICS: usize = 200;

/// Resources, modules, inputs or outputs named in one blueprint. More are written with `for-each`.
pub const MAX_NAMES: usize = 5_000;

/// Bytes of one expression: what is longer is not read by people, and the parser's time grows with it.
pub const MAX_EXPRESSION_BYTES: usize = 4_096;

/// Words, signs and brackets of one expression.
pub const MAX_EXPRESSION_TOKENS: usize = 1_500;

/// Brackets and choices inside one another in one expression: the parser is recursive.
pub const MAX_EXPRESSION_NESTING: usize = 48;

/// Levels of one expression's tree; `a + b + c` and `a.b.c` have one for each operator. What walks it is recursive.
pub const MAX_EXPRESSION_DEPTH: usize = 160;

/// Comprehensions inside one another: each level multiplies the steps.
pub const MAX_COMPREHENSION_NESTING: usize = 2;

/// Units of work in one evaluation; a unit is a step, a node compared or copied, or 64 bytes of text handled.
/// About a tenth of a second.
pub const MAX_WORK: u64 = 1_000_000;

/// Elements of one list or map that an expression makes: above what a stack may hold instances.
pub const MAX_ELEMENTS: usize = 100_000;

/// Bytes of one text that an expression makes: a Kubernetes object holds no more.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// Levels of trees that one evaluation may be inside of at once, through locals that read locals.
pub const MAX_EVALUATION_DEPTH: usize = 240;

/// Bytes of a regular expression in `matches`.
pub const MAX_PATTERN_BYTES: usize = 256;

/// Bytes of a compiled regular expression: counted repetitions inside one another grow it exponentially.
pub const MAX_PATTERN_PROGRAM: usize = 64 << 10;

/// Bytes of the text that `matches` looks through: time is the product of text and pattern.
pub const MAX_MATCHED_BYTES: usize = 16 << 10;

/// Shortest and longest of `randomPassword`: below it can be guessed, above no system takes it.
pub const PASSWORD_LENGTH: std::ops::RangeInclusive<i64> = 8..=256;

/// Columns that `indent` and a width in `format` may ask for.
pub const MAX_INDENT: usize = 256;

/// Parts of one schema: that of a Deployment with all it nests has some thousands.
pub const MAX_SCHEMA_NODES: usize = 100_000;

/// Faults reported for one value: nobody reads more.
pub const MAX_VIOLATIONS: usize = 100;

/// Schemas applied inside one another at one place of a value (`$ref` to `$ref`): ends schemas that name themselves.
pub const MAX_SCHEMA_CHAIN: usize = 64;

/// Schemas applied in one check: `oneOf` inside `oneOf` multiplies. The largest objects in the field take some
/// thousands.
pub const MAX_SCHEMA_STEPS: u64 = 300_000;

/// Bytes of a compiled `pattern` of a schema.
pub const MAX_SCHEMA_PATTERN_PROGRAM: usize = 256 << 10;
