package stub

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/msg"
)

// answer is what one question came to.
type answer struct {
	rrs    []msg.RR // of the answer section, the type asked for among them
	server string
}

// The texts of package net's errors.
const (
	noSuchHost  = "no such host"
	misbehaving = "server misbehaving"
	lame        = "lame referral"
	badRecords  = "DNS response contained records which contain invalid names"
)

// ask looks a name up by the search list and returns the answer for the first name that has
// records of the type. The error is that of the last name that was tried, with the name as asked.
func (r *Resolver) ask(ctx context.Context, name string, typ msg.Type) (answer, error) {
	if !isHostName(name) {
		return answer{}, notFound(name, "")
	}
	c := r.config()
	err := error(notFound(name, ""))
	for _, full := range c.names(name) {
		var a answer
		if a, err = r.askOne(ctx, &c, full, typ); err == nil {
			return a, nil
		}
	}
	return answer{}, named(err, name)
}

// askOne asks the servers for one name and type until one of them knows.
func (r *Resolver) askOne(ctx context.Context, c *Conf, name string, typ msg.Type) (answer, error) {
	n, err := msg.ParseName(name)
	if err != nil {
		return answer{}, notFound(name, "")
	}
	offset := 0
	if c.Rotate {
		offset = int(r.turn.Add(1) - 1)
	}
	last := error(notFound(name, ""))
	for range c.Attempts {
		for i := range c.Servers {
			server := c.Servers[(offset+i)%len(c.Servers)]
			m, err := r.exchange(ctx, c, n, typ, server)
			if err == nil {
				err = judge(m, typ)
			}
			switch {
			case err == nil:
				return answer{m.Answer, server.String()}, nil
			case errors.Is(err, errNotThere):
				return answer{}, notFound(name, server.String())
			case over(ctx) != nil:
				return answer{}, dnsError(over(ctx), name, server.String())
			}
			last = dnsError(err, name, server.String())
		}
	}
	return answer{}, last
}

// over returns why the context has ended: a socket's deadline that was set to its own passes a
// moment earlier.
func over(ctx context.Context) error {
	if end, ok := ctx.Deadline(); ok && ctx.Err() == nil && !time.Now().Before(end) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

func (r *Resolver) exchange(ctx context.Context, c *Conf, name msg.Name, typ msg.Type, server netip.AddrPort) (*msg.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	m := msg.NewQuery(name, typ, true)
	m.AuthenticData, m.EDNS = c.TrustAD, new(msg.EDNS)
	o := client.Options{Timeout: c.Timeout}
	if c.TCP {
		o.Transport = client.TCP
	}
	reply, _, err := r.client.Exchange(ctx, m, server, o)
	return reply, err
}

// What an answer can be that is none.
var (
	errNotThere    = errors.New(noSuchHost)
	errMisbehaving = errors.New(misbehaving)
	errLame        = errors.New(lame)
)

// servFail is a failure that may be over the next time.
type servFail struct{}

func (servFail) Error() string { return misbehaving }

// judge says what an answer is worth: nil where it has what was asked for, errNotThere where it
// says that there is nothing, and another error where somebody else should be asked.
func judge(m *msg.Message, typ msg.Type) error {
	switch {
	case m.Rcode == msg.RcodeNameError:
		return errNotThere
	case m.Rcode == msg.RcodeServerFailure:
		return servFail{}
	case m.Rcode != msg.RcodeSuccess:
		return errMisbehaving
	}
	for _, rr := range m.Answer {
		if rr.Type == typ {
			return nil
		}
	}
	if len(m.Answer) == 0 && !m.Authoritative && !m.RecursionAvailable && len(m.Additional) == 0 && m.EDNS == nil {
		return errLame // a server that knows of nobody, and asks nobody
	}
	return errNotThere
}

func notFound(name, server string) *net.DNSError {
	return &net.DNSError{Err: noSuchHost, Name: name, Server: server, IsNotFound: true}
}

// dnsError gives an error the form that those of package net have.
func dnsError(err error, name, server string) *net.DNSError {
	d := &net.DNSError{Name: name, Server: server}
	var of *client.Error
	if errors.As(err, &of) { // which says again what was asked of whom
		err = of.Err
	}
	d.Err = err.Error()
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		d.IsTimeout = true
	}
	var op *net.OpError
	switch {
	case errors.Is(err, servFail{}):
		d.IsTemporary = true
	case errors.Is(err, context.DeadlineExceeded):
		d.Err, d.IsTimeout, d.IsTemporary, d.UnwrapErr = "i/o timeout", true, true, context.DeadlineExceeded
	case errors.Is(err, context.Canceled):
		d.Err, d.UnwrapErr = "operation was canceled", context.Canceled
	case d.IsTimeout:
		d.Err, d.IsTemporary = "i/o timeout", true
	case errors.As(err, &op):
		d.IsTemporary = true
	}
	return d
}

// named gives an error the name that was asked for in place of the one that the search list made.
func named(err error, name string) error {
	var d *net.DNSError
	if errors.As(err, &d) {
		d.Name = name
	}
	return err
}
