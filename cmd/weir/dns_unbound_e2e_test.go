package main_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/tree"
	"github.com/weirnet/weir/cmd/weir/internal/nametree"
	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/tun"
)

// The resolvers of a comparison in one lab.
const (
	weirAt, plainAt           = "192.0.2.2:53", "198.51.100.2:53"
	unboundAt, plainUnboundAt = "127.0.0.2:53", "127.0.0.3:53"
)

// TestTreeOfNSDIsResolvedAsUnboundDoes has weir resolve a signed tree that NSD serves, every server at addresses of its
// own, and holds each answer against unbound's, validating and not.
func TestTreeOfNSDIsResolvedAsUnboundDoes(t *testing.T) {
	l := newLab(t)
	tr, dir := comparedTree(t), t.TempDir()
	must(t, tr.Write(dir))
	l.nsdTree(tr, dir)
	begun := time.Now() // nobody has learnt anything before
	hints := filepath.Join(dir, "root.hints")
	recursive := []string{"--recursive", "--hints", hints, "--resolve", "."}
	l.serveNames(append(recursive, "--anchor", filepath.Join(dir, "root.key"))...)
	l.serveNames(append(recursive, "--tun", "weir1", "--addr", "198.51.100.2/24", "--addr", "2001:db8:78::2/64")...)
	l.unbound(unboundAt, hints, strict(dir)...)
	l.unbound(plainUnboundAt, hints, "module-config: \"iterator\"", "num-threads: 1")
	q := l.questioner()
	t.Run("validating", func(t *testing.T) { compareResolved(t, tr, begun, q, weirAt, unboundAt) })
	t.Run("not validating", func(t *testing.T) { compareResolved(t, tr, begun, q, plainAt, plainUnboundAt) })
	t.Run("broken zones", func(t *testing.T) { compareBroken(t, q, weirAt, unboundAt) })
}

// TestTreeOnWeirIsResolvedByUnbound has weir serve the same tree, and unbound resolve it and validate; weir's own resolver
// on the same stack must say the same.
func TestTreeOnWeirIsResolvedByUnbound(t *testing.T) {
	l := newLab(t)
	tr, dir := comparedTree(t), t.TempDir()
	must(t, tr.Write(dir))
	begun := time.Now()
	l.serveTree(tr)
	l.ok("", "ip", "link", "set", "lo", "up")
	l.unbound(unboundAt, filepath.Join(dir, "root.hints"), strict(dir)...)
	q := l.questioner()
	at := tr.Resolver()[0].String() + ":53"
	t.Run("validating", func(t *testing.T) { compareResolved(t, tr, begun, q, at, unboundAt) })
	t.Run("broken zones", func(t *testing.T) { compareBroken(t, q, at, unboundAt) })
}

// serveTree serves a tree, and a resolver for it, on a stack of this process with a device in the lab.
func (l *lab) serveTree(tr *tree.Tree) {
	l.t.Helper()
	st, err := stack.New(stack.Config{TCP: hasty()})
	must(l.t, err)
	l.t.Cleanup(func() { st.Close() })
	dev, err := tun.Open(tun.Config{Name: "weir0", Offload: tun.OffloadOn, Namespace: l.ns.Path()})
	must(l.t, err)
	l.t.Cleanup(func() { dev.Close() })
	_, err = st.AddInterface(dev, stack.InterfaceConfig{Addresses: tr.Addrs()})
	must(l.t, err)
	for _, p := range nametree.Neighbours(tr) {
		must(l.t, dev.AddHostAddress(p))
	}
	must(l.t, dev.Up())
	names, err := nametree.Serve(st, tr)
	must(l.t, err)
	l.t.Cleanup(func() { names.Close() })
}

// resolvedTypes are asked for at every name, whether it has them or not; beside these, those that it has.
var resolvedTypes = []string{"A", "AAAA", "TXT", "NS", "SOA", "DS", "CNAME", "MX", "DNSKEY", "SRV", "PTR", "CAA", "HTTPS"}

