package tcp

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/weirnet/weir/stack/tcp/cc"
)

// ErrUnknownSysctl is returned for a name that is none of TCP's in either kernel.
var ErrUnknownSysctl = errors.New("tcp: no such sysctl")

// knob is a sysctl that has a meaning here.
type knob struct {
	get func(s *Settings) string
	set func(s *Settings, values []string) error
}

// SetSysctl sets what a kernel's sysctl of that name would: Linux's (net.ipv4.tcp_sack, also as a
// path below /proc/sys, or without what comes before tcp_) and FreeBSD's (net.inet.tcp.msl). Values
// are written as there. It returns ErrUnknownSysctl for a name that neither has, and another
// error for a value that is none. Sysctls that mean nothing here are accepted: see ignoredSysctls.
func (s *Settings) SetSysctl(name, value string) error {
	key := sysctlKey(name)
	k, ok := knobs[key]
	if !ok {
		if ignoredSysctls[key] {
			return nil
		}
		return fmt.Errorf("%w: %s", ErrUnknownSysctl, name)
	}
	if err := k.set(s, strings.Fields(value)); err != nil {
		return fmt.Errorf("tcp: sysctl %s=%q: %w", name, value, err)
	}
	return nil
}

// Sysctl returns what SetSysctl has set, written as the kernel would, and false where the name
// has no meaning here.
func (s *Settings) Sysctl(name string) (string, bool) {
	k, ok := knobs[sysctlKey(name)]
	if !ok {
		return "", false
	}
	return k.get(s), true
}

// sysctlKey brings a sysctl's name to the form that the tables have.
func sysctlKey(name string) string {
	name = strings.TrimPrefix(strings.TrimSpace(name), "/proc/sys/")
	name = strings.ReplaceAll(name, "/", ".")
	if strings.HasPrefix(name, "tcp_") {
		name = "net.ipv4." + name
	}
	return name
}

var errNotANumber = errors.New("not a number in its range")

// number reads a whole number, decimal or with 0x, as sysctl does.
func number(v string, least, most int64) (int64, error) {
	n, err := strconv.ParseInt(v, 0, 64)
	if err != nil || n < least || n > most {
		return 0, errNotANumber
	}
	return n, nil
}

// one is a knob of one number; from and to convert between it and the field.
func one(least, most int64, from func(*Settings) int64, to func(*Settings, int64)) knob {
	return knob{
		get: func(s *Settings) string { return strconv.FormatInt(from(s), 10) },
		set: func(s *Settings, v []string) error {
			if len(v) != 1 {
				return errNotANumber
			}
			n, err := number(v[0], least, most)
			if err == nil {
				to(s, n)
			}
			return err
		},
	}
}

// count is a field that is a number.
func count(field func(*Settings) *int, least, most int64) knob {
	return one(least, most,
		func(s *Settings) int64 { return int64(*field(s)) },
		func(s *Settings, n int64) { *field(s) = int(n) })
}

// onOff is a field that is on where the number is not 0.
func onOff(field func(*Settings) *bool) knob { return onOffOf(field, false) }

// onOffOf is onOff, or where invert is set the opposite.
func onOffOf(field func(*Settings) *bool, invert bool) knob {
	return one(math.MinInt32, math.MaxInt32,
		func(s *Settings) int64 {
			if *field(s) != invert {
				return 1
			}
			return 0
		},
		func(s *Settings, n int64) { *field(s) = (n != 0) != invert })
}

// span is a field that is a time, which the number counts in units.
func span(field func(*Settings) *time.Duration, unit time.Duration, least int64) knob {
	return one(least, math.MaxInt32,
		func(s *Settings) int64 { return int64(*field(s) / unit) },
		func(s *Settings, n int64) { *field(s) = time.Duration(n) * unit })
}

// three is a field of three numbers.
func three(field func(*Settings) *[3]int) knob {
	return knob{
		get: func(s *Settings) string {
			f := field(s)
			return fmt.Sprintf("%d\t%d\t%d", f[0], f[1], f[2])
		},
		set: func(s *Settings, v []string) error {
			if len(v) != 3 {
				return errNotANumber
			}
			var n [3]int
			for i := range v {
				x, err := number(v[i], 1, math.MaxInt32)
				if err != nil {
					return err
				}
				n[i] = int(x)
			}
			*field(s) = n
			return nil
		},
	}
}

var errNoAlgorithm = errors.New("no such congestion control here")

// algorithm is the congestion control by name. Reno is newreno in FreeBSD.
func algorithm(reno string) knob {
	return knob{
		get: func(s *Settings) string {
			if s.CC == cc.Reno {
				return reno
			}
			return s.CC.String()
		},
		set: func(s *Settings, v []string) error {
			if len(v) != 1 {
				return errNoAlgorithm
			}
			name := v[0]
			if name == reno {
				name = cc.Reno.String()
			}
			k, ok := cc.ParseKind(name)
			if !ok {
				return errNoAlgorithm
			}
			s.CC = k
			return nil
		},
	}
}
