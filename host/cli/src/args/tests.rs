//! What the command line reads, before and after the command.

use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Cli {
    Cli::try_parse_from(line.split(' ')).unwrap_or_else(|e| panic!("{line}: {e}"))
}

fn refused(line: &str) -> String {
    match Cli::try_parse_from(line.split(' ')) {
        Ok(_) => panic!("{line} was taken"),
        Err(fault) => fault.to_string(),
    }
}

#[test]
fn the_definition_holds() {
    Cli::command().debug_assert();
}

#[test]
fn common_options_stand_before_or_after_the_command() {
    for line in [
        "sheave -f a.yaml --stack s --state sqlite:x --parallelism 3 --timeout 90s --json --no-color -v plan",
        "sheave plan -f a.yaml --stack s --state sqlite:x --parallelism 3 --timeout 90s --json --no-color -v",
        "sheave --stack s -f a.yaml plan --json --state sqlite:x -v --timeout 1m30s --no-color --parallelism 3",
    ] {
        let Common {
            file,
            stack,
            state,
            parallelism,
            timeout,
            locked: _,
            offline: _,
            policy: _,
            json,
            no_color,
            verbose,
        } = parse(line).common;
        assert_eq!((file, stack.as_deref()), (PathBuf::from("a.yaml"), Some("s")), "{line}");
        assert_eq!(
            (state.as_str(), parallelism, timeout),
            ("sqlite:x", 3, Duration::from_secs(90)),
            "{line}"
        );
        assert_eq!((json, no_color, verbose), (true, true, 1), "{line}");
    }
}

#[test]
fn deeper_commands_take_them_too() {
    assert!(parse("sheave state list --json").common.json);
    assert!(parse("sheave state --json list").common.json);
    assert!(parse("sheave --json state list").common.json);
}

#[test]
fn inputs_before_and_after_add_up() {
    let mut cli =
        parse("sheave --input a=1 --inputs x.yaml apply --input b=2 --yes --inputs y.yaml --input c=k=v");
    let all = cli.inputs.and(cli.command.take_inputs());
    assert_eq!(all.input, ["a=1", "b=2", "c=k=v"]);
    assert_eq!(all.inputs, [PathBuf::from("x.yaml"), PathBuf::from("y.yaml")]);
}

#[test]
fn every_command_takes_inputs() {
    for command in [
        "validate",
        "plan",
        "apply",
        "destroy",
        "status",
        "outputs",
        "events",
        "types",
        "schema",
        "state list",
        "state show web",
        "state export",
        "state rm web",
        "state mv web www",
        "init",
        "init shop",
        "history",
        "rollback 3",
        "refresh",
        "import web blog/web",
        "graph",
        "completions bash",
        "state unlock",
        "plugin inspect file",
        "plugin add ./x.wasm --name x",
        "plugin update file --accept",
    ] {
        let mut cli = parse(&format!("sheave {command} --input a=1"));
        assert_eq!(cli.command.take_inputs().input, ["a=1"], "{command}");
        assert!(cli.command.words().starts_with(&format!("sheave {}", command.split(' ').next().unwrap())));
    }
}

#[test]
fn defaults_are_those_of_the_contract() {
    let Common { file, stack, state, json, .. } = parse("sheave validate").common;
    assert_eq!((file, stack, json), (PathBuf::from("blueprint.yaml"), None, false));
    assert_eq!(state, "sqlite:.sheave/state.db");
}

#[test]
fn a_value_of_an_input_is_never_repeated() {
    assert!(!refused("sheave plan --input password=hunter2 --parallelism 0").contains("hunter2"));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for line in [
        "sheave plan --parallelism 0",
        "sheave plan --parallelism many",
        "sheave plan --timeout 10",
        "sheave plan --timeout -5m",
        "sheave plan --timeout 0s",
        "sheave plan --timeout 1000w",
        "sheave plan --only a.",
        "sheave plan --only a --destroy",
        "sheave apply plan.json --only a",
        "sheave outputs --reveal",
        "sheave state show",
        "sheave state rm",
        "sheave state mv a",
        "sheave state mv a b.",
        "sheave rollback",
        "sheave import web",
        "sheave graph --svg --dot",
        "sheave completions",
        "sheave completions tcsh",
        "sheave frobnicate",
        "sheave state",
        "sheave",
    ] {
        refused(line);
    }
}

#[test]
fn a_run_is_named_by_its_command_and_never_by_its_options() {
    let words = |line: &str| parse(line).command.words();
    assert_eq!(words("sheave apply --yes --input password=hunter2"), "sheave apply");
    assert_eq!(words("sheave rollback 3 --input password=hunter2"), "sheave rollback 3");
    assert_eq!(words("sheave import web blog/web --stack s"), "sheave import web blog/web");
    assert_eq!(words("sheave state mv web db.web --json"), "sheave state mv web db.web");
    assert_eq!(words("sheave state rm shard[2] -y"), "sheave state rm shard[2]");
}

#[test]
fn addresses_are_read() {
    let Command::Plan(plan) = parse(r#"sheave plan --only db[0] --only shard["eu"].web"#).command else {
        panic!()
    };
    let only: Vec<_> = plan.only.iter().map(ToString::to_string).collect();
    assert_eq!(only, ["db[0]", r#"shard["eu"].web"#]);
}
