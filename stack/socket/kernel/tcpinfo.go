package kernel

import (
	"encoding/binary"
	"reflect"

	"github.com/weirnet/weir/stack/socket"
)

// bitFields are the members of struct tcp_info that share octets, with where they lie.
var bitFields = map[string]struct {
	octet int
	shift uint
	bits  uint
}{
	"SndWscale": {6, 0, 4}, "RcvWscale": {6, 4, 4},
	"DeliveryRateAppLimited": {7, 0, 1}, "FastopenClientFail": {7, 1, 2},
}

// parseTCPInfo reads struct tcp_info as far as the kernel filled it: an older kernel's is
// shorter, and what it lacks stays zero. The members stand in socket.TCPInfo in C's order and
// with C's sizes.
func parseTCPInfo(b []byte) (info socket.TCPInfo) {
	v := reflect.ValueOf(&info).Elem()
	at := 0
	for i := range v.NumField() {
		f := v.Field(i)
		if bf, ok := bitFields[v.Type().Field(i).Name]; ok {
			if at = bf.octet + 1; at <= len(b) {
				f.SetUint(uint64(b[bf.octet]) >> bf.shift & (1<<bf.bits - 1))
			}
			continue
		}
		size := int(f.Type().Size())
		at = (at + size - 1) / size * size
		if at+size > len(b) {
			break
		}
		f.SetUint(number(b[at : at+size]))
		at += size
	}
	return info
}

func number(b []byte) uint64 {
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.NativeEndian.Uint16(b))
	case 4:
		return uint64(binary.NativeEndian.Uint32(b))
	}
	return binary.NativeEndian.Uint64(b)
}
