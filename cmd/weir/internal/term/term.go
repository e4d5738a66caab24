// Package term says what the output is and paints it.
package term

import (
	"os"

	"golang.org/x/sys/unix"
)

// IsTerminal reports whether f is a terminal.
func IsTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// Style is how output is painted.
type Style struct {
	// Live says that a line may be written over: the output is a terminal.
	Live bool
	// Color says that colours and signs beyond ASCII may be used.
	Color bool
}

// StyleOf returns the style for f: live and coloured on a terminal, without
// colours where the environment has NO_COLOR (no-color.org) or a dumb terminal.
func StyleOf(f *os.File) Style {
	live := IsTerminal(f)
	dumb := os.Getenv("TERM") == "dumb"
	return Style{
		Live:  live && !dumb,
		Color: live && !dumb && os.Getenv("NO_COLOR") == "",
	}
}

// The colours, as ECMA-48 numbers them.
const (
	Bold  = "1"
	Dim   = "2"
	Red   = "31"
	Green = "32"
	Cyan  = "36"
)

// Paint returns s in the colour, or s itself where the style has none.
func (s Style) Paint(color, text string) string {
	if !s.Color {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}
