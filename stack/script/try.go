package script

import (
	"syscall"

	"github.com/weirnet/weir/stack/socket"
)

// trySettings asks whether the stack has all the settings that the script will change, and the
// options of sockets that it will use.
func (r *runner) trySettings() error {
	if err := r.tryOptions(); err != nil {
		return err
	}
	for _, e := range r.events {
		for _, a := range r.actions[e] {
			if a.check != nil && a.check.counter != "" {
				if _, ok := r.b.Counter(a.check.counter); !ok {
					return skipf("needs the counter %s", a.check.counter)
				}
			}
			if a.name == "" {
				continue
			}
			if err := r.b.Sysctl(a.name, a.value, true); err != nil {
				return skipf("needs %v", err)
			}
		}
	}
	return nil
}

// tryOptions asks another weir, made for this alone, for every socket option that is to succeed. It
// is no matter of the script's where the option is not there at all.
func (r *runner) tryOptions() error {
	if r.opt.Backend != nil {
		return nil
	}
	tried := map[[2]int]bool{}
	var other Backend
	for _, e := range r.events {
		c := e.Syscall
		if c == nil || len(c.Args) != 5 || c.Name != "setsockopt" && c.Name != "getsockopt" || c.Errno != "" {
			continue
		}
		v, err := r.ints(c, 1, 2)
		if err != nil || v[1] == tcpFunctionBlk || tried[[2]int(v)] {
			continue
		}
		tried[[2]int(v)] = true
		if other == nil {
			if other, err = NewWeir(r.network()); err != nil {
				return err
			}
			defer other.Close()
		}
		if !hasOption(other.Calls(), v[0], v[1]) {
			return skipf("needs the socket option %s", c.Args[2])
		}
	}
	return nil
}

// hasOption reports whether some kind of socket has an option.
func hasOption(c Calls, level, name int) bool {
	for _, kind := range [][2]int{
		{socket.AF_INET, socket.SOCK_STREAM}, {socket.AF_INET, socket.SOCK_DGRAM}, {socket.AF_INET6, socket.SOCK_STREAM},
		{socket.AF_INET6, socket.SOCK_DGRAM}, {socket.AF_INET, socket.SOCK_RAW}, {socket.AF_INET6, socket.SOCK_RAW},
	} {
		fd, err := c.Socket(kind[0], kind[1], 0)
		if err != nil {
			continue
		}
		_, get := c.Getsockopt(fd, level, name, make([]byte, 4))
		set := c.Setsockopt(fd, level, name, nil)
		c.CloseFD(fd)
		if get != syscall.ENOPROTOOPT && get != syscall.EOPNOTSUPP || set != syscall.ENOPROTOOPT && set != syscall.EOPNOTSUPP {
			return true
		}
	}
	return false
}
