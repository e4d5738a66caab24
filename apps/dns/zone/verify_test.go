package zone

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
)

// What Check refuses is not loaded, and the error is the one that Check has, with its line; what it only warns of is.
func TestWhatCheckRefusesIsNotLoaded(t *testing.T) {
	origin := msg.MustName("example.")
	path := filepath.Join(t.TempDir(), "zone")
	for _, c := range checkCases {
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		z, err := LoadVerified(path, origin, ReadOptions{})
		if refused := err != nil; refused != c.refused || refused != (z == nil) {
			t.Errorf("%s: %v, want refused %v", c.name, err, c.refused)
		}
		if err != nil && strings.ContainsRune(err.Error(), '\n') {
			t.Errorf("%s: more than one line: %q", c.name, err)
		}
		// Unless the first problem is a warning, it is the one that is told.
		if want, ok := strings.CutPrefix(c.want, "f:5: error: "); ok && c.refused && !strings.HasPrefix(err.Error(), path+":5: "+want) {
			t.Errorf("%s: %v, want %s", c.name, err, want)
		}
	}
}

func TestTTLsAboveTheLargestAreZero(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []uint32
	}{
		{"the largest number", sound + "w 4294967295 A 192.0.2.1\n", []uint32{0}},
		{"before $TTL", "@ 60 SOA ns h 1 3600 600 86400 7\n@ NS ns\nns A 192.0.2.2\nw 4294967295 A 192.0.2.1\nx A 192.0.2.1\n", []uint32{0, 0}},
		{"of $TTL", "$TTL 4294967295\n@ SOA ns h 1 3600 600 86400 7\n@ NS ns\nns A 192.0.2.2\nw A 192.0.2.1\n", []uint32{0}},
		{"the minimum", "@ SOA ns h 1 3600 600 86400 4294967295\n@ NS ns\nns A 192.0.2.2\nw A 192.0.2.1\n", []uint32{0}},
	} {
		z := load(t, "example.", c.text)
		for i, want := range c.want {
			s, ok := z.Get(msg.MustName([]string{"w.example.", "x.example."}[i]), msg.TypeA)
			if !ok || s.TTL != want {
				t.Errorf("%s: TTL %d, want %d", c.name, s.TTL, want)
			}
		}
	}
	// And those of a transfer, which no reader has seen.
	b := NewBuilder(msg.MustName("example."))
	for _, rr := range load(t, "example.", sound).all() {
		if err := b.Add(rr); err != nil {
			t.Fatal(err)
		}
	}
	rr, err := msg.ParseRR("w.example. 60 IN A 192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	rr.TTL = 1 << 31
	if err := b.Add(rr); err != nil {
		t.Fatal(err)
	}
	z, err := b.Zone()
	if err != nil {
		t.Fatal(err)
	}
	if s, _ := z.Get(rr.Name, msg.TypeA); s.TTL != 0 {
		t.Errorf("in a transfer: TTL %d", s.TTL)
	}
}

func (z *Zone) all() []msg.RR { return slices.Collect(z.All()) }

// A set that no message can hold, or a name with thousands of types, took time with the square of its size.
func TestSetsAndNamesAreBounded(t *testing.T) {
	for _, text := range []string{
		sound + "$GENERATE 1-10000 w TXT $\n",
		sound + "$GENERATE 2000-4000 w TYPE$ \\# 1 00\n",
	} {
		origin := msg.MustName("example.")
		_, err := Load(NewReader(strings.NewReader(text), "f", origin, ReadOptions{}), origin)
		if !errors.Is(err, ErrLarge) {
			t.Errorf("%q: %v", text[len(sound):], err)
		}
	}
}

// A chain that comes by a DNAME record twice has it once: an answer with a record twice is none (RFC 2181 §5).
func TestDNAMEThatLeadsBackIsGivenOnce(t *testing.T) {
	z := load(t, "example.", sound+"d DNAME example.\nx A 192.0.2.7\n")
	var a Answer
	z.Lookup(&a, msg.MustName("x.d.d.example."), msg.TypeA, false)
	dnames := 0
	for _, s := range a.Answer {
		if s.Type == msg.TypeDNAME {
			dnames++
		}
	}
	if dnames != 1 || a.Kind != Positive || len(a.Answer) != 4 {
		t.Errorf("%d DNAME records in %d sets, %v", dnames, len(a.Answer), a.Kind)
	}
}
