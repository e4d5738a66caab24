package main

import (
	"regexp"
	"strings"
	"testing"
)

// The demonstration tree is in memory, so that what people try first is tried here as they type it.
func TestDNSCommandsInTheTree(t *testing.T) {
	for _, c := range []struct {
		args string
		want []string // in this order
		not  string
	}{
		{"dns trace www.weir.example", []string{"  1  ask ", "a server of .", "refers us to the servers of example.", "refers us to the servers of weir.example.",
			"answers: A 203.0.113.80", "www.weir.example. A:", "www.weir.example.\t300\tIN\tA\t203.0.113.80", "4 questions to servers in "}, ""},
		{"dns trace blog.weir.example AAAA", []string{"blog.weir.example. is another name for pages.host.test.", "servers of test.", "another name for web.shop.example.",
			"to ask ns.host.test., a server of shop.example., its address is needed", "web.shop.example.\t300\tIN\tAAAA\t2001:db8:53::52"}, ""},
		{"dns trace nobody.weir.example", []string{"there is no name nobody.weir.example. (kept for 60 s)", "There is no such name: nobody.weir.example."}, ""},
		{"dns trace empty.weir.example MX", []string{"is there, and has no MX"}, ""},
		{"dns trace --twice big.weir.example TXT", []string{"over UDP was truncated: asked again over TCP", "The same question again:", "the cache has big.weir.example. TXT", "0 questions to servers"}, ""},
		{"dns lookup --tree www.weir.example", []string{"status: NOERROR", "qr rd ra", ";www.weir.example.", "203.0.113.80", "from 203.0.113.53:53 over udp"}, ""},
		{"dns lookup --tree --short mail.weir.example AAAA", []string{"2001:db8:53::19\n"}, ";;"},
		{"dns lookup --tree -x 203.0.113.25 --short", []string{"mail.weir.example.\n"}, ";;"},
		{"dns lookup --tree -x 2001:db8:53::19", []string{"mail.weir.example."}, ""},
		{"dns lookup --tree --server 203.0.113.8 --no-recurse www.weir.example", []string{"qr aa"}, " ra"},
		{"dns lookup --tree --server 203.0.113.4 www.weir.example", []string{"ANSWER: 0", "example.\t86400\tIN\tNS"}, " ra"},
		{"dns lookup --tree big.weir.example TXT", []string{"over tcp", "after a truncated answer over UDP"}, ""},
		{"dns lookup --tree --bufsize 4500 big.weir.example TXT", []string{"ANSWER: 20"}, ""},
		{"dns lookup --tree --tcp nobody.weir.example", []string{"status: NXDOMAIN", "SOA", "over tcp"}, ""},
	} {
		var out, errs strings.Builder
		if status := run(t.Context(), strings.Fields(c.args), &out, &errs); status != 0 || errs.Len() > 0 {
			t.Errorf("%s: status %d: %s%s", c.args, status, errs.String(), out.String())
			continue
		}
		rest := out.String()
		for _, w := range c.want {
			_, after, found := strings.Cut(rest, w)
			if !found {
				t.Errorf("%s: no %q in its place in\n%s", c.args, w, out.String())
				break
			}
			rest = after
		}
		if c.not != "" && strings.Contains(out.String(), c.not) {
			t.Errorf("%s: there is %q in\n%s", c.args, c.not, out.String())
		}
	}
}

// What is wrong with a command line is said in one line, with what to do.
func TestDNSCommandLinesThatAreWrong(t *testing.T) {
	for args, want := range map[string]string{
		"dns trace":                                                       "needs NAME",
		"dns trace a..b":                                                  "a..b",
		"dns trace www.example NONSENSE":                                  "NONSENSE",
		"dns trace --hints nowhere --kernel www.x":                        "nowhere",
		"dns trace --tree --hints x www.x":                                "leave out --hints",
		"dns trace --anchor root.key www.weir.example":                    "trust anchor of its own",
		"dns lookup --tree --bufsize 5 x":                                 "from 512 to 65535",
		"dns serve --secondary example.org":                               "as in example.org=192.0.2.1",
		"dns lookup":                                                      "needs NAME",
		"dns lookup --kernel --tree x":                                    "contradict",
		"dns lookup --tree --tun tun7 x":                                  "--tun is about a device",
		"dns lookup --tree --tcp --tls x":                                 "contradict",
		"dns lookup --tree -x 1.2.3":                                      "not an IP address",
		"dns lookup --tree -x 192.0.2.1 name":                             "takes the place",
		"dns lookup --tree weir.example AXFR":                             "use dig",
		"dns lookup --tree --server nobody www.example":                   "is no server",
		"dns lookup --tree --server 192.0.2.9:0 www.x":                    "is no server",
		"dns lookup --tree -w 0.2 --server 203.0.113.99 www.weir.example": "203.0.113.99",
	} {
		var out, errs strings.Builder
		status := run(t.Context(), strings.Fields(args), &out, &errs)
		if status != 1 || !strings.Contains(errs.String(), want) || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("%s: status %d, %q, want one line with %q", args, status, errs.String(), want)
		}
	}
}

// The examples of --help are such as the command takes.
func TestDNSHelpHasExamples(t *testing.T) {
	for _, name := range []string{"lookup", "trace"} {
		var out strings.Builder
		if run(t.Context(), []string{"dns", name, "--help"}, &out, &out) != 0 {
			t.Errorf("%s --help failed", name)
		}
		if n := len(regexp.MustCompile(`(?m)^  weir dns `+name).FindAllString(out.String(), -1)); n < 4 {
			t.Errorf("%s --help has %d examples", name, n)
		}
	}
}
