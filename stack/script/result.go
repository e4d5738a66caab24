package script

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Outcome is what became of a script.
type Outcome uint8

// The outcomes.
const (
	Pass    Outcome = iota
	Fail            // the stack did not do what the script expects
	Skip            // the script needs what the stack does not have; it was not judged
	Invalid         // the script cannot be read or contradicts itself; it was not judged
)

var outcomeNames = [...]string{"pass", "fail", "skip", "invalid"}

// String returns "pass", "fail", "skip" or "invalid".
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return fmt.Sprintf("outcome %d", uint8(o))
}

// MarshalText makes an Outcome its name in JSON.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads a name that MarshalText wrote.
func (o *Outcome) UnmarshalText(b []byte) error {
	i := slices.Index(outcomeNames[:], string(b))
	if i < 0 {
		return fmt.Errorf("script: %q is not an outcome", b)
	}
	*o = Outcome(i)
	return nil
}

// Result is what running one script came to.
type Result struct {
	File    string  `json:"file"`
	Outcome Outcome `json:"outcome"`
	// Reason says in a few words why a script was skipped or is invalid; those of the same
	// kind have the same. Of a failure it is the message.
	Reason  string   `json:"reason,omitempty"`
	Failure *Failure `json:"failure,omitempty"`
	// Profile and Family are what it ran as.
	Profile string `json:"profile,omitempty"`
	Family  string `json:"family,omitempty"`
	Offload bool   `json:"offload,omitempty"`
	// RelaxedPSH counts packets whose PSH bit alone was not as expected, where
	// Options.RelaxedPSH lets them pass.
	RelaxedPSH int `json:"relaxed_psh,omitempty"`
	// Warnings are differences that the script's --non_fatal lets pass.
	Warnings []string `json:"warnings,omitempty"`
	// Virtual is how much of the script's time passed, Real how much of ours.
	Virtual time.Duration `json:"virtual_ns"`
	Real    time.Duration `json:"real_ns"`
}

// Failure says where a script failed and how.
type Failure struct {
	Line     int    `json:"line"`
	Source   string `json:"source"`             // the line as the script has it
	Message  string `json:"message"`            // what is wrong, in one line
	Expected string `json:"expected,omitempty"` // the packet, result or value in the script's language
	Got      string `json:"got,omitempty"`
	// Around is the packets before and after, in the order in which they passed, those sent
	// in the script's numbers where they could be mapped.
	Around []string `json:"around,omitempty"`
	// State is the stack's connections at that moment.
	State []string `json:"state,omitempty"`
}

// String is the result for a person: one line, and for a failure several more.
func (r *Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", r.File, r.Outcome)
	if r.Failure == nil {
		if r.Reason != "" {
			fmt.Fprintf(&b, ": %s", r.Reason)
		}
		return b.String()
	}
	f := r.Failure
	fmt.Fprintf(&b, "\n%s:%d: %s\n", r.File, f.Line, f.Message)
	writeBlock(&b, "script", []string{f.Source})
	if f.Expected != "" {
		writeBlock(&b, "expected", []string{f.Expected})
	}
	if f.Got != "" {
		writeBlock(&b, "got", []string{f.Got})
	}
	writeBlock(&b, "packets", f.Around)
	writeBlock(&b, "state", f.State)
	return strings.TrimSuffix(b.String(), "\n")
}

// writeBlock writes lines under a heading of nine columns.
func writeBlock(b *strings.Builder, heading string, lines []string) {
	for n, l := range lines {
		if n > 0 {
			heading = ""
		}
		fmt.Fprintf(b, "  %-9s %s\n", heading, l)
	}
}

// Summary counts many results.
type Summary struct {
	Pass    int `json:"pass"`
	Fail    int `json:"fail"`
	Skip    int `json:"skip"`
	Invalid int `json:"invalid"`
	// RelaxedPSH counts the scripts that pass only because PSH was not compared.
	RelaxedPSH int `json:"relaxed_psh,omitempty"`
	// Reasons counts the skipped and the invalid scripts by reason, the most frequent first.
	Reasons []ReasonCount `json:"reasons,omitempty"`
}

// ReasonCount is how many scripts were not judged for one reason.
type ReasonCount struct {
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason"`
	Count   int     `json:"count"`
}

// Summarize counts results.
func Summarize(results []*Result) Summary {
	var s Summary
	at := map[ReasonCount]int{}
	for _, r := range results {
		switch r.Outcome {
		case Pass:
			s.Pass++
			if r.RelaxedPSH > 0 {
				s.RelaxedPSH++
			}
		case Fail:
			s.Fail++
		case Skip:
			s.Skip++
			at[ReasonCount{Outcome: Skip, Reason: r.Reason}]++
		default:
			s.Invalid++
			at[ReasonCount{Outcome: Invalid, Reason: r.Reason}]++
		}
	}
	for k, n := range at {
		k.Count = n
		s.Reasons = append(s.Reasons, k)
	}
	slices.SortFunc(s.Reasons, func(a, b ReasonCount) int {
		return cmp.Or(b.Count-a.Count, int(a.Outcome)-int(b.Outcome), strings.Compare(a.Reason, b.Reason))
	})
	return s
}

// String is the summary for a person.
func (s Summary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d pass, %d fail, %d skip, %d invalid", s.Pass, s.Fail, s.Skip, s.Invalid)
	if s.RelaxedPSH > 0 {
		fmt.Fprintf(&b, " (%d pass only with PSH not compared)", s.RelaxedPSH)
	}
	for _, r := range s.Reasons {
		fmt.Fprintf(&b, "\n%6d %s: %s", r.Count, r.Outcome, r.Reason)
	}
	return b.String()
}

// JSON is the results and their summary as one document.
func JSON(results []*Result) ([]byte, error) {
	return json.MarshalIndent(struct {
		Summary Summary   `json:"summary"`
		Results []*Result `json:"results"`
	}{Summarize(results), results}, "", "  ")
}
