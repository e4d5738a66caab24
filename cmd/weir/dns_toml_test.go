package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// configured reads flags and a file of --config with the text.
func configured(t *testing.T, text string, args ...string) (*dnsFlags, string, error) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "names.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f := &dnsFlags{}
	fs := pflag.NewFlagSet("dns", pflag.ContinueOnError)
	f.register(fs, "forward")
	if err := fs.Parse(append(args, "--config", path)); err != nil {
		t.Fatal(err)
	}
	return f, dir, f.load()
}

func TestConfigFileOfTheHelpIsRead(t *testing.T) {
	f, dir, err := configured(t, dnsFileExample, "--log-sample", "7", "--zone", "example.com=here")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		got, want []string
	}{
		{"zone", f.zones, []string{"example.com=here", "example.org=" + dir + "/example.org.zone"}},
		{"secondary", f.secondary, []string{"example.net=192.0.2.1@transfer"}},
		{"forward", f.forward, []string{".=tls://192.0.2.1#dns.example", "corp.example=10.0.0.53,10.0.1.53"}},
		{"key", f.keys, []string{"@" + dir + "/transfer.key"}},
		{"allow-transfer", f.transfer, []string{"192.0.2.1", "key:transfer"}},
		{"log", []string{f.log}, []string{dir + "/queries.log"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
	if f.logSample != 7 || f.rate != 500 || f.maxUDP != 1232 {
		t.Errorf("log-sample %d, rate-limit %d, max-udp %d", f.logSample, f.rate, f.maxUDP)
	}
	if err := f.check(); err != nil {
		t.Error(err)
	}
}

// Every flag about names has a setting of its name, but those that are for the tree.
func TestConfigFileHasTheFlagsNames(t *testing.T) {
	fs := pflag.NewFlagSet("dns", pflag.ContinueOnError)
	new(dnsFlags).register(fs, "forward")
	fs.VisitAll(func(flag *pflag.Flag) {
		if slices.Contains([]string{"config", "tree", "signed"}, flag.Name) {
			return
		}
		value := `"x"`
		switch flag.Value.Type() {
		case "int", new(seconds).Type():
			value = "9"
		case "bool":
			value = "true"
		}
		line := flag.Name + " = " + value
		if slices.Contains([]string{"zone", "secondary", "forward"}, flag.Name) {
			line = "[" + flag.Name + "]\n\"x\" = \"y\""
		}
		if _, _, err := configured(t, line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	})
}

func TestConfigFilesThatAreWrong(t *testing.T) {
	for text, want := range map[string]string{
		"recursive = true\nrecursve = true\n": "names.toml:2: there is no setting recursve",
		"[zone]\n\"a\" = \"b\"\n\n[zones]\n":  "names.toml:4: there is no setting zones",
		"log-sample = \"many\"":               "names.toml:1: log-sample must be a whole number, and is of the type string",
		"recursive = \"yes\"":                 "names.toml:1: recursive must be true or false, and is of the type string",
		"[zone]\n\"example.org\" = 3":         "names.toml:2: zone.example.org must be a text, and is of the type integer",
		"\n\nhints = ":                        "names.toml:3: ",
		"allow = 3":                           "allow must be a text or an array of texts",
		"allow = [1]":                         "allow must have texts",
		"[forward]\n\".\" = { a = 1 }":        "forward.. must be a text",
	} {
		_, _, err := configured(t, text)
		if err == nil || !strings.Contains(oneLine(err), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	var out, errs strings.Builder
	if status := run(t.Context(), []string{"dns", "serve", "--config", "/nowhere.toml"}, &out, &errs); status != 1 || strings.Count(errs.String(), "\n") != 1 {
		t.Errorf("a file that is not there: %d, %s", status, errs.String())
	}
}

// What is wrong with the flags of weir dns serve is said in one line, before a device is made.
func TestDNSServeFlagsThatAreWrong(t *testing.T) {
	for args, want := range map[string]string{
		"":                                       "nothing to serve",
		"--hints x --forward .=192.0.2.1":        "for --recursive",
		"--tree --zone a=b":                      "--tree serves its own zones",
		"--signed --zone a=b":                    "--signed is for --tree",
		"--zone a=b --log-sample 0":              "--log-sample 0",
		"--zone a=b --rate-limit 0":              "--rate-limit 0",
		"--zone a=b --max-udp 100":               "--max-udp 100",
		"--zone a=b --max-connections 0":         "--max-connections 0",
		"--zone a=b --nonsense":                  "see weir dns serve --help",
		"--tree --addr 192.0.2.9/24 --tun tun7 ": "leave out --addr",
	} {
		var out, errs strings.Builder
		status := run(t.Context(), append([]string{"dns", "serve"}, strings.Fields(args)...), &out, &errs)
		if status != 1 || !strings.Contains(errs.String(), want) || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("serve %s: status %d, %q, want one line with %q", args, status, errs.String(), want)
		}
	}
}

func TestDNSCheckSaysWhatIsWrong(t *testing.T) {
	const head = "$TTL 60\n@ SOA ns hostmaster 1 3600 600 604800 60\n@ NS ns\nns A 192.0.2.2\n"
	for _, c := range []struct {
		name, text, want string
		args             []string
		status           int
	}{
		{"good", head, "zone example.org.: serial 1, ", nil, 0},
		{"good, quietly", head, "", []string{"-q"}, 0},
		{"no SOA record", "$TTL 60\n@ NS ns\nns A 192.0.2.2\n", "SOA", nil, 1},
		{"CNAME beside others", head + "ns CNAME x\n", "CNAME", nil, 1},
		{"rubbish", head + "www A 192.0.2\n", "example.org.zone:5", nil, 1},
		{"name server without an address", "$TTL 60\n@ SOA ns hostmaster 1 3600 600 604800 60\n@ NS ns\n", "ns.example.org.", nil, 1},
		{"another zone", head, "example.net.", []string{"--origin", "example.net"}, 0},
	} {
		path := filepath.Join(t.TempDir(), "example.org.zone")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs strings.Builder
		status := run(t.Context(), append(append([]string{"dns", "check"}, c.args...), path), &out, &errs)
		if status != c.status || !strings.Contains(out.String(), c.want) || strings.Count(errs.String(), "\n") != c.status {
			t.Errorf("%s: status %d, %q, %q; want %d and %q", c.name, status, out.String(), errs.String(), c.status, c.want)
		}
	}
}
