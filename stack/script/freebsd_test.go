package script

import "testing"

// freeBSDOpen is the beginning of a script that shows by its first line that it is for FreeBSD.
const freeBSDOpen = "0 `sysctl -w net.inet.tcp.sack.enable=1`\n" + `
   +0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 fcntl(3, F_SETFL, O_RDWR | O_NONBLOCK) = 0
`

// A script that holds for an older kernel alone passes as that, and only where nobody has
// said which it is to be.
func TestScriptsOfOlderReleases(t *testing.T) {
	old := freeBSDOpen + `
   +0 connect(3, ..., ...) = -1 EINPROGRESS
   +0 > S 0:0(0) win 65535 <mss 1460,nop,wscale 6,sackOK,TS val 100 ecr 0>
   +3 > S 0:0(0) win 65535 <mss 1460,nop,wscale 6,sackOK,TS val 3100 ecr 0>
`
	if r := mustPass(t, old, Options{}); r.Profile != "freebsd-12" {
		t.Errorf("it holds for %s", r.Profile)
	}
	mustPass(t, old, Options{Profile: "freebsd-12"})
	if r := run(t, old, Options{Profile: "freebsd"}); r.Outcome != Fail || r.Profile != "freebsd" {
		t.Errorf("%v", r)
	}
	never := freeBSDOpen + "+0 connect(3, ..., ...) = 0\n"
	if r := run(t, never, Options{}); r.Outcome != Fail || r.Profile != "freebsd" {
		t.Errorf("what holds for none is judged as the present: %v", r)
	}
	if r := run(t, "0 socket(..., SOCK_STREAM, 0) = 3\n", Options{Profile: "freebsd-9"}); r.Outcome != Invalid {
		t.Errorf("%v", r)
	}
}

func TestFreeBSDIsKnownByItsBuffer(t *testing.T) {
	src := "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 getsockopt(3, SOL_SOCKET, SO_RCVBUF, [65536], [4]) = 0\n"
	if r := mustPass(t, src, Options{}); r.Profile != "freebsd" {
		t.Errorf("taken for %s", r.Profile)
	}
}

func TestFreeBSDOptions(t *testing.T) {
	mustPass(t, freeBSDOpen+`
   +0 getsockopt(3, IPPROTO_TCP, TCP_KEEPINIT, [75], [4]) = 0
   +0 setsockopt(3, IPPROTO_TCP, TCP_KEEPINIT, [2], 4) = 0
   +0 setsockopt(3, IPPROTO_TCP, TCP_NOOPT, [1], 4) = 0
   +0 getsockopt(3, IPPROTO_TCP, TCP_NOOPT, [1], [4]) = 0
   +0 connect(3, ..., ...) = -1 EINPROGRESS
   +0 > S 0:0(0) win 65535 <>
   +1 > S 0:0(0) win 65535 <>
 +1.1 getsockopt(3, SOL_SOCKET, SO_ERROR, [ETIMEDOUT], [4]) = 0
`, Options{})
	mustPass(t, freeBSDOpen+`
   +0 setsockopt(3, IPPROTO_TCP, TCP_NOOPT, [1], 4) = 0
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 1) = 0
   +0 < S 0:0(0) win 65535 <mss 1000,wscale 6,TS val 100 ecr 0,sackOK,eol>
   +0 > S. 0:0(0) ack 1 win 65535 <>
`, Options{})
	mustSkip(t, "0 `sysctl net.inet.tcp.ecn.plusplus=1`\n+0 socket(..., SOCK_STREAM, 0) = 3\n", "needs ECN on packets without text (ECN++)")
	mustPass(t, "0 `sysctl net.inet.tcp.ecn.plusplus=0`\n+0 socket(..., SOCK_STREAM, 0) = 3\n", Options{})
}
