package main_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Other name servers, started in a lab: what weir is held against, and what it works with.

// nameServer is a name server of the system that runs in a lab.
type otherServer struct {
	addr string // host:port
	dir  string
	cmd  *exec.Cmd
	said *bytes.Buffer
	done chan struct{}
}

// stop ends it, by its process id.
func (s *otherServer) stop() {
	s.cmd.Process.Kill()
	<-s.done
}

// zoneFile is a zone and its master file.
type zoneFile struct{ origin, path string }

// nsd starts NSD at an address of the lab's, "127.0.0.1:53" say, with zones, and returns when it answers for each;
// for a zone without a file, which it has yet to fetch, when it answers at all.
// more is lines for each zone, such as "provide-xfr: 192.0.2.2 NOKEY".
func (l *lab) nsd(addr string, zones []zoneFile, more ...string) *otherServer {
	l.t.Helper()
	return l.nsdWith(addr, nil, "", zones, more...)
}

// nsdWith is nsd with lines for the server's section, and text of other sections, such as those of keys.
func (l *lab) nsdWith(addr string, server []string, sections string, zones []zoneFile, more ...string) *otherServer {
	l.t.Helper()
	path := program(l.t, "nsd")
	host, port, err := net.SplitHostPort(addr)
	must(l.t, err)
	dir := shortTempDir(l.t)
	var conf strings.Builder
	fmt.Fprintf(&conf, "server:\n\tip-address: %s@%s\n\tport: %s\n\tusername: \"\"\n\tzonesdir: %q\n\tdatabase: \"\"\n\tpidfile: %q\n\tzonelistfile: %q\n\txfrdfile: %q\n\txfrdir: %q\n\tserver-count: 1\n\tzonefiles-write: 0\n",
		host, port, port, dir, dir+"/pid", dir+"/zones", dir+"/xfrd", dir)
	for _, line := range server {
		fmt.Fprintf(&conf, "\t%s\n", line)
	}
	fmt.Fprintf(&conf, "remote-control:\n\tcontrol-enable: no\n%s\n", sections)
	for _, z := range zones {
		fmt.Fprintf(&conf, "zone:\n\tname: %q\n", z.origin)
		if z.path != "" {
			fmt.Fprintf(&conf, "\tzonefile: %q\n", z.path)
		}
		for _, line := range more {
			fmt.Fprintf(&conf, "\t%s\n", line)
		}
	}
	must(l.t, os.WriteFile(dir+"/nsd.conf", []byte(conf.String()), 0o600))
	s := l.other(addr, dir, path, "-d", "-c", dir+"/nsd.conf")
	for _, z := range zones {
		s.answers(l, z.origin, z.path != "")
	}
	return s
}

// unbound starts unbound at an address of the lab's as a resolver that begins at the root which the file of hints names,
// and returns when it answers. conf is more lines for its server: section.
func (l *lab) unbound(addr, hints string, conf ...string) *otherServer {
	l.t.Helper()
	path := program(l.t, "unbound")
	host, port, err := net.SplitHostPort(addr)
	must(l.t, err)
	dir := shortTempDir(l.t)
	text := fmt.Sprintf("server:\n\tinterface: %s\n\tport: %s\n\tusername: \"\"\n\tchroot: \"\"\n\tdirectory: %q\n\tpidfile: %q\n\tuse-syslog: no\n"+
		"\troot-hints: %q\n\tdo-not-query-localhost: no\n\tlocal-zone: \"test.\" nodefault\n\tlocal-zone: \"113.0.203.in-addr.arpa.\" nodefault\n"+
		"\tlocal-zone: \"8.b.d.0.1.0.0.2.ip6.arpa.\" nodefault\n\taccess-control: 0.0.0.0/0 allow\n\taccess-control: ::/0 allow\n",
		host, port, dir, dir+"/pid", hints)
	for _, line := range conf {
		text += "\t" + line + "\n"
	}
	must(l.t, os.WriteFile(dir+"/unbound.conf", []byte(text+"remote-control:\n\tcontrol-enable: no\n"), 0o600))
	s := l.other(addr, dir, path, "-d", "-c", dir+"/unbound.conf")
	s.answers(l, ".", true)
	return s
}

