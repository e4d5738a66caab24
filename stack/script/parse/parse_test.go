package parse

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/weirnet/weir/stack/script/ast"
)

func TestEveryConstructHasItsTree(t *testing.T) {
	for _, c := range slices.Concat(constructs, packetConstructs) {
		s, err := File("f", []byte(c.script))
		if err != nil {
			t.Errorf("%s\n%v", c.script, err)
			continue
		}
		want := `Script{Name:"f" ` + c.tree + "}"
		if got := dump(s); got != want {
			t.Errorf("%s\n got %s\nwant %s", c.script, got, want)
		}
	}
}

func TestATreePrintsAsTheLanguageAndParsesToTheSameTree(t *testing.T) {
	for _, c := range slices.Concat(constructs, packetConstructs) {
		want := c.printed
		if want == "" {
			want = c.script
		}
		s, err := File("f", []byte(c.script))
		if err != nil {
			t.Errorf("%s\n%v", c.script, err)
			continue
		}
		if got := s.String(); got != want+"\n" {
			t.Errorf("%s\n got %q\nwant %q", c.script, got, want+"\n")
		}
		again, err := File("f", []byte(s.String()))
		if err != nil {
			t.Errorf("%s\n%v", s, err)
			continue
		}
		if got, first := dump(again), dump(s); got != first {
			t.Errorf("%s\nsecond %s\n first %s", s, got, first)
		}
	}
}

// What the line ends with, and what a file begins with, means nothing.
func TestLineEndsAndAByteOrderMarkMeanNothing(t *testing.T) {
	const script = "--mtu=1500\n// a comment\n#ifdef linux\n0 `a` // b\n#endif\n+1 > S \\\n 0:0(0)\n# c\n+1 f() = -1 EPIPE (Broken\n pipe)\n"
	want, err := File("f", []byte(script))
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{strings.ReplaceAll(script, "\n", "\r\n"), "\ufeff" + script, strings.TrimRight(script, "\n"), "\t" + script} {
		got, err := File("f", []byte(other))
		if err != nil {
			t.Errorf("%q: %v", other, err)
		} else if dump(got) != dump(want) {
			t.Errorf("%q:\n got %s\nwant %s", other, dump(got), dump(want))
		}
	}
}

func TestEveryNodeKnowsItsPlace(t *testing.T) {
	s, err := File("f", []byte("--mtu=1\n/* two\n   lines */ +1 > ipv4 1.1.1.1 > 2.2.2.2: [ce] 1 > 2 P. 1:2(1) ack 1 <nop,nop,\n  TS val 1 ecr 2>\n"+
		"0...1 read(3, [A|-2],\n {x=1}) = (1) EX (a)\n+0 %{\tassert x }% \n`c`"))
	if err != nil {
		t.Fatal(err)
	}
	p, c := s.Events[0].Packet, s.Events[1].Syscall
	list, st := c.Args[1].(*ast.List), c.Args[2].(*ast.Struct)
	or := list.Elems[0].(*ast.Binary)
	for _, node := range []struct {
		name string
		pos  ast.Pos
		want string
	}{
		{"option", s.Options[0].Pos, "1:1"}, {"event", s.Events[0].Pos, "3:13"}, {"time", s.Events[0].Time.Pos, "3:13"},
		{"packet", p.Pos, "3:16"}, {"layer", p.Layers[0].Pos, "3:18"}, {"ip", p.IP.Pos, "3:42"}, {"ports", p.TCP.Ports.Pos, "3:47"},
		{"tcp", p.TCP.Pos, "3:47"}, {"seq", p.TCP.Seq.Pos, "3:56"}, {"nop", p.TCP.Options[1].Pos, "3:74"}, {"TS", p.TCP.Options[2].Pos, "4:3"},
		{"blocking call", s.Events[1].Pos, "5:1"}, {"call", c.Pos, "5:7"}, {"3", c.Args[0].At(), "5:12"}, {"list", list.Pos, "5:15"},
		{"or", or.Pos, "5:16"}, {"-2", or.Y.At(), "5:18"}, {"struct", st.Pos, "6:2"}, {"field", st.Fields[0].Pos, "6:3"},
		{"1", st.Fields[0].Value.At(), "6:5"}, {"result", c.Result.At(), "6:11"},
		{"code", s.Events[2].Code.Pos, "7:4"}, {"its text", s.Events[2].Code.At, "7:7"}, {"command", s.Events[3].Command.Pos, "8:1"},
	} {
		if got := node.pos.String(); got != node.want {
			t.Errorf("%s is at %s, want %s", node.name, got, node.want)
		}
	}
}

