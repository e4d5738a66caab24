package main_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestServeSaysWhatIsWrong starts weir dns serve with flags that it cannot use: it says so in one line, ends with status 1, and
// leaves no device behind.
func TestServeSaysWhatIsWrong(t *testing.T) {
	l := newLab(t)
	bad, err := filepath.Abs("testdata/zones/bad-rdata.zone")
	must(t, err)
	for args, want := range map[string]string{
		"":                                  "nothing to serve",
		"--zone foo":                        "--zone foo: must be ZONE=…",
		"--zone a..b=x":                     "a label is empty",
		"--zone a=/nonexistent":             "weir: dns: zone a.: open /nonexistent: no such file or directory",
		"--zone example=" + bad:             "bad-rdata.zone:5: ",
		"--secondary a=1.2.3":               `"1.2.3" is no server`,
		"--secondary a=192.0.2.9@nokey":     "there is no --key of the name nokey",
		"--zone a=b --allow-transfer key:k": "--allow-transfer key:k.: there is no --key of that name",
		"--zone a=b --allow-transfer x":     "must be a prefix or an address",
		"--zone a=b --key x:!":              "the secret of the key x. is no base64",
		"--zone a=b --notify x":             `"x" is no server`,
		"--zone a=b --log /nonexistent/log": "--log: open /nonexistent/log",
		"--recursive --hints /dev/null":     "--hints /dev/null: there is no record in it",
		"--forward x":                       "--forward x: must be ZONE=…",
		"--reverse 192.0.2.0/33":            "--reverse 192.0.2.0/33: must be a prefix",
		"--tree --zone a=b":                 "leave the rest out",
	} {
		r := l.finish("", command(weirBinary(t), append([]string{"dns", "serve"}, strings.Fields(args)...)...), patience)
		if r.status != 1 || r.stdout != "" || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, want) {
			t.Errorf("weir dns serve %s: want %q, %v", args, want, r)
		}
		if l.hasLink("weir0") {
			t.Errorf("weir dns serve %s leaves its device", args)
		}
	}
}
