package main_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/dnssec"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/tree"
)

// A name tree in which some zones are not signed as they should be, and who serves, resolves and asks for it.

// signing is how a zone is signed, where that is not as tree.Options.Signed does it.
type signing struct {
	none       bool
	begin, end time.Duration // from now; zero is a week before and after
	algorithm  uint8         // zero: ECDSAP256SHA256
	nsec3      *dnssec.NSEC3Options
	ds         func(*dnssec.Key) msg.RR                 // in place of the key's
	after      func(z *tree.Zone, rr []msg.RR) []msg.RR // changes what is signed
}

const week = 7 * 24 * time.Hour

// signTree signs the zones of a tree, children before their parents.
func signTree(t testing.TB, tr *tree.Tree, how map[string]signing) {
	t.Helper()
	now := time.Now()
	for i := len(tr.Zones) - 1; i >= 0; i-- {
		z := &tr.Zones[i]
		h := how[z.Origin.String()]
		if h.none {
			continue
		}
		if h.algorithm == 0 {
			h.algorithm = dnssec.ECDSAP256SHA256
		}
		if h.begin == h.end {
			h.begin, h.end = -week, week
		}
		ksk, err := dnssec.NewKey(z.Origin, h.algorithm, msg.FlagZone|msg.FlagSEP, nil)
		must(t, err)
		zsk, err := dnssec.NewKey(z.Origin, h.algorithm, msg.FlagZone, nil)
		must(t, err)
		o := dnssec.SignOptions{Keys: []*dnssec.Key{ksk, zsk}, Inception: now.Add(h.begin), Expiration: now.Add(h.end), NSEC3: h.nsec3}
		z.Records, err = dnssec.SignZone(z.Records, z.Origin, o)
		must(t, err)
		if h.after != nil {
			z.Records = h.after(z, z.Records)
		}
		ds := ksk.DS(3600)
		if h.ds != nil {
			ds = h.ds(ksk)
		}
		if z.Origin == msg.Root {
			tr.Anchors = []msg.RR{ds}
			continue
		}
		p := parentOf(tr, z.Origin)
		if !how[p.Origin.String()].none {
			p.Records = append(p.Records, ds)
		}
	}
}

func parentOf(tr *tree.Tree, origin msg.Name) *tree.Zone {
	for at := origin.Parent(); ; at = at.Parent() {
		for i := range tr.Zones {
			if tr.Zones[i].Origin.Equal(at) {
				return &tr.Zones[i]
			}
		}
	}
}

// addZone adds a zone to a tree, with www, a wildcard and a CNAME, at the server of host.test.
func addZone(t testing.TB, tr *tree.Tree, name string) {
	t.Helper()
	origin := msg.MustName(name)
	z := tree.Zone{Origin: origin}
	for _, line := range []string{
		"@ 3600 IN SOA ns.host.test. hostmaster.weir.example. 1 3600 600 604800 60", "@ 3600 IN NS ns.host.test.",
		"www.@ 300 IN A 203.0.113.80", "www.@ 300 IN AAAA 2001:db8:53::50", "*.wild.@ 300 IN TXT \"any name\"",
		"alias.@ 300 IN CNAME www.weir.example.",
	} {
		rr, err := msg.ParseRR(strings.ReplaceAll(line, "@", name))
		must(t, err)
		z.Records = append(z.Records, rr)
	}
	tr.Zones = append(tr.Zones, z)
	p := parentOf(tr, origin)
	p.Records = append(p.Records, msg.NS(origin, 86400, msg.MustName("ns.host.test.")))
	for i := range tr.Servers {
		if tr.Servers[i].Name.Equal(msg.MustName("ns.host.test.")) {
			tr.Servers[i].Zones = append(tr.Servers[i].Zones, origin)
		}
	}
}

// without leaves out the records that drop is true for.
func without(rrs []msg.RR, drop func(msg.RR) bool) []msg.RR {
	keep := rrs[:0:0]
	for _, rr := range rrs {
		if !drop(rr) {
			keep = append(keep, rr)
		}
	}
	return keep
}

// signatureOf reports whether a record is a signature of one of the types.
func signatureOf(rr msg.RR, types ...msg.Type) bool {
	sig, ok := rr.RRSIG()
	for _, t := range types {
		if ok && sig.Covered == t {
			return true
		}
	}
	return false
}

