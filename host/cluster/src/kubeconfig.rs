//! From a target's settings to the connection that kube makes: which kubeconfig, which context.

use std::env;
use std::path::{Path, PathBuf};

use kube::config::{KubeConfigOptions, Kubeconfig};

use crate::error::{ClusterError, KubeconfigFault};
use crate::proxy;

/// How a blueprint's target says which cluster it means. The default is what kubectl would use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetSettings {
    /// The context; none: the current one.
    pub context: Option<String>,
    /// The kubeconfig file; none: `KUBECONFIG`, or the one in the home directory.
    pub kubeconfig: Option<PathBuf>,
    /// We run in a pod of the cluster, and use its service account.
    pub in_cluster: bool,
    /// The namespace of objects that name none.
    pub namespace: Option<String>,
}

/// Reads the settings' kubeconfig: the connection, and the context's name. Files are read and plugins named, but
/// nothing is run or asked yet.
pub(crate) async fn load(
    target: &str,
    settings: &TargetSettings,
) -> Result<(kube::Config, Option<String>), ClusterError> {
    read(settings).await.map_err(|fault| ClusterError::Kubeconfig { target: target.to_owned(), fault })
}

async fn read(settings: &TargetSettings) -> Result<(kube::Config, Option<String>), KubeconfigFault> {
    if settings.in_cluster {
        let config = kube::Config::incluster().map_err(|e| KubeconfigFault::NotInCluster(e.to_string()))?;
        return Ok((config, None));
    }
    let kubeconfig = match files(settings) {
        Ok(files) => merge(&files)?,
        // kubectl, too, uses the pod's account where there is no kubeconfig at all.
        Err(fault) => {
            let in_pod = settings.kubeconfig.is_none() && settings.context.is_none();
            let config = in_pod.then(kube::Config::incluster).and_then(Result::ok);
            return config.map(|config| (config, None)).ok_or(fault);
        }
    };
    let known: Vec<String> = kubeconfig.contexts.iter().map(|c| c.name.clone()).collect();
    let current = kubeconfig.current_context.clone().filter(|c| !c.is_empty());
    let Some(wanted) = settings.context.clone().filter(|c| !c.is_empty()).or(current) else {
        return Err(KubeconfigFault::NoCurrentContext { known });
    };
    if !known.contains(&wanted) {
        let nearest = nearest(&wanted, &known);
        return Err(KubeconfigFault::NoContext { wanted, known, nearest });
    }
    let own_proxy = kubeconfig
        .contexts
        .iter()
        .find(|c| c.name == wanted)
        .and_then(|c| c.context.as_ref())
        .and_then(|context| kubeconfig.clusters.iter().find(|c| c.name == context.cluster))
        .and_then(|c| c.cluster.as_ref())
        .and_then(|cluster| cluster.proxy_url.clone())
        .filter(|url| !url.is_empty());
    let options = KubeConfigOptions { context: Some(wanted.clone()), cluster: None, user: None };
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|e| KubeconfigFault::Broken(e.to_string()))?;
    if own_proxy.is_none() {
        // kube compares NO_PROXY with the proxy's own host instead of the cluster's.
        config.proxy_url = proxy::from_environment(&config.cluster_url, |name| env::var(name).ok())
            .map_err(KubeconfigFault::Broken)?;
    }
    Ok((config, Some(wanted)))
}

/// The files that exist among those that the settings or the environment name; at least one.
fn files(settings: &TargetSettings) -> Result<Vec<PathBuf>, KubeconfigFault> {
    if let Some(file) = &settings.kubeconfig {
        return exists(file).then(|| vec![file.clone()]).ok_or_else(|| KubeconfigFault::NoFile(file.clone()));
    }
    let listed: Vec<PathBuf> = env::var_os("KUBECONFIG")
        .map(|value| env::split_paths(&value).filter(|p| !p.as_os_str().is_empty()).collect())
        .unwrap_or_default();
    let candidates = if listed.is_empty() {
        let home = env::home_dir().unwrap_or_default();
        vec![home.join(".kube").join("config")]
    } else {
        listed
    };
    let found: Vec<PathBuf> = candidates.iter().filter(|p| exists(p)).cloned().collect();
    match (found.is_empty(), candidates.into_iter().next()) {
        (true, Some(first)) => Err(KubeconfigFault::NoFile(first)),
        _ => Ok(found),
    }
}

