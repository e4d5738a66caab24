package main

import (
	"fmt"
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

func openWeirWith(cfg tun.Config) (endpoint, error) {
	dev, err := tun.Open(cfg)
	if err != nil {
		return nil, err
	}
	s, err := stack.New(stack.Config{})
	if err != nil {
		dev.Close()
		return nil, err
	}
	if _, err := s.AddInterface(dev, stack.InterfaceConfig{Addresses: []netip.Prefix{stackPrefix}}); err != nil {
		dev.Close()
		s.Close()
		return nil, err
	}
	if err = dev.AddHostAddress(clientPrefix); err == nil {
		err = dev.Up()
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return weirEndpoint{s}, nil
}

func (w weirEndpoint) listen(port int) (net.Listener, error) {
	return w.Listen("tcp", fmt.Sprintf("%v:%d", stackPrefix.Addr(), port))
}
