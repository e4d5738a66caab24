package script

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// No script makes the runner panic or go on for ever, and the same one ends in the same way.
func FuzzRun(f *testing.F) {
	files, err := filepath.Glob("testdata/rules/*.pkt")
	if err != nil || len(files) == 0 {
		f.Fatal("no scripts")
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src, false)
	}
	f.Add([]byte("--ip_version=ipv6\n0 socket(..., SOCK_DGRAM, 0) = 3\n+0 bind(3, {sa_family=AF_INET6, sin6_port=htons(1), sin6_addr=inet_pton(AF_INET6, \"::\")}, 28) = 0\n+0 < udp (5)\n+0 recvmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 3}], msg_flags=MSG_TRUNC}, 0) = 3\n"), true)
	f.Add([]byte("0 `./defaults.sh`\n+0 epoll_create(1) = 3\n+0 socket(..., SOCK_STREAM, 0) = 4\n+0 epoll_ctl(3, EPOLL_CTL_ADD, 4, {events=EPOLLIN, fd=4}) = 0\n+0...1 epoll_wait(3, {events=EPOLLHUP|EPOLLOUT, fd=4}, 1, 1000) = 1\n"), false)
	f.Fuzz(func(t *testing.T, src []byte, offload bool) {
		if len(src) > 1<<13 {
			return
		}
		o := Options{Offload: offload}
		first, again := RunSource("f", src, o), RunSource("f", src, o)
		if strings.HasPrefix(first.Reason, panicked) {
			t.Fatalf("%v", first)
		}
		if first.Outcome != again.Outcome || first.Reason != again.Reason {
			t.Errorf("first %v\nthen %v", first, again)
		}
	})
}
