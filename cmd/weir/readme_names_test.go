package main

import (
	"context"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/weirnet/weir/apps/dns/stub"
	"github.com/weirnet/weir/cmd/weir/internal/nametree"
)

// The README gives a stack its names so.
func TestNamesOfTheReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"st.SetResolver(stub.New(stub.Config{", "Network: st,", "Servers: []netip.AddrPort{"} {
		if !strings.Contains(string(text), line) {
			t.Errorf("the README has no %q", line)
		}
	}
	n, err := nametree.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	st := n.Near
	st.SetResolver(stub.New(stub.Config{
		Network: st,
		Servers: []netip.AddrPort{nametree.Resolver()},
	}))
	ln, err := n.Far.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := st.Dial("tcp", "www.weir.example:80")
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if _, err := st.DialContext(context.Background(), "tcp", "nobody.weir.example:80"); err == nil || !strings.Contains(err.Error(), "no such host") {
		t.Errorf("a name that is not there: %v", err)
	}
}
