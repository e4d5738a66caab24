package tsig

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/weirnet/weir/apps/dns/msg"
)

var (
	now    = time.Unix(1_700_000_000, 0)
	secret = []byte("a secret of both sides, long enough")
	algs   = []Algorithm{HMACSHA1, HMACSHA224, HMACSHA256, HMACSHA384, HMACSHA512}
)

func testKey(a Algorithm) Key {
	return Key{Name: msg.MustName("Transfer.Example."), Algorithm: a, Secret: secret}
}

func packed(t *testing.T, name string, response bool) []byte {
	t.Helper()
	m := msg.NewQuery(msg.MustName(name), msg.TypeSOA, false)
	m.ID, m.Response = 4711, response
	m.EDNS = &msg.EDNS{Size: 1232}
	p, err := m.Append(nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// exchange signs a query and has it accepted.
func exchange(t *testing.T, k Key) (client, server *Session) {
	t.Helper()
	p, client, err := Request(packed(t, "example.", false), k, now)
	if err != nil {
		t.Fatal(err)
	}
	server, err = Accept(p, Keys(k), now.Add(299*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return client, server
}

func TestWhatOneSideSignsTheOtherVerifies(t *testing.T) {
	for _, a := range algs {
		for _, size := range []int{0, hashes[a].Size() / 2, hashes[a].Size() - 1} {
			k := testKey(a)
			k.MACSize = max(size, min(size, 1)*10)
			client, server := exchange(t, k)
			for i := range 3 {
				plain := packed(t, "answer.example.", true)
				p, err := server.Sign(append([]byte(nil), plain...), now)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := client.Verify(p, now); err != nil || string(got) != string(plain) {
					t.Errorf("%s, %d octets, answer %d: %v", a, k.MACSize, i, err)
				}
			}
			if err := client.Done(); err != nil {
				t.Error(err)
			}
		}
	}
}

// github.com/miekg/dns has TSIG of its own, which is what is held against ours here.
func TestAnotherImplementationAgrees(t *testing.T) {
	text := base64.StdEncoding.EncodeToString(secret)
	for _, a := range algs {
		k := testKey(a)
		p, client, err := Request(packed(t, "example.", false), k, now)
		if err != nil {
			t.Fatal(err)
		}
		var theirs dns.Msg
		if err := theirs.Unpack(p); err != nil {
			t.Fatal(err)
		}
		ours := theirs.IsTsig()
		if err := verifyThere(p, text, ""); err != nil {
			t.Errorf("%s: our query: %v", a, err)
		}
		answer := new(dns.Msg).SetReply(&theirs)
		prior := ours.MAC
		for i := range 3 {
			answer.Extra = nil
			answer.SetTsig(ours.Hdr.Name, ours.Algorithm, 300, now.Unix())
			q, mac, err := dns.TsigGenerate(answer, text, prior, i > 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.Verify(q, now); err != nil {
				t.Errorf("%s: their answer %d: %v", a, i, err)
			}
			prior = mac
		}
	}
}

// verifyThere checks p with miekg/dns at the time it was signed.
func verifyThere(p []byte, secret, prior string) error {
	var m dns.Msg
	if err := m.Unpack(p); err != nil {
		return err
	}
	// Its clock cannot be set, so the MAC is made again and compared.
	sig := m.IsTsig()
	want := sig.MAC
	again, mac, err := dns.TsigGenerate(&m, secret, prior, false)
	if err != nil || mac != want {
		return &Error{Code: msg.RcodeBadSig, why: mac + " is not " + want}
	}
	_ = again
	return nil
}

func TestWhatIsNotSignedByTheKeyIsRefused(t *testing.T) {
	k := testKey(HMACSHA256)
	other := k
	other.Name = msg.MustName("other.")
	wrong := k
	wrong.Secret = []byte("another secret")
	sha512 := k
	sha512.Algorithm = HMACSHA512
	short := k
	short.MACSize = 16
	for _, c := range []struct {
		what string
		key  Key
		at   time.Time
		edit func(p []byte) []byte
		want msg.Rcode
	}{
		{"an unknown key", other, now, nil, msg.RcodeBadKey},
		{"another algorithm", sha512, now, nil, msg.RcodeBadKey},
		{"another secret", wrong, now, nil, msg.RcodeBadSig},
		{"a changed octet", k, now, func(p []byte) []byte { p[14] ^= 1; return p }, msg.RcodeBadSig},
		{"too old", k, now.Add(301 * time.Second), nil, msg.RcodeBadTime},
		{"of the future", k, now.Add(-301 * time.Second), nil, msg.RcodeBadTime},
		{"a short MAC", short, now, nil, msg.RcodeBadTrunc},
	} {
		p, client, err := Request(packed(t, "example.", false), c.key, now)
		if err != nil {
			t.Fatal(err)
		}
		if c.edit != nil {
			p = c.edit(p)
		}
		server, err := Accept(p, Keys(k), c.at)
		if Code(err) != c.want || server == nil {
			t.Errorf("%s: %v, want %s", c.what, err, c.want)
			continue
		}
		answer, err := server.Sign(packed(t, "example.", true), c.at)
		if err != nil {
			t.Fatal(err)
		}
		// The answer says why, signed where the key could be trusted (RFC 8945 section 5.3.2).
		_, err = client.Verify(answer, now)
		var m msg.Message
		if e := m.Unpack(answer); e != nil {
			t.Fatal(e)
		}
		if Code(err) != c.want && c.want != msg.RcodeBadTrunc || !strings.Contains(err.Error(), "the other side") && c.want != msg.RcodeBadTrunc {
			t.Errorf("%s: the answer: %v", c.what, err)
		}
		sig, _ := parseRecord(m.Additional[0])
		signed := c.want == msg.RcodeBadTime || c.want == msg.RcodeBadTrunc
		if sig.err != c.want || (len(sig.mac) > 0) != signed || (c.want == msg.RcodeBadTime) != (len(sig.other) == 6) {
			t.Errorf("%s: error %s, a MAC of %d octets, %d octets of other data", c.what, sig.err, len(sig.mac), len(sig.other))
		}
	}
}

func TestAnswersAreOfTheirQueryAndInTheirOrder(t *testing.T) {
	k := testKey(HMACSHA256)
	client, server := exchange(t, k)
	one, _ := server.Sign(packed(t, "one.example.", true), now)
	two, _ := server.Sign(packed(t, "two.example.", true), now)
	if _, err := client.Verify(two, now); Code(err) != msg.RcodeBadSig {
		t.Errorf("the second before the first: %v", err)
	}
	client, server = exchange(t, k)
	if _, err := client.Verify(one, now); err != nil {
		t.Errorf("the same query at the same time has the same MAC: %v", err)
	}
	_ = server
	p, _, err := Request(packed(t, "elsewhere.example.", false), k, now)
	if err != nil {
		t.Fatal(err)
	}
	another, err := Accept(p, Keys(k), now)
	if err != nil {
		t.Fatal(err)
	}
	foreign, _ := another.Sign(packed(t, "one.example.", true), now)
	client, _ = exchange(t, k)
	if _, err := client.Verify(foreign, now); Code(err) != msg.RcodeBadSig {
		t.Errorf("the answer to another query: %v", err)
	}
}

func TestUnsignedMessagesAreCoveredByTheNextMAC(t *testing.T) {
	k := testKey(HMACSHA256)
	stream := func(unsigned int, edit bool) error {
		client, server := exchange(t, k)
		first, _ := server.Sign(packed(t, "first.example.", true), now)
		if _, err := client.Verify(first, now); err != nil {
			return err
		}
		var between []byte
		for range unsigned {
			p := packed(t, "between.example.", true)
			if edit {
				p[13] ^= 1
			}
			if _, err := client.Verify(p, now); err != nil {
				return err
			}
			between = append(between, packed(t, "between.example.", true)...)
		}
		if unsigned > 0 && client.Done() == nil {
			t.Error("done with an unsigned message")
		}
		// As a server would that signs some of its messages only.
		last := packed(t, "last.example.", true)
		sig := server.record(last, now)
		sig.mac = server.mac(sig, append(between, last...), true)
		_, err := client.Verify(count(sig.appendTo(last)), now)
		return err
	}
	for _, n := range []int{0, 1, 99} {
		if err := stream(n, false); err != nil {
			t.Errorf("%d unsigned: %v", n, err)
		}
	}
	if err := stream(100, false); Code(err) != msg.RcodeBadSig {
		t.Errorf("100 unsigned: %v", err)
	}
	if err := stream(1, true); Code(err) != msg.RcodeBadSig {
		t.Errorf("one unsigned, changed: %v", err)
	}
	client, _ := exchange(t, k)
	if _, err := client.Verify(packed(t, "first.example.", true), now); Code(err) != msg.RcodeBadSig {
		t.Errorf("an unsigned first answer: %v", err)
	}
}

func TestMalformedSignaturesAreFORMERR(t *testing.T) {
	k := testKey(HMACSHA256)
	good, _, _ := Request(packed(t, "example.", false), k, now)
	for i := range good {
		p := good[:i]
		s, err := Accept(p, Keys(k), now)
		if err == nil || Code(err) != msg.RcodeFormatError || s == nil || err.(*Error).Rcode() != msg.RcodeFormatError {
			t.Fatalf("%d octets of %d: %v", i, len(good), err)
		}
	}
	bare, _ := msg.NewQuery(msg.MustName("example."), msg.TypeSOA, false).Append(nil, 0)
	for _, p := range [][]byte{packed(t, "example.", false), bare} {
		if s, err := Accept(p, Keys(k), now); s != nil || err != nil {
			t.Errorf("a query that is not signed: %v", err)
		}
	}
	tiny := k
	tiny.MACSize = 10
	if _, _, err := Request(packed(t, "example.", false), tiny, now); err == nil {
		t.Error("a MAC shorter than the RFC allows is sent")
	}
}

func TestKeysAreReadAsDigTakesThem(t *testing.T) {
	k, err := ParseKey("hmac-SHA512:a.example:c2VjcmV0")
	if err != nil || k.Algorithm != HMACSHA512 || k.Name != msg.MustName("a.example") || string(k.Secret) != "secret" {
		t.Errorf("%v, %v", k, err)
	}
	if k, err := ParseKey("a.example:c2VjcmV0"); err != nil || k.Algorithm != HMACSHA256 {
		t.Errorf("%v, %v", k, err)
	}
	for _, bad := range []string{"", "a", "md5:a:c2VjcmV0", "a..b:c2VjcmV0", "a:secret!", "a:"} {
		if _, err := ParseKey(bad); err == nil || strings.Contains(err.Error(), "secret!") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzAcceptNeverPanics(f *testing.F) {
	k := testKey(HMACSHA256)
	m := msg.NewQuery(msg.MustName("example."), msg.TypeSOA, false)
	p, _ := m.Append(nil, 0)
	p, _, _ = Request(p, k, now)
	f.Add(p)
	f.Fuzz(func(t *testing.T, p []byte) {
		s, err := Accept(p, Keys(k), now)
		if err == nil && s != nil && s.refused != nil || err != nil && s == nil {
			t.Fatalf("%v, %v", s, err)
		}
		if s != nil && len(p) >= 12 {
			if _, err := s.Sign(append([]byte(nil), p[:12]...), now); err != nil && len(s.query.key) < 256 {
				t.Fatal(err)
			}
		}
	})
}

// An answer is signed with the key that the query was (RFC 8945 section 5.3): another name for the same secret is another key.
func TestAnswersOfAnotherKeyAreRefused(t *testing.T) {
	k := testKey(HMACSHA256)
	p, client, err := Request(packed(t, "example.", false), k, now)
	if err != nil {
		t.Fatal(err)
	}
	other := k
	other.Name = msg.MustName("other.example.")
	server, err := Accept(p, Keys(k), now)
	if err != nil {
		t.Fatal(err)
	}
	server.key = other
	if p, err = server.Sign(packed(t, "example.", true), now); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Verify(p, now); Code(err) != msg.RcodeBadKey {
		t.Errorf("%v, want BADKEY", err)
	}
}

// A forwarder may give a message another id: the MAC is of the one that it had (RFC 8945 section 5.3).
func TestForwardedMessagesHaveTheirOwnID(t *testing.T) {
	k := testKey(HMACSHA256)
	p, _, err := Request(packed(t, "example.", false), k, now)
	if err != nil {
		t.Fatal(err)
	}
	p[0], p[1] = p[0]+1, p[1]+1
	if s, err := Accept(p, Keys(k), now); err != nil || s == nil {
		t.Errorf("with another id: %v", err)
	}
}

// RFC 8945 section 5.2.2.1: a MAC has 10 octets at least and half of its algorithm's, or the message is malformed.
func TestShortMACsAreMalformed(t *testing.T) {
	for a, least := range map[Algorithm]int{HMACSHA1: 10, HMACSHA256: 16, HMACSHA512: 32} {
		k := testKey(a)
		k.MinMAC = 10
		p, _, err := Request(packed(t, "example.", false), k, now)
		if err != nil {
			t.Fatal(err)
		}
		r, plain, _, err := cut(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{least - 1, least} {
			short := r
			short.mac = r.mac[:n]
			_, err := Accept(count(short.appendTo(append([]byte(nil), plain...))), Keys(k), now)
			if want := map[bool]msg.Rcode{false: 0, true: msg.RcodeFormatError}[n < least]; Code(err) != want {
				t.Errorf("%v with %d octets: %v, want %v", a, n, err, want)
			}
		}
	}
}
