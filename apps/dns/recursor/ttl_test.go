package recursor_test

import (
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
	"github.com/weirnet/weir/apps/dns/tree"
)

// The SOA record of a denial lasts as long as the denial (RFC 2308 §5). Who asks for the zone's SOA gets it with the TTL that it has
// itself, whatever was denied before.
func TestSOAOfADenialIsNotTheZones(t *testing.T) {
	inTree(t, tree.Options{}, nil, func(w *world) {
		a := w.ask("www.weir.example", "PTR")
		if len(a.Authority) != 1 || a.Authority[0].TTL != 60 {
			t.Fatalf("NODATA:\n%v", a.Message)
		}
		time.Sleep(time.Second)
		a = w.askWith("weir.example", "SOA", recursor.QueryOptions{DO: true})
		if len(a.Answer) != 2 || a.Answer[0].TTL != 3600 || a.Answer[1].TTL != 3600 || !a.AuthenticData {
			t.Errorf("SOA after NODATA:\n%v", a.Message)
		}
		a = w.ask("www.weir.example", "RP") // made from the same NSEC record
		if a.sent != 0 || !a.has(msg.EDESynthesized) || len(a.Authority) != 1 || a.Authority[0].TTL != 59 {
			t.Errorf("another NODATA, %d queries:\n%v", a.sent, a.Message)
		}
	})
}
