package event

// Handler is told what happens on connections. One value may serve any number of them, and all
// connections of a listener share the listener's.
//
// The calls for one connection come one at a time and in the order described in the package's
// theory of operation; those for different connections come at the same time from different
// goroutines. They run in the stack's receive path: a call that does not return keeps its connection
// waiting, and is warned about (see the package).
type Handler interface {
	// OnOpen is the first call for a connection that was accepted or whose dialling succeeded: both
	// ends have agreed, and c.Write works.
	OnOpen(c *Conn)

	// OnData shows the octets that were received, in order and without a gap. p is lent: it must
	// not be kept or changed, and is gone when the call returns. n says how many of its octets
	// the handler is done with. What it leaves comes again, with what has arrived since behind
	// it, when more has arrived, after OnWritable, or after Resume. A handler that always
	// leaves everything fills the receive buffer, and the peer must wait.
	OnData(c *Conn, p []byte) (n int)

	// OnWritable is called after a Write that took less than it was given, when there is room
	// again, a third of the send buffer. What OnData left is shown again after it.
	OnWritable(c *Conn)

	// OnEOF is called when the peer has ended its stream (its FIN) and everything before that was
	// shown. Writing still works; the connection goes on until the handler ends it by Close or CloseWrite.
	OnEOF(c *Conn)

	// OnClose is the last call. err is nil where the connection came to an orderly end: what was
	// written was acknowledged, and the peer's stream ended or Close had given it up. Otherwise it
	// is the syscall.Errno that a socket would fail with: ECONNREFUSED or ETIMEDOUT for a dial, which
	// then had no OnOpen, ECONNRESET, ECONNABORTED after Abort.
	OnClose(c *Conn, err error)
}

// TimerHandler is a Handler that uses SetTimer.
type TimerHandler interface {
	Handler

	// OnTimer is called once when the time given to SetTimer has passed.
	OnTimer(c *Conn)
}

// Funcs is a Handler made of functions, any of which may be nil. Without Data what arrives is
// thrown away; without EOF the connection is closed when the peer has ended its stream.
//
// Pass a pointer, and share it among connections.
type Funcs struct {
	Open     func(c *Conn)
	Data     func(c *Conn, p []byte) (n int)
	Writable func(c *Conn)
	EOF      func(c *Conn)
	Timer    func(c *Conn)
	Close    func(c *Conn, err error)
}

var _ TimerHandler = (*Funcs)(nil)

// OnOpen implements Handler.
func (f *Funcs) OnOpen(c *Conn) {
	if f.Open != nil {
		f.Open(c)
	}
}

// OnData implements Handler.
func (f *Funcs) OnData(c *Conn, p []byte) (n int) {
	if f.Data == nil {
		return len(p)
	}
	return f.Data(c, p)
}

// OnWritable implements Handler.
func (f *Funcs) OnWritable(c *Conn) {
	if f.Writable != nil {
		f.Writable(c)
	}
}

// OnEOF implements Handler.
func (f *Funcs) OnEOF(c *Conn) {
	if f.EOF == nil {
		c.Close()
		return
	}
	f.EOF(c)
}

// OnTimer implements TimerHandler.
func (f *Funcs) OnTimer(c *Conn) {
	if f.Timer != nil {
		f.Timer(c)
	}
}

// OnClose implements Handler.
func (f *Funcs) OnClose(c *Conn, err error) {
	if f.Close != nil {
		f.Close(c, err)
	}
}
