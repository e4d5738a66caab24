package main

import (
	"net"
	"net/netip"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/tun"
)

// weirEndpoint is weir's stack on a TUN device, as cmd/weir puts them together.
type weirEndpoint struct{ *stack.Stack }

func openWeir(mtu int, _ string) (endpoint, error) {
	return openWeirWith(tun.Config{MTU: mtu, Offload: tun.OffloadOn})
}

func openWeirPlain(mtu int, _ string) (endpoint, error) {
	return openWeirWith(tun.Config{MTU: mtu, Offload: tun.OffloadOff})
}

func openWeirWith(cfg tun.Config) (w weirEndpoint, err error) {
	dev, err := tun.Open(cfg)
	if err != nil {
		return w, err
	}
	if w.Stack, err = stack.New(stack.Config{}); err != nil {
		dev.Close()
		return w, err
	}
	if _, err := w.AddInterface(dev, stack.InterfaceConfig{Addresses: []netip.Prefix{stackPrefix}}); err != nil {
		dev.Close()
		w.Close()
		return w, err
	}
	if err = dev.AddHostAddress(clientPrefix); err == nil {
		err = dev.Up()
	}
	if err != nil {
		w.Close()
	}
	return w, err
}

func (w weirEndpoint) listen(port int) (net.Listener, error) { return w.Listen("tcp", atStack(port)) }

func (w weirEndpoint) listenPacket(port int) (datagrams, error) {
	c, err := w.ListenPacket("udp", atStack(port))
	if err != nil {
		return nil, err
	}
	return c.(datagrams), nil
}
