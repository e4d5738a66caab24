package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"time"

	"github.com/weirnet/weir/tun"
)

// writeQueries writes names for dnsperf and resperf.
func writeQueries(path string, queries [][]byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	for _, q := range queries {
		fmt.Fprintf(w, "%s.%s A\n", q[13:13+int(q[12])], dnsZone)
	}
	return w.Flush()
}

// tool runs dnsperf or resperf in a namespace and returns what it says.
func tool(ctx context.Context, ns *tun.Namespace, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	path, err := exec.LookPath(args[0])
	if err != nil {
		return "", fmt.Errorf("%s is not installed: apt-get install %s", args[0], args[0])
	}
	cmd := exec.CommandContext(ctx, path, args[1:]...)
	var out []byte
	err = ns.Do(func() error { // it is started on this thread, and so in the namespace
		var err error
		out, err = cmd.CombinedOutput()
		return err
	})
	if err != nil {
		return "", fmt.Errorf("%s: %w: %.300s", args[0], err, out)
	}
	return string(out), nil
}

var (
	dnsperfRate    = regexp.MustCompile(`Queries per second:\s+([0-9.]+)`)
	dnsperfLost    = regexp.MustCompile(`Queries lost:\s+\d+ \(([0-9.]+)%\)`)
	dnsperfLatency = regexp.MustCompile(`Average Latency \(s\):\s+([0-9.]+)`)
	resperfRate    = regexp.MustCompile(`Maximum throughput:\s+([0-9.]+) qps`)
)

// number1 returns the number that a tool says.
func number1(re *regexp.Regexp, text string) (float64, error) {
	m := re.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("there is no %v in %.300q", re, text)
	}
	return strconv.ParseFloat(m[1], 64)
}

// dnsperf asks as fast as answers come, with so many on their way.
func dnsperf(ctx context.Context, r *dnsRun, file string, window int, d time.Duration) (sample, error) {
	text, err := tool(ctx, r.client, "dnsperf", "-s", stackPrefix.Addr().String(), "-p", strconv.Itoa(r.port), "-d", file, "-e",
		"-q", strconv.Itoa(window), "-c", "1", "-T", "1", "-t", "1", "-l", strconv.Itoa(max(1, int(d.Seconds()))))
	if err != nil {
		return nil, err
	}
	rate, err := number1(dnsperfRate, text)
	if err != nil {
		return nil, err
	}
	lost, _ := number1(dnsperfLost, text)
	mean, _ := number1(dnsperfLatency, text)
	return sample{"value": rate, "lost": lost, "mean": mean * 1e6}, nil
}

// resperf asks more and more, until the server does not keep up.
func resperf(ctx context.Context, r *dnsRun, file string, most int, d time.Duration) (sample, error) {
	text, err := tool(ctx, r.client, "resperf", "-s", stackPrefix.Addr().String(), "-p", strconv.Itoa(r.port), "-d", file, "-e",
		"-m", strconv.Itoa(most), "-r", strconv.Itoa(max(3, int(d.Seconds()))), "-t", "1", "-R", "-F", "0", "-P", "/dev/null")
	if err != nil {
		return nil, err
	}
	rate, err := number1(resperfRate, text)
	return sample{"value": rate}, err
}
