package tun

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

func here(t testing.TB) string {
	t.Helper()
	s, err := os.Readlink(threadNS)
	must(t, err)
	return s
}

func TestDoComesBack(t *testing.T) {
	inNamespace(t, func(ns *Namespace) {
		other, err := NewNamespace()
		must(t, err)
		defer other.Close()
		outer := here(t)
		failed := errors.New("failed")
		var inner string
		err = other.Do(func() error {
			inner = here(t)
			return ns.Do(func() error {
				if here(t) != outer {
					t.Error("Do within Do is not where it should be")
				}
				return failed
			})
		})
		if err != failed || inner == outer || here(t) != outer {
			t.Errorf("error %v, inside %s, before %s, after %s", err, inner, outer, here(t))
		}
		func() {
			defer func() { recover() }()
			other.Do(func() error { panic("inside") })
		}()
		if here(t) != outer {
			t.Error("a panic did not come back")
		}
	})
}

func TestNamespaceHasLoopbackAndChildrenInheritIt(t *testing.T) {
	inNamespace(t, func(ns *Namespace) {
		for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
			l, err := net.Listen("tcp", addr)
			must(t, err)
			c, err := net.Dial("tcp", l.Addr().String())
			must(t, err)
			c.Close()
			l.Close()
		}
		out, err := exec.Command("readlink", "/proc/self/ns/net").Output()
		must(t, err)
		if got := strings.TrimSpace(string(out)); got != here(t) {
			t.Errorf("a child is in %s, its parent in %s", got, here(t))
		}
		done := make(chan string)
		go func() { s, _ := os.Readlink(threadNS); done <- s }()
		if <-done == here(t) {
			t.Error("another goroutine is in the namespace")
		}
	})
}

// named makes a namespace with a name, as ip netns add does.
func named(t *testing.T) string {
	name := "weir-test-" + strconv.Itoa(os.Getpid())
	var err error
	must(t, visit("visit", func() error {
		var h netns.NsHandle
		if h, err = netns.NewNamed(name); err == nil {
			h.Close()
		}
		return nil
	}))
	if err != nil {
		os.Remove("/run/netns/" + name) // there is one where only the mount failed
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("no named namespaces here:", err)
	}
	t.Cleanup(func() { must(t, netns.DeleteNamed(name)) })
	return name
}

func TestDeviceOpensInTheNamespaceOfTheConfig(t *testing.T) {
	inNamespace(t, func(ns *Namespace) {
		target, err := NewNamespace()
		must(t, err)
		defer target.Close()
		for _, where := range []string{target.Path(), named(t)} {
			for _, b := range backends {
				before := here(t)
				cfg := b.cfg
				cfg.Name, cfg.Namespace = "there0", where
				d := mustOpenUp(t, cfg)
				if here(t) != before {
					t.Fatal("Open did not come back")
				}
				if _, err := netlink.LinkByName("there0"); err == nil {
					t.Error("the device is here")
				}
				startEcho(d)
				in, err := OpenNamespace(where)
				must(t, err)
				must(t, in.Do(func() error { return errors.Join(ping(weir4, 8), ping(weir6, 8)) }))
				must(t, d.Close())
				in.Close()
			}
		}
	})
}

func TestClosedNamespaceIsNotEntered(t *testing.T) {
	inNamespace(t, func(*Namespace) {
		before := len(descriptors(t))
		ns, err := NewNamespace()
		must(t, err)
		must(t, ns.Do(func() error { return nil }))
		must(t, ns.Close())
		must(t, ns.Close())
		if err := ns.Do(func() error { t.Error("entered"); return nil }); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Do after Close: %v", err)
		}
		if after := len(descriptors(t)); after != before {
			t.Errorf("%d descriptors before, %d after", before, after)
		}
	})
}

// Who may not come back does not leave.
func TestNoPermissionIsExplained(t *testing.T) {
	inNamespace(t, func(ns *Namespace) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var caps [2]unix.CapUserData
		must(t, unix.Capget(&hdr, &caps[0]))
		full := caps
		caps[0].Effective &^= 1 << unix.CAP_SYS_ADMIN
		must(t, unix.Capset(&hdr, &caps[0]))
		_, err := NewNamespace()
		in := ns.Do(func() error { return nil })
		must(t, unix.Capset(&hdr, &full[0]))
		wantLine(t, err, unix.EPERM, "network namespace", "CAP_SYS_ADMIN")
		wantLine(t, in, unix.EPERM, "network namespace", "CAP_SYS_ADMIN")
	})
}
