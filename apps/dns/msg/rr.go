package msg

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// RR is a resource record.
type RR struct {
	Name  Name
	Type  Type
	Class Class
	TTL   uint32 // seconds
	Data  string // rdata in wire form, its names uncompressed
}

// NewRR returns a record of class IN with that rdata, which it does not check.
func NewRR(name Name, typ Type, ttl uint32, data string) RR {
	return RR{Name: name, Type: typ, Class: ClassINET, TTL: ttl, Data: data}
}

// A returns an A record, or an AAAA record for an address of IPv6.
func A(name Name, ttl uint32, a netip.Addr) RR {
	typ := TypeAAAA
	if a = a.Unmap(); a.Is4() {
		typ = TypeA
	}
	return NewRR(name, typ, ttl, string(a.AsSlice()))
}

// NS returns an NS record.
func NS(name Name, ttl uint32, target Name) RR { return NewRR(name, TypeNS, ttl, string(target)) }

// CNAME returns a CNAME record.
func CNAME(name Name, ttl uint32, target Name) RR { return NewRR(name, TypeCNAME, ttl, string(target)) }

// PTR returns a PTR record.
func PTR(name Name, ttl uint32, target Name) RR { return NewRR(name, TypePTR, ttl, string(target)) }

// ParseRR reads one record from a line of a master file. Names are absolute, and a TTL that is
// not given is 3600.
func ParseRR(line string) (RR, error) {
	rr, err := dns.NewRR(line)
	if err == nil && rr == nil {
		err = errors.New("the line is empty")
	}
	if err != nil {
		return RR{}, fmt.Errorf("%q is no resource record: %w", line, err)
	}
	r, err := fromText(rr)
	if err != nil {
		return RR{}, fmt.Errorf("%q is no resource record: %w", line, err)
	}
	return r, nil
}

// UnpackRR reads the one record that p is, uncompressed.
func UnpackRR(p []byte) (RR, error) {
	u := unpacker{p}
	r, next, err := u.record(0)
	if err == nil && next != len(p) {
		err = errTrailing
	}
	if err == nil {
		err = r.Check()
	}
	if err != nil {
		return RR{}, fmt.Errorf("record of %d octets: %w", len(p), err)
	}
	return r, nil
}

// fromText converts a record that was read from text.
func fromText(rr dns.RR) (RR, error) {
	buf := make([]byte, dns.Len(rr)+64)
	n, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		buf = make([]byte, 2*maxName+1<<16)
		if n, err = dns.PackRR(rr, buf, 0, nil, false); err != nil {
			return RR{}, err
		}
	}
	return UnpackRR(buf[:n])
}

// String returns the record as a line of a master file. Rdata that its type does not allow, and
// that of unknown types, is written as RFC 3597 section 5 says.
func (r RR) String() string {
	if text, ok := r.text(); ok {
		return text
	}
	return fmt.Sprintf("%s\t%d\t%s\t%s\t%s", r.Name, r.TTL, r.Class, r.Type, r.generic())
}

// DataString returns the rdata alone as text.
func (r RR) DataString() string {
	r.Name = Root
	parts := strings.SplitN(r.String(), "\t", 5)
	return parts[len(parts)-1]
}

func (r RR) generic() string {
	return strings.TrimRight(fmt.Sprintf(`\# %d %s`, len(r.Data), hex.EncodeToString([]byte(r.Data))), " ")
}

func (r RR) text() (string, bool) {
	if !r.Name.Valid() || len(r.Data) > 1<<16-1 {
		return "", false
	}
	if _, known := dns.TypeToRR[uint16(r.Type)]; !known || r.Type == TypeOPT || r.checkData() != nil {
		return "", false
	}
	rr, _, err := dns.UnpackRRWithHeader(dns.RR_Header{Rrtype: uint16(r.Type), Class: uint16(r.Class), Ttl: r.TTL,
		Rdlength: uint16(len(r.Data))}, []byte(r.Data), 0)
	if err != nil {
		return "", false
	}
	rr.Header().Name = r.Name.String()
	return rr.String(), true
}

// appendTo packs the record without compression.
func (r RR) appendTo(b []byte) []byte {
	b = append(b, r.Name...)
	b = binary.BigEndian.AppendUint16(b, uint16(r.Type))
	b = binary.BigEndian.AppendUint16(b, uint16(r.Class))
	b = binary.BigEndian.AppendUint32(b, r.TTL)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.Data)))
	return append(b, r.Data...)
}

// Check reports what is wrong with a record: its name, or rdata that its type does not allow.
func (r RR) Check() error {
	if !r.Name.Valid() {
		return errNoName
	}
	return r.checkData()
}

// Addr returns the address of an A or AAAA record, and the zero Addr for others.
func (r RR) Addr() netip.Addr {
	switch {
	case r.Type == TypeA && len(r.Data) == 4, r.Type == TypeAAAA && len(r.Data) == 16:
		return addrOf(r.Data)
	}
	return netip.Addr{}
}

func addrOf(data string) netip.Addr {
	if len(data) == 4 {
		return netip.AddrFrom4([4]byte([]byte(data)))
	}
	return netip.AddrFrom16([16]byte([]byte(data)))
}

// targetAt is where in the rdata the one name stands that the record points to.
var targetAt = map[Type]int{
	TypeNS: 0, TypeMD: 0, TypeMF: 0, TypeCNAME: 0, TypeMB: 0, TypeMG: 0, TypeMR: 0, TypePTR: 0, TypeDNAME: 0,
	TypeMX: 2, TypeAFSDB: 2, TypeRT: 2, TypeKX: 2, TypeSRV: 6, TypeSVCB: 2, TypeHTTPS: 2, TypeLP: 2,
}

// Target returns the one name that an NS, CNAME, DNAME, PTR, MX, SRV, SVCB, HTTPS or similar
// record points to, and "" for other types.
func (r RR) Target() Name {
	at := 0
	switch r.Type {
	case TypeNS, TypeCNAME, TypePTR, TypeDNAME: // without a look into the map
	default:
		var ok bool
		if at, ok = targetAt[r.Type]; !ok {
			return ""
		}
	}
	n, _ := nameAt(r.Data, at)
	return n
}

// nameAt returns the uncompressed name at data[at:] and where it ends; "" and at when there is none.
func nameAt(data string, at int) (Name, int) {
	for i := at; i < len(data); {
		l := int(data[i])
		if l == 0 {
			if i+1-at > maxName {
				break
			}
			return Name(data[at : i+1]), i + 1
		}
		if l > maxLabel {
			break
		}
		i += 1 + l
	}
	return "", at
}
