package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/tree"
)

// movedZone is the zone that is transferred, and the key that it is with.
const (
	movedZone = "moved.example"
	movedKey  = "hmac-sha256:mover:bm90IGEgc2VjcmV0IGFueSBtb3Jl"
)

// movingZone is the master file of the zone of every type with a serial, and an address that goes with it.
type movingZone struct {
	t       testing.TB
	path    string
	records []msg.RR
}

func newMoved(t testing.TB) *movingZone {
	m := &movingZone{t, filepath.Join(t.TempDir(), movedZone+".zone"), typesZone(t, msg.MustName(movedZone))}
	m.write(1)
	return m
}

// write writes the version of that serial.
func (m *movingZone) write(serial uint32) {
	m.t.Helper()
	list := slices.Clone(m.records)
	for i, rr := range list {
		if soa, ok := rr.SOA(); ok {
			soa.Serial, soa.Refresh, soa.Retry = serial, 86400, 86400 // so that only a NOTIFY brings a change
			list[i].Data = soa.Data()
		}
	}
	own, err := msg.ParseRR(fmt.Sprintf("serial.%s. 60 IN A 192.0.2.%d", movedZone, serial))
	must(m.t, err)
	must(m.t, os.WriteFile(m.path, []byte(tree.Text(append(list, own))), 0o644))
}

// whole fetches the zone from a server, with the key where there is one; nil when it has not got that serial.
func (l *lab) whole(server string, key bool, serial int) []string {
	l.t.Helper()
	if got := l.dig("@"+server, "+short", "serial."+movedZone); len(got) != 1 || got[0] != fmt.Sprintf("192.0.2.%d", serial) {
		return nil
	}
	args := []string{"@" + server, movedZone, "AXFR"}
	if key {
		args = append(args, "-y", movedKey)
	}
	list := l.dig(args...)
	for i, line := range list { // NSD keeps owners in small letters, weir as they are written
		owner, rest, _ := strings.Cut(line, " ")
		list[i] = strings.ToLower(owner) + " " + rest
	}
	slices.Sort(list)
	return list
}

// same waits until the secondary has what the primary has, of a serial, and holds both against each other record by record.
func (l *lab) same(primary, secondary string, key bool, serial int) {
	l.t.Helper()
	var theirs []string
	eventually(l.t, fmt.Sprintf("%s has the zone's version %d", secondary, serial), func() bool {
		theirs = l.whole(secondary, key, serial)
		return len(theirs) > 0
	})
	ours := l.whole(primary, key, serial)
	if len(ours) < 300 || !slices.Equal(ours, theirs) {
		l.t.Errorf("version %d: the primary %s has %d records, the secondary %s %d", serial, primary, len(ours), secondary, len(theirs))
		for _, s := range ours {
			if !slices.Contains(theirs, s) {
				l.t.Logf("only the primary: %s", s)
			}
		}
		for _, s := range theirs {
			if !slices.Contains(ours, s) {
				l.t.Logf("only the secondary: %s", s)
			}
		}
	}
}

// nsdKey is a key's section of nsd.conf, and what names the key in the zone's lines.
func nsdKey(key bool) (section, name string) {
	if !key {
		return "", "NOKEY"
	}
	parts := strings.Split(movedKey, ":")
	return fmt.Sprintf("key:\n\tname: %q\n\talgorithm: %s\n\tsecret: %q\n", parts[1], parts[0], parts[2]), parts[1]
}

// weirKey is what weir's flags have of the key: those that give it, what stands behind the address of a peer, and who may transfer.
func weirKey(key bool, from string) (flags []string, peer string) {
	if !key {
		return []string{"--allow-transfer", from}, ""
	}
	return []string{"--key", movedKey, "--allow-transfer", "key:mover"}, "@mover"
}

// TestZonesMoveBetweenWeirAndNSD has each be the other's secondary, and weir one of weir, without a key and with one:
// the first version whole, the changes on a NOTIFY, incrementally where the primary knows them.
func TestZonesMoveBetweenWeirAndNSD(t *testing.T) {
	for _, key := range []bool{false, true} {
		with := map[bool]string{false: "", true: ", with a key"}[key]
		t.Run("NSD of weir"+with, func(t *testing.T) { nsdOfWeir(t, key) })
		t.Run("weir of NSD"+with, func(t *testing.T) { weirOfNSD(t, key, true) })
		t.Run("weir of NSD, which keeps no differences"+with, func(t *testing.T) { weirOfNSD(t, key, false) })
		t.Run("weir of weir"+with, func(t *testing.T) { weirOfWeir(t, key) })
	}
}

func nsdOfWeir(t *testing.T, key bool) {
	l, m := newLab(t), newMoved(t)
	flags, peer := weirKey(key, host4)
	u := l.serveNames(append(flags, "--zone", movedZone+"="+m.path, "--notify", host4+peer)...)
	section, name := nsdKey(key)
	l.nsdWith(host4+":53", nil, section, []zoneFile{{movedZone, ""}},
		"request-xfr: "+weir4+" "+name, "allow-notify: "+weir4+" "+name, "provide-xfr: "+host4+" "+name)
	l.same(weir4, host4, key, 1)
	m.write(2)
	must(t, u.cmd.Process.Signal(syscall.SIGHUP))
	l.same(weir4, host4, key, 2)
	var c map[string]uint64
	happens(func() bool {
		c = u.counters(t)
		return c["app.dns.authority.notify.acknowledged"] > 0
	})
	if c["app.dns.authority.transfer.incremental"] != 1 || c["app.dns.authority.notify.acknowledged"] == 0 {
		t.Errorf("the change did not go by NOTIFY and IXFR: %v", only(c, "app.dns.authority."))
	}
	if key {
		if got := l.dig("@"+weir4, movedZone, "AXFR"); len(got) > 0 {
			t.Errorf("whoever has no key gets %d records", len(got))
		}
		if got := l.dig("@"+weir4, movedZone, "AXFR", "-y", movedKey[:len(movedKey)-4]+"AAAA"); len(got) > 0 {
			t.Errorf("whoever has another key gets %d records", len(got))
		}
	}
	ixfr := l.dig(append([]string{"@" + weir4, movedZone, "IXFR=1"}, digKey(key)...)...)
	if len(ixfr) != 6 { // the new SOA record, the old one and the address, the new one and the address, the new one
		t.Errorf("dig IXFR=1:\n%s", strings.Join(ixfr, "\n"))
	}
	u.end()
}