fn exists(file: &Path) -> bool {
    file.try_exists().unwrap_or(true)
}

fn merge(files: &[PathBuf]) -> Result<Kubeconfig, KubeconfigFault> {
    let mut merged = Kubeconfig::default();
    for path in files {
        let unreadable = |why: String| KubeconfigFault::Unreadable { path: path.clone(), why };
        let one = Kubeconfig::read_from(path).map_err(|e| match e {
            // The parser's own words show lines of the file, and with them credentials.
            kube::config::KubeconfigError::Parse(_) => {
                unreadable("it is no valid YAML of a kubeconfig".to_owned())
            }
            kube::config::KubeconfigError::ReadConfig(io, _) => unreadable(io.to_string()),
            other => unreadable(other.to_string()),
        })?;
        merged = merged.merge(one).map_err(|e| unreadable(e.to_string()))?;
    }
    Ok(merged)
}

/// The known name that was probably meant.
pub(crate) fn nearest(wanted: &str, known: &[String]) -> Option<String> {
    let scored = known.iter().map(|name| (strsim::damerau_levenshtein(wanted, name), name));
    let best = scored.min()?;
    // A third of the letters may be wrong; more is another name.
    (best.0 <= wanted.chars().count().max(3) / 3).then(|| best.1.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KUBECONFIG: &str = r#"
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
contexts:
- {name: staging, context: {cluster: c, user: u, namespace: blog}}
- {name: production, context: {cluster: c, user: u}}
- {name: broken, context: {cluster: nowhere, user: u}}
users: [{name: u, user: {token: sesame}}]
"#;

    async fn settings(text: &str, context: Option<&str>) -> Result<kube::Config, KubeconfigFault> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read(&TargetSettings {
            context: context.map(str::to_owned),
            kubeconfig: Some(file.path().to_owned()),
            ..TargetSettings::default()
        })
        .await
        .map(|(config, _)| config)
    }

    #[tokio::test]
    async fn a_context_brings_its_namespace() {
        assert_eq!(settings(KUBECONFIG, Some("staging")).await.unwrap().default_namespace, "blog");
        assert_eq!(settings(KUBECONFIG, Some("production")).await.unwrap().default_namespace, "default");
    }

    #[tokio::test]
    async fn says_which_contexts_there_are() {
        let fault = settings(KUBECONFIG, Some("prodution")).await.unwrap_err();
        assert_eq!(
            fault,
            KubeconfigFault::NoContext {
                wanted: "prodution".into(),
                known: vec!["staging".into(), "production".into(), "broken".into()],
                nearest: Some("production".into()),
            }
        );
        assert!(matches!(
            settings(KUBECONFIG, Some("other")).await,
            Err(KubeconfigFault::NoContext { nearest: None, .. })
        ));
        assert!(
            matches!(settings(KUBECONFIG, None).await, Err(KubeconfigFault::NoCurrentContext { known }) if known.len() == 3)
        );
        assert!(matches!(settings(KUBECONFIG, Some("broken")).await, Err(KubeconfigFault::Broken(_))));
    }

    #[tokio::test]
    async fn a_file_that_is_none_is_said_without_its_content() {
        let missing =
            TargetSettings { kubeconfig: Some("/nowhere/at/all".into()), ..TargetSettings::default() };
        assert!(matches!(read(&missing).await, Err(KubeconfigFault::NoFile(_))));
        let fault = settings("users: [{token: sesame", None).await.unwrap_err();
        assert!(matches!(fault, KubeconfigFault::Unreadable { .. }));
        assert!(!fault.to_string().contains("sesame"));
    }
}
