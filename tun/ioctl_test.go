package tun

import (
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ethtoolGet runs an ethtool command that returns one value.
func ethtoolGet(t *testing.T, name string, cmd uint32) uint32 {
	t.Helper()
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(s)
	value := struct{ cmd, data uint32 }{cmd: cmd}
	req := struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte
	}{data: unsafe.Pointer(&value)}
	copy(req.name[:], name)
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(s), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&req))); e != 0 {
		t.Fatal(e)
	}
	runtime.KeepAlive(&value)
	return value.data
}

// withoutNetAdmin runs fn while the thread lacks CAP_NET_ADMIN.
func withoutNetAdmin(t *testing.T, fn func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	must(t, unix.Capget(&hdr, &caps[0]))
	full := caps
	caps[0].Effective &^= 1 << unix.CAP_NET_ADMIN
	must(t, unix.Capset(&hdr, &caps[0]))
	defer func() { must(t, unix.Capset(&hdr, &full[0])) }()
	fn()
}
