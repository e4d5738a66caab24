package script

import (
	"encoding/binary"
	"net/netip"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/socket"
)

// address works out inet_addr("…") and inet_pton(AF_INET6, "…"), and INADDR_ANY.
func (r *runner) address(e ast.Expr) (netip.Addr, error) {
	switch x := e.(type) {
	case *ast.Paren:
		return r.address(x.X)
	case *ast.String:
		if a, err := netip.ParseAddr(x.Value); err == nil {
			return a, nil
		}
	case *ast.Call:
		if len(x.Args) > 0 && (x.Name == "inet_addr" || x.Name == "inet_pton" || x.Name == "htonl") {
			return r.address(x.Args[len(x.Args)-1])
		}
	case *ast.Symbol:
		switch {
		case x.Value != nil:
			return r.address(x.Value)
		case x.Name == "INADDR_ANY":
			return netip.IPv4Unspecified(), nil
		case x.Name == "INADDR_LOOPBACK":
			return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
		case x.Name == "in6addr_any" || x.Name == "IN6ADDR_ANY_INIT":
			return netip.IPv6Unspecified(), nil
		}
	case *ast.Int:
		if uint64(x.Value) <= 0xffffffff {
			var b [4]byte
			binary.BigEndian.PutUint32(b[:], uint32(x.Value))
			return netip.AddrFrom4(b), nil
		}
	}
	return netip.Addr{}, invalidf("line %d: %s is not an address", e.At().Line, e)
}

// isEllipsis reports whether an expression is "...".
func isEllipsis(e ast.Expr) bool { _, ok := e.(*ast.Ellipsis); return ok }

// sockaddr works out the address argument of a call. Where the script leaves it open it is ap.
func (r *runner) sockaddr(e ast.Expr, ap netip.AddrPort) (*socket.Sockaddr, error) {
	if s, ok := e.(*ast.Struct); ok {
		return r.sockaddrStruct(s, ap)
	}
	if isEllipsis(e) {
		return r.socketAddress(ap), nil
	}
	v, err := r.integer(e) // a family alone, as connect(3, AF_UNSPEC, ...) has it; or NULL
	if err != nil {
		return nil, err
	}
	if v == socket.AF_UNSPEC {
		return &socket.Sockaddr{Family: socket.AF_UNSPEC}, nil
	}
	return &socket.Sockaddr{Family: int(v)}, nil
}

// socketAddress is an end as the script's sockets write it: mapped, where they are IPv6 and
// packets IPv4.
func (r *runner) socketAddress(ap netip.AddrPort) *socket.Sockaddr {
	if r.cfg.mapped() && ap.Addr().Is4() {
		ap = netip.AddrPortFrom(netip.AddrFrom16(ap.Addr().As16()), ap.Port())
	}
	return socket.NewSockaddr(ap)
}

func (r *runner) sockaddrStruct(s *ast.Struct, open netip.AddrPort) (*socket.Sockaddr, error) {
	sa := r.socketAddress(open)
	for _, f := range s.Fields {
		if isEllipsis(f.Value) {
			continue
		}
		var err error
		var n int64
		switch f.Name {
		case "sa_family", "sin_family", "sin6_family":
			n, err = r.integer(f.Value)
			sa.Family = int(n)
		case "sin_port", "sin6_port", "sa_port":
			n, err = r.integer(f.Value)
			sa.Port = int(n)
		case "sin_addr", "sin6_addr", "sin_addr.s_addr":
			sa.Addr, err = r.address(f.Value)
		case "sin6_flowinfo":
			n, err = r.integer(f.Value)
			sa.Flowinfo = uint32(n)
		case "sin6_scope_id":
			n, err = r.integer(f.Value)
			sa.ScopeID = uint32(n)
		case "sin_len", "sin6_len", "sa_len", "sin_zero":
		default:
			err = skipf("uses the member %s of an address", f.Name)
		}
		if err != nil {
			return nil, err
		}
	}
	return sa, nil
}

// buffer makes the octets that a call reads into or writes from, all zeros; or those of a string.
func (r *runner) buffer(e ast.Expr, n int64) ([]byte, error) {
	if n < 0 || n > maxBuffer {
		return nil, skipf("passes a buffer of %d octets", n)
	}
	switch x := e.(type) {
	case *ast.String:
		b, err := r.octets(n)
		copy(b, x.Value)
		return b, err
	case *ast.Ellipsis:
		return r.octets(n)
	}
	v, err := r.integer(e)
	switch {
	case err != nil:
		return nil, err
	case v == 0 && n == 0:
		return nil, nil
	case v == 0:
		return nil, skipf("passes a null pointer for a buffer")
	}
	return nil, invalidf("line %d: %s is not a buffer; take ...", e.At().Line, e)
}

// octets makes n octets, which are at most maxBuffer, of what the script may have.
func (r *runner) octets(n int64) ([]byte, error) {
	if r.buffers += n; r.buffers > maxBuffers {
		return nil, invalidf("line %d: the buffers of the script are more than %d octets", r.ev.Pos.Line, maxBuffers)
	}
	return make([]byte, n), nil
}

// iovec makes the buffers of an array of {..., length}.
func (r *runner) iovec(e ast.Expr) (iov [][]byte, err error) {
	l, ok := e.(*ast.List)
	if !ok {
		return nil, invalidf("line %d: %s is not an array of buffers", e.At().Line, e)
	}
	total := 0
	for _, x := range l.Elems {
		s, ok := x.(*ast.Struct)
		if !ok || len(s.Fields) != 2 {
			return nil, invalidf("line %d: %s is not a buffer with its length", x.At().Line, x)
		}
		n, err := r.integer(s.Fields[1].Value)
		if err != nil {
			return nil, err
		}
		b, err := r.buffer(s.Fields[0].Value, n)
		if err != nil {
			return nil, err
		}
		if total += len(b); total > maxBuffer {
			return nil, skipf("passes buffers of %d octets", total)
		}
		iov = append(iov, b)
	}
	return iov, nil
}
