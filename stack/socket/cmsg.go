package socket

import (
	"encoding/binary"
	"syscall"
)

// Cmsg is a control message: struct cmsghdr and the data behind it.
type Cmsg struct {
	Level, Type int
	Data        []byte
}

// cmsgAlign rounds up as CMSG_ALIGN does where a size_t has eight octets.
func cmsgAlign(n int) int { return (n + 7) &^ 7 }

// CmsgLen is CMSG_LEN, CmsgSpace is CMSG_SPACE: the length of a message with n octets of
// data, without and with what is put behind it so that the next one is aligned.
func CmsgLen(n int) int { return SizeofCmsghdr + n }

// CmsgSpace is CMSG_SPACE.
func CmsgSpace(n int) int { return SizeofCmsghdr + cmsgAlign(n) }

// AppendCmsg writes a message in C's layout behind b, whose length is a multiple of eight.
func AppendCmsg(b []byte, m Cmsg) []byte {
	b = appendCmsghdr(b, CmsgLen(len(m.Data)), m.Level, m.Type)
	b = append(b, m.Data...)
	return append(b, make([]byte, cmsgAlign(len(m.Data))-len(m.Data))...)
}

func appendCmsghdr(b []byte, length, level, typ int) []byte {
	b = binary.NativeEndian.AppendUint64(b, uint64(length))
	b = binary.NativeEndian.AppendUint32(b, uint32(int32(level)))
	return binary.NativeEndian.AppendUint32(b, uint32(int32(typ)))
}

// ParseCmsgs reads the messages in b. The error is EINVAL where one is shorter than its header
// or reaches beyond the end. Octets too few for another header are ignored.
func ParseCmsgs(b []byte) ([]Cmsg, error) {
	var list []Cmsg
	for len(b) >= SizeofCmsghdr {
		n := binary.NativeEndian.Uint64(b)
		if n < SizeofCmsghdr || n > uint64(len(b)) {
			return list, syscall.EINVAL
		}
		list = append(list, Cmsg{
			Level: int(int32(binary.NativeEndian.Uint32(b[8:]))),
			Type:  int(int32(binary.NativeEndian.Uint32(b[12:]))),
			Data:  b[SizeofCmsghdr:n],
		})
		b = b[min(cmsgAlign(int(n)), len(b)):]
	}
	return list, nil
}
