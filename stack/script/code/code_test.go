package code

import (
	"errors"
	"strings"
	"testing"

	"github.com/weirnet/weir/stack/script/ast"
)

var start = ast.Pos{Line: 7, Column: 5}

func info() map[string]Value {
	return map[string]Value{
		"tcpi_snd_cwnd": Int(10), "tcpi_options": Int(7), "tcpi_rtt": Int(100000), "tcpi_ca_state": Int(0), "tcpi_max_pacing_rate": Uint(1<<64 - 1),
		"TCP_CA_Open": Int(0), "TCP_CA_Recovery": Int(3), "TCPI_OPT_SACK": Int(2), "TCPI_OPT_ECN": Int(8),
	}
}

// Every construct, with every expression in parentheses.
func TestEveryConstructHasItsTree(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"", ""},
		{" \n# nothing\n; pass", ""},
		{"assert a", "assert a"},
		{"assert a == 1, a", "assert (a == 1), a"},
		{"assert(a == 1), 'x'", `assert (a == 1), "x"`},
		{"assert a; assert b;", "assert a; assert b"},
		{"assert a; \\\n   assert b", "assert a; assert b"},
		{"\nassert a # one\n\n    assert b\n", "assert a; assert b"},
		{"assert 1 < a <= b != 3", "assert (1 < a <= b != 3)"},
		{"assert a <> b", "assert (a != b)"},
		{"assert a > b >= c", "assert (a > b >= c)"},
		{"assert a in (1, 2) and b not in [3] or c is None and d is not True", "assert (((a in tuple(1, 2)) and (b not in list(3))) or ((c is None) and (d is not True)))"},
		{"assert not a == b and not not c", "assert ((not (a == b)) and (not (not c)))"},
		{"assert a | b ^ c & d << 1 >> 2 + 3 * 4 - 5 // 6 % 7 / 8", "assert (a | (b ^ (c & ((d << 1) >> ((2 + (3 * 4)) - (((5 // 6) % 7) / 8))))))"},
		{"assert a & b == 2", "assert ((a & b) == 2)"},
		{"assert -a ** 2 ** -b", "assert (neg (a ** (2 ** (neg b))))"},
		{"assert ~a + +b", "assert ((inv a) + (pos b))"},
		{"assert a if b else c if d else e", "assert (a if b else (c if d else e))"},
		{"assert ()", "assert tuple()"},
		{"assert (a,)", "assert tuple(a)"},
		{"assert [a,]", "assert list(a)"},
		{"assert (a)", "assert a"},
		{"x = 1, 2", "x = tuple(1, 2)"},
		{"x = max(1, min(2, 3)) + abs(-1)", "x = (max(1, min(2, 3)) + abs((neg 1)))"},
		{"x += 1; x -= 2; x <<= 3; x //= 4; x **= 5", "x = (x + 1); x = (x - 2); x = (x << 3); x = (x // 4); x = (x ** 5)"},
		{`x = "a\tb" 'c"\''`, `x = "a\tbc\"'"`},
		{`x = 'cwnd=%d' % tcpi_snd_cwnd`, `x = ("cwnd=%d" % tcpi_snd_cwnd)`},
		{"x = 0x1f + 0b11 + 0o17 + 1_000 + 10L + 007", "x = (((((31 + 3) + 15) + 1000) + 10) + 7)"},
		{"x = 1.5 + .5 + 1e3 + 2.", "x = (((1.5 + 0.5) + 1000.0) + 2.0)"},
		{"print(a); print a, b; print \"x\"; print; x = 1", "x = 1"},
		{"print(a,\n  b)\nx = 1", "x = 1"},
		{"x = (1 +\n 2)", "x = (1 + 2)"},
		{"if a: assert b", "if a {assert b}"},
		{"if a: x = 1; y = 2\nz = 3", "if a {x = 1; y = 2}; z = 3"},
		{"if a:\n  x = 1\n  y = 2\nelif b:\n  x = 3\nelse: x = 4\ny = 5", "if a {x = 1; y = 2} else {if b {x = 3} else {x = 4}}; y = 5"},
		{"  if a:\n\tif b:\n\t  x = 1\n\ty = 2\n  z = 3", "if a {if b {x = 1}; y = 2}; z = 3"},
		{"if (a\n    and b): x = 1\nelse: y = [1,\n2]\nz = 3", "if (a and b) {x = 1} else {y = list(1, 2)}; z = 3"},
		{"if a:\n  x = 1; \\\n      y = 2", "if a {x = 1; y = 2}"},
		{"if a:\n  x = (1\n)\n  y = 2", "if a {x = 1; y = 2}"},
		{"if a:\r\n  x = 1\r\ny = 2", "if a {x = 1}; y = 2"},
	} {
		p, err := Parse("f", start, c.src)
		if err != nil {
			t.Errorf("%q: %v", c.src, err)
		} else if got := p.String(); got != c.want {
			t.Errorf("%q:\n got %s\nwant %s", c.src, got, c.want)
		}
	}
}

