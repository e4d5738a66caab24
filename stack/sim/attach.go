package sim

import (
	"net/netip"

	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/tcp"
)

// Attach makes f the handler of an open connection and lets it do at once what it can.
func Attach(c *shard.TCP, f shard.Handler) {
	c.Lock()
	defer c.Unlock()
	c.SetHandler(f)
	f.OnEvent(c, tcp.EventConnected|tcp.EventReadable|tcp.EventWritable)
	c.Push()
}

// Serve accepts every connection of a listener as it becomes established: accept is
// asked for each one's handler. It is to be called from the function given to Run.
func Serve(l *shard.Listener, accept func(c *shard.TCP) shard.Handler) {
	for c := l.Accept(); c != nil; c = l.Accept() {
		Attach(c, accept(c))
	}
}

// Subnet returns the addresses of the two ends of a wire number n: 198.51.100.0/24 is divided
// into /30s, and 2001:db8::/32 into /64s.
func Subnet(n int) (a, b []netip.Prefix) {
	four := func(host byte) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(n*4) + host}), 30)
	}
	six := func(host byte) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0, byte(n), 15: host}), 64)
	}
	return []netip.Prefix{four(1), six(1)}, []netip.Prefix{four(2), six(2)}
}
