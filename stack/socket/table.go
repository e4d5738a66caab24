package socket

import (
	"sync/atomic"
	"syscall"
)

// firstDescriptor is the first that is given out: standard input, output and error have the
// others, and scripts count on it.
const firstDescriptor = 3

// object is what an open file is: a socket or an epoll set.
type object interface {
	// events returns what holds now, EPOLLIN and so on, whatever was asked for.
	events() uint32
	// watchers returns who is told when that changes.
	watchers() *watchers
	// release is called when the last descriptor has been closed.
	release(linger bool)
}

// file is an open file description: what descriptors made by F_DUPFD share.
type file struct {
	object
	flags atomic.Uint32 // O_NONBLOCK, O_APPEND, O_ASYNC
	refs  int           // under System.mu
	gone  atomic.Bool
}

func (f *file) nonblocking() bool { return f.flags.Load()&O_NONBLOCK != 0 }

// descriptor is a number's entry.
type descriptor struct {
	file    *file
	cloexec bool
}

// install gives a file a descriptor, the lowest that is free and not below least. Nil reserves
// the number, for enter or forgo.
func (s *System) install(f *file, least int, cloexec bool) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.installLocked(f, least, cloexec)
}

func (s *System) installLocked(f *file, least int, cloexec bool) (int, error) {
	least = max(least, firstDescriptor)
	fd := max(s.free, least)
	for fd < len(s.table) && s.table[fd] != nil {
		fd++
	}
	if fd >= s.cfg.MaxDescriptors {
		return -1, syscall.EMFILE
	}
	for len(s.table) <= fd {
		s.table = append(s.table, nil)
	}
	s.table[fd] = &descriptor{file: f, cloexec: cloexec}
	if f != nil {
		f.refs++
	}
	if least <= s.free {
		s.free = fd + 1
	}
	return fd, nil
}

// enter gives a file the descriptor that was reserved.
func (s *System) enter(fd int, f *file) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.table[fd].file = f
	f.refs++
}

// forgo gives a reserved descriptor back.
func (s *System) forgo(fd int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.table[fd] = nil
	s.free = min(s.free, fd)
}

// newFile wraps an object with the flags that SOCK_NONBLOCK asks for.
func newFile(o object, typ int) *file {
	f := &file{object: o}
	f.flags.Store(uint32(typ & SOCK_NONBLOCK))
	return f
}

// file returns what a descriptor stands for, or EBADF.
func (s *System) file(fd int) (*file, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.open(fd) {
		return nil, syscall.EBADF
	}
	return s.table[fd].file, nil
}

// open reports whether a descriptor is. mu is held.
func (s *System) open(fd int) bool {
	return fd >= 0 && fd < len(s.table) && s.table[fd] != nil && s.table[fd].file != nil
}

// sock returns the socket behind a descriptor, or EBADF or ENOTSOCK.
func (s *System) sock(fd int) (endpoint, *file, error) {
	f, err := s.file(fd)
	if err != nil {
		return nil, nil, err
	}
	e, ok := f.object.(endpoint)
	if !ok {
		return nil, nil, syscall.ENOTSOCK
	}
	return e, f, nil
}

// CloseFD is close(2). Calls that wait on the descriptor's file return EBADF when it was its
// last.
func (s *System) CloseFD(fd int) error { return s.closeFD(fd, true) }

func (s *System) closeFD(fd int, linger bool) error {
	s.mu.Lock()
	if !s.open(fd) {
		s.mu.Unlock()
		return syscall.EBADF
	}
	f := s.table[fd].file
	s.table[fd] = nil
	s.free = min(s.free, fd)
	f.refs--
	last := f.refs == 0
	s.mu.Unlock()
	if last {
		f.gone.Store(true)
		f.watchers().forget(f)
		f.release(linger)
	}
	return nil
}

// Fcntl is fcntl(2): F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_DUPFD and F_DUPFD_CLOEXEC. The
// errors are EBADF, EINVAL and EMFILE.
func (s *System) Fcntl(fd, cmd, arg int) (int, error) {
	f, err := s.file(fd)
	if err != nil {
		return -1, err
	}
	switch cmd {
	case F_GETFL:
		return int(f.flags.Load()) | O_RDWR, nil
	case F_SETFL:
		f.flags.Store(uint32(arg & (O_NONBLOCK | O_APPEND | O_ASYNC)))
		return 0, nil
	case F_GETFD, F_SETFD:
		return s.descriptorFlags(fd, cmd, arg)
	case F_DUPFD, F_DUPFD_CLOEXEC:
		if arg < 0 || arg >= s.cfg.MaxDescriptors {
			return -1, syscall.EINVAL
		}
		return s.dup(fd, arg, cmd == F_DUPFD_CLOEXEC)
	}
	return -1, syscall.EINVAL
}

// dup gives a descriptor's file another, in one step: the file may not go in between.
func (s *System) dup(fd, least int, cloexec bool) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.open(fd) {
		return -1, syscall.EBADF
	}
	return s.installLocked(s.table[fd].file, least, cloexec)
}

func (s *System) descriptorFlags(fd, cmd, arg int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.open(fd) {
		return -1, syscall.EBADF
	}
	d := s.table[fd]
	if cmd == F_SETFD {
		d.cloexec = arg&FD_CLOEXEC != 0
		return 0, nil
	}
	if d.cloexec {
		return FD_CLOEXEC, nil
	}
	return 0, nil
}

// Dup is dup(2).
func (s *System) Dup(fd int) (int, error) { return s.Fcntl(fd, F_DUPFD, 0) }
