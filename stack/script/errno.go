package script

import (
	"cmp"
	"fmt"
	"slices"
	"syscall"
)

// errnos is the errors that scripts name. A name means the same error whichever kernel the
// script was written for; only its number differs.
var errnos = map[string]syscall.Errno{
	"EPERM":           syscall.EPERM,
	"ENOENT":          syscall.ENOENT,
	"EINTR":           syscall.EINTR,
	"EIO":             syscall.EIO,
	"ENXIO":           syscall.ENXIO,
	"E2BIG":           syscall.E2BIG,
	"EBADF":           syscall.EBADF,
	"EAGAIN":          syscall.EAGAIN,
	"EWOULDBLOCK":     syscall.EWOULDBLOCK,
	"ENOMEM":          syscall.ENOMEM,
	"EACCES":          syscall.EACCES,
	"EFAULT":          syscall.EFAULT,
	"EBUSY":           syscall.EBUSY,
	"EEXIST":          syscall.EEXIST,
	"ENODEV":          syscall.ENODEV,
	"ENOTDIR":         syscall.ENOTDIR,
	"EISDIR":          syscall.EISDIR,
	"EINVAL":          syscall.EINVAL,
	"ENFILE":          syscall.ENFILE,
	"EMFILE":          syscall.EMFILE,
	"ENOTTY":          syscall.ENOTTY,
	"EFBIG":           syscall.EFBIG,
	"ENOSPC":          syscall.ENOSPC,
	"ESPIPE":          syscall.ESPIPE,
	"EROFS":           syscall.EROFS,
	"EPIPE":           syscall.EPIPE,
	"EDOM":            syscall.EDOM,
	"ERANGE":          syscall.ERANGE,
	"EDEADLK":         syscall.EDEADLK,
	"ENAMETOOLONG":    syscall.ENAMETOOLONG,
	"ENOSYS":          syscall.ENOSYS,
	"ENOMSG":          syscall.ENOMSG,
	"ENODATA":         syscall.ENODATA,
	"ETIME":           syscall.ETIME,
	"ENOLINK":         syscall.ENOLINK,
	"EPROTO":          syscall.EPROTO,
	"EBADMSG":         syscall.EBADMSG,
	"EOVERFLOW":       syscall.EOVERFLOW,
	"EUSERS":          syscall.EUSERS,
	"ENOTSOCK":        syscall.ENOTSOCK,
	"EDESTADDRREQ":    syscall.EDESTADDRREQ,
	"EMSGSIZE":        syscall.EMSGSIZE,
	"EPROTOTYPE":      syscall.EPROTOTYPE,
	"ENOPROTOOPT":     syscall.ENOPROTOOPT,
	"EPROTONOSUPPORT": syscall.EPROTONOSUPPORT,
	"ESOCKTNOSUPPORT": syscall.ESOCKTNOSUPPORT,
	"EOPNOTSUPP":      syscall.EOPNOTSUPP,
	"ENOTSUP":         syscall.ENOTSUP,
	"EPFNOSUPPORT":    syscall.EPFNOSUPPORT,
	"EAFNOSUPPORT":    syscall.EAFNOSUPPORT,
	"EADDRINUSE":      syscall.EADDRINUSE,
	"EADDRNOTAVAIL":   syscall.EADDRNOTAVAIL,
	"ENETDOWN":        syscall.ENETDOWN,
	"ENETUNREACH":     syscall.ENETUNREACH,
	"ENETRESET":       syscall.ENETRESET,
	"ECONNABORTED":    syscall.ECONNABORTED,
	"ECONNRESET":      syscall.ECONNRESET,
	"ENOBUFS":         syscall.ENOBUFS,
	"EISCONN":         syscall.EISCONN,
	"ENOTCONN":        syscall.ENOTCONN,
	"ESHUTDOWN":       syscall.ESHUTDOWN,
	"ETOOMANYREFS":    syscall.ETOOMANYREFS,
	"ETIMEDOUT":       syscall.ETIMEDOUT,
	"ECONNREFUSED":    syscall.ECONNREFUSED,
	"EHOSTDOWN":       syscall.EHOSTDOWN,
	"EHOSTUNREACH":    syscall.EHOSTUNREACH,
	"EALREADY":        syscall.EALREADY,
	"EINPROGRESS":     syscall.EINPROGRESS,
	"ESTALE":          syscall.ESTALE,
	"EDQUOT":          syscall.EDQUOT,
	"ECANCELED":       syscall.ECANCELED,
}

// errnoName returns the name of an error, as EAGAIN, with its text.
func errnoName(e syscall.Errno) string {
	var found []string
	for name, v := range errnos {
		if v == e {
			found = append(found, name)
		}
	}
	if found == nil {
		return fmt.Sprintf("errno %d (%v)", int(e), e)
	}
	slices.SortFunc(found, func(a, b string) int { return cmp.Or(len(a)-len(b), cmp.Compare(a, b)) })
	return fmt.Sprintf("%s (%v)", found[0], e)
}
