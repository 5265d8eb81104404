//! Expressions and their values.

use crate::support::{eval, eval_template};

fn table(rows: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (expression, want) in rows {
        let got = eval(expression);
        if got != *want {
            wrong.push(format!("{expression}\n    gives {got}\n    wants {want}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn literals_and_arithmetic() {
    table(&[
        ("1", "1"),
        ("-1", "-1"),
        ("- inputs.n", "-7"),
        ("0x10", "16"),
        ("1u", "1"),
        ("1.5", "1.5"),
        ("1e3", "1000.0"),
        ("true", "true"),
        ("null", "null"),
        ("'a'", "\"a\""),
        (r#""a\n\u00e9""#, "\"a\\né\""),
        ("'''tri'ple'''", "\"tri'ple\""),
        (r"r'\d'", "\"\\\\d\""),
        ("[1, 'a', null, [2]]", "[1, \"a\", null, [2]]"),
        ("{'a': 1, \"b\": {'c': []}}", "{a: 1, b: {c: []}}"),
        ("[]", "[]"),
        ("{}", "{}"),
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("-7 % 3", "-1"),
        ("7.0 / 2.0", "3.5"),
        ("1 - 2 - 3", "-4"),
        ("'a' + 'b' + 'c'", "\"abc\""),
        ("[1] + [2, 3]", "[1, 2, 3]"),
        ("inputs.n + 1", "8"),
        ("1 / 0", "! blueprint.bad-expression: a division by zero"),
        ("1 % 0", "! blueprint.bad-expression: a division by zero"),
        ("9223372036854775807 + 1", "! blueprint.bad-expression: the number grows beyond 64 bits"),
        ("-9223372036854775807 - 2", "! blueprint.bad-expression: the number grows beyond 64 bits"),
        ("9223372036854775807 * 2", "! blueprint.bad-expression: the number grows beyond 64 bits"),
        ("1 + 1.0", "! blueprint.type-mismatch: `+` does not take an integer and a number"),
        ("'a' + 1", "! blueprint.type-mismatch: `+` does not take a string and an integer"),
        ("{} + {}", "! blueprint.type-mismatch: `+` does not take a map and a map"),
        ("true + true", "! blueprint.type-mismatch: `+` does not take a boolean and a boolean"),
        ("5.0 % 2.0", "! blueprint.type-mismatch: `%` does not take a number and a number"),
        ("-'a'", "! blueprint.type-mismatch: `-` needs a number, found a string"),
        ("b'abc'", "! blueprint.bad-expression: bytes are not supported"),
        ("{1: 2}", "! blueprint.type-mismatch: a map key must be a string, found an integer"),
        ("{'a': 1, 'a': 2}", "! blueprint.duplicate-key: the key stands twice in one map"),
    ]);
}

#[test]
fn comparisons() {
    table(&[
        ("1 == 1", "true"),
        ("1 == 1.0", "true"),
        ("1 == 2", "false"),
        ("1 != 2", "true"),
        ("1 == 'a'", "false"),
        ("null == null", "true"),
        ("inputs.t == null", "false"),
        ("[1, [2]] == [1, [2]]", "true"),
        ("[1] == [1, 2]", "false"),
        ("{'a': 1, 'b': 2} == {'b': 2, 'a': 1}", "true"),
        ("{'a': 1} == {'a': 2}", "false"),
        ("1 < 2", "true"),
        ("1 < 1.5", "true"),
        ("2.0 >= 2", "true"),
        ("9223372036854775807 < 9223372036854775808.0", "true"),
        ("'a' < 'b'", "true"),
        ("false < true", "true"),
        ("1 < 'a'", "! blueprint.type-mismatch: `<` needs two numbers or two strings, found a string"),
        ("[1] < [2]", "! blueprint.type-mismatch: `<` needs two numbers or two strings, found a list"),
        ("1 in [1, 2]", "true"),
        ("3 in [1, 2]", "false"),
        ("'a' in {'a': 1}", "true"),
        ("'x' in inputs.m", "false"),
        ("1 in {'a': 1}", "false"),
        ("1 in 2", "! blueprint.type-mismatch: `in` needs a list or a map, found an integer"),
    ]);
}

#[test]
fn logic_absorbs_errors_on_either_side() {
    table(&[
        ("true && false", "false"),
        ("true || false", "true"),
        ("!true", "false"),
        ("false && 1 / 0 == 1", "false"),
        ("1 / 0 == 1 && false", "false"),
        ("true || 1 / 0 == 1", "true"),
        ("1 / 0 == 1 || true", "true"),
        ("1 / 0 == 1 || false", "! blueprint.bad-expression: a division by zero"),
        ("true && 1 / 0 == 1", "! blueprint.bad-expression: a division by zero"),
        ("1 && true", "! blueprint.type-mismatch: `&&` needs a boolean, found an integer"),
        ("1 || true", "true"),
        ("true ? 1 : 1 / 0", "1"),
        ("false ? 1 / 0 : 'b'", "\"b\""),
        ("1 ? 2 : 3", "! blueprint.type-mismatch: a condition needs a boolean, found an integer"),
        ("true ? (false ? 1 : 2) : 3", "2"),
        ("!1", "! blueprint.type-mismatch: `!` needs a boolean, found an integer"),
    ]);
}

#[test]
fn fields_elements_and_has() {
    table(&[
        ("inputs.m.a", "1"),
        ("inputs.m['b']", "\"two\""),
        ("inputs['m'].a", "1"),
        ("inputs.l[1]", "\"two\""),
        ("inputs.l[2][0]", "3"),
        ("[1, 2][1]", "2"),
        ("{'a': {'b': 5}}.a.b", "5"),
        ("inputs.m.aa", "! blueprint.unknown-name: there is no `aa` here"),
        ("inputs.l[3]", "! blueprint.bad-expression: there is no element 3 in a list of 3"),
        ("inputs.l[-1]", "! blueprint.bad-expression: there is no element -1 in a list of 3"),
        ("inputs.l['a']", "! blueprint.type-mismatch: a list's element needs an integer, found a string"),
        ("inputs.m[1]", "! blueprint.type-mismatch: a map's key needs a string, found an integer"),
        ("inputs.n.x", "! blueprint.type-mismatch: an integer has no `x`"),
        ("inputs.n[0]", "! blueprint.type-mismatch: an integer has no elements"),
        ("has(inputs.m.a)", "true"),
        ("has(inputs.m.x)", "false"),
        ("has(inputs.m)", "true"),
        ("has(inputs.n.x)", "! blueprint.type-mismatch: an integer has no fields"),
        ("has(1)", "! blueprint.bad-expression: `has` asks for a field"),
        ("has(resources.off.outputs)", "false"),
        ("has(resources.web)", "true"),
        ("has(resources.off)", "false"),
        (
            "resources.off.outputs.host",
            "! blueprint.unknown-name: nothing stands here, so it has no `outputs`",
        ),
        ("has(resources.off.outputs) ? resources.off.outputs.host : 'none'", "\"none\""),
        ("stack.name", "\"prod\""),
        ("stacks.net.outputs.zone", "\"eu\""),
        ("stacks.other.outputs.zone", "! blueprint.unknown-name: there is no stack `other`"),
        ("locals.two", "2"),
        ("locals.nested.a[1]", "\"text\""),
        ("locals.nested", "{a: [2, \"text\"], s: <hunter2>}"),
        ("locals.broken", "! blueprint.bad-expression: a division by zero"),
        ("true || locals.broken == 1", "true"),
    ]);
}

#[test]
fn comprehensions() {
    table(&[
        ("[1, 2, 3].map(x, x * 2)", "[2, 4, 6]"),
        ("[1, 2, 3].map(x, x > 1, x * 2)", "[4, 6]"),
        ("[1, 2, 3].filter(x, x > 1)", "[2, 3]"),
        ("[1, 2].all(x, x > 0)", "true"),
        ("[1, 2].all(x, x > 1)", "false"),
        ("[].all(x, x > 1)", "true"),
        ("[1, 2].exists(x, x > 1)", "true"),
        ("[].exists(x, true)", "false"),
        ("[1, 2, 2].exists_one(x, x == 2)", "false"),
        ("[1, 2].existsOne(x, x == 2)", "true"),
        ("[0, 2].exists(x, 4 / x == 2)", "true"),
        ("[0, 4].exists(x, 4 / x == 2)", "! blueprint.bad-expression: a division by zero"),
        ("[0, 4].all(x, 4 / x == 2)", "false"),
        ("inputs.m.map(k, k)", "[\"a\", \"b\"]"),
        ("inputs.m.all(k, inputs.m[k] != 3)", "true"),
        ("[[1, 2], [3]].map(x, x.map(y, y + x[0]))", "[[2, 3], [6]]"),
        ("[1].map(x, [2].map(x, x))", "[[2]]"),
        ("[{'a': 1}, {'a': 2}].map(x, x.a)", "[1, 2]"),
        ("[1].map(inputs, inputs)", "! blueprint.bad-expression: `map` takes a new name first"),
        ("[1].map(1, 2)", "! blueprint.bad-expression: `map` takes a new name first"),
        ("[1].map(x)", "! blueprint.bad-expression: `map` takes a variable and an expression"),
        ("1.map(x, x)", "! blueprint.type-mismatch: a comprehension needs a list or a map, found an integer"),
        (
            "(1).map(x, x)",
            "! blueprint.type-mismatch: a comprehension needs a list or a map, found an integer",
        ),
        ("[1].filter(x, x)", "! blueprint.type-mismatch: a filter needs a boolean, found an integer"),
        (
            "[1].map(a, [1].map(b, [1].map(c, c)))",
            "! blueprint.expression-limit: comprehensions are nested deeper than 2",
        ),
    ]);
}

#[test]
fn conversions() {
    table(&[
        ("string(1)", "\"1\""),
        ("string(1.0)", "\"1\""),
        ("string(1.25)", "\"1.25\""),
        ("string(true)", "\"true\""),
        ("string('a')", "\"a\""),
        ("string([1])", "! blueprint.type-mismatch: a list cannot stand in a text"),
        ("string(null)", "! blueprint.type-mismatch: nothing cannot stand in a text"),
        ("int('42')", "42"),
        ("int(1.9)", "1"),
        ("int(-1.9)", "-1"),
        ("int('x')", "! blueprint.bad-expression: `int` cannot read the text \"x\" as a number"),
        ("int(1e30)", "! blueprint.bad-expression: the number is out of the range of `int`"),
        ("uint(3)", "3"),
        ("uint(-3)", "! blueprint.bad-expression: the number is out of the range of `uint`"),
        ("double(1)", "1.0"),
        ("double('1.5')", "1.5"),
        ("bool('true')", "true"),
        (
            "bool('maybe')",
            "! blueprint.bad-expression: `bool` cannot read the text \"maybe\" as a truth value",
        ),
        ("bool(1)", "! blueprint.type-mismatch: `bool` needs a boolean or a string, found an integer"),
        ("type(1)", "\"int\""),
        ("type(inputs.l) == list", "true"),
        ("type('a') == string && type({}) == map && type(null) == null_type", "true"),
        ("dyn(1)", "1"),
    ]);
}

#[test]
fn functions_over_lists_and_maps() {
    table(&[
        ("size('héllo')", "5"),
        ("[1, 2].size()", "2"),
        ("size({'a': 1})", "1"),
        ("size(1)", "! blueprint.type-mismatch: `size` needs a string, a list or a map, found an integer"),
        ("range(3)", "[0, 1, 2]"),
        ("range(0)", "[]"),
        ("range(2, 4)", "[2, 3]"),
        ("range(-1)", "! blueprint.bad-expression: `range` cannot count from 0 to -1"),
        (
            "range(10000000)",
            "! blueprint.expression-limit: a list or map of 10000000 elements is larger than 100000",
        ),
        ("keys({'b': 1, 'a': 2})", "[\"a\", \"b\"]"),
        ("values({'b': 1, 'a': 2})", "[2, 1]"),
        ("keys([1])", "! blueprint.type-mismatch: `keys` needs a map, found a list"),
        ("merge({'a': 1, 'b': 1}, {'b': 2}, {'c': 3})", "{a: 1, b: 2, c: 3}"),
        ("merge({'a': {'x': 1}}, {'a': {'y': 2}})", "{a: {y: 2}}"),
        ("inputs.m.merge({'c': 3})", "{a: 1, b: \"two\", c: 3}"),
        ("flatten([[1, [2]], 3, []])", "[1, [2], 3]"),
        ("flatten([[1, [2]], 3], 2)", "[1, 2, 3]"),
        ("join(['a', 'b'], ', ')", "\"a, b\""),
        ("['a', 'b'].join('-')", "\"a-b\""),
        ("['a', 'b'].join()", "\"ab\""),
        ("join([1], ',')", "! blueprint.type-mismatch: `join` needs a list of strings, found an integer"),
        ("range(1, 2, 3)", "! blueprint.bad-expression: `range` does not take 3 arguments"),
        ("rnge(3)", "! blueprint.unknown-function: there is no function `rnge`"),
    ]);
}

#[test]
fn functions_over_texts() {
    table(&[
        ("'abc'.startsWith('ab')", "true"),
        ("'abc'.endsWith('bc')", "true"),
        ("'abc'.contains('x')", "false"),
        ("'abc'.matches('^a.c$')", "true"),
        ("matches('abc', 'b')", "true"),
        ("'a'.matches('(')", "! blueprint.bad-expression: the pattern is not a regular expression (RE2)"),
        ("split('a,b,c', ',')", "[\"a\", \"b\", \"c\"]"),
        ("'a,b,c'.split(',', 2)", "[\"a\", \"b,c\"]"),
        ("'abc'.split('')", "[\"a\", \"b\", \"c\"]"),
        ("'abc'.split('', 2)", "[\"a\", \"bc\"]"),
        ("'abc'.split(',', 0)", "[]"),
        ("replace('aaa', 'a', 'b')", "\"bbb\""),
        ("'aaa'.replace('a', 'b', 2)", "\"bba\""),
        ("lower('ÄB')", "\"äb\""),
        ("'ab'.upper()", "\"AB\""),
        ("trim('  a \\n')", "\"a\""),
        ("indent('a\\nb', 2)", "\"  a\\n  b\""),
        ("format('%s-%03d-%.1f-%t-%%', 'a', 7, 1.25, true)", "\"a-007-1.2-true-%\""),
        ("'%s:%d'.format(['h', 80])", "\"h:80\""),
        (
            "format('%-4s|%4s|%x|%X|%o|%b|%q|%v', 'a', 'b', 255, 255, 8, 5, 'q', 1)",
            "\"a   |   b|ff|FF|10|101|\\\"q\\\"|1\"",
        ),
        ("format('%e', 12345.678)", "\"1.234568e+04\""),
        (
            "format('%d', 'a')",
            "! blueprint.type-mismatch: `format` needs an integer for `%d`, found a string",
        ),
        ("format('%s')", "! blueprint.bad-expression: the pattern asks for more than 0 values"),
        ("format('a', 1)", "! blueprint.bad-expression: the pattern uses 0 of 1 values"),
        (
            "format('%y', 1)",
            "! blueprint.bad-expression: the pattern has a `%` that begins no verb; `%%` is the sign itself",
        ),
        ("base64Encode('hé')", "\"aMOp\""),
        ("base64Decode('aMOp')", "\"hé\""),
        ("base64Decode('!')", "! blueprint.bad-expression: the text is not base64"),
        ("base64Decode('/w==')", "! blueprint.bad-expression: what is base64 here is no UTF-8 text"),
        ("jsonEncode({'b': [1, null], 'a': 'x'})", r#""{\"a\":\"x\",\"b\":[1,null]}""#),
        (r#"jsonDecode('{"a": [1, 2.5, "x"]}')"#, "{a: [1, 2.5, \"x\"]}"),
        (
            "jsonDecode('{')",
            "! blueprint.bad-expression: the text is not JSON: EOF while parsing an object at line 1 column 1",
        ),
        ("yamlEncode({'a': [1, {'b': 'yes'}], 'c': {}})", r#""a:\n- 1\n- b: \"yes\"\nc: {}\n""#),
        ("yamlDecode('a: [1, x]')", "{a: [1, \"x\"]}"),
        (
            "yamlDecode('a: *b')",
            "! blueprint.bad-expression: the text is not YAML: while parsing node, found unknown anchor",
        ),
        ("sha256('abc')", "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""),
        ("file('hello.txt')", "\"hello\\n\""),
        ("file('../x')", "! blueprint.bad-expression: the file `../x` cannot be read: there is no such file"),
        ("dnsLabel('My_App 1')", "\"my-app-1\""),
        ("dnsLabel('--')", "! blueprint.bad-expression: `dnsLabel` needs a letter or a digit in the text"),
    ]);
    assert_eq!(eval(&format!("size(dnsLabel('{}'))", "x".repeat(100))), "63");
}

#[test]
fn secrets_stay_secret() {
    table(&[
        ("inputs.s", "<hunter2>"),
        ("'a' + inputs.s", "<ahunter2>"),
        ("upper(inputs.s)", "<HUNTER2>"),
        ("base64Encode(inputs.s)", "<aHVudGVyMg==>"),
        (
            "sha256(inputs.s).startsWith('a')",
            "! blueprint.secret-misplaced: what is made of a secret here is no string, so it could not be kept secret",
        ),
        ("string(inputs.s)", "<hunter2>"),
        ("join(['a', inputs.s], ':')", "<a:hunter2>"),
        ("join(['a', 'b'], inputs.s)", "<ahunter2b>"),
        ("format('%s@%s', 'u', inputs.s)", "<u@hunter2>"),
        ("replace('a b', ' ', inputs.s)", "<ahunter2b>"),
        ("jsonEncode({'p': inputs.s})", r#"<{"p":"hunter2"}>"#),
        ("[inputs.s, 'a']", "[<hunter2>, \"a\"]"),
        ("{'p': inputs.s}.p", "<hunter2>"),
        ("merge({'a': 'b'}, {'p': inputs.s})", "{a: \"b\", p: <hunter2>}"),
        ("size([inputs.s])", "1"),
        ("[inputs.s].map(x, x + '!')", "[<hunter2!>]"),
        ("inputs.b ? inputs.s : 'a'", "<hunter2>"),
        ("inputs.s == null", "false"),
        ("inputs.s == 1", "false"),
        ("[inputs.s, 1] == [inputs.s, 2]", "false"),
        ("type(inputs.s)", "\"string\""),
        ("false && inputs.s == 'a'", "false"),
        ("inputs.s == 'a' || true", "true"),
        (
            "inputs.s == 'a'",
            "! blueprint.secret-misplaced: what a secret is compared with would tell something of it",
        ),
        (
            "inputs.s < 'a'",
            "! blueprint.secret-misplaced: what a secret is compared with would tell something of it",
        ),
        (
            "inputs.s in ['a']",
            "! blueprint.secret-misplaced: what a secret is compared with would tell something of it",
        ),
        (
            "inputs.s in inputs.m",
            "! blueprint.secret-misplaced: what a secret is compared with would tell something of it",
        ),
        ("inputs.m[inputs.s]", "! blueprint.secret-misplaced: a secret cannot choose an element"),
        ("{inputs.s: 1}", "! blueprint.secret-misplaced: a map key cannot be secret"),
        (
            "size(inputs.s)",
            "! blueprint.secret-misplaced: what is made of a secret here is no string, so it could not be kept secret",
        ),
        (
            "split(inputs.s, 'u')",
            "! blueprint.secret-misplaced: what is made of a secret here is no string, so it could not be kept secret",
        ),
        (
            "jsonDecode(inputs.s)",
            "! blueprint.secret-misplaced: what is made of a secret here is no string, so it could not be kept secret",
        ),
        (
            "int(inputs.s)",
            "! blueprint.secret-misplaced: what is made of a secret here is no string, so it could not be kept secret",
        ),
        ("file(inputs.s)", "! blueprint.secret-misplaced: a path cannot be secret"),
        ("randomPassword(inputs.s, 12)", "! blueprint.secret-misplaced: a password's name cannot be secret"),
        ("-inputs.s", "! blueprint.type-mismatch: `-` needs a number, found a secret string"),
        ("randomPassword('made', 12)", "<s3cret-password>"),
        ("randomPassword('new', 12)", "?secret-text"),
        ("randomPassword('new', 4)", "! blueprint.bad-expression: a password has 8 to 256 characters, not 4"),
        (
            "size(randomPassword('new', 12))",
            "! blueprint.secret-misplaced: what is made of a secret here is no string, so it could not be kept secret",
        ),
        (
            "randomPassword('new', 12) == 'a'",
            "! blueprint.secret-misplaced: what a secret is compared with would tell something of it",
        ),
    ]);
}

#[test]
fn unknowns_pass_on() {
    table(&[
        ("resources.web.outputs.host", "?text"),
        ("resources.web.outputs.ready", "?other"),
        ("resources.web.outputs.token", "?secret-text"),
        ("resources.web.outputs", "{externalIP: ?text, host: ?text, ready: ?other, token: ?secret-text}"),
        ("'http://' + resources.web.outputs.host", "?text"),
        ("resources.web.outputs.host + resources.web.outputs.token", "?secret-text"),
        ("resources.web.outputs.host + inputs.s", "?secret-text"),
        ("resources.web.outputs.ready + 1", "?other"),
        ("resources.web.outputs.ready > 1", "?other"),
        ("resources.web.outputs.ready > 1 && false", "false"),
        ("resources.web.outputs.ready > 1 || true", "true"),
        ("resources.web.outputs.ready > 1 && true", "?other"),
        ("resources.web.outputs.ready > 1 && 1 / 0 == 1", "?other"),
        ("!(resources.web.outputs.ready > 1)", "?other"),
        ("resources.web.outputs.ready > 1 ? 'a' : 'b'", "?text"),
        ("resources.web.outputs.ready > 1 ? 'a' : 1", "?other"),
        ("resources.web.outputs.ready > 1 ? inputs.s : 'b'", "?secret-text"),
        ("inputs.b ? 1 : resources.web.outputs.ready", "1"),
        ("[resources.web.outputs.host, 1]", "[?text, 1]"),
        ("size([resources.web.outputs.host, 1])", "2"),
        ("size(resources.web.outputs.host)", "?other"),
        ("upper(resources.web.outputs.host)", "?text"),
        ("string(resources.web.outputs.host)", "?text"),
        ("string(resources.web.outputs.ready)", "?text"),
        ("int(resources.web.outputs.host)", "?other"),
        ("type(resources.web.outputs.host)", "\"string\""),
        ("type(resources.web.outputs.ready)", "?text"),
        ("split(resources.web.outputs.host, '.')", "?other"),
        ("split(resources.web.outputs.host, '.')[0]", "?other"),
        ("split(resources.web.outputs.host, '.').map(x, 1)", "?other"),
        ("join([resources.web.outputs.host], '.')", "?text"),
        ("format('%s', resources.web.outputs.ready)", "?text"),
        ("keys({'a': resources.web.outputs.host})", "[\"a\"]"),
        ("values({'a': resources.web.outputs.host})", "[?text]"),
        ("merge({'a': 1}, {'b': resources.web.outputs.host})", "{a: 1, b: ?text}"),
        ("flatten([[resources.web.outputs.host], 1])", "[?text, 1]"),
        ("flatten([resources.web.outputs.host, 1])", "[?text, 1]"),
        ("flatten([resources.web.outputs.ready, 1])", "?other"),
        ("[1, 2].map(x, x + resources.web.outputs.ready)", "[?other, ?other]"),
        ("[1, 2].filter(x, x > resources.web.outputs.ready)", "?other"),
        ("[1, 2].exists(x, x > resources.web.outputs.ready)", "?other"),
        ("[1, 2].exists(x, x > resources.web.outputs.ready || x == 2)", "true"),
        ("[1, 2].all(x, x > resources.web.outputs.ready && x == 2)", "false"),
        ("resources.web.outputs.ready in [1]", "?other"),
        ("1 in [resources.web.outputs.ready, 1]", "true"),
        ("[resources.web.outputs.ready, 1] == [5, 2]", "false"),
        ("[resources.web.outputs.ready, 1] == [5, 1]", "?other"),
        (
            "{resources.web.outputs.host: 1}",
            "! blueprint.unknown-misplaced: a map key cannot be known only after apply",
        ),
        ("inputs.l[resources.web.outputs.ready]", "?other"),
        ("has(resources.web.outputs.host)", "?other"),
        ("jsonEncode([resources.web.outputs.ready, inputs.s])", "?secret-text"),
        ("resources.many[1].outputs.host", "?text"),
        ("resources.many.map(x, x.outputs.host)", "[?text, ?text]"),
        ("locals.host", "?text"),
        ("resources.web.outputs.host.x", "! blueprint.type-mismatch: a string has no `x`"),
        ("range(resources.web.outputs.ready)", "?other"),
        ("resources.web.outputs.ready[0].x", "?other"),
    ]);
}

#[test]
fn text_with_expressions() {
    for (text, want) in [
        ("a ${inputs.n} b", "\"a 7 b\""),
        ("${inputs.t}${inputs.b}", "\"texttrue\""),
        ("$${inputs.t}", "\"${inputs.t}\""),
        ("${inputs.t} $${x} ${1.0}", "\"text ${x} 1\""),
        ("p=${inputs.s}", "<p=hunter2>"),
        ("h=${resources.web.outputs.host}", "?text"),
        ("h=${resources.web.outputs.host}:${inputs.s}", "?secret-text"),
        ("l=${inputs.l}", "! blueprint.type-mismatch: a list cannot stand in a text"),
        ("${ {'a': {'b': '}'}}.a.b }", "\"}\""),
        ("no expression", "\"no expression\""),
        ("${}", "! blueprint.bad-expression: the expression is empty"),
        ("${a", "! blueprint.bad-expression: this `${` is never closed"),
    ] {
        assert_eq!(eval_template(text), want, "{text}");
    }
}
