package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/weirnet/weir/tun"
)

// dnsProgram is a server of somebody else's that runs, with its children.
type dnsProgram struct {
	cmd *exec.Cmd
	dir string
}

// startNSD starts NSD with a zone, in a namespace.
func startNSD(ns *tun.Namespace, dir, addr string, port int, origin, file string) (*dnsProgram, error) {
	conf := fmt.Sprintf(`server:
	ip-address: %s
	port: %d
	server-count: 1
	username: ""
	chroot: ""
	zonesdir: ""
	database: ""
	pidfile: ""
	zonelistfile: "%[3]s/zone.list"
	xfrdfile: "%[3]s/xfrd.state"
	rrl-ratelimit: 0
	tcp-count: 10
remote-control:
	control-enable: no
zone:
	name: "%[4]s"
	zonefile: "%[5]s"
`, addr, port, dir, origin, file)
	return startProgram(ns, dir, "nsd.conf", conf, "nsd", "-d", "-c")
}

// startUnbound starts unbound, in a namespace, with a root server at the client's address.
func startUnbound(ns *tun.Namespace, dir, addr string, upstream int, octets int64) (*dnsProgram, error) {
	conf := fmt.Sprintf(`server:
	interface: %s
	port: 53
	num-threads: 1
	username: ""
	chroot: ""
	directory: "%s"
	pidfile: ""
	use-syslog: no
	verbosity: 0
	module-config: "iterator"
	access-control: 0.0.0.0/0 allow
	do-ip6: no
	msg-cache-size: %[3]d
	rrset-cache-size: %[3]d
	so-rcvbuf: 4m
	outgoing-range: 4096
	num-queries-per-thread: 2048
	unblock-lan-zones: yes
	local-zone: "example." nodefault
remote-control:
	control-enable: no
stub-zone:
	name: "."
	stub-addr: %v@%d
`, addr, dir, octets, clientPrefix.Addr(), upstream)
	return startProgram(ns, dir, "unbound.conf", conf, "unbound", "-d", "-c")
}

func startProgram(ns *tun.Namespace, dir, name, conf string, command ...string) (*dnsProgram, error) {
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		return nil, err
	}
	path, err := exec.LookPath(command[0])
	if err != nil {
		return nil, fmt.Errorf("%s is not installed: apt-get install %s", command[0], command[0])
	}
	p := &dnsProgram{cmd: exec.Command(path, append(command[1:], file)...), dir: dir}
	p.cmd.Dir, p.cmd.SysProcAttr = dir, &syscall.SysProcAttr{Setpgid: true}
	log, err := os.Create(filepath.Join(dir, command[0]+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := ns.Do(p.cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", command[0], err)
	}
	return p, nil
}

// stop ends the program and its children.
func (p *dnsProgram) stop() {
	if p == nil {
		return
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	late := time.AfterFunc(patience, func() { syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) })
	p.cmd.Wait()
	late.Stop()
}

// resident returns the memory of the program and its children in octets, what they share counted once.
func (p *dnsProgram) resident() (total uint64, err error) {
	procs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, dir := range procs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if group, err := syscall.Getpgid(pid); err != nil || group != p.cmd.Process.Pid {
			continue
		}
		b, err := os.ReadFile(dir + "/smaps_rollup")
		if err != nil {
			continue // it has ended
		}
		n, err := field(string(b), "Pss:")
		if err != nil {
			return 0, err
		}
		total += n << 10
	}
	if total == 0 {
		return 0, errors.New("the program is not running")
	}
	return total, nil
}

// cpu returns the processor time of the program and its children.
func (p *dnsProgram) cpu() (total time.Duration) {
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range procs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if group, err := syscall.Getpgid(pid); err != nil || group != p.cmd.Process.Pid {
			continue
		}
		b, _ := os.ReadFile(dir + "/stat")
		_, rest, _ := strings.Cut(string(b), ") ")
		if fields := strings.Fields(rest); len(fields) > 12 {
			user, _ := strconv.ParseInt(fields[11], 10, 64)
			system, _ := strconv.ParseInt(fields[12], 10, 64)
			total += time.Duration(user+system) * clockTick
		}
	}
	return total
}
