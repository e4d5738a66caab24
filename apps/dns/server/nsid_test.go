package server_test

import (
	"strings"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
)

// nsidOf asks and returns what the answer's NSID option says, "none" where it has none.
func nsidOf(t *testing.T, l *lab, network string, m *msg.Message) string {
	t.Helper()
	c := l.dial(network, serverAddr)
	defer c.Close()
	var got *msg.Message
	if network == "udp" {
		got = ask(t, c, m)
	} else {
		c.Write(framed(pack(t, m)))
		got = unpack(t, readFramed(t, c))
	}
	id, ok := got.EDNS.Option(msg.OptionNSID)
	if !ok {
		return "none"
	}
	return string(id)
}

// RFC 5001 §2: the name is told to whoever asks for it and to nobody else, whoever makes the answer.
func TestNSIDIsToldToWhomAsksForIt(t *testing.T) {
	l := newLab(t, server.Config{NSID: "one of two"})
	for _, network := range []string{"udp", "tcp"} {
		for _, name := range []string{"direct.example.", "other.example."} {
			plain := withEDNS(query(name, msg.TypeA), 1232)
			asks := withEDNS(query(name, msg.TypeA), 1232)
			asks.EDNS.SetOption(msg.OptionNSID, nil)
			version := withEDNS(query(name, msg.TypeA), 1232)
			version.EDNS.SetOption(msg.OptionNSID, nil)
			version.EDNS.Version = 1
			for what, m := range map[string]*msg.Message{"none": plain, "one of two": asks} {
				if got := nsidOf(t, l, network, m); got != what {
					t.Errorf("%s over %s: %q, want %q", name, network, got, what)
				}
			}
			if got := nsidOf(t, l, network, version); got != "none" && got != "one of two" {
				t.Errorf("another version of EDNS: %q", got)
			}
		}
	}
	asks := withEDNS(query("direct.example.", msg.TypeA), 1232)
	asks.EDNS.SetOption(msg.OptionNSID, []byte("which is of no account"))
	for _, name := range []string{"another", ""} {
		l.srv.Reconfigure(server.Config{NSID: name})
		want := name
		if name == "" {
			want = "none"
		}
		if got := nsidOf(t, l, "udp", asks); got != want {
			t.Errorf("when it is %q: %q", name, got)
		}
	}
}

// The longest name takes no answer above what the client has room for, and none is longer.
func TestNSIDIsBounded(t *testing.T) {
	longest := strings.Repeat("n", server.MaxNSID)
	if err := (server.Config{NSID: longest}).Check(); err != nil {
		t.Error(err)
	}
	if err := (server.Config{NSID: longest + "n"}).Check(); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("a longer one: %v", err)
	}
	l := newLab(t, server.Config{NSID: longest + "more"})
	c := l.dial("udp", serverAddr)
	for _, size := range []uint16{512, 900, 1000, 1232} {
		for _, name := range []string{"direct.example.", "mid.example.", "big.example."} {
			m := withEDNS(query(name, msg.TypeTXT), size)
			if name == "direct.example." {
				m.Question[0].Type = msg.TypeA
			}
			m.EDNS.SetOption(msg.OptionNSID, nil)
			c.Write(pack(t, m))
			buf := make([]byte, 65535)
			n, err := c.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			if id, _ := unpack(t, buf[:n]).EDNS.Option(msg.OptionNSID); n > int(size) || string(id) != longest {
				t.Errorf("%s with room for %d: %d octets, NSID %q", name, size, n, id)
			}
		}
	}
}

// Who is held back gets no more for having asked for the name.
func TestNSIDIsNotInAnswersThatSayToComeAgain(t *testing.T) {
	l := newLab(t, server.Config{NSID: "a name", Cookies: server.Cookies{Require: true}})
	for _, name := range []string{"direct.example.", "other.example."} {
		m := withEDNS(query(name, msg.TypeA), 1232)
		m.EDNS.SetOption(msg.OptionNSID, nil)
		if got := nsidOf(t, l, "udp", m); got != "none" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// What is packed by who answers may be signed: nothing is put into it.
func TestNSIDIsNotPutIntoWhatIsPacked(t *testing.T) {
	l := newLab(t, server.Config{NSID: "a name"})
	c := l.dial("tcp", serverAddr)
	m := withEDNS(query("parts.example.", msg.TypeA), 1232)
	m.EDNS.SetOption(msg.OptionNSID, nil)
	c.Write(framed(pack(t, m)))
	for n := range 3 {
		got := unpack(t, readFramed(t, c))
		if _, ok := got.EDNS.Option(msg.OptionNSID); ok || got.EDNS == nil {
			t.Errorf("message %d: %v", n, got)
		}
	}
}