// What an expression comes to, as Python has it.
func TestExpressionsComeToWhatPythonSays(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"tcpi_snd_cwnd == 10", "True"}, {"1 < 2 < 3", "True"}, {"1 < 3 < 2", "False"}, {"3 > 2 > 1 > 0 > -1", "True"},
		{"tcpi_options & TCPI_OPT_SACK", "2"}, {"(tcpi_options & TCPI_OPT_ECN) != 0", "False"}, {"tcpi_options | 8", "15"}, {"6 ^ 3", "5"},
		{"~0", "-1"}, {"-3", "-3"}, {"+True", "1"}, {"1 << 64", "18446744073709551616"}, {"-9 >> 1", "-5"}, {"tcpi_max_pacing_rate", "18446744073709551615"},
		{"7 // 2", "3"}, {"-7 // 2", "-4"}, {"7 // -2", "-4"}, {"-7 % 3", "2"}, {"7 % -3", "-2"}, {"7 / 2", "3.5"}, {"6 / 2", "3.0"},
		{"2 ** 10", "1024"}, {"2 ** -1", "0.5"}, {"(-1) ** 3", "-1"}, {"0 ** 0", "1"}, {"1 ** 100000", "1"}, {"2.0 ** 3", "8.0"}, {"-2 ** 2", "-4"},
		{"7.5 // 2", "3.0"}, {"-7.5 % 2", "0.5"}, {"1.5 + 1", "2.5"}, {"1.5 - 1", "0.5"}, {"1.5 * 2", "3.0"}, {"-1.5", "-1.5"},
		{"1 and 2", "2"}, {"0 and nowhere", "0"}, {"1 or nowhere", "1"}, {"0 or 3", "3"}, {"not 0", "True"}, {"not ''", "True"}, {"not (1,)", "False"},
		{"1 if 0 else 2", "2"}, {"1 if 1 else nowhere", "1"}, {"1 == 1.0", "True"}, {"1 == 'a'", "False"}, {"None == None", "True"}, {"None is not None", "False"},
		{"True == 1", "True"}, {"'a' < 'b'", "True"}, {"'b' <= 'a'", "False"}, {"2**60 + 1 > 2.0**60", "True"}, {"(1, 2) == [1, 2.0]", "True"}, {"(1, 2) != (1,)", "True"},
		{"2 in (1, 2)", "True"}, {"2 not in (1, 2)", "False"}, {"'b' in 'abc'", "True"}, {"tcpi_ca_state in (TCP_CA_Open, TCP_CA_Recovery)", "True"},
		{"abs(-3)", "3"}, {"abs(2.5)", "2.5"}, {"max(1, 3, 2)", "3"}, {"min((4, 2.5))", "2.5"}, {"int(3.9)", "3"}, {"int(-3.9)", "-3"}, {"int('12')", "12"},
		{"round(2.5)", "2"}, {"round(3)", "3"}, {"float(3)", "3.0"}, {"float('2.5')", "2.5"}, {"len('abc')", "3"}, {"len([1, 2])", "2"}, {"str(3) + 'x'", "3x"}, {"bool(2)", "True"},
		{"'ab' * 2", "abab"}, {"'ab' * -1", ""}, {"(1,) + (2,)", "(1, 2)"}, {"'a' 'b'", "ab"}, {"'%d of %s' % (3, 'x')", "3 of x"}, {"'%x %5.2f%%' % (255, 2.5)", "ff  2.50%"},
		{"'%r' % 'a'", `"a"`}, {"'%s' % 1.5", "1.5"}, {"'%i' % True", "1"}, {"'a\\tb'", "a\tb"}, {"()", "()"},
		{"float('nan') < 1", "False"}, {"float('nan') == float('nan')", "False"}, {"float('inf') > 2**1000", "True"},
	} {
		p, err := Parse("f", start, "x = "+c.src)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		env := info()
		if err := p.Eval(env); err != nil {
			t.Errorf("%s: %v", c.src, err)
		} else if got := env["x"].String(); got != c.want {
			t.Errorf("%s is %s, want %s", c.src, got, c.want)
		}
	}
}

