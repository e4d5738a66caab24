package recursor

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/msg"
)

// EventKind is what a step was.
type EventKind uint8

// The steps of a resolution.
const (
	Ask        EventKind = iota // a server is asked
	Referral                    // it names the servers of a zone below
	Answer                      // it answers
	Alias                       // it answers with a CNAME or DNAME: Target is looked for next
	NoData                      // the name has no such records
	NXDomain                    // there is no such name
	Cached                      // the cache has it
	Stale                       // nobody answered, and the cache has what has expired
	Local                       // it is one of the names that a resolver answers itself
	Timeout                     // no answer in time
	Unusable                    // the server gave what is no use: Err says why
	RetryTCP                    // the answer was truncated: asked again over TCP
	FindServer                  // a server's name is looked up, to ask it
	Validated                   // DNSSEC: Security and Text say what came out
	Failed                      // the end, without an answer
)

var eventNames = [...]string{
	"ask", "referral", "answer", "alias", "nodata", "nxdomain", "cached", "stale", "local", "timeout", "unusable",
	"retry-tcp", "find-server", "validated", "failed",
}

func (k EventKind) String() string {
	if int(k) < len(eventNames) {
		return eventNames[k]
	}
	return fmt.Sprintf("event %d", uint8(k))
}

// Event is one step of a resolution. Which fields are set depends on the kind.
type Event struct {
	Time       time.Time
	Kind       EventKind
	Depth      int // 0 for the question itself, more for what had to be found out on the way
	Question   msg.Question
	Zone       msg.Name       // of the server; of Referral the zone that it leads to
	Server     netip.AddrPort // who was asked
	ServerName msg.Name
	Transport  client.Transport
	RTT        time.Duration
	TTL        uint32      // seconds, of what was learnt or of what is left of it
	Records    []msg.RRset // of Answer and Alias; of Referral the NS records and addresses
	Target     msg.Name    // of Alias
	Security   cache.Security
	Text       string // of Validated, Failed
	Err        error
}

// String tells the step in plain words.
func (e Event) String() string {
	q := fmt.Sprintf("%v %v", e.Question.Name, e.Question.Type)
	from := e.Server.String()
	if e.ServerName != "" {
		from = fmt.Sprintf("%v (%v)", e.ServerName, e.Server.Addr())
	}
	switch e.Kind {
	case Ask:
		return fmt.Sprintf("ask %s, a server of %v, for %s", from, e.Zone, q)
	case Referral:
		return fmt.Sprintf("%s refers us to the servers of %v: %s (kept for %d s; it took %v)", from, e.Zone, servers(e.Records), e.TTL, e.took())
	case Answer:
		return fmt.Sprintf("%s answers: %s (kept for %d s; it took %v)", from, records(e.Records), e.TTL, e.took())
	case Alias:
		return fmt.Sprintf("%v is another name for %v", e.Question.Name, e.Target)
	case NoData:
		return fmt.Sprintf("%s says: %v exists and has no %v (kept for %d s)", from, e.Question.Name, e.Question.Type, e.TTL)
	case NXDomain:
		return fmt.Sprintf("%s says: there is no name %v (kept for %d s)", from, e.Question.Name, e.TTL)
	case Cached:
		return fmt.Sprintf("the cache has %s: %s (%d s left)", q, e.Text, e.TTL)
	case Stale:
		return fmt.Sprintf("nobody answers, so the expired entry of the cache for %s is used", q)
	case Local:
		return fmt.Sprintf("%s is answered by every resolver itself", q)
	case Timeout:
		return fmt.Sprintf("%s did not answer within %v", from, e.took())
	case Unusable:
		return fmt.Sprintf("%s is of no use for %s: %v", from, q, e.Err)
	case RetryTCP:
		return fmt.Sprintf("the answer of %s over UDP was truncated: asked again over TCP", from)
	case FindServer:
		return fmt.Sprintf("to ask %v, a server of %v, its address is needed", e.Question.Name, e.Zone)
	case Validated:
		return strings.TrimSuffix(fmt.Sprintf("DNSSEC: %s is %v: %s", q, e.Security, e.Text), ": ")
	case Failed:
		return fmt.Sprintf("no answer for %s: %s", q, e.Text)
	}
	return e.Kind.String()
}

func (e Event) took() time.Duration { return e.RTT.Round(10 * time.Microsecond) }

// servers lists the names of servers with their addresses.
func servers(sets []msg.RRset) string {
	var out []string
	for _, ns := range sets {
		if ns.Type != msg.TypeNS {
			continue
		}
		for _, rr := range ns.RRs() {
			one := rr.Target().String()
			var addrs []string
			for _, a := range sets {
				if (a.Type == msg.TypeA || a.Type == msg.TypeAAAA) && a.Name.Equal(rr.Target()) {
					for _, r := range a.RRs() {
						addrs = append(addrs, r.Addr().String())
					}
				}
			}
			if len(addrs) > 0 {
				one += " (" + strings.Join(addrs, ", ") + ")"
			}
			out = append(out, one)
		}
	}
	return strings.Join(out, ", ")
}

// records lists the data of RRsets.
func records(sets []msg.RRset) string {
	var out []string
	for _, s := range sets {
		for _, r := range s.RRs() {
			out = append(out, r.Type.String()+" "+r.DataString())
		}
	}
	return strings.Join(out, ", ")
}
