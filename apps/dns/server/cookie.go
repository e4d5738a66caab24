package server

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Sizes of cookies, RFC 7873 §4, and what RFC 9018 §4 says of their age.
const (
	clientCookie    = 8
	serverCookie    = 16 // RFC 9018
	fullCookie      = clientCookie + serverCookie
	minServerCookie = 8
	maxServerCookie = 32
	cookieSecret    = 16
	cookieOption    = 4 + fullCookie // with the option's header

	cookieLife    = 3600 // seconds; RFC 9018 §4.3
	cookieFresh   = 1800 // after so long a new one is made
	cookieAhead   = 300  // so far in the future is still taken
	cookieVersion = 1
)

// cookieState is what a query's cookie proves.
type cookieState uint8

const (
	noCookie        cookieState = iota
	malformedCookie             // of a length that there is not: FORMERR, RFC 7873 §5.2.2
	unprovenCookie              // a client's part, and no server's or one that is not good
	provenCookie                // this server has sent it to that address lately
)

// cookieJar makes and checks server cookies. The secret is replaced from time to time; cookies made
// with the one before stay good for as long as cookies are.
type cookieJar struct {
	keys atomic.Pointer[cookieKeys]
	mu   sync.Mutex // of who replaces keys
}

type cookieKeys struct {
	now, other [cookieSecret]byte
	two        bool          // other's are taken as well: it was there before, or will be there next
	since      time.Time     // when now came
	rotate     time.Duration // when a random one follows; 0: never, for now is a configuration's
}

// newCookieJar returns a jar with the secrets of the configuration, or a random one that is replaced every so often.
func newCookieJar(c Cookies) *cookieJar {
	j := new(cookieJar)
	j.set(c)
	return j
}

// set has the jar use the secrets of a configuration from now on. A random one stays while there is none. A
// configuration's that is not in the next one is good for nothing any more: who took it out may have had cause.
func (j *cookieJar) set(c Cookies) {
	j.mu.Lock()
	defer j.mu.Unlock()
	old := j.keys.Load()
	k := &cookieKeys{since: time.Now(), two: len(c.Other) == cookieSecret}
	copy(k.other[:], c.Other)
	if len(c.Secret) == cookieSecret {
		copy(k.now[:], c.Secret)
		j.keys.Store(k)
		return
	}
	if old != nil && old.rotate > 0 {
		return
	}
	rand.Read(k.now[:])
	k.rotate = c.Rotate
	j.keys.Store(k)
}

// current returns the secrets, replaced where that is due.
func (j *cookieJar) current(now time.Time) *cookieKeys {
	k := j.keys.Load()
	if k.rotate <= 0 || now.Sub(k.since) < k.rotate || !j.mu.TryLock() {
		return k
	}
	defer j.mu.Unlock()
	if k = j.keys.Load(); k.rotate <= 0 || now.Sub(k.since) < k.rotate {
		return k
	}
	next := &cookieKeys{other: k.now, two: true, since: now, rotate: k.rotate}
	rand.Read(next.now[:])
	j.keys.Store(next)
	return next
}

// check looks at the data of a COOKIE option that came from addr. Where it is proven and needs no renewal,
// fresh says that it may be sent back as it is.
func (j *cookieJar) check(data []byte, addr netip.Addr, now time.Time) (state cookieState, fresh bool) {
	switch n := len(data); {
	case n == clientCookie:
		return unprovenCookie, false
	case n < clientCookie+minServerCookie || n > clientCookie+maxServerCookie:
		return malformedCookie, false
	case n != fullCookie || data[clientCookie] != cookieVersion:
		return unprovenCookie, false
	}
	made := binary.BigEndian.Uint32(data[clientCookie+4:])
	age := int32(uint32(now.Unix()) - made) // serial number arithmetic, RFC 1982
	if age > cookieLife || age < -cookieAhead {
		return unprovenCookie, false
	}
	k := j.current(now)
	if cookieHash(&k.now, data, addr, data[fullCookie-8:]) {
		return provenCookie, age >= 0 && age < cookieFresh
	}
	if k.two && cookieHash(&k.other, data, addr, data[fullCookie-8:]) {
		return provenCookie, false
	}
	return unprovenCookie, false
}

// append appends a full cookie to dst: the client's part of data and a new one of the server's.
func (j *cookieJar) append(dst, data []byte, addr netip.Addr, now time.Time) []byte {
	at := len(dst)
	dst = append(dst, data[:clientCookie]...)
	dst = append(dst, cookieVersion, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(now.Unix()))
	return binary.LittleEndian.AppendUint64(dst, cookieSum(&j.current(now).now, dst[at:], addr))
}

// cookieSum is the hash of RFC 9018 §4.4 over the first 16 octets of a cookie, and the client's address.
func cookieSum(key *[16]byte, cookie []byte, addr netip.Addr) uint64 {
	var in [32]byte
	n := copy(in[:], cookie[:16])
	if addr = addr.Unmap(); addr.Is4() {
		a := addr.As4()
		n += copy(in[n:], a[:])
	} else {
		a := addr.As16()
		n += copy(in[n:], a[:])
	}
	return sipHash(key, in[:n])
}

func cookieHash(key *[16]byte, cookie []byte, addr netip.Addr, want []byte) bool {
	var sum [8]byte
	binary.LittleEndian.PutUint64(sum[:], cookieSum(key, cookie, addr))
	return subtle.ConstantTimeCompare(sum[:], want) == 1
}