// comparedQuestions is every name of the tree, and some that it does not have, with the types.
func comparedQuestions(tr *tree.Tree) (list []msg.Question) {
	types := map[msg.Name]map[msg.Type]bool{}
	add := func(n msg.Name) map[msg.Type]bool {
		n = n.Fold()
		if types[n] == nil {
			types[n] = map[msg.Type]bool{}
			for _, s := range resolvedTypes {
				types[n][question(".", s).Type] = true
			}
		}
		return types[n]
	}
	for _, z := range tr.Zones {
		if broken(z.Origin) {
			continue
		}
		for _, rr := range z.Records {
			if rr.Type != msg.TypeRRSIG && rr.Type != msg.TypeNSEC && rr.Type != msg.TypeNSEC3 && !broken(rr.Name) {
				add(rr.Name)[rr.Type] = true
			}
		}
		for _, label := range []string{"nobody", "zz.nobody"} {
			name := label + "." + z.Origin.String()
			if z.Origin == msg.Root {
				name = label + "."
			}
			add(msg.MustName(name))
		}
	}
	for _, s := range []string{
		"any.wild.weir.example.", "any.thing.wild.weir.example.", "empty.weir.example.", "x.old.weir.example.", "a.host.old.weir.example.",
		"x.www.weir.example.", "_tcp.weir.example.", "x.lab.weir.example.", "any.wild.rsa.example.", "any.wild.ed25519.example.", "any.wild.insecure.test.",
	} {
		add(msg.MustName(s))
	}
	for name, set := range types {
		for typ := range set {
			list = append(list, msg.Question{Name: name, Type: typ, Class: msg.ClassINET})
		}
	}
	slices.SortFunc(list, func(a, b msg.Question) int {
		if c := a.Name.Compare(b.Name); c != 0 {
			return c
		}
		return int(a.Type) - int(b.Type)
	})
	return list
}

// broken reports whether a name is of a zone that does not validate.
func broken(name msg.Name) bool {
	for _, b := range brokenZones {
		if name.Under(msg.MustName(b.name)) {
			return true
		}
	}
	return false
}

