package parse

import (
	"errors"
	"fmt"
	"testing"
)

// mistake is a script that breaks the language: the place, what was expected there and what
// was found instead.
type mistake struct{ script, at, expected, found string }

var mistakes = []mistake{
	// Options and what stands around events.
	{"--mtu=", "1:7", "the value of --mtu", "the end of the file"},
	{"0 `x`\n--mtu=1", "2:1", "an event, which begins with a time", `the option "--mtu"`},
	{"--x=\"a", "1:5", "the value of --x", "a string without its closing quote"},
	{"close(3) = 0", "1:1", "an event, which begins with a time", `"close"`},
	{"0 `x`\n  é", "2:3", "an event, which begins with a time", "the character 0xc3"},
	{"/* x\n", "1:1", "an event, which begins with a time", "a comment without its closing */"},
	{"#ifdef\n#endif", "1:1", "#ifdef and the name of one system", `"#ifdef"`},
	{"#ifdef a b\n#endif", "1:1", "#ifdef and the name of one system", `"#ifdef a b"`},
	{"#ifdef a\n#ifdef b\n#endif", "2:1", "#endif", "#ifdef b"},
	{"#ifdef a\n0 `x`\n", "3:1", "#endif", "the end of the file"},
	{"0 `x`\n#endif", "2:1", "an event, which begins with a time", "#endif"},
	{"0 `x` # y", "1:7", "an event, which begins with a time", `"#"`},
	// Times.
	{"0", "1:2", "a packet (< or >), a system call, a `command` or %{ code }%", "the end of the file"},
	{"-1 `x`", "1:1", "an event, which begins with a time", `"-"`},
	{"+`x`", "1:2", "a time in seconds", "the command \"x\""},
	{"99999999999 `x`", "1:1", "a time of at most 9223372035 seconds", `"99999999999"`},
	{"2~1 > S 0:0(0)", "1:3", "a range that ends after its start", `"1"`},
	{"1~0.999999999 > S 0:0(0)", "1:3", "a range that ends after its start", `"0.999999999"`},
	{"+1~2 > S 0:0(0)", "1:4", `'+' before the end of a relative range`, `"2"`},
	{"1~ > S 0:0(0)", "1:4", "the end of the range in seconds", `">"`},
	{"1~2 < S 0:0(0)", "1:1", "a single time, for only a packet out may come at any of several", "1~2"},
	{"* `x`", "1:1", "a single time, for only a packet out may come at any of several", "*"},
	{"0 [", "1:3", "a packet (< or >), a system call, a `command` or %{ code }%", `"["`},
	{"0 `x", "1:3", "a packet (< or >), a system call, a `command` or %{ code }%", "a command without its closing backquote"},
	{"0 %{ assert", "1:3", "a packet (< or >), a system call, a `command` or %{ code }%", "a block of code without its closing }%"},
	// System calls.
	{"0... read(3) = 0", "1:6", "the time at which the call returns", `"read"`},
	{"1...0.5 read(3) = 0", "1:5", "a call that returns after its start", `"0.5"`},
	{"0...1 > S 0:0(0)", "1:7", "the name of a system call", `">"`},
	{"0 read 3", "1:8", "'(' before the arguments of read", `"3"`},
	{"0 read(3 4) = 0", "1:10", "')' or a comma in the arguments of read", `"4"`},
	{"0 read(3,) = 0", "1:10", "an expression", `")"`},
	{"0 read(3)\n1 close(3) = 0", "2:1", "'=' and the result of read", `"1"`},
	{"0 read(3) = \n", "2:1", "an expression", "the end of the file"},
	{"0 f() = -1 EPIPE (Broken pipe", "1:18", "a remark in parentheses", "no closing parenthesis"},
	// Expressions.
	{"0 f([1, 2) = 0", "1:10", "']' or a comma in the list", `")"`},
	{"0 f({a=1, }) = 0", "1:11", "another member after the comma", `"}"`},
	{"0 f({a=1 b}) = 0", "1:10", "'}' or a comma in the structure", `"b"`},
	{"0 f({1=2}) = 0", "1:7", "} or a comma in the structure", `"="`},
	{"0 f({a(1, 2)=3}) = 0", "1:6", "one number in parentheses after a", "2"},
	{"0 f((1) = 0", "1:9", "')' or a comma in the arguments of f", `"="`},
	{"0 f(18446744073709551616) = 0", "1:5", "a number of 64 bits", `"18446744073709551616"`},
	{"0 f(-9223372036854775809) = 0", "1:6", "a number of 64 bits", `"9223372036854775809"`},
	{"0 f(\"a) = 0", "1:5", "an expression", "a string without its closing quote"},
	{"0 f(\"\\xg\") = 0", "1:5", `one or two hexadecimal digits after \x`, `"g"`},
	{"0 f(1 |) = 0", "1:8", "an expression", `")"`},
	// Segments.
	{"0 >", "1:4", "TCP flags, udp or icmp", "the end of the file"},
	{"0 > X 0:0(0)", "1:5", "a TCP flag (F S R P . U E W A, or a digit 0 to 7)", "'X'"},
	{"0 > SFx 0:0(0)", "1:7", "a TCP flag (F S R P . U E W A, or a digit 0 to 7)", "'x'"},
	{"0 > P8. 0:0(0)", "1:6", "a TCP flag (F S R P . U E W A, or a digit 0 to 7)", "'8'"},
	{"0 > E5 0:0(0)", "1:6", "either letters or one digit for the flags of ECN", "'5'"},
	{"0 > 5W 0:0(0)", "1:6", "either letters or one digit for the flags of ECN", "'W'"},
	{"0 > 12:13(1)", "1:5", "TCP flags, or - for none", `"12"`},
	{"0 > S 0", "1:8", "':' between the sequence numbers", "the end of the file"},
	{"0 > S x:0(0)", "1:7", "a sequence number", `"x"`},
	{"0 > S 0:(0)", "1:9", "the sequence number of the end", `"("`},
	{"0 > S 0:0 ack 1", "1:11", "'(' before the length", `"ack"`},
	{"0 > S 0:0(0 ack 1", "1:13", "')' after the length", `"ack"`},
	{"0 > S 0:65536(65536)", "1:15", "a length of at most 65535", `"65536"`},
	{"0 > . 1:1001(999)", "1:9", "1000, the end of 999 octets from 1", `"1001"`},
	{"0 > . 4294967296:1(1)", "1:7", "a sequence number of at most 4294967295", `"4294967296"`},
	{"0 > . 1:1(0) ack", "1:17", "a number for ack", "the end of the file"},
	{"0 > . 1:1(0) ack 1 ack 2", "1:20", "each of ack, win and urg once", `"ack"`},
	{"0 > . 1:1(0) win 65536", "1:18", "a number for win of at most 65535", `"65536"`},
	{"0 > 1 > x S 0:0(0)", "1:9", "a destination port", `"x"`},
	{"0 > 65536 > 1 S 0:0(0)", "1:5", "a source port of at most 65535", `"65536"`},
	{"0 > . 1:1(0) / tcp", "1:16", "udp, the only wrapping after a slash", `"tcp"`},
	{"0 > . 1:1(0) {}", "1:16", "what to damage, before the }", "the end of the file"},
	// Options of TCP.
	{"0 < S 0:0(0) <...>", "1:15", "the options of a packet in", `"..."`},
	{"0 > S 0:0(0) <...,nop>", "1:18", "'>' after the options", `","`},
	{"0 > S 0:0(0) <msss 1460>", "1:15", "a TCP option (mss, wscale, sackOK, sack, TS, nop, eol, FO, md5 …)", `"msss"`},
	{"0 > S 0:0(0) <mss>", "1:18", "a number for mss", `">"`},
	{"0 > S 0:0(0) <mss 65536>", "1:19", "a number for mss of at most 65535", `"65536"`},
	{"0 > S 0:0(0) <wscale 256>", "1:22", "a shift count of at most 255", `"256"`},
	{"0 > S 0:0(0) <nop nop>", "1:19", "',' or > after an option", `"nop"`},
	{"0 > S 0:0(0) <nop,>", "1:19", "another option after the comma", `">"`},
	{"0 > S 0:0(0) <nop", "1:18", "',' or > after an option", "the end of the file"},
	{"0 > S 0:0(0) <mss 1,nop>", "1:14", "options padded with nop or eol to a multiple of 4 octets", "5 octets"},
	{"0 > S 0:0(0) <sack 1:2 3:4 5:6 7:8,sack 1:2>", "1:36", "at most 40 octets of options", "44"},
	{"0 > S 0:0(0) <sack,nop>", "1:19", "the left edge of a SACK block", `","`},
	{"0 > S 0:0(0) <sack 1,nop>", "1:21", "':' between the edges of a SACK block", `","`},
	{"0 > S 0:0(0) <sack 1:x>", "1:22", "the right edge of a SACK block", `"x"`},
	{"0 > S 0:0(0) <TS ecr 1>", "1:18", "val", `"ecr"`},
	{"0 > S 0:0(0) <TS val 1>", "1:23", "ecr", `">"`},
	{"0 > S 0:0(0) <TS val 1! ecr 1>", "1:23", "ecr", `"!"`},
	{"0 > S 0:0(0) <TS val x ecr 1>", "1:22", "a timestamp", `"x"`},
	{"0 > S 0:0(0) <FO 123,nop>", "1:18", "an even number of hexadecimal digits for FO", `"123"`},
	{"0 > S 0:0(0) <md5 0g>", "1:19", "an even number of hexadecimal digits for md5", `"0g"`},
	{"0 > S 0:0(0) <ECN e2b 1>", "1:19", "e0b, ceb or e1b", `"e2b"`},
	{"0 > S 0:0(0) <ECN e0b 16777216>", "1:23", "a number for e0b of at most 16777215", `"16777216"`},
	// The IP header and what is around it.
	{"0 > [] S 0:0(0)", "1:6", "a field of the IP header", `"]"`},
	{"0 > [ect2] S 0:0(0)", "1:6", "noecn, ect0, ect1, ect01, ce, ecn, tos, class, dscp, flowlabel, ttl or hlim", `"ect2"`},
	{"0 > [ect0) S 0:0(0)", "1:10", "']' after the fields of the IP header", `")"`},
	{"0 > [ect0, ce] S 0:0(0)", "1:12", "one ECN code point", `"ce"`},
	{"0 < [ect01] S 0:0(0)", "1:6", "a single code point for a packet in", `"ect01"`},
	{"0 > [ecn 1] S 0:0(0)", "1:10", "noecn, ect0, ect1, ect01 or ce", `"1"`},
	{"0 > [tos 0x100] S 0:0(0)", "1:10", "a number for tos of at most 255", `"0x100"`},
	{"0 > [ttl 1, hlim 2] S 0:0(0)", "1:13", "each field of the IP header once", `"hlim"`},
	{"0 > [dscp af99] S 0:0(0)", "1:11", "one DSCP as a number or a name such as cs1, af11 or ef", `"af99"`},
	{"0 > [flowlabel 0x100000] S 0:0(0)", "1:16", "a number for flowlabel of at most 1048575", `"0x100000"`},
	{"0 > ipv4 ::1 > ::2: . 1:1(0)", "1:10", "an IPv4 address", `":"`},
	{"0 > ipv6 1.1.1.1 > ::2: . 1:1(0)", "1:10", "an IPv6 address", `"1.1"`},
	{"0 > ipv4 1.1.1.1 2.2.2.2: . 1:1(0)", "1:18", "'>' between two addresses", `"2.2"`},
	{"0 > ipv4 1.1.1.1 > 2.2.2.2 . 1:1(0)", "1:28", "':' after the addresses", `"."`},
	{"0 > mpls (label 1, tc 8, ttl 1): . 1:1(0)", "1:23", "a number for tc of at most 7", `"8"`},
	{"0 > mpls (label 1, tc 1, [T], ttl 1): . 1:1(0)", "1:27", "S, the bottom of the stack", `"T"`},
	{"0 > gre flags [", "1:16", "':'", "the end of the file"},
	{"0 > gre flags 1\n+0 > S 0:0(0)\n", "2:4", "':'", `">"`},
	{"0 > gre flags `x`: S 0:0(0)", "1:15", "':'", "the command \"x\""},
	{"0 > encap gre", "1:11", "psp", `"gre"`},
	// Other protocols.
	{"0 > udp", "1:8", "'(' before the length", "the end of the file"},
	{"0 > udp (70000)", "1:10", "a length of at most 65535", `"70000"`},
	{"0 > udplite (1)", "1:15", "',' after the length", `")"`},
	{"0 > icmp", "1:9", "the type of an ICMP message", "the end of the file"},
	{"0 > icmp unreachable [x]", "1:23", "a sequence number", `"x"`},
	{"0 > icmp unreachable [1:1(0)", "1:29", "']' after the quoted packet", "the end of the file"},
	{"0 > icmp unreachable mtu x", "1:26", "a number for mtu", `"x"`},
	{"0 > [1:1(0)] S 0:0(0)", "1:14", "icmp, whose quoted packet stands before it", `"S"`},
	{"0 > sctp INIT[]", "1:16", "':'", "the end of the file"},
	{"0 > sctp: INIT[a=1", "1:19", "']'", "the end of the file"},
	{"0 > sctp: INIT[]; 5", "1:19", "a chunk after the semicolon", `"5"`},
}

func TestAMistakeIsToldWithItsPlaceAndWhatWasExpected(t *testing.T) {
	for _, m := range mistakes {
		_, err := File("x.pkt", []byte(m.script))
		var e *Error
		if m.expected == "" {
			if err != nil {
				t.Errorf("%q: %v", m.script, err)
			}
			continue
		}
		if !errors.As(err, &e) {
			t.Errorf("%q: %v, want an error at %s", m.script, err, m.at)
			continue
		}
		if at := fmt.Sprintf("%d:%d", e.Line, e.Column); at != m.at || e.Expected != m.expected || e.Found != m.found || e.File != "x.pkt" {
			t.Errorf("\t{%q, %q, %q, %q},", m.script, at, e.Expected, e.Found)
		}
	}
}

func TestAnErrorIsOneLineWithTheFile(t *testing.T) {
	_, err := File("dir/x.pkt", []byte("0 `a`\n0 > S 0:0(0) <mss>"))
	const want = `dir/x.pkt:2:18: expected a number for mss, found ">"`
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
