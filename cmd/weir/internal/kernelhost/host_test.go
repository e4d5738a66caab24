package kernelhost

import (
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/script"
	"github.com/weirnet/weir/stack/socket"
)

func newHost(t *testing.T, n script.Network) script.Backend {
	t.Helper()
	if os.Geteuid() != 0 && os.Getenv("CI") == "" {
		t.Skip("needs root to make a network namespace")
	}
	h, err := New(n)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

var networks = map[string]script.Network{
	"IPv4": {Local: netip.MustParsePrefix("192.168.0.1/16"), Remote: netip.MustParseAddr("192.0.2.1"), MTU: 1500},
	"IPv6": {Local: netip.MustParsePrefix("fd3d:fa7b:d17d::1/48"), Remote: netip.MustParseAddr("2001:db8::1"), MTU: 1500},
	"super-segments": {Local: netip.MustParsePrefix("192.168.0.1/16"), Remote: netip.MustParseAddr("192.0.2.1"), MTU: 1500,
		Offload: true},
}

func family(n script.Network) int {
	if n.Remote.Is4() {
		return socket.AF_INET
	}
	return socket.AF_INET6
}

// A connect that blocks counts as begun, its SYN comes out, and Close ends it.
func TestABlockedCallIsBegunAndEnds(t *testing.T) {
	for name, n := range networks {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, n)
			c := h.Calls()
			fd, err := c.Socket(family(n), socket.SOCK_STREAM, 0)
			if err != nil {
				t.Fatal(err)
			}
			var result error
			p := h.Start(func() { result = c.Connect(fd, socket.NewSockaddr(netip.AddrPortFrom(n.Remote, 8080))) })
			if p.Done {
				t.Fatalf("connect returned %v at once", result)
			}
			var syn script.Captured
			if !h.Wait(h.Now()+30*time.Second, func() (ok bool) { syn, ok = h.Sent(); return ok }) {
				t.Fatal("no SYN came")
			}
			at := 20
			if n.Remote.Is6() {
				at = 40
			}
			if len(syn.Packet) < at+20 || syn.Packet[at+13] != 2 {
				t.Errorf("sent % x, not a SYN", syn.Packet)
			}
			if l := h.Connections(); len(l) != 1 || l[0].State != "SYN-SENT" || l[0].Remote.Port() != 8080 {
				t.Errorf("connections: %v", l)
			}
			if v, ok := h.Counter("TcpActiveOpens"); !ok || v != 1 {
				t.Errorf("TcpActiveOpens: %d, %v", v, ok)
			}
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			if result == nil {
				t.Error("connect succeeded with nobody there")
			}
		})
	}
}

func TestASettingIsWrittenInTheNamespaceOnly(t *testing.T) {
	const name, file = "net.ipv4.tcp_syn_retries", "/proc/sys/net/ipv4/tcp_syn_retries"
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, networks["IPv4"])
	defer h.Close()
	if err := h.Sysctl(name, "2", false); err != nil {
		t.Error(err)
	}
	if after, _ := os.ReadFile(file); string(after) != string(before) {
		t.Errorf("the machine's own setting went from %q to %q", before, after)
	}
	if err := h.Sysctl("net.inet.tcp.msl", "2", true); err == nil {
		t.Error("a setting of another kernel was taken")
	}
	for _, name := range []string{"kernel.hostname", "vm.swappiness", "fs/file-max", "net.ipv4/../../kernel/hostname"} {
		if err := h.Sysctl(name, "1", true); err == nil {
			t.Errorf("%s, which is the machine's, could be set", name)
		}
	}
	if err := h.Sysctl("route.initcwnd", "4", false); err != nil {
		t.Error(err)
	}
	if h.Abort(netip.MustParseAddrPort("192.168.0.1:1"), netip.MustParseAddrPort("192.0.2.1:2")) {
		t.Error("a connection that is not there was aborted")
	}
}

// A script may close only what is its own.
func TestDescriptorsOfTheProgramAreNotTheScripts(t *testing.T) {
	h := newHost(t, networks["IPv4"])
	defer h.Close()
	if err := h.Calls().CloseFD(1); err != syscall.EBADF {
		t.Errorf("close(1): %v", err)
	}
}
