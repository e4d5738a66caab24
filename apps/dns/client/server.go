package client

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"sync"
	"time"
)

// server is what is remembered of a server. Its fields are guarded by Client.mu.
type server struct {
	noEDNS, noCase bool
	cookies        bool   // it has given us one
	cookie         []byte // its own, 8 to 32 octets
	until          time.Time
}

// traits returns a copy of what is known of a server.
func (c *Client) server(a netip.AddrPort) server {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.servers[a]; s != nil && time.Now().Before(s.until) {
		return *s
	}
	return server{}
}

// learn changes what is remembered of a server.
func (c *Client) learn(a netip.AddrPort, f func(*server)) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.servers[a]
	if s == nil || !now.Before(s.until) {
		if c.servers == nil {
			c.servers = map[netip.AddrPort]*server{}
		}
		for other, v := range c.servers { // any one, or all of a few that are too old
			if len(c.servers) < or(c.MaxServers, 4096) && now.Before(v.until) {
				break
			}
			delete(c.servers, other)
		}
		s = &server{until: now.Add(or(c.Remember, time.Hour))}
		c.servers[a] = s
	}
	f(s)
}

// secret makes the client's cookies: a server gets always the same one from us, and no two the same (RFC 9018 §3).
type secret struct {
	once sync.Once
	key  [32]byte
}

func (s *secret) cookie(a netip.AddrPort) [8]byte {
	s.once.Do(func() { rand.Read(s.key[:]) })
	h := sha256.New()
	h.Write(s.key[:])
	b, _ := a.MarshalBinary()
	h.Write(b)
	return [8]byte(h.Sum(nil))
}

// randomID returns an id that nobody can guess.
func randomID() uint16 {
	var b [2]byte
	rand.Read(b[:])
	return binary.BigEndian.Uint16(b[:])
}
