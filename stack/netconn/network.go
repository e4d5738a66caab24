package netconn

// network is the name of a TCP connection's network, in one octet of each connection.
type network uint8

const (
	tcpAny network = iota
	tcp4
	tcp6
)

// networkOf returns the network of a name; one that is not known counts as "tcp".
func networkOf(name string) network {
	switch name {
	case "tcp4":
		return tcp4
	case "tcp6":
		return tcp6
	}
	return tcpAny
}

// String returns the name, as package net has it.
func (n network) String() string {
	switch n {
	case tcp4:
		return "tcp4"
	case tcp6:
		return "tcp6"
	}
	return "tcp"
}
