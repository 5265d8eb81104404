// What a fresh cluster holds from the start: nodes, storage classes, and what
// the users may do.
package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	fakeNodeAnnotation = "kwok.x-k8s.io/node"
	fakeNodeValue      = "fake"
	nodeCount          = 2
	podsPerNode        = "5000"

	defaultClass = "standard"
	waitingClass = "standard-wait"
)

// seed makes the objects, or those that an earlier try did not get to.
func seed(ctx context.Context, client kubernetes.Interface) error {
	create := metav1.CreateOptions{}
	for i := range nodeCount {
		if _, err := client.CoreV1().Nodes().Create(ctx, fakeNode(i), create); failed(err) {
			return err
		}
	}
	for _, class := range storageClasses() {
		if _, err := client.StorageV1().StorageClasses().Create(ctx, class, create); failed(err) {
			return err
		}
	}
	for name, rules := range grants() {
		role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}
		if _, err := client.RbacV1().ClusterRoles().Create(ctx, role, create); failed(err) {
			return err
		}
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: name}},
		}
		if _, err := client.RbacV1().ClusterRoleBindings().Create(ctx, binding, create); failed(err) {
			return err
		}
	}
	return nil
}

func failed(err error) bool { return err != nil && !apierrors.IsAlreadyExists(err) }

// fakeNode is a node that KWOK plays, with room for any test. Its addresses are
// never routed anywhere.
func fakeNode(index int) *corev1.Node {
	name := fmt.Sprintf("node-%d", index+1)
	room := corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("1000"),
		corev1.ResourceMemory:           resource.MustParse("4Ti"),
		corev1.ResourceEphemeralStorage: resource.MustParse("4Ti"),
		corev1.ResourcePods:             resource.MustParse(podsPerNode),
	}
	podCIDR := fmt.Sprintf("10.244.%d.0/18", index*64)
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Annotations: map[string]string{fakeNodeAnnotation: fakeNodeValue},
			Labels: map[string]string{
				corev1.LabelHostname:           name,
				corev1.LabelArchStable:         "amd64",
				corev1.LabelOSStable:           "linux",
				corev1.LabelTopologyRegion:     "test",
				corev1.LabelTopologyZone:       fmt.Sprintf("test-%d", index+1),
				"node-role.kubernetes.io/fake": "",
			},
		},
		Spec: corev1.NodeSpec{PodCIDR: podCIDR, PodCIDRs: []string{podCIDR}},
		Status: corev1.NodeStatus{
			Capacity:    room,
			Allocatable: room,
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("10.202.0.%d", index+1)},
				{Type: corev1.NodeHostName, Address: name},
			},
		},
	}
}

// storageClasses are the default, which binds at once, and one that waits for
// the first pod that uses the claim.
func storageClasses() []*storagev1.StorageClass {
	class := func(name string, mode storagev1.VolumeBindingMode) *storagev1.StorageClass {
		policy := corev1.PersistentVolumeReclaimDelete
		return &storagev1.StorageClass{
			ObjectMeta:        metav1.ObjectMeta{Name: name},
			Provisioner:       provisionerName,
			ReclaimPolicy:     &policy,
			VolumeBindingMode: &mode,
		}
	}
	standard := class(defaultClass, storagev1.VolumeBindingImmediate)
	standard.Annotations = map[string]string{"storageclass.kubernetes.io/is-default-class": "true"}
	return []*storagev1.StorageClass{standard, class(waitingClass, storagev1.VolumeBindingWaitForFirstConsumer)}
}

// grants is what each group of restricted users may do. User nobody is in none.
func grants() map[string][]rbacv1.PolicyRule {
	everything := func(verbs ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: verbs}
	}
	return map[string][]rbacv1.PolicyRule{
		readersGroup: {everything("get", "list", "watch")},
		nolistGroup:  {everything("get", "create", "update", "patch", "delete")},
	}
}
