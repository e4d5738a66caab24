package main_test

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
)

// maxSmallest is what the smallest echo server may be, stripped, in octets.
const maxSmallest = 3_500_000

// needless is what the smallest server is built without: each is a good part of the size.
var needless = []string{"crypto/rand", "crypto/sha256", "crypto/tls", "net/http", "log/slog", "text/template", "regexp"}

// TestSmallestServerIsSmallAndServes builds scripts/smallest.d as a user would, holds it to its size,
// and runs it on a device that is set up for it.
func TestSmallestServerIsSmallAndServes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "smallest")
	const pkg = "github.com/weirnet/weir/scripts/smallest.d"
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, pkg)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(path)
	must(t, err)
	if info.Size() > maxSmallest {
		t.Errorf("%d octets, want at most %d", info.Size(), maxSmallest)
	}
	t.Logf("%d octets", info.Size())
	out, err := exec.Command("go", "list", "-deps", pkg).Output()
	must(t, err)
	for _, dep := range strings.Fields(string(out)) {
		if slices.Contains(needless, dep) {
			t.Errorf("it is built with %s", dep)
		}
	}

	l := newLab(t)
	l.operators("weir0", netlink.TUNTAP_MODE_TUN, 0)
	l.address("weir0", host4+"/24")
	cmd := command(path)
	r, w, err := os.Pipe()
	must(t, err)
	l.open.keep(r)
	cmd.Stdout, cmd.Stderr = w, os.Stderr
	l.start(cmd)
	w.Close()
	if line, err := bufio.NewReader(r).ReadString('\n'); line != "ready\n" {
		t.Fatalf("it says %q, %v", line, err)
	}
	if err := echoed(l.mustDial("tcp", net.JoinHostPort(weir4, "7")), 1<<20, 1); err != nil {
		t.Error(err)
	}
	echoDatagram(t, l.mustDial("udp", net.JoinHostPort(weir4, "7")), 100)
}
