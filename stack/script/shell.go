package script

import (
	"strconv"
	"strings"
)

// simpleCommands splits what stands between backquotes into its simple commands, each into its
// words, as a shell would: at ends of lines, semicolons and &&. Comments, redirections and quotes are
// taken away; $((…)) is worked out. Nothing is ever executed. ok is false where the text has
// what this cannot follow: pipes, substitutions, loops.
func simpleCommands(text string) (list [][]string, ok bool) {
	s := shell{text: text}
	for ; s.at < len(text); s.at++ {
		if !s.take(text[s.at]) {
			return nil, false
		}
	}
	s.endCommand()
	return s.list, true
}

// shell is how far a text is split.
type shell struct {
	text   string
	at     int // the octet that is looked at; what has taken more leaves it at the last one
	list   [][]string
	words  []string // of the command under way
	word   strings.Builder
	inWord bool
}

// take goes on with the octet c at s.at. It reports false at what cannot be followed.
func (s *shell) take(c byte) bool {
	switch c {
	case ' ', '\t', '\r':
		s.endWord()
	case '\n', ';':
		s.endCommand()
	case '#':
		if s.inWord {
			s.add("#")
		} else {
			s.skipUntil("\n")
		}
	case '\\':
		if s.at++; s.at < len(s.text) && s.text[s.at] != '\n' {
			s.add(s.text[s.at : s.at+1])
		}
	case '\'', '"':
		return s.quoted(c)
	case '$':
		s.dollar()
	case '&':
		if strings.HasPrefix(s.text[s.at:], "&&") {
			s.at++
		}
		s.endCommand()
	case '|', '(', ')':
		return false
	case '>', '<':
		s.redirection()
	default:
		s.add(s.text[s.at : s.at+1])
	}
	return true
}

func (s *shell) add(part string) {
	s.word.WriteString(part)
	s.inWord = true
}

func (s *shell) endWord() {
	if s.inWord {
		s.words = append(s.words, s.word.String())
		s.word.Reset()
		s.inWord = false
	}
}

func (s *shell) endCommand() {
	s.endWord()
	if len(s.words) > 0 {
		s.list = append(s.list, s.words)
		s.words = nil
	}
}

// skipUntil goes to the octet before the next of some.
func (s *shell) skipUntil(some string) {
	for s.at+1 < len(s.text) && strings.IndexByte(some, s.text[s.at+1]) < 0 {
		s.at++
	}
}

// quoted takes what stands between two quotes. Between double ones variables are not known.
func (s *shell) quoted(quote byte) bool {
	inside, _, closed := strings.Cut(s.text[s.at+1:], string(quote))
	if !closed {
		return false
	}
	value, known := arithmetic(inside)
	if !known && quote == '"' {
		return false
	}
	s.add(value)
	s.at += len(inside) + 1
	return true
}

// dollar takes a $((…)). The value of a variable is not known, nor needed where a word is only looked at.
func (s *shell) dollar() {
	rest := s.text[s.at:]
	n := strings.Index(rest, "))")
	if !strings.HasPrefix(rest, "$((") || n < 0 {
		s.add("$")
		return
	}
	value, _ := arithmetic(rest[:n+2])
	s.add(value)
	s.at += n + 1
}

// redirection skips a redirection. One into a file of the kernel is kept, as a word of its own, for it
// may be a setting.
func (s *shell) redirection() {
	if s.inWord { // 2>&1: the number belongs to it
		if _, err := strconv.Atoi(s.word.String()); err == nil {
			s.word.Reset()
			s.inWord = false
		}
		s.endWord()
	}
	for s.at+1 < len(s.text) && strings.IndexByte("><& \t", s.text[s.at+1]) >= 0 {
		s.at++
	}
	start := s.at + 1
	s.skipUntil(" \t\n;|&")
	if target := s.text[start : s.at+1]; strings.HasPrefix(target, "/proc/") || strings.HasPrefix(target, "/sys/") {
		s.words = append(s.words, ">", target)
	}
}

const procSys = "/proc/sys/"

// arithmetic replaces each $((…)) of products and sums of integers by its value. ok is false
// where a variable or a substitution stays.
func arithmetic(s string) (string, bool) {
	for {
		i := strings.Index(s, "$((")
		if i < 0 {
			return s, !strings.ContainsAny(s, "$")
		}
		n := strings.Index(s[i:], "))")
		if n < 0 {
			return s, false
		}
		sum := int64(0)
		for term := range strings.SplitSeq(s[i+3:i+n], "+") {
			product := int64(1)
			for factor := range strings.SplitSeq(term, "*") {
				v, err := strconv.ParseInt(strings.TrimSpace(factor), 0, 64)
				if err != nil {
					return s, false
				}
				product *= v
			}
			sum += product
		}
		s = s[:i] + strconv.FormatInt(sum, 10) + s[i+n+2:]
	}
}
