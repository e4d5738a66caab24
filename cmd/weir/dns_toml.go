package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/weirnet/weir/apps/dns/server"
)

// dnsFile is what a file of --config may have: the flags of weir dns serve by their names, those that are ZONE=… as tables.
type dnsFile struct {
	Zone      map[string]string    `toml:"zone"`
	Secondary map[string]listOrOne `toml:"secondary"`
	Forward   map[string]listOrOne `toml:"forward"`

	Reverse  listOrOne `toml:"reverse"`
	Resolve  listOrOne `toml:"resolve"`
	Allow    listOrOne `toml:"allow"`
	Transfer listOrOne `toml:"allow-transfer"`
	Notify   listOrOne `toml:"notify"`
	Key      listOrOne `toml:"key"`
	Secret   listOrOne `toml:"cookie-secret"`

	Recursive *bool   `toml:"recursive"`
	Hints     *string `toml:"hints"`
	Anchor    *string `toml:"anchor"`
	CacheSize *string `toml:"cache-size"`
	Stale     *int    `toml:"serve-stale"` // seconds
	Prefetch  *int    `toml:"prefetch"`
	Log       *string `toml:"log"`
	LogSample *int    `toml:"log-sample"`
	RateLimit *int    `toml:"rate-limit"`
	MaxUDP    *int    `toml:"max-udp"`
	MaxConns  *int    `toml:"max-connections"`
	NSID      *string `toml:"nsid"`
}

// listOrOne is an array of texts, or one text.
type listOrOne = any

// dnsFileExample is in the help, and is read by a test.
const dnsFileExample = `  log        = "queries.log"        # as --log; a file's path begins at that of this one
  log-sample = 100
  key        = "@transfer.key"
  allow-transfer = ["192.0.2.1", "key:transfer"]
  rate-limit = 500
  nsid       = "ns1.example.org"

  [zone]                            # as --zone ORIGIN=FILE
  "example.org" = "example.org.zone"

  [secondary]                       # as --secondary ZONE=ADDR[@KEY]
  "example.net" = "192.0.2.1@transfer"

  [forward]                         # as --forward ZONE=SERVER,SERVER
  "corp.example" = ["10.0.0.53", "10.0.1.53"]
  "." = "tls://192.0.2.1#dns.example"
`

// load reads the file of --config, where there is one. What is on the command line goes before what is in the file; lists
// are added to each other.
func (f *dnsFlags) load() error {
	if f.config == "" {
		return nil
	}
	given := f.clone()
	f.given = &given
	text, err := os.ReadFile(f.config)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	var file dnsFile
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return fmt.Errorf("--config %s%w", f.config, tomlError(err))
	}
	if err := f.take(&file, filepath.Dir(f.config)); err != nil {
		return fmt.Errorf("--config %s: %w", f.config, err)
	}
	return nil
}

// wrongType is what the decoder says of a value of another type than its setting.
var wrongType = regexp.MustCompile(`cannot decode TOML (\w+) into (?:struct field \S+ of type )?(bool|int|string)\b`)

var typeWords = map[string]string{"bool": "true or false", "int": "a whole number", "string": "a text"}

// tomlError says in which line what is wrong is.
func tomlError(err error) error {
	if missing := new(toml.StrictMissingError); errors.As(err, &missing) && len(missing.Errors) > 0 {
		one := missing.Errors[0]
		line, _ := one.Position()
		return fmt.Errorf(":%d: there is no setting %s: see weir dns serve --help", line, strings.Join(one.Key(), "."))
	}
	if wrong := new(toml.DecodeError); errors.As(err, &wrong) {
		line, _ := wrong.Position()
		if m := wrongType.FindStringSubmatch(wrong.Error()); m != nil {
			return fmt.Errorf(":%d: %s must be %s, and is of the type %s", line, strings.Join(wrong.Key(), "."), typeWords[m[2]], m[1])
		}
		return fmt.Errorf(":%d: %s", line, strings.TrimPrefix(wrong.Error(), "toml: "))
	}
	return fmt.Errorf(": %w", err)
}

// take adds what a file in dir has to the flags.
func (f *dnsFlags) take(file *dnsFile, dir string) error {
	for _, origin := range slices.Sorted(maps.Keys(file.Zone)) {
		f.zones = append(f.zones, origin+"="+inDir(dir, file.Zone[origin]))
	}
	for _, p := range []*string{file.Hints, file.Anchor, file.Log} {
		if p != nil && *p != "" {
			*p = inDir(dir, *p)
		}
	}
	f.takeValues(file)
	if err := f.takeTables(file); err != nil {
		return err
	}
	return f.takeLists(file, dir)
}

