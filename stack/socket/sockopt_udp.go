package socket

import "syscall"

func setUDPOption(d *datagram, name int, value []byte) error {
	if len(value) < 4 {
		return syscall.EINVAL
	}
	v := intOf(value)
	switch name {
	case UDP_CORK:
		d.ip.udpCork = v != 0
		if !d.ip.udpCork {
			return d.pushCorked()
		}
	case UDP_SEGMENT:
		return assign(&d.ip.udpSegment, v, 0, 65535)
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}

func getUDPOption(d *datagram, name int, value []byte) (int, error) {
	switch name {
	case UDP_CORK:
		return putBool(value, d.ip.udpCork)
	case UDP_SEGMENT:
		return putInt(value, d.ip.udpSegment)
	}
	return 0, syscall.ENOPROTOOPT
}
