package main

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
)

// The server's ports.
const (
	sinkPort   = 9  // reads to the end and then says how many octets that were
	sourcePort = 19 // writes without end
	echoPort   = 7  // TCP and UDP

	// idlePort is the same for connections that are idle, of a contender that has a thriftier way to do it.
	idlePort = 7007
)

// bufferSize is what is read and written at once. A stack may have another size that it writes best.
const bufferSize = 128 << 10

// datagrams is a UDP socket.
type datagrams interface {
	ReadFromUDPAddrPort(p []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(p []byte, to netip.AddrPort) (int, error)
}

// serveAll starts the services; they end with the endpoint.
func serveAll(e endpoint) error {
	if s, ok := e.(served); ok {
		return s.serve()
	}
	ep := e.(faced)
	size := bufferSize
	if w, ok := e.(interface{ writeSize() int }); ok {
		size = w.writeSize()
	}
	if w, ok := e.(interface{ serveIdle() error }); ok {
		if err := w.serveIdle(); err != nil {
			return err
		}
	}
	source := func(c net.Conn) error { return source(c, make([]byte, size)) }
	for port, handle := range map[int]func(net.Conn) error{sinkPort: sink, sourcePort: source, echoPort: echo} {
		l, err := ep.listen(port)
		if err != nil {
			return err
		}
		go serve(l, handle)
	}
	u, err := ep.listenPacket(echoPort)
	if err != nil {
		return err
	}
	go echoDatagrams(u)
	return nil
}

func serve(l net.Listener, handle func(net.Conn) error) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			handle(c) // the client notices what fails
		}()
	}
}

func sink(c net.Conn) error {
	buf := make([]byte, bufferSize)
	var total uint64
	for {
		n, err := c.Read(buf)
		total += uint64(n)
		if err == io.EOF {
			return binary.Write(c, binary.BigEndian, total)
		}
		if err != nil {
			return err
		}
	}
}

func source(c net.Conn, buf []byte) error {
	for {
		if _, err := c.Write(buf); err != nil {
			return err
		}
	}
}

func echo(c net.Conn) error {
	buf := make([]byte, 64)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return err
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return err
		}
	}
}

func echoDatagrams(c datagrams) {
	buf := make([]byte, 2048)
	for {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		c.WriteToUDPAddrPort(buf[:n], from) // what a full socket does not take is lost
	}
}
