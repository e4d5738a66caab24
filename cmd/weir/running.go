package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"sync"
	"time"

	"github.com/weirnet/weir/apps/serve"
	"github.com/weirnet/weir/cmd/weir/internal/control"
	"github.com/weirnet/weir/cmd/weir/internal/metrics"
	"github.com/weirnet/weir/cmd/weir/internal/node"
	"github.com/weirnet/weir/stack"
)

// running is a weir that is up: the stack on its devices, the services on the stack,
// and the ways to ask about them.
type running struct {
	node  *node.Node
	start time.Time

	servers []*serve.Server
	stop    context.CancelFunc
	done    sync.WaitGroup
	failed  chan error

	names     *nameServer // nil: there is none
	stopNames context.CancelFunc

	control *control.Server
	metrics *metrics.Server
}

// serve starts the services, each on every address of the stack's.
func (r *running) serve(services []serve.Service) error {
	for _, s := range services {
		srv, err := s.Listen(r.node.Stack, r.node.Addrs()...)
		if err != nil {
			for _, open := range r.servers {
				open.Close()
			}
			return err
		}
		r.servers = append(r.servers, srv)
	}
	var ctx context.Context
	ctx, r.stop = context.WithCancel(context.Background())
	r.failed = make(chan error, len(r.servers)+1)
	for _, srv := range r.servers {
		r.done.Go(func() {
			if err := srv.Serve(ctx); err != nil {
				r.fail(err)
			}
		})
	}
	return nil
}

// fail tells that a service is no more.
func (r *running) fail(err error) {
	select {
	case r.failed <- err:
	default: // somebody has told already
	}
}

// expose opens the control socket at path, or at the default place, and the
// metrics at address where there is one.
func (r *running) expose(path, address string) (err error) {
	if path == "" {
		if path, err = control.DefaultPath(r.node.Links[0].Device.Name()); err != nil {
			return err
		}
	}
	handlers := control.Handlers{
		"connections": func(json.RawMessage) (any, error) { return notNil(r.node.Stack.Connections()), nil },
		"stats":       func(json.RawMessage) (any, error) { return r.counters().Map(), nil },
		"abort":       r.abort,
	}
	if r.names != nil {
		maps.Copy(handlers, r.names.handlers())
	}
	r.control, err = control.Listen(path, handlers)
	if err != nil {
		return err
	}
	if address != "" {
		r.metrics, err = metrics.Listen(address, r.snapshot)
	}
	return err
}

// ends are the two ends of a connection, as weir ss --kill names it.
type ends struct {
	Local  netip.AddrPort `json:"local"`
	Remote netip.AddrPort `json:"remote"`
}

// abort ends the connections that the request names, and says how many they were.
func (r *running) abort(arg json.RawMessage) (any, error) {
	var list []ends
	if err := json.Unmarshal(arg, &list); err != nil {
		return nil, fmt.Errorf("abort needs a list of connections: %w", err)
	}
	named := make(map[ends]bool, len(list))
	for _, e := range list {
		named[e] = true
	}
	return r.node.Stack.Abort(func(c stack.ConnInfo) bool { return named[ends{c.Local, c.Remote}] }), nil
}

// notNil makes an empty list [] rather than null in JSON.
func notNil(conns []stack.ConnInfo) []stack.ConnInfo {
	if conns == nil {
		return []stack.ConnInfo{}
	}
	return conns
}

// counters returns those of the stack, the devices and the services, the name server's among them.
func (r *running) counters() stack.Stats {
	all := r.plainCounters()
	if r.names != nil {
		r.names.each(func(name string, v uint64) {
			all = append(all, stack.Counter{Name: "app.dns." + name, Value: v})
		})
	}
	return node.Sort(all)
}

func (r *running) plainCounters() stack.Stats {
	all := r.node.Counters()
	for _, srv := range r.servers {
		srv.Counters.Each(func(name string, v uint64) {
			all = append(all, stack.Counter{Name: "app." + srv.Name() + "." + name, Value: v})
		})
	}
	return all
}

// snapshot is what Prometheus gets. The name server's has more to it than counters, and is written by itself.
func (r *running) snapshot() metrics.Snapshot {
	s := metrics.Snapshot{
		Version:     versionString(),
		Uptime:      time.Since(r.start),
		Counters:    r.plainCounters(),
		Connections: r.node.Stack.Connections(),
	}
	if r.names != nil {
		s.More = r.names.writeMetrics
	}
	return s
}

// wait returns nil when ctx is done, or an error when the device or a service is
// no more.
func (r *running) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-r.node.Gone():
		return err
	case err := <-r.failed:
		return err
	}
}

// close takes everything down, what was started last first.
func (r *running) close() error {
	var errs []error
	if r.metrics != nil {
		errs = append(errs, r.metrics.Close())
	}
	if r.control != nil {
		errs = append(errs, r.control.Close())
	}
	if r.stop != nil {
		r.stop()
	}
	if r.stopNames != nil {
		r.stopNames()
	}
	r.done.Wait()
	if r.names != nil {
		errs = append(errs, r.names.close())
	}
	return errors.Join(append(errs, r.node.Close())...)
}
