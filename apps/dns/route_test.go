package dns

import (
	"net/netip"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
)

// eager answers everything in the receive path.
type eager struct{ server.Handler }

func (eager) AnswerDirect(dst []byte, q *msg.Query, _ netip.AddrPort, _ server.Transport) ([]byte, bool) {
	return append(dst, q.Wire...), true
}

// The receive path asks who may, too: what a cache has is for neighbours only.
func TestDirectAnswersOfOthersAreForNeighbours(t *testing.T) {
	r := &route{recursion: newTarget(eager{}), allow: DefaultAllow(), size: 1232}
	p, err := msg.NewQuery(msg.MustName("www.test."), msg.TypeA, true).Append(nil, 512)
	if err != nil {
		t.Fatal(err)
	}
	var q msg.Query
	if !q.Parse(p) {
		t.Fatal("no plain query")
	}
	for from, want := range map[string]msg.Rcode{"10.0.0.1:4000": 0, "203.0.113.1:4000": msg.RcodeRefused} {
		answer, ok := r.AnswerDirect(nil, &q, netip.MustParseAddrPort(from), server.UDP)
		if !ok || msg.Rcode(answer[3]&15) != want {
			t.Errorf("%s: %x, %v", from, answer, ok)
		}
	}
}
