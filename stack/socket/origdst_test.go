package socket

import (
	"net/netip"
	"testing"

	"github.com/weirnet/weir/stack/shard"
)

// A raw socket that asks for the original destination gets it: its name and its queue are under one
// lock, which is not taken twice.
func TestRawSocketTellsTheOriginalDestination(t *testing.T) {
	h := shard.New(shard.Config{})
	h.Start()
	defer h.Close()
	sys := New(h, Config{})
	defer sys.Close()
	fd, err := sys.Socket(AF_INET, SOCK_RAW, 253)
	if err != nil {
		t.Fatal(err)
	}
	if err := sys.SetsockoptInt(fd, SOL_IP, IP_RECVORIGDSTADDR, 1); err != nil {
		t.Fatal(err)
	}
	to := NewSockaddr(netip.MustParseAddrPort("127.0.0.1:0"))
	if _, err := sys.SendTo(fd, []byte("x"), 0, to); err != nil {
		t.Fatal(err)
	}
	m := &Msghdr{Iov: [][]byte{make([]byte, 100)}, Control: make([]byte, 100)}
	if _, err := sys.RecvMsg(fd, m, 0); err != nil {
		t.Fatal(err)
	}
	list, err := ParseCmsgs(m.Control)
	if err != nil || len(list) != 1 || list[0].Type != IP_RECVORIGDSTADDR {
		t.Fatalf("control messages %+v, %v", list, err)
	}
	sa, err := ParseSockaddr(list[0].Data)
	if err != nil || sa.Addr != netip.MustParseAddr("127.0.0.1") || sa.Port != 253 {
		t.Errorf("original destination %+v, %v", sa, err)
	}
}