// What cannot be read or computed, with the place and the kind.
func TestAMistakeIsToldWithItsPlaceAndItsConstruct(t *testing.T) {
	for _, c := range []struct {
		src, at string
		kind    Kind
		want    string
	}{
		{"assert", "7:11", Syntax, "expected an expression, found the end of the block"},
		{"assert a,", "7:14", Syntax, "expected an expression, found the end of the block"},
		{"assert a b", "7:14", Syntax, `expected the end of the statement, found "b"`},
		{"\n assert a ==\n", "8:13", Syntax, "expected an expression, found the end of the line"},
		{"assert (a", "7:14", Syntax, `expected ")" or a comma, found the end of the block`},
		{"assert [a", "7:14", Syntax, `expected "]" or a comma, found the end of the block`},
		{"assert a not b", "7:18", Syntax, `expected in, after not, found "b"`},
		{"assert a if b", "7:18", Syntax, "expected else of a conditional expression"},
		{"a", "7:6", Syntax, "expected = after a"},
		{"a = b = 1", "7:11", Syntax, "assignments to several names"},
		{"a.b = 1", "7:6", Syntax, "attributes (a.…)"},
		{"f(1)", "7:5", Syntax, "the call of f() as a statement"},
		{"5", "7:5", Syntax, `expected a statement, found "5"`},
		{"import sys", "7:5", Syntax, "import statements"},
		{"for x in y: pass", "7:5", Syntax, "for statements"},
		{"while 1: pass", "7:5", Syntax, "while statements"},
		{"def f(): pass", "7:5", Syntax, "def statements"},
		{"x = a.b", "7:10", Syntax, "attributes (.name)"},
		{"x = a[0]", "7:10", Syntax, "subscripts"},
		{"x = {1: 2}", "7:9", Syntax, "sets and dictionaries"},
		{"x = lambda: 1", "7:9", Syntax, "lambda"},
		{"x = [y for y in z]", "7:12", Syntax, "comprehensions"},
		{"x = (y for y in z)", "7:12", Syntax, "comprehensions"},
		{"x = open('f')", "7:9", Syntax, "the function open()"},
		{"x = (1)(2)", "7:12", Syntax, "calls of what is not a name"},
		{"x = f'a'", "7:9", Syntax, "strings with a prefix (f)"},
		{"x = '''a'''", "7:9", Syntax, "triple quotes"},
		{"x = 'a\n'", "7:9", Syntax, "lacks its closing quote"},
		{"x = 1z", "7:9", Syntax, `"1z" is not a number`},
		{"x = 0x", "7:9", Syntax, `"0x" is not a number`},
		{"x = $", "7:9", Syntax, `the character '$'`},
		{"if a assert b", "7:10", Syntax, `expected ":" before a suite`},
		{"if a:\nassert b", "8:1", Syntax, "expected an indented suite"},
		{"if a:\n  x = 1\n    y = 2", "9:5", Syntax, "indented more"},
		{"if a:\n  x = 1\n else: y = 2", "9:2", Syntax, "else is not indented as its if"},
		{"else: x = 1", "7:5", Syntax, "else does not begin a statement here"},
		{"x = " + strings.Repeat("(", 100) + "1", "", Limit, "nested more than 64 deep"},
		{"x = 1" + strings.Repeat("+1", 2000), "", Limit, "more than 1024 operators"},
		{"x = " + strings.Repeat("9", 100), "7:9", Limit, "more than 80 digits"},

		{"assert tcpi_none == 1", "7:12", Name, "the name tcpi_none has no value"},
		{"x += 1", "7:5", Name, "the name x has no value"},
		{"x = 1 / 0", "7:11", Type, "division by zero"},
		{"x = 1 % 0", "7:11", Type, "division by zero"},
		{"x = 1.0 // 0", "7:13", Type, "division by zero"},
		{"x = 0 ** -1", "7:11", Type, "division by zero"},
		{"x = 1 << -1", "7:11", Type, "a shift by a negative number"},
		{"x = 1 + 'a'", "7:11", Type, "+ does not combine an integer and a string"},
		{"x = 1.5 | 1", "7:13", Type, "| does not combine real numbers"},
		{"x = ~1.5", "7:9", Type, "a real number has no sign"},
		{"x = 1 < 'a'", "7:11", Type, "< does not compare an integer and a string"},
		{"x = 1 in 2", "7:11", Type, "in does not look for an integer in an integer"},
		{"x = len(1)", "7:9", Type, "len() of an integer"},
		{"x = abs('a')", "7:9", Type, "abs() of a string"},
		{"x = abs(1, 2)", "7:9", Type, "abs() takes one argument, not 2"},
		{"x = max()", "7:9", Type, "max() of nothing"},
		{"x = int('a')", "7:9", Type, `int() of "a"`},
		{"x = float(())", "7:9", Type, "float() of a sequence"},
		{"x = '%d' % ()", "7:14", Type, "asks for more values"},
		{"x = '%d' % (1, 2)", "7:14", Type, "asks for fewer values"},
		{"x = '%d' % 'a'", "7:14", Type, `int() of "a"`},
		{"x = '%y' % 1", "7:14", Type, "%y is not understood"},
		{"x = '%' % 1", "7:13", Type, "lacks its letter"},
		{"x = 1 << 5000", "7:11", Limit, "a shift by more than 1024 bits"},
		{"x = 2 ** 2000", "7:11", Limit, "a number of more than 1024 bits"},
		{"x = 2 ** 2 ** 100", "7:11", Limit, "a number of more than 1024 bits"},
		{"x = (1 << 1000) * (1 << 1000)", "7:21", Limit, "a number of more than 1024 bits"},
		{"x = 'a' * 99999", "7:13", Limit, "a string of more than 65536 octets"},
		{"x = '%9999d' % 1", "7:18", Limit, "a width of 9999"},
		{"x = (1, 2)" + strings.Repeat("; x = (x, x)", 40), "", Limit, "a sequence of more than 65536 octets"},
		{"x = (1,)" + strings.Repeat("; x = x + x", 11), "", Limit, "a sequence of more than 65536 octets"},
		{"x = 'ab'" + strings.Repeat("; x += x", 40), "", Limit, "a string of more than 65536 octets"},
	} {
		p, err := Parse("f.pkt", start, c.src)
		if err == nil {
			err = p.Eval(info())
		}
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%.40q: %v, want an error", c.src, err)
			continue
		}
		if e.File != "f.pkt" || e.Kind != c.kind || !strings.Contains(e.Message, c.want) || c.at != "" && e.Pos.String() != c.at {
			t.Errorf("%.40q: %v (kind %d), want %s: %s (kind %d)", c.src, err, e.Kind, c.at, c.want, c.kind)
		}
	}
}

