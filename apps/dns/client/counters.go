package client

// Counter is a count of the client under its name.
type Counter struct {
	Name  string
	Value uint64
}

const (
	countSent = iota
	countAnswered
	countTCP
	countTLS
	countFailed
	countTruncated
	countNoEDNS
	countNoCase
	countBadID
	countBadQuestion
	countBadCase
	countBadCookie
	countMalformed
	countGuessed
	countDialled
	countEvicted
	countRefused
	counters
)

var counterNames = [counters]string{
	"udp.sent", "answered", "tcp.sent", "tls.sent", "failed", "truncated", "without_edns", "without_case",
	"ignored.id", "ignored.question", "ignored.case", "ignored.cookie", "ignored.malformed",
	"guessed", "connections", "connections.evicted", "connections.refused",
}

// Counters returns the counts since the client began. Those named ignored are datagrams that were not the answer, by the
// first thing wrong with them; guessed is exchanges that had too many of them. without_edns and
// without_case are answers of servers that cannot do with the one or the other. Of
// connections, evicted were closed to make room for others, and refused were not opened because all were busy.
func (c *Client) Counters() []Counter {
	list := make([]Counter, counters)
	for i := range list {
		list[i] = Counter{counterNames[i], c.counters[i].Load()}
	}
	return list
}

// Count returns one of Counters by its name, zero where there is none.
func (c *Client) Count(name string) uint64 {
	for i, n := range counterNames {
		if n == name {
			return c.counters[i].Load()
		}
	}
	return 0
}
