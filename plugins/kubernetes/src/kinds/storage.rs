//! Volumes, who wants them and where they come from.

use crate::checks;
use crate::kind::Kind;
use crate::outputs::{NAME, NAMESPACE, Output, UID};
use crate::schemas;

const CLASS: Output = Output::text("storageClass", "/spec/storageClassName", "The class that it is of.");

pub(super) static PERSISTENT_VOLUME: Kind = Kind {
    summary: "a piece of storage",
    outputs: &[
        NAME,
        UID,
        Output::text("phase", "/status/phase", "Whether it is `Available`, `Bound`, `Released` or `Failed`."),
        Output::text("capacity", "/spec/capacity/storage", "How large it is."),
        CLASS,
        Output::text("claim", "/spec/claimRef/name", "The claim that has it; empty where none has."),
        Output::text("claimNamespace", "/spec/claimRef/namespace", "The namespace of that claim."),
    ],
    checks: &[checks::metadata, checks::volume],
    ..Kind::of(schemas::of("PersistentVolume"))
};

pub(super) static PERSISTENT_VOLUME_CLAIM: Kind = Kind {
    summary: "a wish for storage, which pods mount",
    outputs: &[
        NAME,
        NAMESPACE,
        UID,
        Output::text("phase", "/status/phase", "Whether it is `Pending`, `Bound` or `Lost`."),
        Output::text("capacity", "/status/capacity/storage", "How much it got; empty before it is bound."),
        CLASS,
        Output::text("volume", "/spec/volumeName", "The volume that it got."),
    ],
    checks: &[checks::metadata, checks::claim],
    ..Kind::of(schemas::of("PersistentVolumeClaim"))
};

pub(super) static STORAGE_CLASS: Kind = Kind {
    summary: "a way to make volumes",
    outputs: &[NAME, UID, Output::text("provisioner", "/provisioner", "What makes the volumes.").stable()],
    checks: &[checks::metadata],
    ..Kind::of(schemas::of("StorageClass"))
};
