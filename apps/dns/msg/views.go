package msg

import (
	"encoding/binary"
	"strings"
)

func be16(s string) uint16 { return uint16(s[0])<<8 | uint16(s[1]) }
func be32(s string) uint32 { return uint32(be16(s))<<16 | uint32(be16(s[2:])) }

// SOA is the rdata of an SOA record (RFC 1035 section 3.3.13). Times are in seconds.
type SOA struct {
	MName, RName                            Name
	Serial, Refresh, Retry, Expire, Minimum uint32
}

// SOA returns the record's rdata, and false if it is none of an SOA.
func (r RR) SOA() (SOA, bool) {
	if r.Type != TypeSOA {
		return SOA{}, false
	}
	var s SOA
	var at int
	s.MName, at = nameAt(r.Data, 0)
	s.RName, at = nameAt(r.Data, at)
	if s.MName == "" || s.RName == "" || len(r.Data)-at != 20 {
		return SOA{}, false
	}
	d := r.Data[at:]
	s.Serial, s.Refresh, s.Retry, s.Expire, s.Minimum = be32(d), be32(d[4:]), be32(d[8:]), be32(d[12:]), be32(d[16:])
	return s, true
}

// Data returns the rdata in wire form.
func (s SOA) Data() string {
	b := append([]byte(s.MName), s.RName...)
	for _, v := range []uint32{s.Serial, s.Refresh, s.Retry, s.Expire, s.Minimum} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return string(b)
}

// MX is the rdata of an MX record (RFC 1035 section 3.3.9).
type MX struct {
	Preference uint16
	Exchange   Name
}

// MX returns the record's rdata, and false if it is none of an MX.
func (r RR) MX() (MX, bool) {
	if r.Type != TypeMX || len(r.Data) < 3 {
		return MX{}, false
	}
	n, at := nameAt(r.Data, 2)
	return MX{be16(r.Data), n}, n != "" && at == len(r.Data)
}

// Data returns the rdata in wire form.
func (m MX) Data() string {
	return string(append(binary.BigEndian.AppendUint16(nil, m.Preference), m.Exchange...))
}

// SRV is the rdata of an SRV record (RFC 2782).
type SRV struct {
	Priority, Weight, Port uint16
	Target                 Name
}

// SRV returns the record's rdata, and false if it is none of an SRV.
func (r RR) SRV() (SRV, bool) {
	if r.Type != TypeSRV || len(r.Data) < 7 {
		return SRV{}, false
	}
	n, at := nameAt(r.Data, 6)
	return SRV{be16(r.Data), be16(r.Data[2:]), be16(r.Data[4:]), n}, n != "" && at == len(r.Data)
}

// Data returns the rdata in wire form.
func (s SRV) Data() string {
	var b []byte
	for _, v := range []uint16{s.Priority, s.Weight, s.Port} {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return string(append(b, s.Target...))
}

// TXT is the rdata of a TXT record (RFC 1035 section 3.3.14): strings of at most 255 octets.
type TXT []string

// TXT returns the record's strings, and false if it is no TXT or SPF record.
func (r RR) TXT() (TXT, bool) {
	if r.Type != TypeTXT && r.Type != TypeSPF || r.Data == "" {
		return nil, false
	}
	var t TXT
	for d := r.Data; d != ""; {
		l := int(d[0])
		if 1+l > len(d) {
			return nil, false
		}
		t = append(t, d[1:1+l])
		d = d[1+l:]
	}
	return t, true
}

// Data returns the rdata in wire form. A string that is longer than 255 octets goes on in the next.
func (t TXT) Data() string {
	var b strings.Builder
	for _, s := range t {
		for {
			l := min(len(s), 255)
			b.WriteByte(byte(l))
			b.WriteString(s[:l])
			if s = s[l:]; s == "" {
				break
			}
		}
	}
	if len(t) == 0 {
		b.WriteByte(0)
	}
	return b.String()
}