// brokenZones are those of comparedTree that do not validate, each with the code that says why, and that are
// not signed in a way that anybody checks.
var brokenZones = []struct {
	name string
	how  signing
	ede  uint16
	// rcode is SERVFAIL where the zone is bogus.
	rcode msg.Rcode
}{
	{"expired.example.", signing{begin: -2 * week, end: -week}, msg.EDESignatureExpired, msg.RcodeServerFailure},
	{"notyet.example.", signing{begin: week, end: 2 * week}, msg.EDESignatureNotYetValid, msg.RcodeServerFailure},
	{"bogus.example.", signing{after: forgeData}, msg.EDEBogus, msg.RcodeServerFailure},
	{"nosig.example.", signing{after: dropSignatures}, msg.EDERRSIGsMissing, msg.RcodeServerFailure},
	{"nokey.example.", signing{ds: anotherKey}, msg.EDEDNSKEYMissing, msg.RcodeServerFailure},
	{"unsigned.example.", signing{after: dropAllOfDNSSEC}, msg.EDEDNSKEYMissing, msg.RcodeServerFailure},
	{"nodenial.example.", signing{after: dropDenials}, msg.EDENSECMissing, msg.RcodeServerFailure},
	{"digest.example.", signing{ds: unknownDigest}, msg.EDEUnsupportedDigest, msg.RcodeSuccess},
	{"algorithm.example.", signing{ds: unknownAlgorithm}, msg.EDEUnsupportedAlgorithm, msg.RcodeSuccess},
}

// forgeData changes an address after it was signed.
func forgeData(_ *tree.Zone, rrs []msg.RR) []msg.RR {
	for i, rr := range rrs {
		if rr.Type == msg.TypeA {
			rrs[i] = msg.A(rr.Name, rr.TTL, netip.MustParseAddr("203.0.113.99"))
		}
	}
	return rrs
}

func dropSignatures(_ *tree.Zone, rrs []msg.RR) []msg.RR {
	return without(rrs, func(rr msg.RR) bool { return signatureOf(rr, msg.TypeA) })
}

func dropAllOfDNSSEC(_ *tree.Zone, rrs []msg.RR) []msg.RR {
	return without(rrs, func(rr msg.RR) bool {
		return rr.Type == msg.TypeRRSIG || rr.Type == msg.TypeNSEC || rr.Type == msg.TypeDNSKEY
	})
}

func dropDenials(_ *tree.Zone, rrs []msg.RR) []msg.RR {
	return without(rrs, func(rr msg.RR) bool { return rr.Type == msg.TypeNSEC || signatureOf(rr, msg.TypeNSEC) })
}

// anotherKey is the DS of a key that the zone does not have.
func anotherKey(k *dnssec.Key) msg.RR {
	other, err := dnssec.NewKey(k.Zone, k.Algorithm, k.Flags, []byte("a key that was never published"))
	if err != nil {
		panic(err)
	}
	return other.DS(3600)
}

func unknownDigest(k *dnssec.Key) msg.RR {
	ds, _ := k.DS(3600).DS()
	ds.DigestType = 200
	return msg.NewRR(k.Zone, msg.TypeDS, 3600, ds.Data())
}

func unknownAlgorithm(k *dnssec.Key) msg.RR {
	ds, _ := k.DS(3600).DS()
	ds.Algorithm = 200
	return msg.NewRR(k.Zone, msg.TypeDS, 3600, ds.Data())
}

// comparedTree is the demonstration tree, signed, with an insecure delegation (lab.weir.example), zones of other
// algorithms, and the broken zones.
func comparedTree(t testing.TB) *tree.Tree {
	t.Helper()
	tr, err := tree.New(tree.Options{})
	must(t, err)
	how := map[string]signing{
		"example.":          {nsec3: &dnssec.NSEC3Options{}},
		"test.":             {nsec3: &dnssec.NSEC3Options{OptOut: true}},
		"lab.weir.example.": {none: true},
		"rsa.example.":      {algorithm: dnssec.RSASHA256},
		"ed25519.example.":  {algorithm: dnssec.ED25519, nsec3: &dnssec.NSEC3Options{Salt: []byte("salt"), Iterations: 1}},
		"insecure.test.":    {none: true},
	}
	for _, z := range []string{"rsa.example.", "ed25519.example.", "insecure.test."} {
		addZone(t, tr, z)
	}
	for _, b := range brokenZones {
		addZone(t, tr, b.name)
		how[b.name] = b.how
	}
	signTree(t, tr, how)
	return tr
}