// other starts a name server that stays in the foreground.
func (l *lab) other(addr, dir, path string, args ...string) *otherServer {
	l.t.Helper()
	s := &otherServer{addr: addr, dir: dir, cmd: command(path, args...), said: new(bytes.Buffer), done: make(chan struct{})}
	s.cmd.Stdout, s.cmd.Stderr = s.said, s.said
	l.do(s.cmd.Start)
	go func() { s.cmd.Wait(); close(s.done) }()
	l.t.Cleanup(s.stop)
	return s
}

// answers waits until the server answers a question for a name's SOA, and where it has the zone, with something else
// than SERVFAIL.
func (s *otherServer) answers(l *lab, name string, has bool) {
	l.t.Helper()
	ok := happens(func() bool {
		select {
		case <-s.done:
			return true
		default:
		}
		code, err := l.rcode(s.addr, name)
		return err == nil && (code != 2 || !has)
	})
	select {
	case <-s.done:
		l.t.Fatalf("%v ended:\n%s", s.cmd.Args, s.said)
	default:
	}
	if !ok {
		s.stop()
		l.t.Fatalf("%v does not answer for %s\n%s", s.cmd.Args, name, s.said)
	}
}

// rcode asks a server of the lab for a name's SOA, over UDP, and returns the code of the answer.
func (l *lab) rcode(addr, name string) (byte, error) {
	q := []byte{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	for label := range strings.SplitSeq(strings.Trim(name, "."), ".") {
		if label != "" {
			q = append(append(q, byte(len(label))), label...)
		}
	}
	q = append(q, 0, 0, 6, 0, 1) // SOA, IN
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	c, err := l.dial(ctx, "udp", addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Second))
	if _, err := c.Write(q); err != nil {
		return 0, err
	}
	p := make([]byte, 4096)
	n, err := c.Read(p)
	if err != nil || n < 12 {
		return 0, fmt.Errorf("%d octets: %w", n, err)
	}
	return p[3] & 15, nil
}

// resolving runs a program in the lab with a resolv.conf of its own, in a mount namespace of its own.
func (l *lab) resolving(resolvConf, name string, args ...string) result {
	l.t.Helper()
	return l.finish("", command(program(l.t, "unshare"), l.within(resolvConf, program(l.t, name), args...)...), patience)
}

// within is the arguments of an unshare(1) that gives a program the text as /etc/resolv.conf.
func (l *lab) within(resolvConf, path string, args ...string) []string {
	l.t.Helper()
	file := filepath.Join(shortTempDir(l.t), "resolv.conf")
	must(l.t, os.WriteFile(file, []byte(resolvConf), 0o644))
	return append([]string{"--mount", "sh", "-c", `mount --bind ` + file + ` /etc/resolv.conf && exec "$0" "$@"`, path}, args...)
}

// lookups is the program that looks names up by package net, as any Go program does: the arguments are names
// and addresses.
func lookups(args []string) {
	r := &net.Resolver{PreferGo: true}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, a := range args {
		look := r.LookupHost
		if net.ParseIP(a) != nil {
			look = r.LookupAddr
		}
		list, err := look(ctx, a)
		slices.Sort(list)
		if err != nil {
			fmt.Printf("%s: %v\n", a, err)
			continue
		}
		fmt.Printf("%s: %s\n", a, strings.Join(list, " "))
	}
}

// dig runs dig with an answer in one line for each record, and returns those.
func (l *lab) dig(args ...string) []string {
	l.t.Helper()
	out := l.ok("", "dig", append([]string{"+noall", "+answer", "+time=20", "+tries=2"}, args...)...)
	var lines []string
	for line := range strings.Lines(out) {
		if line = strings.Join(strings.Fields(line), " "); line != "" && line[0] != ';' {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}