func digKey(key bool) []string {
	if key {
		return []string{"-y", movedKey}
	}
	return nil
}

// end ends a weir that has had something to say, as of a zone that it fetched.
func (u *up) end() {
	u.t.Helper()
	must(u.t, u.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-u.waited:
	case <-time.After(patience):
		u.t.Fatalf("it did not end after SIGTERM\n%s", u.said())
	}
	if u.err != nil || strings.Contains(u.said(), "panic") {
		u.t.Errorf("%v\n%s", u.err, u.said())
	}
}

// only is those of the counters whose names begin so.
func only(c map[string]uint64, prefix string) (list []string) {
	for name, v := range c {
		if strings.HasPrefix(name, prefix) && v > 0 {
			list = append(list, fmt.Sprintf("%s %d", name, v))
		}
	}
	slices.Sort(list)
	return list
}

// weirOfNSD has NSD's zone change twice. Where NSD keeps the differences (store-ixfr, and create-ixfr for those of master files)
// weir takes both by IXFR (RFC 1995), and where it does not NSD answers with the whole zone.
func weirOfNSD(t *testing.T, key, kept bool) {
	l, m := newLab(t), newMoved(t)
	// NSD 4.6 makes no differences of a zone that has a record without rdata ("could not write … spoolzone").
	m.records = slices.DeleteFunc(m.records, func(rr msg.RR) bool { return rr.Data == "" })
	m.write(1)
	flags, peer := weirKey(key, host4)
	u := l.serveNames(append(flags, "--secondary", movedZone+"="+host4+peer)...)
	section, name := nsdKey(key)
	lines := []string{"provide-xfr: " + weir4 + " " + name, "provide-xfr: " + host4 + " " + name, "notify: " + weir4 + " " + name}
	changed := uint64(0)
	if kept {
		lines, changed = append(lines, "store-ixfr: yes", "create-ixfr: yes"), 2
	}
	s := l.nsdWith(host4+":53", nil, section, []zoneFile{{movedZone, m.path}}, lines...)
	l.same(host4, weir4, key, 1)
	for serial := 2; serial <= 3; serial++ {
		m.write(uint32(serial))
		must(t, s.cmd.Process.Signal(syscall.SIGHUP))
		l.same(host4, weir4, key, serial)
	}
	var c map[string]uint64
	happens(func() bool { // a transfer is counted when the zone has it
		c = u.counters(t)
		return c["app.dns.authority.secondary.fetched"] >= 3
	})
	for name, want := range map[string]uint64{"fetched": 3, "fetched.incremental": changed, "incremental.failed": 0, "fetch.failed": 0} {
		if got, known := c["app.dns.authority.secondary."+name]; got != want || !known {
			t.Errorf("secondary.%s is %d, want %d: %v", name, got, want, only(c, "app.dns.authority."))
		}
	}
	how := map[bool]string{false: "how=AXFR", true: "how=IXFR"}
	got := 0
	happens(func() bool {
		got = strings.Count(u.said(), how[kept])
		return got >= 2+int(2-changed)/2
	})
	if got != 2+int(2-changed)/2 {
		t.Errorf("%q was said %d times:\n%s", how[kept], got, u.said())
	}
	u.end()
}

func weirOfWeir(t *testing.T, key bool) {
	const other = "198.51.100.2"
	l, m := newLab(t), newMoved(t)
	l.sysctl("net.ipv4.ip_forward", "1")
	fromHost, peer := weirKey(key, host4)
	flags := append(fromHost, "--zone", movedZone+"="+m.path, "--notify", other+peer)
	if !key {
		flags = append(flags, "--allow-transfer", other)
	}
	u := l.serveNames(flags...)
	flags, peer = weirKey(key, "198.51.100.1")
	v := l.serveNames(append(flags, "--secondary", movedZone+"="+weir4+peer, "--tun", "weir1", "--addr", other+"/24", "--host-addr", "198.51.100.1/24")...)
	l.same(weir4, other, key, 1)
	m.write(2)
	must(t, u.cmd.Process.Signal(syscall.SIGHUP))
	l.same(weir4, other, key, 2)
	if c := u.counters(t); c["app.dns.authority.transfer.incremental"] != 1 {
		t.Errorf("the change did not go by IXFR: %v", only(c, "app.dns.authority."))
	}
	var c map[string]uint64
	happens(func() bool { // a transfer is counted when the zone has it
		c = v.counters(t)
		return c["app.dns.authority.secondary.fetched.incremental"] > 0
	})
	if c["app.dns.authority.secondary.fetched.incremental"] != 1 {
		t.Errorf("the change did not come by IXFR: %v", only(c, "app.dns.authority."))
	}
	v.end()
	u.end()
}
