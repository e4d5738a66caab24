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
type knob interface {
	get(s *Settings) string
	set(s *Settings, values []string) error
}

// SetSysctl sets what a kernel's sysctl of that name would: Linux's (net.ipv4.tcp_sack, also as a
// path below /proc/sys, or without what comes before tcp_) and FreeBSD's (net.inet.tcp.msl). Values
// are written as there. It returns ErrUnknownSysctl for a name that neither has, and another
// error for a value that is none. Sysctls that mean nothing here are accepted: see ignoredSysctls.
func (s *Settings) SetSysctl(name, value string) error {
	key := sysctlKey(name)
	k := find(key)
	if k == nil {
		if ignored(key) {
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
	k := find(sysctlKey(name))
	if k == nil {
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

// only reads the one number that there is to be.
func only(v []string, least, most int64) (int64, error) {
	if len(v) != 1 {
		return 0, errNotANumber
	}
	return number(v[0], least, most)
}

// one is a knob of one number; from and to convert between it and the field.
type one struct {
	least, most int64
	from        func(*Settings) int64
	to          func(*Settings, int64)
}

func (k one) get(s *Settings) string { return strconv.FormatInt(k.from(s), 10) }

func (k one) set(s *Settings, v []string) error {
	n, err := only(v, k.least, k.most)
	if err == nil {
		k.to(s, n)
	}
	return err
}

// count is a field that is a number.
type count struct {
	field       func(*Settings) *int
	least, most int64
}

func (k count) get(s *Settings) string { return strconv.Itoa(*k.field(s)) }

func (k count) set(s *Settings, v []string) error {
	n, err := only(v, k.least, k.most)
	if err == nil {
		*k.field(s) = int(n)
	}
	return err
}

// onOff is a field that is on where the number is not 0.
type onOff func(*Settings) *bool

func (k onOff) get(s *Settings) string {
	if *k(s) {
		return "1"
	}
	return "0"
}

func (k onOff) set(s *Settings, v []string) error {
	n, err := only(v, math.MinInt32, math.MaxInt32)
	if err == nil {
		*k(s) = n != 0
	}
	return err
}

// offOn is a field that is on where the number is 0.
type offOn func(*Settings) *bool

func (k offOn) get(s *Settings) string {
	if *k(s) {
		return "0"
	}
	return "1"
}

func (k offOn) set(s *Settings, v []string) error {
	err := onOff(k).set(s, v)
	if err == nil {
		*k(s) = !*k(s)
	}
	return err
}

// span is a field that is a time, which the number counts in units.
type span struct {
	field func(*Settings) *time.Duration
	unit  time.Duration
	least int64
}

func (k span) get(s *Settings) string { return strconv.FormatInt(int64(*k.field(s)/k.unit), 10) }

func (k span) set(s *Settings, v []string) error {
	n, err := only(v, k.least, math.MaxInt32)
	if err == nil {
		*k.field(s) = time.Duration(n) * k.unit
	}
	return err
}

// three is a field of three numbers.
type three func(*Settings) *[3]int

func (k three) get(s *Settings) string {
	f := k(s)
	return strconv.Itoa(f[0]) + "\t" + strconv.Itoa(f[1]) + "\t" + strconv.Itoa(f[2])
}

func (k three) set(s *Settings, v []string) error {
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
	*k(s) = n
	return nil
}

var errNoAlgorithm = errors.New("no such congestion control here")

// algorithm is the congestion control by name; it is itself the kernel's name of Reno.
type algorithm string

func (k algorithm) get(s *Settings) string {
	if s.CC == cc.Reno {
		return string(k)
	}
	return s.CC.String()
}

func (k algorithm) set(s *Settings, v []string) error {
	if len(v) != 1 {
		return errNoAlgorithm
	}
	name := v[0]
	if name == string(k) {
		name = cc.Reno.String()
	}
	kind, ok := cc.ParseKind(name)
	if !ok {
		return errNoAlgorithm
	}
	s.CC = kind
	return nil
}
