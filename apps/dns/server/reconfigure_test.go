package server_test

import (
	"bytes"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
)

// A running server makes cookies with the secret that it is given, and takes those of the two that it has.
func TestReconfigureTakesSecretsOfCookies(t *testing.T) {
	first, second := bytes.Repeat([]byte{1}, 16), bytes.Repeat([]byte{2}, 16)
	l := newLab(t, server.Config{Cookies: server.Cookies{Secret: first}})
	c := l.dial("udp", serverAddr)
	// with asks with a cookie, and returns the one that comes back and whether the one that was sent proved the client.
	with := func(cookie []byte) ([]byte, bool) {
		t.Helper()
		before := l.srv.Snapshot().Proven
		m := withEDNS(query("direct.example.", msg.TypeA), 1232)
		m.EDNS.SetOption(msg.OptionCookie, cookie)
		got, ok := ask(t, c, m).EDNS.Option(msg.OptionCookie)
		if !ok || len(got) != 24 {
			t.Fatalf("no cookie came: %x", got)
		}
		return got, l.srv.Snapshot().Proven > before
	}
	old, _ := with([]byte("12345678"))
	l.srv.Reconfigure(server.Config{Cookies: server.Cookies{Secret: second, Other: first}})
	renewed, ok := with(old)
	if !ok || bytes.Equal(old, renewed) {
		t.Errorf("with both secrets the first one's cookie is good %v, and %x comes back for %x", ok, renewed, old)
	}
	l.srv.Reconfigure(server.Config{Cookies: server.Cookies{Secret: second}})
	if _, ok := with(old); ok {
		t.Error("a cookie of a secret that is gone is good")
	}
	if _, ok := with(renewed); !ok {
		t.Error("a cookie of the secret that stays is not good")
	}
}

// What is answered from the header alone has RD and CD as the query has them (RFC 1035 §4.1.1, RFC 4035 §3.2.2), and its opcode.
func TestShortAnswersHaveTheFlagsOfTheQuery(t *testing.T) {
	l := newLab(t, server.Config{})
	c := l.dial("udp", serverAddr)
	for i := range 4 {
		version := withEDNS(query("direct.example.", msg.TypeA), 1232)
		version.EDNS.Version = 1
		update := query("direct.example.", msg.TypeSOA)
		update.Opcode = msg.OpcodeUpdate
		for _, m := range []*msg.Message{version, update} {
			m.RecursionDesired, m.CheckingDisabled = i&1 != 0, i&2 != 0
			got := ask(t, c, m)
			if got.RecursionDesired != m.RecursionDesired || got.CheckingDisabled != m.CheckingDisabled || got.Opcode != m.Opcode || got.Rcode == msg.RcodeSuccess || got.RecursionAvailable {
				t.Errorf("%v, RD %v, CD %v: %v", m.Opcode, m.RecursionDesired, m.CheckingDisabled, got)
			}
		}
	}
}