// inDir is a path of a file that lies in dir, from where the file's own begin.
func inDir(dir, path string) string {
	if path == "-" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// takeValues takes what has one value, where the command line has none.
func (f *dnsFlags) takeValues(file *dnsFile) {
	set(f, "recursive", &f.recursive, file.Recursive)
	set(f, "hints", &f.hints, file.Hints)
	set(f, "anchor", &f.anchor, file.Anchor)
	set(f, "cache-size", &f.cache, file.CacheSize)
	set(f, "log", &f.log, file.Log)
	set(f, "log-sample", &f.logSample, file.LogSample)
	set(f, "prefetch", &f.prefetch, file.Prefetch)
	if file.Stale != nil {
		stale := seconds(time.Duration(*file.Stale) * time.Second)
		set(f, "serve-stale", &f.stale, &stale)
	}
	set(f, "rate-limit", &f.rate, file.RateLimit)
	set(f, "max-udp", &f.maxUDP, file.MaxUDP)
	set(f, "max-connections", &f.maxConns, file.MaxConns)
	set(f, "nsid", &f.nsid, file.NSID)
}

// takeTables adds what the command line has as ZONE=….
func (f *dnsFlags) takeTables(file *dnsFile) error {
	for _, t := range []struct {
		name string
		from map[string]listOrOne
		to   *[]string
	}{{"secondary", file.Secondary, &f.secondary}, {"forward", file.Forward, &f.forward}} {
		for _, zone := range slices.Sorted(maps.Keys(t.from)) {
			list, err := texts(t.name+"."+zone, t.from[zone])
			if err != nil {
				return err
			}
			*t.to = append(*t.to, zone+"="+strings.Join(list, ","))
		}
	}
	return nil
}

// takeLists adds what may be given several times.
func (f *dnsFlags) takeLists(file *dnsFile, dir string) error {
	for _, t := range []struct {
		name string
		from listOrOne
		to   *[]string
	}{
		{"reverse", file.Reverse, &f.reverse}, {"resolve", file.Resolve, &f.resolve}, {"allow", file.Allow, &f.allow},
		{"allow-transfer", file.Transfer, &f.transfer}, {"notify", file.Notify, &f.notify}, {"key", file.Key, &f.keys},
		{"cookie-secret", file.Secret, &f.cookieSecret},
	} {
		list, err := texts(t.name, t.from)
		if err != nil {
			return err
		}
		for _, s := range list {
			if path, ok := strings.CutPrefix(s, "@"); ok && (t.name == "key" || t.name == "cookie-secret") {
				s = "@" + inDir(dir, path)
			}
			*t.to = append(*t.to, s)
		}
	}
	return nil
}

// set takes a value of the file where the command line has none.
func set[T any](f *dnsFlags, name string, to, from *T) {
	if from != nil && !f.set.Changed(name) {
		*to = *from
	}
}

// texts reads a text, or an array of them.
func texts(name string, v listOrOne) (list []string, err error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return []string{v}, nil
	case []any:
		for _, one := range v {
			s, ok := one.(string)
			if !ok {
				return nil, fmt.Errorf("%s must have texts, and has %v", name, one)
			}
			list = append(list, s)
		}
		return list, nil
	}
	return nil, fmt.Errorf("%s must be a text or an array of texts, and is %v", name, v)
}

// limits takes what bounds the server, and what it tells of itself.
func (f *dnsFlags) limits(c *dnsConfig) error {
	c.Server.NSID = f.nsid
	c.Server.RateLimit.PerSecond = f.rate
	c.Server.MaxUDP = f.maxUDP
	c.Server.Streams.MaxConns = f.maxConns
	return f.secrets(c)
}

// secrets are those of cookies: one, or one and another that is taken too.
func (f *dnsFlags) secrets(c *dnsConfig) error {
	if len(f.cookieSecret) > 2 {
		return fmt.Errorf("--cookie-secret: %d of them: there may be one, and another while servers change it", len(f.cookieSecret))
	}
	for i, s := range f.cookieSecret {
		if path, ok := strings.CutPrefix(s, "@"); ok {
			text, err := os.ReadFile(path)
			if err != nil {
				return fmt.Errorf("--cookie-secret: %w", err)
			}
			s = strings.TrimSpace(string(text))
		}
		secret, err := hex.DecodeString(s)
		if err != nil || len(secret) != 16 {
			return errors.New("--cookie-secret: must be 32 hexadecimal digits, as openssl rand -hex 16 prints them") // which does not tell it
		}
		*[]*[]byte{&c.Server.Cookies.Secret, &c.Server.Cookies.Other}[i] = secret
	}
	return nil
}

// checkLimits says what is wrong with them.
func (f *dnsFlags) checkLimits() error {
	switch {
	case f.rate == 0 || f.rate < -1:
		return fmt.Errorf("--rate-limit %d: must be a number of answers, or -1 for no limit", f.rate)
	case f.maxUDP < 512 || f.maxUDP > 65535:
		return fmt.Errorf("--max-udp %d: must be from 512 to 65535", f.maxUDP)
	case len(f.nsid) > server.MaxNSID:
		return fmt.Errorf("--nsid %s: has %d octets, and may have %d", f.nsid, len(f.nsid), server.MaxNSID)
	case f.maxConns < 1:
		return fmt.Errorf("--max-connections %d: must be 1 or more", f.maxConns)
	}
	return nil
}
