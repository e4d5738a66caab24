package msg

import (
	"reflect"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// seeds are messages of several kinds, which are all read: a target that returns at once holds nothing against anything.
func seeds(t testing.TB) [][]byte {
	var all [][]byte
	add := func(m *Message) {
		p, err := m.Append(nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	add(message(t))
	q := NewQuery(MustName("wWw.example."), TypeA, true)
	add(q)
	q.EDNS = &EDNS{Size: 4096, DO: true, Options: []Option{{OptionCookie, []byte("12345678")}, {OptionNSID, nil}}}
	add(q)
	q.EDNS.Options = []Option{{1, make([]byte, 8)}} // LLQ, whose data has 18 octets (RFC 8764 3.2)
	add(q)
	q.Opcode = OpcodeNotify
	add(q)
	for i := range lines {
		m := NewQuery(MustName("example."), TypeANY, true)
		r, err := ParseRR(lines[i])
		if err != nil {
			t.Fatal(err)
		}
		m.Answer = []RR{r}
		add(m)
	}
	// A chain of names that are each compressed onto the one before.
	all = append(all, []byte("\x00\x01\x80\x00\x00\x01\x00\x02\x00\x00\x00\x00"+
		"\x01a\x07example\x00\x00\x01\x00\x01"+
		"\xc0\x0c\x00\x0f\x00\x01\x00\x00\x00\x05\x00\x06\x00\x0a\x01m\xc0\x0e"+
		"\x01b\xc0\x29\x00\x21\x00\x01\x00\x00\x00\x05\x00\x0a\x00\x00\x00\x00\x00\x35\x01s\xc0\x2d"))
	// A response code of which EDNS has the upper bits, and an option without data.
	all = append(all, []byte("\x00\x01\x80\x07\x00\x01\x00\x00\x00\x00\x00\x01"+
		"\x01a\x00\x00\x01\x00\x01"+"\x00\x00\x29\x04\xd0\x01\x00\x80\x00\x00\x04\x00\x03\x00\x00"))
	for _, p := range all {
		if err := new(Message).Unpack(p); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// expanding is a message of some 3 kB that has more than 64 without compression of the names in its rdata, which ours leaves out.
func expanding() []byte {
	p := []byte("\x00\x01\x80\x00\x00\x01\x00\xc8\x00\x00\x00\x00")
	for range 3 {
		p = append(append(p, maxLabel), strings.Repeat("x", maxLabel)...)
	}
	p = append(p, "\x00\x00\x01\x00\x01"...)
	for range 200 {
		p = append(p, "\xc0\x0c\x00\x1a\x00\x01\x00\x00\x00\x05\x00\x06\x00\x01\xc0\x0c\xc0\x0c"...) // PX
	}
	return p
}

// deep is a message with names of one label, of two and so on to 127, each compressed onto the one before, and the last one twice.
func deep() []byte {
	m := NewQuery(Root, TypeA, false)
	n := Root
	for range 127 {
		n, _ = n.Child("a")
		m.Answer = append(m.Answer, NewRR(n, TypeA, 1, "\xc0\x00\x02\x01"))
	}
	m.Answer = append(m.Answer, NewRR(n, TypeTXT, 1, "\x00"))
	p, _ := m.Append(nil, 0)
	return p
}

func FuzzUnpackedMessagesPackToThemselves(f *testing.F) {
	for _, p := range seeds(f) {
		f.Add(p)
	}
	// An NSEC record with a bitmap that ends in a zero octet.
	f.Add([]byte("\x00\x01\x80\x00\x00\x00\x00\x01\x00\x00\x00\x00\x01a\x00\x00\x2f\x00\x01\x00\x00\x00\x05\x00\x07\x01b\x00\x00\x02\x40\x00"))
	f.Add(expanding())
	f.Add(deep())
	f.Fuzz(func(t *testing.T, p []byte) {
		var m, again Message
		if m.Unpack(p) != nil {
			return
		}
		_ = m.String()
		if plainSize(&m) > MaxSize {
			return // it may have come by more compression than ours, and then some of it is left out
		}
		q, err := m.Append(nil, 0)
		if err != nil {
			t.Fatalf("%v\n%s", err, &m)
		}
		if err := again.Unpack(q); err != nil {
			t.Fatalf("%v\n%s", err, &m)
		}
		if !reflect.DeepEqual(m, again) {
			t.Fatalf("got\n%s\nwant\n%s", &again, &m)
		}
		for _, s := range [][]RR{m.Answer, m.Authority, m.Additional} {
			for _, r := range s {
				checkRecord(t, r)
			}
		}
	})
}

// plainSize is how many octets m has without compression.
func plainSize(m *Message) int {
	n := headerSize
	for _, q := range m.Question {
		n += len(q.Name) + 4
	}
	for _, s := range [][]RR{m.Answer, m.Authority, m.Additional} {
		for _, r := range s {
			n += len(r.Name) + 10 + len(r.Data)
		}
	}
	if m.EDNS != nil {
		n += m.EDNS.size()
	}
	return n
}

// checkRecord holds a record that was unpacked against what its text is read as.
func checkRecord(t *testing.T, r RR) {
	if err := r.Check(); err != nil && len(r.Data) > 0 {
		t.Fatalf("%s was unpacked, and is wrong: %v", r, err)
	}
	if r.Target() != "" && !r.Target().Valid() {
		t.Fatalf("%s: its target is malformed", r)
	}
	if data, ok := rebuilt(r); ok && data != r.Data && len(r.Data) > 0 {
		t.Fatalf("%s: made of its view: %x, want %x", r, data, r.Data)
	}
}

// pointedOPT is a query with an OPT record whose name is a pointer to the root's octet of the question.
const pointedOPT = "\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01" +
	"\x01a\x07example\x00\x00\x01\x00\x01" + "\xc0\x16\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"

func FuzzQueryAgreesWithUnpack(f *testing.F) {
	for _, p := range seeds(f) {
		f.Add(p)
	}
	f.Add([]byte(pointedOPT))
	f.Fuzz(func(t *testing.T, p []byte) {
		var q Query
		var m Message
		plain, err := q.Parse(p), m.Unpack(p)
		if !plain {
			if err == nil && isPlain(&m, p) {
				t.Fatalf("not taken for plain:\n%s", &m)
			}
			return
		}
		if err != nil {
			t.Fatalf("taken for plain: %v", err)
		}
		want := m.Question[0]
		if q.ID != m.ID || q.Opcode != m.Opcode || q.RD != m.RecursionDesired || q.AD != m.AuthenticData || q.CD != m.CheckingDisabled ||
			q.Type != want.Type || q.Class != want.Class || Name(q.Asked()) != want.Name || Name(q.Name()) != want.Name.Fold() ||
			q.Labels != want.Name.Labels() || q.EDNS != (m.EDNS != nil) {
			t.Fatalf("%+v\n%s", q, &m)
		}
		if m.EDNS != nil {
			cookie, _ := m.EDNS.Option(OptionCookie)
			if q.DO != m.EDNS.DO || q.Version != m.EDNS.Version || q.Size != max(m.EDNS.Size, MinSize) || string(q.Cookie) != string(cookie) {
				t.Fatalf("%+v\n%s", q, &m)
			}
		}
	})
}

// isPlain reports whether the message m, which p is, is one that Query is made for. The OPT record's name must be the root's
// octet: a pointer to one that stands before is the root as well (RFC 1035 section 4.1.4), and left to Unpack.
func isPlain(m *Message, p []byte) bool {
	cookie, has := m.EDNS.Option(OptionCookie)
	return len(m.Question) == 1 && len(m.Answer)+len(m.Authority)+len(m.Additional) == 0 && !m.Response && !m.Truncated &&
		m.Opcode == OpcodeQuery && m.Rcode == 0 && (!has || cookieLength(len(cookie))) &&
		(m.EDNS == nil || p[headerSize+len(m.Question[0].Name)+4] == 0)
}

// What we pack, github.com/miekg/dns reads, and packs into what we read as the same.
func FuzzOtherReadersAgree(f *testing.F) {
	for _, p := range seeds(f) {
		f.Add(p)
	}
	f.Add(deep())
	f.Fuzz(func(t *testing.T, p []byte) {
		var m, again Message
		if m.Unpack(p) != nil || len(m.Question) != 1 || plainSize(&m) > MaxSize {
			return
		}
		ref, err := byMiekg(&m)
		if err != nil && m.EDNS != nil {
			// An option's data is passed on as it came (RFC 6891 6.1.2); miekg/dns knows the
			// formats of some, and refuses the whole message where one does not keep to it.
			m.EDNS.Options = nil
			ref, err = byMiekg(&m)
		}
		if err != nil {
			t.Fatalf("miekg/dns: %v\n%s", err, &m)
		}
		if len(ref.Answer) != len(m.Answer) || len(ref.Ns) != len(m.Authority) {
			t.Fatalf("miekg/dns reads\n%s\nof\n%s", ref, &m)
		}
		if q, err := ref.Pack(); err == nil && again.Unpack(q) == nil && again.Question[0] != m.Question[0] {
			t.Fatalf("%v, want %v", again.Question, m.Question)
		}
	})
}

// byMiekg returns m, packed by us, as github.com/miekg/dns reads it.
func byMiekg(m *Message) (*dns.Msg, error) {
	p, _ := m.Append(nil, 0)
	ref := new(dns.Msg)
	err := ref.Unpack(p)
	if err != nil && strings.Contains(err.Error(), "too many compression pointers") {
		// It follows 126 of them for one name. A name of 127 labels that stands there a second time can take
		// one more, which RFC 1035 section 4.1.4 does not forbid: then it is to read the message without any.
		err = ref.Unpack(uncompressed(m))
	}
	return ref, err
}

// uncompressed packs a message with no room to remember a name in.
func uncompressed(m *Message) []byte {
	p := builder{limit: MaxSize}
	for i := range p.names.at {
		p.names.at[i] = gone
	}
	_ = p.message(m)
	return p.b
}

func FuzzNamesAreReadAsWritten(f *testing.F) {
	for _, s := range []string{".", "a.b.", `\.\000x\\.y`, "*.x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseName(s)
		if err != nil {
			return
		}
		again, err := ParseName(n.String())
		if err != nil || again != n || !n.Valid() {
			t.Fatalf("%q: %q, written %q, read %q (%v)", s, n, n, again, err)
		}
		if ref, _, err := dns.UnpackDomainName([]byte(n), 0); err != nil || dns.CountLabel(ref) != n.Labels() {
			t.Fatalf("%q: miekg/dns reads %q (%v)", n, ref, err)
		}
	})
}
