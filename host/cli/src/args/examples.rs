//! What `--help` shows beneath the options: how a command is called in practice.

pub(super) const INIT: &str = "\
Examples:
  sheave init                     writes blueprint.yaml and .gitignore here
  sheave init shop && cd shop     makes the folder first
  sheave plan && sheave apply     what it would make, then make it";

pub(super) const PLAN: &str = "\
Examples:
  sheave plan --input replicas=3
  sheave plan --out plan.json && sheave apply plan.json
  sheave plan --detailed-exitcode   exits with 2 where there are changes
  sheave plan --only web            the resource and what it needs";

pub(super) const APPLY: &str = "\
Examples:
  sheave apply
  sheave apply --yes --input replicas=3
  sheave apply plan.json            what `sheave plan --out plan.json` showed
  SHEAVE_INPUT_password=... sheave apply";

pub(super) const DESTROY: &str = "\
Examples:
  sheave destroy
  sheave plan --destroy             only shows what would go
  sheave destroy --stack blog --yes";

pub(super) const STATUS: &str = "\
Examples:
  sheave status
  sheave status --watch             until ^C
  sheave status --json | jq .ready";

pub(super) const OUTPUTS: &str = "\
Examples:
  sheave outputs
  curl \"$(sheave outputs url)\"
  sheave outputs password --reveal";

pub(super) const HISTORY: &str = "\
Examples:
  sheave history
  sheave rollback 3                 back to what run 3 was given";

pub(super) const ROLLBACK: &str = "\
The run's blueprint and inputs are planned again, against what is there now. Secret inputs are
not kept: give them as they were, by SHEAVE_INPUT_name. Files that the blueprint reads are read
as they are now.

Examples:
  sheave history                    which runs there are
  sheave rollback 3
  sheave rollback 9f31c2 --yes      by the beginning of its id";

pub(super) const REFRESH: &str = "\
Nothing outside is changed: what drifted, the next apply brings back. An output that is another
one now is recorded as it is, for `sheave outputs` and for other stacks.

Examples:
  sheave refresh
  sheave refresh --json | jq 'select(.type == \"diagnostic\")'";

pub(super) const IMPORT: &str = "\
Nothing outside is changed by it: what is there is recorded, and the next plan shows how it
differs from the blueprint.

Examples:
  sheave import web blog/web        the Deployment `web` of the namespace `blog`
  sheave import space blog          an object that stands in no namespace
  sheave import 'page[\"eu\"]' eu.html   of a provider's type: its own id";

pub(super) const GRAPH: &str = "\
Examples:
  sheave graph
  sheave graph --svg > graph.svg
  sheave graph --dot | dot -Tpng > graph.png";

pub(super) const COMPLETIONS: &str = "\
Examples:
  sheave completions bash > ~/.local/share/bash-completion/completions/sheave
  sheave completions zsh > \"${fpath[1]}/_sheave\"
  sheave completions fish > ~/.config/fish/completions/sheave.fish";

pub(super) const STATE_RM: &str = "\
What the resource stands for is left as it is, and is nobody's from then on.

Examples:
  sheave state rm web
  sheave state rm shard             all instances of it
  sheave state rm db --yes          all that stands in the module `db`";

pub(super) const STATE_MV: &str = "\
Nothing outside is changed. Let the blueprint call it so, too, or the next plan removes it. In a
blueprint that others apply as well, `moved:` does the same for everybody.

Examples:
  sheave state mv web frontend
  sheave state mv shard 'part'      all instances of it
  sheave state mv 'web' 'web[0]'    where a `count` was added";

pub(super) const STATE_EXPORT: &str = "\
Secrets in it are sealed with the user's key, or masked.

Examples:
  sheave state export > state.json
  sheave state export | jq '.resources | keys'";

pub(super) const PLUGIN_NEW: &str = "\
Examples:
  sheave plugin new shop --lang go
  sheave plugin new tickets --lang python --role provides --dir plugins/tickets";

pub(super) const PLUGIN_BUILD: &str = "\
Examples:
  sheave plugin build               makes build/NAME.wasm of the folder's plugin
  sheave plugin build plugins/shop";

pub(super) const PLUGIN_TEST: &str = "\
Examples:
  sheave plugin test
  sheave plugin test --bless && git diff golden";

pub(super) const PLUGIN_DEV: &str = "\
Examples:
  sheave plugin dev                          builds and tests again when a file is saved
  sheave plugin dev -f ../shop/blueprint.yaml   and shows what that blueprint would change";

pub(super) const PLUGIN_INSPECT: &str = "\
Examples:
  sheave plugin inspect file              what it asks for, and what the blueprint grants
  sheave plugin inspect ./plugins/dns.wasm
  sheave plugin inspect dns --json | jq .asked";

pub(super) const PLUGIN_ADD: &str = "\
Examples:
  sheave plugin add ./plugins/dns.wasm
  sheave plugin add oci://registry.example.com/acme/dns:1.2.0
  sheave plugin add ./plugins/dns.wasm --name names";

pub(super) const PLUGIN_UPDATE: &str = "\
Examples:
  sheave plugin update                    all of them
  sheave plugin update dns --accept       though it asks for more than it did";

pub(super) const PLUGIN_PUSH: &str = "\
Credentials are those that `docker login` keeps.

Examples:
  sheave plugin push build/dns.wasm oci://registry.example.com/acme/dns
  sheave plugin push build/dns.wasm oci://registry.example.com/acme/dns:1.2.0 --key acme.key";

pub(super) const PLUGIN_PULL: &str = "\
What is pulled is kept, and measured against its digest each time that it is used.

Examples:
  sheave plugin pull oci://registry.example.com/acme/dns:1.2.0 -o dns.wasm
  sheave plugin pull oci://registry.example.com/acme/dns:1.2.0 --to /srv/plugins
  sheave apply --offline /srv/plugins";

pub(super) const PLUGIN_SIGN: &str = "\
Examples:
  sheave plugin sign oci://registry.example.com/acme/dns:1.2.0 --key acme.key
  sheave plugin sign build/dns.wasm --key acme.key      writes build/dns.wasm.sig";

pub(super) const PLUGIN_VERIFY: &str = "\
Examples:
  sheave plugin verify oci://registry.example.com/acme/dns:1.2.0 --key acme.pub
  sheave plugin verify oci://registry.example.com/acme/dns:1.2.0   by the operator's policy
  sheave plugin verify build/dns.wasm --key acme.pub";

pub(super) const PLUGIN_KEY: &str = "\
The private half is encrypted under a password, which is asked for or taken from COSIGN_PASSWORD.

Examples:
  sheave plugin key acme            makes acme.key, to be kept, and acme.pub, to be given away";
