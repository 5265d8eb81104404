// Subcommand volumes: makes a PersistentVolume for each claim of our storage
// classes, and deletes it when the claim is gone. The one that comes with the
// controller manager would write outside the cluster's folder.
package main

import (
	"context"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"
)

const (
	provisionerName = "sheave.test/host-path"
	// The controller manager leaves this annotation on a claim when it is the
	// named provisioner's turn, and expects the other on the volume.
	claimAnnotation  = "volume.kubernetes.io/storage-provisioner"
	volumeAnnotation = "pv.kubernetes.io/provisioned-by"
)

type volumes struct {
	client  kubernetes.Interface
	claims  corelisters.PersistentVolumeClaimLister
	volumes corelisters.PersistentVolumeLister
	classes storagelisters.StorageClassLister
	root    string
}

func runVolumes(args []string) error {
	flags := newControllerFlags("volumes")
	root := flags.String("root", "", "the folder in which volumes lie, should a node ever mount one")
	if err := flags.Parse(args); err != nil {
		return errUsage
	}
	v := &volumes{root: *root}
	return flags.run(
		func(client kubernetes.Interface, factory informers.SharedInformerFactory) ([]*controller, error) {
			claims := factory.Core().V1().PersistentVolumeClaims()
			all := factory.Core().V1().PersistentVolumes()
			v.client, v.claims, v.volumes = client, claims.Lister(), all.Lister()
			v.classes = factory.Storage().V1().StorageClasses().Lister()
			provision, err := newController("claims", claims.Informer(), v.provision)
			if err != nil {
				return nil, err
			}
			reclaim, err := newController("volumes", all.Informer(), v.reclaim)
			return []*controller{provision, reclaim}, err
		},
		func() error { return nil },
	)
}

// provision makes the volume of a claim that waits for one.
func (v *volumes) provision(ctx context.Context, key string) error {
	namespace, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return err
	}
	claim, err := v.claims.PersistentVolumeClaims(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	ours := claim.Annotations[claimAnnotation] == provisionerName
	if !ours || claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil || claim.Spec.StorageClassName == nil {
		return nil
	}
	class, err := v.classes.Get(*claim.Spec.StorageClassName)
	if err != nil {
		return err
	}
	policy := corev1.PersistentVolumeReclaimDelete
	if class.ReclaimPolicy != nil {
		policy = *class.ReclaimPolicy
	}
	_, err = v.client.CoreV1().PersistentVolumes().Create(ctx, v.volumeFor(claim, policy), metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// volumeFor is the volume of a claim, bound to it from the start.
func (v *volumes) volumeFor(claim *corev1.PersistentVolumeClaim, policy corev1.PersistentVolumeReclaimPolicy) *corev1.PersistentVolume {
	name := "pvc-" + string(claim.UID)
	kind := corev1.HostPathDirectoryOrCreate
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Annotations: map[string]string{volumeAnnotation: provisionerName},
		},
		Spec: corev1.PersistentVolumeSpec{
			StorageClassName:              *claim.Spec.StorageClassName,
			PersistentVolumeReclaimPolicy: policy,
			AccessModes:                   claim.Spec.AccessModes,
			VolumeMode:                    claim.Spec.VolumeMode,
			Capacity: corev1.ResourceList{
				corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage],
			},
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
				ResourceVersion: claim.ResourceVersion,
			},
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				HostPath: &corev1.HostPathVolumeSource{Path: filepath.Join(v.root, name), Type: &kind},
			},
		},
	}
}

// reclaim deletes a volume of ours whose claim is gone.
func (v *volumes) reclaim(ctx context.Context, name string) error {
	volume, err := v.volumes.Get(name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	released := volume.Status.Phase == corev1.VolumeReleased &&
		volume.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete
	if volume.Annotations[volumeAnnotation] != provisionerName || !released || volume.DeletionTimestamp != nil {
		return nil
	}
	err = v.client.CoreV1().PersistentVolumes().Delete(ctx, name, metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &volume.UID},
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
