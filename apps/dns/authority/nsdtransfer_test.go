//go:build linux

package authority

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/internal/dnstest"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/apps/dns/tsig"
	"github.com/weirnet/weir/apps/dns/zone"
)

// kernelNet is the kernel's network.
type kernelNet struct{ *net.Dialer }

func (kernelNet) Listen(network, address string) (net.Listener, error) {
	return net.Listen(network, address)
}

func (kernelNet) ListenPacket(network, address string) (net.PacketConn, error) {
	return net.ListenPacket(network, address)
}

// TestNSDIsPrimaryAndSecondary moves a zone from a Set to NSD and another from NSD to a Set, with TSIG, whole and then by
// changes after a notice.
func TestNSDIsPrimaryAndSecondary(t *testing.T) {
	dnstest.Program(t, "nsd")
	if !dnstest.InNamespace(t) {
		return
	}
	dir := t.TempDir()
	key := tsig.Key{Name: msg.MustName("transfer.example."), Algorithm: tsig.HMACSHA256, Secret: []byte("a secret of both sides")}
	down, up := msg.MustName("down.example."), msg.MustName("up.example.")
	upFile := filepath.Join(dir, "up")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := func(serial int) string {
		var b strings.Builder
		for i := range 2000 { // NSD 4.6 knows no $GENERATE
			fmt.Fprintf(&b, "h%d A 192.0.2.1\n", i)
		}
		return serialText(serial) + b.String() + fmt.Sprintf("last A 192.0.2.%d\n", serial)
	}
	write(upFile, "$ORIGIN up.example.\n"+text(1))
	sections := fmt.Sprintf(`key:
 name: "transfer.example."
 algorithm: hmac-sha256
 secret: %[2]q
zone:
 name: "down.example"
 zonefile: "%[1]s/down"
 request-xfr: 127.0.0.1@5301 transfer.example.
 allow-notify: 127.0.0.1 transfer.example.
zone:
 name: "up.example"
 zonefile: "%[1]s/up"
 provide-xfr: 127.0.0.1 transfer.example.
 notify: 127.0.0.1@5301 transfer.example.
`, dir, base64.StdEncoding.EncodeToString(key.Secret))

	set := New(Config{Network: kernelNet{new(net.Dialer)}, Keys: tsig.Keys(key), Logger: quiet, FirstRetry: 50 * time.Millisecond})
	nsdAt := Peer{Addr: netip.MustParseAddrPort("127.0.0.1:5300"), Key: &key}
	if err := set.Add(ZoneConfig{Origin: down, Transfer: ACL{Keys: []msg.Name{key.Name}}, Notify: []Peer{nsdAt}}, parseZone(t, "down.example.", text(1))); err != nil {
		t.Fatal(err)
	}
	if err := set.Add(ZoneConfig{Origin: up, Masters: []Peer{nsdAt}}, nil); err != nil {
		t.Fatal(err)
	}
	srv := server.New(set, server.Config{Logger: quiet})
	for _, network := range []string{"udp", "tcp"} {
		if _, err := srv.Listen(kernelNet{}, network, "127.0.0.1:5301"); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { srv.Serve(ctx) })
	running.Go(func() { set.Run(ctx) })
	defer running.Wait()
	defer cancel()

	nsd := dnstest.NSD(t, dir, 5300, sections)
	c, err := net.Dial("udp", nsdAt.Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	until := func(what string, f func() bool) {
		t.Helper()
		for end := time.Now().Add(2 * time.Minute); !f(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("it did not come to: %s", what)
			}
		}
	}
	theirs := func(name string, typ msg.Type) string {
		m := exchange(t, c, packed(t, query(name, typ, nil)), true)
		if len(m.Answer) == 0 {
			return m.Rcode.String()
		}
		return m.Answer[0].DataString()
	}
	until("NSD has our zone", func() bool { return theirs("last.down.example.", msg.TypeA) == "192.0.2.1" })
	until("we have NSD's zone", func() bool { z := set.Zone(up); return z != nil && z.Records() == 2005 })

	if err := set.Replace(parseZone(t, "down.example.", text(2))); err != nil {
		t.Fatal(err)
	}
	until("NSD has the change", func() bool { return theirs("last.down.example.", msg.TypeA) == "192.0.2.2" })
	if n := set.counters.incremental.Load(); n == 0 {
		t.Error("the change went to NSD as a whole zone")
	}
	write(upFile, "$ORIGIN up.example.\n"+text(2))
	if err := nsd.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until("we have NSD's change", func() bool { return set.Zone(up).Serial() == 2 })
	if n := set.counters.notifyIn.Load(); n == 0 {
		t.Error("no notice from NSD was taken")
	}
	want, err := zone.LoadFile(upFile, up, zone.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if d, ok := zone.Compare(set.Zone(up), want, 10); !ok || len(d.Added) != 1 || len(d.Deleted) != 1 {
		t.Errorf("the zone that came from NSD differs: %v", d)
	}
}
