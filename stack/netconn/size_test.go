package netconn

import (
	"testing"
	"unsafe"

	"github.com/weirnet/weir/stack/shard"
)

// An object for the collector is as large as its size class: the one after 256 octets is 288, for each connection.
func TestAConnFitsItsSizeClass(t *testing.T) {
	if n := unsafe.Sizeof(TCPConn{}); n > 256 {
		t.Errorf("a net.Conn has %d octets, want 256 at most", n)
	}
	if most := int(^TCPConn{}.got); shard.MostTaken > most {
		t.Errorf("up to %d octets are read for who waits, and %d can be counted", shard.MostTaken, most)
	}
}

func TestNetworkKeepsItsName(t *testing.T) {
	for _, name := range []string{"tcp", "tcp4", "tcp6"} {
		if got := networkOf(name).String(); got != name {
			t.Errorf("%s became %s", name, got)
		}
	}
}
