package msg

// Header is the header of a message (RFC 1035 section 4.1.1, RFC 4035 section 3.2).
type Header struct {
	ID                 uint16
	Response           bool // QR
	Opcode             Opcode
	Authoritative      bool  // AA
	Truncated          bool  // TC
	RecursionDesired   bool  // RD
	RecursionAvailable bool  // RA
	AuthenticData      bool  // AD
	CheckingDisabled   bool  // CD
	Rcode              Rcode // with the bits that EDNS adds
}

// Question is what is asked.
type Question struct {
	Name  Name
	Type  Type
	Class Class
}

// String returns the question as the lines of a message have it.
func (q Question) String() string {
	return q.Name.String() + "\t" + q.Class.String() + "\t" + q.Type.String()
}

// Message is a message. The OPT record is in EDNS and nowhere else; a TSIG record is the last one
// of Additional.
type Message struct {
	Header
	Question                      []Question
	Answer, Authority, Additional []RR
	EDNS                          *EDNS // nil: the message has no OPT record
}

// headerSize is the octets of a message's header.
const headerSize = 12

// The flags in the second 16 bits of a message.
const (
	flagQR uint16 = 1 << 15
	flagAA uint16 = 1 << 10
	flagTC uint16 = 1 << 9
	flagRD uint16 = 1 << 8
	flagRA uint16 = 1 << 7
	flagAD uint16 = 1 << 5
	flagCD uint16 = 1 << 4
)

func parseHeader(id, flags uint16) Header {
	return Header{
		ID: id, Response: flags&flagQR != 0, Opcode: Opcode(flags >> 11 & 15),
		Authoritative: flags&flagAA != 0, Truncated: flags&flagTC != 0,
		RecursionDesired: flags&flagRD != 0, RecursionAvailable: flags&flagRA != 0,
		AuthenticData: flags&flagAD != 0, CheckingDisabled: flags&flagCD != 0, Rcode: Rcode(flags & 15),
	}
}

func (h *Header) flags() uint16 {
	f := uint16(h.Opcode&15)<<11 | uint16(h.Rcode&15)
	for _, b := range [...]struct {
		set bool
		bit uint16
	}{
		{h.Response, flagQR}, {h.Authoritative, flagAA}, {h.Truncated, flagTC}, {h.RecursionDesired, flagRD},
		{h.RecursionAvailable, flagRA}, {h.AuthenticData, flagAD}, {h.CheckingDisabled, flagCD},
	} {
		if b.set {
			f |= b.bit
		}
	}
	return f
}

// NewQuery returns a query of class IN for name, with RD set or not, and without EDNS.
func NewQuery(name Name, typ Type, recursion bool) *Message {
	return &Message{Header: Header{RecursionDesired: recursion}, Question: []Question{{name, typ, ClassINET}}}
}

// Reply returns an answer to m without records: its id, opcode, question, RD and CD
// (RFC 4035 section 3.2.2); where m has EDNS, EDNS too, with the size that is usual and the DO bit
// copied (RFC 3225 section 3).
func (m *Message) Reply() *Message {
	r := &Message{Header: Header{ID: m.ID, Response: true, Opcode: m.Opcode,
		RecursionDesired: m.RecursionDesired, CheckingDisabled: m.CheckingDisabled}, Question: m.Question}
	if m.EDNS != nil {
		r.EDNS = &EDNS{Size: DefaultSize, DO: m.EDNS.DO}
	}
	return r
}
