package server

import (
	"context"
	"net/netip"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Transport is how a query came.
type Transport uint8

const (
	UDP        Transport = iota
	TCP                  // RFC 7766
	TLS                  // RFC 7858
	transports           // how many there are
)

var transportNames = [transports]string{"udp", "tcp", "tls"}

// String returns the transport's name in lower case.
func (t Transport) String() string {
	if t < transports {
		return transportNames[t]
	}
	return "unknown"
}

// Stream reports whether messages come one after the other in a stream of octets, from a source that
// has proven its address and may be sent as much as a message holds.
func (t Transport) Stream() bool { return t == TCP || t == TLS }

// Request is a query, or another message that asks for something, as a Handler gets it. The server has
// looked at its header: it is no response, its opcode is one that the server takes, its EDNS version is 0.
type Request struct {
	// Msg is the query, unpacked. It is the handler's.
	Msg *msg.Message
	// Wire is the query as it came, for a TSIG to be verified. It is lent until ServeDNS returns.
	Wire []byte
	// Local is what the query was sent to, Remote where it came from.
	Local, Remote netip.AddrPort
	Transport     Transport
	Received      time.Time
	// Limit is how many octets the answer may have.
	Limit int
	// Proven says that Remote did send the query: over a stream, or with a cookie of this server's.
	Proven bool
}

// Writer takes the answer to a Request. It may be used until ServeDNS has returned, by one goroutine at
// a time.
type Writer interface {
	// Write packs an answer within the request's limit and sends it. The server adds what is its own
	// business to the EDNS of m: a cookie, the idle timeout. An answer that the rate limit holds back
	// is no error.
	Write(m *msg.Message) error
	// WriteWire sends an answer that is packed, and signed maybe. On a stream it may be called many
	// times, as a zone transfer needs; it blocks while the client is slow. Over UDP what is longer than the
	// limit is an error.
	WriteWire(p []byte) error
}

// Handler answers requests.
type Handler interface {
	// ServeDNS answers a request, in a goroutine of its own. ctx ends with the server, and with the
	// connection that the request came by. A request that is not answered is dropped, and counted.
	ServeDNS(ctx context.Context, w Writer, r *Request)
}

// Direct is what a Handler may be besides: it answers some queries at once, in the receive path. Its calls
// come from several goroutines at a time, must not block, and should not allocate.
type Direct interface {
	// AnswerDirect appends the whole answer to q to dst and returns it and true; or false, and the Handler
	// gets the query. The answer has the query's id, its question in the case asked, and RD; it is no
	// longer than q.Size, which over a stream is what a message can hold. Where the query has EDNS the
	// answer's OPT record is the last. q is lent for the call.
	AnswerDirect(dst []byte, q *msg.Query, from netip.AddrPort, t Transport) (answer []byte, ok bool)
}

// HandlerFunc is a Handler made of a function.
type HandlerFunc func(ctx context.Context, w Writer, r *Request)

// ServeDNS implements Handler.
func (f HandlerFunc) ServeDNS(ctx context.Context, w Writer, r *Request) { f(ctx, w, r) }