// addresses gives the namespace's kernel addresses of its own.
func (l *lab) addresses(list ...netip.Addr) {
	l.t.Helper()
	var batch strings.Builder
	batch.WriteString("link set lo up\n")
	for _, a := range list {
		fmt.Fprintf(&batch, "addr add %v dev lo", netip.PrefixFrom(a, a.BitLen()))
		if a.Is6() {
			batch.WriteString(" nodad")
		}
		batch.WriteString("\n")
	}
	l.ok(batch.String(), "ip", "-batch", "-")
}

// nsdTree has NSD serve a tree: one for each of its servers, at that one's addresses, with its zones and no others.
func (l *lab) nsdTree(tr *tree.Tree, dir string) {
	l.t.Helper()
	path := program(l.t, "nsd")
	var wait []func()
	for _, s := range tr.Servers {
		l.addresses(s.Addrs...)
		at := shortTempDir(l.t)
		var conf strings.Builder
		conf.WriteString("server:\n")
		for _, a := range s.Addrs {
			fmt.Fprintf(&conf, "\tip-address: %v\n", a)
		}
		fmt.Fprintf(&conf, "\tport: 53\n\tusername: \"\"\n\tzonesdir: %q\n\tdatabase: \"\"\n\tpidfile: %q\n\tzonelistfile: %q\n\txfrdfile: %q\n\txfrdir: %q\n\tserver-count: 1\n\tzonefiles-write: 0\n"+
			"\trrl-ratelimit: 0\nremote-control:\n\tcontrol-enable: no\n", at, at+"/pid", at+"/zones", at+"/xfrd", at)
		for _, z := range s.Zones {
			fmt.Fprintf(&conf, "zone:\n\tname: %q\n\tzonefile: %q\n", z, filepath.Join(dir, tree.FileName(z)))
		}
		must(l.t, os.WriteFile(at+"/nsd.conf", []byte(conf.String()), 0o600))
		o := l.other(netip.AddrPortFrom(s.Addrs[0], 53).String(), at, path, "-d", "-c", at+"/nsd.conf")
		wait = append(wait, func() {
			for _, z := range s.Zones {
				o.answers(l, z.String(), true)
			}
		})
	}
	for _, f := range wait {
		f()
	}
}

// strict is unbound's configuration for a tree of documentation prefixes: validating with all its hardening, and with
// the codes that say why (RFC 8914).
func strict(dir string) []string {
	return []string{
		"trust-anchor-file: \"" + filepath.Join(dir, "root.key") + "\"", "ede: yes", "val-log-level: 1",
		"harden-glue: yes", "harden-dnssec-stripped: yes", "harden-below-nxdomain: yes", "harden-referral-path: no",
		"harden-algo-downgrade: no", "qname-minimisation: yes", "aggressive-nsec: yes", "num-threads: 1",
		"val-clean-additional: yes", "trust-anchor-signaling: no", "root-key-sentinel: no",
		"local-zone: \"127.in-addr.arpa.\" nodefault",
	}
}

// kernel dials from a lab's kernel, as what a client.Client takes.
type kernel struct{ l *lab }

func (k kernel) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return k.l.dial(ctx, network, address)
}

// questioner asks resolvers of a lab, with cookies: who has none is held to a rate.
type questioner struct {
	l *lab
	c *client.Client
}

func (l *lab) questioner() *questioner {
	q := &questioner{l, &client.Client{Network: kernel{l}, NoCase: true, Timeout: patience}}
	l.t.Cleanup(q.c.Close)
	return q
}

// ask asks a resolver, with DO and CD or without, and fails the test if there is no answer.
func (a *questioner) ask(at string, q msg.Question, do, cd bool) (*msg.Message, error) {
	to, err := netip.ParseAddrPort(at)
	if err != nil {
		return nil, err
	}
	m := msg.NewQuery(q.Name, q.Type, true)
	m.AuthenticData, m.CheckingDisabled = true, cd
	m.EDNS = &msg.EDNS{DO: do}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	reply, _, err := a.c.Exchange(ctx, m, to, client.Options{})
	return reply, err
}

func question(name, typ string) msg.Question {
	t, err := msg.ParseType(typ)
	if err != nil {
		panic(err)
	}
	return msg.Question{Name: msg.MustName(name), Type: t, Class: msg.ClassINET}
}
