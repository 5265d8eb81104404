//! The examples, as a reader runs them: applied, a second plan empty, and destroyed to the last object.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::fs;

use sheave_testkit::{Example, Output};

/// Applies an example, and sees that nothing is left to do.
fn applied(example: &Example) -> Output {
    let _ = example.run(&["validate"]).exits(0);
    let applied = example.run(&["apply", "--yes"]).exits(0);
    let _ = example.run(&["plan", "--detailed-exitcode"]).exits(0).says("Nothing to do");
    applied
}

/// Destroys it from its state, and sees that nothing is left.
fn destroyed(example: &Example) {
    let _ = example.run(&["destroy", "--yes"]).exits(0);
    assert!(!example.namespace_is_there());
    assert_eq!(example.run(&["state", "list"]).stdout.trim(), "");
}

#[test]
fn wordpress_is_ready_and_its_address_stands_in_the_file() {
    let example = Example::new("wordpress");
    let _ = applied(&example);
    let database = example.stack.object("statefulset", "database").unwrap();
    assert_eq!(database["status"]["readyReplicas"], 1, "the database is ready");
    let site = example.stack.object("deployment", "site").unwrap();
    assert_eq!(site["status"]["availableReplicas"], 2, "the site is ready");
    let service = example.stack.object("service", "site-external-80").unwrap();
    let address = service["status"]["loadBalancer"]["ingress"][0]["ip"].as_str().unwrap();
    let url = example.run(&["outputs", "url"]).exits(0).stdout;
    assert_eq!(url.trim(), format!("http://{address}:80/"));
    let card = fs::read_to_string(example.folder().join("out/site.txt")).unwrap();
    assert!(card.contains(&format!("{address}:80")) && card.contains("http://blog.example.com"), "{card}");
    // The password is the same on both sides, by reference.
    let env = &site["spec"]["template"]["spec"]["containers"][0]["env"];
    let reference = env.as_array().unwrap().iter().find(|e| e["name"] == "WORDPRESS_DB_PASSWORD").unwrap();
    assert_eq!(reference["valueFrom"]["secretKeyRef"]["name"], "credentials");
    destroyed(&example);
    assert!(!example.folder().join("out/site.txt").exists());
}

#[test]
fn online_boutique_comes_up_whole() {
    let example = Example::new("online-boutique");
    let applied = applied(&example).says("36 created");
    assert_eq!(example.run(&["outputs", "objects"]).exits(0).stdout.trim(), "35", "{applied}");
    let deployments = example.stack.objects("deployments");
    assert_eq!(deployments.len(), 12);
    for deployment in deployments {
        let (wanted, ready) = (&deployment["spec"]["replicas"], &deployment["status"]["availableReplicas"]);
        assert_eq!(wanted, ready, "{}", deployment["metadata"]["name"]);
    }
    // A document that goes from the files goes from the cluster; nothing else is touched.
    let file = example.folder().join("manifests/online-boutique.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let documents: Vec<&str> = text.split("\n---\n").filter(|d| !d.contains("name: loadgenerator")).collect();
    fs::write(&file, documents.join("\n---\n")).unwrap();
    let _ = example.run(&["apply", "--yes"]).exits(0).says("2 deleted");
    assert_eq!(example.stack.objects("deployments").len(), 11);
    destroyed(&example);
}

#[test]
fn guestbook_comes_up_whole() {
    let example = Example::new("guestbook");
    let _ = applied(&example).says("7 created");
    assert_eq!(example.stack.objects("deployments").len(), 3);
    destroyed(&example);
}

#[test]
fn a_module_for_each_team() {
    let example = Example::new("modules");
    let _ = applied(&example);
    let names = example.stack.names("statefulsets");
    assert_eq!(names, ["StatefulSet/blue-db", "StatefulSet/red-db"]);
    let hosts = example.run(&["outputs", "hosts"]).exits(0).stdout;
    assert!(hosts.contains("blue-db.") && hosts.contains("red-db."), "{hosts}");
    let passwords: Vec<_> = ["red", "blue"]
        .iter()
        .map(|team| {
            example.stack.object("secret", &format!("{team}-db-credentials")).unwrap()["data"].clone()
        })
        .collect();
    assert_ne!(passwords[0], passwords[1], "each has a password of its own");

    // One team more touches no other; one less takes only its own away.
    let teams = |names: &str| {
        let all = names
            .split(' ')
            .map(|n| format!("{n}: {{storage: {}}}", if n == "blue" { "2Gi" } else { "1Gi" }))
            .collect::<Vec<_>>()
            .join(", ");
        move |text: &str| {
            let start = text.find("    default: {red").unwrap();
            let end = start + text[start..].find('\n').unwrap();
            format!("{}    default: {{{all}}}{}", &text[..start], &text[end..])
        }
    };
    example.edit(teams("red blue green"));
    let plan = example.plan(&[]);
    let changed: Vec<_> = plan["resources"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["action"] != "noop")
        .map(|r| r["address"].as_str().unwrap())
        .collect();
    let new = ["db[\"green\"].credentials", "db[\"green\"].server", "db[\"green\"].entry", "directory"];
    assert!(new.iter().all(|n| changed.contains(n)), "{changed:?}");
    assert!(!changed.iter().any(|c| c.starts_with("db[\"red\"]")), "{changed:?}");
    let _ = example.run(&["apply", "--yes"]).exits(0);
    example.edit(teams("red green"));
    let _ = example.run(&["apply", "--yes"]).exits(0);
    assert_eq!(example.stack.names("statefulsets"), ["StatefulSet/green-db", "StatefulSet/red-db"]);
    // Kubernetes leaves the data of the team that is gone, and for it the namespace would be left.
    let claims = example.stack.names("persistentvolumeclaims");
    let left =
        claims.iter().find_map(|c| c.strip_prefix("PersistentVolumeClaim/").filter(|n| n.contains("blue")));
    let left = left.unwrap_or_else(|| panic!("{claims:?}"));
    let plan = example.run(&["plan", "--destroy"]).exits(0);
    assert!(plan.stdout.contains(left), "{plan}");
    let _ = example.stack.kubectl(&["delete", "persistentvolumeclaim", left]);
    destroyed(&example);
}
