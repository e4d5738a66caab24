package main

import (
	"encoding/binary"
	"sync"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"
)

// gvisorLink gives gVisor what a vnet_hdr TUN can do: super-segments of up to 64 kB whole in
// both directions, their checksums left to the kernel. It is written to be as fast as this stack allows:
// one read into a pooled buffer and one writev for a packet, no hand-over to
// another goroutine before the stack's own, and no lock.
type gvisorLink struct {
	tun        *rawTUN
	mtu        uint32
	dispatcher gstack.NetworkDispatcher
	done       sync.WaitGroup
}

// GSOMaxSize is such that the stack makes segments of superSegment, for it takes its largest headers off.
func (l *gvisorLink) GSOMaxSize() uint32 {
	return uint32(superSegment(int(l.mtu)) + header.TCPTotalHeaderMaximumSize + 1)
}

func (*gvisorLink) SupportedGSO() gstack.SupportedGSO { return gstack.HostGSOSupported }

// Capabilities leaves out the checksums of what goes out: data segments have theirs
// offloaded with the segmentation, and what remains is SYNs and datagrams of some octets.
func (*gvisorLink) Capabilities() gstack.LinkEndpointCapabilities {
	return gstack.CapabilityRXChecksumOffload
}

func (l *gvisorLink) MTU() uint32                           { return l.mtu }
func (l *gvisorLink) SetMTU(mtu uint32)                     { l.mtu = mtu }
func (*gvisorLink) MaxHeaderLength() uint16                 { return 0 }
func (*gvisorLink) LinkAddress() tcpip.LinkAddress          { return "" }
func (*gvisorLink) SetLinkAddress(tcpip.LinkAddress)        {}
func (l *gvisorLink) IsAttached() bool                      { return l.dispatcher != nil }
func (l *gvisorLink) Wait()                                 { l.done.Wait() }
func (*gvisorLink) ARPHardwareType() header.ARPHardwareType { return header.ARPHardwareNone }
func (*gvisorLink) AddHeader(*gstack.PacketBuffer)          {}
func (*gvisorLink) ParseHeader(*gstack.PacketBuffer) bool   { return true }
func (l *gvisorLink) Close()                                { l.tun.file.Close() }
func (*gvisorLink) SetOnCloseAction(func())                 {}

// Attach starts the reader.
func (l *gvisorLink) Attach(d gstack.NetworkDispatcher) {
	if l.dispatcher = d; d != nil {
		l.done.Go(l.readAll)
	}
}

const (
	// gvisorBuffer is the largest pooled buffer of gVisor. It clears each one that
	// it hands out, so a packet that is small goes into a small one.
	gvisorBuffer = 64 << 10
	gvisorSmall  = 2 << 10
)

// readAll drains the device until it is closed.
func (l *gvisorLink) readAll() {
	view := buffer.NewViewSize(gvisorBuffer)
	var failed error
	for failed == nil {
		err := l.tun.raw.Read(func(uintptr) bool {
			n, err := l.tun.read(view.AsSlice())
			if n < 0 {
				return false
			}
			if err != nil || n == gvisorBuffer { // a packet that long was cut off
				failed = err
				return true
			}
			view = l.deliver(view, n)
			return true
		})
		if err != nil {
			return
		}
	}
}

// deliver gives the stack the packet in the first n octets, and returns what to read into next.
func (l *gvisorLink) deliver(view *buffer.View, n int) *buffer.View {
	next := view
	packet := view
	if n <= gvisorSmall {
		packet = buffer.NewViewWithData(view.AsSlice()[vnetLen:n])
	} else {
		packet.CapLength(n)
		packet.TrimFront(vnetLen)
		next = buffer.NewViewSize(gvisorBuffer)
	}
	protocol := header.IPv4ProtocolNumber
	switch header.IPVersion(packet.AsSlice()) {
	case header.IPv4Version:
	case header.IPv6Version:
		protocol = header.IPv6ProtocolNumber
	default:
		packet.Release()
		return next
	}
	pkt := gstack.NewPacketBuffer(gstack.PacketBufferOptions{Payload: buffer.MakeWithView(packet)})
	l.dispatcher.DeliverNetworkPacket(protocol, pkt)
	pkt.DecRef()
	return next
}

// WritePackets writes each packet with one system call.
func (l *gvisorLink) WritePackets(list gstack.PacketBufferList) (int, tcpip.Error) {
	for i, pkt := range list.AsSlice() {
		var head [vnetLen]byte
		gvisorVnet(head[:], pkt)
		var space [8][]byte
		pieces := append(append(space[:0], head[:]), pkt.AsSlices()...)
		for {
			_, err := unix.Writev(l.tun.fd, pieces)
			if err == unix.EINTR || err == unix.EAGAIN {
				continue
			}
			if err != nil {
				return i, &tcpip.ErrAborted{}
			}
			break
		}
	}
	return list.Len(), nil
}

// gvisorVnet makes the virtio-net header of a packet.
func gvisorVnet(h []byte, pkt *gstack.PacketBuffer) {
	gso := &pkt.GSOOptions
	if gso.Type == gstack.GSONone {
		return
	}
	if gso.NeedsCsum {
		h[0] = vnetNeedsCsum
		binary.NativeEndian.PutUint16(h[6:], gso.L3HdrLen)
		binary.NativeEndian.PutUint16(h[8:], gso.CsumOffset)
	}
	if pkt.Data().Size() > int(gso.MSS) {
		h[1] = vnetGSOTCPv4
		if gso.Type == gstack.GSOTCPv6 {
			h[1] = vnetGSOTCPv6
		}
		binary.NativeEndian.PutUint16(h[2:], uint16(pkt.HeaderSize()))
		binary.NativeEndian.PutUint16(h[4:], gso.MSS)
	}
}