// compareResolved asks two resolvers every question, with DO and without, and lists what differs beyond what is known to.
// Neither has learnt anything before begun, so that TTLs which differ by more than the time since then were not the same.
func compareResolved(t *testing.T, tr *tree.Tree, begun time.Time, by *questioner, at, bt string) {
	questions := comparedQuestions(tr)
	if len(questions) < 500 {
		t.Fatalf("only %d questions", len(questions))
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	found := map[string]int{}
	work := make(chan msg.Question)
	for range 4 {
		wg.Go(func() {
			for q := range work {
				for _, do := range []bool{true, false} {
					text, reason := differs(by, at, bt, begun, q, do)
					mu.Lock()
					if text != "" && reason == "" {
						t.Errorf("%v %v, DO %v: %s", q.Name, q.Type, do, text)
					} else if text != "" {
						found[reason]++
					}
					mu.Unlock()
				}
			}
		})
	}
	for _, q := range questions {
		work <- q
	}
	close(work)
	wg.Wait()
	t.Logf("%d questions, each with DO and without", len(questions))
	for reason, n := range found {
		t.Logf("%d answers differ: %s", n, reason)
	}
}

// differs asks both and says in what their answers differ, and why if that is known.
func differs(by *questioner, at, bt string, begun time.Time, q msg.Question, do bool) (text, reason string) {
	x, err := by.ask(at, q, do, false)
	if err != nil {
		return err.Error(), ""
	}
	y, err := by.ask(bt, q, do, false)
	if err != nil {
		return err.Error(), ""
	}
	var diffs []string
	note := func(field string, x, y any) {
		if x, y := fmt.Sprint(x), fmt.Sprint(y); x != y {
			diffs = append(diffs, fmt.Sprintf("%s:\n\tweir    %s\n\tunbound %s", field, x, y))
		}
	}
	note("rcode", x.Rcode, y.Rcode)
	note("flags", flagsOf(x), flagsOf(y))
	note("answer", recordsOf(x.Answer), recordsOf(y.Answer))
	note("authority", recordsOf(x.Authority), recordsOf(y.Authority))
	note("EDE", codesOf(x), codesOf(y))
	if len(diffs) > 0 && slices.Contains(codesOf(x), msg.EDESynthesized) && fmt.Sprint(codesOf(y)) == "[]" {
		if last := len(diffs) - 1; strings.HasPrefix(diffs[last], "EDE") {
			if diffs = diffs[:last]; last == 0 {
				if text, reason := lasts(x, y, time.Since(begun)); text != "" {
					return text, reason
				}
				return "EDE", "weir says that it made the answer from NSEC records that it has validated (RFC 8198, EDE 29), unbound makes it and does not say so"
			}
		}
	}
	if len(diffs) == 0 {
		return lasts(x, y, time.Since(begun))
	}
	for _, d := range knownDifferences {
		if d.applies(q, x, y) {
			reason = d.reason
		}
	}
	return strings.Join(diffs, "\n"), reason
}

// knownDifferences are where weir and unbound answer differently, both as the standards have it.
var knownDifferences = []struct {
	reason  string
	applies func(q msg.Question, weir, unbound *msg.Message) bool
}{
	{"weir says that a chain of CNAMEs is too long (EDE 0 with a text), unbound gives up without a word", func(q msg.Question, w, u *msg.Message) bool {
		return w.Rcode == msg.RcodeServerFailure && u.Rcode == msg.RcodeServerFailure && len(u.EDE()) == 0 &&
			(q.Name.Equal(msg.MustName("loop.weir.example.")) || q.Name.Equal(msg.MustName("pool.weir.example.")))
	}},
	{"that a wildcard itself has none of a type weir tells by the NSEC3 record that matches it (RFC 5155 7.2.3), NSD, whose proof unbound passes on, as of a name made of it (7.2.5)", func(q msg.Question, w, u *msg.Message) bool {
		return q.Name.IsWildcard() && w.Rcode == u.Rcode && len(w.Answer) == 0 && slices.Contains(codesOf(w), msg.EDESynthesized) && len(w.Authority) == len(u.Authority)-2
	}},
	{"asked for the CNAME of a name below a DNAME, weir answers with the one that the DNAME makes (RFC 6672), unbound follows it and may fail", func(q msg.Question, w, u *msg.Message) bool {
		return q.Type == msg.TypeCNAME && w.Rcode == msg.RcodeSuccess && len(w.Answer) >= 2 &&
			madeByDNAME(q.Name)
	}},
}

// lasts says which records of two equal answers have other TTLs than the time that passed explains.
func lasts(weir, unbound *msg.Message, passed time.Duration) (text, reason string) {
	most := int64(passed/time.Second) + 1
	var diffs []string
	for i, section := range [2][2][]msg.RR{{weir.Answer, unbound.Answer}, {weir.Authority, unbound.Authority}} {
		theirs := map[string]uint32{}
		for _, rr := range section[1] {
			theirs[recordsOf([]msg.RR{rr})] = rr.TTL
		}
		for _, rr := range section[0] {
			ttl := theirs[recordsOf([]msg.RR{rr})]
			switch d := int64(rr.TTL) - int64(ttl); {
			case d <= most && -d <= most:
			case madeByDNAME(rr.Name) && rr.Type == msg.TypeCNAME && ttl == 0:
				reason = "the CNAME that a DNAME makes has the DNAME's TTL (RFC 6672 3.1); unbound gives it 0 when it has the DNAME in its cache"
			default:
				diffs = append(diffs, fmt.Sprintf("TTL in section %d, after %v: weir %d, unbound %d: %v", i+1, passed, rr.TTL, ttl, rr))
			}
		}
	}
	if len(diffs) > 0 {
		return strings.Join(diffs, "\n"), ""
	}
	return reason, reason
}

// madeByDNAME reports whether a name is below the tree's DNAME.
func madeByDNAME(name msg.Name) bool {
	old := msg.MustName("old.weir.example.")
	return name.Under(old) && !name.Equal(old)
}

func flagsOf(m *msg.Message) string {
	return fmt.Sprintf("ra %v aa %v ad %v tc %v cd %v", m.RecursionAvailable, m.Authoritative, m.AuthenticData, m.Truncated, m.CheckingDisabled)
}

// recordsOf lists records in an order that does not matter, without their TTLs, which grow less as time goes by.
func recordsOf(rrs []msg.RR) string {
	var list []string
	for _, rr := range rrs {
		rr.TTL, rr.Name = 0, rr.Name.Fold()
		list = append(list, rr.String())
	}
	slices.Sort(list)
	return strings.Join(list, " | ")
}

func codesOf(m *msg.Message) (codes []uint16) {
	for _, e := range m.EDE() {
		codes = append(codes, e.Code)
	}
	return codes
}

// compareBroken asks for names of zones that are not signed as they should be: weir says why, unbound at least that.
func compareBroken(t *testing.T, q *questioner, at, bt string) {
	for _, b := range brokenZones {
		name := "www." + b.name
		if b.ede == msg.EDENSECMissing {
			name = "nobody." + b.name
		}
		x, err := q.ask(at, question(name, "A"), true, false)
		must(t, err)
		y, err := q.ask(bt, question(name, "A"), true, false)
		must(t, err)
		if x.Rcode != b.rcode || x.Rcode != y.Rcode || x.AuthenticData || y.AuthenticData || len(x.Answer) != len(y.Answer) {
			t.Errorf("%s: weir\n%v\nunbound\n%v", name, x, y)
		}
		if !slices.Contains(codesOf(x), b.ede) {
			t.Errorf("%s: weir says %v, want %v; unbound says %v", name, x.EDE(), msg.EDE{Code: b.ede}, y.EDE())
		}
		if x, err = q.ask(at, question(name, "A"), true, true); err != nil || x.Rcode == msg.RcodeServerFailure {
			t.Errorf("%s with CD: %v\n%v", name, err, x)
		}
	}
}
