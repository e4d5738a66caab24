package main

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/weirnet/weir/apps/dns/msg"
)

// reload does what SIGHUP asks for, and says so.
func (r *running) reload(messages io.Writer) {
	said, err := r.names.reload()
	if err != nil {
		said = oneLine(err)
	}
	fmt.Fprintln(messages, "weir: "+said)
}

// reload reads the file of --config again and serves what it says, or nothing of it; without one it reads the zones' files again, each
// of which is served or not.
func (n *nameServer) reload() (said string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.service == nil:
		return "", errors.New("the zones of --tree have no files to read again")
	case n.closed:
		return "", errors.New("it is about to end")
	case n.flags.config == "":
		return "zones read again", n.service.Reload()
	}
	stay, err := n.reconfigure()
	if err != nil {
		return "", fmt.Errorf("%w; what was served before is served on", err)
	}
	said = "configuration and zones read again"
	if len(stay) > 0 {
		said += "; until weir is started anew " + strings.Join(stay, ", ") + " will be as before"
	}
	return said, nil
}

// reconfigure serves what the file says now, and returns the settings that cannot follow it.
func (n *nameServer) reconfigure() (stay []string, err error) {
	f, err := n.flags.again()
	if err != nil {
		return nil, err
	}
	before := n.cfg.Load()
	stay = f.keep(n.flags, before)
	cfg, err := f.build(n.network, n.subnets, before)
	if err != nil {
		return nil, err
	}
	settled, err := n.service.Reconfigure(cfg.Config)
	if err != nil {
		cfg.close()
		return nil, err
	}
	n.cfg.Store(cfg)
	gone := outdated(before, cfg, n.flags.forward, f.forward)
	n.flags = f
	forget(cfg, gone)
	n.retiring.Go(func() {
		<-settled
		before.close()
		forget(cfg, gone) // what came of questions that were under way
	})
	return stay, nil
}

// outdated returns the names below which nothing in the cache is as the new configuration would have it: they were asked of others, or
// validated by other keys.
func outdated(was, is *dnsConfig, wasForward, isForward []string) (names []msg.Name) {
	if !reflect.DeepEqual(was.anchors, is.anchors) || !reflect.DeepEqual(was.hints, is.hints) {
		return []msg.Name{msg.Root}
	}
	for _, s := range slices.Concat(wasForward, isForward) {
		if slices.Contains(wasForward, s) && slices.Contains(isForward, s) {
			continue
		}
		if name, _, err := assignment("forward", s); err == nil {
			names = append(names, name)
		}
	}
	return names
}

func forget(c *dnsConfig, names []msg.Name) {
	if c.cache == nil {
		return
	}
	for _, name := range names {
		c.cache.FlushTree(name)
	}
}

// clone returns the flags as they are, to add a file's settings to.
func (f *dnsFlags) clone() dnsFlags {
	c := *f
	for _, list := range []*[]string{&c.zones, &c.secondary, &c.resolve, &c.forward, &c.allow, &c.transfer, &c.keys, &c.notify, &c.reverse, &c.cookieSecret} {
		*list = slices.Clone(*list)
	}
	return c
}

// again reads the file of --config once more.
func (f *dnsFlags) again() (*dnsFlags, error) {
	c := f.given.clone()
	if err := c.load(); err != nil {
		return nil, err
	}
	return &c, c.check()
}

// keep has what cannot change while weir runs be as it was, and returns the names of the settings that would be others. The cache has its
// size from when there first is one.
func (f *dnsFlags) keep(was *dnsFlags, cfg *dnsConfig) (stay []string) {
	hold(&stay, "log", &f.log, was.log)
	hold(&stay, "log-sample", &f.logSample, was.logSample)
	hold(&stay, "rate-limit", &f.rate, was.rate)
	hold(&stay, "max-udp", &f.maxUDP, was.maxUDP)
	hold(&stay, "max-connections", &f.maxConns, was.maxConns)
	if cfg.cache != nil {
		hold(&stay, "cache-size", &f.cache, was.cache)
		hold(&stay, "serve-stale", &f.stale, was.stale)
	}
	return stay
}

func hold[T comparable](stay *[]string, name string, to *T, was T) {
	if *to != was {
		*stay = append(*stay, name)
		*to = was
	}
}
