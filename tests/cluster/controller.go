// The frame of our own controllers: watch, queue, reconcile, try again.
package main

import (
	"context"
	"errors"
	"flag"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

// workers is how many keys a controller works on at a time.
const workers = 8

// controller is one resource's loop. reconcile is given a key, namespace/name,
// and must be able to run again for one it has already dealt with.
type controller struct {
	name      string
	informer  cache.SharedIndexInformer
	reconcile func(ctx context.Context, key string) error
	queue     workqueue.TypedRateLimitingInterface[string]
}

func newController(name string, informer cache.SharedIndexInformer, reconcile func(context.Context, string) error) (*controller, error) {
	// The first try after a failure comes soon: most are conflicts.
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[string](5*time.Millisecond, 5*time.Second)
	c := &controller{name, informer, reconcile, workqueue.NewTypedRateLimitingQueue(limiter)}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    c.enqueue,
		UpdateFunc: func(_, now any) { c.enqueue(now) },
		DeleteFunc: c.enqueue,
	})
	return c, err
}

func (c *controller) enqueue(object any) {
	key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object)
	if err != nil {
		klog.ErrorS(err, "an object without a name", "controller", c.name)
		return
	}
	c.queue.Add(key)
}

func (c *controller) work(ctx context.Context) {
	for {
		key, over := c.queue.Get()
		if over {
			return
		}
		if err := c.reconcile(ctx, key); err != nil {
			klog.InfoS("will try again", "controller", c.name, "key", key, "err", err)
			c.queue.AddRateLimited(key)
		} else {
			c.queue.Forget(key)
		}
		c.queue.Done(key)
	}
}

// controllerFlags are those of every part of ours.
type controllerFlags struct {
	*flag.FlagSet
	part       string
	kubeconfig string
	ready      string
}

func newControllerFlags(part string) *controllerFlags {
	flags := &controllerFlags{FlagSet: flag.NewFlagSet(part, flag.ContinueOnError), part: part}
	flags.StringVar(&flags.kubeconfig, "kubeconfig", "", "how to reach the API server")
	flags.StringVar(&flags.ready, "ready-file", "", "is made when the controller works")
	return flags
}

// run starts the controllers that build returns, and serves until told to end.
// Between filling the caches and the first reconcile it calls begin.
func (f *controllerFlags) run(
	build func(kubernetes.Interface, informers.SharedInformerFactory) ([]*controller, error),
	begin func() error,
) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	config, err := clientConfig(f.kubeconfig, f.part)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	controllers, err := build(client, factory)
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	for _, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return errors.New("ended before the first list was read")
		}
	}
	if err := begin(); err != nil {
		return err
	}
	for _, c := range controllers {
		for range workers {
			go c.work(ctx)
		}
		defer c.queue.ShutDown()
	}
	if err := writeAtomically(f.ready, []byte("ready\n")); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
