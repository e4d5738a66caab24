package main

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"strconv"

	"github.com/weirnet/weir/apps/dns"
	"github.com/weirnet/weir/apps/dns/authority"
	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/stack/event"
	"github.com/weirnet/weir/tun"
)

// What weir's process is told by its environment.
const (
	dnsZoneEnv     = "BENCH_DNS_ZONE"     // a master file: it is an authority
	dnsUpstreamEnv = "BENCH_DNS_UPSTREAM" // the port of the root's server at the client's address: it is a resolver
)

// weirDNS is weir on a TUN device, with package dns on it, and an echo of datagrams beside it.
type weirDNS struct {
	weirEndpoint
	svc *dns.Service
}

func openWeirDNS(mtu int, _ string) (endpoint, error) {
	w, err := openWeirWith(tun.Config{MTU: mtu, Offload: tun.OffloadOn})
	if err != nil {
		return nil, err
	}
	slog.SetLogLoggerLevel(slog.LevelWarn)
	return &weirDNS{weirEndpoint: w}, nil
}

func (w *weirDNS) serve() error {
	cfg := dns.Config{Network: w.Stack, Allow: []netip.Prefix{clientPrefix.Masked()}, Server: server.Config{RateLimit: server.RateLimit{Exempt: []netip.Prefix{}}}}
	cfg.Server.RateLimit.PerSecond = -1
	if file := os.Getenv(dnsZoneEnv); file != "" {
		cfg.Zones = []authority.ZoneConfig{{Origin: msg.MustName(dnsZone), File: file}}
	}
	if port, err := strconv.Atoi(os.Getenv(dnsUpstreamEnv)); err == nil {
		root := msg.MustName("ns.root.")
		cfg.Recursion = &recursor.Config{
			Hints: []msg.RR{msg.NS(msg.Root, 86400, root), msg.A(root, 86400, clientPrefix.Addr())}, Port: uint16(port),
			NoIPv6: true, Public: []msg.Name{msg.Root}, Cache: cache.New(cache.Config{MaxOctets: 1 << 30}),
		}
	}
	svc, err := dns.New(cfg)
	if err != nil {
		return err
	}
	if err := svc.Listen(w.Stack, stackPrefix.Addr()); err != nil {
		return err
	}
	go svc.Serve(context.Background())
	_, err = w.ListenPacketEvents("udp", atStack(echoPort), event.PacketFunc(func(s *event.PacketSocket, p []byte, _ event.PacketMeta) {
		s.Reply(p)
	}))
	w.svc = svc
	return err
}
