package tree

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
)

func plain(t *testing.T) *Tree {
	t.Helper()
	tr, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// Every zone but the root is delegated in the nearest zone above it, to the servers that it says it
// has, and each of those servers is one that has it and whose address can be found.
func TestEveryZoneIsDelegatedToTheServersThatHaveIt(t *testing.T) {
	tr := plain(t)
	for _, z := range tr.Zones {
		own := targets(z.Records, z.Origin)
		if len(own) == 0 {
			t.Fatalf("%v has no servers", z.Origin)
		}
		if z.Origin != msg.Root {
			if parent := parentOf(tr, z.Origin); strings.Join(targets(parent.Records, z.Origin), " ") != strings.Join(own, " ") {
				t.Errorf("%v is delegated by %v to %v, and says %v", z.Origin, parent.Origin, targets(parent.Records, z.Origin), own)
			}
		}
		for _, name := range own {
			s := serverOf(tr, msg.MustName(name))
			if s == nil || !has(s.Zones, z.Origin) {
				t.Errorf("%v is said to be at %s, which does not have it", z.Origin, name)
			}
			if len(addrsOf(tr, msg.MustName(name))) != 2 {
				t.Errorf("nobody knows the two addresses of %s: %v", name, addrsOf(tr, msg.MustName(name)))
			}
		}
	}
}

func targets(records []msg.RR, owner msg.Name) (list []string) {
	for _, rr := range records {
		if rr.Type == msg.TypeNS && rr.Name.Equal(owner) {
			list = append(list, rr.Target().String())
		}
	}
	return list
}

func parentOf(tr *Tree, n msg.Name) (z Zone) {
	for n = n.Parent(); ; n = n.Parent() {
		if z, ok := tr.Zone(n); ok {
			return z
		}
	}
}

func serverOf(tr *Tree, name msg.Name) *Server {
	for i := range tr.Servers {
		if tr.Servers[i].Name.Equal(name) {
			return &tr.Servers[i]
		}
	}
	return nil
}

func has(zones []msg.Name, z msg.Name) bool {
	for _, o := range zones {
		if o.Equal(z) {
			return true
		}
	}
	return false
}

// addrsOf finds a name's addresses in the zone that the name is in.
func addrsOf(tr *Tree, name msg.Name) (list []netip.Addr) {
	for at := name; ; at = at.Parent() {
		z, ok := tr.Zone(at)
		if !ok {
			continue
		}
		for _, rr := range z.Records {
			if rr.Name.Equal(name) && rr.Addr().IsValid() {
				list = append(list, rr.Addr())
			}
		}
		return list
	}
}

// Servers do not share addresses, and every address of the tree is in its prefixes.
func TestAddressesAreTheServersOwn(t *testing.T) {
	tr := plain(t)
	seen := map[netip.Addr]msg.Name{}
	for _, s := range tr.Servers {
		for _, a := range s.Addrs {
			if other, taken := seen[a]; taken {
				t.Errorf("%v is both %v's and %v's", a, other, s.Name)
			}
			seen[a] = s.Name
		}
	}
	addrs := map[netip.Addr]bool{}
	for _, p := range tr.Addrs() {
		addrs[p.Addr()] = true
	}
	for a := range seen {
		if !addrs[a] {
			t.Errorf("%v is not among the addresses", a)
		}
	}
	for _, a := range tr.Neighbour() {
		if addrs[a] || !tr.Prefixes()[0].Contains(a) && !tr.Prefixes()[1].Contains(a) {
			t.Errorf("%v is no neighbour's", a)
		}
	}
}

// Every host has a name by its address, and the name that address.
func TestReverseZonesNameEveryHost(t *testing.T) {
	tr := plain(t)
	names := 0
	for _, z := range tr.Zones {
		for _, rr := range z.Records {
			if rr.Type != msg.TypePTR {
				continue
			}
			names++
			a, ok := msg.ReverseAddr(rr.Name)
			found := false
			for _, of := range addrsOf(tr, rr.Target()) {
				found = found || of == a
			}
			if !ok || !found {
				t.Errorf("%v is said to be %v, which has %v", rr.Name, rr.Target(), addrsOf(tr, rr.Target()))
			}
		}
	}
	if names < 30 {
		t.Errorf("%d names by address", names)
	}
}

// What is written can be read, record by record; the prefixes may be others.
func TestTreeIsWrittenAsZoneFiles(t *testing.T) {
	tr, err := New(Options{Prefix4: netip.MustParsePrefix("198.51.100.0/24"), Prefix6: netip.MustParsePrefix("2001:db8:9::/48")})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := tr.Write(dir); err != nil {
		t.Fatal(err)
	}
	for _, z := range tr.Zones {
		text, err := os.ReadFile(filepath.Join(dir, FileName(z.Origin)))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		if len(lines) != len(z.Records) {
			t.Fatalf("%v: %d lines for %d records", z.Origin, len(lines), len(z.Records))
		}
		for i, line := range lines {
			if rr, err := msg.ParseRR(line); err != nil || rr != z.Records[i] {
				t.Errorf("%s: %v, %v", line, rr, err)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "root.hints")); err != nil {
		t.Error(err)
	}
	if !strings.Contains(Text(tr.Hints), "198.51.100.4") {
		t.Errorf("the hints are %s", Text(tr.Hints))
	}
	if _, err := New(Options{Prefix4: netip.MustParsePrefix("198.51.100.0/28")}); err == nil {
		t.Error("a prefix that is too small is taken")
	}
}