func TestAFailureShowsTheConditionTheValuesAndTheMessage(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"assert tcpi_snd_cwnd == 11", "f.pkt:7:5: assertion failed: tcpi_snd_cwnd == 11 (tcpi_snd_cwnd = 10)"},
		{"assert tcpi_snd_cwnd == 11, tcpi_snd_cwnd", "f.pkt:7:5: assertion failed: tcpi_snd_cwnd == 11 (tcpi_snd_cwnd = 10): 10"},
		{"\n  x = 3\n  assert 0 <  x <\\\n 2, 'x=%d' % x # c", "f.pkt:9:3: assertion failed: 0 < x < 2 (x = 3): x=3"},
		{"assert tcpi_ca_state == TCP_CA_Recovery, nowhere", "f.pkt:7:5: assertion failed: tcpi_ca_state == TCP_CA_Recovery (tcpi_ca_state = 0, TCP_CA_Recovery = 3): the name nowhere has no value"},
		{"assert 0 # c", "f.pkt:7:5: assertion failed: 0"},
		{"if tcpi_rtt: assert None", "f.pkt:7:18: assertion failed: None"},
		{"if not tcpi_rtt: pass\nelse:\n  assert ''", "f.pkt:9:3: assertion failed: ''"},
	} {
		p, err := Parse("f.pkt", start, c.src)
		if err != nil {
			t.Error(err)
			continue
		}
		err = p.Eval(info())
		var f *Failure
		if !errors.As(err, &f) || err.Error() != c.want {
			t.Errorf("%q:\n got %v\nwant %s", c.src, err, c.want)
		}
	}
}

func TestTheBoundOnOperatorsIsOfEachExpression(t *testing.T) {
	src := strings.Repeat("x = 1"+strings.Repeat("+1", maxOperators)+"\n", 3) + "if x:\n" + strings.Repeat("  x = 1"+strings.Repeat("+1", maxOperators)+"\n", 3)
	if _, err := Parse("f", start, src); err != nil {
		t.Errorf("%.200v", err)
	}
}

// A script counts in a variable from one block to the next.
func TestNamesLiveFromBlockToBlock(t *testing.T) {
	env := info()
	for _, src := range []string{"cwnd = tcpi_snd_cwnd", "cwnd += 2", "assert cwnd == 12, cwnd"} {
		p, err := Parse("f", start, src)
		if err == nil {
			err = p.Eval(env)
		}
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
	}
	if n, ok := env["cwnd"].Int64(); n != 12 || !ok {
		t.Errorf("cwnd is %d, %v", n, ok)
	}
}

func TestABlockTellsTheNamesThatItReads(t *testing.T) {
	p, err := Parse("f", start, "x = tcpi_a\ny += 1\nassert x + y == tcpi_b, tcpi_c\nif z:\n  w = 1\nassert w")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(p.Names(), " "); got != "tcpi_a y tcpi_b z w" {
		t.Errorf("%s", got)
	}
}
