package tcp

import "strconv"

// State is a connection's state (RFC 9293 §3.3.2).
type State uint8

// The eleven states. A Conn is never in LISTEN: a listening port is a table entry of
// the driver, which asks Listen about every segment.
const (
	StateClosed State = iota
	StateListen
	StateSynSent
	StateSynReceived
	StateEstablished
	StateFinWait1
	StateFinWait2
	StateCloseWait
	StateClosing
	StateLastAck
	StateTimeWait
)

var stateNames = [...]string{
	"CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
	"FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT",
}

// String returns the state's name as the RFC writes it.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "State(" + strconv.Itoa(int(s)) + ")"
}

// Synchronized reports whether both ends know each other's sequence numbers:
// ESTABLISHED and later (RFC 9293 §3.5.2).
func (s State) Synchronized() bool { return s >= StateEstablished }

// takesText reports whether text that arrives is for the user: no FIN has come yet.
func (s State) takesText() bool {
	return s == StateEstablished || s == StateFinWait1 || s == StateFinWait2
}

// mayWrite reports whether the user may still send.
func (s State) mayWrite() bool {
	return s == StateSynSent || s == StateSynReceived || s == StateEstablished || s == StateCloseWait
}

// Events says what a call brought about; the bits add up.
type Events uint32

const (
	// EventConnected: the three-way handshake is done.
	EventConnected Events = 1 << iota
	// EventReadable: there are new octets to read.
	EventReadable
	// EventWritable: there is room in the send buffer that was not there before.
	EventWritable
	// EventFin: the peer's FIN has been reached in order; after what is readable
	// comes the end of the stream.
	EventFin
	// EventError: the connection has failed and Err says why. EventReset is the same.
	EventError
	// EventTimeWait: the connection has entered TIME-WAIT. Once Output has nothing
	// more, the driver may put TimeWait's record in its place; the Conn then stays for
	// reading only.
	EventTimeWait
	// EventClosed: the state is CLOSED. Output may still have one RST to send;
	// after it has returned false nothing will be sent any more.
	EventClosed
	// EventUrgent: the peer has announced urgent data; Urgent says how far it goes.
	EventUrgent
	// EventFinAcked: our FIN, and with it all that was written, has been acknowledged.
	EventFinAcked

	// EventReset is EventError: a reset is told by Err like every other failure.
	EventReset = EventError
)

var eventNames = [...]string{
	"connected", "readable", "writable", "fin", "error", "time-wait", "closed", "urgent", "fin-acked",
}

// String returns the names of the events, with a bar between them; "-" for none.
func (e Events) String() string {
	out := ""
	for i, name := range eventNames {
		if e&(1<<i) == 0 {
			continue
		}
		if out != "" {
			out += "|"
		}
		out += name
	}
	if out == "" {
		return "-"
	}
	return out
}
