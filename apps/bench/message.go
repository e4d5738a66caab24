package bench

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// token names a session to those who belong to it.
type token [16]byte

// Every TCP connection to a server begins with a preamble:
//
//	0  "weir"          who speaks
//	4  Version
//	5  role            control or data
//	6  stream          its number, big-endian
//	8  token           of the session; zero on a control connection
type preamble struct {
	role   role
	stream uint16
	token  token
}

type role uint8

const (
	roleControl role = iota
	roleData
)

const (
	magic       = "weir"
	preambleLen = 24
	maxMessage  = 16 << 10
	// maxSilence is how long a client may say nothing on its control connection, and a new
	// connection may take for its preamble.
	maxSilence = 30 * time.Second
)

func (p preamble) bytes() []byte {
	b := make([]byte, preambleLen)
	copy(b, magic)
	b[4], b[5] = Version, byte(p.role)
	binary.BigEndian.PutUint16(b[6:], p.stream)
	copy(b[8:], p.token[:])
	return b
}

var errPreamble = errors.New("the peer does not speak weir bench's protocol")

func parsePreamble(b []byte) (p preamble, err error) {
	if len(b) != preambleLen || string(b[:4]) != magic {
		return p, errPreamble
	}
	if b[4] != Version {
		return p, fmt.Errorf("the peer speaks version %d of weir bench's protocol, this is version %d", b[4], Version)
	}
	if p.role = role(b[5]); p.role > roleData {
		return p, errPreamble
	}
	p.stream = binary.BigEndian.Uint16(b[6:])
	copy(p.token[:], b[8:])
	return p, nil
}

// order is what a client may say on a control connection; each has one answer.
type order string

const (
	orderBegin   order = "begin"   // with the parameters; the answer has the token
	orderStart   order = "start"   // every stream is there: the data may flow
	orderMeasure order = "measure" // the warm-up is over
	orderSample  order = "sample"
	orderStop    order = "stop" // what the server sends is to end
)

// request is a client's message.
type request struct {
	Order  order   `json:"order"`
	Params *Params `json:"params,omitempty"`
}

// response is a server's message.
type response struct {
	Version int    `json:"version"`
	Error   string `json:"error,omitempty"`
	Token   []byte `json:"token,omitempty"`
	Sample  Sample `json:"sample,omitzero"`
}

// Sample is what one side has counted so far.
type Sample struct {
	At       time.Duration `json:"at_ns"` // since the session began, by the side's own clock
	CPU      time.Duration `json:"cpu_ns"`
	Received uint64        `json:"received"` // octets
	Sent     uint64        `json:"sent"`     // octets
	Flow     FlowCounts    `json:"flow,omitzero"`
}

// writeMessage writes v as JSON after its length.
func writeMessage(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(b) > maxMessage {
		return fmt.Errorf("a message of %d octets: at most %d may be sent", len(b), maxMessage)
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
	return err
}

// readMessage reads what writeMessage wrote into v. It takes no more memory than maxMessage,
// whatever comes.
func readMessage(r io.Reader, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxMessage {
		return fmt.Errorf("a message of %d octets: at most %d are read", n, maxMessage)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("a message that is not understood: %w", err)
	}
	return nil
}
