package server

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// drop is why something was not answered.
type drop uint8

const (
	dropShort      drop = iota // no header
	dropResponse               // it is a response itself
	dropSource                 // nobody may be there who asks
	dropBusy                   // too many are being answered
	dropRate                   // the rate limit
	dropUnanswered             // the handler has no answer for it
	dropSend                   // the network would not take the answer
	dropLarge                  // the handler's answer is larger than it may be
	dropConnLimit              // a connection: there are too many
	dropConnPrefix             // a connection: its network has too many
	dropConnIdle               // a connection: it was silent for too long
	dropConnSlow               // a connection: it did not take its answers
	dropConnFormat             // a connection: what came is no DNS
	dropLog                    // a line of the query log
	drops
)

var dropNames = [drops]string{"short", "response", "source", "busy", "rate", "unanswered", "send", "large",
	"connection_limit", "connection_prefix", "connection_idle", "connection_slow", "connection_format", "log"}

// The types that are counted by themselves, in the order of their counters; all others share the last.
var countedTypes = [...]msg.Type{msg.TypeA, msg.TypeNS, msg.TypeCNAME, msg.TypeSOA, msg.TypePTR, msg.TypeMX, msg.TypeTXT, msg.TypeAAAA,
	msg.TypeSRV, msg.TypeNAPTR, msg.TypeDNAME, msg.TypeDS, msg.TypeSSHFP, msg.TypeRRSIG, msg.TypeNSEC, msg.TypeDNSKEY, msg.TypeNSEC3, msg.TypeNSEC3PARAM,
	msg.TypeTLSA, msg.TypeCDS, msg.TypeCDNSKEY, msg.TypeSVCB, msg.TypeHTTPS, msg.TypeIXFR, msg.TypeAXFR, msg.TypeANY, msg.TypeCAA}

const (
	otherType  = len(countedTypes)
	types      = otherType + 1
	families   = 2
	rcodes     = 32 // the last is for all others
	opcodes    = 16
	meterParts = 8
	// sampled is one of how many direct answers is timed; each stands for all of them.
	sampled = 64
)

// typeSlots has the counter of each type below 512.
var typeSlots = func() (t [512]uint8) {
	for i := range t {
		t[i] = uint8(otherType)
	}
	for i, typ := range countedTypes {
		t[typ] = uint8(i)
	}
	return t
}()

// meter counts. There are several, so that receive loops do not wait for each other's.
type meter struct {
	queries   [families][transports][types]atomic.Uint64 // of opcode QUERY that could be read
	opcodes   [opcodes]atomic.Uint64
	rcodes    [rcodes]atomic.Uint64
	drops     [drops]atomic.Uint64
	latency   [buckets + 1]atomic.Uint64
	latencyNs atomic.Uint64
	direct    atomic.Uint64 // answered in the receive path
	truncated atomic.Uint64
	slipped   atomic.Uint64
	badCookie atomic.Uint64
	proven    atomic.Uint64 // queries with a valid cookie
	accepted  atomic.Uint64
	_         [64]byte
}

func (m *meter) drop(d drop) { m.drops[d].Add(1) }

// query counts a query that could be read.
func (m *meter) query(from netip.Addr, t Transport, typ msg.Type) {
	family, slot := 0, otherType
	if from.Is6() && !from.Is4In6() {
		family = 1
	}
	if int(typ) < len(typeSlots) {
		slot = int(typeSlots[typ])
	}
	m.queries[family][t][slot].Add(1)
}

// answer counts an answer that was sent.
func (m *meter) answer(rcode msg.Rcode, truncated bool) {
	m.rcodes[min(int(rcode), rcodes-1)].Add(1)
	if truncated {
		m.truncated.Add(1)
	}
}

// bounds are the upper ends of the latency histogram's buckets.
var bounds = [buckets]time.Duration{
	500 * time.Nanosecond, time.Microsecond, 2 * time.Microsecond, 5 * time.Microsecond,
	10 * time.Microsecond, 20 * time.Microsecond, 50 * time.Microsecond, 100 * time.Microsecond, 200 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second,
}

const buckets = 22

// took counts how long n answers took.
func (m *meter) took(d time.Duration, n uint64) {
	i := 0
	for i < buckets && d > bounds[i] {
		i++
	}
	m.latency[i].Add(n)
	m.latencyNs.Add(uint64(max(0, d)) * n)
}
