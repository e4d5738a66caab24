package socket

import "syscall"

// Ioctl is ioctl(2) for requests that ask for a number: FIONREAD (SIOCINQ), SIOCOUTQ (TIOCOUTQ),
// SIOCOUTQNSD and SIOCATMARK. The errors are EINVAL and ENOTTY.
func (s *System) Ioctl(fd, req int) (int, error) {
	f, err := s.file(fd)
	if err != nil {
		return -1, err
	}
	e, ok := f.object.(endpoint)
	if !ok {
		return -1, syscall.EINVAL // what epoll sets say since Linux 6.9
	}
	switch req {
	case FIONREAD:
		return num(e.inq())
	case SIOCOUTQ:
		return num(e.outq(false))
	}
	if st, ok := e.(*stream); ok {
		switch req {
		case SIOCOUTQNSD:
			return num(st.outq(true))
		case SIOCATMARK:
			return num(st.atMark())
		}
	}
	return -1, syscall.ENOTTY
}

// IoctlSet is ioctl(2) for requests that set something: FIONBIO, FIOCLEX and FIONCLEX.
func (s *System) IoctlSet(fd, req, arg int) error {
	f, err := s.file(fd)
	if err != nil {
		return err
	}
	switch req {
	case FIONBIO:
		for {
			old := f.flags.Load()
			flags := old &^ O_NONBLOCK
			if arg != 0 {
				flags |= O_NONBLOCK
			}
			if f.flags.CompareAndSwap(old, flags) {
				return nil
			}
		}
	case FIOCLEX:
		_, err = s.descriptorFlags(fd, F_SETFD, FD_CLOEXEC)
		return err
	case FIONCLEX:
		_, err = s.descriptorFlags(fd, F_SETFD, 0)
		return err
	}
	return syscall.ENOTTY
}

// atMark is SIOCATMARK: whether what is read next begins at urgent data.
func (s *stream) atMark() (int, error) {
	a := s.current()
	if a == nil {
		return 0, nil
	}
	a.c.Lock()
	defer a.c.Unlock()
	return boolInt(a.c.Conn().AtMark()), nil
}
