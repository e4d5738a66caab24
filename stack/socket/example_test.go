package socket_test

import (
	"fmt"
	"log"
	"net/netip"

	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/socket"
)

// A server that waits by epoll and a client, both on one host's loopback.
func Example() {
	host := shard.New(shard.Config{})
	host.Start()
	defer host.Close()
	s := socket.New(host, socket.Config{})
	defer s.Close()

	listener, err := s.Socket(socket.AF_INET, socket.SOCK_STREAM, 0)
	check(err)
	at := socket.NewSockaddr(netip.MustParseAddrPort("127.0.0.1:7"))
	check(s.Bind(listener, at))
	check(s.Listen(listener, socket.SOMAXCONN))

	ep, err := s.EpollCreate(0)
	check(err)
	check(s.EpollCtl(ep, socket.EPOLL_CTL_ADD, listener, &socket.EpollEvent{Events: socket.EPOLLIN, Data: uint64(listener)}))

	client, err := s.Socket(socket.AF_INET, socket.SOCK_STREAM, 0)
	check(err)
	check(s.Connect(client, at))
	_, err = s.Write(client, []byte("hello"))
	check(err)
	check(s.Shutdown(client, socket.SHUT_WR))

	events := make([]socket.EpollEvent, 8)
	n, err := s.EpollWait(ep, events, -1)
	check(err)
	fmt.Println(n, int(events[0].Data) == listener)
	conn, from, err := s.Accept(listener)
	check(err)
	fmt.Println("from", from.Addr)
	buf := make([]byte, 100)
	for {
		n, err := s.Read(conn, buf)
		check(err)
		if n == 0 { // the end
			break
		}
		fmt.Printf("%s\n", buf[:n])
	}
	// Output:
	// 1 true
	// from 127.0.0.1
	// hello
}

// check ends the program where a call has failed. An error is always a syscall.Errno, to be compared with ==.
func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
