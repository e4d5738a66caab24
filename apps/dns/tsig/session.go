package tsig

import (
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// maxUnsigned is how many messages in a row may be unsigned (RFC 8945 section 5.3.1).
const maxUnsigned = 99

// maxSpan bounds the octets of them that are kept until their MAC comes.
const maxSpan = maxUnsigned * (msg.MaxSize + 2)

// Session is an exchange that is signed: one query and its answers. It is not for several
// goroutines at once.
type Session struct {
	key      Key
	prior    []byte // the MAC of the message before
	messages int    // answers signed or verified
	pending  []byte // unsigned messages since the last MAC
	unsigned int
	query    record // as Accept had it
	refused  *Error
}

// Request signs the packed query p with k. It returns the query as it is sent, in memory of its own or
// that of p.
func Request(p []byte, k Key, now time.Time) ([]byte, *Session, error) {
	if err := k.check(); err != nil {
		return nil, nil, err
	}
	if len(p) < 12 || len(p)+k.Room() > msg.MaxSize {
		return nil, nil, fmt.Errorf("message of %d octets cannot be signed with the key %s: it must have 12 to %d", len(p), k.Name, msg.MaxSize-k.Room())
	}
	s := &Session{key: k}
	return s.sign(p, s.record(p, now), false), s, nil
}

// Accept checks the query p. Without a TSIG record in it, there is neither a session nor an
// error. After an error the session is there for the answer that tells it, and verified is false.
func Accept(p []byte, ring Ring, now time.Time) (*Session, error) {
	t, plain, found, err := cut(p)
	if err != nil {
		s := &Session{refused: &Error{Code: msg.RcodeFormatError, why: err.Error()}}
		return s, s.refused
	}
	if !found {
		return nil, nil
	}
	s := &Session{query: t}
	k, ok := ring(t.key)
	if !ok || k.Algorithm != t.algorithm || k.check() != nil {
		return s.refuse(msg.RcodeBadKey, "no such key with the algorithm "+t.algorithm.String())
	}
	s.key = k
	if e := s.verify(&t, plain, false, now); e != nil {
		s.refused = e
		return s, e
	}
	return s, nil
}

func (s *Session) refuse(code msg.Rcode, why string) (*Session, error) {
	s.refused = &Error{Code: code, Key: s.query.key, why: why}
	return s, s.refused
}

// Key returns the name of the key in use, in lower case.
func (s *Session) Key() msg.Name {
	if s.key.Name == "" {
		return s.query.key
	}
	return s.key.Name.Fold()
}

// Room returns the octets that Sign adds to a message at most.
func (s *Session) Room() int {
	if s.key.Name == "" {
		return len(s.query.key) + 10 + len(s.query.algorithm) + 16 + 6
	}
	return s.key.Room()
}

// Sign signs the packed answer p, the next of as many as there are, and returns it as it is sent, in
// memory of its own or that of p.
func (s *Session) Sign(p []byte, now time.Time) ([]byte, error) {
	if s.refused != nil && s.refused.Code == msg.RcodeFormatError {
		return p, nil
	}
	if len(p) < 12 || len(p)+s.Room() > msg.MaxSize {
		return nil, fmt.Errorf("message of %d octets cannot be signed with the key %s: it must have 12 to %d", len(p), s.Key(), msg.MaxSize-s.Room())
	}
	t := s.record(p, now)
	if s.refused != nil {
		t.err = s.refused.Code
		switch t.err {
		case msg.RcodeBadKey, msg.RcodeBadSig:
			// "The response MUST be unsigned": a MAC of no octets (RFC 8945 section 5.3.2).
			t.key, t.algorithm = s.query.key, s.query.algorithm
			return count(t.appendTo(p)), nil
		case msg.RcodeBadTime:
			// The client's time, and ours beside it (RFC 8945 section 5.2.3).
			t.other = t.appendTimers(nil)[:6]
			t.signed, t.fudge = s.query.signed, s.query.fudge
		}
	}
	p = s.sign(p, t, s.messages > 0)
	s.messages++
	return p, nil
}

func (s *Session) record(p []byte, now time.Time) *record {
	return &record{key: s.key.Name.Fold(), algorithm: s.key.Algorithm, signed: uint64(now.Unix()),
		fudge: uint16(Fudge / time.Second), id: binary.BigEndian.Uint16(p)}
}

func (s *Session) sign(p []byte, t *record, timersOnly bool) []byte {
	t.mac = s.mac(t, p, timersOnly)
	if n := s.key.MACSize; n != 0 {
		t.mac = t.mac[:n]
	}
	s.prior = t.mac
	return count(t.appendTo(p))
}

// count adds one to the number of additional records.
func count(p []byte) []byte {
	binary.BigEndian.PutUint16(p[10:], binary.BigEndian.Uint16(p[10:])+1)
	return p
}

// mac computes the MAC of a message (RFC 8945 section 4.3): the one before it, the message, and
// the variables or, after the first answer, of these the timers alone (section 5.3.1).
func (s *Session) mac(t *record, p []byte, timersOnly bool) []byte {
	h := s.key.mac()
	if s.prior != nil {
		h.Write(binary.BigEndian.AppendUint16(nil, uint16(len(s.prior))))
		h.Write(s.prior)
	}
	h.Write(p)
	if timersOnly {
		h.Write(t.appendTimers(nil))
	} else {
		h.Write(t.appendVariables(nil))
	}
	return h.Sum(nil)
}

// Verify checks the packed answer p, the next of as many as there are. It returns the answer as
// it was before it was signed. An answer without a TSIG record is taken where others may follow
// that sign it: see Done. After an error the session is of no use.
func (s *Session) Verify(p []byte, now time.Time) ([]byte, error) {
	t, plain, found, err := cut(p)
	if err != nil {
		return nil, &Error{Code: msg.RcodeFormatError, Key: s.Key(), why: err.Error()}
	}
	if !found {
		return s.unsignedAnswer(p)
	}
	if t.key != s.Key() || t.algorithm != s.key.Algorithm {
		return nil, &Error{Code: msg.RcodeBadKey, Key: s.Key(), why: "the answer is signed with another key, " + t.key.String()}
	}
	if (t.err == msg.RcodeBadKey || t.err == msg.RcodeBadSig) && len(t.mac) == 0 {
		return nil, &Error{Code: t.err, Key: s.Key(), Remote: true}
	}
	if e := s.verify(&t, append(s.pending, plain...), s.messages > 0, now); e != nil {
		return nil, e
	}
	s.pending, s.unsigned = nil, 0
	s.messages++
	if t.err != 0 {
		return nil, &Error{Code: t.err, Key: s.Key(), Remote: true, why: t.serverTime()}
	}
	return plain, nil
}

// unsignedAnswer keeps an answer until the MAC that covers it comes. The first one is signed always.
func (s *Session) unsignedAnswer(p []byte) ([]byte, error) {
	s.unsigned++
	if s.messages == 0 || s.unsigned > maxUnsigned || len(s.pending)+len(p) > maxSpan {
		return nil, &Error{Code: msg.RcodeBadSig, Key: s.Key(), why: "the answer has no TSIG record"}
	}
	s.pending = append(s.pending, p...)
	return p, nil
}

// Done reports whether all that Verify took is signed: nil when so.
func (s *Session) Done() error {
	if s.unsigned > 0 || s.messages == 0 {
		return &Error{Code: msg.RcodeBadSig, Key: s.Key(), why: "the last answer has no TSIG record (RFC 8945 section 5.3.1)"}
	}
	return nil
}

// verify checks a MAC, then the time, then whether it is long enough: in that order (RFC 8945
// section 5.2).
func (s *Session) verify(t *record, plain []byte, timersOnly bool, now time.Time) *Error {
	full := s.key.size()
	if n := len(t.mac); n > full || n < max(10, full/2) {
		return &Error{Code: msg.RcodeFormatError, Key: t.key, why: fmt.Sprintf("a MAC of %d octets (RFC 8945 section 5.2.2.1)", n)}
	}
	if !hmac.Equal(s.mac(t, plain, timersOnly)[:len(t.mac)], t.mac) {
		return &Error{Code: msg.RcodeBadSig, Key: t.key, why: "the MAC is not that of the message"}
	}
	s.prior = t.mac
	fudge := min(int64(t.fudge), int64(MaxFudge/time.Second))
	if d := now.Unix() - int64(t.signed); (d > fudge || d < -fudge) && t.err != msg.RcodeBadTime {
		return &Error{Code: msg.RcodeBadTime, Key: t.key, why: fmt.Sprintf("signed %d s before the time here, %d s are allowed", d, fudge)}
	}
	least := s.key.MinMAC
	if least == 0 {
		least = full
		if s.key.MACSize != 0 {
			least = s.key.MACSize
		}
	}
	if len(t.mac) < least {
		return &Error{Code: msg.RcodeBadTrunc, Key: t.key, why: fmt.Sprintf("a MAC of %d octets, %d are demanded", len(t.mac), least)}
	}
	return nil
}

func (t *record) serverTime() string {
	if t.err != msg.RcodeBadTime || len(t.other) != 6 {
		return ""
	}
	at := int64(binary.BigEndian.Uint16(t.other))<<32 | int64(binary.BigEndian.Uint32(t.other[2:]))
	return "its time is " + time.Unix(at, 0).UTC().Format(time.RFC3339)
}

// Error says why a message is not believed.
type Error struct {
	Code   msg.Rcode // RcodeBadSig, RcodeBadKey, RcodeBadTime, RcodeBadTrunc, RcodeFormatError
	Key    msg.Name
	Remote bool // it is the other side that says it
	why    string
}

// Error returns one line.
func (e *Error) Error() string {
	code := e.Code.String()
	if e.Code == msg.RcodeBadSig {
		code = "BADSIG"
	}
	s := "TSIG with the key " + e.Key.String() + ": " + code
	if e.Remote {
		s += ", says the other side"
	}
	if e.why != "" {
		s += ": " + e.why
	}
	return s
}

// Rcode returns the response code of the answer that tells a refused query (RFC 8945 section 5.2).
func (e *Error) Rcode() msg.Rcode {
	if e.Code == msg.RcodeFormatError {
		return msg.RcodeFormatError
	}
	return msg.RcodeNotAuth
}

// Code returns the code of err where it is an Error, and 0 otherwise.
func Code(err error) msg.Rcode {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}