func TestFlagsHaveTheirBits(t *testing.T) {
	for flags, want := range map[string]uint16{
		"-": 0, "S": ast.SYN, "S.": ast.SYN | ast.ACK, "FPRU": ast.FIN | ast.PSH | ast.RST | ast.URG,
		"SEWA": ast.SYN | ast.ECE | ast.CWR | ast.AE, "SC": ast.SYN | ast.CWR, "5.": ast.AE | ast.ECE | ast.ACK, ".6": ast.ACK | ast.AE | ast.CWR,
		"P0.": ast.PSH | ast.ACK, "1": ast.ECE,
	} {
		s, err := File("f", []byte("0 > "+flags+" 0:0(0)"))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := s.Events[0].Packet.TCP.Bits(); got != want {
			t.Errorf("%s: %#x, want %#x", flags, got, want)
		}
	}
}

// The lengths that the header has room for and the runner counts with.
func TestOptionsHaveTheirLengths(t *testing.T) {
	for option, want := range map[string]int{
		"nop": 1, "eol": 1, "mss 1": 4, "wscale 1": 3, "sackOK": 2, "sack 1:2": 10, "sack 1:2 3:4": 18, "TS val 1 ecr 1": 10,
		"FO": 2, "FO 1234": 4, "FOEXP": 4, "FOEXP 1234": 6, "md5 00": 3, "ECN": 2, "ECN e0b 1": 5, "AccECN1 e1b 1 ceb 1 e0b 1": 11,
		"exp-AccECN0": 4, "exp-AccECN1 e1b 1": 7, "exp-tarr": 4, "exp-tarr 1": 6,
	} {
		pad := strings.Repeat(",nop", (4-want%4)%4)
		s, err := File("f", []byte("0 > S 0:0(0) <"+option+pad+">"))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := s.Events[0].Packet.TCP.Options[0].Len(); got != want {
			t.Errorf("%s: %d octets, want %d", option, got, want)
		}
	}
}

// Nothing that a file may hold grows the stack or the time without bound.
func TestHostileFilesAreRefusedAndNotFollowed(t *testing.T) {
	const many = 200_000
	const nested, operators, unclosed = "nested at most 64 deep", "at most 1024 operators", "end of the file"
	for _, c := range []struct{ name, src, want string }{
		{"brackets", "0 f(" + strings.Repeat("[", many), nested},
		{"braces", "0 f(" + strings.Repeat("{", many), nested},
		{"parentheses", "0 f(" + strings.Repeat("(", many), nested},
		{"calls", "0 f(" + strings.Repeat("g(", many), nested},
		{"signs", "0 f(" + strings.Repeat("- ", many) + "x", nested},
		{"casts", "0 f(" + strings.Repeat("(a)", many) + "x", nested},
		{"assignments", "0 f(" + strings.Repeat("a=", many) + "x", nested},
		{"operators", "0 f(1" + strings.Repeat("|1", many) + ") = 0", operators},
		{"brackets of a chunk", "0 > sctp: A[" + strings.Repeat("[", many), unclosed},
		{"an open comment", "/*" + strings.Repeat("*", many), "a comment without its closing */"},
		{"hashes", "0 " + strings.Repeat("# ", many), `found "#"`},
		{"a note", "0 f() = 0 (" + strings.Repeat("(", many), "no closing parenthesis"},
		{"size", strings.Repeat(" ", MaxSize+1), "a script of at most 4194304 octets"},
	} {
		if _, err := File("f", []byte(c.src)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %.200v, want %q", c.name, err, c.want)
		}
	}
}

func TestNestingUpToTheBoundIsRead(t *testing.T) {
	for _, n := range []int{1, 20, maxDepth - 1} {
		src := fmt.Sprintf("0 f(%s1%s) = 0", strings.Repeat("[", n), strings.Repeat("]", n))
		if _, err := File("f", []byte(src)); err != nil {
			t.Errorf("%d brackets: %v", n, err)
		}
	}
}
