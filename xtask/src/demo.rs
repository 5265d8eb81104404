//! `cargo xtask demo`: a hybrid WordPress, carried out on the test cluster and left there to look at.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::build::{Profile, programs};
use crate::cluster;
use crate::run::{output, root, run, say, show};

/// The blueprint, and how it names the folder of guests.
const EXAMPLE: &str = "examples/wordpress/blueprint.yaml";
const GUESTS: &str = "../../target/guests/";
/// Where it is carried out: the example's own folder stays as it is. The guests are in the folder beside it.
const PLACE: &str = "target/demo";
/// The file that says to which cluster what lies there belongs.
const CLUSTER: &str = "cluster";

/// What is shown, one command after the other.
const COMMANDS: [(&str, &[&str]); 6] = [
    ("the blueprint is checked; no cluster is asked", &["validate"]),
    (
        "it is carried out: database and site in the cluster, a file with the site's address outside",
        &["apply", "--yes"],
    ),
    ("nothing has changed since, so there is nothing to do", &["plan"]),
    ("what another number of replicas would change: one field", &["plan", "--input", "replicas=3"]),
    ("how it stands", &["status"]),
    ("where the site is", &["outputs", "url"]),
];

/// What the part outside the cluster wrote.
const CARD: &str = "out/site.txt";

pub(crate) fn demo() -> Result<()> {
    say("1 of 3: building");
    let sheave = programs(Profile::Release, &["sheave-cli"])?.join("sheave");
    say("2 of 3: starting a Kubernetes control plane");
    let ran_before = cluster::runs();
    cluster::up()?;
    let variables = cluster::variables()?;
    let place = place(&variables)?;
    say(format!("3 of 3: carrying out {EXAMPLE}, in {}", place.display()));
    for (what, args) in COMMANDS {
        show("");
        say(format!("{what}:"));
        show(format!("$ sheave {}", args.join(" ")));
        let mut command = Command::new(&sheave);
        // What is set for the user's own stacks is not for this one.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|n| n.starts_with("SHEAVE_")) {
                command.env_remove(&name);
            }
        }
        run(command.current_dir(&place).args(args).envs(variables.iter().cloned()))?;
    }
    show("");
    say(format!("and in {CARD}, the part outside the cluster:"));
    show(
        fs::read_to_string(place.join(CARD)).with_context(|| format!("the demo left no {CARD}"))?.trim_end(),
    );
    let sheave = sheave.display();
    show("");
    say("it stays there. To look around, in a shell:");
    show(format!(
        "    cd {}
    eval \"$(cargo xtask cluster env)\"   # points this shell at the control plane
    kubectl get statefulset,deployment,service,ingress --namespace wordpress
    {sheave} apply --input replicas=3",
        place.display()
    ));
    say("to clean up, in the same shell:");
    show(format!("    {sheave} destroy --yes\n    cargo xtask cluster down"));
    if ran_before {
        say("(the control plane ran before this demo: end it only if nobody else needs it)");
    }
    Ok(())
}

/// The folder with the blueprint in it. What belongs to a cluster that is gone is gone with it.
fn place(variables: &[(String, String)]) -> Result<PathBuf> {
    let place = root().join(PLACE);
    let cluster = identity(variables)?;
    if place.exists() && fs::read_to_string(place.join(CLUSTER)).ok().as_ref() != Some(&cluster) {
        fs::remove_dir_all(&place)?;
    }
    // The one folder that the blueprint grants to a plugin.
    fs::create_dir_all(place.join("out"))?;
    fs::write(place.join(CLUSTER), cluster)?;
    let example = root().join(EXAMPLE);
    let blueprint =
        fs::read_to_string(&example).with_context(|| format!("cannot read {}", example.display()))?;
    fs::write(place.join("blueprint.yaml"), blueprint.replace(GUESTS, "../guests/"))?;
    Ok(place)
}

/// What tells this cluster from one that was here before.
fn identity(variables: &[(String, String)]) -> Result<String> {
    let mut kubectl = Command::new(cluster::kubectl());
    kubectl.args(["get", "namespace", "kube-system", "--output", "jsonpath={.metadata.uid}"]);
    output(kubectl.envs(variables.iter().cloned()))
}
