// Subcommand loadbalancer: gives Services of type LoadBalancer an address, as a
// cloud would. Nothing listens there.
package main

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"sheave.dev/tests/cluster/internal/pool"
)

type loadBalancer struct {
	client   kubernetes.Interface
	services corelisters.ServiceLister
	pool     *pool.Pool
}

func runLoadBalancer(args []string) error {
	flags := newControllerFlags("loadbalancer")
	poolText := flags.String("pool", loadBalancerRange, "the addresses to give, on loopback")
	if err := flags.Parse(args); err != nil {
		return errUsage
	}
	addresses, err := pool.New(*poolText)
	if err != nil {
		return err
	}
	balancer := &loadBalancer{pool: addresses}
	return flags.run(
		func(client kubernetes.Interface, factory informers.SharedInformerFactory) ([]*controller, error) {
			services := factory.Core().V1().Services()
			balancer.client, balancer.services = client, services.Lister()
			loop, err := newController("services", services.Informer(), balancer.reconcile)
			return []*controller{loop}, err
		},
		balancer.remember,
	)
}

// remember claims what Services already have, before a new one could get it.
func (l *loadBalancer) remember() error {
	services, err := l.services.List(labels.Everything())
	if err != nil {
		return err
	}
	for _, service := range services {
		if key, err := cache.MetaNamespaceKeyFunc(service); err == nil && balanced(service) {
			l.keep(key, service)
		}
	}
	return nil
}

func (l *loadBalancer) reconcile(ctx context.Context, key string) error {
	namespace, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return err
	}
	service, err := l.services.Services(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		l.pool.Release(key)
		return nil
	}
	if err != nil {
		return err
	}
	wanted, err := l.wanted(key, service)
	if err != nil || equality.Semantic.DeepEqual(wanted, service.Status.LoadBalancer) {
		return err
	}
	changed := service.DeepCopy()
	changed.Status.LoadBalancer = wanted
	_, err = l.client.CoreV1().Services(namespace).UpdateStatus(ctx, changed, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		return nil // gone meanwhile; its deletion is on the way here
	}
	return err
}

// wanted is the status that a Service should have.
func (l *loadBalancer) wanted(key string, service *corev1.Service) (corev1.LoadBalancerStatus, error) {
	if service.Spec.Type == corev1.ServiceTypeLoadBalancer && !balanced(service) {
		return service.Status.LoadBalancer, nil // another controller's
	}
	if !balanced(service) {
		l.pool.Release(key)
		return corev1.LoadBalancerStatus{}, nil
	}
	address := l.keep(key, service)
	if address == "" {
		var err error
		if address, err = l.pool.Assign(key); err != nil {
			return corev1.LoadBalancerStatus{}, err
		}
	}
	mode := corev1.LoadBalancerIPModeVIP
	return corev1.LoadBalancerStatus{
		Ingress: []corev1.LoadBalancerIngress{{IP: address, IPMode: &mode}},
	}, nil
}

// keep returns the address that the Service asks for or already has, if it may
// have it: what it asks for comes first.
func (l *loadBalancer) keep(key string, service *corev1.Service) string {
	if asked := service.Spec.LoadBalancerIP; asked != "" && l.pool.Claim(key, asked) {
		return asked
	}
	for _, ingress := range service.Status.LoadBalancer.Ingress {
		if l.pool.Claim(key, ingress.IP) {
			return ingress.IP
		}
	}
	return ""
}

// balanced says whether the Service is ours. One that names a class of its own
// belongs to another controller, and here it waits for ever.
func balanced(service *corev1.Service) bool {
	return service.Spec.Type == corev1.ServiceTypeLoadBalancer && service.Spec.LoadBalancerClass == nil
}
