package server

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"testing"
	"time"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The examples of RFC 9018 appendix A.
func TestServerCookiesAreThoseOfRFC9018(t *testing.T) {
	for _, c := range []struct {
		secret, client, addr string
		at                   int64
		want                 string
	}{
		{"e5e973e5a6b2a43f48e7dc849e37bfcf", "2464c4abcf10c957", "198.51.100.100", 1559731985, "2464c4abcf10c957010000005cf79f111f8130c3eee29480"},
		{"e5e973e5a6b2a43f48e7dc849e37bfcf", "2464c4abcf10c957", "198.51.100.100", 1559734385, "2464c4abcf10c957010000005cf7a871d4a564a1442aca77"},
		{"445536bcd2513298075a5d379663c962", "22681ab97d52c298", "2001:db8:220:1:59de:d0f4:8769:82b8", 1559741961, "22681ab97d52c298010000005cf7c609a6bb79d16625507a"},
	} {
		addr, now := netip.MustParseAddr(c.addr), time.Unix(c.at, 0)
		j := newCookieJar(Cookies{Secret: unhex(t, c.secret)})
		got := j.append(nil, unhex(t, c.client), addr, now)
		if !bytes.Equal(got, unhex(t, c.want)) {
			t.Errorf("%s at %d: %x, want %s", c.client, c.at, got, c.want)
		}
		if state, fresh := j.check(got, addr, now.Add(time.Minute)); state != provenCookie || !fresh {
			t.Errorf("%x is %d after a minute, fresh %v", got, state, fresh)
		}
	}
}

func TestCookieProvesOneAddressForAnHour(t *testing.T) {
	j := newCookieJar(Cookies{Rotate: 24 * time.Hour})
	addr, now := netip.MustParseAddr("192.0.2.7"), time.Now()
	c := j.append(nil, []byte("12345678"), addr, now)
	for _, x := range []struct {
		name  string
		data  []byte
		addr  string
		after time.Duration
		state cookieState
		fresh bool
	}{
		{"its own", c, "192.0.2.7", 0, provenCookie, true},
		{"as IPv6", c, "::ffff:192.0.2.7", 0, provenCookie, true},
		{"after 31 minutes", c, "192.0.2.7", 31 * time.Minute, provenCookie, false},
		{"after 61 minutes", c, "192.0.2.7", 61 * time.Minute, unprovenCookie, false},
		{"from the future", c, "192.0.2.7", -10 * time.Minute, unprovenCookie, false},
		{"another's", c, "192.0.2.8", 0, unprovenCookie, false},
		{"another client part", append([]byte("X"), c[1:]...), "192.0.2.7", 0, unprovenCookie, false},
		{"the client's part", c[:8], "192.0.2.7", 0, unprovenCookie, false},
		{"another server's", c[:20], "192.0.2.7", 0, unprovenCookie, false},
		{"none of the client's", c[:7], "192.0.2.7", 0, malformedCookie, false},
		{"a short server's", c[:15], "192.0.2.7", 0, malformedCookie, false},
		{"a long one", make([]byte, 41), "192.0.2.7", 0, malformedCookie, false},
	} {
		state, fresh := j.check(x.data, netip.MustParseAddr(x.addr), now.Add(x.after))
		if state != x.state || fresh != x.fresh {
			t.Errorf("%s: %d, fresh %v; want %d, %v", x.name, state, fresh, x.state, x.fresh)
		}
	}
}

// RFC 9018 §5: what was made with the secret before the last is good until it is old.
func TestCookieSurvivesOneRotationOfTheSecret(t *testing.T) {
	j := newCookieJar(Cookies{Rotate: 2 * time.Hour})
	addr, begun := netip.MustParseAddr("2001:db8::7"), time.Now()
	late := begun.Add(2*time.Hour - time.Minute)
	c := j.append(nil, []byte("12345678"), addr, late)
	after := late.Add(10 * time.Minute)
	if state, fresh := j.check(c, addr, after); state != provenCookie || fresh {
		t.Errorf("after a rotation: %d, fresh %v; want it proven and renewed", state, fresh)
	}
	first := j.keys.Load().now
	j.current(begun.Add(6 * time.Hour))
	if j.keys.Load().now == first {
		t.Error("the secret stays")
	}
	if state, _ := j.check(c, addr, after); state != unprovenCookie {
		t.Errorf("after two rotations it is %d", state)
	}
}

// RFC 9018 §5: servers that share an address get a new secret in turn, and take each other's cookies all the while.
func TestServersThatShareSecretsTakeEachOthersCookies(t *testing.T) {
	first, second := bytes.Repeat([]byte{1}, 16), bytes.Repeat([]byte{2}, 16)
	addr, now := netip.MustParseAddr("192.0.2.7"), time.Now()
	made := func(c Cookies) []byte { return newCookieJar(c).append(nil, []byte("12345678"), addr, now) }
	stages := []Cookies{{Secret: first}, {Secret: first, Other: second}, {Secret: second, Other: first}, {Secret: second}}
	j := newCookieJar(stages[0])
	for i, c := range stages {
		if i > 0 {
			j.set(c)
		}
		for k, from := range stages {
			state, fresh := j.check(made(from), addr, now)
			taken := !(i == 0 && k >= 2 || i == 3 && k < 2)
			newest := bytes.Equal(c.Secret, from.Secret)
			if taken != (state == provenCookie) || taken && fresh != newest {
				t.Errorf("the server is at stage %d, the cookie is of stage %d: %d, fresh %v", i, k, state, fresh)
			}
		}
	}
	if state, _ := newCookieJar(Cookies{}).check(made(stages[0]), addr, now); state != unprovenCookie {
		t.Errorf("a server of another secret: %d", state)
	}
	j.set(Cookies{Rotate: 2 * time.Hour})
	c := j.append(nil, []byte("12345678"), addr, now)
	if state, _ := j.check(made(stages[3]), addr, now); state != unprovenCookie {
		t.Errorf("the secret was taken away, and its cookies are %d", state)
	}
	j.set(Cookies{Rotate: 2 * time.Hour})
	if state, fresh := j.check(c, addr, now); state != provenCookie || !fresh {
		t.Errorf("a random secret does not stay: %d, fresh %v", state, fresh)
	}
}

func TestSecretsThatCannotBe(t *testing.T) {
	good := make([]byte, 16)
	for what, c := range map[string]Cookies{"a short one": {Secret: good[:15]}, "a short second": {Secret: good, Other: good[:8]}, "no first": {Other: good}} {
		if err := (Config{Cookies: c}).Check(); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
	if err := (Config{Cookies: Cookies{Secret: good, Other: good}}).Check(); err != nil {
		t.Error(err)
	}
}
