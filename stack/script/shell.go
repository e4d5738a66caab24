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
	var words []string
	var word strings.Builder
	inWord := false
	endWord := func() {
		if inWord {
			words = append(words, word.String())
			word.Reset()
			inWord = false
		}
	}
	end := func() {
		endWord()
		if len(words) > 0 {
			list = append(list, words)
			words = nil
		}
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case ' ', '\t', '\r':
			endWord()
		case '\n', ';':
			end()
		case '#':
			if inWord {
				word.WriteByte(c)
				break
			}
			for i+1 < len(text) && text[i+1] != '\n' {
				i++
			}
		case '\\':
			if i++; i < len(text) && text[i] != '\n' {
				word.WriteByte(text[i])
				inWord = true
			}
		case '\'', '"':
			n := strings.IndexByte(text[i+1:], c)
			if n < 0 {
				return nil, false
			}
			s, good := arithmetic(text[i+1 : i+1+n])
			if !good && c == '"' {
				return nil, false
			}
			word.WriteString(s)
			inWord = true
			i += n + 1
		case '$':
			n := strings.Index(text[i:], "))")
			if !strings.HasPrefix(text[i:], "$((") || n < 0 {
				// The value of a variable is not known, nor needed where a word is only looked at.
				word.WriteByte(c)
				inWord = true
				break
			}
			s, _ := arithmetic(text[i : i+n+2])
			word.WriteString(s)
			inWord = true
			i += n + 1
		case '&':
			if i+1 < len(text) && text[i+1] == '&' {
				i++
			}
			end()
		case '|', '(', ')':
			return nil, false
		case '>', '<':
			i = redirection(text, i, &word, &inWord, &words)
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	end()
	return list, true
}

// redirection skips a redirection at text[i] and returns its last octet. One into a file of
// the kernel is kept, as a word of its own, for it may be a setting.
func redirection(text string, i int, word *strings.Builder, inWord *bool, words *[]string) int {
	if *inWord { // 2>&1: the number belongs to it
		if _, err := strconv.Atoi(word.String()); err != nil {
			*words = append(*words, word.String())
		}
		word.Reset()
		*inWord = false
	}
	for i+1 < len(text) && strings.IndexByte("><& \t", text[i+1]) >= 0 {
		i++
	}
	start := i + 1
	for i+1 < len(text) && strings.IndexByte(" \t\n;|&", text[i+1]) < 0 {
		i++
	}
	if target := text[start : i+1]; strings.HasPrefix(target, "/proc/") || strings.HasPrefix(target, "/sys/") {
		*words = append(*words, ">", target)
	}
	return i
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
