package tun

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// What the package's documentation says of the kernel, asked of the kernel.

func TestFactAttachErrors(t *testing.T) {
	inNamespace(t, func(*Namespace) {
		const flags = unix.IFF_TUN | unix.IFF_NO_PI
		fd, name, err := attach("fact%d", flags)
		must(t, err)
		defer unix.Close(fd)
		for _, c := range []struct {
			name  string
			flags uint16
			want  error
		}{
			{name, flags, unix.EBUSY},
			{name, flags | unix.IFF_TUN_EXCL, unix.EBUSY},
			{name, flags | unix.IFF_MULTI_QUEUE, unix.EINVAL},
			{name, unix.IFF_TAP | unix.IFF_NO_PI, unix.EINVAL},
			{"lo", flags, unix.EINVAL},
		} {
			if fd, _, err := attach(c.name, c.flags); !errors.Is(err, c.want) {
				unix.Close(fd)
				t.Errorf("attach to %s with %#x: %v, want %v", c.name, c.flags, err, c.want)
			}
		}
	})
}

func TestFactDeviceIsOfTheNamespaceOfItsOpening(t *testing.T) {
	inNamespace(t, func(*Namespace) {
		fd, err := openClone("fact0")
		must(t, err)
		defer unix.Close(fd)
		other, err := NewNamespace()
		must(t, err)
		defer other.Close()
		must(t, other.Do(func() error {
			_, err := setIff(fd, "fact0", unix.IFF_TUN|unix.IFF_NO_PI)
			return err
		}))
		if _, err := netlink.LinkByName("fact0"); err != nil {
			t.Error("the device is not where its descriptor was opened:", err)
		}
	})
}

func TestFactWhatAnInterfaceThatIsDownOrDeletedReturns(t *testing.T) {
	inNamespace(t, func(*Namespace) {
		fd, name, err := attach("fact%d", unix.IFF_TUN|unix.IFF_NO_PI)
		must(t, err)
		defer unix.Close(fd)
		l, err := netlink.LinkByName(name)
		must(t, err)
		buf := make([]byte, 2000)
		try := func(when string, read, write error) {
			t.Helper()
			if _, err := unix.Read(fd, buf); err != read {
				t.Errorf("read %s: %v, want %v", when, err, read)
			}
			if _, err := unix.Write(fd, ip4Packet()); err != write {
				t.Errorf("write %s: %v, want %v", when, err, write)
			}
		}
		try("before it was up", unix.EAGAIN, unix.EIO)
		must(t, netlink.LinkSetIP6AddrGenMode(l, addrGenNone))
		must(t, netlink.AddrAdd(l, &netlink.Addr{IPNet: ipNet(host4)}))
		must(t, netlink.LinkSetUp(l))
		try("while it is up", unix.EAGAIN, nil)
		c, err := net.Dial("udp", netip.AddrPortFrom(weir4, 9).String())
		must(t, err)
		defer c.Close()
		_, err = c.Write([]byte("in the ring"))
		must(t, err)
		must(t, netlink.LinkSetDown(l))
		try("with a packet that was in the ring", nil, unix.EIO)
		for { // the kernel's answer to what was written is there too
			if _, err := unix.Read(fd, buf); err != nil {
				break
			}
		}
		try("while it is down", unix.EAGAIN, unix.EIO)
		must(t, netlink.LinkDel(l))
		try("after it was deleted", unix.EBADFD, unix.EBADFD)
	})
}
