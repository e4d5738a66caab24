package socket

import (
	"sync"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/weirnet/weir/stack/shard"
)

// Who polls waits for the file that the number stood for at first, as on Linux, though the number is another's since.
func TestPollStaysWithItsFile(t *testing.T) {
	calls := map[string]func(a *box, fd int) (int, error){
		"poll": func(a *box, fd int) (int, error) { return a.Poll([]PollFD{{FD: fd, Events: POLLIN}}, -1) },
		"select": func(a *box, fd int) (int, error) {
			var r FDSet
			r.Set(fd)
			return a.Select(fd+1, &r, nil, nil, -1)
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			inBubble(t, shard.Config{}, func(a, b *box) {
				mine, theirs := a.apart(b)
				_, err := a.Fcntl(mine, F_DUPFD, 0)
				a.must("dup", err)
				c := bg(func() (int, error) { return call(a, mine) })
				synctest.Wait()
				a.must("close", a.CloseFD(mine))
				if fd := a.udp(); fd != mine {
					t.Fatalf("the number is %d, want %d again", fd, mine)
				}
				b.write(theirs, "hello")
				if got := <-c; got != "1" {
					t.Errorf("%s: %s", name, got)
				}
			})
		})
	}
}

// A message header that a call has failed with can be used again.
func TestRecvMsgLeavesTheHeaderWhereItFails(t *testing.T) {
	w := newStepped(t, shard.Config{}, Config{})
	x := &box{calls: w.System, family: 4, port: 5000, rest: w.settle}
	a, b := x.udpPair()
	x.must("setsockopt", x.set(a, SOL_IP, IP_RECVTTL, 1))
	m := &Msghdr{Iov: [][]byte{make([]byte, 9)}, Control: make([]byte, 64)}
	if _, err := x.RecvMsg(a, m, 0); err != syscall.EAGAIN || len(m.Control) != 64 {
		t.Errorf("%v, and room for %d octets of control messages", err, len(m.Control))
	}
	x.write(b, "hello")
	if n, err := x.RecvMsg(a, m, 0); n != 5 || err != nil || len(m.Control) != CmsgSpace(4) {
		t.Errorf("%d %v, and %d octets of control messages", n, err, len(m.Control))
	}
}

// A descriptor that dup(2) has given is open, though the other was closed at the same time; and an item that was
// taken out of an epoll set, or whose set was closed, while it was put in does not stay with its socket.
func TestDescriptorsSharedByManyAreKept(t *testing.T) {
	h := shard.New(shard.Config{})
	defer h.Close()
	sys := New(h, Config{})
	fd, err := sys.Socket(AF_INET, SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	st, _, _ := sys.sock(fd)
	for range 3000 {
		ep, _ := sys.EpollCreate(0)
		other, _ := sys.Socket(AF_INET, SOCK_DGRAM, 0)
		var all sync.WaitGroup
		all.Go(func() { sys.EpollCtl(ep, EPOLL_CTL_ADD, fd, &EpollEvent{Events: EPOLLIN}) })
		all.Go(func() { sys.EpollCtl(ep, EPOLL_CTL_DEL, fd, nil); sys.CloseFD(ep) })
		all.Go(func() { sys.CloseFD(other) })
		all.Go(func() {
			if fd, err := sys.Dup(other); err == nil {
				if f, err := sys.file(fd); err == nil && f.gone.Load() {
					t.Errorf("descriptor %d is of a file that is gone", fd)
				}
				sys.CloseFD(fd)
			}
		})
		all.Wait()
	}
	if n := len(st.watchers().items); n != 0 {
		t.Errorf("%d items of epoll sets that are gone", n)
	}
}
