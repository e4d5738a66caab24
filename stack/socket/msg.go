package socket

import (
	"syscall"
)

// maxIovecs is UIO_MAXIOV.
const maxIovecs = 1024

func total(iov [][]byte) (n int) {
	for _, p := range iov {
		n += len(p)
	}
	return n
}

// Read is read(2). Nothing is waited for where p is empty.
func (s *System) Read(fd int, p []byte) (int, error) { return s.Readv(fd, [][]byte{p}) }

// Readv is readv(2).
func (s *System) Readv(fd int, iov [][]byte) (int, error) {
	e, f, err := s.io(fd, iov)
	if err != nil {
		return -1, err
	}
	if total(iov) == 0 {
		return 0, nil
	}
	return num(e.recv(f, &Msghdr{Iov: iov}, 0))
}

// io is sock for read and write, which do not mind what the descriptor is: EINVAL for
// those that cannot.
func (s *System) io(fd int, iov [][]byte) (endpoint, *file, error) {
	e, f, err := s.sock(fd)
	switch {
	case err == syscall.ENOTSOCK:
		return nil, nil, syscall.EINVAL
	case err != nil:
		return nil, nil, err
	case len(iov) > maxIovecs:
		return nil, nil, syscall.EINVAL
	}
	return e, f, nil
}

// Recv is recv(2).
func (s *System) Recv(fd int, p []byte, flags int) (int, error) {
	n, _, err := s.RecvFrom(fd, p, flags)
	return n, err
}

// RecvFrom is recvfrom(2). The address is nil where the socket is a stream.
func (s *System) RecvFrom(fd int, p []byte, flags int) (int, *Sockaddr, error) {
	m := Msghdr{Iov: [][]byte{p}}
	n, err := s.recvMsg(fd, &m, flags)
	return n, m.Name, err
}

// RecvMsg is recvmsg(2): see Msghdr. The errors of the calls that receive are EAGAIN, ENOTCONN,
// ECONNRESET, ETIMEDOUT, ECONNREFUSED and EINVAL, EMSGSIZE for more than 1024 buffers.
func (s *System) RecvMsg(fd int, m *Msghdr, flags int) (int, error) {
	if m == nil {
		return -1, syscall.EFAULT
	}
	return s.recvMsg(fd, m, flags)
}

func (s *System) recvMsg(fd int, m *Msghdr, flags int) (int, error) {
	e, f, err := s.sock(fd)
	if err != nil {
		return -1, err
	}
	if len(m.Iov) > maxIovecs {
		return -1, syscall.EMSGSIZE
	}
	was := *m
	m.Flags, m.Name = 0, nil
	m.Control, m.room = m.Control[:0:len(m.Control)], len(m.Control)
	n, err := e.recv(f, m, flags)
	if err != nil {
		*m = was // as it was, for another try
	}
	return num(n, err)
}

// put adds a control message as far as there is room, and says MSG_CTRUNC where there is not.
func (m *Msghdr) put(level, typ int, data []byte) {
	room := m.room - len(m.Control)
	if room < SizeofCmsghdr {
		m.Flags |= MSG_CTRUNC
		return
	}
	if CmsgLen(len(data)) > room {
		m.Flags |= MSG_CTRUNC
		data = data[:room-SizeofCmsghdr]
	}
	m.Control = appendCmsghdr(m.Control, CmsgLen(len(data)), level, typ)
	m.Control = append(m.Control, data...)
	pad := min(cmsgAlign(len(data))-len(data), m.room-len(m.Control))
	m.Control = append(m.Control, make([]byte, pad)...)
}

// Write is write(2).
func (s *System) Write(fd int, p []byte) (int, error) { return s.Writev(fd, [][]byte{p}) }

// Writev is writev(2).
func (s *System) Writev(fd int, iov [][]byte) (int, error) {
	e, f, err := s.io(fd, iov)
	if err != nil {
		return -1, err
	}
	return num(e.send(f, &Msghdr{Iov: iov}, 0))
}

// Send is send(2).
func (s *System) Send(fd int, p []byte, flags int) (int, error) {
	return s.SendTo(fd, p, flags, nil)
}

// SendTo is sendto(2); to is nil for where the socket is connected to.
func (s *System) SendTo(fd int, p []byte, flags int, to *Sockaddr) (int, error) {
	return s.SendMsg(fd, &Msghdr{Name: to, Iov: [][]byte{p}}, flags)
}

// SendMsg is sendmsg(2): see Msghdr. No signal is ever sent, with MSG_NOSIGNAL or without. The
// errors of the calls that send are EAGAIN, EPIPE, ENOTCONN, EDESTADDRREQ, ECONNRESET, ETIMEDOUT,
// EMSGSIZE, EINVAL, EAFNOSUPPORT, EACCES (broadcast) and those of routing.
func (s *System) SendMsg(fd int, m *Msghdr, flags int) (int, error) {
	if m == nil {
		return -1, syscall.EFAULT
	}
	e, f, err := s.sock(fd)
	if err != nil {
		return -1, err
	}
	if len(m.Iov) > maxIovecs {
		return -1, syscall.EMSGSIZE
	}
	if m.Name != nil && (m.Name.Len < 0 || m.Name.Len > 128) {
		return -1, syscall.EINVAL
	}
	return num(e.send(f, m, flags))
}
