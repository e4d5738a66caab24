package ast

// TCP is a segment.
type TCP struct {
	Pos   Pos
	Ports *Ports // nil: the connection's
	// Flags is the letters as written: F S R P . U E W A and, for the three bits of
	// Accurate ECN together, a digit 0 to 7; or - for none. Bits has their meaning.
	Flags      string
	Seq        Seq
	Ack        Maybe
	Win        Maybe // not set: not compared
	Urg        Maybe // not set: zero
	OptionsAny bool  // <...>: the options are not compared
	Options    []TCPOption
	Encap      *Ports // /udp(a > b): the segment travels in UDP (nplab); or nil
}

// Seq is a segment's place in sequence space, start:end(len). Numbers are relative to the
// first SYN of their direction unless Absolute.
type Seq struct {
	Pos        Pos
	Start, End uint32 // End is Start + Len
	Len        uint16
	Absolute   bool // 100:100(0)!: the number as it is on the wire
	Any        bool // ...(len): the number is not compared
}

// The bits of TCP.Bits, as the header has them (RFC 9293 §3.1, RFC 9768 for AE).
const (
	FIN uint16 = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
	AE
)

// Bits returns the flags as the header has them. Digits set AE, CWR and ECE as the number
// that the three are together.
func (t *TCP) Bits() uint16 {
	var bits uint16
	for _, c := range []byte(t.Flags) {
		bits |= flagBits(c)
	}
	return bits
}

// ValidFlag reports whether c may stand among a segment's flags.
func ValidFlag(c byte) bool { return flagBits(c) != 0 || c == '0' }

func flagBits(c byte) uint16 {
	switch c {
	case 'F':
		return FIN
	case 'S':
		return SYN
	case 'R':
		return RST
	case 'P':
		return PSH
	case '.':
		return ACK
	case 'U':
		return URG
	case 'E':
		return ECE
	case 'W', 'C':
		return CWR
	case 'A':
		return AE
	}
	if c >= '1' && c <= '7' {
		return uint16(c-'0') << 6
	}
	return 0
}

// OptionKind is the kind of a TCP option. Several kinds of the table may share a number on
// the wire: the experiments (RFC 6994) all do.
type OptionKind uint8

const (
	OptNOP        OptionKind = iota
	OptEOL                   // eol
	OptMSS                   // mss 1460
	OptWScale                // wscale 7
	OptSACKOK                // sackOK
	OptSACK                  // sack 1:1001 2001:3001
	OptTS                    // TS val 100 ecr 200
	OptFO                    // FO 0123456789abcdef: Fast Open
	OptFOEXP                 // FOEXP: Fast Open by its experimental number
	OptMD5                   // md5 0123…
	OptAccECN0               // AccECN0 E0B 1 CEB 0 E1B 1
	OptAccECN1               // AccECN1 E1B 1 CEB 0 E0B 1
	OptAccECN                // ECN e1b 1 ceb 0 e0b 1: the order says which
	OptExpAccECN0            // by the experimental number
	OptExpAccECN1            // by the experimental number
	OptExpTARR               // exp-tarr 2
	OptUnknown               // one that the language has and weir does not know, as those of Multipath TCP
)

// TCPOption is one option of a segment.
type TCPOption struct {
	Pos         Pos
	Kind        OptionKind
	Value       Maybe     // mss, wscale, exp-tarr; of mss and wscale not set: *, any
	Blocks      []Block   // sack
	Val, Ecr    uint32    // TS
	ValAny      bool      // TS val ...: not compared
	EcrAny      bool      // ecr ...: not compared
	EcrAbsolute bool      // ecr 100!: as it is on the wire
	Data        []byte    // FO, FOEXP: the cookie; md5: the digest
	Counters    []Counter // of the AccECN options, in their order
	Symbol      string    // the name that stands for Data, where the script itself does not say what it is
	Text        string    // of OptUnknown
}

// Block is one block of a SACK option.
type Block struct{ Left, Right uint32 }

// Counter is one field of an AccECN option: e0b, ceb or e1b, a count modulo 2²⁴.
type Counter struct {
	Name  string
	Value uint32
}

// Len returns the octets that the option takes in the header.
func (o *TCPOption) Len() int {
	switch o.Kind {
	case OptNOP, OptEOL:
		return 1
	case OptMSS:
		return 4
	case OptWScale:
		return 3
	case OptSACK:
		return 2 + 8*len(o.Blocks)
	case OptTS:
		return 10
	case OptFO, OptMD5:
		return 2 + len(o.Data)
	case OptFOEXP:
		return 4 + len(o.Data)
	case OptAccECN0, OptAccECN1, OptAccECN:
		return 2 + 3*len(o.Counters)
	case OptExpAccECN0, OptExpAccECN1:
		return 4 + 3*len(o.Counters)
	case OptExpTARR:
		if o.Value.Set {
			return 6
		}
		return 4
	}
	return 2 // sackOK
}
