package wire

// The kinds of IPv4 options that are understood (RFC 791 §3.1; IANA "IP Option Numbers").
const (
	IPv4OptionEnd               = 0   // end of option list
	IPv4OptionNop               = 1   // no operation
	IPv4OptionRecordRoute       = 7   // record route
	IPv4OptionTimestamp         = 68  // internet timestamp
	IPv4OptionLooseSourceRoute  = 131 // loose source and record route
	IPv4OptionStrictSourceRoute = 137 // strict source and record route
	IPv4OptionRouterAlert       = 148 // router alert (RFC 2113)
)

// ipv4OptionCopied is the bit of an option's type that says that every fragment has
// the option (RFC 791 §3.1).
const ipv4OptionCopied = 0x80

// IPv4Option is one option: Kind, and the octets after kind and length, none for the
// two kinds of one octet. Offset counts from the first octet of the IP header.
type IPv4Option struct {
	Kind   uint8
	Data   []byte
	Offset int
}

// Copied reports whether every fragment carries the option (RFC 791 §3.1).
func (o *IPv4Option) Copied() bool { return o.Kind&ipv4OptionCopied != 0 }

// IPv4Options walks the options of a header. It is got from IPv4.WalkOptions.
type IPv4Options struct {
	rest    []byte
	at      int // offset of rest from the IP header
	problem Problem
	pointer int
}

// WalkOptions returns a walk over the header's options, before the first one.
func (h IPv4) WalkOptions() IPv4Options {
	return IPv4Options{rest: h.Options(), at: IPv4MinHeader}
}

// Next returns the next option; ok is false at the end of the list, at its end
// marker and at an option whose length is impossible: see Problem.
func (w *IPv4Options) Next() (o IPv4Option, ok bool) {
	if len(w.rest) == 0 || w.rest[0] == IPv4OptionEnd {
		w.rest = nil
		return IPv4Option{}, false
	}
	o = IPv4Option{Kind: w.rest[0], Offset: w.at}
	n := 1
	if o.Kind != IPv4OptionNop {
		if len(w.rest) < 2 {
			return IPv4Option{}, w.fail(w.at)
		}
		n = int(w.rest[1])
		if n < 2 || n > len(w.rest) {
			return IPv4Option{}, w.fail(w.at + 1)
		}
		o.Data = w.rest[2:n:n]
	}
	w.rest, w.at = w.rest[n:], w.at+n
	return o, true
}

// fail ends the walk with a problem at the octet pointer.
func (w *IPv4Options) fail(pointer int) bool {
	w.rest, w.problem, w.pointer = nil, ProblemHeaderField, pointer
	return false
}

// Problem returns what ended the walk early and the octet, counted from the IP
// header's first, that an ICMP Parameter Problem (code 0) is to point at.
func (w *IPv4Options) Problem() (p Problem, pointer int) { return w.problem, w.pointer }

// IPv4OptionInfo is what CheckOptions found. The offsets count from the first octet of
// the IP header; 0 is for an option that is absent.
type IPv4OptionInfo struct {
	// SourceRoute is the offset of a loose or strict source route. A host that is not
	// its last hop drops the packet or, where it routes, obeys (RFC 1122 §3.2.1.8(c)).
	SourceRoute int
	// SourceRouteLeft says that the route names addresses not yet visited.
	SourceRouteLeft bool
	RecordRoute     int
	Timestamp       int
	RouterAlert     bool
	// Problem and ProblemPointer say what is wrong and where, for a Parameter Problem
	// with code 0 (RFC 792; RFC 1122 §3.2.2.5).
	Problem        Problem
	ProblemPointer int
}

// CheckOptions walks all options and judges those that weir knows; others are skipped
// (RFC 1122 §3.2.1.8). The error is the Problem, or nil. Where there are no options it
// costs one comparison.
func (h IPv4) CheckOptions() (IPv4OptionInfo, error) {
	var i IPv4OptionInfo
	if h.HeaderLen() == IPv4MinHeader {
		return i, nil
	}
	w := h.WalkOptions()
	for i.Problem == ProblemNone {
		o, ok := w.Next()
		if !ok {
			i.Problem, i.ProblemPointer = w.Problem()
			break
		}
		i.judge(&o)
	}
	return i, i.Problem.err()
}

// judge checks one option and notes where it is.
func (i *IPv4OptionInfo) judge(o *IPv4Option) {
	switch o.Kind {
	case IPv4OptionLooseSourceRoute, IPv4OptionStrictSourceRoute:
		// RFC 1122 §3.2.1.8(c): more than one source route is not allowed.
		if i.SourceRoute != 0 {
			i.fail(o.Offset)
			return
		}
		i.SourceRoute = o.Offset
		i.SourceRouteLeft = i.route(o)
	case IPv4OptionRecordRoute:
		if i.RecordRoute != 0 {
			i.fail(o.Offset)
			return
		}
		i.RecordRoute = o.Offset
		i.route(o)
	case IPv4OptionTimestamp:
		if i.Timestamp != 0 {
			i.fail(o.Offset)
			return
		}
		i.Timestamp = o.Offset
		i.timestamp(o)
	case IPv4OptionRouterAlert:
		if len(o.Data) != 2 {
			i.fail(o.Offset + 1)
			return
		}
		i.RouterAlert = true
	}
}

// route judges an option that holds a pointer and addresses; it reports whether the
// pointer stands at one of them. Pointers count from the option's first octet, from 1.
func (i *IPv4OptionInfo) route(o *IPv4Option) (left bool) {
	if len(o.Data) < 1 || (len(o.Data)-1)%4 != 0 {
		i.fail(o.Offset + 1)
		return false
	}
	p, n := int(o.Data[0]), len(o.Data)+2
	if p < 4 || p%4 != 0 {
		i.fail(o.Offset + 2)
		return false
	}
	return p <= n
}

// timestamp judges an internet timestamp option: length, pointer, overflow and flag.
func (i *IPv4OptionInfo) timestamp(o *IPv4Option) {
	if len(o.Data) < 2 {
		i.fail(o.Offset + 1)
		return
	}
	if o.Data[0] < 5 {
		i.fail(o.Offset + 2)
		return
	}
	switch o.Data[1] & 0x0f {
	case 0, 1, 3:
	default:
		i.fail(o.Offset + 3)
	}
}

func (i *IPv4OptionInfo) fail(pointer int) {
	i.Problem, i.ProblemPointer = ProblemHeaderField, pointer
}

// CopiedIPv4Options writes to dst the options that a fragment other than the first
// has: those of opts with the copied flag (RFC 791 §3.1), padded to a multiple of four
// octets. It returns how many octets it wrote, never more than len(opts) rounded
// up to four; dst must have room for them. Options after a malformed one are left off.
// dst may be opts itself.
func CopiedIPv4Options(dst, opts []byte) int {
	w := IPv4Options{rest: opts}
	n := 0
	for {
		o, ok := w.Next()
		if !ok {
			break
		}
		if o.Copied() {
			n += copy(dst[n:], opts[o.Offset:o.Offset+2+len(o.Data)])
		}
	}
	for n%4 != 0 {
		dst[n] = IPv4OptionEnd
		n++
	}
	return n
}
